use std::fmt;
use std::io::ErrorKind;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::clock_text::parse_rfc3339;
use super::objects::{MAX_FIELDS, OBJECTS, read_body};
use super::scalar::Scalar;
use super::schema::FieldSchema;
use super::{Codec, DeliveryKind};
use crate::model::{Body, Channel, Conditions, Price, Seq, Symbol, SymbolId, Timestamp};

/// Decodes a data message of another server: an array of objects.
///
/// Objects of an unknown `T` and unknown keys are tolerated, because servers add both. `T` must be the
/// first key, as in every encoder of this protocol. Prices are rounded to the tick, and the volume-weighted
/// average of a bar is exact to a millionth of a dollar.
///
/// # Errors
/// When the message is no array of objects, or an object lacks a field or has a value that the model
/// cannot hold.
pub fn decode_objects(codec: Codec, bytes: &[u8]) -> Result<Vec<Decoded>, ObjectError> {
    decode_each_object(codec, bytes)?.into_iter().collect()
}

/// The same, where an invalid object costs no other object of its message.
///
/// # Errors
/// When the message is no array of objects.
pub fn decode_each_object(
    codec: Codec,
    bytes: &[u8],
) -> Result<Vec<Result<Decoded, ObjectError>>, ObjectError> {
    let objects: Option<Vec<Attempt>> = match codec {
        Codec::Json => serde_json::from_slice(bytes).ok(),
        Codec::MsgPack => from_msgpack(bytes),
    };
    let objects = objects.ok_or(ObjectError::Syntax)?;
    Ok(objects.into_iter().map(|Attempt(decoded)| decoded).collect())
}

/// One MessagePack value and nothing after it.
pub(super) fn from_msgpack<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    /// Our commands and objects nest five deep; much deeper nesting is an attack on the stack. The JSON reader
    /// has the same limit.
    const MAX_DEPTH: usize = 128;
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    reader.set_max_depth(MAX_DEPTH);
    let value = T::deserialize(&mut reader).ok()?;
    // The reader does not tell its position: nothing is left if it cannot read one more byte.
    matches!(
        IgnoredAny::deserialize(&mut reader),
        Err(rmp_serde::decode::Error::InvalidMarkerRead(end)) if end.kind() == ErrorKind::UnexpectedEof
    )
    .then_some(value)
}

/// An object of a data message.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    /// An object of a channel.
    Object(DecodedObject),
    /// An object with another `T`: a control message, or a channel that this version does not know.
    Unknown {
        /// The value of `T`.
        t: String,
    },
}

/// An object of another server, whose symbols are not numbered like ours.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedObject {
    /// The symbol.
    pub symbol: Symbol,
    /// The sequence number in the stream; Alpaca's servers send none.
    pub seq: Option<Seq>,
    /// How the object was delivered.
    pub delivery: DeliveryKind,
    /// Its symbol id is set by [`DecodedObject::body`].
    body: Body,
}

impl DecodedObject {
    /// The channel of the object.
    pub const fn channel(&self) -> Channel {
        self.body.channel()
    }

    /// The content, with the id that the symbol has in our universe.
    pub const fn body(&self, symbol: SymbolId) -> Body {
        self.body.with_symbol(symbol)
    }
}

/// Why a data message cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// The message is no array of objects in this codec.
    #[error("not an array of objects")]
    Syntax,
    /// The first key of an object is not `T`, or its value is no text.
    #[error("an object does not begin with T")]
    NoType,
    /// A field is absent.
    #[error("an object of {} lacks {key}", .channel.name())]
    MissingField {
        /// The channel of the object.
        channel: Channel,
        /// The key of the field.
        key: &'static str,
    },
    /// A value has another type, or is outside the range of the model.
    #[error("an object of {} has an invalid {key}", .channel.name())]
    InvalidField {
        /// The channel of the object.
        channel: Channel,
        /// The key of the field.
        key: &'static str,
    },
}

/// Gives the values of an object's fields one by one, in the order of its schema.
pub(super) trait FieldReader<'a> {
    type Error;

    fn integer<T: TryFrom<u64>>(&mut self) -> Result<T, Self::Error>;
    fn letter<T: TryFrom<u8>>(&mut self) -> Result<T, Self::Error>;
    fn text<T: TryFrom<&'a str>>(&mut self) -> Result<T, Self::Error>;
    fn price(&mut self) -> Result<Price, Self::Error>;
    /// A price in millionths of a dollar.
    fn average_price(&mut self) -> Result<i64, Self::Error>;
    fn letters(&mut self) -> Result<Conditions, Self::Error>;
    fn time(&mut self) -> Result<Timestamp, Self::Error>;
    /// The value from which another one is computed; `None` in forms that have the other one alone.
    fn exact(&mut self) -> Result<Option<i128>, Self::Error>;
    /// Leaves out a value that only forms for clients have.
    fn skip(&mut self);
}

/// The values of an object's fields, taken one by one in the order of its schema.
pub(super) struct Values<'a> {
    channel: Channel,
    fields: std::slice::Iter<'static, FieldSchema>,
    values: std::slice::Iter<'a, Option<Scalar<'a>>>,
}

impl<'a> Values<'a> {
    fn new(channel: Channel, values: &'a [Option<Scalar<'a>>]) -> Self {
        Self { channel, fields: OBJECTS[channel.index()].fields.iter(), values: values.iter() }
    }

    fn next<T>(&mut self, read: impl FnOnce(&'a Scalar<'a>) -> Option<T>) -> Result<T, ObjectError> {
        let (field, value) = self.fields.next().zip(self.values.next()).expect("a value for each field");
        required(self.channel, field.key, value.as_ref(), read)
    }
}

