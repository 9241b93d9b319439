use std::time::Duration;

use crate::model::Timestamp;

/// Turns readings of the wall clock into a time that rises, except when the clock is set back by much.
///
/// The rules:
///
/// 1. The time is that of the wall clock. A step forward is followed at once.
/// 2. A step back of up to [`WallFollower::MAX_HELD`] is held: the time stands still until the wall clock has
///    reached it again. So stamps stay in order when NTP corrects a clock that is a little fast.
/// 3. A larger step back is followed at once: the time goes back.
/// 4. A step by more than [`WallFollower::MAX_HELD`] in either direction is reported, once. The monotonic clock tells
///    it from a pause of the process; it stands still while the machine is suspended, so a resume is a step
///    forward.
#[derive(Clone, Copy, Debug)]
pub(super) struct WallFollower {
    /// How far the wall clock was ahead of the monotonic one at the last reading.
    offset_ns: i64,
    /// The latest time that was given, since the last step back.
    now: Timestamp,
    changes: u64,
}

/// Readings of both clocks, of one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClockPair {
    pub(super) wall: Timestamp,
    /// The monotonic clock, since some start.
    pub(super) steady: Duration,
}

/// The time by the service's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// The time. It does not go back unless `changes` is higher than before.
    pub now: Timestamp,
    /// How often the wall clock was set so far, by however little.
    pub changes: u64,
}

/// A step of the wall clock that is too large to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockStep {
    /// It was set forward, or the machine was suspended.
    Forward(Duration),
    /// It was set back.
    Back(Duration),
}

/// Offsets that differ by less are the same: the readings of a pair are not of exactly the same moment.
const NOISE_NS: i64 = 200_000;

impl WallFollower {
    /// The largest step back that is held. Longer holds would make the market stand still for longer; with
    /// shorter ones, small corrections of the clock would disturb the order of stamps.
    pub(super) const MAX_HELD: Duration = Duration::from_secs(2);

    /// A time that starts with this reading.
    pub(super) fn new(pair: ClockPair) -> Self {
        Self { offset_ns: pair.offset_ns(), now: pair.wall, changes: 0 }
    }

    /// The time at this reading, and the step since the last one if it is to be reported.
    pub(super) fn read(&mut self, pair: ClockPair) -> (ClockReading, Option<ClockStep>) {
        const MAX_HELD_NS: i64 = WallFollower::MAX_HELD.as_nanos() as i64 + NOISE_NS;
        let moved_ns = pair.offset_ns() - self.offset_ns;
        if moved_ns.abs() >= NOISE_NS {
            self.offset_ns = pair.offset_ns();
            self.changes += 1;
        }
        let behind_ns = self.now.nanos_since(pair.wall);
        let step = if behind_ns > MAX_HELD_NS {
            Some(ClockStep::Back(Duration::from_nanos(behind_ns as u64)))
        } else if moved_ns > MAX_HELD_NS {
            Some(ClockStep::Forward(Duration::from_nanos(moved_ns as u64)))
        } else {
            None
        };
        self.now = match step {
            Some(_) => pair.wall,
            None => self.now.max(pair.wall),
        };
        (ClockReading { now: self.now, changes: self.changes }, step)
    }
}

