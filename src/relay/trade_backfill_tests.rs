use super::*;
use crate::model::Body;
use crate::wire::fixtures;

fn trade(symbol: u32, at: i64, id: u64) -> Trade {
    let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
    Trade { symbol: SymbolId(symbol), at: Timestamp::from_nanos(at), id, ..trade }
}

/// After all trades of these tests but those with a wrong time.
const TODAY: Timestamp = Timestamp::from_nanos(1_000_000);

fn ids(trades: &[Trade]) -> Vec<u64> {
    trades.iter().map(|trade| trade.id).collect()
}

/// A backfill with these trades published before the connection was lost, and the request for what came since.
fn after_loss(limits: BackfillLimits, before: &[Trade]) -> (TradeBackfill, Instant) {
    let (mut backfill, now) = (TradeBackfill::new(limits), Instant::now());
    before.iter().for_each(|trade| backfill.live(*trade, &mut Vec::new()));
    backfill.begin(now, TODAY);
    (backfill, now)
}

#[test]
fn trades_since_the_last_time_are_published_once_and_before_the_live_ones() {
    let before = [trade(0, 10, 1), trade(0, 20, 2), trade(0, 20, 3)];
    let (mut backfill, now) = after_loss(BackfillLimits::default(), &before);
    let request = backfill.take_request().unwrap();
    assert_eq!((request.symbols, request.from.nanos()), (vec![SymbolId(0)], 20));
    assert_eq!(backfill.take_request(), None, "one at a time");

    let mut out = Vec::new();
    backfill.live(trade(0, 50, 7), &mut out);
    assert_eq!(backfill.take_outcome(now, &mut out), None);
    assert_eq!(out, [], "it waits");
    let answer = [(20, 2), (20, 3), (20, 4), (30, 5), (40, 6), (50, 7)];
    backfill.answered(answer.map(|(at, id)| trade(0, at, id)).to_vec(), None, &mut out);

    assert_eq!(ids(&out), [4, 5, 6, 7]);
    let outcome = backfill.take_outcome(now, &mut out).unwrap();
    assert_eq!((outcome.from.nanos(), outcome.unfilled, outcome.found), (20, vec![], 3));
}

#[test]
fn a_trade_that_came_from_rest_and_then_live_is_published_once() {
    let (mut backfill, now) = after_loss(BackfillLimits::default(), &[trade(0, 10, 1)]);
    let mut out = Vec::new();
    backfill.take_request();
    backfill.answered(vec![trade(0, 30, 2)], None, &mut out);
    backfill.take_outcome(now, &mut out);

    backfill.live(trade(0, 30, 2), &mut out);
    backfill.live(trade(0, 40, 3), &mut out);

    assert_eq!(ids(&out), [2, 3]);
}

#[test]
fn pages_are_asked_for_one_after_the_other_and_other_symbols_do_not_wait() {
    let limits = BackfillLimits { symbols_per_request: 1, ..BackfillLimits::default() };
    let (mut backfill, now) = after_loss(limits, &[trade(0, 10, 1), trade(1, 20, 1)]);
    let mut out = Vec::new();
    assert_eq!(backfill.take_request().unwrap().symbols, [SymbolId(1)], "the busiest first");
    backfill.answered(vec![trade(1, 20, 1), trade(1, 30, 2)], Some("p2".to_owned()), &mut out);
    let second = backfill.take_request().unwrap();
    assert_eq!((second.symbols, second.page.as_deref()), (vec![SymbolId(1)], Some("p2")));
    backfill.answered(vec![trade(1, 40, 3)], None, &mut out);

    backfill.live(trade(1, 50, 4), &mut out);
    backfill.live(trade(2, 50, 9), &mut out);
    backfill.live(trade(0, 50, 5), &mut out);
    assert_eq!(ids(&out), [2, 3, 4, 9]);

    backfill.take_request();
    backfill.failed(&mut out);
    assert_eq!(ids(&out), [2, 3, 4, 9, 5]);
    assert_eq!(backfill.take_outcome(now, &mut out).unwrap().unfilled, [SymbolId(0)]);
}

#[test]
fn live_trades_wait_no_longer_than_the_limit_and_the_hole_is_told() {
    let (mut backfill, now) = after_loss(BackfillLimits::default(), &[trade(0, 10, 1)]);
    let mut out = Vec::new();
    backfill.take_request();
    backfill.live(trade(0, 20, 2), &mut out);
    let due = now + BackfillLimits::default().wait;
    assert_eq!(due, now + Duration::from_secs(5));

    let outcome = backfill.take_outcome(due, &mut out).unwrap();
    backfill.answered(vec![trade(0, 15, 9)], None, &mut out);

    assert_eq!((outcome.unfilled, ids(&out)), (vec![SymbolId(0)], vec![2]));
    assert!(!backfill.is_filling());
}

