use crate::model::{Bar, Price, SECOND, SymbolId, Timestamp, Trade};

/// A retained bar in 40 bytes, half the size of a [`Bar`].
///
/// There are thousands for each instrument, so they are small: the symbol is that of the table, starts are whole seconds
/// (up to 2106), and prices fit 32 bits (up to $42 million a share). Larger values saturate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BarRow {
    start_second: u32,
    open: u32,
    high: u32,
    low: u32,
    close: u32,
    trades: u32,
    volume: u64,
    notional: u64,
}

impl BarRow {
    /// The memory of one row.
    pub(super) const BYTES: usize = size_of::<Self>();

    pub(super) fn of(bar: &Bar) -> Self {
        Self {
            start_second: second(bar.start),
            open: ticks(bar.open),
            high: ticks(bar.high),
            low: ticks(bar.low),
            close: ticks(bar.close),
            trades: u32::try_from(bar.trades).unwrap_or(u32::MAX),
            volume: bar.volume,
            notional: u64::try_from(bar.notional).unwrap_or(u64::MAX),
        }
    }

    /// A bar of its first trade.
    pub(super) fn open(start: Timestamp, trade: &Trade) -> Self {
        Self::of(&Bar::open(start, trade))
    }

    /// Adds a trade of the bar's interval.
    pub(super) fn fold(&mut self, trade: &Trade) {
        let price = ticks(trade.price);
        self.high = self.high.max(price);
        self.low = self.low.min(price);
        self.close = price;
        self.trades = self.trades.saturating_add(1);
        self.volume += u64::from(trade.size);
        let notional = trade.price.ticks().unsigned_abs().saturating_mul(trade.size.into());
        self.notional = self.notional.saturating_add(notional);
    }

    pub(super) fn start(&self) -> Timestamp {
        Timestamp::from_nanos(i64::from(self.start_second) * SECOND)
    }

    pub(super) fn to_bar(self, symbol: SymbolId) -> Bar {
        let price = |ticks: u32| Price::from_ticks(ticks.into());
        Bar {
            symbol,
            start: self.start(),
            open: price(self.open),
            high: price(self.high),
            low: price(self.low),
            close: price(self.close),
            volume: self.volume,
            trades: self.trades.into(),
            notional: self.notional.into(),
        }
    }
}

fn ticks(price: Price) -> u32 {
    u32::try_from(price.ticks().max(0)).unwrap_or(u32::MAX)
}

fn second(at: Timestamp) -> u32 {
    u32::try_from(at.seconds().max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Body;
    use crate::wire::fixtures;

    #[test]
    fn a_bar_is_unchanged_after_conversion_to_a_row_and_back() {
        let Body::Bar(bar) = fixtures::bar().body else { unreachable!() };

        assert_eq!(BarRow::of(&bar).to_bar(bar.symbol), bar);
        assert_eq!(BarRow::BYTES, 40);
    }

    #[test]
    fn a_row_folds_as_a_bar_does() {
        let Body::Trade(first) = fixtures::trade().body else { unreachable!() };
        let start = first.at.floor_to(SECOND);
        let (mut row, mut bar) = (BarRow::open(start, &first), Bar::open(start, &first));

        for (ticks, size) in [(first.price.ticks() + 7, 3), (1, 100), (420_000_000, 1_000_000)] {
            let trade = Trade { price: Price::from_ticks(ticks), size, ..first };
            row.fold(&trade);
            bar.fold(&trade);
            assert_eq!(row.to_bar(bar.symbol), bar);
        }
    }
}
