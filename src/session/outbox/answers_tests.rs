use std::cell::Cell;
use std::sync::Arc;

use super::*;
use crate::model::{Body, Object, Quote, Trade};
use crate::wire::{TopicMessage, fixtures};

fn trade(symbol: u32, seq: u64) -> Object {
    let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
    Object { seq: Seq(seq), body: Body::Trade(Trade { symbol: SymbolId(symbol), ..trade }) }
}

fn quote(symbol: u32, seq: u64) -> Object {
    let Body::Quote(quote) = fixtures::quote().body else { unreachable!() };
    Object { seq: Seq(seq), body: Body::Quote(Quote { symbol: SymbolId(symbol), ..quote }) }
}

/// An archive of trades and quotes that retains those after a number that the test moves.
fn archive(removed: &Rc<Cell<u64>>) -> ReplayLookup {
    let removed = Rc::clone(removed);
    Rc::new(move |stream, after, up_to, most| {
        let seqs = after.0.max(removed.get()) + 1..=up_to.0;
        let object = |seq| match stream.channel() {
            Channel::Trades => trade(stream.symbol().0, seq),
            _ => quote(stream.symbol().0, seq),
        };
        seqs.take(most).map(object).map(RetainedObject::from).collect()
    })
}

fn values(objects: &[Object]) -> LastValues {
    let mut last_values = LastValues::new(4);
    objects.iter().for_each(|object| last_values.put(*object));
    last_values
}

fn replay(object: &Object, after: u64) -> AnswerPoint {
    AnswerPoint { stream: object.stream(), kind: AnswerKind::Replay { after: Seq(after) } }
}

/// Gaps, and the numbers of objects with what was conflated.
type Told = (Vec<(u64, u64)>, Vec<(u64, DeliveryKind)>);

fn told(piece: &AnswerPiece) -> Told {
    let objects = piece.objects.iter().map(|object| match object {
        AnswerObject::Next(answer, kind) => (answer.object.seq.0, *kind),
        AnswerObject::Again(answer) => (answer.object.seq.0, DeliveryKind::Snapshot),
    });
    (piece.gaps.iter().map(|(_, from, to)| (from.0, to.0)).collect(), objects.collect())
}

fn answers(points: Vec<AnswerPoint>, room: usize) -> (PendingAnswers, Rc<Cell<u64>>) {
    let removed = Rc::default();
    let mut answers = PendingAnswers::new(archive(&removed));
    answers.add(AnswerRequest { points, channels: vec![] }, room);
    (answers, removed)
}

const LIVE: DeliveryKind = DeliveryKind::Live;

#[test]
fn a_replay_is_produced_in_pieces_and_includes_what_came_meanwhile() {
    let (mut answers, _) = answers(vec![replay(&trade(0, 1), 3)], 100);
    let stream = trade(0, 1).stream();

    let first = answers.next_piece(&values(&[trade(0, 6)]), 2, |_| false);
    assert!(answers.suspends(stream) && !answers.is_empty());
    let second = answers.next_piece(&values(&[trade(0, 8)]), 9, |_| false);

    assert_eq!(told(&first), (vec![], vec![(4, LIVE), (5, LIVE)]));
    assert_eq!(told(&second), (vec![], vec![(6, LIVE), (7, LIVE), (8, LIVE)]));
    assert!(!answers.suspends(stream) && answers.is_empty());
}

#[test]
fn what_the_archive_removes_before_a_slow_reader_took_it_is_a_gap() {
    let (mut answers, removed) = answers(vec![replay(&trade(0, 1), 3)], 100);
    let newest = values(&[trade(0, 20)]);

    let first = answers.next_piece(&newest, 2, |_| false);
    removed.set(17);
    let second = answers.next_piece(&newest, 9, |_| false);

    assert_eq!(told(&first), (vec![], vec![(4, LIVE), (5, LIVE)]));
    assert_eq!(told(&second), (vec![(6, 17)], vec![(18, LIVE), (19, LIVE), (20, LIVE)]));
}

#[test]
fn a_stream_that_is_sampled_or_that_the_client_has_more_of_is_not_replayed() {
    let points = vec![replay(&quote(0, 1), 3), replay(&quote(1, 1), 3), replay(&trade(2, 1), 8)];
    let (mut answers, _) = answers(points, 100);
    let newest = values(&[quote(0, 9), quote(1, 5), trade(2, 6)]);

    let piece = answers.next_piece(&newest, 9, |stream| stream == quote(0, 1).stream());

    let positions = [(quote(0, 1).stream(), Seq(3)), (trade(2, 1).stream(), Seq(8))];
    assert_eq!(piece.positions, positions);
    assert_eq!(told(&piece).1, [(4, LIVE), (5, LIVE)]);
    assert!(answers.is_empty());
}

