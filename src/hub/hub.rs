use std::cell::{RefCell, RefMut};
use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::group::Delivery;
use super::index::{Change, GroupKey};
use super::liveness::LivenessVerdict;
use super::send_queue::SendQueue;
use super::{
    EncodedLastValues, FanOut, FrameCache, Index, LivenessTimeouts, ObjectRef, Subscriber, SubscriberKey,
};
use crate::feed::{Batch, LastValues};
use crate::limits::FairQueue;
use crate::metrics::WorkerMetrics;
use crate::wire::Close;

/// The subscribers of one worker thread.
///
/// Everybody on the thread calls it plainly, so what a session subscribes to is in force with the
/// very next batch, and what it is told of the newest objects agrees with what it gets after them.
pub struct Hub {
    state: RefCell<State>,
    patience: LivenessTimeouts,
    /// The longest that objects wait for others, so that they leave in one frame.
    max_delay: Duration,
    metrics: WorkerMetrics,
    chores: Rc<FairQueue>,
}

struct State {
    index: Index,
    slots: Vec<Option<Slot>>,
    /// The audiences that have yet to get something, in the order in which they get it; a few may be
    /// in it who have everything, or are gone.
    queue: VecDeque<GroupKey>,
    /// The batches that somebody has picks of, in order.
    batches: Vec<Arc<Batch>>,
    frames: FrameCache,
    departures: SendQueue,
    /// When all who wait have waited long enough: the same moment for all, so that those who want
    /// alike share a frame.
    flush_at: Option<Instant>,
    /// Whether the last turn left somebody over whose time has come.
    has_more: bool,
    newest: EncodedLastValues,
    /// When subscribers want to be called, the soonest first.
    agenda: BinaryHeap<Reverse<(Instant, SubscriberKey)>>,
}

/// A subscriber, and when it is to be called.
struct Slot {
    subscriber: Rc<dyn Subscriber>,
    delivered: Option<Instant>,
    /// When it wants to be called next; other entries of the agenda are void.
    due: Option<Instant>,
}

/// Who is due before the next batch can come is due now: a delay of whole milliseconds would be one
/// longer for want of microseconds.
const SLACK: Duration = Duration::from_micros(500);

/// So many batches are kept for those who wait, at most: a tenth of a second of a market that moves
/// each millisecond.
const MOST_BATCHES: usize = 128;

/// So many subscribers are called in one turn, at most: with some 6 µs for each send, 1.5 ms.
const MOST_DELIVERIES: usize = 256;

impl Hub {
    /// A hub without subscribers, over so many symbols.
    pub fn new(
        symbols: usize,
        patience: LivenessTimeouts,
        max_delay: Duration,
        metrics: WorkerMetrics,
    ) -> Self {
        let state = State {
            index: Index::new(symbols),
            slots: Vec::new(),
            queue: VecDeque::new(),
            batches: Vec::new(),
            frames: FrameCache::default(),
            departures: SendQueue::default(),
            flush_at: None,
            has_more: false,
            newest: EncodedLastValues::new(symbols),
            agenda: BinaryHeap::new(),
        };
        let chores = FairQueue::new(Instant::now());
        Self { state: RefCell::new(state), patience, max_delay, metrics, chores }
    }

    /// A subscriber comes; it wants nothing yet.
    pub fn join(&self, subscriber: Rc<dyn Subscriber>) -> SubscriberKey {
        let mut state = self.state.borrow_mut();
        let key = state.index.join();
        if state.slots.len() <= key.0 {
            state.slots.resize_with(key.0 + 1, || None);
        }
        state.slots[key.0] = Some(Slot { subscriber, delivered: None, due: None });
        self.metrics.opened.inc();
        self.metrics.sessions.inc();
        key
    }

    /// A subscriber goes, with all that it wanted.
    pub fn leave(&self, key: SubscriberKey) {
        let mut state = self.state.borrow_mut();
        state.index.leave(key);
        state.slots[key.0] = None;
        self.metrics.sessions.dec();
    }

    /// Changes what a subscriber wants, who gets first what waits for it. In force with the next batch.
    pub fn change_interests(&self, key: SubscriberKey, make: impl FnOnce(&mut Change)) {
        self.flush(key);
        self.state.borrow_mut().index.change(key, make);
    }

    /// Looks at the newest objects, as of the last batch that was handed out.
    pub fn with_latest<T>(&self, look: impl FnOnce(&EncodedLastValues) -> T) -> T {
        look(&self.state.borrow().newest)
    }

    /// The counts of this worker.
    pub fn metrics(&self) -> &WorkerMetrics {
        &self.metrics
    }

