//! The controls of a replay: where it is, and commands for keys that may.

use std::fmt;

use actix::Recipient;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::rt::time::timeout;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Value, json};
use tracing::info;

use super::access::AccessPermit;
use super::admission::{check_own_page, client_address, record_request, sender_location};
use super::error::ApiError;
use super::response;
use super::state::AppState;
use crate::auth::ClientLocation;
use crate::clock::ClockRate;
use crate::feed::ControlReplay;
use crate::model::{Timestamp, market_time};
use crate::source::{ControlRefusal, ReplayClock, ReplayCommand, ReplaySpeed, ReplayStatus};
use crate::wire::rfc3339;

/// The path of the controls, the only one that takes a POST.
pub(super) const PATH: &str = "/api/replay";

/// The most bytes of a command. One has some 50; white space may be between them.
pub(super) const MAX_COMMAND_BYTES: usize = 1_024;

/// `GET /api/replay`: where the replay is.
pub(super) async fn status(_: AccessPermit, state: Data<AppState>) -> Result<HttpResponse, ApiError> {
    send(state.feeds.default_feed().replay.as_ref(), None).await
}

/// `POST /api/replay`: changes the replay, and answers where it is then.
pub(super) async fn control(
    permit: AccessPermit,
    request: HttpRequest,
    state: Data<AppState>,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    let answer = match check(&permit, &request, &state) {
        Ok(()) => execute(&request, &state, body).await,
        Err(refusal) => Err(refusal),
    };
    if let Err(refusal) = &answer {
        record_request(&state, &request, refusal.name(), permit.key_id());
    }
    answer
}

/// Refuses a client that may not control the replay. A server without keys obeys its own machine alone.
fn check(permit: &AccessPermit, request: &HttpRequest, state: &AppState) -> Result<(), ApiError> {
    if check_own_page(request, state).is_err() {
        return Err(ApiError::NotPermitted("a page of another origin may not control the replay"));
    }
    match permit.allows_control() {
        Some(true) => Ok(()),
        Some(false) => Err(ApiError::NotPermitted("the key does not allow to control the replay")),
        None if sender_location(request) == ClientLocation::ThisMachine => Ok(()),
        None => Err(ApiError::NotPermitted("without keys a replay is controlled from its own machine alone")),
    }
}

async fn execute(request: &HttpRequest, state: &AppState, body: Payload) -> Result<HttpResponse, ApiError> {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(is_json) {
        return Err(ApiError::invalid("Content-Type", "expected application/json"));
    }
    let body = timeout(state.http.head_timeout, body.to_bytes_limited(MAX_COMMAND_BYTES)).await;
    let Ok(Ok(Ok(body))) = body else {
        return Err(ApiError::invalid("body", "expected a command of at most 1,024 bytes"));
    };
    let command = read_command(&body)?;
    let answer = send(state.feeds.default_feed().replay.as_ref(), Some(command)).await?;
    info!(client = %client_address(request, state), ?command, "the replay is controlled");
    Ok(answer)
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

async fn send(
    replay: Option<&Recipient<ControlReplay>>,
    command: Option<ReplayCommand>,
) -> Result<HttpResponse, ApiError> {
    let replay = replay.ok_or(ApiError::NoReplay)?;
    match replay.send(ControlReplay(command)).await {
        Ok(Ok(status)) => Ok(response::json(describe(&status).to_string())),
        Ok(Err(ControlRefusal::NoReplay)) | Err(_) => Err(ApiError::NoReplay),
        Ok(Err(ControlRefusal::OutOfRange)) => Err(ApiError::OutOfRange),
        Ok(Err(ControlRefusal::Unreadable(why))) => Err(ApiError::Unreadable(why)),
    }
}

/// Reads `{"pause":true}`, `{"speed":10}`, `{"speed":"max"}` or `{"seek":"2013-10-07T09:30:00-04:00"}`.
fn read_command(body: &[u8]) -> Result<ReplayCommand, ApiError> {
    let Members(members) =
        serde_json::from_slice(body).map_err(|_| ApiError::invalid("body", "expected a JSON object"))?;
    let [(name, value)] = members.as_slice() else {
        return Err(ApiError::invalid("body", "expected one of pause, speed and seek"));
    };
    match (name.as_str(), value) {
        ("pause", Value::Bool(true)) => Ok(ReplayCommand::Pause),
        ("pause", Value::Bool(false)) => Ok(ReplayCommand::Resume),
        ("pause", _) => Err(ApiError::invalid("pause", "expected true or false")),
        ("speed", Value::String(max)) if max == "max" => Ok(ReplayCommand::Speed(ReplaySpeed::Max)),
        ("speed", value) => {
            let rate = value.as_f64().and_then(ClockRate::new).map(ReplaySpeed::Times);
            let expected = format!("expected max, or a number from {} to {}", ClockRate::MIN, ClockRate::MAX);
            rate.map(ReplayCommand::Speed).ok_or_else(|| ApiError::invalid("speed", expected))
        }
        ("seek", value) => {
            let time = value.as_str().and_then(market_time).map(ReplayCommand::Seek);
            time.ok_or_else(|| ApiError::invalid("seek", "expected a time such as 2013-10-07T13:30:00Z"))
        }
        _ => Err(ApiError::invalid("body", "expected one of pause, speed and seek")),
    }
}

/// The members of an object, each as often as it stands there: a map would keep the last one of a name.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

fn describe(status: &ReplayStatus) -> Value {
    let time = |at: Timestamp| rfc3339(at);
    json!({
        "state": status.state.name(),
        "files": status.files,
        "from": time(status.from),
        "until": status.until.map(time),
        "position": time(status.position),
        "speed": match status.speed {
            ReplaySpeed::Max => json!("max"),
            ReplaySpeed::Times(rate) if rate.get().fract() == 0.0 => json!(rate.get() as u64),
            ReplaySpeed::Times(rate) => json!(rate.get()),
        },
        "clock": match status.clock {
            ReplayClock::Shift => "shift",
            ReplayClock::Original => "original",
        },
        "loop": status.repeats,
        "passes": status.passes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_is_read_and_nothing_else() {
        let read = |text: &str| read_command(text.as_bytes());
        let at = market_time("2013-10-07T13:30:00Z").unwrap();
        let ten = ReplaySpeed::Times(ClockRate::new(10.0).unwrap());

        for (text, expected) in [
            (r#"{"pause":true}"#, ReplayCommand::Pause),
            (r#" { "pause" : false } "#, ReplayCommand::Resume),
            (r#"{"speed":10}"#, ReplayCommand::Speed(ten)),
            (r#"{"speed":"max"}"#, ReplayCommand::Speed(ReplaySpeed::Max)),
            (r#"{"seek":"2013-10-07T09:30:00-04:00"}"#, ReplayCommand::Seek(at)),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"pause":1}"#,
            r#"{"pause":true,"speed":1}"#,
            r#"{"pause":true,"pause":false}"#,
            r#"{"pause":true,"pause":true}"#,
            r#"{"speed":0}"#,
            r#"{"speed":-1}"#,
            r#"{"speed":1e9}"#,
            r#"{"speed":"10"}"#,
            r#"{"speed":null}"#,
            r#"{"seek":5}"#,
            r#"{"seek":"later"}"#,
            r#"{"stop":true}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn json_is_told_by_its_media_type_alone() {
        assert!(is_json("application/json") && is_json("Application/JSON; charset=utf-8"));
        // Those that a page may send without asking.
        for other in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""] {
            assert!(!is_json(other), "{other}");
        }
    }
}
