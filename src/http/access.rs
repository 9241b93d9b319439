use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Instant;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::admission::{client_address, record, record_request};
use super::challenge::AuthChallenge;
use super::credentials::{CredentialsPlace, credentials_in};
use super::error::ApiError;
use super::query::QueryParams;
use super::state::AppState;
use crate::auth::{Denied, Grant, Key};
use crate::metrics::RefusalKind;
use crate::model::{Feed, Symbol};

/// What the client of a request may see: an extractor that refuses the request without a valid key, where
/// keys are required, and with a query that cannot be parsed.
#[derive(Debug)]
pub(super) struct AccessPermit {
    key: Option<Arc<Key>>,
    query: QueryParams,
}

impl FromRequest for AccessPermit {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let state = request.app_data::<Data<AppState>>().expect("`routes` adds the state to the application");
        let permit = authenticate(request, state);
        if let Err(refusal) = &permit {
            record_request(state, request, refusal.name(), None);
        }
        ready(permit)
    }
}

fn authenticate(request: &HttpRequest, state: &AppState) -> Result<AccessPermit, ApiError> {
    let query = QueryParams::parse(request.query_string())?;
    let Some(keys) = &state.keys else { return Ok(AccessPermit { key: None, query }) };
    let challenge = AuthChallenge::for_request(request.headers());
    let (credentials, place) = credentials_in(request, &query).ok_or(ApiError::NoKey(challenge))?;
    let from = client_address(request, state);
    let key = keys.authenticate(&credentials, from, Instant::now()).map_err(|denied| {
        let id = keys.has(&credentials.key).then_some(credentials.key.as_str());
        record(state, RefusalKind::Auth, denied.name(), from, id);
        match (denied, place) {
            (Denied::FailedAttempts, _) => ApiError::TooManyAttempts,
            (Denied::Wrong | Denied::Feed | Denied::Sessions, CredentialsPlace::Alpaca) => ApiError::WrongKey,
            (Denied::Wrong | Denied::Feed | Denied::Sessions, CredentialsPlace::Authorization) => {
                ApiError::WrongAuthorization(challenge)
            }
        }
    })?;
    Ok(AccessPermit { key: Some(key), query })
}

/// Whether the key allows the feed of this name. A feed that does not exist needs a key that allows all.
fn allows(key: &Key, feed: &str) -> bool {
    feed.parse().map_or(key.allows_all_feeds(), |feed| key.allows_feed(feed))
}

impl AccessPermit {
    /// The parameters of the request.
    pub(super) fn query(&self) -> &QueryParams {
        &self.query
    }

    /// The id of the key; `None` where no key is required.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.key.as_ref().map(|key| key.id())
    }

    /// Whether the key allows to control a replay; `None` where no key is required.
    pub(super) fn allows_control(&self) -> Option<bool> {
        self.key.as_ref().map(|key| key.allows_control())
    }

    /// Grants the key of the request a session; `None` where no key is required. A refusal is recorded.
    pub(super) fn grant_session(
        self,
        request: &HttpRequest,
        state: &AppState,
    ) -> Result<Option<Grant>, Denied> {
        let Some((key, keys)) = self.key.zip(state.keys.as_ref()) else { return Ok(None) };
        let granted = keys.grant_session(Arc::clone(&key));
        if let Err(denied) = &granted {
            let from = client_address(request, state);
            record(state, RefusalKind::Auth, denied.name(), from, Some(key.id()));
        }
        granted.map(Some)
    }

    /// Refuses market data of a feed that the key does not allow: the one that the request names, or this
    /// default.
    pub(super) fn check_feed(&self, default: Feed) -> Result<(), ApiError> {
        let feed = self.query.value("feed").unwrap_or(default.name());
        match self.key.as_ref().is_none_or(|key| allows(key, feed)) {
            true => Ok(()),
            false => Err(ApiError::NotEntitled(format!("feed {feed}"))),
        }
    }

    /// Refuses this feed if the key does not allow it.
    pub(super) fn check_feed_named(&self, feed: Feed) -> Result<(), ApiError> {
        match self.key.as_ref().is_none_or(|key| key.allows_feed(feed)) {
            true => Ok(()),
            false => Err(ApiError::NotEntitled(format!("feed {feed}"))),
        }
    }

    /// Refuses all symbols together if the key allows only some.
    pub(super) fn check_all_symbols(&self) -> Result<(), ApiError> {
        match self.key.as_ref().is_none_or(|key| key.allows_all_symbols()) {
            true => Ok(()),
            false => Err(ApiError::NotEntitled("*".to_owned())),
        }
    }

    /// The most names of a session of the key; `None` where no key is required.
    pub(super) fn max_symbols(&self) -> Option<usize> {
        self.key.as_ref().map(|key| key.max_symbols())
    }

    /// Refuses a symbol that the key does not allow.
    pub(super) fn check_symbol(&self, symbol: &Symbol) -> Result<(), ApiError> {
        match self.key.as_ref().is_none_or(|key| key.allows_symbol(symbol)) {
            true => Ok(()),
            false => Err(ApiError::NotEntitled(symbol.to_string())),
        }
    }
}
