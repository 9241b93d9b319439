//! Parts of ticker objects: the keys that a client selected, and those that changed since an earlier object.

use super::json::{self, JsonEncoder};
use super::objects::Fields;
use super::schema::{FieldKey, FieldWriter};
use super::{Codec, DeliveryKind, msgpack};
use crate::model::{Body, Conditions, Object, Price, Seq, Ticker, Timestamp, Universe};

/// The number of fields of a ticker that clients select from, the time included.
const COUNT: usize = <Ticker as Fields>::FIELDS.len();

/// The place of the time among the fields.
const TIME: usize = COUNT - 1;

/// A set of fields of ticker objects, from those between `S` and `sq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TickerFields(u16);

impl TickerFields {
    /// All fields.
    pub const ALL: Self = Self((1 << COUNT) - 1);

    /// The time, which a client gets that selects no field.
    pub const TIME: Self = Self(1 << TIME);

    /// What a client names that wants no time.
    pub const WITHOUT_TIME: &'static str = "-t";

    /// No field.
    pub const NONE: Self = Self(0);

    /// The field of this key.
    pub fn named(key: &str) -> Option<Self> {
        let place = <Ticker as Fields>::FIELDS.iter().position(|field| field.key == key)?;
        Some(Self(1 << place))
    }

    /// The keys that are selected by name, in the order on the wire: all but the time.
    pub fn keys(self) -> impl Iterator<Item = &'static str> {
        let fields = <Ticker as Fields>::FIELDS[..TIME].iter().enumerate();
        fields.filter(move |(place, _)| self.has(*place)).map(|(_, field)| field.key)
    }

    /// The fields of both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The fields that are in both sets.
    #[must_use]
    pub const fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether these are all fields.
    pub const fn is_all(self) -> bool {
        self.0 == Self::ALL.0
    }

    /// Whether the time is among them.
    pub const fn has_time(self) -> bool {
        self.has(TIME)
    }

    /// The number of fields.
    pub(super) const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    const fn has(self, place: usize) -> bool {
        self.0 & (1 << place) != 0
    }
}

/// A ticker with its number in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberedTicker<'a> {
    /// The ticker.
    pub ticker: &'a Ticker,
    /// Its number.
    pub seq: Seq,
}

impl<'a> NumberedTicker<'a> {
    /// The ticker in this object; `None` if it is of another channel.
    pub const fn of(object: &'a Object) -> Option<Self> {
        match &object.body {
            Body::Ticker(ticker) => Some(Self { ticker, seq: object.seq }),
            _ => None,
        }
    }
}

/// The part of a ticker object that one client gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickerPart {
    /// The fields that are written.
    pub fields: TickerFields,
    /// Whether the object says that it is whole (`full`): a client that applies changes begins with it.
    pub is_full: bool,
}

impl TickerPart {
    /// These fields and nothing more.
    pub const fn of(fields: TickerFields) -> Self {
        Self { fields, is_full: false }
    }

    /// All fields that the client selected, marked as whole.
    pub const fn full(fields: TickerFields) -> Self {
        Self { fields, is_full: true }
    }
}

/// The values of all fields of a ticker, to be compared with those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickerValues([u64; COUNT]);

impl TickerValues {
    /// The values of this ticker.
    pub fn of(ticker: &Ticker) -> Self {
        let mut collector = ValueCollector { values: [0; COUNT], next: 0 };
        ticker.write(&mut collector);
        Self(collector.values)
    }

    /// Calls this for the place of each field whose value differs.
    pub fn for_each_change(&self, other: &Self, mut changed: impl FnMut(usize)) {
        for (place, (value, other)) in self.0.iter().zip(&other.0).enumerate() {
            if value != other {
                changed(place);
            }
        }
    }
}

/// For each field of a ticker the number of the object that changed it last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickerChanges([u64; COUNT]);

impl TickerChanges {
    /// All fields as of the object of this number.
    pub const fn since(seq: u64) -> Self {
        Self([seq; COUNT])
    }

    /// The object of this number changed the field at this place.
    pub const fn record(&mut self, place: usize, seq: u64) {
        self.0[place] = seq;
    }

    /// The fields that changed behind the object of this number.
    pub fn after(&self, seq: u64) -> TickerFields {
        let places = self.0.iter().enumerate();
        TickerFields(places.fold(0, |fields, (place, changed)| fields | (u16::from(*changed > seq) << place)))
    }
}

