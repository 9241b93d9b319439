use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tracing::warn;

use super::clock::{IdleTicks, MillisecondClock, SteadyClock};
use super::simulator::{Listings, SimulationSettings, Simulator};
use super::{EventSource, Pacer, Ticks};
use crate::model::{Event, MILLISECOND, Timestamp, Universe};

/// The simulator as an [`EventSource`] in step with the wall clock.
///
/// This and the clock are the only parts of the simulated market that read time; the [`Simulator`] and the
/// [`Pacer`] take it as an argument.
pub struct SimulatedMarket {
    universe: Arc<Universe>,
    simulator: Simulator,
    clock: SteadyClock,
    pacer: Pacer,
    idle_ticks: IdleTicks,
}

/// A step of the simulator lasts as long as a tick.
const TICK: Duration = MillisecondClock::PERIOD;

/// The most ticks skipped in a row: with the one that follows, 8 steps are due, which is what the pacer
/// allows at once.
const MAX_SKIPPED_TICKS: u64 = 7;

impl SimulatedMarket {
    /// A market of these listings whose clock starts now.
    ///
    /// # Panics
    /// When a setting is outside the range its field allows.
    pub fn new(listings: &Listings, settings: SimulationSettings) -> Self {
        let clock = SteadyClock::start();
        Self {
            universe: Arc::clone(listings.universe()),
            simulator: Simulator::new(listings, settings),
            pacer: Pacer::new(clock.started_at(), TICK),
            clock,
            idle_ticks: IdleTicks::default(),
        }
    }
}

impl EventSource for SimulatedMarket {
    fn name(&self) -> &'static str {
        "simulator"
    }

    fn universe(&self) -> &Arc<Universe> {
        &self.universe
    }

    /// A quote and the price bands of each instrument, so that every trade has both before it.
    fn open(&mut self, out: &mut Vec<Event>) -> Timestamp {
        let at = self.clock.started_at();
        self.simulator.opening(at, out);
        at
    }

    /// Appends events in the order of their reports; a late trade carries an older stamp.
    fn poll(&mut self, out: &mut Vec<Event>) -> Option<Timestamp> {
        let due = self.pacer.take_due(self.clock.now());
        if !due.skipped.is_zero() {
            let skipped_ms = due.skipped.as_millis() as u64;
            warn!(skipped_ms, "the simulator fell too far behind the wall clock; event time jumps to now");
        }
        let mut watermark = None;
        for start in due.starts() {
            self.simulator.step(start, out);
            watermark = Some(Timestamp::from_nanos(start.nanos() + MILLISECOND));
        }
        watermark
    }

    /// One tick at each whole millisecond of the wall clock.
    fn ticks(&mut self) -> Ticks {
        MillisecondClock::new(self.clock.until_next(TICK), self.idle_ticks.clone()).boxed_local()
    }

    /// Skips up to 7 ticks: waking an idle processor takes longer than a step without events.
    fn skip_idle_ticks(&mut self) {
        if self.pacer.is_up_to_date() {
            self.idle_ticks.allow(self.simulator.idle_steps().min(MAX_SKIPPED_TICKS) as u32);
        }
    }
}
