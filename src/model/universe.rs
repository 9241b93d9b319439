use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::{MarketHours, Price, Symbol, SymbolId, Tape};

/// Where the bars of an instrument come from: of one stream never from both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BarOrigin {
    /// The feed folds them from what is shorter: minutes from trades, days from trades or from the source's minutes.
    #[default]
    Folded,
    /// The source gives them.
    Source,
}

/// The static data of one listed stock.
#[derive(Clone, Debug)]
pub struct Instrument {
    /// The position in the universe.
    pub id: SymbolId,
    /// The ticker symbol.
    pub symbol: Symbol,
    /// The company's name, if the source knows it.
    pub name: Option<Box<str>>,
    /// The listing exchange as Alpaca names it: `NASDAQ`, `NYSE`, `ARCA`, `BATS`. `None` if the source does not know it.
    pub exchange: Option<Box<str>>,
    /// The consolidated tape that carries it.
    pub tape: Tape,
    /// The close of the previous trading day, if the source knows it.
    pub previous_close: Option<Price>,
    /// Where its minute bars come from, and their updates.
    pub bars: BarOrigin,
    /// Where the bar of its day so far comes from.
    pub daily_bars: BarOrigin,
    /// Which of its minutes set the prices of its day, where that is their sum.
    pub hours: MarketHours,
}

/// All instruments of a market, in order of their [`SymbolId`].
///
/// A universe is immutable and append-only: [`with`](Self::with) makes a larger one in which every id of
/// the smaller one is the same. It grows at run time as follows: a source replaces its `Arc<Universe>` by the
/// larger one before it emits the first event of a new instrument, the feed extends its tables, and each
/// batch carries the universe in which its ids are valid.
#[derive(Clone, Debug, Default)]
pub struct Universe {
    instruments: Vec<Instrument>,
    by_symbol: FxHashMap<Symbol, SymbolId>,
}

impl Universe {
    /// A universe of these instruments; their ids are set to their positions.
    ///
    /// # Panics
    /// If two instruments have the same symbol.
    pub fn new(instruments: Vec<Instrument>) -> Self {
        let count = instruments.len();
        let universe = Self::default().with(instruments);
        assert_eq!(universe.len(), count, "two instruments have the same symbol");
        universe
    }

    /// This universe with more instruments at its end. Those whose symbol it has already are left out.
    ///
    /// Copies the whole universe: append many instruments at once.
    #[must_use]
    pub fn with(&self, instruments: Vec<Instrument>) -> Self {
        let mut universe = self.clone();
        universe.instruments.reserve(instruments.len());
        universe.by_symbol.reserve(instruments.len());
        for instrument in instruments {
            let id = SymbolId(universe.instruments.len() as u32);
            if let Entry::Vacant(place) = universe.by_symbol.entry(instrument.symbol) {
                place.insert(id);
                universe.instruments.push(Instrument { id, ..instrument });
            }
        }
        universe
    }

    /// Whether this universe begins with the instruments of an earlier one, so that all ids of that are valid.
    pub fn begins_with(&self, earlier: &Self) -> bool {
        let mut pairs = earlier.iter().zip(self.iter());
        earlier.len() <= self.len() && pairs.all(|(earlier, later)| earlier.symbol == later.symbol)
    }

    /// The number of instruments.
    pub fn len(&self) -> usize {
        self.instruments.len()
    }

    /// Whether the universe has no instrument.
    pub fn is_empty(&self) -> bool {
        self.instruments.is_empty()
    }

    /// The instrument with this id.
    ///
    /// # Panics
    /// If the id is of a larger universe.
    pub fn instrument(&self, id: SymbolId) -> &Instrument {
        &self.instruments[id.index()]
    }

    /// The id of this symbol; `None` if it is not in the universe.
    pub fn find(&self, symbol: &Symbol) -> Option<SymbolId> {
        self.by_symbol.get(symbol).copied()
    }

    /// All instruments, in order of their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Instrument> {
        self.instruments.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instrument(symbol: &str) -> Instrument {
        Instrument {
            id: SymbolId(99),
            symbol: symbol.parse().unwrap(),
            name: None,
            exchange: None,
            tape: Tape::A,
            previous_close: None,
            bars: BarOrigin::Folded,
            daily_bars: BarOrigin::Folded,
            hours: MarketHours::Continuous,
        }
    }

    #[test]
    fn a_universe_grows_at_its_end_and_no_id_changes() {
        let small = Universe::new(["B", "A"].map(instrument).to_vec());

        let large = small.with(["C", "A", "D", "C"].map(instrument).to_vec());

        let ids = |universe: &Universe, symbols: &[&str]| -> Vec<_> {
            symbols
                .iter()
                .map(|symbol| universe.find(&symbol.parse().unwrap()).map(SymbolId::index))
                .collect()
        };
        assert_eq!(ids(&small, &["B", "A", "C"]), [Some(0), Some(1), None]);
        assert_eq!(ids(&large, &["B", "A", "C", "D"]), [0, 1, 2, 3].map(Some));
        assert!(large.iter().enumerate().all(|(position, instrument)| instrument.id.index() == position));
    }

    #[test]
    #[should_panic(expected = "the same symbol")]
    fn two_instruments_of_one_symbol_are_refused() {
        let _ = Universe::new(["A", "A"].map(instrument).to_vec());
    }
}
