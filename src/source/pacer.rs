use std::time::Duration;

use crate::model::{MILLISECOND, Timestamp};

/// How many steps of a millisecond are due, so that event time keeps up with the wall clock.
///
/// The rules, in order of precedence:
///
/// 1. A step is due when it is over: no event is stamped later than now.
/// 2. Steps never overlap or go back, and but for rule 4 leave no gap. When the clock does, none is
///    due until it is again where it was.
/// 3. Who was held up makes up for it at no more than [`Pacer::PACE`] milliseconds of event time for each of
///    real time, so that a pause of three seconds is not followed by a flood of three thousand steps
///    at once, but by one second at four times the rate.
/// 4. Who is behind by more than [`Pacer::PATIENCE`] does not make up for it: event time jumps to
///    now, and [`Due::skipped`] says how much was left out. Laptops sleep for hours.
///
/// The pace is kept by a bucket: real time fills it with `PACE` times as much event time, up to what two
/// beats are worth; each step takes a millisecond out. So a burst of late calls gets no more than one.
///
/// ```
/// # use std::time::Duration;
/// # use tapecast::source::{Pacer, Simulation, Simulator, universe};
/// # use tapecast::model::Timestamp;
/// # let start = Timestamp::from_nanos(1_700_000_000_000_000_000);
/// # let mut simulator = Simulator::new(&universe(100, 1), Simulation::default());
/// let mut pacer = Pacer::new(start, Duration::from_millis(5));
///
/// // On every beat, with what the wall clock says:
/// let now = start + Duration::from_millis(5);
/// let mut events = Vec::new();
/// for begins in pacer.due(now).begins() {
///     simulator.step(begins, &mut events);
/// }
/// # assert!(events.iter().all(|event| event.at() < now));
/// ```
#[derive(Clone, Debug)]
pub struct Pacer {
    /// Where the next step begins.
    next: Timestamp,
    /// The last time that was asked about.
    asked: Timestamp,
    /// Event time that may be made up at once, in nanoseconds.
    allowance_ns: i64,
    /// How much the allowance can hold.
    capacity_ns: i64,
}

/// Steps that are due: `steps` of a millisecond each, one after the other, from `first_begins`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "steps that are not taken are lost"]
pub struct Due {
    /// How many; often 0.
    pub steps: u32,
    /// Where the first begins: a whole millisecond since the Unix epoch.
    pub first_begins: Timestamp,
    /// Event time left out before the first step. Anything but zero belongs in the log.
    pub skipped: Duration,
}

impl Due {
    /// Where each step begins.
    pub fn begins(&self) -> impl ExactSizeIterator<Item = Timestamp> + use<> {
        let first = self.first_begins.nanos();
        (0..self.steps).map(move |step| Timestamp::from_nanos(first + i64::from(step) * MILLISECOND))
    }
}

impl Pacer {
    /// The fastest that event time may run, in units of real time.
    ///
    /// Higher is sooner up to date, at the price of a higher peak of load just when the machine
    /// shows that it has none to spare.
    pub const PACE: i64 = 4;

    /// The longest lag that is made up for. It then takes ⅓ of its length.
    pub const PATIENCE: Duration = Duration::from_secs(10);

    /// Begins at the whole millisecond before `now`, to be asked once in every `beat`.
    ///
    /// Beats that come late, by up to their own length, still keep the full pace.
    pub fn new(now: Timestamp, beat: Duration) -> Self {
        let beat_ns = (beat.as_nanos() as i64).max(MILLISECOND);
        Self {
            next: now.floor_to(MILLISECOND),
            asked: now,
            allowance_ns: 0,
            capacity_ns: 2 * Self::PACE * beat_ns,
        }
    }

    /// What is due at this time of the wall clock. What is told is taken: it is not told again.
    pub fn due(&mut self, now: Timestamp) -> Due {
        let passed_ns = now.nanos_since(self.asked).clamp(0, self.capacity_ns);
        self.asked = now;
        self.allowance_ns = (self.allowance_ns + Self::PACE * passed_ns).min(self.capacity_ns);

        let skipped = self.skip(now);
        let lag_ns = now.nanos_since(self.next).max(0);
        let steps = lag_ns.min(self.allowance_ns) / MILLISECOND;
        let due = Due { steps: steps as u32, first_begins: self.next, skipped };
        self.next = self.next + Duration::from_millis(steps as u64);
        self.allowance_ns -= steps * MILLISECOND;
        due
    }

    /// Whether nothing was left over when it was last asked.
    pub fn is_up_to_date(&self) -> bool {
        self.asked.nanos_since(self.next) < MILLISECOND
    }

