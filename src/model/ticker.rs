use super::{Bar, Price, Quote, SymbolId, Timestamp, Trade};

/// The figures of one instrument that a board shows: last trade, best bid and ask, the day's prices and volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticker {
    /// The instrument.
    pub symbol: SymbolId,
    /// Price of the last trade; the previous close before the first; 0 where neither is known.
    pub price: Price,
    /// Shares of the last trade; 0 before the first.
    pub size: u64,
    /// The best bid; 0 before the first quote.
    pub bid: Price,
    /// Shares bid for.
    pub bid_size: u64,
    /// The best ask; 0 before the first quote.
    pub ask: Price,
    /// Shares offered.
    pub ask_size: u64,
    /// The day's first price, or the previous close before the first trade.
    pub open: Price,
    /// The day's highest price, or the previous close before the first trade.
    pub high: Price,
    /// The day's lowest price, or the previous close before the first trade.
    pub low: Price,
    /// The close of the day before; 0 if the source does not know it.
    pub previous_close: Price,
    /// Shares traded today.
    pub volume: u64,
    /// Trades today.
    pub trades: u64,
    /// Today's volume-weighted average price in millionths of a dollar; 0 without volume.
    pub vwap_micros: i64,
    /// The time of the latest event in it.
    pub at: Timestamp,
}

impl Ticker {
    /// The ticker before the first event of a day. Without a previous close its prices are 0.
    pub fn before_the_open(symbol: SymbolId, previous_close: Option<Price>, at: Timestamp) -> Self {
        let previous_close = previous_close.unwrap_or_default();
        Self {
            symbol,
            price: previous_close,
            size: 0,
            bid: Price::default(),
            bid_size: 0,
            ask: Price::default(),
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

    /// Sets the best bid and ask.
    pub fn quoted(&mut self, quote: &Quote) {
        (self.bid, self.bid_size) = (quote.bid, quote.bid_size);
        (self.ask, self.ask_size) = (quote.ask, quote.ask_size);
        self.at = self.at.max(quote.at);
    }

    /// Sets the last trade.
    pub fn traded(&mut self, trade: &Trade) {
        (self.price, self.size) = (trade.price, trade.size);
        self.at = self.at.max(trade.at);
    }

    /// Sets the day's figures to those of this daily bar.
    pub fn day(&mut self, day: &Bar) {
        (self.open, self.high, self.low) = (day.open, day.high, day.low);
        (self.volume, self.trades, self.vwap_micros) = (day.volume, day.trades, day.vwap_micros());
    }

    /// Sets the close of the day before, which was told when this day had begun.
    pub fn closed_at(&mut self, close: Price) {
        self.previous_close = close;
        if self.trades == 0 && self.volume == 0 {
            (self.price, self.open, self.high, self.low) = (close, close, close, close);
        }
    }

    /// Begins a new day: the last price becomes the previous close.
    pub fn new_day(&mut self) {
        *self = Self {
            bid: self.bid,
            bid_size: self.bid_size,
            ask: self.ask,
            ask_size: self.ask_size,
            ..Self::before_the_open(self.symbol, Some(self.price), self.at)
        };
    }
}
