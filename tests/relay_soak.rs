//! Soak test of relays: an upstream that is cut, stopped and restarted at random, with every trade accounted for.
//!
//! `make test` makes 40 faults. `TAPECAST_RELAY_SOAK=500x3000 cargo test --release --test relay_soak` makes 500 for each
//! kind of upstream, and its stops last 3,000 ms.
#![cfg(feature = "relay")]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]
#![allow(clippy::print_stdout, reason = "the figures of a run")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tapecast::relay::{DelayRange, ReconnectDelays, UpstreamNumbers, UpstreamSettings};
use test_support::{
    Client, Program, Proxy, SequenceLedger, Server, TempFolder, get, metric, upstream, wait_until,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tapecast");
const MARKET: [&str; 4] = ["--symbols", "10", "--rate", "500"];

/// What can happen to an upstream.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Its connections are cut.
    Cut,
    /// Its process is stopped for a moment.
    Stop,
    /// It is killed and begins anew.
    Restart,
}

/// How an upstream begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    /// With its journal: its epoch goes on.
    Journal,
    /// Without one: it begins another epoch, and its REST has forgotten what was.
    None,
}

/// How many faults, and how long stops last.
fn size() -> (usize, Duration) {
    let size = std::env::var("TAPECAST_RELAY_SOAK").unwrap_or_else(|_| "40x300".to_owned());
    let (faults, stop) = size.split_once('x').expect("faults x milliseconds of a stop, as in 500x3000");
    (faults.parse().unwrap(), Duration::from_millis(stop.parse().unwrap()))
}

/// A trade, by symbol, time and id.
type TradeKey = (String, String, u64);

/// Where a trade is in its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    epoch: String,
    seq: u64,
    /// Whether it was reported late: its time is before those of trades before it, so that neither a time that is told
    /// nor a search from the last trade on includes it. Numbers include it.
    is_late: bool,
}

/// What a session received of trades, and what it was told.
#[derive(Debug, Default)]
struct Tape {
    /// The trades.
    trades: BTreeMap<TradeKey, Place>,
    /// The numbers of trades that were told as missing, by epoch and symbol.
    gaps: Vec<(String, String, u64, u64)>,
    /// The times that were told as not filled.
    holes: Vec<(String, String)>,
    /// How many `back` notices said that all was filled.
    filled: usize,
    epoch: String,
}

impl Tape {
    fn record(&mut self, objects: &[Value]) {
        for object in objects {
            let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
            match text("T").as_str() {
                "subscription" => self.epoch = object["x"]["epoch"].as_str().unwrap().to_owned(),
                "epoch" => self.epoch = text("epoch"),
                "gap" if object["ch"] == "trades" => {
                    let [from, to] = ["from", "to"].map(|key| object[key].as_u64().unwrap());
                    self.gaps.push((self.epoch.clone(), text("S"), from, to));
                }
                "feed" if object["state"] == "back" => match object["filled"] == false {
                    true => self.holes.push((text("from"), text("to"))),
                    false => self.filled += 1,
                },
                "t" if object["sn"] != true => {
                    let key = (text("S"), text("t"), object["i"].as_u64().unwrap());
                    let is_late = object["c"].as_array().unwrap().iter().any(|condition| condition == "Z");
                    let seq = object["sq"].as_u64().unwrap();
                    let place = Place { epoch: self.epoch.clone(), seq, is_late };
                    assert_eq!(self.trades.insert(key, place), None, "each trade comes once: {object}");
                }
                _ => {}
            }
        }
    }

    /// Prints what there is around a trade that is not accounted for.
    fn print_around(&self, (symbol, at, _): &TradeKey, place: &Place) {
        let numbers = |of_epoch: &str| {
            let of_stream =
                self.trades.iter().filter(|(key, place)| key.0 == *symbol && place.epoch == of_epoch);
            of_stream.map(|(key, place)| (place.seq, key.1.clone())).collect::<Vec<_>>()
        };
        let gaps: Vec<_> =
            self.gaps.iter().filter(|gap| (&gap.0, &gap.1) == (&place.epoch, symbol)).collect();
        let holes: Vec<_> = self.holes.iter().filter(|(_, to)| to[..17] == at[..17]).collect();
        println!(
            "received of {symbol} in {}: {:?}\ngaps: {gaps:?}\nholes of that minute: {holes:?}",
            place.epoch,
            numbers(&place.epoch)
        );
    }

