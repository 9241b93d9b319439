//! The server's OpenAPI and AsyncAPI descriptions, and whether a value matches them.

use jsonschema::Validator;
use serde_json::{Value, json};

/// An OpenAPI or AsyncAPI description, tightened: an object must not have fields that it does not name.
#[derive(Debug)]
pub struct Description(Value);

impl Description {
    /// Parses a description.
    pub fn parse(text: &str) -> Self {
        let mut root = serde_json::from_str(text).expect("a description is JSON");
        forbid_other_fields(&mut root);
        Self(root)
    }

    /// The description itself.
    pub fn root(&self) -> &Value {
        &self.0
    }

    /// The validator of the schema at this JSON pointer, as `#/components/schemas/Trade`.
    pub fn validator(&self, pointer: &str) -> Validator {
        let mut root = self.0.clone();
        root["$ref"] = json!(pointer);
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        options.build(&root).expect("the description holds schemas")
    }
}

/// Asserts that a value is valid.
///
/// # Panics
/// When it is not, naming the place and the fault.
pub fn assert_valid(validator: &Validator, value: &Value) {
    if let Some(fault) = validator.iter_errors(value).next() {
        panic!("{value}: {}: {fault}", fault.instance_path());
    }
}

/// Clients must accept additional fields, so the description allows them; the server must not send any
/// that it does not describe.
fn forbid_other_fields(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.contains_key("properties") && !fields.contains_key("additionalProperties") {
                fields.insert("additionalProperties".to_owned(), json!(false));
            }
            fields.values_mut().for_each(forbid_other_fields);
        }
        Value::Array(items) => items.iter_mut().for_each(forbid_other_fields),
        _ => {}
    }
}
