//! Decides whether a request may open a session: by its origin, readiness and capacity.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    FORWARDED, HOST, HeaderName, HeaderValue, ORIGIN, RETRY_AFTER, VIA, X_FORWARDED_FOR, X_FORWARDED_HOST,
    X_FORWARDED_PROTO,
};
use actix_web::{HttpRequest, HttpResponse};

use super::feeds::ServedFeed;
use super::response;
use super::state::AppState;
use crate::auth::{
    AllowedOrigins, AuthAttempt, ClientLocation, ForwardingHeaders, ForwardingTrace, OriginRefusal,
};
use crate::clock::wall_clock;
use crate::limits::{AtCapacity, SessionPermit};
use crate::metrics::{Refusal, RefusalKind};

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

/// Headers that proxies add beside those that report the client.
const TRACES: [HeaderName; 8] = [
    VIA,
    X_FORWARDED_HOST,
    X_FORWARDED_PROTO,
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-server"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-client-ip"),
    HeaderName::from_static("true-client-ip"),
];

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
    let admitted = if let Err(refusal) = check_page(request, state, &state.origins) {
        Err(UpgradeRefusal::Page(refusal))
    } else if !feed.readiness.is_ready() {
        Err(UpgradeRefusal::NotReady)
    } else {
        state.capacity.acquire(address).map_err(UpgradeRefusal::AtCapacity)
    };
    if let Err(refusal) = &admitted {
        record(state, RefusalKind::Upgrade, refusal.name(), address, None);
    }
    admitted
}

/// Records a refusal.
pub(super) fn record(
    state: &AppState,
    kind: RefusalKind,
    reason: &'static str,
    address: IpAddr,
    key: Option<&str>,
) {
    state.metrics.refusals().record(Refusal { kind, reason, address, key });
}

/// Records the refusal of a request.
pub(super) fn record_request(
    state: &AppState,
    request: &HttpRequest,
    reason: &'static str,
    key: Option<&str>,
) {
    record(state, RefusalKind::Request, reason, client_address(request, state), key);
}

/// Refuses a page of an origin that is not among these.
pub(super) fn check_page(
    request: &HttpRequest,
    state: &AppState,
    origins: &AllowedOrigins,
) -> Result<(), OriginRefusal> {
    let header = |name: HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let reachability = state.reachability.current();
    let location = reachability.proxies.location(peer(request), &forwarding_headers(request));
    origins.check(header(ORIGIN), header(HOST), &reachability.hosts, location)
}

/// Refuses a page that is not the server's own, for what changes something: a browser sends a page's POST anywhere,
/// whatever pages may read.
pub(super) fn check_own_page(request: &HttpRequest, state: &AppState) -> Result<(), OriginRefusal> {
    check_page(request, state, &AllowedOrigins::Own(Vec::new()))
}

/// From where and when the credentials of a request come.
pub(super) fn attempt_of(request: &HttpRequest, state: &AppState) -> AuthAttempt {
    AuthAttempt { from: client_address(request, state), now: Instant::now(), wall: wall_clock() }
}

/// The client's address: the peer's, or what trusted proxies report.
pub(super) fn client_address(request: &HttpRequest, state: &AppState) -> IpAddr {
    state.reachability.current().proxies.client(peer(request), &forwarding_headers(request))
}

/// Where the sender is, for what this machine alone may do: a request that any proxy forwarded is from elsewhere.
pub(super) fn sender_location(request: &HttpRequest) -> ClientLocation {
    forwarding_headers(request).sender_location(peer(request))
}

fn peer(request: &HttpRequest) -> IpAddr {
    // Every TCP connection has a peer address; only tests have none.
    request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip())
}

fn forwarding_headers(request: &HttpRequest) -> ForwardingHeaders<'_> {
    let lines = |name: HeaderName| request.headers().get_all(name).map(HeaderValue::as_bytes).collect();
    let is_traced = TRACES.iter().any(|name| request.headers().contains_key(name));
    let others = if is_traced { ForwardingTrace::Present } else { ForwardingTrace::Absent };
    ForwardingHeaders { forwarded_for: lines(X_FORWARDED_FOR), forwarded: lines(FORWARDED), others }
}
