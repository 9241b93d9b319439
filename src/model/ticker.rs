use super::{Bar, Price, Quote, SymbolId, Timestamp, Trade};

/// All that a board shows of one instrument: last trade, best bid and ask, the day's figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticker {
    /// The instrument.
    pub symbol: SymbolId,
    /// Price of the last trade; the previous close before the first.
    pub price: Price,
    /// Shares of the last trade; 0 before the first.
    pub size: u32,
    /// The best bid; 0 before the first quote.
    pub bid: Price,
    /// Shares wanted at the bid.
    pub bid_size: u32,
    /// The best ask; 0 before the first quote.
    pub ask: Price,
    /// Shares on offer at the ask.
    pub ask_size: u32,
    /// The day's first price, or the previous close before it.
    pub open: Price,
    /// The day's highest price, likewise.
    pub high: Price,
    /// The day's lowest price, likewise.
    pub low: Price,
    /// The close of the day before.
    pub previous_close: Price,
    /// Shares traded today.
    pub volume: u64,
    /// Trades today.
    pub trades: u64,
    /// Today's volume-weighted average price in millionths of a dollar; 0 without volume.
    pub vwap_micros: u64,
    /// When the newest of it happened.
    pub at: Timestamp,
}

impl Ticker {
    /// A ticker before the day's first event.
    pub const fn before_the_open(symbol: SymbolId, previous_close: Price, at: Timestamp) -> Self {
        Self {
            symbol,
            price: previous_close,
            size: 0,
            bid: Price::from_ticks(0),
            bid_size: 0,
            ask: Price::from_ticks(0),
            ask_size: 0,
            open: previous_close,
            high: previous_close,
            low: previous_close,
            previous_close,
            volume: 0,
            trades: 0,
            vwap_micros: 0,
            at,
        }
    }

    /// The best bid and ask changed.
    pub fn quoted(&mut self, quote: &Quote) {
        (self.bid, self.bid_size) = (quote.bid, quote.bid_size);
        (self.ask, self.ask_size) = (quote.ask, quote.ask_size);
        self.at = self.at.max(quote.at);
    }

    /// A trade happened and is the last.
    pub fn traded(&mut self, trade: &Trade) {
        (self.price, self.size) = (trade.price, trade.size);
        self.at = self.at.max(trade.at);
    }

    /// The day's figures are those of this bar.
    pub fn day(&mut self, day: &Bar) {
        (self.open, self.high, self.low) = (day.open, day.high, day.low);
        (self.volume, self.trades, self.vwap_micros) = (day.volume, day.trades, day.vwap_micros());
    }

    /// A new day begins: the last price is now the previous close.
    pub fn new_day(&mut self) {
        *self = Self {
            bid: self.bid,
            bid_size: self.bid_size,
            ask: self.ask,
            ask_size: self.ask_size,
            ..Self::before_the_open(self.symbol, self.price, self.at)
        };
    }
}
