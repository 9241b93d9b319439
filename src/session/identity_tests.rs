//! The promise that nothing is lost silently, tested against everything that clients may do.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use super::executor::{CommandExecution, CommandExecutor, StepResult};
use super::state::{HubMembership, SessionState};
use super::test_turn::write_until_full;
use super::{Limits, Outbox, OutboxLimits, Protocol, ReplayLookup};
use crate::archive::RetainedObject;
use crate::feed::{BarSpans, Batch, FeedProgress, LastValues, Sequencer};
use crate::hub::{Hub, Now};
use crate::model::{
    Body, Channel, Epoch, EpochNumbers, Event, FeedNotice, Object, Price, Seq, StreamId, SymbolId, Timestamp,
};
use crate::transport::SocketWriter;
use crate::transport::fake::FakeTransport;
use crate::wire::{Codec, Command, DeliveryKind, fixtures};

const EPOCH: Epoch = Epoch::new(36);

/// The objects that are retained of each stream: few, so that some clients resume too late.
const RETAINED: usize = 12;

/// A market of two symbols, its sequencer, and the hubs of two workers, one of which is late.
struct World {
    random: StdRng,
    sequencer: Sequencer,
    last_values: LastValues,
    progress: FeedProgress,
    hubs: [Rc<Hub>; 2],
    in_transit: Vec<Arc<Batch>>,
    published: Rc<std::cell::RefCell<HashMap<StreamId, Vec<Object>>>>,
    now: Timestamp,
    /// The time of the hubs.
    clock: Instant,
    /// In every third world, commands are carried out in steps of one change.
    changes_per_step: usize,
    /// Whether epochs begin now and then.
    has_epochs: bool,
    epoch: Epoch,
    /// How often numbers began again.
    restarts: u32,
    tickers: Rc<RefCell<PublishedTickers>>,
}

/// The fields of a ticker object, or those that a client has put together.
type Board = serde_json::Map<String, Value>;

/// The tickers of all epochs as they are without `fields` and `delta`.
#[derive(Default)]
struct PublishedTickers {
    /// The restart of numbers to which each epoch belongs.
    restarts: HashMap<String, u32>,
    /// The objects by restart, symbol and number.
    objects: HashMap<(u32, String, u64), Board>,
}

impl PublishedTickers {
    /// The object of this number, for a client that was told this epoch.
    fn of(&self, epoch: &str, symbol: &str, sq: u64) -> Board {
        let restart = self.restarts.get(epoch).copied().unwrap_or_default();
        self.objects[&(restart, symbol.to_owned(), sq)].clone()
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let universe = Arc::new(fixtures::universe());
        let Body::Quote(quote) = fixtures::quote().body else { unreachable!() };
        let spans = BarSpans { bar_nanos: 50_000_000 };
        let sequencer = Sequencer::new(Arc::clone(&universe), spans, EPOCH, quote.at);
        // In every other world objects are coalesced.
        let max_delay = Duration::from_millis(3 * (seed % 2));
        let hub = || Rc::new(Hub::for_tests(max_delay));
        Self {
            random: StdRng::seed_from_u64(seed),
            sequencer,
            last_values: LastValues::new(2),
            progress: FeedProgress::default(),
            hubs: [hub(), hub()],
            in_transit: Vec::new(),
            published: Rc::default(),
            now: quote.at,
            clock: Instant::now(),
            changes_per_step: if seed % 3 == 1 { 1 } else { 1_000 },
            has_epochs: false,
            epoch: EPOCH,
            restarts: 0,
            tickers: Rc::default(),
        }
    }

