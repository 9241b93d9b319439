//! Bars that a source gives, through the sequencer and into the archive.

use std::sync::Arc;

use super::{BarSpans, Batch, LastValues, Sequencer};
use crate::archive::{Archive, OpenBars, Query, Retention, Span};
use crate::model::{
    Bar, BarOrigin, Body, Channel, Epoch, Event, Instrument, Price, SECOND, SymbolId, Ticker, Timestamp,
    Trade, TradingDay, Universe,
};
use crate::wire::fixtures;

const GIVEN: SymbolId = SymbolId(0);
const FOLDED: SymbolId = SymbolId(1);
const HOUR: i64 = 3_600;

/// A feed of two instruments with the archive behind it. The source gives bars of the first one; times are in seconds
/// since midnight.
struct World {
    universe: Arc<Universe>,
    sequencer: Sequencer,
    last_values: LastValues,
    archive: Archive,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_nanos(TradingDay::named("2026-11-20").unwrap().start.nanos() + second * SECOND)
}

fn trade(symbol: SymbolId, second: i64, cents: i64, size: u64) -> Trade {
    let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
    Trade { symbol, at: at(second), price: Price::from_cents(cents), size, ..trade }
}

/// A bar of this symbol, with open, high, low, close and volume.
fn bar(symbol: SymbolId, second: i64, cents: [i64; 4], volume: u64) -> Bar {
    let [open, high, low, close] = cents.map(Price::from_cents);
    Bar { symbol, start: at(second), open, high, low, close, volume, trades: 1, notional: 0 }
}

impl World {
    fn new(bars: BarOrigin, daily_bars: BarOrigin) -> Self {
        let mut instruments: Vec<_> = fixtures::universe().iter().cloned().collect();
        instruments[0] = Instrument { bars, daily_bars, ..instruments[0].clone() };
        let universe = Arc::new(Universe::new(instruments));
        let archive = Archive::new(universe.len(), Retention::default());
        archive.list(&universe);
        let last_values = LastValues::new(universe.len());
        let start = at(9 * HOUR);
        let sequencer = Sequencer::new(Arc::clone(&universe), BarSpans::default(), Epoch::default(), start);
        Self { universe, sequencer, last_values, archive }
    }

    /// Continues from the archive and the last values.
    fn start_again(&mut self, second: i64) {
        let sequencer =
            Sequencer::new(Arc::clone(&self.universe), BarSpans::default(), Epoch::default(), at(second));
        self.sequencer = sequencer.resume(&self.archive).resume_last_values(&self.last_values);
    }

    /// Publishes these events, and everything up to a second.
    fn publish(&mut self, events: &[Event], until: i64) -> Batch {
        let batch = self.sequencer.sequence(&mut self.last_values, events, at(until));
        self.archive.record(batch.events());
        self.archive.advance(at(until));
        batch
    }

    /// Starts in seconds and volumes of the bars that REST returns.
    fn bars(&self, symbol: SymbolId, span: Span, open: OpenBars) -> Vec<(i64, u64)> {
        let bars = self.archive.bars(symbol, span.timeframe(), open, &Query::ALL);
        bars.iter().map(|bar| (bar.start.nanos_since(at(0)) / SECOND, bar.volume)).collect()
    }
}

/// Channel, symbol and volume of the bars of a batch.
fn bars_of(batch: &Batch) -> Vec<(Channel, SymbolId, u64)> {
    let bar = |body: &Body| match body {
        Body::Bar(bar) | Body::UpdatedBar(bar) | Body::DailyBar(bar) => Some(*bar),
        _ => None,
    };
    let objects = batch.events().iter();
    objects
        .filter_map(|object| bar(&object.body).map(|bar| (object.body.channel(), bar.symbol, bar.volume)))
        .collect()
}

fn ticker(batch: &Batch, symbol: SymbolId) -> Option<Ticker> {
    batch.tickers().iter().find_map(|object| match object.body {
        Body::Ticker(ticker) if ticker.symbol == symbol => Some(ticker),
        _ => None,
    })
}

/// Last price, open, high, low and volume.
fn figures(batch: &Batch) -> ([i64; 4], u64) {
    let ticker = ticker(batch, GIVEN).expect("the ticker has changed");
    ([ticker.price, ticker.open, ticker.high, ticker.low].map(Price::cents), ticker.volume)
}

