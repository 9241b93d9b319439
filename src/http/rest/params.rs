use super::times::{self, Edge};
use super::token::Token;
use crate::archive::{OpenBars, Order, Query, Timeframe, Unit};
use crate::http::error::ApiError;
use crate::http::query::QueryParams;
use crate::model::{Symbol, Timestamp, TradingDay};

/// The page that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PageRequest {
    /// The rows of each symbol; `limit` counts over all symbols of the page.
    pub(super) query: Query,
    /// Where the previous page ended.
    pub(super) token: Option<Token>,
}

/// The most rows of a page. Alpaca's limit; a page of this size is about 1 MB of JSON.
const MAX_ROWS: usize = 10_000;
/// The rows of a page if `limit` is absent, as at Alpaca.
const DEFAULT_ROWS: usize = 1_000;

/// The parameters of REST. Others are ignored, as are `adjustment`, `feed`, `asof` and `currency`: there is
/// one market, without splits, in dollars.
impl QueryParams {
    /// The parameter `symbols`: sorted, without duplicates.
    pub(in crate::http) fn symbols(&self) -> Result<Vec<Symbol>, ApiError> {
        let texts = self
            .values("symbols")
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .filter(|text| !text.is_empty());
        let parsed =
            texts.map(|text| text.parse().map_err(|_| ApiError::invalid("symbols", format!("`{text}`"))));
        let mut symbols = parsed.collect::<Result<Vec<Symbol>, ApiError>>()?;
        symbols.sort_unstable();
        symbols.dedup();
        match symbols.is_empty() {
            true => Err(ApiError::Missing("symbols")),
            false => Ok(symbols),
        }
    }

    /// The parameter `timeframe`: the length of bars.
    pub(super) fn timeframe(&self) -> Result<Timeframe, ApiError> {
        let text = self.value("timeframe").ok_or(ApiError::Missing("timeframe"))?;
        timeframe(text).ok_or_else(|| ApiError::invalid("timeframe", format!("`{text}` ({TIMEFRAMES})")))
    }

    /// The parameter `partial`: whether bars are wanted that are still open.
    pub(super) fn open_bars(&self) -> Result<OpenBars, ApiError> {
        match self.value("partial") {
            None | Some("false") => Ok(OpenBars::Excluded),
            Some("true") => Ok(OpenBars::Included),
            Some(other) => Err(ApiError::invalid("partial", format!("`{other}` is neither true nor false"))),
        }
    }

    /// The page that the parameters ask for, at the time `now`.
    pub(super) fn page(&self, now: Timestamp) -> Result<PageRequest, ApiError> {
        let (start, end) = (self.time("start", Edge::Start)?, self.time("end", Edge::End)?);
        if let (Some(start), Some(end)) = (start, end)
            && end < start
        {
            return Err(ApiError::invalid("end", "before start"));
        }
        let from = start.unwrap_or_else(|| TradingDay::of(now).start);
        let to = end.unwrap_or(now);
        let order = match self.value("sort") {
            None | Some("asc") => Order::OldestFirst,
            Some("desc") => Order::NewestFirst,
            Some(other) => {
                return Err(ApiError::invalid("sort", format!("`{other}` is neither asc nor desc")));
            }
        };
        let limit = match self.value("limit").map(str::parse::<usize>) {
            None => DEFAULT_ROWS,
            Some(Ok(limit)) if (1..=MAX_ROWS).contains(&limit) => limit,
            Some(_) => return Err(ApiError::invalid("limit", format!("not from 1 to {MAX_ROWS}"))),
        };
        let token = match self.value("page_token") {
            None => None,
            Some(text) => Some(
                Token::decode(text)
                    .ok_or_else(|| ApiError::invalid("page_token", "not a token of this server"))?,
            ),
        };
        Ok(PageRequest { query: Query { from, to, order, after: None, limit }, token })
    }

    fn time(&self, name: &'static str, edge: Edge) -> Result<Option<Timestamp>, ApiError> {
        let read = |text| {
            times::parse(text, edge)
                .ok_or_else(|| ApiError::invalid(name, format!("`{text}` is neither RFC 3339 nor a date")))
        };
        self.value(name).map(read).transpose()
    }
}

/// What a timeframe may be.
const TIMEFRAMES: &str = "1 to 59 Sec or Min, 1 to 23 Hour, 1Day, 1Week, or 1, 2, 3, 4, 6 or 12 Month";

