use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::audience::Served;
use super::departures::Departures;
use super::heartbeat::Verdict;
use super::index::{AudienceKey, Change};
use super::{Frames, Index, Newest, Patience, Pick, Subscriber, SubscriberKey, Turn};
use crate::gate::Chores;
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
    /// The longest that objects wait for others, so that they leave in one frame.
    max_delay: Duration,
    metrics: WorkerMetrics,
    chores: Rc<Chores>,
}

struct State {
    index: Index,
    seats: Vec<Option<Seat>>,
    /// The audiences that have yet to get something, in the order in which they get it; a few may be
    /// in it who have everything, or are gone.
    queue: VecDeque<AudienceKey>,
    /// The batches that somebody has picks of, in order.
    batches: Vec<Arc<Batch>>,
    frames: Frames,
    departures: Departures,
    /// When all who wait have waited long enough: the same moment for all, so that those who want
    /// alike share a frame.
    flush_at: Option<Instant>,
    /// Whether the last turn left somebody over whose time has come.
    has_more: bool,
    newest: Newest,
    /// When subscribers want to be called, the soonest first.
    agenda: BinaryHeap<Reverse<(Instant, SubscriberKey)>>,
}

/// A subscriber, and when it is to be called.
struct Seat {
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
    pub fn new(symbols: usize, patience: Patience, max_delay: Duration, metrics: WorkerMetrics) -> Self {
        let state = State {
            index: Index::new(symbols),
            seats: Vec::new(),
            queue: VecDeque::new(),
            batches: Vec::new(),
            frames: Frames::default(),
            departures: Departures::default(),
            flush_at: None,
            has_more: false,
            newest: Newest::new(symbols),
            agenda: BinaryHeap::new(),
        };
        let chores = Chores::new(Instant::now());
        Self { state: RefCell::new(state), patience, max_delay, metrics, chores }
    }

