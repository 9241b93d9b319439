//! Replays of recordings: the batches that are published, and what clients get of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use tapecast::archive::{Archive, OpenBars, Order, Query, Retention, Span};
use tapecast::clock::{Clock, ClockRate};
use tapecast::feed::{BarSpans, Batch, BatchSource, LastValues, SequencedFeed, Sequencer};
use tapecast::metrics::{ClockMetrics, FeedMetrics, ReplayMetrics};
use tapecast::model::{Body, Epoch, Event, Price, Quote, SECOND, SymbolId, Timestamp, Trade, market_time};
use tapecast::source::{EventSource, Recording, ReplayClock, ReplaySettings, ReplaySource, ReplaySpeed};
use tapecast::wire::Codec;
use test_support::{Client, Server, TempFolder, get, get_json, metric, wait_for};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn settings(files: Vec<PathBuf>) -> ReplaySettings {
    ReplaySettings::reproducible(files)
}

fn source(settings: ReplaySettings) -> ReplaySource {
    let metrics = ReplayMetrics::default();
    let recording = Recording::open(settings, metrics.clone()).unwrap();
    let mut epochs = 10..;
    let epochs = Box::new(move || Epoch::new(epochs.next().unwrap()));
    ReplaySource::new(recording, Clock::system(ClockMetrics::default()), metrics, epochs)
}

/// All events of a recording.
fn events(files: Vec<PathBuf>) -> Vec<Event> {
    let mut source = source(settings(files));
    let mut all = Vec::new();
    source.open(&mut all);
    // The last poll finds the end.
    while source.poll(&mut all).is_some() {}
    all
}

fn trades(events: &[Event]) -> Vec<Trade> {
    let trade = |event: &Event| match event {
        Event::Trade(trade) => Some(*trade),
        _ => None,
    };
    events.iter().filter_map(trade).collect()
}

fn quotes(events: &[Event]) -> Vec<Quote> {
    let quote = |event: &Event| match event {
        Event::Quote(quote) => Some(*quote),
        _ => None,
    };
    events.iter().filter_map(quote).collect()
}

/// A feed of a recording, as the service makes it.
struct Replayed {
    feed: SequencedFeed,
    last_values: LastValues,
    archive: Arc<Archive>,
}

impl Replayed {
    fn new(settings: ReplaySettings) -> Self {
        let source = source(settings);
        let universe = Arc::clone(source.universe());
        let archive = Arc::new(Archive::new(universe.len(), Retention::default()));
        let from = source.opened_at();
        let sequencer = Sequencer::new(universe, BarSpans::default(), Epoch::default(), from);
        let feed =
            SequencedFeed::new(Box::new(source), sequencer, Arc::clone(&archive), FeedMetrics::default());
        Self { feed, last_values: LastValues::default(), archive }
    }

    /// All batches of events, until there are none for many polls.
    fn batches(&mut self) -> Vec<Arc<Batch>> {
        let mut batches: Vec<_> = self.feed.open(&mut self.last_values).into_iter().collect();
        let mut idle = 0;
        while idle < 10 {
            match self.feed.poll(&mut self.last_values) {
                Some(batch) => {
                    idle = 0;
                    batches.push(batch);
                }
                None => idle += 1,
            }
            self.feed.settle();
        }
        batches
    }
}

/// The borders of the batches, and the bytes of all objects in both codecs.
fn encoded(batches: &[Arc<Batch>]) -> Vec<Vec<u8>> {
    let bytes = |batch: &Arc<Batch>| {
        let mut bytes = Vec::new();
        for codec in [Codec::Json, Codec::MsgPack] {
            (0..batch.len()).for_each(|object| bytes.extend(batch.encoded(codec, object)));
        }
        bytes.extend(batch.watermark().nanos().to_le_bytes());
        bytes
    };
    batches.iter().map(bytes).collect()
}

fn ibm() -> Vec<PathBuf> {
    ["trade", "quote"].map(|kind| data(&format!("lean/tick/ibm/20131007_{kind}.zip"))).to_vec()
}

