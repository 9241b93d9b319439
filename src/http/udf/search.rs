use actix_web::HttpResponse;
use actix_web::rt::task::yield_now;
use serde::Serialize;

use super::request::{UdfAnswer, UdfRequest, description, full_name};
use super::symbol_info::STOCK;
use crate::http::error::ApiError;
use crate::http::query::QueryParams;
use crate::model::Instrument;

/// A result of a search: the library's `SearchSymbolResultItem`.
#[derive(Serialize)]
struct SearchResult<'a> {
    symbol: &'a str,
    ticker: &'a str,
    full_name: String,
    description: &'a str,
    exchange: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// What is searched for.
#[derive(Debug, PartialEq, Eq)]
struct SearchQuery {
    /// In upper case.
    text: String,
    exchange: Option<String>,
    limit: usize,
}

/// How well an instrument matches, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    Symbol,
    StartOfSymbol,
    WordOfName,
    InSymbol,
    InName,
}

/// The most results, and those if `limit` is absent: as many as the library's dialog asks for.
const MAX_RESULTS: usize = 1_000;
const DEFAULT_RESULTS: usize = 30;

/// The number of instruments that are compared in one step: a tenth of a millisecond.
const INSTRUMENTS_PER_STEP: usize = 500;

/// `GET /udf/search`: the instruments whose symbol or name has a text, in any case; all for an empty text.
pub(super) async fn search(request: UdfRequest) -> UdfAnswer {
    let params = request.params();
    let query = SearchQuery::parse(params)?;
    if params.value("type").is_some_and(|kind| kind != STOCK) {
        return Ok(HttpResponse::Ok().json([(); 0]));
    }
    let universe = &request.rest().universe;
    let mut found = Vec::new();
    for (place, instrument) in universe.iter().enumerate() {
        if place % INSTRUMENTS_PER_STEP == INSTRUMENTS_PER_STEP - 1 {
            yield_now().await;
        }
        found.extend(query.matches(instrument).map(|quality| (quality, instrument)));
    }
    // Those that match equally are in the order of the universe.
    found.sort_by_key(|(quality, _)| *quality);
    found.truncate(query.limit);
    let results: Vec<_> = found.into_iter().map(|(_, instrument)| SearchResult::of(instrument)).collect();
    let json = serde_json::to_vec(&results).expect("results are encoded in memory");
    Ok(request.rest().answer(json).await)
}

impl SearchQuery {
    /// Reads the parameters. A text such as `NASDAQ:AA` names the exchange too.
    fn parse(params: &QueryParams) -> Result<Self, ApiError> {
        let limit = match params.value("limit").map(str::parse::<usize>) {
            None => DEFAULT_RESULTS,
            Some(Ok(limit)) if (1..=MAX_RESULTS).contains(&limit) => limit,
            Some(_) => return Err(ApiError::invalid("limit", format!("not from 1 to {MAX_RESULTS}"))),
        };
        let text = params.value("query").unwrap_or_default().trim().to_ascii_uppercase();
        let (of_text, text) = match text.split_once(':') {
            Some((exchange, text)) if !exchange.is_empty() => (Some(exchange.to_owned()), text.to_owned()),
            _ => (None, text),
        };
        let exchange = params.value("exchange").map(str::to_owned).or(of_text);
        Ok(Self { text, exchange, limit })
    }

    /// How well an instrument matches; `None` if it does not.
    fn matches(&self, instrument: &Instrument) -> Option<Match> {
        let is_listed = |exchange: &String| instrument.exchange.as_deref() == Some(exchange.as_str());
        if !self.exchange.as_ref().is_none_or(is_listed) {
            return None;
        }
        let text = self.text.as_str();
        let symbol = instrument.symbol.as_str().to_ascii_uppercase();
        if symbol == text {
            return Some(Match::Symbol);
        }
        if symbol.starts_with(text) {
            return Some(Match::StartOfSymbol);
        }
        let name = instrument.name.as_deref().unwrap_or_default().to_ascii_uppercase();
        let mut starts = name.match_indices(text).map(|(at, _)| at);
        let is_in_name = name.contains(text);
        if starts.any(|at| !name[..at].ends_with(char::is_alphanumeric)) {
            return Some(Match::WordOfName);
        }
        match (symbol.contains(text), is_in_name) {
            (true, _) => Some(Match::InSymbol),
            (false, true) => Some(Match::InName),
            (false, false) => None,
        }
    }
}

impl<'a> SearchResult<'a> {
    fn of(instrument: &'a Instrument) -> Self {
        Self {
            symbol: instrument.symbol.as_str(),
            ticker: instrument.symbol.as_str(),
            full_name: full_name(instrument),
            description: description(instrument),
            exchange: instrument.exchange.as_deref().unwrap_or_default(),
            kind: STOCK,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    fn query(text: &str) -> Result<SearchQuery, ApiError> {
        SearchQuery::parse(&QueryParams::parse(text).unwrap())
    }

    fn instrument(symbol: &str, name: &str) -> Instrument {
        let universe = fixtures::universe_of(&[symbol]);
        let exchange = Some("NASDAQ".into());
        Instrument { name: Some(name.into()), exchange, ..universe.iter().next().unwrap().clone() }
    }

    #[test]
    fn the_symbol_counts_more_than_the_name_and_a_start_more_than_the_middle() {
        let apple = instrument("AAPL", "Apple Inc.");
        for (text, expected) in [
            ("aapl", Some(Match::Symbol)),
            ("Aa", Some(Match::StartOfSymbol)),
            ("", Some(Match::StartOfSymbol)),
            ("appl", Some(Match::WordOfName)),
            ("inc", Some(Match::WordOfName)),
            ("apl", Some(Match::InSymbol)),
            ("pple", Some(Match::InName)),
            ("aapl.", None),
            ("ä", None),
        ] {
            assert_eq!(query(&format!("query={text}")).unwrap().matches(&apple), expected, "{text}");
        }
        assert!(Match::Symbol < Match::StartOfSymbol && Match::InSymbol < Match::InName);
    }

    #[test]
    fn an_exchange_restricts_the_search() {
        let apple = instrument("AAPL", "Apple Inc.");
        let matches = |text| query(text).unwrap().matches(&apple);

        for text in ["query=AA&exchange=NASDAQ", "query=nasdaq:aa", "query=NASDAQ%3A", "query=AA&exchange="] {
            assert_eq!(matches(text), Some(Match::StartOfSymbol), "{text}");
        }
        assert_eq!((matches("query=AA&exchange=NYSE"), matches("query=NYSE:AA")), (None, None));
        assert_eq!(query("query=x&limit=7").unwrap().limit, 7);
        for limit in ["0", "1001", "-1", "x"] {
            assert!(query(&format!("limit={limit}")).is_err(), "{limit}");
        }
    }
}