/// Parses a timeframe such as `1Min`, `15Min`, `1Hour` or `1Day`. `S`, `T`, `H`, `D`, `W` and `M` are short
/// for the units, and long names may be in lower case, as ccxt writes them; the count is 1 by default, and has
/// no leading zeros.
fn timeframe(text: &str) -> Option<Timeframe> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(unit_at);
    let unit = match unit {
        "Sec" | "sec" | "S" => Unit::Second,
        "Min" | "min" | "T" => Unit::Minute,
        "Hour" | "hour" | "H" => Unit::Hour,
        "Day" | "day" | "D" => Unit::Day,
        "Week" | "week" | "W" => Unit::Week,
        "Month" | "month" | "M" => Unit::Month,
        _ => return None,
    };
    let count = match count {
        "" => 1,
        zeros if zeros.starts_with('0') => return None,
        digits => digits.parse().ok()?,
    };
    Timeframe::new(count, unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Place;
    use crate::model::{SECOND, Seq};

    const NOW: Timestamp = Timestamp::from_nanos(1_795_185_000 * SECOND);

    fn page(query: &str) -> Result<PageRequest, ApiError> {
        QueryParams::parse(query)?.page(NOW)
    }

    fn symbols(query: &str) -> Result<Vec<String>, ApiError> {
        Ok(QueryParams::parse(query)?.symbols()?.iter().map(Symbol::to_string).collect())
    }

    #[test]
    fn symbols_may_be_plain_escaped_or_repeated() {
        for query in ["symbols=MSFT,AAPL", "symbols=AAPL%2CMSFT", "symbols=MSFT&symbols=AAPL,,MSFT"] {
            assert_eq!(symbols(query).unwrap(), ["AAPL", "MSFT"], "{query}");
        }
        assert_eq!(symbols("symbols=,"), Err(ApiError::Missing("symbols")));
        assert!(matches!(symbols("symbols=A%20B"), Err(ApiError::Invalid { name: "symbols", .. })));
    }

    #[test]
    fn the_default_is_today_until_now_1000_rows_oldest_first() {
        let PageRequest { query, token } = page("limit=&page_token=&feed=iex&adjustment=raw").unwrap();

        assert_eq!((query.from, query.to), (TradingDay::of(NOW).start, NOW));
        assert_eq!((query.limit, query.order, token), (1_000, Order::OldestFirst, None));
    }

    #[test]
    fn all_parameters_are_read() {
        let place = Place { at: NOW, seq: Seq(9) };
        let token = Token { symbol: "AAPL".parse().unwrap(), place };
        let query = format!(
            "start=2026-11-19T14%3A30%3A00%2B00%3A00&end=2026-11-20&limit=10000&sort=desc&page_token={}",
            token.encode()
        );

        let requested = page(&query).unwrap();

        assert_eq!(requested.query.from.nanos(), NOW.nanos() - 24 * 3_600 * SECOND);
        assert_eq!(requested.query.to.nanos(), TradingDay::of(NOW).end.nanos() - 1);
        assert_eq!((requested.query.limit, requested.query.order), (10_000, Order::NewestFirst));
        assert_eq!(requested.token, Some(token));
    }

    #[test]
    fn an_invalid_value_is_refused_with_the_parameter_name() {
        for (query, parameter) in [
            ("limit=0", "limit"),
            ("limit=10001", "limit"),
            ("limit=-1", "limit"),
            ("sort=up", "sort"),
            ("start=noon", "start"),
            ("end=2026-99-99", "end"),
            ("start=2026-11-20&end=2026-11-19", "end"),
            ("page_token=x", "page_token"),
            ("partial=yes", "partial"),
        ] {
            match page(query).and_then(|_| QueryParams::parse(query)?.open_bars()) {
                Err(ApiError::Invalid { name, .. }) => assert_eq!(name, parameter, "{query}"),
                other => panic!("{query}: {other:?}"),
            }
        }
    }

    #[test]
    fn timeframes_have_long_and_short_names() {
        for (long, short) in [
            ("1min", "1T"),
            ("1Min", "1T"),
            ("4Hour", "4H"),
            ("1Day", "D"),
            ("1Week", "1W"),
            ("3Month", "3M"),
        ] {
            assert!(timeframe(long).is_some(), "{long}");
            assert_eq!(timeframe(long), timeframe(short), "{long}");
        }
        for invalid in
            ["", "1", "Min1", "1m", "1h", "1t", "01Min", "0Min", "60Min", "300Min", "1Year", "-1Min"]
        {
            assert_eq!(timeframe(invalid), None, "{invalid}");
        }
    }
}
