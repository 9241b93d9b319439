use rmp::encode as to;

use super::DeliveryKind;
use super::codec::kind_letter;
use crate::model::{Body, Conditions, Object, Price, Timestamp, Universe};

/// Appends one object as a MessagePack map: the same keys in the same order as in JSON.
pub(super) fn object(out: &mut Vec<u8>, universe: &Universe, object: &Object, mark: DeliveryKind) {
    let marked = u32::from(mark != DeliveryKind::Live);
    let mut map = Map { out };
    map.len(ALWAYS + body_fields(&object.body) + marked);
    map.letter("T", kind_letter(&object.body));
    map.text("S", universe.instrument(object.body.symbol()).symbol.as_str());
    write_body(&mut map, &object.body);
    map.integer("sq", object.seq.0);
    map.mark(mark);
}

/// Appends an object with a mark, given how it is written without one: the map gets one field more.
/// Not where that takes a longer head.
pub(super) fn marked(out: &mut Vec<u8>, live: &[u8], mark: DeliveryKind) -> bool {
    const MAP_16: u8 = 0xde;
    let head = out.len();
    out.extend_from_slice(live);
    if mark == DeliveryKind::Live {
        return true;
    }
    match live {
        [0x80..=0x8e, ..] => out[head] += 1,
        [MAP_16, _, 0..=0xfe, ..] => out[head + 2] += 1,
        _ => return false,
    }
    Map { out }.mark(mark);
    true
}

/// `T`, `S` and `sq`.
const ALWAYS: u32 = 3;

/// How many fields [`write_body`] writes: a map says so before its first.
const fn body_fields(body: &Body) -> u32 {
    match body {
        Body::Trade(_) => 7,
        Body::Quote(_) => 9,
        Body::Bar(_) | Body::UpdatedBar(_) | Body::DailyBar(_) => 8,
        Body::Status(_) => 6,
        Body::Luld(_) => 5,
        Body::Cancel(_) => 7,
        Body::Correction(_) => 11,
        Body::Ticker(_) => 14,
    }
}

fn write_body(map: &mut Map<'_>, body: &Body) {
    match body {
        Body::Trade(trade) => {
            map.integer("i", trade.id);
            map.letter("x", trade.venue.0);
            map.price("p", trade.price);
            map.integer("s", trade.size);
            map.conditions("c", trade.conditions);
            map.letter("z", trade.tape.letter());
            map.time("t", trade.at);
        }
        Body::Quote(quote) => {
            map.letter("bx", quote.bid_venue.0);
            map.price("bp", quote.bid);
            map.integer("bs", quote.bid_size);
            map.letter("ax", quote.ask_venue.0);
            map.price("ap", quote.ask);
            map.integer("as", quote.ask_size);
            map.conditions("c", quote.conditions);
            map.letter("z", quote.tape.letter());
            map.time("t", quote.at);
        }
        Body::Bar(bar) | Body::UpdatedBar(bar) | Body::DailyBar(bar) => {
            map.price("o", bar.open);
            map.price("h", bar.high);
            map.price("l", bar.low);
            map.price("c", bar.close);
            map.integer("v", bar.volume);
            map.integer("n", bar.trades);
            map.micros("vw", bar.vwap_micros());
            map.time("t", bar.start);
        }
        Body::Status(status) => {
            map.text("sc", status.status.code());
            map.text("sm", status.status.message());
            map.text("rc", status.reason.code());
            map.text("rm", status.reason.message());
            map.letter("z", status.tape.letter());
            map.time("t", status.at);
        }
        Body::Luld(luld) => {
            map.price("u", luld.up);
            map.price("d", luld.down);
            map.letter("i", luld.indicator);
            map.letter("z", luld.tape.letter());
            map.time("t", luld.at);
        }
        Body::Cancel(cancel) => {
            map.integer("i", cancel.id);
            map.letter("x", cancel.venue.0);
            map.price("p", cancel.price);
            map.integer("s", cancel.size);
            map.letter("a", cancel.action.letter());
            map.letter("z", cancel.tape.letter());
            map.time("t", cancel.at);
        }
        Body::Correction(correction) => {
            map.letter("x", correction.venue.0);
            map.integer("oi", correction.original.id);
            map.price("op", correction.original.price);
            map.integer("os", correction.original.size);
            map.conditions("oc", correction.original.conditions);
            map.integer("ci", correction.corrected.id);
            map.price("cp", correction.corrected.price);
            map.integer("cs", correction.corrected.size);
            map.conditions("cc", correction.corrected.conditions);
            map.letter("z", correction.tape.letter());
            map.time("t", correction.at);
        }
        Body::Ticker(ticker) => {
            map.price("p", ticker.price);
            map.integer("s", ticker.size);
            map.price("bp", ticker.bid);
            map.integer("bs", ticker.bid_size);
            map.price("ap", ticker.ask);
            map.integer("as", ticker.ask_size);
            map.price("o", ticker.open);
            map.price("h", ticker.high);
            map.price("l", ticker.low);
            map.price("pc", ticker.previous_close);
            map.integer("v", ticker.volume);
            map.integer("n", ticker.trades);
            map.micros("vw", ticker.vwap_micros);
            map.time("t", ticker.at);
        }
    }
}