    /// The trades of another tape that are neither in this one nor told as missing, within the time of this one.
    fn unaccounted<'a>(&self, published: &'a Tape) -> Vec<(&'a TradeKey, &'a Place)> {
        let in_order = || self.trades.iter().filter(|(_, place)| !place.is_late).map(|(key, _)| key);
        let bounds = |symbol: &str| {
            let of_symbol = || in_order().filter(|key| key.0 == symbol).map(|key| &key.1);
            Some((of_symbol().next()?.clone(), of_symbol().next_back()?.clone()))
        };
        let symbols: std::collections::BTreeSet<_> = in_order().map(|key| key.0.clone()).collect();
        let bounds: BTreeMap<_, _> =
            symbols.into_iter().filter_map(|symbol| Some((symbol.clone(), bounds(&symbol)?))).collect();
        let is_within = |(symbol, at, _): &TradeKey| {
            bounds.get(symbol).is_some_and(|(first, last)| (first..=last).contains(&at))
        };
        let is_told = |(symbol, at, _): &TradeKey, place: &Place| {
            let is_in = |gap: &(String, String, u64, u64)| {
                (&gap.0, &gap.1) == (&place.epoch, symbol) && (gap.2..=gap.3).contains(&place.seq)
            };
            self.gaps.iter().any(is_in) || self.holes.iter().any(|(from, to)| (from..=to).contains(&at))
        };
        let published = published.trades.iter().filter(|(key, place)| !place.is_late && is_within(key));
        published.filter(|(key, place)| !self.trades.contains_key(*key) && !is_told(key, place)).collect()
    }
}

/// A session that reads until it is told to end, or its server ends.
struct Reader {
    tape: Arc<Mutex<Tape>>,
    count: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<SequenceLedger>,
}

