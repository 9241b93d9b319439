use super::DeliveryKind;
use super::clock_text::ClockText;
use super::message::{TopicMessage, write_message};
use super::objects::{Fields, write_delivery, write_marks, write_object, write_ticker};
use super::schema::{FieldKey, FieldWriter};
use super::ticker_fields::{FieldEnds, NumberedTicker, TickerPart};
use crate::model::{Conditions, Object, Price, Timestamp, Universe};

/// Encodes objects as JSON. Each ends with the comma that separates it from the next.
///
/// Written by hand, because it runs once for every event of the market: digits go straight into the
/// buffer, and the text of a second is formatted once for all events within it.
#[derive(Debug, Default)]
pub(super) struct JsonEncoder {
    clock: ClockText,
}

/// The end of each object.
const END: &[u8] = b"},";

/// Appends an object as another kind of delivery, given its encoding as a live one.
pub(super) fn append_as(out: &mut Vec<u8>, live: &[u8], kind: DeliveryKind) -> bool {
    let Some(fields) = live.strip_suffix(END) else { return false };
    out.extend_from_slice(fields);
    write_delivery(&mut JsonFields { out, encoder: &mut JsonEncoder::default() }, kind);
    out.extend_from_slice(END);
    true
}

/// Appends the last fields of a part of a ticker, and its end.
pub(super) fn end_ticker(out: &mut Vec<u8>, kind: DeliveryKind, part: TickerPart) {
    write_marks(&mut JsonFields { out, encoder: &mut JsonEncoder::default() }, kind, part);
    out.extend_from_slice(END);
}

impl JsonEncoder {
    /// Appends one object and its comma.
    pub(super) fn object(
        &mut self,
        out: &mut Vec<u8>,
        universe: &Universe,
        object: &Object,
        kind: DeliveryKind,
    ) {
        let start = out.len();
        write_object(&mut JsonFields { out, encoder: self }, universe, object, kind);
        out[start] = b'{';
        out.extend_from_slice(END);
    }

    /// Appends a ticker without its marks and its end; returns where each field ends.
    pub(super) fn open_ticker(
        &mut self,
        out: &mut Vec<u8>,
        universe: &Universe,
        ticker: NumberedTicker<'_>,
    ) -> FieldEnds {
        let start = out.len();
        let ends = write_ticker(&mut JsonFields { out, encoder: self }, universe, ticker);
        out[start] = b'{';
        ends
    }

    /// Appends one message of a topic and its comma.
    pub(super) fn message(
        &mut self,
        out: &mut Vec<u8>,
        universe: &Universe,
        object: &Object,
        message: &TopicMessage,
        kind: DeliveryKind,
    ) {
        let start = out.len();
        write_message(&mut JsonFields { out, encoder: self }, universe, object, message, kind);
        out[start] = b'{';
        out.extend_from_slice(END);
    }

    /// Appends an object of these fields alone.
    pub(super) fn row(&mut self, out: &mut Vec<u8>, fields: &impl Fields) {
        let start = out.len();
        fields.write(&mut JsonFields { out, encoder: self });
        out[start] = b'{';
        out.push(b'}');
    }

    /// Appends a time as text in quotes.
    pub(super) fn time(&mut self, out: &mut Vec<u8>, at: Timestamp) {
        out.push(b'"');
        out.extend_from_slice(self.clock.second(at));
        let nanos = at.subsec_nanos();
        if nanos > 0 {
            out.push(b'.');
            push_digits(out, nanos, 9);
        }
        out.extend_from_slice(b"Z\"");
    }
}

/// Appends fields, each with a comma before it; the first comma becomes the opening brace.
struct JsonFields<'a> {
    out: &'a mut Vec<u8>,
    encoder: &'a mut JsonEncoder,
}

impl FieldWriter for JsonFields<'_> {
    fn written(&self) -> usize {
        self.out.len()
    }

    fn integer(&mut self, key: FieldKey, number: u64) {
        self.out.extend_from_slice(key.json);
        push_integer(self.out, number);
    }

    fn letter(&mut self, key: FieldKey, letter: u8) {
        self.out.extend_from_slice(key.json);
        self.out.extend_from_slice(&[b'"', letter, b'"']);
    }

    fn text(&mut self, key: FieldKey, text: &str) {
        self.out.extend_from_slice(key.json);
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }

    fn price(&mut self, key: FieldKey, price: Price) {
        self.out.extend_from_slice(key.json);
        push_decimal_price(self.out, price);
    }

    fn average_price(&mut self, key: FieldKey, micros: i64) {
        self.out.extend_from_slice(key.json);
        push_average(self.out, micros);
    }

    fn letters(&mut self, key: FieldKey, letters: Conditions) {
        self.out.extend_from_slice(key.json);
        self.out.push(b'[');
        for (place, letter) in letters.letters().enumerate() {
            if place > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(&[b'"', letter, b'"']);
        }
        self.out.push(b']');
    }

    fn time(&mut self, key: FieldKey, at: Timestamp) {
        self.out.extend_from_slice(key.json);
        self.encoder.time(self.out, at);
    }

    fn is_true(&mut self, key: FieldKey) {
        self.out.extend_from_slice(key.json);
        self.out.extend_from_slice(b"true");
    }

    fn data<'m>(&mut self, key: FieldKey, json: &str, _: impl FnOnce() -> &'m [u8]) {
        self.out.extend_from_slice(key.json);
        self.out.extend_from_slice(json.as_bytes());
    }

    fn free_text(&mut self, key: FieldKey, text: &str) {
        self.out.extend_from_slice(key.json);
        serde_json::to_writer(&mut *self.out, text).expect("text can be written to a vector");
    }
}

