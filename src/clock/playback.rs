use std::time::Duration;

use crate::model::Timestamp;

/// How the time of the service passes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Playback {
    /// As on the system's clock.
    #[default]
    System,
    /// From `origin`, which was at `since` by the monotonic clock, at this rate.
    Running { origin: Timestamp, since: Duration, rate: ClockRate },
    /// It stands still.
    Held(Timestamp),
}

/// How fast time passes, in units of real time: positive and finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockRate(f64);

impl ClockRate {
    /// That of real time.
    pub const ONE: Self = Self(1.0);

    /// The fastest rate: a century in an hour.
    pub const MAX: f64 = 1e6;

    /// The slowest rate: a second in a quarter of an hour.
    pub const MIN: f64 = 1e-3;

    /// This rate; `None` if it is not from [`MIN`](Self::MIN) to [`MAX`](Self::MAX).
    pub fn new(rate: f64) -> Option<Self> {
        (Self::MIN..=Self::MAX).contains(&rate).then_some(Self(rate))
    }

    /// The rate as a number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Playback {
    /// The time at this reading of both clocks.
    pub(super) fn now(self, system: Timestamp, steady: Duration) -> Timestamp {
        match self {
            Self::System => system,
            Self::Held(at) => at,
            Self::Running { origin, since, rate } => {
                let elapsed = steady.saturating_sub(since).as_nanos() as f64 * rate.get();
                // A conversion from a float saturates.
                Timestamp::from_nanos(origin.nanos().saturating_add(elapsed as i64))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEM: Timestamp = Timestamp::from_nanos(1_800_000_000_000_000_000);
    const ORIGIN: Timestamp = Timestamp::from_nanos(1_381_152_600_000_000_000);

    #[test]
    fn time_runs_from_its_origin_at_its_rate() {
        let rate = ClockRate::new(10.0).unwrap();
        let playback = Playback::Running { origin: ORIGIN, since: Duration::from_secs(5), rate };

        assert_eq!(playback.now(SYSTEM, Duration::from_secs(5)), ORIGIN);
        assert_eq!(playback.now(SYSTEM, Duration::from_secs(7)), ORIGIN + Duration::from_secs(20));
        assert_eq!(playback.now(SYSTEM, Duration::ZERO), ORIGIN);
    }

    #[test]
    fn a_held_time_stands_still_and_the_systems_is_followed() {
        assert_eq!(Playback::Held(ORIGIN).now(SYSTEM, Duration::from_secs(7)), ORIGIN);
        assert_eq!(Playback::System.now(SYSTEM, Duration::from_secs(7)), SYSTEM);
    }

    #[test]
    fn a_rate_is_positive_and_not_absurd() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e7, 1e-4] {
            assert_eq!(ClockRate::new(rate), None, "{rate}");
        }
        assert_eq!(ClockRate::new(1.0), Some(ClockRate::ONE));
    }
}
