use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};
use slab::Slab;

use super::trigger::reaches;
use super::{AlertCondition, Direction, Trigger};
use crate::model::{BarLength, LastEffect, Price, Seq, SymbolId, Timestamp, Trade, TradeRules};

/// The alerts of one worker's sessions, by symbol and price.
///
/// A trade of a symbol without alerts costs the test of one bit. For a symbol with alerts the next price above and the next
/// one below at which anything changes are kept, so that a trade between them costs two comparisons, however many alerts
/// there are; one that reaches a price walks only the alerts that it changes.
#[derive(Debug, Default)]
pub struct AlertIndex {
    entries: Slab<AlertRow>,
    symbols: FxHashMap<SymbolId, SymbolAlerts>,
    /// A bit for each symbol: whether it has alerts.
    has_alerts: Vec<u64>,
    rules: TradeRules,
}

/// The key of an alert in its index. It is used again when the alert has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertKey(u32);

/// What an alert is set with.
#[derive(Clone, Copy, Debug)]
pub struct AlertOrder {
    /// Whose it is: told when it fires.
    pub owner: usize,
    /// The instrument.
    pub symbol: SymbolId,
    /// When it fires.
    pub condition: AlertCondition,
    /// Whether it ends when it has fired.
    pub once: bool,
    /// The number up to which the owner knows already what fired: trades up to it change the state, and fire nothing.
    pub known: Seq,
}

/// An alert that fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertFire {
    /// Whose it is.
    pub owner: usize,
    /// The alert.
    pub key: AlertKey,
    /// Whether it ended with that.
    pub is_over: bool,
    /// The price of the trade that crossed.
    pub price: Price,
    /// The number of that trade.
    pub seq: Seq,
    /// The time of that trade.
    pub at: Timestamp,
}

/// The last price of a symbol, and the time of its trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastPrice {
    /// The price.
    pub price: Price,
    /// The time; the earliest that there is where that is not known.
    pub at: Timestamp,
}

impl LastPrice {
    /// The price of this trade.
    pub const fn of(trade: &Trade) -> Self {
        Self { price: trade.price, at: trade.at }
    }

    /// A price of which no trade is known.
    pub const fn untimed(price: Price) -> Self {
        Self { price, at: Timestamp::from_nanos(i64::MIN) }
    }
}

#[derive(Debug)]
struct AlertRow {
    order: AlertOrder,
    /// `None` while its price is not known.
    trigger: Option<Trigger>,
}

/// The alerts of one symbol, by the price that changes each next.
#[derive(Debug)]
struct SymbolAlerts {
    last: Option<LastPrice>,
    previous_close: Option<Price>,
    alerts: usize,
    /// The lowest price of `rises`.
    next_up: Price,
    /// The highest price of `falls`.
    next_down: Price,
    rises: BTreeSet<(Price, AlertKey)>,
    falls: BTreeSet<(Price, AlertKey)>,
    /// Those whose price depends on the previous close.
    of_change: FxHashSet<AlertKey>,
}

impl AlertIndex {
    /// Whether there is no alert.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The number of alerts.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Sets which trades are the last price.
    pub fn set_rules(&mut self, rules: TradeRules) {
        self.rules = rules;
    }

    /// Whether the symbol has alerts.
    pub fn watches(&self, symbol: SymbolId) -> bool {
        let word = self.has_alerts.get(symbol.index() / 64).copied().unwrap_or_default();
        word >> (symbol.index() % 64) & 1 == 1
    }

    /// The last price of a symbol that has alerts.
    pub fn last(&self, symbol: SymbolId) -> Option<LastPrice> {
        self.symbols.get(&symbol)?.last
    }

