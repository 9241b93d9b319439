use jiff::tz::Offset;

use crate::model::Timestamp;

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
            let instant = jiff::Timestamp::from_second(second).expect("a timestamp is of 1677 to 2262");
            let civil = Offset::UTC.to_datetime(instant);
            let numbers = [
                (2, civil.year() / 100),
                (4, civil.year() % 100),
                (7, civil.month().into()),
                (10, civil.day().into()),
                (13, civil.hour().into()),
                (16, civil.minute().into()),
                (19, civil.second().into()),
            ];
            for (end, number) in numbers {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SECOND;

    #[test]
    fn the_text_of_a_second_is_that_of_jiff() {
        for second in [-86_401, -1, 0, 951_782_399, 951_782_400, 1_709_251_199, 4_107_542_400, 7_258_118_399]
        {
            let mut clock = ClockText::default();

            let text = clock.second(Timestamp::from_nanos(second * SECOND)).to_vec();

            let other = jiff::Timestamp::from_second(second).unwrap().to_string();
            assert_eq!(format!("{}Z", String::from_utf8(text).unwrap()), other);
        }
    }
}