    /// A subscriber comes; it wants nothing yet.
    pub fn join(&self, subscriber: Rc<dyn Subscriber>) -> SubscriberKey {
        let mut state = self.state.borrow_mut();
        let key = state.index.join();
        if state.seats.len() <= key.0 {
            state.seats.resize_with(key.0 + 1, || None);
        }
        state.seats[key.0] = Some(Seat { subscriber, delivered: None, due: None });
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

    /// Changes what a subscriber wants, who gets first what waits for it. In force with the next batch.
    pub fn change_interests(&self, key: SubscriberKey, make: impl FnOnce(&mut Change)) {
        self.flush(key);
        self.state.borrow_mut().index.change(key, make);
    }

    /// Looks at the newest objects, as of the last batch that was handed out.
    pub fn with_latest<T>(&self, look: impl FnOnce(&Newest) -> T) -> T {
        look(&self.state.borrow().newest)
    }

    /// The counts of this worker.
    pub fn metrics(&self) -> &WorkerMetrics {
        &self.metrics
    }

    /// The line for work of subscribers that would keep others from what is theirs.
    pub fn chores(&self) -> &Rc<Chores> {
        &self.chores
    }

    /// How things stand before the first batch.
    pub fn stand(&self, latest: Latest) {
        self.state.borrow_mut().newest = Newest::of_all(latest);
    }

    /// Enters what is new where the newest objects stand: `tell` does it, and gives what is to be
    /// [passed on](Self::pass_on) before anybody looks.
    pub fn enter<T>(&self, tell: impl FnOnce(&mut Latest) -> T) -> T {
        tell(self.state.borrow_mut().newest.latest_mut())
    }

    /// Enters these batches and passes them on.
    pub fn hand_out(&self, batches: &[Arc<Batch>], now: Instant) {
        self.enter(|latest| {
            for batch in batches {
                latest.told_until(batch.newest());
                batch.objects().for_each(|object| latest.put(*object));
            }
        });
        self.pass_on(batches, now);
    }

    /// Hands these batches out, which are entered already: each subscriber is called at most once, with all
    /// that it wants of them.
    ///
    /// Who got nothing for [`max_delay`](Self::new) is called at once; who gets much waits for a
    /// moment that it shares with all others who wait, so that fewer and larger frames leave, and
    /// those who want alike share one. Nothing waits longer than the delay.
    ///
    /// The work of one call is bounded, so that newcomers, commands and pings get their turn of the
    /// worker: whoever is left over waits for the [next](Self::has_more), which includes what
    /// has come by then, in the same frame.
    pub fn pass_on(&self, batches: &[Arc<Batch>], now: Instant) {
        let state = &mut *self.state.borrow_mut();
        for batch in batches {
            state.take_in(batch);
        }
        if state.queue.is_empty() {
            return;
        }
        let is_full = state.batches.len() > MOST_BATCHES;
        let is_time = is_full || state.flush_at.is_none_or(|at| at <= now + SLACK);
        let since = now.checked_sub(self.max_delay);
        let most = if is_full { usize::MAX } else { MOST_DELIVERIES };
        state.deliver(most, now, &self.metrics, |seat| {
            let is_quiet = seat.delivered.is_none_or(|at| Some(at) <= since);
            is_time || is_quiet || !seat.subscriber.may_wait()
        });
        if is_time && !state.has_more {
            state.flush_at = Some(now + self.max_delay);
        }
    }

    /// Whether somebody's time has come who was left over: hand out again, be it nothing, after
    /// others had the worker.
    pub fn has_more(&self) -> bool {
        self.state.borrow().has_more
    }

    /// When those who wait are to be called, if anybody waits: hand out, be it nothing, by then.
    pub fn flush_at(&self) -> Option<Instant> {
        let state = self.state.borrow();
        state.flush_at.filter(|_| !state.queue.is_empty())
    }

    /// A subscriber is to have now what waits for it. Call it before anything that depends on what it
    /// has: a command, a goodbye.
    pub fn flush(&self, key: SubscriberKey) {
        let state = &mut *self.state.borrow_mut();
        let turn = Turn::new(&state.batches, &state.frames, &state.newest, Instant::now());
        if let Some(seat) = &mut state.seats[key.0] {
            let departures = &mut state.departures;
            state.index.serve(key, |picks| seat.take(key, &turn, picks, departures));
        }
        state.depart(&self.metrics);
    }

    /// Whether nobody waits for the next turn, or for his time.
    pub fn awaits_nothing(&self) -> bool {
        let state = self.state.borrow();
        state.queue.is_empty() && state.agenda.is_empty()
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
        while let Some(mut soonest) = state.agenda.peek_mut()
            && soonest.0.0 <= now
        {
            let Reverse((at, key)) = *soonest;
            let seat = state.seats[key.0].as_mut().filter(|seat| seat.due == Some(at));
            let next = seat.and_then(|seat| {
                seat.due = seat.subscriber.due(now, &state.newest);
                seat.due
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

    /// Tells everybody to go, when they have what waits for them.
    pub fn dismiss_all(&self, why: Close) {
        self.state.borrow_mut().deliver(usize::MAX, Instant::now(), &self.metrics, |_| true);
        for seat in self.state.borrow().seats.iter().flatten() {
            seat.subscriber.dismiss(why);
        }
    }
}

impl State {
    /// Finds who wants what of a batch.
    fn take_in(&mut self, batch: &Arc<Batch>) {
        let Self { index, queue, batches, .. } = self;
        for (place, object) in batch.objects().enumerate() {
            let pick = Pick::new(batches.len(), place);
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
        is_time: impl Fn(&Seat) -> bool,
    ) {
        let Self { index, queue, seats, batches, frames, departures, newest, .. } = self;
        let turn = Turn::new(batches, frames, newest, now);
        let mut left = most;
        let mut serve = |key: SubscriberKey, picks: &[Pick]| match &mut seats[key.0] {
            Some(_) if left == 0 => Served::NoRoom,
            Some(seat) if !is_time(seat) => Served::Later,
            Some(seat) => {
                seat.take(key, &turn, picks, departures);
                left -= 1;
                Served::Yes
            }
            None => Served::Yes,
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
        let Self { seats, frames, departures, .. } = self;
        departures.leave(frames, metrics, |key| Some(&*seats[key.0].as_ref()?.subscriber));
    }
}

impl Seat {
    fn take(&mut self, key: SubscriberKey, turn: &Turn<'_>, picks: &[Pick], departures: &mut Departures) {
        self.delivered = Some(turn.now());
        if let Some(frame) = self.subscriber.deliver(turn, picks) {
            departures.add(key, frame, picks.len());
        }
    }
}

#[cfg(test)]
#[path = "hub_tests.rs"]
mod tests;
