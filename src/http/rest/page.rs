use super::params::PageRequest;
use super::request::RequestedSymbol;
use super::series::{RecordKind, Rows, Series};
use super::token::Token;
use crate::archive::{Archive, Query};
use crate::http::error::ApiError;
use crate::http::query::QueryParams;
use crate::model::{Symbol, Timestamp};
use crate::wire::JsonRowWriter;

/// The layout of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseShape {
    /// Rows by symbol.
    BySymbol,
    /// The rows of one symbol, and its name.
    Single(Symbol),
}

/// Writes a page of rows in steps.
///
/// Symbols are sorted, and all rows of one come before those of the next. A full page has a token for the
/// next page only if there is a row for it, so one row more than fits is looked up.
pub(super) struct Page<'a> {
    archive: &'a Archive,
    series: Series,
    shape: ResponseShape,
    query: Query,
    token: Option<Token>,
    symbols: std::vec::IntoIter<RequestedSymbol>,
    current: Option<Current>,
    room: usize,
    last: Option<Token>,
    is_full: bool,
    writer: JsonRowWriter,
    out: Vec<u8>,
}

/// The rows of one symbol while they are written.
struct Current {
    rows: Rows,
    written: usize,
}

/// Whether a page is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// There is another step.
    More,
    /// The page is complete: call [`Page::finish`].
    Done,
}

/// The number of rows written in one step: a fifth of a millisecond.
const ROWS_PER_STEP: usize = 1_000;

impl<'a> Page<'a> {
    /// The page of these symbols that the parameters ask for, at the time `now`.
    pub(super) fn requested(
        archive: &'a Archive,
        kind: RecordKind,
        shape: ResponseShape,
        symbols: Vec<RequestedSymbol>,
        params: &QueryParams,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let series = kind.series(params)?;
        Ok(Self::new(archive, series, shape, symbols, &params.page(now)?))
    }

    fn new(
        archive: &'a Archive,
        series: Series,
        shape: ResponseShape,
        mut symbols: Vec<RequestedSymbol>,
        request: &PageRequest,
    ) -> Self {
        symbols.retain(|symbol| request.token.is_none_or(|token| symbol.name >= token.symbol));
        symbols.sort_unstable_by_key(|symbol| symbol.name);
        let opening = if shape == ResponseShape::BySymbol { '{' } else { '[' };
        Self {
            archive,
            series,
            shape,
            query: request.query,
            token: request.token,
            symbols: symbols.into_iter(),
            current: None,
            room: request.query.limit,
            last: None,
            is_full: false,
            writer: JsonRowWriter::default(),
            out: format!("{{\"{}\":{opening}", series.kind().plural()).into_bytes(),
        }
    }

    /// Does the next step, which takes a fraction of a millisecond.
    pub(super) fn step(&mut self) -> Progress {
        if let Some(current) = self.current.take() {
            self.write(current);
            return Progress::More;
        }
        match self.symbols.next() {
            Some(symbol) if !self.is_full => {
                self.look_up(symbol);
                Progress::More
            }
            _ => Progress::Done,
        }
    }

