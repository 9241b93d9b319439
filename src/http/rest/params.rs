use actix_web::web::Query as Pairs;

use super::error::RestError;
use super::times::{self, Edge};
use super::token::Token;
use crate::archive::{Order, Query, Timeframe, Unit};
use crate::model::TradingDay;
use crate::model::{Symbol, Timestamp};

/// The parameters of a request. Names that nobody asks for are ignored, as are `adjustment`, `feed`,
/// `asof` and `currency`: there is one market, never split, in dollars.
#[derive(Clone, Debug)]
pub(super) struct QueryParams {
    pairs: Vec<(String, String)>,
}

/// One page as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PageRequest {
    /// Which rows of each symbol; `limit` counts over all symbols of the page.
    pub(super) query: Query,
    /// Where the page before ended.
    pub(super) token: Option<Token>,
}

const MOST_ROWS: usize = 10_000;
const DEFAULT_ROWS: usize = 1_000;

impl QueryParams {
    /// Reads a query string.
    pub(super) fn of(query_string: &str) -> Result<Self, RestError> {
        let pairs = Pairs::<Vec<(String, String)>>::from_query(query_string)
            .map_err(|_| RestError::invalid("query", "not a form of names and values"))?;
        Ok(Self { pairs: pairs.into_inner() })
    }

    /// The symbols that are asked for, in order, each once.
    pub(super) fn symbols(&self) -> Result<Vec<Symbol>, RestError> {
        let lists = self.pairs.iter().filter(|(name, _)| name == "symbols").map(|(_, list)| list);
        let texts = lists.flat_map(|list| list.split(',')).map(str::trim).filter(|text| !text.is_empty());
        let parsed =
            texts.map(|text| text.parse().map_err(|_| RestError::invalid("symbols", format!("`{text}`"))));
        let mut symbols = parsed.collect::<Result<Vec<Symbol>, RestError>>()?;
        symbols.sort_unstable();
        symbols.dedup();
        match symbols.is_empty() {
            true => Err(RestError::Missing("symbols")),
            false => Ok(symbols),
        }
    }

    /// How long the bars are that are asked for.
    pub(super) fn timeframe(&self) -> Result<Timeframe, RestError> {
        let text = self.value("timeframe").ok_or(RestError::Missing("timeframe"))?;
        timeframe(text).ok_or_else(|| RestError::invalid("timeframe", format!("`{text}`")))
    }

    /// The page that is asked for, when it is `now`.
    pub(super) fn page(&self, now: Timestamp) -> Result<PageRequest, RestError> {
        let (start, end) = (self.time("start", Edge::Start)?, self.time("end", Edge::End)?);
        if let (Some(start), Some(end)) = (start, end)
            && end < start
        {
            return Err(RestError::invalid("end", "before start"));
        }
        let from = start.unwrap_or_else(|| TradingDay::of(now).start);
        let to = end.unwrap_or(now);
        let order = match self.value("sort") {
            None | Some("asc") => Order::OldestFirst,
            Some("desc") => Order::NewestFirst,
            Some(other) => {
                return Err(RestError::invalid("sort", format!("`{other}` is neither asc nor desc")));
            }
        };
        let limit = match self.value("limit").map(str::parse::<usize>) {
            None => DEFAULT_ROWS,
            Some(Ok(limit)) if (1..=MOST_ROWS).contains(&limit) => limit,
            Some(_) => return Err(RestError::invalid("limit", format!("not from 1 to {MOST_ROWS}"))),
        };
        let token = match self.value("page_token") {
            None => None,
            Some(text) => Some(
                Token::decode(text)
                    .ok_or_else(|| RestError::invalid("page_token", "not one that was given here"))?,
            ),
        };
        Ok(PageRequest { query: Query { from, to, order, after: None, limit }, token })
    }

    /// The last value of this name; an empty one is none.
    pub(super) fn value(&self, wanted: &str) -> Option<&str> {
        let value = self.pairs.iter().rev().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    }

    fn time(&self, name: &'static str, edge: Edge) -> Result<Option<Timestamp>, RestError> {
        let read = |text| {
            times::parse(text, edge)
                .ok_or_else(|| RestError::invalid(name, format!("`{text}` is neither RFC 3339 nor a date")))
        };
        self.value(name).map(read).transpose()
    }
}

