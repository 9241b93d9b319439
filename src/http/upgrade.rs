use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_web::http::header::{
    CONTENT_TYPE, HeaderMap, HeaderValue, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, USER_AGENT,
};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, Responder, ResponseError};
use tracing::{debug, debug_span};

use super::access::{AccessPermit, keys_of_token};
use super::admission::{admit, client_address, record, record_request, sender_location, unavailable};
use super::client_names::shared_name;
use super::credentials::credentials_of;
use super::error::{ApiError, no_such_path};
use super::feeds::ServedFeed;
use super::handshake::{self, HandshakeError};
use super::middleware::is_tls;
use super::query::QueryParams;
use super::state::{AppState, EchoMode, hub_of};
use crate::auth::{AuthAttempt, Credentials, Denied, KeyStore};
use crate::clock::wall_clock;
use crate::hub::ClientFacts;
use crate::metrics::{Refusal, RefusalKind};
use crate::model::Feed;
use crate::session::{self, AlertAccess, Authenticator, EchoParams, PendingSession, SessionParams};
use crate::source::SymbolDemand;
use crate::wire::{Codec, Deflate, NegotiatedDeflate};

/// `GET /v2/{feed}`: opens a session of the stream.
pub(super) async fn feed(feed: Path<String>, request: HttpRequest, state: Data<AppState>) -> impl Responder {
    if let Some(fetched) = keys_of_token(&request) {
        fetched.await;
    }
    match state.feeds.at_path(&feed) {
        Some(named) => open(&request, &state, |_| Ok(named)),
        None => no_such_path(),
    }
}

/// `GET /websocket/connect?userId=3`: opens a session of the stream by the path of the tutorial. Of several feeds the
/// parameter `feed` chooses one.
pub(super) async fn connect(request: HttpRequest, state: Data<AppState>) -> impl Responder {
    if let Some(fetched) = keys_of_token(&request) {
        fetched.await;
    }
    open(&request, &state, |query| {
        let served = state.feeds.requested(query.value("feed"))?;
        Ok((served.name, served))
    })
}

/// `GET /echo`: opens a session that returns each message unchanged. It counts as a session, also of the key
/// where keys are required.
pub(super) async fn echo(
    permit: AccessPermit,
    request: HttpRequest,
    state: Data<AppState>,
) -> impl Responder {
    let limits = match state.echo {
        EchoMode::Off => return no_such_path(),
        EchoMode::On => state.limits,
        EchoMode::Conformance => state.limits.for_conformance(),
    };
    let Ok(grant) = permit.grant_session(&request, &state) else {
        return unavailable("too many sessions of this key");
    };
    let feed = state.feeds.first_ready();
    upgrade(&request, &state, feed, |response| {
        let deflate = negotiate(&request, response);
        let client = client_facts(&request, &state);
        session::open_echo(EchoParams { hub: hub_of(&request, feed), client, deflate, limits, grant })
    })
}

/// Opens a session on the feed that `choose` finds, under the name that it gives.
fn open<'a>(
    request: &HttpRequest,
    state: &AppState,
    choose: impl FnOnce(&QueryParams) -> Result<(Feed, &'a Arc<ServedFeed>), ApiError>,
) -> HttpResponse {
    let query = QueryParams::parse(request.query_string());
    let ((feed, served), query) = match query.and_then(|query| Ok((choose(&query)?, query))) {
        Ok(chosen) => chosen,
        Err(error) => {
            record_request(state, request, error.name(), None);
            return error.error_response();
        }
    };
    let codec = codec(request.headers(), query.value("codec"));
    upgrade(request, state, served, |response| {
        // Clients that use MessagePack are bots, which need low latency. Python's client creates an inflater
        // for each message, and falls behind by more than a second at 10,000 trades per second.
        let deflate = match codec {
            Codec::Json => negotiate(request, response),
            Codec::MsgPack => None,
        };
        let authenticator = state.keys.as_ref().map(|keys| authenticator(request, state, keys, feed));
        let params = session_params(request, state, served, &query, authenticator);
        session::open(SessionParams { codec, deflate, ..params })
    })
}

/// What a session of JSON without compression is opened with, for this request.
pub(super) fn session_params(
    request: &HttpRequest,
    state: &AppState,
    served: &ServedFeed,
    query: &QueryParams,
    authenticator: Option<Authenticator>,
) -> SessionParams {
    let archive = Arc::clone(&served.archive);
    let label = query.value("userId").map(sanitized);
    SessionParams {
        hub: hub_of(request, served),
        client: client_facts(request, state),
        limits: state.limits,
        outbox: state.outbox,
        epoch: served.epoch,
        progress: served.progress.clone(),
        replay: Rc::new(move |stream, after, up_to, most| archive.replay(stream, after, up_to, most)),
        deflate: None,
        codec: Codec::Json,
        interest: served.demand.as_ref().map(SymbolDemand::interest),
        alerts: AlertAccess { quota: state.alerts.clone(), rules: served.archive.rules().clone() },
        alert_interest: served.demand.as_ref().map(SymbolDemand::interest),
        topics: served.topics.as_ref().map(|topics| topics.access(sender_location(request))),
        line_faults: state.faults.as_ref().and_then(|faults| faults.line_plan(label.clone())),
        label,
        authenticator,
        credentials: credentials_of(request, query),
    }
}

