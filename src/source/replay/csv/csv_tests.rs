use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use test_support::TempFolder;

use super::*;
use crate::source::replay::fixtures::{Records, read_with};
use crate::source::replay::record::BarPeriod;

fn read(text: &str, map: &str) -> Result<Records, FileRefusal> {
    let folder = TempFolder::new();
    let path = folder.file("msft.csv");
    fs::write(&path, text).unwrap();
    read_with(&[path], &map.parse().unwrap())
}

fn event(records: &Records, number: usize) -> Event {
    match records.records[number].content {
        RecordContent::Event(event) => event,
        _ => panic!("a bar"),
    }
}

#[test]
fn usual_names_of_columns_need_no_map() {
    let trades = "timestamp,symbol,price,size,exchange,conditions,id,tape\n\
                  2013-10-07T13:30:00.5Z,AAPL,99.6459,100,V,@ T I,77,C\n";
    let mut records = read(trades, "").unwrap();
    let Event::Trade(trade) = event(&records, 0) else { panic!("no trade") };
    assert_eq!((trade.price.nanos(), trade.size, trade.id), (99_645_900_000, 100, 77));
    assert_eq!((trade.venue, trade.tape), (Venue(b'V'), Tape::C));
    assert_eq!(trade.conditions.letters().collect::<Vec<_>>(), b"@TI");
    assert_eq!(records.symbol(0), "AAPL");

    let quotes = "Time,Bid Price,Bid Size,Ask Price,Ask Size\n1381152600500,167.01,3,,\n";
    let mut records = read(quotes, "").unwrap();
    let Event::Quote(quote) = event(&records, 0) else { panic!("no quote") };
    assert_eq!((quote.bid.nanos(), quote.bid_size, quote.has_ask()), (167_010_000_000, 3, false));
    assert_eq!(records.symbol(0), "MSFT", "the name of the file");

    let days = "symbol,date,open,high,low,close,volume\nGOOG,2004-08-19,100,104.06,95.96,100.34,22351900\n";
    let records = read(days, "").unwrap();
    let RecordContent::Bar(BarPeriod::Day, bar) = records.records[0].content else { panic!("no day") };
    assert_eq!((bar.high.nanos(), bar.volume), (104_060_000_000, 22_351_900));
}

#[test]
fn rows_of_alpacas_rest_need_no_map() {
    let trades = "S,t,x,p,s,c,i,z\nAAPL,2021-02-22T15:51:44.208Z,D,126.5512,7,@ I,96921,C\n";
    let mut records = read(trades, "").unwrap();
    let Event::Trade(trade) = event(&records, 0) else { panic!("no trade") };
    assert_eq!((trade.size, trade.id, trade.venue), (7, 96_921, Venue(b'D')));
    assert_eq!(records.symbol(0), "AAPL");

    let bars =
        "symbol,t,o,h,l,c,v,n,vw\nSPY,2021-02-22T19:15:00Z,388.985,389.13,388.975,389.12,49378,461,389.06\n";
    let records = read(bars, "").unwrap();
    let RecordContent::Bar(BarPeriod::Minute, bar) = records.records[0].content else { panic!("no bar") };
    assert_eq!((bar.close.nanos(), bar.volume, bar.trades), (389_120_000_000, 49_378, 461));
}

#[test]
fn rows_that_may_be_trades_or_quotes_need_a_kind() {
    let text = "ts_recv,price,size,bid_px_00,ask_px_00,bid_sz_00,ask_sz_00,symbol\n\
                1609160400006136329,3720500000000,1,3720250000000,3720500000000,24,11,ESH1\n";

    assert!(read(text, "").err().unwrap().to_string().contains("kind="));
    let quotes = read(text, "kind=quote,decimals=9").unwrap();
    let Event::Quote(quote) = event(&quotes, 0) else { panic!("no quote") };
    assert_eq!((quote.bid.nanos(), quote.ask_size), (3_720_250_000_000, 11));
    let trades = read(text, "kind=trade,decimals=9").unwrap();
    assert!(matches!(event(&trades, 0), Event::Trade(trade) if trade.price.nanos() == 3_720_500_000_000));
}

#[test]
fn a_map_names_columns_by_name_or_number() {
    let with_header = "a;b;c;d\n1000;7;3;X\n";
    let map = "delimiter=semicolon,time=a,unit=s,price=b,size=c,symbol=d,decimals=1";
    let mut records = read(with_header, map).unwrap();
    let Event::Trade(trade) = event(&records, 0) else { panic!("no trade") };
    assert_eq!((trade.at.seconds(), trade.price.nanos(), trade.size), (1_000, 700_000_000, 3));
    assert_eq!(records.symbol(0), "X");

    let without = "1000,7,3\n2000,8,4\n";
    let records = read(without, "time=1,unit=ms,price=2,size=3,ticker=SPY").unwrap();
    assert_eq!(records.records.len(), 2);
}

#[test]
fn a_broken_row_costs_itself_alone() {
    let text = "time,symbol,price,size\n1000000000,A,1,1\nnoon,A,1,1\n1000000001,A,x,1\n1000000001,A,1,-1\n\
                1000000001,A,1,0\n1000000001\n1000000001,,1,1\n1000000001,\"A,1\n1000000002,B,1,1\n";

    let records = read(text, "").unwrap();

    assert_eq!(records.records.len(), 1, "an open quotation mark takes in the rest");
    let broken = records.skipped.iter().filter(|(reason, _)| *reason == SkipReason::Broken).count();
    assert_eq!((broken, records.skipped.len()), (5, 7));
    assert_eq!(records.skipped[0], (SkipReason::Broken, 3));
}

#[test]
fn a_file_whose_columns_are_unknown_is_refused_with_a_hint() {
    for (text, map) in [
        ("a,b,c\n1,2,3\n", ""),
        ("price,size\n1,2\n", ""),
        ("time,price,size\n1,2,3\n", "price=px"),
        ("time,price,size\n1,2,3\n", "kind=quote"),
    ] {
        let refusal = read(text, map).err().unwrap();
        assert!(!refusal.to_string().is_empty(), "{text:?} with {map:?}");
    }
    for map in ["price", "prize=px", "kind=tick", "unit=h", "zone=Atlantis", "decimals=99"] {
        assert!(map.parse::<ColumnMap>().is_err(), "{map}");
    }
}

#[test]
fn a_gzipped_file_is_read() {
    let folder = TempFolder::new();
    let path = folder.file("spy.csv.gz");
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(b"time,price,size\n1000000000,1,1\n").unwrap();
    fs::write(&path, packed.finish().unwrap()).unwrap();

    let mut records = read_with(&[path], &ColumnMap::default()).unwrap();

    assert_eq!((records.records.len(), records.symbol(0)), (1, "SPY".to_owned()));
}

#[test]
fn a_damaged_compressed_file_is_read_up_to_the_damage() {
    let folder = TempFolder::new();
    let path = folder.file("spy.csv.gz");
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    let rows: String =
        (0..20_000).map(|row| format!("{},1.{},{}\n", 1_000_000_000 + row, row % 97, row % 13 + 1)).collect();
    packed.write_all(format!("time,price,size\n{rows}").as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    fs::write(&path, &packed[..packed.len() / 2]).unwrap();

    let records = read_with(&[path], &ColumnMap::default()).unwrap();

    assert!((1_000..19_000).contains(&records.records.len()), "{}", records.records.len());
    assert_eq!(records.skipped.iter().map(|(reason, _)| *reason).collect::<Vec<_>>(), [SkipReason::Broken]);
}
