use std::time::{Duration, Instant, SystemTime};

use futures_util::Stream;
use tracing::warn;

use super::Pacer;
use super::clock::{ClockTick, IdleTicks, MarketClock};
use super::simulator::Simulator;
use crate::model::{Event, MILLISECOND, Timestamp};

/// A simulated market in step with the wall clock: on each of its [beats](Self::beats) it
/// [tells](Self::tell) what has happened since the last one.
pub struct SimulatedMarket {
    simulator: Simulator,
    clock: Clock,
    pacer: Pacer,
    rest: IdleTicks,
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

/// So many beats in a row are left out at most: with the next one they are what the pacer lets through at once.
const MOST_REST: u64 = 7;

impl SimulatedMarket {
    /// A market whose clock starts now.
    pub fn new(simulator: Simulator) -> Self {
        let clock = Clock::start();
        Self { simulator, clock, pacer: Pacer::new(clock.opened, BEAT), rest: IdleTicks::default() }
    }

    /// Appends what is true when it opens, a quote and the price bands of each instrument, so that every
    /// trade has them before it; says as of when.
    pub fn open(&self, out: &mut Vec<Event>) -> Timestamp {
        self.simulator.opening(self.clock.opened, out);
        self.clock.opened
    }

    /// When to ask what has happened: at each whole millisecond, but for those of a [rest](Self::rest). Needs
    /// a running runtime.
    pub fn beats(&self) -> impl Stream<Item = ClockTick> + use<> {
        MarketClock::new(self.clock.until_next(BEAT), BEAT, self.rest.clone())
    }

    /// Nobody needs a beat that brings nothing: those in which nothing will happen are left out, up to 7 in
    /// a row. An idle processor takes longer to wake up than a quiet beat does.
    pub fn rest(&self) {
        if self.pacer.is_up_to_date() {
            self.rest.allow(self.simulator.quiet_steps().min(MOST_REST) as u32);
        }
    }

    /// Appends what has happened since this was last asked, in the order in which it was reported (a
    /// late trade carries an older stamp); says up to when everything is told by now, unless nothing is
    /// new.
    pub fn tell(&mut self, out: &mut Vec<Event>) -> Option<Timestamp> {
        let due = self.pacer.due(self.clock.now());
        if !due.skipped.is_zero() {
            warn!(
                skipped_ms = due.skipped.as_millis() as u64,
                "the market was held up too long to make up for"
            );
        }
        let mut told_until = None;
        for begins in due.begins() {
            self.simulator.step(begins, out);
            told_until = Some(Timestamp::from_nanos(begins.nanos() + MILLISECOND));
        }
        told_until
    }
}