    /// Gives up what is too old to be made up for.
    fn skip(&mut self, now: Timestamp) -> Duration {
        let lag_ns = now.nanos_since(self.next);
        if lag_ns <= Self::PATIENCE.as_nanos() as i64 {
            return Duration::ZERO;
        }
        let from = std::mem::replace(&mut self.next, now.floor_to(MILLISECOND));
        Duration::from_nanos(self.next.nanos_since(from) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEAT: Duration = Duration::from_millis(5);

    /// A time so many milliseconds after some whole second.
    fn at(millis: i64) -> Timestamp {
        Timestamp::from_nanos(1_700_000_000_000_000_000 + millis * MILLISECOND)
    }

    fn due(steps: u32, first_begins: Timestamp) -> Due {
        Due { steps, first_begins, skipped: Duration::ZERO }
    }

    #[test]
    fn a_beat_on_time_is_due_what_has_passed() {
        let mut pacer = Pacer::new(at(0), BEAT);

        assert_eq!(pacer.due(at(5)), due(5, at(0)));
        assert_eq!(pacer.due(at(10)), due(5, at(5)));
        assert_eq!(pacer.due(at(10)), due(0, at(10)));
    }

    #[test]
    fn no_event_is_stamped_later_than_now() {
        let mut pacer = Pacer::new(at(0) + Duration::from_micros(400), BEAT);

        for micros in (400..50_000).step_by(370) {
            let now = at(0) + Duration::from_micros(micros);
            let last = pacer.due(now).begins().last();

            assert!(last.is_none_or(|begins| begins + Duration::from_millis(1) <= now));
        }
    }

    #[test]
    fn steps_follow_each_other_without_gap_or_overlap() {
        let mut pacer = Pacer::new(at(0), BEAT);
        let mut expected = at(0);

        for millis in [3, 4, 4, 9, 700, 705, 711, 600, 716, 1_500, 1_501, 4_000, 4_010] {
            for begins in pacer.due(at(millis)).begins() {
                assert_eq!(begins, expected);
                expected = begins + Duration::from_millis(1);
            }
        }
    }

    #[test]
    fn a_pause_is_made_up_for_at_four_times_the_pace() {
        let mut pacer = Pacer::new(at(0), BEAT);
        let pause = 3_000;

        let first = pacer.due(at(pause));
        assert!(!pacer.is_up_to_date());
        let mut made: u32 = first.steps;
        let mut beats = 0;
        while i64::from(made) < pause + 5 * beats {
            beats += 1;
            let steps = pacer.due(at(pause + 5 * beats)).steps;
            assert!(steps <= 20, "{steps} steps in one beat");
            made += steps;
        }

        assert!(first.steps <= 40, "{} steps at once", first.steps);
        assert!(pacer.is_up_to_date());
        assert!((190..=200).contains(&beats), "3 s were made up for in {beats} beats of 5 ms");
    }

    #[test]
    fn late_calls_that_come_all_at_once_get_no_more_than_one() {
        let mut pacer = Pacer::new(at(0), BEAT);
        let first = pacer.due(at(3_000)).steps;

        let others: u32 = (0..600).map(|_| pacer.due(at(3_000)).steps).sum();

        assert_eq!((first, others), (40, 0));
    }

    #[test]
    fn beats_that_are_always_late_still_keep_up() {
        let mut pacer = Pacer::new(at(0), BEAT);

        let steps: u32 = (1..=100).map(|beat| pacer.due(at(23 * beat)).steps).sum();

        assert_eq!(steps, 2_300);
    }

    #[test]
    fn a_night_is_skipped_and_told() {
        let mut pacer = Pacer::new(at(0), BEAT);
        let night = 8 * 3_600_000;

        let woken = pacer.due(at(night));

        assert_eq!(woken, Due { steps: 0, first_begins: at(night), skipped: Duration::from_secs(8 * 3_600) });
        assert_eq!(pacer.due(at(night + 5)), due(5, at(night)));
    }

    #[test]
    fn ten_seconds_are_made_up_for_and_a_millisecond_more_is_not() {
        let skipped = |millis| Pacer::new(at(0), BEAT).due(at(millis)).skipped;

        assert_eq!(skipped(10_000), Duration::ZERO);
        assert_eq!(skipped(10_001), Duration::from_millis(10_001));
    }

    #[test]
    fn a_clock_set_back_makes_a_pause_but_no_step_twice() {
        let mut pacer = Pacer::new(at(0), BEAT);
        assert_eq!(pacer.due(at(5)), due(5, at(0)));

        assert_eq!(pacer.due(at(-995)), due(0, at(5)));
        assert_eq!(pacer.due(at(4)), due(0, at(5)));
        assert_eq!(pacer.due(at(10)), due(5, at(5)));
    }
}
