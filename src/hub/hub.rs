use std::cell::{Cell, RefCell, RefMut};
use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::coalescing::{CoalescingDelay, MaxDelay};
use super::crowding::Crowding;
use super::group::Delivery;
use super::hub_alerts::HubAlerts;
use super::index::GroupKey;
use super::liveness::{LivenessVerdict, PauseDetector};
use super::send_batch::{SendBatch, record_fan_out};
use super::survey::Found;
use super::{
    EncodedLastValues, FanOut, FrameCache, Index, LivenessTimeouts, Now, ObjectRef, Subscriber,
    SubscriberKey, SubscriptionChange, WorkerShare,
};
use crate::alerts::{AlertIndex, AlertKey, AlertOrder, LastPrice, Trigger};
use crate::clock::Clock;
use crate::feed::{Batch, LastValues};
use crate::limits::{ClientAddress, FairQueue};
use crate::metrics::WorkerMetrics;
use crate::model::{CurrentTradeRules, Epoch, Missed, Price, Universe};
use crate::transport::SocketWriter;
use crate::wire::Close;

/// The subscribers of one feed on one worker thread, and the fan-out of batches to them.
///
/// Everything on the thread calls it plainly: a subscription is in force with the very next batch, and a
/// snapshot agrees with the objects that follow it.
pub struct Hub {
    state: RefCell<State>,
    timeouts: LivenessTimeouts,
    share: WorkerShare,
    /// The bytes that this hub adds to the worker's in `outbox_bytes`.
    queued_bytes: Cell<i64>,
    /// Which clients hold too much in their outboxes, apart from the state because sessions ask for it while
    /// they are called.
    crowding: RefCell<Crowding>,
}

struct State {
    index: Index,
    slots: Vec<Option<Slot>>,
    /// The groups that have yet to receive something, in the order in which they are served. Some may
    /// have everything by now, or be gone.
    queue: VecDeque<GroupKey>,
    /// The batches of which some subscriber has yet to receive objects, in order.
    batches: Vec<Arc<Batch>>,
    /// The number of the first of them. Numbers begin again when there are none.
    first_batch: usize,
    /// With this number of batches, those that all subscribers have are forgotten.
    trim_at: usize,
    frames: FrameCache,
    send_batch: SendBatch,
    /// How long objects wait to be coalesced with others.
    coalescing: CoalescingDelay,
    /// When the objects that wait to be coalesced leave: the same moment for all subscribers, so that
    /// identical ones share a frame.
    flush_at: Option<Instant>,
    /// Whether the last fan-out ended before every due subscriber was served.
    has_more: bool,
    pauses: PauseDetector,
    last_values: EncodedLastValues,
    /// The timers of subscribers, the earliest first. Entries that are not a slot's current timer are
    /// void.
    timers: BinaryHeap<Reverse<(Instant, SubscriberKey)>>,
    /// `None` while there is no alert.
    alerts: Option<Box<HubAlerts>>,
}

/// A subscriber with the times that concern it.
pub(super) struct Slot {
    pub(super) subscriber: Rc<dyn Subscriber>,
    /// Where frames of the fast path are sent.
    pub(super) writer: Rc<SocketWriter>,
    /// When it last received objects.
    delivered: Option<Instant>,
    /// Its current timer.
    timer: Option<Instant>,
    /// Its number among the sessions of the worker.
    number: u64,
}

/// Objects that are due before the next batch can come are due now: a delay of whole milliseconds would
/// otherwise be one longer because of a few microseconds.
const DELAY_SLACK: Duration = Duration::from_micros(500);

/// With more batches than this the hub is late, a tenth of a second of a market that moves each millisecond:
/// nothing waits to be coalesced, and quotes, bars and tickers are conflated (counter `objects_conflated`). So
/// delivery degrades, and not the market, whose source is polled on time. A larger number gives every quote
/// at higher load, and later.
const MAX_KEPT_BATCHES: usize = 128;

/// The most subscribers that one fan-out serves, however late the hub is: at some 6 µs for each send, 1.5 ms,
/// after which the source of the market and other tasks get their turn.
const MAX_DELIVERIES: usize = 256;

