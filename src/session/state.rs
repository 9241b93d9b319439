use std::cell::{Cell, OnceCell, RefCell, RefMut};
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::alerts::{SessionAlert, SessionAlerts};
use super::command_outcome::SessionOptions;
use super::fast_path_cache::FastPathCache;
use super::limits::{Offered, Overload};
use super::outbox::{Outbox, OutgoingFrame, ToldGaps};
use crate::alerts::AlertFire;
use crate::hub::{
    ConnectionHealth, EncodedLastValues, FanOut, FrameForm, Hub, Inquiry, Now, ObjectRef, Subscriber,
    SubscriberFigures, SubscriberIdentity, SubscriberKey,
};
use crate::limits::ClientAddress;
use crate::metrics::{FrameTotals, Refusal, RefusalKind};
use crate::model::{BegunEpoch, Epoch, EpochNumbers, FeedNotice, Missed, Universe};
use crate::transport::SocketWriter;
use crate::wire::{Close, ControlMessage, ErrorCode, Gap, Heartbeat, Opcode, close_frame, message_frame};

/// What the hub, the actor and the task of one session share: its outbox, its socket writer, its phase,
/// and the health of its connection.
///
/// Everything happens on one thread. No borrow is held across a call to another module, except into
/// the outbox and the writer. Time is an argument of every method that needs it.
pub(super) struct SessionState {
    hub: Rc<Hub>,
    /// The session's key in the hub, from the moment that it joins.
    key: OnceCell<SubscriberKey>,
    identity: SubscriberIdentity,
    /// The epoch that the client was told.
    epoch: Cell<Epoch>,
    /// How its numbers relate to those of the one before.
    epoch_numbers: Cell<EpochNumbers>,
    fast_path: FastPathCache,
    outbox: RefCell<Outbox>,
    writer: Rc<SocketWriter>,
    /// Wakes the session's task, unless it is awake already.
    waker: Cell<Option<Waker>>,
    options: Cell<SessionOptions>,
    /// When the client's current interval ends.
    release_at: Cell<Instant>,
    /// When anything last came from the client.
    heard: Cell<Instant>,
    /// When the client was last sent a ping.
    pinged: Cell<Instant>,
    /// Whether the client sent `x` in a command, so that it understands our extensions.
    opted_in: Cell<bool>,
    phase: Cell<Phase>,
    /// Whether the universe grew since the actor last looked.
    universe_grew: Cell<bool>,
    /// Whether a command waits in the fair queue, during which the client is not read.
    is_waiting: Cell<bool>,
    /// The alerts that the client set; `None` before the first.
    alerts: RefCell<Option<Box<SessionAlerts>>>,
    /// The names that the client subscribes to, over all channels.
    symbols: Cell<usize>,
    /// Whether the client may publish nothing to topics.
    is_muted: Cell<bool>,
    /// A question for the details of the session, which the actor knows.
    inquiry: Cell<Option<Inquiry>>,
}

/// The life of a session.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// It sends and receives.
    Open,
    /// Its close frame is queued; the socket has yet to take what precedes it.
    Closing {
        /// Since when.
        since: Instant,
        /// Why.
        reason: Close,
    },
    /// The client did not even take the close frame in time: the connection is reset.
    Aborted {
        /// Why it was closing.
        reason: Option<Close>,
    },
}

impl SessionState {
    pub(super) fn new(
        hub: Rc<Hub>,
        identity: SubscriberIdentity,
        epoch: Epoch,
        outbox: Outbox,
        writer: SocketWriter,
        now: Instant,
    ) -> Self {
        Self {
            hub,
            key: OnceCell::new(),
            identity,
            epoch: Cell::new(epoch),
            epoch_numbers: Cell::default(),
            fast_path: FastPathCache::new(now),
            outbox: RefCell::new(outbox),
            writer: Rc::new(writer),
            waker: Cell::new(None),
            options: Cell::default(),
            release_at: Cell::new(now),
            heard: Cell::new(now),
            pinged: Cell::new(now),
            opted_in: Cell::new(false),
            phase: Cell::new(Phase::Open),
            universe_grew: Cell::new(false),
            is_waiting: Cell::new(false),
            alerts: RefCell::new(None),
            symbols: Cell::new(0),
            is_muted: Cell::new(false),
            inquiry: Cell::new(None),
        }
    }

