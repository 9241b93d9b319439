use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::model::{SECOND, Timestamp, TradingDay};
use crate::source::replay::fixed::decimal;
use crate::source::replay::record::BarPeriod;

/// How a file writes times: as text with or without an offset, as a date, or as a number since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TimeFormat {
    /// Decimals of a second that a number has; `None` to tell it by its size.
    decimals: Option<i32>,
    /// The zone of text without an offset.
    zone: TimeZone,
}

impl Default for TimeFormat {
    fn default() -> Self {
        Self { decimals: None, zone: TimeZone::UTC }
    }
}

impl TimeFormat {
    pub(super) fn set_unit(&mut self, unit: &str) -> Option<()> {
        self.decimals = Some(match unit {
            "s" => 0,
            "ms" => 3,
            "us" => 6,
            "ns" => 9,
            _ => return None,
        });
        Some(())
    }

    pub(super) fn set_zone(&mut self, zone: &str) -> Option<()> {
        self.zone = TimeZone::get(zone).ok()?;
        Some(())
    }

    /// The time of this text.
    pub(super) fn read(&self, text: &[u8]) -> Option<Timestamp> {
        if let Some(nanos) = self.number(text) {
            return Some(Timestamp::from_nanos(nanos));
        }
        let text = std::str::from_utf8(text).ok()?;
        let nanos = if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            instant.as_nanosecond()
        } else if let Ok(date) = text.parse::<Date>()
            && text.len() == 10
        {
            return TradingDay::named(&date.to_string()).map(|day| day.start);
        } else {
            let local: DateTime = text.parse().ok()?;
            local.to_zoned(self.zone.clone()).ok()?.timestamp().as_nanosecond()
        };
        i64::try_from(nanos).ok().map(Timestamp::from_nanos)
    }

    /// The start of the bar of this length that a row with this time is of.
    pub(super) fn start_of_bar(&self, at: Timestamp, length: BarPeriod) -> Timestamp {
        match length {
            // Dates are days in New York already; a number or a time in UTC is of the day with that date.
            BarPeriod::Day if at.nanos().rem_euclid(86_400 * SECOND) == 0 => {
                TradingDay::of(Timestamp::from_nanos(at.nanos() + 43_200 * SECOND)).start
            }
            BarPeriod::Day => TradingDay::of(at).start,
            _ => at,
        }
    }

    fn number(&self, text: &[u8]) -> Option<i64> {
        if !text.first()?.is_ascii_digit() || text.iter().any(|letter| !matches!(letter, b'0'..=b'9' | b'.'))
        {
            return None;
        }
        let decimals = match self.decimals {
            Some(decimals) => decimals,
            // Seconds since 1970 have 10 digits from 2001 to 2286, milliseconds 13, and so on.
            None => match text.iter().take_while(|letter| **letter != b'.').count() {
                ..=11 => 0,
                12..=14 => 3,
                15..=17 => 6,
                _ => 9,
            },
        };
        decimal(text, 9 - decimals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &TimeFormat, text: &str) -> Option<String> {
        format.read(text.as_bytes()).map(crate::wire::rfc3339)
    }

    #[test]
    fn a_time_is_read_in_every_usual_form() {
        let format = TimeFormat::default();
        for text in [
            "2013-10-07T13:30:00.5Z",
            "2013-10-07T09:30:00.5-04:00",
            "2013-10-07 13:30:00.500",
            "1381152600.5",
            "1381152600500",
            "1381152600500000",
            "1381152600500000000",
        ] {
            assert_eq!(read(&format, text).as_deref(), Some("2013-10-07T13:30:00.500000000Z"), "{text}");
        }
        assert_eq!(read(&format, "2013-10-07").as_deref(), Some("2013-10-07T04:00:00.000000000Z"));
        for text in ["", "noon", "2013-13-07", "12:30"] {
            assert_eq!(read(&format, text), None, "{text}");
        }
    }

    #[test]
    fn a_time_without_an_offset_is_of_the_named_zone() {
        let mut format = TimeFormat::default();
        format.set_zone("America/New_York").unwrap();

        assert_eq!(read(&format, "2013-10-07 09:30:00").as_deref(), Some("2013-10-07T13:30:00.000000000Z"));
        assert_eq!(format.set_zone("Atlantis"), None);
    }

    #[test]
    fn the_unit_of_a_number_can_be_named() {
        let mut format = TimeFormat::default();
        format.set_unit("ms").unwrap();

        assert_eq!(read(&format, "1000").as_deref(), Some("1970-01-01T00:00:01.000000000Z"));
        assert_eq!(format.set_unit("h"), None);
    }
}
