use actix_web::http::header::{ACCEPT, ContentType, VARY};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder};

use super::state::AppState;
use crate::metrics::ExpositionFormat;

/// `GET /healthz` (liveness): 200 while the process can answer.
pub(super) async fn alive() -> impl Responder {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body("ok\n")
}

/// `GET /readyz` (readiness): 200 while new sessions are accepted, else 503, with the reason if there is
/// more to say.
pub(super) async fn ready(state: Data<AppState>) -> impl Responder {
    let readiness = &state.feeds.default_feed().readiness;
    match readiness.is_ready() {
        true => HttpResponse::Ok().content_type(ContentType::plaintext()).body("ready\n"),
        false => {
            let body = match readiness.reason() {
                Some(reason) => format!("not ready: {reason}\n"),
                None => "not ready\n".to_owned(),
            };
            HttpResponse::ServiceUnavailable().content_type(ContentType::plaintext()).body(body)
        }
    }
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
