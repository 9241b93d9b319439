use actix_web::HttpResponse;

use super::stocks::json;

/// REST as OpenAPI 3.1 describes it.
const OPENAPI: &str = include_str!("openapi.json");

/// The stream as AsyncAPI 3 describes it, with what is ours.
const ASYNCAPI: &str = include_str!("asyncapi.json");

/// `GET /openapi.json`
pub(super) async fn openapi() -> HttpResponse {
    json(OPENAPI)
}

/// `GET /asyncapi.json`
pub(super) async fn asyncapi() -> HttpResponse {
    json(ASYNCAPI)
}

#[cfg(test)]
#[path = "../../../tests/support/description.rs"]
mod description;

/// That the server sends what is described is tested over a socket in `tests/schemas.rs`; here, what
/// a short session does not see.
#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::description::Description;
    use super::*;
    use crate::model::Channel;
    use crate::wire::{
        Codec, Command, ControlMessage, DeliveryKind, ErrorCode, Subscription, SymbolList, fixtures,
    };

    /// Checks a value against a schema of the stream's description.
    fn check(schema: &str, value: &Value) {
        let asyncapi = Description::read(ASYNCAPI);
        description::check(&asyncapi.validator(&format!("#/components/schemas/{schema}")), value);
    }

    fn payload(frame: &[u8]) -> Value {
        let text = &frame[frame.iter().position(|byte| *byte == b'[').unwrap()..];
        serde_json::from_slice(text).expect("a frame is JSON")
    }

    #[test]
    fn every_kind_of_object_is_as_described() {
        let universe = fixtures::universe();
        for object in fixtures::objects() {
            for mark in [DeliveryKind::Live, DeliveryKind::Conflated(3), DeliveryKind::Snapshot] {
                let mut out = b"[".to_vec();
                Codec::Json.write(&mut out, &universe, &object, mark);
                out.pop();
                out.push(b']');
                check("Data", &payload(&out));
            }
        }
    }

    #[test]
    fn every_notice_is_as_described() {
        let subscription = Subscription::of(|_: Channel| SymbolList::default(), None);
        for (schema, notice) in [
            ("Success", ControlMessage::CONNECTED),
            ("Success", ControlMessage::AUTHENTICATED),
            ("Subscription", ControlMessage::Subscription(Box::new(subscription))),
            ("Error", ErrorCode::SlowClient.into()),
            ("Drain", ControlMessage::Drain { reconnect_ms: 5 }),
        ] {
            let payload = payload(&notice.to_frame(Codec::Json));

            let [object] = payload.as_array().unwrap().as_slice() else { panic!("{payload}") };
            check(schema, object);
        }
    }

    #[test]
    fn what_is_described_as_a_command_is_one() {
        let subscribe = json!({
            "action": "subscribe", "trades": ["*"], "quotes": null, "tickers": ["AAPL"],
            "x": {
                "id": 7, "conflate_ms": 250, "snapshot": true, "heartbeat_ms": 5000,
                "resume": {"epoch": "k3f9", "sq": {"trades": {"AAPL": 8841}}},
            },
        });
        for (schema, command) in [
            ("Auth", json!({"action": "auth", "key": "K", "secret": "S"})),
            ("Subscribe", subscribe),
            ("Unsubscribe", json!({"action": "unsubscribe", "trades": ["AAPL"]})),
        ] {
            check(schema, &command);
            assert!(Command::read(Codec::Json, command.to_string().as_bytes()).is_ok(), "{command}");
        }
    }

    #[test]
    fn every_message_and_reference_of_the_descriptions_leads_somewhere() {
        for text in [OPENAPI, ASYNCAPI] {
            let root: Value = serde_json::from_str(text).expect("a description is JSON");
            assert_eq!(root["info"]["version"], env!("CARGO_PKG_VERSION"));
            for part in text.split("\"$ref\": \"#").skip(1) {
                let pointer = part.split('"').next().unwrap();
                assert!(root.pointer(&pointer.replace("~1", "/")).is_some(), "{pointer}");
            }
        }
    }
}