#[test]
fn two_replays_at_the_speed_max_publish_equal_bytes() {
    let [first, second] = [(); 2].map(|()| Replayed::new(settings(ibm())).batches());

    let objects: usize = first.iter().map(|batch| batch.events().len()).sum();
    assert!(objects > 24_293 + 109_066, "{objects}");
    assert!(encoded(&first) == encoded(&second));
}

#[test]
fn the_best_bid_and_offer_that_is_published_has_the_known_changes() {
    let batches = Replayed::new(settings(ibm())).batches();

    let [open, close] = ["09:30", "16:00"].map(|time| market_time(&format!("2013-10-07T{time}")).unwrap());
    let quotes = batches.iter().flat_map(|batch| batch.events()).filter_map(|object| match object.body {
        Body::Quote(quote) if (open..close).contains(&quote.at) => Some((object.seq, quote)),
        _ => None,
    });
    let (mut changes, mut crossed, mut locked, mut last) = (0, 0, 0, None);
    for (_, quote) in quotes.clone() {
        changes += usize::from(last != Some((quote.bid, quote.ask)));
        last = Some((quote.bid, quote.ask));
        crossed += usize::from(quote.is_crossed());
        locked += usize::from(quote.is_locked());
    }
    assert_eq!((changes, crossed, locked), (21_262, 86, 648));
    let seqs: Vec<_> = quotes.map(|(seq, _)| seq.0).collect();
    assert!(seqs.windows(2).all(|two| two[0] + 1 == two[1]));
}

#[test]
fn a_batch_holds_the_events_of_one_millisecond() {
    let batches = Replayed::new(settings(ibm())).batches();

    for batch in &batches {
        let start = batch.watermark().nanos() - 1_000_000;
        let of_events = batch.events().iter().filter_map(|object| match object.body {
            Body::Trade(trade) => Some(trade.at),
            Body::Quote(quote) => Some(quote.at),
            _ => None,
        });
        assert!(of_events.into_iter().all(|at| at.nanos() == start), "times of Lean are whole milliseconds");
    }
}

#[test]
fn numbers_go_on_when_a_replay_begins_again() {
    let [from, until] = ["09:30", "09:31"].map(|time| market_time(&format!("2013-10-07T{time}")));
    for clock in [ReplayClock::Original, ReplayClock::Shift] {
        let mut replayed =
            Replayed::new(ReplaySettings { from, until, repeats: true, clock, ..settings(ibm()) });
        let mut seqs: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        let mut published: BTreeMap<(i64, u64), usize> = BTreeMap::new();
        let mut batches: Vec<_> = replayed.feed.open(&mut replayed.last_values).into_iter().collect();
        // The second pass is complete when the third has begun.
        while published.values().max() < Some(&3) {
            batches.extend(replayed.feed.poll(&mut replayed.last_values));
            replayed.feed.settle();
            for object in batches.drain(..).flat_map(|batch| batch.objects().copied().collect::<Vec<_>>()) {
                seqs.entry(object.stream().index()).or_default().push(object.seq.0);
                if let Body::Trade(trade) = object.body {
                    *published.entry((trade.at.nanos() % (60 * SECOND), trade.id)).or_default() += 1;
                }
            }
        }
        assert!(published.len() > 50, "{clock:?}: {}", published.len());
        assert!(published.values().all(|passes| *passes >= 2), "{clock:?}");
        let is_whole = |seqs: &Vec<u64>| seqs.iter().zip(1..).all(|(seq, expected)| *seq == expected);
        assert!(seqs.values().all(is_whole), "{clock:?}");
    }
}

/// A service that replays, and its clients.
fn serve(settings: ReplaySettings) -> Server {
    Server::start(|config| config.replay = Some(settings))
}

/// Whether each object of one stream follows the one before it, with those that were merged into it.
fn is_complete(objects: &[Value]) -> bool {
    let follows = |two: &[Value]| {
        let merged = two[1]["cf"].as_u64().unwrap_or_default();
        two[1]["sq"].as_u64().unwrap() - two[0]["sq"].as_u64().unwrap() == merged + 1
    };
    objects.windows(2).all(follows)
}

