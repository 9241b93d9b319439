use std::future::{Ready, ready};
use std::net::IpAddr;
use std::time::Instant;

use actix_web::dev::Payload as RequestPayload;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, ORIGIN};
use actix_web::web::{Data, Payload};
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use tracing::info;

use super::super::admission::{check_own_page, client_address, record, sender_location};
use super::super::body;
use super::super::state::AppState;
use super::error::AdminError;
use super::paths::MAX_BODY_BYTES;
use crate::auth::{AdminIdentity, AdminRequest, ClientLocation, names_loopback};
use crate::metrics::RefusalKind;

/// An administrator: an extractor that refuses all others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operator {
    address: IpAddr,
    identity: AdminIdentity,
}

impl FromRequest for Operator {
    type Error = AdminError;
    type Future = Ready<Result<Self, AdminError>>;

    fn from_request(request: &HttpRequest, _: &mut RequestPayload) -> Self::Future {
        let state = request.app_data::<Data<AppState>>().expect("`routes` adds the state to the application");
        let address = client_address(request, state);
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let has_origin = request.headers().contains_key(ORIGIN);
        let sent = AdminRequest {
            address,
            token: header(AUTHORIZATION).and_then(bearer),
            names_loopback: header(HOST).is_some_and(names_loopback),
            is_of_other_origin: has_origin && check_own_page(request, state).is_err(),
            is_direct: sender_location(request) == ClientLocation::ThisMachine,
        };
        ready(match state.admin.gate.admit(sent, Instant::now()) {
            Ok(identity) => Ok(Self { address, identity }),
            Err(refusal) => {
                record(state, RefusalKind::Request, refusal.name(), address, None);
                Err(AdminError::Refused(refusal))
            }
        })
    }
}

/// The token of a header `Authorization: Bearer TOKEN`.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl Operator {
    /// Logs a change that the operator made: what, to what, and how.
    pub(super) fn audit(self, action: &'static str, object: &str, detail: &str) {
        let (address, by) = (self.address, self.identity.name());
        let detail = Some(detail).filter(|detail| !detail.is_empty());
        info!(target: "audit", %address, by, action, object, detail, "administrative change");
    }
}

/// Reads a body of JSON; one that is empty gives the default.
pub(super) async fn read_body<T: DeserializeOwned + Default>(
    request: &HttpRequest,
    state: &AppState,
    body: Payload,
) -> Result<T, AdminError> {
    let body = body::read_body(request, state, body, MAX_BODY_BYTES).await.map_err(AdminError::from)?;
    if body.is_empty() {
        return Ok(T::default());
    }
    let content_type = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if !essence.eq_ignore_ascii_case(b"application/json") {
        return Err(AdminError::invalid("a body needs `Content-Type: application/json`"));
    }
    // A list would be taken for the fields in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(AdminError::invalid("the body: expected an object"));
    }
    serde_json::from_slice(&body).map_err(|error| AdminError::invalid(format!("the body: {error}")))
}
