use std::sync::Arc;
use std::time::Instant;

use super::assets::AssetDirectory;
use super::inbox::{Arrival, Inbox};
use super::instruments::UpstreamInstruments;
use super::outage::UpstreamOutage;
use super::rest::{RowsQuery, UpstreamRows};
use super::settings::UpstreamSymbols;
use super::trade_backfill::{BackfillLimits, HoleNumber, TradeBackfill};
use crate::archive::Archive;
use crate::clock::Clock;
use crate::feed::EarlierRun;
use crate::metrics::UpstreamMetrics;
use crate::model::{Body, Channel, Event, FeedNotice, Seq, StreamId, Timestamp, Trade, TradeRules, Universe};
use crate::source::{DemandChange, EventSource, Readers, Ticks, Wake};
use crate::wire::{DecodedObject, DecodedPage, DeliveryKind};

/// An upstream whose objects are numbered here: it gives no numbers, or they are ignored.
///
/// Bars and statuses come from it like trades and quotes; tickers are made here.
pub(super) struct RelaySource {
    inbox: Inbox,
    wake: Wake,
    clock: Clock,
    metrics: UpstreamMetrics,
    instruments: UpstreamInstruments,
    outage: UpstreamOutage,
    notices: Vec<FeedNotice>,
    /// The objects of the arrival that was taken last.
    taken: Vec<DecodedObject>,
    ask: AskUpstream,
    is_live: bool,
    steady: SteadyClock,
    backfill: TradeBackfill,
    /// When the upstream came back, while the hole before is being filled.
    back_at: Option<Timestamp>,
    /// Whether trades of the outage that is yet to be told as over are missing.
    is_unfilled: bool,
    /// Trades that are due before the objects that were taken last.
    found: Vec<Trade>,
    rules: TradeRules,
}

/// What the source asks of the upstream.
#[derive(Debug)]
pub(super) enum UpstreamRequest {
    /// The subscription.
    Subscription,
    /// What changes in it.
    Change(DemandChange),
    /// Trades of this hole.
    Trades { hole: HoleNumber, query: RowsQuery },
}

/// Passes requests on.
pub(super) type AskUpstream = Box<dyn FnMut(UpstreamRequest) + Send>;

/// The last trades of an instrument that an earlier run has published, among which are all with the time of the last one:
/// a market has fewer in one nanosecond.
const LAST_TRADES: usize = 64;

/// The steady clock.
pub(super) type SteadyClock = fn() -> Instant;

impl RelaySource {
    /// The source of what arrives here; `ask` passes requests to the upstream.
    pub(super) fn new(
        inbox: Inbox,
        wake: Wake,
        clock: Clock,
        metrics: UpstreamMetrics,
        assets: AssetDirectory,
        ask: AskUpstream,
        steady: SteadyClock,
    ) -> Self {
        let mut outage = UpstreamOutage::default();
        outage.end(clock.now(), None);
        Self {
            inbox,
            wake,
            clock,
            metrics,
            instruments: UpstreamInstruments::new(assets),
            outage,
            notices: Vec::new(),
            taken: Vec::new(),
            ask,
            is_live: true,
            steady,
            backfill: TradeBackfill::new(BackfillLimits::default()),
            back_at: None,
            is_unfilled: false,
            found: Vec::new(),
            rules: TradeRules::default(),
        }
    }

    /// The same, where these of its trades are the last price.
    pub(super) fn of_trades(self, rules: TradeRules) -> Self {
        Self { rules, ..self }
    }

    /// Continues an earlier run: instruments keep their ids, and the trades of these symbols since its last ones are looked
    /// for.
    pub(super) fn continuing(
        mut self,
        earlier: &EarlierRun,
        archive: &Archive,
        symbols: &UpstreamSymbols,
    ) -> Self {
        self.instruments.begin_with(Arc::clone(&earlier.universe));
        for instrument in earlier.universe.iter().filter(|instrument| symbols.may_include(&instrument.symbol))
        {
            let stream = StreamId::new(Channel::Trades, instrument.id);
            let last = earlier.last_values.seq(stream);
            let after = Seq(last.0.saturating_sub(LAST_TRADES as u64));
            let trades = archive.since(stream, after, last, LAST_TRADES).into_iter();
            let last = earlier.last_values.of(stream).copied();
            self.backfill.remember(trades.chain(last).filter_map(|object| match object.body {
                Body::Trade(trade) => Some(trade),
                _ => None,
            }));
        }
        let now = self.clock.now();
        // There is no session yet that could be told of its beginning.
        let end = earlier.last_values.watermark();
        let _ = self.outage.begin(end);
        self.back_at = Some(now);
        self.backfill.begin((self.steady)(), self.clock.now());
        self.find_trades();
        self
    }

