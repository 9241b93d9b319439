//! Where the market and its tape run.

use std::sync::{Mutex, OnceLock};

use actix::{Actor, Addr, Arbiter};

use crate::tape::TapeActor;

/// The market and its tape: on a thread of their own where several workers follow them, on the worker's
/// where there is one.
///
/// A thread that is woken costs about 10 µs, a thousand times a second; where the tick is for one thread
/// alone, it wakes no other.
pub(super) struct Feed {
    tape: OnceLock<Addr<TapeActor>>,
    /// The tape until the worker starts it.
    waiting: Mutex<Option<TapeActor>>,
    /// The thread, unless it is the worker's.
    thread: Option<Arbiter>,
}

impl Feed {
    /// A feed for so many workers.
    pub(super) fn new(tape: TapeActor, workers: usize) -> Self {
        if workers == 1 {
            return Self { tape: OnceLock::new(), waiting: Mutex::new(Some(tape)), thread: None };
        }
        let thread = Arbiter::new();
        let tape = TapeActor::start_in_arbiter(&thread.handle(), |_| tape);
        Self { tape: tape.into(), waiting: Mutex::new(None), thread: Some(thread) }
    }

    /// The tape, for the worker that calls. It may have to start it.
    pub(super) fn tape(&self) -> &Addr<TapeActor> {
        self.tape.get_or_init(|| {
            let waiting = self.waiting.lock().expect("nobody panics with this lock").take();
            waiting.expect("it is started once").start()
        })
    }

    /// The market closes, unless it shares a worker's thread, with which it ends.
    pub(super) fn stop(&self) {
        if let Some(thread) = &self.thread {
            thread.stop();
        }
    }
}
