use super::error::RestError;
use super::params::QueryParams;
use crate::archive::Archive;
use crate::archive::{Numbered, Place, Query, Span, Timeframe};
use crate::model::{Bar, Quote, SymbolId, Trade};
use crate::wire::JsonRowWriter;

/// What is asked for, by its name in the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordKind {
    Bars,
    Trades,
    Quotes,
}

/// What is asked for, with all that it takes to find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Series {
    Bars(Timeframe),
    Trades,
    Quotes,
}

/// Rows of one symbol.
pub(super) enum Rows {
    Bars(Vec<Bar>),
    Trades(Vec<Numbered<Trade>>),
    Quotes(Vec<Numbered<Quote>>),
}

impl RecordKind {
    /// The kind of this name.
    pub(super) fn named(name: &str) -> Result<Self, RestError> {
        match name {
            "bars" => Ok(Self::Bars),
            "trades" => Ok(Self::Trades),
            "quotes" => Ok(Self::Quotes),
            _ => Err(RestError::NoSuchPath),
        }
    }

    /// Its name for many.
    pub(super) const fn plural(self) -> &'static str {
        match self {
            Self::Bars => "bars",
            Self::Trades => "trades",
            Self::Quotes => "quotes",
        }
    }

    /// Its name for one.
    pub(super) const fn singular(self) -> &'static str {
        match self {
            Self::Bars => "bar",
            Self::Trades => "trade",
            Self::Quotes => "quote",
        }
    }

    /// The series that a request asks for.
    pub(super) fn series(self, ask: &QueryParams) -> Result<Series, RestError> {
        Ok(match self {
            Self::Bars => Series::Bars(ask.timeframe()?),
            Self::Trades => Series::Trades,
            Self::Quotes => Series::Quotes,
        })
    }

    /// Appends the newest of a symbol, and says whether there is one. Of bars it is the minute's.
    pub(super) fn write_latest(
        self,
        archive: &Archive,
        symbol: SymbolId,
        writer: &mut JsonRowWriter,
        out: &mut Vec<u8>,
    ) -> bool {
        match self {
            Self::Bars => archive.latest_bar(symbol, Span::Minute).map(|bar| writer.bar(out, &bar)),
            Self::Trades => archive.latest_trade(symbol).map(|trade| writer.trade(out, &trade)),
            Self::Quotes => archive.latest_quote(symbol).map(|quote| writer.quote(out, &quote)),
        }
        .is_some()
    }
}

impl Series {
    pub(super) const fn kind(self) -> RecordKind {
        match self {
            Self::Bars(_) => RecordKind::Bars,
            Self::Trades => RecordKind::Trades,
            Self::Quotes => RecordKind::Quotes,
        }
    }

    /// The rows of a symbol that are asked for.
    pub(super) fn rows(self, archive: &Archive, symbol: SymbolId, query: &Query) -> Rows {
        match self {
            Self::Bars(timeframe) => Rows::Bars(archive.bars(symbol, timeframe, query)),
            Self::Trades => Rows::Trades(archive.trades(symbol, query)),
            Self::Quotes => Rows::Quotes(archive.quotes(symbol, query)),
        }
    }
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Bars(rows) => rows.len(),
            Self::Trades(rows) => rows.len(),
            Self::Quotes(rows) => rows.len(),
        }
    }

    /// Keeps the first `len` rows.
    pub(super) fn truncate(&mut self, len: usize) {
        match self {
            Self::Bars(rows) => rows.truncate(len),
            Self::Trades(rows) => rows.truncate(len),
            Self::Quotes(rows) => rows.truncate(len),
        }
    }

    /// Where the last row stands.
    pub(super) fn last(&self) -> Option<Place> {
        match self {
            Self::Bars(rows) => rows.last().map(Place::from),
            Self::Trades(rows) => rows.last().map(Place::from),
            Self::Quotes(rows) => rows.last().map(Place::from),
        }
    }

    /// Appends one row.
    pub(super) fn write(&self, place: usize, writer: &mut JsonRowWriter, out: &mut Vec<u8>) {
        match self {
            Self::Bars(rows) => writer.bar(out, &rows[place]),
            Self::Trades(rows) => writer.trade(out, &rows[place].value),
            Self::Quotes(rows) => writer.quote(out, &rows[place].value),
        }
    }
}
