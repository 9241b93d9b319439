use super::{Price, Symbol, SymbolId, Tape};
use rustc_hash::{FxBuildHasher, FxHashMap};

/// What is fixed about one listed stock.
#[derive(Clone, Debug)]
pub struct Instrument {
    /// Its place in the universe.
    pub id: SymbolId,
    /// Its ticker symbol.
    pub symbol: Symbol,
    /// The company's name.
    pub name: String,
    /// The listing exchange as Alpaca names it: `NASDAQ`, `NYSE`, `ARCA`, `BATS`.
    pub exchange: &'static str,
    /// The consolidated tape that carries it.
    pub tape: Tape,
    /// The close of the previous trading day.
    pub previous_close: Price,
}

/// All instruments of a market, in order of their [`SymbolId`].
#[derive(Clone, Debug)]
pub struct Universe {
    instruments: Vec<Instrument>,
    by_symbol: FxHashMap<Symbol, SymbolId>,
}

impl Universe {
    /// A universe of these instruments; their ids are set to their places.
    ///
    /// # Panics
    /// When two instruments have the same symbol.
    pub fn new(mut instruments: Vec<Instrument>) -> Self {
        let mut by_symbol = FxHashMap::with_capacity_and_hasher(instruments.len(), FxBuildHasher);
        for (place, instrument) in instruments.iter_mut().enumerate() {
            instrument.id = SymbolId(place as u32);
            let twin = by_symbol.insert(instrument.symbol, instrument.id);
            assert!(twin.is_none(), "two instruments are called {}", instrument.symbol);
        }
        Self { instruments, by_symbol }
    }

    /// How many instruments there are.
    pub fn len(&self) -> usize {
        self.instruments.len()
    }

    /// Whether there is no instrument at all.
    pub fn is_empty(&self) -> bool {
        self.instruments.is_empty()
    }

    /// The instrument with this id.
    ///
    /// # Panics
    /// When the id is of another, larger universe.
    pub fn instrument(&self, id: SymbolId) -> &Instrument {
        &self.instruments[id.index()]
    }

    /// The id of this symbol, where the market knows it.
    pub fn find(&self, symbol: &Symbol) -> Option<SymbolId> {
        self.by_symbol.get(symbol).copied()
    }

    /// All instruments in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Instrument> {
        self.instruments.iter()
    }
}