    /// Records the key that the client has shown.
    pub(super) fn set_key_id(&self, id: &str) {
        let _ = self.identity.key.set(id.into());
    }

    /// Records the number of names that the client subscribes to.
    pub(super) fn set_symbols(&self, symbols: usize) {
        self.symbols.set(symbols);
    }

    /// Whether the client may publish nothing to topics.
    pub(super) fn is_muted(&self) -> bool {
        self.is_muted.get()
    }

    /// The question for the details of the session, if there is one.
    pub(super) fn take_inquiry(&self) -> Option<Inquiry> {
        self.inquiry.take()
    }

    /// The number of alerts.
    pub(super) fn count_alerts(&self) -> usize {
        self.alerts.borrow().as_ref().map_or(0, |alerts| alerts.len())
    }

    /// Whether the client sent `x` in a command.
    pub(super) fn has_opted_in(&self) -> bool {
        self.opted_in.get()
    }

    pub(super) fn hub(&self) -> &Rc<Hub> {
        &self.hub
    }

    /// The address under which the client's long work waits.
    pub(super) fn client(&self) -> ClientAddress {
        self.identity.client.address.into()
    }

    /// The address of the client.
    pub(super) const fn address(&self) -> IpAddr {
        self.identity.client.address
    }

    /// Counts a command that was answered with an error to a client with this key, and records the refusal. That of
    /// credentials is recorded where they are checked.
    pub(super) fn count_error(&self, answer: &ControlMessage, key: Option<&str>) {
        const OF_CREDENTIALS: [u16; 2] = [ErrorCode::AuthFailed as u16, ErrorCode::ConnectionLimit as u16];
        let ControlMessage::Error { code, msg: reason, .. } = answer else { return };
        let metrics = self.hub.metrics();
        metrics.erred(*code);
        if !OF_CREDENTIALS.contains(code) {
            let (kind, address) = (RefusalKind::Command, self.address());
            metrics.refusals.record(Refusal { kind, reason, address, key });
        }
    }

    /// The session's key in the hub, if it has joined.
    pub(super) fn key(&self) -> Option<SubscriberKey> {
        self.key.get().copied()
    }

    pub(super) fn writer(&self) -> &SocketWriter {
        &self.writer
    }

    pub(super) fn options(&self) -> SessionOptions {
        self.options.get()
    }

    /// Records that something came from the client.
    pub(super) fn set_heard(&self, now: Instant) {
        self.heard.set(now);
    }

    /// The epoch of what the client was sent.
    pub(super) fn epoch(&self) -> Epoch {
        self.epoch.get()
    }

    /// Tells the present epoch again, if it began while a command was answered in this one: the acknowledgement came
    /// behind it.
    pub(super) fn tell_epoch_since(&self, told: Epoch, now: Instant) {
        if told != self.epoch() {
            let begun = BegunEpoch { epoch: self.epoch(), numbers: self.epoch_numbers.get() };
            self.send_control(&ControlMessage::epoch(begun, told), now);
            self.change(now, Outbox::forget_tickers);
        }
    }

    /// Whether numbers have begun again since this epoch.
    pub(super) fn are_numbers_void_since(&self, told: Epoch) -> bool {
        told != self.epoch() && self.epoch_numbers.get() == EpochNumbers::Restart
    }

    /// Whether the universe grew since this was last asked.
    pub(super) fn take_universe_grew(&self) -> bool {
        self.universe_grew.replace(false)
    }

