use super::given_bars::GivenBars;
use crate::model::{
    Bar, BarLength, Body, SECOND, SymbolId, Timestamp, Trade, TradeEffect, TradeRules, TradingDay, Universe,
};

/// Folds trades into minute bars and daily bars, and takes in those that the source gives.
///
/// 1. A trade goes into the bar of its minute and of its day.
/// 2. At the end of a minute each symbol that traded in it emits its bar, and each symbol that traded today its daily
///    bar so far, in the order of symbols.
/// 3. A late trade, one that comes after the end of its minute, changes the bar already emitted, which is then emitted
///    again as an updated bar. Only the minute before the current one can still change.
///
/// A minute without a trade has no bar. When the clock was set back, time begins [anew](Bars::restart): minutes whose
/// bars were emitted already come again, and so do their bars.
///
/// Of an instrument whose [source gives](crate::model::BarOrigin) the minutes, these are emitted as they come, each with
/// the bar of the day so far, unless the source gives that too; none is folded from trades. What an instrument is not
/// declared to get from its source is not emitted, except for days and parts of days of which nothing shorter was told.
#[derive(Debug)]
pub(super) struct Bars {
    span_nanos: i64,
    minute: Timestamp,
    day: TradingDay,
    symbols: Vec<SymbolBars>,
    /// The bars of the instruments whose source gives any, by their ids. Empty if there are none.
    given: Vec<Option<Box<GivenBars>>>,
    /// The number of instruments whose origins of bars are known.
    known: usize,
    /// The start of the last day before today that has a folded bar, by the ids of instruments.
    folded_days: Vec<Timestamp>,
    rules: TradeRules,
}

const MINUTE: i64 = 60 * SECOND;

#[derive(Clone, Debug, Default)]
struct SymbolBars {
    current: Option<Bar>,
    previous: Option<Bar>,
    day: Option<Bar>,
}

impl Bars {
    /// No bars yet of this number of symbols, starting at `from`. `span_nanos` is a minute except in tests.
    pub(super) fn new(symbols: usize, span_nanos: i64, from: Timestamp) -> Self {
        Self {
            span_nanos,
            minute: from.floor_to(span_nanos),
            day: TradingDay::of(from),
            symbols: vec![SymbolBars::default(); symbols],
            given: Vec::new(),
            known: 0,
            folded_days: Vec::new(),
            rules: TradeRules::default(),
        }
    }

    /// Sets which trades change which figures, from the next trade on.
    pub(super) fn set_rules(&mut self, rules: TradeRules) {
        self.rules = rules;
    }

    /// Makes room for a universe of this number of symbols; the bars of the earlier ones stay.
    pub(super) fn grow(&mut self, symbols: usize) {
        self.symbols.resize_with(symbols.max(self.symbols.len()), SymbolBars::default);
    }

    /// Takes in which instruments of this universe get bars from their source, for those that are new in it.
    pub(super) fn set_origins(&mut self, universe: &Universe) {
        for instrument in universe.iter().skip(self.known) {
            if let Some(given) = GivenBars::of(instrument) {
                self.given.resize_with(instrument.id.index() + 1, Option::default);
                self.given[instrument.id.index()] = Some(Box::new(given));
            }
        }
        self.known = universe.len();
    }

    /// Continues bars of this symbol that are open already; bars of another minute or day are ignored.
    pub(super) fn resume(&mut self, symbol: SymbolId, minute: Option<Bar>, day: Option<Bar>) {
        let today = day.filter(|bar| bar.start == self.day.start);
        if let Some(given) = given_of(&mut self.given, symbol) {
            let told = minute.filter(|_| given.has_minutes());
            given.resume(today, told.map(|minute| end_of_minute(&minute)));
            if given.has_minutes() {
                return;
            }
        }
        let bars = &mut self.symbols[symbol.index()];
        let is_a_minute = self.span_nanos == MINUTE;
        bars.current = minute.filter(|bar| is_a_minute && bar.start == self.minute);
        bars.day = today.filter(|_| given_of(&mut self.given, symbol).is_none());
    }

    /// Continues the bar of the minute before, if this is one: a late trade may still change it.
    pub(super) fn resume_previous(&mut self, bar: &Bar) {
        let has_minutes = given_of(&mut self.given, bar.symbol).is_some_and(|given| given.has_minutes());
        if bar.start.nanos() == self.minute.nanos() - self.span_nanos && !has_minutes {
            self.symbols[bar.symbol.index()].previous = Some(*bar);
        }
    }

