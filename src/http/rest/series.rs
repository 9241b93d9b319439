use crate::archive::{Archive, Numbered, OpenBars, Place, Query, Timeframe};
use crate::http::error::ApiError;
use crate::http::query::QueryParams;
use crate::model::{Bar, Quote, SymbolId, Trade};
use crate::wire::JsonRowWriter;

/// A kind of record that REST offers, as named in the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordKind {
    Bars,
    Trades,
    Quotes,
}

/// A kind of record with the parameters that select its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Series {
    Bars(Timeframe, OpenBars),
    Trades,
    Quotes,
}

/// The rows of one symbol.
pub(super) enum Rows {
    Bars(Vec<Bar>),
    Trades(Vec<Numbered<Trade>>),
    Quotes(Vec<Numbered<Quote>>),
}

impl RecordKind {
    /// The kind of this plural name.
    pub(super) fn named(name: &str) -> Result<Self, ApiError> {
        match name {
            "bars" => Ok(Self::Bars),
            "trades" => Ok(Self::Trades),
            "quotes" => Ok(Self::Quotes),
            _ => Err(ApiError::NoSuchPath),
        }
    }

    /// The name of several records.
    pub(super) const fn plural(self) -> &'static str {
        match self {
            Self::Bars => "bars",
            Self::Trades => "trades",
            Self::Quotes => "quotes",
        }
    }

    /// The name of one record.
    pub(super) const fn singular(self) -> &'static str {
        match self {
            Self::Bars => "bar",
            Self::Trades => "trade",
            Self::Quotes => "quote",
        }
    }

    /// The series that these parameters select.
    pub(super) fn series(self, params: &QueryParams) -> Result<Series, ApiError> {
        Ok(match self {
            Self::Bars => Series::Bars(params.timeframe()?, params.open_bars()?),
            Self::Trades => Series::Trades,
            Self::Quotes => Series::Quotes,
        })
    }

    /// Appends the symbol's newest record, for bars the minute bar, and returns whether there is one.
    pub(super) fn write_latest(
        self,
        archive: &Archive,
        symbol: SymbolId,
        open: OpenBars,
        writer: &mut JsonRowWriter,
        out: &mut Vec<u8>,
    ) -> bool {
        match self {
            Self::Bars => archive.latest_minute(symbol, open).map(|bar| writer.bar(out, &bar)),
            Self::Trades => archive.latest_trade(symbol).map(|trade| writer.trade(out, &trade)),
            Self::Quotes => archive.latest_quote(symbol).map(|quote| writer.quote(out, &quote)),
        }
        .is_some()
    }
}

impl Series {
    pub(super) const fn kind(self) -> RecordKind {
        match self {
            Self::Bars(..) => RecordKind::Bars,
            Self::Trades => RecordKind::Trades,
            Self::Quotes => RecordKind::Quotes,
        }
    }

    /// The rows of a symbol that match the query.
    pub(super) fn rows(self, archive: &Archive, symbol: SymbolId, query: &Query) -> Rows {
        match self {
            Self::Bars(timeframe, open) => Rows::Bars(archive.bars(symbol, timeframe, open, query)),
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

    /// The position of the last row.
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
