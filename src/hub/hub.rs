use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::heartbeat::Verdict;
use super::{Index, Patience, Pick, Subscriber, SubscriberKey, Turn};
use crate::metrics::WorkerMetrics;
use crate::tape::{Batch, Latest};
use crate::wire::Close;

/// The subscribers of one worker thread.
///
/// Everybody on the thread calls it plainly, so what a session subscribes to is in force with the
/// very next batch, and what it is told of the newest objects agrees with what it gets after them.
pub struct Hub {
    state: RefCell<State>,
    patience: Patience,
    metrics: WorkerMetrics,
}

struct State {
    index: Index,
    seats: Vec<Option<Seat>>,
    touched: Vec<SubscriberKey>,
    latest: Latest,
    /// When subscribers want to be called, the soonest first.
    agenda: BinaryHeap<Reverse<(Instant, SubscriberKey)>>,
}

/// A subscriber, and what the turn has found for him so far.
struct Seat {
    subscriber: Rc<dyn Subscriber>,
    picks: Vec<Pick>,
    /// When it wants to be called next; other entries of the agenda are void.
    due: Option<Instant>,
}

/// Room for picks that a seat may keep from turn to turn.
const KEPT_PICKS: usize = 64;

impl Hub {
    /// A hub without subscribers, over so many symbols.
    pub fn new(symbols: usize, patience: Patience, metrics: WorkerMetrics) -> Self {
        let state = State {
            index: Index::new(symbols),
            seats: Vec::new(),
            touched: Vec::new(),
            latest: Latest::new(symbols),
            agenda: BinaryHeap::new(),
        };
        Self { state: RefCell::new(state), patience, metrics }
    }

    /// A subscriber comes; it wants nothing yet.
    pub fn join(&self, subscriber: Rc<dyn Subscriber>) -> SubscriberKey {
        let mut state = self.state.borrow_mut();
        let key = state.index.join();
        if state.seats.len() <= key.0 {
            state.seats.resize_with(key.0 + 1, || None);
        }
        state.seats[key.0] = Some(Seat { subscriber, picks: Vec::new(), due: None });
        self.metrics.opened.inc();
        self.metrics.sessions.inc();
        key
    }

    /// A subscriber goes, with all that it wanted.
    pub fn leave(&self, key: SubscriberKey) {
        let mut state = self.state.borrow_mut();
        state.index.leave(key);
        state.seats[key.0] = None;
        self.metrics.sessions.dec();
    }

    /// Changes what subscribers want. In force with the next batch.
    pub fn change_interests(&self, change: impl FnOnce(&mut Index)) {
        change(&mut self.state.borrow_mut().index);
    }

    /// Looks at the newest objects, as of the last batch that was handed out.
    pub fn with_latest<T>(&self, look: impl FnOnce(&Latest) -> T) -> T {
        look(&self.state.borrow().latest)
    }

    /// The counts of this worker.
    pub fn metrics(&self) -> &WorkerMetrics {
        &self.metrics
    }

    /// How things stand before the first batch.
    pub fn stand(&self, latest: Latest) {
        self.state.borrow_mut().latest = latest;
    }

    /// Hands these batches out: each subscriber is called once, with all that it wants of them.
    pub fn hand_out(&self, batches: &[Arc<Batch>]) {
        let state = &mut *self.state.borrow_mut();
        for (number, batch) in batches.iter().enumerate() {
            state.latest.told_until(batch.newest());
            for (place, object) in batch.objects().enumerate() {
                state.latest.put(*object);
                for key in state.index.who_wants(object.stream()) {
                    let Some(seat) = &mut state.seats[key.0] else { continue };
                    if seat.picks.is_empty() {
                        state.touched.push(key);
                    }
                    seat.picks.push(Pick::new(number, place));
                }
            }
        }
        let turn = Turn::new(batches);
        for key in state.touched.drain(..) {
            let Some(seat) = &mut state.seats[key.0] else { continue };
            seat.subscriber.deliver(&turn, &seat.picks);
            seat.picks.clear();
            seat.picks.shrink_to(KEPT_PICKS);
        }
    }

    /// The subscriber wants to be [called](Subscriber::due) at this time, and at no other that it said
    /// before; `None` is never.
    pub fn set_due(&self, key: SubscriberKey, due: Option<Instant>) {
        let state = &mut *self.state.borrow_mut();
        let Some(seat) = &mut state.seats[key.0] else { return };
        seat.due = due;
        state.agenda.extend(due.map(|at| Reverse((at, key))));
    }

    /// Calls everybody who is due by now.
    pub fn call_due(&self, now: Instant) {
        let state = &mut *self.state.borrow_mut();
        while let Some(Reverse((at, key))) = state.agenda.peek().copied()
            && at <= now
        {
            state.agenda.pop();
            let Some(seat) = state.seats[key.0].as_mut().filter(|seat| seat.due == Some(at)) else {
                continue;
            };
            seat.due = seat.subscriber.due(now, &state.latest);
            state.agenda.extend(seat.due.map(|next| Reverse((next, key))));
        }
    }

    /// Looks after the silent and the stalled; call it about once a second.
    pub fn beat(&self, now: Instant) {
        let mut waiting_bytes = 0;
        for seat in self.state.borrow().seats.iter().flatten() {
            let subscriber = &seat.subscriber;
            let vitals = subscriber.vitals();
            waiting_bytes += vitals.waiting_bytes as i64;
            match self.patience.verdict(&vitals, now) {
                Verdict::Fine => {}
                Verdict::Ping => subscriber.ping(),
                Verdict::Silent => subscriber.dismiss(Close::Unresponsive),
                Verdict::Stalled => subscriber.dismiss(Close::SlowClient),
                Verdict::Overstays => {
                    self.metrics.severed.inc();
                    subscriber.sever();
                }
            }
        }
        self.metrics.waiting.set(waiting_bytes);
    }

    /// Tells everybody to go.
    pub fn dismiss_all(&self, why: Close) {
        for seat in self.state.borrow().seats.iter().flatten() {
            seat.subscriber.dismiss(why);
        }
    }
}
