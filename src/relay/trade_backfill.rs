use std::time::{Duration, Instant};

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::model::{SymbolId, Timestamp, Trade};

/// Fills the trades that a foreign upstream published while there was no connection, from its REST.
///
/// Such an upstream has no numbers to resume from. So the time of the last trade of each symbol and the ids of the trades
/// that had it are remembered (the recipe of Databento's *Recovering after a disconnection*). After a reconnect the
/// trades since that time are asked for, and what was published already is left out. Live trades of a symbol wait
/// meanwhile, so that its trades stay in order. Quotes need nothing: the next one is the truth.
///
/// An answer without a trade that is known has a beginning or an end of its own: the REST has forgotten, or is behind
/// the stream. Then trades may be missing.
///
/// Pure: the owner sends the [requests](Self::take_request) and enters the [answers](Self::answered).
#[derive(Debug)]
pub(super) struct TradeBackfill {
    limits: BackfillLimits,
    last: FxHashMap<SymbolId, LastTrades>,
    hole: Option<Hole>,
    /// The number of holes so far.
    holes: HoleNumber,
    /// The trades of the last hole that were filled from REST: they may come live once more.
    filled: FxHashSet<TradeKey>,
}

/// The limits of filling one hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BackfillLimits {
    /// The longest time for which live trades wait: 5 s. Then they are published, and the hole is told as not filled.
    pub(super) wait: Duration,
    /// The most live trades that wait, some 64 bytes each: 10,000.
    pub(super) held: usize,
    /// The most requests for one hole: 20, a tenth of what Alpaca's free plan permits in a minute.
    pub(super) requests: usize,
    /// The most symbols in one request: 100, so that its address stays short.
    pub(super) symbols_per_request: usize,
}

impl Default for BackfillLimits {
    fn default() -> Self {
        Self { wait: Duration::from_secs(5), held: 10_000, requests: 20, symbols_per_request: 100 }
    }
}

/// A request for trades, to be sent to the upstream's REST in order of time, for all of these symbols together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TradeRequest {
    /// The hole that it belongs to.
    pub(super) hole: HoleNumber,
    /// The symbols.
    pub(super) symbols: Vec<SymbolId>,
    /// The time of the first trade, included.
    pub(super) from: Timestamp,
    /// Where the answer before was cut off, as the upstream named it.
    pub(super) page: Option<String>,
}

/// The number of a hole. An answer may come when the connection was lost once more, and says nothing of the next hole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct HoleNumber(u64);

/// What became of a hole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HoleOutcome {
    /// The time of the last trade before the hole.
    pub(super) from: Timestamp,
    /// The symbols of which trades may be missing; none if the hole is filled.
    pub(super) unfilled: Vec<SymbolId>,
    /// The number of trades that were found.
    pub(super) found: usize,
}

/// A trade as another message may repeat it.
type TradeKey = (SymbolId, Timestamp, u64);

#[derive(Clone, Debug)]
struct LastTrades {
    at: Timestamp,
    /// The ids of the trades with this time.
    ids: SmallVec<[u64; 2]>,
}

/// A hole that is being filled.
#[derive(Debug)]
struct Hole {
    from: Timestamp,
    since: Instant,
    /// The symbols whose trades wait for the answer.
    waiting: FxHashSet<SymbolId>,
    unfilled: Vec<SymbolId>,
    /// The trades that were published last, and the symbols of which an answer had one.
    known: FxHashMap<SymbolId, LastTrades>,
    confirmed: FxHashSet<SymbolId>,
    requests: Vec<TradeRequest>,
    /// The number of requests sent.
    sent: usize,
    in_flight: Option<TradeRequest>,
    held: Vec<Trade>,
    found: usize,
}

impl TradeBackfill {
    /// Nothing to fill yet.
    pub(super) fn new(limits: BackfillLimits) -> Self {
        Self {
            limits,
            last: FxHashMap::default(),
            hole: None,
            holes: HoleNumber::default(),
            filled: FxHashSet::default(),
        }
    }

    /// Remembers the last trades of an earlier run, which were published.
    pub(super) fn remember(&mut self, trades: impl IntoIterator<Item = Trade>) {
        trades.into_iter().for_each(|trade| self.enter(&trade));
    }

