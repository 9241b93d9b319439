use crate::model::{Timestamp, TradingDay};

/// Which end of a time range a parameter gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// The start: a date means its first moment in New York.
    Start,
    /// The end, inclusive: a date means its last moment.
    End,
}

/// Parses a time: RFC 3339 with up to 9 fraction digits, or a date.
///
/// An unescaped `+` in a query string is decoded as a space, so a space before an offset counts as `+`.
pub(super) fn parse(text: &str, edge: Edge) -> Option<Timestamp> {
    const DATE: usize = "2026-11-20".len();
    const OFFSET: usize = "+00:00".len();
    if text.len() == DATE {
        let day = TradingDay::named(text)?;
        return Some(match edge {
            Edge::Start => day.start,
            // The last day of all has no end.
            Edge::End if day.end.nanos() == i64::MAX => day.end,
            Edge::End => Timestamp::from_nanos(day.end.nanos() - 1),
        });
    }
    let mut text = text.to_owned();
    if let Some(place) = text.len().checked_sub(OFFSET)
        && place > DATE
        && text.get(place..=place) == Some(" ")
    {
        text.replace_range(place..=place, "+");
    }
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp::from_nanos(clamped(instant.as_nanosecond())));
    }
    // The calendar's last instants, which depend on the offset, do not parse; those of the year before do.
    let year_before = format!("9998{}", text.strip_prefix("9999")?);
    year_before.parse::<jiff::Timestamp>().is_ok().then_some(Timestamp::from_nanos(i64::MAX))
}

/// Times before 1677 and after 2262 become the first and the last that fit.
fn clamped(nanos: i128) -> i64 {
    nanos.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(text: &str) -> Option<i64> {
        parse(text, Edge::Start).map(Timestamp::nanos)
    }

    #[test]
    fn every_form_that_sdks_send_is_parsed() {
        let second = 1_795_185_000_000_000_000;
        for (text, nanos) in [
            ("2026-11-20T14:30:00+00:00", second),
            ("2026-11-20T14:30:00 00:00", second),
            ("2026-11-20T09:30:00-05:00", second),
            ("2026-11-20T14:30:00Z", second),
            ("2026-11-20T14:30:00.000Z", second),
            ("2026-11-20T14:30:34.460671931Z", second + 34_460_671_931),
            ("2026-11-20T14:30:00.123456+00:00", second + 123_456_000),
        ] {
            assert_eq!(start(text), Some(nanos), "{text}");
        }
    }

    #[test]
    fn a_date_is_the_whole_day_in_new_york() {
        let midnight = "2026-11-20T05:00:00Z";

        assert_eq!(start("2026-11-20"), start(midnight));
        let end = parse("2026-11-19", Edge::End).unwrap();
        assert_eq!(Some(end.nanos() + 1), start(midnight));
    }

    #[test]
    fn text_that_is_not_a_time_is_none() {
        for text in
            ["", "yesterday", "2026-11-31", "2026-11-20T14:30:00", "2026-11-20T25:00:00Z", "äöüäöüäöü"]
        {
            assert_eq!(start(text), None, "{text}");
        }
    }

    #[test]
    fn extreme_times_are_clamped() {
        assert_eq!(start("0001-01-01T00:00:00Z"), Some(i64::MIN));
        assert_eq!(start("9000-01-01T00:00:00Z"), Some(i64::MAX));
        for forever in
            ["9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999-05:00", "2262-04-12"]
        {
            let end = parse(forever, Edge::End).map(Timestamp::nanos);
            assert_eq!(end, Some(i64::MAX), "{forever}");
        }
        assert!(start("0001-01-01").is_some_and(|start| start < -9_200_000_000_000_000_000));
        assert!(
            parse("9999-12-32", Edge::End).is_none() && parse("9999-02-29T00:00:00Z", Edge::End).is_none()
        );
    }
}
