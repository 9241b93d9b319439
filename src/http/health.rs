use actix_web::http::header::ContentType;
use actix_web::web::Data;
use actix_web::{HttpResponse, Responder};

use super::state::AppState;

/// `GET /healthz` (liveness): 200 while the process can answer.
pub(super) async fn alive() -> impl Responder {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body("ok\n")
}

/// `GET /readyz` (readiness): 200 while new sessions are accepted, else 503.
pub(super) async fn ready(state: Data<AppState>) -> impl Responder {
    match state.readiness.is_ready() {
        true => HttpResponse::Ok().content_type(ContentType::plaintext()).body("ready\n"),
        false => {
            HttpResponse::ServiceUnavailable().content_type(ContentType::plaintext()).body("not ready\n")
        }
    }
}

/// `GET /metrics`: all metrics in Prometheus' text format.
pub(super) async fn metrics(state: Data<AppState>) -> impl Responder {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    HttpResponse::Ok().content_type(OPEN_METRICS).body(state.metrics.to_text())
}