    /// Takes a live trade, and appends it to those to publish, unless it waits, or came from REST already.
    pub(super) fn live(&mut self, trade: Trade, out: &mut Vec<Trade>) {
        if !self.filled.is_empty() && self.filled.contains(&key(&trade)) {
            return;
        }
        match &mut self.hole {
            Some(hole) if hole.waiting.contains(&trade.symbol) => hole.held.push(trade),
            _ => self.publish(trade, out),
        }
    }

    /// The connection is back: the trades since it was lost are to be asked for. A hole that is still being filled goes
    /// on in this one: what it has given up stays unfilled, and its live trades wait no longer than they would have.
    ///
    /// A last trade after `time_of_day` has a wrong time, so that those since cannot be told from those before.
    pub(super) fn begin(&mut self, now: Instant, time_of_day: Timestamp) {
        let last_trades = self.last.iter().map(|(symbol, last)| (last.at, *symbol));
        let (mut symbols, of_the_future): (Vec<_>, Vec<_>) =
            last_trades.partition(|(at, _)| *at <= time_of_day);
        symbols.sort_unstable();
        self.filled.clear();
        let Some((from, _)) = symbols.last().copied() else { return };
        // Those that traded last first: quiet symbols have the longest to look back, and the least to find.
        symbols.reverse();
        self.holes.0 += 1;
        let number = self.holes;
        let requests = symbols.chunks(self.limits.symbols_per_request).map(|chunk| TradeRequest {
            hole: number,
            symbols: chunk.iter().map(|(_, symbol)| *symbol).collect(),
            from: chunk.iter().map(|(at, _)| *at).min().unwrap_or(from),
            page: None,
        });
        let mut requests: Vec<_> = requests.collect();
        requests.reverse();
        let earlier = self.hole.take();
        let waiting_since = earlier.as_ref().filter(|hole| !hole.held.is_empty()).map(|hole| hole.since);
        let (held, mut unfilled, found) =
            earlier.map(|hole| (hole.held, hole.unfilled, hole.found)).unwrap_or_default();
        unfilled.extend(of_the_future.into_iter().map(|(_, symbol)| symbol));
        self.hole = Some(Hole {
            from,
            since: waiting_since.unwrap_or(now),
            waiting: symbols.iter().map(|(_, symbol)| *symbol).collect(),
            unfilled,
            known: self.last.clone(),
            confirmed: FxHashSet::default(),
            requests,
            sent: 0,
            in_flight: None,
            held,
            found,
        });
    }

    /// The next request to send; one at a time.
    pub(super) fn take_request(&mut self) -> Option<TradeRequest> {
        let hole = self.hole.as_mut().filter(|hole| hole.in_flight.is_none())?;
        let request = hole.requests.pop()?;
        hole.sent += 1;
        hole.in_flight = Some(request.clone());
        Some(request)
    }

    /// Takes the answer to the request that was sent: trades in the order of time for each symbol, and where it was cut
    /// off. Appends those to publish.
    pub(super) fn answered(&mut self, trades: Vec<Trade>, next_page: Option<String>, out: &mut Vec<Trade>) {
        let Some(request) = self.hole.as_mut().and_then(|hole| hole.in_flight.take()) else { return };
        for trade in trades {
            self.confirm(&trade);
            if self.is_new(&trade) {
                self.filled.insert(key(&trade));
                self.publish(trade, out);
                self.hole.as_mut().expect("a request was answered").found += 1;
            }
        }
        let Some(hole) = &mut self.hole else { return };
        match next_page {
            Some(page) if hole.sent < self.limits.requests => {
                hole.requests.push(TradeRequest { page: Some(page), ..request });
            }
            Some(_) => self.release(&request.symbols, Completeness::Unknown, out),
            None => {
                let is_confirmed = |symbol: &SymbolId| hole.confirmed.contains(symbol);
                let (complete, unknown): (Vec<_>, Vec<_>) =
                    request.symbols.iter().partition(|it| is_confirmed(it));
                self.release(&complete, Completeness::Complete, out);
                self.release(&unknown, Completeness::Unknown, out);
            }
        }
        self.stop_at_budget(out);
    }