    /// An epoch begins now and then, in which numbers go on or begin again.
    fn next_epoch(&mut self) -> Option<EpochNumbers> {
        if !self.has_epochs || self.random.random_range(0..40) > 0 {
            return None;
        }
        self.epoch = Epoch::new(self.random.random_range(100..u64::from(u32::MAX)));
        let restarts: bool = self.random.random();
        self.restarts += u32::from(restarts);
        self.tickers.borrow_mut().restarts.insert(self.epoch.to_string(), self.restarts);
        if !restarts {
            self.sequencer.begin_epoch(self.epoch);
            self.last_values.set_epoch(self.epoch);
            return Some(EpochNumbers::GoOn);
        }
        self.catch_up();
        let universe = Arc::new(fixtures::universe());
        let spans = BarSpans { bar_nanos: 50_000_000 };
        self.sequencer = Sequencer::new(universe, spans, self.epoch, self.now);
        self.last_values.restart(self.epoch);
        self.published.borrow_mut().clear();
        Some(EpochNumbers::Restart)
    }

    /// Records the tickers of a batch as they are without `fields` and `delta`.
    fn record_tickers(&self, batch: &Batch) {
        for object in batch.objects().filter(|object| object.body.channel() == Channel::Tickers) {
            let mut json = Vec::new();
            Codec::Json.write(&mut json, batch.universe(), object, DeliveryKind::Live);
            json.pop();
            let board: Board = serde_json::from_slice(&json).unwrap();
            let symbol = board["S"].as_str().unwrap().to_owned();
            self.tickers.borrow_mut().objects.insert((self.restarts, symbol, object.seq.0), board);
        }
    }

    /// Some events happen; the first hub dispatches them.
    fn tick(&mut self) {
        let begun = self.next_epoch();
        let mut events = Vec::new();
        for _ in 0..self.random.random_range(0..8) {
            self.now = self.now + Duration::from_millis(1);
            let symbol = SymbolId(self.random.random_range(0..2));
            let (Body::Trade(mut trade), Body::Quote(mut quote)) =
                (fixtures::trade().body, fixtures::quote().body)
            else {
                unreachable!()
            };
            (trade.symbol, trade.at) = (symbol, self.now);
            (quote.symbol, quote.at) = (symbol, self.now);
            // Each figure changes at times and has its former value again at others.
            let cents = self.random.random_range(12_640..12_644);
            (trade.price, trade.size) = (Price::from_cents(cents), self.random.random_range(1..3));
            (quote.bid, quote.bid_size) = (Price::from_cents(cents - 1), self.random.random_range(1..3));
            quote.ask = Price::from_cents(cents + i64::from(self.random.random_range(1..3)));
            events.push(if self.random.random() { Event::Trade(trade) } else { Event::Quote(quote) });
        }
        // A notice is told behind what waits to be coalesced.
        let is_noticed = self.random.random_range(0..4) == 0;
        let notice = is_noticed.then(|| FeedNotice::clock_was_set(self.now, self.now));
        let batch = self.sequencer.sequence(&mut self.last_values, &events, self.now);
        let batch = batch.with_notices(notice.into_iter().collect());
        let batch = batch.beginning(begun.map(|_| self.epoch));
        let batch = Arc::new(batch.with_epoch_numbers(begun.unwrap_or_default()));
        self.record_tickers(&batch);
        self.progress.set(self.last_values.published());
        for object in batch.objects() {
            let mut published = self.published.borrow_mut();
            let kept = published.entry(object.stream()).or_default();
            kept.push(*object);
            kept.drain(..kept.len().saturating_sub(RETAINED));
        }
        self.clock += Duration::from_millis(1);
        self.hubs[0].ingest(&[Arc::clone(&batch)], self.clock);
        self.in_transit.push(batch);
        if begun == Some(EpochNumbers::Restart) || self.random.random_range(0..4) == 0 {
            self.catch_up();
        }
    }

    /// The late hub dispatches what it has not yet.
    fn catch_up(&mut self) {
        self.hubs[1].ingest(&std::mem::take(&mut self.in_transit), self.clock);
    }

    /// Time passes until no object waits to be coalesced.
    fn rest(&mut self) {
        self.catch_up();
        self.clock += Duration::from_secs(1);
        self.hubs.iter().for_each(|hub| hub.ingest(&[], self.clock));
    }

