use std::time::{Duration, Instant, SystemTime};

use actix::{Actor, AsyncContext, Context, Message, Recipient};
use tracing::warn;

use super::{Pacer, Simulator};
use crate::model::{Event, MILLISECOND, Timestamp};

/// What the market told since it last spoke.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Events {
    /// The events in the order in which they were reported; a late trade carries an older stamp.
    pub events: Vec<Event>,
    /// Up to when everything is told by now.
    pub newest: Timestamp,
}

/// The owner of the market's clock: steps the simulator each millisecond and tells what happened.
pub struct MarketActor {
    simulator: Simulator,
    listener: Recipient<Events>,
}

/// One step of the simulator. The timer of the runtime is no finer.
const BEAT: Duration = Duration::from_millis(1);

impl MarketActor {
    /// A market that opens when the actor starts, and tells its events to this listener.
    pub fn new(simulator: Simulator, listener: Recipient<Events>) -> Self {
        Self { simulator, listener }
    }

    fn tell(&mut self, pacer: &mut Pacer, now: Timestamp) {
        let due = pacer.due(now);
        if !due.skipped.is_zero() {
            warn!(
                skipped_ms = due.skipped.as_millis() as u64,
                "the market was held up too long to make up for"
            );
        }
        let mut events = Vec::new();
        for begins in due.begins() {
            self.simulator.step(begins, &mut events);
        }
        if let Some(last) = due.begins().last() {
            let newest = Timestamp::from_nanos(last.nanos() + MILLISECOND);
            self.listener.do_send(Events { events, newest });
        }
    }
}

impl Actor for MarketActor {
    type Context = Context<Self>;

    /// Opens with a quote and the price bands of each instrument, so that every trade has them before it.
    ///
    /// The wall clock is read once; from then on a steady clock tells how much later it is, so that
    /// event time does not jump when the machine's clock is set.
    fn started(&mut self, ctx: &mut Self::Context) {
        let (opened, steady) = (Timestamp::from(SystemTime::now()), Instant::now());
        let mut events = Vec::new();
        self.simulator.opening(opened, &mut events);
        self.listener.do_send(Events { events, newest: opened });
        let mut pacer = Pacer::new(opened, BEAT);
        ctx.run_interval(BEAT, move |market, _| market.tell(&mut pacer, opened + steady.elapsed()));
    }
}