impl<'a> FieldReader<'a> for Values<'a> {
    type Error = ObjectError;

    fn integer<T: TryFrom<u64>>(&mut self) -> Result<T, ObjectError> {
        self.next(|value| value.integer()?.try_into().ok())
    }

    fn letter<T: TryFrom<u8>>(&mut self) -> Result<T, ObjectError> {
        self.next(|value| value.letter()?.try_into().ok())
    }

    fn text<T: TryFrom<&'a str>>(&mut self) -> Result<T, ObjectError> {
        self.next(|value| value.text()?.try_into().ok())
    }

    fn price(&mut self) -> Result<Price, ObjectError> {
        self.next(|value| value.number().map(Price::from_dollars))
    }

    fn average_price(&mut self) -> Result<i64, ObjectError> {
        self.next(|value| value.number().map(|dollars| (dollars * 1e6).round() as i64))
    }

    fn letters(&mut self) -> Result<Conditions, ObjectError> {
        self.next(|value| match value {
            Scalar::Letters(letters) => Some(*letters),
            _ => None,
        })
    }

    fn time(&mut self) -> Result<Timestamp, ObjectError> {
        self.next(|value| match value {
            Scalar::Time(at) => Some(*at),
            value => parse_rfc3339(value.text()?),
        })
    }

    fn exact(&mut self) -> Result<Option<i128>, ObjectError> {
        Ok(None)
    }

    fn skip(&mut self) {
        let _ = (self.fields.next(), self.values.next());
    }
}

fn required<'a, T>(
    channel: Channel,
    key: &'static str,
    value: Option<&'a Scalar<'a>>,
    read: impl FnOnce(&'a Scalar<'a>) -> Option<T>,
) -> Result<T, ObjectError> {
    let value = value.ok_or(ObjectError::MissingField { channel, key })?;
    read(value).ok_or(ObjectError::InvalidField { channel, key })
}

/// An object with valid syntax. An invalid field is not an error of the deserializer, which would abort the
/// message and lose the name of the field.
struct Attempt(Result<Decoded, ObjectError>);

impl<'de> Deserialize<'de> for Attempt {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Attempt;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attempt, A::Error> {
        let first = map.next_entry::<Scalar<'de>, Scalar<'de>>()?;
        let channel = match first {
            Some((Scalar::Text(key), Scalar::Text(t))) if key == "T" => {
                channel_of(&t).ok_or_else(|| Ok(Decoded::Unknown { t: t.into_owned() }))
            }
            _ => Err(Err(ObjectError::NoType)),
        };
        let channel = match channel {
            Ok(channel) => channel,
            Err(outcome) => {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(Attempt(outcome));
            }
        };
        let mut fields = Slots::new(channel);
        fields.fill(&mut map)?;
        let symbol = fields.symbol();
        Ok(Attempt(symbol.and_then(|symbol| fields.read(symbol)).map(Decoded::Object)))
    }
}

/// The channel of instruments whose objects have this `T`.
fn channel_of(t: &str) -> Option<Channel> {
    let mut letters = t.chars();
    let letter = letters.next().filter(|_| letters.next().is_none())?;
    Channel::with_letter(letter).filter(|channel| !channel.is_of_topics())
}

/// The values of an object while its map is read.
pub(super) struct Slots<'de> {
    channel: Channel,
    symbol: Option<Scalar<'de>>,
    seq: Option<Scalar<'de>>,
    conflated: Option<Scalar<'de>>,
    snapshot: Option<Scalar<'de>>,
    body: [Option<Scalar<'de>>; MAX_FIELDS],
}

impl<'de> Slots<'de> {
    pub(super) fn new(channel: Channel) -> Self {
        let body = [const { None }; MAX_FIELDS];
        Self { channel, symbol: None, seq: None, conflated: None, snapshot: None, body }
    }

    /// Reads the rest of a map.
    pub(super) fn fill<A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Scalar<'de>>()? {
            match key.text().and_then(|key| self.slot(key)) {
                Some(slot) => *slot = Some(map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    /// The symbol, in a form that has it in each object.
    fn symbol(&self) -> Result<Symbol, ObjectError> {
        required(self.channel, "S", self.symbol.as_ref(), |value| value.text()?.parse().ok())
    }

    /// Where the value of this key goes; `None` for an unknown key.
    fn slot(&mut self, key: &str) -> Option<&mut Option<Scalar<'de>>> {
        let fields = OBJECTS[self.channel.index()].fields;
        match fields.iter().position(|field| field.key == key) {
            Some(place) => Some(&mut self.body[place]),
            None => match key {
                "S" => Some(&mut self.symbol),
                "sq" => Some(&mut self.seq),
                "cf" => Some(&mut self.conflated),
                "sn" => Some(&mut self.snapshot),
                _ => None,
            },
        }
    }

    /// The object, of this symbol.
    pub(super) fn read(&self, symbol: Symbol) -> Result<DecodedObject, ObjectError> {
        /// Stands in the body until [`DecodedObject::body`] replaces it.
        const UNRESOLVED: SymbolId = SymbolId(u32::MAX);
        let channel = self.channel;
        let optional = |key, value: &Option<Scalar<'_>>| match value {
            None => Ok(None),
            Some(value) => value.integer().map(Some).ok_or(ObjectError::InvalidField { channel, key }),
        };
        let seq = optional("sq", &self.seq)?.map(Seq);
        let conflated = optional("cf", &self.conflated)?.unwrap_or(0);
        let delivery = match self.snapshot {
            Some(Scalar::True) => DeliveryKind::Snapshot,
            _ => DeliveryKind::conflated(conflated),
        };
        let body = read_body(channel, UNRESOLVED, &mut Values::new(channel, &self.body))?;
        Ok(DecodedObject { symbol, seq, delivery, body })
    }
}

#[cfg(test)]
#[path = "decode_objects_tests.rs"]
mod tests;
