use std::sync::Arc;

use actix::{Actor, Context, Handler, Message, Recipient};

use super::{Batch, Latest, Recorder};
use crate::market::Events;
use crate::metrics::TapeMetrics;
use crate::model::SECOND;

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

/// The tape as an actor: takes the market's events, publishes batches to its followers.
///
/// It shares a thread with the market: their work is small and strictly in turn, and a hop between
/// threads would cost more than it does.
pub struct TapeActor {
    recorder: Recorder,
    followers: Vec<Recipient<Published>>,
    metrics: TapeMetrics,
}

impl TapeActor {
    /// A tape without followers.
    pub fn new(recorder: Recorder, metrics: TapeMetrics) -> Self {
        Self { recorder, followers: Vec::new(), metrics }
    }
}

impl Actor for TapeActor {
    type Context = Context<Self>;
}

impl Handler<Events> for TapeActor {
    type Result = ();

    fn handle(&mut self, told: Events, _: &mut Self::Context) {
        let batch = self.recorder.record(&told.events, told.newest);
        if batch.is_empty() {
            return;
        }
        self.metrics.batches.inc();
        self.metrics.objects.inc_by(batch.len() as u64);
        self.metrics.newest.set(batch.newest().nanos() as f64 / SECOND as f64);
        let batch = Arc::new(batch);
        self.followers.retain(Recipient::connected);
        for follower in &self.followers {
            follower.do_send(Published::Batch(Arc::clone(&batch)));
        }
    }
}

impl Handler<Follow> for TapeActor {
    type Result = ();

    fn handle(&mut self, Follow(follower): Follow, _: &mut Self::Context) {
        follower.do_send(Published::Standing(Arc::new(self.recorder.latest().clone())));
        self.followers.push(follower);
    }
}
