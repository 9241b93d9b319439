use std::collections::HashMap;
use std::time::Instant;

use crate::model::Symbol;
use crate::source::{SymbolDemand, SymbolInterest};

/// What all nodes of a cluster want of a source that gives symbols on demand: one interest for each node, which ends when
/// nothing was heard of the node for a while.
#[derive(Debug)]
pub(super) struct WantedSymbols {
    demand: SymbolDemand,
    nodes: HashMap<u64, Interested>,
}

#[derive(Debug)]
struct Interested {
    interest: SymbolInterest,
    heard: Instant,
}

impl WantedSymbols {
    /// Sums into this demand.
    pub(super) fn new(demand: SymbolDemand) -> Self {
        Self { demand, nodes: HashMap::new() }
    }

    /// Replaces what a node wants; the symbols for which there is no room.
    pub(super) fn replace(&mut self, node: u64, symbols: &[Symbol], now: Instant) -> Vec<Symbol> {
        let interested = self
            .nodes
            .entry(node)
            .or_insert_with(|| Interested { interest: self.demand.interest(), heard: now });
        interested.heard = now;
        interested.interest.retain(|symbol| symbols.contains(symbol));
        interested.interest.add(symbols)
    }

    /// Forgets the nodes that were not heard since this time.
    pub(super) fn forget(&mut self, since: Instant) {
        self.nodes.retain(|_, interested| interested.heard > since);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::source::DemandLimits;

    fn symbols(names: &[&str]) -> Vec<Symbol> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn a_symbol_is_wanted_until_the_last_node_that_wants_it_is_gone() {
        let limits = DemandLimits { symbols: 3, interval: Duration::ZERO, linger: Duration::ZERO };
        let (demand, start) = (SymbolDemand::new(limits), Instant::now());
        let second = |seconds| start + Duration::from_secs(seconds);
        let mut wanted = WantedSymbols::new(demand.clone());

        assert_eq!(wanted.replace(1, &symbols(&["A", "B"]), start), []);
        assert_eq!(wanted.replace(2, &symbols(&["B", "C", "D"]), second(1)), symbols(&["D"]));
        assert_eq!(demand.take_change(second(1)).subscribe, symbols(&["A", "B", "C"]));

        wanted.replace(2, &symbols(&["B"]), second(2));
        wanted.forget(second(1));
        demand.take_change(second(3));
        assert_eq!(demand.take_change(second(4)).subscribe, []);
        assert_eq!(demand.len(), 1, "B is wanted by the second node");
    }
}
