use std::mem;

use super::bar_ring::BarRing;
use super::earlier_bars::LatestBars;
use super::retention::Depth;
use super::ring::Ring;
use super::span::Span;
use super::timeframe::{Joiner, joined};
use crate::model::{
    Bar, BarLength, BarOrigin, DayParts, Instrument, MarketHours, Quote, SECOND, Seq, SymbolId, Timestamp,
    Trade, TradeRules, TradingDay,
};

/// The retained trades, quotes and bars of one instrument.
#[derive(Debug)]
pub(super) struct InstrumentArchive {
    pub(super) trades: Ring<Trade>,
    pub(super) quotes: Ring<Quote>,
    bars: [BarRing; Span::COUNT],
    /// The number of the latest trades that are not in the bars yet.
    unfolded: usize,
    rules: TradeRules,
    /// The spans whose bars are folded from trades. The others are those that the source gives.
    folded: &'static [Span],
    minutes: BarOrigin,
    days: BarOrigin,
    hours: MarketHours,
    /// The day of which the source told and that no trade and no minute was in.
    told_day: Option<Timestamp>,
    /// Bars of each span before these times are [made](super::EarlierBars) when they are read.
    earlier_until: [Option<Timestamp>; Span::COUNT],
    /// The day of the latest trade, so that the calendar is asked once a day and not once a trade.
    today: TradingDay,
}

/// The number of trades that are folded into the bars together. The bars of one instrument are in a dozen cache lines,
/// which are cold for a single trade every few milliseconds.
const FOLDED_TOGETHER: usize = 32;

/// The bars of each span that are retained at the [begin](InstrumentArchive::begin): the latest, which goes on, and the one
/// before it.
const BEGIN_BARS: usize = 2;

/// The spans that are folded from trades where the source gives days, and where it gives minutes.
const BELOW_DAYS: [Span; 5] = [Span::Second, Span::FiveSeconds, Span::Minute, Span::FiveMinutes, Span::Hour];
const BELOW_MINUTES: [Span; 2] = [Span::Second, Span::FiveSeconds];

/// The minutes of the longest day, that of a clock change.
const MINUTES_OF_A_DAY: usize = 25 * 60;

impl InstrumentArchive {
    pub(super) fn new(depth: &Depth) -> Self {
        Self {
            trades: Ring::new(depth.trades),
            quotes: Ring::new(depth.quotes),
            bars: depth.bars.map(BarRing::new),
            unfolded: 0,
            rules: TradeRules::default(),
            folded: &Span::ALL,
            minutes: BarOrigin::Folded,
            days: BarOrigin::Folded,
            hours: MarketHours::Continuous,
            told_day: None,
            earlier_until: [None; Span::COUNT],
            today: TradingDay::default(),
        }
    }

    /// Reduces the number of rows of each kind, and frees the memory of the oldest ones.
    pub(super) fn limit(&mut self, depth: &Depth) {
        self.fold();
        self.trades.limit(depth.trades);
        self.quotes.limit(depth.quotes);
        self.bars.iter_mut().zip(depth.bars).for_each(|(bars, most)| bars.limit(most));
    }

    /// Takes in the next trade with its number. It is in the bars after the next [fold](Self::fold).
    pub(super) fn trade(&mut self, seq: Seq, trade: &Trade) {
        if self.unfolded == FOLDED_TOGETHER || !self.trades.keeps(self.unfolded, seq) {
            self.fold();
        }
        self.trades.push(seq, *trade);
        self.unfolded += 1;
    }

    /// Sets which trades change which figures, from the next trade on.
    pub(super) fn set_rules(&mut self, rules: TradeRules) {
        self.fold();
        self.rules = rules;
    }

    /// Sets which bars come from the source, from the next object on.
    pub(super) fn set_origin(&mut self, instrument: &Instrument) {
        self.fold();
        (self.minutes, self.days, self.hours) = (instrument.bars, instrument.daily_bars, instrument.hours);
        self.folded = match (self.minutes, self.days) {
            (BarOrigin::Folded, BarOrigin::Folded) => &Span::ALL,
            (BarOrigin::Folded, BarOrigin::Source) => &BELOW_DAYS,
            (BarOrigin::Source, _) => &BELOW_MINUTES,
        };
    }

