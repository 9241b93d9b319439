//! Fixed work of which `benches/instructions.py` counts the instructions for each update.
//!
//! Market, feed, hub and sessions are the real ones, and the clients subscribe by commands. The sockets are not: one takes
//! everything at once, the other a part. Time is an argument, so that each run does the same. By itself the test checks
//! that each session gets what it subscribes to; under callgrind, what [`counted_work`] calls is counted.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "the script reads how many updates the work had")]

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;

use super::executor::{CommandExecutor, StepResult};
use super::state::{HubMembership, SessionState};
use super::test_turn::write_until_full;
use super::{Limits, Outbox, OutboxLimits, Protocol, ReplayLookup};
use crate::archive::{Archive, Retention};
use crate::clock::Clock;
use crate::feed::{BarSpans, BatchSource, SequencedFeed, Sequencer};
use crate::hub::{Hub, LivenessTimeouts, MaxDelay, Now, SubscriberIdentity, WorkerShare};
use crate::metrics::{ClockMetrics, FeedMetrics, WorkerMetrics};
use crate::model::{Channel, Epoch, Event, Object, StreamId, Timestamp, Universe};
use crate::source::{ArrivalProcess, EventSource, Listings, SimulationSettings, Simulator, Ticks};
use crate::transport::fake::{DiscardingTransport, FakeTransport};
use crate::transport::{SocketWriter, Transport};
use crate::wire::{Codec, Command, Decoder, EncodedObjects, Incoming, Opcode, masked_frame};

const EPOCH: Epoch = Epoch::new(36);
const MILLISECOND: Duration = Duration::from_millis(1);

/// The simulated market, a millisecond at each poll.
struct Market {
    universe: Arc<Universe>,
    simulator: Simulator,
    at: Timestamp,
}

impl EventSource for Market {
    fn name(&self) -> &'static str {
        "market"
    }

    fn universe(&self) -> &Arc<Universe> {
        &self.universe
    }

    fn open(&mut self, out: &mut Vec<Event>) -> Timestamp {
        self.simulator.opening(self.at, out);
        self.at
    }

    fn poll(&mut self, out: &mut Vec<Event>) -> Option<Timestamp> {
        self.simulator.step(self.at, out);
        self.at = self.at + MILLISECOND;
        Some(self.at)
    }

    fn ticks(&mut self) -> Ticks {
        Box::pin(futures_util::stream::pending())
    }
}

/// One worker with its market.
struct Worker {
    hub: Rc<Hub>,
    feed: SequencedFeed,
    archive: Arc<Archive>,
    sessions: Vec<Session>,
    socket: DiscardingTransport,
    now: Instant,
    wall: Timestamp,
}

/// A client's end at the server.
struct Session {
    decoder: Decoder,
    protocol: Protocol,
    executor: CommandExecutor,
    state: Rc<SessionState>,
    _membership: HubMembership,
}

impl Worker {
    fn new(symbols: usize, trades_per_second: f64) -> Self {
        let listings = Listings::new(symbols, 1);
        let universe = Arc::clone(listings.universe());
        let wall = Timestamp::from_nanos(1_795_000_020_000_000_000);
        let arrivals = ArrivalProcess::Even;
        let settings = SimulationSettings { trades_per_second, arrivals, ..SimulationSettings::UNEVENTFUL };
        let market = Market {
            universe: Arc::clone(&universe),
            simulator: Simulator::new(&listings, settings),
            at: wall,
        };
        let archive = Arc::new(Archive::new(symbols, Retention::default()));
        let sequencer = Sequencer::new(Arc::clone(&universe), BarSpans::default(), EPOCH, wall);
        let mut feed =
            SequencedFeed::new(Box::new(market), sequencer, Arc::clone(&archive), FeedMetrics::default());
        let now = Instant::now();
        let clock = Clock::system(ClockMetrics::default());
        let share = WorkerShare::new(WorkerMetrics::default(), clock, 1, now);
        let hub =
            Hub::new(universe, LivenessTimeouts::default(), MaxDelay::Fixed(Duration::ZERO), share, now);
        let opening = feed.open(&mut hub.last_values_mut());
        hub.dispatch(opening.as_slice(), now);
        let (sessions, socket) = (Vec::new(), DiscardingTransport::new());
        Self { hub: Rc::new(hub), feed, archive, sessions, socket, now, wall }
    }

    /// The names of the symbols.
    fn names(&self) -> Vec<String> {
        self.hub.universe().iter().map(|instrument| instrument.symbol.to_string()).collect()
    }

    fn connect(&mut self, transport: Box<dyn Transport>) -> &mut Session {
        let writer = SocketWriter::new(transport, Bytes::new());
        let state = Rc::new(SessionState::new(
            Rc::clone(&self.hub),
            SubscriberIdentity::for_tests(),
            EPOCH,
            Outbox::new(Codec::Json, OutboxLimits::default()),
            writer,
            self.now,
        ));
        let archive = Arc::clone(&self.archive);
        let replay: ReplayLookup =
            Rc::new(move |stream, after, up_to, most| archive.replay(stream, after, up_to, most));
        let executor = CommandExecutor::new(Rc::clone(&state), replay, self.feed.progress(), 20_000);
        self.sessions.push(Session {
            decoder: Decoder::new(1 << 20),
            protocol: Protocol::new(self.hub.universe(), EPOCH, Limits::default(), None),
            executor,
            _membership: HubMembership::join(&state),
            state,
        });
        self.sessions.last_mut().unwrap()
    }

