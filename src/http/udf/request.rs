use std::fmt;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use futures_util::FutureExt;
use futures_util::future::Map;
use serde::Serialize;

use crate::http::error::ApiError;
use crate::http::query::QueryParams;
use crate::http::rest::RestRequest;
use crate::model::{Instrument, MarketHours, Timestamp, Universe};

/// The response of an endpoint, or why the request is refused.
pub(super) type UdfAnswer = Result<HttpResponse, UdfError>;

/// A request of UDF that is authorised, as one of REST is: an extractor.
pub(super) struct UdfRequest(RestRequest);

impl FromRequest for UdfRequest {
    type Error = UdfError;
    type Future = Map<
        <RestRequest as FromRequest>::Future,
        fn(Result<RestRequest, ApiError>) -> Result<Self, UdfError>,
    >;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        RestRequest::from_request(request, payload).map(|request| request.map(Self).map_err(UdfError))
    }
}

impl UdfRequest {
    /// The request as one of REST.
    pub(super) const fn rest(&self) -> &RestRequest {
        &self.0
    }

    /// The parameters.
    pub(super) fn params(&self) -> &QueryParams {
        self.0.params()
    }

    /// The time of the server.
    pub(super) fn now(&self) -> Timestamp {
        self.0.state.clock.now()
    }

    /// When the market of the feed is open.
    pub(super) fn hours(&self) -> MarketHours {
        self.0.feed.hours_at(self.now())
    }

    /// The instrument that the parameter `symbol` names.
    pub(super) fn instrument(&self) -> Result<&Instrument, ApiError> {
        let name = self.params().value("symbol").ok_or(ApiError::Missing("symbol"))?;
        find(&self.0.universe, name).ok_or_else(|| ApiError::UnknownSymbol(name.to_owned()))
    }

    /// The same for market data: refuses what the key does not allow.
    pub(super) fn permitted_instrument(&self) -> Result<&Instrument, ApiError> {
        self.0.check_market_data()?;
        let instrument = self.instrument()?;
        self.0.check_symbol(&instrument.symbol)?;
        Ok(instrument)
    }
}

/// The instrument of a name: its symbol, alone or behind its exchange and a colon.
pub(super) fn find<'a>(universe: &'a Universe, name: &str) -> Option<&'a Instrument> {
    let of_symbol = |symbol: &str| Some(universe.instrument(universe.find(&symbol.parse().ok()?)?));
    of_symbol(name).or_else(|| {
        let (exchange, symbol) = name.split_once(':')?;
        of_symbol(symbol).filter(|found| found.exchange.as_deref() == Some(exchange))
    })
}

/// The name of an instrument with its exchange, where that is known: `NASDAQ:AAPL`.
pub(super) fn full_name(instrument: &Instrument) -> String {
    match &instrument.exchange {
        Some(exchange) => format!("{exchange}:{}", instrument.symbol),
        None => instrument.symbol.to_string(),
    }
}

/// What stands for an instrument in a text: its company's name, or else its symbol.
pub(super) fn description(instrument: &Instrument) -> &str {
    instrument.name.as_deref().unwrap_or(instrument.symbol.as_str())
}

/// Why a request is refused, in the form of UDF: `{"s":"error","errmsg":"..."}`, with the status and the headers that REST
/// has for it.
#[derive(Debug)]
pub(super) struct UdfError(ApiError);

#[derive(Serialize)]
struct UdfErrorBody {
    s: &'static str,
    errmsg: String,
}

impl From<ApiError> for UdfError {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl fmt::Display for UdfError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl ResponseError for UdfError {
    fn status_code(&self) -> StatusCode {
        self.0.status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let body = UdfErrorBody { s: "error", errmsg: self.to_string() };
        let body = serde_json::to_vec(&body).expect("an error is encoded in memory");
        self.0.error_response().set_body(BoxBody::new(body))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody;
    use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER};

    use super::*;
    use crate::wire::fixtures;

    #[test]
    fn an_instrument_is_found_by_its_symbol_with_and_without_its_exchange() {
        let universe = fixtures::universe();
        let with_exchange = |exchange: Option<&str>| {
            let listed = |instrument: &Instrument| Instrument {
                exchange: exchange.map(Box::from),
                ..instrument.clone()
            };
            Universe::new(universe.iter().map(listed).collect())
        };
        let found = |universe: &Universe, name| find(universe, name).map(|it| it.symbol.to_string());

        let nasdaq = with_exchange(Some("NASDAQ"));
        for name in ["AAPL", "NASDAQ:AAPL"] {
            assert_eq!(found(&nasdaq, name).as_deref(), Some("AAPL"), "{name}");
        }
        for name in ["NYSE:AAPL", ":AAPL", "AAPL:NASDAQ", "aapl", "", "A B"] {
            assert_eq!(found(&nasdaq, name), None, "{name}");
        }
        assert_eq!(found(&with_exchange(None), "NASDAQ:AAPL"), None);
        assert_eq!(full_name(find(&nasdaq, "AAPL").unwrap()), "NASDAQ:AAPL");
        assert_eq!(full_name(find(&with_exchange(None), "AAPL").unwrap()), "AAPL");
    }

    #[test]
    fn a_refusal_has_the_status_and_the_headers_of_rest_and_the_body_of_udf() {
        let refusal = UdfError(ApiError::TooManyAttempts).error_response();

        assert_eq!(refusal.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refusal.headers().get(RETRY_AFTER).unwrap(), "60");
        assert_eq!(refusal.headers().get(CONTENT_TYPE).unwrap(), "application/json");
        let body = refusal.into_body().try_into_bytes().unwrap();
        assert_eq!(body, r#"{"s":"error","errmsg":"too many failed attempts"}"#);
    }
}
