use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;
use crate::alerts::AlertFire;
use crate::hub::{
    ConnectionHealth, EncodedLastValues, FrameForm, Inquiry, SubscriberFigures, SubscriberIdentity,
};
use crate::metrics::FrameTotals;
use crate::model::{BegunEpoch, Body, FeedNotice, Missed, Object, Seq, StreamId, SymbolId, Timestamp, Trade};
use crate::transport::fake::FakeTransport;
use crate::wire::{Codec, TickerFields, fixtures};

/// A writer whose socket takes nothing at once.
fn writer() -> Rc<SocketWriter> {
    Rc::new(SocketWriter::new(Box::new(FakeTransport::taking(<[u8]>::len)), Bytes::new()))
}

/// A subscriber that acts by these functions.
struct TestSubscriber<F> {
    fast_path: Box<dyn Fn() -> Option<FrameForm>>,
    deliver: F,
    frame_sent: Box<dyn Fn(&Bytes)>,
    told: Told<FeedNotice>,
    missed: Told<Missed>,
    queued_bytes: usize,
    identity: SubscriberIdentity,
}

type Told<T> = Box<dyn Fn(&[T])>;

impl<F: Fn(&FanOut<'_>, &[ObjectRef])> TestSubscriber<F> {
    fn new(deliver: F) -> Self {
        Self {
            fast_path: Box::new(|| None),
            deliver,
            frame_sent: Box::new(|_| ()),
            told: Box::new(|_| ()),
            missed: Box::new(|_| ()),
            queued_bytes: 0,
            identity: SubscriberIdentity::for_tests(),
        }
    }
}

impl<F: Fn(&FanOut<'_>, &[ObjectRef])> Subscriber for TestSubscriber<F> {
    fn fast_path(&self, _: Instant) -> Option<FrameForm> {
        (self.fast_path)()
    }

    fn deliver(&self, fan_out: &FanOut<'_>, objects: &[ObjectRef]) {
        (self.deliver)(fan_out, objects);
    }

    fn frame_sent(&self, frame: &Bytes, _: io::Result<usize>) {
        (self.frame_sent)(frame);
    }

    fn may_coalesce(&self) -> bool {
        true
    }

    fn run_timer(&self, _: Now, _: &EncodedLastValues) -> Option<Instant> {
        None
    }

    fn feed_changed(&self, _: Option<BegunEpoch>, notices: &[FeedNotice], _: &FanOut<'_>) {
        (self.told)(notices);
    }

    fn objects_missed(&self, missed: &[Missed], _: Instant) {
        (self.missed)(missed);
    }

    fn alerts_fired(&self, _: &[AlertFire], _: Instant) -> Option<Instant> {
        None
    }

    fn trades_unevaluated(&self, _: Missed, _: &Universe, _: Instant) {}

    fn universe_grew(&self) {}

    fn health(&self, now: Instant) -> ConnectionHealth {
        let client = Default::default();
        let queued_bytes = self.queued_bytes;
        ConnectionHealth { heard: now, pinged: now, stalled: None, closing: None, queued_bytes, client }
    }

    fn identity(&self) -> &SubscriberIdentity {
        &self.identity
    }

    fn figures(&self) -> SubscriberFigures {
        SubscriberFigures {
            symbols: 1,
            backlog_bytes: self.queued_bytes,
            stalled: None,
            heard: self.identity.opened,
            sent: FrameTotals::default(),
            gaps: 0,
            missed: 0,
            is_muted: false,
            is_closing: false,
        }
    }

    fn set_muted(&self, _: bool) {}

    fn inquire(&self, _: Inquiry) {}

    fn ping(&self, _: Instant) {}

    fn close(&self, _: Close, _: Duration, _: Instant) {}

    fn abort(&self) {}
}

/// The names of the subscribers that were called, with the number of objects.
type Calls = Rc<RefCell<Vec<(usize, usize)>>>;

/// A hub with this number of identical subscribers, and its calls.
fn hub(subscribers: usize, max_delay: Duration) -> (Hub, Calls) {
    let hub = Hub::for_tests(max_delay);
    let calls = Calls::default();
    for name in 0..subscribers {
        join(&hub, name, SymbolId(0), &calls);
    }
    (hub, calls)
}

