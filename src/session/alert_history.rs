use super::alerts::Crossing;
use super::outbox::ReplayLookup;
use crate::alerts::{AlertCondition, LastPrice, Trigger, sets_last, trigger};
use crate::model::{Body, Price, Seq, StreamId, Timestamp, Trade, TradeRules, TradingDay};

/// The trades that are retained, as alerts see them.
pub(super) struct TradeHistory<'a> {
    replay: &'a ReplayLookup,
    rules: TradeRules,
}

/// An alert evaluated over trades that were before it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Walked {
    /// The last price where it began.
    pub(super) began_at: Option<Price>,
    /// Its state there.
    pub(super) began: Option<Trigger>,
    /// Its state behind the last trade.
    pub(super) trigger: Option<Trigger>,
    pub(super) crossings: Vec<Crossing>,
    /// Whether it ended with the last of them.
    pub(super) is_over: bool,
}

/// What an alert is evaluated for.
#[derive(Clone, Copy)]
pub(super) struct Walk {
    pub(super) stream: StreamId,
    /// The number behind which it begins.
    pub(super) after: Seq,
    /// The number up to which it goes.
    pub(super) up_to: Seq,
    pub(super) condition: AlertCondition,
    pub(super) once: bool,
    /// The previous close now, at this time.
    pub(super) previous_close: Option<Price>,
    pub(super) now: Timestamp,
}

/// The trades that one look-up returns at most.
const CHUNK: u64 = 256;

/// How many trades are looked at for a last price, in each of several steps: among some hundred there is one even where
/// most are odd lots, and one that is not late even where many are.
const LOOK_BACK: [u64; 4] = [64, CHUNK, CHUNK, CHUNK];

impl<'a> TradeHistory<'a> {
    pub(super) fn new(replay: &'a ReplayLookup, rules: TradeRules) -> Self {
        Self { replay, rules }
    }

    /// The last price as of the trade with this number; `None` if that is not retained, or no trade before it that is the
    /// last price.
    pub(super) fn last_price(&self, stream: StreamId, seq: Seq) -> Option<LastPrice> {
        // Where an earlier price is known, only these trades count.
        let earlier = LastPrice::untimed(Price::default());
        let mut until = seq;
        for trades in LOOK_BACK {
            let from = Seq(until.0.saturating_sub(trades));
            let trades = self.trades(stream, from, until);
            if trades.last()?.0 != until {
                return None;
            }
            // Of those of one time the last.
            let candidates = trades.iter().map(|(_, trade)| trade);
            let last = candidates
                .filter(|trade| sets_last(self.rules, trade, Some(earlier)))
                .max_by_key(|trade| trade.at);
            if let Some(trade) = last {
                return Some(LastPrice::of(trade));
            }
            until = Seq(trades.first()?.0.0 - 1);
        }
        None
    }

    /// Evaluates an alert for the trades behind a number, up to another one; `None` if not all of them are retained, or
    /// its state at the first number is not known.
    pub(super) fn walk(&self, walk: &Walk) -> Option<Walked> {
        let Walk { stream, after, up_to, condition, once, previous_close, now } = *walk;
        let mut last = None;
        if after.0 > 0 {
            let known = self.last_price(stream, after)?;
            // The close before that day is not the one that is known now.
            if condition.is_of_change() && !TradingDay::of(known.at).holds(now) {
                return None;
            }
            last = Some(known);
        }
        let began_at = last.map(|last| last.price);
        let began = trigger(condition, previous_close, began_at);
        let mut state = began;
        let (mut crossings, mut is_over, mut done) = (Vec::new(), false, after);
        while done < up_to && !is_over {
            let trades = self.trades(stream, done, up_to);
            if trades.first()?.0 != done.next() {
                return None;
            }
            for (seq, trade) in trades {
                done = seq;
                if is_over || !sets_last(self.rules, &trade, last) {
                    continue;
                }
                last = Some(LastPrice::of(&trade));
                if state.as_mut().is_some_and(|state| state.meet(trade.price)) {
                    crossings.push(Crossing { price: trade.price, seq, at: trade.at });
                    is_over = once;
                }
            }
        }
        Some(Walked { began_at, began, trigger: state, crossings, is_over })
    }

    fn trades(&self, stream: StreamId, after: Seq, up_to: Seq) -> Vec<(Seq, Trade)> {
        let objects = (self.replay)(stream, after, up_to, CHUNK as usize);
        let trade = |seq, body| match body {
            Body::Trade(trade) => Some((seq, trade)),
            _ => None,
        };
        objects.into_iter().filter_map(|it| trade(it.object.seq, it.object.body)).collect()
    }
}

#[cfg(test)]
#[path = "alert_history_tests.rs"]
mod tests;
