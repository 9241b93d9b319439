//! Where the market and its tape run.

use std::rc::Rc;
use std::sync::Mutex;

use actix::{Actor, Addr, Arbiter};

use crate::feed::{FeedPump, Follow, InlineMarketDataActor, MarketDataActor};
use crate::hub::{Hub, HubActor, InlineHub};

/// The market and its tape: on a thread of their own where several workers follow them, on the worker's
/// where there is one.
///
/// A thread that is woken costs about 10 µs, a thousand times a second; where the tick is for one thread
/// alone, it wakes no other.
pub(super) enum Feed {
    Apart {
        tape: Addr<MarketDataActor>,
        thread: Arbiter,
    },
    /// The tape, until the worker comes.
    Beside(Mutex<Option<Box<FeedPump>>>),
}

impl Feed {
    /// A feed for so many workers.
    pub(super) fn new(tape: FeedPump, workers: usize) -> Self {
        if workers == 1 {
            return Self::Beside(Mutex::new(Some(Box::new(tape))));
        }
        let thread = Arbiter::new();
        let tape = MarketDataActor::start_in_arbiter(&thread.handle(), |_| MarketDataActor::new(tape));
        Self::Apart { tape, thread }
    }

    /// The hub of the worker that calls wants every batch.
    ///
    /// # Panics
    /// When there are more workers than were announced.
    pub(super) fn follow(&self, hub: &Rc<Hub>, actor: Addr<HubActor>) {
        match self {
            Self::Apart { tape, .. } => tape.do_send(Follow(actor.recipient())),
            Self::Beside(tape) => {
                let tape = tape.lock().expect("nobody panics with this lock").take();
                let tape = tape.expect("there is one worker");
                InlineMarketDataActor::new(*tape, InlineHub::new(Rc::clone(hub), actor)).start();
            }
        }
    }

    /// The market closes, unless it shares a worker's thread, with which it ends.
    pub(super) fn stop(&self) {
        if let Self::Apart { thread, .. } = self {
            thread.stop();
        }
    }
}