/// Adds a subscriber to the trades of one symbol.
fn join(hub: &Hub, name: usize, symbol: SymbolId, calls: &Calls) {
    let calls = Rc::clone(calls);
    let deliver = move |_: &FanOut<'_>, objects: &[ObjectRef]| {
        calls.borrow_mut().push((name, objects.len()));
    };
    let key = hub.join(Rc::new(TestSubscriber::new(deliver)), writer());
    hub.change_subscriptions(key, &[SubscriptionChange::Add(trade(symbol, 1).stream())]);
}

fn trade(symbol: SymbolId, seq: u64) -> Object {
    let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
    Object { seq: Seq(seq), body: Body::Trade(Trade { symbol, ..trade }) }
}

fn batch(seq: u64) -> Arc<Batch> {
    batch_of(vec![trade(SymbolId(0), seq)])
}

fn batch_of(objects: Vec<Object>) -> Arc<Batch> {
    Arc::new(Batch::new(Arc::new(fixtures::universe()), Timestamp::default(), objects, vec![]))
}

#[test]
fn a_notice_comes_behind_earlier_objects_and_before_those_of_its_batch() {
    let hub = Hub::for_tests(Duration::from_secs(9));
    let seen = Rc::new(RefCell::new(Vec::new()));
    for _ in 0..2 {
        let (delivered, told) = (Rc::clone(&seen), Rc::clone(&seen));
        let mut subscriber = TestSubscriber::new(move |_: &FanOut<'_>, objects: &[ObjectRef]| {
            delivered.borrow_mut().push(objects.len());
        });
        subscriber.told = Box::new(move |notices| told.borrow_mut().push(1_000 * notices.len()));
        let key = hub.join(Rc::new(subscriber), writer());
        hub.change_subscriptions(key, &[SubscriptionChange::Add(trade(SymbolId(0), 1).stream())]);
    }
    let now = Instant::now();
    hub.ingest(&[batch(1)], now);
    seen.borrow_mut().clear();
    // Waits to be coalesced.
    hub.ingest(&[batch(2)], now);
    assert_eq!(*seen.borrow(), [0usize; 0]);

    let objects = vec![trade(SymbolId(0), 3), trade(SymbolId(0), 4)];
    let notice = FeedNotice::clock_was_set(Timestamp::default(), Timestamp::from_nanos(1));
    let universe = Arc::new(fixtures::universe());
    let told = Batch::new(universe, Timestamp::default(), objects, vec![]).with_notices(vec![notice]);
    hub.ingest(&[Arc::new(told)], now);
    hub.ingest(&[], now + Duration::from_secs(10));

    assert_eq!(*seen.borrow(), [1, 1_000, 1, 1_000, 2, 2]);
}

#[test]
fn a_subscriber_is_told_what_is_missing_of_its_own_streams_behind_what_came_before() {
    let hub = Hub::for_tests(Duration::from_secs(9));
    let seen = Rc::new(RefCell::new(Vec::new()));
    for symbol in [SymbolId(0), SymbolId(1)] {
        let [delivered, told] = [(); 2].map(|()| Rc::clone(&seen));
        let mut subscriber = TestSubscriber::new(move |_: &FanOut<'_>, _: &[ObjectRef]| {
            delivered.borrow_mut().push((symbol, 0));
        });
        subscriber.missed = Box::new(move |missed| {
            told.borrow_mut().extend(missed.iter().map(|missed| (missed.stream.symbol(), missed.to.0)));
        });
        let key = hub.join(Rc::new(subscriber), writer());
        hub.change_subscriptions(key, &[SubscriptionChange::Add(trade(symbol, 1).stream())]);
    }
    let now = Instant::now();
    hub.ingest(&[batch(1)], now);
    // Waits to be coalesced.
    hub.ingest(&[batch(2)], now);
    seen.borrow_mut().clear();

    let stream = trade(SymbolId(0), 1).stream();
    let universe = Arc::new(fixtures::universe());
    let batch = Batch::new(universe, Timestamp::default(), vec![trade(SymbolId(0), 6)], vec![]);
    hub.ingest(&[Arc::new(batch.with_missed(vec![Missed { stream, from: Seq(3), to: Seq(5) }]))], now);
    hub.ingest(&[], now + Duration::from_secs(10));

    assert_eq!(*seen.borrow(), [0, 5, 0].map(|to| (SymbolId(0), to)));
}