    /// Records whether a command waits in the fair queue: the client cannot be heard meanwhile, and must not
    /// count as silent.
    pub(super) fn set_waiting(&self, is_waiting: bool) {
        self.is_waiting.set(is_waiting);
    }

    /// Queues a frame, unless the session is closing.
    pub(super) fn send(&self, frame: Bytes, now: Instant) {
        self.change(now, |outbox| outbox.push(frame));
    }

    /// Queues a control frame that overtakes data.
    pub(super) fn send_urgent(&self, frame: Bytes, now: Instant) {
        self.change(now, |outbox| outbox.push_urgent(frame));
    }

    /// Queues a control message.
    pub(super) fn send_control(&self, message: &ControlMessage, now: Instant) {
        self.send(message.to_frame(self.identity.codec), now);
    }

    /// Puts the options in force that the client opted in with.
    pub(super) fn set_options(&self, options: SessionOptions, now: Instant) {
        self.options.set(options);
        self.opted_in.set(true);
        self.release_at.set(now + options.interval);
        let mut outbox = self.outbox_mut();
        outbox.set_overload(Overload::Gap);
        if outbox.ticker_form() != options.tickers {
            outbox.set_ticker_form(options.tickers);
        }
        drop(outbox);
        if let Some(key) = self.key() {
            self.hub.set_timer(key, self.next_timer(now));
        }
    }

    /// Changes the alerts of the client.
    pub(super) fn with_alerts<T>(&self, now: Instant, change: impl FnOnce(&mut SessionAlerts) -> T) -> T {
        let mut alerts = self.alerts.borrow_mut();
        change(alerts.get_or_insert_with(|| Box::new(SessionAlerts::new(now))))
    }

    /// Whether the client has, or had, alerts.
    pub(super) fn has_alerts(&self) -> bool {
        self.alerts.borrow().is_some()
    }

    /// The alerts of the client, but one that has this name: a new one replaces it.
    pub(super) fn count_alerts_but(&self, name: &str) -> usize {
        let alerts = self.alerts.borrow();
        alerts
            .as_ref()
            .map_or(0, |alerts| alerts.len() - usize::from(alerts.active().any(|alert| *alert.name == *name)))
    }

    /// Removes the alerts that are selected, in the hub too.
    pub(super) fn remove_alerts(&self, is_removed: impl Fn(&SessionAlert) -> bool) {
        let removed = self.alerts.borrow_mut().as_mut().map(|alerts| alerts.remove(is_removed));
        for alert in removed.into_iter().flatten() {
            alert.key.into_iter().for_each(|key| self.hub.remove_alert(key));
        }
    }

    /// Takes in that alerts fired, one event after the other, and queues the notices that may be sent; the session's task
    /// writes them. Those that may not be sent yet wait for the [timer](Self::time_alerts).
    pub(super) fn queue_alerts<T>(
        &self,
        events: impl IntoIterator<Item = T>,
        fire: impl Fn(&mut SessionAlerts, T),
        now: Instant,
    ) {
        let has_room = self.outbox.borrow().has_room_for_alerts();
        let due = self.with_alerts(now, |alerts| {
            let mut due = Vec::new();
            for event in events {
                fire(alerts, event);
                if has_room {
                    due.extend(alerts.take_due(now));
                }
            }
            due
        });
        self.push_alerts(&due, now);
    }

    /// Sets the timer for the notices that wait.
    pub(super) fn time_alerts(&self, now: Instant) {
        if let Some(key) = self.key() {
            self.hub.set_timer(key, self.next_timer(now));
        }
    }

    /// Queues the notices that waited and may be sent now.
    fn queue_waiting_alerts(&self, now: Instant) {
        if self.has_alerts() {
            self.queue_alerts([()], |_, ()| (), now);
        }
    }

    fn push_alerts(&self, notices: &[ControlMessage], now: Instant) {
        if !notices.is_empty() {
            let frame = ControlMessage::array_frame(notices, self.identity.codec);
            self.change(now, |outbox| outbox.push_alerts(frame));
        }
    }

