use std::time::{Duration, Instant, SystemTime};

use actix::{Actor, AsyncContext, Context, Message, Recipient, StreamHandler};
use tracing::warn;

use super::metronome::{Beat, Metronome};
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
    clock: Clock,
    pacer: Pacer,
    /// How many events the last beat had: the next is likely to need as much room.
    usual: usize,
}

/// The wall clock is read once; from then on a steady clock tells how much later it is, so that event
/// time does not jump when the machine's clock is set.
#[derive(Clone, Copy)]
struct Clock {
    opened: Timestamp,
    steady: Instant,
}

impl Clock {
    fn start() -> Self {
        Self { opened: Timestamp::from(SystemTime::now()), steady: Instant::now() }
    }

    fn now(&self) -> Timestamp {
        self.opened + self.steady.elapsed()
    }

    /// How long it is until a whole number of these have passed since the Unix epoch.
    fn until_next(&self, period: Duration) -> Duration {
        let nanos = period.as_nanos() as i64;
        Duration::from_nanos((nanos - self.now().nanos().rem_euclid(nanos)) as u64)
    }
}

/// One step of the simulator.
const BEAT: Duration = Duration::from_millis(1);

impl MarketActor {
    /// A market that opens now, and tells its events to this listener.
    pub fn new(simulator: Simulator, listener: Recipient<Events>) -> Self {
        let clock = Clock::start();
        Self { simulator, listener, clock, pacer: Pacer::new(clock.opened, BEAT), usual: 0 }
    }
}

impl Actor for MarketActor {
    type Context = Context<Self>;

    /// Opens with a quote and the price bands of each instrument, so that every trade has them before it.
    fn started(&mut self, ctx: &mut Self::Context) {
        let opened = self.clock.opened;
        let mut events = Vec::new();
        self.simulator.opening(opened, &mut events);
        self.listener.do_send(Events { events, newest: opened });
        ctx.add_stream(Metronome::new(self.clock.until_next(BEAT), BEAT));
    }
}

impl StreamHandler<Beat> for MarketActor {
    fn handle(&mut self, _: Beat, _: &mut Self::Context) {
        let due = self.pacer.due(self.clock.now());
        if !due.skipped.is_zero() {
            warn!(
                skipped_ms = due.skipped.as_millis() as u64,
                "the market was held up too long to make up for"
            );
        }
        let mut events = Vec::with_capacity(self.usual);
        for begins in due.begins() {
            self.simulator.step(begins, &mut events);
        }
        if let Some(last) = due.begins().last() {
            let newest = Timestamp::from_nanos(last.nanos() + MILLISECOND);
            self.usual = events.len();
            self.listener.do_send(Events { events, newest });
        }
    }
}