    /// The line for work of subscribers that would keep others from what is theirs.
    pub fn chores(&self) -> &Rc<FairQueue> {
        &self.chores
    }

    /// Replaces the last values by a snapshot, which the batches that follow it continue.
    pub fn load_snapshot(&self, snapshot: LastValues) {
        self.state.borrow_mut().newest = EncodedLastValues::of_all(snapshot);
    }

    /// Lends the last values to a feed on this thread, which enters a batch and then has it
    /// [dispatched](Self::dispatch). End the borrow before any other call of the hub.
    pub fn last_values_mut(&self) -> RefMut<'_, LastValues> {
        RefMut::map(self.state.borrow_mut(), |state| state.newest.latest_mut())
    }

    /// Enters the batches of a feed on another thread in the last values, and dispatches them.
    pub fn ingest(&self, batches: &[Arc<Batch>], now: Instant) {
        let mut last_values = self.last_values_mut();
        for batch in batches {
            last_values.set_watermark(batch.watermark());
            batch.objects().for_each(|object| last_values.put(*object));
        }
        drop(last_values);
        self.dispatch(batches, now);
    }

    /// Delivers batches that are in the last values already: calls each subscriber at most once, with all objects
    /// that it subscribes to.
    ///
    /// A subscriber that got nothing for [`max_delay`](Self::new) is called at once. All others wait for one common
    /// moment, at most the delay later, so that fewer and larger frames are sent and subscribers with the same
    /// objects share a frame.
    ///
    /// One call serves a bounded number of subscribers, so that new connections, commands and pings get their share
    /// of the thread. The rest is served by the [next call](Self::has_more), together with the objects that have come
    /// by then.
    pub fn dispatch(&self, batches: &[Arc<Batch>], now: Instant) {
        let state = &mut *self.state.borrow_mut();
        for batch in batches {
            state.match_batch(batch);
        }
        if state.queue.is_empty() {
            return;
        }
        let is_full = state.batches.len() > MOST_BATCHES;
        let is_time = is_full || state.flush_at.is_none_or(|at| at <= now + SLACK);
        let since = now.checked_sub(self.max_delay);
        let most = if is_full { usize::MAX } else { MOST_DELIVERIES };
        state.deliver(most, now, &self.metrics, |slot| {
            let is_quiet = slot.delivered.is_none_or(|at| Some(at) <= since);
            is_time || is_quiet || !slot.subscriber.may_wait()
        });
        if is_time && !state.has_more {
            state.flush_at = Some(now + self.max_delay);
        }
    }

    /// True when subscribers are due that the last call did not reach: call [`dispatch`](Self::dispatch) again, with
    /// no batch if there is none, after other tasks have run.
    pub fn has_more(&self) -> bool {
        self.state.borrow().has_more
    }

    /// The time by which [`dispatch`](Self::dispatch) must be called again, with no batch if there is none; `None` when
    /// no object waits.
    pub fn flush_at(&self) -> Option<Instant> {
        let state = self.state.borrow();
        state.flush_at.filter(|_| !state.queue.is_empty())
    }

    /// A subscriber is to have now what waits for it. Call it before anything that depends on what it
    /// has: a command, a goodbye.
    pub fn flush(&self, key: SubscriberKey) {
        let state = &mut *self.state.borrow_mut();
        let turn = FanOut::new(&state.batches, &state.frames, &state.newest, Instant::now());
        if let Some(slot) = &mut state.slots[key.0] {
            let departures = &mut state.departures;
            state.index.serve(key, |picks| slot.take(key, &turn, picks, departures));
        }
        state.depart(&self.metrics);
    }

    /// True when no object waits and no timer is set: the hub needs no call before the next batch.
    pub fn is_idle(&self) -> bool {
        let state = self.state.borrow();
        state.queue.is_empty() && state.agenda.is_empty()
    }

    /// The subscriber wants to be [called](Subscriber::due) at this time, and at no other that it said
    /// before; `None` is never.
    pub fn set_due(&self, key: SubscriberKey, due: Option<Instant>) {
        let state = &mut *self.state.borrow_mut();
        let Some(slot) = &mut state.slots[key.0] else { return };
        slot.due = due;
        state.agenda.extend(due.map(|at| Reverse((at, key))));
    }

    /// Calls every subscriber whose timer has expired.
    pub fn run_timers(&self, now: Instant) {
        let state = &mut *self.state.borrow_mut();
        while let Some(mut soonest) = state.agenda.peek_mut()
            && soonest.0.0 <= now
        {
            let Reverse((at, key)) = *soonest;
            let slot = state.slots[key.0].as_mut().filter(|slot| slot.due == Some(at));
            let next = slot.and_then(|slot| {
                slot.due = slot.subscriber.due(now, &state.newest);
                slot.due
            });
            match next {
                Some(next) => *soonest = Reverse((next, key)),
                None => drop(PeekMut::pop(soonest)),
            }
        }
    }

    /// Looks after the silent and the stalled; call it about once a second.
    pub fn beat(&self, now: Instant) {
        let mut waiting_bytes = 0;
        for slot in self.state.borrow().slots.iter().flatten() {
            let subscriber = &slot.subscriber;
            let vitals = subscriber.vitals();
            waiting_bytes += vitals.waiting_bytes as i64;
            match self.patience.verdict(&vitals, now) {
                LivenessVerdict::Fine => {}
                LivenessVerdict::Ping => subscriber.ping(),
                LivenessVerdict::Silent => subscriber.dismiss(Close::Unresponsive),
                LivenessVerdict::Stalled => subscriber.dismiss(Close::SlowClient),
                LivenessVerdict::CloseTimedOut => {
                    self.metrics.severed.inc();
                    subscriber.sever();
                }
            }
        }
        self.metrics.waiting.set(waiting_bytes);
    }

    /// Tells everybody to go, when they have what waits for them.
    pub fn dismiss_all(&self, why: Close) {
        self.state.borrow_mut().deliver(usize::MAX, Instant::now(), &self.metrics, |_| true);
        for slot in self.state.borrow().slots.iter().flatten() {
            slot.subscriber.dismiss(why);
        }
    }
}

