use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Conditions;

/// Which trades change which figures of bars and tickers: what a source's trades are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TradeRules {
    /// Every trade changes everything: those of a single market, or of the simulator, whose bars are the sum of its trades.
    #[default]
    EveryTrade,
    /// The trades of a consolidated tape of US stocks, whose sale conditions decide.
    Consolidated,
}

/// The rules of a node's trades, as it knows them now. Clones share them, and read them without a lock.
#[derive(Clone, Debug, Default)]
pub struct CurrentTradeRules {
    is_consolidated: Arc<AtomicBool>,
}

impl CurrentTradeRules {
    /// The rules.
    pub fn get(&self) -> TradeRules {
        match self.is_consolidated.load(Ordering::Acquire) {
            true => TradeRules::Consolidated,
            false => TradeRules::EveryTrade,
        }
    }

    /// Sets the rules, of all clones.
    pub fn set(&self, rules: TradeRules) {
        self.is_consolidated.store(rules == TradeRules::Consolidated, Ordering::Release);
    }
}

/// Whether a bar is of a day or of a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarLength {
    /// A minute, an hour: trades before and after regular hours have bars of their own.
    WithinDay,
    /// A day: only trades of regular hours set its prices.
    Day,
}

/// What a trade changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeEffect {
    /// Whether it changes the high and the low.
    pub range: bool,
    /// Whether it is the last price, and the open if it is the first.
    pub last: LastEffect,
    /// Whether it counts for the volume, the number of trades and the average price.
    pub volume: bool,
}

/// Whether a trade is the last price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LastEffect {
    /// It never is.
    Never,
    /// It is while there is no other.
    IfFirst,
    /// It is.
    Always,
}

/// The sale condition matrix: letter, high and low, last, volume.
///
/// From the UTP plan's "UTDF Direct Subscriber Interface Specification", version 14.4 (November 2015), the columns of the
/// consolidated statistics, with the odd lots of UTP vendor alert 2013-11 and the contingent trades of 2015-4; the CTA
/// plan's CTS has the same letters for the same effects. A letter that is not here changes everything.
#[rustfmt::skip]
const MATRIX: [(u8, bool, LastEffect, bool); 34] = {
    use LastEffect::{Always, IfFirst, Never};
    [
        (b'@', true,  Always,  true),  // regular sale
        (b' ', true,  Always,  true),  // regular sale, where the settlement is not stated
        (b'A', true,  Always,  true),  // acquisition
        (b'B', true,  Always,  true),  // bunched
        (b'C', false, Never,   true),  // cash sale
        (b'D', true,  Always,  true),  // distribution
        (b'E', true,  Always,  true),  // automatic execution
        (b'F', true,  Always,  true),  // intermarket sweep
        (b'G', true,  IfFirst, true),  // bunched, sold out of sequence
        (b'H', false, Never,   true),  // price variation
        (b'I', false, Never,   true),  // odd lot
        (b'K', true,  Always,  true),  // rule 155
        (b'L', true,  Always,  true),  // sold last
        (b'M', false, Never,   false), // official close of a market center
        (b'N', false, Never,   true),  // next day
        (b'O', true,  Always,  true),  // opening print
        (b'P', true,  IfFirst, true),  // prior reference price
        (b'Q', false, Never,   false), // official open of a market center
        (b'R', true,  IfFirst, true),  // seller
        (b'S', true,  Always,  true),  // split
        (b'T', false, Never,   true),  // form T: extended hours
        (b'U', false, Never,   true),  // extended hours, out of sequence
        (b'V', false, Never,   true),  // contingent, before 2015 stock and option
        (b'W', false, Never,   true),  // average price
        (b'X', true,  Always,  true),  // cross
        (b'Y', true,  Always,  true),  // yellow flag
        (b'Z', true,  IfFirst, true),  // sold out of sequence
        (b'1', true,  Always,  true),  // stopped stock
        (b'4', true,  IfFirst, true),  // derivatively priced
        (b'5', true,  Always,  true),  // reopening print
        (b'6', true,  Always,  true),  // closing print
        (b'7', false, Never,   true),  // qualified contingent
        (b'8', true,  Always,  true),  // placeholder of rule 611
        (b'9', true,  Always,  false), // corrected consolidated close
    ]
};

impl TradeEffect {
    /// A trade that changes everything.
    pub const ALL: Self = Self { range: true, last: LastEffect::Always, volume: true };

    /// Whether the trade changes nothing.
    pub fn is_none(self) -> bool {
        !self.range && !self.volume && self.last == LastEffect::Never
    }
}

impl TradeRules {
    /// The name of the consolidated tape in acknowledgements; of other trades nothing is said.
    pub const CONSOLIDATED_TAPE: &str = "consolidated";

    /// What an acknowledgement says of these trades.
    pub fn tape(self) -> Option<&'static str> {
        (self == Self::Consolidated).then_some(Self::CONSOLIDATED_TAPE)
    }

    /// What a trade with these conditions changes. Of several conditions each takes its part away.
    pub fn effect(self, conditions: Conditions, of: BarLength) -> TradeEffect {
        let mut effect = TradeEffect::ALL;
        if self == Self::EveryTrade {
            return effect;
        }
        for letter in conditions.letters() {
            // Extended hours have bars of their own, whose prices are those of the trades in them.
            if letter == b'T' && of == BarLength::WithinDay {
                continue;
            }
            if let Some((_, range, last, volume)) = MATRIX.iter().find(|row| row.0 == letter) {
                effect.range &= range;
                effect.last = effect.last.min(*last);
                effect.volume &= volume;
            }
        }
        effect
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(letters: &[u8], of: BarLength) -> (bool, LastEffect, bool) {
        let effect = TradeRules::Consolidated.effect(Conditions::new(letters), of);
        (effect.range, effect.last, effect.volume)
    }

    #[test]
    fn each_condition_of_a_trade_takes_its_part_away() {
        use LastEffect::{Always, IfFirst, Never};
        for (letters, expected) in [
            (&b"@"[..], (true, Always, true)),
            (b"", (true, Always, true)),
            (b"@F", (true, Always, true)),
            (b"@I", (false, Never, true)),
            (b"@4", (true, IfFirst, true)),
            (b"Z", (true, IfFirst, true)),
            (b"@4 W", (false, Never, true)),
            (b"@6 X", (true, Always, true)),
            (b"M", (false, Never, false)),
            (b"@9", (true, Always, false)),
            (b"?", (true, Always, true)),
        ] {
            assert_eq!(effect(letters, BarLength::WithinDay), expected, "{letters:?}");
            assert_eq!(effect(letters, BarLength::Day), expected, "{letters:?}");
        }
    }

    #[test]
    fn trades_of_extended_hours_set_the_prices_of_minutes_and_never_those_of_days() {
        use LastEffect::{Always, Never};

        assert_eq!(effect(b"@ T", BarLength::WithinDay), (true, Always, true));
        assert_eq!(effect(b"@ T", BarLength::Day), (false, Never, true));
        assert_eq!(effect(b"@ TI", BarLength::WithinDay), (false, Never, true));
        assert_eq!(effect(b"@ U", BarLength::WithinDay), (false, Never, true));
    }

    #[test]
    fn every_trade_of_a_single_market_changes_everything() {
        for letters in [&b"@I"[..], b"Z", b"M"] {
            let conditions = Conditions::new(letters);
            assert_eq!(TradeRules::EveryTrade.effect(conditions, BarLength::Day), TradeEffect::ALL);
        }
    }
}
