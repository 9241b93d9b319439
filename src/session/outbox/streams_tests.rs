use super::*;
use crate::model::{Body, Quote, SymbolId};
use crate::wire::fixtures;

/// Last values of two symbols, as a hub has them.
fn no_values() -> EncodedLastValues {
    EncodedLastValues::new(fixtures::universe().into())
}

/// What a hub does with an object.
fn put(last_values: &mut EncodedLastValues, object: Object) {
    last_values.last_values_mut().put(object);
    last_values.record_change(object.stream());
}

fn quote(symbol: u32, seq: u64) -> Object {
    let Body::Quote(quote) = fixtures::quote().body else { unreachable!() };
    Object { seq: Seq(seq), body: Body::Quote(Quote { symbol: SymbolId(symbol), ..quote }) }
}

fn stream(symbol: u32) -> StreamId {
    quote(symbol, 1).stream()
}

/// Samples with room for this many objects; gives symbol, number and how many were replaced.
fn sample(table: &mut StreamTable, last_values: &EncodedLastValues, room: usize) -> Vec<(u32, u64, u64)> {
    let mut offered = Vec::new();
    let _ = table.sample(
        last_values,
        |_| false,
        |stream, replaced| {
            offered.push((stream.symbol().0, last_values.seq(stream).0, replaced));
            if offered.len() < room { Capacity::Left } else { Capacity::Full }
        },
    );
    offered
}

#[test]
fn a_sample_offers_only_the_newest_object_and_counts_what_it_replaces() {
    let mut last_values = no_values();
    let mut table = StreamTable::default();
    table.start_sampling(stream(0), Seq(3));
    (1..=9).for_each(|seq| put(&mut last_values, quote(0, seq)));

    assert_eq!(sample(&mut table, &last_values, 9), [(0, 9, 5)]);
    assert_eq!(sample(&mut table, &last_values, 9), []);
}

#[test]
fn a_stream_without_room_in_one_sample_comes_first_in_the_next() {
    let mut last_values = no_values();
    let mut table = StreamTable::default();
    for symbol in 0..3 {
        table.start_sampling(stream(symbol), Seq(0));
        put(&mut last_values, quote(symbol, 1));
    }

    assert_eq!(sample(&mut table, &last_values, 1), [(0, 1, 0)]);
    put(&mut last_values, quote(0, 2));
    assert_eq!(sample(&mut table, &last_values, 2), [(1, 1, 0), (2, 1, 0)]);
}

#[test]
fn a_sample_looks_only_at_what_changed_since_the_last_one() {
    let mut last_values = no_values();
    let mut table = StreamTable::default();
    (0..100).for_each(|symbol| table.start_sampling(stream(symbol), Seq(0)));
    put(&mut last_values, quote(0, 1));
    assert_eq!(sample(&mut table, &last_values, 9), [(0, 1, 0)]);

    // What is not in the log is not looked at.
    last_values.last_values_mut().put(quote(5, 1));
    put(&mut last_values, quote(7, 1));
    put(&mut last_values, quote(200, 1));
    put(&mut last_values, quote(7, 2));
    put(&mut last_values, quote(8, 1));

    assert_eq!(sample(&mut table, &last_values, 1), [(7, 2, 1)]);
    assert_eq!(sample(&mut table, &last_values, 9), [(8, 1, 0)]);
    table.set_sampled(stream(8), Seq(0));
    assert_eq!(sample(&mut table, &last_values, 9).len(), 2, "all are looked at again");
}

#[test]
fn a_stream_that_is_no_longer_sampled_is_not_offered() {
    let mut last_values = no_values();
    let mut table = StreamTable::default();
    (0..3).for_each(|symbol| table.start_sampling(stream(symbol), Seq(0)));
    (0..3).for_each(|symbol| put(&mut last_values, quote(symbol, 1)));

    table.stop_sampling(stream(0));

    let mut offered = sample(&mut table, &last_values, 9);
    offered.sort_unstable();
    assert_eq!(offered, [(1, 1, 0), (2, 1, 0)]);
    table.stop_sampling(stream(2));
    put(&mut last_values, quote(1, 2));
    assert_eq!(sample(&mut table, &last_values, 9), [(1, 2, 0)]);
}

#[test]
fn dirty_streams_leave_in_the_order_in_which_they_became_dirty() {
    let mut table = StreamTable::default();
    for (symbol, seq) in [(0, 4), (1, 7), (0, 5), (0, 6)] {
        table.mark_dirty(stream(symbol), Seq(seq));
    }

    assert_eq!(table.pop_dirty(), Some((stream(0), Seq(3))));
    table.mark_dirty(stream(0), Seq(7));
    assert_eq!(table.pop_dirty(), Some((stream(1), Seq(6))));
    assert_eq!(table.pop_dirty(), Some((stream(0), Seq(6))));
    assert_eq!(table.pop_dirty(), None);
    assert!(table.is_empty());
}

#[test]
fn lost_objects_are_one_range_for_each_stream() {
    let mut table = StreamTable::default();
    for (symbol, seq) in [(0, 4), (1, 7), (0, 5), (0, 6)] {
        table.lose(stream(symbol), Seq(seq));
    }

    assert_eq!(table.take_lost(0), []);
    let mut lost = table.take_lost(9);
    lost.sort_unstable();
    assert_eq!(lost, [(stream(0), Seq(4), Seq(6)), (stream(1), Seq(7), Seq(7))]);
    assert!(!table.has_lost() && table.is_empty());
}

#[test]
fn objects_up_to_the_number_that_the_client_has_are_skipped() {
    let mut table = StreamTable::default();
    table.set_ahead(stream(0), Seq(8));

    assert_eq!([7, 8, 9, 8].map(|seq| table.skips(&quote(0, seq))), [true, true, false, false]);
    assert!(table.is_empty());
}

#[test]
fn what_was_not_sampled_when_sampling_ends_is_dirty() {
    let mut last_values = no_values();
    let mut table = StreamTable::default();
    (0..3).for_each(|symbol| table.start_sampling(stream(symbol), Seq(2)));
    put(&mut last_values, quote(0, 2));
    put(&mut last_values, quote(1, 7));
    put(&mut last_values, quote(2, 7));

    table.end_sampling(last_values.last_values(), |waiting| waiting == stream(2));

    assert_eq!(table.pop_dirty(), Some((stream(1), Seq(2))));
    assert!(table.is_empty());
}

#[test]
fn a_client_that_is_ahead_stays_so_when_sampling_begins_and_ends() {
    let mut last_values = no_values();
    (1..=4).for_each(|seq| put(&mut last_values, quote(0, seq)));
    let mut table = StreamTable::default();
    table.set_ahead(stream(0), Seq(6));

    table.start_sampling(stream(0), Seq(4));
    assert_eq!(sample(&mut table, &last_values, 9), []);
    table.end_sampling(last_values.last_values(), |_| false);

    assert!(table.is_ahead_of(&quote(0, 5)) && !table.is_ahead_of(&quote(0, 6)));
}