/// Collects the values of fields as numbers that are equal if the values are.
struct ValueCollector {
    values: [u64; COUNT],
    next: usize,
}

impl ValueCollector {
    fn push(&mut self, value: u64) {
        self.values[self.next] = value;
        self.next += 1;
    }
}

impl FieldWriter for ValueCollector {
    fn integer(&mut self, _: FieldKey, number: u64) {
        self.push(number);
    }

    fn letter(&mut self, _: FieldKey, letter: u8) {
        self.push(letter.into());
    }

    fn text(&mut self, _: FieldKey, _: &str) {
        unreachable!("a ticker has no text");
    }

    fn price(&mut self, _: FieldKey, price: Price) {
        self.push(price.nanos() as u64);
    }

    fn average_price(&mut self, _: FieldKey, micros: i64) {
        self.push(micros as u64);
    }

    fn letters(&mut self, _: FieldKey, _: Conditions) {
        unreachable!("a ticker has no letters");
    }

    fn time(&mut self, _: FieldKey, at: Timestamp) {
        self.push(at.nanos() as u64);
    }

    fn is_true(&mut self, _: FieldKey) {
        unreachable!("a ticker has no flags");
    }
}

/// A ticker in one codec, of which parts are put together without encoding it again.
#[derive(Debug)]
pub struct EncodedTicker {
    codec: Codec,
    /// The whole ticker as a live object, without what depends on the part: the header of a map, marks, the end.
    bytes: Vec<u8>,
    ends: FieldEnds,
}

/// Where the fields of an encoded ticker end: the symbol, and each field behind it.
pub(super) type FieldEnds = [u16; COUNT + 1];

impl EncodedTicker {
    /// Encodes a ticker.
    pub fn new(codec: Codec, universe: &Universe, ticker: NumberedTicker<'_>) -> Self {
        let mut encoded = Self { codec, bytes: Vec::new(), ends: [0; COUNT + 1] };
        encoded.replace(universe, ticker);
        encoded
    }

    /// Encodes another ticker in its place.
    pub fn replace(&mut self, universe: &Universe, ticker: NumberedTicker<'_>) {
        self.bytes.clear();
        self.ends = match self.codec {
            Codec::Json => JsonEncoder::default().open_ticker(&mut self.bytes, universe, ticker),
            Codec::MsgPack => msgpack::open_ticker(&mut self.bytes, universe, ticker),
        };
    }

    /// Appends a part with its marks, and in JSON the comma behind it.
    pub fn append(&self, out: &mut Vec<u8>, kind: DeliveryKind, part: TickerPart) {
        if self.codec == Codec::MsgPack {
            msgpack::begin_ticker(out, kind, part);
        }
        let Self { bytes, ends, .. } = self;
        out.extend_from_slice(&bytes[..ends[0].into()]);
        let mut rest = part.fields.0;
        // Field by field takes three times as long: most have neighbours.
        while rest != 0 {
            let first = rest.trailing_zeros() as usize;
            let behind = first + (rest >> first).trailing_ones() as usize;
            out.extend_from_slice(&bytes[ends[first].into()..ends[behind].into()]);
            rest &= u16::MAX << behind;
        }
        out.extend_from_slice(&bytes[ends[COUNT].into()..]);
        match self.codec {
            Codec::Json => json::end_ticker(out, kind, part),
            Codec::MsgPack => msgpack::end_ticker(out, kind, part),
        }
    }
}

/// Writes the fields of a ticker, and notes where each ends.
pub(super) struct MeasuredFields<'a, W> {
    out: &'a mut W,
    start: usize,
    ends: FieldEnds,
    next: usize,
}

impl<'a, W: FieldWriter> MeasuredFields<'a, W> {
    pub(super) fn new(out: &'a mut W) -> Self {
        let start = out.written();
        Self { out, start, ends: [0; COUNT + 1], next: 0 }
    }

    /// Writes what comes before the fields.
    pub(super) fn begin(&mut self, write: impl FnOnce(&mut W)) {
        write(self.out);
        self.note();
    }

    pub(super) const fn ends(&self) -> FieldEnds {
        self.ends
    }

