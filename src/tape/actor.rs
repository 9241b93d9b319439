use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, Handler, Message, Recipient, StreamHandler};

use super::{Batch, Latest, Recorder};
use crate::market::{Beat, LiveMarket};
use crate::metrics::TapeMetrics;
use crate::model::{Event, SECOND, Timestamp};

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
///
/// The market is called plainly: its work and the tape's are small and strictly in turn, and a message
/// between two actors costs about as much as either.
pub struct TapeActor {
    market: LiveMarket,
    /// What the market tells. It keeps its room.
    events: Vec<Event>,
    recorder: Recorder,
    followers: Vec<Recipient<Published>>,
    metrics: TapeMetrics,
}

/// Room for the events of one turn that is kept: more than a millisecond of any market has, some 50 KiB.
const KEPT_EVENTS: usize = 1 << 10;

impl TapeActor {
    /// A tape of this market, without followers.
    pub fn new(market: LiveMarket, recorder: Recorder, metrics: TapeMetrics) -> Self {
        Self { market, events: Vec::new(), recorder, followers: Vec::new(), metrics }
    }

    /// Publishes what the market has told up to then.
    fn publish(&mut self, newest: Timestamp) {
        let batch = self.recorder.record(&self.events, newest);
        self.events.clear();
        self.events.shrink_to(KEPT_EVENTS);
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

impl Actor for TapeActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let opened = self.market.open(&mut self.events);
        self.publish(opened);
        ctx.add_stream(self.market.beats());
    }
}

impl StreamHandler<Beat> for TapeActor {
    fn handle(&mut self, _: Beat, _: &mut Self::Context) {
        if let Some(newest) = self.market.tell(&mut self.events) {
            self.publish(newest);
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
