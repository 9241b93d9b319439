use crate::model::{Luld, Price, SymbolId, Tape, Timestamp};

/// The limit-up limit-down price bands of one instrument, set around a reference price.
///
/// They follow the Plan to Address Extraordinary Market Volatility (NMS Plan, §V), with another reference
/// price: the plan takes the mean price of five minutes, the simulator the last trade that was the update
/// threshold away from the reference before. So the bands follow at once, and no trade is outside of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct PriceBands {
    reference: i64,
    /// A trade this many ticks away from the reference, or more, updates the bands.
    threshold: i64,
}

/// A bounce between bid and ask of one tick is not a price move.
const MIN_THRESHOLD: i64 = 2;

impl PriceBands {
    /// Bands around a reference price. `threshold` is the update threshold relative to it.
    pub(super) fn around(reference: i64, threshold: f64) -> Self {
        let ticks = (reference as f64 * threshold).ceil() as i64;
        Self { reference, threshold: ticks.max(MIN_THRESHOLD) }
    }

    /// Updates the bands if the price of a trade has reached the threshold, and returns whether it has.
    pub(super) fn update(&mut self, price: Price, threshold: f64) -> bool {
        let has_moved = (price.cents() - self.reference).abs() >= self.threshold;
        if has_moved {
            *self = Self::around(price.cents(), threshold);
        }
        has_moved
    }

    /// The bands as an event. Neither the bid nor the ask is at its limit.
    pub(super) fn luld(&self, symbol: SymbolId, tape: Tape, at: Timestamp) -> Luld {
        let width = width(self.reference);
        let up = Price::from_cents(self.reference + width);
        let down = Price::from_cents((self.reference - width).max(1));
        Luld { symbol, up, down, indicator: b'B', tape, at }
    }
}

/// The distance of both bands from the reference: 5 % above $3, 20 % from $0.75, below that the lesser of
/// 75 % and $0.15. These are the widths of tier 1 (Appendix A of the plan), used for every instrument.
fn width(reference: i64) -> i64 {
    let share = match reference {
        301.. => 0.05,
        75..=300 => 0.2,
        _ => return ((reference as f64 * 0.75).round() as i64).clamp(1, 15),
    };
    (reference as f64 * share).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(bands: PriceBands) -> [i64; 2] {
        let luld = bands.luld(SymbolId(0), Tape::C, Timestamp::default());
        [luld.down, luld.up].map(Price::cents)
    }

    #[test]
    fn bands_are_as_wide_as_the_plan_says() {
        let around = |ticks| limits(PriceBands::around(ticks, 0.01));

        assert_eq!(around(20_000), [19_000, 21_000]);
        assert_eq!(around(301), [286, 316]);
        assert_eq!(around(300), [240, 360]);
        assert_eq!(around(75), [60, 90]);
        assert_eq!(around(40), [25, 55]);
        assert_eq!(around(8), [2, 14]);
        assert_eq!(around(1), [1, 2]);
    }

    #[test]
    fn bands_are_updated_when_a_trade_reaches_the_threshold() {
        let mut bands = PriceBands::around(20_000, 0.01);

        assert!(!bands.update(Price::from_cents(20_199), 0.01));
        assert!(!bands.update(Price::from_cents(19_801), 0.01));
        assert!(bands.update(Price::from_cents(19_800), 0.01));
        assert_eq!(limits(bands), [18_810, 20_790]);
    }

    #[test]
    fn a_bid_ask_bounce_and_an_infinite_threshold_never_update_the_bands() {
        assert!(!PriceBands::around(50, 0.01).update(Price::from_cents(51), 0.01));
        assert!(!PriceBands::around(50, f64::INFINITY).update(Price::from_cents(5_000), f64::INFINITY));
    }
}
