use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::{Channel, Symbol};

/// Which symbols are wanted of a source that gives only those that it is asked for. Clones share it.
///
/// Sessions register what they subscribe to by name, each through a [`SymbolInterest`]. The source asks for
/// [changes](Self::take_change) and passes them on. A symbol is wanted as long as a session has it, and for a
/// [linger](DemandLimits::linger) afterwards, because clients reconnect.
#[derive(Clone, Debug)]
pub struct SymbolDemand(Arc<Mutex<Demand>>);

/// The channels whose symbols a source gives only on demand. An upstream gives the bars of all symbols on every plan;
/// tickers are made of trades and quotes.
pub const ON_DEMAND: [Channel; 5] =
    [Channel::Trades, Channel::Quotes, Channel::Statuses, Channel::Lulds, Channel::Tickers];

/// The limits of a demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemandLimits {
    /// The most symbols that are wanted at once. Alpaca's free plan gives trades and quotes of 30; more are refused by
    /// the upstream for all. Refusals are counted.
    pub symbols: usize,
    /// The shortest time between two changes. An upstream limits the rate of commands, and a page that opens subscribes
    /// many times: 200 ms are not felt.
    pub interval: Duration,
    /// How long a symbol without a session stays wanted: 60 s, so that a client that reconnects finds it running.
    pub linger: Duration,
}

impl Default for DemandLimits {
    fn default() -> Self {
        Self { symbols: 30, interval: Duration::from_millis(200), linger: Duration::from_secs(60) }
    }
}

/// What changes for the source: it ends some symbols and then begins others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DemandChange {
    /// The symbols to end, in order. First, so that the others find room.
    pub unsubscribe: Vec<Symbol>,
    /// The symbols to begin, in order.
    pub subscribe: Vec<Symbol>,
}

impl DemandChange {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.unsubscribe.is_empty() && self.subscribe.is_empty()
    }
}

#[derive(Debug)]
struct Demand {
    limits: DemandLimits,
    /// What all nodes of a cluster want, this one included.
    all: Option<SymbolDemand>,
    wanted: FxHashMap<Symbol, Holders>,
    /// What the source was told to give.
    requested: FxHashSet<Symbol>,
    /// What the source refused to give, although it was within the limit. It is asked again when it has ended another
    /// symbol.
    shed: FxHashSet<Symbol>,
    changed_at: Option<Instant>,
    refused: u64,
}

/// The sessions that want a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holders {
    /// This number of sessions.
    Some(usize),
    /// No session any more; since when is known from the first change that is asked for.
    None {
        /// When that was first seen.
        since: Option<Instant>,
    },
}

impl SymbolDemand {
    /// A demand for nothing.
    pub fn new(limits: DemandLimits) -> Self {
        Self::of(limits, None)
    }

    /// The demand of one node of a cluster, whose limit holds for the sum over all nodes. What another node wants since
    /// it told last is not in the sum.
    pub fn of_node(all: &Self) -> Self {
        Self::of(all.limits(), Some(all.clone()))
    }

    fn of(limits: DemandLimits, all: Option<Self>) -> Self {
        let (wanted, requested, shed) = (FxHashMap::default(), FxHashSet::default(), FxHashSet::default());
        let demand = Demand { limits, all, wanted, requested, shed, changed_at: None, refused: 0 };
        Self(Arc::new(Mutex::new(demand)))
    }

    /// What the source was told to give.
    pub fn requested(&self) -> Vec<Symbol> {
        self.lock().requested.iter().copied().collect()
    }

    /// The interest of a session, in nothing yet.
    pub fn interest(&self) -> SymbolInterest {
        SymbolInterest { demand: self.clone(), held: FxHashSet::default() }
    }

    /// What has changed for the source since the last call, or nothing if that was a moment ago.
    pub fn take_change(&self, now: Instant) -> DemandChange {
        self.lock().take_change(now)
    }

