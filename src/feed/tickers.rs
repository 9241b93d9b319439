use std::time::Duration;

use crate::model::{
    Bar, BarLength, Event, Instrument, LastEffect, Quote, SymbolId, Ticker, Timestamp, Trade, TradeRules,
    TradingDay, Universe,
};

/// The ticker of each instrument, and the set of those that changed.
#[derive(Debug)]
pub(super) struct Tickers {
    rows: Vec<TickerRow>,
    changed: Vec<SymbolId>,
    day: TradingDay,
    rules: TradeRules,
}

#[derive(Debug)]
struct TickerRow {
    ticker: Ticker,
    /// The time of the trade whose price the ticker has.
    traded_at: Timestamp,
    is_changed: bool,
}

impl Tickers {
    /// The tickers of all instruments before the day's first event.
    pub(super) fn new(universe: &Universe, now: Timestamp) -> Self {
        let mut tickers = Self {
            rows: Vec::new(),
            changed: Vec::new(),
            day: TradingDay::of(now),
            rules: TradeRules::default(),
        };
        tickers.grow(universe, now);
        tickers
    }

    /// Sets which trades change which figures, from the next trade on.
    pub(super) fn set_rules(&mut self, rules: TradeRules) {
        self.rules = rules;
    }

    /// Begins anew at an earlier time. If its day is another one, all figures of the day are reset and all tickers
    /// change; they can be [continued](Self::resume).
    pub(super) fn restart(&mut self, from: Timestamp) {
        let is_same_day = self.day.holds(from);
        self.day = TradingDay::of(from);
        for (index, row) in self.rows.iter_mut().enumerate() {
            row.traded_at = Timestamp::from_nanos(i64::MIN);
            row.ticker.at = from;
            if !is_same_day {
                row.ticker.new_day();
                if !std::mem::replace(&mut row.is_changed, true) {
                    self.changed.push(SymbolId(index as u32));
                }
            }
        }
    }

    /// Adds the tickers of the instruments that were appended to the universe.
    pub(super) fn grow(&mut self, universe: &Universe, now: Timestamp) {
        let row = |instrument: &Instrument| TickerRow {
            ticker: Ticker::before_the_open(instrument.id, instrument.previous_close, now),
            traded_at: Timestamp::from_nanos(i64::MIN),
            is_changed: false,
        };
        self.rows.extend(universe.iter().skip(self.rows.len()).map(row));
    }

    /// Continues the figures of the day's bar so far, with the close of the day before.
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

    /// Continues a ticker of this day, whose price is that of a trade of this time.
    pub(super) fn resume_ticker(&mut self, ticker: Ticker, traded_at: Timestamp) {
        if self.day.holds(ticker.at) {
            let row = &mut self.rows[ticker.symbol.index()];
            (row.ticker, row.traded_at) = (ticker, traded_at);
        }
    }

    /// Moves the time forward; a new day resets the figures of the day.
    pub(super) fn advance(&mut self, now: Timestamp) {
        if now < self.day.end {
            return;
        }
        self.day = TradingDay::of(now);
        for row in 0..self.rows.len() {
            self.rows[row].ticker.new_day();
            self.mark_changed(SymbolId(row as u32));
        }
    }

    /// Takes in a change of the best bid and ask.
    pub(super) fn quoted(&mut self, quote: &Quote) {
        self.rows[quote.symbol.index()].ticker.quoted(quote);
        self.mark_changed(quote.symbol);
    }

    /// Takes in a trade and the daily bar after it. A late trade counts for the day's figures, but is not the last
    /// price.
    pub(super) fn traded(&mut self, trade: &Trade, day: Option<&Bar>) {
        let row = &mut self.rows[trade.symbol.index()];
        if let Some(day) = day {
            row.ticker.day(day);
        }
        // As in bars of minutes: trades of extended hours are the last price.
        let sets_last = match self.rules.effect(trade.conditions, BarLength::WithinDay).last {
            LastEffect::Always => true,
            LastEffect::IfFirst => row.traded_at == Timestamp::from_nanos(i64::MIN),
            LastEffect::Never => false,
        };
        if sets_last && trade.at >= row.traded_at {
            row.traded_at = trade.at;
            row.ticker.traded(trade);
        }
        self.mark_changed(trade.symbol);
    }

    /// Takes in a bar of the source, and the bar of the present day after it.
    ///
    /// Its close is the last price if no trade, and no shorter bar, of its time or after it was.
    pub(super) fn told_bar(&mut self, event: &Event, day: Option<&Bar>) {
        let row = &mut self.rows[event.symbol().index()];
        let mut told_today = None;
        match event {
            Event::Bar(bar) if bar.start < self.day.start => row.told_close(bar),
            Event::Bar(bar) => {
                if row.traded_at < bar.start {
                    row.traded_at = last_of(bar);
                    (row.ticker.price, row.ticker.size) = (bar.close, 0);
                }
                row.ticker.at = row.ticker.at.max(bar.start + MINUTE);
            }
            Event::UpdatedBar(bar) if row.traded_at == last_of(bar) => row.ticker.price = bar.close,
            Event::DailyBar(bar) if bar.start < self.day.start => row.told_close(bar),
            Event::DailyBar(bar) if bar.start == self.day.start => {
                told_today = Some(bar);
                if row.traded_at < bar.start {
                    (row.ticker.price, row.ticker.size) = (bar.close, 0);
                }
            }
            _ => {}
        }
        if let Some(day) = day.or(told_today) {
            row.ticker.day(day);
        }
        self.mark_changed(event.symbol());
    }

