use actix_web::http::header::ContentType;
use actix_web::web::Data;
use actix_web::{HttpResponse, Responder};

use super::AppState;

/// `GET /healthz`: 200 as long as the process answers at all.
pub(super) async fn alive() -> impl Responder {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body("ok\n")
}

/// `GET /readyz`: 200 while new sessions are welcome, 503 before and after.
pub(super) async fn ready(house: Data<AppState>) -> impl Responder {
    match house.readiness.is_ready() {
        true => HttpResponse::Ok().content_type(ContentType::plaintext()).body("ready\n"),
        false => {
            HttpResponse::ServiceUnavailable().content_type(ContentType::plaintext()).body("not ready\n")
        }
    }
}

/// `GET /metrics`: all counts in Prometheus' text format.
pub(super) async fn metrics(house: Data<AppState>) -> impl Responder {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    HttpResponse::Ok().content_type(OPEN_METRICS).body(house.metrics.to_text())
}
