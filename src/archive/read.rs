use super::instrument::InstrumentArchive;
use super::query::{OpenBars, Order, Place, Query};
use super::ring::{Dated, Numbered, Ring};
use super::span::Span;
use super::{Archive, ROWS_PER_LOCK};
use crate::model::{Bar, Quote, Seq, SymbolId, Timestamp, Trade};

/// The latest values of an instrument, all of one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The latest trade.
    pub trade: Option<Trade>,
    /// The latest quote.
    pub quote: Option<Quote>,
    /// The bar of the latest minute that has a trade; of the latest closed one, unless open bars are included.
    pub minute: Option<Bar>,
    /// The bar of the latest day that has a trade: usually today's, so far.
    pub day: Option<Bar>,
    /// The daily bar before that.
    pub previous_day: Option<Bar>,
}

impl Archive {
    /// The latest values of an instrument.
    pub fn summary(&self, symbol: SymbolId, open: OpenBars) -> Summary {
        let watermark = self.watermark();
        let instrument = self.read(symbol);
        Summary {
            trade: instrument.trades.latest(),
            quote: instrument.quotes.latest(),
            minute: latest_minute(&instrument, symbol, open, watermark),
            day: instrument.bars(Span::Day).latest(symbol).filter(Bar::is_priced),
            previous_day: instrument.bars(Span::Day).before_latest(symbol).filter(Bar::is_priced),
        }
    }

    /// The latest trade.
    pub fn latest_trade(&self, symbol: SymbolId) -> Option<Trade> {
        self.read(symbol).trades.latest()
    }

    /// The latest quote.
    pub fn latest_quote(&self, symbol: SymbolId) -> Option<Quote> {
        self.read(symbol).quotes.latest()
    }

    /// The bar of the latest minute that has a trade; of the latest closed one, unless open bars are included.
    pub fn latest_minute(&self, symbol: SymbolId, open: OpenBars) -> Option<Bar> {
        let watermark = self.watermark();
        latest_minute(&self.read(symbol), symbol, open, watermark)
    }

    /// The retained trades that match the query.
    pub fn trades(&self, symbol: SymbolId, query: &Query) -> Vec<Numbered<Trade>> {
        self.page(symbol, query, |instrument| &instrument.trades)
    }

    /// The retained quotes that match the query.
    pub fn quotes(&self, symbol: SymbolId, query: &Query) -> Vec<Numbered<Quote>> {
        self.page(symbol, query, |instrument| &instrument.quotes)
    }

    /// The rows of a ring that match the query. They are read from the end of the ring at which the page starts, until
    /// no unread row can belong to the page.
    fn page<T: Dated>(
        &self,
        symbol: SymbolId,
        query: &Query,
        ring: impl Fn(&InstrumentArchive) -> &Ring<T>,
    ) -> Vec<Numbered<T>> {
        const CHUNK: u64 = ROWS_PER_LOCK as u64;
        let (from, to) = query.times();
        let (mut after, mut up_to) = ring(&self.read(symbol)).around(from, to);
        let mut rows: Vec<Numbered<T>> = Vec::new();
        let mut chunk = Vec::with_capacity(ROWS_PER_LOCK);
        while after < up_to {
            let (begin, end) = match query.order {
                Order::OldestFirst => (after, up_to.min(Seq(after.0 + CHUNK))),
                Order::NewestFirst => (after.max(Seq(up_to.0.saturating_sub(CHUNK))), up_to),
            };
            chunk.clear();
            let lateness_ns = {
                let instrument = self.read(symbol);
                ring(&instrument).copy(begin, end, ROWS_PER_LOCK, &mut chunk);
                ring(&instrument).lateness_ns()
            };
            rows.extend(chunk.iter().filter(|row| query.matches(Place::from(*row))));
            let last_read = match query.order {
                Order::OldestFirst => {
                    after = end;
                    chunk.last()
                }
                Order::NewestFirst => {
                    up_to = begin;
                    chunk.first()
                }
            };
            if last_read.is_some_and(|row| query.is_complete(&rows, row.value.at(), lateness_ns)) {
                break;
            }
        }
        query.arrange(&mut rows);
        rows
    }
}

