use std::collections::hash_map::Entry;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io, mem};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::{BarOrigin, Instrument, MarketHours, Symbol, SymbolId, Tape, Universe};

/// The instruments of a recording, in the order of their first occurrence.
///
/// Ids are given at once; the universe is extended when a batch that needs them is published, because extending it
/// copies it.
#[derive(Debug, Default)]
pub(super) struct SymbolTable {
    universe: Arc<Universe>,
    /// Instruments that are not in the universe yet.
    added: Vec<Instrument>,
    by_symbol: FxHashMap<Symbol, SymbolId>,
    names: SymbolNames,
    descriptions: FxHashMap<Symbol, Description>,
    given: RecordedBars,
}

/// The instruments whose bars the files give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RecordedBars {
    /// Those with minutes.
    pub(super) minutes: FxHashSet<Symbol>,
    /// Those with seconds, of which minutes are folded.
    pub(super) seconds: FxHashSet<Symbol>,
    /// Those with the bar of the day so far.
    pub(super) days: FxHashSet<Symbol>,
}

/// The most instruments of a recording, and the most that definitions describe. Tables of the service have a row for each,
/// so that a file of names alone would fill the memory. As many as the simulated market may have.
const MAX_SYMBOLS: usize = crate::source::MAX_LISTINGS;

/// What a definition tells about an instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Description {
    pub(super) name: Option<Box<str>>,
    pub(super) exchange: Option<Box<str>>,
}

/// A name in a recording has no symbol, or there are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UnnamedError;

#[cfg_attr(not(feature = "dbn"), expect(dead_code, reason = "DBN alone has ids and definitions"))]
impl SymbolTable {
    /// An empty table that renames symbols by these names.
    pub(super) fn new(names: SymbolNames) -> Self {
        Self { names, ..Self::default() }
    }

    /// The id of the instrument that a recording calls by this name.
    pub(super) fn id(&mut self, name: &str) -> Result<SymbolId, UnnamedError> {
        let symbol = self.symbol(name)?;
        let next = SymbolId((self.universe.len() + self.added.len()) as u32);
        Ok(match self.by_symbol.entry(symbol) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(_) if next.index() >= MAX_SYMBOLS => return Err(UnnamedError),
            Entry::Vacant(place) => {
                let Description { name, exchange } =
                    self.descriptions.get(&symbol).cloned().unwrap_or_default();
                self.added.push(Instrument {
                    id: next,
                    symbol,
                    name,
                    exchange,
                    tape: Tape::NONE,
                    previous_close: None,
                    bars: BarOrigin::Folded,
                    daily_bars: BarOrigin::Folded,
                    hours: MarketHours::Continuous,
                });
                *place.insert(next)
            }
        })
    }

    /// The same of an instrument with these hours.
    pub(super) fn id_with(&mut self, name: &str, hours: MarketHours) -> Result<SymbolId, UnnamedError> {
        let id = self.id(name)?;
        let added = id.index().checked_sub(self.universe.len());
        if let Some(instrument) = added.and_then(|index| self.added.get_mut(index)) {
            instrument.hours = hours;
        }
        Ok(id)
    }

    /// The id of the instrument that `--symbols-map` names; `None` if it does not name it.
    pub(super) fn renamed(&mut self, name: &str) -> Option<SymbolId> {
        self.names.0.contains_key(name).then(|| self.id(name).ok()).flatten()
    }

    /// Keeps what is known about an instrument, for when it first occurs.
    pub(super) fn describe(&mut self, name: &str, description: Description) {
        if let Ok(symbol) = self.symbol(name)
            && self.descriptions.len() < MAX_SYMBOLS
        {
            self.descriptions.insert(symbol, description);
        }
    }

    /// Sets which bars the files give, before the first [`publish`](Self::publish).
    pub(super) fn set_given(&mut self, given: RecordedBars) {
        self.given = given;
    }

    /// Whether the files give minutes of an instrument, not only seconds.
    pub(super) fn has_minutes(&self, symbol: SymbolId) -> bool {
        let added = || self.added.get(symbol.index().checked_sub(self.universe.len())?);
        let instrument = match symbol.index() < self.universe.len() {
            true => Some(self.universe.instrument(symbol)),
            false => added(),
        };
        instrument.is_some_and(|instrument| self.given.minutes.contains(&instrument.symbol))
    }

    /// The universe with all instruments so far.
    pub(super) fn publish(&mut self) -> &Arc<Universe> {
        if !self.added.is_empty() {
            let origin = |is_given| if is_given { BarOrigin::Source } else { BarOrigin::Folded };
            for Instrument { symbol, bars, daily_bars, .. } in &mut self.added {
                let RecordedBars { minutes, seconds, days } = &self.given;
                *bars = origin(minutes.contains(symbol) || seconds.contains(symbol));
                *daily_bars = origin(days.contains(symbol));
            }
            self.universe = Arc::new(self.universe.with(mem::take(&mut self.added)));
        }
        &self.universe
    }

    /// The universe as of the last [`publish`](Self::publish).
    pub(super) fn universe(&self) -> &Arc<Universe> {
        &self.universe
    }

    /// Options are written with spaces in OSI's form (`SPX   240119C04700000`), and without them by Alpaca.
    fn symbol(&self, name: &str) -> Result<Symbol, UnnamedError> {
        let name = self.names.of(name);
        let compact: String;
        let name = if name.contains(' ') {
            compact = name.split(' ').collect();
            &compact
        } else {
            name
        };
        name.parse().map_err(|_| UnnamedError)
    }
}

