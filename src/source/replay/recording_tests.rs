use std::fs;
use std::path::Path;

use test_support::TempFolder;

use super::*;
use crate::model::TradingDay;
use crate::source::replay::fixtures::data;

fn settings(files: &[&Path]) -> ReplaySettings {
    ReplaySettings::reproducible(files.iter().map(|path| path.to_path_buf()).collect::<Vec<_>>())
}

fn open(settings: ReplaySettings) -> Result<Recording, ReplayError> {
    Recording::open(settings, ReplayMetrics::default())
}

fn at(time: &str) -> Timestamp {
    crate::model::market_time(time).unwrap()
}

/// The times of the records from the start to the end.
fn times(recording: &mut Recording) -> Vec<Timestamp> {
    let mut times = Vec::new();
    loop {
        match recording.peek() {
            Ok(Some(record)) => times.push(record.at),
            Ok(None) => return times,
            Err(SkippedRecord) => continue,
        }
        recording.take();
    }
}

#[test]
fn lines_of_json_behind_empty_lines_are_recognised() {
    let folder = TempFolder::new();
    let path = folder.file("captured.ndjson");
    let quote = r#"{"T":"q","S":"AMD","bx":"U","bp":1.5,"bs":1,"ax":"Q","ap":2,"as":4,"c":["R"],"z":"C","t":"2021-02-22T15:51:45Z"}"#;
    for blank in ["\n", "\r\n\r\n", &"\n".repeat(9_000)] {
        fs::write(&path, format!("{blank}{quote}\n")).unwrap();

        let mut recording = open(settings(&[&path])).unwrap();

        assert_eq!(times(&mut recording).len(), 1, "{} bytes", blank.len());
    }
}

#[cfg(feature = "dbn")]
#[test]
fn a_broken_file_of_definitions_is_refused_by_name() {
    let folder = TempFolder::new();
    let path = folder.file("broken.dbn.zst");
    let mut bytes = fs::read(data("databento/XNAS.ITCH.test_data.definition.dbn.zst")).unwrap();
    bytes.truncate(bytes.len() - 40);
    fs::write(&path, bytes).unwrap();

    let error = open(settings(&[&path])).map(|_| ()).unwrap_err();

    assert!(error.to_string().contains("broken.dbn.zst"), "{error}");
}

#[test]
fn foreign_files_are_refused_by_name_with_the_reason() {
    let folder = TempFolder::new();
    for (name, content) in [
        ("empty.csv", &b""[..]),
        ("noise.bin", b"\x00\x01\x02\x03"),
        ("words.txt", b"once upon a time"),
        ("page.csv", b"time,price,size\nyesterday,1,1\n"),
        ("broken.ndjson", b"{\"T\":\"t\",\"S\":\"A\"\n"),
        ("broken.zip", b"PK\x03\x04"),
        ("broken.gz", b"\x1f\x8b\x08\x00"),
        ("broken.zst", b"\x28\xb5\x2f\xfd"),
        ("short.dbn", b"DBN\x03\xff\xff\x00\x00"),
    ] {
        let file = folder.file(name);
        fs::write(&file, content).unwrap();
        let error = open(settings(&[&file])).err().unwrap_or_else(|| panic!("{name} is refused"));
        assert!(matches!(&error, ReplayError::File { path, .. } if *path == file), "{name}: {error}");
    }
    for path in [folder.path().to_owned(), folder.file("absent.dbn")] {
        assert!(matches!(open(settings(&[&path])), Err(ReplayError::File { .. })), "{}", path.display());
    }
}

#[test]
fn a_time_without_records_is_refused() {
    let trades = data("lean/tick/ibm/20131007_trade.zip");
    let later = ReplaySettings { from: Some(at("2013-10-08")), ..settings(&[&trades]) };
    let earlier = ReplaySettings { until: Some(at("2013-10-07")), ..settings(&[&trades]) };

    assert!(matches!(open(later), Err(ReplayError::Nothing(_))));
    assert!(matches!(open(earlier), Err(ReplayError::Nothing(_))));
}

#[test]
fn from_and_until_cut_the_recording() {
    let trades = data("lean/tick/ibm/20131007_trade.zip");
    let quotes = data("lean/tick/ibm/20131007_quote.zip");
    let (from, until) = (at("2013-10-07T09:30"), at("2013-10-07T09:31"));
    let cut = ReplaySettings { from: Some(from), until: Some(until), ..settings(&[&trades, &quotes]) };

    let mut recording = open(cut).unwrap();

    let quote = recording.quotes().next().expect("the last quote before the start is known");
    assert!(quote.has_bid() && quote.has_ask() && quote.at < from);
    let times = times(&mut recording);
    assert!(times.len() > 100 && times.is_sorted());
    assert!(times.iter().all(|time| (from..until).contains(time)));
}

#[test]
fn bars_before_the_first_event_are_history_and_later_ones_do_not_prolong_the_replay() {
    let trades = data("lean/tick/ibm/20131007_trade.zip");
    let days = data("lean/daily/spy.zip");

    let mut recording = open(settings(&[&trades, &days])).unwrap();

    assert_eq!(recording.start().seconds(), at("2013-10-07T04:00:30").seconds());
    let (symbol, past) = recording.take_past(0).find(|(_, past)| !past.days.is_empty()).unwrap();
    assert_eq!(recording.universe().instrument(symbol).symbol.as_str(), "SPY");
    assert_eq!(past.days.len(), 400);
    assert_eq!(past.days[399].start, TradingDay::named("2013-10-04").unwrap().start);
    let times = times(&mut recording);
    assert_eq!(times.len(), 24_293 + 1, "all trades, and the bar of their day");
}

#[test]
fn files_of_bars_alone_are_paced_by_the_shortest() {
    let minutes = data("lean/minute/spy/20131007_trade.zip");
    let days = data("lean/daily/spy.zip");

    let mut recording = open(settings(&[&days, &minutes])).unwrap();

    assert_eq!(recording.start(), at("2013-10-07T04:01"), "the end of the first minute");
    assert_eq!(times(&mut recording).len(), 828 + 1);
}

#[test]
fn skipped_records_are_counted_by_reason() {
    let quotes = data("lean/tick/ibm/20131007_quote.zip");
    let metrics = ReplayMetrics::default();

    let mut recording = Recording::open(settings(&[&quotes]), metrics.clone()).unwrap();
    times(&mut recording);

    assert_eq!(metrics.skips(SkipReason::Suspicious.label()), 1);
}

#[test]
fn a_recording_is_the_same_when_it_begins_again() {
    let trades = data("lean/tick/ibm/20131007_trade.zip");
    let mut recording = open(settings(&[&trades])).unwrap();
    let first = times(&mut recording);

    recording.reopen().unwrap();

    assert_eq!(times(&mut recording), first);
    assert_eq!(recording.universe().len(), 1);
}
