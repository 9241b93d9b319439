use crate::model::{Bar, Price, SECOND, SymbolId, Timestamp, Trade, TradeEffect};

/// A retained bar in 40 bytes, half the size of a [`Bar`].
///
/// There are thousands for each instrument, so they are small: the symbol is that of the table, starts are whole
/// seconds, there are up to 67 million trades, and the prices and the notional are multiples of one power of ten of at least a billionth of
/// a dollar, the largest that holds them. So every price is exact that has a tick of whole cents up to $21 million, of
/// hundredths of a cent up to $214,000, of millionths of a dollar up to $2,100. Others are rounded, or saturate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BarRow {
    /// From the highest bit: the second of the start in 35 bits, which hold every [`Timestamp`], negative before 1970;
    /// the number of trades in 26; the exponent in 3: the unit is 10^this billionths of a dollar.
    start_trades_exponent: i64,
    volume: u64,
    /// The sum of price × shares, in units.
    notional: i64,
    /// Open, high, low, close, in units.
    prices: [i32; 4],
}

const HIGH: usize = 1;
const LOW: usize = 2;
const CLOSE: usize = 3;

/// Whole cents: larger units would save nothing.
const MAX_EXPONENT: u32 = 7;
const EXPONENT_BITS: u32 = 3;
const TRADES_BITS: u32 = 26;
const MAX_TRADES: u32 = (1 << TRADES_BITS) - 1;

impl BarRow {
    /// The memory of one row.
    pub(super) const BYTES: usize = size_of::<Self>();

    pub(super) fn of(bar: &Bar) -> Self {
        let exponent = exponent_of(bar);
        let trades = u32::try_from(bar.trades).unwrap_or(u32::MAX).min(MAX_TRADES);
        Self {
            start_trades_exponent: bar.start.seconds() << (TRADES_BITS + EXPONENT_BITS)
                | i64::from(trades << EXPONENT_BITS | exponent),
            volume: bar.volume,
            notional: saturated(bar.notional.div_euclid(unit(exponent).into())),
            prices: prices_of(bar).map(|price| in_units(price, exponent)),
        }
    }

    /// A bar of its first trade, which has this effect.
    pub(super) fn open(start: Timestamp, trade: &Trade, effect: TradeEffect) -> Self {
        Self::of(&Bar::open_by(start, trade, effect))
    }

    /// Adds a trade of the bar's interval, which has this effect.
    pub(super) fn fold(&mut self, trade: &Trade, effect: TradeEffect) {
        let exponent = self.exponent();
        let is_unpriced = self.prices[HIGH] < self.prices[LOW];
        if effect != TradeEffect::ALL || is_unpriced || !is_exact(trade.price, exponent) {
            // A smaller unit, which seldom changes again.
            let mut bar = self.to_bar(trade.symbol);
            bar.fold_by(trade, effect);
            *self = Self::of(&bar);
            return;
        }
        let price = in_units(trade.price, exponent);
        self.prices[HIGH] = self.prices[HIGH].max(price);
        self.prices[LOW] = self.prices[LOW].min(price);
        self.prices[CLOSE] = price;
        if self.trades() < MAX_TRADES {
            self.start_trades_exponent += 1 << EXPONENT_BITS;
        }
        self.volume = self.volume.saturating_add(trade.size);
        let notional = i128::from(self.notional) + i128::from(price) * i128::from(trade.size);
        self.notional = saturated(notional);
    }

    pub(super) fn start(&self) -> Timestamp {
        Timestamp::from_nanos(
            (self.start_trades_exponent >> (TRADES_BITS + EXPONENT_BITS)).saturating_mul(SECOND),
        )
    }

    pub(super) fn to_bar(self, symbol: SymbolId) -> Bar {
        let unit = unit(self.exponent());
        let [open, high, low, close] = self.prices.map(|price| Price::from_nanos(i64::from(price) * unit));
        Bar {
            symbol,
            start: self.start(),
            open,
            high,
            low,
            close,
            volume: self.volume,
            trades: self.trades().into(),
            notional: i128::from(self.notional) * i128::from(unit),
        }
    }

    const fn exponent(&self) -> u32 {
        self.start_trades_exponent as u32 & ((1 << EXPONENT_BITS) - 1)
    }

    const fn trades(&self) -> u32 {
        self.start_trades_exponent as u32 >> EXPONENT_BITS & MAX_TRADES
    }
}