#[test]
fn no_more_requests_are_sent_than_permitted_and_no_more_trades_held() {
    let limits = BackfillLimits { requests: 2, held: 3, symbols_per_request: 1, ..BackfillLimits::default() };
    let before: Vec<_> = (0..5).map(|symbol| trade(symbol, 10 + i64::from(symbol), 1)).collect();
    let (mut backfill, now) = after_loss(limits, &before);
    let mut out = Vec::new();
    for _ in 0..2 {
        let symbol = backfill.take_request().unwrap().symbols[0];
        backfill.answered(vec![before[symbol.0 as usize]], None, &mut out);
    }
    assert_eq!(backfill.take_request(), None);
    let unfilled = backfill.take_outcome(now, &mut out).unwrap().unfilled;
    assert_eq!(unfilled, [0, 1, 2].map(SymbolId));

    backfill.begin(now, TODAY);
    (0..4).for_each(|id| backfill.live(trade(0, 30, id), &mut out));
    assert!(backfill.take_outcome(now, &mut out).is_some(), "too many wait");
    assert_eq!(ids(&out), [0, 1, 2, 3]);
}

#[test]
fn before_the_first_trade_there_is_no_hole() {
    let (mut backfill, now) = after_loss(BackfillLimits::default(), &[]);

    assert_eq!(backfill.take_request(), None);
    assert_eq!(backfill.take_outcome(now, &mut Vec::new()), None);
}

#[test]
fn an_answer_without_a_trade_that_is_known_leaves_the_hole_unfilled() {
    let before = [trade(0, 10, 1), trade(1, 20, 1)];
    let (mut backfill, now) = after_loss(BackfillLimits::default(), &before);
    let mut out = Vec::new();
    backfill.take_request();

    // As of a server that began anew: it knows the time, and not what it published before.
    backfill.answered(vec![trade(0, 10, 1), trade(0, 30, 2), trade(1, 40, 2)], None, &mut out);

    assert_eq!(ids(&out), [2, 2], "what there is is published");
    assert_eq!(backfill.take_outcome(now, &mut out).unwrap().unfilled, [SymbolId(1)]);
}

#[test]
fn a_hole_in_a_hole_keeps_what_is_unfilled_and_ignores_earlier_answers() {
    let limits = BackfillLimits { symbols_per_request: 1, ..BackfillLimits::default() };
    let (mut backfill, now) = after_loss(limits, &[trade(0, 10, 1), trade(1, 20, 1)]);
    let mut out = Vec::new();
    backfill.take_request();
    backfill.failed(&mut out);
    let earlier = backfill.take_request().unwrap().hole;
    assert!(backfill.is_current(earlier));
    backfill.live(trade(0, 30, 2), &mut out);

    let later = now + Duration::from_secs(3);
    backfill.begin(later, TODAY);

    assert!(!backfill.is_current(earlier));
    for _ in 0..2 {
        let symbol = backfill.take_request().unwrap().symbols[0];
        let known = if symbol == SymbolId(0) { trade(0, 10, 1) } else { trade(1, 20, 1) };
        backfill.answered(vec![known], None, &mut out);
    }
    let outcome = backfill.take_outcome(later, &mut out).unwrap();
    assert_eq!((outcome.unfilled, ids(&out)), (vec![SymbolId(1)], vec![2]));
}

#[test]
fn live_trades_wait_no_longer_because_the_connection_is_lost_again() {
    let (mut backfill, now) = after_loss(BackfillLimits::default(), &[trade(0, 10, 1)]);
    let mut out = Vec::new();
    backfill.live(trade(0, 20, 2), &mut out);

    backfill.begin(now + Duration::from_secs(4), TODAY);
    assert!(backfill.take_outcome(now + Duration::from_secs(5), &mut out).is_some());

    assert_eq!(ids(&out), [2]);
}

#[test]
fn the_hole_of_a_symbol_whose_last_trade_is_of_the_future_is_not_filled() {
    let before = [trade(0, 10, 1), trade(1, TODAY.nanos() + 1, 2)];
    let (mut backfill, now) = after_loss(BackfillLimits::default(), &before);
    let mut out = Vec::new();

    let request = backfill.take_request().unwrap();
    assert_eq!((request.symbols, request.from), (vec![SymbolId(0)], Timestamp::from_nanos(10)));
    backfill.answered(vec![trade(0, 10, 1)], None, &mut out);

    assert_eq!(backfill.take_outcome(now, &mut out).unwrap().unfilled, [SymbolId(1)]);
}
