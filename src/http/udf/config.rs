use std::collections::BTreeSet;

use actix_web::HttpResponse;
use serde::Serialize;

use super::request::{UdfAnswer, UdfRequest};
use super::resolution;
use super::symbol_info::STOCK;
use crate::http::response::json;
use crate::model::Universe;

/// What the data feed offers: the library's `DatafeedConfiguration`, and how symbols are found.
#[derive(Serialize)]
struct Configuration<'a> {
    supports_search: bool,
    supports_group_request: bool,
    supports_marks: bool,
    supports_timescale_marks: bool,
    supports_time: bool,
    supported_resolutions: [&'static str; resolution::OFFERED.len()],
    exchanges: Vec<ExchangeFilter<'a>>,
    symbols_types: [TypeFilter; 2],
}

/// A filter of the search by exchange.
#[derive(Serialize)]
struct ExchangeFilter<'a> {
    value: &'a str,
    name: &'a str,
    desc: &'a str,
}

/// A filter of the search by type.
#[derive(Serialize)]
struct TypeFilter {
    name: &'static str,
    value: &'static str,
}

/// `GET /udf/config`
pub(super) async fn config(request: UdfRequest) -> HttpResponse {
    HttpResponse::Ok().json(Configuration::of(&request.rest().universe))
}

/// `GET /udf/time`: the server's clock in whole Unix seconds.
pub(super) async fn time(request: UdfRequest) -> UdfAnswer {
    Ok(json(request.now().seconds().to_string()))
}

impl<'a> Configuration<'a> {
    /// O(instruments).
    fn of(universe: &'a Universe) -> Self {
        let names: BTreeSet<_> =
            universe.iter().filter_map(|instrument| instrument.exchange.as_deref()).collect();
        let all = ExchangeFilter { value: "", name: "All exchanges", desc: "" };
        let each = names.into_iter().map(|name| ExchangeFilter { value: name, name, desc: name });
        Self {
            supports_search: true,
            supports_group_request: false,
            supports_marks: false,
            supports_timescale_marks: false,
            supports_time: true,
            supported_resolutions: resolution::OFFERED,
            exchanges: std::iter::once(all).chain(each).collect(),
            symbols_types: [
                TypeFilter { name: "All types", value: "" },
                TypeFilter { name: "Stock", value: STOCK },
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exchanges_of_the_market_are_filters_beside_one_for_all() {
        let universe = crate::source::universe(100, 1);

        let config = serde_json::to_value(Configuration::of(&universe)).unwrap();

        let values: Vec<_> =
            config["exchanges"].as_array().unwrap().iter().map(|it| it["value"].as_str().unwrap()).collect();
        assert!(values[0].is_empty() && values.contains(&"NASDAQ") && values.is_sorted(), "{values:?}");
        assert_eq!(
            (&config["supports_search"], &config["supports_group_request"]),
            (&true.into(), &false.into())
        );
    }
}