    /// The tickers that changed since the last call, in the order of their first change.
    pub(super) fn take_changed(&mut self) -> impl Iterator<Item = Ticker> + '_ {
        let rows = &mut self.rows;
        self.changed.drain(..).map(|symbol| {
            let row = &mut rows[symbol.index()];
            row.is_changed = false;
            row.ticker
        })
    }

    fn mark_changed(&mut self, symbol: SymbolId) {
        let row = &mut self.rows[symbol.index()];
        if !std::mem::replace(&mut row.is_changed, true) {
            self.changed.push(symbol);
        }
    }
}

impl TickerRow {
    /// Takes in a bar of the day before that was told after its end.
    fn told_close(&mut self, bar: &Bar) {
        if self.traded_at < bar.start {
            self.traded_at = last_of(bar);
            self.ticker.closed_at(bar.close);
        }
    }
}

const MINUTE: Duration = Duration::from_mins(1);

/// The last instant of a minute.
fn last_of(bar: &Bar) -> Timestamp {
    Timestamp::from_nanos((bar.start + MINUTE).nanos() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, Price};
    use crate::wire::fixtures;

    fn trade() -> Trade {
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        trade
    }

    #[test]
    fn a_ticker_that_changes_twice_is_given_once() {
        let mut tickers = Tickers::new(&fixtures::universe(), trade().at);
        let Body::Quote(quote) = fixtures::quote().body else { unreachable!() };

        tickers.quoted(&quote);
        tickers.traded(&trade(), Some(&Bar::open(trade().at, &trade())));

        let changed: Vec<_> = tickers.take_changed().collect();
        assert_eq!(changed.len(), 1);
        assert_eq!((changed[0].bid, changed[0].price), (quote.bid, trade().price));
        assert_eq!(tickers.take_changed().count(), 0);
    }

    #[test]
    fn a_late_trade_counts_for_the_day_but_is_not_the_last_price() {
        let mut tickers = Tickers::new(&fixtures::universe(), trade().at);
        let mut late = trade();
        late.at = late.at - Duration::from_secs(9);
        late.price = Price::from_cents(99);
        let mut day = Bar::open(trade().at, &trade());
        tickers.traded(&trade(), Some(&day));

        day.fold(&late);
        tickers.traded(&late, Some(&day));

        let ticker = tickers.take_changed().next().unwrap();
        assert_eq!((ticker.price, ticker.low, ticker.trades), (trade().price, late.price, 2));
    }

    #[test]
    fn after_the_clock_was_set_back_an_earlier_trade_is_the_last_price() {
        let mut tickers = Tickers::new(&fixtures::universe(), trade().at);
        tickers.traded(&trade(), Some(&Bar::open(trade().at, &trade())));
        tickers.take_changed().count();
        let hour_before = trade().at - Duration::from_hours(1);

        tickers.restart(hour_before);
        assert_eq!(tickers.take_changed().count(), 0, "the day is the same");
        let again =
            Trade { price: Price::from_cents(77), at: hour_before + Duration::from_secs(1), ..trade() };
        tickers.traded(&again, None);

        let ticker = tickers.take_changed().next().unwrap();
        assert_eq!((ticker.price, ticker.at), (again.price, again.at));
    }

    #[test]
    fn the_day_before_has_its_own_figures_when_the_clock_was_set_back_to_it() {
        let mut tickers = Tickers::new(&fixtures::universe(), trade().at);
        tickers.traded(&trade(), Some(&Bar::open(trade().at, &trade())));
        tickers.take_changed().count();
        let day_before = trade().at - Duration::from_hours(24);
        let bar = |ticks, size| {
            let trade = Trade { price: Price::from_cents(ticks), size, at: day_before, ..trade() };
            Bar::open(TradingDay::of(day_before).start, &trade)
        };

        tickers.restart(day_before);
        tickers.resume(trade().symbol, Some(&bar(500, 9)), Some(bar(400, 1)));

        let changed: Vec<_> = tickers.take_changed().collect();
        assert_eq!(changed.len(), fixtures::universe().len());
        let ticker = changed.iter().find(|ticker| ticker.symbol == trade().symbol).unwrap();
        assert_eq!(
            (ticker.volume, ticker.open.cents(), ticker.previous_close.cents(), ticker.at),
            (9, 500, 400, day_before)
        );
    }

    #[test]
    fn a_new_day_starts_with_the_close_of_the_day_before() {
        let mut tickers = Tickers::new(&fixtures::universe(), trade().at);
        tickers.traded(&trade(), Some(&Bar::open(trade().at, &trade())));
        tickers.take_changed().count();

        tickers.advance(trade().at + Duration::from_hours(25));

        let ticker = tickers.take_changed().next().unwrap();
        assert_eq!((ticker.previous_close, ticker.volume, ticker.price), (trade().price, 0, trade().price));
    }
}
