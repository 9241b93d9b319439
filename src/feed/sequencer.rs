use std::mem;
use std::sync::Arc;

use super::bars::Bars;
use super::tickers::Tickers;
use super::{Batch, LastValues};
use crate::archive::{Archive, OpenBars};
use crate::model::{
    Body, Channel, Epoch, Event, Missed, Object, SECOND, Seq, StreamId, Timestamp, TradeRules, Universe,
};

/// The lengths of the bars that are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarSpans {
    /// Length of a bar of the `bars` channel in nanoseconds: a minute except in tests.
    pub bar_nanos: i64,
}

impl Default for BarSpans {
    fn default() -> Self {
        Self { bar_nanos: 60 * SECOND }
    }
}

/// Numbers events and folds them into bars and tickers. Bars that a source gives are numbered like its other events.
///
/// Pure: the output depends on the input alone.
#[derive(Debug)]
pub struct Sequencer {
    universe: Arc<Universe>,
    epoch: Epoch,
    bars: Bars,
    tickers: Tickers,
    numbering: Numbering,
}

/// Gives the numbers of objects.
#[derive(Debug, Default)]
struct Numbering {
    /// The next number of each stream that is not raised yet is at least this one.
    floor: Seq,
    /// The streams whose numbers were raised, by their indices.
    raised: Vec<bool>,
    /// What the present batch leaves out.
    missed: Vec<Missed>,
}

impl Sequencer {
    /// A sequencer for this universe whose numbers begin this epoch and whose time begins at `from`.
    pub fn new(universe: Arc<Universe>, spans: BarSpans, epoch: Epoch, from: Timestamp) -> Self {
        let mut bars = Bars::new(universe.len(), spans.bar_nanos, from);
        bars.set_origins(&universe);
        let numbering = Numbering::default();
        Self { epoch, bars, tickers: Tickers::new(&universe, from), universe, numbering }
    }

    /// Gives the next object of each stream this number at least: an earlier feed that this one continues may have given
    /// lower ones without that it is known here. The batches tell that these are missed.
    #[must_use]
    pub fn numbering_from(mut self, floor: Seq) -> Self {
        self.numbering.floor = floor;
        self
    }

    /// Sets which trades change which figures of bars and tickers, from the next trade on.
    pub fn set_rules(&mut self, rules: TradeRules) {
        self.bars.set_rules(rules);
        self.tickers.set_rules(rules);
    }

    /// Continues the open bars and the day's figures that this archive holds.
    #[must_use]
    pub fn resume(mut self, archive: &Archive) -> Self {
        self.continue_from(archive);
        self
    }

    /// Continues what these last values tell and an archive does not: tickers with their quotes, and the bar of the
    /// minute before, which a late trade may change. Call it after [`resume`](Self::resume).
    #[must_use]
    pub fn resume_last_values(mut self, last_values: &LastValues) -> Self {
        for instrument in self.universe.iter() {
            let last =
                |channel| last_values.of(StreamId::new(channel, instrument.id)).map(|object| &object.body);
            for channel in [Channel::Bars, Channel::UpdatedBars] {
                if let Some(Body::Bar(bar) | Body::UpdatedBar(bar)) = last(channel) {
                    self.bars.resume_previous(bar);
                }
            }
            if let Some(Body::Ticker(ticker)) = last(Channel::Tickers) {
                let traded_at = match last(Channel::Trades) {
                    Some(Body::Trade(trade)) => trade.at,
                    _ => Timestamp::from_nanos(i64::MIN),
                };
                self.tickers.resume_ticker(*ticker, traded_at);
            }
        }
        self
    }

    /// Begins anew at an earlier time, with the open bars and the day's figures that this archive holds of it. Numbers
    /// go on.
    ///
    /// Call it when the clock was set back, after the archive [went back](Archive::step_back) too.
    pub fn step_back(&mut self, to: Timestamp, archive: &Archive) {
        self.bars.restart(to);
        self.tickers.restart(to);
        self.continue_from(archive);
    }

    fn continue_from(&mut self, archive: &Archive) {
        for instrument in self.universe.iter() {
            let summary = archive.summary(instrument.id, OpenBars::Included);
            self.bars.resume(instrument.id, summary.minute, summary.day);
            self.tickers.resume(instrument.id, self.bars.day(instrument.id), summary.previous_day);
        }
    }

