use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_web::http::header::{CONTENT_TYPE, HeaderMap, SEC_WEBSOCKET_EXTENSIONS};
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, Responder};
use actix_web_actors::ws;
use serde::Deserialize;
use tracing::debug;

use super::AppState;
use super::admission::{address_of, enter};
use super::credentials::shown;
use super::rest::{AccessPermit, no_such_path};
use crate::auth::{Denied, Grant, KeyStore};
use crate::hub::Hub;
use crate::model::Feed;
use crate::session::{self, Authenticator, PendingSession, SessionParams};
use crate::wire::{Codec, Deflate, NegotiatedDeflate};

/// `GET /v2/{feed}`: a session of the stream.
pub(super) async fn feed(feed: Path<String>, request: HttpRequest, house: Data<AppState>) -> impl Responder {
    match feed.parse() {
        Ok(feed) => open(&request, &house, feed),
        Err(_) => Ok(no_such_path()),
    }
}

/// `GET /websocket/connect?userId=3`: the same stream under the tutorial's name.
pub(super) async fn connect(request: HttpRequest, house: Data<AppState>) -> impl Responder {
    open(&request, &house, Feed::Iex)
}

/// What a client that cannot set headers says in the address.
#[derive(Default, Deserialize)]
struct UpgradeQuery {
    /// The client's own name for the session.
    #[serde(rename = "userId")]
    user_id: Option<String>,
    /// `msgpack`, where the header cannot say it.
    codec: Option<String>,
}

/// `GET /echo`: returns each message as it came. It takes a seat like any session, so where keys are
/// demanded it takes one too.
pub(super) async fn echo(
    permit: AccessPermit,
    request: HttpRequest,
    house: Data<AppState>,
) -> impl Responder {
    let universe = Arc::clone(&house.universe);
    welcome(&request, &house, |response| {
        session::open_echo(hub_of(&request), universe, agree(&request, response), permit.revocation())
    })
}

fn open(request: &HttpRequest, house: &AppState, feed: Feed) -> Result<HttpResponse, ws::HandshakeError> {
    let asked =
        Query::<UpgradeQuery>::from_query(request.query_string()).map(Query::into_inner).unwrap_or_default();
    let archive = Arc::clone(&house.archive);
    let codec = codec(request.headers(), asked.codec.as_deref());
    welcome(request, house, |response| {
        // Who asks for MessagePack is a bot, and counts milliseconds: Python's client makes a new
        // inflater for each message, and at 10,000 trades a second falls behind by a second and more.
        let deflate = match codec {
            Codec::Json => agree(request, response),
            Codec::MsgPack => None,
        };
        session::open(SessionParams {
            hub: hub_of(request),
            universe: Arc::clone(&house.universe),
            limits: house.limits,
            outbox: house.outbox,
            epoch: house.epoch,
            replay: Rc::new(move |stream, after, up_to| archive.since(stream, after, up_to)),
            deflate,
            codec,
            label: asked.user_id.map(shortened),
            authenticator: house.keyring.as_ref().map(|keyring| guard(request, house, keyring, feed)),
            credentials: shown(request),
        })
    })
}

/// Answers a handshake with the session that begins when the answer is out, if there may be one.
fn welcome(
    request: &HttpRequest,
    house: &AppState,
    open: impl FnOnce(&mut HttpResponseBuilder) -> PendingSession,
) -> Result<HttpResponse, ws::HandshakeError> {
    let mut response = ws::handshake(request)?;
    let seat = match enter(request, house) {
        Ok(seat) => seat,
        Err(closed) => return Ok(closed.answer()),
    };
    let opening = open(&mut response).holding(seat);
    let mut answer = response.finish();
    answer.extensions_mut().insert(opening);
    Ok(answer)
}

/// Answers what the client offered: how its messages may be compressed, if it wants that at all.
fn agree(request: &HttpRequest, response: &mut HttpResponseBuilder) -> Option<Deflate> {
    let offers = request.headers().get_all(SEC_WEBSOCKET_EXTENSIONS);
    let agreed = NegotiatedDeflate::from_offers(offers.filter_map(|line| line.to_str().ok()))?;
    response.insert_header((SEC_WEBSOCKET_EXTENSIONS, agreed.answer()));
    Some(agreed.deflate())
}

fn hub_of(request: &HttpRequest) -> Rc<Hub> {
    let hub = request.app_data::<Rc<Hub>>().expect("`doors` put the worker's hub into the application");
    Rc::clone(hub)
}

/// The upgrade's content type decides, or its stand-in in the address; all else is JSON.
fn codec(headers: &HeaderMap, asked: Option<&str>) -> Codec {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match content_type.trim().eq_ignore_ascii_case("application/msgpack") || asked == Some("msgpack") {
        true => Codec::MsgPack,
        false => Codec::Json,
    }
}

/// Who looks at the credentials of this request's session, for as long as it lasts.
fn guard(request: &HttpRequest, house: &AppState, keyring: &Arc<KeyStore>, feed: Feed) -> Authenticator {
    let (keyring, from) = (Arc::clone(keyring), address_of(request, house));
    let metrics = house.metrics.doors().clone();
    Authenticator::new(move |shown| {
        let verdict: Result<Grant, Denied> = keyring.grant(shown, feed, from, Instant::now());
        match &verdict {
            Ok(grant) => debug!(address = %from, key = grant.key().id(), "key accepted"),
            Err(denied) => {
                debug!(address = %from, why = denied.name(), "key refused");
                metrics.auth_refused(denied.name());
            }
        }
        verdict
    })
}

/// A label is the client's own text: what of it may enter a log.
fn shortened(label: String) -> String {
    const LONGEST: usize = 64;
    label.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}
