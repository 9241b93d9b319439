use std::sync::Arc;

use super::bars::Bars;
use super::tickers::Tickers;
use super::{Batch, LastValues};
use crate::archive::{Archive, Retention};
use crate::model::{Body, Event, Object, SECOND, Timestamp, Universe};

/// How long the bars are.
#[derive(Clone, Copy, Debug)]
pub struct BarSpans {
    /// Length of a bar of the `bars` channel in nanoseconds: a minute, but for tests.
    pub bar_nanos: i64,
}

impl Default for BarSpans {
    fn default() -> Self {
        Self { bar_nanos: 60 * SECOND }
    }
}

/// Numbers what the market says, and folds it into bars and tickers.
///
/// Pure: what comes out depends on what went in alone.
#[derive(Debug)]
pub struct Sequencer {
    universe: Arc<Universe>,
    bars: Bars,
    board: Tickers,
    archive: Arc<Archive>,
}

impl Sequencer {
    /// A recorder for this universe, from this time on.
    pub fn new(universe: Arc<Universe>, spans: BarSpans, from: Timestamp) -> Self {
        let symbols = universe.len();
        Self {
            bars: Bars::new(symbols, spans.bar_nanos, from),
            board: Tickers::new(&universe, from),
            archive: Arc::new(Archive::new(symbols, Retention::default())),
            universe,
        }
    }

    /// Retains what it publishes in this archive, and goes on with the days that it holds.
    pub fn retain_in(mut self, archive: Arc<Archive>) -> Self {
        for instrument in self.universe.iter() {
            let summary = archive.summary(instrument.id);
            self.bars.resume(instrument.id, summary.minute, summary.day);
            self.board.resume(instrument.id, self.bars.day(instrument.id), summary.previous_day);
        }
        Self { archive, ..self }
    }

    /// Takes in the events up to `newest`, in order, and gives what is to be published of them.
    ///
    /// Numbers go on from `latest`, where each object is entered. It is the caller's, so that there need not
    /// be a second one where the same thread looks at it.
    pub fn record(&mut self, latest: &mut LastValues, events: &[Event], newest: Timestamp) -> Batch {
        let mut objects = Vec::with_capacity(events.len());
        let mut publish = |body: Body| {
            objects.push(number(latest, body));
        };
        for event in events {
            self.bars.advance(event.at(), &mut publish);
            publish(Body::from(*event));
            match event {
                Event::Trade(trade) => {
                    self.bars.trade(trade, &mut publish);
                    self.board.traded(trade, self.bars.day(trade.symbol));
                }
                Event::Quote(quote) => self.board.quoted(quote),
                _ => {}
            }
        }
        self.bars.advance(newest, &mut publish);
        self.archive.record(&objects);
        self.board.advance(newest);
        let tickers = self.board.take_changed().map(|ticker| number(latest, Body::Ticker(ticker)));
        let tickers = tickers.collect();
        Batch::new(Arc::clone(&self.universe), newest, objects, tickers)
    }

    /// How many instruments there are.
    pub(super) fn symbols(&self) -> usize {
        self.universe.len()
    }

    /// Does what can wait until the batch has left.
    pub fn settle(&self) {
        self.archive.settle();
    }
}

/// The next object of its stream.
fn number(latest: &mut LastValues, body: Body) -> Object {
    let object = Object { seq: latest.seq(body.stream()).next(), body };
    latest.put(object);
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Span;
    use crate::model::{Channel, Price, Seq, StreamId, SymbolId, Trade};
    use crate::wire::fixtures;
    use std::time::Duration;

    fn event(body: Body) -> Event {
        match body {
            Body::Trade(trade) => Event::Trade(trade),
            Body::Quote(quote) => Event::Quote(quote),
            other => panic!("no event of a market: {other:?}"),
        }
    }

    fn recorder(from: Timestamp) -> (Sequencer, LastValues) {
        let universe = fixtures::universe();
        let latest = LastValues::new(universe.len());
        (Sequencer::new(Arc::new(universe), BarSpans::default(), from), latest)
    }

    #[test]
    fn each_stream_is_numbered_from_one() {
        let (trade, quote) = (event(fixtures::trade().body), event(fixtures::quote().body));
        let (mut recorder, mut latest) = recorder(trade.at());

        let first = recorder.record(&mut latest, &[trade, quote, trade], quote.at());
        let second = recorder.record(&mut latest, &[trade], quote.at());

        let seqs = |batch: &Batch| batch.objects().map(|object| object.seq.0).collect::<Vec<_>>();
        assert_eq!(seqs(&first), [1, 1, 2, 1], "two trades, a quote, and the ticker of all three");
        assert_eq!(seqs(&second), [3, 2]);
        let trades = StreamId::new(Channel::Trades, SymbolId(0));
        assert_eq!(latest.seq(trades), Seq(3));
    }

    #[test]
    fn a_bar_comes_before_the_trades_of_the_next_minute() {
        let trade = event(fixtures::trade().body);
        let Event::Trade(mut later) = trade else { unreachable!() };
        later.at = later.at + std::time::Duration::from_mins(1);
        let (mut recorder, mut latest) = recorder(trade.at());

        let batch = recorder.record(&mut latest, &[trade, Event::Trade(later)], later.at);

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
            Event::Trade(Trade { price: Price::from_ticks(ticks), size, at, ..first })
        };
        let archive = Arc::new(Archive::new(2, Retention::default()));
        let (recorder, mut latest) = recorder(trade(0, 1, 1).at());
        let mut recorder = recorder.retain_in(Arc::clone(&archive));
        let newest_bar = |batch: &Batch| {
            let bars = batch.objects().filter_map(|object| match object.body {
                Body::Bar(bar) | Body::UpdatedBar(bar) => Some(bar),
                _ => None,
            });
            bars.last()
        };

        let trades = [trade(0, 900, 7), trade(30_000, 1_000, 1), trade(59_999, 800, 20)];
        let batch = recorder.record(&mut latest, &trades, trade(60_000, 1, 1).at());
        assert_eq!(newest_bar(&batch), archive.latest_bar(first.symbol, Span::Minute));

        let batch = recorder.record(&mut latest, &[trade(59_000, 1_100, 3)], trade(60_500, 1, 1).at());
        assert_eq!(newest_bar(&batch), archive.latest_bar(first.symbol, Span::Minute));
    }
}
