use std::sync::OnceLock;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::DeliveryKind;
use super::decode_objects::FieldReader;
use super::objects::{Fields, write_delivery};
use super::schema::{FIRST_FIELDS, FieldSchema, FieldType, FieldWriter, key};
use crate::model::{MessageHead, Object, Seq, SymbolId, Universe};

/// The content of a message of a topic. It travels beside the object that numbers it.
///
/// It is encoded once for each codec and shared by all sessions.
#[derive(Debug)]
pub struct TopicMessage {
    payload: Payload,
    by: Option<Box<str>>,
    /// Not sent to clients.
    idempotency_key: Option<Box<str>>,
    msgpack: OnceLock<Box<[u8]>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Payload {
    /// Any JSON value, as compact text.
    Data(Box<str>),
    /// The number of an earlier message of the topic, which this one takes back.
    Deletes(Seq),
}

impl TopicMessage {
    /// A message with this data, of this publisher.
    pub fn new(data: &Value, by: Option<&str>) -> Self {
        Self::of(Payload::Data(data.to_string().into()), by)
    }

    /// A message with this data, which is compact JSON.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn from_json(data: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<IgnoredAny>(data)?;
        Ok(Self::of(Payload::Data(data.into()), None))
    }

    /// The same message, of this publisher.
    #[must_use]
    pub fn published_by(self, by: &str) -> Self {
        Self { by: Some(by.into()), ..self }
    }

    /// The same message, with this key of its publisher: it is published once, however often it comes.
    #[must_use]
    pub fn with_idempotency_key(self, key: &str) -> Self {
        Self { idempotency_key: Some(key.into()), ..self }
    }

    /// A message that takes back the one with this number.
    pub fn deleting(seq: Seq, by: Option<&str>) -> Self {
        Self::of(Payload::Deletes(seq), by)
    }

    fn of(payload: Payload, by: Option<&str>) -> Self {
        Self { payload, by: by.map(Into::into), idempotency_key: None, msgpack: OnceLock::new() }
    }

    /// The data as compact JSON; `None` for a message that takes back another one.
    pub fn data(&self) -> Option<&str> {
        match &self.payload {
            Payload::Data(json) => Some(json),
            Payload::Deletes(_) => None,
        }
    }

    /// The number of the message that this one takes back.
    pub const fn deletes(&self) -> Option<Seq> {
        match self.payload {
            Payload::Data(_) => None,
            Payload::Deletes(seq) => Some(seq),
        }
    }

    /// The name of the publisher.
    pub fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    /// The key that the publisher has given to this message, if any.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// The bytes of memory that the content takes, roughly.
    pub fn bytes(&self) -> usize {
        let texts = [self.data(), self.by(), self.idempotency_key()];
        size_of::<Self>() + texts.into_iter().flatten().map(str::len).sum::<usize>()
    }

    /// The data in MessagePack.
    fn msgpack(&self, json: &str) -> &[u8] {
        self.msgpack.get_or_init(|| {
            let value: Value = serde_json::from_str(json).unwrap_or_default();
            rmp_serde::to_vec_named(&value).unwrap_or_else(|_| vec![NIL]).into()
        })
    }

    /// Writes the content: the data or the number that is taken back, and the publisher.
    fn write(&self, out: &mut impl FieldWriter) {
        match &self.payload {
            Payload::Data(json) => out.data(key!("d"), json, || self.msgpack(json)),
            Payload::Deletes(seq) => out.integer(key!("del"), seq.0),
        }
        if let Some(by) = self.by() {
            out.free_text(key!("by"), by);
        }
    }

    const fn field_count(&self) -> usize {
        1 + self.by.is_some() as usize
    }
}

const NIL: u8 = 0xC0;

/// Equal if they say the same, whether or not they were encoded.
impl PartialEq for TopicMessage {
    fn eq(&self, other: &Self) -> bool {
        self.payload == other.payload && self.by == other.by && self.idempotency_key == other.idempotency_key
    }
}

impl Eq for TopicMessage {}

/// The content comes from the [`TopicMessage`], and is in none of the forms that have the fields alone.
impl Fields for MessageHead {
    const FIELDS: &'static [FieldSchema] = &[
        FieldSchema::optional("d", FieldType::Data),
        FieldSchema::optional("del", FieldType::Integer),
        FieldSchema::optional("by", FieldType::Text),
        FieldSchema::required("t", FieldType::Time),
    ];

    fn write(&self, out: &mut impl FieldWriter) {
        out.time(key!("t"), self.at);
    }

    fn read<'a, R: FieldReader<'a>>(symbol: SymbolId, values: &mut R) -> Result<Self, R::Error> {
        (0..Self::FIELDS.len() - 1).for_each(|_| values.skip());
        Ok(Self { symbol, at: values.time()? })
    }
}