    /// Opens a session whose socket takes everything, and carries this command out.
    fn join(&mut self, command: &[u8]) {
        let (socket, now) = (self.socket.clone(), self.now);
        self.connect(Box::new(socket)).receive(command, now);
    }

    /// Serves the next milliseconds.
    fn run(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds {
            self.now += MILLISECOND;
            self.wall = self.wall + MILLISECOND;
            let batch = self.feed.poll(&mut self.hub.last_values_mut());
            self.hub.dispatch(batch.as_slice(), self.now);
            self.feed.settle();
            self.serve();
        }
    }

    /// Continues the fan-out until every subscriber is served, and runs the timers.
    fn serve(&mut self) {
        while self.hub.has_more() {
            self.hub.dispatch(&[], self.now);
        }
        self.hub.run_timers(Now { steady: self.now, wall: self.wall });
    }

    /// The objects that clients got, and those that were merged into them.
    fn delivered(&self) -> u64 {
        self.hub.metrics().objects.get() + self.hub.metrics().conflated.get()
    }

    /// The objects that were published in these channels of all symbols.
    fn published(&self, channels: &[Channel]) -> u64 {
        let universe = self.hub.universe();
        let streams = universe.iter().flat_map(|it| channels.iter().map(move |of| StreamId::new(*of, it.id)));
        self.hub.with_last_values(|values| streams.map(|stream| values.last_values().seq(stream).0).sum())
    }
}

impl Session {
    /// Carries a masked text frame out.
    fn receive(&mut self, frame: &[u8], now: Instant) {
        let mut input = Bytes::copy_from_slice(frame);
        let Some(Incoming::Text(text)) = self.decoder.decode(&mut input).unwrap() else { unreachable!() };
        let outcome = self.protocol.answer(Command::read(Codec::Json, &text));
        let response = outcome.response.to_frame(Codec::Json);
        let mut execution = self.executor.begin(outcome, response);
        while self.executor.step(&mut execution, self.protocol.subscriptions(), now) == StepResult::More {}
        write_until_full(&self.state, now);
    }
}

/// A client's text frame.
fn command(value: &serde_json::Value) -> Bytes {
    masked_frame(Opcode::Text, value.to_string().as_bytes(), [0x37, 0xFA, 0x21, 0x3D])
}

/// What is counted: the script gives callgrind the name of this function.
#[inline(never)]
fn counted_work(work: &mut dyn FnMut()) {
    work();
    black_box(());
}

/// Has this work counted, and tells how many units it had.
fn count(name: &str, unit: &str, mut work: impl FnMut(), units: impl Fn() -> u64) -> u64 {
    let before = units();
    counted_work(&mut work);
    let done = units() - before;
    println!("counted: {name} {done} {unit}");
    done
}

/// Counts a worker for this number of milliseconds, by its delivered updates.
fn count_worker(name: &str, worker: Worker, milliseconds: u64) -> Worker {
    let worker = std::cell::RefCell::new(worker);
    // Memory that is kept has its size then.
    worker.borrow_mut().run(250);
    let run = || worker.borrow_mut().run(milliseconds);
    assert!(count(name, "update", run, || worker.borrow().delivered()) > 0);
    worker.into_inner()
}

fn hot() {
    let mut worker = Worker::new(1, 20.0);
    let subscribe = json!({ "action": "subscribe", "trades": worker.names() });
    (0..1_000).for_each(|_| worker.join(&command(&subscribe)));
    let acknowledged = worker.delivered();
    let worker = count_worker("hot", worker, 2_000);
    assert_eq!(worker.delivered() - acknowledged, 1_000 * worker.published(&[Channel::Trades]));
}

fn watchlist() {
    let mut worker = Worker::new(500, 1_000.0);
    let names = worker.names();
    for session in 0..1_000 {
        let list: Vec<_> = (0..20).map(|place| &names[(session + 25 * place) % 500]).collect();
        worker.join(&command(&json!({ "action": "subscribe", "trades": list })));
    }
    let worker = count_worker("watchlist", worker, 200);
    assert_eq!(worker.delivered(), 40 * worker.published(&[Channel::Trades]));
}

fn firehose() {
    let mut worker = Worker::new(500, 10_000.0);
    let subscribe = json!({ "action": "subscribe", "trades": worker.names() });
    (0..50).for_each(|_| worker.join(&command(&subscribe)));
    let worker = count_worker("firehose", worker, 100);
    assert_eq!(worker.delivered(), 50 * worker.published(&[Channel::Trades]));
}

