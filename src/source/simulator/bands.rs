use crate::model::{Luld, Price, SymbolId, Tape, Timestamp};

/// The limit-up limit-down bands of one instrument, set around a reference price.
///
/// After the Plan to Address Extraordinary Market Volatility (NMS Plan, §V), but for the reference: there
/// it is the mean price of five minutes, here the price of the trade that was `band_step` away
/// from the one before. So bands follow at once, and no trade is outside of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bands {
    reference: i64,
    /// How many ticks away from the reference, or more, the bands are set anew.
    patience: i64,
}

/// A bounce between bid and ask is no move of the price.
const LEAST_PATIENCE: i64 = 2;

impl Bands {
    /// Bands around this price.
    pub(super) fn around(ticks: i64, band_step: f64) -> Self {
        let patience = (ticks as f64 * band_step).ceil() as i64;
        Self { reference: ticks, patience: patience.max(LEAST_PATIENCE) }
    }

    /// Sets the bands anew if this price asks for it, and says whether it did.
    pub(super) fn follow(&mut self, price: Price, band_step: f64) -> bool {
        let has_moved = (price.ticks() - self.reference).abs() >= self.patience;
        if has_moved {
            *self = Self::around(price.ticks(), band_step);
        }
        has_moved
    }

    /// The bands as they are told. An instrument is at neither limit.
    pub(super) fn luld(&self, symbol: SymbolId, tape: Tape, at: Timestamp) -> Luld {
        let width = width(self.reference);
        let up = Price::from_ticks(self.reference + width);
        let down = Price::from_ticks((self.reference - width).max(1));
        Luld { symbol, up, down, indicator: b'B', tape, at }
    }
}

/// From the reference to either band: 5 % above $3, 20 % from $0.75, below that 75 % or $0.15 if that
/// is less. Those of tier 1 (Appendix A of the plan); every instrument is treated as one of it.
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

    fn told(bands: Bands) -> [i64; 2] {
        let luld = bands.luld(SymbolId(0), Tape::C, Timestamp::default());
        [luld.down, luld.up].map(Price::ticks)
    }

    #[test]
    fn bands_are_as_wide_as_the_plan_says() {
        let around = |ticks| told(Bands::around(ticks, 0.01));

        assert_eq!(around(20_000), [19_000, 21_000]);
        assert_eq!(around(301), [286, 316]);
        assert_eq!(around(300), [240, 360]);
        assert_eq!(around(75), [60, 90]);
        assert_eq!(around(40), [25, 55]);
        assert_eq!(around(8), [2, 14]);
        assert_eq!(around(1), [1, 2]);
    }

    #[test]
    fn bands_follow_when_the_price_is_a_step_away() {
        let mut bands = Bands::around(20_000, 0.01);

        assert!(!bands.follow(Price::from_ticks(20_199), 0.01));
        assert!(!bands.follow(Price::from_ticks(19_801), 0.01));
        assert!(bands.follow(Price::from_ticks(19_800), 0.01));
        assert_eq!(told(bands), [18_810, 20_790]);
    }

    #[test]
    fn a_bounce_between_bid_and_ask_sets_no_bands_and_an_infinite_step_never_does() {
        assert!(!Bands::around(50, 0.01).follow(Price::from_ticks(51), 0.01));
        assert!(!Bands::around(50, f64::INFINITY).follow(Price::from_ticks(5_000), f64::INFINITY));
    }
}
