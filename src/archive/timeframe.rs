use std::ops::Range;

use super::span::Span;
use crate::model::calendar::{TradingDay, months_of, week_of};
use crate::model::{Bar, SECOND, Timestamp};

/// The length of the bars of a query: a number of units.
///
/// Bars start at midnight in New York; when the day is not a multiple of the length, its last bar is shorter. Weeks
/// start on Monday, months are counted from January.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeframe {
    count: u8,
    unit: Unit,
}

/// The unit of a timeframe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
}

impl Timeframe {
    /// A timeframe within the limits of Alpaca's API: up to 59 minutes, 23 hours, one day or week, and months that
    /// divide the year. Up to 59 seconds are an extension of ours. `None` outside these limits.
    pub fn new(count: u8, unit: Unit) -> Option<Self> {
        let is_allowed = match unit {
            Unit::Second | Unit::Minute => (1..=59).contains(&count),
            Unit::Hour => (1..=23).contains(&count),
            Unit::Day | Unit::Week => count == 1,
            Unit::Month => [1, 2, 3, 4, 6, 12].contains(&count),
        };
        is_allowed.then_some(Self { count, unit })
    }

    /// The longest retained span from which these bars can be merged exactly.
    pub(super) fn base(self) -> Span {
        let is_of_fives = self.count.is_multiple_of(5);
        match self.unit {
            Unit::Second if is_of_fives => Span::FiveSeconds,
            Unit::Second => Span::Second,
            Unit::Minute if is_of_fives => Span::FiveMinutes,
            Unit::Minute => Span::Minute,
            Unit::Hour => Span::Hour,
            Unit::Day | Unit::Week | Unit::Month => Span::Day,
        }
    }

    /// True when a bar that starts at this time does not change any more once everything before `watermark` has
    /// happened, but for late trades. Days and longer bars count as closed at any time.
    pub(super) fn is_closed(self, start: Timestamp, watermark: Timestamp) -> bool {
        match self.unit {
            Unit::Day | Unit::Week | Unit::Month => true,
            Unit::Hour | Unit::Minute | Unit::Second => {
                // The calendar is asked about the latest bars only: none is longer than its units.
                start.nanos().saturating_add(self.length_nanos()) <= watermark.nanos()
                    || self.interval(start, &mut TradingDay::default()).end <= watermark
            }
        }
    }

    /// The interval of the bar that contains this time. `day` caches the day of the time asked before, because
    /// consecutive times mostly share it.
    pub(super) fn interval(self, at: Timestamp, day: &mut TradingDay) -> Range<Timestamp> {
        match self.unit {
            Unit::Week => return week_of(at),
            Unit::Month => return months_of(at, self.count),
            Unit::Day | Unit::Hour | Unit::Minute | Unit::Second => {}
        }
        if !day.holds(at) {
            *day = TradingDay::of(at);
        }
        let length = self.length_nanos();
        let start = at.nanos() - at.nanos_since(day.start).rem_euclid(length);
        Timestamp::from_nanos(start)..day.end.min(Timestamp::from_nanos(start + length))
    }

    /// The greatest length of a bar.
    const fn length_nanos(self) -> i64 {
        let unit_nanos = match self.unit {
            Unit::Second => SECOND,
            Unit::Minute => 60 * SECOND,
            Unit::Hour => 3_600 * SECOND,
            Unit::Day => 25 * 3_600 * SECOND,
            Unit::Week => (7 * 24 + 1) * 3_600 * SECOND,
            Unit::Month => (31 * 24 + 1) * 3_600 * SECOND,
        };
        self.count as i64 * unit_nanos
    }
}

/// Merges bars of a retained span into bars of a timeframe.
#[derive(Debug)]
pub(super) struct Joiner {
    timeframe: Timeframe,
    is_same: bool,
    day: TradingDay,
    interval: Range<Timestamp>,
    joined: Vec<Bar>,
}

impl Joiner {
    /// A joiner from this span to this timeframe. Equal lengths are passed through.
    pub(super) fn new(timeframe: Timeframe, span: Span) -> Self {
        let nothing = Timestamp::default()..Timestamp::default();
        let is_same = span.timeframe() == timeframe;
        Self { timeframe, is_same, day: TradingDay::default(), interval: nothing, joined: Vec::new() }
    }

    /// Adds the next bar, in the order of time.
    pub(super) fn push(&mut self, bar: &Bar) {
        if self.is_same {
            return self.joined.push(*bar);
        }
        if !self.interval.contains(&bar.start) {
            self.interval = self.timeframe.interval(bar.start, &mut self.day);
        }
        match self.joined.last_mut() {
            Some(joined) if joined.start == self.interval.start => joined.absorb(bar),
            _ => self.joined.push(Bar { start: self.interval.start, ..*bar }),
        }
    }

    /// The start of the latest bar; all bars before it are complete.
    pub(super) fn latest_start(&self) -> Option<Timestamp> {
        self.joined.last().map(|bar| bar.start)
    }

    /// The merged bars, in the order of time.
    pub(super) fn finish(self) -> Vec<Bar> {
        self.joined
    }
}