#[test]
fn a_fan_out_is_bounded_and_the_remaining_subscribers_come_next_with_what_came_since() {
    let (hub, calls) = hub(MAX_DELIVERIES + 10, Duration::ZERO);
    let now = Instant::now();

    hub.ingest(&[batch(1)], now);
    assert_eq!(calls.borrow().len(), MAX_DELIVERIES);
    assert!(hub.has_more());

    calls.borrow_mut().clear();
    hub.ingest(&[batch(2)], now);
    let first_ten: Vec<_> = (MAX_DELIVERIES..MAX_DELIVERIES + 10).map(|name| (name, 2)).collect();
    assert_eq!(calls.borrow()[..10], first_ten);
    assert!(hub.has_more());

    hub.ingest(&[], now);
    assert!(!hub.has_more());
    let mut objects = vec![0; MAX_DELIVERIES + 10];
    calls.borrow().iter().for_each(|(name, count)| objects[*name] += count);
    assert!(objects[..MAX_DELIVERIES].iter().all(|count| *count == 1), "{objects:?}");
    assert!(objects[MAX_DELIVERIES..].iter().all(|count| *count == 2), "{objects:?}");
}

/// Sending evicts the hub's data from the caches, so it happens once for all.
#[test]
fn frames_are_sent_and_counted_after_all_subscribers_were_called() {
    let (hub, _) = hub(0, Duration::ZERO);
    let (log, sent) = (Rc::new(RefCell::new(String::new())), Rc::new(Cell::new(0)));
    for name in "abc".chars() {
        let [called, left] = [(); 2].map(|()| Rc::clone(&log));
        let bytes = Rc::clone(&sent);
        let mut subscriber =
            TestSubscriber::new(|_: &FanOut<'_>, _: &[ObjectRef]| panic!("the fast path is open"));
        subscriber.fast_path = Box::new(move || {
            called.borrow_mut().push(name);
            Some(FrameForm { codec: Codec::Json, deflate: None, max_bytes: 4096, tickers: TickerFields::ALL })
        });
        subscriber.frame_sent = Box::new(move |frame| {
            left.borrow_mut().push(name.to_ascii_uppercase());
            bytes.set(bytes.get() + frame.len() as u64);
        });
        let key = hub.join(Rc::new(subscriber), writer());
        hub.change_subscriptions(key, &[SubscriptionChange::Add(trade(SymbolId(0), 1).stream())]);
    }

    hub.ingest(&[batch_of(vec![trade(SymbolId(0), 1), trade(SymbolId(0), 2)])], Instant::now());

    assert_eq!(*log.borrow(), "abcABC");
    let WorkerMetrics { frames, objects, bytes, .. } = hub.metrics();
    assert_eq!([frames.get(), objects.get(), bytes.get()], [3, 6, sent.get()]);
    assert!(sent.get() > 0);
}

#[test]
fn a_remaining_subscriber_does_not_wait_another_delay() {
    let delay = Duration::from_millis(5);
    let (hub, calls) = hub(MAX_DELIVERIES + 10, delay);
    let (start, served_count) = (Instant::now(), Cell::new(0));
    let ingest = |batches: &[Arc<Batch>], at| {
        hub.ingest(batches, at);
        while hub.has_more() {
            hub.ingest(&[], at);
        }
        served_count.set(served_count.get() + calls.take().len());
    };

    ingest(&[batch(1)], start);
    assert_eq!(served_count.get(), MAX_DELIVERIES + 10, "a quiet subscriber is served at once");
    ingest(&[batch(2)], start + delay / 2);
    assert_eq!(served_count.get(), MAX_DELIVERIES + 10, "a busy one waits");
    ingest(&[], start + delay);
    assert_eq!(served_count.get(), 2 * (MAX_DELIVERIES + 10));
}

/// With one worker the market's source is polled between two fan-outs: none may take longer because the hub is late.
#[test]
fn a_fan_out_is_bounded_however_late_the_hub_is_and_batches_that_all_have_are_forgotten() {
    const SUBSCRIBERS: usize = 10 * MAX_DELIVERIES;
    const BATCHES: u64 = 2_000;
    let (hub, calls) = hub(SUBSCRIBERS, Duration::ZERO);
    let now = Instant::now();
    let mut objects = 0;
    let mut fan_out = |batches: &[Arc<Batch>]| {
        hub.ingest(batches, now);
        assert!(calls.borrow().len() <= MAX_DELIVERIES);
        objects += calls.take().iter().map(|(_, count)| count).sum::<usize>();
    };

    for seq in 1..=BATCHES {
        fan_out(&[batch(seq)]);
        assert!(hub.has_more() && hub.kept_batches() <= MAX_KEPT_BATCHES, "{}", hub.kept_batches());
    }
    while hub.has_more() {
        fan_out(&[]);
    }

    assert_eq!((objects, hub.kept_batches()), (SUBSCRIBERS * BATCHES as usize, 0));
}

#[test]
fn a_delivery_of_many_objects_counts_more() {
    let (hub, calls) = hub(MAX_DELIVERIES, Duration::ZERO);
    let objects = (1..=3 * OBJECTS_PER_DELIVERY as u64).map(|seq| trade(SymbolId(0), seq)).collect();

    hub.ingest(&[batch_of(objects)], Instant::now());

    assert_eq!(calls.borrow().len(), MAX_DELIVERIES / 4);
    assert!(hub.has_more());
}

/// Frames of the fast path hold every object; a late hub offers them to the outbox, which conflates.
#[test]
fn a_late_hub_says_so_to_its_subscribers_and_closes_the_fast_path() {
    let hub = Hub::for_tests(Duration::ZERO);
    let late = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&late);
    let mut subscriber = TestSubscriber::new(move |fan_out: &FanOut<'_>, objects: &[ObjectRef]| {
        seen.borrow_mut().push((fan_out.is_late(), objects.len()));
    });
    subscriber.fast_path = Box::new(|| panic!("the fast path is not asked for"));
    let key = hub.join(Rc::new(subscriber), writer());
    hub.change_subscriptions(key, &[SubscriptionChange::Add(trade(SymbolId(0), 1).stream())]);
    let batches: Vec<_> = (1..=MAX_KEPT_BATCHES as u64 + 1).map(batch).collect();

    hub.ingest(&batches, Instant::now());

    assert_eq!(*late.borrow(), [(true, MAX_KEPT_BATCHES + 1)]);
}

