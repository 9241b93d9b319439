//! Server-sent events (WHATWG HTML, section 9.2): a session over an HTTP response, for clients behind proxies that cut
//! WebSockets, and for `curl -N`.
//!
//! ```text
//! query, Last-Event-ID ──▶ StreamQuery ──command──▶ session ──frames──▶ EventTransport ──events──▶ EventBody ──▶ HTTP
//! ```
//! The session is that of a WebSocket, with the same outbox, limits and conflation. Its one command comes from the query,
//! and its frames become events.

mod conversion;
mod pipe;
mod positions;
mod subscription;

use std::cell::Cell;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use actix_web::http::{StatusCode, Version};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError, rt};
use bytes::Bytes;

use self::conversion::{EventConversion, push_reset, push_retry};
use self::pipe::{NO_MASK, event_pipe};
use self::positions::NO_POSITIONS;
use self::subscription::{Beginning, LastPosition, StreamQuery};
use super::access::AccessPermit;
use super::admission::{admit, record_request, unavailable};
use super::error::no_such_path;
use super::state::{AppState, hub_of};
use super::{handshake, methods, middleware, response, upgrade};
use crate::auth::{Denied, Grant};
use crate::session::{self, Authenticator};
use crate::wire::{Opcode, masked_frame};

/// The header by which a browser tells the last id that it received.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The delay before a client connects again after its connection broke, in milliseconds: each client draws another, so
/// that not all return at once.
const RECONNECT_MS: std::ops::RangeInclusive<u64> = 1_000..=3_000;

/// `GET /v2/{feed}/events`: opens an event stream.
pub(super) async fn events(
    permit: AccessPermit,
    feed: Path<String>,
    request: HttpRequest,
    state: Data<AppState>,
) -> HttpResponse {
    let Some((name, served)) = state.feeds.at_path(&feed) else { return no_such_path() };
    if handshake::is_upgrade(&request) {
        let message = "this is the address of an event stream: its request has no upgrade";
        return response::error(StatusCode::BAD_REQUEST, message);
    }
    let hub = hub_of(&request, served);
    let query = StreamQuery::read(permit.query(), &hub.universe()).and_then(|query| {
        permit.check_feed_named(name)?;
        query.check(&permit, state.limits.symbols)?;
        Ok(query)
    });
    let query = match query {
        Ok(query) => query,
        Err(refusal) => {
            record_request(&state, &request, refusal.name(), permit.key_id());
            return refusal.error_response();
        }
    };
    let id = request.headers().get(LAST_EVENT_ID).map(|id| id.to_str().unwrap_or(NO_POSITIONS).to_owned());
    let last = LastPosition::of_id(id.as_deref().or(permit.query().value("last_event_id")));
    let parameters = permit.query().clone();
    let Ok(grant) = permit.grant_session(&request, &state) else {
        return unavailable("too many sessions of this key");
    };
    let session_permit = match admit(&request, &state, served) {
        Ok(permit) => permit,
        Err(refusal) => return refusal.response(),
    };
    if methods::is_head(&request) {
        return head().finish();
    }
    let epoch = hub.epoch().unwrap_or(served.epoch);
    let Beginning { command, positions, is_reset } = query.begin(&last, &hub, epoch);
    let mut first = Vec::new();
    push_retry(rand::random_range(RECONNECT_MS), &mut first);
    first.extend_from_slice(b"\n");
    if is_reset {
        push_reset(&mut first);
    }
    let (transport, body) = event_pipe(EventConversion::new(epoch, positions), first);
    let authenticator = grant.map(authenticator);
    let params = upgrade::session_params(&request, &state, served, &parameters, authenticator);
    let session = session::open(params).holding(session_permit);
    let command = masked_frame(Opcode::Text, command.to_string().as_bytes(), NO_MASK);
    rt::spawn(session.run(Box::new(transport), Bytes::new(), command));
    middleware::begin_stream(&request);
    let mut response = head().body(body);
    // HTTP/1.0 has no chunks (RFC 9112 section 6.1): the response ends with its connection.
    response.head_mut().no_chunking(request.version() < Version::HTTP_11);
    response
}

/// The head of the response. Its connection ends with it, because it no longer counts as one without a session.
fn head() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // nginx passes each event on at once.
        .insert_header(("x-accel-buffering", "no"))
        .force_close();
    response
}

/// An authenticator that gives the session what its request was granted.
fn authenticator(grant: Grant) -> Authenticator {
    let grant = Cell::new(Some(grant));
    Authenticator::new(move |_| grant.take().ok_or(Denied::Wrong))
}