    /// The request that was sent has failed.
    pub(super) fn failed(&mut self, out: &mut Vec<Trade>) {
        if let Some(request) = self.hole.as_mut().and_then(|hole| hole.in_flight.take()) {
            self.release(&request.symbols, Completeness::Unknown, out);
            self.stop_at_budget(out);
        }
    }

    /// What became of the hole, when everything that could be done is done. Call it after each other method.
    pub(super) fn take_outcome(&mut self, now: Instant, out: &mut Vec<Trade>) -> Option<HoleOutcome> {
        let hole = self.hole.as_mut()?;
        if now >= hole.since + self.limits.wait || hole.held.len() > self.limits.held {
            hole.requests.clear();
            hole.in_flight = None;
            let waiting: Vec<_> = hole.waiting.iter().copied().collect();
            self.release(&waiting, Completeness::Unknown, out);
        }
        let mut hole = self.hole.take_if(|hole| hole.waiting.is_empty())?;
        hole.unfilled.sort_unstable();
        hole.unfilled.dedup();
        Some(HoleOutcome { from: hole.from, unfilled: hole.unfilled, found: hole.found })
    }

    /// Whether a hole is being filled.
    pub(super) fn is_filling(&self) -> bool {
        self.hole.is_some()
    }

    /// Gives up what is left when no request is left to ask for it.
    fn stop_at_budget(&mut self, out: &mut Vec<Trade>) {
        let Some(hole) = self.hole.as_mut().filter(|hole| hole.sent >= self.limits.requests) else { return };
        let left: Vec<_> = hole.requests.drain(..).flat_map(|request| request.symbols).collect();
        self.release(&left, Completeness::Unknown, out);
    }

    /// Whether requests of this hole are still of use.
    pub(super) fn is_current(&self, hole: HoleNumber) -> bool {
        self.is_filling() && hole == self.holes
    }

    /// Notes that an answer has a trade that was published before the hole.
    fn confirm(&mut self, trade: &Trade) {
        let Some(hole) = &mut self.hole else { return };
        let known = hole.known.get(&trade.symbol);
        if known.is_some_and(|known| known.at == trade.at && known.ids.contains(&trade.id)) {
            hole.confirmed.insert(trade.symbol);
        }
    }

    /// Whether a trade from REST was not published before, and does not wait already.
    fn is_new(&self, trade: &Trade) -> bool {
        let is_later = self.last.get(&trade.symbol).is_none_or(|last| match trade.at.cmp(&last.at) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => !last.ids.contains(&trade.id),
            std::cmp::Ordering::Greater => true,
        });
        let held = self.hole.as_ref().map_or(&[][..], |hole| &hole.held);
        is_later && !held.iter().any(|held| key(held) == key(trade))
    }

    fn publish(&mut self, trade: Trade, out: &mut Vec<Trade>) {
        self.enter(&trade);
        out.push(trade);
    }

    fn enter(&mut self, trade: &Trade) {
        let last = self
            .last
            .entry(trade.symbol)
            .or_insert_with(|| LastTrades { at: trade.at, ids: SmallVec::new() });
        if trade.at > last.at {
            last.at = trade.at;
            last.ids.clear();
        }
        if trade.at == last.at {
            last.ids.push(trade.id);
        }
    }

    /// Publishes the live trades of these symbols, which wait no more.
    fn release(&mut self, symbols: &[SymbolId], completeness: Completeness, out: &mut Vec<Trade>) {
        let Some(hole) = &mut self.hole else { return };
        for symbol in symbols {
            if hole.waiting.remove(symbol) && completeness == Completeness::Unknown {
                hole.unfilled.push(*symbol);
            }
        }
        let waiting = &hole.waiting;
        let released: Vec<_> = hole.held.extract_if(.., |trade| !waiting.contains(&trade.symbol)).collect();
        released.into_iter().for_each(|trade| self.publish(trade, out));
    }
}

/// Whether all trades of a symbol in a hole were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Completeness {
    Complete,
    Unknown,
}

fn key(trade: &Trade) -> TradeKey {
    (trade.symbol, trade.at, trade.id)
}

#[cfg(test)]
#[path = "trade_backfill_tests.rs"]
mod tests;