/// A group that exceeds the budget of a fan-out takes turns with the others.
#[test]
fn a_large_group_does_not_keep_a_small_one_waiting() {
    let (hub, calls) = hub(3 * MAX_DELIVERIES, Duration::ZERO);
    join(&hub, usize::MAX, SymbolId(1), &calls);
    let now = Instant::now();
    let of_both = |seq| batch_of(vec![trade(SymbolId(0), seq), trade(SymbolId(1), seq)]);
    let served = || calls.take().iter().any(|(name, _)| *name == usize::MAX);

    for round in 1..=5 {
        let fan_outs = (1..=5).find(|number| {
            hub.ingest(&[of_both(10 * round + number)], now);
            served()
        });
        assert!(fan_outs.is_some_and(|number| number <= 4), "{fan_outs:?} in round {round}");
    }
}

/// A subscriber with what it should have received and what it has.
struct Reader {
    key: SubscriberKey,
    wants: [bool; 2],
    expected: Vec<(StreamId, Seq)>,
    got: Rc<RefCell<Vec<(StreamId, Seq)>>>,
}

impl Reader {
    fn join(hub: &Hub) -> Self {
        let got: Rc<RefCell<Vec<_>>> = Rc::default();
        let record = Rc::clone(&got);
        let deliver = move |fan_out: &FanOut<'_>, objects: &[ObjectRef]| {
            let objects = objects.iter().map(|object| fan_out.object(*object));
            record.borrow_mut().extend(objects.map(|object| (object.stream(), object.seq)));
        };
        Self {
            key: hub.join(Rc::new(TestSubscriber::new(deliver)), writer()),
            wants: [false; 2],
            expected: Vec::new(),
            got,
        }
    }

    fn flip(&mut self, hub: &Hub, symbol: usize, now: Instant) {
        self.wants[symbol] = !self.wants[symbol];
        let (is_wanted, stream) = (self.wants[symbol], trade(SymbolId(symbol as u32), 1).stream());
        hub.flush(self.key, now);
        let change = match is_wanted {
            true => SubscriptionChange::Add(stream),
            false => SubscriptionChange::Remove(stream),
        };
        hub.change_subscriptions(self.key, &[change]);
    }

    fn expect(&mut self, object: &Object) {
        if self.wants[object.stream().symbol().index()] {
            self.expected.push((object.stream(), object.seq));
        }
    }
}

