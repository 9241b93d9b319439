use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, Handler, Message, Recipient, StreamHandler};

use super::{Batch, Latest, Tape};
use crate::market::Beat;

/// Somebody who wants every batch from now on; answered first with how things stand.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Follow(pub Recipient<Published>);

/// What a follower hears: first [`Published::Standing`], then every batch, in order, none missing.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub enum Published {
    /// The newest object of each stream, before the batches that follow.
    Standing(Arc<Latest>),
    /// What is new.
    Batch(Arc<Batch>),
}

/// The market-data actor: on each beat of the market it takes what has happened, and publishes it to its
/// followers.
pub struct TapeActor {
    tape: Tape,
    latest: Latest,
    followers: Vec<Recipient<Published>>,
}

impl TapeActor {
    /// An actor that publishes this tape to those who [follow](Follow).
    pub fn new(tape: Tape) -> Self {
        Self { latest: Latest::new(tape.symbols()), tape, followers: Vec::new() }
    }

    fn publish(&mut self, batch: Option<Arc<Batch>>) {
        let Some(batch) = batch else { return };
        self.followers.retain(Recipient::connected);
        for follower in &self.followers {
            follower.do_send(Published::Batch(Arc::clone(&batch)));
        }
    }
}

impl Actor for TapeActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let opening = self.tape.open(&mut self.latest);
        self.publish(opening);
        ctx.add_stream(self.tape.beats());
    }
}

impl StreamHandler<Beat> for TapeActor {
    fn handle(&mut self, _: Beat, _: &mut Self::Context) {
        let batch = self.tape.beat(&mut self.latest);
        self.publish(batch);
        self.tape.settle();
        self.tape.rest();
    }
}

impl Handler<Follow> for TapeActor {
    type Result = ();

    fn handle(&mut self, Follow(follower): Follow, _: &mut Self::Context) {
        follower.do_send(Published::Standing(Arc::new(self.latest.clone())));
        self.followers.push(follower);
    }
}