#[test]
fn a_client_is_told_the_epochs_of_a_replay_that_begins_again_and_its_numbers_go_on() {
    let [from, until] = ["09:30:00", "09:30:05"].map(|time| market_time(&format!("2013-10-07T{time}")));
    let speed = ReplaySpeed::Times(ClockRate::new(20.0).unwrap());
    let server = serve(ReplaySettings { from, until, repeats: true, speed, ..settings(ibm()) });
    let mut told = Client::session(server.address);
    let mut plain = Client::session(server.address);
    let acknowledged =
        told.command(r#"{"action":"subscribe","quotes":["IBM"],"x":{"id":1}}"#)["x"]["epoch"].clone();
    plain.command(r#"{"action":"subscribe","quotes":["IBM"]}"#);

    let (mut received, mut epochs) = (Vec::new(), vec![acknowledged.clone()]);
    wait_for("three epochs", || {
        for object in told.next_objects() {
            if object["T"] == "epoch" {
                assert_eq!(object["was"], *epochs.last().unwrap());
                epochs.push(object["epoch"].clone());
            } else {
                received.push(object);
            }
        }
        (epochs.len() == 4).then_some(())
    });
    assert!(epochs[1..].iter().all(|epoch| *epoch != acknowledged), "{epochs:?}");
    let merged: u64 = received.iter().filter_map(|quote| quote["cf"].as_u64()).sum();
    let quotes = received.len() + merged as usize;
    // Two whole passes, and what was left of the first when the client came.
    assert!(quotes >= 2 * 36 && is_complete(&received), "{quotes} quotes");

    // A command is answered in the present epoch, and numbers of an earlier one are no place to resume.
    let resume = format!(
        r#"{{"action":"subscribe","trades":["IBM"],"x":{{"resume":{{"epoch":{acknowledged},"sq":{{"trades":{{"IBM":1}}}}}}}}}}"#
    );
    assert_ne!(told.command(&resume)["x"]["epoch"], acknowledged);
    let gap = wait_for("a gap", || told.next_objects().into_iter().find(|object| object["T"] == "gap"));
    assert_eq!((&gap["ch"], &gap["from"]), (&"trades".into(), &1.into()));

    let mut unasked = Vec::new();
    while unasked.len() < received.len() {
        unasked.extend(plain.next_objects());
    }
    assert!(unasked.iter().all(|object| object["T"] == "q" || object["T"] == "subscription"));
    assert!(is_complete(&unasked));
}

#[test]
fn a_client_is_told_that_a_replay_has_ended_and_the_service_stays_ready() {
    let [from, until] = ["09:30:00", "09:30:03"].map(|time| market_time(&format!("2013-10-07T{time}")));
    let speed = ReplaySpeed::Times(ClockRate::ONE);
    let server = serve(ReplaySettings { from, until, speed, ..settings(ibm()) });
    let mut client = Client::session(server.address);
    client.command(r#"{"action":"subscribe","quotes":["IBM"],"x":{"id":1}}"#);

    let notice =
        wait_for("the end", || client.next_objects().into_iter().find(|object| object["T"] == "feed"));

    assert_eq!((&notice["state"], &notice["source"]), (&"ended".into(), &"replay".into()));
    assert_eq!(get(server.address, "/readyz").0, 200);
}

#[test]
fn clients_get_a_replay_that_is_moved_to_now() {
    let from = market_time("2013-10-07T09:30").unwrap();
    let server = serve(ReplaySettings {
        speed: ReplaySpeed::Times(ClockRate::ONE),
        clock: ReplayClock::Shift,
        from: Some(from),
        ..settings(ibm())
    });
    let mut client = Client::session(server.address);
    client.command(r#"{"action":"auth","key":"k","secret":"s"}"#);
    client.command(r#"{"action":"subscribe","trades":["IBM"],"quotes":["IBM"]}"#);

    let quote = wait_for("a quote", || client.next_objects().into_iter().find(|object| object["T"] == "q"));

    let now = Timestamp::from(std::time::SystemTime::now());
    let stamp = market_time(quote["t"].as_str().unwrap()).unwrap();
    let age = now.nanos_since(stamp);
    assert!((0..60 * SECOND).contains(&age), "{quote} is {age} ns old");
    assert!(quote["bp"].as_f64().unwrap() > 150.0, "{quote}");

    let latest = get_json(server.address, "/v2/stocks/IBM/quotes/latest");
    assert_eq!(latest["symbol"], "IBM");
    assert!(latest["quote"]["bp"].as_f64().unwrap() > 150.0, "{latest}");
    assert!(metric(server.address, "tapecast_replay_events_total") > 0.0);
    assert_eq!(metric(server.address, "tapecast_replay_ended "), 0.0);
}

#[test]
fn clients_get_a_replay_in_its_own_time() {
    let server = serve(ReplaySettings { clock: ReplayClock::Original, ..settings(ibm()) });
    wait_for("the end", || (metric(server.address, "tapecast_replay_ended ") == 1.0).then_some(()));

    let path =
        "/v2/stocks/IBM/bars?timeframe=1Min&start=2013-10-07T13:30:00Z&end=2013-10-07T19:59:59Z&limit=1000";
    let bars = get_json(server.address, path);

    let bars = bars["bars"].as_array().unwrap();
    assert_eq!(bars.len(), 390, "a bar of each minute of the regular session");
    assert_eq!(bars[0]["t"], "2013-10-07T13:30:00Z");
    let clock = get_json(server.address, "/v2/clock");
    assert!(
        clock["timestamp"].as_str().unwrap().starts_with("2013-10-08T00:00:"),
        "the end of the day in New York: {clock}"
    );
}

#[test]
fn the_program_refuses_what_it_cannot_replay() {
    for (name, reason) in [
        ("databento/XNAS.ITCH.test_data.mbo.dbn.zst", "needs an order book"),
        ("README.md", "neither DBN, CSV nor lines of JSON"),
        ("absent.dbn", "No such file"),
    ] {
        let file = data(name);
        let mut program = Command::new(env!("CARGO_BIN_EXE_tapecast"));
        let out = program.args(["--listen", "127.0.0.1:0", "--replay"]).arg(&file).output().unwrap();
        let log = String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout);
        assert_eq!(out.status.code(), Some(1), "{log}");
        assert!(log.contains(reason) && log.contains(file.to_str().unwrap()), "{log}");
    }
}

/// A recording that cannot be distributed here: see `tests/data/README.md`.
fn by_hand(name: &str) -> PathBuf {
    let folder = std::env::var_os("TAPECAST_RECORDINGS").expect("TAPECAST_RECORDINGS names a folder");
    Path::new(&folder).join(name)
}

fn minutes(archive: &Archive, symbol: SymbolId) -> Vec<(i64, u64, [i64; 4])> {
    let all = Query {
        from: Timestamp::from_nanos(0),
        to: Timestamp::from_nanos(i64::MAX),
        order: Order::OldestFirst,
        after: None,
        limit: usize::MAX,
    };
    let bars = archive.bars(symbol, Span::Minute.timeframe(), OpenBars::Included, &all);
    let row = |bar: &tapecast::model::Bar| {
        (bar.start.nanos(), bar.volume, [bar.open, bar.high, bar.low, bar.close].map(Price::nanos))
    };
    bars.iter().map(row).collect()
}

#[test]
#[ignore = "needs the files of nautilus_trader in TAPECAST_RECORDINGS/nautilus"]
fn the_trades_and_quotes_of_es_are_those_of_the_files() {
    let trades_file = by_hand("nautilus/futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst");
    let quotes_file = by_hand("nautilus/futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst");

    let from_trades = trades(&events(vec![trades_file.clone()]));
    let both = events(vec![quotes_file.clone()]);

    assert_eq!(from_trades.len(), 120);
    assert_eq!(trades(&both), from_trades, "the trades of the quotes file are the same");
    let quotes = quotes(&both);
    assert_eq!(quotes.len(), 2_168);
    assert!(quotes.iter().all(|quote| !quote.is_crossed()));
    assert_eq!(trades(&events(vec![quotes_file, trades_file.clone()])).len(), 120, "once");

    let mut replayed = Replayed::new(settings(vec![trades_file]));
    replayed.batches();
    let minutes = minutes(&replayed.archive, SymbolId(0));
    assert_eq!(minutes.iter().map(|(_, volume, _)| *volume).collect::<Vec<_>>(), [18, 23, 175, 37]);
}

#[test]
#[ignore = "needs Lean's ticks of SPY in TAPECAST_RECORDINGS/lean/equity/usa"]
fn the_minutes_of_spys_trades_have_the_volumes_of_the_vendors_minutes() {
    let ticks = by_hand("lean/equity/usa/tick/spy/20131007_trade.zip");
    let mut replayed = Replayed::new(settings(vec![ticks.clone()]));
    let batches = replayed.batches();

    let published = batches.iter().flat_map(|batch| batch.events());
    let published = published.filter(|object| matches!(object.body, Body::Trade(_))).count();
    assert_eq!(published, 250_601);
    let folded = minutes(&replayed.archive, SymbolId(0));

    // The vendor's minutes are the past of a replay that starts a day later.
    let folder = TempFolder::new();
    let later = folder.file("later.csv");
    std::fs::write(&later, "time,symbol,price,size\n2013-10-08T13:30:00Z,X,1,1\n").unwrap();
    let mut vendor = source(settings(vec![data("lean/minute/spy/20131007_trade.zip"), later]));
    let (_, vendor) = vendor.take_past().find(|(_, past)| !past.minutes.is_empty()).unwrap();
    let pairs = || folded.iter().zip(&vendor.minutes);
    let same_volume = pairs().filter(|((_, volume, _), bar)| *volume == bar.volume).count();
    let same_prices = pairs().filter(|((_, _, prices), bar)| {
        *prices == [bar.open, bar.high, bar.low, bar.close].map(Price::nanos)
    });
    println!("{same_volume} volumes and {} prices of 828 minutes are equal", same_prices.count());
    assert!(pairs().all(|((start, ..), bar)| *start == bar.start.nanos()));
    assert!(same_volume >= 825, "{same_volume}");
    assert_eq!(folded.len(), 828);
}

#[test]
fn trades_of_before_1970_make_bars_of_minutes_and_days() {
    let folder = TempFolder::new();
    for day in ["1960-01-04", "1969-12-30", "1900-06-01"] {
        let path = folder.file("old.csv");
        let rows: String =
            (30..33).map(|minute| format!("{day}T15:{minute}:07Z,XOM,40.25,{minute}\n")).collect();
        std::fs::write(&path, format!("time,symbol,price,size\n{rows}")).unwrap();
        let mut replayed = Replayed::new(settings(vec![path]));
        replayed.batches();

        let start = market_time(&format!("{day}T15:30:00Z")).unwrap();
        let bars = |span: Span| {
            let all = Query {
                from: Timestamp::from_nanos(i64::MIN),
                to: Timestamp::from_nanos(i64::MAX),
                order: Order::OldestFirst,
                after: None,
                limit: usize::MAX,
            };
            let bars =
                replayed.archive.bars(SymbolId(0), span.timeframe(), OpenBars::Included, &all).into_iter();
            bars.map(|bar| (bar.start.nanos_since(start) / SECOND, bar.volume)).collect::<Vec<_>>()
        };
        assert_eq!(bars(Span::Minute), [(0, 30), (60, 31), (120, 32)], "{day}");
        assert_eq!(bars(Span::Day).iter().map(|(_, volume)| *volume).collect::<Vec<_>>(), [93], "{day}");
    }
}
