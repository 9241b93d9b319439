use std::cell::{Cell, OnceCell, RefCell, RefMut};
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Instant, SystemTime};

use bytes::Bytes;

use super::entry::OutgoingFrame;
use super::fast_path::{FastPath, FastPathCache};
use super::limits::Offered;
use super::outbox::Outbox;
use super::{Overload, SessionOptions};
use crate::hub::{
    ConnectionHealth, EncodedLastValues, FanOut, FrameKey, Hub, ObjectRef, Subscriber, SubscriberKey,
};
use crate::model::{Epoch, Timestamp};
use crate::transport::RawSocket;
use crate::transport::SocketWriter;
use crate::wire::{Close, Codec, ControlMessage, ErrorCode, Heartbeat, Opcode, close_frame, message_frame};

/// What the hub, the actor and the task of one session share: the outbox, the line, and how the far
/// side does.
///
/// Everything happens on one thread and nothing is borrowed across a call to the outside.
pub(super) struct SessionState {
    hub: Rc<Hub>,
    key: OnceCell<SubscriberKey>,
    codec: Codec,
    epoch: Epoch,
    lane: FastPathCache,
    outbox: RefCell<Outbox>,
    line: SocketWriter,
    /// Wakes the session's task, unless it has been woken already.
    waker: Cell<Option<Waker>>,
    terms: Cell<SessionOptions>,
    /// When the next data of a client with a pace is due.
    release_at: Cell<Instant>,
    heard: Cell<Instant>,
    pinged: Cell<Instant>,
    /// Whether the client knows our own notices.
    opted_in: Cell<bool>,
    parting: Cell<Option<Closing>>,
    is_severed: Cell<bool>,
}

/// After how long clients are asked to come back from a restart: spread, so that they do not all
/// come at once.
const RECONNECT_MS: std::ops::Range<u32> = 500..5_000;

/// The session is over, but for what the socket has yet to take.
#[derive(Clone, Copy)]
struct Closing {
    since: Instant,
    why: Close,
}

impl SessionState {
    pub(super) fn new(hub: Rc<Hub>, codec: Codec, epoch: Epoch, outbox: Outbox, line: SocketWriter) -> Self {
        let now = Instant::now();
        Self {
            hub,
            key: OnceCell::new(),
            codec,
            epoch,
            lane: FastPathCache::new(now),
            outbox: RefCell::new(outbox),
            line,
            waker: Cell::new(None),
            terms: Cell::default(),
            release_at: Cell::new(now),
            heard: Cell::new(now),
            pinged: Cell::new(now),
            opted_in: Cell::new(false),
            parting: Cell::new(None),
            is_severed: Cell::new(false),
        }
    }

    pub(super) fn hub(&self) -> &Rc<Hub> {
        &self.hub
    }

    /// The session's place in the hub, if it has one.
    pub(super) fn key(&self) -> Option<SubscriberKey> {
        self.key.get().copied()
    }

    /// Something came from the far side.
    pub(super) fn hears(&self) {
        self.heard.set(Instant::now());
    }

    /// Sends a frame after all that waits, unless the session is over.
    pub(super) fn send(&self, frame: Bytes) {
        self.change(|outbox| outbox.push(frame));
    }

    /// Sends a control frame that need not wait behind data.
    pub(super) fn send_urgent(&self, frame: Bytes) {
        self.change(|outbox| outbox.push_urgent(frame));
    }

    /// Sends a notice after all that waits.
    pub(super) fn notify(&self, notice: &ControlMessage) {
        self.send(notice.to_frame(self.codec));
    }

    /// Sends notices in one frame after all that waits.
    pub(super) fn notify_all(&self, notices: &[ControlMessage]) {
        if !notices.is_empty() {
            self.send(ControlMessage::array_frame(notices, self.codec));
        }
    }

    /// Serves the client so from now on.
    pub(super) fn set_terms(&self, terms: SessionOptions) {
        self.terms.set(terms);
        self.opted_in.set(true);
        let now = Instant::now();
        self.release_at.set(now + terms.pace);
        self.outbox_mut().set_overload(Overload::Gap);
        if let Some(key) = self.key() {
            self.hub.set_due(key, self.next_due(now));
        }
    }

    pub(super) fn terms(&self) -> SessionOptions {
        self.terms.get()
    }