    /// Takes the next arrival. Its notices are told before its events.
    fn take(&mut self) {
        match self.inbox.take() {
            Some(Arrival::Objects(objects)) => self.taken = objects,
            Some(Arrival::Ready) => (self.ask)(UpstreamRequest::Subscription),
            Some(Arrival::Demand(change)) => {
                // Listed before their objects come, so that sessions that wait for them miss none.
                change.subscribe.iter().for_each(|symbol| _ = self.instruments.id(*symbol));
                (self.ask)(UpstreamRequest::Change(change));
            }
            Some(Arrival::Live(feed)) => {
                (self.is_live, self.rules) = (true, feed.rules);
                if self.outage.is_on() {
                    self.back_at = Some(self.clock.now());
                    self.backfill.begin((self.steady)(), self.clock.now());
                    self.find_trades();
                }
            }
            Some(Arrival::Trades { hole, answer }) => {
                if self.backfill.is_current(hole) {
                    self.take_trades(answer);
                }
                self.find_trades();
            }
            Some(Arrival::Down(_) | Arrival::Stopped(_)) => {
                self.is_live = false;
                // The hole that is being filled goes on until the next connection.
                self.back_at = None;
                self.notices.extend(self.outage.begin(self.clock.now()));
            }
            Some(Arrival::Control(_)) | None => {}
        }
        for object in &self.taken {
            self.instruments.id(object.symbol);
        }
        self.instruments.publish();
        self.tell_outcome();
    }

    /// Asks for the next trades of the hole.
    fn find_trades(&mut self) {
        let Some(request) = self.backfill.take_request() else { return };
        let universe = self.instruments.universe();
        let symbols = request.symbols.iter().map(|id| universe.instrument(*id).symbol).collect();
        let (kind, from, page) = (UpstreamRows::Trades, request.from, request.page);
        let query = RowsQuery { kind, symbols, from, to: None, page };
        (self.ask)(UpstreamRequest::Trades { hole: request.hole, query });
    }

    fn take_trades(&mut self, answer: Result<DecodedPage, String>) {
        let Ok(page) = answer else { return self.backfill.failed(&mut self.found) };
        let mut trades = Vec::with_capacity(page.rows.len());
        for trade in page.rows {
            if let Some(Body::Trade(trade)) = self.instruments.id(trade.symbol).map(|id| trade.body(id)) {
                trades.push(trade);
            }
        }
        self.backfill.answered(trades, page.next, &mut self.found);
    }

    /// Tells that the upstream is back, when it is known whether the hole before is filled.
    fn tell_outcome(&mut self) {
        let outcome = self.backfill.take_outcome((self.steady)(), &mut self.found);
        let filled = match outcome {
            Some(outcome) => {
                self.metrics.filled.inc_by(outcome.found as u64);
                self.is_unfilled |= !outcome.unfilled.is_empty();
                !self.is_unfilled
            }
            // Nothing was ever received, so there is nothing to look for.
            None if !self.backfill.is_filling() => false,
            None => return,
        };
        let Some(back_at) = self.back_at.take() else { return };
        self.is_unfilled = false;
        if let Some((back, seconds)) = self.outage.end(back_at, Some(filled)) {
            self.metrics.gap_seconds.inc_by(seconds);
            self.notices.push(back);
        }
    }
}

impl EventSource for RelaySource {
    fn name(&self) -> &'static str {
        "upstream"
    }

    fn universe(&self) -> &Arc<Universe> {
        self.instruments.universe()
    }

    fn trade_rules(&self) -> TradeRules {
        self.rules
    }

    fn open(&mut self, _: &mut Vec<Event>) -> Timestamp {
        self.clock.now()
    }

    fn take_notices(&mut self) -> Vec<FeedNotice> {
        self.take();
        std::mem::take(&mut self.notices)
    }

    fn poll(&mut self, out: &mut Vec<Event>) -> Option<Timestamp> {
        let mut trades = std::mem::take(&mut self.found);
        for object in std::mem::take(&mut self.taken) {
            let Some(symbol) = self.instruments.id(object.symbol) else {
                self.metrics.invalid.inc();
                continue;
            };
            // What holds at the start is no event.
            if object.delivery == DeliveryKind::Snapshot {
                continue;
            }
            let body = object.body(symbol);
            self.outage.observe(&body);
            match body {
                Body::Trade(trade) => self.backfill.live(trade, &mut trades),
                body => out.extend(trades.drain(..).map(Event::Trade).chain(Event::from_body(body))),
            }
        }
        out.extend(trades.into_iter().map(Event::Trade));
        self.is_live.then(|| self.clock.now())
    }

    fn ticks(&mut self) -> Ticks {
        self.wake.ticks()
    }

    /// The upstream waits, or conflates.
    fn hold_back(&mut self) -> bool {
        true
    }

    fn skip_ticks(&mut self, _: Readers) {
        self.wake.skip_idle_ticks();
    }
}

#[cfg(test)]
#[path = "relay_source_tests.rs"]
mod tests;
