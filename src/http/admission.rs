//! Decides whether a request may open a session: by its origin, readiness and capacity.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::http::StatusCode;
use actix_web::http::header::{
    FORWARDED, HOST, HeaderName, HeaderValue, ORIGIN, RETRY_AFTER, X_FORWARDED_FOR,
};
use actix_web::{HttpRequest, HttpResponse};
use tracing::debug;

use super::feeds::ServedFeed;
use super::response;
use super::state::AppState;
use crate::auth::{ClientLocation, ForwardingHeaders, OriginRefusal};
use crate::limits::{AtCapacity, SessionPermit};

/// Why an upgrade is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UpgradeRefusal {
    /// The page may not open sessions.
    Page(OriginRefusal),
    /// The service starts or stops.
    NotReady,
    /// The server or the address has its maximum of sessions.
    AtCapacity(AtCapacity),
}

/// The value of `Retry-After` for refusals that are temporary.
const RETRY_SECONDS: u32 = 5;

impl UpgradeRefusal {
    /// The name in metrics and logs.
    const fn name(self) -> &'static str {
        match self {
            Self::Page(OriginRefusal::Origin) => "origin",
            Self::Page(OriginRefusal::Host) => "host",
            Self::NotReady => "not_ready",
            Self::AtCapacity(AtCapacity::Sessions) => "sessions",
            Self::AtCapacity(AtCapacity::Address) => "address",
        }
    }

    /// The response: 403 if permanent; 503 if temporary, because Alpaca's Go SDK does not reconnect after
    /// any 4xx.
    pub(super) fn response(self) -> HttpResponse {
        match self {
            Self::Page(OriginRefusal::Origin) => response::error(StatusCode::FORBIDDEN, "origin not allowed"),
            Self::Page(OriginRefusal::Host) => response::error(
                StatusCode::FORBIDDEN,
                "this server does not have the host name of the request: --public-host names it",
            ),
            Self::NotReady => unavailable("not ready"),
            Self::AtCapacity(_) => unavailable("too many sessions"),
        }
    }
}

/// A response with status 503 and the advice to retry.
pub(super) fn unavailable(message: &'static str) -> HttpResponse {
    let mut answer = response::error(StatusCode::SERVICE_UNAVAILABLE, message);
    answer.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS.into());
    answer
}

/// Admits a request for a session on this feed. Refusals are counted and logged.
pub(super) fn admit(
    request: &HttpRequest,
    state: &AppState,
    feed: &ServedFeed,
) -> Result<SessionPermit, UpgradeRefusal> {
    let address = client_address(request, state);
    let header = |name: HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let location = client_location(request, state);
    let page = state.origins.check(header(ORIGIN), header(HOST), &state.hosts, location);
    let admitted = if let Err(refusal) = page {
        Err(UpgradeRefusal::Page(refusal))
    } else if !feed.readiness.is_ready() {
        Err(UpgradeRefusal::NotReady)
    } else {
        state.capacity.acquire(address).map_err(UpgradeRefusal::AtCapacity)
    };
    if let Err(refusal) = &admitted {
        debug!(%address, why = refusal.name(), "upgrade refused");
        state.metrics.http().upgrade_refused(refusal.name());
    }
    admitted
}

/// The client's address: the peer's, or what trusted proxies report.
pub(super) fn client_address(request: &HttpRequest, state: &AppState) -> IpAddr {
    state.proxies.client(peer(request), &forwarding_headers(request))
}

/// Whether the client is on this machine.
pub(super) fn client_location(request: &HttpRequest, state: &AppState) -> ClientLocation {
    state.proxies.location(peer(request), &forwarding_headers(request))
}

fn peer(request: &HttpRequest) -> IpAddr {
    // Every TCP connection has a peer address; only tests have none.
    request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip())
}

fn forwarding_headers(request: &HttpRequest) -> ForwardingHeaders<'_> {
    let lines = |name: HeaderName| request.headers().get_all(name).map(HeaderValue::as_bytes).collect();
    ForwardingHeaders { forwarded_for: lines(X_FORWARDED_FOR), forwarded: lines(FORWARDED) }
}