/// A session counts as stalled when its socket has taken nothing for this long although something waits.
const STALLED_AFTER: Duration = Duration::from_secs(1);

/// A delivery of more objects than this counts once more for each as many.
const OBJECTS_PER_DELIVERY: usize = 64;

impl Hub {
    /// A hub without subscribers, for these instruments.
    pub fn new(
        universe: Arc<Universe>,
        timeouts: LivenessTimeouts,
        max_delay: MaxDelay,
        share: WorkerShare,
        now: Instant,
    ) -> Self {
        let coalescing = CoalescingDelay::new(max_delay, now);
        share.hub_metrics.coalescing_delay.set(coalescing.get().as_secs_f64());
        let state = State {
            index: Index::new(universe.len()),
            slots: Vec::new(),
            queue: VecDeque::new(),
            batches: Vec::new(),
            first_batch: 0,
            trim_at: MAX_KEPT_BATCHES,
            frames: FrameCache::default(),
            send_batch: SendBatch::default(),
            coalescing,
            flush_at: None,
            has_more: false,
            pauses: PauseDetector::new(now),
            last_values: EncodedLastValues::new(universe),
            timers: BinaryHeap::new(),
            alerts: None,
        };
        Self {
            state: RefCell::new(state),
            timeouts,
            share,
            queued_bytes: Cell::default(),
            crowding: RefCell::default(),
        }
    }

    /// Adds a subscriber without subscriptions, whose frames go to this writer.
    pub(crate) fn join(&self, subscriber: Rc<dyn Subscriber>, writer: Rc<SocketWriter>) -> SubscriberKey {
        let mut state = self.state.borrow_mut();
        let key = state.index.join();
        if state.slots.len() <= key.0 {
            state.slots.resize_with(key.0 + 1, || None);
        }
        let number = self.share.next_number();
        state.slots[key.0] = Some(Slot { subscriber, writer, delivered: None, timer: None, number });
        self.share.metrics.opened.inc();
        self.share.metrics.sessions.inc();
        self.share.hub_metrics.sessions.inc();
        self.share.audience.join();
        key
    }

    /// Removes a subscriber and its subscriptions.
    pub fn leave(&self, key: SubscriberKey) {
        let mut state = self.state.borrow_mut();
        state.index.leave(key);
        state.slots[key.0] = None;
        self.share.metrics.sessions.dec();
        self.share.hub_metrics.sessions.dec();
        self.share.audience.leave();
    }

    /// Changes a subscriber's subscriptions, from the next batch on. [`flush`](Self::flush) it first: what
    /// it has yet to receive under the old ones would be lost.
    pub fn change_subscriptions(&self, key: SubscriberKey, changes: &[SubscriptionChange]) {
        self.index_for_change(key).change(key, changes);
    }

    /// Makes a part of a long change; [`settle_subscriptions`](Self::settle_subscriptions) at the end. Flush the
    /// subscriber before each part.
    pub fn change_subscriptions_in_part(&self, key: SubscriberKey, changes: &[SubscriptionChange]) {
        self.index_for_change(key).change_in_part(key, changes);
    }

