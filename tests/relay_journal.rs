//! Relays with a journal: kills under load, an upstream that begins another epoch, and replays of such a journal.
#![cfg(all(unix, feature = "relay"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use serde_json::{Value, json};
use test_support::{Client, Program, SequenceLedger, TempFolder, get, metric, wait_until};

const PROGRAM: &[&str] = &[env!("CARGO_BIN_EXE_tapecast")];

/// A simulated market whose trades of a whole test are retained.
const ORIGIN: [&str; 10] =
    ["--symbols", "8", "--rate", "400", "--incidents", "none", "--retain-trades", "100000", "--workers", "1"];

/// The options of a relay of this server with a journal in this folder.
fn relay_options(origin: SocketAddr, journal: &TempFolder, more: &[&str]) -> Vec<String> {
    let (url, folder) = (format!("ws://{origin}"), journal.path().to_str().unwrap());
    let options = ["--upstream", &url, "--journal", folder];
    options.iter().chain(more).map(|option| (*option).to_owned()).collect()
}

fn start(options: &[String]) -> Program {
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    ready(Program::start(PROGRAM, &options, &[]))
}

/// Kills a program at once, and starts it again at the same address.
fn kill_and_restart(mut program: Program, options: &[String]) -> Program {
    program.signal("-KILL");
    program.wait();
    restart(program.address, options)
}

fn restart(address: SocketAddr, options: &[String]) -> Program {
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    ready(Program::start_at(address, PROGRAM, &options))
}

fn ready(program: Program) -> Program {
    wait_until("the program to be ready", || get(program.address, "/readyz").0 == 200);
    program
}

fn assert_verified(journal: &TempFolder) {
    let folder = journal.path().to_str().unwrap();
    let verified = Command::new(PROGRAM[0]).args(["journal", "verify", folder]).output().unwrap();
    let faults = String::from_utf8_lossy(&verified.stdout);
    assert!(verified.status.success() && faults.contains(" 0 faults"), "{faults}");
}

/// What stands for an object: epoch, type, symbol, number.
type Key = (String, String, String, u64);

/// A client of trades and quotes that goes on after each disconnect.
struct Follower {
    client: Client,
    ledger: SequenceLedger,
    epoch: String,
    /// Every object that was received, without what depends on the session.
    received: BTreeMap<Key, String>,
    /// The ids of trades by symbol, in the order in which they came.
    trades: BTreeMap<String, Vec<u64>>,
}

impl Follower {
    fn new(address: SocketAddr) -> Self {
        let mut follower = Self {
            client: Client::session(address),
            ledger: SequenceLedger::default(),
            epoch: String::new(),
            received: BTreeMap::new(),
            trades: BTreeMap::new(),
        };
        follower.subscribe(&json!({ "id": 1 }));
        follower
    }

    fn subscribe(&mut self, x: &Value) {
        let command = json!({"action": "subscribe", "trades": ["*"], "quotes": ["*"], "x": x});
        self.epoch = self.client.command(&command.to_string())["x"]["epoch"].as_str().unwrap().to_owned();
    }

    /// Resumes in another session. Returns whether the epoch went on.
    fn resume(&mut self, address: SocketAddr) -> bool {
        let before = self.epoch.clone();
        self.client = Client::session(address);
        self.subscribe(&json!({"resume": {"epoch": before, "sq": self.ledger.resume_positions()}}));
        if self.epoch != before {
            self.ledger = SequenceLedger::default();
        }
        self.epoch == before
    }

    /// Reads a frame; false when the connection has ended.
    fn read(&mut self) -> bool {
        let Some(frame) = self.client.next_frame() else { return false };
        if frame.opcode != 1 {
            return frame.opcode != 8;
        }
        let objects = frame.json();
        self.ledger.record(&objects);
        for mut object in objects {
            let text = |object: &Value, key: &str| object[key].as_str().unwrap_or_default().to_owned();
            if object["T"] == "epoch" {
                self.epoch = text(&object, "epoch");
            }
            let Some(seq) = object["sq"].as_u64() else { continue };
            let (kind, symbol) = (text(&object, "T"), text(&object, "S"));
            for key in ["cf", "sn"] {
                object.as_object_mut().unwrap().remove(key);
            }
            if kind == "t" {
                self.trades.entry(symbol.clone()).or_default().push(object["i"].as_u64().unwrap());
            }
            let key = (self.epoch.clone(), kind, symbol, seq);
            let (fields, of_key) = (object.to_string(), key.clone());
            let first = self.received.entry(key).or_insert_with(|| fields.clone());
            assert_eq!(*first, fields, "{of_key:?} stands for one object");
        }
        true
    }