/// Merges bars of one span into bars of a longer one, or of the same.
pub(super) fn joined<'b>(bars: impl IntoIterator<Item = &'b Bar>, from: Span, to: Span) -> Vec<Bar> {
    let mut joiner = Joiner::new(to.timeframe(), from);
    bars.into_iter().for_each(|bar| joiner.push(bar));
    joiner.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Body;
    use crate::wire::fixtures;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_nanos(text.parse::<jiff::Timestamp>().unwrap().as_nanosecond() as i64)
    }

    /// Starts and volumes of the bars merged from bars of one share each at these times.
    fn joined(count: u8, unit: Unit, starts: &[&str]) -> Vec<(Timestamp, u64)> {
        let Body::Bar(bar) = fixtures::bar().body else { unreachable!() };
        let mut joiner = Joiner::new(Timeframe::new(count, unit).unwrap(), Span::Second);
        for start in starts {
            joiner.push(&Bar { start: at(start), volume: 1, ..bar });
        }
        joiner.finish().iter().map(|bar| (bar.start, bar.volume)).collect()
    }

    #[test]
    fn bars_are_aligned_to_midnight_in_new_york() {
        let bases = ["2026-11-20T04:55:00Z", "2026-11-20T05:00:00Z", "2026-11-20T08:55:00Z"];

        assert_eq!(
            joined(4, Unit::Hour, &bases),
            [(at("2026-11-20T01:00:00Z"), 1), (at("2026-11-20T05:00:00Z"), 2)]
        );
        assert_eq!(
            joined(15, Unit::Minute, &bases),
            [
                (at("2026-11-20T04:45:00Z"), 1),
                (at("2026-11-20T05:00:00Z"), 1),
                (at("2026-11-20T08:45:00Z"), 1)
            ]
        );
    }

    #[test]
    fn bars_run_over_the_open_and_the_close_of_a_session() {
        // 9:29, 9:30, 15:59 and 16:00 on a Friday, 4:00 on the Monday after.
        let bases = [
            "2026-11-20T14:29:00Z",
            "2026-11-20T14:30:00Z",
            "2026-11-20T20:59:00Z",
            "2026-11-20T21:00:00Z",
            "2026-11-23T09:00:00Z",
        ];

        assert_eq!(
            joined(1, Unit::Hour, &bases),
            [
                (at("2026-11-20T14:00:00Z"), 2),
                (at("2026-11-20T20:00:00Z"), 1),
                (at("2026-11-20T21:00:00Z"), 1),
                (at("2026-11-23T09:00:00Z"), 1)
            ]
        );
        assert_eq!(
            joined(15, Unit::Minute, &bases).iter().map(|bar| bar.1).collect::<Vec<_>>(),
            [1, 1, 1, 1, 1]
        );
        assert_eq!(
            joined(23, Unit::Hour, &bases),
            [(at("2026-11-20T05:00:00Z"), 4), (at("2026-11-23T05:00:00Z"), 1)]
        );
    }

    #[test]
    fn the_last_bar_of_a_day_may_be_shorter() {
        let bases = ["2026-11-20T05:00:00Z", "2026-11-21T03:00:00Z", "2026-11-21T05:00:00Z"];

        assert_eq!(
            joined(7, Unit::Hour, &bases),
            [
                (at("2026-11-20T05:00:00Z"), 1),
                (at("2026-11-21T02:00:00Z"), 1),
                (at("2026-11-21T05:00:00Z"), 1)
            ]
        );
    }

    #[test]
    fn days_are_merged_into_weeks_and_months() {
        let days = ["2026-10-31T04:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"];

        assert_eq!(
            joined(1, Unit::Week, &days),
            [(at("2026-10-26T04:00:00Z"), 2), (at("2026-11-02T05:00:00Z"), 1)]
        );
        assert_eq!(
            joined(1, Unit::Month, &days),
            [(at("2026-10-01T04:00:00Z"), 1), (at("2026-11-01T04:00:00Z"), 2)]
        );
        assert_eq!(joined(1, Unit::Day, &days).len(), 3);
    }

    #[test]
    fn every_timeframe_is_a_multiple_of_its_base() {
        for (count, unit) in (1..=59).map(|n| (n, Unit::Minute)).chain((1..=59).map(|n| (n, Unit::Second))) {
            let timeframe = Timeframe::new(count, unit).unwrap();
            let unit_nanos = if unit == Unit::Minute { 60 * SECOND } else { SECOND };
            assert_eq!(i64::from(count) * unit_nanos % timeframe.base().nanos().unwrap(), 0);
        }
    }

    #[test]
    fn a_bar_is_closed_when_its_interval_is_over() {
        let is_closed = |count, unit, start, watermark| {
            Timeframe::new(count, unit).unwrap().is_closed(at(start), at(watermark))
        };
        let start = "2026-11-20T14:30:00Z";

        assert!(is_closed(1, Unit::Minute, start, "2026-11-20T14:31:00Z"));
        assert!(!is_closed(1, Unit::Minute, start, "2026-11-20T14:30:59.999Z"));
        assert!(is_closed(5, Unit::Second, start, "2026-11-20T14:30:05Z"));
        assert!(!is_closed(1, Unit::Hour, "2026-11-20T14:00:00Z", "2026-11-20T14:59:59Z"));
        // The last of the 7-hour bars ends at midnight in New York.
        assert!(is_closed(7, Unit::Hour, "2026-11-21T02:00:00Z", "2026-11-21T05:00:00Z"));
        assert!(is_closed(1, Unit::Day, "2026-11-20T05:00:00Z", "2026-11-20T05:00:01Z"));
    }

    #[test]
    fn a_timeframe_that_alpaca_rejects_is_rejected() {
        for (count, unit) in
            [(0, Unit::Minute), (60, Unit::Minute), (24, Unit::Hour), (2, Unit::Day), (5, Unit::Month)]
        {
            assert_eq!(Timeframe::new(count, unit), None, "{count} {unit:?}");
        }
    }
}
