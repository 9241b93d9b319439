use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, StreamHandler};

use super::{Batch, Latest, Tape};
use crate::market::Beat;

/// The only follower of a tape, on its own thread.
///
/// It is called plainly, in the middle of the beat: a message to it would have to be kept, and its actor
/// woken, 1,000 times a second. And it has the only [`Latest`]: two would be written one after the other,
/// in cold cache lines for each object.
pub trait Neighbour {
    /// A beat: `tell` says what is new, if anything, and enters it.
    fn beat(&self, tell: impl FnOnce(&mut Latest) -> Option<Arc<Batch>>);

    /// Whether it needs no beat that brings nothing.
    fn may_rest(&self) -> bool;
}

/// The [market-data actor](super::TapeActor) where all that follows the tape is on its thread.
pub struct BesideActor<N> {
    tape: Tape,
    neighbour: N,
}

impl<N: Neighbour> BesideActor<N> {
    /// An actor that publishes this tape to this neighbour.
    pub fn new(tape: Tape, neighbour: N) -> Self {
        Self { tape, neighbour }
    }
}

impl<N: Neighbour + Unpin + 'static> Actor for BesideActor<N> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.neighbour.beat(|latest| self.tape.open(latest));
        ctx.add_stream(self.tape.beats());
    }
}

impl<N: Neighbour + Unpin + 'static> StreamHandler<Beat> for BesideActor<N> {
    fn handle(&mut self, _: Beat, _: &mut Self::Context) {
        self.neighbour.beat(|latest| self.tape.beat(latest));
        self.tape.settle();
        if self.neighbour.may_rest() {
            self.tape.rest();
        }
    }
}
