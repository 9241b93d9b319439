//! CSV files whose columns a map names: trades, quotes or bars, one a row.

mod column_map;
mod time_text;

use std::io::BufRead;

use ::csv::ByteRecord;

pub use self::column_map::{ColumnMap, ColumnMapError};
use self::column_map::{Columns, RowKind};
use super::csv_rows::CsvRows;
use super::file_refusal::FileRefusal;
use super::fixed::{decimal, whole};
use super::record::{RecordContent, Recorded, RecordedKind, RecordingReader, SkipReason, Skipped, bar};
use super::symbols::SymbolTable;
use crate::model::{Conditions, Event, Price, Quote, SymbolId, Tape, Timestamp, Trade, Venue, is_letter};

/// The rows of a CSV file.
pub(super) struct CsvReader<R> {
    rows: CsvRows<R>,
    row: ByteRecord,
    columns: Columns,
    /// The text and id of the latest symbol: rows of one symbol mostly follow each other.
    symbol: (Vec<u8>, Option<SymbolId>),
    latest: Timestamp,
    trades: u64,
}

const NANO_DECIMALS: i32 = 9;

impl<R: BufRead + Send> CsvReader<R> {
    /// A reader of this file, whose name is that of its only instrument where no column or map names one.
    pub(super) fn new(input: R, map: &ColumnMap, file_stem: &str) -> Result<Self, FileRefusal> {
        let mut rows = CsvRows::new(input, map.delimiter());
        let mut header = ByteRecord::new();
        if map.has_header() {
            rows.read(&mut header).map_err(|skipped| FileRefusal::at(1, skipped.detail))?;
        }
        let columns = Columns::find(map, &header, file_stem).map_err(|error| FileRefusal::at(1, error))?;
        let latest = Timestamp::from_nanos(i64::MIN);
        Ok(Self { rows, row: ByteRecord::new(), columns, symbol: (Vec::new(), None), latest, trades: 0 })
    }

    fn read_row(&mut self, symbols: &mut SymbolTable) -> Result<(Timestamp, RecordContent), Skip> {
        let at = self.text(self.columns.time)?;
        let at = self.columns.time_format.read(at).ok_or((SkipReason::Broken, "the time cannot be read"))?;
        let symbol = self.symbol(symbols)?;
        match self.columns.kind {
            RowKind::Trade => {
                self.trades += 1;
                let size = self.whole(self.columns.size)?;
                if size == 0 {
                    return Err((SkipReason::Broken, "a trade has no size"));
                }
                let id = self.optional(self.columns.id).and_then(whole).unwrap_or(self.trades);
                let trade = Trade {
                    symbol,
                    id,
                    venue: self.venue(self.columns.venue),
                    price: Price::from_nanos(self.price(self.columns.price)?),
                    size,
                    conditions: self.conditions(),
                    tape: Tape(self.letter(self.columns.tape).unwrap_or(Tape::NONE.0)),
                    at,
                };
                Ok((at, RecordContent::Event(Event::Trade(trade))))
            }
            RowKind::Quote => {
                let [bid, ask] = [
                    self.side(self.columns.bid, self.columns.bid_size, self.columns.bid_venue)?,
                    self.side(self.columns.ask, self.columns.ask_size, self.columns.ask_venue)?,
                ];
                let quote = Quote {
                    symbol,
                    bid_venue: bid.2,
                    bid: bid.0,
                    bid_size: bid.1,
                    ask_venue: ask.2,
                    ask: ask.0,
                    ask_size: ask.1,
                    conditions: self.conditions(),
                    tape: Tape(self.letter(self.columns.tape).unwrap_or(Tape::NONE.0)),
                    at,
                };
                Ok((at, RecordContent::Event(Event::Quote(quote))))
            }
            RowKind::Bar(length) => {
                let columns = &self.columns;
                let mut prices = [0; 4];
                for (price, column) in
                    prices.iter_mut().zip([columns.open, columns.high, columns.low, columns.close])
                {
                    *price = self.price(column)?;
                }
                let volume = match self.columns.volume {
                    Some(_) => self.whole(self.columns.volume)?,
                    None => 0,
                };
                let start = self.columns.time_format.start_of_bar(at, length);
                let mut bar = bar(symbol, start, prices, volume);
                bar.trades = self.optional(self.columns.trades).and_then(whole).unwrap_or(0);
                Ok((length.end(start), RecordContent::Bar(length, bar)))
            }
        }
    }

