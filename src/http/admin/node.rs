//! The node: drain, and the filter of the log.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;

use super::super::state::AppState;
use super::access::{Operator, read_body};
use super::error::AdminError;
use super::log_filter::LogFilter;

/// Over this time a drain closes the sessions, unless the request says otherwise.
const DRAIN_SECONDS: f64 = 30.0;

/// The longest drain.
const MAX_DRAIN_SECONDS: f64 = 3_600.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DrainBody {
    #[serde(default = "drain_seconds")]
    seconds: f64,
}

fn drain_seconds() -> f64 {
    DRAIN_SECONDS
}

impl Default for DrainBody {
    fn default() -> Self {
        Self { seconds: DRAIN_SECONDS }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogBody {
    level: String,
}

/// `POST /admin/api/drain`: refuses new sessions, and closes those that are open, spread evenly over a time, so that they do
/// not all connect to the other nodes at once.
pub(super) async fn drain(
    operator: Operator,
    request: HttpRequest,
    state: Data<AppState>,
    body: Payload,
) -> Result<HttpResponse, AdminError> {
    let DrainBody { seconds } = read_body(&request, &state, body).await?;
    if !(0.0..=MAX_DRAIN_SECONDS).contains(&seconds) {
        return Err(AdminError::invalid(format!("seconds: expected 0 to {MAX_DRAIN_SECONDS}")));
    }
    let sessions = state.metrics.sessions().total();
    state.admin.draining.set(true);
    state.feeds.set_draining(true);
    state.admin.hubs.drain(Duration::from_secs_f64(seconds));
    operator.audit("drain", "node", &format!("{sessions} sessions over {seconds} s"));
    Ok(HttpResponse::build(StatusCode::ACCEPTED).json(json!({"draining": true, "sessions": sessions})))
}

/// `DELETE /admin/api/drain`: accepts new sessions again. Sessions that are open stay.
pub(super) async fn end_drain(operator: Operator, state: Data<AppState>) -> HttpResponse {
    state.admin.hubs.end_drain();
    state.feeds.set_draining(false);
    state.admin.draining.set(false);
    let sessions = state.metrics.sessions().total();
    operator.audit("undrain", "node", &format!("{sessions} sessions are left"));
    HttpResponse::Ok().json(json!({"draining": false, "sessions": sessions}))
}

/// `GET /admin/api/log-level`.
pub(super) async fn log_level(_: Operator, state: Data<AppState>) -> Result<HttpResponse, AdminError> {
    Ok(HttpResponse::Ok().json(json!({"level": log_of(&state)?.current()})))
}

/// `PUT /admin/api/log-level`: in force until the next one, a restart, or a reload of a configuration with another filter.
pub(super) async fn set_log_level(
    operator: Operator,
    request: HttpRequest,
    state: Data<AppState>,
    body: Payload,
) -> Result<HttpResponse, AdminError> {
    let LogBody { level } = read_body(&request, &state, body).await?;
    let log = log_of(&state)?;
    let before = log.current();
    let audit = || operator.audit("log-level", "node", &format!("from {before} to {level}"));
    log.replace(&level, audit).map_err(AdminError::invalid)?;
    Ok(HttpResponse::Ok().json(json!({"level": log.current()})))
}

fn log_of(state: &AppState) -> Result<&LogFilter, AdminError> {
    let none = || AdminError::Conflict("the log of this process is not the server's".to_owned());
    state.admin.log.as_ref().ok_or_else(none)
}