    /// Takes in a minute that was published, or published again; if minutes are folded from trades, it is known already.
    pub(super) fn minute(&mut self, bar: &Bar) {
        if self.minutes == BarOrigin::Folded {
            return;
        }
        let minutes = &mut self.bars[Span::Minute.index()];
        let is_next = minutes.latest(bar.symbol).is_none_or(|latest| latest.start < bar.start);
        minutes.put(bar);
        let midnight = midnight_before(&mut self.today, bar.start);
        for span in [Span::FiveMinutes, Span::Hour, Span::Day] {
            if span == Span::Day && self.days == BarOrigin::Source {
                continue;
            }
            let start = span.start(bar.start, midnight);
            let part = if span == Span::Day { DayParts::new(self.hours).of(bar) } else { *bar };
            let so_far = self.bars(span).at(bar.symbol, start);
            let longer = match so_far {
                Some(mut so_far) if is_next => {
                    so_far.absorb(&part);
                    so_far
                }
                Some(so_far) => self.rejoined(bar.symbol, span, start).unwrap_or(so_far),
                None => Bar { start, ..part },
            };
            self.bars[span.index()].put(&longer);
        }
    }

    /// Takes in a minute that was published again. One before all retained ones is left out: what a source tells at the
    /// start of a connection may be days old, and would be taken for the begin of all that is known.
    pub(super) fn updated_minute(&mut self, bar: &Bar) {
        if self.first_minute(bar.symbol).is_some_and(|first| first.start <= bar.start) {
            self.minute(bar);
        }
    }

    /// The longer bar in which a minute has changed; `None` if some of its minutes are no longer retained.
    fn rejoined(&self, symbol: SymbolId, span: Span, start: Timestamp) -> Option<Bar> {
        let minutes = self.bars(Span::Minute);
        if minutes.removed_until().is_some_and(|until| until >= start) {
            return None;
        }
        let most = span.nanos().map_or(MINUTES_OF_A_DAY, |nanos| (nanos / (60 * SECOND)) as usize);
        let mut all = Vec::new();
        minutes.copy(symbol, start, most, &mut all);
        let joined = match span {
            Span::Day => self.days_of(&all),
            _ => joined(&all, Span::Minute, span),
        };
        joined.into_iter().next().filter(|bar| bar.start == start)
    }

    /// The bars of the days of which these are the minutes, or the hours of a market without regular hours.
    fn days_of(&self, bars: &[Bar]) -> Vec<Bar> {
        let mut parts = DayParts::new(self.hours);
        let mut joiner = Joiner::new(Span::Day.timeframe(), Span::Minute);
        bars.iter().for_each(|bar| joiner.push(&parts.of(bar)));
        joiner.finish()
    }

    /// Takes in the bar of a day that was published; if something shorter of that day is known, so is the bar.
    pub(super) fn day(&mut self, bar: &Bar) {
        let is_told = self.days == BarOrigin::Source || self.told_day == Some(bar.start);
        if is_told || self.has_none_of(bar) {
            self.bars[Span::Day.index()].put(bar);
            self.told_day = Some(bar.start);
        }
    }

    /// True when nothing of a day is known.
    fn has_none_of(&mut self, day: &Bar) -> bool {
        let has_row = |archive: &Self| archive.bars(Span::Day).at(day.symbol, day.start).is_some();
        if has_row(self) {
            return false;
        }
        self.fold();
        !has_row(self)
    }

    /// Removes the bars that start after this time.
    pub(super) fn step_back(&mut self, to: Timestamp) {
        self.fold();
        self.told_day = self.told_day.filter(|day| *day <= to);
        self.bars.iter_mut().for_each(|bars| bars.remove_after(to));
        self.today = TradingDay::default();
    }

    /// True when there are trades that are not in the bars yet.
    pub(super) fn is_unfolded(&self) -> bool {
        self.unfolded > 0
    }

    /// Folds the trades since the last call into the bars of their time.
    pub(super) fn fold(&mut self) {
        let Self { trades, bars, unfolded, today, rules, folded, .. } = self;
        for trade in trades.last(mem::take(unfolded)) {
            let midnight = midnight_before(today, trade.at);
            for &span in *folded {
                let length = if span == Span::Day { BarLength::Day } else { BarLength::WithinDay };
                let effect = rules.effect(trade.conditions, length);
                if !effect.is_none() {
                    bars[span.index()].fold(span.start(trade.at, midnight), trade, effect);
                }
            }
        }
    }

    /// Takes in the history, in the form of [`super::Archive::seed`].
    pub(super) fn seed(&mut self, days: &[Bar], minutes: &[Bar], seconds: &[Bar]) {
        let history = self.history(days, &[], minutes, seconds);
        for (bars, seeded) in self.bars.iter_mut().zip(&history) {
            seeded.iter().for_each(|bar| bars.seed(bar));
        }
    }