    fn index_for_change(&self, key: SubscriberKey) -> RefMut<'_, Index> {
        let index = RefMut::map(self.state.borrow_mut(), |state| &mut state.index);
        debug_assert!(!index.is_behind(key), "a subscriber is flushed before its subscriptions change");
        index
    }

    /// Ends a long change. Flush the subscriber first.
    pub fn settle_subscriptions(&self, key: SubscriberKey) {
        self.state.borrow_mut().index.settle(key);
    }

    /// Sets an alert of a subscriber in this state, in force from the next batch on; `rules` tell which trades are the last
    /// price, of all alerts of a hub in the same way, and the prices are the last one of its symbol and the previous close.
    pub fn set_alert(
        &self,
        rules: &CurrentTradeRules,
        order: AlertOrder,
        trigger: Option<Trigger>,
        last: Option<LastPrice>,
        previous_close: Option<Price>,
    ) -> AlertKey {
        let mut state = self.state.borrow_mut();
        let alerts = state.alerts.get_or_insert_with(|| Box::new(HubAlerts::new(rules.clone())));
        alerts.index.add(order, trigger, last, previous_close)
    }

    /// Removes an alert.
    pub fn remove_alert(&self, key: AlertKey) {
        let mut state = self.state.borrow_mut();
        if let Some(alerts) = &mut state.alerts {
            alerts.index.remove(key);
        }
        state.alerts.take_if(|alerts| alerts.index.is_empty());
    }

    /// Reads the alerts, if there are any.
    pub fn with_alerts<T>(&self, read: impl FnOnce(&AlertIndex) -> T) -> Option<T> {
        self.state.borrow().alerts.as_ref().map(|alerts| read(&alerts.index))
    }

    /// Reads the last values, as of the last batch that was dispatched.
    pub fn with_last_values<T>(&self, read: impl FnOnce(&EncodedLastValues) -> T) -> T {
        read(&self.state.borrow().last_values)
    }

    /// The epoch of the numbers, as of the last batch; `None` before the feed's snapshot has come.
    pub fn epoch(&self) -> Option<Epoch> {
        self.state.borrow().last_values.last_values().epoch()
    }

    /// The instruments, as of the last batch that was dispatched.
    pub fn universe(&self) -> Arc<Universe> {
        Arc::clone(self.state.borrow().last_values.universe())
    }

    /// The counters of this worker.
    pub fn metrics(&self) -> &WorkerMetrics {
        &self.share.metrics
    }

    /// The clock of time stamps.
    pub fn clock(&self) -> &Clock {
        &self.share.clock
    }

    /// Admits long work on this worker: REST requests and long commands.
    pub fn fair_queue(&self) -> &Rc<FairQueue> {
        &self.share.fair_queue
    }

    /// Whether the sessions of this address, or all, must hold less.
    pub fn is_crowded(&self, client: ClientAddress) -> bool {
        self.crowding.borrow().includes(client)
    }

    /// Replaces the last values by a feed's snapshot, before its first batch.
    pub fn load_snapshot(&self, last_values: LastValues) {
        self.state.borrow_mut().last_values.load_snapshot(last_values);
    }

    /// The last values, for a feed on this thread: it updates them and then has the batch
    /// [dispatched](Self::dispatch).
    pub fn last_values_mut(&self) -> RefMut<'_, LastValues> {
        RefMut::map(self.state.borrow_mut(), |state| state.last_values.last_values_mut())
    }

    /// Updates the last values by these batches and dispatches them.
    pub fn ingest(&self, batches: &[Arc<Batch>], now: Instant) {
        {
            let mut last_values = self.last_values_mut();
            for batch in batches {
                last_values.enter(batch);
            }
        }
        self.dispatch(batches, now);
    }

    /// Fans these batches out: each subscriber is called at most once, with all objects that it
    /// subscribes to. The last values include them already.
    ///
    /// A subscriber that received nothing for the maximum delay is served at once; a busy one waits for a
    /// moment that it shares with all others that wait, so that their objects are coalesced into fewer
    /// and larger frames, and identical subscribers share them. Nothing waits longer than the maximum
    /// delay.
    ///
    /// One call is bounded, so that connections, commands and pings get their turn of the worker; the
    /// subscribers that remain are served by the [next call](Self::has_more), together with what has come
    /// by then.
    pub fn dispatch(&self, batches: &[Arc<Batch>], now: Instant) {
        let state = &mut *self.state.borrow_mut();
        state.index.dissolve_piece();
        if let Some(delay) = state.coalescing.sample(now, || self.share.busy_time.total()) {
            self.share.hub_metrics.coalescing_delay.set(delay.as_secs_f64());
        }
        for batch in batches {
            state.grow(batch.universe());
            if batch.begun_epoch().is_some() || !batch.notices().is_empty() {
                state.tell(batch, now);
                state.send(&self.share.metrics);
            }
            if batch.restarts_numbers() {
                state.last_values.restart_numbers();
            }
            if !batch.missed().is_empty() {
                state.tell_missed(batch.missed(), now);
                state.send(&self.share.metrics);
            }
            if state.alerts.is_some() {
                state.evaluate_alerts(batch, now);
            }
            state.match_batch(batch);
        }
        if state.queue.is_empty() {
            return;
        }
        let is_full = state.batches.len() > MAX_KEPT_BATCHES;
        let is_time = is_full || state.flush_at.is_none_or(|at| at <= now + DELAY_SLACK);
        let max_delay = state.coalescing.get();
        let since = now.checked_sub(max_delay);
        state.deliver(MAX_DELIVERIES, now, &self.share.metrics, |slot| {
            let is_quiet = slot.delivered.is_none_or(|at| Some(at) <= since);
            is_time || is_quiet || !slot.subscriber.may_coalesce()
        });
        record_fan_out(&self.share.metrics, now);
        if is_time && !state.has_more {
            state.flush_at = Some(now + max_delay);
        }
    }

    /// Whether due subscribers remain: dispatch again, even without batches, after other tasks ran.
    pub fn has_more(&self) -> bool {
        self.state.borrow().has_more
    }

    /// When objects that wait to be coalesced are due, if there are any: dispatch, even without batches,
    /// by then.
    pub fn flush_at(&self) -> Option<Instant> {
        let state = self.state.borrow();
        state.flush_at.filter(|_| !state.queue.is_empty())
    }

    /// Delivers to a subscriber what it has yet to receive. Call it before anything that depends on what
    /// it has: a command, a close.
    pub fn flush(&self, key: SubscriberKey, now: Instant) {
        let state = &mut *self.state.borrow_mut();
        let State { index, slots, batches, first_batch, frames, send_batch, last_values, .. } = state;
        let fan_out = FanOut::new(batches, frames, last_values, now).numbered_from(*first_batch);
        if let Some(slot) = &mut slots[key.0] {
            index.deliver_to(key, |objects| slot.deliver(key, &fan_out, objects, send_batch));
        }
        state.send(&self.share.metrics);
    }

    /// Whether no subscriber waits for objects or for a timer.
    pub fn is_idle(&self) -> bool {
        let state = self.state.borrow();
        state.queue.is_empty() && state.timers.is_empty()
    }

    /// Sets a subscriber's timer, which replaces the one before; `None` clears it.
    pub fn set_timer(&self, key: SubscriberKey, timer: Option<Instant>) {
        let state = &mut *self.state.borrow_mut();
        let Some(slot) = &mut state.slots[key.0] else { return };
        slot.timer = timer;
        state.timers.extend(timer.map(|at| Reverse((at, key))));
    }

    /// Runs the timers that have expired.
    pub fn run_timers(&self, now: Now) {
        let state = &mut *self.state.borrow_mut();
        let State { index, slots, batches, first_batch, frames, send_batch, last_values, timers, .. } = state;
        let fan_out = FanOut::new(batches, frames, last_values, now.steady).numbered_from(*first_batch);
        while let Some(mut earliest) = timers.peek_mut()
            && earliest.0.0 <= now.steady
        {
            let Reverse((at, key)) = *earliest;
            let slot = slots[key.0].as_mut().filter(|slot| slot.timer == Some(at));
            let next = slot.and_then(|slot| {
                index.deliver_to(key, |objects| slot.deliver(key, &fan_out, objects, send_batch));
                slot.timer = slot.subscriber.run_timer(now, last_values);
                slot.timer
            });
            match next {
                Some(next) => *earliest = Reverse((next, key)),
                None => drop(PeekMut::pop(earliest)),
            }
        }
        state.send(&self.share.metrics);
    }

    /// Checks the liveness of all connections, and what waits for them in total; call it at this interval. A
    /// check that comes late means that the process was paused, and starts all timeouts anew.
    pub fn check_liveness(&self, now: Instant, interval: Duration) {
        let (resumed, lag) = {
            let mut state = self.state.borrow_mut();
            (state.pauses.check(now, interval), state.take_lag(now))
        };
        self.share.hub_metrics.lag.set(lag.as_secs_f64());
        let state = self.state.borrow();
        let (mut backlog, mut stalled) = (Vec::new(), 0);
        for Slot { subscriber, .. } in state.slots.iter().flatten() {
            let health = subscriber.health(now).since(resumed);
            if health.queued_bytes > 0 {
                backlog.push((health.client, health.queued_bytes));
            }
            stalled += i64::from(health.stalled.is_some_and(|since| since + STALLED_AFTER <= now));
            match self.timeouts.verdict(&health, now) {
                LivenessVerdict::Fine => {}
                LivenessVerdict::Ping => subscriber.ping(now),
                LivenessVerdict::Silent => subscriber.close(Close::Unresponsive, Duration::ZERO, now),
                LivenessVerdict::Stalled => subscriber.close(Close::SlowClient, Duration::ZERO, now),
                LivenessVerdict::CloseTimedOut => {
                    self.share.metrics.severed.inc();
                    subscriber.abort();
                }
            }
        }
        let queued_bytes = backlog.iter().map(|(_, bytes)| bytes).sum::<usize>() as i64;
        self.share.metrics.waiting.inc_by(queued_bytes - self.queued_bytes.replace(queued_bytes));
        self.share.hub_metrics.stalled.set(stalled);
        let crowding = Crowding::of(self.share.backlog, backlog.into_iter());
        if crowding.is_any() {
            self.share.metrics.crowded.inc();
        }
        self.crowding.replace(crowding);
    }

    /// Visits up to `most` sessions from the slot `from` on; returns the slot from which to go on, if there are more. It may
    /// not call the hub.
    pub(super) fn visit(
        &self,
        from: usize,
        most: usize,
        mut visit: impl FnMut(Found, &dyn Subscriber),
    ) -> Option<usize> {
        let state = self.state.borrow();
        let mut left = most;
        for (key, slot) in state.slots.iter().enumerate().skip(from) {
            let Some(slot) = slot else { continue };
            if left == 0 {
                return Some(key);
            }
            left -= 1;
            visit(Found { key: SubscriberKey(key), number: slot.number }, &*slot.subscriber);
        }
        None
    }

    /// The session of this number.
    pub(super) fn session(&self, number: u64) -> Option<(SubscriberKey, Rc<dyn Subscriber>)> {
        let state = self.state.borrow();
        let is_meant = |slot: &Option<Slot>| slot.as_ref().is_some_and(|slot| slot.number == number);
        let key = state.slots.iter().position(is_meant)?;
        let slot = state.slots[key].as_ref()?;
        Some((SubscriberKey(key), Rc::clone(&slot.subscriber)))
    }

    /// The session that a survey found, unless it has ended.
    pub(super) fn session_found(&self, found: Found) -> Option<Rc<dyn Subscriber>> {
        let state = self.state.borrow();
        let slot = state.slots.get(found.key.0)?.as_ref()?;
        (slot.number == found.number).then(|| Rc::clone(&slot.subscriber))
    }

    /// Closes all sessions, behind what is queued for them. `reconnect` draws the delay that a client is
    /// asked to keep before it reconnects.
    pub fn close_all(&self, reason: Close, now: Instant, mut reconnect: impl FnMut() -> Duration) {
        self.state.borrow_mut().deliver(usize::MAX, now, &self.share.metrics, |_| true);
        for slot in self.state.borrow().slots.iter().flatten() {
            slot.subscriber.close(reason, reconnect(), now);
        }
    }
}