    /// Begins anew at an earlier time, without any bar; those of the minute and the day can be
    /// [continued](Self::resume).
    pub(super) fn restart(&mut self, from: Timestamp) {
        let mut given = std::mem::take(&mut self.given);
        given.iter_mut().flatten().for_each(|given| given.resume(None, None));
        let (rules, known) = (self.rules, self.known);
        *self = Self { rules, known, given, ..Self::new(self.symbols.len(), self.span_nanos, from) };
    }

    /// Moves the time forward, and emits the bars that are complete at `now`.
    pub(super) fn advance(&mut self, now: Timestamp, mut emit: impl FnMut(Body)) {
        let minute = now.floor_to(self.span_nanos);
        if minute <= self.minute {
            return;
        }
        for bars in &mut self.symbols {
            bars.previous = bars.current.take();
            if let Some(bar) = bars.previous.filter(Bar::is_priced) {
                emit(Body::Bar(bar));
            }
            if let Some(day) = bars.day.filter(Bar::is_priced) {
                emit(Body::DailyBar(day));
            }
        }
        self.minute = minute;
        self.given.iter_mut().flatten().for_each(|given| given.begin_minute());
        if !self.day.holds(now) {
            self.folded_days.resize(self.symbols.len(), Timestamp::from_nanos(i64::MIN));
            for (bars, folded) in self.symbols.iter_mut().zip(&mut self.folded_days) {
                if bars.day.take().is_some() {
                    *folded = self.day.start;
                }
            }
            self.day = TradingDay::of(now);
            self.given.iter_mut().flatten().for_each(|given| given.begin_day());
        }
    }

    /// Folds a trade into its bars; emits the updated bar of a late one.
    pub(super) fn trade(&mut self, trade: &Trade, emit: impl FnOnce(Body)) {
        let bars = &mut self.symbols[trade.symbol.index()];
        let effect = |of| Some(self.rules.effect(trade.conditions, of)).filter(|effect| !effect.is_none());
        let given = given_of(&mut self.given, trade.symbol);
        let has_minutes = given.as_ref().is_some_and(|given| given.has_minutes());
        if let (true, Some(effect)) = (self.day.holds(trade.at), effect(BarLength::Day)) {
            match given {
                Some(given) => given.trade(trade, effect, self.day, self.minute),
                None => fold(&mut bars.day, self.day.start, trade, effect),
            }
        }
        if has_minutes {
            return;
        }
        let Some(effect) = effect(BarLength::WithinDay) else { return };
        let minute = trade.at.floor_to(self.span_nanos);
        if minute >= self.minute {
            fold(&mut bars.current, minute, trade, effect);
        } else if let Some(previous) = bars.previous.as_mut().filter(|bar| bar.start == minute) {
            previous.fold_by(trade, effect);
            if previous.is_priced() {
                emit(Body::UpdatedBar(*previous));
            }
        }
    }

    /// Takes in a minute of the source, and emits it with the bar of its day so far; false if the instrument gets no
    /// minutes from its source.
    pub(super) fn told_minute(&mut self, bar: &Bar, mut emit: impl FnMut(Body)) -> bool {
        let Some(given) = given_of(&mut self.given, bar.symbol).filter(|given| given.has_minutes()) else {
            return false;
        };
        emit(Body::Bar(*bar));
        let day = given.minute(bar, end_of_minute(bar), self.day, self.minute);
        if let Some(day) = day.filter(|day| day.is_priced() && !given.has_days()) {
            emit(Body::DailyBar(day));
        }
        true
    }

    /// Takes in a change of a minute of the source, and emits it; false if the instrument gets no minutes from its
    /// source.
    pub(super) fn told_update(&mut self, bar: &Bar, emit: impl FnOnce(Body)) -> bool {
        let Some(given) = given_of(&mut self.given, bar.symbol).filter(|given| given.has_minutes()) else {
            return false;
        };
        emit(Body::UpdatedBar(*bar));
        given.updated_minute(bar, end_of_minute(bar), self.day);
        true
    }

    /// Takes in the bar of a day, and emits it; false if that day has a folded bar.
    pub(super) fn told_day(&mut self, bar: &Bar, emit: impl FnOnce(Body)) -> bool {
        let symbol = bar.symbol.index();
        let is_told = match given_of(&mut self.given, bar.symbol) {
            Some(given) if given.has_days() => {
                if bar.start == self.day.start {
                    given.told_day(bar, self.minute);
                }
                true
            }
            Some(given) => !given.has_day(bar.start),
            None => {
                let today = self.symbols[symbol].day.map(|day| day.start);
                let before = self.folded_days.get(symbol).copied();
                today != Some(bar.start) && before != Some(bar.start)
            }
        };
        if is_told {
            emit(Body::DailyBar(*bar));
        }
        is_told
    }

