//! Validates values against the server's OpenAPI and AsyncAPI documents.

use jsonschema::Validator;
use serde_json::{Value, json};

/// An OpenAPI or AsyncAPI document, in which no object may have a field that is not described.
pub(super) struct Description(pub(super) Value);

impl Description {
    pub(super) fn read(text: &str) -> Self {
        let mut root = serde_json::from_str(text).expect("a description is JSON");
        close(&mut root);
        Self(root)
    }

    /// A validator for the schema at this JSON pointer.
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

/// Forbids fields that are not described. The document itself allows them, so that fields can be added.
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
