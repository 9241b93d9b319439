use allocation_counter::measure;
use futures_util::StreamExt;
use futures_util::stream;

use super::*;
use crate::archive::Retention;
use crate::feed::BarSpans;
use crate::model::{
    Bar, Body, Channel, Conditions, Instrument, Price, SECOND, Seq, StreamId, SymbolId, Trade, TradeRules,
    Universe,
};
use crate::wire::fixtures;

/// A source of one trade of the last instrument for each poll, which may list one more instrument before.
struct ScriptedSource {
    universe: Arc<Universe>,
    is_growing: bool,
}

fn trade(symbol: SymbolId) -> Trade {
    let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
    Trade { symbol, ..trade }
}

impl EventSource for ScriptedSource {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn universe(&self) -> &Arc<Universe> {
        &self.universe
    }

    fn open(&mut self, out: &mut Vec<Event>) -> Timestamp {
        let trade = trade(SymbolId(self.universe.len() as u32 - 1));
        out.push(Event::Trade(trade));
        trade.at
    }

    fn poll(&mut self, out: &mut Vec<Event>) -> Option<Timestamp> {
        if self.is_growing {
            let mut instruments: Vec<_> = self.universe.iter().cloned().collect();
            let symbol = format!("NEW{}", instruments.len()).parse().unwrap();
            instruments.push(Instrument { symbol, ..instruments[0].clone() });
            self.universe = Arc::new(Universe::new(instruments));
        }
        Some(self.open(out))
    }

    fn ticks(&mut self) -> Ticks {
        stream::pending().boxed_local()
    }
}

fn feed(is_growing: bool) -> (SequencedFeed, LastValues) {
    let universe = Arc::new(fixtures::universe());
    let from = trade(SymbolId(0)).at;
    let sequencer = Sequencer::new(Arc::clone(&universe), BarSpans::default(), Epoch::default(), from);
    let archive = Arc::new(Archive::new(universe.len(), Retention::default()));
    let last_values = LastValues::new(universe.len());
    let source = Box::new(ScriptedSource { universe, is_growing });
    (SequencedFeed::new(source, sequencer, archive, FeedMetrics::default()), last_values)
}

#[test]
fn an_instrument_that_is_listed_while_the_feed_runs_is_published_and_recorded() {
    let (mut feed, mut last_values) = feed(true);
    let listed = feed.source.universe().len() as u32;

    feed.open(&mut last_values);
    for added in (listed..listed + 3).map(SymbolId) {
        let batch = feed.poll(&mut last_values).expect("there is a trade");
        feed.settle();

        let trades = StreamId::new(Channel::Trades, added);
        assert_eq!(batch.object(0).stream(), trades);
        assert_eq!(last_values.seq(trades), Seq(1));
        assert_eq!(feed.archive.latest_trade(added), Some(trade(added)));
    }
}

/// A source that reports a notice at each poll, and an event at every second one.
struct NoticeSource {
    universe: Arc<Universe>,
    polls: usize,
}

impl EventSource for NoticeSource {
    fn name(&self) -> &'static str {
        "notice"
    }

    fn universe(&self) -> &Arc<Universe> {
        &self.universe
    }

    fn open(&mut self, _: &mut Vec<Event>) -> Timestamp {
        Timestamp::from_nanos(SECOND)
    }

    fn poll(&mut self, out: &mut Vec<Event>) -> Option<Timestamp> {
        self.polls += 1;
        let trade = trade(SymbolId(0));
        (self.polls % 2 == 1).then(|| {
            out.push(Event::Trade(trade));
            trade.at
        })
    }

    fn take_notices(&mut self) -> Vec<FeedNotice> {
        vec![FeedNotice::clock_was_set(Timestamp::default(), Timestamp::from_nanos(self.polls as i64))]
    }

    fn ticks(&mut self) -> Ticks {
        stream::pending().boxed_local()
    }
}