#[test]
fn a_quote_that_is_no_longer_retained_is_replaced_by_the_newest() {
    let (mut answers, removed) = answers(vec![replay(&quote(0, 1), 3)], 100);
    removed.set(5);

    let piece = answers.next_piece(&values(&[quote(0, 9)]), 9, |_| false);

    assert_eq!(told(&piece), (vec![], vec![(9, DeliveryKind::Conflated(5))]));
    assert!(answers.is_empty());
}

#[test]
fn what_exceeds_the_room_of_a_command_is_a_gap() {
    let points = vec![replay(&trade(0, 1), 0), replay(&trade(1, 1), 0)];
    let (mut answers, _) = answers(points, 3);

    let piece = answers.next_piece(&values(&[trade(0, 5), trade(1, 4)]), 99, |_| false);

    assert_eq!(told(&piece), (vec![(1, 2), (1, 4)], vec![(3, LIVE), (4, LIVE), (5, LIVE)]));
}

#[test]
fn numbers_of_another_epoch_are_a_gap_up_to_the_command() {
    let stream = trade(0, 1).stream();
    let kind = AnswerKind::Restart { newest: Seq(4) };
    let (mut answers, _) = answers(vec![AnswerPoint { stream, kind }], 99);

    let piece = answers.next_piece(&values(&[trade(0, 6)]), 99, |_| false);

    assert_eq!(told(&piece), (vec![(1, 4)], vec![(5, LIVE), (6, LIVE)]));
}

#[test]
fn a_client_of_another_epoch_gets_the_newest_message_of_a_state_behind_the_gap_of_those_before() {
    let stream = fixtures::weather_message(1).stream();
    for kind in [AnswerKind::Restart { newest: Seq(4) }, AnswerKind::Impossible { newest: Seq(4) }] {
        for newest in [6, 1] {
            let (mut answers, _) = answers(vec![AnswerPoint { stream, kind }], 99);
            let mut last_values = LastValues::new(4);
            let message = Arc::new(TopicMessage::new(&serde_json::json!("rain"), None));
            last_values.put_message(fixtures::weather_message(newest), message);

            let piece = answers.next_piece(&last_values, 99, |_| false);

            assert_eq!(told(&piece), (vec![(1, newest - 1)], vec![(newest, LIVE)]));
            assert!(answers.is_empty());
        }
    }
}

#[test]
fn a_snapshot_of_all_symbols_is_a_cursor_and_leaves_out_streams_that_resume() {
    let (mut answers, _) = answers(vec![replay(&quote(1, 1), 8)], 99);
    let channels = vec![(Channel::Quotes, SnapshotKind::First, 3)];
    answers.add(AnswerRequest { points: vec![], channels }, 99);
    let newest = values(&[quote(0, 7), quote(1, 9), quote(2, 5), quote(3, 1)]);

    let first = answers.next_piece(&newest, 1, |_| false);
    let waiting = [0, 1, 2, 3].map(|symbol| answers.suspends(quote(symbol, 1).stream()));
    let second = answers.next_piece(&newest, 9, |_| false);

    assert_eq!(told(&first).1, [(7, DeliveryKind::Snapshot)]);
    assert_eq!(waiting, [false, true, true, false]);
    assert_eq!(told(&second).1, [(5, DeliveryKind::Snapshot), (9, LIVE)]);
}

#[test]
fn a_request_that_is_repeated_while_it_waits_is_answered_once() {
    let repeat = |symbol| AnswerPoint {
        stream: quote(symbol, 1).stream(),
        kind: AnswerKind::Snapshot(SnapshotKind::Repeat),
    };
    let (mut answers, _) = answers(vec![repeat(0), repeat(1)], 99);
    for _ in 0..50 {
        let channels = vec![(Channel::Trades, SnapshotKind::Repeat, 2)];
        answers.add(AnswerRequest { points: vec![repeat(1), repeat(0)], channels }, 99);
    }

    let piece =
        answers.next_piece(&values(&[quote(0, 1), quote(1, 2), trade(0, 3), trade(1, 4)]), 99, |_| false);

    assert_eq!(told(&piece).1.iter().map(|object| object.0).collect::<Vec<_>>(), [3, 4, 1, 2]);
    assert!(answers.is_empty());
}

#[test]
fn names_that_outlive_the_subscription_to_all_symbols_keep_their_snapshot() {
    let (mut answers, _) = answers(vec![], 99);
    let channels = vec![(Channel::Quotes, SnapshotKind::First, 3)];
    answers.add(AnswerRequest { points: vec![], channels }, 99);

    answers.retain(|stream| stream.symbol() == SymbolId(2));

    assert_eq!([1, 2].map(|symbol| answers.suspends(quote(symbol, 1).stream())), [false, true]);
    let piece = answers.next_piece(&values(&[quote(1, 1), quote(2, 5)]), 99, |_| false);
    assert_eq!(told(&piece).1, [(5, DeliveryKind::Snapshot)]);
}