impl State {
    /// Follows a universe that has grown, and tells the subscribers.
    fn grow(&mut self, universe: &Arc<Universe>) {
        if universe.size() != self.last_values.universe().size() {
            self.last_values.set_universe(universe);
            self.slots.iter().flatten().for_each(|slot| slot.subscriber.universe_grew());
        }
    }

    /// Tells every subscriber of a change of the feed's state, behind all that it has yet to receive. O(subscribers),
    /// some µs each, a few times a day.
    fn tell(&mut self, batch: &Batch, now: Instant) {
        let State { index, slots, batches, first_batch, frames, send_batch, last_values, .. } = self;
        let fan_out = FanOut::new(batches, frames, last_values, now).numbered_from(*first_batch).ahead();
        for (key, slot) in slots.iter_mut().enumerate() {
            let Some(slot) = slot else { continue };
            let key = SubscriberKey(key);
            index.deliver_to(key, |objects| slot.deliver(key, &fan_out, objects, send_batch));
            slot.subscriber.feed_changed(batch.beginning_epoch(), batch.notices(), &fan_out);
        }
    }

    /// Tells the subscribers of these streams what they will not get, behind all that they have yet to receive.
    /// O(groups × missed streams), when a follower of another node lost batches.
    fn tell_missed(&mut self, missed: &[Missed], now: Instant) {
        let State { index, slots, batches, first_batch, frames, send_batch, last_values, .. } = self;
        let fan_out = FanOut::new(batches, frames, last_values, now).numbered_from(*first_batch).ahead();
        for (members, missed) in index.groups_missing(missed) {
            for key in members {
                let Some(slot) = &mut slots[key.0] else { continue };
                index.deliver_to(key, |objects| slot.deliver(key, &fan_out, objects, send_batch));
                slot.subscriber.objects_missed(&missed, now);
            }
        }
    }

