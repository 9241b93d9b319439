use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;
use crate::model::{Body, Conditions};
use crate::wire::fixtures;

const SYMBOLS: u32 = 70;

fn trade(symbol: u32, cents: i64) -> Trade {
    let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
    Trade {
        symbol: SymbolId(symbol),
        price: Price::from_cents(cents),
        conditions: Conditions::new(b"@"),
        ..trade
    }
}

fn order(owner: usize, symbol: u32, when: &str, once: bool) -> AlertOrder {
    let (symbol, known) = (SymbolId(symbol), Seq::default());
    AlertOrder { owner, symbol, condition: when.parse().unwrap(), once, known }
}

/// A market of one price and previous close for each symbol, and an index over it.
struct Market {
    index: AlertIndex,
    last: BTreeMap<u32, LastPrice>,
    close: Option<Price>,
    seq: u64,
}

impl Market {
    fn new() -> Self {
        Self { index: AlertIndex::default(), last: BTreeMap::new(), close: None, seq: 0 }
    }

    fn add(&mut self, order: AlertOrder) -> AlertKey {
        let last = self.last.get(&order.symbol.0).copied();
        let state = trigger(order.condition, self.close, last.map(|last| last.price));
        self.index.add(order, state, last, self.close)
    }

    fn trade(&mut self, trade: &Trade) -> Vec<AlertFire> {
        self.seq += 1;
        if sets_last(self.index.rules, trade, self.last.get(&trade.symbol.0).copied()) {
            self.last.insert(trade.symbol.0, LastPrice::of(trade));
        }
        let mut fired = Vec::new();
        self.index.traded(Seq(self.seq), trade, &mut fired);
        fired
    }

    fn close(&mut self, cents: i64) {
        self.close = Some(Price::from_cents(cents)).filter(|close| close.nanos() != 0);
        (0..SYMBOLS).for_each(|symbol| self.index.closed(SymbolId(symbol), Price::from_cents(cents)));
    }

    fn owners(&mut self, symbol: u32, cents: i64) -> Vec<usize> {
        self.trade(&trade(symbol, cents)).iter().map(|fire| fire.owner).collect()
    }
}

/// An alert as a client would keep it: without an index and without [`Trigger`].
#[derive(Debug)]
struct Naive {
    order: AlertOrder,
    key: AlertKey,
    /// Whether the price was on the other side, and was far enough.
    armed: bool,
    fired: bool,
}

impl Naive {
    fn threshold(&self, close: Option<Price>) -> Option<i64> {
        self.order.condition.threshold(close).map(Price::nanos)
    }

    fn is_rise(&self) -> bool {
        self.order.condition.direction() == Direction::Rise
    }

    fn is_beyond(&self, close: Option<Price>, last: Option<Price>) -> bool {
        let pair = self.threshold(close).zip(last.map(Price::nanos));
        pair.is_some_and(|(level, last)| if self.is_rise() { last >= level } else { last <= level })
    }

    fn rearm_by(&mut self, close: Option<Price>, last: Option<Price>) {
        (self.armed, self.fired) = (false, false);
        if let (Some(threshold), Some(last)) = (self.threshold(close), last) {
            self.armed = if self.is_rise() { last.nanos() < threshold } else { last.nanos() > threshold };
        }
    }

    fn fires(&mut self, seq: u64, close: Option<Price>, price: Price) -> bool {
        let Some(threshold) = self.threshold(close) else { return false };
        let (price, threshold) = match self.is_rise() {
            true => (price.nanos(), threshold),
            false => (-price.nanos(), -threshold),
        };
        if self.armed && price >= threshold {
            self.armed = false;
            self.fired = seq > self.order.known.0;
            return self.fired;
        }
        let distance = if self.fired { (threshold.abs() / 1_000).max(1) } else { 1 };
        self.armed |= price <= threshold - distance;
        false
    }
}