    fn replay(&self) -> ReplayLookup {
        let published = Rc::clone(&self.published);
        Rc::new(move |stream, after, up_to, most| {
            let is_kept = matches!(stream.channel(), Channel::Trades | Channel::Quotes);
            let published = published.borrow();
            let objects = published.get(&stream).filter(|_| is_kept).into_iter().flatten();
            let objects = objects.filter(|object| object.seq > after && object.seq <= up_to);
            objects.take(most).copied().map(RetainedObject::from).collect()
        })
    }
}

/// What a client's socket has taken, and the room that it has left.
#[derive(Default)]
struct Socket {
    room: usize,
    bytes: Vec<u8>,
}

impl Socket {
    fn take(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.room);
        self.room -= count;
        self.bytes.extend_from_slice(&bytes[..count]);
        count
    }
}

/// A client, and what it has of each stream.
struct Client {
    socket: Rc<RefCell<Socket>>,
    protocol: Protocol,
    executor: CommandExecutor,
    /// The command that is being carried out.
    execution: Option<CommandExecution>,
    state: Rc<SessionState>,
    _membership: HubMembership,
    last: HashMap<(String, String), u64>,
    gaps: u64,
    merged: u64,
    epoch: String,
    /// The keys of tickers that the last acknowledgement granted; `None` for all of them.
    fields: Option<Vec<String>>,
    /// Whether it granted changes.
    delta: bool,
    /// What the client has put together of each ticker.
    boards: HashMap<String, Board>,
    tickers: Rc<RefCell<PublishedTickers>>,
    /// The ticker objects that were changes, and those that were whole.
    changes: u64,
    whole: u64,
}

impl Client {
    /// Connects a client that has these numbers of an epoch.
    fn connect(world: &mut World, had: &str, last: HashMap<(String, String), u64>) -> Self {
        let hub = world.random.random_range(0..2);
        Self::connect_to(world, hub, had, last)
    }

    fn connect_to(world: &World, hub: usize, had: &str, last: HashMap<(String, String), u64>) -> Self {
        let hub = &world.hubs[hub];
        let epoch = hub.epoch().unwrap_or(EPOCH);
        // Numbers of another epoch say nothing.
        let last = if had == epoch.to_string() { last } else { HashMap::new() };
        let limits = OutboxLimits { conflate_above: 400, end_above: 1_500, frame_bytes: 500 };
        let outbox = Outbox::new(Codec::Json, limits);
        let socket: Rc<RefCell<Socket>> = Rc::default();
        let far_end = Rc::clone(&socket);
        let transport = FakeTransport::taking(move |bytes: &[u8]| far_end.borrow_mut().take(bytes));
        let writer = SocketWriter::new(Box::new(transport), Bytes::new());
        let state = Rc::new(SessionState::new(
            Rc::clone(hub),
            crate::hub::SubscriberIdentity::for_tests(),
            epoch,
            outbox,
            writer,
            world.clock,
        ));
        let executor = CommandExecutor::new(Rc::clone(&state), world.replay(), world.progress.clone(), 1_000);
        let executor = executor.in_steps_of(world.changes_per_step);
        Self {
            socket,
            protocol: Protocol::new(hub.universe(), epoch, Limits::default(), None),
            executor,
            execution: None,
            _membership: HubMembership::join(&state),
            state,
            last,
            gaps: 0,
            merged: 0,
            epoch: epoch.to_string(),
            fields: None,
            delta: false,
            boards: HashMap::new(),
            tickers: Rc::clone(&world.tickers),
            changes: 0,
            whole: 0,
        }
    }

    fn send(&mut self, command: &Value, now: Instant) {
        let command = Command::read(Codec::Json, command.to_string().as_bytes());
        self.protocol.set_epoch(self.state.epoch());
        let outcome = self.protocol.answer(command);
        let response = outcome.response.to_frame(Codec::Json);
        self.execution = Some(self.executor.begin(outcome, response));
        self.step(now);
    }

