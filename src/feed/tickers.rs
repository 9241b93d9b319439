use crate::model::TradingDay;
use crate::model::{Bar, Quote, SymbolId, Ticker, Timestamp, Trade, Universe};

/// The ticker of each instrument, and which of them changed.
#[derive(Debug)]
pub(super) struct Tickers {
    rows: Vec<TickerRow>,
    changed: Vec<SymbolId>,
    day: TradingDay,
}

#[derive(Debug)]
struct TickerRow {
    ticker: Ticker,
    /// When the trade happened whose price the ticker shows.
    traded_at: Timestamp,
    is_changed: bool,
}

impl Tickers {
    /// All instruments as they are before the day's first event.
    pub(super) fn new(universe: &Universe, now: Timestamp) -> Self {
        let row = |instrument: &crate::model::Instrument| TickerRow {
            ticker: Ticker::before_the_open(instrument.id, instrument.previous_close, now),
            traded_at: Timestamp::from_nanos(i64::MIN),
            is_changed: false,
        };
        Self { rows: universe.iter().map(row).collect(), changed: Vec::new(), day: TradingDay::of(now) }
    }

    /// The day goes on from this bar, and the day before ended with that one.
    pub(super) fn resume(&mut self, symbol: SymbolId, today: Option<&Bar>, yesterday: Option<Bar>) {
        let ticker = &mut self.rows[symbol.index()].ticker;
        if let Some(yesterday) = yesterday {
            ticker.previous_close = yesterday.close;
        }
        if let Some(today) = today {
            ticker.day(today);
            ticker.price = today.close;
        }
    }

    /// Time has come this far: a new day begins without the old one's figures.
    pub(super) fn advance(&mut self, now: Timestamp) {
        if now < self.day.end {
            return;
        }
        self.day = TradingDay::of(now);
        for place in 0..self.rows.len() {
            self.rows[place].ticker.new_day();
            self.change(SymbolId(place as u32));
        }
    }

    /// The best bid and ask changed.
    pub(super) fn quoted(&mut self, quote: &Quote) {
        self.rows[quote.symbol.index()].ticker.quoted(quote);
        self.change(quote.symbol);
    }

    /// A trade happened, after which the day's bar is this. A late trade counts for the day's
    /// figures, but is not the last price.
    pub(super) fn traded(&mut self, trade: &Trade, day: Option<&Bar>) {
        let row = &mut self.rows[trade.symbol.index()];
        if let Some(day) = day {
            row.ticker.day(day);
        }
        if trade.at >= row.traded_at {
            row.traded_at = trade.at;
            row.ticker.traded(trade);
        }
        self.change(trade.symbol);
    }

    /// The tickers that changed since this was last asked, in the order of their first change.
    pub(super) fn take_changed(&mut self) -> impl Iterator<Item = Ticker> + '_ {
        let rows = &mut self.rows;
        self.changed.drain(..).map(|symbol| {
            let row = &mut rows[symbol.index()];
            row.is_changed = false;
            row.ticker
        })
    }

    fn change(&mut self, symbol: SymbolId) {
        let row = &mut self.rows[symbol.index()];
        if !std::mem::replace(&mut row.is_changed, true) {
            self.changed.push(symbol);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, Price};
    use crate::wire::fixtures;
    use std::time::Duration;

    fn trade() -> Trade {
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        trade
    }

    #[test]
    fn a_ticker_changes_once_however_much_happens_to_it() {
        let mut board = Tickers::new(&fixtures::universe(), trade().at);
        let Body::Quote(quote) = fixtures::quote().body else { unreachable!() };

        board.quoted(&quote);
        board.traded(&trade(), Some(&Bar::open(trade().at, &trade())));

        let changed: Vec<_> = board.take_changed().collect();
        assert_eq!(changed.len(), 1);
        assert_eq!((changed[0].bid, changed[0].price), (quote.bid, trade().price));
        assert_eq!(board.take_changed().count(), 0);
    }

    #[test]
    fn a_late_trade_counts_for_the_day_but_is_not_the_last_price() {
        let mut board = Tickers::new(&fixtures::universe(), trade().at);
        let mut late = trade();
        late.at = late.at - Duration::from_secs(9);
        late.price = Price::from_ticks(99);
        let mut day = Bar::open(trade().at, &trade());
        board.traded(&trade(), Some(&day));

        day.fold(&late);
        board.traded(&late, Some(&day));

        let ticker = board.take_changed().next().unwrap();
        assert_eq!((ticker.price, ticker.low, ticker.trades), (trade().price, late.price, 2));
    }

    #[test]
    fn a_new_day_begins_with_yesterdays_close() {
        let mut board = Tickers::new(&fixtures::universe(), trade().at);
        board.traded(&trade(), Some(&Bar::open(trade().at, &trade())));
        board.take_changed().count();

        board.advance(trade().at + Duration::from_hours(25));

        let ticker = board.take_changed().next().unwrap();
        assert_eq!((ticker.previous_close, ticker.volume, ticker.price), (trade().price, 0, trade().price));
    }
}