/// The number of fields that [`write_message`] writes.
pub(super) fn message_field_count(message: &TopicMessage, kind: DeliveryKind) -> usize {
    const TIME_AND_SEQ: usize = 2;
    FIRST_FIELDS.len() + message.field_count() + TIME_AND_SEQ + usize::from(kind != DeliveryKind::Live)
}

/// Writes all fields of a message.
pub(super) fn write_message(
    out: &mut impl FieldWriter,
    universe: &Universe,
    object: &Object,
    message: &TopicMessage,
    kind: DeliveryKind,
) {
    out.letter(key!("T"), object.body.channel().letter() as u8);
    out.text(key!("S"), universe.name_of(object.stream()).as_str());
    message.write(out);
    super::objects::write_body(out, &object.body);
    out.integer(key!("sq"), object.seq.0);
    write_delivery(out, kind);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Codec, EncodedObjects, fixtures};
    use serde_json::json;
    use std::sync::Arc;

    fn written(codec: Codec, message: &TopicMessage, kind: DeliveryKind) -> Vec<u8> {
        let mut out = Vec::new();
        codec.write_message(&mut out, &fixtures::topics(), &fixtures::chat_message(7), message, kind);
        out
    }

    #[test]
    fn a_message_has_its_data_and_its_publisher() {
        let message = TopicMessage::new(&json!({"text": "h\"i\n"}), Some("An\"na"));

        let text = String::from_utf8(written(Codec::Json, &message, DeliveryKind::Conflated(2))).unwrap();

        assert_eq!(
            text,
            r#"{"T":"m","S":"chat:AAPL","d":{"text":"h\"i\n"},"by":"An\"na","t":"2021-02-22T15:51:45Z","sq":7,"cf":2},"#
        );
    }

    #[test]
    fn a_message_that_takes_back_another_has_its_number_and_no_data() {
        let text = String::from_utf8(written(
            Codec::Json,
            &TopicMessage::deleting(Seq(40), None),
            DeliveryKind::Live,
        ));

        assert_eq!(text.unwrap(), r#"{"T":"m","S":"chat:AAPL","del":40,"t":"2021-02-22T15:51:45Z","sq":7},"#);
    }

    #[test]
    fn both_codecs_have_the_same_keys_and_values_whatever_the_data() {
        let data = [
            json!(null),
            json!([1, -2, 2.5, "é", true, null, {"a": {"b": []}}]),
            json!({"high": 18_446_744_073_709_551_615_u64, "low": i64::MIN}),
            json!("x".repeat(70_000)),
        ];
        let messages = data.iter().map(|data| TopicMessage::new(data, Some("anna")));
        for message in messages.chain([TopicMessage::deleting(Seq(9), None)]) {
            for kind in [DeliveryKind::Live, DeliveryKind::Conflated(300), DeliveryKind::Snapshot] {
                let json = written(Codec::Json, &message, kind);
                let json: Value = serde_json::from_slice(&json[..json.len() - 1]).unwrap();

                let msgpack = written(Codec::MsgPack, &message, kind);
                let mut rest = &msgpack[..];
                let rmpv::Value::Map(fields) = rmpv::decode::read_value(&mut rest).unwrap() else { panic!() };

                assert!(rest.is_empty(), "the map says how long it is");
                assert_eq!(fields.len(), json.as_object().unwrap().len());
                for (key, value) in fields.iter().filter(|(key, _)| key.as_str() != Some("t")) {
                    assert_eq!(serde_json::to_value(value).unwrap(), json[key.as_str().unwrap()]);
                }
            }
        }
    }

    #[test]
    fn messages_that_are_encoded_together_are_those_that_are_encoded_alone() {
        let messages = [json!(1), json!({"a": 2})].map(|data| Arc::new(TopicMessage::new(&data, None)));
        let objects = [fixtures::chat_message(7), fixtures::chat_message(7)];
        for codec in Codec::ALL {
            let encoded = EncodedObjects::of_messages(codec, &fixtures::topics(), &objects, &messages);
            for (place, message) in messages.iter().enumerate() {
                assert_eq!(encoded.object(place), written(codec, message, DeliveryKind::Live));
            }
        }
    }

    #[test]
    fn an_encoded_message_is_delivered_in_another_way() {
        let message = TopicMessage::new(&json!({"c": 20}), None);
        for codec in Codec::ALL {
            let live = written(codec, &message, DeliveryKind::Live);
            for kind in [DeliveryKind::Conflated(3), DeliveryKind::Snapshot] {
                let mut out = Vec::new();
                assert!(codec.append_as(&mut out, &live, kind));
                assert_eq!(out, written(codec, &message, kind));
            }
        }
    }
}