    /// Carries out a step of the command that is under way, if one is.
    fn step(&mut self, now: Instant) {
        if let Some(execution) = &mut self.execution
            && self.executor.step(execution, self.protocol.subscriptions(), now) == StepResult::Done
        {
            self.execution = None;
        }
    }

    fn finish_command(&mut self, now: Instant) {
        while self.execution.is_some() {
            self.step(now);
        }
    }

    /// Takes up to this many bytes, and checks every number in the frames that are complete.
    fn read(&mut self, bytes: usize, now: Instant) {
        self.socket.borrow_mut().room = bytes;
        write_until_full(&self.state, now);
        self.socket.borrow_mut().room = 0;
        let received = std::mem::take(&mut self.socket.borrow_mut().bytes);
        let mut rest = &received[..];
        while let Some(length) =
            fixtures::payload_range(rest).map(|payload| payload.end).filter(|end| *end <= rest.len())
        {
            let (frame, behind) = rest.split_at(length);
            let objects: Vec<Value> = serde_json::from_slice(fixtures::payload(frame)).unwrap();
            objects.iter().for_each(|object| self.check(object));
            rest = behind;
        }
        self.socket.borrow_mut().bytes = rest.to_vec();
    }

    fn check(&mut self, object: &Value) {
        let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
        match text("T").as_str() {
            "subscription" => {
                let wanted = |(channel, symbol): &(String, String)| {
                    let names = object[channel].as_array();
                    names.is_some_and(|names| names.iter().any(|name| name == symbol || name == "*"))
                };
                self.last.retain(|stream, _| wanted(stream));
                self.boards.retain(|symbol, _| wanted(&("tickers".to_owned(), symbol.clone())));
                self.granted(&object["x"]);
            }
            "epoch" => {
                if object["restart"] == true {
                    self.last.clear();
                }
                self.boards.clear();
                self.epoch = text("epoch");
            }
            "gap" => {
                let stream = (text("ch"), text("S"));
                if stream.0 == "tickers" {
                    self.boards.remove(&stream.1);
                }
                let (from, to) = (object["from"].as_u64().unwrap(), object["to"].as_u64().unwrap());
                let last = self.last.insert(stream, to);
                assert!(last.is_none_or(|last| from == last + 1) && from <= to + 1, "{last:?} {object}");
                self.gaps += 1;
            }
            "h" | "feed" => {}
            kind => {
                let channel = CHANNELS.iter().find(|(letter, _)| *letter == kind).expect("a known kind").1;
                let (sq, cf) = (object["sq"].as_u64().unwrap(), object["cf"].as_u64().unwrap_or(0));
                let last = self.last.insert((channel.to_owned(), text("S")), sq);
                if object["sn"] != true {
                    assert!(last.is_none_or(|last| sq == last + cf + 1), "after {last:?}: {object}");
                }
                self.merged += cf;
                if kind == "k" {
                    self.check_ticker(object.as_object().unwrap().clone());
                }
            }
        }
    }

    /// Takes in the options of an acknowledgement.
    fn granted(&mut self, x: &Value) {
        let keys = x["fields"]["tickers"].as_array();
        let fields: Option<Vec<_>> =
            keys.map(|keys| keys.iter().map(|key| key.as_str().unwrap().to_owned()).collect());
        let delta = x["delta"] == true;
        if (&fields, delta) != (&self.fields, self.delta) {
            (self.fields, self.delta) = (fields, delta);
            self.boards.clear();
        }
    }

    /// Puts a ticker together, and compares it with the one that clients without `fields` and `delta` get.
    fn check_ticker(&mut self, mut object: Board) {
        let (symbol, sq) = (object["S"].as_str().unwrap().to_owned(), object["sq"].as_u64().unwrap());
        let is_full = object.remove("full").is_some();
        let is_snapshot = object.remove("sn").is_some();
        object.remove("cf");
        let mut expected = self.tickers.borrow().of(&self.epoch, &symbol, sq);
        if let Some(fields) = &self.fields {
            expected.retain(|key, _| {
                let has_time = !fields.iter().any(|selected| selected == "-t");
                let is_fixed = ["T", "S", "sq"].contains(&&**key) || (key == "t" && has_time);
                is_fixed || fields.iter().any(|selected| selected == key)
            });
        }
        if !self.delta {
            assert!(!is_full);
            assert_eq!(object, expected);
            return;
        }
        assert!(is_full || !is_snapshot);
        if is_full {
            self.whole += 1;
            self.boards.insert(symbol.clone(), object);
        } else {
            self.changes += 1;
            let board = self.boards.get_mut(&symbol).expect("the first object is whole");
            board.extend(object);
        }
        assert_eq!(self.boards[&symbol], expected, "sq {sq}, full: {is_full}");
    }