    /// Evaluates the alerts for a batch, before anything of it is conflated.
    fn evaluate_alerts(&mut self, batch: &Batch, now: Instant) {
        let State { slots, timers, alerts, .. } = self;
        let Some(alerts) = alerts else { return };
        alerts.tell_missed(batch.missed(), slots, batch.universe(), now);
        for fired in alerts.evaluate(batch) {
            let key = SubscriberKey(fired[0].owner);
            if let Some(slot) = &mut slots[key.0] {
                slot.timer = slot.subscriber.alerts_fired(fired, now);
                timers.extend(slot.timer.map(|at| Reverse((at, key))));
            }
        }
    }

    /// Records for all groups which objects of a batch they receive.
    fn match_batch(&mut self, batch: &Arc<Batch>) {
        let Self { index, queue, batches, first_batch, last_values, .. } = self;
        last_values.track_tickers(batch);
        for (position, object) in batch.objects().enumerate() {
            last_values.record_change(object.stream());
            let reference = ObjectRef::new(*first_batch + batches.len(), position);
            index.record(object.stream(), reference, |group| queue.push_back(group));
        }
        let market = batch.len() - batch.messages().len();
        for (position, (object, _)) in batch.messages().enumerate() {
            last_values.record_change(object.stream());
            let reference = ObjectRef::new(*first_batch + batches.len(), market + position);
            index.record(object.stream(), reference, |group| queue.push_back(group));
        }
        if !queue.is_empty() {
            batches.push(Arc::clone(batch));
        }
    }