    /// The source begins anew and gives nothing yet: the next change has everything that is wanted.
    pub fn restart(&self) {
        let mut demand = self.lock();
        demand.requested.clear();
        demand.shed.clear();
        demand.changed_at = None;
    }

    /// The source refuses these symbols: later subscriptions to them are refused.
    pub fn shed(&self, symbols: &[Symbol]) {
        let mut demand = self.lock();
        for symbol in symbols {
            if demand.requested.remove(symbol) {
                demand.shed.insert(*symbol);
                demand.refused += 1;
            }
        }
    }

    /// The limits.
    pub fn limits(&self) -> DemandLimits {
        self.lock().limits
    }

    /// The number of symbols that are wanted.
    pub fn len(&self) -> usize {
        self.lock().wanted.len()
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many symbols were refused, because the limit was reached.
    pub fn refused(&self) -> u64 {
        self.lock().refused
    }

    fn lock(&self) -> MutexGuard<'_, Demand> {
        self.0.lock().expect("no thread panics while it holds this lock")
    }
}

impl Demand {
    /// Adds a holder; false if there is no room for the symbol. One that lingers makes room.
    fn hold(&mut self, symbol: Symbol) -> bool {
        if self.shed.contains(&symbol) {
            self.refused += 1;
            return false;
        }
        if let Some(holders) = self.wanted.get_mut(&symbol) {
            *holders = match *holders {
                Holders::Some(count) => Holders::Some(count + 1),
                Holders::None { .. } => Holders::Some(1),
            };
            return true;
        }
        let others = self.wanted_by_others();
        while !self.has_room_for(symbol, &others) {
            if !self.end_a_lingering_symbol() {
                self.refused += 1;
                return false;
            }
        }
        self.wanted.insert(symbol, Holders::Some(1));
        true
    }

    /// The symbols that other nodes want.
    fn wanted_by_others(&self) -> FxHashSet<Symbol> {
        let Some(all) = &self.all else { return FxHashSet::default() };
        let by_this_node = |symbol: &Symbol| usize::from(self.requested.contains(symbol));
        let is_wanted = |(symbol, holders): (&Symbol, &Holders)| match holders {
            Holders::Some(nodes) if *nodes > by_this_node(symbol) => Some(*symbol),
            Holders::Some(_) | Holders::None { .. } => None,
        };
        all.lock().wanted.iter().filter_map(is_wanted).collect()
    }

    fn has_room_for(&self, symbol: Symbol, others: &FxHashSet<Symbol>) -> bool {
        let is_more = |other: &&Symbol| **other != symbol && !self.wanted.contains_key(other);
        self.wanted.len() + others.iter().filter(is_more).count() < self.limits.symbols
    }

    /// Ends the symbol that has been without a session for longest; false if there is none.
    fn end_a_lingering_symbol(&mut self) -> bool {
        let lingering = self.wanted.iter().filter_map(|(symbol, holders)| match holders {
            Holders::None { since } => Some((since.is_none(), *since, *symbol)),
            Holders::Some(_) => None,
        });
        let longest = lingering.min().map(|(_, _, symbol)| symbol);
        longest.is_some_and(|symbol| self.wanted.remove(&symbol).is_some())
    }

    fn release(&mut self, symbol: Symbol) {
        if let Some(holders) = self.wanted.get_mut(&symbol) {
            *holders = match *holders {
                Holders::Some(count) if count > 1 => Holders::Some(count - 1),
                Holders::Some(_) | Holders::None { .. } => Holders::None { since: None },
            };
        }
    }

