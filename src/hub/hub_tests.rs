use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::hub::{Newest, Vitals};
use crate::model::{Object, Seq, Timestamp};
use crate::wire::fixtures;

/// Notes who was called and with how many objects.
struct Noted {
    name: usize,
    calls: Rc<RefCell<Vec<(usize, usize)>>>,
}

impl Subscriber for Noted {
    fn deliver(&self, _: &Turn<'_>, picks: &[Pick]) {
        self.calls.borrow_mut().push((self.name, picks.len()));
    }

    fn may_wait(&self) -> bool {
        true
    }

    fn due(&self, _: Instant, _: &Newest) -> Option<Instant> {
        None
    }

    fn vitals(&self) -> Vitals {
        let now = Instant::now();
        Vitals { heard: now, pinged: now, stalled: None, dismissed: None, waiting_bytes: 0 }
    }

    fn ping(&self) {}

    fn dismiss(&self, _: Close) {}

    fn sever(&self) {}
}

type Calls = Rc<RefCell<Vec<(usize, usize)>>>;

/// A hub with so many subscribers who all want the same, and what it called.
fn hub(subscribers: usize, max_delay: Duration) -> (Hub, Calls) {
    let hub = Hub::new(1, Patience::default(), max_delay, WorkerMetrics::default());
    let calls = Calls::default();
    for name in 0..subscribers {
        let key = hub.join(Rc::new(Noted { name, calls: Rc::clone(&calls) }));
        hub.change_interests(|index| index.add(key, fixtures::trade().stream()));
    }
    (hub, calls)
}

fn batch(seq: u64) -> Arc<Batch> {
    let trade = Object { seq: Seq(seq), ..fixtures::trade() };
    Arc::new(Batch::new(Arc::new(fixtures::universe()), Timestamp::default(), vec![trade], vec![]))
}

#[test]
fn a_turn_is_bounded_and_who_was_left_over_comes_next_with_what_came_since() {
    let (hub, calls) = hub(MOST_DELIVERIES + 10, Duration::ZERO);
    let now = Instant::now();

    hub.hand_out(&[batch(1)], now);
    assert_eq!(calls.borrow().len(), MOST_DELIVERIES);
    assert!(hub.has_more());

    calls.borrow_mut().clear();
    hub.hand_out(&[batch(2)], now);
    let first_ten: Vec<_> = (MOST_DELIVERIES..MOST_DELIVERIES + 10).map(|name| (name, 2)).collect();
    assert_eq!(calls.borrow()[..10], first_ten);
    assert!(hub.has_more());

    hub.hand_out(&[], now);
    assert!(!hub.has_more());
    let mut objects = vec![0; MOST_DELIVERIES + 10];
    calls.borrow().iter().for_each(|(name, count)| objects[*name] += count);
    assert!(objects[..MOST_DELIVERIES].iter().all(|count| *count == 1), "{objects:?}");
    assert!(objects[MOST_DELIVERIES..].iter().all(|count| *count == 2), "{objects:?}");
}

#[test]
fn who_was_left_over_does_not_wait_another_delay() {
    let delay = Duration::from_millis(5);
    let (hub, calls) = hub(MOST_DELIVERIES + 10, delay);
    let (start, answered) = (Instant::now(), Cell::new(0));
    let hand_out = |batches: &[Arc<Batch>], at| {
        hub.hand_out(batches, at);
        while hub.has_more() {
            hub.hand_out(&[], at);
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

    (1..=MOST_BATCHES as u64 + 1).for_each(|seq| hub.hand_out(&[batch(seq)], now));

    assert!(!hub.has_more());
    let objects: usize = calls.borrow().iter().map(|(_, count)| count).sum();
    assert_eq!(objects, 40 * MOST_DELIVERIES * (MOST_BATCHES + 1));
}