    fn read_more(&mut self, count: usize) {
        let until = self.ledger.objects + count;
        while self.ledger.objects < until {
            assert!(self.read(), "the session continues");
        }
    }

    fn read_to_end(&mut self) {
        while self.read() {}
    }
}

/// A follower that reads on a thread of its own until it is told to stop.
struct Reader {
    stop: Arc<AtomicUsize>,
    objects: Arc<AtomicUsize>,
    thread: JoinHandle<Follower>,
}

impl Reader {
    fn start(address: SocketAddr) -> Self {
        let mut follower = Follower::new(address);
        let [stop, objects] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
        let (is_stopped, count) = (Arc::clone(&stop), Arc::clone(&objects));
        let thread = std::thread::spawn(move || {
            while is_stopped.load(Ordering::Relaxed) == 0 {
                assert!(follower.read(), "the session continues");
                count.store(follower.ledger.objects, Ordering::Relaxed);
            }
            follower
        });
        Self { stop, objects, thread }
    }

    fn wait_for_more(&self, count: usize) {
        let until = self.objects.load(Ordering::Relaxed) + count;
        wait_until("more objects", || self.objects.load(Ordering::Relaxed) >= until);
    }

    fn stop(self) -> Follower {
        self.stop.store(1, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

#[test]
fn a_relay_that_is_killed_under_load_goes_on_with_the_numbers_of_its_upstream() {
    for workers in ["1", "2"] {
        let (origin, journal) = (Program::start(PROGRAM, &ORIGIN, &[]), TempFolder::new());
        let options = relay_options(origin.address, &journal, &["--workers", workers]);
        let at_origin = Reader::start(origin.address);
        let mut relay = start(&options);
        let mut follower = Follower::new(relay.address);

        for _ in 0..4 {
            follower.read_more(1_500);
            relay = kill_and_restart(relay, &options);
            follower.read_to_end();
            assert!(follower.resume(relay.address), "the epoch is the upstream's");
        }
        follower.read_more(1_500);
        at_origin.wait_for_more(500);
        let at_origin = at_origin.stop();

        assert_eq!((follower.ledger.gaps, &follower.epoch), (0, &at_origin.epoch));
        let common = follower.received.iter().filter_map(|(key, object)| {
            at_origin.received.get(key).map(|original| assert_eq!(object, original, "{key:?}"))
        });
        let common = common.count();
        assert!(common > 4_000, "only {common} objects in common with the origin");
        let rows = get(relay.address, "/v2/stocks/trades?symbols=AAPL&limit=10000&sort=asc").1;
        let rows: Value = serde_json::from_str(&rows).unwrap();
        assert!(rows["trades"]["AAPL"].as_array().unwrap().len() > 100, "REST has what was before");
        relay.signal("-TERM");
        relay.wait();
        assert_verified(&journal);
    }
}

#[test]
fn an_epoch_that_the_upstream_begins_while_a_relay_is_down_is_recorded_and_replayed() {
    let origin = Program::start(PROGRAM, &ORIGIN, &[]);
    let journal = TempFolder::new();
    let options = relay_options(origin.address, &journal, &[]);
    let mut relay = start(&options);
    let mut follower = Follower::new(relay.address);
    follower.read_more(1_000);
    let first = follower.epoch.clone();

    // Down while the upstream begins one epoch, and there while it begins the next.
    relay.signal("-KILL");
    relay.wait();
    let address = origin.address;
    drop(origin);
    let origin = ready(Program::start_at(address, PROGRAM, &ORIGIN));
    let mut relay = restart(relay.address, &options);
    assert!(!follower.resume(relay.address), "the upstream began another epoch");
    follower.read_more(1_000);
    let second = follower.epoch.clone();
    drop(origin);
    let _origin = ready(Program::start_at(address, PROGRAM, &ORIGIN));
    while follower.epoch == second {
        assert!(follower.read(), "sessions stay");
    }
    follower.read_more(1_000);
    let third = follower.epoch.clone();
    relay.signal("-TERM");
    relay.wait();
    follower.read_to_end();

    assert_verified(&journal);
    let folder = journal.path().to_str().unwrap();
    let inspected = Command::new(PROGRAM[0]).args(["journal", "inspect", folder]).output().unwrap();
    let inspected = String::from_utf8_lossy(&inspected.stdout);
    assert!([&first, &second, &third].iter().all(|epoch| inspected.contains(epoch.as_str())), "{inspected}");
    let replay = Program::start(PROGRAM, &["--replay", folder, "--clock", "original", "--speed", "5"], &[]);
    let mut replayed = Follower::new(replay.address);
    while replayed.received.keys().filter(|(epoch, ..)| *epoch == third).count() < 500 {
        assert!(replayed.read(), "the replay has all that was relayed");
    }
    let common = replayed.received.iter().filter_map(|(key, object)| {
        follower.received.get(key).map(|original| assert_eq!(object, original, "{key:?}"))
    });
    assert!(common.count() >= 500, "the objects are those that were relayed");
}

#[test]
fn a_relay_that_numbers_objects_finds_the_trades_that_it_missed_while_it_was_down() {
    let (origin, journal) = (Program::start(PROGRAM, &ORIGIN, &[]), TempFolder::new());
    let options = relay_options(origin.address, &journal, &["--upstream-foreign"]);
    let at_origin = Reader::start(origin.address);
    let mut relay = start(&options);
    let mut follower = Follower::new(relay.address);
    follower.read_more(500);
    let ids = |address| -> Vec<String> {
        let status: Value =
            serde_json::from_str(&get(address, "/v2/stocks/snapshots?symbols=AAPL,MSFT").1).unwrap();
        status.as_object().unwrap().keys().cloned().collect()
    };
    let instruments = ids(relay.address);

    for _ in 0..3 {
        follower.read_more(1_500);
        relay.signal("-KILL");
        relay.wait();
        follower.read_to_end();
        // Trades of which the relay gets none live.
        at_origin.wait_for_more(1_000);
        relay = restart(relay.address, &options);
        assert!(follower.resume(relay.address), "the journal proves its end");
    }
    follower.read_more(2_000);
    at_origin.wait_for_more(500);
    let at_origin = at_origin.stop();

    assert_eq!((follower.ledger.gaps, ids(relay.address)), (0, instruments));
    assert_ne!(follower.epoch, at_origin.epoch);
    assert!(metric(relay.address, "tapecast_upstream_filled_trades_total") > 0.0);
    for (symbol, trades) in &follower.trades {
        let range = *trades.first().unwrap()..=*trades.last().unwrap();
        let original: Vec<_> =
            at_origin.trades[symbol].iter().copied().filter(|id| range.contains(id)).collect();
        let relayed: Vec<_> = trades.iter().copied().filter(|id| *id <= *original.last().unwrap()).collect();
        assert_eq!(relayed, original, "{symbol}: each trade once, in order");
    }
    relay.signal("-TERM");
    relay.wait();
    assert_verified(&journal);
}

#[test]
fn a_journal_of_a_simulated_market_is_not_continued_by_a_relay() {
    let (origin, journal) = (Program::start(PROGRAM, &ORIGIN, &[]), TempFolder::new());
    let folder = journal.path().to_str().unwrap();
    let mut simulated = Program::start(PROGRAM, &["--symbols", "3", "--journal", folder], &[]);
    let mut follower = Follower::new(simulated.address);
    follower.read_more(50);
    simulated.signal("-TERM");
    simulated.wait();

    let relay = start(&relay_options(origin.address, &journal, &["--upstream-foreign"]));

    assert_eq!(relay.logged("the journal begins a new epoch: the journal is of other instruments").len(), 1);
    assert!(!follower.resume(relay.address));
    follower.read_more(50);
}
