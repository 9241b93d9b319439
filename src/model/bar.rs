use super::sale_conditions::{LastEffect, TradeEffect};
use super::{Price, SymbolId, Timestamp, Trade};

/// A bar: open, high, low, close and volume of the trades of one instrument in one interval.
///
/// Folding is exact: the volume-weighted average price is kept as a sum of price × shares and divided only
/// when it is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The instrument.
    pub symbol: SymbolId,
    /// The start of the interval, inclusive.
    pub start: Timestamp,
    /// Price of the first trade.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Price of the last trade.
    pub close: Price,
    /// Shares traded.
    pub volume: u64,
    /// Number of trades.
    pub trades: u64,
    /// The sum of price × shares over the trades, in billionths of a dollar.
    pub notional: i128,
}

impl Bar {
    /// The most bars of a second that are retained of an instrument: half an hour.
    pub const MOST_SECONDS: usize = 1_800;

    /// The most bars of a minute: six days, of which one may have 25 hours.
    pub const MOST_MINUTES: usize = 8_700;

    /// The most bars of a day: a little more than a year.
    pub const MOST_DAYS: usize = 400;

    /// A bar of its first trade.
    pub fn open(start: Timestamp, trade: &Trade) -> Self {
        let price = trade.price;
        let mut bar = Self {
            symbol: trade.symbol,
            start,
            open: price,
            high: price,
            low: price,
            close: price,
            volume: 0,
            trades: 0,
            notional: 0,
        };
        bar.fold(trade);
        bar
    }

    /// A bar of its first trade, which has this effect: without a price if the trade sets none.
    pub fn open_by(start: Timestamp, trade: &Trade, effect: TradeEffect) -> Self {
        let unpriced = Self {
            open: Price::default(),
            high: UNPRICED_HIGH,
            low: UNPRICED_LOW,
            close: Price::default(),
            volume: 0,
            trades: 0,
            notional: 0,
            ..Self::open(start, trade)
        };
        let mut bar = unpriced;
        bar.fold_by(trade, effect);
        bar
    }

    /// Whether a trade has set its prices. A bar without prices is not published; it has the shares of trades that set
    /// none, until one comes that does.
    pub fn is_priced(&self) -> bool {
        self.high >= self.low
    }

    /// Its volume alone, as the trades of a time that sets no prices have it.
    #[must_use]
    pub fn without_prices(self) -> Self {
        let none = Price::default();
        Self { open: none, high: UNPRICED_HIGH, low: UNPRICED_LOW, close: none, ..self }
    }

    /// Adds the next trade of the same symbol and interval.
    pub fn fold(&mut self, trade: &Trade) {
        self.fold_by(trade, TradeEffect::ALL);
    }

    /// Adds the next trade of the same symbol and interval, which has this effect.
    pub fn fold_by(&mut self, trade: &Trade, effect: TradeEffect) {
        let price = trade.price;
        let is_first = !self.is_priced();
        let sets_last = match effect.last {
            LastEffect::Always => true,
            LastEffect::IfFirst => is_first,
            LastEffect::Never => false,
        };
        if is_first && sets_last {
            (self.open, self.high, self.low) = (price, price, price);
        } else if effect.range && !is_first {
            self.high = self.high.max(price);
            self.low = self.low.min(price);
        }
        if sets_last {
            self.close = price;
        }
        if effect.volume {
            self.volume = self.volume.saturating_add(trade.size);
            self.trades = self.trades.saturating_add(1);
            let notional = i128::from(price.nanos()) * i128::from(trade.size);
            self.notional = self.notional.saturating_add(notional);
        }
    }

    /// Merges the bar of the next interval into this one, which then covers both.
    pub fn absorb(&mut self, next: &Self) {
        if self.is_priced() && next.is_priced() {
            self.high = self.high.max(next.high);
            self.low = self.low.min(next.low);
            self.close = next.close;
        } else if next.is_priced() {
            (self.open, self.high, self.low, self.close) = (next.open, next.high, next.low, next.close);
        }
        self.volume = self.volume.saturating_add(next.volume);
        self.trades = self.trades.saturating_add(next.trades);
        self.notional = self.notional.saturating_add(next.notional);
    }

