use std::fmt;
use std::ops::{Add, Sub};

/// A price in units of $0.000000001, as market data files have it (DBN's `FIXED_PRICE_SCALE`).
///
/// Real prices are finer than a cent: trades off the exchanges execute between two ticks (99.6459), futures have
/// ticks of their own. Integers compare, add and hash exactly; the decimal point appears only in text. Prices may
/// be negative, as those of spreads are. The range is ± $9.2 billion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(i64);

const NANOS_PER_CENT: i64 = 10_000_000;

impl Price {
    /// Units per dollar.
    pub const NANOS_PER_DOLLAR: i64 = 1_000_000_000;

    /// A price of this number of billionths of a dollar.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// A price of this number of cents, the minimum increment of US stocks at or above $1.00 (SEC Rule 612).
    pub const fn from_cents(cents: i64) -> Self {
        Self(cents * NANOS_PER_CENT)
    }

    /// An amount in dollars: the price of the shortest text of this number, rounded to the nearest billionth. Amounts
    /// outside the range become its ends, and what is not a number becomes 0.
    pub fn from_dollars(dollars: f64) -> Self {
        // Below 2^52 billionths the product is off by less than a half.
        const EXACT: f64 = 4_000_000.0;
        if dollars.abs() < EXACT {
            return Self((dollars * Self::NANOS_PER_DOLLAR as f64).round() as i64);
        }
        let text = dollars.abs().to_string();
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        // A number of this size has fewer than nine decimals in its shortest text.
        let nanos = format!("{whole}{decimals:0<9.9}").parse::<i64>();
        match nanos {
            Ok(nanos) => Self(nanos * dollars.signum() as i64),
            Err(_) => Self((dollars * Self::NANOS_PER_DOLLAR as f64) as i64),
        }
    }

    /// The number of billionths of a dollar.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The number of whole cents, rounded down.
    pub const fn cents(self) -> i64 {
        self.0.div_euclid(NANOS_PER_CENT)
    }

    /// The amount in dollars: the nearest binary number, from which [`from_dollars`](Self::from_dollars) gives the same
    /// price. Above $9 million it is rounded to millionths.
    pub fn to_dollars(self) -> f64 {
        const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;
        match self.0.unsigned_abs() <= EXACT {
            true => self.0 as f64 / Self::NANOS_PER_DOLLAR as f64,
            false => (self.0 / 1_000) as f64 / 1e6,
        }
    }
}

impl Add for Price {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Price {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

/// Dollars with at least two decimals, and beyond them no zeros at the end: `189.40`, `99.6459`.
impl fmt::Display for Price {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (dollars, mut fraction) = self.split();
        let mut decimals = 9;
        while decimals > 2 && fraction.is_multiple_of(10) {
            (fraction, decimals) = (fraction / 10, decimals - 1);
        }
        write!(out, "{sign}{dollars}.{fraction:0decimals$}")
    }
}

impl Price {
    /// The whole dollars and the billionths of a dollar of the price without its sign.
    pub const fn split(self) -> (u64, u32) {
        let nanos = self.0.unsigned_abs();
        let per_dollar = Self::NANOS_PER_DOLLAR as u64;
        (nanos / per_dollar, (nanos % per_dollar) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_prints_dollars_and_as_many_decimals_as_it_has_but_at_least_two() {
        assert_eq!(Price::from_cents(18940).to_string(), "189.40");
        assert_eq!(Price::from_cents(7).to_string(), "0.07");
        assert_eq!(Price::from_cents(-150).to_string(), "-1.50");
        assert_eq!(Price::from_nanos(99_645_900_000).to_string(), "99.6459");
        assert_eq!(Price::from_nanos(5_462_250_000_000).to_string(), "5462.25");
        assert_eq!(Price::from_nanos(-1).to_string(), "-0.000000001");
        assert_eq!(Price::from_nanos(i64::MIN).to_string(), "-9223372036.854775808");
    }

    #[test]
    fn dollars_round_to_the_nearest_billionth() {
        for text in
            ["189.41", "388.985", "99.6459", "13.7317", "0.0001", "5462.25", "-37.63", "-1683555429.45"]
        {
            let price = Price::from_dollars(text.parse().unwrap());
            assert_eq!(price.to_string(), text);
            assert_eq!(price.to_dollars().to_string(), text);
        }
        assert_eq!(Price::from_dollars(0.000_000_001_6).nanos(), 2);
        assert_eq!(Price::from_dollars(f64::NAN).nanos(), 0);
        assert_eq!(Price::from_dollars(1e300).nanos(), i64::MAX);
    }

    #[test]
    fn cents_are_rounded_down() {
        assert_eq!(Price::from_nanos(99_645_900_000).cents(), 9_964);
        assert_eq!(Price::from_nanos(-1).cents(), -1);
    }
}