fn push_integer(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A price in dollars.
pub(super) fn push_decimal_price(out: &mut Vec<u8>, price: Price) {
    if price.nanos() < 0 {
        out.push(b'-');
    }
    let (dollars, fraction) = price.split();
    push_integer(out, dollars);
    out.push(b'.');
    push_fraction(out, fraction);
}

/// Millionths of a dollar in dollars.
pub(super) fn push_average(out: &mut Vec<u8>, micros: i64) {
    if micros < 0 {
        out.push(b'-');
    }
    let (dollars, fraction) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    push_integer(out, dollars);
    out.push(b'.');
    push_digits(out, fraction as u32, 6);
}

/// Billionths as decimals: at least two, and beyond them no zeros at the end.
fn push_fraction(out: &mut Vec<u8>, nanos: u32) {
    const NANOS_PER_CENT: u32 = 10_000_000;
    if nanos.is_multiple_of(NANOS_PER_CENT) {
        return push_digits(out, nanos / NANOS_PER_CENT, 2);
    }
    push_digits(out, nanos, 9);
    while out.last() == Some(&b'0') {
        out.pop();
    }
}

/// A number with leading zeros, in exactly this many digits (at most 9).
fn push_digits(out: &mut Vec<u8>, mut number: u32, digits: usize) {
    let mut text = [b'0'; 9];
    for place in text[..digits].iter_mut().rev() {
        *place += (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&text[..digits]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, Seq, Trade};
    use crate::wire::fixtures;

    fn written(object: &Object) -> String {
        let mut out = Vec::new();
        JsonEncoder::default().object(&mut out, &fixtures::universe(), object, DeliveryKind::Live);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_trade_has_every_field_and_t_first() {
        assert_eq!(
            written(&fixtures::trade()),
            r#"{"T":"t","S":"AAPL","i":52983525029461,"x":"V","p":126.55,"s":1,"c":["@","I"],"z":"C","t":"2021-02-22T15:51:44.208000001Z","sq":8841},"#,
        );
    }

    #[test]
    fn a_quote_has_every_field_and_t_first() {
        assert_eq!(
            written(&fixtures::quote()),
            r#"{"T":"q","S":"AAPL","bx":"V","bp":126.50,"bs":100,"ax":"Q","ap":126.56,"as":300,"c":["R"],"z":"C","t":"2021-02-22T15:51:45Z","sq":7},"#,
        );
    }

    #[test]
    fn a_bar_begins_at_its_start_and_has_its_average_price() {
        assert_eq!(
            written(&fixtures::bar()),
            r#"{"T":"b","S":"MSFT","o":240.00,"h":240.10,"l":239.98,"c":240.04,"v":1200,"n":3,"vw":240.051666,"t":"2021-02-22T15:51:00Z","sq":1},"#,
        );
    }

    #[test]
    fn merged_objects_are_counted_in_cf() {
        let mut out = Vec::new();

        JsonEncoder::default().object(
            &mut out,
            &fixtures::universe(),
            &fixtures::quote(),
            DeliveryKind::Conflated(12),
        );

        assert!(out.ends_with(br#","sq":7,"cf":12},"#));
    }

    #[test]
    fn a_price_has_at_least_two_decimals_and_no_zeros_beyond() {
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        let nanos =
            [99_645_900_000, 388_985_000_000, 10_000_000, -1, -37_630_000_000, 1_000_000_000, i64::MIN];
        for price in nanos.map(Price::from_nanos) {
            let text = written(&Object { seq: Seq(1), body: Body::Trade(Trade { price, ..trade }) });
            assert!(text.contains(&format!(r#""p":{price},"#)), "{text} {price}");
        }
    }

    #[test]
    fn an_object_is_json() {
        for object in [fixtures::trade(), fixtures::quote(), fixtures::bar()] {
            let text = written(&object);

            let value: serde_json::Value = serde_json::from_str(text.trim_end_matches(',')).unwrap();

            assert_eq!(value["sq"], object.seq.0);
        }
    }
}
