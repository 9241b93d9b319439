use super::params::PageRequest;
use super::series::{Rows, Series};
use super::token::Token;
use crate::archive::Archive;
use crate::archive::Query;
use crate::model::{Symbol, SymbolId, Universe};
use crate::wire::JsonRowWriter;

/// How an answer is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseShape {
    /// Rows by symbol.
    Many,
    /// The rows of this one symbol, which is named beside them.
    Single(Symbol),
}

/// A page in the making, a piece at a time.
///
/// Symbols come in order of their names, each with all its rows before the next. The page ends when
/// it is full, and says so only when a row is left: what comes next is looked for before that.
pub(super) struct Page<'a> {
    archive: &'a Archive,
    universe: &'a Universe,
    series: Series,
    form: ResponseShape,
    query: Query,
    token: Option<Token>,
    symbols: std::vec::IntoIter<SymbolId>,
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

/// Whether there is more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Yes.
    More,
    /// No: [`Page::finish`] has it.
    Done,
}

/// So many rows are encoded in one piece: a fifth of a millisecond's worth.
const ROWS_PER_STEP: usize = 1_000;

impl<'a> Page<'a> {
    /// A page of this series of these symbols.
    pub(super) fn new(
        archive: &'a Archive,
        universe: &'a Universe,
        (series, form): (Series, ResponseShape),
        mut symbols: Vec<SymbolId>,
        ask: &PageRequest,
    ) -> Self {
        let name = |id: &SymbolId| universe.instrument(*id).symbol;
        symbols.retain(|id| ask.token.is_none_or(|token| name(id) >= token.symbol));
        symbols.sort_unstable_by_key(name);
        let opening = if form == ResponseShape::Many { '{' } else { '[' };
        Self {
            archive,
            universe,
            series,
            form,
            query: ask.query,
            token: ask.token,
            symbols: symbols.into_iter(),
            current: None,
            room: ask.query.limit,
            last: None,
            is_full: false,
            writer: JsonRowWriter::default(),
            out: format!("{{\"{}\":{opening}", series.kind().plural()).into_bytes(),
        }
    }

    /// Does the next piece of work, a fraction of a millisecond.
    pub(super) fn step(&mut self) -> Progress {
        if let Some(current) = self.current.take() {
            self.write(current);
            return Progress::More;
        }
        match self.symbols.next() {
            Some(id) if !self.is_full => {
                self.look_up(id);
                Progress::More
            }
            _ => Progress::Done,
        }
    }

    /// The whole body.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let closing = if self.form == ResponseShape::Many { b'}' } else { b']' };
        match self.out.last_mut() {
            Some(comma @ b',') => *comma = closing,
            _ => self.out.push(closing),
        }
        if let ResponseShape::Single(symbol) = self.form {
            self.out.extend_from_slice(format!(",\"symbol\":\"{symbol}\"").as_bytes());
        }
        let next = match self.last.filter(|_| self.is_full) {
            Some(token) => format!("\"{}\"", token.encode()),
            None => "null".to_owned(),
        };
        self.out.extend_from_slice(format!(",\"next_page_token\":{next}}}").as_bytes());
        self.out
    }

    /// Finds the rows of the next symbol, and one more than there is room for to see that it is full.
    fn look_up(&mut self, id: SymbolId) {
        let symbol = self.universe.instrument(id).symbol;
        let after = self.token.filter(|token| token.symbol == symbol).map(|token| token.place);
        let query = Query { after, limit: self.room + 1, ..self.query };
        let mut rows = self.series.rows(self.archive, id, &query);
        self.is_full = rows.len() > self.room;
        rows.truncate(self.room);
        self.room -= rows.len();
        let Some(place) = rows.last() else { return };
        self.last = Some(Token { symbol, place });
        if self.form == ResponseShape::Many {
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
        } else if self.form == ResponseShape::Many {
            self.out.pop();
            self.out.extend_from_slice(b"],");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Retention;
    use crate::http::rest::params::QueryParams;
    use crate::model::{Body, Object, Seq, Timestamp};
    use crate::wire::fixtures;

    /// As many trades of each symbol, a nanosecond apart.
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

    fn body(archive: &Archive, form: ResponseShape, symbols: &[u32], query: &str) -> serde_json::Value {
        let ask = QueryParams::of(&format!("start=1970-01-01T00:00:00Z&{query}")).unwrap();
        let ask = ask.page(Timestamp::from_nanos(1_000_000)).unwrap();
        let universe = fixtures::universe();
        let symbols = symbols.iter().copied().map(SymbolId).collect();
        let mut page = Page::new(archive, &universe, (Series::Trades, form), symbols, &ask);
        while page.step() == Progress::More {}
        serde_json::from_slice(&page.finish()).expect("a body is JSON")
    }

    fn ids(rows: &serde_json::Value) -> Vec<u64> {
        rows.as_array().unwrap().iter().map(|row| row["i"].as_u64().unwrap()).collect()
    }

    #[test]
    fn a_page_without_rows_says_so() {
        let single = ResponseShape::Single("AAPL".parse().unwrap());

        assert_eq!(
            body(&archive(0), ResponseShape::Many, &[0, 1], ""),
            serde_json::json!({"trades": {}, "next_page_token": null})
        );
        assert_eq!(
            body(&archive(0), single, &[0], ""),
            serde_json::json!({"trades": [], "symbol": "AAPL", "next_page_token": null})
        );
    }

    #[test]
    fn pages_go_on_over_all_symbols_and_end() {
        let archive = archive(3_000);
        for (sort, limit) in [("asc", 700), ("desc", 1_000), ("asc", 2_999), ("asc", 3_000), ("desc", 10_000)]
        {
            let (mut aapl, mut msft, mut pages, mut token) = (Vec::new(), Vec::new(), 0, String::new());
            loop {
                let query = format!("sort={sort}&limit={limit}&page_token={token}");
                let page = body(&archive, ResponseShape::Many, &[1, 0], &query);
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
