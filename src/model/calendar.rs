use std::ops::Range;
use std::sync::LazyLock;
use std::time::Duration;

use jiff::ToSpan;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::model::{SECOND, Timestamp};

/// A trading day: from midnight to midnight in New York, as the daily bars of US stocks are cut. A day has 23, 24 or
/// 25 hours.
///
/// The simulated market never closes, so every day is a trading day with 24-hour trading. The default value is a day
/// that contains no time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TradingDay {
    /// The first instant of the day.
    pub start: Timestamp,
    /// The first instant of the next day.
    pub end: Timestamp,
}

impl TradingDay {
    /// The day that contains this time. A look-up in the time zone tables: cache the result.
    pub fn of(at: Timestamp) -> Self {
        let date = date_of(at);
        Self { start: start_of(date), end: start_of(plus(date, 1.day())) }
    }

    /// The day of a civil date such as `2026-11-20`; `None` when the text is not a date. A date before 1677 or after
    /// 2262 is the first or the last day of [`Timestamp`].
    pub fn named(date: &str) -> Option<Self> {
        let date: Date = date.parse().ok()?;
        let beyond = Timestamp::from_nanos(if date.year() < 1970 { i64::MIN } else { i64::MAX });
        Some(Self::of(midnight(date).unwrap_or(beyond)))
    }

    /// True when this time is within the day.
    pub fn holds(&self, at: Timestamp) -> bool {
        (self.start..self.end).contains(&at)
    }
}

/// The week that contains this time: from Monday to Monday, at midnight in New York.
pub(crate) fn week_of(at: Timestamp) -> Range<Timestamp> {
    let date = date_of(at);
    let monday = plus(date, -i64::from(date.weekday().to_monday_zero_offset()).days());
    start_of(monday)..start_of(plus(monday, 7.days()))
}

/// The interval of `count` months that contains this time, counted from January, at midnight in New York. `count` is
/// clamped to 1..=12.
pub(crate) fn months_of(at: Timestamp, count: u8) -> Range<Timestamp> {
    let date = date_of(at);
    let count = count.clamp(1, 12) as i8;
    let first = Date::constant(date.year(), (date.month() - 1) / count * count + 1, 1);
    start_of(first)..start_of(plus(first, i64::from(count).months()))
}

/// The starts of the day that contains `until` and of this number of days before it, the oldest first.
pub fn midnights(until: Timestamp, days_before: usize) -> Vec<Timestamp> {
    let of_day = |day: &TradingDay| Some(TradingDay::of(day.start - Duration::from_nanos(1)));
    let days = std::iter::successors(Some(TradingDay::of(until)), of_day);
    let mut midnights: Vec<_> = days.take(days_before + 1).map(|day| day.start).collect();
    midnights.reverse();
    midnights
}

/// The number of the date of a day that starts at this midnight in New York, counted from 1970-01-01.
pub(crate) const fn day_number(midnight: Timestamp) -> i64 {
    // Midnight in New York is in the morning of the same date in UTC; half a day later it is that date in either.
    const DAY: i64 = 86_400 * SECOND;
    (midnight.nanos() + DAY / 2).div_euclid(DAY)
}

/// The time of a text: RFC 3339 with an offset, or a date with or without a time of day in New York. `None` when it is
/// no time, or outside the range of [`Timestamp`].
pub fn market_time(text: &str) -> Option<Timestamp> {
    let nanos = match text.parse::<jiff::Timestamp>() {
        Ok(instant) => instant.as_nanosecond(),
        Err(_) => {
            let local: jiff::civil::DateTime = text.parse().ok()?;
            local.to_zoned(NEW_YORK.clone()).ok()?.timestamp().as_nanosecond()
        }
    };
    i64::try_from(nanos).ok().map(Timestamp::from_nanos)
}

/// The tables are compiled in, so they cannot be missing. The first use is at the start of the server.
static NEW_YORK: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::get("America/New_York").expect("the time zone tables are compiled in"));

/// The range of [`Timestamp`], 1677 to 2262, is within that of the calendar, the years −9999 to 9999.
const IN_RANGE: &str = "timestamps are within the range of the calendar";

pub(super) fn date_of(at: Timestamp) -> Date {
    let instant = jiff::Timestamp::from_nanosecond(at.nanos().into()).expect(IN_RANGE);
    instant.to_zoned(NEW_YORK.clone()).date()
}

