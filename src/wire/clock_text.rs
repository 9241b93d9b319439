use crate::model::{SECOND, Timestamp};

/// Caches the RFC 3339 text of one second: `2026-11-20T14:30:00`.
///
/// The events of a batch mostly share their second, so it is formatted once for all of them.
#[derive(Debug)]
pub(super) struct ClockText {
    second: i64,
    text: [u8; 19],
}

impl Default for ClockText {
    fn default() -> Self {
        Self { second: 0, text: *b"1970-01-01T00:00:00" }
    }
}

impl ClockText {
    pub(super) fn second(&mut self, at: Timestamp) -> &[u8] {
        let second = at.seconds();
        if second != self.second {
            self.second = second;
            let within_day = second.rem_euclid(86_400) as u32;
            let (year, month, day) = civil_date(at.floor_to(86_400 * SECOND).seconds() / 86_400);
            let places = [
                (2, year / 100),
                (4, year % 100),
                (7, month),
                (10, day),
                (13, within_day / 3600),
                (16, within_day / 60 % 60),
                (19, within_day % 60),
            ];
            for (end, number) in places {
                self.text[end - 2] = b'0' + (number / 10) as u8;
                self.text[end - 1] = b'0' + (number % 10) as u8;
            }
        }
        &self.text
    }
}

/// A time as RFC 3339 text with nine digits of the second's fraction: `2026-11-20T14:30:00.000000000Z`.
pub fn rfc3339(at: Timestamp) -> String {
    let mut clock = ClockText::default();
    let second = clock.second(at).to_vec();
    let second = String::from_utf8(second).expect("digits are ASCII");
    format!("{second}.{:09}Z", at.subsec_nanos())
}

/// The time of RFC 3339 text with any offset; `None` outside the range of [`Timestamp`].
pub(super) fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let nanos = text.parse::<jiff::Timestamp>().ok()?.as_nanosecond();
    i64::try_from(nanos).ok().map(Timestamp::from_nanos)
}

/// Year, month and day of this many days since 1970-01-01, in the Gregorian calendar.
///
/// Counts in eras of 400 years from a 1st of March, so that leap days come last: Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn civil_date(days: i64) -> (u32, u32, u32) {
    const DAYS_PER_ERA: i64 = 146_097;
    let since_era_0 = days + 719_468;
    let era = since_era_0.div_euclid(DAYS_PER_ERA);
    let day_of_era = since_era_0.rem_euclid(DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as u32, month as u32, day as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_agree_with_an_independent_calendar() {
        for second in [-86_401, -1, 0, 951_782_399, 951_782_400, 1_709_251_199, 4_107_542_400, 7_258_118_399]
        {
            let mut clock = ClockText::default();

            let text = clock.second(Timestamp::from_nanos(second * SECOND)).to_vec();

            let other = jiff::Timestamp::from_second(second).unwrap().to_string();
            assert_eq!(format!("{}Z", String::from_utf8(text).unwrap()), other);
        }
    }
}
