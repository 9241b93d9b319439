use std::ffi::c_char;

use dbn::{Metadata, SType, SymbolMappingMsg};
use rustc_hash::FxHashMap;

use crate::model::{MarketHours, SymbolId, Timestamp};
use crate::source::replay::symbols::SymbolTable;

/// The names of a file's instrument ids: from its header, by date, or from the mapping records of a live session.
pub(super) struct InstrumentNames {
    by_id: FxHashMap<u32, Vec<Named>>,
    declared: Option<usize>,
    hours: MarketHours,
    /// The ids of the instruments that were looked up.
    cache: FxHashMap<u32, Cached>,
}

/// A name that an instrument id has for a time.
struct Named {
    from: i64,
    to: i64,
    name: String,
}

#[derive(Clone, Copy)]
struct Cached {
    from: i64,
    to: i64,
    symbol: Option<SymbolId>,
}

/// With more names than this, instruments are listed when they first occur, and not from the start.
const MAX_DECLARED: usize = 20_000;

/// The beginnings of the names of Databento's datasets of US stocks. Futures and options have hours of their own.
const STOCK_MARKETS: [&str; 17] = [
    "ARCX.", "BATS.", "BATY.", "DBEQ.", "EDGA.", "EDGX.", "EPRL.", "EQUS.", "IEXG.", "LTSE.", "MEMX.",
    "XASE.", "XBOS.", "XCHI.", "XNAS.", "XNYS.", "XPSX.",
];

impl InstrumentNames {
    /// The names of a header.
    pub(super) fn of(metadata: &Metadata) -> Self {
        let mut by_id: FxHashMap<u32, Vec<Named>> = FxHashMap::default();
        for mapping in &metadata.mappings {
            for interval in &mapping.intervals {
                let is_from_id = metadata.stype_in == Some(SType::InstrumentId);
                let (id, name) = match is_from_id {
                    true => (&mapping.raw_symbol, &interval.symbol),
                    false => (&interval.symbol, &mapping.raw_symbol),
                };
                let [from, to] = [interval.start_date, interval.end_date]
                    .map(|date| date.midnight().assume_utc().unix_timestamp_nanos() as i64);
                if let Ok(id) = id.parse() {
                    by_id.entry(id).or_default().push(Named { from, to, name: name.clone() });
                }
            }
        }
        let declared = Some(metadata.mappings.len()).filter(|count| *count > 0);
        let is_of_stocks = STOCK_MARKETS.iter().any(|market| metadata.dataset.starts_with(market));
        let hours = if is_of_stocks { MarketHours::Exchange } else { MarketHours::Continuous };
        Self { by_id, declared, hours, cache: FxHashMap::default() }
    }

    /// The number of instruments, if the header names them.
    pub(super) const fn declared(&self) -> Option<usize> {
        self.declared
    }

    /// Enters all names into the table, in the order of the ids.
    pub(super) fn declare(&self, symbols: &mut SymbolTable) {
        let mut ids: Vec<_> = self.by_id.iter().collect();
        if ids.len() > MAX_DECLARED {
            return;
        }
        ids.sort_unstable_by_key(|(id, _)| **id);
        for Named { name, .. } in ids.into_iter().flat_map(|(_, names)| names) {
            // One that fits no symbol is reported with its first record.
            let _ = symbols.id_with(name, self.hours);
        }
    }

    /// Takes in a mapping record: from now on the instrument has this name.
    pub(super) fn map(&mut self, message: &SymbolMappingMsg) {
        let id = message.hd.instrument_id;
        let name = [&message.stype_out_symbol, &message.stype_in_symbol].map(|name| text(name));
        let Some(name) = name.into_iter().find(|name| !name.is_empty()) else { return };
        self.by_id.insert(id, vec![Named { from: i64::MIN, to: i64::MAX, name }]);
        self.cache.remove(&id);
    }

    /// The symbol of an instrument at this time.
    pub(super) fn find(&mut self, id: u32, at: Timestamp, symbols: &mut SymbolTable) -> Option<SymbolId> {
        let at = at.nanos();
        if let Some(cached) = self.cache.get(&id).filter(|cached| (cached.from..cached.to).contains(&at)) {
            return cached.symbol;
        }
        let cached = self.look_up(id, at, symbols);
        self.cache.insert(id, cached);
        cached.symbol
    }

    fn look_up(&self, id: u32, at: i64, symbols: &mut SymbolTable) -> Cached {
        let named = self.by_id.get(&id).map_or(&[][..], Vec::as_slice);
        match named.iter().find(|named| (named.from..named.to).contains(&at)) {
            Some(Named { from, to, name }) => {
                Cached { from: *from, to: *to, symbol: symbols.id_with(name, self.hours).ok() }
            }
            // One name at all is that of the instrument, whatever the dates of the query were.
            None => {
                let symbol = match named {
                    [only] => symbols.id_with(&only.name, self.hours).ok(),
                    _ => symbols.renamed(&id.to_string()),
                };
                Cached { from: at, to: at.saturating_add(1), symbol }
            }
        }
    }
}

/// Text in a field of fixed length, up to its first zero.
fn text(field: &[c_char]) -> String {
    let letters = field.iter().map(|letter| *letter as u8).take_while(|letter| *letter != 0);
    String::from_utf8_lossy(&letters.collect::<Vec<_>>()).into_owned()
}
