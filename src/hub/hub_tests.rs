use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;
use crate::hub::{ConnectionHealth, EncodedLastValues, FrameKey};
use crate::model::{Body, Object, Seq, StreamId, SymbolId, Timestamp, Trade};
use crate::transport::RawSocket;
use crate::wire::{Codec, fixtures};

/// Does with what it gets, and with what it gave, as it is told.
struct Taking<F, G>(F, G);

impl<F: Fn(&FanOut<'_>, &[ObjectRef]) -> Option<FrameKey>, G: Fn(&Bytes)> Subscriber for Taking<F, G> {
    fn deliver(&self, turn: &FanOut<'_>, picks: &[ObjectRef]) -> Option<FrameKey> {
        self.0(turn, picks)
    }

    fn socket(&self) -> Option<RawSocket<'_>> {
        None
    }

    fn sent(&self, frame: &Bytes, _: io::Result<usize>) {
        self.1(frame);
    }

    fn may_wait(&self) -> bool {
        true
    }

    fn due(&self, _: Instant, _: &EncodedLastValues) -> Option<Instant> {
        None
    }

    fn vitals(&self) -> ConnectionHealth {
        let now = Instant::now();
        ConnectionHealth { heard: now, pinged: now, stalled: None, dismissed: None, waiting_bytes: 0 }
    }

    fn ping(&self) {}

    fn dismiss(&self, _: Close) {}

    fn sever(&self) {}
}

/// Who was called and with how many objects.
type Calls = Rc<RefCell<Vec<(usize, usize)>>>;

/// A hub with so many subscribers who all want the same, and what it called.
fn hub(subscribers: usize, max_delay: Duration) -> (Hub, Calls) {
    let hub = Hub::new(2, LivenessTimeouts::default(), max_delay, WorkerMetrics::default());
    let calls = Calls::default();
    for name in 0..subscribers {
        join(&hub, name, SymbolId(0), &calls);
    }
    (hub, calls)
}

/// A subscriber who wants the trades of one symbol.
fn join(hub: &Hub, name: usize, symbol: SymbolId, calls: &Calls) {
    let calls = Rc::clone(calls);
    let take = move |_: &FanOut<'_>, picks: &[ObjectRef]| {
        calls.borrow_mut().push((name, picks.len()));
        None
    };
    let key = hub.join(Rc::new(Taking(take, |_: &Bytes| ())));
    hub.change_interests(key, |change| change.add(trade(symbol, 1).stream()));
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
fn a_turn_is_bounded_and_who_was_left_over_comes_next_with_what_came_since() {
    let (hub, calls) = hub(MOST_DELIVERIES + 10, Duration::ZERO);
    let now = Instant::now();

    hub.ingest(&[batch(1)], now);
    assert_eq!(calls.borrow().len(), MOST_DELIVERIES);
    assert!(hub.has_more());

    calls.borrow_mut().clear();
    hub.ingest(&[batch(2)], now);
    let first_ten: Vec<_> = (MOST_DELIVERIES..MOST_DELIVERIES + 10).map(|name| (name, 2)).collect();
    assert_eq!(calls.borrow()[..10], first_ten);
    assert!(hub.has_more());

    hub.ingest(&[], now);
    assert!(!hub.has_more());
    let mut objects = vec![0; MOST_DELIVERIES + 10];
    calls.borrow().iter().for_each(|(name, count)| objects[*name] += count);
    assert!(objects[..MOST_DELIVERIES].iter().all(|count| *count == 1), "{objects:?}");
    assert!(objects[MOST_DELIVERIES..].iter().all(|count| *count == 2), "{objects:?}");
}

/// The kernel's work would drive the hub's out of the caches, once for each of them.
#[test]
fn frames_leave_when_all_have_been_called_and_are_counted() {
    let (hub, _) = hub(0, Duration::ZERO);
    let (log, sent) = (Rc::new(RefCell::new(String::new())), Rc::new(Cell::new(0)));
    for name in "abc".chars() {
        let [called, left] = [(); 2].map(|()| Rc::clone(&log));
        let take = move |turn: &FanOut<'_>, picks: &[ObjectRef]| {
            called.borrow_mut().push(name);
            turn.frame(Codec::Json, None, picks, 4096)
        };
        let bytes = Rc::clone(&sent);
        let leave = move |frame: &Bytes| {
            left.borrow_mut().push(name.to_ascii_uppercase());
            bytes.set(bytes.get() + frame.len() as u64);
        };
        let key = hub.join(Rc::new(Taking(take, leave)));
        hub.change_interests(key, |change| change.add(trade(SymbolId(0), 1).stream()));
    }

    hub.ingest(&[batch_of(vec![trade(SymbolId(0), 1), trade(SymbolId(0), 2)])], Instant::now());

    assert_eq!(*log.borrow(), "abcABC");
    let WorkerMetrics { frames, objects, bytes, .. } = hub.metrics();
    assert_eq!([frames.get(), objects.get(), bytes.get()], [3, 6, sent.get()]);
    assert!(sent.get() > 0);
}

