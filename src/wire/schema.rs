//! The types that a field can have, and what a codec writes for each. The fields themselves are declared in
//! `objects.rs`.

use crate::model::{Channel, Conditions, Price, Timestamp};

/// The type of a field, which decides its form in each codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A whole number, 0 to 2^64 − 1.
    Integer,
    /// One ASCII letter, as text.
    Letter,
    /// Text that needs no escapes.
    Text,
    /// Dollars: at least two decimals in JSON, a double in MessagePack.
    Price,
    /// Dollars: six decimals in JSON, a double in MessagePack.
    AveragePrice,
    /// A list of one-letter texts.
    Letters,
    /// A time: RFC 3339 in UTC in JSON, a timestamp extension in MessagePack.
    Time,
    /// `true`; the field is absent otherwise.
    True,
    /// Any value, which a publisher gave.
    Data,
}

impl FieldType {
    /// The name in machine-readable descriptions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Letter => "letter",
            Self::Text => "text",
            Self::Price => "price",
            Self::AveragePrice => "average_price",
            Self::Letters => "letters",
            Self::Time => "time",
            Self::True => "true",
            Self::Data => "data",
        }
    }
}

/// One field of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSchema {
    /// The key on the wire.
    pub key: &'static str,
    /// The type of the value.
    pub field_type: FieldType,
    /// Whether the field may be absent.
    pub optional: bool,
}

impl FieldSchema {
    pub(super) const fn required(key: &'static str, field_type: FieldType) -> Self {
        Self { key, field_type, optional: false }
    }

    pub(super) const fn optional(key: &'static str, field_type: FieldType) -> Self {
        Self { key, field_type, optional: true }
    }
}

/// The objects of one channel.
#[derive(Clone, Copy, Debug)]
pub struct ObjectSchema {
    /// The channel; its letter is the value of `T`.
    pub channel: Channel,
    /// The fields of this kind of object, in the order on the wire.
    pub fields: &'static [FieldSchema],
}

/// Every object begins with these fields: the letter of its channel, and its symbol.
pub const FIRST_FIELDS: [FieldSchema; 2] =
    [FieldSchema::required("T", FieldType::Letter), FieldSchema::required("S", FieldType::Text)];

/// Every object ends with these fields: its number, how many earlier objects were merged into it, and
/// whether it is part of a snapshot.
pub const LAST_FIELDS: [FieldSchema; 3] = [
    FieldSchema::required("sq", FieldType::Integer),
    FieldSchema::optional("cf", FieldType::Integer),
    FieldSchema::optional("sn", FieldType::True),
];

impl ObjectSchema {
    /// All fields of an object, in the order on the wire.
    pub fn all_fields(&self) -> impl Iterator<Item = FieldSchema> {
        FIRST_FIELDS.into_iter().chain(self.fields.iter().copied()).chain(LAST_FIELDS)
    }
}

/// A key on the wire, encoded at compile time for each codec.
#[derive(Clone, Copy)]
pub(super) struct FieldKey {
    /// A comma, the key in quotes, a colon.
    pub(super) json: &'static [u8],
    /// A fixstr: the length in the first byte.
    pub(super) msgpack: &'static [u8],
}

impl FieldKey {
    pub(super) const fn fixstr<const N: usize>(text: &str) -> [u8; N] {
        let mut bytes = [0; N];
        bytes[0] = 0xA0 | text.len() as u8;
        let mut at = 1;
        while at < N {
            bytes[at] = text.as_bytes()[at - 1];
            at += 1;
        }
        bytes
    }
}

/// The [`FieldKey`] of a literal of up to 31 bytes.
macro_rules! key {
    ($key:literal) => {{
        const MSGPACK: [u8; $key.len() + 1] = $crate::wire::schema::FieldKey::fixstr($key);
        $crate::wire::schema::FieldKey { json: concat!(",\"", $key, "\":").as_bytes(), msgpack: &MSGPACK }
    }};
}

pub(super) use key;

/// Writes fields in the form of one codec, each after the one before.
pub(super) trait FieldWriter {
    fn integer(&mut self, key: FieldKey, number: u64);
    fn letter(&mut self, key: FieldKey, letter: u8);
    fn text(&mut self, key: FieldKey, text: &str);
    fn price(&mut self, key: FieldKey, price: Price);
    /// A price in millionths of a dollar.
    fn average_price(&mut self, key: FieldKey, micros: i64);
    fn letters(&mut self, key: FieldKey, letters: Conditions);
    fn time(&mut self, key: FieldKey, at: Timestamp);
    fn is_true(&mut self, key: FieldKey);
    /// The bytes that were written. Only forms for clients count them.
    fn written(&self) -> usize {
        0
    }
    /// The value from which the one before is computed. No form for clients has it.
    fn exact(&mut self, _: i128) {}
    /// Any value, as JSON and as MessagePack. Only forms for clients have it.
    fn data<'m>(&mut self, _: FieldKey, _: &str, _: impl FnOnce() -> &'m [u8]) {}
    /// Text that may need escapes. Only forms for clients have it.
    fn free_text(&mut self, _: FieldKey, _: &str) {}
}