    /// Continues with a universe that has instruments appended to the present one. The present ones keep their numbers,
    /// bars and tickers.
    pub fn extend(&mut self, universe: Arc<Universe>, now: Timestamp) {
        self.bars.grow(universe.len());
        self.bars.set_origins(&universe);
        self.tickers.grow(&universe, now);
        self.universe = universe;
    }

    /// The number of instruments.
    pub fn symbols(&self) -> usize {
        self.universe.len()
    }

    /// The epoch of the numbers that this sequencer gives.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Begins another epoch. Numbers go on, so that a client that cannot be told sees no number twice.
    pub const fn begin_epoch(&mut self, epoch: Epoch) {
        self.epoch = epoch;
    }

    /// Numbers the events up to `watermark`, in order, and the bars and tickers that result from them.
    ///
    /// Numbers continue those of `last_values`, where each object is entered. The caller owns these, so that a thread
    /// that reads them too needs no second copy.
    pub fn sequence(
        &mut self,
        last_values: &mut LastValues,
        events: &[Event],
        watermark: Timestamp,
    ) -> Batch {
        let mut objects = Vec::with_capacity(events.len());
        let Self { universe, bars, tickers: board, numbering, .. } = self;
        let mut publish = |body: Body| {
            objects.push(numbering.number(last_values, body));
        };
        for event in events {
            if let Event::Bar(_) | Event::UpdatedBar(_) | Event::DailyBar(_) = event {
                Self::told_bar(bars, board, event, &mut publish);
                continue;
            }
            bars.advance(event.at(), &mut publish);
            publish(Body::from(*event));
            match event {
                Event::Trade(trade) => {
                    bars.trade(trade, &mut publish);
                    board.traded(trade, bars.day(trade.symbol));
                }
                Event::Quote(quote) => board.quoted(quote),
                _ => {}
            }
        }
        bars.advance(watermark, &mut publish);
        board.advance(watermark);
        let tickers = board.take_changed().map(|ticker| numbering.number(last_values, Body::Ticker(ticker)));
        let tickers = tickers.collect();
        let missed = mem::take(&mut numbering.missed);
        Batch::new(Arc::clone(universe), watermark, objects, tickers).with_missed(missed)
    }

    /// Takes in a bar of the source, and publishes it unless its stream is folded here.
    #[cold]
    fn told_bar(bars: &mut Bars, tickers: &mut Tickers, event: &Event, mut publish: impl FnMut(Body)) {
        let is_published = match event {
            Event::Bar(bar) => {
                bars.advance(bar.start, &mut publish);
                bars.told_minute(bar, publish)
            }
            Event::UpdatedBar(bar) => bars.told_update(bar, publish),
            Event::DailyBar(bar) => bars.told_day(bar, publish),
            _ => false,
        };
        if is_published {
            tickers.told_bar(event, bars.day(event.symbol()));
        }
    }
}

impl Numbering {
    /// Gives an object the next number of its stream, and enters it as the last one.
    fn number(&mut self, last_values: &mut LastValues, body: Body) -> Object {
        let mut seq = last_values.seq(body.stream()).next();
        if self.floor > Seq(0) {
            seq = self.raise(body.stream(), seq);
        }
        let object = Object { seq, body };
        last_values.put(object);
        object
    }

