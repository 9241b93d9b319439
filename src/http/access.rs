use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::{Either, LocalBoxFuture, Ready, ready};

use super::admission::{attempt_of, client_address, record, record_request};
use super::challenge::AuthChallenge;
use super::credentials::{CredentialsPlace, credentials_in};
use super::error::ApiError;
use super::held_turn::wait_without_turn;
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

/// What an extractor of requests with a permit waits for: nothing, or the keys of a token.
pub(in crate::http) type Permitted<T> =
    Either<Ready<Result<T, ApiError>>, LocalBoxFuture<'static, Result<T, ApiError>>>;

/// What `next` makes of what was extracted.
pub(in crate::http) fn and_then<T: 'static, U: 'static>(
    extracted: Permitted<T>,
    next: impl FnOnce(T) -> Result<U, ApiError> + 'static,
) -> Permitted<U> {
    match extracted {
        Either::Left(extracted) => Either::Left(ready(extracted.into_inner().and_then(next))),
        Either::Right(extracted) => Either::Right(Box::pin(async move { next(extracted.await?) })),
    }
}

impl FromRequest for AccessPermit {
    type Error = ApiError;
    type Future = Permitted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        match keys_of_token(request) {
            None => Either::Left(ready(permit_of(request))),
            Some(fetched) => {
                let request = request.clone();
                Either::Right(Box::pin(async move {
                    wait_without_turn(&request, fetched).await?;
                    permit_of(&request)
                }))
            }
        }
    }
}

fn state_of(request: &HttpRequest) -> &AppState {
    request.app_data::<Data<AppState>>().expect("`routes` adds the state to the application")
}

/// What to wait for before the credentials of this request are checked: the keys of tokens are fetched, because that of
/// its token is unknown.
pub(super) fn keys_of_token(request: &HttpRequest) -> Option<LocalBoxFuture<'static, ()>> {
    let state = state_of(request);
    let keys = state.keys.as_ref().filter(|keys| keys.fetches_keys())?;
    let query = QueryParams::parse(request.query_string()).ok()?;
    let (credentials, _) = credentials_in(request, &query)?;
    keys.fetch_for(&credentials, attempt_of(request, state))
}

fn permit_of(request: &HttpRequest) -> Result<AccessPermit, ApiError> {
    let state = state_of(request);
    let permit = authenticate(request, state);
    if let Err(refusal) = &permit {
        record_request(state, request, refusal.name(), None);
    }
    permit
}

fn authenticate(request: &HttpRequest, state: &AppState) -> Result<AccessPermit, ApiError> {
    let query = QueryParams::parse(request.query_string())?;
    let Some(keys) = &state.keys else { return Ok(AccessPermit { key: None, query }) };
    let challenge = AuthChallenge::for_request(request.headers());
    let (credentials, place) = credentials_in(request, &query).ok_or(ApiError::NoKey(challenge))?;
    let attempt = attempt_of(request, state);
    let key = keys.authenticate(&credentials, attempt).map_err(|denied| {
        let id = keys.known_id(&credentials);
        record(state, RefusalKind::Auth, denied.name(), attempt.from, id);
        match (denied, place) {
            (Denied::FailedAttempts, _) => ApiError::TooManyAttempts,
            (Denied::Expired, _) => ApiError::ExpiredToken,
            (Denied::Unavailable, _) => ApiError::NoTokenKeys,
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

    /// Refuses a topic, `NAMESPACE:*` or `*` that the key's token does not include.
    pub(super) fn check_topic(&self, name: &str) -> Result<(), ApiError> {
        let is_allowed = self.key.as_ref().is_none_or(|key| match name {
            "*" => key.topics().allow_all_subscriptions(),
            name => key.topics().allow_subscription(name),
        });
        if is_allowed { Ok(()) } else { Err(ApiError::NotEntitled(name.to_owned())) }
    }

    /// Whether the key's token includes publishing to this topic; `None` if it says nothing.
    pub(super) fn publishing(&self, name: &str) -> Option<bool> {
        self.key.as_ref().and_then(|key| key.topics().publishing(name))
    }

    /// Refuses a symbol that the key does not allow.
    pub(super) fn check_symbol(&self, symbol: &Symbol) -> Result<(), ApiError> {
        match self.key.as_ref().is_none_or(|key| key.allows_symbol(symbol)) {
            true => Ok(()),
            false => Err(ApiError::NotEntitled(symbol.to_string())),
        }
    }
}
