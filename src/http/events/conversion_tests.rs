use super::*;
use crate::model::Symbol;
use crate::wire::message_frame;

const EPOCH: &str = "th5oso";
const ACKNOWLEDGED: &str = r#"[{"T":"subscription","trades":["AAPL"],"x":{"epoch":"th5oso"}}]"#;

fn symbol(name: &str) -> Symbol {
    name.parse().unwrap()
}

fn positions(names: &[&str]) -> Positions {
    let mut positions = Positions::default();
    names.iter().for_each(|name| positions.add(Channel::Trades, symbol(name)));
    positions
}

fn conversion(names: &[&str]) -> EventConversion {
    EventConversion::new(EPOCH.parse().unwrap(), Some(positions(names)))
}

fn trade(sq: u64) -> String {
    format!(r#"[{{"T":"t","S":"AAPL","i":1,"x":"D","p":1.25,"s":1,"c":["@"],"z":"A","t":"2026","sq":{sq}}}]"#)
}

/// The events of these texts, sent at once.
fn events(conversion: &mut EventConversion, texts: &[&str]) -> String {
    let now = Instant::now();
    let mut out = Vec::new();
    for text in texts {
        conversion.convert(Opcode::Text, text.as_bytes(), &mut out, now);
    }
    String::from_utf8(out).unwrap()
}

/// The positions in the last id of these events.
fn last_id(events: &str) -> Option<(String, Positions)> {
    let id = events.lines().filter_map(|line| line.strip_prefix("id: ")).next_back()?;
    Positions::of_id(id).map(|(epoch, positions)| (epoch.to_string(), positions))
}

#[test]
fn an_array_is_one_event_with_the_position_behind_it() {
    let mut conversion = conversion(&["AAPL"]);

    let acknowledged = events(&mut conversion, &[r#"[{"T":"success","msg":"connected"}]"#, ACKNOWLEDGED]);
    let event = events(&mut conversion, &[&trade(7)]);

    assert!(
        acknowledged.starts_with("data: [{\"T\":\"success\",\"msg\":\"connected\"}]\n\nid: "),
        "{acknowledged}"
    );
    let mut expected = positions(&["AAPL"]);
    expected.set(Channel::Trades, symbol("AAPL"), 7);
    assert_eq!(last_id(&event), Some((EPOCH.into(), expected)));
    assert!(event.ends_with(&format!("\ndata: {}\n\n", trade(7))), "{event}");
    assert_eq!(event.lines().count(), 3);
}

#[test]
fn a_gap_moves_the_position_and_a_restart_moves_all_to_their_beginning() {
    let mut conversion = conversion(&["AAPL"]);
    let gap = r#"[{"T":"gap","S":"AAPL","ch":"trades","from":8,"to":20},{"T":"gap","S":"AAPL","ch":"quotes","from":1,"to":2}]"#;

    let told = events(&mut conversion, &[ACKNOWLEDGED, &trade(7), gap]);
    let goes_on = events(&mut conversion, &[r#"[{"T":"epoch","epoch":"2a","was":"th5oso"}]"#]);
    let restarted = events(&mut conversion, &[r#"[{"T":"epoch","epoch":"2b","was":"2a","restart":true}]"#]);

    let mut expected = positions(&["AAPL"]);
    expected.set(Channel::Trades, symbol("AAPL"), 20);
    assert_eq!(last_id(&told), Some((EPOCH.into(), expected.clone())));
    assert_eq!(last_id(&goes_on), Some(("2a".into(), expected)));
    assert_eq!(last_id(&restarted), Some(("2b".into(), positions(&["AAPL"]))));
}

#[test]
fn there_is_no_id_before_the_acknowledgement_and_none_where_nothing_changed() {
    let mut conversion = conversion(&["AAPL"]);

    let before = events(&mut conversion, &[r#"[{"T":"success","msg":"connected"}]"#]);
    events(&mut conversion, &[ACKNOWLEDGED]);
    let quote = events(&mut conversion, &[r#"[{"T":"q","S":"AAPL","bx":"V","sq":3}]"#]);

    assert_eq!((last_id(&before), last_id(&quote)), (None, None));
}

#[test]
fn a_long_id_goes_with_a_part_of_the_events_and_with_one_a_second() {
    let names: Vec<_> = (0..100).map(|number| format!("N{number}")).chain(["AAPL".into()]).collect();
    let mut conversion = conversion(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let id_bytes = events(&mut conversion, &[ACKNOWLEDGED]).len() - ACKNOWLEDGED.len();

    let trades: Vec<_> = (1..=1_000).map(trade).collect();
    let trades: Vec<_> = trades.iter().map(String::as_str).collect();
    let text = events(&mut conversion, &trades);
    let ids = text.lines().filter(|line| line.starts_with("id: ")).count();
    let mut later = Vec::new();
    let now = Instant::now() + ID_INTERVAL;
    conversion.convert(Opcode::Text, trade(1_001).as_bytes(), &mut later, now);

    assert!(ids > 0 && ids * id_bytes <= text.len() / BYTES_PER_ID_BYTE, "{ids} ids of {id_bytes} bytes");
    let (_, positions) = last_id(str::from_utf8(&later).unwrap()).expect("a second has passed");
    assert_eq!(positions.get(Channel::Trades, &symbol("AAPL")), Some(1_001));
}

#[test]
fn positions_that_do_not_fit_have_an_id_that_says_so() {
    let names: Vec<_> = (0..2_000).map(|number| format!("N{number}")).collect();
    let mut conversion = conversion(&names.iter().map(String::as_str).collect::<Vec<_>>());

    let text = events(&mut conversion, &[ACKNOWLEDGED, &trade(7), &trade(8)]);

    assert_eq!(text.matches("id: ").count(), 1);
    assert!(text.starts_with(&format!("id: {NO_POSITIONS}\n")), "{text}");
}

#[test]
fn a_close_is_an_event_with_its_code_and_a_ping_is_a_comment() {
    let mut conversion = conversion(&["AAPL"]);
    let (mut out, now) = (Vec::new(), Instant::now());

    let pong = conversion.convert(Opcode::Ping, b"12", &mut out, now);
    let frame = message_frame(Opcode::Close, &[&1012_u16.to_be_bytes()[..], b"restart"].concat());
    conversion.convert(Opcode::Close, &frame[2..], &mut out, now);

    assert_eq!(pong, Reply::Pong(b"12".into()));
    assert_eq!(
        String::from_utf8(out).unwrap(),
        ":\n\nevent: close\ndata: {\"code\":1012,\"reason\":\"restart\"}\n\n"
    );
}

#[test]
fn the_advice_of_a_drain_is_that_of_the_event_stream() {
    let text = events(&mut conversion(&["AAPL"]), &[r#"[{"T":"drain","reconnect_ms":4180}]"#]);

    assert!(text.starts_with("retry: 4180\ndata: "), "{text}");
}

#[test]
fn a_subscription_that_is_refused_ends_the_session() {
    let mut conversion = conversion(&["AAPL"]);
    let mut out = Vec::new();
    let error = br#"[{"T":"error","code":405,"msg":"symbol limit exceeded"}]"#;

    assert_eq!(conversion.convert(Opcode::Text, error, &mut out, Instant::now()), Reply::Close);
    events(&mut conversion, &[ACKNOWLEDGED]);
    assert_eq!(conversion.convert(Opcode::Text, error, &mut out, Instant::now()), Reply::Nothing);
}
