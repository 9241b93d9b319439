use std::str::FromStr;

use crate::model::Price;

/// When an alert fires: the last price reaches a price, from below or from above.
///
/// As text: `p>=190.00`, `p<=180`, or in percent of the previous close `chg>=5%`, `chg<=-5%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertCondition {
    direction: Direction,
    level: Level,
}

/// From which side a price is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From below: `>=`.
    Rise,
    /// From above: `<=`.
    Fall,
}

/// The price of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    At(Price),
    /// A change since the previous close, in billionths of a percent.
    Change(i64),
}

/// Why text is no condition. It says what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCondition {
    /// It has another form.
    #[error("`when` must be `p>=190.00`, `p<=180`, `chg>=5%` or `chg<=-5%`")]
    Form,
    /// The price is out of range.
    #[error("the price must be a decimal number with at most nine decimals, from -1000000000 to 1000000000")]
    Price,
    /// The percentage is out of range.
    #[error("the change must be a decimal number of percent with at most nine decimals, from -100 to 10000")]
    Change,
}

/// A billionth of a percent is 10^-11.
const UNITS_OF_WHOLE: i128 = 100 * Price::NANOS_PER_DOLLAR as i128;

/// The highest price, in billionths of a dollar. Thresholds of a change stay within the range of prices too.
const MAX_PRICE: i64 = 1_000_000_000 * Price::NANOS_PER_DOLLAR;

/// The range of changes, in billionths of a percent.
const CHANGES: std::ops::RangeInclusive<i64> =
    -100 * Price::NANOS_PER_DOLLAR..=10_000 * Price::NANOS_PER_DOLLAR;

impl AlertCondition {
    /// The longest text that is read, in bytes.
    pub const MAX_LEN: usize = 48;

    /// From which side the price is reached.
    pub const fn direction(self) -> Direction {
        self.direction
    }

    /// Whether the price depends on the previous close.
    pub const fn is_of_change(self) -> bool {
        matches!(self.level, Level::Change(_))
    }

    /// The price at which the alert fires; `None` while the previous close is not known.
    ///
    /// Of a change it is the first price, in billionths of a dollar, with which the change is reached.
    pub fn threshold(self, previous_close: Option<Price>) -> Option<Price> {
        let change = match self.level {
            Level::At(price) => return Some(price),
            Level::Change(change) => i128::from(change),
        };
        let close = i128::from(previous_close?.nanos());
        let product = close * (UNITS_OF_WHOLE + change);
        let nanos = match self.direction {
            Direction::Rise => -(-product).div_euclid(UNITS_OF_WHOLE),
            Direction::Fall => product.div_euclid(UNITS_OF_WHOLE),
        };
        i64::try_from(nanos).ok().map(Price::from_nanos)
    }
}

impl FromStr for AlertCondition {
    type Err = InvalidCondition;

    fn from_str(text: &str) -> Result<Self, InvalidCondition> {
        if text.len() > Self::MAX_LEN {
            return Err(InvalidCondition::Form);
        }
        let (what, direction, number) = [(">=", Direction::Rise), ("<=", Direction::Fall)]
            .into_iter()
            .find_map(|(sign, direction)| {
                text.split_once(sign).map(|(what, number)| (what.trim(), direction, number.trim()))
            })
            .ok_or(InvalidCondition::Form)?;
        let level = match what {
            "p" => {
                let nanos = billionths(number).ok_or(InvalidCondition::Price)?;
                let is_valid = (-MAX_PRICE..=MAX_PRICE).contains(&nanos);
                is_valid.then_some(Level::At(Price::from_nanos(nanos))).ok_or(InvalidCondition::Price)?
            }
            "chg" => {
                let number = number.strip_suffix('%').ok_or(InvalidCondition::Form)?.trim_end();
                let change = billionths(number).ok_or(InvalidCondition::Change)?;
                let is_valid = CHANGES.contains(&change);
                is_valid.then_some(Level::Change(change)).ok_or(InvalidCondition::Change)?
            }
            _ => return Err(InvalidCondition::Form),
        };
        Ok(Self { direction, level })
    }
}

/// A decimal number in billionths, exactly.
fn billionths(text: &str) -> Option<i64> {
    const DECIMALS: usize = 9;
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.len() > DECIMALS {
        return None;
    }
    format!("{whole}{decimals:0<DECIMALS$}").parse::<i64>().ok().map(|number| sign * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold(text: &str, close: &str) -> String {
        let close = Price::from_dollars(close.parse().unwrap());
        text.parse::<AlertCondition>().unwrap().threshold(Some(close)).unwrap().to_string()
    }

    #[test]
    fn a_price_is_read_exactly() {
        for (text, price) in [
            ("p>=190.00", "190.00"),
            ("p<=180", "180.00"),
            (" p <= 0.000000001 ", "0.000000001"),
            ("p>=-37.63", "-37.63"),
            ("p>=1000000000", "1000000000.00"),
        ] {
            assert_eq!(threshold(text, "1"), price);
        }
    }

    #[test]
    fn a_change_is_of_the_previous_close_and_is_reached_by_its_price() {
        assert_eq!(threshold("chg>=5%", "200"), "210.00");
        assert_eq!(threshold("chg<=-5%", "200"), "190.00");
        assert_eq!(threshold("chg>=-2.5 %", "200"), "195.00");
        assert_eq!(threshold("chg>=10%", "0.000000001"), "0.000000002");
        assert_eq!(threshold("chg<=-10%", "0.000000001"), "0.00");
        let unknown = "chg>=5%".parse::<AlertCondition>().unwrap();
        assert_eq!((unknown.threshold(None), unknown.is_of_change()), (None, true));
    }

    #[test]
    fn what_is_no_condition_is_told_apart() {
        use InvalidCondition::{Change, Form, Price};
        for (text, why) in [
            ("", Form),
            ("p>190", Form),
            ("p=190", Form),
            ("bid>=190", Form),
            ("chg>=5", Form),
            ("p>=", Price),
            ("p>=1e3", Price),
            ("p>=+1", Price),
            ("p>=--1", Price),
            ("p>=1.", Price),
            ("p>=.5", Price),
            ("p>=1.0000000001", Price),
            ("p>=1000000000.01", Price),
            ("p>=99999999999999999999", Price),
            ("p>=NaN", Price),
            ("p>=190|p<=180", Price),
            ("chg>=10000.1%", Change),
            ("chg<=-101%", Change),
            ("chg>=five%", Change),
        ] {
            assert_eq!(text.parse::<AlertCondition>(), Err(why), "{text}");
        }
        assert_eq!(format!("p>={:060}", 1).parse::<AlertCondition>(), Err(Form));
    }
}
