use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds in a millisecond.
pub const MILLISECOND: i64 = 1_000_000;

/// Nanoseconds in a second.
pub const SECOND: i64 = 1_000_000_000;

/// A point in time: nanoseconds since the Unix epoch, UTC.
///
/// The range is 1677 to 2262. The `wire` module formats times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The time this number of nanoseconds after the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// Nanoseconds past the whole second, 0 to 999,999,999.
    pub const fn subsec_nanos(self) -> u32 {
        self.0.rem_euclid(SECOND) as u32
    }

    /// The latest multiple of `nanos` since the epoch that is not after this time.
    pub const fn floor_to(self, nanos: i64) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(nanos)))
    }

    /// Nanoseconds from `earlier` to this time; negative if `earlier` is later. At most 292 years: what comes over a wire
    /// may be further away.
    pub const fn nanos_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(after.as_nanos() as i64),
            Err(before) => Self(-(before.duration().as_nanos() as i64)),
        }
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        Self(self.0 + later.as_nanos() as i64)
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, earlier: Duration) -> Self {
        Self(self.0 - earlier.as_nanos() as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_the_epoch_split_into_a_positive_fraction() {
        let before = Timestamp::from_nanos(-1);

        assert_eq!((before.seconds(), before.subsec_nanos()), (-1, 999_999_999));
    }

    #[test]
    fn a_time_floors_to_the_start_of_its_minute() {
        let minute = 60 * SECOND;

        assert_eq!(Timestamp::from_nanos(2 * minute + 5).floor_to(minute).nanos(), 2 * minute);
        assert_eq!(Timestamp::from_nanos(2 * minute).floor_to(minute).nanos(), 2 * minute);
    }
}