#[test]
fn minutes_of_the_source_are_published_with_the_day_so_far_and_none_is_folded() {
    let mut world = World::new(BarOrigin::Source, BarOrigin::Folded);
    let start = 9 * HOUR;
    let trades = [GIVEN, FOLDED].map(|symbol| Event::Trade(trade(symbol, start + 5, 100, 7)));

    assert_eq!(bars_of(&world.publish(&trades, start + 59)), []);
    let first = world.publish(&[Event::Bar(bar(GIVEN, start, [100, 101, 99, 100], 10))], start + 60);
    let second = world.publish(&[Event::Bar(bar(GIVEN, start + 60, [100, 105, 100, 103], 5))], start + 120);
    let third = world.publish(&[], start + 180);

    let [minutes, days] = [Channel::Bars, Channel::DailyBars];
    assert_eq!(
        bars_of(&first),
        [(minutes, GIVEN, 10), (days, GIVEN, 10), (minutes, FOLDED, 7), (days, FOLDED, 7)]
    );
    assert_eq!(bars_of(&second), [(minutes, GIVEN, 5), (days, GIVEN, 15), (days, FOLDED, 7)]);
    assert_eq!(bars_of(&third), [(days, FOLDED, 7)], "a minute that the source does not tell has no bar");
    let seqs: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|batch| batch.events())
        .filter(|object| object.body.symbol() == GIVEN)
        .map(|object| object.seq.0)
        .collect();
    assert_eq!(seqs, [1, 1, 2, 2]);
}

#[test]
fn a_ticker_follows_trades_until_the_source_tells_of_their_minute() {
    let mut world = World::new(BarOrigin::Source, BarOrigin::Folded);
    let start = 9 * HOUR;
    let sell = |second, cents, size| Event::Trade(trade(GIVEN, start + second, cents, size));
    let told = |second, cents, volume| Event::Bar(bar(GIVEN, start + second, cents, volume));

    let batch = world.publish(&[sell(5, 100, 7), sell(6, 120, 3)], start + 10);
    assert_eq!(figures(&batch), ([120, 100, 120, 100], 10));

    // The next minute has begun when the source tells that one trade did not count for the prices.
    world.publish(&[], start + 60);
    let batch = world.publish(&[sell(61, 130, 1)], start + 61);
    assert_eq!(figures(&batch), ([130, 100, 130, 100], 11));
    let batch = world.publish(&[told(0, [100, 101, 99, 101], 8)], start + 62);
    assert_eq!(figures(&batch), ([130, 100, 130, 99], 9), "the trade of the present minute stays");

    let batch = world.publish(&[sell(70, 80, 2)], start + 70);
    assert_eq!(figures(&batch), ([80, 100, 130, 80], 11));
    let batch = world.publish(&[told(60, [130, 130, 130, 130], 1)], start + 120);
    assert_eq!(figures(&batch), ([80, 100, 130, 99], 9), "the source has the last word");
    let batch = world.publish(&[told(180, [90, 90, 90, 90], 4)], start + 240);
    assert_eq!(figures(&batch), ([90, 100, 130, 90], 13), "without trades the close is the last price");
    let last = ticker(&batch, GIVEN).unwrap();
    assert_eq!((last.size, last.at), (0, at(start + 240)));
}

#[test]
fn an_updated_minute_is_published_and_changes_the_day_and_the_longer_bars() {
    let mut world = World::new(BarOrigin::Source, BarOrigin::Folded);
    let start = 9 * HOUR;
    let told = |second, high, volume| bar(GIVEN, start + second, [100, high, 100, 100], volume);
    world.publish(&[Event::Bar(told(0, 120, 10))], start + 60);
    world.publish(&[Event::Bar(told(60, 150, 5))], start + 120);

    let batch = world.publish(&[Event::UpdatedBar(told(60, 110, 3))], start + 150);

    assert_eq!(bars_of(&batch), [(Channel::UpdatedBars, GIVEN, 3)]);
    assert_eq!(figures(&batch), ([100, 100, 120, 100], 13));
    for span in [Span::FiveMinutes, Span::Hour, Span::Day] {
        assert_eq!(world.bars(GIVEN, span, OpenBars::Included).last().unwrap().1, 13, "{span:?}");
    }
    let next = world.publish(&[Event::Bar(told(120, 100, 1))], start + 180);
    assert_eq!(bars_of(&next), [(Channel::Bars, GIVEN, 1), (Channel::DailyBars, GIVEN, 14)]);
    world.publish(&[Event::UpdatedBar(told(0, 100, 20))], start + 190);
    let day = world.archive.summary(GIVEN, OpenBars::Included).day.unwrap();
    assert_eq!((day.volume, day.high.cents()), (24, 110), "an older minute changes them too");
}