#[test]
fn a_notice_of_the_source_is_published_with_the_next_batch_or_alone() {
    let universe = Arc::new(fixtures::universe());
    let from = trade(SymbolId(0)).at;
    let sequencer = Sequencer::new(Arc::clone(&universe), BarSpans::default(), Epoch::default(), from);
    let archive = Arc::new(Archive::new(universe.len(), Retention::default()));
    let source = Box::new(NoticeSource { universe, polls: 0 });
    let mut feed = SequencedFeed::new(source, sequencer, archive, FeedMetrics::default());
    let mut last_values = LastValues::new(2);
    feed.open(&mut last_values);

    for (poll, objects) in (0..).zip([2, 0, 2, 0]) {
        let batch = feed.poll(&mut last_values).expect("there is a notice");

        assert_eq!((batch.len(), batch.watermark()), (objects, from));
        let [notice] = batch.notices() else { panic!("{:?}", batch.notices()) };
        assert_eq!(notice.to, Some(Timestamp::from_nanos(poll)));
    }
}

/// A source whose polls give these trades and watermarks.
struct ClockStepSource {
    universe: Arc<Universe>,
    polls: std::vec::IntoIter<(Option<Trade>, Timestamp)>,
}

impl EventSource for ClockStepSource {
    fn name(&self) -> &'static str {
        "clock step"
    }

    fn universe(&self) -> &Arc<Universe> {
        &self.universe
    }

    fn open(&mut self, out: &mut Vec<Event>) -> Timestamp {
        self.poll(out).expect("there is a first poll")
    }

    fn poll(&mut self, out: &mut Vec<Event>) -> Option<Timestamp> {
        let (trade, watermark) = self.polls.next()?;
        out.extend(trade.map(Event::Trade));
        Some(watermark)
    }

    fn ticks(&mut self) -> Ticks {
        stream::pending().boxed_local()
    }
}

#[test]
fn after_the_clock_was_set_back_bars_begin_anew_and_agree_with_the_archive() {
    let minute = trade(SymbolId(0)).at.floor_to(60 * SECOND);
    let at = |seconds: i64| Timestamp::from_nanos(minute.nanos() + seconds * SECOND);
    let trade = |seconds, size| Some(Trade { at: at(seconds), size, ..trade(SymbolId(0)) });
    let hour = 3_600;
    let polls = vec![
        (trade(5, 1), at(10)),
        (None, at(65)),
        (trade(hour + 5, 10), at(hour + 10)),
        (None, at(20)),
        (trade(25, 100), at(30)),
        (None, at(70)),
        (trade(75, 1_000), at(130)),
    ];
    let universe = Arc::new(fixtures::universe());
    let sequencer = Sequencer::new(Arc::clone(&universe), BarSpans::default(), Epoch::default(), at(0));
    let archive = Arc::new(Archive::new(universe.len(), Retention::default()));
    let source = Box::new(ClockStepSource { universe, polls: polls.into_iter() });
    let mut feed = SequencedFeed::new(source, sequencer, Arc::clone(&archive), FeedMetrics::default());
    let mut last_values = LastValues::new(2);

    let mut batches: Vec<_> = feed.open(&mut last_values).into_iter().collect();
    batches.extend((0..6).filter_map(|_| feed.poll(&mut last_values)));

    let objects = || batches.iter().flat_map(|batch| batch.objects());
    let bars: Vec<_> = objects()
        .filter_map(|object| match object.body {
            Body::Bar(bar) => Some((bar.start, bar.volume, object.seq.0)),
            _ => None,
        })
        .collect();
    let expected = [(at(0), 1, 1), (at(0), 101, 2), (at(60), 1_000, 3)];
    assert_eq!(bars, expected, "the bar of the future minute is dropped, the repeated one continued");
    let minutes = archive.bars(
        SymbolId(0),
        crate::archive::Span::Minute.timeframe(),
        crate::archive::OpenBars::Included,
        &crate::archive::Query::ALL,
    );
    assert_eq!(
        minutes.iter().map(|bar| (bar.start, bar.volume)).collect::<Vec<_>>(),
        [(at(0), 101), (at(60), 1_000)]
    );
    let trades: Vec<_> =
        archive.trades(SymbolId(0), &crate::archive::Query::ALL).iter().map(|row| row.seq.0).collect();
    assert_eq!(trades, [1, 3, 4, 2], "trades keep the times at which they were published");
    let ticker = objects().filter_map(|object| match object.body {
        Body::Ticker(ticker) => Some(ticker),
        _ => None,
    });
    let ticker = ticker.last().unwrap();
    assert_eq!((ticker.at, ticker.size, ticker.volume), (at(75), 1_000, 1_111));
}

/// A source of the trades of a consolidated tape, each at its second of a minute.
struct TapeSource {
    universe: Arc<Universe>,
    trades: std::vec::IntoIter<Trade>,
}