    /// Queues the close frame behind everything else; then the session ends. The first reason counts.
    pub(super) fn begin_close(&self, reason: Close, now: Instant) {
        if self.is_open() {
            self.send(close_frame(&reason), now);
            self.phase.set(Phase::Closing { since: now, reason });
        }
    }

    /// Tells a client that opted in after which time its token ends.
    pub(super) fn tell_expiry(&self, left: Duration, now: Instant) {
        if self.opted_in.get() {
            self.send_control(&ControlMessage::Expiry { in_ms: left.as_millis() as u64 }, now);
        }
    }

    /// Discards what is queued, sends the error and closes.
    pub(super) fn fail(&self, error: impl Into<ControlMessage>, reason: Close, now: Instant) {
        self.outbox_mut().clear();
        self.send_control(&error.into(), now);
        self.begin_close(reason, now);
    }

    fn is_open(&self) -> bool {
        matches!(self.phase.get(), Phase::Open)
    }

    /// Why the session ends, unless it is open.
    pub(super) fn close_reason(&self) -> Option<Close> {
        match self.phase.get() {
            Phase::Open => None,
            Phase::Closing { reason, .. } => Some(reason),
            Phase::Aborted { reason } => reason,
        }
    }

    /// Whether the connection is to be reset, whatever is queued.
    pub(super) fn is_aborted(&self) -> bool {
        matches!(self.phase.get(), Phase::Aborted { .. })
    }

