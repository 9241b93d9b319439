//! Bars that recordings have: which are published, when, and that none is folded beside them.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapecast::archive::{Archive, OpenBars, Order, Query, Retention, Span};
use tapecast::clock::{Clock, ClockRate};
use tapecast::feed::{BarSpans, Batch, BatchSource, LastValues, SequencedFeed, Sequencer};
use tapecast::metrics::{ClockMetrics, FeedMetrics, ReplayMetrics};
use tapecast::model::{
    Bar, BarOrigin, Body, Channel, Epoch, ExchangeSession, Price, SECOND, Symbol, SymbolId, Ticker,
    Timestamp, TradingDay, market_time,
};
use tapecast::source::{
    ColumnMap, EventSource, Recording, ReplayClock, ReplaySettings, ReplaySource, ReplaySpeed,
};
use test_support::TempFolder;

const MINUTE: i64 = 60 * SECOND;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn settings(files: Vec<PathBuf>) -> ReplaySettings {
    ReplaySettings::reproducible(files)
}

/// What a replay published from its start to its end.
struct Replayed {
    batches: Vec<Arc<Batch>>,
    archive: Arc<Archive>,
    opened_at: Timestamp,
}

/// The feed of a recording, as the service makes it.
fn feed(settings: ReplaySettings) -> (SequencedFeed, Arc<Archive>, Clock, Timestamp) {
    let metrics = ReplayMetrics::default();
    let recording = Recording::open(settings, metrics.clone()).unwrap();
    let clock = Clock::system(ClockMetrics::default());
    let mut source = ReplaySource::new(recording, clock.clone(), metrics, Box::new(Epoch::default));
    let universe = Arc::clone(source.universe());
    let archive = Arc::new(Archive::new(universe.len(), Retention::default()));
    archive.list(&universe);
    for (symbol, past) in source.take_past() {
        archive.seed(symbol, &past.days, &past.minutes, &past.seconds);
    }
    let opened_at = source.opened_at();
    archive.advance(opened_at);
    let sequencer =
        Sequencer::new(universe, BarSpans::default(), Epoch::default(), opened_at).resume(&archive);
    let metrics = FeedMetrics::default();
    let feed = SequencedFeed::new(Box::new(source), sequencer, Arc::clone(&archive), metrics);
    (feed, archive, clock, opened_at)
}

impl Replayed {
    fn new(settings: ReplaySettings) -> Self {
        let (mut feed, archive, clock, opened_at) = feed(settings);
        let mut last_values = LastValues::default();
        let mut batches: Vec<_> = feed.open(&mut last_values).into_iter().collect();
        let mut idle = 0;
        while idle < 10 {
            let batch = feed.poll(&mut last_values);
            idle = if batch.is_some() { 0 } else { idle + 1 };
            batches.extend(batch);
            feed.settle();
        }
        // The minute of the last event closes.
        clock.hold(Timestamp::from_nanos(clock.now().nanos() + 2 * MINUTE));
        batches.extend((0..10).filter_map(|_| feed.poll(&mut last_values)));
        Self { batches, archive, opened_at }
    }

    fn symbol(&self, name: &str) -> SymbolId {
        let universe = self.batches.last().expect("there is a batch").universe();
        universe.find(&name.parse::<Symbol>().unwrap()).expect("the symbol is listed")
    }

    fn origin(&self, name: &str) -> BarOrigin {
        self.batches.last().unwrap().universe().instrument(self.symbol(name)).bars
    }

    /// The bars of a channel, each with the watermark of its batch.
    fn published(&self, channel: Channel, name: &str) -> Vec<(Timestamp, Bar)> {
        let symbol = self.symbol(name);
        let of_batch = |batch: &Arc<Batch>| {
            let bar = |body: &Body| match body {
                Body::Bar(bar) | Body::UpdatedBar(bar) | Body::DailyBar(bar) => Some(*bar),
                _ => None,
            };
            let objects = batch.events().iter();
            let bars = objects.filter(|object| object.body.channel() == channel);
            let bars = bars.filter_map(|object| bar(&object.body)).filter(|bar| bar.symbol == symbol);
            bars.map(|bar| (batch.watermark(), bar)).collect::<Vec<_>>()
        };
        self.batches.iter().flat_map(of_batch).collect()
    }

    fn minutes(&self, name: &str) -> Vec<Bar> {
        self.published(Channel::Bars, name).into_iter().map(|(_, bar)| bar).collect()
    }