    fn symbol(&mut self, symbols: &mut SymbolTable) -> Result<SymbolId, Skip> {
        let text = match self.columns.symbol {
            Some(column) => self.row.get(column).ok_or((SkipReason::Broken, "a row has too few columns"))?,
            None => self.columns.ticker.as_bytes(),
        };
        if let (known, Some(id)) = &self.symbol
            && known == text
        {
            return Ok(*id);
        }
        let name = std::str::from_utf8(text).unwrap_or_default();
        let id = symbols.id(name.trim()).map_err(|_| (SkipReason::Unnamed, "the row has no symbol"))?;
        self.symbol = (text.to_owned(), Some(id));
        Ok(id)
    }

    /// A side of a quote; one without a price or with a size of 0 is empty. Without a column of sizes each is 1.
    fn side(
        &self,
        price: Option<usize>,
        size: Option<usize>,
        venue: Option<usize>,
    ) -> Result<(Price, u64, Venue), Skip> {
        const EMPTY: (Price, u64, Venue) = (Price::from_nanos(0), 0, Venue::NONE);
        if self.optional(price).is_none() {
            return Ok(EMPTY);
        }
        let nanos = self.price(price)?;
        let size = match size {
            Some(_) if self.optional(size).is_none() => 0,
            Some(_) => self.whole(size)?,
            None => u64::from(nanos != 0),
        };
        if size == 0 {
            return Ok(EMPTY);
        }
        let venue = venue.or(self.columns.venue);
        Ok((Price::from_nanos(nanos), size, self.venue(venue)))
    }

    fn text(&self, column: usize) -> Result<&[u8], Skip> {
        self.row.get(column).map(<[u8]>::trim_ascii).ok_or((SkipReason::Broken, "a row has too few columns"))
    }

    /// The text of a column; `None` if there is no such column, or it is empty.
    fn optional(&self, column: Option<usize>) -> Option<&[u8]> {
        self.row.get(column?).map(<[u8]>::trim_ascii).filter(|text| !text.is_empty())
    }

    fn price(&self, column: Option<usize>) -> Result<i64, Skip> {
        let text = self.optional(column).ok_or((SkipReason::Broken, "a row has no price"))?;
        let decimals = NANO_DECIMALS - self.columns.decimals;
        decimal(text, decimals).ok_or((SkipReason::Broken, "a price is no number"))
    }

    fn whole(&self, column: Option<usize>) -> Result<u64, Skip> {
        let text = self.optional(column).ok_or((SkipReason::Broken, "a row has no size"))?;
        whole(text).ok_or((SkipReason::Broken, "a size is no whole number"))
    }

    fn letter(&self, column: Option<usize>) -> Option<u8> {
        match self.optional(column)? {
            [letter] if is_letter(*letter) => Some(*letter),
            _ => None,
        }
    }

    fn venue(&self, column: Option<usize>) -> Venue {
        self.letter(column).map_or(Venue::NONE, Venue)
    }

    /// Letters with or without separators: `@ T I`, `@|T|I` or `@TI`. A space between others stands for none.
    fn conditions(&self) -> Conditions {
        let text = self.optional(self.columns.conditions).unwrap_or_default();
        let is_condition = |letter: &u8| is_letter(*letter) && !matches!(letter, b' ' | b',' | b'|' | b';');
        let letters: smallvec::SmallVec<[u8; 8]> = text.iter().copied().filter(is_condition).collect();
        Conditions::new(&letters)
    }
}

type Skip = (SkipReason, &'static str);

impl<R: BufRead + Send> RecordingReader for CsvReader<R> {
    fn kind(&self) -> RecordedKind {
        match self.columns.kind {
            RowKind::Bar(length) => RecordedKind::Bars(length),
            RowKind::Trade | RowKind::Quote => RecordedKind::Events,
        }
    }

    fn instruments(&self) -> Option<usize> {
        self.columns.symbol.is_none().then_some(1)
    }

    fn next(&mut self, symbols: &mut SymbolTable) -> Result<Option<Recorded>, Skipped> {
        if !self.rows.read(&mut self.row)? {
            return Ok(None);
        }
        match self.read_row(symbols) {
            Ok((at, content)) => {
                self.latest = self.latest.max(at);
                Ok(Some(Recorded { at: self.latest, content }))
            }
            Err((reason, detail)) => {
                let position = self.rows.line(&self.row);
                Err(Skipped { reason, position, detail: detail.into() })
            }
        }
    }
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