    fn resume(&self) -> Value {
        let mut sq = serde_json::Map::new();
        for ((channel, symbol), last) in &self.last {
            sq.entry(channel).or_insert_with(|| json!({}))[symbol] = json!(last);
        }
        json!({ "epoch": self.epoch, "sq": sq })
    }
}

/// The length of the first frame, once it is known (RFC 6455 section 5.2).
const CHANNELS: [(&str, &str); 5] =
    [("t", "trades"), ("q", "quotes"), ("b", "bars"), ("d", "dailyBars"), ("k", "tickers")];

/// Any command that a client might send.
fn command(random: &mut StdRng) -> Value {
    let names = ["AAPL", "MSFT", "ZZZZ", "*"];
    let action = if random.random_range(0..3) == 0 { "unsubscribe" } else { "subscribe" };
    let mut command = json!({ "action": action });
    for (_, channel) in CHANNELS {
        let count = random.random_range(0..3);
        let list: Vec<_> = (0..count).map(|_| names[random.random_range(0..names.len())]).collect();
        command[channel] = json!(list);
    }
    command["x"] = json!({ "id": 1, "snapshot": random.random_range(0..4) == 0 });
    if random.random_range(0..3) == 0 {
        let interval = [0, 0, 20, 250][random.random_range(0..4)];
        command["x"]["conflate_ms"] = json!(interval);
    }
    if random.random_range(0..3) == 0 {
        command["x"]["delta"] = json!(random.random_range(0..4) > 0);
    }
    if random.random_range(0..5) == 0 {
        let keys = ["p", "s", "bp", "bs", "ap", "as", "o", "h", "l", "pc", "v", "n", "vw", "-t", "sq", "zz"];
        let selected: Vec<_> = keys.iter().filter(|_| random.random()).collect();
        command["x"]["fields"] = if random.random() { json!({ "tickers": selected }) } else { json!(null) };
    }
    command
}

