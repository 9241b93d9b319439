use std::time::Duration;

use crate::model::{MILLISECOND, Timestamp};

/// Computes how many simulator steps of one millisecond are due, so that event time follows the wall clock.
///
/// The rules, in order of precedence:
///
/// 1. A step is due when it is over: no event is stamped later than now.
/// 2. Steps never overlap or go back, and leave no gap, except by rules 4 and 5.
/// 3. After a stall, event time catches up at no more than [`Pacer::MAX_SPEED`] times real time. A pause of
///    three seconds is not followed by three thousand steps at once, but by one second at four times
///    the rate.
/// 4. A lag of more than [`Pacer::MAX_LAG`] is not caught up: event time jumps to now, and
///    [`DueSteps::skipped`] is the length of the jump.
/// 5. When the wall clock [was set](Pacer::clock_was_set), event time goes with it, forward or back.
///
/// Rule 3 is a token bucket of event time: real time fills it at `MAX_SPEED`, each step takes a millisecond,
/// and it holds what two ticks are worth. A burst of late calls gets no more than one call would.
///
/// ```
/// # use std::time::Duration;
/// # use tapecast::source::{Listings, Pacer, SimulationSettings, Simulator};
/// # use tapecast::model::Timestamp;
/// # let start = Timestamp::from_nanos(1_700_000_000_000_000_000);
/// # let mut simulator = Simulator::new(&Listings::new(100, 1), SimulationSettings::default());
/// let mut pacer = Pacer::new(start);
///
/// // At every tick, with the wall clock's time:
/// let now = start + Duration::from_millis(5);
/// let mut events = Vec::new();
/// for step_start in pacer.take_due(now).starts() {
///     simulator.step(step_start, &mut events);
/// }
/// # assert!(events.iter().all(|event| event.at() < now));
/// ```
#[derive(Clone, Debug)]
pub struct Pacer {
    /// The start of the next step.
    next: Timestamp,
    /// The time of the last call.
    last_call: Timestamp,
    /// Tokens in the bucket: event time that may be made now.
    tokens_ns: i64,
}

/// Consecutive steps of one millisecond that are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "steps that are not taken are lost"]
pub struct DueSteps {
    /// The number of steps; often 0.
    pub count: u32,
    /// The start of the first step: a whole millisecond since the Unix epoch.
    pub first: Timestamp,
    /// Event time left out before the first step. Log it when it is not zero.
    pub skipped: Duration,
}

impl DueSteps {
    /// The start of each step.
    pub fn starts(&self) -> impl ExactSizeIterator<Item = Timestamp> + use<> {
        let first = self.first.nanos();
        (0..self.count).map(move |step| Timestamp::from_nanos(first + i64::from(step) * MILLISECOND))
    }
}

impl Pacer {
    /// The highest speed of event time, in units of real time.
    ///
    /// A higher speed catches up sooner, at the price of a higher peak of load just when the machine has
    /// shown that it has no capacity to spare.
    pub const MAX_SPEED: i64 = 4;

    /// The longest lag that is caught up. That takes a third of the lag.
    pub const MAX_LAG: Duration = Duration::from_secs(10);

    /// The most event time of one call. A worker that is busy for less than this between two ticks delays the events of
    /// one tick, and the market is not late after it.
    pub const MAX_BURST: Duration = Duration::from_millis(100);

    /// The longest step forward of the wall clock that is caught up, in less than a second.
    pub const MAX_STALL: Duration = Duration::from_secs(2);

    /// A pacer that starts at the last whole millisecond before `now`.
    pub const fn new(now: Timestamp) -> Self {
        Self { next: now.floor_to(MILLISECOND), last_call: now, tokens_ns: 0 }
    }

    /// Takes the steps that are due at this time of the wall clock.
    pub fn take_due(&mut self, now: Timestamp) -> DueSteps {
        let elapsed_ns = now.nanos_since(self.last_call).clamp(0, Self::MAX_BURST.as_nanos() as i64);
        self.last_call = now;
        self.tokens_ns =
            (self.tokens_ns + Self::MAX_SPEED * elapsed_ns).min(Self::MAX_BURST.as_nanos() as i64);

        let skipped = self.skip_excess_lag(now);
        let lag_ns = now.nanos_since(self.next).max(0);
        let steps = lag_ns.min(self.tokens_ns) / MILLISECOND;
        let due = DueSteps { count: steps as u32, first: self.next, skipped };
        self.next = self.next + Duration::from_millis(steps as u64);
        self.tokens_ns -= steps * MILLISECOND;
        due
    }

    /// The start of the next step.
    pub const fn next_step(&self) -> Timestamp {
        self.next
    }

    /// Follows a wall clock that was set: the next step starts now. A step forward that is no longer than a pause
    /// of [`Pacer::MAX_STALL`] is caught up like one.
    pub fn clock_was_set(&mut self, now: Timestamp) {
        if now < self.last_call || now.nanos_since(self.next) > Self::MAX_STALL.as_nanos() as i64 {
            self.next = now.floor_to(MILLISECOND);
            self.last_call = now;
        }
    }

    /// True when the last call left no complete step behind.
    pub fn is_up_to_date(&self) -> bool {
        self.last_call.nanos_since(self.next) < MILLISECOND
    }