/// A map in the making. Writing to a vector does not fail.
struct Map<'a> {
    out: &'a mut Vec<u8>,
}

const INFALLIBLE: &str = "writing to a vector does not fail";

impl Map<'_> {
    fn mark(&mut self, mark: DeliveryKind) {
        match mark {
            DeliveryKind::Live => {}
            DeliveryKind::Conflated(objects) => self.integer("cf", objects),
            DeliveryKind::Snapshot => self.truth("sn"),
        }
    }

    fn len(&mut self, fields: u32) {
        to::write_map_len(self.out, fields).expect(INFALLIBLE);
    }

    fn text(&mut self, key: &str, text: &str) {
        to::write_str(self.out, key).expect(INFALLIBLE);
        to::write_str(self.out, text).expect(INFALLIBLE);
    }

    fn letter(&mut self, key: &str, letter: u8) {
        to::write_str(self.out, key).expect(INFALLIBLE);
        self.out.extend_from_slice(&[FIXSTR_1, letter]);
    }

    fn integer(&mut self, key: &str, number: impl Into<u64>) {
        to::write_str(self.out, key).expect(INFALLIBLE);
        to::write_uint(self.out, number.into()).expect(INFALLIBLE);
    }

    /// Dollars as a double, which is exact enough to round to the same cents.
    fn price(&mut self, key: &str, price: Price) {
        to::write_str(self.out, key).expect(INFALLIBLE);
        to::write_f64(self.out, price.to_dollars()).expect(INFALLIBLE);
    }

    fn micros(&mut self, key: &str, micros: u64) {
        to::write_str(self.out, key).expect(INFALLIBLE);
        to::write_f64(self.out, micros as f64 / 1e6).expect(INFALLIBLE);
    }

    fn conditions(&mut self, key: &str, conditions: Conditions) {
        to::write_str(self.out, key).expect(INFALLIBLE);
        to::write_array_len(self.out, conditions.letters().count() as u32).expect(INFALLIBLE);
        for condition in conditions.letters() {
            self.out.extend_from_slice(&[FIXSTR_1, condition]);
        }
    }

    fn truth(&mut self, key: &str) {
        to::write_str(self.out, key).expect(INFALLIBLE);
        to::write_bool(self.out, true).expect(INFALLIBLE);
    }

    /// The timestamp extension, type −1: seconds alone in 32 bits where that says it all, else
    /// nanoseconds and 34 bits of seconds in 64 (MessagePack specification, "Timestamp extension type").
    fn time(&mut self, key: &str, at: Timestamp) {
        to::write_str(self.out, key).expect(INFALLIBLE);
        let (seconds, nanos) = (at.seconds() as u64, u64::from(at.subsec_nanos()));
        match u32::try_from(seconds) {
            Ok(seconds) if nanos == 0 => {
                self.out.extend_from_slice(&[FIXEXT_4, TIMESTAMP]);
                self.out.extend_from_slice(&seconds.to_be_bytes());
            }
            _ => {
                self.out.extend_from_slice(&[FIXEXT_8, TIMESTAMP]);
                self.out.extend_from_slice(&(nanos << 34 | seconds).to_be_bytes());
            }
        }
    }
}

const FIXSTR_1: u8 = 0xA1;
const FIXEXT_4: u8 = 0xD6;
const FIXEXT_8: u8 = 0xD7;
const TIMESTAMP: u8 = 0xFF;

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
    fn times_take_the_shorter_form_where_it_says_all() {
        let time = |object: Object| {
            let fields = read(&object, DeliveryKind::Live);
            fields.into_iter().find(|(key, _)| key.as_str() == Some("t")).unwrap().1
        };

        let whole = 1_614_009_105u32.to_be_bytes().to_vec();
        assert_eq!(time(fixtures::quote()), Value::Ext(-1, whole));
        let fine = (208_000_001u64 << 34 | 1_614_009_104).to_be_bytes().to_vec();
        assert_eq!(time(fixtures::trade()), Value::Ext(-1, fine));
    }
}
