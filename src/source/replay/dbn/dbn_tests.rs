use std::fs;
use std::path::PathBuf;

use test_support::TempFolder;

use super::*;
use crate::source::replay::fixtures::{Records, data, read};

fn records(name: &str) -> Records {
    read(&[data(name)]).unwrap()
}

fn events(records: &Records) -> Vec<Event> {
    let event = |record: &Recorded| match record.content {
        RecordContent::Event(event) => Some(event),
        _ => None,
    };
    records.records.iter().filter_map(event).collect()
}

fn trades(records: &Records) -> Vec<Trade> {
    let trade = |event| match event {
        Event::Trade(trade) => Some(trade),
        _ => None,
    };
    events(records).into_iter().filter_map(trade).collect()
}

fn quotes(records: &Records) -> Vec<Quote> {
    let quote = |event| match event {
        Event::Quote(quote) => Some(quote),
        _ => None,
    };
    events(records).into_iter().filter_map(quote).collect()
}

/// The bytes of a compressed fixture.
fn unpacked(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    ::dbn::decode::DynReader::from_file(data(name)).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

fn file(folder: &TempFolder, bytes: &[u8]) -> PathBuf {
    let path = folder.file("recording.dbn");
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn versions_1_to_3_hold_the_same_records() {
    for (schema, versions, count) in [
        ("trades", &[1, 2, 3][..], 2),
        ("mbp-1", &[1, 2, 3], 2),
        ("ohlcv-1m", &[1, 2, 3], 2),
        ("status", &[2, 3], 4),
        ("definition", &[1, 2, 3], 0),
    ] {
        let all =
            versions.iter().map(|version| records(&format!("dbn/test_data.{schema}.v{version}.dbn.zst")));
        let all: Vec<_> = all.collect();
        assert_eq!(all[0].records.len() + all[0].skipped.len(), count, "{schema}");
        assert!(
            all.iter().all(|one| one.records == all[0].records && one.skipped == all[0].skipped),
            "{schema}"
        );
    }
}

#[test]
fn a_trade_has_the_fields_of_its_record() {
    let mut records = records("dbn/test_data.trades.v3.dbn.zst");

    let trades = trades(&records);

    let fields = trades.iter().map(|trade| (trade.at.nanos(), trade.price.nanos(), trade.size, trade.id));
    assert_eq!(
        fields.collect::<Vec<_>>(),
        [
            (1_609_160_400_099_150_057, 3_720_250_000_000, 5, 1_170_380),
            (1_609_160_400_108_142_648, 3_720_250_000_000, 21, 1_170_414),
        ]
    );
    assert_eq!((trades[0].venue, trades[0].tape), (Venue::NONE, Tape::NONE));
    assert_eq!(records.symbol(trades[0].symbol.0), "ESH1");
}

#[test]
fn an_undefined_price_is_an_empty_side() {
    let mut records = records("databento/XNAS.ITCH.test_data.mbp-1.dbn.zst");

    let quotes = quotes(&records);

    assert_eq!((quotes.len(), records.symbol(0)), (4, "NVDA".to_owned()));
    assert_eq!(
        (quotes[0].bid.nanos(), quotes[0].bid_size, quotes[0].bid_venue),
        (502_000_000_000, 2, Venue(b'Q'))
    );
    assert!(quotes[0].has_bid() && !quotes[0].has_ask());
    assert_eq!((quotes[0].ask, quotes[0].ask_venue), (Price::default(), Venue::NONE));
    assert_eq!((quotes[2].ask.nanos(), quotes[2].ask_size), (539_000_000_000, 17));
}

#[test]
fn a_quote_before_a_trade_comes_before_it() {
    let records = records("databento/XNAS.ITCH.test_data.tbbo.dbn.zst");

    let events = events(&records);

    assert_eq!(events.len(), 8);
    assert!(events.chunks(2).all(|two| matches!(two, [Event::Quote(_), Event::Trade(_)])));
    let only_trades = read(&[data("databento/XNAS.ITCH.test_data.trades.dbn.zst")]).unwrap();
    assert_eq!(trades(&records), trades(&only_trades));
}

#[test]
fn a_trade_that_is_in_the_files_of_two_schemas_is_read_once() {
    let names = ["trades", "tbbo", "mbp-1"];
    let files = names.map(|schema| data(&format!("databento/XNAS.ITCH.test_data.{schema}.dbn.zst")));

    let all = read(&files).unwrap();

    assert_eq!((trades(&all).len(), quotes(&all).len()), (4, 4));
    assert!(all.records.is_sorted_by_key(|record| record.at));
}

#[test]
fn bars_of_every_length_are_read_and_days_begin_in_new_york() {
    for (schema, length, start) in [
        ("ohlcv-1s", BarPeriod::Second, 1_609_146_312),
        ("ohlcv-1m", BarPeriod::Minute, 1_609_146_300),
        ("ohlcv-1d", BarPeriod::Day, 1_609_113_600 + 5 * 3_600),
    ] {
        let records = records(&format!("databento/XNAS.ITCH.test_data.{schema}.dbn.zst"));
        let RecordContent::Bar(found, bar) = records.records[0].content else { panic!("no bar") };
        assert_eq!((found, bar.start.seconds()), (length, start), "{schema}");
        assert_eq!(records.records[0].at, length.end(bar.start));
        assert_eq!(bar.open.nanos(), 521_000_000_000);
    }
}

#[test]
fn seconds_make_minutes_and_hours_make_the_day_so_far() {
    let of = |schema| records(&format!("databento/XNAS.ITCH.test_data.{schema}.dbn.zst")).records;

    let seconds = of("ohlcv-1s");
    let volumes = |is_minute| -> u64 {
        let bars = seconds
            .iter()
            .filter(|record| matches!(record.content, RecordContent::FoldedMinute(_)) == is_minute);
        bars.map(|record| record.content.bar().unwrap().1.volume).sum()
    };
    assert_eq!(volumes(true), volumes(false));
    assert!(volumes(true) > 0 && seconds.is_sorted_by_key(|record| record.at));

    let hours = of("ohlcv-1h");
    let RecordContent::Bar(BarPeriod::Day, day) = hours[0].content else { panic!("no day") };
    assert_eq!((day.start.seconds(), hours[0].at.seconds()), (1_609_131_600, 1_609_146_000 + 3_600));
}

#[test]
fn schemas_without_trades_quotes_or_bars_are_refused() {
    for schema in ["mbo", "mbp-10", "imbalance"] {
        let refusal =
            read(&[data(&format!("databento/XNAS.ITCH.test_data.{schema}.dbn.zst"))]).err().unwrap();
        let text = refusal.to_string();
        assert!(text.contains(schema) && text.contains("use mbp-1"), "{text}");
    }
}

#[test]
fn statuses_have_the_codes_of_the_plan() {
    let records = records("dbn/test_data.status.v3.dbn.zst");

    let statuses = events(&records).into_iter().filter_map(|event| match event {
        Event::Status(status) => Some(status),
        _ => None,
    });

    let codes: Vec<_> = statuses.map(|status| status.status.code().to_owned()).collect();
    assert_eq!(codes[..3], ["T", "PREOPEN", "PREOPEN"]);
}

#[test]
fn a_definition_names_the_exchange_of_an_instrument_in_another_file() {
    let names = ["mbp-1", "definition"];
    let files = names.map(|schema| data(&format!("databento/XNAS.ITCH.test_data.{schema}.dbn.zst")));

    let mut all = read(&files).unwrap();

    // The universe is listed by the headers, before any definition is read, so the order of files does not matter.
    assert_eq!(all.symbols.publish().len(), 1);
    assert_eq!(all.symbols.publish().instrument(SymbolId(0)).exchange.as_deref(), Some("XNAS"));
}

/// The length of a record in the file of trades.
const TRADE: usize = 48;

fn header_of(bytes: &[u8]) -> usize {
    8 + u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize
}

#[test]
fn a_damaged_record_costs_itself_alone() {
    let bytes = unpacked("databento/XNAS.ITCH.test_data.trades.dbn.zst");
    let header = header_of(&bytes);
    assert_eq!(bytes.len(), header + 4 * TRADE);
    let whole = trades(&records("databento/XNAS.ITCH.test_data.trades.dbn.zst"));
    let folder = TempFolder::new();
    for (offset, value, reason) in [
        (0, 0, SkipReason::Broken),
        (0, 3, SkipReason::Broken),
        (0, 255, SkipReason::Broken),
        (1, 0x01, SkipReason::Broken),
        (1, 0xee, SkipReason::Unknown),
        (23, 0x7f, SkipReason::Broken),
    ] {
        let mut damaged = bytes.clone();
        let second = header + TRADE;
        damaged[second + offset] = value;
        if offset == 23 {
            damaged[second + 16..second + 24].copy_from_slice(&i64::MAX.to_le_bytes());
        }

        let read = read(&[file(&folder, &damaged)]).unwrap();

        assert_eq!(trades(&read), [whole[0], whole[2], whole[3]], "{offset}: {value}");
        assert_eq!(read.skipped, [(reason, 2)], "{offset}: {value}");
    }
}

#[test]
fn a_file_that_ends_within_a_record_is_read_up_to_it() {
    let bytes = unpacked("databento/XNAS.ITCH.test_data.trades.dbn.zst");
    let header = header_of(&bytes);
    let folder = TempFolder::new();

    for cut in 1..TRADE {
        let read = read(&[file(&folder, &bytes[..header + 3 * TRADE + cut])]).unwrap();
        assert_eq!((trades(&read).len(), read.skipped), (3, vec![(SkipReason::Broken, 4)]), "{cut}");
    }
    for cut in 0..header {
        assert!(read(&[file(&folder, &bytes[..cut])]).is_err(), "{cut}");
    }
}

#[test]
fn no_changed_byte_causes_a_panic() {
    for name in [
        "dbn/test_data.trades.v1.dbn.zst",
        "dbn/test_data.definition.v2.dbn.zst",
        "dbn/test_data.status.v3.dbn.zst",
    ] {
        let bytes = unpacked(name);
        let folder = TempFolder::new();
        // The header is mostly text; every byte of the records is changed.
        let header = header_of(&bytes);
        let changed = (0..header.min(220)).chain(header..(header + 120).min(bytes.len()));
        for at in changed {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            let _ = read(&[file(&folder, &damaged)]);
        }
    }
}

#[test]
fn a_damaged_compressed_file_is_read_up_to_the_damage() {
    let bytes = fs::read(data("databento/XNAS.ITCH.test_data.trades.dbn.zst")).unwrap();
    let folder = TempFolder::new();

    for cut in 4..bytes.len() {
        match read(&[file(&folder, &bytes[..cut])]) {
            Ok(read) => assert!(
                read.records.len() < 4 && !read.skipped.is_empty() || read.records.len() == 4,
                "{cut}"
            ),
            Err(refusal) => assert!(!refusal.to_string().is_empty()),
        }
    }
}

#[test]
fn a_later_version_is_refused_by_its_number() {
    let mut bytes = unpacked("dbn/test_data.trades.v3.dbn.zst");
    bytes[3] = 4;
    let folder = TempFolder::new();

    let refusal = read(&[file(&folder, &bytes)]).err().unwrap();

    assert!(refusal.to_string().contains("version 4"), "{refusal}");
}