fn board() {
    let mut worker = Worker::new(500, 10_000.0);
    let (names, opening) = (worker.names(), worker.published(&[Channel::Tickers]));
    for session in 0..500 {
        if session % 2 == 0 {
            // They joined at different times.
            worker.now += MILLISECOND;
        }
        let list: Vec<_> = (0..20).map(|place| &names[(session + 25 * place) % 500]).collect();
        let subscribe = json!({ "action": "subscribe", "tickers": list, "x": { "conflate_ms": 250 } });
        worker.join(&command(&subscribe));
    }
    let mut worker = count_worker("board", worker, 500);
    worker.now += Duration::from_millis(250);
    worker.serve();
    assert_eq!(worker.delivered(), 20 * (worker.published(&[Channel::Tickers]) - opening));
}

/// Clients that take less than they subscribe to: quotes are conflated, trades are lost and told.
fn slow() {
    let mut worker = Worker::new(500, 10_000.0);
    let room = Rc::new(Cell::new(0));
    let subscribe = json!({ "action": "subscribe", "trades": ["*"], "quotes": ["*"], "x": {} });
    let now = worker.now;
    for _ in 0..20 {
        let room = Rc::clone(&room);
        let take = move |bytes: &[u8]| {
            let taken = bytes.len().min(room.get());
            room.set(room.get() - taken);
            taken
        };
        worker.connect(Box::new(FakeTransport::taking(take))).receive(&command(&subscribe), now);
    }
    let worker = std::cell::RefCell::new(worker);
    let run = |steps| {
        for _ in 0..steps {
            let worker = &mut *worker.borrow_mut();
            worker.run(10);
            for session in &worker.sessions {
                room.set(8 << 10);
                write_until_full(&session.state, worker.now);
            }
        }
    };
    run(50);
    let published = || worker.borrow().published(&[Channel::Trades, Channel::Quotes]);
    count("slow", "published object", || run(20), published);
    let worker = worker.borrow();
    let metrics = worker.hub.metrics();
    assert!(metrics.conflated.get() > 0 && metrics.overflows.get() > 0);
}

/// Clients that come back and lack everything that is retained.
fn resume() {
    let mut worker = Worker::new(5, 1_000.0);
    worker.run(1_000);
    let names = worker.names();
    let from: serde_json::Map<_, _> = names.iter().map(|name| (name.clone(), json!(0))).collect();
    let resume = json!({ "epoch": EPOCH.to_string(), "sq": { "trades": from } });
    let frame = command(&json!({ "action": "subscribe", "trades": names, "x": { "resume": resume } }));
    let missed = worker.published(&[Channel::Trades]);
    let worker = std::cell::RefCell::new(worker);
    let run = || (0..10).for_each(|_| worker.borrow_mut().join(&frame));
    let resumed = count("resume", "object", run, || worker.borrow().delivered());
    assert_eq!(resumed, 10 * missed);
}

fn commands() {
    let mut worker = Worker::new(500, 0.0);
    let list: Vec<_> = worker.names().into_iter().step_by(25).collect();
    let frames =
        ["subscribe", "unsubscribe"].map(|action| command(&json!({ "action": action, "trades": list })));
    worker.join(&frames[0]);
    let now = worker.now;
    let carried_out = Cell::new(0);
    let run = || {
        for frame in (0..200).flat_map(|_| &frames) {
            worker.sessions[0].receive(frame, now);
            carried_out.set(carried_out.get() + 1);
        }
    };
    count("command", "command of 20 names", run, || carried_out.get());
    assert_eq!(worker.sessions[0].protocol.subscriptions().len(), 0);
}

/// The market and the feed, without a client.
fn feed() {
    let worker = std::cell::RefCell::new(Worker::new(500, 10_000.0));
    let published = || worker.borrow().published(&[Channel::Trades, Channel::Quotes]);
    // Three quotes for each trade.
    let events = count("feed", "event", || worker.borrow_mut().run(200), published);
    assert!((7_900..8_100).contains(&events), "{events}");
}

fn encodings() {
    let mut worker = Worker::new(500, 1_000.0);
    worker.run(100);
    let universe = worker.hub.universe();
    let values = |channel| -> Vec<Object> {
        worker.hub.with_last_values(|values| {
            let all = universe.iter().filter_map(|it| values.last_values().of(StreamId::new(channel, it.id)));
            all.copied().take(50).collect()
        })
    };
    for (name, codec) in [("json", Codec::Json), ("msgpack", Codec::MsgPack)] {
        let objects = [Channel::Quotes, Channel::Trades, Channel::Tickers].map(values).concat();
        let encoded = Cell::new(0);
        let run = || {
            for _ in 0..50 {
                black_box(EncodedObjects::of(codec, &universe, &objects));
                encoded.set(encoded.get() + objects.len() as u64);
            }
        };
        assert!(count(name, "object", run, || encoded.get()) > 100);
    }
}

#[test]
fn the_work_that_is_counted_gives_each_session_what_it_subscribes_to() {
    for work in [feed, encodings, commands, hot, watchlist, firehose, board, slow, resume] {
        work();
    }
}
