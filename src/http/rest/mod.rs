//! REST from memory: what the historical clients of existing SDKs ask for; and the descriptions of
//! REST and of the stream for machines.
//!
//! What is asked for is read, looked up in the archive and encoded by plain functions; the handlers
//! only carry it. The stream comes first: a worker answers one request at a time, REST has a share of
//! its time, and its sessions are served between the pieces of an answer, so that a page of ten
//! thousand rows delays no tick by more than one piece.

mod access;
mod assets;
mod clock;
mod error;
mod fuzzing;
mod page;
mod params;
mod request;
mod schemas;
mod series;
mod snapshot;
mod stocks;
mod times;
mod token;

use std::time::Instant;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, ResponseError};

pub(super) use self::access::AccessPermit;
use self::error::RestError;
pub(super) use self::error::refused;
pub use self::fuzzing::answer_query;
use crate::limits::FairQueue;

/// Puts the descriptions into an application.
pub(super) fn descriptions(app: &mut ServiceConfig) {
    app.route("/openapi.json", web::get().to(schemas::openapi))
        .route("/asyncapi.json", web::get().to(schemas::asyncapi));
}

/// Puts the doors of REST into what lies below `/v2`.
pub(super) fn doors(v2: &mut ServiceConfig) {
    v2.app_data(FairQueue::new(Instant::now()))
        .route("/assets", web::get().to(assets::list))
        .route("/assets/{symbol}", web::get().to(assets::one))
        .route("/clock", web::get().to(clock::clock))
        .route("/stocks/snapshots", web::get().to(stocks::snapshots))
        .route("/stocks/{kind}", web::get().to(stocks::pages))
        .route("/stocks/{kind:bars|trades|quotes}/latest", web::get().to(stocks::latest))
        .route("/stocks/{symbol}/snapshot", web::get().to(stocks::snapshot_of_one))
        .route("/stocks/{symbol}/{kind}", web::get().to(stocks::pages_of_one))
        .route("/stocks/{symbol}/{kind}/latest", web::get().to(stocks::latest_of_one));
}

/// What every path below `/v2/` answers behind which there is no door.
pub(super) fn no_such_path() -> HttpResponse {
    RestError::NoSuchPath.error_response()
}
