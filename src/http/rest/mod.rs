//! REST: Alpaca's historical market data API, answered from the archive in memory; and the OpenAPI and
//! AsyncAPI documents.
//!
//! Pure functions parse parameters, look up the archive and encode; the handlers only connect them. The
//! stream has priority: a worker's [fair queue](crate::limits::FairQueue) admits one request at a time and
//! limits the share of its time, and an answer is written in steps, between which sessions are served. So
//! a page of 10,000 rows delays a tick by no more than one step.

mod answers;
mod assets;
mod clock;
mod crypto;
mod page;
mod params;
mod request;
mod schemas;
mod series;
mod snapshot;
mod stocks;
mod times;
mod token;

use actix_web::web::{self, ServiceConfig};

pub use self::answers::answer;
pub(super) use self::request::RestRequest;

/// Adds the routes of the OpenAPI and AsyncAPI documents.
pub(super) fn schema_routes(app: &mut ServiceConfig) {
    app.route("/openapi.json", web::get().to(schemas::openapi))
        .route("/asyncapi.json", web::get().to(schemas::asyncapi));
}

/// Adds the routes of REST to the scope `/v2`.
pub(super) fn routes(v2: &mut ServiceConfig) {
    v2.route("/assets", web::get().to(assets::list))
        .route("/assets/{symbol}", web::get().to(assets::one))
        .route("/clock", web::get().to(clock::clock))
        .route("/stocks/snapshots", web::get().to(stocks::snapshots))
        .route("/stocks/{kind}", web::get().to(stocks::pages))
        .route("/stocks/{kind:bars|trades|quotes}/latest", web::get().to(stocks::latest))
        .route("/stocks/{symbol}/snapshot", web::get().to(stocks::snapshot_of_one))
        .route("/stocks/{symbol}/{kind}", web::get().to(stocks::pages_of_one))
        .route("/stocks/{symbol}/{kind}/latest", web::get().to(stocks::latest_of_one));
}

/// Adds the routes of Alpaca's API for coins to the scope `/v1beta3`.
pub(super) fn crypto_routes(v1: &mut ServiceConfig) {
    v1.route("/crypto/us/snapshots", web::get().to(crypto::snapshots))
        .route("/crypto/us/latest/orderbooks", web::get().to(crypto::order_books))
        .route("/crypto/us/latest/{kind}", web::get().to(crypto::latest))
        .route("/crypto/us/{kind}", web::get().to(crypto::pages));
}
