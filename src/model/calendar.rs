use std::ops::Range;
use std::time::Duration;

use jiff::ToSpan;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::model::Timestamp;

/// The trading day that holds a certain time: from midnight to midnight in New York, as the daily
/// bars of US stocks are cut. A day has 23, 24 or 25 hours.
///
/// The simulated market never closes, so every day is a trading day and belongs to it whole. The
/// default is a day that holds no time at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TradingDay {
    /// Its first moment.
    pub start: Timestamp,
    /// The first moment of the next.
    pub end: Timestamp,
}

impl TradingDay {
    /// The day that holds this time. Looks into the time zone tables: keep the answer.
    pub fn of(at: Timestamp) -> Self {
        Self::local(at).unwrap_or_else(|_| Self::utc(at))
    }

    /// The day of a civil date: `2026-11-20`.
    pub fn named(date: &str) -> Option<Self> {
        Some(Self::of(midnight(date.parse().ok()?).ok()?))
    }

    /// Whether this time is within the day.
    pub fn holds(&self, at: Timestamp) -> bool {
        (self.start..self.end).contains(&at)
    }

    fn local(at: Timestamp) -> Result<Self, jiff::Error> {
        let date = date_of(at)?;
        Ok(Self { start: midnight(date)?, end: midnight(date.tomorrow()?)? })
    }

    /// What remains where a calendar fails, at the ends of representable time.
    fn utc(at: Timestamp) -> Self {
        const DAY: Duration = Duration::from_hours(24);
        let start = at.floor_to(DAY.as_nanos() as i64);
        Self { start, end: start + DAY }
    }
}

/// The week that holds this time: from Monday to Monday, at midnight in New York.
pub(crate) fn week_of(at: Timestamp) -> Range<Timestamp> {
    let week = || {
        let date = date_of(at)?;
        let monday = date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days())?;
        Ok::<_, jiff::Error>(midnight(monday)?..midnight(monday.checked_add(7.days())?)?)
    };
    week().unwrap_or_else(|_| utc_day(at))
}

/// The months that hold this time, so many at a time from January on, at midnight in New York.
pub(crate) fn months_of(at: Timestamp, count: u8) -> Range<Timestamp> {
    let months = || {
        let date = date_of(at)?;
        let count = count.clamp(1, 12) as i8;
        let first = Date::new(date.year(), (date.month() - 1) / count * count + 1, 1)?;
        Ok::<_, jiff::Error>(midnight(first)?..midnight(first.checked_add(i64::from(count).months())?)?)
    };
    months().unwrap_or_else(|_| utc_day(at))
}

/// When the day that holds this time began and so many days before it, the oldest first.
pub fn midnights(until: Timestamp, days_before: usize) -> Vec<Timestamp> {
    let of_day = |day: &TradingDay| Some(TradingDay::of(day.start - Duration::from_nanos(1)));
    let days = std::iter::successors(Some(TradingDay::of(until)), of_day);
    let mut midnights: Vec<_> = days.take(days_before + 1).map(|day| day.start).collect();
    midnights.reverse();
    midnights
}

fn utc_day(at: Timestamp) -> Range<Timestamp> {
    let TradingDay { start, end } = TradingDay::utc(at);
    start..end
}

fn new_york() -> Result<TimeZone, jiff::Error> {
    TimeZone::get("America/New_York")
}

fn date_of(at: Timestamp) -> Result<Date, jiff::Error> {
    Ok(jiff::Timestamp::from_nanosecond(at.nanos().into())?.to_zoned(new_york()?).date())
}

fn midnight(date: Date) -> Result<Timestamp, jiff::Error> {
    let instant = date.to_datetime(Time::midnight()).to_zoned(new_york()?)?.timestamp();
    Ok(Timestamp::from_nanos(instant.as_nanosecond() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SECOND;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_nanos(text.parse::<jiff::Timestamp>().unwrap().as_nanosecond() as i64)
    }

    #[test]
    fn a_day_begins_at_midnight_in_new_york() {
        let day = TradingDay::of(at("2026-11-22T03:00:00Z"));

        assert_eq!(day.start, at("2026-11-21T05:00:00Z"));
        assert_eq!(day.end, at("2026-11-22T05:00:00Z"));
        assert!(day.holds(day.start) && !day.holds(day.end));
    }

    #[test]
    fn the_days_on_which_clocks_change_are_shorter_and_longer() {
        let hours = |text| {
            let day = TradingDay::of(at(text));
            day.end.nanos_since(day.start) / (3600 * SECOND)
        };

        assert_eq!(hours("2026-03-08T12:00:00Z"), 23);
        assert_eq!(hours("2026-11-01T12:00:00Z"), 25);
    }

    #[test]
    fn a_week_begins_on_monday_and_keeps_its_hours_where_clocks_change() {
        let week = week_of(at("2026-11-01T12:00:00Z"));

        assert_eq!(week, at("2026-10-26T04:00:00Z")..at("2026-11-02T05:00:00Z"));
        assert_eq!(week_of(week.start), week);
    }

    #[test]
    fn months_are_counted_from_january() {
        let spring = at("2026-05-20T12:00:00Z");

        assert_eq!(months_of(spring, 1), at("2026-05-01T04:00:00Z")..at("2026-06-01T04:00:00Z"));
        assert_eq!(months_of(spring, 3), at("2026-04-01T04:00:00Z")..at("2026-07-01T04:00:00Z"));
        assert_eq!(months_of(spring, 12), at("2026-01-01T05:00:00Z")..at("2027-01-01T05:00:00Z"));
    }

    #[test]
    fn a_date_begins_at_midnight_in_new_york() {
        let day = TradingDay::named("2026-11-20").unwrap();

        assert_eq!((day.start, day.end), (at("2026-11-20T05:00:00Z"), at("2026-11-21T05:00:00Z")));
        assert_eq!(TradingDay::named("2026-13-20"), None);
    }

    #[test]
    fn the_midnights_before_a_time_follow_the_clock() {
        let midnights = midnights(at("2026-11-02T12:00:00Z"), 2);

        assert_eq!(
            midnights,
            [at("2026-10-31T04:00:00Z"), at("2026-11-01T04:00:00Z"), at("2026-11-02T05:00:00Z")]
        );
    }
}