#[test]
fn every_subscriber_receives_its_streams_in_order_whatever_others_do() {
    let mut random = StdRng::seed_from_u64(5);
    let delay = Duration::from_millis(3);
    let hub = Hub::for_tests(delay);
    let mut now = Instant::now();
    let mut readers: Vec<Reader> = Vec::new();

    for seq in 1..=2_000 {
        for _ in 0..random.random_range(0..4) {
            readers.push(Reader::join(&hub));
        }
        for _ in 0..random.random_range(0..4).min(readers.len()) {
            let place = random.random_range(0..readers.len());
            match random.random_range(0..5) {
                0 => {
                    let gone = readers.swap_remove(place);
                    hub.leave(gone.key);
                    assert!(gone.expected.starts_with(&gone.got.borrow()));
                }
                1 => hub.flush(readers[place].key, now),
                choice => readers[place].flip(&hub, choice % 2, now),
            }
        }
        let objects: Vec<_> =
            (0..2).filter(|_| random.random()).map(|symbol| trade(SymbolId(symbol), seq)).collect();
        for reader in &mut readers {
            objects.iter().for_each(|object| reader.expect(object));
        }
        hub.ingest(&[batch_of(objects)], now);
        now += Duration::from_millis(random.random_range(0..2));
    }
    assert!(readers.len() > MAX_DELIVERIES, "fan-outs are interrupted");
    hub.ingest(&[], now + delay);
    while hub.has_more() {
        hub.ingest(&[], now + delay);
    }

    assert_eq!(hub.flush_at(), None);
    for reader in &readers {
        assert_eq!(*reader.got.borrow(), reader.expected);
    }
}

/// Joins a subscriber with this many bytes in its outbox, and counts them.
fn join_slow(hub: &Hub, queued_bytes: usize) {
    let subscriber =
        TestSubscriber { queued_bytes, ..TestSubscriber::new(|_: &FanOut<'_>, _: &[ObjectRef]| ()) };
    hub.join(Rc::new(subscriber), writer());
    hub.check_liveness(Instant::now(), Duration::from_secs(1));
}

#[test]
fn what_waits_in_the_hubs_of_a_worker_adds_up() {
    let hubs: [Hub; 2] = Hub::of_one_worker(Duration::ZERO);

    join_slow(&hubs[0], 3);
    join_slow(&hubs[1], 4);
    join_slow(&hubs[0], 5);

    assert_eq!(hubs[1].metrics().waiting.get(), 3 + 4 + 5);
}

#[test]
fn the_hubs_of_a_worker_divide_what_may_wait() {
    const QUEUED: usize = 10 << 20;
    let ([alone], two): ([Hub; 1], [Hub; 2]) =
        (Hub::of_one_worker(Duration::ZERO), Hub::of_one_worker(Duration::ZERO));

    join_slow(&alone, QUEUED);
    join_slow(&two[0], QUEUED);

    let client = Default::default();
    assert_eq!([&alone, &two[0], &two[1]].map(|hub| hub.is_crowded(client)), [false, true, false]);
}