#[test]
fn who_was_left_over_does_not_wait_another_delay() {
    let delay = Duration::from_millis(5);
    let (hub, calls) = hub(MOST_DELIVERIES + 10, delay);
    let (start, answered) = (Instant::now(), Cell::new(0));
    let hand_out = |batches: &[Arc<Batch>], at| {
        hub.ingest(batches, at);
        while hub.has_more() {
            hub.ingest(&[], at);
        }
        answered.set(answered.get() + calls.take().len());
    };

    hand_out(&[batch(1)], start);
    assert_eq!(answered.get(), MOST_DELIVERIES + 10, "who got nothing lately is called at once");
    hand_out(&[batch(2)], start + delay / 2);
    assert_eq!(answered.get(), MOST_DELIVERIES + 10, "who did waits");
    hand_out(&[], start + delay);
    assert_eq!(answered.get(), 2 * (MOST_DELIVERIES + 10));
}

/// A hub that is behind for long keeps a bounded number of batches.
#[test]
fn too_many_batches_are_handed_out_whatever_it_costs() {
    let (hub, calls) = hub(40 * MOST_DELIVERIES, Duration::ZERO);
    let now = Instant::now();

    (1..=MOST_BATCHES as u64 + 1).for_each(|seq| hub.ingest(&[batch(seq)], now));

    assert!(!hub.has_more());
    let objects: usize = calls.borrow().iter().map(|(_, count)| count).sum();
    assert_eq!(objects, 40 * MOST_DELIVERIES * (MOST_BATCHES + 1));
}

/// Whoever has more to do than fits a turn does it by turns with all others.
#[test]
fn a_large_audience_does_not_keep_a_small_one_waiting() {
    let (hub, calls) = hub(3 * MOST_DELIVERIES, Duration::ZERO);
    join(&hub, usize::MAX, SymbolId(1), &calls);
    let now = Instant::now();
    let of_both = |seq| batch_of(vec![trade(SymbolId(0), seq), trade(SymbolId(1), seq)]);
    let served = || calls.take().iter().any(|(name, _)| *name == usize::MAX);

    for round in 1..=5 {
        let turns = (1..=5).find(|turn| {
            hub.ingest(&[of_both(10 * round + turn)], now);
            served()
        });
        assert!(turns.is_some_and(|turns| turns <= 4), "{turns:?} in round {round}");
    }
}

/// A subscriber of the test, and what it is to have got.
struct Reader {
    key: SubscriberKey,
    wants: [bool; 2],
    expected: Vec<(StreamId, Seq)>,
    got: Rc<RefCell<Vec<(StreamId, Seq)>>>,
}

impl Reader {
    fn join(hub: &Hub) -> Self {
        let got: Rc<RefCell<Vec<_>>> = Rc::default();
        let noted = Rc::clone(&got);
        let take = move |turn: &FanOut<'_>, picks: &[ObjectRef]| {
            let objects = picks.iter().map(|pick| turn.object(*pick));
            noted.borrow_mut().extend(objects.map(|object| (object.stream(), object.seq)));
            None
        };
        Self {
            key: hub.join(Rc::new(Taking(take, |_: &Bytes| ()))),
            wants: [false; 2],
            expected: Vec::new(),
            got,
        }
    }

    fn flip(&mut self, hub: &Hub, symbol: usize) {
        self.wants[symbol] = !self.wants[symbol];
        let (is_wanted, stream) = (self.wants[symbol], trade(SymbolId(symbol as u32), 1).stream());
        hub.change_interests(self.key, |change| {
            if is_wanted {
                change.add(stream);
            } else {
                change.remove(stream);
            }
        });
    }

    fn expect(&mut self, object: &Object) {
        if self.wants[object.stream().symbol().index()] {
            self.expected.push((object.stream(), object.seq));
        }
    }
}

#[test]
fn whoever_comes_goes_or_changes_everybody_gets_what_it_wants_in_order() {
    let mut random = StdRng::seed_from_u64(5);
    let delay = Duration::from_millis(3);
    let hub = Hub::new(2, LivenessTimeouts::default(), delay, WorkerMetrics::default());
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
                1 => hub.flush(readers[place].key),
                choice => readers[place].flip(&hub, choice % 2),
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
    assert!(readers.len() > MOST_DELIVERIES, "turns are cut short");
    hub.ingest(&[], now + delay);
    while hub.has_more() {
        hub.ingest(&[], now + delay);
    }

    assert_eq!(hub.flush_at(), None);
    for reader in &readers {
        assert_eq!(*reader.got.borrow(), reader.expected);
    }
}