    fn outbox_mut(&self) -> RefMut<'_, Outbox> {
        self.fast_path.invalidate();
        self.outbox.borrow_mut()
    }

    /// The bytes that the client has yet to receive.
    fn queued_bytes(&self) -> usize {
        self.outbox.borrow().bytes() + self.writer.queued_bytes()
    }

    /// The bytes that the socket could take now, if it had room.
    pub(super) fn backlog_bytes(&self) -> usize {
        self.outbox.borrow().backlog_bytes() + self.writer.queued_bytes()
    }

    /// Whether anything waits for the socket, in the writer or in the outbox.
    pub(super) fn has_backlog(&self) -> bool {
        !self.writer.is_clear() || !self.outbox.borrow().is_empty()
    }

    /// Whether a frame is queued that the socket may have room for.
    pub(super) fn can_write(&self) -> bool {
        self.writer.is_clear() && !self.outbox.borrow().is_empty()
    }

    /// Lets whatever gives the task work wake it by this.
    pub(super) fn set_waker(&self, waker: &Waker) {
        let known = self.waker.take().filter(|known| known.will_wake(waker));
        self.waker.set(Some(known.unwrap_or_else(|| waker.clone())));
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Writes everything that is queued; pending while the socket is full.
    pub(super) fn poll_write(&self, cx: &mut Context<'_>, now: Instant) -> Poll<io::Result<()>> {
        loop {
            let before = self.writer.queued_bytes();
            let cleared = self.writer.poll_clear(cx);
            if self.writer.queued_bytes() < before {
                self.fast_path.set_progressed(now);
            }
            ready!(cleared)?;
            self.flush_before_lookup(now);
            self.hub.with_last_values(|last_values| self.write(last_values, now));
            if self.writer.is_clear() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Has the hub deliver what the session has yet to receive, if the outbox looks something up: the last
    /// values must not be ahead of what was offered.
    fn flush_before_lookup(&self, now: Instant) {
        let looks_up = self.outbox.borrow().looks_up();
        if let (true, Some(key)) = (looks_up, self.key()) {
            self.hub.flush(key, now);
        }
    }

    /// Whether a piece of what the client requested is due.
    pub(super) fn wants_answer(&self) -> bool {
        self.is_open() && self.outbox.borrow().wants_answer()
    }

    /// Queues the next piece of what the client requested. The session's task writes it.
    pub(super) fn produce_answer(&self, now: Instant) {
        if let Some(key) = self.key() {
            self.hub.flush(key, now);
            self.hub.with_last_values(|last_values| {
                let is_crowded = self.hub.is_crowded(self.client());
                self.fill(now, |outbox| {
                    outbox.set_crowded(is_crowded);
                    self.answer(outbox, last_values);
                });
            });
        }
    }

    /// Queues the next piece of what the client requested, with a heartbeat behind the last one: the client has
    /// everything then.
    pub(super) fn answer(&self, outbox: &mut Outbox, last_values: &EncodedLastValues) {
        let is_last = outbox.produce(last_values);
        if is_last && !self.options.get().heartbeat.is_zero() {
            let heartbeat = self.heartbeat(Now::read(self.hub.clock()), last_values);
            outbox.push(heartbeat.to_frame(self.identity.codec));
        }
    }

    /// Writes queued frames while the socket takes them at once: the one place where frames leave the
    /// outbox, and where they are counted.
    fn write(&self, last_values: &EncodedLastValues, now: Instant) {
        self.write_with(now, |outbox| outbox.take(last_values));
    }

    fn write_with(&self, now: Instant, take: impl Fn(&mut Outbox) -> Option<OutgoingFrame>) {
        let mut totals = FrameTotals::default();
        while self.writer.is_clear()
            && let Some(OutgoingFrame { frame, objects, merged }) = take(&mut self.outbox_mut())
        {
            totals.add(&frame, objects, merged);
            self.writer.count(&frame, objects, merged);
            self.fast_path.set_progressed(now);
            self.frame_sent(&frame, self.writer.try_send(&frame));
        }
        self.hub.metrics().count_frames(totals);
    }

    /// Changes the outbox, unless the session is closing, and wakes the task where that gives it work.
    pub(super) fn change<T>(&self, now: Instant, change: impl FnOnce(&mut Outbox) -> T) -> Option<T> {
        let result = self.fill(now, change)?;
        if self.can_write() {
            self.wake();
        }
        Some(result)
    }

    /// Changes the outbox, unless the session is closing.
    fn fill<T>(&self, now: Instant, change: impl FnOnce(&mut Outbox) -> T) -> Option<T> {
        if !self.is_open() {
            return None;
        }
        let mut outbox = self.outbox_mut();
        let was_empty = outbox.is_empty();
        let result = change(&mut outbox);
        if was_empty && !outbox.is_empty() && self.writer.is_clear() {
            self.fast_path.set_progressed(now);
        }
        Some(result)
    }

    /// When the next release or heartbeat is due.
    fn next_timer(&self, now: Instant) -> Option<Instant> {
        let SessionOptions { interval, heartbeat, .. } = self.options.get();
        let release = (!interval.is_zero()).then(|| self.release_at.get());
        let beat = (!heartbeat.is_zero()).then(|| (self.fast_path.progressed() + heartbeat).max(now));
        let alerts = self.alerts.borrow();
        let notice = alerts.as_ref().and_then(|it| it.due(self.outbox.borrow().has_room_for_alerts(), now));
        release.into_iter().chain(beat).chain(notice).min()
    }

    fn heartbeat(&self, now: Now, last_values: &EncodedLastValues) -> ControlMessage {
        let age_nanos = now.wall.nanos_since(last_values.last_values().watermark()).max(0) as u64;
        ControlMessage::Heartbeat(Heartbeat::new(self.epoch.get(), age_nanos / 1_000_000, now.wall))
    }
}

impl Subscriber for SessionState {
    fn fast_path(&self, now: Instant) -> Option<FrameForm> {
        let form = self.fast_path.get(|| {
            let may_send = self.writer.is_clear() && self.is_open();
            may_send.then(|| self.outbox.borrow().fast_path()).flatten()
        })?;
        self.fast_path.set_progressed(now);
        Some(form)
    }

    fn deliver(&self, fan_out: &FanOut<'_>, objects: &[ObjectRef]) {
        let is_crowded = self.hub.is_crowded(self.client());
        let offer = |outbox: &mut Outbox| {
            outbox.set_crowded(is_crowded);
            outbox.offer(fan_out, objects)
        };
        match self.fill(fan_out.now(), offer) {
            Some(Offered::Overflow) => {
                self.hub.metrics().overflows.inc();
                self.fail(ErrorCode::SlowClient, Close::SlowClient, fan_out.now());
            }
            Some(Offered::Lost) => _ = self.hub.metrics().overflows.inc(),
            Some(Offered::Kept) | None => {}
        }
        match fan_out.is_ahead() && self.outbox.borrow().looks_up() {
            // The task looks up what has been delivered by then.
            true => self.wake(),
            false => self.write(fan_out.last_values(), fan_out.now()),
        }
    }

    fn frame_sent(&self, frame: &Bytes, sent: io::Result<usize>) {
        self.writer.frame_sent(frame, sent);
        if !self.writer.is_clear() {
            self.fast_path.invalidate();
            self.wake();
        }
    }

    fn may_coalesce(&self) -> bool {
        self.outbox.borrow().is_idle()
    }

    fn run_timer(&self, now: Now, last_values: &EncodedLastValues) -> Option<Instant> {
        /// A timer is set at least this far ahead, so that the hub's loop over due timers ends.
        const MIN_DELAY: Duration = Duration::from_millis(1);
        if !self.is_open() {
            return None;
        }
        let SessionOptions { interval, heartbeat, .. } = self.options.get();
        if !interval.is_zero() && self.release_at.get() <= now.steady {
            // From when it was due, so that the interval is kept; from now, when that is long ago.
            self.release_at.set((self.release_at.get() + interval).max(now.steady));
            self.fill(now.steady, |outbox| outbox.release(last_values));
            self.write(last_values, now.steady);
        }
        self.queue_waiting_alerts(now.steady);
        let is_quiet = self.fast_path.progressed() + heartbeat <= now.steady;
        if !heartbeat.is_zero() && is_quiet && !self.has_backlog() {
            self.send_control(&self.heartbeat(now, last_values), now.steady);
        }
        self.next_timer(now.steady).map(|timer| timer.max(now.steady + MIN_DELAY))
    }

    /// Queues the notices for a client that opted in; the session's task writes them.
    fn feed_changed(&self, begun: Option<BegunEpoch>, notices: &[FeedNotice], fan_out: &FanOut<'_>) {
        let now = fan_out.now();
        let was = begun.map(|begun| {
            self.epoch_numbers.set(begun.numbers);
            if begun.numbers == EpochNumbers::Restart {
                let notices = self.alerts.borrow_mut().as_mut().map(|alerts| alerts.take_all());
                self.push_alerts(&notices.unwrap_or_default(), now);
                let universe = fan_out.last_values().universe();
                self.fill(now, |outbox| outbox.restart_numbers(universe));
            }
            self.epoch.replace(begun.epoch)
        });
        if !self.opted_in.get() {
            return;
        }
        if let (Some(begun), Some(was)) = (begun, was) {
            let frame = ControlMessage::epoch(begun, was).to_frame(self.identity.codec);
            self.fill(now, |outbox| {
                outbox.push(frame);
                outbox.forget_tickers();
            });
        }
        for notice in notices {
            let frame = ControlMessage::Feed(notice.into()).to_frame(self.identity.codec);
            self.fill(now, |outbox| outbox.push(frame));
        }
        self.wake();
    }

    fn objects_missed(&self, missed: &[Missed], now: Instant) {
        self.fill(now, |outbox| outbox.miss(missed));
        self.wake();
    }

    fn alerts_fired(&self, fired: &[AlertFire], now: Instant) -> Option<Instant> {
        self.queue_alerts(fired, SessionAlerts::fired, now);
        self.next_timer(now)
    }

    fn trades_unevaluated(&self, missed: Missed, universe: &Universe, now: Instant) {
        let symbol = universe.name_of(missed.stream);
        let unevaluated = |alerts: &mut SessionAlerts| {
            alerts
                .active()
                .filter(|it| it.symbol == *symbol)
                .map(|it| it.name.to_string())
                .collect::<Vec<_>>()
        };
        let alerts = self.with_alerts(now, unevaluated);
        if alerts.is_empty() {
            return;
        }
        let frame =
            ControlMessage::Gap(Gap::of_alerts(missed, universe, alerts)).to_frame(self.identity.codec);
        self.fill(now, |outbox| outbox.push(frame));
        self.wake();
    }

    fn universe_grew(&self) {
        self.universe_grew.set(true);
        self.wake();
    }

    fn health(&self, now: Instant) -> ConnectionHealth {
        if self.is_waiting.get() {
            self.heard.set(now);
        }
        ConnectionHealth {
            heard: self.heard.get(),
            pinged: self.pinged.get(),
            stalled: self.has_backlog().then(|| self.fast_path.progressed()),
            closing: match self.phase.get() {
                Phase::Closing { since, .. } => Some(since),
                Phase::Open | Phase::Aborted { .. } => None,
            },
            queued_bytes: self.queued_bytes(),
            client: self.client(),
        }
    }

    fn identity(&self) -> &SubscriberIdentity {
        &self.identity
    }

    fn figures(&self) -> SubscriberFigures {
        let ToldGaps { notices, objects } = self.outbox.borrow().told_gaps();
        SubscriberFigures {
            symbols: self.symbols.get(),
            backlog_bytes: self.queued_bytes(),
            stalled: self.has_backlog().then(|| self.fast_path.progressed()),
            heard: self.heard.get(),
            sent: self.writer.totals(),
            gaps: notices,
            missed: objects,
            is_muted: self.is_muted.get(),
            is_closing: !self.is_open(),
        }
    }

    fn set_muted(&self, is_muted: bool) {
        self.is_muted.set(is_muted);
    }

    fn inquire(&self, inquiry: Inquiry) {
        self.inquiry.set(Some(inquiry));
        self.wake();
    }

    fn ping(&self, now: Instant) {
        self.pinged.set(now);
        self.fill(now, |outbox| outbox.push_urgent(message_frame(Opcode::Ping, &[])));
        self.write_with(now, Outbox::take_urgent);
    }

    fn close(&self, reason: Close, reconnect: Duration, now: Instant) {
        match reason {
            // What is queued is still worth sending: the client did nothing wrong.
            Close::Restart => {}
            Close::SlowClient => return self.fail(ErrorCode::SlowClient, reason, now),
            _ => self.outbox_mut().clear(),
        }
        if reason == Close::Restart && self.opted_in.get() {
            self.send_control(&ControlMessage::Drain { reconnect_ms: reconnect.as_millis() as u32 }, now);
        }
        self.begin_close(reason, now);
    }

    fn abort(&self) {
        self.phase.set(Phase::Aborted { reason: self.close_reason() });
        self.wake();
    }
}

/// A session's place in the hub, given up when the session is dropped, however that happens.
pub(super) struct HubMembership {
    state: Rc<SessionState>,
    key: SubscriberKey,
}

impl HubMembership {
    pub(super) fn join(state: &Rc<SessionState>) -> Self {
        let key = state.hub.join(Rc::clone(state) as Rc<dyn Subscriber>, Rc::clone(&state.writer));
        state.key.set(key).expect("a session joins its hub once");
        Self { state: Rc::clone(state), key }
    }

    pub(super) fn key(&self) -> SubscriberKey {
        self.key
    }
}

impl Drop for HubMembership {
    fn drop(&mut self) {
        let reason = self.state.close_reason().map_or("gone", Close::name);
        self.state.hub.metrics().closed(reason);
        self.state.remove_alerts(|_| true);
        self.state.hub.leave(self.key);
    }
}
