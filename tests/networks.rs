//! Real clients behind bad networks: delay, jitter, partial writes, stalls and cuts between a server and its clients, in
//! this process and by a seed.
//!
//! `benches/networks.py` does the same to the packets of real links, where it may.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use test_support::{Client, DEADLINE, LinkQuality, Proxy, SequenceLedger, Server, wait_until};

const SYMBOLS: usize = 10;

/// What networks are like, from a good one to a very bad one.
const LINKS: [LinkQuality; 4] = [
    LinkQuality { seed: 1, delay: ms(1), jitter: ms(1), piece: 4_096 },
    LinkQuality { seed: 2, delay: ms(20), jitter: ms(10), piece: 1_400 },
    LinkQuality { seed: 3, delay: ms(40), jitter: ms(60), piece: 500 },
    LinkQuality { seed: 4, delay: ms(5), jitter: ms(200), piece: 100 },
];

/// Repeats a step that waits by itself, for what a client reads, until it returns true.
fn repeat_until(what: &str, mut step: impl FnMut() -> bool) {
    let start = Instant::now();
    while !step() {
        assert!(start.elapsed() < DEADLINE, "timed out waiting for {what}");
    }
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A market of this rate, of which everything is retained that a test publishes.
fn server(trades_per_second: f64) -> Server {
    Server::start(|config| {
        config.symbols = SYMBOLS;
        config.simulation.trades_per_second = trades_per_second;
        config.retention.trades = 50_000;
        config.retention.quotes = 50_000;
    })
}

/// A client that opted in, and what it has of each stream over all of its connections.
struct Follower {
    address: SocketAddr,
    channels: &'static [&'static str],
    client: Client,
    ledger: SequenceLedger,
    epoch: String,
}

impl Follower {
    fn connect(address: SocketAddr, channels: &'static [&'static str]) -> Self {
        let client = Client::session(address);
        let ledger = SequenceLedger::default();
        let mut follower = Self { address, channels, client, ledger, epoch: String::new() };
        follower.subscribe();
        follower
    }

    /// Subscribes to everything in its channels, from where it was.
    fn subscribe(&mut self) {
        let mut command = json!({ "action": "subscribe", "x": {} });
        if !self.epoch.is_empty() {
            command["x"]["resume"] = json!({ "epoch": self.epoch, "sq": self.ledger.resume_positions() });
        }
        for channel in self.channels {
            command[channel] = json!(["*"]);
        }
        self.client.send_text(&command.to_string());
    }

    /// Connects again once the connection has ended, and resumes.
    fn reconnect(&mut self) {
        self.client = Client::session(self.address);
        self.subscribe();
    }

    /// Reads one message, and checks that it follows from the ones before; false at the end of the connection.
    fn read(&mut self) -> bool {
        let Some(frame) = self.client.next_frame() else { return false };
        match frame.opcode {
            1 => {
                let objects = frame.json();
                if let Some(epoch) = objects[0]["x"]["epoch"].as_str() {
                    epoch.clone_into(&mut self.epoch);
                }
                self.ledger.record(&objects);
            }
            9 => self.client.send_frame(0x8A, &frame.payload),
            opcode => assert_eq!(opcode, 10, "{frame:?}"),
        }
        true
    }

    /// Reads this number of further objects.
    fn read_objects(&mut self, count: usize) {
        let until = self.ledger.objects + count;
        repeat_until("further objects", || {
            assert!(self.read(), "the session goes on");
            self.ledger.objects >= until
        });
    }

    /// Reads until it has everything that these positions include.
    fn catch_up_with(&mut self, target: &Value) {
        repeat_until("what others have", || {
            assert!(self.read(), "the session goes on");
            let have = self.ledger.resume_positions();
            let mut wanted = target.as_object().unwrap().iter().flat_map(|(channel, of)| {
                of.as_object().unwrap().iter().map(move |(symbol, last)| (channel, symbol, last.as_u64()))
            });
            wanted.all(|(channel, symbol, last)| have[channel][symbol].as_u64() >= last)
        });
    }
}

/// Everything that a client without a network before it has.
fn positions_of(observer: &mut Follower) -> Value {
    observer.read_objects(200);
    observer.ledger.resume_positions()
}

#[test]
fn behind_every_network_each_object_arrives_once_or_is_told_as_conflated_or_missing() {
    const CHANNELS: &[&str] = &["trades", "quotes", "tickers"];
    let server = server(400.0);
    let address = server.address;

    let clients = LINKS.map(|quality| {
        std::thread::spawn(move || {
            let mut random = StdRng::seed_from_u64(quality.seed);
            let link = Proxy::with_link(address, quality);
            let mut follower = Follower::connect(link.address, CHANNELS);
            for fault in 0..6 {
                follower.read_objects(random.random_range(50..400));
                link.hold(ms(random.random_range(50..700)));
                if fault % 2 == 1 {
                    // What arrived before the cut may still be read.
                    follower.read_objects(random.random_range(1..100));
                    link.cut();
                    repeat_until("the end of the connection", || !follower.read());
                    follower.reconnect();
                }
            }
            follower
        })
    });
    let followers = clients.map(|client| client.join().unwrap());

    let mut observer = Follower::connect(address, CHANNELS);
    let target = positions_of(&mut observer);
    for mut follower in followers {
        follower.catch_up_with(&target);
        assert!(follower.ledger.objects > 300);
    }
}

#[test]
fn a_connection_that_is_cut_again_and_again_resumes_without_a_gap_or_a_duplicate() {
    const CHANNELS: &[&str] = &["trades"];
    let server = server(300.0);
    let link = Proxy::with_link(server.address, LINKS[1]);
    let mut follower = Follower::connect(link.address, CHANNELS);
    let mut random = StdRng::seed_from_u64(5);

    for _ in 0..15 {
        follower.read_objects(random.random_range(1..80));
        link.cut();
        repeat_until("the end of the connection", || !follower.read());
        follower.reconnect();
    }

    let mut observer = Follower::connect(server.address, CHANNELS);
    let target = positions_of(&mut observer);
    follower.catch_up_with(&target);
    assert_eq!((follower.ledger.gaps, follower.ledger.conflated), (0, 0));
}

#[test]
fn a_client_that_opted_in_is_told_of_what_a_stall_cost_it_and_keeps_its_session() {
    let server = server(8_000.0);
    let link = Proxy::with_link(server.address, LINKS[0]);
    let mut follower = Follower::connect(link.address, &["trades", "quotes"]);
    follower.read_objects(500);

    link.hold(DEADLINE);
    wait_until("trades to be lost", || server.metric("tapecast_outbox_overflows_total") > 0.0);
    link.release();
    repeat_until("a gap and conflated quotes", || {
        assert!(follower.read(), "the session goes on");
        follower.ledger.gaps > 0 && follower.ledger.conflated > 0
    });

    assert_eq!(server.metric("tapecast_sessions_closed_total"), 0.0);
}

#[test]
fn a_client_that_did_not_opt_in_is_closed_after_a_stall_and_told_why() {
    let server = server(8_000.0);
    let link = Proxy::with_link(server.address, LINKS[0]);
    let mut client = Client::session(link.address);
    client.command(r#"{"action":"subscribe","trades":["*"]}"#);

    link.hold(DEADLINE);
    wait_until("trades to be too many", || server.metric("tapecast_outbox_overflows_total") > 0.0);
    link.release();

    assert_eq!(client.read_to_close(), (Some(1013), true));
    assert_eq!(server.sessions_closed("slow_client"), 1.0);
}
