use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, StreamHandler};

use super::{Batch, FeedPump, LastValues};
use crate::source::ClockTick;

/// The only follower of a tape, on its own thread.
///
/// It is called plainly, in the middle of the beat: a message to it would have to be kept, and its actor
/// woken, 1,000 times a second. And it has the only [`LastValues`]: two would be written one after the other,
/// in cold cache lines for each object.
pub trait InlineFollower {
    /// A beat: `tell` says what is new, if anything, and enters it.
    fn beat(&self, tell: impl FnOnce(&mut LastValues) -> Option<Arc<Batch>>);

    /// Whether it needs no beat that brings nothing.
    fn may_rest(&self) -> bool;
}

/// The [market-data actor](super::MarketDataActor) where all that follows the tape is on its thread.
pub struct InlineMarketDataActor<N> {
    tape: FeedPump,
    neighbour: N,
}

impl<N: InlineFollower> InlineMarketDataActor<N> {
    /// An actor that publishes this tape to this neighbour.
    pub fn new(tape: FeedPump, neighbour: N) -> Self {
        Self { tape, neighbour }
    }
}

impl<N: InlineFollower + Unpin + 'static> Actor for InlineMarketDataActor<N> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.neighbour.beat(|latest| self.tape.open(latest));
        ctx.add_stream(self.tape.beats());
    }
}

impl<N: InlineFollower + Unpin + 'static> StreamHandler<ClockTick> for InlineMarketDataActor<N> {
    fn handle(&mut self, _: ClockTick, _: &mut Self::Context) {
        self.neighbour.beat(|latest| self.tape.beat(latest));
        self.tape.settle();
        if self.neighbour.may_rest() {
            self.tape.rest();
        }
    }
}
