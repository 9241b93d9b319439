use std::fmt;
use std::ops::{Add, Sub};

/// A price as a number of ticks of $0.01, the minimum increment of US stocks at or above $1.00 (SEC Rule
/// 612).
///
/// Integers compare, add and hash exactly; the decimal point appears only in text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(i64);

impl Price {
    /// Ticks per dollar.
    pub const TICKS_PER_DOLLAR: i64 = 100;

    /// A price of this number of ticks.
    pub const fn from_ticks(ticks: i64) -> Self {
        Self(ticks)
    }

    /// An amount in dollars, rounded to the nearest tick.
    pub fn from_dollars(dollars: f64) -> Self {
        Self((dollars * Self::TICKS_PER_DOLLAR as f64).round() as i64)
    }

    /// The number of ticks.
    pub const fn ticks(self) -> i64 {
        self.0
    }

    /// The amount in dollars; exact to the cent for every price below 2^53 ticks.
    pub fn to_dollars(self) -> f64 {
        self.0 as f64 / Self::TICKS_PER_DOLLAR as f64
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

/// Dollars with exactly two decimals: `189.40`.
impl fmt::Display for Price {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let ticks = self.0.unsigned_abs();
        write!(out, "{sign}{}.{:02}", ticks / 100, ticks % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_prints_dollars_and_two_decimals() {
        assert_eq!(Price::from_ticks(18940).to_string(), "189.40");
        assert_eq!(Price::from_ticks(7).to_string(), "0.07");
        assert_eq!(Price::from_ticks(-150).to_string(), "-1.50");
    }

    #[test]
    fn dollars_round_to_the_nearest_tick() {
        assert_eq!(Price::from_dollars(189.404), Price::from_ticks(18940));
        assert_eq!(Price::from_dollars(0.015).ticks(), 2);
        assert_eq!(Price::from_ticks(18941).to_dollars(), 189.41);
    }
}
