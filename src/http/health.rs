use std::sync::Arc;

use actix_web::http::header::{ACCEPT, ACCESS_CONTROL_ALLOW_ORIGIN, ContentType, VARY};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder};

use super::feeds::ServedFeed;
use super::state::AppState;
use crate::metrics::ExpositionFormat;

/// `GET /healthz` (liveness): 200 while the process can answer.
///
/// Pages of all origins may read it: a browser tells a page nothing about a WebSocket that did not open, and
/// so the page learns whether the server is there and refuses its origin, or is not there.
pub(super) async fn alive() -> impl Responder {
    HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .body("ok\n")
}

/// `GET /readyz` (readiness): 200 while new sessions are accepted on a feed, else 503, with the reasons if there is
/// more to say. Of several feeds it names those that are not ready.
pub(super) async fn ready(state: Data<AppState>) -> impl Responder {
    let (mut response, word) = match state.feeds.first_ready().readiness.is_ready() {
        true => (HttpResponse::Ok(), "ready"),
        false => (HttpResponse::ServiceUnavailable(), "not ready"),
    };
    let reasons = match state.feeds.several() {
        None => state.feeds.default_feed().readiness.reason(),
        Some(feeds) => outages(feeds),
    };
    let reasons = reasons.map(|reasons| format!(": {reasons}")).unwrap_or_default();
    response.content_type(ContentType::plaintext()).body(format!("{word}{reasons}\n"))
}

/// The feeds that are not ready, each with its reason; `None` if all are.
fn outages(feeds: &[Arc<ServedFeed>]) -> Option<String> {
    let outage = |feed: &Arc<ServedFeed>| {
        let reason = feed.readiness.reason().map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("{} is not ready{reason}", feed.name)
    };
    let away: Vec<_> = feeds.iter().filter(|feed| !feed.readiness.is_ready()).map(outage).collect();
    (!away.is_empty()).then(|| away.join("; "))
}

/// `GET /metrics`: all metrics, in OpenMetrics for clients that ask for it, else in Prometheus' text format.
pub(super) async fn metrics(state: Data<AppState>, request: HttpRequest) -> impl Responder {
    let accept = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    let format = ExpositionFormat::negotiate(&accept.collect::<Vec<_>>().join(","));
    HttpResponse::Ok()
        .content_type(format.content_type())
        .insert_header((VARY, "Accept"))
        .body(state.metrics.to_text(format))
}