/// Reads `1Min`, `15Min`, `1Hour`, `1Day` and their like; `T`, `H`, `D`, `W`, `M` and `S` are the
/// same in short. Without a count it is one.
fn timeframe(text: &str) -> Option<Timeframe> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(unit_at);
    let unit = match unit {
        "Sec" | "S" => Unit::Second,
        "Min" | "T" => Unit::Minute,
        "Hour" | "H" => Unit::Hour,
        "Day" | "D" => Unit::Day,
        "Week" | "W" => Unit::Week,
        "Month" | "M" => Unit::Month,
        _ => return None,
    };
    let count = if count.is_empty() { 1 } else { count.parse().ok()? };
    Timeframe::new(count, unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Place;
    use crate::model::{SECOND, Seq};

    const NOW: Timestamp = Timestamp::from_nanos(1_795_185_000 * SECOND);

    fn page(query: &str) -> Result<PageRequest, RestError> {
        QueryParams::of(query)?.page(NOW)
    }

    fn symbols(query: &str) -> Result<Vec<String>, RestError> {
        Ok(QueryParams::of(query)?.symbols()?.iter().map(Symbol::to_string).collect())
    }

    #[test]
    fn symbols_come_plain_escaped_and_repeated() {
        for query in ["symbols=MSFT,AAPL", "symbols=AAPL%2CMSFT", "symbols=MSFT&symbols=AAPL,,MSFT"] {
            assert_eq!(symbols(query).unwrap(), ["AAPL", "MSFT"], "{query}");
        }
        assert_eq!(symbols("symbols=,"), Err(RestError::Missing("symbols")));
        assert!(matches!(symbols("symbols=A%20B"), Err(RestError::Invalid { name: "symbols", .. })));
    }

    #[test]
    fn nothing_typed_means_today_until_now_a_thousand_rows_the_oldest_first() {
        let PageRequest { query, token } = page("limit=&page_token=&feed=iex&adjustment=raw").unwrap();

        assert_eq!((query.from, query.to), (TradingDay::of(NOW).start, NOW));
        assert_eq!((query.limit, query.order, token), (1_000, Order::OldestFirst, None));
    }

    #[test]
    fn everything_can_be_asked_for() {
        let place = Place { at: NOW, seq: Seq(9) };
        let token = Token { symbol: "AAPL".parse().unwrap(), place };
        let query = format!(
            "start=2026-11-19T14%3A30%3A00%2B00%3A00&end=2026-11-20&limit=10000&sort=desc&page_token={}",
            token.encode()
        );

        let asked = page(&query).unwrap();

        assert_eq!(asked.query.from.nanos(), NOW.nanos() - 24 * 3_600 * SECOND);
        assert_eq!(asked.query.to.nanos(), TradingDay::of(NOW).end.nanos() - 1);
        assert_eq!((asked.query.limit, asked.query.order), (10_000, Order::NewestFirst));
        assert_eq!(asked.token, Some(token));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for (query, parameter) in [
            ("limit=0", "limit"),
            ("limit=10001", "limit"),
            ("limit=-1", "limit"),
            ("sort=up", "sort"),
            ("start=noon", "start"),
            ("end=2026-99-99", "end"),
            ("start=2026-11-20&end=2026-11-19", "end"),
            ("page_token=x", "page_token"),
        ] {
            match page(query) {
                Err(RestError::Invalid { name, .. }) => assert_eq!(name, parameter, "{query}"),
                other => panic!("{query}: {other:?}"),
            }
        }
    }

    #[test]
    fn timeframes_have_long_and_short_names() {
        for (long, short) in
            [("1Min", "1T"), ("4Hour", "4H"), ("1Day", "D"), ("1Week", "1W"), ("3Month", "3M")]
        {
            assert!(timeframe(long).is_some(), "{long}");
            assert_eq!(timeframe(long), timeframe(short), "{long}");
        }
        for nonsense in ["", "1", "Min1", "1min", "0Min", "60Min", "300Min", "1Year", "-1Min"] {
            assert_eq!(timeframe(nonsense), None, "{nonsense}");
        }
    }
}
