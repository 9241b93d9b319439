use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Instant;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::ask::Ask;
use super::refusal::Refusal;
use crate::gate::{Denied, Key, Revocation};
use crate::http::House;
use crate::http::credentials::shown;
use crate::http::entrance::address_of;
use crate::model::Symbol;

/// What who asks may see. A handler that takes one answers nobody without a good key, where keys are
/// demanded.
#[derive(Debug)]
pub(in crate::http) struct Permit(Option<Arc<Key>>);

impl FromRequest for Permit {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let house = request.app_data::<Data<House>>().expect("`doors` put the house into the application");
        let permit = permit(request, house);
        if let Err(refusal) = &permit {
            house.metrics.doors().request_refused(refusal.name());
        }
        ready(permit)
    }
}

fn permit(request: &HttpRequest, house: &House) -> Result<Permit, Refusal> {
    let Some(keyring) = &house.keyring else { return Ok(Permit(None)) };
    let shown = shown(request).ok_or(Refusal::NoKey)?;
    let key = keyring.key(&shown, address_of(request, house), Instant::now()).map_err(|denied| {
        house.metrics.doors().auth_refused(denied.name());
        match denied {
            Denied::Attempts => Refusal::TooManyAttempts,
            Denied::Wrong | Denied::Feed | Denied::Sessions => Refusal::WrongKey,
        }
    })?;
    let ask = Ask::of(request.query_string())?;
    match ask.value("feed") {
        Some(feed) if !key.opens(feed) => Err(Refusal::NotEntitled(format!("feed {feed}"))),
        _ => Ok(Permit(Some(key))),
    }
}

impl Permit {
    /// What tells when the key is taken back, where one was shown.
    pub(in crate::http) fn revocation(&self) -> Option<Revocation> {
        self.0.as_ref().map(|key| key.revocation())
    }

    /// Says no where the key does not show this symbol.
    pub(super) fn check(&self, symbol: &Symbol) -> Result<(), Refusal> {
        match self.0.as_ref().is_none_or(|key| key.shows(symbol)) {
            true => Ok(()),
            false => Err(Refusal::NotEntitled(symbol.to_string())),
        }
    }
}
