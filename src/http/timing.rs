//! Measures how long requests take, and traces them.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::web::Data;
use tracing::field::Empty;
use tracing::{Instrument, debug_span};

use super::state::AppState;
use crate::metrics::LatencyMeasurement;

/// The route of requests that no pattern matches: the page's files, wrong paths, what is refused before routing.
const NO_ROUTE: &str = "other";

/// Middleware that records how long it takes until the head of the response is there, the wait for the turn
/// included. Upgrades are not requests.
pub async fn time_requests(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = request.app_data::<Data<AppState>>().cloned();
    let state = state.filter(|state| state.metrics.measures() == LatencyMeasurement::On);
    let began = Instant::now();
    let span = debug_span!(
        target: "tapecast::trace",
        "request",
        http.request.method = request.method().as_str(),
        http.route = Empty,
        http.response.status_code = Empty,
    );
    let response = next.call(request).instrument(span.clone()).await?.map_into_boxed_body();
    if !span.is_disabled() {
        span.record("http.route", response.request().match_pattern().unwrap_or_default());
        span.record("http.response.status_code", response.status().as_u16());
    }
    if let Some(state) = state.filter(|_| response.status() != StatusCode::SWITCHING_PROTOCOLS) {
        let pattern = response.request().match_pattern();
        let route = pattern.as_deref().filter(|pattern| !pattern.is_empty()).unwrap_or(NO_ROUTE);
        state.metrics.requests().record(route, response.status().as_u16(), began.elapsed());
    }
    Ok(response)
}