impl Reader {
    /// Subscribes at this address, and adds to the tape.
    fn start(address: SocketAddr, tape: &Arc<Mutex<Tape>>, channels: &[&str]) -> Self {
        let mut client = Client::session(address);
        let mut command = json!({"action": "subscribe", "x": {"id": 1, "heartbeat_ms": 1000}});
        for channel in channels {
            command[channel] = json!(["*"]);
        }
        client.send_text(&command.to_string());
        let (count, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (tape, written) = (Arc::clone(tape), Arc::clone(tape));
        let (counted, stopped) = (Arc::clone(&count), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut ledger = SequenceLedger::default();
            while !stopped.load(Ordering::Relaxed) {
                let Some(frame) = client.next_frame() else { break };
                match frame.opcode {
                    1 => {
                        let objects = frame.json();
                        ledger.record(&objects);
                        written.lock().unwrap().record(&objects);
                        counted.store(ledger.objects, Ordering::Relaxed);
                    }
                    9 => client.send_frame(0x8A, &frame.payload),
                    _ => {}
                }
            }
            ledger
        });
        Self { tape, count, stop, thread }
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Waits for this number of further objects.
    fn wait_for(&self, objects: usize) {
        let before = self.count();
        wait_until("further objects", || self.count() >= before + objects || self.thread.is_finished());
        assert!(!self.thread.is_finished(), "the session goes on");
    }

    fn end(self) -> SequenceLedger {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// An upstream, and a session at it that sees what it publishes.
struct Origin {
    program: Program,
    options: Vec<String>,
    observer: Reader,
}

impl Origin {
    fn start(memory: Memory, folder: &TempFolder) -> Self {
        let mut options: Vec<_> = MARKET.iter().map(ToString::to_string).collect();
        if memory == Memory::Journal {
            options.extend(["--journal".to_owned(), folder.file("journal").to_str().unwrap().to_owned()]);
        }
        let program = Program::start(&[PROGRAM], &as_strs(&options), &[]);
        let observer = Reader::start(program.address, &Arc::default(), &["trades"]);
        Self { program, options, observer }
    }

    fn restart(self) -> Self {
        let Self { program, options, observer } = self;
        let address = program.address;
        drop(program);
        let tape = Arc::clone(&observer.tape);
        observer.thread.join().unwrap();
        let program = Program::start_at(address, &[PROGRAM], &as_strs(&options));
        let observer = Reader::start(address, &tape, &["trades"]);
        Self { program, options, observer }
    }
}

fn as_strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn relay(proxy: &Proxy, origin: SocketAddr, numbers: UpstreamNumbers) -> Server {
    let always = DelayRange { first: Duration::from_millis(20), longest: Duration::from_millis(20) };
    let server = Server::start(|config| {
        let settings = UpstreamSettings {
            url: format!("ws://{}/v2/iex", proxy.address),
            numbers,
            delays: ReconnectDelays { failure: always, slot: always },
            ..upstream(origin)
        };
        config.upstreams = vec![settings.into()];
    });
    wait_until("the relay to be ready", || get(server.address, "/readyz").0 == 200);
    server
}

/// Makes faults at random, and checks that each trade that the upstream published was received or told as missing.
fn soak(memory: Memory, numbers: UpstreamNumbers) {
    let (faults, stop) = size();
    let start = Instant::now();
    let folder = TempFolder::new();
    let mut origin = Origin::start(memory, &folder);
    let proxy = Proxy::start(origin.program.address);
    let server = relay(&proxy, origin.program.address, numbers);
    let channels: &[&str] = &["trades", "quotes", "bars", "updatedBars", "statuses", "tickers"];
    let client = Reader::start(server.address, &Arc::default(), channels);
    client.wait_for(500);
    let mut random = StdRng::seed_from_u64(faults as u64);
    let mut made = [0; 3];

    for _ in 0..faults {
        let fault = [Fault::Cut, Fault::Stop, Fault::Restart][random.random_range(0..3)];
        made[fault as usize] += 1;
        match fault {
            Fault::Cut => proxy.cut(),
            Fault::Stop => {
                origin.program.signal("-STOP");
                std::thread::sleep(stop);
                origin.program.signal("-CONT");
            }
            Fault::Restart => origin = origin.restart(),
        }
        // Some faults come before the relay has recovered from the last one.
        if random.random_bool(0.7) {
            client.wait_for(random.random_range(1..300));
        }
    }
    wait_until("the upstream to be back", || metric(server.address, "tapecast_upstream_up") == 1.0);
    client.wait_for(2_000);

    let [published, received] = [&origin.observer.tape, &client.tape].map(Arc::clone);
    let losses = server.metric("tapecast_upstream_losses_total");
    let found = server.metric("tapecast_upstream_filled_trades_total");
    let requests = server.metric("tapecast_upstream_rest_requests_total");
    let ledger = client.end();
    origin.observer.end();
    let (published, received) = (published.lock().unwrap(), received.lock().unwrap());
    let unaccounted = received.unaccounted(&published);
    let common = published.trades.keys().filter(|key| received.trades.contains_key(*key)).count();
    println!(
        "{numbers:?}, {memory:?}: {made:?} cuts, stops, restarts in {:.0?}: {losses} losses, {} trades published, {} \
         received, {common} in both, {found} found in {requests} requests, {} gaps, {} holes filled, {} told, {} unaccounted",
        start.elapsed(),
        published.trades.len(),
        received.trades.len(),
        ledger.gaps,
        received.filled,
        received.holes.len(),
        unaccounted.len(),
    );
    if let Some((key, place)) = unaccounted.first() {
        received.print_around(key, place);
    }
    assert!(
        unaccounted.is_empty(),
        "{} of them: {:?}",
        unaccounted.len(),
        &unaccounted[..unaccounted.len().min(8)]
    );
    assert!(losses > 0.0 && common > 1_000);
    if memory == Memory::Journal && numbers == UpstreamNumbers::Kept {
        assert_eq!(received.holes.len(), 0, "the epoch went on");
    }
}

#[test]
fn a_mirror_of_an_upstream_whose_epoch_goes_on_accounts_for_every_trade() {
    soak(Memory::Journal, UpstreamNumbers::Kept);
}

#[test]
fn a_mirror_of_an_upstream_that_begins_another_epoch_accounts_for_every_trade() {
    soak(Memory::None, UpstreamNumbers::Kept);
}

#[test]
fn a_relay_that_numbers_objects_accounts_for_every_trade_of_an_upstream_with_a_history() {
    soak(Memory::Journal, UpstreamNumbers::Ignored);
}

#[test]
fn a_relay_that_numbers_objects_accounts_for_every_trade_of_an_upstream_without_one() {
    soak(Memory::None, UpstreamNumbers::Ignored);
}
