use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tracing::warn;

use super::simulator::{Listings, SimulationSettings, Simulator};
use super::ticks::{MillisecondClock, TickHints};
use super::{EventSource, Pacer, Readers, Ticks};
use crate::clock::{Clock, ClockReading};
use crate::model::{Event, FeedNotice, MILLISECOND, Timestamp, Universe};

/// The simulator as an [`EventSource`] in step with the wall clock.
///
/// This is the only part of the simulated market that reads time; the [`Simulator`] and the [`Pacer`] take it
/// as an argument.
pub struct SimulatedMarket {
    universe: Arc<Universe>,
    simulator: Simulator,
    clock: Clock,
    opened_at: Timestamp,
    pacer: Pacer,
    /// How often the clock was set, as far as the pacer knows.
    clock_changes: u64,
    /// How many of its steps clients were told of.
    told_jumps: u64,
    hints: TickHints,
}

/// A step of the simulator lasts as long as a tick.
const TICK: Duration = MillisecondClock::PERIOD;

/// The most ticks skipped in a row without events.
const MAX_IDLE_TICKS: u64 = 7;

/// The most ticks skipped in a row while no session is open: the snapshot of a new session, and REST, are at most 25 ms
/// old. Well below the steps that the pacer allows at once, so that event time is not late afterwards.
const MAX_UNREAD_TICKS: u64 = 24;

const _: () = assert!(MAX_UNREAD_TICKS * 2 < Pacer::MAX_BURST.as_millis() as u64);

impl SimulatedMarket {
    /// A market of these listings that starts now by this clock.
    ///
    /// # Panics
    /// When a setting is outside the range its field allows.
    pub fn new(listings: &Listings, settings: SimulationSettings, clock: Clock) -> Self {
        let ClockReading { now, changes } = clock.read();
        Self {
            universe: Arc::clone(listings.universe()),
            simulator: Simulator::new(listings, settings),
            pacer: Pacer::new(now),
            opened_at: now,
            told_jumps: clock.jumps_after(0).1,
            clock,
            clock_changes: changes,
            hints: TickHints::default(),
        }
    }

    /// Continues the trade ids of an earlier run: the last one of each instrument, in order.
    pub fn resume_trade_ids(&mut self, last: impl Iterator<Item = u64>) {
        self.simulator.resume_trade_ids(last);
    }

    /// Appends the events up to this reading of the clock.
    fn advance(&mut self, reading: ClockReading, out: &mut Vec<Event>) -> Option<Timestamp> {
        let before = self.pacer.next_step();
        if std::mem::replace(&mut self.clock_changes, reading.changes) != reading.changes {
            self.pacer.clock_was_set(reading.now);
            self.hints.realign(until_next(TICK, reading.now));
        }
        let due = self.pacer.take_due(reading.now);
        if !due.skipped.is_zero() {
            let skipped_ms = due.skipped.as_millis() as u64;
            warn!(skipped_ms, "the simulator fell too far behind the wall clock; event time jumps to now");
        }
        let mut watermark = (due.first < before).then_some(due.first);
        for start in due.starts() {
            self.simulator.step(start, out);
            watermark = Some(Timestamp::from_nanos(start.nanos() + MILLISECOND));
        }
        watermark
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
        self.simulator.opening(self.opened_at, out);
        self.opened_at
    }

    /// A step of the clock.
    fn take_notices(&mut self) -> Vec<FeedNotice> {
        let reading = self.clock.read();
        if reading.changes == self.clock_changes {
            return Vec::new();
        }
        let (jumps, told) = self.clock.jumps_after(self.told_jumps);
        self.told_jumps = told;
        jumps.iter().map(|jump| FeedNotice::clock_was_set(jump.from, jump.to)).collect()
    }

    /// Appends events in the order of their reports; a late trade carries an older stamp.
    fn poll(&mut self, out: &mut Vec<Event>) -> Option<Timestamp> {
        let reading = self.clock.read();
        self.advance(reading, out)
    }

    /// One tick at each whole millisecond of the wall clock.
    fn ticks(&mut self) -> Ticks {
        MillisecondClock::new(until_next(TICK, self.clock.now()), self.hints.clone()).boxed_local()
    }

