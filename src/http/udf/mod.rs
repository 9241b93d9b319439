//! TradingView's Universal Data Feed (UDF), answered from the archive: charts that are made for its library show this market.
//!
//! The server is what the library's own adapter expects: symbols are searched and resolved one by one, bars are asked for by
//! range or by count. Source: "UDF" in the documentation of TradingView's Advanced Charts, v29. Each answer is at `/udf/…` and,
//! because the adapter appends only the name of the answer to its URL, at `/udf/{feed}/…`.

mod config;
mod history;
mod history_query;
mod quotes;
mod request;
mod resolution;
mod search;
mod session;
mod symbol_info;
mod table;

use actix_web::ResponseError;
use actix_web::web::{self, ServiceConfig};

use self::request::UdfError;
use super::error::ApiError;

/// Adds the routes of UDF to the scope `/udf`.
pub(super) fn routes(udf: &mut ServiceConfig) {
    for feed in ["", "/{feed}"] {
        udf.route(&format!("{feed}/config"), web::get().to(config::config))
            .route(&format!("{feed}/time"), web::get().to(config::time))
            .route(&format!("{feed}/symbols"), web::get().to(symbol_info::symbol))
            .route(&format!("{feed}/search"), web::get().to(search::search))
            .route(&format!("{feed}/history"), web::get().to(history::history))
            .route(&format!("{feed}/quotes"), web::get().to(quotes::quotes));
    }
    let no_such_path = || async { UdfError::from(ApiError::NoSuchPath).error_response() };
    udf.route("/{path:.*}", web::get().to(no_such_path));
}
