use std::collections::VecDeque;

use super::*;
use crate::archive::Retention;
use crate::model::{Body, Channel, Instrument, SymbolId, Timestamp, Trade, Universe};
use crate::wire::fixtures;

const FLOOR: u64 = 1_000;

/// A feed of batches that are given.
struct GivenFeed(VecDeque<Batch>);

impl BatchSource for GivenFeed {
    fn epoch(&self) -> Epoch {
        Epoch::new(1)
    }

    fn open(&mut self, _: &mut LastValues) -> Option<Arc<Batch>> {
        None
    }

    fn ticks(&mut self) -> Ticks {
        Box::pin(futures_util::stream::empty())
    }

    fn poll(&mut self, _: &mut LastValues) -> Option<Arc<Batch>> {
        self.0.pop_front().map(Arc::new)
    }
}

/// The instruments with these symbols.
fn universe(symbols: &[&str]) -> Arc<Universe> {
    let first = fixtures::universe().iter().next().unwrap().clone();
    let instrument = |symbol: &&str| Instrument { symbol: symbol.parse().unwrap(), ..first.clone() };
    Arc::new(Universe::new(symbols.iter().map(instrument).collect()))
}

fn trade(symbol: u32, seq: u64) -> Object {
    let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
    Object { seq: Seq(seq), body: Body::Trade(Trade { symbol: SymbolId(symbol), ..trade }) }
}

fn trades(symbol: u32) -> StreamId {
    StreamId::new(Channel::Trades, SymbolId(symbol))
}

/// What a cluster in epoch 5 has: 10 trades of A, 20 of B.
fn followed_values() -> LastValues {
    let mut last_values = LastValues::default();
    [trade(0, 10), trade(1, 20)].into_iter().for_each(|object| last_values.put(object));
    last_values.set_epoch(Epoch::new(5));
    last_values.set_batch(70);
    last_values
}

/// Lists B before A, and C.
fn batch(objects: Vec<Object>, begins: Option<u64>) -> Batch {
    Batch::new(universe(&["B", "A", "C"]), Timestamp::default(), objects, Vec::new())
        .beginning(begins.map(Epoch::new))
}

/// The batches of a feed that continues what was followed.
fn continued(batches: Vec<Batch>) -> Vec<Arc<Batch>> {
    let (known, mut last_values) = (universe(&["A", "B"]), followed_values());
    let mut epochs = 100;
    let parts = ContinuedFeedParts {
        feed: Box::new(GivenFeed(batches.into())),
        archive: Arc::new(Archive::new(0, Retention::default())),
        floor: Seq(FLOOR),
        epoch: Epoch::new(99),
        new_epochs: Box::new(move || {
            epochs += 1;
            Epoch::new(epochs)
        }),
    };
    let followed = Followed { universe: &known, last_values: &last_values.clone() };
    let mut feed = ContinuedFeed::new(parts, Some(followed));
    std::iter::from_fn(|| feed.poll(&mut last_values)).collect()
}

fn numbers(batch: &Batch) -> Vec<(StreamId, u64)> {
    batch.objects().map(|object| (object.stream(), object.seq.0)).collect()
}

#[test]
fn in_the_epoch_of_the_cluster_numbers_are_kept_and_known_objects_left_out() {
    let first = batch(vec![trade(0, 20), trade(1, 13), trade(2, 4)], Some(5));
    let batches = continued(vec![first, batch(vec![trade(0, 21)], None)]);

    assert_eq!(numbers(&batches[0]), [(trades(0), 13), (trades(2), 4)]);
    assert_eq!(batches[0].missed(), [Missed { stream: trades(0), from: Seq(11), to: Seq(12) }]);
    assert_eq!((batches[0].begun_epoch(), batches[0].number()), (None, 71));
    assert_eq!(numbers(&batches[1]), [(trades(1), 21)]);
    assert!(batches[1].missed().is_empty());
}

#[test]
fn in_another_epoch_numbers_are_raised_in_a_new_one() {
    for begins in [Some(6), None] {
        let batches =
            continued(vec![batch(vec![trade(1, 3)], begins), batch(vec![trade(1, 4), trade(2, 1)], None)]);

        assert_eq!(batches[0].begun_epoch(), Some(Epoch::new(101)), "{begins:?}");
        assert_eq!(numbers(&batches[0]), [(trades(0), FLOOR)]);
        assert_eq!(batches[0].missed(), [Missed { stream: trades(0), from: Seq(11), to: Seq(FLOOR - 1) }]);
        assert_eq!(numbers(&batches[1]), [(trades(0), FLOOR + 1), (trades(2), FLOOR)]);
    }
}

#[test]
fn numbers_that_begin_again_are_raised_in_a_new_epoch() {
    let restarted = || {
        let restarted = batch(vec![trade(0, 1)], Some(6));
        restarted.with_epoch_numbers(crate::model::EpochNumbers::Restart)
    };

    let kept =
        continued(vec![batch(vec![trade(0, 21)], Some(5)), restarted(), batch(vec![trade(0, 2)], None)]);
    let raised = continued(vec![batch(vec![trade(0, 3)], Some(7)), restarted()]);

    assert_eq!((kept[1].begun_epoch(), kept[1].restarts_numbers()), (Some(Epoch::new(101)), false));
    assert_eq!(numbers(&kept[1]), [(trades(1), FLOOR)]);
    assert_eq!(numbers(&kept[2]), [(trades(1), FLOOR + 1)]);
    assert_eq!(raised[1].begun_epoch(), Some(Epoch::new(102)));
    assert_eq!(numbers(&raised[1]), [(trades(1), FLOOR + 1)]);
}

#[test]
fn what_the_feed_has_lost_is_told_once() {
    let lost = |from, to| Missed { stream: trades(1), from: Seq(from), to: Seq(to) };
    let first = batch(Vec::new(), Some(5)).with_missed(vec![lost(8, 14)]);
    let second = batch(vec![trade(1, 16)], None).with_missed(vec![lost(12, 15)]);

    let batches = continued(vec![first, second]);

    let missed = |from, to| [Missed { stream: trades(0), from: Seq(from), to: Seq(to) }];
    assert_eq!(batches[0].missed(), missed(11, 14));
    assert_eq!(batches[1].missed(), missed(15, 15));
    assert_eq!(numbers(&batches[1]), [(trades(0), 16)]);
}