const fn prices_of(bar: &Bar) -> [Price; 4] {
    [bar.open, bar.high, bar.low, bar.close]
}

const fn unit(exponent: u32) -> i64 {
    10_i64.pow(exponent)
}

/// The exponent of the largest unit in which this bar is exact; else of the largest in which its prices are; else of
/// the smallest in which none saturates.
fn exponent_of(bar: &Bar) -> u32 {
    let prices = prices_of(bar);
    let exponents = || 0..=MAX_EXPONENT;
    let are_exact = |exponent: &u32| prices.iter().all(|price| is_exact(*price, *exponent));
    let are_in_range = |exponent: &u32| prices.iter().all(|price| is_in_range(*price, *exponent));
    let is_whole = |exponent: &u32| bar.notional % i128::from(unit(*exponent)) == 0;
    let all = exponents().rev().find(|exponent| are_exact(exponent) && is_whole(exponent));
    all.or_else(|| exponents().rev().find(are_exact))
        .or_else(|| exponents().find(are_in_range))
        .unwrap_or(MAX_EXPONENT)
}

fn is_exact(price: Price, exponent: u32) -> bool {
    price.nanos() % unit(exponent) == 0 && is_in_range(price, exponent)
}

fn is_in_range(price: Price, exponent: u32) -> bool {
    i32::try_from(price.nanos() / unit(exponent)).is_ok()
}

fn in_units(price: Price, exponent: u32) -> i32 {
    let units = price.nanos() / unit(exponent);
    units.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

fn saturated(notional: i128) -> i64 {
    notional.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Body;
    use crate::wire::fixtures;

    fn bar() -> Bar {
        let Body::Bar(bar) = fixtures::bar().body else { unreachable!() };
        bar
    }

    #[test]
    fn a_bar_is_unchanged_after_conversion_to_a_row_and_back() {
        let bar = bar();

        assert_eq!(BarRow::of(&bar).to_bar(bar.symbol), bar);
        assert_eq!(BarRow::BYTES, 40);
    }

    #[test]
    fn a_bar_of_any_time_keeps_its_start_and_its_trades() {
        for second in
            [i64::MIN / SECOND, -315_619_200, -60, 0, 1_381_152_600, 4_294_967_296, i64::MAX / SECOND]
        {
            let start = Timestamp::from_nanos(second * SECOND);
            let bar = Bar { start, trades: MAX_TRADES.into(), ..bar() };

            assert_eq!(BarRow::of(&bar).to_bar(bar.symbol), bar, "{second}");
        }
    }

    #[test]
    fn prices_of_any_usual_tick_are_exact() {
        let bar = bar();
        for nanos in
            [99_645_900_000, 388_985_000_000, -37_630_000_000, 5_462_250_000_000, 700_000_000_000_000, 1]
        {
            let price = Price::from_nanos(nanos);
            let bar = Bar { open: price, high: price, low: price, close: price, ..bar };
            let bar = Bar { notional: i128::from(nanos) * i128::from(bar.volume), ..bar };
            assert_eq!(BarRow::of(&bar).to_bar(bar.symbol), bar);
        }
    }

    #[test]
    fn a_price_that_needs_a_finer_unit_than_its_range_allows_is_rounded_and_one_beyond_all_saturates() {
        let bar = bar();
        let row = |nanos| BarRow::of(&Bar { open: Price::from_nanos(nanos), ..bar }).to_bar(bar.symbol);

        assert_eq!(row(30_000_000_000_001).open, Price::from_nanos(30_000_000_000_000));
        assert_eq!(row(i64::MAX).open, Price::from_cents(i32::MAX.into()));
    }

    #[test]
    fn a_row_folds_as_a_bar_does() {
        let Body::Trade(first) = fixtures::trade().body else { unreachable!() };
        let start = first.at.floor_to(SECOND);
        let (mut row, mut bar) = (BarRow::open(start, &first, TradeEffect::ALL), Bar::open(start, &first));

        for (nanos, size) in
            [(first.price.nanos() + 70_000_000, 3), (99_645_900_000, 100), (4_200_000_000_000, 1_000_000)]
        {
            let trade = Trade { price: Price::from_nanos(nanos), size, ..first };
            row.fold(&trade, TradeEffect::ALL);
            bar.fold(&trade);
            assert_eq!(row.to_bar(bar.symbol), bar);
        }
    }
}
