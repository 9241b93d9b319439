use rmp::encode as to;

use super::DeliveryKind;
use super::message::{TopicMessage, message_field_count, write_message};
use super::objects::{
    field_count, ticker_field_count, write_delivery, write_marks, write_object, write_ticker,
};
use super::schema::{FieldKey, FieldWriter};
use super::ticker_fields::{FieldEnds, NumberedTicker, TickerPart};
use crate::model::{Conditions, Object, Price, Timestamp, Universe};

/// Appends one object as a MessagePack map: the same keys in the same order as in JSON.
pub(super) fn object(out: &mut Vec<u8>, universe: &Universe, object: &Object, kind: DeliveryKind) {
    to::write_map_len(out, field_count(object, kind) as u32).expect(INFALLIBLE);
    write_object(&mut MsgPackFields { out }, universe, object, kind);
}

/// Appends one message of a topic.
pub(super) fn message(
    out: &mut Vec<u8>,
    universe: &Universe,
    object: &Object,
    message: &TopicMessage,
    kind: DeliveryKind,
) {
    to::write_map_len(out, message_field_count(message, kind) as u32).expect(INFALLIBLE);
    write_message(&mut MsgPackFields { out }, universe, object, message, kind);
}

/// Appends the header of a part of a ticker.
pub(super) fn begin_ticker(out: &mut Vec<u8>, kind: DeliveryKind, part: TickerPart) {
    to::write_map_len(out, ticker_field_count(kind, part) as u32).expect(INFALLIBLE);
}

/// Appends a ticker without its header and its marks; returns where each field ends.
pub(super) fn open_ticker(out: &mut Vec<u8>, universe: &Universe, ticker: NumberedTicker<'_>) -> FieldEnds {
    write_ticker(&mut MsgPackFields { out }, universe, ticker)
}

/// Appends the last fields of a part of a ticker.
pub(super) fn end_ticker(out: &mut Vec<u8>, kind: DeliveryKind, part: TickerPart) {
    write_marks(&mut MsgPackFields { out }, kind, part);
}

/// Appends an object as another kind of delivery, given its encoding as a live one: the map gets one
/// more field. Fails where that takes a longer map header.
pub(super) fn append_as(out: &mut Vec<u8>, live: &[u8], kind: DeliveryKind) -> bool {
    const MAP_16: u8 = 0xde;
    let head = out.len();
    out.extend_from_slice(live);
    if kind == DeliveryKind::Live {
        return true;
    }
    match live {
        [0x80..=0x8e, ..] => out[head] += 1,
        [MAP_16, _, 0..=0xfe, ..] => out[head + 2] += 1,
        _ => return false,
    }
    write_delivery(&mut MsgPackFields { out }, kind);
    true
}

/// Appends fields to a map.
struct MsgPackFields<'a> {
    out: &'a mut Vec<u8>,
}

const INFALLIBLE: &str = "writing to a vector does not fail";

impl FieldWriter for MsgPackFields<'_> {
    #[inline]
    fn written(&self) -> usize {
        self.out.len()
    }

    #[inline]
    fn integer(&mut self, key: FieldKey, number: u64) {
        self.out.extend_from_slice(key.msgpack);
        to::write_uint(self.out, number).expect(INFALLIBLE);
    }

    #[inline]
    fn letter(&mut self, key: FieldKey, letter: u8) {
        self.out.extend_from_slice(key.msgpack);
        self.out.extend_from_slice(&[FIXSTR_1, letter]);
    }

    #[inline]
    fn text(&mut self, key: FieldKey, text: &str) {
        self.out.extend_from_slice(key.msgpack);
        to::write_str(self.out, text).expect(INFALLIBLE);
    }

    /// The double that is nearest to the price.
    #[inline]
    fn price(&mut self, key: FieldKey, price: Price) {
        self.out.extend_from_slice(key.msgpack);
        to::write_f64(self.out, price.to_dollars()).expect(INFALLIBLE);
    }

    #[inline]
    fn average_price(&mut self, key: FieldKey, micros: i64) {
        self.out.extend_from_slice(key.msgpack);
        to::write_f64(self.out, micros as f64 / 1e6).expect(INFALLIBLE);
    }

    #[inline]
    fn letters(&mut self, key: FieldKey, letters: Conditions) {
        self.out.extend_from_slice(key.msgpack);
        to::write_array_len(self.out, letters.letters().count() as u32).expect(INFALLIBLE);
        for letter in letters.letters() {
            self.out.extend_from_slice(&[FIXSTR_1, letter]);
        }
    }

    #[inline]
    fn time(&mut self, key: FieldKey, at: Timestamp) {
        self.out.extend_from_slice(key.msgpack);
        write_time(self.out, at);
    }

    #[inline]
    fn is_true(&mut self, key: FieldKey) {
        self.out.extend_from_slice(key.msgpack);
        to::write_bool(self.out, true).expect(INFALLIBLE);
    }

    fn data<'m>(&mut self, key: FieldKey, _: &str, msgpack: impl FnOnce() -> &'m [u8]) {
        self.out.extend_from_slice(key.msgpack);
        self.out.extend_from_slice(msgpack());
    }

    fn free_text(&mut self, key: FieldKey, text: &str) {
        self.text(key, text);
    }
}

