use std::path::PathBuf;

use super::*;
use crate::source::replay::fixtures::{data, read};

fn file(path: &str, inner: &str) -> Option<(String, Resolution, LeanKind)> {
    let layout = LeanFile::of(&PathBuf::from(path), inner)?;
    Some((layout.symbol, layout.resolution, layout.kind))
}

#[test]
fn names_of_files_tell_symbol_resolution_and_kind() {
    let spy = |resolution, kind| Some(("SPY".to_owned(), resolution, kind));

    assert_eq!(file("x.zip", "20131007_spy_minute_trade.csv"), spy(Resolution::Minute, LeanKind::Trade));
    assert_eq!(file("x.zip", "20131007_spy_Quote_Tick.csv"), spy(Resolution::Tick, LeanKind::Quote));
    assert_eq!(file("usa/daily/spy.zip", "spy.csv"), spy(Resolution::Daily, LeanKind::Trade));
    assert_eq!(file("usa/hour/spy.zip", "spy.csv"), spy(Resolution::Hour, LeanKind::Trade));
    for inner in
        ["spy.csv", "20131307_spy_minute_trade.csv", "20131007_spy_minute_openinterest.csv", "a_b_c_d.csv"]
    {
        assert_eq!(file("x.zip", inner), None, "{inner}");
    }
}

#[test]
fn the_best_bid_and_offer_of_a_day_has_the_known_changes() {
    let records = read(&[data("lean/tick/ibm/20131007_quote.zip")]).unwrap();

    let open = TradingDay::named("2013-10-07").unwrap().start.nanos()
        + 9 * 3_600_000 * MILLISECOND
        + 1_800_000 * MILLISECOND;
    let close = open + 23_400_000 * MILLISECOND;
    let (mut changes, mut crossed, mut locked, mut last) = (0, 0, 0, None);
    for record in &records.records {
        let RecordContent::Event(Event::Quote(quote)) = record.content else { panic!("no quote") };
        if (open..close).contains(&quote.at.nanos()) && quote.has_bid() && quote.has_ask() {
            changes += usize::from(last != Some((quote.bid, quote.ask)));
            last = Some((quote.bid, quote.ask));
            crossed += usize::from(quote.is_crossed());
            locked += usize::from(quote.is_locked());
        }
    }
    assert_eq!((changes, crossed, locked), (21_262, 86, 648));
    assert_eq!(records.records.len(), 109_066);
    assert_eq!(records.skipped.len(), 1, "one row is suspicious");
    assert_eq!(records.skipped[0].0, SkipReason::Suspicious);
}

#[test]
fn a_trade_has_the_columns_of_its_row() {
    let mut records = read(&[data("lean/tick/ibm/20131007_trade.zip")]).unwrap();

    let RecordContent::Event(Event::Trade(first)) = records.records[0].content else { panic!("no trade") };

    let midnight = TradingDay::named("2013-10-07").unwrap().start.nanos();
    assert_eq!(first.at.nanos() - midnight, 14_430_270 * MILLISECOND);
    assert_eq!((first.price.nanos(), first.size, first.venue), (181_520_000_000, 283, Venue(b'P')));
    assert_eq!(first.conditions.letters().collect::<Vec<_>>(), b"@FT");
    assert_eq!((records.records.len(), records.symbol(0)), (24_293, "IBM".to_owned()));
}

#[test]
fn minutes_and_days_are_bars_and_minutes_of_quotes_end_with_a_quote() {
    let bars = |name: &str| read(&[data(name)]).unwrap().records;

    let minutes = bars("lean/minute/spy/20131007_trade.zip");
    assert_eq!(minutes.len(), 828);
    let RecordContent::Bar(BarPeriod::Minute, bar) = minutes[0].content else { panic!("no minute") };
    assert_eq!((bar.open.nanos(), bar.close.nanos(), bar.volume), (167_410_000_000, 167_270_000_000, 3_197));
    assert_eq!(minutes[0].at, BarPeriod::Minute.end(bar.start));

    let days = bars("lean/daily/spy.zip");
    assert_eq!(days.len(), 5_849);
    let RecordContent::Bar(BarPeriod::Day, bar) = days[0].content else { panic!("no day") };
    assert_eq!(bar.start, TradingDay::named("1998-01-02").unwrap().start);

    let quotes = bars("lean/minute/spy/20131007_quote.zip");
    let RecordContent::Event(Event::Quote(quote)) = quotes[0].content else { panic!("no quote") };
    assert_eq!((quote.bid.nanos(), quote.bid_size), (167_250_000_000, 300));
    assert_eq!((quote.ask.nanos(), quote.ask_size), (167_270_000_000, 20_000));
}

fn rows(text: &str, inner: &str) -> (Vec<Recorded>, Vec<(SkipReason, u64)>) {
    let layout = LeanFile::of(&PathBuf::from("x.zip"), inner).unwrap();
    let mut symbols = SymbolTable::default();
    let mut reader = LeanReader::new(text.as_bytes(), layout);
    reader.declare(&mut symbols);
    let (mut records, mut skipped) = (Vec::new(), Vec::new());
    loop {
        match reader.next(&mut symbols) {
            Ok(Some(record)) => records.push(record),
            Ok(None) => return (records, skipped),
            Err(row) => skipped.push((row.reason, row.position)),
        }
    }
}

#[test]
fn a_broken_row_costs_itself_alone() {
    let text = "1000,1674100,100,P,1,0\n,1674100,100,P,1,0\n1000,x,100,P,1,0\n1000,1674100,0,P,1,0\n1000\n\
                1000,1674100,100,P,xyz,0\n1000,1674100,100,P,1,1\n2000,1674100,100,P,1\n";

    let (records, skipped) = rows(text, "20131007_spy_Trade_Tick.csv");

    assert_eq!(records.len(), 2);
    let reasons: Vec<_> = skipped.iter().map(|(reason, _)| *reason).collect();
    assert_eq!(reasons[..5], [SkipReason::Broken; 5]);
    assert_eq!(skipped[5], (SkipReason::Suspicious, 7));
}

#[test]
fn a_side_without_a_size_is_empty_and_a_late_row_keeps_its_place() {
    let text = "2000,1674100,100,0,0,P,1,0\n1000,0,0,1674200,300,Q,1,0\n3000,1674100,0,0,0,P,1,0\n";

    let (records, _) = rows(text, "20131007_spy_Quote_Tick.csv");

    let quotes: Vec<_> = records
        .iter()
        .map(|record| match record.content {
            RecordContent::Event(Event::Quote(quote)) => (record.at, quote),
            _ => panic!("no quote"),
        })
        .collect();
    assert!(quotes[0].1.has_bid() && !quotes[0].1.has_ask());
    assert_eq!(quotes[1].0, quotes[0].0, "published in the order of the file");
    assert!(quotes[1].1.at < quotes[1].0, "with its own time");
    assert!(quotes[1].1.has_bid() && quotes[1].1.has_ask());
    assert!(!quotes[2].1.has_bid());
    assert_eq!((quotes[2].1.bid, quotes[2].1.bid_venue), (Price::default(), Venue::NONE));
}
