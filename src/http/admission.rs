//! Whether a request for a session may have one: its origin, its address, a free seat.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, HeaderName, ORIGIN, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse};
use tracing::debug;

use super::AppState;
use super::rest::refused;
use crate::limits::{AtCapacity, SessionPermit};

/// Why there is no session, for now or for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UpgradeRefusal {
    /// A page of somebody else's asks.
    Origin,
    /// The service starts or stops.
    NotReady,
    /// All seats are taken, or all that this address may have.
    AtCapacity(AtCapacity),
}

/// After how many seconds somebody who found no seat may ask again.
const RETRY_SECONDS: u32 = 5;

impl UpgradeRefusal {
    /// The name in metrics and logs.
    const fn name(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::NotReady => "not_ready",
            Self::AtCapacity(AtCapacity::Sessions) => "sessions",
            Self::AtCapacity(AtCapacity::Address) => "address",
        }
    }

    /// For good is 403; for now is 503 and never a 4xx, after which the Go SDK would not come back.
    pub(super) fn answer(self) -> HttpResponse {
        match self {
            Self::Origin => refused(StatusCode::FORBIDDEN, "origin not allowed"),
            Self::NotReady => for_now("not ready"),
            Self::AtCapacity(_) => for_now("too many sessions"),
        }
    }
}

fn for_now(message: &'static str) -> HttpResponse {
    let mut answer = refused(StatusCode::SERVICE_UNAVAILABLE, message);
    answer.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS.into());
    answer
}

/// Lets a request in, or says why not.
pub(super) fn enter(request: &HttpRequest, house: &AppState) -> Result<SessionPermit, UpgradeRefusal> {
    let address = address_of(request, house);
    let text = |name: HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let admitted = if !house.origins.allows(text(ORIGIN), text(HOST)) {
        Err(UpgradeRefusal::Origin)
    } else if !house.readiness.is_ready() {
        Err(UpgradeRefusal::NotReady)
    } else {
        house.seats.acquire(address).map_err(UpgradeRefusal::AtCapacity)
    };
    if let Err(closed) = &admitted {
        debug!(%address, why = closed.name(), "upgrade refused");
        house.metrics.doors().upgrade_refused(closed.name());
    }
    admitted
}

/// Where a request comes from, as far as it can be believed.
pub(super) fn address_of(request: &HttpRequest, house: &AppState) -> IpAddr {
    const FORWARDED_FOR: &str = "x-forwarded-for";
    // Every connection over TCP has a peer.
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let values: Vec<_> = request.headers().get_all(FORWARDED_FOR).filter_map(|v| v.to_str().ok()).collect();
    house.proxies.client(peer, values.into_iter())
}
