use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::web::{Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse, Responder};
use actix_web_actors::ws;
use serde::Deserialize;

use super::House;
use super::entrance::{Seated, enter};
use super::rest::no_such_path;
use super::socket::sever;
use crate::hub::Hub;
use crate::session::{self, Door};
use crate::wire::Codec;

/// The feeds of Alpaca's stock stream; all serve the same market.
const FEEDS: [&str; 4] = ["iex", "sip", "delayed_sip", "test"];

/// `GET /v2/{feed}`: a session of the stream.
pub(super) async fn feed(
    feed: Path<String>,
    request: HttpRequest,
    house: Data<House>,
    payload: Payload,
) -> impl Responder {
    match FEEDS.contains(&feed.as_str()) {
        true => open(&request, &house, payload),
        false => Ok(no_such_path()),
    }
}

/// `GET /websocket/connect?userId=3`: the same stream under the tutorial's name.
pub(super) async fn connect(request: HttpRequest, house: Data<House>, payload: Payload) -> impl Responder {
    open(&request, &house, payload)
}

/// What a client that cannot set headers says in the address.
#[derive(Default, Deserialize)]
struct Asked {
    /// The client's own name for the session.
    #[serde(rename = "userId")]
    user_id: Option<String>,
    /// `msgpack`, where the header cannot say it.
    codec: Option<String>,
}

/// `GET /echo`: returns each message as it came.
pub(super) async fn echo(request: HttpRequest, house: Data<House>, payload: Payload) -> impl Responder {
    let mut response = ws::handshake(&request)?;
    let seat = match enter(&request, &house) {
        Ok(seat) => seat,
        Err(closed) => return Ok(closed.answer()),
    };
    let body = session::open_echo(hub_of(&request), Arc::clone(&house.universe), sever(&request), payload);
    Ok::<_, ws::HandshakeError>(response.body(Seated::on(seat, body)))
}

fn open(request: &HttpRequest, house: &House, payload: Payload) -> Result<HttpResponse, ws::HandshakeError> {
    let mut response = ws::handshake(request)?;
    let seat = match enter(request, house) {
        Ok(seat) => seat,
        Err(closed) => return Ok(closed.answer()),
    };
    let asked = Query::<Asked>::from_query(request.query_string()).map(Query::into_inner).unwrap_or_default();
    let archive = Arc::clone(&house.archive);
    let door = Door {
        hub: hub_of(request),
        universe: Arc::clone(&house.universe),
        limits: house.limits,
        outbox: house.outbox,
        epoch: house.epoch,
        replay: Rc::new(move |stream, after, up_to| archive.since(stream, after, up_to)),
        codec: codec(request.headers(), asked.codec.as_deref()),
        label: asked.user_id.map(shortened),
        is_authenticated: has_credentials(request.headers()),
        sever: sever(request),
    };
    Ok(response.body(Seated::on(seat, session::open(door, payload))))
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

fn has_credentials(headers: &HeaderMap) -> bool {
    headers.contains_key("APCA-API-KEY-ID") && headers.contains_key("APCA-API-SECRET-KEY")
}

/// A label is the client's own text: what of it may enter a log.
fn shortened(label: String) -> String {
    const LONGEST: usize = 64;
    label.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}