    fn take_change(&mut self, now: Instant) -> DemandChange {
        let DemandLimits { interval, linger, .. } = self.limits;
        if self.changed_at.is_some_and(|at| now < at + interval) {
            return DemandChange::default();
        }
        self.wanted.retain(|_, holders| match holders {
            Holders::Some(_) => true,
            Holders::None { since } => now < *since.get_or_insert(now) + linger,
        });
        let Self { wanted, requested, shed, .. } = self;
        shed.retain(|symbol| wanted.contains_key(symbol));
        let mut unsubscribe: Vec<_> =
            requested.iter().filter(|symbol| !wanted.contains_key(symbol)).copied().collect();
        let mut subscribe: Vec<_> = wanted
            .keys()
            .filter(|symbol| !requested.contains(symbol) && !shed.contains(symbol))
            .copied()
            .collect();
        if !unsubscribe.is_empty() {
            shed.clear();
        }
        unsubscribe.sort_unstable();
        subscribe.sort_unstable();
        unsubscribe.iter().for_each(|symbol| _ = requested.remove(symbol));
        requested.extend(&subscribe);
        let change = DemandChange { unsubscribe, subscribe };
        if !change.is_empty() {
            self.changed_at = Some(now);
        }
        change
    }
}

/// The symbols that one session wants. They are released when it is dropped.
#[derive(Debug)]
pub struct SymbolInterest {
    demand: SymbolDemand,
    held: FxHashSet<Symbol>,
}

impl SymbolInterest {
    /// Adds symbols; returns those that are refused because too many are wanted by all together.
    pub fn add<'a>(&mut self, symbols: impl IntoIterator<Item = &'a Symbol>) -> Vec<Symbol> {
        let Self { demand, held } = self;
        let mut demand = demand.lock();
        let mut refused = Vec::new();
        for symbol in symbols {
            if held.contains(symbol) || refused.contains(symbol) {
                continue;
            }
            match demand.hold(*symbol) {
                true => _ = held.insert(*symbol),
                false => refused.push(*symbol),
            }
        }
        refused
    }

    /// Releases the symbols that the session does not want any more.
    pub fn retain(&mut self, is_wanted: impl Fn(&Symbol) -> bool) {
        let Self { demand, held } = self;
        if held.iter().all(&is_wanted) {
            return;
        }
        let mut demand = demand.lock();
        held.retain(|symbol| {
            let is_wanted = is_wanted(symbol);
            if !is_wanted {
                demand.release(*symbol);
            }
            is_wanted
        });
    }

    /// Whether the session has this symbol.
    pub fn contains(&self, symbol: &Symbol) -> bool {
        self.held.contains(symbol)
    }

    /// The most symbols that are wanted at once.
    pub fn limit(&self) -> usize {
        self.demand.limits().symbols
    }
}

