use super::{Price, SymbolId, Timestamp, Trade};

/// A bar: open, high, low, close and volume of the trades of one instrument in one interval.
///
/// Folding is exact: the volume-weighted average price is kept as a sum of ticks × shares and divided only
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
    /// The sum of ticks × shares over the trades.
    pub notional: u128,
}

impl Bar {
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

    /// Adds the next trade of the same symbol and interval.
    pub fn fold(&mut self, trade: &Trade) {
        self.high = self.high.max(trade.price);
        self.low = self.low.min(trade.price);
        self.close = trade.price;
        self.volume += u64::from(trade.size);
        self.trades += 1;
        self.notional += trade.price.ticks().unsigned_abs() as u128 * u128::from(trade.size);
    }

    /// Merges the bar of the next interval into this one, which then covers both.
    pub fn absorb(&mut self, next: &Self) {
        self.high = self.high.max(next.high);
        self.low = self.low.min(next.low);
        self.close = next.close;
        self.volume += next.volume;
        self.trades += next.trades;
        self.notional += next.notional;
    }

    /// The volume-weighted average price in millionths of a dollar, rounded down; 0 without volume.
    pub fn vwap_micros(&self) -> u64 {
        match self.volume {
            0 => 0,
            volume => (self.notional * MICROS_PER_TICK / u128::from(volume)) as u64,
        }
    }

    /// The least notional for which [`vwap_micros`](Self::vwap_micros) gives this average: a bar that came
    /// over the wire has the average alone.
    pub fn least_notional(vwap_micros: u64, volume: u64) -> u128 {
        (u128::from(vwap_micros) * u128::from(volume)).div_ceil(MICROS_PER_TICK)
    }
}

/// Millionths of a dollar in a tick.
const MICROS_PER_TICK: u128 = 1_000_000 / Price::TICKS_PER_DOLLAR as u128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Conditions, Tape, Venue};

    fn trade(ticks: i64, size: u32) -> Trade {
        Trade {
            symbol: SymbolId(0),
            id: 1,
            venue: Venue(b'V'),
            price: Price::from_ticks(ticks),
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

        let prices = [bar.open, bar.high, bar.low, bar.close].map(Price::ticks);
        assert_eq!(prices, [1000, 1200, 900, 900]);
        assert_eq!((bar.volume, bar.trades), (50, 3));
        assert_eq!(bar.vwap_micros(), 11_000_000);
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