    fn ticker(&self, name: &str) -> Ticker {
        let symbol = self.symbol(name);
        let tickers = self.batches.iter().flat_map(|batch| batch.tickers());
        let mut ticker = tickers.filter_map(|object| match object.body {
            Body::Ticker(ticker) if ticker.symbol == symbol => Some(ticker),
            _ => None,
        });
        ticker.next_back().expect("there is a ticker")
    }

    /// The closed bars that REST returns.
    fn rest(&self, name: &str, span: Span) -> Vec<Bar> {
        let all = Query {
            from: Timestamp::from_nanos(0),
            to: Timestamp::from_nanos(i64::MAX),
            order: Order::OldestFirst,
            after: None,
            limit: usize::MAX,
        };
        self.archive.bars(self.symbol(name), span.timeframe(), OpenBars::Excluded, &all)
    }
}

fn figures(bar: &Bar) -> (i64, [i64; 4], u64) {
    (bar.start.nanos(), [bar.open, bar.high, bar.low, bar.close].map(Price::nanos), bar.volume)
}

fn all_figures(bars: &[Bar]) -> Vec<(i64, [i64; 4], u64)> {
    bars.iter().map(figures).collect()
}

/// The text of the only file of a zip archive, by a reader of its own.
fn unzipped(name: &str) -> String {
    use std::io::Read;
    let bytes = fs::read(data(name)).unwrap();
    // The local header has the name and an extra field behind 30 bytes; deflate follows.
    let [name, extra] = [26, 28].map(|at| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]])));
    let mut text = String::new();
    flate2::read::DeflateDecoder::new(&bytes[30 + name + extra..]).read_to_string(&mut text).unwrap();
    text
}

/// The rows of the vendor's file of SPY's minutes.
fn spy_minutes() -> Vec<(i64, [i64; 4], u64)> {
    let text = unzipped("lean/minute/spy/20131007_trade.zip");
    let midnight = TradingDay::named("2013-10-07").unwrap().start.nanos();
    let row = |line: &str| {
        let numbers: Vec<i64> = line.split(',').map(|number| number.trim().parse().unwrap()).collect();
        let prices = [1, 2, 3, 4].map(|column| numbers[column] * 100_000);
        (midnight + numbers[0] * 1_000_000, prices, numbers[5] as u64)
    };
    text.lines().map(row).collect()
}

fn spy() -> PathBuf {
    data("lean/minute/spy/20131007_trade.zip")
}

fn ibm_trades() -> PathBuf {
    data("lean/tick/ibm/20131007_trade.zip")
}

fn at(time: &str) -> Timestamp {
    market_time(&format!("2013-10-07T{time}")).unwrap()
}

/// A CSV of bars of a symbol, with these times of 2013-10-07 and volumes.
fn bars_file(folder: &TempFolder, name: &str, symbol: &str, bars: &[(&str, u64)]) -> PathBuf {
    let row = |(time, volume): &(&str, u64)| format!("{},{symbol},10,12,9,11,{volume}\n", at(time).nanos());
    let path = folder.file(name);
    let rows: String = bars.iter().map(row).collect();
    fs::write(&path, format!("time,symbol,open,high,low,close,volume\n{rows}")).unwrap();
    path
}

#[test]
fn minutes_of_a_file_are_published_when_they_are_over_and_are_those_of_the_file() {
    let replayed = Replayed::new(settings(vec![spy()]));

    let published = replayed.published(Channel::Bars, "SPY");
    for (watermark, bar) in &published {
        assert_eq!(watermark.nanos(), bar.start.nanos() + MINUTE + 1_000_000, "the millisecond of its end");
    }
    let minutes: Vec<_> = published.into_iter().map(|(_, bar)| bar).collect();
    assert!(all_figures(&minutes) == spy_minutes());
    assert!(all_figures(&replayed.rest("SPY", Span::Minute)) == spy_minutes());
    assert_eq!(minutes.len(), 828);
}