    /// Takes in the latest bars before this time, of which the open ones go on. Those before are made when they are read.
    ///
    /// Spans that began earlier stay as they are: a clock that was set back leaves these.
    pub(super) fn begin(&mut self, at: Timestamp, latest: &LatestBars) {
        let LatestBars { previous_day, hours, minutes, seconds } = latest;
        let history = self.history(previous_day.as_slice(), hours, minutes, seconds);
        for (span, bars) in Span::ALL.into_iter().zip(&history) {
            let until = &mut self.earlier_until[span.index()];
            if until.is_none_or(|until| until > at) {
                let kept = &bars[bars.len().saturating_sub(BEGIN_BARS)..];
                *until = Some(kept.first().map_or(at, |first| first.start));
                kept.iter().for_each(|bar| self.bars[span.index()].seed(bar));
            }
        }
    }

    /// True when there are earlier bars, and some after this time.
    pub(super) fn begins_after(&self, at: Timestamp) -> bool {
        self.earlier_until.iter().flatten().any(|until| *until > at)
    }

    /// The time before which bars of this span are made; `None` if there are none, or if bars after them are no longer
    /// retained: there would be a hole.
    pub(super) fn earlier_until(&self, span: Span) -> Option<Timestamp> {
        let until = self.earlier_until[span.index()]?;
        let retained = self.bars(span);
        match retained.removed_until() {
            Some(_) => None,
            // Another node's history may have come before the begin.
            None => Some(retained.first_start().map_or(until, |first| first.min(until))),
        }
    }

    /// The bars of each span of a history, whose hours may begin before its minutes.
    fn history(
        &self,
        days: &[Bar],
        hours: &[Bar],
        minutes: &[Bar],
        seconds: &[Bar],
    ) -> [Vec<Bar>; Span::COUNT] {
        let complete = minutes.last().map(|minute| minute.start);
        let current = seconds
            .iter()
            .filter(|second| Some(Span::Minute.start(second.start, Timestamp::default())) > complete);
        let current = joined(current, Span::Second, Span::Minute);
        let minutes: Vec<Bar> = minutes.iter().chain(&current).copied().collect();
        let last_hour = hours.last().map(|hour| hour.start);
        let later = joined(&minutes, Span::Minute, Span::Hour);
        let later = later.into_iter().filter(|hour| Some(hour.start) > last_hour);
        let hours: Vec<Bar> = hours.iter().copied().chain(later).collect();
        let today = self.days_of(if last_hour.is_some() { &hours } else { &minutes });
        Span::ALL.map(|span| match span {
            Span::Second => seconds.to_vec(),
            Span::FiveSeconds => joined(seconds, Span::Second, span),
            Span::Minute => minutes.clone(),
            Span::FiveMinutes => joined(&minutes, Span::Minute, span),
            Span::Hour => hours.clone(),
            Span::Day => days.iter().chain(&today).copied().collect(),
        })
    }

    /// Forgets the trades and quotes; the bars of the trades stay.
    pub(super) fn restart_numbers(&mut self) {
        self.fold();
        self.trades.restart_numbers();
        self.quotes.restart_numbers();
    }

    /// Puts days and minutes before all others, and the longer bars that the minutes add up to.
    pub(super) fn add_history(&mut self, symbol: SymbolId, days: &[Bar], minutes: &[Bar]) {
        self.fold();
        self.bars[Span::Day.index()].prepend(days);
        let first = self.first_minute(symbol);
        let before = minutes.partition_point(|minute| first.is_none_or(|first| minute.start < first.start));
        self.bars[Span::Minute.index()].prepend(minutes);
        for span in [Span::FiveMinutes, Span::Hour] {
            let mut longer = joined(&minutes[..before], Span::Minute, span);
            // The one in which the retained minutes begin is of both.
            if let (Some(last), Some(first)) = (longer.last().copied(), first)
                && span.start(first.start, Timestamp::default()) == last.start
            {
                longer.pop();
                let whole = self.rejoined(symbol, span, last.start);
                self.bars[span.index()].prepend(&longer);
                whole.iter().for_each(|bar| self.bars[span.index()].put(bar));
                continue;
            }
            self.bars[span.index()].prepend(&longer);
        }
    }