pub(super) fn plus(date: Date, span: jiff::Span) -> Date {
    date.checked_add(span).expect(IN_RANGE)
}

fn start_of(date: Date) -> Timestamp {
    midnight(date).expect(IN_RANGE)
}

/// This time of day in New York, saturated to the range of [`Timestamp`]. Clocks do not change in the day.
pub(super) fn time_on(date: Date, hour: i8, minute: i8) -> Timestamp {
    let zoned = date.at(hour, minute, 0, 0).to_zoned(NEW_YORK.clone()).expect(IN_RANGE);
    saturated(zoned.timestamp())
}

/// The start of a civil date, saturated to the range of [`Timestamp`]; an error at the ends of the calendar.
fn midnight(date: Date) -> Result<Timestamp, jiff::Error> {
    let instant = date.to_datetime(Time::midnight()).to_zoned(NEW_YORK.clone())?.timestamp();
    Ok(saturated(instant))
}

fn saturated(instant: jiff::Timestamp) -> Timestamp {
    let nanos = instant.as_nanosecond().clamp(i64::MIN.into(), i64::MAX.into());
    Timestamp::from_nanos(nanos as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_nanos(text.parse::<jiff::Timestamp>().unwrap().as_nanosecond() as i64)
    }

    #[test]
    fn a_day_starts_at_midnight_in_new_york() {
        let day = TradingDay::of(at("2026-11-22T03:00:00Z"));

        assert_eq!(day.start, at("2026-11-21T05:00:00Z"));
        assert_eq!(day.end, at("2026-11-22T05:00:00Z"));
        assert!(day.holds(day.start) && !day.holds(day.end));
    }

    #[test]
    fn days_of_a_clock_change_have_23_and_25_hours() {
        let hours = |text| {
            let day = TradingDay::of(at(text));
            day.end.nanos_since(day.start) / (3600 * SECOND)
        };

        assert_eq!(hours("2026-03-08T12:00:00Z"), 23);
        assert_eq!(hours("2026-11-01T12:00:00Z"), 25);
    }

    #[test]
    fn days_are_numbered_one_after_the_other_through_the_clock_changes() {
        let midnights = midnights(at("2026-12-31T12:00:00Z"), 364);

        let numbers: Vec<i64> = midnights.iter().map(|midnight| day_number(*midnight)).collect();

        assert_eq!(numbers, (20_454..20_819).collect::<Vec<_>>());
    }

    #[test]
    fn a_week_starts_on_monday_and_follows_the_clock_change() {
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
    fn a_date_starts_at_midnight_in_new_york() {
        let day = TradingDay::named("2026-11-20").unwrap();

        assert_eq!((day.start, day.end), (at("2026-11-20T05:00:00Z"), at("2026-11-21T05:00:00Z")));
        assert_eq!(TradingDay::named("2026-13-20"), None);
    }

    #[test]
    fn a_time_without_an_offset_is_that_of_new_york() {
        for text in
            ["2026-11-20T09:30:00-05:00", "2026-11-20T14:30:00Z", "2026-11-20T09:30", "2026-11-20 09:30:00"]
        {
            assert_eq!(market_time(text), Some(at("2026-11-20T14:30:00Z")), "{text}");
        }
        assert_eq!(market_time("2026-11-20"), Some(at("2026-11-20T05:00:00Z")));
        assert_eq!((market_time("today"), market_time("9000-01-01")), (None, None));
    }

    #[test]
    fn midnights_follow_the_clock_change() {
        let midnights = midnights(at("2026-11-02T12:00:00Z"), 2);

        assert_eq!(
            midnights,
            [at("2026-10-31T04:00:00Z"), at("2026-11-01T04:00:00Z"), at("2026-11-02T05:00:00Z")]
        );
    }

    #[test]
    fn the_ends_of_representable_time_have_days_weeks_and_months() {
        let [first, last] = [i64::MIN, i64::MAX].map(Timestamp::from_nanos);

        assert_eq!(TradingDay::of(first).start, first);
        assert_eq!(TradingDay::of(last).end, last);
        assert_eq!((week_of(first).start, months_of(first, 12).start), (first, first));
        assert_eq!((week_of(last).end, months_of(last, 12).end), (last, last));
        assert_eq!(TradingDay::named("9000-01-01").map(|day| day.end), Some(last));
    }
}