/// The timestamp extension, type −1: 32 bits of seconds if the time is a whole second that fits, else
/// 30 bits of nanoseconds and 34 bits of seconds; before 1970 32 bits of nanoseconds and 64 of seconds (MessagePack
/// specification, "Timestamp extension type").
#[inline]
fn write_time(out: &mut Vec<u8>, at: Timestamp) {
    let (seconds, nanos) = (at.seconds(), at.subsec_nanos());
    match (u32::try_from(seconds), u64::try_from(seconds)) {
        (Ok(seconds), _) if nanos == 0 => {
            out.extend_from_slice(&[FIXEXT_4, TIMESTAMP]);
            out.extend_from_slice(&seconds.to_be_bytes());
        }
        (_, Ok(seconds)) => {
            out.extend_from_slice(&[FIXEXT_8, TIMESTAMP]);
            out.extend_from_slice(&(u64::from(nanos) << 34 | seconds).to_be_bytes());
        }
        (_, Err(_)) => {
            out.extend_from_slice(&[EXT_8, TIMESTAMP_96_BYTES, TIMESTAMP]);
            out.extend_from_slice(&nanos.to_be_bytes());
            out.extend_from_slice(&seconds.to_be_bytes());
        }
    }
}

/// The type of the timestamp extension, and its content for this time.
pub(super) fn timestamp_extension(at: Timestamp) -> (i8, Vec<u8>) {
    let mut written = Vec::new();
    write_time(&mut written, at);
    let header = if written[0] == EXT_8 { 3 } else { 2 };
    (-1, written.split_off(header))
}

const FIXSTR_1: u8 = 0xA1;
const FIXEXT_4: u8 = 0xD6;
const FIXEXT_8: u8 = 0xD7;
const EXT_8: u8 = 0xC7;
const TIMESTAMP: u8 = 0xFF;
const TIMESTAMP_96_BYTES: u8 = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Codec, fixtures};
    use rmpv::Value;

    fn read(object: &Object, mark: DeliveryKind) -> Vec<(Value, Value)> {
        let mut bytes = Vec::new();
        Codec::MsgPack.write(&mut bytes, &fixtures::universe(), object, mark);
        let mut rest = &bytes[..];
        let value = rmpv::decode::read_value(&mut rest).unwrap();
        assert!(rest.is_empty(), "the map says how long it is");
        let Value::Map(fields) = value else { panic!("no map: {value}") };
        fields
    }

    #[test]
    fn both_codecs_have_the_same_keys_in_the_same_order_and_the_same_values() {
        for object in fixtures::objects() {
            for mark in [DeliveryKind::Live, DeliveryKind::Conflated(3), DeliveryKind::Snapshot] {
                let fields = read(&object, mark);
                let mut json = Vec::new();
                Codec::Json.write(&mut json, &fixtures::universe(), &object, mark);
                json.pop();
                let other: serde_json::Map<_, _> = serde_json::from_slice(&json).unwrap();

                let text = String::from_utf8(json).unwrap();
                let keys: Vec<_> = fields.iter().map(|(key, _)| key.as_str().unwrap().to_owned()).collect();
                let places: Vec<_> =
                    keys.iter().map(|key| text.find(&format!("\"{key}\":")).unwrap()).collect();
                assert!(places.is_sorted() && keys.len() == other.len(), "{keys:?} {text}");
                for (key, value) in &fields {
                    let key = key.as_str().unwrap();
                    if key != "t" {
                        let same: serde_json::Value = serde_json::to_value(value).unwrap();
                        let equal = same == other[key]
                            || same.as_f64().zip(other[key].as_f64()).is_some_and(|(a, b)| a == b);
                        assert!(equal, "{key}: {same} and {}", other[key]);
                    }
                }
            }
        }
    }

    #[test]
    fn a_whole_second_takes_the_shorter_form_of_a_time() {
        let time = |object: Object| {
            let fields = read(&object, DeliveryKind::Live);
            fields.into_iter().find(|(key, _)| key.as_str() == Some("t")).unwrap().1
        };

        let whole = 1_614_009_105u32.to_be_bytes().to_vec();
        assert_eq!(time(fixtures::quote()), Value::Ext(-1, whole));
        let fine = (208_000_001u64 << 34 | 1_614_009_104).to_be_bytes().to_vec();
        assert_eq!(time(fixtures::trade()), Value::Ext(-1, fine));
    }

    #[test]
    fn a_time_before_1970_takes_the_longest_form() {
        let object = fixtures::trade();
        let crate::model::Body::Trade(mut trade) = object.body else { unreachable!() };
        trade.at = Timestamp::from_nanos(-1);

        let fields = read(&Object { body: crate::model::Body::Trade(trade), ..object }, DeliveryKind::Live);

        let bytes = [&999_999_999u32.to_be_bytes()[..], &(-1i64).to_be_bytes()[..]].concat();
        let time = fields.into_iter().find(|(key, _)| key.as_str() == Some("t")).unwrap().1;
        assert_eq!(time, Value::Ext(-1, bytes));
    }
}
