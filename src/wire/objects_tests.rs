use std::fs;

use super::*;
use crate::wire::{Codec, LAST_FIELDS, fixtures};

/// The example of a channel as a live object, without optional fields.
fn example(channel: Channel) -> String {
    let of_channel = |object: &Object| object.body.channel() == channel;
    let object = fixtures::objects().into_iter().find(of_channel).expect("an example of each channel");
    let mut out = Vec::new();
    Codec::Json.write(&mut out, &fixtures::universe(), &object, DeliveryKind::Live);
    String::from_utf8(out).unwrap().trim_end_matches(',').to_owned()
}

#[test]
fn every_object_is_written_with_the_fields_of_its_schema_in_order() {
    for schema in OBJECTS.iter().filter(|schema| !schema.channel.is_of_topics()) {
        let text = example(schema.channel);
        let object: serde_json::Map<_, _> = serde_json::from_str(&text).unwrap();

        let mut places = Vec::new();
        for field in schema.all_fields().filter(|field| !field.optional) {
            let value = &object[field.key];
            let matches = match field.field_type {
                FieldType::Integer => value.is_u64(),
                FieldType::Letter => value.as_str().is_some_and(|text| text.len() == 1),
                FieldType::Text | FieldType::Time => value.is_string(),
                FieldType::Price | FieldType::AveragePrice => value.is_f64(),
                FieldType::Letters => value.is_array(),
                FieldType::True => value == true,
                FieldType::Data => true,
            };
            assert!(matches, "{} {value}", field.key);
            places.push(text.find(&format!("\"{}\":", field.key)).unwrap());
        }
        assert!(places.is_sorted() && places.len() == object.len(), "{text}");
        assert_eq!(object["T"], schema.channel.letter().to_string());
    }
}

#[test]
fn the_optional_fields_are_those_that_the_delivery_adds() {
    let added = |kind: DeliveryKind| {
        let mut out = Vec::new();
        Codec::Json.write(&mut out, &fixtures::universe(), &fixtures::trade(), kind);
        let [live, added] = [example(Channel::Trades), String::from_utf8(out).unwrap()];
        added[live.len() - 1..].split('"').nth(1).map(ToOwned::to_owned)
    };

    let optional: Vec<_> = LAST_FIELDS.into_iter().filter(|field| field.optional).collect();
    assert_eq!(added(DeliveryKind::Live), None);
    assert_eq!(added(DeliveryKind::Conflated(1)).as_deref(), Some(optional[0].key));
    assert_eq!(added(DeliveryKind::Snapshot).as_deref(), Some(optional[1].key));
    assert_eq!(optional.len(), 2);
}

/// The fixtures of the web client's decoder: objects of instruments. To write the file after a change of the objects, run
/// `TAPECAST_BLESS=1 cargo test --lib wire::objects`.
#[test]
fn the_fixtures_of_the_web_client_are_up_to_date() {
    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/web/client/src/wire/objects.json");
    let objects = OBJECTS.iter().filter(|schema| !schema.channel.is_of_topics()).map(|schema| {
        let fields = schema.all_fields().filter(|field| field.key != "T").map(|field| {
            let optional = if field.optional { r#", "optional": true"# } else { "" };
            format!(r#"      {{"key": "{}", "type": "{}"{optional}}}"#, field.key, field.field_type.name())
        });
        format!(
            "  {{\n    \"channel\": \"{}\",\n    \"T\": \"{}\",\n    \"fields\": [\n{}\n    ],\n    \"json\": {}\n  }}",
            schema.channel.name(),
            schema.channel.letter(),
            fields.collect::<Vec<_>>().join(",\n"),
            example(schema.channel),
        )
    });
    let text = format!("[\n{}\n]\n", objects.collect::<Vec<_>>().join(",\n"));

    serde_json::from_str::<serde_json::Value>(&text).expect("the fixtures are JSON");
    if std::env::var_os("TAPECAST_BLESS").is_some() {
        fs::write(FILE, &text).unwrap();
    }
    let committed = fs::read_to_string(FILE).unwrap_or_default();
    assert!(committed == text, "{FILE} is out of date: run this test with TAPECAST_BLESS=1");
}
