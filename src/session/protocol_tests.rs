use super::*;
use crate::model::{Seq, StreamId};
use crate::model::{SymbolId, TopicKind, TradeRules};
use crate::session::{ResumePoint, SnapshotKind, SnapshotPart, TickerExtent, TickerForm};
use crate::source::{DemandLimits, SymbolDemand};
use crate::topics::{Namespace, PublishRight};
use crate::wire::{Codec, fixtures};

fn protocol(symbols: usize) -> Protocol {
    let limits = Limits { symbols, ..Limits::default() };
    Protocol::new(Arc::new(fixtures::universe()), Epoch::new(36), limits, None)
}

fn send(protocol: &mut Protocol, text: &str) -> (String, CommandOutcome) {
    let outcome = protocol.answer(Command::read(Codec::Json, text.as_bytes()));
    let frame = outcome.response.to_frame(Codec::Json);
    (String::from_utf8(fixtures::payload(&frame).to_vec()).unwrap(), outcome)
}

fn trades(symbol: u32) -> StreamId {
    StreamId::new(Channel::Trades, SymbolId(symbol))
}

#[test]
fn a_subscription_is_answered_with_the_whole_state() {
    let mut protocol = protocol(10);
    send(&mut protocol, r#"{"action":"subscribe","trades":["MSFT"]}"#);

    let (answer, outcome) = send(&mut protocol, r#"{"action":"subscribe","trades":["AAPL"]}"#);

    assert!(answer.starts_with(r#"[{"T":"subscription","trades":["AAPL","MSFT"],"quotes":[],"#), "{answer}");
    assert!(!answer.contains("tickers") && !answer.contains("\"x\""), "{answer}");
    let channels: Vec<_> = outcome.changes.iter().map(|change| change.channel()).collect();
    assert_eq!(channels, [Channel::Trades, Channel::CancelErrors, Channel::Corrections]);
}

#[test]
fn too_many_symbols_change_nothing() {
    let mut protocol = protocol(2);
    send(&mut protocol, r#"{"action":"subscribe","trades":["MSFT"]}"#);

    let (refused, outcome) = send(&mut protocol, r#"{"action":"subscribe","trades":["A","B"]}"#);
    let (state, _) = send(&mut protocol, r#"{"action":"subscribe"}"#);

    assert!(refused.contains(r#""code":405"#), "{refused}");
    assert_eq!(outcome.changes, []);
    assert!(state.contains(r#""trades":["MSFT"]"#), "{state}");
}

#[test]
fn an_acknowledgement_that_would_exceed_its_limit_is_refused_and_changes_nothing() {
    let names = |letter: char, count: usize| {
        let names: Vec<_> = (0..count).map(|number| format!("{letter}{number:023}")).collect();
        serde_json::to_string(&names).unwrap()
    };
    let mut protocol = protocol(30_000);
    let (full, _) =
        send(&mut protocol, &format!(r#"{{"action":"subscribe","trades":{},"x":{{}}}}"#, names('A', 9_000)));
    assert!((900_000..1_000_000).contains(&full.len()), "{}", full.len());

    let more = format!(r#"{{"action":"subscribe","trades":{}}}"#, names('B', 4_000));
    let (refused, outcome) = send(&mut protocol, &more);
    let (again, _) = send(&mut protocol, r#"{"action":"subscribe"}"#);
    let (unsubscribed, _) = send(
        &mut protocol,
        &format!(r#"{{"action":"unsubscribe","trades":{},"x":{{}}}}"#, names('C', 20_000)),
    );

    assert!(refused.contains(r#""code":405"#), "{refused}");
    assert_eq!(outcome.changes, []);
    assert!(again.contains("A00000000000000000008999") && !again.contains("\"B0"), "the state is unchanged");
    assert!(unsubscribed.contains("subscription") && unsubscribed.len() < 1 << 20, "{}", unsubscribed.len());
}

#[test]
fn the_work_of_a_command_is_what_it_touches_and_not_its_length() {
    let mut protocol = protocol(30_000);
    let work = |protocol: &Protocol, text: &str| {
        protocol.work_of(Command::read(Codec::Json, text.as_bytes()).ok().as_ref())
    };
    let nothing = r#"{"action":"subscribe"}"#;
    assert_eq!(work(&protocol, nothing), 0);
    send(&mut protocol, r#"{"action":"subscribe","trades":["AAPL","MSFT","ZZZZ"],"quotes":["*"]}"#);

    assert_eq!(work(&protocol, nothing), 4);
    assert_eq!(work(&protocol, r#"{"action":"subscribe","x":{"conflate_ms":0}}"#), 4 + 2);
    let all = r#"{"action":"subscribe","tickers":["*"],"trades":["*"],"x":{"conflate_ms":1}}"#;
    // Cancels and corrections come with trades.
    assert_eq!(work(&protocol, all), 4 + 3 + 1 + 2 * 2);
    // A newer token may include less than what is subscribed to.
    assert_eq!(work(&protocol, r#"{"action":"auth"}"#), 4);
}

#[test]
fn a_second_authentication_is_an_error_and_harmless() {
    let mut protocol = protocol(2);
    let auth = r#"{"action":"auth","key":"K","secret":"S"}"#;

    let (first, _) = send(&mut protocol, auth);
    let (second, _) = send(&mut protocol, auth);

    assert_eq!(first, r#"[{"T":"success","msg":"authenticated"}]"#);
    assert!(second.contains(r#""code":403"#), "{second}");
}

#[test]
fn credentials_on_the_upgrade_are_acknowledged_unasked() {
    let credentials = Credentials { key: "K".into(), secret: "S".into() };

    assert_eq!(protocol(2).greet(None).messages, [ControlMessage::CONNECTED]);
    assert_eq!(
        protocol(2).greet(Some(&credentials)).messages,
        [ControlMessage::CONNECTED, ControlMessage::AUTHENTICATED]
    );
}

#[test]
fn an_acknowledgement_tells_that_the_trades_are_those_of_a_consolidated_tape() {
    let rules = CurrentTradeRules::default();
    let mut protocol = protocol(10).with_rules(rules.clone());
    let subscribe = r#"{"action":"subscribe","trades":["AAPL"],"x":{"id":7}}"#;
    assert!(!send(&mut protocol, subscribe).0.contains("tape"));

    rules.set(TradeRules::Consolidated);

    let (answer, _) = send(&mut protocol, subscribe);
    assert!(answer.contains(r#""heartbeat_ms":0,"tape":"consolidated"}"#), "{answer}");
}

#[test]
fn granted_options_are_acknowledged_and_unknown_symbols_rejected() {
    let mut protocol = protocol(10);

    let (answer, outcome) = send(
        &mut protocol,
        r#"{"action":"subscribe","quotes":["AAPL","ZZZZ"],"tickers":["*"],
            "x":{"id":7,"conflate_ms":90000,"heartbeat_ms":5}}"#,
    );

    let x = r#""tickers":["*"],"x":{"id":7,"epoch":"10","conflate_ms":60000,"heartbeat_ms":100,"rejected":{"quotes":["ZZZZ"]}}}]"#;
    assert!(answer.ends_with(x), "{answer}");
    let options = outcome.options.unwrap();
    assert_eq!((options.interval.as_millis(), options.heartbeat.as_millis()), (60_000, 100));
}

#[test]
fn options_that_are_not_mentioned_stay() {
    let mut protocol = protocol(10);
    send(&mut protocol, r#"{"action":"subscribe","x":{"conflate_ms":250}}"#);

    let (answer, _) = send(&mut protocol, r#"{"action":"subscribe","x":{"heartbeat_ms":1000}}"#);

    assert!(answer.contains(r#""conflate_ms":250,"heartbeat_ms":1000"#), "{answer}");
}

#[test]
fn only_new_subscriptions_resume_and_only_within_the_epoch() {
    let mut protocol = protocol(10);
    let resume = |epoch: &str| {
        format!(
            r#"{{"action":"subscribe","trades":["AAPL"],
                "x":{{"resume":{{"epoch":"{epoch}","sq":{{"trades":{{"AAPL":5,"MSFT":6}}}}}}}}}}"#
        )
    };

    let (_, ours) = send(&mut protocol, &resume("10"));
    let (_, too_late) = send(&mut protocol, &resume("10"));
    send(&mut protocol, r#"{"action":"unsubscribe","trades":["AAPL"]}"#);
    let (_, other) = send(&mut protocol, &resume("zz"));

    assert_eq!(ours.resume, [ResumePoint { stream: trades(0), last: Some(Seq(5)) }]);
    assert_eq!(too_late.resume, [], "the stream is subscribed already");
    assert_eq!(other.resume, [ResumePoint { stream: trades(0), last: None }]);
}

#[test]
fn a_snapshot_covers_the_named_streams_except_those_that_resume() {
    let mut protocol = protocol(10);
    send(&mut protocol, r#"{"action":"subscribe","trades":["MSFT"]}"#);

    let (_, outcome) = send(
        &mut protocol,
        r#"{"action":"subscribe","trades":["AAPL"],"quotes":["*"],
            "x":{"snapshot":true,"resume":{"epoch":"10","sq":{"trades":{"AAPL":5}}}}}"#,
    );

    assert_eq!(outcome.snapshot, [SnapshotPart::Channel(Channel::Quotes, SnapshotKind::First)]);
}

#[test]
fn a_name_that_stands_in_a_command_twice_has_one_snapshot() {
    let mut protocol = protocol(10);

    let (_, outcome) =
        send(&mut protocol, r#"{"action":"subscribe","trades":["AAPL","AAPL"],"x":{"snapshot":true}}"#);

    assert_eq!(outcome.snapshot, [SnapshotPart::Stream(trades(0), SnapshotKind::First)]);
}

#[test]
fn a_snapshot_tells_streams_that_begin_from_those_that_the_client_receives_already() {
    let mut protocol = protocol(10);
    send(&mut protocol, r#"{"action":"subscribe","trades":["MSFT"]}"#);
    let subscribe =
        |names: &str| format!(r#"{{"action":"subscribe","trades":{names},"x":{{"snapshot":true}}}}"#);

    let (_, named) = send(&mut protocol, &subscribe(r#"["AAPL","MSFT","ZZZZ"]"#));
    let (_, all) = send(&mut protocol, &subscribe(r#"["*"]"#));
    let (_, again) = send(&mut protocol, &subscribe(r#"["*"]"#));

    let part = |symbol, kind| SnapshotPart::Stream(trades(symbol), kind);
    assert_eq!(named.snapshot, [part(0, SnapshotKind::First), part(1, SnapshotKind::Repeat)]);
    let (channel, streams) = all.snapshot.split_first().unwrap();
    assert_eq!(*channel, SnapshotPart::Channel(Channel::Trades, SnapshotKind::First));
    assert_eq!(streams.len(), 2);
    assert!([0, 1].iter().all(|symbol| streams.contains(&part(*symbol, SnapshotKind::Repeat))));
    assert_eq!(again.snapshot, [SnapshotPart::Channel(Channel::Trades, SnapshotKind::Repeat)]);
}

#[test]
fn a_stream_that_changes_between_its_name_and_all_symbols_does_not_resume() {
    let x = r#""x":{"resume":{"epoch":"10","sq":{"trades":{"AAPL":5,"MSFT":6}}}}"#;
    let mut protocol = protocol(10);
    send(&mut protocol, r#"{"action":"subscribe","trades":["AAPL"]}"#);

    let (_, all) = send(&mut protocol, &format!(r#"{{"action":"subscribe","trades":["*"],{x}}}"#));
    let (_, named) = send(&mut protocol, &format!(r#"{{"action":"unsubscribe","trades":["*"],{x}}}"#));

    assert_eq!(all.resume, [ResumePoint { stream: trades(1), last: Some(Seq(6)) }]);
    assert_eq!(named.resume, []);
}

#[test]
fn fields_and_delta_are_acknowledged_and_stay_until_they_are_changed() {
    let mut protocol = protocol(10);
    let x = |answer: &str| answer.split_once(r#""heartbeat_ms":0"#).unwrap().1.to_owned();
    let mut answer = |options: &str| {
        let (answer, outcome) =
            send(&mut protocol, &format!(r#"{{"action":"subscribe","tickers":["AAPL"],"x":{options}}}"#));
        (x(&answer), outcome.options.unwrap().tickers)
    };

    let (granted, form) = answer(r#"{"fields":{"tickers":["bp","p","t","zz"],"trades":["p"]},"delta":true}"#);
    assert_eq!(
        granted,
        r#","fields":{"tickers":["p","bp"]},"delta":true,"rejected":{"fields":{"tickers":["zz"],"trades":["p"]}}}}]"#
    );
    assert_eq!(form.extent, TickerExtent::Changes);
    assert!(form.fields.keys().eq(["p", "bp"]));
    assert_eq!(answer(r#"{"id":1,"fields":3}"#).1, form, "it stays");
    assert_eq!(answer("{}").0, r#","fields":{"tickers":["p","bp"]},"delta":true}}]"#);
    assert_eq!(answer(r#"{"fields":{"tickers":[]}}"#).0, r#","fields":{"tickers":[]},"delta":true}}]"#);
    let without_time = answer(r#"{"fields":{"tickers":["-t","p"]},"delta":false}"#).0;
    assert_eq!(without_time, r#","fields":{"tickers":["p","-t"]}}}]"#);
    assert_eq!(answer(r#"{"fields":null,"delta":false}"#), ("}}]".to_owned(), TickerForm::default()));
}

#[test]
fn what_is_malformed_or_unknown_is_named_after_the_unknown_symbols() {
    let command =
        r#"{"action":"subscribe","quotes":["ZZZZ","A B","AAPL"],"trade":["AAPL"],"x":{"conflat_ms":1}}"#;

    let (answer, outcome) = send(&mut protocol(10), command);

    let rejected = r#""rejected":{"channels":["trade"],"quotes":["ZZZZ","A B"],"x":["conflat_ms"]}}}]"#;
    assert!(answer.ends_with(rejected), "{answer}");
    assert_eq!(outcome.changes.len(), 1);
}

#[test]
fn a_resume_without_an_epoch_is_answered_as_one_of_another_epoch() {
    let command = r#"{"action":"subscribe","trades":["AAPL"],"x":{"resume":{"sq":{"trades":{"AAPL":5}}}}}"#;

    let (_, outcome) = send(&mut protocol(10), command);

    assert_eq!(outcome.resume, [ResumePoint { stream: trades(0), last: None }]);
}

#[test]
fn malformed_names_count_towards_the_limit_of_an_acknowledgement() {
    let limits = Limits { acknowledged_bytes: 2_000, ..Limits::default() };
    let mut protocol = Protocol::new(Arc::new(fixtures::universe()), Epoch::new(36), limits, None);
    let names: Vec<_> = (0..50).map(|number| format!("\u{1}{number} {}", "x".repeat(30))).collect();
    let command = serde_json::json!({ "action": "subscribe", "trades": names, "x": {} }).to_string();

    let (refused, _) = send(&mut protocol, &command);
    let (unsubscribed, _) = send(&mut protocol, &command.replace("subscribe", "unsubscribe"));

    assert!(refused.contains(r#""code":405"#), "{refused}");
    assert!(unsubscribed.contains("subscription") && !unsubscribed.contains("rejected"), "{unsubscribed}");
}

/// A protocol over a source that gives two symbols at most.
fn on_demand(demand: &SymbolDemand) -> Protocol {
    protocol(10).demanding(Some(demand.interest()))
}

fn demand_of_two() -> SymbolDemand {
    SymbolDemand::new(DemandLimits { symbols: 2, ..DemandLimits::default() })
}

#[test]
fn symbols_beyond_what_the_source_gives_are_refused_whole_without_extensions() {
    let demand = demand_of_two();
    let [mut first, mut second] = [on_demand(&demand), on_demand(&demand)];
    send(&mut first, r#"{"action":"subscribe","trades":["NEW"]}"#);

    let (refused, outcome) = send(&mut second, r#"{"action":"subscribe","quotes":["A","B"]}"#);
    let (state, _) = send(&mut second, r#"{"action":"subscribe"}"#);

    assert!(refused.contains(r#""code":405"#), "{refused}");
    assert_eq!(outcome.changes, []);
    assert!(state.contains(r#""quotes":[]"#), "{state}");
    let (granted, _) = send(&mut first, r#"{"action":"subscribe","quotes":["C"]}"#);
    assert!(
        granted.contains(r#""quotes":["C"]"#),
        "what the refused command demanded is free again: {granted}"
    );
}

#[test]
fn symbols_beyond_what_the_source_gives_are_rejected_one_by_one_with_extensions() {
    let demand = demand_of_two();
    let mut protocol = on_demand(&demand);

    let (answer, _) = send(
        &mut protocol,
        r#"{"action":"subscribe","trades":["A","B","C"],"bars":["C"],"tickers":["*"],"x":{}}"#,
    );

    assert!(answer.contains(r#""trades":["A","B"]"#), "{answer}");
    assert!(answer.contains(r#""bars":["C"]"#), "bars need no demand: {answer}");
    assert!(answer.contains(r#""rejected":{"tickers":["*"],"trades":["C"]}"#), "{answer}");
}

#[test]
fn an_unsubscribed_symbol_is_demanded_no_more() {
    let demand = demand_of_two();
    let mut protocol = on_demand(&demand);
    send(&mut protocol, r#"{"action":"subscribe","trades":["A","B"],"quotes":["A"]}"#);

    send(&mut protocol, r#"{"action":"unsubscribe","trades":["A","B"]}"#);
    let (answer, _) = send(&mut protocol, r#"{"action":"subscribe","trades":["C"]}"#);
    let (refused, _) = send(&mut protocol, r#"{"action":"subscribe","trades":["D"]}"#);

    assert!(answer.contains(r#""trades":["C"]"#), "B made room: {answer}");
    assert!(refused.contains(r#""code":405"#), "A is still subscribed to: {refused}");
}

#[test]
fn a_namespace_stands_for_its_topics_and_one_that_does_not_exist_is_rejected() {
    let topic = |name: &str| (name.parse().unwrap(), TopicKind::State);
    let universe =
        fixtures::universe().with_topics(["weather:london", "weather:paris", "chat:lobby"].map(topic));
    let namespaces = vec![Namespace::weather(), Namespace::chat(PublishRight::Nobody)];
    let protocol = Protocol::new(Arc::new(universe), Epoch::new(36), Limits::default(), None);
    let mut protocol = protocol.with_topics(Arc::new(Namespaces::new(namespaces)));

    let named = r#""topics":["weather:*","weather:oslo","news:*","weather:*"]"#;
    let (all, outcome) = send(&mut protocol, &format!(r#"{{"action":"subscribe",{named},"x":{{"id":1}}}}"#));
    let (_, again) = send(&mut protocol, r#"{"action":"subscribe","topics":["weather:*"]}"#);
    let (rest, ended) =
        send(&mut protocol, r#"{"action":"unsubscribe","topics":["weather:*","chat:*"],"x":{}}"#);

    assert!(all.contains(r#""topics":["weather:london","weather:oslo","weather:paris"]"#), "{all}");
    assert!(all.contains(r#""rejected":{"topics":["news:*"]}"#), "{all}");
    // A name does not say whether a topic is a log or a state: each one is two streams.
    assert_eq!((outcome.changes.len(), again.changes.len(), ended.changes.len()), (4, 0, 4));
    assert!(!rest.contains("topics"), "{rest}");
}

#[test]
fn an_error_repeats_the_id_of_its_command() {
    let mut protocol = protocol(1);

    for (command, code) in [
        (r#""action":"subscribe","trades":"AAPL""#, 400),
        (r#""action":"presence""#, 400),
        (r#""action":"presence","topic":"chat:AAPL""#, 430),
        (r#""action":"subscribe","trades":["A","B"]"#, 405),
    ] {
        let (answer, _) = send(&mut protocol, &format!(r#"{{{command},"x":{{"id":"one"}}}}"#));
        assert!(answer.contains(&format!(r#""code":{code}"#)), "{answer}");
        assert!(answer.ends_with(r#","x":{"id":"one"}}]"#), "{answer}");
        let (answer, _) = send(&mut protocol, &format!("{{{command}}}"));
        assert!(!answer.contains("\"x\""), "{answer}");
    }
}