    /// The complete body.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let closing = if self.shape == ResponseShape::BySymbol { b'}' } else { b']' };
        match self.out.last_mut() {
            Some(comma @ b',') => *comma = closing,
            _ => self.out.push(closing),
        }
        if let ResponseShape::Single(symbol) = self.shape {
            self.out.extend_from_slice(format!(",\"symbol\":\"{symbol}\"").as_bytes());
        }
        let next = match self.last.filter(|_| self.is_full) {
            Some(token) => format!("\"{}\"", token.encode()),
            None => "null".to_owned(),
        };
        self.out.extend_from_slice(format!(",\"next_page_token\":{next}}}").as_bytes());
        self.out
    }

    /// Looks up the rows of the next symbol, one more than there is room for.
    fn look_up(&mut self, RequestedSymbol { name: symbol, id }: RequestedSymbol) {
        let after = self.token.filter(|token| token.symbol == symbol).map(|token| token.place);
        let query = Query { after, limit: self.room + 1, ..self.query };
        let mut rows = self.series.rows(self.archive, id, &query);
        self.is_full = rows.len() > self.room;
        rows.truncate(self.room);
        self.room -= rows.len();
        let Some(place) = rows.last() else { return };
        self.last = Some(Token { symbol, place });
        if self.shape == ResponseShape::BySymbol {
            self.out.extend_from_slice(format!("\"{symbol}\":[").as_bytes());
        }
        self.current = Some(Current { rows, written: 0 });
    }

    fn write(&mut self, mut current: Current) {
        let until = current.rows.len().min(current.written + ROWS_PER_STEP);
        for place in current.written..until {
            current.rows.write(place, &mut self.writer, &mut self.out);
            self.out.push(b',');
        }
        current.written = until;
        if until < current.rows.len() {
            self.current = Some(current);
        } else if self.shape == ResponseShape::BySymbol {
            self.out.pop();
            self.out.extend_from_slice(b"],");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Retention;
    use crate::model::{Body, Object, Seq, SymbolId};
    use crate::wire::fixtures;

    /// An archive with this number of trades of each symbol, a nanosecond apart.
    fn archive(trades: u64) -> Archive {
        let archive = Archive::new(2, Retention { trades: 5_000, ..Retention::default() });
        let Body::Trade(mut trade) = fixtures::trade().body else { unreachable!() };
        for seq in 1..=trades {
            for symbol in [0, 1].map(SymbolId) {
                trade.at = Timestamp::from_nanos(seq as i64);
                (trade.symbol, trade.id) = (symbol, seq);
                archive.record(&[Object { seq: Seq(seq), body: Body::Trade(trade) }]);
            }
        }
        archive
    }

    fn body(archive: &Archive, shape: ResponseShape, symbols: &[u32], query: &str) -> serde_json::Value {
        let params = QueryParams::parse(&format!("start=1970-01-01T00:00:00Z&{query}")).unwrap();
        let now = Timestamp::from_nanos(1_000_000);
        let universe = fixtures::universe();
        let requested = |id| RequestedSymbol { name: universe.instrument(id).symbol, id };
        let symbols = symbols.iter().copied().map(SymbolId).map(requested).collect();
        let mut page = Page::requested(archive, RecordKind::Trades, shape, symbols, &params, now).unwrap();
        while page.step() == Progress::More {}
        serde_json::from_slice(&page.finish()).expect("a body is JSON")
    }

    fn ids(rows: &serde_json::Value) -> Vec<u64> {
        rows.as_array().unwrap().iter().map(|row| row["i"].as_u64().unwrap()).collect()
    }

    #[test]
    fn a_page_without_rows_is_empty_and_has_no_token() {
        let single = ResponseShape::Single("AAPL".parse().unwrap());

        assert_eq!(
            body(&archive(0), ResponseShape::BySymbol, &[0, 1], ""),
            serde_json::json!({"trades": {}, "next_page_token": null})
        );
        assert_eq!(
            body(&archive(0), single, &[0], ""),
            serde_json::json!({"trades": [], "symbol": "AAPL", "next_page_token": null})
        );
    }

    #[test]
    fn pages_continue_over_all_symbols_and_end() {
        let archive = archive(3_000);
        for (sort, limit) in [("asc", 700), ("desc", 1_000), ("asc", 2_999), ("asc", 3_000), ("desc", 10_000)]
        {
            let (mut aapl, mut msft, mut pages, mut token) = (Vec::new(), Vec::new(), 0, String::new());
            loop {
                let query = format!("sort={sort}&limit={limit}&page_token={token}");
                let page = body(&archive, ResponseShape::BySymbol, &[1, 0], &query);
                let before = aapl.len() + msft.len();
                for (symbol, all) in [("AAPL", &mut aapl), ("MSFT", &mut msft)] {
                    if let Some(rows) = page["trades"].get(symbol) {
                        all.extend(ids(rows));
                    }
                }
                pages += 1;
                assert!(aapl.len() + msft.len() - before <= limit);
                match page["next_page_token"].as_str() {
                    Some(next) => token = next.to_owned(),
                    None => break,
                }
            }

            assert_eq!(pages, 6_000_usize.div_ceil(limit), "{sort} {limit}");
            if sort == "desc" {
                aapl.reverse();
                msft.reverse();
            }
            assert_eq!(aapl, (1..=3_000).collect::<Vec<_>>(), "{sort} {limit}");
            assert_eq!(msft, aapl, "{sort} {limit}");
        }
    }
}
