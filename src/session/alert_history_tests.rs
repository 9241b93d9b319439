use std::rc::Rc;

use super::*;
use crate::archive::{Archive, Retention};
use crate::model::{Conditions, Object, SymbolId};
use crate::wire::fixtures;

/// An archive of these trades in cents, of which it retains the last ones; a negative price is that of an odd lot.
fn archive(prices: &[i64], retained: usize) -> Archive {
    let archive = Archive::new(1, Retention::default());
    let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
    let object = |(seq, price): (u64, &i64)| {
        let conditions = Conditions::new(if *price < 0 { b"I" } else { b"@" });
        let trade = Trade { symbol: SymbolId(0), price: Price::from_cents(price.abs()), conditions, ..trade };
        Object { seq: Seq(seq), body: Body::Trade(trade) }
    };
    let objects: Vec<_> = (1..).zip(prices).map(object).collect();
    archive.record(&objects[objects.len() - retained..]);
    archive
}

fn walk(prices: &[i64], retained: usize, after: u64, when: &str, once: bool) -> Option<Vec<u64>> {
    let archive = archive(prices, retained);
    let stream = fixtures::trade().stream();
    let stream = StreamId::new(stream.channel(), SymbolId(0));
    let replay: ReplayLookup =
        Rc::new(move |stream, after, up_to, most| archive.replay(stream, after, up_to, most));
    let history = TradeHistory::new(&replay, TradeRules::Consolidated);
    let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
    let walked = history.walk(&Walk {
        stream,
        after: Seq(after),
        up_to: Seq(prices.len() as u64),
        condition: when.parse().unwrap(),
        once,
        previous_close: Some(Price::from_cents(10_000)),
        now: trade.at,
    })?;
    assert_eq!(walked.is_over, once && !walked.crossings.is_empty());
    Some(walked.crossings.iter().map(|crossing| crossing.seq.0).collect())
}

#[test]
fn what_fired_since_a_trade_is_found_by_the_price_at_that_trade() {
    let prices = [9_900, 10_100, 9_900, 10_100, 9_900, 10_100];
    let rise = |after, once| walk(&prices, 6, after, "p>=100", once);

    assert_eq!(rise(0, false), Some(vec![2, 4, 6]), "the first trade arms it");
    assert_eq!(rise(1, false), Some(vec![2, 4, 6]));
    assert_eq!(rise(2, false), Some(vec![4, 6]));
    assert_eq!(rise(2, true), Some(vec![4]));
    assert_eq!(rise(5, true), Some(vec![6]));
    assert_eq!(walk(&prices, 6, 1, "chg<=-1%", false), Some(vec![3, 5]));
}

#[test]
fn trades_that_are_not_the_last_price_are_passed_over() {
    let prices = [9_900, -10_100, -10_200, 9_950, -9_800, 10_100];

    assert_eq!(walk(&prices, 6, 3, "p>=100", false), Some(vec![6]), "the price at 3 is that of 1");
    assert_eq!(walk(&prices, 6, 1, "p<=98.50", false), Some(vec![]));
    let mut odd = vec![9_900];
    odd.extend([-10_100; 300]);
    odd.push(10_100);
    assert_eq!(walk(&odd, 302, 300, "p>=100", true), Some(vec![302]));
}

#[test]
fn what_is_not_retained_is_not_guessed() {
    let prices = [9_900, 10_100, 9_900, 10_100];

    assert_eq!(walk(&prices, 2, 2, "p>=100", true), None, "the price at 2 is not retained");
    assert_eq!(walk(&prices, 2, 3, "p>=100", true), Some(vec![4]));
    assert_eq!(walk(&prices, 3, 0, "p>=100", true), None);
    let mut odd = vec![9_900];
    odd.extend([-10_100; 2_000]);
    assert_eq!(
        walk(&odd, 2_001, 1_990, "p>=100", true),
        None,
        "no last price among those that are looked at"
    );
}