    /// Says goodbye after all that waits, and ends. The first reason counts.
    pub(super) fn part(&self, why: Close) {
        if self.parting.get().is_none() {
            self.send(close_frame(&why));
            self.parting.set(Some(Closing { since: Instant::now(), why }));
        }
    }

    /// Why the session is over, unless it goes on.
    pub(super) fn parting(&self) -> Option<Close> {
        self.parting.get().map(|parting| parting.why)
    }

    /// Whether the connection is to be broken off, whatever waits.
    pub(super) fn is_severed(&self) -> bool {
        self.is_severed.get()
    }

    pub(super) fn line(&self) -> &SocketWriter {
        &self.line
    }

    fn outbox_mut(&self) -> RefMut<'_, Outbox> {
        self.lane.forget();
        self.outbox.borrow_mut()
    }

    /// How objects pass the outbox and leave at once, if they may.
    fn passage(&self) -> Option<FastPath> {
        self.lane.passage(|| {
            let is_open = self.line.is_clear() && self.parting.get().is_none();
            is_open.then(|| self.outbox.borrow().passage()).flatten()
        })
    }

    /// How many bytes wait for the socket.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.outbox.borrow().bytes() + self.line.waiting_bytes()
    }

    /// Whether the socket has yet to take something.
    fn owes(&self) -> bool {
        !self.line.is_clear() || !self.outbox.borrow().is_empty()
    }

    /// Whether a frame waits that the socket may have room for.
    pub(super) fn has_more(&self) -> bool {
        self.line.is_clear() && !self.outbox.borrow().is_empty()
    }

    /// The task sleeps: whatever it has to look at wakes it by this.
    pub(super) fn wake_by(&self, waker: &Waker) {
        let known = self.waker.take().filter(|known| known.will_wake(waker));
        self.waker.set(Some(known.unwrap_or_else(|| waker.clone())));
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Writes all that waits, as the socket takes it; pending while it is full.
    pub(super) fn poll_write(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let now = Instant::now();
        loop {
            let waited = self.line.waiting_bytes();
            let cleared = self.line.poll_clear(cx);
            if self.line.waiting_bytes() < waited {
                self.lane.set_moved(now);
            }
            ready!(cleared)?;
            match self.hub.with_latest(|latest| self.take(latest, now)) {
                Some(frame) => self.line.sent(&frame, self.line.try_send(&frame)),
                None => return Poll::Ready(Ok(())),
            }
        }
    }

    /// Writes what the socket takes at once; what it does not is the task's work.
    fn write(&self, latest: &EncodedLastValues, now: Instant) {
        while self.line.is_clear()
            && let Some(frame) = self.take(latest, now)
        {
            self.sent(&frame, self.line.try_send(&frame));
        }
    }

    fn take(&self, latest: &EncodedLastValues, now: Instant) -> Option<Bytes> {
        let taken = self.outbox_mut().take(latest)?;
        Some(self.leaving(taken, now))
    }

    /// Counts a frame that leaves now.
    fn leaving(&self, taken: OutgoingFrame, now: Instant) -> Bytes {
        self.lane.set_moved(now);
        let metrics = self.hub.metrics();
        metrics.frames.inc();
        metrics.objects.inc_by(taken.objects as u64);
        metrics.bytes.inc_by(taken.frame.len() as u64);
        if taken.merged > 0 {
            metrics.conflated.inc_by(taken.merged);
        }
        taken.frame
    }

    /// Changes the outbox, unless the session is over, and wakes the task where that gave it work.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Outbox) -> T) -> Option<T> {
        let outcome = self.fill(Instant::now(), change)?;
        if self.has_more() {
            self.wake();
        }
        Some(outcome)
    }

    /// Changes the outbox, unless the session is over.
    fn fill<T>(&self, now: Instant, change: impl FnOnce(&mut Outbox) -> T) -> Option<T> {
        if self.parting.get().is_some() {
            return None;
        }
        let mut outbox = self.outbox_mut();
        let was_empty = outbox.is_empty();
        let outcome = change(&mut outbox);
        if was_empty && !outbox.is_empty() && self.line.is_clear() {
            self.lane.set_moved(now);
        }
        Some(outcome)
    }

    /// When the next frame or heartbeat is due, by the terms.
    fn next_due(&self, now: Instant) -> Option<Instant> {
        let SessionOptions { pace, heartbeat } = self.terms.get();
        let release = (!pace.is_zero()).then(|| self.release_at.get());
        let beat = (!heartbeat.is_zero()).then(|| (self.lane.moved() + heartbeat).max(now));
        release.into_iter().chain(beat).min()
    }

    fn heartbeat(&self, latest: &EncodedLastValues) -> ControlMessage {
        let now = Timestamp::from(SystemTime::now());
        let age_nanos = now.nanos_since(latest.watermark()).max(0) as u64;
        ControlMessage::Heartbeat(Heartbeat::new(self.epoch, age_nanos / 1_000_000, now))
    }
}