    /// The volume-weighted average price in millionths of a dollar, rounded down; 0 without volume.
    pub fn vwap_micros(&self) -> i64 {
        match self.volume {
            0 => 0,
            volume => self.notional.div_euclid(i128::from(volume) * NANOS_PER_MICRO) as i64,
        }
    }

    /// The notional for which [`vwap_micros`](Self::vwap_micros) gives this average: a bar that came over
    /// the wire has the average alone.
    pub const fn notional_of(vwap_micros: i64, volume: u64) -> i128 {
        (vwap_micros as i128 * NANOS_PER_MICRO).saturating_mul(volume as i128)
    }
}

/// A bar without prices has a low above its high.
const UNPRICED_HIGH: Price = Price::from_cents(-1);
const UNPRICED_LOW: Price = Price::from_cents(1);

const NANOS_PER_MICRO: i128 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Conditions, Tape, Venue};

    fn trade(cents: i64, size: u64) -> Trade {
        Trade {
            symbol: SymbolId(0),
            id: 1,
            venue: Venue(b'V'),
            price: Price::from_cents(cents),
            size,
            conditions: Conditions::REGULAR_SALE,
            tape: Tape::C,
            at: Timestamp::default(),
        }
    }

    #[test]
    fn a_bar_folds_its_trades() {
        let mut bar = Bar::open(Timestamp::default(), &trade(1000, 10));

        bar.fold(&trade(1200, 30));
        bar.fold(&trade(900, 10));

        let prices = [bar.open, bar.high, bar.low, bar.close].map(Price::cents);
        assert_eq!(prices, [1000, 1200, 900, 900]);
        assert_eq!((bar.volume, bar.trades), (50, 3));
        assert_eq!(bar.vwap_micros(), 11_000_000);
    }

    #[test]
    fn a_trade_changes_only_what_its_effect_says() {
        let no_price = TradeEffect { range: false, last: LastEffect::Never, volume: true };
        let if_first = TradeEffect { last: LastEffect::IfFirst, ..TradeEffect::ALL };
        let mut bar = Bar::open_by(Timestamp::default(), &trade(5000, 7), no_price);
        assert!(!bar.is_priced());

        bar.fold_by(&trade(1000, 10), if_first);
        assert_eq!([bar.open, bar.high, bar.low, bar.close].map(Price::cents), [1000; 4]);
        bar.fold_by(&trade(1100, 10), TradeEffect::ALL);
        bar.fold_by(&trade(1300, 10), if_first);
        bar.fold_by(&trade(100, 3), no_price);

        let prices = [bar.open, bar.high, bar.low, bar.close].map(Price::cents);
        assert_eq!(prices, [1000, 1300, 1000, 1100]);
        assert_eq!((bar.volume, bar.trades), (40, 5));
    }

    #[test]
    fn a_bar_without_prices_adds_its_shares_to_the_next() {
        let no_price = TradeEffect { range: false, last: LastEffect::Never, volume: true };
        let unpriced = Bar::open_by(Timestamp::default(), &trade(5000, 7), no_price);
        let priced = Bar::open(Timestamp::default(), &trade(1000, 10));

        for (mut first, second) in [(unpriced, priced), (priced, unpriced)] {
            first.absorb(&second);
            assert_eq!((first.open, first.close, first.volume), (priced.open, priced.close, 17));
            assert_eq!((first.high, first.low), (priced.high, priced.low));
        }
    }

    #[test]
    fn two_merged_bars_equal_the_bar_of_all_their_trades() {
        let start = Timestamp::default();
        let mut all = Bar::open(start, &trade(1000, 10));
        let mut first = all;
        all.fold(&trade(1200, 30));
        all.fold(&trade(900, 10));
        let mut second = Bar::open(start, &trade(1200, 30));
        second.fold(&trade(900, 10));

        first.absorb(&second);

        assert_eq!(first, all);
    }
}
