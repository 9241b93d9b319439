use super::timeframe::{Timeframe, Unit};
use crate::model::{SECOND, Timestamp};

/// The lengths of retained bars; bars of all other lengths are merged from these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Span {
    Second,
    FiveSeconds,
    Minute,
    FiveMinutes,
    Hour,
    /// From midnight to midnight in New York; 23 to 25 hours.
    Day,
}

impl Span {
    /// All spans, the shortest first.
    pub const ALL: [Self; 6] =
        [Self::Second, Self::FiveSeconds, Self::Minute, Self::FiveMinutes, Self::Hour, Self::Day];

    /// The number of spans.
    pub const COUNT: usize = Self::ALL.len();

    /// The position in [`Span::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The length of a bar in nanoseconds; `None` for days, which differ.
    pub const fn nanos(self) -> Option<i64> {
        match self {
            Self::Second => Some(SECOND),
            Self::FiveSeconds => Some(5 * SECOND),
            Self::Minute => Some(60 * SECOND),
            Self::FiveMinutes => Some(300 * SECOND),
            Self::Hour => Some(3_600 * SECOND),
            Self::Day => None,
        }
    }

    /// The timeframe of the same length.
    pub fn timeframe(self) -> Timeframe {
        let (count, unit) = match self {
            Self::Second => (1, Unit::Second),
            Self::FiveSeconds => (5, Unit::Second),
            Self::Minute => (1, Unit::Minute),
            Self::FiveMinutes => (5, Unit::Minute),
            Self::Hour => (1, Unit::Hour),
            Self::Day => (1, Unit::Day),
        };
        Timeframe::new(count, unit).expect("every span is an allowed timeframe")
    }

    /// The start of the bar that contains this time, on a day that starts at `midnight`.
    pub const fn start(self, at: Timestamp, midnight: Timestamp) -> Timestamp {
        match self.nanos() {
            Some(nanos) => at.floor_to(nanos),
            None => midnight,
        }
    }
}
