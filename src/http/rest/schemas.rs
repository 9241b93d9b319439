//! The OpenAPI and AsyncAPI documents. `tests/schemas.rs` checks that the server sends what they describe.

use std::sync::LazyLock;

use actix_web::http::header::HOST;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;

use crate::http::compression::{self, CodedText, ContentCoding};
use crate::http::response::json;

/// The OpenAPI 3.1 document of REST.
const OPENAPI: &str = include_str!("openapi.json");

/// The AsyncAPI 3 document of the stream, with our extensions.
const ASYNCAPI: &str = include_str!("asyncapi.json");

/// `GET /openapi.json`
pub(super) async fn openapi(request: HttpRequest) -> HttpResponse {
    static COMPRESSED: LazyLock<Bytes> = LazyLock::new(|| compression::gzip_once(OPENAPI));
    let coding = ContentCoding::negotiate(request.headers(), &[ContentCoding::Gzip]);
    let mut answer = match coding {
        ContentCoding::Gzip => json(COMPRESSED.clone()),
        _ => json(OPENAPI),
    };
    coding.mark(&mut answer);
    answer
}

/// `GET /asyncapi.json`, with the address to which the request was sent.
pub(super) async fn asyncapi(request: HttpRequest) -> HttpResponse {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let coding = ContentCoding::negotiate(request.headers(), &[ContentCoding::Gzip]);
    CodedText::new(asyncapi_at(host).into_bytes(), coding).await.into_json()
}

/// The host in the document, for requests without one.
const DEFAULT_HOST: &str = "127.0.0.1:8080";

/// The document with this host, if it is one.
fn asyncapi_at(host: Option<&str>) -> String {
    let is_host = |host: &&str| {
        !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:[]".contains(&byte))
    };
    ASYNCAPI.replace(DEFAULT_HOST, host.filter(is_host).unwrap_or(DEFAULT_HOST))
}

/// The documents agree with the codec's field table. `tests/schemas.rs` checks over a socket that the server sends
/// what they describe.
#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::http::topic_api::METHODS;
    use crate::model::Channel;
    use crate::wire::{FieldSchema, FieldType, OBJECTS};

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
            FieldType::Data => ("", &["Payload"]),
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
        let listed = Channel::ALL.into_iter().filter(|channel| channel.is_listed());
        let names: Vec<_> = listed.map(Channel::name).collect();

        assert_eq!(*described("/Gap/properties/ch/enum"), json!(names));
        for name in names {
            for command in ["Subscribe", "Unsubscribe", "Subscription"] {
                described(&format!("/{command}/properties/{name}"));
            }
        }
    }

    #[test]
    fn an_event_stream_is_described_alike_in_both_documents_with_every_channel() {
        let openapi: Value = serde_json::from_str(OPENAPI).unwrap();
        let asyncapi: Value = serde_json::from_str(ASYNCAPI).unwrap();
        let parameters = openapi["paths"]["/v2/{feed}/events"]["get"]["parameters"].as_array().unwrap();
        let described = &asyncapi["operations"]["event"]["bindings"]["http"]["query"]["properties"];
        let in_query = parameters.iter().filter(|parameter| parameter["in"] == "query");
        let names: BTreeSet<_> = in_query.map(|parameter| parameter["name"].as_str().unwrap()).collect();

        for name in &names {
            assert!(described.get(name).is_some(), "{name}");
        }
        for channel in Channel::ALL.into_iter().filter(|channel| channel.leader() == *channel) {
            assert!(names.contains(channel.name()), "{}", channel.name());
        }
        assert_eq!(asyncapi["channels"]["events"]["address"], "/v2/{feed}/events");
    }

    #[test]
    fn every_call_of_the_api_of_topics_is_described_and_no_other() {
        let openapi: Value = serde_json::from_str(OPENAPI).unwrap();
        let paths = openapi["paths"].as_object().unwrap().iter();
        let described =
            paths.filter(|(path, methods)| path.starts_with("/api/") && methods.get("get").is_none());
        let described: BTreeSet<_> = described.map(|(path, _)| path.trim_start_matches("/api/")).collect();

        assert_eq!(described, BTreeSet::from(METHODS));
    }

    #[test]
    fn the_stream_is_described_at_the_address_of_the_request() {
        let hosts = |host: Option<&str>| {
            let document: Value = serde_json::from_str(&asyncapi_at(host)).unwrap();
            let servers = document["servers"].as_object().unwrap().values();
            servers.map(|server| server["host"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };

        assert_eq!(hosts(Some("tape.example:443")), ["tape.example:443"; 4]);
        assert_eq!(hosts(Some("[::1]:8080")), ["[::1]:8080"; 4]);
        for no_host in [None, Some(""), Some("a\", \"b"), Some("a b")] {
            assert_eq!(hosts(no_host), [DEFAULT_HOST; 4], "{no_host:?}");
        }
    }

    #[test]
    fn every_reference_of_the_documents_resolves() {
        for text in [OPENAPI, ASYNCAPI] {
            let root: Value = serde_json::from_str(text).expect("a document is JSON");
            assert_eq!(root["info"]["version"], env!("CARGO_PKG_VERSION"));
            for part in text.split("\"$ref\": \"#").skip(1) {
                let pointer = part.split('"').next().unwrap();
                assert!(root.pointer(&pointer.replace("~1", "/")).is_some(), "{pointer}");
            }
        }
    }
}