    /// Skips up to 7 ticks without events, or 24 of any kind while no session is open: waking an idle processor takes longer
    /// than the steps.
    fn skip_ticks(&mut self, readers: Readers) {
        if self.pacer.is_up_to_date() {
            let skipped = match readers {
                Readers::Waiting => self.simulator.idle_steps().min(MAX_IDLE_TICKS),
                Readers::Absent => MAX_UNREAD_TICKS,
            };
            self.hints.skip(skipped as u32);
        }
    }
}

/// The time from `now` until the next multiple of `period` since the Unix epoch.
fn until_next(period: Duration, now: Timestamp) -> Duration {
    let nanos = period.as_nanos() as i64;
    Duration::from_nanos((nanos - now.nanos().rem_euclid(nanos)) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::ClockMetrics;
    use crate::model::Event;

    /// A market whose clock the test sets: reads it each millisecond from `from` to `to`, and returns the events and
    /// the watermarks.
    struct World {
        market: SimulatedMarket,
        started_at: Timestamp,
        changes: u64,
    }

    impl World {
        fn new() -> Self {
            let clock = Clock::system(ClockMetrics::default());
            let settings = SimulationSettings { trades_per_second: 5_000.0, ..SimulationSettings::default() };
            let market = SimulatedMarket::new(&Listings::new(3, 1), settings, clock);
            let started_at = market.opened_at;
            Self { market, started_at, changes: 0 }
        }

        fn at(&self, millis: i64) -> Timestamp {
            Timestamp::from_nanos(self.started_at.nanos() + millis * MILLISECOND)
        }

        fn run(&mut self, millis: std::ops::Range<i64>) -> (Vec<Event>, Vec<Timestamp>) {
            let (mut events, mut watermarks) = (Vec::new(), Vec::new());
            for millis in millis {
                let reading = ClockReading { now: self.at(millis), changes: self.changes };
                watermarks.extend(self.market.advance(reading, &mut events));
            }
            (events, watermarks)
        }
    }

    #[test]
    fn a_market_that_is_polled_rarely_gives_the_events_that_it_would_give_each_millisecond() {
        let (mut often, mut rarely) = (World::new(), World::new());
        rarely.started_at = often.started_at;
        rarely.market.pacer = often.market.pacer.clone();
        let (each, _) = often.run(0..1_000);

        let mut events = Vec::new();
        for millis in (0..1_000).step_by(1 + MAX_UNREAD_TICKS as usize).chain([999]) {
            let reading = ClockReading { now: rarely.at(millis), changes: 0 };
            rarely.market.advance(reading, &mut events);
            assert!(rarely.market.pacer.is_up_to_date());
        }

        assert!(each.len() > 1_000 && events == each);
    }

    #[test]
    fn after_a_pause_of_a_minute_events_are_stamped_with_the_present_at_once() {
        let mut world = World::new();
        world.run(0..100);

        let (events, watermarks) = world.run(60_100..60_200);

        let is_late = |event: &Event| matches!(event, Event::Trade(trade) if trade.conditions.letters().next() == Some(b'Z'));
        let on_time: Vec<_> = events.iter().filter(|event| !is_late(event)).collect();
        let (from, to) = (world.at(60_090), world.at(60_200));
        assert!(on_time.len() > 100);
        assert!(on_time.iter().all(|event| (from..to).contains(&event.at())));
        assert!(watermarks.is_sorted() && watermarks.first() >= Some(&from));
        assert!(world.market.take_notices().is_empty(), "the clock was not set");
    }

    #[test]
    fn after_the_clock_was_set_events_are_stamped_with_the_new_time_at_once() {
        const DAY: i64 = 86_400_000;
        for step in [3_600_000, -3_600_000, 2_500, -2_500, 9_000, -9_000, DAY, -DAY] {
            let mut world = World::new();
            world.run(0..100);
            world.changes += 1;

            let (events, watermarks) = world.run(100 + step..200 + step);

            let (from, to) = (world.at(98 + step), world.at(200 + step));
            let is_late = |event: &Event| matches!(event, Event::Trade(trade) if trade.conditions.letters().next() == Some(b'Z'));
            let on_time = events.iter().filter(|event| !is_late(event));
            assert!(on_time.clone().count() > 100, "{step}");
            assert!(on_time.clone().all(|event| (from..to).contains(&event.at())), "{step}");
            assert_eq!(watermarks.first().is_some_and(|at| *at < world.at(99)), step < 0, "{step}");
            assert!(watermarks.is_sorted(), "{step}");
        }
    }
}
