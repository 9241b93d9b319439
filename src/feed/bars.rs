use crate::model::TradingDay;
use crate::model::{Bar, Body, SECOND, SymbolId, Timestamp, Trade};

/// Folds trades into minute bars and day bars.
///
/// 1. A trade goes into its minute and its day.
/// 2. When time reaches the minute's end, each symbol that traded in it gives its bar, and each that
///    traded today its day's bar so far; symbols in order.
/// 3. A trade that comes after its minute's end ("late") changes the bar already given, which is
///    then given again as an updated bar. Only the minute before the current one can still change.
///
/// Bars of minutes without a trade do not exist.
#[derive(Debug)]
pub(super) struct Bars {
    span_nanos: i64,
    minute: Timestamp,
    day: TradingDay,
    symbols: Vec<SymbolBars>,
}

#[derive(Clone, Debug, Default)]
struct SymbolBars {
    now: Option<Bar>,
    before: Option<Bar>,
    day: Option<Bar>,
}

impl Bars {
    /// Bars of `span_nanos` (a minute, but for tests) for so many symbols, from this time on.
    pub(super) fn new(symbols: usize, span_nanos: i64, from: Timestamp) -> Self {
        Self {
            span_nanos,
            minute: from.floor_to(span_nanos),
            day: TradingDay::of(from),
            symbols: vec![SymbolBars::default(); symbols],
        }
    }

    /// Goes on with bars of this symbol that are open already.
    pub(super) fn resume(&mut self, symbol: SymbolId, minute: Option<Bar>, day: Option<Bar>) {
        let bars = &mut self.symbols[symbol.index()];
        let is_a_minute = self.span_nanos == 60 * SECOND;
        bars.now = minute.filter(|bar| is_a_minute && bar.start == self.minute);
        bars.day = day.filter(|bar| bar.start == self.day.start);
    }

    /// Time has come this far: gives what is complete by now.
    pub(super) fn advance(&mut self, now: Timestamp, mut give: impl FnMut(Body)) {
        let minute = now.floor_to(self.span_nanos);
        if minute <= self.minute {
            return;
        }
        for bars in &mut self.symbols {
            bars.before = bars.now.take();
            if let Some(bar) = bars.before {
                give(Body::Bar(bar));
            }
            if let Some(day) = bars.day {
                give(Body::DailyBar(day));
            }
        }
        self.minute = minute;
        if !self.day.holds(now) {
            self.day = TradingDay::of(now);
            for bars in &mut self.symbols {
                bars.day = None;
            }
        }
    }

    /// Takes in a trade; gives an updated bar where it came late.
    pub(super) fn trade(&mut self, trade: &Trade, give: impl FnOnce(Body)) {
        let bars = &mut self.symbols[trade.symbol.index()];
        if self.day.holds(trade.at) {
            fold(&mut bars.day, self.day.start, trade);
        }
        let minute = trade.at.floor_to(self.span_nanos);
        if minute >= self.minute {
            fold(&mut bars.now, minute, trade);
        } else if let Some(before) = bars.before.as_mut().filter(|bar| bar.start == minute) {
            before.fold(trade);
            give(Body::UpdatedBar(*before));
        }
    }

    /// The day's bar so far.
    pub(super) fn day(&self, symbol: SymbolId) -> Option<&Bar> {
        self.symbols[symbol.index()].day.as_ref()
    }
}

fn fold(bar: &mut Option<Bar>, start: Timestamp, trade: &Trade) {
    match bar {
        Some(bar) => bar.fold(trade),
        None => *bar = Some(Bar::open(start, trade)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Channel, Conditions, Price, Tape, Venue};

    const MINUTE: i64 = 60 * SECOND;

    fn trade(symbol: u32, ticks: i64, at: i64) -> Trade {
        Trade {
            symbol: SymbolId(symbol),
            id: 1,
            venue: Venue(b'V'),
            price: Price::from_ticks(ticks),
            size: 100,
            conditions: Conditions::REGULAR_SALE,
            tape: Tape::C,
            at: Timestamp::from_nanos(at),
        }
    }

    fn bars() -> Bars {
        Bars::new(2, MINUTE, Timestamp::default())
    }

    fn advance(bars: &mut Bars, now: i64) -> Vec<Body> {
        let mut given = Vec::new();
        bars.advance(Timestamp::from_nanos(now), |body| given.push(body));
        given
    }

    fn bar_of(body: &Body) -> Bar {
        match body {
            Body::Bar(bar) | Body::UpdatedBar(bar) | Body::DailyBar(bar) => *bar,
            other => panic!("no bar: {other:?}"),
        }
    }

    #[test]
    fn a_minute_gives_its_bar_when_it_is_over_and_not_before() {
        let mut bars = bars();
        bars.trade(&trade(1, 100, 5), |_| panic!("not late"));

        assert_eq!(advance(&mut bars, MINUTE - 1), []);
        let given = advance(&mut bars, MINUTE);

        let channels: Vec<_> = given.iter().map(Body::channel).collect();
        assert_eq!(channels, [Channel::Bars, Channel::DailyBars]);
        assert_eq!(bar_of(&given[0]).start, Timestamp::default());
        assert_eq!(bar_of(&given[0]).symbol, SymbolId(1));
    }

    #[test]
    fn a_minute_without_a_trade_has_no_bar_but_the_day_goes_on() {
        let mut bars = bars();
        bars.trade(&trade(0, 100, 5), |_| {});
        advance(&mut bars, MINUTE);

        let given = advance(&mut bars, 2 * MINUTE);

        assert_eq!(given.iter().map(Body::channel).collect::<Vec<_>>(), [Channel::DailyBars]);
    }

    #[test]
    fn a_late_trade_gives_its_minute_again() {
        let mut bars = bars();
        bars.trade(&trade(0, 100, 5), |_| {});
        advance(&mut bars, MINUTE);
        let mut given = None;

        bars.trade(&trade(0, 250, 6), |body| given = Some(body));

        let updated = given.expect("a late trade updates its minute");
        assert_eq!(updated.channel(), Channel::UpdatedBars);
        assert_eq!((bar_of(&updated).high.ticks(), bar_of(&updated).volume), (250, 200));
    }

    #[test]
    fn a_new_day_begins_without_the_old_ones_figures() {
        let mut bars = bars();
        let noon = TradingDay::of(Timestamp::default()).end.nanos() + 12 * 3600 * SECOND;
        bars.trade(&trade(0, 100, 5), |_| {});

        advance(&mut bars, noon);
        bars.trade(&trade(0, 300, noon), |_| {});

        let day = bars.day(SymbolId(0)).unwrap();
        assert_eq!((day.open.ticks(), day.volume), (300, 100));
    }

    #[test]
    fn bars_that_are_open_already_go_on() {
        let from = Timestamp::from_nanos(90 * SECOND);
        let mut bars = Bars::new(2, MINUTE, from);
        let open = |at, volume| Bar { volume, ..Bar::open(Timestamp::from_nanos(at), &trade(1, 100, at)) };
        let midnight = TradingDay::of(from).start.nanos();

        bars.resume(SymbolId(1), Some(open(MINUTE, 500)), Some(open(midnight, 9_000)));
        bars.resume(SymbolId(0), Some(open(0, 500)), Some(open(midnight - 1, 9_000)));
        bars.trade(&trade(1, 100, 91 * SECOND), |_| {});

        let volumes: Vec<_> =
            advance(&mut bars, 2 * MINUTE).iter().map(|body| (body.symbol(), bar_of(body).volume)).collect();
        assert_eq!(volumes, [(SymbolId(1), 600), (SymbolId(1), 9_100)]);
    }
}