#[test]
fn the_index_fires_what_a_naive_reference_fires() {
    let mut total = 0;
    for seed in 0..40 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut market = Market::new();
        let mut naive: Vec<Naive> = Vec::new();
        let symbols = random.random_range(1..SYMBOLS);
        let mut price = vec![10_000; symbols as usize];
        for _ in 0..2_000 {
            let symbol = random.random_range(0..symbols);
            match random.random_range(0..100) {
                0..15 => {
                    let level = random.random_range(9_700..10_300);
                    let (sign, percent) =
                        ([">=", "<="][random.random_range(0..2)], random.random_range(-3..=3));
                    let when = match random.random() {
                        true => format!("p{sign}{}.{:02}", level / 100, level % 100),
                        false => format!("chg{sign}{percent}%"),
                    };
                    let known = Seq(market.seq + random.random_range(0..2) * random.random_range(0..50));
                    let order = AlertOrder { known, ..order(naive.len(), symbol, &when, random.random()) };
                    let key = market.add(order);
                    let mut added = Naive { order, key, armed: false, fired: false };
                    added.rearm_by(market.close, market.last.get(&symbol).map(|last| last.price));
                    naive.push(added);
                }
                15..20 if !naive.is_empty() => {
                    let gone = naive.swap_remove(random.random_range(0..naive.len()));
                    market.index.remove(gone.key);
                }
                20 => {
                    market.close(random.random_range(0..3) * 10_000);
                    let close = market.close;
                    for alert in naive.iter_mut().filter(|alert| alert.order.condition.is_of_change()) {
                        alert.rearm_by(close, market.last.get(&alert.order.symbol.0).map(|last| last.price));
                    }
                }
                _ => {
                    let cents = &mut price[symbol as usize];
                    *cents = (*cents + random.random_range(-60..=60)).clamp(9_600, 10_400);
                    let traded = trade(symbol, *cents);
                    let mut got: Vec<_> =
                        market.trade(&traded).iter().map(|fire| (fire.key, fire.is_over)).collect();
                    let (seq, close) = (market.seq, market.close);
                    let mut expected = Vec::new();
                    naive.retain_mut(|alert| {
                        let is_of_symbol = alert.order.symbol.0 == symbol;
                        let fires = is_of_symbol && alert.fires(seq, close, traded.price);
                        expected.extend(fires.then_some((alert.key, alert.order.once)));
                        !(fires && alert.order.once)
                    });
                    total += expected.len();
                    got.sort_unstable();
                    expected.sort_unstable();
                    assert_eq!(got, expected, "seed {seed}");
                }
            }
            assert_eq!(market.index.len(), naive.len());
            let last = market.last.get(&symbol).map(|last| last.price);
            for alert in naive.iter().filter(|alert| alert.order.symbol.0 == symbol) {
                assert_eq!(market.index.is_beyond(alert.key), alert.is_beyond(market.close, last));
            }
        }
        for symbol in 0..SYMBOLS {
            let has_alerts = naive.iter().any(|alert| alert.order.symbol.0 == symbol);
            assert_eq!(market.index.watches(SymbolId(symbol)), has_alerts);
        }
        naive.iter().for_each(|alert| market.index.remove(alert.key));
        assert!(market.index.is_empty() && market.index.symbols.is_empty());
        assert!(market.index.has_alerts.iter().all(|word| *word == 0));
    }
    assert!(total > 2_000, "{total} alerts fired");
}

#[test]
fn one_trade_fires_all_alerts_that_it_crosses_and_no_other() {
    let mut market = Market::new();
    market.owners(3, 10_000);
    for (owner, when) in ["p>=101", "p>=103", "p>=102", "p<=99", "p>=105"].iter().enumerate() {
        market.add(order(owner, 3, when, true));
    }
    market.add(order(9, 4, "p>=101", true));

    assert_eq!(market.owners(3, 10_300), [0, 2, 1]);
    assert_eq!(market.owners(3, 10_300), [0; 0]);
    assert_eq!(market.owners(3, 9_000), [3]);
    assert_eq!(market.owners(3, 20_000), [4]);
    assert_eq!(market.index.len(), 1);
}

#[test]
fn a_trade_that_is_not_the_last_price_fires_nothing() {
    let mut market = Market::new();
    market.index.set_rules(TradeRules::Consolidated);
    market.owners(0, 10_000);
    market.add(order(1, 0, "p>=101", true));
    for letters in [&b"@I"[..], b"W", b"@4", b"Z", b"M"] {
        let odd = Trade { conditions: Conditions::new(letters), ..trade(0, 15_000) };
        assert_eq!(market.trade(&odd), [], "{letters:?}");
    }

    assert_eq!(market.owners(0, 10_100), [1]);
}

#[test]
fn a_late_trade_fires_nothing_unless_the_time_went_back() {
    let mut market = Market::new();
    market.owners(0, 10_000);
    market.add(order(1, 0, "p>=101", false));
    let late = Trade { at: trade(0, 0).at - std::time::Duration::from_secs(3), ..trade(0, 15_000) };

    assert_eq!(market.trade(&late), []);
    assert_eq!(market.index.last(SymbolId(0)), Some(LastPrice::of(&trade(0, 10_000))));
    market.index.step_back();
    assert_eq!(market.trade(&late).len(), 1);
}

#[test]
fn changes_become_prices_when_the_previous_close_is_known_and_when_it_changes() {
    let mut market = Market::new();
    market.owners(0, 10_000);
    market.add(order(1, 0, "chg>=5%", false));
    assert_eq!(market.owners(0, 90_000), [0; 0], "5 % of what is not known");
    market.owners(0, 10_000);

    market.close(10_000);
    assert_eq!(market.owners(0, 10_500), [1]);
    market.close(10_400);

    assert_eq!(market.owners(0, 10_919), [0; 0]);
    assert_eq!(market.owners(0, 10_920), [1]);
    market.close(10_000);
    assert_eq!(market.owners(0, 10_920), [0; 0], "it is beyond already");
}

#[test]
fn a_million_alerts_take_little_memory_and_a_trade_between_them_touches_none() {
    let mut market = Market::new();
    market.owners(0, 10_000);
    for number in 0..1_000_000_u32 {
        let cents = 20_000 + i64::from(number);
        market.add(order(0, 0, &format!("p>={}.{:02}", cents / 100, cents % 100), false));
    }
    let alerts = &market.index.symbols[&SymbolId(0)];
    assert_eq!((alerts.next_up, alerts.next_down), (Price::from_cents(20_000), Price::from_nanos(i64::MIN)));
    assert!(size_of::<AlertRow>() <= 104, "{} bytes", size_of::<AlertRow>());
    assert_eq!(market.owners(0, 19_999), [0; 0]);
    assert_eq!(market.owners(0, 20_001).len(), 2);
}
