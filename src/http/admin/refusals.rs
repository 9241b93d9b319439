//! What was refused to clients of late.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;

use super::super::query::QueryParams;
use super::super::state::AppState;
use super::access::Operator;
use super::error::AdminError;
use super::session_query::limit;
use crate::metrics::RecentRefusal;
use crate::wire::rfc3339;

/// Equal refusals within a minute.
#[derive(Debug, Serialize)]
struct RefusalView {
    time: String,
    kind: &'static str,
    reason: &'static str,
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Box<str>>,
    count: u64,
}

impl From<RecentRefusal> for RefusalView {
    fn from(refusal: RecentRefusal) -> Self {
        let RecentRefusal { kind, reason, address, key, last, count, .. } = refusal;
        Self {
            time: rfc3339(last.into()),
            kind: kind.name(),
            reason,
            address: address.to_canonical().to_string(),
            key,
            count,
        }
    }
}

/// `GET /admin/api/refusals`, the newest first.
pub(super) async fn list(
    _: Operator,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, AdminError> {
    let query = QueryParams::parse(request.query_string()).map_err(AdminError::invalid)?;
    query.check_names(&["limit"]).map_err(AdminError::invalid)?;
    let refusals = state.metrics.refusals().newest(limit(&query)?).into_iter().map(RefusalView::from);
    Ok(HttpResponse::Ok().json(json!({"refusals": refusals.collect::<Vec<_>>()})))
}
