use super::*;
use crate::source::replay::record::SkipReason;

fn read(text: &str) -> (Vec<Recorded>, Vec<(SkipReason, u64)>, SymbolTable) {
    let mut symbols = SymbolTable::default();
    let mut reader = NdjsonReader::new(text.as_bytes());
    let (mut records, mut skipped) = (Vec::new(), Vec::new());
    loop {
        match reader.next(&mut symbols) {
            Ok(Some(record)) => records.push(record),
            Ok(None) => return (records, skipped, symbols),
            Err(object) => skipped.push((object.reason, object.position)),
        }
    }
}

const TRADE: &str = r#"{"T":"t","S":"AAPL","i":96921,"x":"D","p":126.5512,"s":1,"c":["@","I"],"z":"C","t":"2021-02-22T15:51:44.208Z"}"#;
const QUOTE: &str = r#"{"T":"q","S":"AMD","bx":"U","bp":87.66,"bs":1,"ax":"Q","ap":87.68,"as":4,"c":["R"],"z":"C","t":"2021-02-22T15:51:45.335689322Z"}"#;
const BAR: &str = r#"{"T":"b","S":"SPY","o":388.985,"h":389.13,"l":388.975,"c":389.12,"v":49378,"n":461,"vw":389.062639,"t":"2021-02-22T19:15:00Z"}"#;

#[test]
fn objects_and_arrays_of_objects_are_read() {
    let text = format!(
        "[{{\"T\":\"success\",\"msg\":\"connected\"}}]\n{TRADE}\r\n\n[{QUOTE},{BAR}]\n{{\"T\":\"h\",\"t\":\"x\"}}"
    );

    let (records, skipped, mut symbols) = read(&text);

    assert_eq!((records.len(), skipped.len()), (3, 0));
    let RecordContent::Event(Event::Trade(trade)) = records[0].content else { panic!("no trade") };
    assert_eq!((trade.price.nanos(), trade.id, trade.size), (126_551_200_000, 96_921, 1));
    let RecordContent::Event(Event::Bar(bar)) = records[2].content else { panic!("no bar") };
    assert_eq!(bar.open.nanos(), 388_985_000_000);
    assert_eq!(records[2].at, BarPeriod::Minute.end(bar.start));
    let names: Vec<_> = symbols.publish().iter().map(|instrument| instrument.symbol.to_string()).collect();
    assert_eq!(names, ["AAPL", "AMD", "SPY"]);
}

#[test]
fn a_broken_object_costs_itself_alone() {
    let broken = TRADE.replace("126.5512", "\"much\"");
    let text =
        format!("{TRADE}\n{{\"T\":\n[{broken},{TRADE}]\n[{{\"T\":\"n\",\"S\":\"A\"}}]\nnull\n{TRADE}\n");

    let (records, skipped, _) = read(&text);

    assert_eq!(records.len(), 3);
    let broken = SkipReason::Broken;
    assert_eq!(skipped, [(broken, 2), (broken, 3), (SkipReason::Unknown, 4), (broken, 5)]);
}

#[test]
fn the_order_of_keys_does_not_matter() {
    let sorted: Value = serde_json::from_str(TRADE).unwrap();

    let (records, skipped, _) = read(&sorted.to_string());

    assert_eq!((records, skipped.len()), (read(TRADE).0, 0));
}

#[test]
fn a_trade_of_a_snapshot_is_not_published_again() {
    let snapshot = TRADE.replace("\"t\":\"2021", "\"sq\":7,\"sn\":true,\"t\":\"2021");
    let quote = QUOTE.replace("\"t\":\"2021", "\"sq\":7,\"sn\":true,\"t\":\"2021");

    let (records, skipped, _) = read(&format!("[{snapshot},{quote}]\n"));

    assert!(matches!(records[..], [Recorded { content: RecordContent::Event(Event::Quote(_)), .. }]));
    assert_eq!(skipped, []);
}

#[test]
fn a_late_trade_keeps_its_place_and_its_time() {
    let late = TRADE.replace("15:51:44", "15:50:00");

    let (records, _, _) = read(&format!("{TRADE}\n{late}\n"));

    let RecordContent::Event(event) = records[1].content else { panic!("no event") };
    assert_eq!(records[1].at, records[0].at);
    assert!(event.at() < records[1].at);
}

/// A damaged compressed file fails each time it is read.
#[test]
fn an_input_that_fails_ends_the_file() {
    struct Failing;

    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::InvalidData.into())
        }
    }
    let line = format!("{TRADE}\n");
    let mut reader = NdjsonReader::new(io::BufReader::new(line.as_bytes().chain(Failing)));
    let mut symbols = SymbolTable::default();

    assert!(matches!(reader.next(&mut symbols), Ok(Some(_))));
    assert_eq!(reader.next(&mut symbols).unwrap_err().reason, SkipReason::Broken);
    assert_eq!(reader.next(&mut symbols).unwrap(), None);
}

#[test]
fn a_bar_of_the_day_is_read_at_the_time_of_the_object_before_it_or_of_the_first() {
    let day = BAR.replace("\"T\":\"b\"", "\"T\":\"d\"").replace("T19:15", "T05:00");

    let (records, _, _) = read(&format!("[{day},{day}]\n{TRADE}\n{day}\n"));

    let is_day = |record: &Recorded| matches!(record.content, RecordContent::Event(Event::DailyBar(_)));
    assert_eq!(records.iter().map(is_day).collect::<Vec<_>>(), [false, true, true, true]);
    assert!(records.iter().all(|record| record.at == records[0].at));
    let (records, _, _) = read(&format!("{day}\n"));
    assert!(matches!(records[..], [Recorded { content: RecordContent::Event(Event::DailyBar(_)), .. }]));
}

#[test]
fn a_minute_of_a_snapshot_is_not_published_again() {
    let snapshot = BAR.replace("\"n\":461", "\"sq\":7,\"sn\":true,\"n\":461");

    assert_eq!(read(&format!("{snapshot}\n")).0.len(), 0);
}

#[test]
fn lines_without_a_bar_are_passed_over_when_bars_alone_are_read() {
    let text = format!("{TRADE}\n{QUOTE}\n[{QUOTE},{BAR}]\n{TRADE}\n{}\n", BAR.replace("\"b\"", " \"b\""));
    let mut reader = NdjsonReader::new(text.as_bytes());

    assert!(reader.reads_bars_alone());

    let mut bars = 0;
    let mut others = 0;
    while let Ok(Some(record)) = reader.next(&mut SymbolTable::default()) {
        *(if record.content.bar().is_some() { &mut bars } else { &mut others }) += 1;
    }
    assert_eq!((bars, others), (2, 1), "the quote of the same line is read too");
}

#[test]
fn a_line_that_is_too_long_costs_itself_alone() {
    let long = " ".repeat(MAX_LINE_BYTES as usize);
    let exact = format!("{TRADE}{}", " ".repeat(MAX_LINE_BYTES as usize - TRADE.len() - 1));

    let (records, skipped, _) = read(&format!("{TRADE}\n{long}{TRADE}\n{exact}\n{QUOTE}\n"));

    assert_eq!(records.len(), 3);
    assert_eq!(skipped, [(SkipReason::Broken, 2)]);
}