#[test]
fn the_day_and_the_ticker_of_minutes_are_those_of_the_vendors_day() {
    let replayed = Replayed::new(settings(vec![spy()]));
    let vendor = spy_minutes();

    let days = replayed.published(Channel::DailyBars, "SPY");
    let from_open = vendor.iter().filter(|bar| bar.0 >= at("09:30:00").nanos()).count();
    assert_eq!(days.len(), from_open, "one with each minute, once one has set a price of the day");
    // The row of the vendor's file of days, which has the volume of regular hours alone.
    let row =
        unzipped("lean/daily/spy.zip").lines().find(|row| row.starts_with("20131007")).unwrap().to_owned();
    let row: Vec<i64> = row.split(',').skip(1).map(|number| number.parse().unwrap()).collect();
    let [open, high, low, close] = [0, 1, 2, 3].map(|column| row[column] * 100_000);
    let volume = vendor.iter().map(|bar| bar.2).sum::<u64>();
    assert!(volume > row[4] as u64);
    let day = days.last().unwrap().1;
    let midnight = TradingDay::named("2013-10-07").unwrap().start.nanos();
    assert_eq!(figures(&day), (midnight, [open, high, low, close], volume));
    assert_eq!(all_figures(&replayed.rest("SPY", Span::Day)), [figures(&day)]);
    let ticker = replayed.ticker("SPY");
    let prices = [ticker.open, ticker.high, ticker.low, ticker.price].map(Price::nanos);
    let last = vendor[827].1[3];
    assert_eq!(
        (prices, ticker.volume),
        ([open, high, low, last], volume),
        "the last price is of extended hours"
    );
    let hours = replayed.rest("SPY", Span::Hour);
    assert_eq!(hours.iter().map(|bar| bar.volume).sum::<u64>(), volume);
}

#[test]
fn bars_of_one_instrument_are_folded_and_those_of_another_are_the_files() {
    let alone = Replayed::new(settings(vec![ibm_trades()]));
    let both = Replayed::new(settings(vec![spy(), ibm_trades()]));

    assert_eq!([both.origin("SPY"), both.origin("IBM")], [BarOrigin::Source, BarOrigin::Folded]);
    assert!(alone.minutes("IBM").len() > 390);
    assert!(all_figures(&both.minutes("IBM")) == all_figures(&alone.minutes("IBM")));
    // Minutes before the first trade are history, and those after the last are not replayed.
    let first = alone.opened_at.nanos();
    let last = alone.minutes("IBM").last().unwrap().start.nanos();
    let expected = spy_minutes();
    let expected: Vec<_> =
        expected.into_iter().filter(|bar| bar.0 + MINUTE >= first && bar.0 <= last).collect();
    assert!(expected.len() > 700 && all_figures(&both.minutes("SPY")) == expected);
}

#[test]
fn no_bar_is_folded_of_an_instrument_that_has_bars_wherever_in_the_files_they_begin() {
    let folder = TempFolder::new();
    let told = [("09:29:00", 1), ("12:00:00", 2), ("12:01:00", 3), ("15:59:00", 4)];
    let bars = bars_file(&folder, "bars.csv", "IBM", &told);
    let ndjson = folder.file("bars.ndjson");
    let line = |(time, volume): &(&str, u64)| {
        let start = jiff_time(at(time));
        format!(
            "{{\"T\":\"b\",\"S\":\"IBM\",\"o\":10,\"h\":12,\"l\":9,\"c\":11,\"v\":{volume},\"n\":1,\"vw\":10,\"t\":\"{start}\"}}\n"
        )
    };
    fs::write(&ndjson, told.iter().map(line).collect::<String>()).unwrap();

    let files = [vec![bars.clone(), ibm_trades()], vec![ibm_trades(), bars], vec![ibm_trades(), ndjson]];
    for files in files {
        let from = Some(at("09:30:00"));
        let replayed = Replayed::new(ReplaySettings { from, ..settings(files) });

        let published = replayed.published(Channel::Bars, "IBM");
        let expected = [("12:01:00", 2), ("12:02:00", 3), ("16:00:00", 4)];
        let found: Vec<_> = published.iter().map(|(at, bar)| (*at, bar.volume)).collect();
        let expected =
            expected.map(|(end, volume)| (Timestamp::from_nanos(at(end).nanos() + 1_000_000), volume));
        assert_eq!(found, expected, "what ends at --from is history");
        let seqs = replayed.batches.iter().flat_map(|batch| batch.events());
        let seqs: Vec<_> =
            seqs.filter(|object| object.body.channel() == Channel::Bars).map(|object| object.seq.0).collect();
        assert_eq!(seqs, [1, 2, 3]);
    }
}

