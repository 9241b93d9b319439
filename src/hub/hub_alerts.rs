use std::rc::Rc;
use std::slice::ChunkBy;
use std::time::Instant;

use super::Subscriber;
use super::hub::Slot;
use crate::alerts::{AlertFire, AlertIndex};
use crate::feed::Batch;
use crate::model::{Body, Channel, CurrentTradeRules, Missed, Timestamp, Universe};

/// The price alerts of a hub's subscribers. A hub without alerts has none of this.
pub(super) struct HubAlerts {
    pub(super) index: AlertIndex,
    rules: CurrentTradeRules,
    /// The alerts that the last batch fired. Its memory is kept.
    fired: Vec<AlertFire>,
    watermark: Option<Timestamp>,
}

impl HubAlerts {
    pub(super) fn new(rules: CurrentTradeRules) -> Self {
        Self { index: AlertIndex::default(), rules, fired: Vec::new(), watermark: None }
    }

    /// Evaluates the alerts for every trade of a batch, and then for the previous closes that its tickers tell. Returns
    /// what fired, for each owner in the order of the trades.
    pub(super) fn evaluate(
        &mut self,
        batch: &Batch,
    ) -> ChunkBy<'_, AlertFire, impl FnMut(&AlertFire, &AlertFire) -> bool + use<>> {
        let Self { index, rules, fired, watermark } = self;
        fired.clear();
        index.set_rules(rules.get());
        if watermark.replace(batch.watermark()) > Some(batch.watermark()) {
            index.step_back();
        }
        if batch.restarts_numbers() {
            index.restart_numbers();
        }
        for object in batch.events() {
            if let Body::Trade(trade) = &object.body {
                index.traded(object.seq, trade, fired);
            }
        }
        for object in batch.tickers() {
            if let Body::Ticker(ticker) = &object.body
                && index.watches(ticker.symbol)
            {
                index.closed(ticker.symbol, ticker.previous_close);
            }
        }
        fired.sort_by_key(|fire| fire.owner);
        fired.chunk_by(|fire, next| fire.owner == next.owner)
    }

    /// Tells the owners of alerts which trades these are not evaluated for. Those that subscribe to the trades are told that
    /// they will not come beside it.
    pub(super) fn tell_missed(
        &self,
        missed: &[Missed],
        slots: &[Option<Slot>],
        universe: &Universe,
        now: Instant,
    ) {
        let is_watched =
            |it: &&Missed| it.stream.channel() == Channel::Trades && self.index.watches(it.stream.symbol());
        for missed in missed.iter().filter(is_watched) {
            for owner in self.index.owners(missed.stream.symbol()) {
                let slot = slots.get(owner).and_then(Option::as_ref);
                let subscriber: Option<&Rc<dyn Subscriber>> = slot.map(|slot| &slot.subscriber);
                subscriber
                    .iter()
                    .for_each(|subscriber| subscriber.trades_unevaluated(*missed, universe, now));
            }
        }
    }
}