#[test]
fn the_archive_merges_minutes_of_the_source_and_no_trades_into_longer_bars() {
    let mut world = World::new(BarOrigin::Source, BarOrigin::Folded);
    let start = 9 * HOUR;
    for minute in 0..7 {
        let second = start + 60 * minute;
        world.publish(&[Event::Trade(trade(GIVEN, second + 1, 900, 1_000))], second + 2);
        world.publish(&[Event::Bar(bar(GIVEN, second, [100; 4], 1 << minute))], second + 60);
    }
    world.publish(&[Event::Trade(trade(GIVEN, start + 421, 900, 1_000))], start + 422);

    let minutes: Vec<_> = (0..7).map(|minute| (start + 60 * minute, 1 << minute)).collect();
    for open in [OpenBars::Excluded, OpenBars::Included] {
        assert_eq!(world.bars(GIVEN, Span::Minute, open), minutes, "the open minute is not told yet");
    }
    assert_eq!(world.bars(GIVEN, Span::FiveMinutes, OpenBars::Excluded), [(start, 31)]);
    assert_eq!(world.bars(GIVEN, Span::FiveMinutes, OpenBars::Included), [(start, 31), (start + 300, 96)]);
    assert_eq!(world.bars(GIVEN, Span::Hour, OpenBars::Included), [(start, 127)]);
    assert_eq!(world.bars(GIVEN, Span::Day, OpenBars::Included), [(0, 127)]);
    assert_eq!(world.bars(GIVEN, Span::Second, OpenBars::Included).len(), 8, "seconds are of the trades");
}

#[test]
fn days_of_the_source_are_published_and_none_is_folded_from_its_minutes() {
    let mut world = World::new(BarOrigin::Source, BarOrigin::Source);
    let start = 9 * HOUR;
    let minute = Event::Bar(bar(GIVEN, start, [100; 4], 10));
    let day = Event::DailyBar(bar(GIVEN, 0, [90, 110, 80, 100], 5_000));

    let batch = world.publish(&[minute, day], start + 60);
    assert_eq!(bars_of(&batch), [(Channel::Bars, GIVEN, 10), (Channel::DailyBars, GIVEN, 5_000)]);
    assert_eq!(figures(&batch), ([100, 90, 110, 80], 5_000), "the minute is in the day already");
    assert_eq!(world.bars(GIVEN, Span::Day, OpenBars::Included), [(0, 5_000)]);

    let batch = world.publish(&[Event::Trade(trade(GIVEN, start + 61, 120, 3))], start + 62);
    assert_eq!(figures(&batch), ([120, 90, 120, 80], 5_003));
}

#[test]
fn days_of_the_source_go_with_minutes_folded_from_trades() {
    let mut world = World::new(BarOrigin::Folded, BarOrigin::Source);
    let start = 9 * HOUR;
    let day = |volume| Event::DailyBar(bar(GIVEN, 0, [90, 110, 80, 100], volume));

    world.publish(&[Event::Trade(trade(GIVEN, start + 1, 100, 7)), day(900)], start + 2);
    let batch = world.publish(&[day(1_000)], start + 60);

    let bars = bars_of(&batch);
    assert_eq!(bars, [(Channel::DailyBars, GIVEN, 1_000), (Channel::Bars, GIVEN, 7)]);
    assert_eq!(world.bars(GIVEN, Span::Minute, OpenBars::Excluded), [(start, 7)]);
    assert_eq!(world.bars(GIVEN, Span::Day, OpenBars::Included), [(0, 1_000)]);
    let ignored = world.publish(&[Event::Bar(bar(GIVEN, start, [1; 4], 1))], start + 61);
    assert_eq!(bars_of(&ignored), [], "its minutes are folded");
}

