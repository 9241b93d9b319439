//! A description of the server, OpenAPI or AsyncAPI, and whether a value is as described. The tests of
//! `src/http/rest/schemas.rs` read it too.

use jsonschema::Validator;
use serde_json::{Value, json};

/// A description, in which no object may have a field that nobody described.
pub(super) struct Description(pub(super) Value);

impl Description {
    pub(super) fn read(text: &str) -> Self {
        let mut root = serde_json::from_str(text).expect("a description is JSON");
        close(&mut root);
        Self(root)
    }

    /// What checks a value against the schema at this place of the description.
    pub(super) fn validator(&self, pointer: &str) -> Validator {
        let mut root = self.0.clone();
        root["$ref"] = json!(pointer);
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        options.build(&root).expect("the description holds schemas")
    }
}

pub(super) fn check(validator: &Validator, value: &Value) {
    if let Some(fault) = validator.iter_errors(value).next() {
        panic!("{value}: {}: {fault}", fault.instance_path());
    }
}

/// Objects of the descriptions may have other fields some day, but none that nobody described.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.contains_key("properties") && !fields.contains_key("additionalProperties") {
                fields.insert("additionalProperties".to_owned(), json!(false));
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
