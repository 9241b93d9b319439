//! Queries of bars, read from the end at which the page starts until it is full.

use std::ops::Range;
use std::time::Duration;

use super::query::{OpenBars, Order, Place, Query};
use super::span::Span;
use super::timeframe::{Joiner, Timeframe};
use super::{Archive, ROWS_PER_LOCK};
use crate::model::{Bar, SymbolId, Timestamp, TradingDay};

impl Archive {
    /// The bars that match the query, except those of which a part is no longer retained.
    ///
    /// Costs O(base bars that make up the result), and some 0.2 ms more for each day whose
    /// [earlier bars](super::EarlierBars) are made for it.
    pub fn bars(&self, symbol: SymbolId, timeframe: Timeframe, open: OpenBars, query: &Query) -> Vec<Bar> {
        let page = BarPage { timeframe, open, watermark: self.watermark(), query };
        let mut base = BaseBars { archive: self, symbol, span: timeframe.base(), removed_until: None };
        let mut bars = match query.order {
            Order::OldestFirst => page.read_oldest_first(&mut base),
            Order::NewestFirst => page.read_newest_first(&mut base),
        };
        while let Some(last) = bars.last()
            && !page.includes_open(last.start)
        {
            bars.pop();
        }
        bars.retain(|bar| {
            bar.is_priced() && query.matches(Place::from(bar)) && Some(bar.start) > base.removed_until
        });
        query.arrange(&mut bars);
        bars
    }
}

/// What a query wants.
struct BarPage<'q> {
    timeframe: Timeframe,
    open: OpenBars,
    watermark: Timestamp,
    query: &'q Query,
}

impl BarPage<'_> {
    /// The bars up to the end of the time range, or a bar beyond the limit.
    fn read_oldest_first(&self, base: &mut BaseBars<'_>) -> Vec<Bar> {
        let (mut next, to) = self.query.times();
        let mut joiner = Joiner::new(self.timeframe, base.span);
        let mut found = FoundIntervals::default();
        while found.complete < self.query.limit && joiner.latest_start().is_none_or(|start| start <= to) {
            let chunk = base.from(next);
            let Some(last) = chunk.last() else { break };
            next = last.start + NANOSECOND;
            for bar in &chunk {
                found.push(bar, self);
                joiner.push(bar);
            }
        }
        joiner.finish()
    }

    /// The bars down to the start of the time range, or a part of a bar beyond the limit.
    fn read_newest_first(&self, base: &mut BaseBars<'_>) -> Vec<Bar> {
        let (from, to) = self.query.times();
        // All of the bar that starts in the range is read. Nothing starts much later than the watermark.
        let mut until = match to <= self.watermark {
            true => self.timeframe.interval(to, &mut TradingDay::default()).end,
            false => Timestamp::from_nanos(i64::MAX),
        };
        let mut chunks = Vec::new();
        let mut found = FoundIntervals::default();
        while found.complete < self.query.limit && until > from {
            let chunk = base.before(until);
            let Some(first) = chunk.first() else { break };
            until = first.start;
            chunk.iter().rev().for_each(|bar| found.push(bar, self));
            chunks.push(chunk);
        }
        let mut joiner = Joiner::new(self.timeframe, base.span);
        chunks.iter().rev().flatten().for_each(|bar| joiner.push(bar));
        joiner.finish()
    }

    /// True when a bar that starts then is closed, or may be open.
    fn includes_open(&self, start: Timestamp) -> bool {
        self.open == OpenBars::Included || self.timeframe.is_closed(start, self.watermark)
    }
}

/// Counts the bars of a query while their base bars are read, in either direction.
#[derive(Default)]
struct FoundIntervals {
    /// The bars of the result of which all base bars were read.
    complete: usize,
    /// That of the last base bar.
    interval: Range<Timestamp>,
    day: TradingDay,
    /// Whether the bar of that interval belongs to the result and is not counted yet.
    is_wanted: bool,
    /// Whether it has a price.
    is_priced: bool,
}

impl FoundIntervals {
    fn push(&mut self, bar: &Bar, page: &BarPage<'_>) {
        if !self.interval.contains(&bar.start) {
            self.complete();
            self.interval = page.timeframe.interval(bar.start, &mut self.day);
            let start = self.interval.start;
            let place = Place::from(&Bar { start, ..*bar });
            self.is_wanted = page.query.matches(place) && page.includes_open(start);
            self.is_priced = false;
        }
        self.is_priced |= bar.is_priced();
        if page.query.order == Order::NewestFirst && bar.start == self.interval.start {
            self.complete();
        }
    }

    /// All base bars of the interval were read.
    fn complete(&mut self) {
        self.complete += usize::from(self.is_wanted && self.is_priced);
        self.is_wanted = false;
    }
}

/// The bars of one span of an instrument, the earlier ones and the retained ones, in pieces.
struct BaseBars<'a> {
    archive: &'a Archive,
    symbol: SymbolId,
    span: Span,
    /// The start of the latest bar that was no longer retained when the first piece was read for which this mattered.
    removed_until: Option<Timestamp>,
}

impl BaseBars<'_> {
    /// The oldest bars from this time on, in order. None if there are no later ones.
    fn from(&mut self, from: Timestamp) -> Vec<Bar> {
        if let Some((earlier, until)) = self.earlier()
            && from < until
        {
            let made = earlier.oldest(self.symbol, self.span, &(from..until));
            if !made.is_empty() {
                return made;
            }
        }
        let mut chunk = Vec::with_capacity(ROWS_PER_LOCK);
        let instrument = self.archive.read(self.symbol);
        let bars = instrument.bars(self.span);
        self.removed_until = self.removed_until.or(bars.removed_until());
        bars.copy(self.symbol, from, ROWS_PER_LOCK, &mut chunk);
        chunk
    }

    /// The newest bars before this time, in order. None if there are no earlier ones.
    fn before(&mut self, until: Timestamp) -> Vec<Bar> {
        let mut chunk = Vec::with_capacity(ROWS_PER_LOCK);
        {
            let instrument = self.archive.read(self.symbol);
            let bars = instrument.bars(self.span);
            self.removed_until = self.removed_until.or(bars.removed_until());
            bars.copy_before(self.symbol, until, ROWS_PER_LOCK, &mut chunk);
        }
        if chunk.is_empty()
            && let Some((earlier, made_until)) = self.earlier()
        {
            let times = Timestamp::from_nanos(i64::MIN)..until.min(made_until);
            return earlier.newest(self.symbol, self.span, &times);
        }
        chunk
    }

    /// Where the earlier bars come from, and the time before which they start.
    fn earlier(&self) -> Option<(&dyn super::EarlierBars, Timestamp)> {
        let earlier = self.archive.earlier.get()?;
        let until = self.archive.read(self.symbol).earlier_until(self.span)?;
        Some((&**earlier, until))
    }
}

const NANOSECOND: Duration = Duration::from_nanos(1);

#[cfg(test)]
#[path = "bar_query_tests.rs"]
mod tests;