    fn first_minute(&self, symbol: SymbolId) -> Option<Bar> {
        let mut first = Vec::with_capacity(1);
        self.bars(Span::Minute).copy(symbol, Timestamp::from_nanos(i64::MIN), 1, &mut first);
        first.pop()
    }

    /// Folds bars from trades from now on, if the instrument says so, and those that are open at this time from the
    /// retained trades.
    pub(super) fn take_over(&mut self, instrument: &Instrument, watermark: Timestamp) {
        let (were_minutes, were_days) = (self.minutes, self.days);
        self.set_origin(instrument);
        let minute = Span::Minute.start(watermark, Timestamp::default());
        let is_folded = |was: BarOrigin, is: BarOrigin| was == BarOrigin::Source && is == BarOrigin::Folded;
        let mut spans = Vec::new();
        if is_folded(were_minutes, self.minutes) {
            spans.extend([Span::Minute, Span::FiveMinutes, Span::Hour]);
        }
        if is_folded(were_days, self.days) {
            spans.push(Span::Day);
        }
        let Self { trades, bars, today, rules, .. } = self;
        for trade in trades.all().filter(|trade| trade.at >= minute) {
            let midnight = midnight_before(today, trade.at);
            for span in &spans {
                let length = if *span == Span::Day { BarLength::Day } else { BarLength::WithinDay };
                let effect = rules.effect(trade.conditions, length);
                if !effect.is_none() {
                    bars[span.index()].fold(span.start(trade.at, midnight), trade, effect);
                }
            }
        }
    }

    pub(super) fn bars(&self, span: Span) -> &BarRing {
        &self.bars[span.index()]
    }
}

