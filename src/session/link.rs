use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;
use std::time::Instant;

use bytes::Bytes;

use super::{Offered, Outbox};
use crate::hub::{Hub, Pick, Subscriber, Turn, Vitals};
use crate::wire::{Close, Codec, ErrorCode, Notice, Opcode, close_frame, message_frame};

/// Breaks a connection off, whatever state it is in.
pub type Sever = Box<dyn Fn()>;

/// What the hub, the actor and the body of one session share: the outbox, and how the far side does.
///
/// Everything happens on one thread and nothing is borrowed across a call to the outside.
pub(super) struct Link {
    hub: Rc<Hub>,
    codec: Codec,
    outbox: RefCell<Outbox>,
    waker: Cell<Option<Waker>>,
    heard: Cell<Instant>,
    pinged: Cell<Instant>,
    /// When the socket last took something, or when the outbox ceased to be empty after that.
    moved: Cell<Instant>,
    parting: Cell<Option<Parting>>,
    sever: Sever,
}

/// The session is over, but for what the socket has yet to take.
#[derive(Clone, Copy)]
struct Parting {
    since: Instant,
    why: Close,
}

impl Link {
    pub(super) fn new(hub: Rc<Hub>, codec: Codec, outbox: Outbox, sever: Sever) -> Self {
        let now = Instant::now();
        Self {
            hub,
            codec,
            outbox: RefCell::new(outbox),
            waker: Cell::new(None),
            heard: Cell::new(now),
            pinged: Cell::new(now),
            moved: Cell::new(now),
            parting: Cell::new(None),
            sever,
        }
    }

    pub(super) fn hub(&self) -> &Rc<Hub> {
        &self.hub
    }

    /// Something came from the far side.
    pub(super) fn hears(&self) {
        self.heard.set(Instant::now());
    }

    /// Sends a frame after all that waits, unless the session is over.
    pub(super) fn send(&self, frame: Bytes) {
        if self.parting.get().is_none() {
            self.touch(|outbox| outbox.push(frame));
        }
    }

    /// Sends a notice after all that waits.
    pub(super) fn notify(&self, notice: &Notice) {
        self.send(notice.to_frame(self.codec));
    }

    /// What the client no longer wants need not be sent.
    pub(super) fn retain(&self, is_wanted: impl Fn(crate::model::Stream) -> bool) {
        self.outbox.borrow_mut().retain(is_wanted);
    }

    /// Says goodbye after all that waits, and ends. The first reason counts.
    pub(super) fn part(&self, why: Close) {
        if self.parting.get().is_none() {
            self.send(close_frame(&why));
            self.parting.set(Some(Parting { since: Instant::now(), why }));
        }
    }

    /// Why the session is over, unless it goes on.
    pub(super) fn parting(&self) -> Option<Close> {
        self.parting.get().map(|parting| parting.why)
    }

    /// How many bytes wait for the socket.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.outbox.borrow().bytes()
    }

    /// The next frame for the socket; when there is none, `waker` is told of the next.
    pub(super) fn take(&self, waker: &Waker) -> Option<Bytes> {
        let taken = self.hub.with_latest(|latest| self.outbox.borrow_mut().take(latest));
        let Some(taken) = taken else {
            let known = self.waker.take().filter(|known| known.will_wake(waker));
            self.waker.set(Some(known.unwrap_or_else(|| waker.clone())));
            return None;
        };
        self.moved.set(Instant::now());
        let metrics = self.hub.metrics();
        metrics.frames.inc();
        metrics.objects.inc_by(taken.objects as u64);
        metrics.bytes.inc_by(taken.frame.len() as u64);
        if taken.merged > 0 {
            metrics.conflated.inc_by(taken.merged);
        }
        Some(taken.frame)
    }

    fn touch<T>(&self, change: impl FnOnce(&mut Outbox) -> T) -> T {
        let mut outbox = self.outbox.borrow_mut();
        if outbox.is_empty() {
            self.moved.set(Instant::now());
        }
        let outcome = change(&mut outbox);
        drop(outbox);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        outcome
    }
}

impl Subscriber for Link {
    fn deliver(&self, turn: &Turn<'_>, picks: &[Pick]) {
        if self.parting.get().is_some() {
            return;
        }
        if self.touch(|outbox| outbox.offer(turn, picks)) == Offered::Overflow {
            self.hub.metrics().overflows.inc();
            self.outbox.borrow_mut().clear();
            self.notify(&ErrorCode::SlowClient.into());
            self.part(Close::SlowClient);
        }
    }

    fn vitals(&self) -> Vitals {
        Vitals {
            heard: self.heard.get(),
            pinged: self.pinged.get(),
            stalled: (!self.outbox.borrow().is_empty()).then(|| self.moved.get()),
            dismissed: self.parting.get().map(|parting| parting.since),
            waiting_bytes: self.waiting_bytes(),
        }
    }

    fn ping(&self) {
        self.pinged.set(Instant::now());
        self.touch(|outbox| outbox.push_first(message_frame(Opcode::Ping, &[])));
    }

    fn dismiss(&self, why: Close) {
        if !why.may_return() {
            self.outbox.borrow_mut().clear();
        }
        self.part(why);
    }

    fn sever(&self) {
        (self.sever)();
    }
}

/// A session's seat in the hub: it is given up when the session is dropped, however that comes.
pub(super) struct Membership {
    link: Rc<Link>,
    key: crate::hub::SubscriberKey,
}

impl Membership {
    pub(super) fn of(link: &Rc<Link>) -> Self {
        let key = link.hub.join(Rc::clone(link) as Rc<dyn Subscriber>);
        Self { link: Rc::clone(link), key }
    }

    pub(super) fn key(&self) -> crate::hub::SubscriberKey {
        self.key
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let why = self.link.parting().map_or("gone", Close::name);
        self.link.hub.metrics().closed(why);
        self.link.hub.leave(self.key);
    }
}
