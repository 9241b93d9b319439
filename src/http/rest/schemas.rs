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
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::description::Description;
    use super::*;
    use crate::model::Channel;
    use crate::wire::{
        Codec, Command, ControlMessage, DeliveryKind, ErrorCode, FieldSchema, FieldType, OBJECTS,
        Subscription, SymbolList, fixtures,
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

    /// The `type` of a field in a description, and the schemas to which its `$ref` may lead.
    fn types(field_type: FieldType) -> (&'static str, &'static [&'static str]) {
        match field_type {
            FieldType::Integer => ("integer", &["Sq", "Cf"]),
            FieldType::Letter => ("string", &["Venue", "Tape"]),
            FieldType::Text => ("string", &["Symbol"]),
            FieldType::Price | FieldType::AveragePrice => ("", &["Price"]),
            FieldType::Letters => ("", &["Conditions"]),
            FieldType::Time => ("", &["Time"]),
            FieldType::True => ("", &["Sn"]),
        }
    }

    /// Checks that the described object has exactly these fields, of these types.
    fn check_fields(described: &Value, fields: impl Iterator<Item = FieldSchema>) {
        let mut keys = Vec::new();
        let mut required = Vec::new();
        for field in fields.filter(|field| field.key != "T") {
            let property = &described["properties"][field.key];
            let (kind, schemas) = types(field.field_type);
            let is_same = match property["$ref"].as_str() {
                Some(reference) => schemas.contains(&reference.rsplit('/').next().unwrap()),
                None => property["type"] == kind,
            };
            assert!(is_same, "{} of {described}", field.key);
            keys.push(field.key);
            required.extend((!field.optional).then_some(field.key));
        }
        let described_keys = described["properties"].as_object().unwrap().keys().map(String::as_str);
        let described_required =
            described["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap());
        let without_t = |key: &&str| *key != "T";
        assert_eq!(described_keys.filter(without_t).collect::<BTreeSet<_>>(), BTreeSet::from_iter(keys));
        assert_eq!(
            described_required.filter(without_t).collect::<BTreeSet<_>>(),
            BTreeSet::from_iter(required)
        );
    }

    #[test]
    fn the_stream_is_described_with_the_fields_of_every_object() {
        let asyncapi: Value = serde_json::from_str(ASYNCAPI).unwrap();
        let schemas = asyncapi["components"]["schemas"].as_object().unwrap();
        for schema in OBJECTS {
            let letter = schema.channel.letter().to_string();
            let described =
                schemas.values().find(|described| described["properties"]["T"]["const"] == letter);

            check_fields(described.unwrap_or_else(|| panic!("no schema of T {letter}")), schema.all_fields());
        }
    }

    #[test]
    fn rest_is_described_with_the_fields_of_its_rows() {
        let openapi: Value = serde_json::from_str(OPENAPI).unwrap();
        for (name, channel) in
            [("Trade", Channel::Trades), ("Quote", Channel::Quotes), ("Bar", Channel::Bars)]
        {
            let fields = OBJECTS.iter().find(|schema| schema.channel == channel).unwrap().fields;

            check_fields(&openapi["components"]["schemas"][name], fields.iter().copied());
        }
    }

    #[test]
    fn every_channel_is_described() {
        let asyncapi: Value = serde_json::from_str(ASYNCAPI).unwrap();
        let schemas = &asyncapi["components"]["schemas"];
        let described = |pointer: &str| schemas.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
        let names = Channel::ALL.map(Channel::name);

        assert_eq!(*described("/Gap/properties/ch/enum"), json!(names));
        for name in names {
            for command in ["Subscribe", "Unsubscribe", "Subscription"] {
                described(&format!("/{command}/properties/{name}"));
            }
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