/// The names that `--symbols-map` gives to the instruments of a recording.
#[derive(Clone, Debug, Default)]
pub(super) struct SymbolNames(FxHashMap<String, String>);

/// A file of names cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum SymbolNamesError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("line {0}: expected a name of the recording, a comma and a symbol")]
    Line(usize),
    #[error("it is larger than 16 MiB")]
    TooLarge,
}

/// The largest file of names: those of all [`MAX_SYMBOLS`] instruments take a third of it.
const MAX_NAMES_BYTES: u64 = 16 << 20;

impl SymbolNames {
    /// Reads lines such as `15144,ESZ4`: a name or instrument id of the recording, and the symbol. Empty lines and
    /// those that begin with `#` are left out.
    pub(super) fn read(file: &Path) -> Result<Self, SymbolNamesError> {
        let mut text = String::new();
        fs::File::open(file)?.take(MAX_NAMES_BYTES + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MAX_NAMES_BYTES {
            return Err(SymbolNamesError::TooLarge);
        }
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, SymbolNamesError> {
        let mut names = FxHashMap::default();
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (from, to) = line.split_once(',').ok_or(SymbolNamesError::Line(number))?;
            let to: Symbol = to.trim().parse().map_err(|_| SymbolNamesError::Line(number))?;
            names.insert(from.trim().to_owned(), to.to_string());
        }
        Ok(Self(names))
    }

    fn of<'n>(&'n self, name: &'n str) -> &'n str {
        if self.0.is_empty() { name } else { self.0.get(name).map_or(name, String::as_str) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_has_one_id_and_the_universe_grows_when_it_is_published() {
        let mut symbols = SymbolTable::default();

        let ids = ["ESU4", "NQU4", "ESU4"].map(|name| symbols.id(name).unwrap().0);

        assert_eq!((ids, symbols.universe().len()), ([0, 1, 0], 0));
        assert_eq!(symbols.publish().len(), 2);
        assert_eq!(symbols.id("YMU4").unwrap(), SymbolId(2));
        let universe = symbols.publish();
        assert_eq!(universe.instrument(SymbolId(2)).symbol.as_str(), "YMU4");
    }

    #[test]
    fn the_number_of_instruments_is_bounded() {
        let mut symbols = SymbolTable::default();

        let listed = (0..MAX_SYMBOLS + 10).filter(|number| symbols.id(&format!("S{number}")).is_ok()).count();

        assert_eq!((listed, symbols.publish().len()), (MAX_SYMBOLS, MAX_SYMBOLS));
        assert_eq!(symbols.id("S7"), Ok(SymbolId(7)));
    }

    #[test]
    fn an_option_is_named_without_spaces_and_a_long_name_is_none() {
        let mut symbols = SymbolTable::default();

        let id = symbols.id("SPX   240119C04700000").unwrap();

        assert_eq!(symbols.publish().instrument(id).symbol.as_str(), "SPX240119C04700000");
        assert_eq!(symbols.id("A-VERY-LONG-NAME-OF-A-SPREAD"), Err(UnnamedError));
        assert_eq!(symbols.id(""), Err(UnnamedError));
    }

    #[test]
    fn names_of_the_recording_are_replaced_by_those_of_the_file() {
        let names = SymbolNames::parse("# futures\n\n15144 , ESZ4\nES.FUT,ES\n").unwrap();
        let mut symbols = SymbolTable::new(names);

        let ids = ["15144", "ESZ4", "ES.FUT", "NQ"].map(|name| symbols.id(name).unwrap());

        let universe = symbols.publish();
        assert_eq!(ids.map(|id| universe.instrument(id).symbol.to_string()), ["ESZ4", "ESZ4", "ES", "NQ"]);
        assert!(matches!(SymbolNames::parse("A,B\nC"), Err(SymbolNamesError::Line(2))));
        assert!(matches!(SymbolNames::parse("A,B C"), Err(SymbolNamesError::Line(1))));
    }

    #[test]
    fn a_file_of_names_without_an_end_is_refused() {
        let refused = SymbolNames::read(Path::new("/dev/zero"));

        assert!(matches!(refused, Err(SymbolNamesError::TooLarge)));
    }

    #[test]
    fn a_definition_describes_an_instrument_that_occurs_later() {
        let mut symbols = SymbolTable::default();
        let description = Description { exchange: Some("XCME".into()), ..Description::default() };

        symbols.describe("ESU4", description);
        let id = symbols.id("ESU4").unwrap();

        assert_eq!(symbols.publish().instrument(id).exchange.as_deref(), Some("XCME"));
    }
}