#[test]
fn the_bar_of_a_day_is_published_if_nothing_shorter_told_of_that_day() {
    let mut world = World::new(BarOrigin::Folded, BarOrigin::Folded);
    let day = 24 * HOUR;
    let whole = |start, volume| Event::DailyBar(bar(FOLDED, start, [100, 110, 90, 105], volume));

    let batch = world.publish(&[whole(0, 500)], day);
    assert_eq!(bars_of(&batch), [(Channel::DailyBars, FOLDED, 500)]);
    let today = ticker(&batch, FOLDED).unwrap();
    assert_eq!((today.previous_close.cents(), today.price.cents(), today.volume), (105, 105, 0));

    world.publish(&[Event::Trade(trade(FOLDED, day + 5, 120, 7))], day + 60);
    let folded = [(Channel::DailyBars, FOLDED, 7)];
    assert_eq!(bars_of(&world.publish(&[whole(day, 900)], 2 * day - 1)), folded);
    world.publish(&[], 2 * day);
    assert_eq!(bars_of(&world.publish(&[whole(day, 900)], 2 * day)), [], "nor after its end");
    assert_eq!(world.bars(FOLDED, Span::Day, OpenBars::Included), [(0, 500), (day, 7)]);

    world.publish(&[], 3 * day);
    let late = world.publish(&[whole(2 * day, 40)], 3 * day);
    assert_eq!(bars_of(&late), [(Channel::DailyBars, FOLDED, 40)], "told after the day has ended");
    assert_eq!(ticker(&late, FOLDED).unwrap().previous_close.cents(), 105);
}

#[test]
fn the_last_minute_of_a_day_that_is_told_after_midnight_is_of_that_day() {
    let mut world = World::new(BarOrigin::Source, BarOrigin::Folded);
    let day = 24 * HOUR;
    world.publish(&[Event::Bar(bar(GIVEN, day - 120, [100; 4], 10))], day - 60);
    world.publish(&[], day);

    let batch = world.publish(&[Event::Bar(bar(GIVEN, day - 60, [100, 100, 100, 103], 5))], day);

    assert_eq!(bars_of(&batch), [(Channel::Bars, GIVEN, 5), (Channel::DailyBars, GIVEN, 15)]);
    let today = ticker(&batch, GIVEN).unwrap();
    assert_eq!((today.previous_close.cents(), today.price.cents(), today.volume), (103, 103, 0));
    let first = world.publish(&[Event::Bar(bar(GIVEN, day, [104; 4], 1))], day + 60);
    assert_eq!(bars_of(&first), [(Channel::Bars, GIVEN, 1), (Channel::DailyBars, GIVEN, 1)]);
    assert_eq!(world.bars(GIVEN, Span::Day, OpenBars::Included), [(0, 15), (day, 1)]);
}

#[test]
fn a_minute_that_is_told_twice_is_in_the_day_once() {
    let mut world = World::new(BarOrigin::Source, BarOrigin::Folded);
    let start = 9 * HOUR;
    let minute = Event::Bar(bar(GIVEN, start, [100; 4], 10));

    let batch = world.publish(&[minute, minute], start + 60);

    let volumes: Vec<_> = bars_of(&batch).iter().map(|(_, _, volume)| *volume).collect();
    assert_eq!(volumes, [10, 10, 10, 10]);
    assert_eq!(figures(&batch).1, 10);
    assert_eq!(world.bars(GIVEN, Span::Hour, OpenBars::Included), [(start, 10)]);
}

#[test]
fn a_feed_that_starts_again_continues_the_day_of_its_archive() {
    let mut world = World::new(BarOrigin::Source, BarOrigin::Folded);
    let start = 9 * HOUR;
    let first = Event::Bar(bar(GIVEN, start, [100; 4], 10));
    world.publish(&[first], start + 60);
    world.start_again(start + 60);
    let batch = world.publish(&[first, Event::Bar(bar(GIVEN, start + 60, [100; 4], 5))], start + 120);

    let days = bars_of(&batch).into_iter().filter(|(channel, ..)| *channel == Channel::DailyBars);
    assert_eq!(days.map(|(_, _, volume)| volume).collect::<Vec<_>>(), [10, 15]);
}

#[test]
fn a_feed_that_starts_again_in_a_minute_continues_the_day_that_the_source_gave() {
    let mut world = World::new(BarOrigin::Folded, BarOrigin::Source);
    let start = 9 * HOUR;
    let day = Event::DailyBar(bar(GIVEN, 0, [100; 4], 5_000));
    world.publish(&[Event::Trade(trade(GIVEN, start + 1, 100, 7)), day], start + 10);

    world.start_again(start + 10);
    let batch = world.publish(&[Event::Trade(trade(GIVEN, start + 20, 120, 3))], start + 60);

    assert_eq!(bars_of(&batch), [(Channel::Bars, GIVEN, 10)]);
    assert_eq!(figures(&batch), ([120, 100, 120, 100], 5_003));
}