impl Subscriber for SessionState {
    fn deliver(&self, turn: &FanOut<'_>, picks: &[ObjectRef]) -> Option<FrameKey> {
        if let Some(frame) = self.passage().and_then(|passage| passage.frame(turn, picks)) {
            self.lane.set_moved(turn.now());
            return Some(frame);
        }
        match self.fill(turn.now(), |outbox| outbox.offer(turn, picks)) {
            Some(Offered::Overflow) => {
                self.hub.metrics().overflows.inc();
                self.outbox_mut().clear();
                self.notify(&ErrorCode::SlowClient.into());
                self.part(Close::SlowClient);
            }
            Some(Offered::Lost) => _ = self.hub.metrics().overflows.inc(),
            Some(Offered::Kept) | None => {}
        }
        self.write(turn.newest(), turn.now());
        None
    }

    fn socket(&self) -> Option<RawSocket<'_>> {
        self.line.socket()
    }

    fn sent(&self, frame: &Bytes, sent: io::Result<usize>) {
        self.line.sent(frame, sent);
        if !self.line.is_clear() {
            self.lane.forget();
            self.wake();
        }
    }

    fn may_wait(&self) -> bool {
        self.outbox.borrow().is_level()
    }

    fn due(&self, now: Instant, latest: &EncodedLastValues) -> Option<Instant> {
        let SessionOptions { pace, heartbeat } = self.terms.get();
        if self.parting.get().is_some() {
            return None;
        }
        if !pace.is_zero() && self.release_at.get() <= now {
            // From when it was due, so that the pace is kept; from now, when that is long ago.
            self.release_at.set((self.release_at.get() + pace).max(now));
            self.fill(now, |outbox| outbox.release(latest));
            self.write(latest, now);
        }
        if !heartbeat.is_zero() && !self.owes() && self.lane.moved() + heartbeat <= now {
            self.notify(&self.heartbeat(latest));
        }
        const SOON: std::time::Duration = std::time::Duration::from_millis(1);
        self.next_due(now).map(|due| due.max(now + SOON))
    }

    fn vitals(&self) -> ConnectionHealth {
        ConnectionHealth {
            heard: self.heard.get(),
            pinged: self.pinged.get(),
            stalled: self.owes().then(|| self.lane.moved()),
            dismissed: self.parting.get().map(|parting| parting.since),
            waiting_bytes: self.waiting_bytes(),
        }
    }

    fn ping(&self) {
        let now = Instant::now();
        self.pinged.set(now);
        self.fill(now, |outbox| outbox.push_urgent(message_frame(Opcode::Ping, &[])));
        self.hub.with_latest(|latest| self.write(latest, now));
    }

    fn dismiss(&self, why: Close) {
        if !why.may_return() {
            self.outbox_mut().clear();
        }
        if why == Close::Restart && self.opted_in.get() {
            let reconnect_ms = rand::random_range(RECONNECT_MS);
            self.notify(&ControlMessage::Drain { reconnect_ms });
        }
        self.part(why);
    }

    fn sever(&self) {
        self.is_severed.set(true);
        self.wake();
    }
}

/// A session's seat in the hub: it is given up when the session is dropped, however that comes.
pub(super) struct HubMembership {
    link: Rc<SessionState>,
    key: SubscriberKey,
}

impl HubMembership {
    pub(super) fn of(link: &Rc<SessionState>) -> Self {
        let key = link.hub.join(Rc::clone(link) as Rc<dyn Subscriber>);
        link.key.set(key).expect("a link joins its hub once");
        Self { link: Rc::clone(link), key }
    }

    pub(super) fn key(&self) -> SubscriberKey {
        self.key
    }
}

impl Drop for HubMembership {
    fn drop(&mut self) {
        let why = self.link.parting().map_or("gone", Close::name);
        self.link.hub.metrics().closed(why);
        self.link.hub.leave(self.key);
    }
}