fn latest_minute(
    instrument: &InstrumentArchive,
    symbol: SymbolId,
    open: OpenBars,
    watermark: Timestamp,
) -> Option<Bar> {
    let minutes = instrument.bars(Span::Minute);
    let latest = minutes.latest(symbol)?;
    let is_closed = open == OpenBars::Included || Span::Minute.timeframe().is_closed(latest.start, watermark);
    let minute = if is_closed && latest.is_priced() { Some(latest) } else { minutes.before_latest(symbol) };
    minute.filter(Bar::is_priced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Retention;
    use crate::archive::{Timeframe, Unit};
    use crate::model::{Body, Object, SECOND};
    use crate::wire::fixtures;

    const SYMBOL: SymbolId = SymbolId(0);

    fn second(second: i64) -> Timestamp {
        Timestamp::from_nanos(second * SECOND)
    }

    /// An archive with trades at these seconds.
    fn archive(seconds: impl IntoIterator<Item = i64>) -> Archive {
        let archive = Archive::new(1, Retention { trades: 5_000, ..Retention::default() });
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        for (seq, at) in (1..).zip(seconds) {
            archive.record(&[Object { seq: Seq(seq), body: Body::Trade(Trade { at: second(at), ..trade }) }]);
        }
        archive
    }

    fn seconds(rows: &[Numbered<Trade>]) -> Vec<i64> {
        rows.iter().map(|row| row.value.at.seconds()).collect()
    }

    #[test]
    fn the_summary_has_the_latest_of_each_kind() {
        let archive = archive([10, 90_000, 90_061]);

        let summary = archive.summary(SYMBOL, OpenBars::Included);

        assert_eq!(summary.trade.map(|trade| trade.at), Some(second(90_061)));
        assert_eq!(summary.quote, None);
        assert_eq!(summary.minute.map(|bar| bar.start), Some(second(90_060)));
        assert_eq!(summary.day.map(|bar| bar.trades), Some(2));
        assert_eq!(summary.previous_day.map(|bar| bar.trades), Some(1));
        assert_eq!(archive.latest_trade(SYMBOL), summary.trade);
    }

    #[test]
    fn bars_are_read_when_they_are_closed_unless_open_ones_are_included() {
        /// The start of an hour.
        const HOUR: i64 = 90_000;
        let archive = archive([10, 61, 121].map(|at| HOUR + at));
        let minute = Timeframe::new(1, Unit::Minute).unwrap();
        let hour = Timeframe::new(1, Unit::Hour).unwrap();
        let starts = |timeframe, open| {
            let bars = archive.bars(SYMBOL, timeframe, open, &Query::ALL);
            bars.iter().map(|bar| bar.start.seconds() - HOUR).collect::<Vec<_>>()
        };
        let latest = |open| {
            let latest = archive.latest_minute(SYMBOL, open);
            assert_eq!(archive.summary(SYMBOL, open).minute, latest);
            latest.map(|bar| bar.start.seconds() - HOUR)
        };

        archive.advance(second(HOUR + 122));
        assert_eq!(starts(minute, OpenBars::Excluded), [0, 60]);
        assert_eq!(starts(minute, OpenBars::Included), [0, 60, 120]);
        assert_eq!(starts(hour, OpenBars::Excluded), [0i64; 0]);
        assert_eq!((latest(OpenBars::Excluded), latest(OpenBars::Included)), (Some(60), Some(120)));
        assert_eq!(archive.summary(SYMBOL, OpenBars::Excluded).day.map(|bar| bar.trades), Some(3), "so far");

        archive.advance(second(HOUR + 180));
        assert_eq!(starts(minute, OpenBars::Excluded), [0, 60, 120]);
        assert_eq!(latest(OpenBars::Excluded), Some(120));
        archive.advance(second(HOUR + 3_600));
        assert_eq!(starts(hour, OpenBars::Excluded), [0]);
    }

    #[test]
    fn trades_are_found_by_time_with_both_bounds_included() {
        let archive = archive([10, 11, 12, 13, 14]);
        let query = Query { from: second(11), to: second(13), ..Query::ALL };

        assert_eq!(seconds(&archive.trades(SYMBOL, &query)), [11, 12, 13]);
        let newest = Query { order: Order::NewestFirst, limit: 2, ..query };
        assert_eq!(seconds(&archive.trades(SYMBOL, &newest)), [13, 12]);
    }

    /// Seconds of trades; every seventh trade is 40 s late.
    fn with_late_ones() -> Vec<i64> {
        (100..2_100).map(|at| if at % 7 == 0 { at - 40 } else { at }).collect()
    }

    #[test]
    fn pages_have_every_trade_once_and_in_order_of_time_when_some_are_late() {
        let times = with_late_ones();
        let archive = archive(times.iter().copied());
        let mut sorted = times.clone();
        sorted.sort_unstable();
        for (order, limit) in [(Order::OldestFirst, 77), (Order::NewestFirst, 77), (Order::OldestFirst, 999)]
        {
            let mut all = Vec::new();
            let mut query = Query { order, limit, ..Query::ALL };
            loop {
                let page = archive.trades(SYMBOL, &query);
                let Some(last) = page.last() else { break };
                query.after = Some(Place::from(last));
                all.extend(seconds(&page));
            }

            if order == Order::NewestFirst {
                all.reverse();
            }
            assert_eq!(all, sorted, "{order:?} {limit}");
        }
    }

    #[test]
    fn bars_of_a_timeframe_are_merged_from_retained_bars() {
        let archive = archive((0..600).map(|step| step * 30));
        let quarters = Timeframe::new(15, Unit::Minute).unwrap();

        let bars = archive.bars(SYMBOL, quarters, OpenBars::Included, &Query { limit: 3, ..Query::ALL });

        let starts: Vec<_> = bars.iter().map(|bar| (bar.start.seconds(), bar.trades)).collect();
        assert_eq!(starts, [(0, 30), (900, 30), (1_800, 30)]);
        let rest = Query { after: Some(Place::from(&bars[2])), ..Query::ALL };
        assert_eq!(archive.bars(SYMBOL, quarters, OpenBars::Included, &rest).len(), 17);
        let between = Query { from: second(1), to: second(1_800), ..Query::ALL };
        assert_eq!(archive.bars(SYMBOL, quarters, OpenBars::Included, &between).len(), 2);
    }

    #[test]
    fn a_bar_that_starts_in_the_time_range_is_returned_whole() {
        let archive = archive(0..1_200);
        let tens = Timeframe::new(10, Unit::Minute).unwrap();
        let of_seconds = Timeframe::new(2, Unit::Second).unwrap();

        let one = archive.bars(SYMBOL, tens, OpenBars::Included, &Query { to: second(5), ..Query::ALL });
        let last = archive.bars(
            SYMBOL,
            of_seconds,
            OpenBars::Included,
            &Query { from: second(200), to: second(1_000), ..Query::ALL },
        );

        assert_eq!(one.iter().map(|bar| bar.trades).collect::<Vec<_>>(), [600]);
        assert!(last.iter().all(|bar| bar.trades == 2) && last.len() == 401, "{last:?}");
    }

    #[test]
    fn a_bar_is_not_returned_when_a_part_of_it_is_removed() {
        let archive = archive(0..1_900);
        let of = |count| {
            archive.bars(
                SYMBOL,
                Timeframe::new(count, Unit::Second).unwrap(),
                OpenBars::Included,
                &Query::ALL,
            )
        };

        // Bars are removed in blocks: the ring holds up to one more block than it has to keep.
        let (kept, first) = (of(1).len(), of(1)[0].start);
        assert!((1_800..1_832).contains(&kept), "{kept}");
        assert_eq!(first, second(1_900 - kept as i64));
        let sevens = of(7);
        assert!(sevens[0].start > first, "{:?}", sevens[0]);
        assert!(sevens[..250].iter().all(|bar| bar.trades == 7), "{sevens:?}");
    }
}
