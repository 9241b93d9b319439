//! Parses the `t` of objects into microseconds, and reads the wall clock in the same unit.

use std::time::{SystemTime, UNIX_EPOCH};

/// Parses RFC 3339 UTC times and caches the last whole second.
///
/// Nearly all objects of a run share their second with the previous object, so a comparison of
/// 19 bytes replaces the calendar arithmetic.
#[derive(Default)]
pub(crate) struct TimestampParser {
    second: [u8; 19],
    second_us: i64,
}

impl TimestampParser {
    /// Microseconds since the Unix epoch, rounded down; `None` if the text is not a time in UTC.
    #[inline]
    pub(crate) fn parse_us(&mut self, text: &[u8]) -> Option<i64> {
        let (second, rest) = text.split_first_chunk::<19>()?;
        if *second != self.second {
            self.second_us = whole_seconds(second)? * 1_000_000;
            self.second = *second;
        }
        Some(self.second_us + fraction_us(rest)?)
    }
}

/// Microseconds since the Unix epoch.
pub(crate) fn wall_clock_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// Parses `Z`, or `.` with 1 to 9 digits and `Z`.
fn fraction_us(text: &[u8]) -> Option<i64> {
    match text {
        [b'Z'] => Some(0),
        [b'.', digits @ .., b'Z'] if (1..=9).contains(&digits.len()) => {
            let mut micros = 0;
            for place in 0..6 {
                micros = micros * 10 + digits.get(place).map_or(Some(0), digit)?;
            }
            Some(micros)
        }
        _ => None,
    }
}

/// Seconds since the Unix epoch of `YYYY-MM-DDTHH:MM:SS`.
fn whole_seconds(text: &[u8; 19]) -> Option<i64> {
    let number = |from: usize, to: usize| text[from..to].iter().try_fold(0, |n, d| Some(n * 10 + digit(d)?));
    let punctuation = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if punctuation.iter().any(|&(at, byte)| text[at] != byte) {
        return None;
    }
    let days = days_since_1970(number(0, 4)?, number(5, 7)?, number(8, 10)?);
    Some(days * 86_400 + number(11, 13)? * 3_600 + number(14, 16)? * 60 + number(17, 19)?)
}

/// Proleptic Gregorian days; years are counted from March, so that a leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

fn digit(byte: &u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> Option<i64> {
        TimestampParser::default().parse_us(text.as_bytes())
    }

    #[test]
    fn known_times_are_parsed() {
        assert_eq!(micros("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(micros("2000-02-29T00:00:01.5Z"), Some(951_782_401_500_000));
        assert_eq!(micros("2026-11-20T14:30:00.123456789Z"), Some(1_795_185_000_123_456));
    }

    #[test]
    fn a_cached_second_does_not_leak_into_the_next() {
        let mut parser = TimestampParser::default();

        let first = parser.parse_us(b"2026-11-20T14:30:00.25Z").unwrap();
        let same = parser.parse_us(b"2026-11-20T14:30:00.75Z").unwrap();
        let next = parser.parse_us(b"2026-11-20T14:30:01Z").unwrap();

        assert_eq!((same - first, next - first), (500_000, 750_000));
    }

    #[test]
    fn a_text_that_is_not_a_utc_time_is_rejected() {
        for text in ["", "now", "2026-11-20T14:30:00", "2026-11-20 14:30:00Z", "2026-11-20T14:30:00+00:00"] {
            assert_eq!(micros(text), None, "{text}");
        }
    }
}
