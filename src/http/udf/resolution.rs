use crate::archive::{Timeframe, Unit};
use crate::model::calendar::day_number;
use crate::model::{ExchangeSession, MarketHours, Timestamp, TradingDay};

/// The length of bars as UDF writes it: a number of minutes, or a number with `S`, `D`, `W` or `M`. Hours are written in
/// minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resolution {
    timeframe: Timeframe,
    unit: Unit,
}

/// The resolutions among which a chart offers a choice. Every other one that [`Resolution::named`] knows is answered too.
pub(super) const OFFERED: [&str; 13] =
    ["1S", "5S", "15S", "30S", "1", "5", "15", "30", "60", "240", "1D", "1W", "1M"];

/// What a resolution may be.
pub(super) const RESOLUTIONS: &str =
    "1S to 59S, 1 to 59, 60 to 1380 in steps of 60, 1D, 1W, or 1M, 2M, 3M, 4M, 6M, 12M";

/// Seconds of a day without a clock change.
pub(super) const DAY_SECONDS: i64 = 86_400;

impl Resolution {
    /// The resolution of this name. The number may be left out before a letter, and has no leading zeros.
    pub(super) fn named(name: &str) -> Option<Self> {
        let number_end = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
        let (number, letter) = name.split_at(number_end);
        let count: u16 = match number {
            "" if !letter.is_empty() => 1,
            zeros if zeros.starts_with('0') => return None,
            digits => digits.parse().ok()?,
        };
        let (count, unit) = match letter {
            "" if count >= 60 && count.is_multiple_of(60) => (count / 60, Unit::Hour),
            "" => (count, Unit::Minute),
            "S" => (count, Unit::Second),
            "D" => (count, Unit::Day),
            "W" => (count, Unit::Week),
            "M" => (count, Unit::Month),
            _ => return None,
        };
        let count = u8::try_from(count).ok()?;
        Some(Self { timeframe: Timeframe::new(count, unit)?, unit })
    }

    /// The bars of the archive.
    pub(super) const fn timeframe(self) -> Timeframe {
        self.timeframe
    }

    /// The time of a bar that starts then, in Unix seconds: its start, or for days, weeks and months the date of their
    /// first trading day as midnight in UTC.
    pub(super) fn time_of(self, start: Timestamp, hours: MarketHours) -> i64 {
        let first = match (self.unit, hours) {
            (Unit::Second | Unit::Minute | Unit::Hour, _) => return start.seconds(),
            (Unit::Week | Unit::Month, MarketHours::Exchange) => {
                ExchangeSession::next(start).map_or(start, |session| TradingDay::of(session.open).start)
            }
            _ => start,
        };
        day_number(first) * DAY_SECONDS
    }

    /// The greatest number of seconds from the start of a bar to its [time](Self::time_of), and from its time to its start.
    pub(super) const fn time_difference(self) -> i64 {
        match self.unit {
            Unit::Second | Unit::Minute | Unit::Hour => 0,
            // No holidays close the exchange for longer than a week, and New York is five hours behind UTC.
            Unit::Day | Unit::Week | Unit::Month => 7 * DAY_SECONDS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::market_time;

    #[test]
    fn resolutions_are_those_of_the_archive_in_the_names_of_udf() {
        for (name, count, unit) in [
            ("1S", 1, Unit::Second),
            ("S", 1, Unit::Second),
            ("59S", 59, Unit::Second),
            ("1", 1, Unit::Minute),
            ("45", 45, Unit::Minute),
            ("60", 1, Unit::Hour),
            ("240", 4, Unit::Hour),
            ("1380", 23, Unit::Hour),
            ("D", 1, Unit::Day),
            ("1D", 1, Unit::Day),
            ("1W", 1, Unit::Week),
            ("M", 1, Unit::Month),
            ("12M", 12, Unit::Month),
        ] {
            let timeframe = Resolution::named(name).map(Resolution::timeframe);
            assert_eq!(timeframe, Timeframe::new(count, unit), "{name}");
            assert!(timeframe.is_some(), "{name}");
        }
        for name in
            ["", "0", "01", "61", "90", "1440", "60S", "2D", "5M", "1H", "1m", "-1", "D1", "99999", "1T"]
        {
            assert_eq!(Resolution::named(name), None, "{name}");
        }
        assert!(OFFERED.iter().all(|name| Resolution::named(name).is_some()));
    }

    #[test]
    fn bars_of_days_have_the_time_of_their_date_in_utc() {
        let time = |name, start, hours| {
            let seconds = Resolution::named(name).unwrap().time_of(market_time(start).unwrap(), hours);
            jiff::Timestamp::from_second(seconds).unwrap().to_string()
        };
        for (name, start, continuous, exchange) in [
            ("60", "2026-11-20T10:00", "2026-11-20T15:00:00Z", "2026-11-20T15:00:00Z"),
            ("1D", "2026-11-20", "2026-11-20T00:00:00Z", "2026-11-20T00:00:00Z"),
            ("1D", "2026-07-20", "2026-07-20T00:00:00Z", "2026-07-20T00:00:00Z"),
            ("1W", "2026-09-07", "2026-09-07T00:00:00Z", "2026-09-08T00:00:00Z"),
            ("1M", "2026-11-01", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"),
            ("12M", "2027-01-01", "2027-01-01T00:00:00Z", "2027-01-04T00:00:00Z"),
        ] {
            assert_eq!(time(name, start, MarketHours::Continuous), continuous, "{name} of {start}");
            assert_eq!(time(name, start, MarketHours::Exchange), exchange, "{name} of {start}");
        }
    }
}