    /// Serves the subscribers that have yet to receive something and are due, but not more than `budget`.
    ///
    /// One round through each group, so that none waits for a large group to be served twice.
    fn deliver(
        &mut self,
        budget: usize,
        now: Instant,
        metrics: &WorkerMetrics,
        is_due: impl Fn(&Slot) -> bool,
    ) {
        let Self { index, queue, slots, batches, first_batch, frames, send_batch, last_values, .. } = self;
        let fan_out = FanOut::new(batches, frames, last_values, now)
            .numbered_from(*first_batch)
            .late(batches.len() > MAX_KEPT_BATCHES);
        let mut left = budget;
        let mut deliver = |key: SubscriberKey, objects: &[ObjectRef]| match &mut slots[key.0] {
            Some(_) if left == 0 => Delivery::BudgetExhausted,
            Some(slot) if !is_due(slot) => Delivery::Deferred,
            Some(slot) => {
                slot.deliver(key, &fan_out, objects, send_batch);
                left = left.saturating_sub(1 + objects.len() / OBJECTS_PER_DELIVERY);
                Delivery::Sent
            }
            None => Delivery::Sent,
        };
        // An interrupted group is the first in the queue, and gets one more round.
        let is_resuming =
            queue.front().and_then(|key| index.group(*key)).is_some_and(|group| group.is_interrupted());
        self.has_more = false;
        for _ in 0..queue.len() + usize::from(is_resuming) {
            let Some(key) = queue.pop_front() else { break };
            let Some(group) = index.group(key) else { continue };
            if !group.deliver_round(&mut deliver) {
                queue.push_front(key);
                self.has_more = true;
                break;
            }
            if group.stays_queued() {
                queue.push_back(key);
            }
        }
        if queue.is_empty() {
            batches.clear();
            (*first_batch, self.trim_at) = (0, MAX_KEPT_BATCHES);
        }
        self.send(metrics);
        if !self.has_more {
            self.frames.clear();
        }
        if self.batches.len() >= self.trim_at {
            self.trim();
        }
    }