    /// The owners of the alerts of a symbol, each once, in order.
    pub fn owners(&self, symbol: SymbolId) -> Vec<usize> {
        let of_symbol = self.entries.iter().filter(|(_, row)| row.order.symbol == symbol);
        let mut owners: Vec<_> = of_symbol.map(|(_, row)| row.order.owner).collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    /// Adds an alert in this state; `last` and `previous_close` are those of its symbol.
    pub fn add(
        &mut self,
        order: AlertOrder,
        trigger: Option<Trigger>,
        last: Option<LastPrice>,
        previous_close: Option<Price>,
    ) -> AlertKey {
        let AlertOrder { symbol, condition, .. } = order;
        let key = AlertKey(self.entries.insert(AlertRow { order, trigger }) as u32);
        let word = symbol.index() / 64;
        if self.has_alerts.len() <= word {
            self.has_alerts.resize(word + 1, 0);
        }
        self.has_alerts[word] |= 1 << (symbol.index() % 64);
        let alerts = self.symbols.entry(symbol).or_insert_with(|| SymbolAlerts::new(last, previous_close));
        alerts.alerts += 1;
        if condition.is_of_change() {
            alerts.of_change.insert(key);
        }
        alerts.insert(key, trigger);
        alerts.set_next();
        key
    }

    /// Removes an alert.
    pub fn remove(&mut self, key: AlertKey) {
        let Some(AlertRow { order, trigger }) = self.entries.try_remove(key.0 as usize) else { return };
        let Some(alerts) = self.symbols.get_mut(&order.symbol) else { return };
        alerts.remove(key, trigger);
        alerts.of_change.remove(&key);
        alerts.alerts -= 1;
        match alerts.alerts {
            0 => self.forget(order.symbol),
            _ => alerts.set_next(),
        }
    }

    fn forget(&mut self, symbol: SymbolId) {
        self.symbols.remove(&symbol);
        self.has_alerts[symbol.index() / 64] &= !(1 << (symbol.index() % 64));
    }

    /// Whether the last price is at the threshold or beyond it: the alert fires when the price was on the other side.
    pub fn is_beyond(&self, key: AlertKey) -> bool {
        let Some(row) = self.entries.get(key.0 as usize) else { return false };
        let last = self.last(row.order.symbol);
        row.trigger.zip(last).is_some_and(|(trigger, last)| trigger.is_beyond(last.price))
    }

    /// Takes in a trade, and adds the alerts that it fires.
    pub fn traded(&mut self, seq: Seq, trade: &Trade, fired: &mut Vec<AlertFire>) {
        if !self.watches(trade.symbol) {
            return;
        }
        let Self { entries, symbols, rules, .. } = self;
        let Some(alerts) = symbols.get_mut(&trade.symbol) else { return };
        let price = trade.price;
        if !sets_last(*rules, trade, alerts.last) {
            return;
        }
        alerts.last = Some(LastPrice::of(trade));
        if price < alerts.next_up && price > alerts.next_down {
            return;
        }
        while let Some((direction, key)) = alerts.take_reached(price) {
            let Some(row) = entries.get_mut(key.0 as usize) else { continue };
            let Some(trigger) = &mut row.trigger else { continue };
            debug_assert_eq!(trigger.next().0, direction);
            let mut is_over = false;
            if trigger.advance() {
                match seq <= row.order.known {
                    true => *trigger = trigger.at(price),
                    false => {
                        is_over = row.order.once;
                        let owner = row.order.owner;
                        fired.push(AlertFire { owner, key, is_over, price, seq, at: trade.at });
                    }
                }
            }
            if is_over {
                entries.remove(key.0 as usize);
                alerts.of_change.remove(&key);
                alerts.alerts -= 1;
            } else {
                alerts.insert(key, row.trigger);
            }
        }
        match alerts.alerts {
            0 => self.forget(trade.symbol),
            _ => alerts.set_next(),
        }
    }

    /// Takes in the previous close of a symbol: where it changed, changes become other prices, and the last price decides
    /// anew whether their alerts are armed.
    pub fn closed(&mut self, symbol: SymbolId, previous_close: Price) {
        let previous_close = Some(previous_close).filter(|close| close.nanos() != 0);
        let Self { entries, symbols, .. } = self;
        let Some(alerts) = symbols.get_mut(&symbol) else { return };
        if alerts.previous_close == previous_close {
            return;
        }
        alerts.previous_close = previous_close;
        for key in std::mem::take(&mut alerts.of_change) {
            if let Some(row) = entries.get_mut(key.0 as usize) {
                alerts.remove(key, row.trigger);
                let last = alerts.last.map(|last| last.price);
                row.trigger = trigger(row.order.condition, previous_close, last);
                alerts.insert(key, row.trigger);
                alerts.of_change.insert(key);
            }
        }
        alerts.set_next();
    }

    /// The time went back: the next trade is the last price, although it is earlier.
    pub fn step_back(&mut self) {
        let known = self.symbols.values_mut().filter_map(|alerts| alerts.last.as_mut());
        known.for_each(|last| *last = LastPrice::untimed(last.price));
    }

    /// Numbers begin again: no owner knows any of them, and the time may have gone back.
    pub fn restart_numbers(&mut self) {
        self.step_back();
        self.entries.iter_mut().for_each(|(_, row)| row.order.known = Seq::default());
    }
}

/// The state of an alert with this condition where the last price and the previous close are these; `None` while its price
/// is not known.
pub fn trigger(
    condition: AlertCondition,
    previous_close: Option<Price>,
    last: Option<Price>,
) -> Option<Trigger> {
    let threshold = condition.threshold(previous_close)?;
    Some(Trigger::new(condition.direction(), threshold, last))
}

/// Whether a trade is the last price after this one, as tickers have it: its sale conditions decide, as for bars of
/// minutes, and one that is reported late is not.
pub fn sets_last(rules: TradeRules, trade: &Trade, last: Option<LastPrice>) -> bool {
    let may_set = match rules.effect(trade.conditions, BarLength::WithinDay).last {
        LastEffect::Always => true,
        LastEffect::IfFirst => last.is_none(),
        LastEffect::Never => false,
    };
    may_set && last.is_none_or(|last| trade.at >= last.at)
}

impl SymbolAlerts {
    fn new(last: Option<LastPrice>, previous_close: Option<Price>) -> Self {
        let (next_up, next_down) = (Price::from_nanos(i64::MAX), Price::from_nanos(i64::MIN));
        let (rises, falls, of_change) = (BTreeSet::new(), BTreeSet::new(), FxHashSet::default());
        Self { last, previous_close, alerts: 0, next_up, next_down, rises, falls, of_change }
    }