    /// Jumps to now when the lag is above [`Self::MAX_LAG`], and returns the length of the jump.
    fn skip_excess_lag(&mut self, now: Timestamp) -> Duration {
        let lag_ns = now.nanos_since(self.next);
        if lag_ns <= Self::MAX_LAG.as_nanos() as i64 {
            return Duration::ZERO;
        }
        let from = std::mem::replace(&mut self.next, now.floor_to(MILLISECOND));
        Duration::from_nanos(self.next.nanos_since(from) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The time `millis` after a certain whole second.
    fn at(millis: i64) -> Timestamp {
        Timestamp::from_nanos(1_700_000_000_000_000_000 + millis * MILLISECOND)
    }

    fn steps(count: u32, first: Timestamp) -> DueSteps {
        DueSteps { count, first, skipped: Duration::ZERO }
    }

    #[test]
    fn a_tick_on_time_makes_the_elapsed_steps_due() {
        let mut pacer = Pacer::new(at(0));

        assert_eq!(pacer.take_due(at(5)), steps(5, at(0)));
        assert_eq!(pacer.take_due(at(10)), steps(5, at(5)));
        assert_eq!(pacer.take_due(at(10)), steps(0, at(10)));
    }

    #[test]
    fn no_event_is_stamped_later_than_now() {
        let mut pacer = Pacer::new(at(0) + Duration::from_micros(400));

        for micros in (400..50_000).step_by(370) {
            let now = at(0) + Duration::from_micros(micros);
            let last = pacer.take_due(now).starts().last();

            assert!(last.is_none_or(|start| start + Duration::from_millis(1) <= now));
        }
    }

    #[test]
    fn steps_follow_each_other_without_gap_or_overlap() {
        let mut pacer = Pacer::new(at(0));
        let mut expected = at(0);

        for millis in [3, 4, 4, 9, 700, 705, 711, 600, 716, 1_500, 1_501, 4_000, 4_010] {
            for start in pacer.take_due(at(millis)).starts() {
                assert_eq!(start, expected);
                expected = start + Duration::from_millis(1);
            }
        }
    }

    #[test]
    fn a_pause_is_caught_up_at_four_times_real_time() {
        let mut pacer = Pacer::new(at(0));
        let pause = 3_000;

        let first = pacer.take_due(at(pause));
        assert!(!pacer.is_up_to_date());
        let mut made: u32 = first.count;
        let mut ticks = 0;
        while i64::from(made) < pause + 5 * ticks {
            ticks += 1;
            let steps = pacer.take_due(at(pause + 5 * ticks)).count;
            assert!(steps <= 20, "{steps} steps at one tick");
            made += steps;
        }

        assert_eq!(first.count, 100, "steps at once");
        assert!(pacer.is_up_to_date());
        assert!((187..=195).contains(&ticks), "3 s were caught up in {ticks} ticks of 5 ms");
    }

    #[test]
    fn a_burst_of_late_calls_gets_no_more_than_one_call() {
        let mut pacer = Pacer::new(at(0));
        let first = pacer.take_due(at(3_000)).count;

        let others: u32 = (0..600).map(|_| pacer.take_due(at(3_000)).count).sum();

        assert_eq!((first, others), (100, 0));
    }

    #[test]
    fn ticks_that_are_always_late_still_keep_up() {
        for late in [2, 23, 100] {
            let mut pacer = Pacer::new(at(0));

            for tick in 1..=50 {
                assert_eq!(pacer.take_due(at(late * tick)).count, late as u32);
            }
        }
    }

    #[test]
    fn a_night_of_sleep_is_skipped_and_reported() {
        let mut pacer = Pacer::new(at(0));
        let night = 8 * 3_600_000;

        let woken = pacer.take_due(at(night));

        assert_eq!(woken, DueSteps { count: 0, first: at(night), skipped: Duration::from_secs(8 * 3_600) });
        assert_eq!(pacer.take_due(at(night + 5)), steps(5, at(night)));
    }

    #[test]
    fn a_lag_of_ten_seconds_is_caught_up_and_a_millisecond_more_is_skipped() {
        let skipped = |millis| Pacer::new(at(0)).take_due(at(millis)).skipped;

        assert_eq!(skipped(10_000), Duration::ZERO);
        assert_eq!(skipped(10_001), Duration::from_millis(10_001));
    }

    #[test]
    fn a_clock_that_was_set_takes_event_time_with_it() {
        for millis in [3_600_000, -3_600_000, -10, 2_006] {
            let mut pacer = Pacer::new(at(0));
            assert_eq!(pacer.take_due(at(5)), steps(5, at(0)));

            pacer.clock_was_set(at(millis));

            assert_eq!(pacer.take_due(at(millis)), steps(0, at(millis)));
            assert_eq!(pacer.take_due(at(millis + 5)), steps(5, at(millis)));
        }
    }

    #[test]
    fn a_small_step_forward_of_the_clock_is_caught_up() {
        let mut pacer = Pacer::new(at(0));
        assert_eq!(pacer.take_due(at(5)), steps(5, at(0)));

        pacer.clock_was_set(at(1_005));

        let made: u32 = (201..=270).map(|tick| pacer.take_due(at(5 * tick)).count).sum();
        assert_eq!((made, pacer.is_up_to_date()), (1_345, true));
    }
}
