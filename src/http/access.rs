use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Instant;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::admission::client_address;
use super::credentials::credentials_of;
use super::error::ApiError;
use super::query::QueryParams;
use super::state::AppState;
use crate::auth::{Denied, Key, Revocation};
use crate::model::Symbol;

/// What the client of a request may see: an extractor that refuses the request without a valid key, where
/// keys are required.
#[derive(Debug)]
pub(super) struct AccessPermit(Option<Arc<Key>>);

impl FromRequest for AccessPermit {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let state = request.app_data::<Data<AppState>>().expect("`routes` adds the state to the application");
        let permit = authenticate(request, state);
        if let Err(refusal) = &permit {
            state.metrics.http().request_refused(refusal.name());
        }
        ready(permit)
    }
}

fn authenticate(request: &HttpRequest, state: &AppState) -> Result<AccessPermit, ApiError> {
    let Some(keys) = &state.keys else { return Ok(AccessPermit(None)) };
    let credentials = credentials_of(request).ok_or(ApiError::NoKey)?;
    let from = client_address(request, state);
    let key = keys.authenticate(&credentials, from, Instant::now()).map_err(|denied| {
        state.metrics.http().auth_refused(denied.name());
        match denied {
            Denied::FailedAttempts => ApiError::TooManyAttempts,
            Denied::Wrong | Denied::Feed | Denied::Sessions => ApiError::WrongKey,
        }
    })?;
    match QueryParams::parse(request.query_string())?.value("feed") {
        Some(feed) if !allows(&key, feed) => Err(ApiError::NotEntitled(format!("feed {feed}"))),
        _ => Ok(AccessPermit(Some(key))),
    }
}

/// Whether the key allows the feed of this name. A feed that does not exist needs a key that allows all.
fn allows(key: &Key, feed: &str) -> bool {
    feed.parse().map_or(key.allows_all_feeds(), |feed| key.allows_feed(feed))
}

impl AccessPermit {
    /// Tells when the key of the request is revoked; `None` where no key is required.
    pub(super) fn revocation(&self) -> Option<Revocation> {
        self.0.as_ref().map(|key| key.revocation())
    }

    /// Refuses a symbol that the key does not allow.
    pub(super) fn check(&self, symbol: &Symbol) -> Result<(), ApiError> {
        match self.0.as_ref().is_none_or(|key| key.allows_symbol(symbol)) {
            true => Ok(()),
            false => Err(ApiError::NotEntitled(symbol.to_string())),
        }
    }
}