/// The numbers of all streams add up, and with `delta` and `fields` each client puts together the tickers that it would
/// get without them: while it is slow, with an interval, after it resumed, in another epoch, when it changes its options.
#[test]
fn for_every_client_and_every_stream_the_numbers_add_up() {
    let (mut gaps, mut merged, mut received) = (0, 0, 0);
    let (mut changes, mut whole) = (0, 0);
    for seed in 0..60 {
        let mut world = World::new(seed);
        world.has_epochs = seed % 4 == 3;
        let mut clients: Vec<_> = (0..4).map(|_| Client::connect(&mut world, "", HashMap::new())).collect();

        for _ in 0..250 {
            world.tick();
            for (place, client) in clients.iter_mut().enumerate() {
                client.step(world.clock);
                match world.random.random_range(0..20) {
                    0 | 1 if client.execution.is_none() => {
                        client.send(&command(&mut world.random), world.clock);
                    }
                    2 => {
                        // The connection breaks with all that was in transit; the client reconnects and resumes.
                        let names: Vec<_> = client.last.keys().cloned().collect();
                        let resume = client.resume();
                        (changes, whole) = (changes + client.changes, whole + client.whole);
                        let had = std::mem::take(&mut client.last);
                        *client = Client::connect(&mut world, &client.epoch.clone(), had);
                        let mut again = json!({ "action": "subscribe", "x": { "resume": resume } });
                        for (_, channel) in CHANNELS {
                            let symbols =
                                names.iter().filter(|(of, _)| of == channel).map(|(_, symbol)| symbol);
                            again[channel] = json!(symbols.collect::<Vec<_>>());
                        }
                        client.send(&again, world.clock);
                    }
                    // The first client rarely reads.
                    choice if place > 0 || choice == 3 => {
                        client.read(world.random.random_range(0..800), world.clock);
                    }
                    _ => {}
                }
            }
            if world.random.random_range(0..4) == 0 {
                let now = Now { steady: world.clock + Duration::from_secs(3600), wall: world.now };
                world.hubs.iter().for_each(|hub| hub.run_timers(now));
            }
        }

        world.rest();
        for client in &mut clients {
            client.finish_command(world.clock);
            client.read(usize::MAX, world.clock);
            client.send(&json!({ "action": "subscribe", "x": { "conflate_ms": 0 } }), world.clock);
            client.finish_command(world.clock);
            client.read(usize::MAX, world.clock);
            for ((channel, symbol), last) in &client.last {
                let channel = Channel::ALL.into_iter().find(|known| known.name() == channel).unwrap();
                let symbol = SymbolId(u32::from(symbol == "MSFT"));
                let newest = world.hubs[0]
                    .with_last_values(|last_values| last_values.seq(StreamId::new(channel, symbol)));
                assert_eq!(Seq(*last), newest, "{channel:?} {symbol:?}: the newest arrives at last");
                received += last;
            }
            (gaps, merged) = (gaps + client.gaps, merged + client.merged);
            (changes, whole) = (changes + client.changes, whole + client.whole);
        }
    }
    assert!(
        gaps > 100 && merged > 1_000 && received > 10_000,
        "{gaps} gaps, {merged} merged, {received} received"
    );
    assert!(changes > 1_000 && whole > 500, "{changes} tickers as changes, {whole} whole");
}

/// A listing in the middle of the day: the new instrument's streams reach every client that subscribed to
/// them before the market knew them, by name, by `*`, and with an interval.
#[test]
fn a_new_instrument_reaches_the_clients_that_subscribed_before_it_was_listed() {
    let mut world = World::new(0);
    let now = world.clock;
    let mut clients = [r#"["ZZZZ"]"#, r#"["*"]"#, r#"["ZZZZ"]"#, r#"["*"]"#].map(|names| {
        let mut client = Client::connect_to(&world, 0, "", HashMap::new());
        client.send(
            &serde_json::from_str(&format!(r#"{{"action":"subscribe","quotes":{names}}}"#)).unwrap(),
            now,
        );
        client
    });
    for client in &mut clients[2..] {
        client.send(&json!({ "action": "subscribe", "x": { "conflate_ms": 100 } }), now);
    }
    let hub = Rc::clone(&world.hubs[0]);
    let universe = Arc::new(fixtures::universe_of(&["AAPL", "MSFT", "ZZZZ"]));
    let quote = |seq| {
        let Body::Quote(quote) = fixtures::quote().body else { unreachable!() };
        Object { seq: Seq(seq), body: Body::Quote(crate::model::Quote { symbol: SymbolId(2), ..quote }) }
    };
    let batch = |seq| Arc::new(Batch::new(Arc::clone(&universe), world.now, vec![quote(seq)], vec![]));

    hub.ingest(&[batch(1)], now);
    for client in &mut clients {
        let first = client.protocol.extend_universe(hub.universe());
        client.executor.add_new_instruments(first, client.protocol.subscriptions(), now);
    }
    clients.iter_mut().for_each(|client| client.read(usize::MAX, now));
    hub.ingest(&[batch(2)], now);
    world.clock += Duration::from_secs(1);
    hub.run_timers(Now { steady: world.clock, wall: world.now });

    let received = clients.each_mut().map(|client| {
        client.read(usize::MAX, world.clock);
        client.last.get(&("quotes".to_owned(), "ZZZZ".to_owned())).copied()
    });
    assert_eq!(received, [Some(2); 4]);
}
