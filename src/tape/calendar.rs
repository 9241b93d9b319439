use jiff::civil::Time;
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

    /// Whether this time is within the day.
    pub fn holds(&self, at: Timestamp) -> bool {
        (self.start..self.end).contains(&at)
    }

    fn local(at: Timestamp) -> Result<Self, jiff::Error> {
        let zone = TimeZone::get("America/New_York")?;
        let date = jiff::Timestamp::from_nanosecond(at.nanos().into())?.to_zoned(zone.clone()).date();
        let midnight = |date: jiff::civil::Date| -> Result<Timestamp, jiff::Error> {
            let instant = date.to_datetime(Time::midnight()).to_zoned(zone.clone())?.timestamp();
            Ok(Timestamp::from_nanos(instant.as_nanosecond() as i64))
        };
        Ok(Self { start: midnight(date)?, end: midnight(date.tomorrow()?)? })
    }

    /// What remains where a calendar fails, at the ends of representable time.
    fn utc(at: Timestamp) -> Self {
        const DAY: std::time::Duration = std::time::Duration::from_hours(24);
        let start = at.floor_to(DAY.as_nanos() as i64);
        Self { start, end: start + DAY }
    }
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
}