impl State {
    /// Notes each object of a batch for the groups that subscribe to its stream, and queues these groups.
    fn match_batch(&mut self, batch: &Arc<Batch>) {
        let Self { index, queue, batches, .. } = self;
        for (place, object) in batch.objects().enumerate() {
            let pick = ObjectRef::new(batches.len(), place);
            index.note(object.stream(), pick, |audience| queue.push_back(audience));
        }
        if !queue.is_empty() {
            batches.push(Arc::clone(batch));
        }
    }

    /// Calls those who have something and whose time it is, but no more than `most`; the rest wait.
    ///
    /// One lap around each audience, so that none waits for a large one to be served twice.
    fn deliver(
        &mut self,
        most: usize,
        now: Instant,
        metrics: &WorkerMetrics,
        is_time: impl Fn(&Slot) -> bool,
    ) {
        let Self { index, queue, slots, batches, frames, departures, newest, .. } = self;
        let turn = FanOut::new(batches, frames, newest, now);
        let mut left = most;
        let mut serve = |key: SubscriberKey, picks: &[ObjectRef]| match &mut slots[key.0] {
            Some(_) if left == 0 => Delivery::BudgetExhausted,
            Some(slot) if !is_time(slot) => Delivery::Deferred,
            Some(slot) => {
                slot.take(key, &turn, picks, departures);
                left -= 1;
                Delivery::Sent
            }
            None => Delivery::Sent,
        };
        // Whose lap broke off comes first, and has another.
        let is_going_on =
            queue.front().and_then(|key| index.audience(*key)).is_some_and(|it| it.is_in_a_lap());
        self.has_more = false;
        for _ in 0..queue.len() + usize::from(is_going_on) {
            let Some(key) = queue.pop_front() else { break };
            let Some(audience) = index.audience(key) else { continue };
            if !audience.lap(&mut serve) {
                queue.push_front(key);
                self.has_more = true;
                break;
            }
            if audience.stays_queued() {
                queue.push_back(key);
            }
        }
        if queue.is_empty() {
            batches.clear();
        }
        self.depart(metrics);
        if !self.has_more {
            self.frames.clear();
        }
    }

    /// Sends what is to leave: nothing but calls of the kernel, one after the other.
    fn depart(&mut self, metrics: &WorkerMetrics) {
        let Self { slots, frames, departures, .. } = self;
        departures.leave(frames, metrics, |key| Some(&*slots[key.0].as_ref()?.subscriber));
    }
}

impl Slot {
    fn take(
        &mut self,
        key: SubscriberKey,
        turn: &FanOut<'_>,
        picks: &[ObjectRef],
        departures: &mut SendQueue,
    ) {
        self.delivered = Some(turn.now());
        if let Some(frame) = self.subscriber.deliver(turn, picks) {
            departures.add(key, frame, picks.len());
        }
    }
}

#[cfg(test)]
#[path = "hub_tests.rs"]
mod tests;