/// RFC 3339 in UTC.
fn jiff_time(at: Timestamp) -> String {
    let seconds = at.seconds() - TradingDay::named("2013-10-07").unwrap().start.seconds() + 4 * 3_600;
    format!("2013-10-07T{:02}:{:02}:{:02}Z", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

#[test]
fn bars_of_days_before_do_not_keep_the_trades_of_this_day_from_being_folded() {
    let folder = TempFolder::new();
    let before = folder.file("before.csv");
    let start = market_time("2013-10-04T15:59:00").unwrap().nanos();
    fs::write(&before, format!("time,open,high,low,close,volume,symbol\n{start},1,1,1,1,5,IBM\n")).unwrap();

    let replayed = Replayed::new(settings(vec![before, ibm_trades()]));

    assert_eq!(replayed.origin("IBM"), BarOrigin::Folded);
    assert!(replayed.minutes("IBM").len() > 390);
    assert_eq!(replayed.rest("IBM", Span::Minute)[0].volume, 5, "they are its history");
}

#[test]
fn from_and_until_cut_bars_by_the_minute_that_they_tell_of() {
    let (from, until) = (Some(at("09:30:00")), Some(at("16:00:00")));
    let replayed = Replayed::new(ReplaySettings { from, until, ..settings(vec![spy()]) });

    let minutes = replayed.minutes("SPY");
    assert_eq!(minutes.len(), 390, "the regular session");
    assert_eq!((minutes[0].start, minutes[389].start), (at("09:30:00"), at("15:59:00")));
    assert!(replayed.rest("SPY", Span::Minute).len() > 390, "those before are history");
}

#[test]
fn seconds_of_a_file_are_published_as_minutes_unless_it_has_these_too() {
    let folder = TempFolder::new();
    let seconds = [("10:00:00", 1), ("10:00:59", 2), ("10:02:30", 4), ("10:02:31", 8)];
    let seconds = bars_file(&folder, "seconds.csv", "X", &seconds);
    let csv_map: ColumnMap = "bar=1s".parse().unwrap();

    let replayed = Replayed::new(ReplaySettings { csv_map, ..settings(vec![seconds]) });
    let minutes: Vec<_> = replayed.minutes("X").iter().map(|bar| (bar.start, bar.volume)).collect();
    assert_eq!(minutes, [(at("10:00:00"), 3), (at("10:02:00"), 12)]);
    let published = replayed.published(Channel::Bars, "X");
    assert!(published.iter().all(|(watermark, bar)| watermark.nanos_since(bar.start) == MINUTE + 1_000_000));

    let schema = |schema: &str| data(&format!("databento/XNAS.ITCH.test_data.{schema}.dbn.zst"));
    let given = Replayed::new(settings(vec![schema("ohlcv-1m")]));
    for files in [vec!["ohlcv-1s", "ohlcv-1m"], vec!["ohlcv-1m", "ohlcv-1s"]] {
        let replayed = Replayed::new(settings(files.into_iter().map(schema).collect()));
        let figures = all_figures(&replayed.minutes("NVDA"));
        assert!(!figures.is_empty());
        // Seconds set the pace, so that minutes after the last of them are not replayed.
        assert_eq!(figures[..], all_figures(&given.minutes("NVDA"))[..figures.len()]);
    }
}

#[test]
fn files_of_days_alone_publish_each_when_it_is_over() {
    let (from, until) = (market_time("2013-09-30"), market_time("2013-10-12"));
    let replayed =
        Replayed::new(ReplaySettings { from, until, ..settings(vec![data("lean/daily/spy.zip")]) });

    let days = replayed.published(Channel::DailyBars, "SPY");
    let dates = ["30", "01", "02", "03", "04", "07", "08", "09", "10", "11"];
    assert_eq!(days.len(), dates.len());
    for ((watermark, bar), date) in days.iter().zip(dates) {
        let month = if date == "30" { "09" } else { "10" };
        let day = TradingDay::named(&format!("2013-{month}-{date}")).unwrap();
        assert_eq!((bar.start, watermark.nanos()), (day.start, day.end.nanos() + 1_000_000));
    }
    assert!(replayed.minutes("SPY").is_empty());
    assert_eq!(replayed.rest("SPY", Span::Day).last().map(figures), days.last().map(|(_, bar)| figures(bar)));
    assert_eq!(replayed.ticker("SPY").previous_close, days[9].1.close);
}

#[test]
fn hours_alone_are_published_as_the_day_so_far() {
    let folder = TempFolder::new();
    let hours = [("09:00:00", 1), ("10:00:00", 2), ("11:00:00", 4), ("12:00:00", 8)];
    let file = bars_file(&folder, "hours.csv", "X", &hours);
    let csv_map: ColumnMap = "bar=1h".parse().unwrap();
    for (from, expected) in [(None, &[1, 3, 7, 15][..]), (Some(at("10:30:00")), &[3, 7, 15])] {
        let csv_map = csv_map.clone();
        let replayed = Replayed::new(ReplaySettings { from, csv_map, ..settings(vec![file.clone()]) });

        let days = replayed.published(Channel::DailyBars, "X");
        let volumes: Vec<_> = days.iter().map(|(_, bar)| bar.volume).collect();
        assert_eq!(volumes, expected);
        assert_eq!(days.last().unwrap().0.nanos(), at("13:00:00").nanos() + 1_000_000);
        assert!(replayed.minutes("X").is_empty());
        assert_eq!(replayed.rest("X", Span::Day).last().unwrap().volume, 15);
        assert_eq!(replayed.ticker("X").volume, 15);
    }
}

#[test]
fn the_day_of_an_instrument_with_trades_is_folded_from_them() {
    let folder = TempFolder::new();
    let day = folder.file("ibm.csv");
    fs::write(&day, "date,open,high,low,close,volume,symbol\n2013-10-07,1,1,1,1,5,IBM\n").unwrap();

    let replayed = Replayed::new(settings(vec![day, ibm_trades()]));

    let days = replayed.published(Channel::DailyBars, "IBM");
    assert!(days.len() > 390 && days.iter().all(|(_, bar)| bar.volume != 5));
}

#[test]
fn captured_bars_of_a_client_are_published_in_their_places() {
    let folder = TempFolder::new();
    let path = folder.file("captured.ndjson");
    let object = |letter: char, time: &str, volume: u64| {
        format!(
            "{{\"T\":\"{letter}\",\"S\":\"AAPL\",\"o\":10,\"h\":12,\"l\":9,\"c\":11,\"v\":{volume},\"n\":1,\"vw\":10,\"t\":\"2021-02-22T{time}Z\"}}"
        )
    };
    let trade = |time: &str, size: u64| {
        format!(
            "{{\"T\":\"t\",\"S\":\"AAPL\",\"i\":1,\"x\":\"V\",\"p\":10.5,\"s\":{size},\"c\":[\"@\"],\"z\":\"C\",\"t\":\"2021-02-22T{time}Z\"}}"
        )
    };
    let lines = [
        trade("15:30:05", 100),
        trade("15:31:00.100", 7),
        format!("[{},{}]", object('b', "15:30:00", 100), object('d', "05:00:00", 5_000)),
        object('u', "15:30:00", 120),
        trade("15:32:00.200", 1),
        format!("[{},{}]", object('b', "15:31:00", 7), object('d', "05:00:00", 5_027)),
    ];
    fs::write(&path, lines.join("\n")).unwrap();

    let replayed = Replayed::new(settings(vec![path]));

    let order = replayed.batches.iter().flat_map(|batch| batch.events());
    let order: String = order.map(|object| object.body.channel().letter()).collect();
    assert_eq!(order, "ttbdutbd");
    let volumes = |channel| -> Vec<u64> {
        replayed.published(channel, "AAPL").iter().map(|(_, bar)| bar.volume).collect()
    };
    assert_eq!(volumes(Channel::Bars), [100, 7]);
    assert_eq!(volumes(Channel::UpdatedBars), [120]);
    assert_eq!(volumes(Channel::DailyBars), [5_000, 5_027]);
    assert_eq!(replayed.ticker("AAPL").volume, 5_028, "with the trade of the minute that is not told yet");
    let minutes: Vec<_> = replayed.rest("AAPL", Span::Minute).iter().map(|bar| bar.volume).collect();
    assert_eq!(minutes, [120, 7]);
}

#[test]
fn bars_are_moved_with_the_recording() {
    let from = Some(at("09:30:00"));
    let clock = ReplayClock::Shift;
    let days = data("lean/daily/spy.zip");
    for files in [vec![spy()], vec![spy(), days]] {
        let moved = Replayed::new(ReplaySettings { from, clock, ..settings(files.clone()) });
        let unmoved = Replayed::new(ReplaySettings { from, ..settings(files) });

        let shift = moved.opened_at.nanos_since(unmoved.opened_at);
        assert_eq!(shift % MINUTE, 0);
        let [moved, unmoved] = [moved, unmoved].map(|replayed| replayed.minutes("SPY"));
        let back: Vec<_> = moved
            .iter()
            .map(|bar| Bar { start: Timestamp::from_nanos(bar.start.nanos() - shift), ..*bar })
            .collect();
        assert!(back == unmoved);
    }
}

#[test]
fn minutes_are_published_again_in_each_pass_of_a_loop() {
    let folder = TempFolder::new();
    let bars = [("10:00:00", 1), ("10:01:00", 2), ("10:02:00", 4)];
    let file = bars_file(&folder, "bars.csv", "X", &bars);
    for (from, expected) in [(None, [1, 2, 4, 1, 2, 4]), (Some(at("10:01:00")), [2, 4, 2, 4, 2, 4])] {
        for clock in [ReplayClock::Original, ReplayClock::Shift] {
            let settings = ReplaySettings { from, clock, repeats: true, ..settings(vec![file.clone()]) };
            let (mut feed, ..) = feed(settings);
            let mut last_values = LastValues::default();
            let mut batches: Vec<_> = feed.open(&mut last_values).into_iter().collect();
            let mut volumes = Vec::new();
            while volumes.len() < expected.len() {
                batches.extend(feed.poll(&mut last_values));
                feed.settle();
                for batch in batches.drain(..) {
                    volumes.extend(batch.events().iter().filter_map(|object| match object.body {
                        Body::Bar(bar) => Some((object.seq.0, bar.volume)),
                        _ => None,
                    }));
                }
            }
            let expected = (1..).zip(expected).collect::<Vec<_>>();
            assert_eq!(volumes[..expected.len()], expected, "{clock:?}");
        }
    }
}

/// The vendor's file has a row for each day on which SPY traded.
#[test]
fn the_sessions_of_the_exchange_are_the_days_of_spy() {
    let text = unzipped("lean/daily/spy.zip");
    let date = |row: &str| format!("{}-{}-{}", &row[..4], &row[4..6], &row[6..8]);
    let days: Vec<_> = text.lines().map(|row| TradingDay::named(&date(row)).unwrap()).collect();
    let mut expected = days.iter().copied();
    let mut day = days[0];

    while day.start <= days[days.len() - 1].start {
        if ExchangeSession::of(day.start).is_some() {
            assert_eq!(expected.next(), Some(day));
        }
        day = TradingDay::of(day.end);
    }
    assert_eq!(expected.next(), None);
    assert_eq!(days.len(), 5_849);
}

/// A recording that cannot be distributed here: see `tests/data/README.md`.
fn by_hand(name: &str) -> PathBuf {
    let folder = std::env::var_os("TAPECAST_RECORDINGS").expect("TAPECAST_RECORDINGS names a folder");
    Path::new(&folder).join(name)
}

#[test]
#[ignore = "needs the files of nautilus_trader in TAPECAST_RECORDINGS/nautilus"]
fn the_minutes_folded_from_the_trades_of_es_are_those_of_the_vendor() {
    let trades = by_hand("nautilus/futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst");
    let bars = by_hand("nautilus/futures_ohlcv-1m_2024-07-01T23-40_2024-07-02T00-10.dbn.zst");
    let vendor = Replayed::new(settings(vec![bars]));
    let folded = Replayed::new(settings(vec![trades]));

    let folded = folded.minutes("ESU4");
    assert_eq!(folded.iter().map(|bar| bar.volume).collect::<Vec<_>>(), [18, 23, 175, 37]);
    let vendor = vendor.minutes("ESU4");
    let vendor = vendor.iter().filter(|bar| folded.iter().any(|folded| folded.start == bar.start));
    assert_eq!(vendor.map(figures).collect::<Vec<_>>(), all_figures(&folded));
}

#[test]
#[ignore = "needs Lean's ticks of SPY in TAPECAST_RECORDINGS/lean/equity/usa; its time is of interest"]
fn a_day_of_ticks_is_opened_with_a_year_of_days() {
    let ticks = by_hand("lean/equity/usa/tick/spy/20131007_trade.zip");
    let rate = ReplaySpeed::Times(ClockRate::ONE);
    let began = std::time::Instant::now();
    let files = vec![ticks.clone(), data("lean/daily/spy.zip")];
    let recording =
        Recording::open(ReplaySettings { speed: rate, ..settings(files.clone()) }, ReplayMetrics::default());
    println!("opened in {:?}", began.elapsed());
    assert!(recording.is_ok());
    let began = std::time::Instant::now();
    let replayed = Replayed::new(settings(files));
    println!("replayed in {:?}", began.elapsed());
    assert!(replayed.rest("SPY", Span::Day).len() > 252);
}
