use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, Handler, Message, Recipient, StreamHandler};

use super::{Batch, FeedPump, LastValues};
use crate::source::ClockTick;

/// Somebody who wants every batch from now on; answered first with how things stand.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Follow(pub Recipient<Published>);

/// What a follower hears: first [`Published::AuthState`], then every batch, in order, none missing.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub enum Published {
    /// The newest object of each stream, before the batches that follow.
    AuthState(Arc<LastValues>),
    /// What is new.
    Batch(Arc<Batch>),
}

/// The market-data actor: on each beat of the market it takes what has happened, and publishes it to its
/// followers.
pub struct MarketDataActor {
    tape: FeedPump,
    latest: LastValues,
    followers: Vec<Recipient<Published>>,
}

impl MarketDataActor {
    /// An actor that publishes this tape to those who [follow](Follow).
    pub fn new(tape: FeedPump) -> Self {
        Self { latest: LastValues::new(tape.symbols()), tape, followers: Vec::new() }
    }

    fn publish(&mut self, batch: Option<Arc<Batch>>) {
        let Some(batch) = batch else { return };
        self.followers.retain(Recipient::connected);
        for follower in &self.followers {
            follower.do_send(Published::Batch(Arc::clone(&batch)));
        }
    }
}

impl Actor for MarketDataActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let opening = self.tape.open(&mut self.latest);
        self.publish(opening);
        ctx.add_stream(self.tape.beats());
    }
}

impl StreamHandler<ClockTick> for MarketDataActor {
    fn handle(&mut self, _: ClockTick, _: &mut Self::Context) {
        let batch = self.tape.beat(&mut self.latest);
        self.publish(batch);
        self.tape.settle();
        self.tape.rest();
    }
}

impl Handler<Follow> for MarketDataActor {
    type Result = ();

    fn handle(&mut self, Follow(follower): Follow, _: &mut Self::Context) {
        follower.do_send(Published::AuthState(Arc::new(self.latest.clone())));
        self.followers.push(follower);
    }
}
