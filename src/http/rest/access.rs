use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Instant;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::error::RestError;
use super::params::QueryParams;
use crate::auth::{Denied, Key, Revocation};
use crate::http::AppState;
use crate::http::admission::address_of;
use crate::http::credentials::shown;
use crate::model::Symbol;

/// What who asks may see. A handler that takes one answers nobody without a good key, where keys are
/// demanded.
#[derive(Debug)]
pub(in crate::http) struct AccessPermit(Option<Arc<Key>>);

impl FromRequest for AccessPermit {
    type Error = RestError;
    type Future = Ready<Result<Self, RestError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let house = request.app_data::<Data<AppState>>().expect("`doors` put the house into the application");
        let permit = permit(request, house);
        if let Err(refusal) = &permit {
            house.metrics.doors().request_refused(refusal.name());
        }
        ready(permit)
    }
}

fn permit(request: &HttpRequest, house: &AppState) -> Result<AccessPermit, RestError> {
    let Some(keyring) = &house.keyring else { return Ok(AccessPermit(None)) };
    let shown = shown(request).ok_or(RestError::NoKey)?;
    let key = keyring.authenticate(&shown, address_of(request, house), Instant::now()).map_err(|denied| {
        house.metrics.doors().auth_refused(denied.name());
        match denied {
            Denied::FailedAttempts => RestError::TooManyAttempts,
            Denied::Wrong | Denied::Feed | Denied::Sessions => RestError::WrongKey,
        }
    })?;
    let ask = QueryParams::of(request.query_string())?;
    match ask.value("feed") {
        Some(feed) if !is_allowed(&key, feed) => Err(RestError::NotEntitled(format!("feed {feed}"))),
        _ => Ok(AccessPermit(Some(key))),
    }
}

/// Whether the key allows the feed of this name; a feed that we do not have needs a key without a limit.
fn is_allowed(key: &Key, feed: &str) -> bool {
    feed.parse().map_or(key.allows_all_feeds(), |feed| key.allows_feed(feed))
}

impl AccessPermit {
    /// What tells when the key is taken back, where one was shown.
    pub(in crate::http) fn revocation(&self) -> Option<Revocation> {
        self.0.as_ref().map(|key| key.revocation())
    }

    /// Says no where the key does not show this symbol.
    pub(super) fn check(&self, symbol: &Symbol) -> Result<(), RestError> {
        match self.0.as_ref().is_none_or(|key| key.allows_symbol(symbol)) {
            true => Ok(()),
            false => Err(RestError::NotEntitled(symbol.to_string())),
        }
    }
}