impl Drop for SymbolInterest {
    fn drop(&mut self) {
        self.retain(|_| false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: DemandLimits =
        DemandLimits { symbols: 2, interval: Duration::from_millis(200), linger: Duration::from_secs(60) };

    fn symbols(names: &[&str]) -> Vec<Symbol> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn change(unsubscribe: &[&str], subscribe: &[&str]) -> DemandChange {
        DemandChange { unsubscribe: symbols(unsubscribe), subscribe: symbols(subscribe) }
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_symbol_is_wanted_until_its_last_session_is_gone_for_the_linger() {
        let (demand, start) = (SymbolDemand::new(LIMITS), Instant::now());
        let [mut first, mut second] = [demand.interest(), demand.interest()];
        first.add(&symbols(&["A"]));
        second.add(&symbols(&["A", "B"]));
        assert_eq!(demand.take_change(start), change(&[], &["A", "B"]));

        drop(second);
        assert_eq!(demand.take_change(start + ms(1_000)), change(&[], &[]));
        assert_eq!(demand.take_change(start + ms(60_999)), change(&[], &[]));
        assert_eq!(demand.take_change(start + ms(61_000)), change(&["B"], &[]));
        assert_eq!(demand.len(), 1);
    }

    #[test]
    fn a_session_that_comes_back_in_time_changes_nothing() {
        let (demand, start) = (SymbolDemand::new(LIMITS), Instant::now());
        let mut first = demand.interest();
        first.add(&symbols(&["A"]));
        demand.take_change(start);
        drop(first);
        demand.take_change(start + ms(300));

        let mut again = demand.interest();
        again.add(&symbols(&["A"]));

        assert!(demand.take_change(start + ms(90_000)).is_empty());
    }

    #[test]
    fn changes_within_the_interval_are_passed_on_together() {
        let (demand, start) = (SymbolDemand::new(LIMITS), Instant::now());
        let mut session = demand.interest();
        session.add(&symbols(&["A"]));
        assert_eq!(demand.take_change(start), change(&[], &["A"]));

        session.add(&symbols(&["B"]));

        assert!(demand.take_change(start + ms(199)).is_empty());
        assert_eq!(demand.take_change(start + ms(200)), change(&[], &["B"]));
    }

    #[test]
    fn beyond_the_limit_symbols_are_refused_unless_one_lingers() {
        let (demand, start) = (SymbolDemand::new(LIMITS), Instant::now());
        let [mut first, mut second] = [demand.interest(), demand.interest()];
        first.add(&symbols(&["A", "B"]));
        demand.take_change(start);

        assert_eq!(second.add(&symbols(&["A", "C", "C"])), symbols(&["C"]));
        assert_eq!(demand.refused(), 1);
        first.retain(|symbol| symbol.as_str() != "B");
        assert_eq!(second.add(&symbols(&["C"])), []);

        assert_eq!(demand.take_change(start + ms(200)), change(&["B"], &["C"]));
    }

    #[test]
    fn the_limit_of_a_node_holds_for_what_all_nodes_want() {
        let (all, start) = (SymbolDemand::new(DemandLimits { symbols: 3, ..LIMITS }), Instant::now());
        let node = SymbolDemand::of_node(&all);
        let [mut of_node, mut of_other] = [all.interest(), all.interest()];
        of_other.add(&symbols(&["A", "B"]));
        let mut session = node.interest();

        assert_eq!(session.add(&symbols(&["A", "C", "D"])), symbols(&["D"]));
        of_node.add(&node.take_change(start).subscribe);
        assert_eq!(session.add(&symbols(&["D"])), symbols(&["D"]), "the node's own symbols count once");

        session.retain(|symbol| symbol.as_str() != "C");
        assert_eq!(session.add(&symbols(&["D"])), [], "C lingers here and makes place");
        of_other.retain(|symbol| symbol.as_str() != "B");
        assert_eq!(session.add(&symbols(&["E"])), [], "B lingers at the other node and makes place");
    }

    #[test]
    fn a_source_that_begins_anew_gets_everything() {
        let (demand, start) = (SymbolDemand::new(LIMITS), Instant::now());
        let mut session = demand.interest();
        session.add(&symbols(&["B", "A"]));
        demand.take_change(start);

        demand.restart();
        assert_eq!(demand.take_change(start + ms(1)), change(&[], &["A", "B"]));
        assert!(demand.take_change(start + ms(900)).is_empty());
    }

    #[test]
    fn what_the_source_refuses_is_refused_until_it_ends_another_symbol() {
        let (demand, start) = (SymbolDemand::new(DemandLimits { symbols: 9, ..LIMITS }), Instant::now());
        let [mut first, mut second] = [demand.interest(), demand.interest()];
        first.add(&symbols(&["A"]));
        demand.take_change(start);
        second.add(&symbols(&["B"]));
        demand.take_change(start + ms(200));

        demand.shed(&symbols(&["B"]));

        assert_eq!(demand.interest().add(&symbols(&["B"])), symbols(&["B"]));
        assert!(demand.take_change(start + ms(400)).is_empty());
        drop(first);
        demand.take_change(start + ms(600));
        assert_eq!(demand.take_change(start + ms(61_000)), change(&["A"], &[]));
        assert_eq!(demand.take_change(start + ms(61_200)), change(&[], &["B"]));
    }
}
