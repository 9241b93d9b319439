use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::assets::{AssetDetails, AssetDirectory};
use crate::model::{BarOrigin, Instrument, MarketHours, Symbol, SymbolId, Tape, Universe};

/// The instruments of an upstream, in the order in which they were first seen.
///
/// Ids are given at once; the universe is extended when a batch that needs them is published, because extending it
/// copies it.
#[derive(Debug, Default)]
pub(super) struct UpstreamInstruments {
    universe: Arc<Universe>,
    added: Vec<Instrument>,
    by_symbol: FxHashMap<Symbol, SymbolId>,
    assets: AssetDirectory,
}

impl UpstreamInstruments {
    /// Whether these instruments may be of an upstream, so that others can be added to them.
    pub(super) fn may_begin_with(universe: &Universe) -> bool {
        universe.iter().all(|instrument| instrument.bars == BarOrigin::Source)
    }

    /// None yet. Those that are listed have the details of this directory, which never change afterwards.
    pub(super) fn new(assets: AssetDirectory) -> Self {
        Self { assets, ..Self::default() }
    }

    /// Begins with these instruments, before any other is listed.
    pub(super) fn begin_with(&mut self, universe: Arc<Universe>) {
        self.by_symbol = universe.iter().map(|instrument| (instrument.symbol, instrument.id)).collect();
        self.universe = universe;
    }

    /// The id of an instrument; `None` if there are too many. Its bars come from the upstream.
    pub(super) fn id(&mut self, symbol: Symbol) -> Option<SymbolId> {
        if let Some(id) = self.by_symbol.get(&symbol) {
            return Some(*id);
        }
        let next = self.universe.len() + self.added.len();
        if next >= crate::source::MAX_LISTINGS {
            return None;
        }
        let id = SymbolId(next as u32);
        let AssetDetails { name, exchange } = self.assets.of(&symbol);
        self.added.push(Instrument {
            id,
            symbol,
            name,
            exchange,
            tape: Tape::NONE,
            previous_close: None,
            bars: BarOrigin::Source,
            daily_bars: BarOrigin::Source,
            hours: MarketHours::Continuous,
        });
        self.by_symbol.insert(symbol, id);
        Some(id)
    }

    /// The universe with all instruments so far.
    pub(super) fn publish(&mut self) -> &Arc<Universe> {
        if !self.added.is_empty() {
            self.universe = Arc::new(self.universe.with(std::mem::take(&mut self.added)));
        }
        &self.universe
    }

    /// The universe as of the last [`publish`](Self::publish).
    pub(super) fn universe(&self) -> &Arc<Universe> {
        &self.universe
    }
}
