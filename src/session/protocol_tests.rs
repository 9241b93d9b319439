use super::*;
use crate::model::SymbolId;
use crate::wire::{Codec, fixtures};

fn conversation(symbols: usize) -> Protocol {
    let limits = Limits { symbols, ..Limits::default() };
    Protocol::new(Arc::new(fixtures::universe()), Epoch::new(36), limits, None)
}

fn say(conversation: &mut Protocol, text: &str) -> (String, CommandOutcome) {
    let outcome = conversation.answer(Command::read(Codec::Json, text.as_bytes()));
    let frame = outcome.notice.to_frame(Codec::Json);
    (String::from_utf8(fixtures::payload(&frame).to_vec()).unwrap(), outcome)
}

fn trades(symbol: u32) -> StreamId {
    StreamId::new(Channel::Trades, SymbolId(symbol))
}

#[test]
fn a_subscription_is_answered_with_the_whole_state() {
    let mut conversation = conversation(10);
    say(&mut conversation, r#"{"action":"subscribe","trades":["MSFT"]}"#);

    let (answer, outcome) = say(&mut conversation, r#"{"action":"subscribe","trades":["AAPL"]}"#);

    assert!(answer.starts_with(r#"[{"T":"subscription","trades":["AAPL","MSFT"],"quotes":[],"#), "{answer}");
    assert!(!answer.contains("tickers") && !answer.contains("\"x\""), "{answer}");
    let channels: Vec<_> = outcome.changes.iter().map(|change| change.channel()).collect();
    assert_eq!(channels, [Channel::Trades, Channel::CancelErrors, Channel::Corrections]);
}

#[test]
fn too_many_symbols_change_nothing() {
    let mut conversation = conversation(2);
    say(&mut conversation, r#"{"action":"subscribe","trades":["MSFT"]}"#);

    let (refused, outcome) = say(&mut conversation, r#"{"action":"subscribe","trades":["A","B"]}"#);
    let (state, _) = say(&mut conversation, r#"{"action":"subscribe"}"#);

    assert!(refused.contains(r#""code":405"#), "{refused}");
    assert_eq!(outcome.changes, []);
    assert!(state.contains(r#""trades":["MSFT"]"#), "{state}");
}

#[test]
fn a_second_authentication_is_an_error_and_harmless() {
    let mut conversation = conversation(2);
    let auth = r#"{"action":"auth","key":"K","secret":"S"}"#;

    let (first, _) = say(&mut conversation, auth);
    let (second, _) = say(&mut conversation, auth);

    assert_eq!(first, r#"[{"T":"success","msg":"authenticated"}]"#);
    assert!(second.contains(r#""code":403"#), "{second}");
}

#[test]
fn credentials_on_the_upgrade_are_acknowledged_unasked() {
    let shown = Credentials { key: "K".into(), secret: "S".into() };

    assert_eq!(conversation(2).greet(None).notices, [ControlMessage::CONNECTED]);
    assert_eq!(
        conversation(2).greet(Some(&shown)).notices,
        [ControlMessage::CONNECTED, ControlMessage::AUTHENTICATED]
    );
}

#[test]
fn what_is_granted_is_told_and_what_is_not_known_is_rejected() {
    let mut conversation = conversation(10);

    let (answer, outcome) = say(
        &mut conversation,
        r#"{"action":"subscribe","quotes":["AAPL","ZZZZ"],"tickers":["*"],
            "x":{"id":7,"conflate_ms":90000,"heartbeat_ms":5}}"#,
    );

    let x = r#""tickers":["*"],"x":{"id":7,"epoch":"10","conflate_ms":60000,"heartbeat_ms":100,"rejected":{"quotes":["ZZZZ"]}}}]"#;
    assert!(answer.ends_with(x), "{answer}");
    let terms = outcome.terms.unwrap();
    assert_eq!((terms.pace.as_millis(), terms.heartbeat.as_millis()), (60_000, 100));
}

#[test]
fn terms_that_are_not_spoken_of_stay() {
    let mut conversation = conversation(10);
    say(&mut conversation, r#"{"action":"subscribe","x":{"conflate_ms":250}}"#);

    let (answer, _) = say(&mut conversation, r#"{"action":"subscribe","x":{"heartbeat_ms":1000}}"#);

    assert!(answer.contains(r#""conflate_ms":250,"heartbeat_ms":1000"#), "{answer}");
}

#[test]
fn only_streams_that_begin_resume_and_only_within_the_epoch() {
    let mut conversation = conversation(10);
    let resume = |epoch: &str| {
        format!(
            r#"{{"action":"subscribe","trades":["AAPL"],
                "x":{{"resume":{{"epoch":"{epoch}","sq":{{"trades":{{"AAPL":5,"MSFT":6}}}}}}}}}}"#
        )
    };

    let (_, ours) = say(&mut conversation, &resume("10"));
    let (_, too_late) = say(&mut conversation, &resume("10"));
    say(&mut conversation, r#"{"action":"unsubscribe","trades":["AAPL"]}"#);
    let (_, other) = say(&mut conversation, &resume("zz"));

    assert_eq!(ours.resume, [ResumePoint { stream: trades(0), last: Some(Seq(5)) }]);
    assert_eq!(too_late.resume, [], "the stream flows already");
    assert_eq!(other.resume, [ResumePoint { stream: trades(0), last: None }]);
}

#[test]
fn a_snapshot_is_of_what_the_command_names_but_for_what_resumes() {
    let mut conversation = conversation(10);
    say(&mut conversation, r#"{"action":"subscribe","trades":["MSFT"]}"#);

    let (_, outcome) = say(
        &mut conversation,
        r#"{"action":"subscribe","trades":["AAPL"],"quotes":["*"],
            "x":{"snapshot":true,"resume":{"epoch":"10","sq":{"trades":{"AAPL":5}}}}}"#,
    );

    let quotes = |symbol| StreamId::new(Channel::Quotes, SymbolId(symbol));
    assert_eq!(outcome.snapshot, [quotes(0), quotes(1)]);
}