impl EventSource for TapeSource {
    fn name(&self) -> &'static str {
        "tape"
    }

    fn universe(&self) -> &Arc<Universe> {
        &self.universe
    }

    fn trade_rules(&self) -> TradeRules {
        TradeRules::Consolidated
    }

    fn open(&mut self, _: &mut Vec<Event>) -> Timestamp {
        trade(SymbolId(0)).at.floor_to(60 * SECOND)
    }

    fn poll(&mut self, out: &mut Vec<Event>) -> Option<Timestamp> {
        let trade = self.trades.next()?;
        out.push(Event::Trade(trade));
        Some(trade.at)
    }

    fn ticks(&mut self) -> Ticks {
        stream::pending().boxed_local()
    }
}

#[test]
fn bars_and_tickers_of_a_consolidated_tape_follow_the_sale_conditions() {
    let minute = trade(SymbolId(0)).at.floor_to(60 * SECOND);
    let trades = [
        (1, 500, 5, &b"@ I"[..]),
        (2, 100, 100, b"@"),
        (3, 120, 100, b"@F"),
        (4, 900, 1_000, b"@4 W"),
        (5, 130, 100, b"@ Z"),
        (6, 90, 9, b"@ I"),
        (7, 1, 7_000, b"M"),
        (61, 70, 3, b"@ I"),
        (121, 110, 100, b"@ T"),
        (181, 115, 100, b"@"),
    ];
    let trades = trades.map(|(second, cents, size, letters)| Trade {
        at: Timestamp::from_nanos(minute.nanos() + second * SECOND),
        price: Price::from_cents(cents),
        size,
        conditions: Conditions::new(letters),
        ..trade(SymbolId(0))
    });
    let universe = Arc::new(fixtures::universe());
    let sequencer = Sequencer::new(Arc::clone(&universe), BarSpans::default(), Epoch::default(), minute);
    let archive = Arc::new(Archive::new(universe.len(), Retention::default()));
    let source = Box::new(TapeSource { universe, trades: Vec::from(trades).into_iter() });
    let mut feed = SequencedFeed::new(source, sequencer, Arc::clone(&archive), FeedMetrics::default());
    let mut last_values = LastValues::new(2);
    feed.open(&mut last_values);
    let batches: Vec<_> = std::iter::from_fn(|| feed.poll(&mut last_values)).collect();

    let objects = || batches.iter().flat_map(|batch| batch.objects());
    let bars: Vec<Bar> = objects()
        .filter_map(|object| match object.body {
            Body::Bar(bar) => Some(bar),
            _ => None,
        })
        .collect();
    let figures =
        |bar: &Bar| ([bar.open, bar.high, bar.low, bar.close].map(Price::cents), bar.volume, bar.trades);
    // The second minute has an odd lot only: no price, no bar.
    assert_eq!(
        bars.iter().map(figures).collect::<Vec<_>>(),
        [([100, 130, 100, 120], 1_314, 6), ([110, 110, 110, 110], 100, 1),]
    );
    let minutes = archive.bars(
        SymbolId(0),
        crate::archive::Span::Minute.timeframe(),
        crate::archive::OpenBars::Excluded,
        &crate::archive::Query::ALL,
    );
    assert_eq!(minutes, bars);
    let day = archive.summary(SymbolId(0), crate::archive::OpenBars::Included).day.unwrap();
    assert_eq!(figures(&day), ([100, 130, 100, 115], 1_517, 9));
    let ticker = objects().filter_map(|object| match object.body {
        Body::Ticker(ticker) => Some((ticker.price.cents(), ticker.high.cents(), ticker.volume)),
        _ => None,
    });
    let tickers: Vec<_> = ticker.collect();
    assert_eq!(tickers[6..], [(120, 130, 1_314), (120, 130, 1_317), (110, 130, 1_417), (115, 130, 1_517)]);
}

/// 1,000 times a second: buffers and tables are reused.
#[test]
fn a_tick_allocates_the_batch_with_its_two_lists_and_nothing_else() {
    let (mut feed, mut last_values) = feed(false);
    // The capacity of the pending buffer doubles: it has room for 16 after 9.
    for _ in 0..9 {
        feed.poll(&mut last_values);
    }

    let allocated = measure(|| {
        feed.poll(&mut last_values);
        feed.settle();
    });

    assert_eq!(allocated.count_total, 3);
}