    #[cold]
    fn raise(&mut self, stream: StreamId, next: Seq) -> Seq {
        if stream.index() >= self.raised.len() {
            self.raised.resize(stream.index() + 1, false);
        }
        if mem::replace(&mut self.raised[stream.index()], true) {
            return next;
        }
        let seq = next.max(self.floor);
        // No client has anything of a stream without a last object.
        if seq > next && next > Seq(1) {
            self.missed.push(Missed { stream, from: next, to: Seq(seq.0 - 1) });
        }
        seq
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Retention;
    use crate::model::{Channel, Instrument, Price, Seq, StreamId, SymbolId, Trade};
    use crate::wire::fixtures;
    use std::time::Duration;

    fn event(body: Body) -> Event {
        match body {
            Body::Trade(trade) => Event::Trade(trade),
            Body::Quote(quote) => Event::Quote(quote),
            other => panic!("not an event: {other:?}"),
        }
    }

    fn sequencer(from: Timestamp) -> (Sequencer, LastValues) {
        let universe = fixtures::universe();
        let last_values = LastValues::new(universe.len());
        (Sequencer::new(Arc::new(universe), BarSpans::default(), Epoch::default(), from), last_values)
    }

    #[test]
    fn each_stream_is_numbered_from_one() {
        let (trade, quote) = (event(fixtures::trade().body), event(fixtures::quote().body));
        let (mut sequencer, mut last_values) = sequencer(trade.at());

        let first = sequencer.sequence(&mut last_values, &[trade, quote, trade], quote.at());
        let second = sequencer.sequence(&mut last_values, &[trade], quote.at());

        let seqs = |batch: &Batch| batch.objects().map(|object| object.seq.0).collect::<Vec<_>>();
        assert_eq!(seqs(&first), [1, 1, 2, 1], "two trades, a quote, and the ticker of all three");
        assert_eq!(seqs(&second), [3, 2]);
        let trades = StreamId::new(Channel::Trades, SymbolId(0));
        assert_eq!(last_values.seq(trades), Seq(3));
    }

    #[test]
    fn a_bar_comes_before_the_trades_of_the_next_minute() {
        let trade = event(fixtures::trade().body);
        let Event::Trade(mut later) = trade else { unreachable!() };
        later.at = later.at + std::time::Duration::from_mins(1);
        let (mut sequencer, mut last_values) = sequencer(trade.at());

        let batch = sequencer.sequence(&mut last_values, &[trade, Event::Trade(later)], later.at);

        let channels: Vec<_> = batch.objects().map(|object| object.stream().channel()).collect();
        assert_eq!(
            channels,
            [Channel::Trades, Channel::Bars, Channel::DailyBars, Channel::Trades, Channel::Tickers]
        );
    }

    #[test]
    fn the_published_bar_is_the_one_in_the_archive() {
        let Event::Trade(first) = event(fixtures::trade().body) else { unreachable!() };
        let trade = |millis: u64, ticks, size| {
            let at = first.at.floor_to(60 * SECOND) + Duration::from_millis(millis);
            Event::Trade(Trade { price: Price::from_cents(ticks), size, at, ..first })
        };
        let archive = Archive::new(2, Retention::default());
        let (sequencer, mut last_values) = sequencer(trade(0, 1, 1).at());
        let mut sequencer = sequencer.resume(&archive);
        let last_bar = |batch: &Batch| {
            let bars = batch.objects().filter_map(|object| match object.body {
                Body::Bar(bar) | Body::UpdatedBar(bar) => Some(bar),
                _ => None,
            });
            bars.last()
        };

        let trades = [trade(0, 900, 7), trade(30_000, 1_000, 1), trade(59_999, 800, 20)];
        let batch = sequencer.sequence(&mut last_values, &trades, trade(60_000, 1, 1).at());
        archive.record(batch.events());
        assert_eq!(last_bar(&batch), archive.latest_minute(first.symbol, OpenBars::Included));

        let batch =
            sequencer.sequence(&mut last_values, &[trade(59_000, 1_100, 3)], trade(60_500, 1, 1).at());
        archive.record(batch.events());
        assert_eq!(last_bar(&batch), archive.latest_minute(first.symbol, OpenBars::Included));
    }

    #[test]
    fn an_instrument_that_is_added_later_is_numbered_from_one_and_the_others_go_on() {
        let Event::Trade(first) = event(fixtures::trade().body) else { unreachable!() };
        let (mut sequencer, mut last_values) = sequencer(first.at);
        sequencer.sequence(&mut last_values, &[Event::Trade(first)], first.at);
        let mut instruments: Vec<_> = fixtures::universe().iter().cloned().collect();
        let added = SymbolId(instruments.len() as u32);
        instruments.push(Instrument { symbol: "NEW".parse().unwrap(), ..instruments[0].clone() });

        sequencer.extend(Arc::new(Universe::new(instruments)), first.at);
        let events = [Event::Trade(Trade { symbol: added, ..first }), Event::Trade(first)];
        let batch = sequencer.sequence(&mut last_values, &events, first.at);

        let numbered: Vec<_> = batch.objects().map(|object| (object.stream(), object.seq.0)).collect();
        let [trade, ticker] = [Channel::Trades, Channel::Tickers];
        let expected =
            [(trade, added, 1), (trade, first.symbol, 2), (ticker, added, 1), (ticker, first.symbol, 2)];
        assert_eq!(numbered, expected.map(|(channel, symbol, seq)| (StreamId::new(channel, symbol), seq)));
    }
}