    fn side(&mut self, direction: Direction) -> &mut BTreeSet<(Price, AlertKey)> {
        match direction {
            Direction::Rise => &mut self.rises,
            Direction::Fall => &mut self.falls,
        }
    }

    fn insert(&mut self, key: AlertKey, trigger: Option<Trigger>) {
        if let Some((direction, price)) = trigger.map(|trigger| trigger.next()) {
            self.side(direction).insert((price, key));
        }
    }

    fn remove(&mut self, key: AlertKey, trigger: Option<Trigger>) {
        if let Some((direction, price)) = trigger.map(|trigger| trigger.next()) {
            self.side(direction).remove(&(price, key));
        }
    }

    fn set_next(&mut self) {
        self.next_up = self.rises.first().map_or(Price::from_nanos(i64::MAX), |(price, _)| *price);
        self.next_down = self.falls.last().map_or(Price::from_nanos(i64::MIN), |(price, _)| *price);
    }

    /// Takes an alert out that this price changes. A change does not make another one of the same alert due: what it waits
    /// for then is on the other side of the price.
    fn take_reached(&mut self, price: Price) -> Option<(Direction, AlertKey)> {
        if let Some((up, key)) = self.rises.first().copied()
            && reaches(Direction::Rise, up, price)
        {
            self.rises.pop_first();
            return Some((Direction::Rise, key));
        }
        let (down, key) = self.falls.last().copied()?;
        reaches(Direction::Fall, down, price).then(|| {
            self.falls.pop_last();
            (Direction::Fall, key)
        })
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