/// What the request tells of its client.
fn client_facts(request: &HttpRequest, state: &AppState) -> ClientFacts {
    /// Browsers say some 120 characters.
    const MAX_LEN: usize = 200;
    let user_agent = request.headers().get(USER_AGENT).map(|name| String::from_utf8_lossy(name.as_bytes()));
    ClientFacts {
        address: client_address(request, state),
        user_agent: user_agent.map(|name| shared_name(&printable(&name, MAX_LEN))),
        is_tls: is_tls(request),
    }
}

/// Answers a handshake. If the request is admitted, the response carries the session, which
/// [`hand_over`](super::hand_over) starts.
fn upgrade(
    request: &HttpRequest,
    state: &AppState,
    feed: &ServedFeed,
    open: impl FnOnce(&mut HttpResponseBuilder) -> PendingSession,
) -> HttpResponse {
    let mut response = match handshake::accept(request) {
        Ok(response) => response,
        Err(error) => {
            if error != HandshakeError::NoUpgrade {
                let from = client_address(request, state);
                record(state, RefusalKind::Upgrade, "handshake", from, None);
            }
            return error.response(request.path());
        }
    };
    if let Some(protocol) = sub_protocol(request.headers()) {
        response.insert_header((SEC_WEBSOCKET_PROTOCOL, protocol));
    }
    let permit = match admit(request, state, feed) {
        Ok(permit) => permit,
        Err(refusal) => return refusal.response(),
    };
    let session = open(&mut response).holding(permit);
    let mut response = response.finish();
    response.extensions_mut().insert(session);
    response
}

/// Negotiates compression: answers the client's offers, and returns what was agreed.
fn negotiate(request: &HttpRequest, response: &mut HttpResponseBuilder) -> Option<Deflate> {
    let offers = request.headers().get_all(SEC_WEBSOCKET_EXTENSIONS);
    let agreed = NegotiatedDeflate::from_offers(offers.filter_map(|line| line.to_str().ok()))?;
    response.insert_header((SEC_WEBSOCKET_EXTENSIONS, agreed.answer()));
    Some(agreed.deflate())
}

/// The sub-protocol to answer: the first that the client offers. We have none, but browsers fail a connection
/// whose offer is not answered (WebSockets Standard, section 4.1).
fn sub_protocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).filter_map(|line| line.to_str().ok());
    let offered = lines.flat_map(|line| line.split(',')).map(str::trim).find(|name| !name.is_empty())?;
    HeaderValue::from_str(offered).ok()
}

/// The codec by the request's content type, whatever its parameters, or by the parameter `codec`; JSON by
/// default.
fn codec(headers: &HeaderMap, parameter: Option<&str>) -> Codec {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    match essence.eq_ignore_ascii_case(b"application/msgpack") || parameter == Some("msgpack") {
        true => Codec::MsgPack,
        false => Codec::Json,
    }
}

/// Checks credentials for the session of this request. Results are logged, refusals recorded.
fn authenticator(request: &HttpRequest, state: &AppState, keys: &Arc<KeyStore>, feed: Feed) -> Authenticator {
    let from = client_address(request, state);
    let attempt = move || AuthAttempt { from, now: Instant::now(), wall: wall_clock() };
    let (refusals, store) = (state.metrics.refusals().clone(), Arc::clone(keys));
    let refused = move |credentials: &Credentials, denied: Denied| {
        let (kind, reason) = (RefusalKind::Auth, denied.name());
        refusals.record(Refusal { kind, reason, address: from, key: store.known_id(credentials) });
        denied
    };
    let (store, refuse) = (Arc::clone(keys), refused.clone());
    let authenticator = Authenticator::new(move |credentials| {
        let _span = debug_span!(target: "tapecast::trace", "auth", client.address = %from).entered();
        let granted = store.grant(credentials, feed, attempt());
        let grant = granted.map_err(|denied| refuse(credentials, denied))?;
        debug!(address = %from, key = grant.key().id(), "key accepted");
        Ok(grant)
    });
    if !keys.accepts_tokens() {
        return authenticator;
    }
    let (store, fetching) = (Arc::clone(keys), Arc::clone(keys));
    authenticator.with_tokens(
        move |credentials| {
            let _span = debug_span!(target: "tapecast::trace", "auth", client.address = %from).entered();
            let key = store.authenticate_for(credentials, feed, attempt());
            let key = key.map_err(|denied| refused(credentials, denied))?;
            debug!(address = %from, key = key.id(), "token renewed");
            Ok(key)
        },
        move |credentials| fetching.fetch_for(credentials, attempt()),
    )
}

/// A client's label in a form that is safe in logs: at most 64 characters, and no control characters.
fn sanitized(label: &str) -> String {
    const MAX_LEN: usize = 64;
    printable(label, MAX_LEN)
}

fn printable(text: &str, max_len: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(max_len).collect()
}