    fn note(&mut self) {
        self.ends[self.next] = (self.out.written() - self.start) as u16;
        self.next += 1;
    }
}

impl<W: FieldWriter> FieldWriter for MeasuredFields<'_, W> {
    fn integer(&mut self, key: FieldKey, number: u64) {
        self.out.integer(key, number);
        self.note();
    }

    fn letter(&mut self, key: FieldKey, letter: u8) {
        self.out.letter(key, letter);
        self.note();
    }

    fn text(&mut self, key: FieldKey, text: &str) {
        self.out.text(key, text);
        self.note();
    }

    fn price(&mut self, key: FieldKey, price: Price) {
        self.out.price(key, price);
        self.note();
    }

    fn average_price(&mut self, key: FieldKey, micros: i64) {
        self.out.average_price(key, micros);
        self.note();
    }

    fn letters(&mut self, key: FieldKey, letters: Conditions) {
        self.out.letters(key, letters);
        self.note();
    }

    fn time(&mut self, key: FieldKey, at: Timestamp) {
        self.out.time(key, at);
        self.note();
    }

    fn is_true(&mut self, key: FieldKey) {
        self.out.is_true(key);
        self.note();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::SymbolId;
    use crate::wire::fixtures;
    use rmpv::Value;

    /// A ticker in which every field has another value than the fields before it.
    fn ticker() -> Ticker {
        let price = |cents| Price::from_cents(cents);
        Ticker {
            symbol: SymbolId(0),
            price: price(12_655),
            size: 1,
            bid: price(12_650),
            bid_size: 100,
            ask: price(12_656),
            ask_size: 300,
            open: price(12_600),
            high: price(12_700),
            low: price(12_500),
            previous_close: price(12_550),
            volume: 70_000,
            trades: 2_000,
            vwap_micros: 126_400_001,
            at: Timestamp::from_nanos(1_614_009_104_208_000_001),
        }
    }

    /// The same ticker with one other field; one for each field, in the order on the wire.
    fn changed() -> [Ticker; COUNT] {
        let (before, other) = (ticker(), Price::from_cents(1));
        [
            Ticker { price: other, ..before },
            Ticker { size: 7, ..before },
            Ticker { bid: other, ..before },
            Ticker { bid_size: 7, ..before },
            Ticker { ask: other, ..before },
            Ticker { ask_size: 7, ..before },
            Ticker { open: other, ..before },
            Ticker { high: other, ..before },
            Ticker { low: other, ..before },
            Ticker { previous_close: other, ..before },
            Ticker { volume: 7, ..before },
            Ticker { trades: 7, ..before },
            Ticker { vwap_micros: 7, ..before },
            Ticker { at: before.at + Duration::from_nanos(1), ..before },
        ]
    }

    fn written(codec: Codec, ticker: &Ticker, kind: DeliveryKind, part: TickerPart) -> Vec<u8> {
        let mut out = Vec::new();
        let ticker = NumberedTicker { ticker, seq: Seq(9) };
        EncodedTicker::new(codec, &fixtures::universe(), ticker).append(&mut out, kind, part);
        out
    }

    /// The keys and values of an encoded object, in order, with those of JSON as in MessagePack but for the time.
    fn entries(codec: Codec, bytes: &[u8]) -> Vec<(String, Value)> {
        match codec {
            Codec::Json => {
                let text = std::str::from_utf8(bytes).unwrap().trim_end_matches(',');
                let object: serde_json::Map<_, _> = serde_json::from_str(text).unwrap();
                let mut entries: Vec<_> = object.into_iter().collect();
                entries.sort_by_key(|(key, _)| text.find(&format!("\"{key}\":")));
                entries.into_iter().map(|(key, value)| (key, rmpv::ext::to_value(value).unwrap())).collect()
            }
            Codec::MsgPack => {
                let mut rest = bytes;
                let Value::Map(map) = rmpv::decode::read_value(&mut rest).unwrap() else { panic!("no map") };
                assert!(rest.is_empty(), "the map says how long it is");
                map.into_iter().map(|(key, value)| (key.as_str().unwrap().to_owned(), value)).collect()
            }
        }
    }

    fn key_of(place: usize) -> &'static str {
        <Ticker as Fields>::FIELDS[place].key
    }

    #[test]
    fn each_field_that_changed_is_found_and_written_alone() {
        let before = ticker();
        for (place, after) in changed().iter().enumerate() {
            let mut changes = TickerChanges::since(8);
            TickerValues::of(after)
                .for_each_change(&TickerValues::of(&before), |place| changes.record(place, 9));
            let part = TickerPart::of(changes.after(8));
            for codec in Codec::ALL {
                let kind = DeliveryKind::Conflated(3);
                let whole = entries(codec, &written(codec, after, kind, TickerPart::full(TickerFields::ALL)));
                let wanted = ["T", "S", key_of(place), "sq", "cf"];
                let expected: Vec<_> =
                    whole.into_iter().filter(|(key, _)| wanted.contains(&&**key)).collect();

                assert_eq!(expected.len(), 5, "{codec:?} {place}");
                assert_eq!(entries(codec, &written(codec, after, kind, part)), expected, "{codec:?}");
            }
        }
    }

    #[test]
    fn all_fields_are_those_of_the_whole_object() {
        let body = ticker();
        let object = Object { seq: Seq(9), body: Body::Ticker(body) };
        for codec in Codec::ALL {
            for kind in [DeliveryKind::Live, DeliveryKind::Conflated(3), DeliveryKind::Snapshot] {
                let mut whole = Vec::new();
                codec.write(&mut whole, &fixtures::universe(), &object, kind);
                assert_eq!(written(codec, &body, kind, TickerPart::of(TickerFields::ALL)), whole);

                let full = written(codec, &body, kind, TickerPart::full(TickerFields::ALL));
                let mut expected = entries(codec, &whole);
                expected.push(("full".to_owned(), true.into()));
                assert_eq!(entries(codec, &full), expected);
            }
        }
    }

    #[test]
    fn a_part_has_its_fields_in_order_with_the_values_of_the_whole_object() {
        let body = ticker();
        let every_part = (0..1 << COUNT).map(TickerFields);
        for fields in every_part.step_by(37).chain([TickerFields::ALL, TickerFields::NONE]) {
            for kind in [DeliveryKind::Live, DeliveryKind::Conflated(70_000), DeliveryKind::Snapshot] {
                for codec in Codec::ALL {
                    let is_selected =
                        |key: &str| TickerFields::named(key).is_none_or(|it| it.within(fields) == it);
                    let whole = TickerPart::full(TickerFields::ALL);
                    let mut expected = entries(codec, &written(codec, &body, kind, whole));
                    expected.retain(|(key, _)| is_selected(key));

                    let full = written(codec, &body, kind, TickerPart::full(fields));
                    assert_eq!(entries(codec, &full), expected, "{fields:?} {kind:?} {codec:?}");
                    expected.pop();
                    let part = written(codec, &body, kind, TickerPart::of(fields));
                    assert_eq!(entries(codec, &part), expected, "{fields:?} {kind:?} {codec:?}");
                }
            }
        }
    }

    #[test]
    fn an_encoding_is_replaced_by_that_of_another_ticker() {
        let [first, other] = [ticker(), Ticker { volume: 7, symbol: SymbolId(1), ..ticker() }];
        let universe = fixtures::universe();
        for codec in Codec::ALL {
            let numbered = |ticker| NumberedTicker { ticker, seq: Seq(9) };
            let mut encoded = EncodedTicker::new(codec, &universe, numbered(&first));
            encoded.replace(&universe, numbered(&other));

            let mut out = Vec::new();
            let part = TickerPart::of(TickerFields::TIME);
            encoded.append(&mut out, DeliveryKind::Live, part);
            assert_eq!(out, written(codec, &other, DeliveryKind::Live, part));
        }
    }

    #[test]
    fn keys_are_those_between_the_symbol_and_the_number_without_the_time() {
        let keys: Vec<_> = TickerFields::ALL.keys().collect();

        assert_eq!(keys, ["p", "s", "bp", "bs", "ap", "as", "o", "h", "l", "pc", "v", "n", "vw"]);
        assert_eq!(TickerFields::named("t"), Some(TickerFields::TIME));
        assert!(["T", "S", "sq", "cf", "zz", ""].iter().all(|key| TickerFields::named(key).is_none()));
        let all = keys.iter().map(|key| TickerFields::named(key).unwrap());
        assert!(all.fold(TickerFields::TIME, TickerFields::with).is_all());
    }
}