    /// The daily bar so far; `None` before the day's first trade.
    pub(super) fn day(&self, symbol: SymbolId) -> Option<&Bar> {
        let given = self.given.get(symbol.index()).and_then(Option::as_ref);
        let day = match given {
            Some(given) => given.day(),
            None => self.symbols[symbol.index()].day.as_ref(),
        };
        day.filter(|day| day.is_priced())
    }
}

fn given_of(given: &mut [Option<Box<GivenBars>>], symbol: SymbolId) -> Option<&mut GivenBars> {
    given.get_mut(symbol.index())?.as_deref_mut()
}

fn end_of_minute(bar: &Bar) -> Timestamp {
    Timestamp::from_nanos(bar.start.nanos().saturating_add(MINUTE))
}

fn fold(bar: &mut Option<Bar>, start: Timestamp, trade: &Trade, effect: TradeEffect) {
    match bar {
        Some(bar) => bar.fold_by(trade, effect),
        None => *bar = Some(Bar::open_by(start, trade, effect)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Channel, Conditions, Price, Tape, Venue};

    fn trade(symbol: u32, ticks: i64, at: i64) -> Trade {
        Trade {
            symbol: SymbolId(symbol),
            id: 1,
            venue: Venue(b'V'),
            price: Price::from_cents(ticks),
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
        let mut emitted = Vec::new();
        bars.advance(Timestamp::from_nanos(now), |body| emitted.push(body));
        emitted
    }

    fn bar_of(body: &Body) -> Bar {
        match body {
            Body::Bar(bar) | Body::UpdatedBar(bar) | Body::DailyBar(bar) => *bar,
            other => panic!("not a bar: {other:?}"),
        }
    }

    #[test]
    fn a_bar_is_emitted_at_the_end_of_its_minute_and_not_before() {
        let mut bars = bars();
        bars.trade(&trade(1, 100, 5), |_| panic!("not late"));

        assert_eq!(advance(&mut bars, MINUTE - 1), []);
        let emitted = advance(&mut bars, MINUTE);

        let channels: Vec<_> = emitted.iter().map(Body::channel).collect();
        assert_eq!(channels, [Channel::Bars, Channel::DailyBars]);
        assert_eq!(bar_of(&emitted[0]).start, Timestamp::default());
        assert_eq!(bar_of(&emitted[0]).symbol, SymbolId(1));
    }

    #[test]
    fn a_minute_without_a_trade_emits_the_daily_bar_only() {
        let mut bars = bars();
        bars.trade(&trade(0, 100, 5), |_| {});
        advance(&mut bars, MINUTE);

        let emitted = advance(&mut bars, 2 * MINUTE);

        assert_eq!(emitted.iter().map(Body::channel).collect::<Vec<_>>(), [Channel::DailyBars]);
    }

    #[test]
    fn a_late_trade_emits_an_updated_bar_of_its_minute() {
        let mut bars = bars();
        bars.trade(&trade(0, 100, 5), |_| {});
        advance(&mut bars, MINUTE);
        let mut emitted = None;

        bars.trade(&trade(0, 250, 6), |body| emitted = Some(body));

        let updated = emitted.expect("a late trade updates its minute");
        assert_eq!(updated.channel(), Channel::UpdatedBars);
        assert_eq!((bar_of(&updated).high.cents(), bar_of(&updated).volume), (250, 200));
    }

    #[test]
    fn a_new_day_starts_a_new_daily_bar() {
        let mut bars = bars();
        let noon = TradingDay::of(Timestamp::default()).end.nanos() + 12 * 3600 * SECOND;
        bars.trade(&trade(0, 100, 5), |_| {});

        advance(&mut bars, noon);
        bars.trade(&trade(0, 300, noon), |_| {});

        let day = bars.day(SymbolId(0)).unwrap();
        assert_eq!((day.open.cents(), day.volume), (300, 100));
    }

    #[test]
    fn open_bars_of_the_current_minute_and_day_are_continued() {
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

    #[test]
    fn a_symbol_that_is_added_later_gets_bars_and_the_others_keep_theirs() {
        let mut bars = bars();
        bars.trade(&trade(1, 100, 5), |_| {});

        bars.grow(4);
        bars.trade(&trade(3, 200, 6), |_| {});

        let symbols: Vec<_> = advance(&mut bars, MINUTE).iter().map(Body::symbol).collect();
        assert_eq!(symbols, [1, 1, 3, 3].map(SymbolId));
    }
}