impl ClockPair {
    fn offset_ns(self) -> i64 {
        self.wall.nanos() - self.steady.as_nanos() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MILLISECOND;

    /// A wall clock that the test sets, beside a monotonic one.
    struct Clocks {
        follower: WallFollower,
        steady: Duration,
        ahead_ms: i64,
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_nanos(1_700_000_000_000_000_000 + millis * MILLISECOND)
    }

    impl Clocks {
        fn new() -> Self {
            let pair = ClockPair { wall: at(0), steady: Duration::ZERO };
            Self { follower: WallFollower::new(pair), steady: Duration::ZERO, ahead_ms: 0 }
        }

        /// Time passes.
        fn pass(&mut self, millis: u64) -> (ClockReading, Option<ClockStep>) {
            self.steady += Duration::from_millis(millis);
            let wall = at(self.steady.as_millis() as i64 + self.ahead_ms);
            self.follower.read(ClockPair { wall, steady: self.steady })
        }

        /// Time passes, and the wall clock is right afterwards.
        fn assert_right(&mut self, millis: u64) {
            let (reading, step) = self.pass(millis);
            assert_eq!((reading.now, step), (at(self.steady.as_millis() as i64 + self.ahead_ms), None));
        }
    }

    const HOUR: i64 = 3_600_000;

    #[test]
    fn the_time_is_that_of_a_wall_clock_that_is_not_set() {
        let mut clocks = Clocks::new();

        (0..100).for_each(|_| clocks.assert_right(7));

        assert_eq!(clocks.pass(1).0.changes, 0);
    }

    #[test]
    fn a_large_step_in_either_direction_is_followed_at_once_and_reported_once() {
        for millis in [HOUR, -HOUR, 24 * HOUR, -24 * HOUR, 2_001, -2_010] {
            let mut clocks = Clocks::new();
            clocks.assert_right(5);
            clocks.ahead_ms += millis;

            let (reading, step) = clocks.pass(1);

            assert_eq!(reading, ClockReading { now: at(6 + millis), changes: 1 });
            let by = match step {
                Some(ClockStep::Forward(by)) => by.as_millis() as i64,
                Some(ClockStep::Back(by)) => -(by.as_millis() as i64) - 1,
                None => 0,
            };
            assert_eq!(by, millis, "a step back is measured from the latest time, 1 ms ago");
            (0..10).for_each(|_| clocks.assert_right(1));
        }
    }

    #[test]
    fn a_step_back_of_two_seconds_is_held_until_the_wall_clock_is_there_again() {
        let mut clocks = Clocks::new();
        clocks.assert_right(5);
        clocks.ahead_ms -= 2_000;

        for _ in 0..1_999 {
            assert_eq!(clocks.pass(1), (ClockReading { now: at(5), changes: 1 }, None));
        }

        clocks.assert_right(1);
        clocks.assert_right(1);
    }

    #[test]
    fn a_small_step_forward_is_followed_and_not_reported() {
        let mut clocks = Clocks::new();
        clocks.ahead_ms += 2_000;

        clocks.assert_right(1);

        assert_eq!(clocks.pass(1).0.changes, 1);
    }

    #[test]
    fn small_steps_back_are_held_until_their_sum_is_large() {
        let mut clocks = Clocks::new();
        clocks.ahead_ms -= 1_500;
        assert_eq!(clocks.pass(1), (ClockReading { now: at(0), changes: 1 }, None));
        clocks.ahead_ms -= 1_500;

        let (reading, step) = clocks.pass(1);

        assert_eq!(reading, ClockReading { now: at(-2_998), changes: 2 });
        assert_eq!(step, Some(ClockStep::Back(Duration::from_millis(2_998))));
    }

    #[test]
    fn a_pause_of_the_process_is_no_step() {
        let mut clocks = Clocks::new();

        clocks.assert_right(8 * HOUR as u64);

        assert_eq!(clocks.pass(1).0.changes, 0);
    }

    /// The monotonic clock stands still meanwhile.
    #[test]
    fn a_suspend_of_the_machine_is_a_step_forward() {
        let mut clocks = Clocks::new();
        clocks.ahead_ms += 8 * HOUR;

        let (_, step) = clocks.pass(1);

        assert_eq!(step, Some(ClockStep::Forward(Duration::from_millis(8 * HOUR as u64))));
    }

    #[test]
    fn readings_that_are_a_little_apart_are_no_step() {
        let mut clocks = Clocks::new();
        for micros in [150, 10, 199, 0, 30] {
            clocks.steady += Duration::from_millis(1);
            let wall = at(clocks.steady.as_millis() as i64) + Duration::from_micros(micros);
            assert_eq!(clocks.follower.read(ClockPair { wall, steady: clocks.steady }).0.changes, 0);
        }
    }
}