    /// The longest time that an object waited for its delivery since this was asked for last, or has waited so far.
    fn take_lag(&mut self, now: Instant) -> Duration {
        let oldest = self.batches.first().filter(|_| !self.queue.is_empty());
        let waiting = oldest.and_then(|batch| batch.published_at());
        let waiting = waiting.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        waiting.max(self.send_batch.take_longest())
    }

    /// Forgets the batches of which every subscriber has everything. While the hub is late there is always a
    /// subscriber that has yet to be served, but not always the same.
    fn trim(&mut self) {
        let Self { index, queue, batches, first_batch, frames, .. } = self;
        let oldest = queue.iter().filter_map(|key| index.group(*key)?.trim()).map(ObjectRef::batch).min();
        let delivered = oldest.map_or(batches.len(), |oldest| oldest - *first_batch);
        batches.drain(..delivered);
        *first_batch += delivered;
        frames.clear();
        self.trim_at = (2 * self.batches.len()).max(MAX_KEPT_BATCHES);
    }

    /// Sends the frames of the fast path: nothing but calls of the kernel, one after the other.
    fn send(&mut self, metrics: &WorkerMetrics) {
        self.send_batch.flush(&self.frames, metrics, &self.slots);
    }
}

impl Slot {
    /// Queues a shared frame for the subscriber where its fast path is open, else lets it take the
    /// objects.
    ///
    /// Frames are sent when all subscribers were called: the kernel's work evicts ours from the caches,
    /// so ours comes first.
    fn deliver(
        &mut self,
        key: SubscriberKey,
        fan_out: &FanOut<'_>,
        objects: &[ObjectRef],
        send_batch: &mut SendBatch,
    ) {
        self.delivered = Some(fan_out.now());
        let fast_path = match fan_out.is_late() {
            true => None,
            false => self.subscriber.fast_path(fan_out.now()),
        };
        match fast_path.and_then(|form| fan_out.frame(form, objects)) {
            Some(frame) => send_batch.push(key, frame, objects.len()),
            None => {
                send_batch.note_wait(fan_out.age(objects));
                self.subscriber.deliver(fan_out, objects);
            }
        }
    }
}

#[cfg(test)]
impl Hub {
    /// The number of batches of which some subscriber has yet to receive objects.
    fn kept_batches(&self) -> usize {
        self.state.borrow().batches.len()
    }

    /// A hub for the instruments of the fixtures.
    pub(crate) fn for_tests(max_delay: Duration) -> Self {
        let [hub] = Self::of_one_worker(max_delay);
        hub
    }

    /// The hubs of one worker, for the instruments of the fixtures.
    pub(crate) fn of_one_worker<const N: usize>(max_delay: Duration) -> [Self; N] {
        let universe = Arc::new(crate::wire::fixtures::universe());
        let clock = Clock::system(crate::metrics::ClockMetrics::default());
        let now = Instant::now();
        let share = WorkerShare::new(WorkerMetrics::default(), clock, N, now);
        let timeouts = LivenessTimeouts::default();
        [(); N].map(|()| {
            Self::new(Arc::clone(&universe), timeouts, MaxDelay::Fixed(max_delay), share.clone(), now)
        })
    }
}

#[cfg(test)]
#[path = "hub_tests.rs"]
mod tests;
