//! The sessions of the node.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use super::super::query::QueryParams;
use super::super::state::AppState;
use super::access::{Operator, read_body};
use super::error::AdminError;
use super::session_query;
use super::session_view::{SessionDetailView, SessionList, SessionView};
use crate::hub::SessionId;

/// The longest reason for the end of a session that is logged, in characters.
const MAX_REASON_LEN: usize = 200;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MuteBody {
    muted: Option<bool>,
}

fn parse_id(text: &str) -> Result<SessionId, AdminError> {
    text.parse().map_err(AdminError::invalid)
}

fn missing(id: SessionId) -> AdminError {
    AdminError::Missing(format!("there is no session {id}: it has ended, or never was"))
}

/// `GET /admin/api/sessions`.
pub(super) async fn list(
    _: Operator,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, AdminError> {
    let query = session_query::read(request.query_string())?;
    Ok(HttpResponse::Ok().json(SessionList::from(state.admin.hubs.survey(query).await)))
}

/// `GET /admin/api/sessions/{id}`.
pub(super) async fn describe(
    _: Operator,
    id: Path<String>,
    state: Data<AppState>,
) -> Result<HttpResponse, AdminError> {
    let id = parse_id(&id)?;
    let described = state.admin.hubs.describe(id).await.ok_or_else(|| missing(id))?;
    Ok(HttpResponse::Ok().json(SessionDetailView::new(described, state.outbox)))
}

/// `DELETE /admin/api/sessions/{id}?reason=…`: the reason is for the log; the client gets the close "disconnected by an
/// operator".
pub(super) async fn disconnect(
    operator: Operator,
    id: Path<String>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, AdminError> {
    let id = parse_id(&id)?;
    let query = QueryParams::parse(request.query_string()).map_err(AdminError::invalid)?;
    query.check_names(&["reason"]).map_err(AdminError::invalid)?;
    let reason: String = query.value("reason").unwrap_or_default().chars().take(MAX_REASON_LEN).collect();
    let row = state.admin.hubs.disconnect(id).await.ok_or_else(|| missing(id))?;
    let key = row.key.map(|key| format!(", key {key}")).unwrap_or_default();
    let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
    operator.audit("disconnect", &id.to_string(), &format!("address {}{key}{reason}", row.address));
    Ok(HttpResponse::NoContent().finish())
}

/// `PUT /admin/api/sessions/{id}/muted`: a muted session may not publish to topics.
pub(super) async fn mute(
    operator: Operator,
    id: Path<String>,
    request: HttpRequest,
    state: Data<AppState>,
    body: Payload,
) -> Result<HttpResponse, AdminError> {
    let id = parse_id(&id)?;
    let MuteBody { muted } = read_body(&request, &state, body).await?;
    let muted = muted.ok_or_else(|| AdminError::invalid("the body: expected {\"muted\": true or false}"))?;
    let row = state.admin.hubs.set_muted(id, muted).await.ok_or_else(|| missing(id))?;
    operator.audit(
        if muted { "mute" } else { "unmute" },
        &id.to_string(),
        &format!("address {}", row.address),
    );
    Ok(HttpResponse::Ok().json(SessionView::from(row)))
}