/// The start of the day of this time. `today` caches the latest day.
fn midnight_before(today: &mut TradingDay, at: Timestamp) -> Timestamp {
    if today.holds(at) {
        return today.start;
    }
    let day = TradingDay::of(at);
    if day.start > today.start || *today == TradingDay::default() {
        *today = day;
    }
    day.start
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Retention;
    use crate::model::Body;
    use crate::wire::fixtures;

    /// Midnight in New York of a day in winter.
    const MIDNIGHT: i64 = 1_614_056_400 * SECOND;

    fn archive(ats: &[i64]) -> InstrumentArchive {
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        let mut archive = InstrumentArchive::new(&Retention::default().depth(1));
        for (seq, at) in (1..).zip(ats) {
            archive.trade(Seq(seq), &Trade { at: Timestamp::from_nanos(MIDNIGHT + at), ..trade });
        }
        archive.fold();
        archive
    }

    fn latest(archive: &InstrumentArchive, span: Span) -> (i64, u64) {
        let bar = archive.bars(span).latest(SymbolId(0)).unwrap();
        ((bar.start.nanos() - MIDNIGHT) / SECOND, bar.trades)
    }

    #[test]
    fn a_trade_is_in_the_bars_of_every_span() {
        let hours = 3_600;
        let archive = archive(&[(13 * hours + 1_234) * SECOND + 5]);

        let starts = Span::ALL.map(|span| latest(&archive, span).0 - 13 * hours);

        assert_eq!(starts, [1_234, 1_230, 1_200, 1_200, 0, -13 * hours]);
    }

    #[test]
    fn a_late_trade_of_the_day_before_goes_into_the_bar_of_that_day() {
        let archive = archive(&[-2, -1, 0, 1, -1, 2].map(|second| second * SECOND));

        assert_eq!(latest(&archive, Span::Day), (0, 3));
        let yesterday = archive.bars(Span::Day).before_latest(SymbolId(0)).unwrap();
        assert_eq!((yesterday.start.nanos(), yesterday.trades), (MIDNIGHT - 24 * 3_600 * SECOND, 3));
    }

    #[test]
    fn each_trade_is_in_the_bars_once_however_few_trades_are_retained() {
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        for kept in [1, 3, FOLDED_TOGETHER, 1_000] {
            let mut archive =
                InstrumentArchive::new(&Retention { trades: kept, ..Retention::default() }.depth(1));
            // After the hundredth trade the numbers start again, as in a new epoch.
            for seq in (1..=100).chain(1..=5) {
                archive.trade(Seq(seq), &trade);
            }
            archive.fold();

            assert_eq!(archive.bars(Span::Day).latest(SymbolId(0)).unwrap().trades, 105, "{kept} retained");
        }
    }

    #[test]
    fn an_update_of_an_old_minute_does_not_hide_the_history_after_it() {
        let mut archive = InstrumentArchive::new(&Retention::default().depth(1));
        let given = fixtures::universe().iter().next().cloned().unwrap();
        archive.set_origin(&Instrument { bars: BarOrigin::Source, ..given });
        archive.updated_minute(&bar(60, 9));
        archive.minute(&bar(240, 4));
        archive.updated_minute(&bar(60, 9));

        archive.add_history(SymbolId(0), &[], &[bar(60, 9), bar(120, 2), bar(180, 3)]);
        archive.updated_minute(&bar(120, 5));

        assert_eq!(volumes(&archive, Span::Minute), [(60, 9), (120, 5), (180, 3), (240, 4)]);
    }

    fn bar(second: i64, volume: u64) -> Bar {
        let Body::Bar(bar) = fixtures::bar().body else { unreachable!() };
        Bar { start: Timestamp::from_nanos(MIDNIGHT + second * SECOND), volume, ..bar }
    }

    fn volumes(archive: &InstrumentArchive, span: Span) -> Vec<(i64, u64)> {
        let mut bars = Vec::new();
        archive.bars(span).copy(SymbolId(0), Timestamp::default(), 99, &mut bars);
        bars.iter().map(|bar| ((bar.start.nanos() - MIDNIGHT) / SECOND, bar.volume)).collect()
    }

    #[test]
    fn a_node_that_takes_over_continues_the_bars_that_it_followed() {
        let mut archive = InstrumentArchive::new(&Retention::default().depth(1));
        let folded = fixtures::universe().iter().next().cloned().unwrap();
        let given = BarOrigin::Source;
        archive.set_origin(&Instrument { bars: given, daily_bars: given, ..folded.clone() });
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        let trade = |second: i64, size| Trade {
            at: Timestamp::from_nanos(MIDNIGHT + second * SECOND),
            size,
            ..trade
        };
        archive.trade(Seq(1), &trade(130, 7));
        archive.minute(&bar(120, 20));
        archive.day(&bar(0, 60));
        archive.trade(Seq(2), &trade(185, 3));
        archive.trade(Seq(3), &trade(190, 4));
        let history = [bar(0, 10), bar(60, 30), bar(120, 20)];
        archive.add_history(SymbolId(0), &[bar(-24 * 3_600, 5), bar(0, 60)], &history);

        archive.take_over(&folded, Timestamp::from_nanos(MIDNIGHT + 191 * SECOND));
        archive.trade(Seq(4), &trade(195, 1));
        archive.fold();

        assert_eq!(volumes(&archive, Span::Minute), [(0, 10), (60, 30), (120, 20), (180, 8)]);
        assert_eq!(volumes(&archive, Span::FiveMinutes), [(0, 68)]);
        assert_eq!(volumes(&archive, Span::Hour), [(0, 68)]);
        assert_eq!(volumes(&archive, Span::Day), [(-24 * 3_600, 5), (0, 68)]);
    }

    #[test]
    fn seeded_history_is_in_the_bars_of_every_span_and_continues() {
        let mut archive = InstrumentArchive::new(&Retention::default().depth(1));
        let day = 24 * 3_600;
        let minutes = [bar(0, 10), bar(60, 20), bar(3_600, 3)];

        archive.seed(
            &[bar(-day, 7)],
            &minutes,
            &[bar(3_659, 3), bar(3_660, 1), bar(3_662, 5), bar(3_666, 4)],
        );

        assert_eq!(volumes(&archive, Span::Second).len(), 4);
        assert_eq!(volumes(&archive, Span::FiveSeconds), [(3_655, 3), (3_660, 6), (3_665, 4)]);
        assert_eq!(volumes(&archive, Span::Minute), [(0, 10), (60, 20), (3_600, 3), (3_660, 10)]);
        assert_eq!(volumes(&archive, Span::FiveMinutes), [(0, 30), (3_600, 13)]);
        assert_eq!(volumes(&archive, Span::Hour), [(0, 30), (3_600, 13)]);
        assert_eq!(volumes(&archive, Span::Day), [(-day, 7), (0, 43)]);
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        let at = Timestamp::from_nanos(MIDNIGHT + 3_670 * SECOND);
        archive.trade(Seq(1), &Trade { at, size: 100, ..trade });
        archive.fold();
        assert_eq!(latest_volumes(&archive), [100, 100, 110, 113, 113, 143]);
    }

    fn latest_volumes(archive: &InstrumentArchive) -> [u64; Span::COUNT] {
        Span::ALL.map(|span| archive.bars(span).latest(SymbolId(0)).unwrap().volume)
    }
}
