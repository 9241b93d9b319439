//! Objects in a compact binary form, exact to the last field, for the journal and between the nodes of one service.
//!
//! A row is the letter of the channel, the symbol's id, the sequence number, and the fields in the order of their
//! declaration, without keys: 20 to 60 bytes. Prices are in cents or billionths, times are differences from a time that both
//! sides know. It is no form for clients: ids are valid in one universe only, and a reader must have the same
//! declarations as the writer.

use thiserror::Error;

use super::decode_objects::FieldReader;
use super::objects::{read_body, write_body};
use super::schema::{FieldKey, FieldWriter};
use super::varint::{push_i64, push_i128, push_u64, take, take_i64, take_i128, take_u64, unzigzag, zigzag};
use crate::model::{Channel, Conditions, Object, Price, Seq, SymbolId, Timestamp};

/// Bytes that are no row of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the bytes are no objects of this version")]
pub struct InvalidRow;

/// Appends an object that is about an instrument as a row; times are relative to `base`.
pub fn write_row(out: &mut Vec<u8>, object: &Object, base: Timestamp) {
    out.push(object.body.channel().letter() as u8);
    push_u64(out, object.body.symbol().0.into());
    push_u64(out, object.seq.0);
    write_body(&mut RowFields { out, base }, &object.body);
}

/// Takes a row from the front of these bytes.
///
/// # Errors
/// When the bytes do not begin with a row.
pub fn take_row(bytes: &mut &[u8], base: Timestamp) -> Result<Object, InvalidRow> {
    let channel = Channel::with_letter(take(bytes, 1)?[0].into());
    let channel = channel.filter(|channel| !channel.is_of_topics()).ok_or(InvalidRow)?;
    let symbol = SymbolId(take_u64(bytes)?.try_into().map_err(|_| InvalidRow)?);
    let seq = Seq(take_u64(bytes)?);
    let body = read_body(channel, symbol, &mut RowValues { bytes, base })?;
    Ok(Object { seq, body })
}

/// Writes fields without their keys.
struct RowFields<'a> {
    out: &'a mut Vec<u8>,
    base: Timestamp,
}

impl RowFields<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        push_u64(self.out, bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }
}

impl FieldWriter for RowFields<'_> {
    fn integer(&mut self, _: FieldKey, number: u64) {
        push_u64(self.out, number);
    }

    fn letter(&mut self, _: FieldKey, letter: u8) {
        self.out.push(letter);
    }

    fn text(&mut self, _: FieldKey, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn price(&mut self, _: FieldKey, price: Price) {
        push_price(self.out, price);
    }

    fn average_price(&mut self, _: FieldKey, micros: i64) {
        push_i64(self.out, micros);
    }

    fn letters(&mut self, _: FieldKey, letters: Conditions) {
        push_u64(self.out, letters.letters().count() as u64);
        self.out.extend(letters.letters());
    }

    fn time(&mut self, _: FieldKey, at: Timestamp) {
        push_i64(self.out, at.nanos().wrapping_sub(self.base.nanos()));
    }

    fn is_true(&mut self, _: FieldKey) {
        self.out.push(1);
    }

    fn exact(&mut self, number: i128) {
        push_i128(self.out, number);
    }
}

/// What is before a price that is no number of whole cents.
const FINE_PRICE: u64 = 1;

const NANOS_PER_CENT: i64 = Price::NANOS_PER_DOLLAR / 100;

/// Appends a price. Most are whole cents, which take half the bytes: twice their number, which is even.
fn push_price(out: &mut Vec<u8>, price: Price) {
    if price.nanos() % NANOS_PER_CENT == 0 {
        push_u64(out, zigzag(price.nanos() / NANOS_PER_CENT) << 1);
    } else {
        push_u64(out, FINE_PRICE);
        push_i64(out, price.nanos());
    }
}

fn take_price(bytes: &mut &[u8]) -> Result<Price, InvalidRow> {
    /// The most cents that a price can have, folded.
    const MAX_CENTS: u64 = zigzag(i64::MAX / NANOS_PER_CENT);
    match take_u64(bytes)? {
        FINE_PRICE => take_i64(bytes).map(Price::from_nanos),
        twice if twice % 2 == 0 && twice / 2 <= MAX_CENTS => Ok(Price::from_cents(unzigzag(twice / 2))),
        _ => Err(InvalidRow),
    }
}

/// Reads what [`RowFields`] wrote.
struct RowValues<'r, 'a> {
    bytes: &'r mut &'a [u8],
    base: Timestamp,
}

impl<'a> FieldReader<'a> for RowValues<'_, 'a> {
    type Error = InvalidRow;

    fn integer<T: TryFrom<u64>>(&mut self) -> Result<T, InvalidRow> {
        take_u64(self.bytes)?.try_into().map_err(|_| InvalidRow)
    }

    fn letter<T: TryFrom<u8>>(&mut self) -> Result<T, InvalidRow> {
        take(self.bytes, 1)?[0].try_into().map_err(|_| InvalidRow)
    }

    fn text<T: TryFrom<&'a str>>(&mut self) -> Result<T, InvalidRow> {
        let length = self.integer()?;
        let text = str::from_utf8(take(self.bytes, length)?).map_err(|_| InvalidRow)?;
        text.try_into().map_err(|_| InvalidRow)
    }

    fn price(&mut self) -> Result<Price, InvalidRow> {
        take_price(self.bytes)
    }

    fn average_price(&mut self) -> Result<i64, InvalidRow> {
        take_i64(self.bytes)
    }

    fn letters(&mut self) -> Result<Conditions, InvalidRow> {
        let count = self.integer()?;
        let letters = take(self.bytes, count)?;
        let conditions = Conditions::new(letters);
        if conditions.letters().eq(letters.iter().copied()) { Ok(conditions) } else { Err(InvalidRow) }
    }

    fn time(&mut self) -> Result<Timestamp, InvalidRow> {
        let difference = take_i64(self.bytes)?;
        Ok(Timestamp::from_nanos(self.base.nanos().wrapping_add(difference)))
    }

    fn exact(&mut self) -> Result<Option<i128>, InvalidRow> {
        take_i128(self.bytes).map(Some)
    }

    fn skip(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    fn base() -> Timestamp {
        let crate::model::Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        trade.at
    }

    #[test]
    fn every_object_is_read_as_it_was_written_to_the_last_field() {
        let objects = [fixtures::objects(), fixtures::varied_objects()].concat();
        let mut out = Vec::new();
        for object in &objects {
            write_row(&mut out, object, base());
        }

        let bytes = &mut &*out;
        for object in &objects {
            assert_eq!(take_row(bytes, base()).as_ref(), Ok(object));
        }
        assert!(bytes.is_empty());
    }

    #[test]
    fn a_row_is_a_fraction_of_the_object_in_json() {
        let mut out = Vec::new();
        fixtures::objects().iter().for_each(|object| write_row(&mut out, object, base()));

        let mean = out.len() / fixtures::objects().len();
        assert!((20..=60).contains(&mean), "{mean} bytes");
    }

    #[test]
    fn prices_are_exact_to_the_ends_of_their_range() {
        let billionths =
            [0, 1, -1, 10_000_000, -10_000_000, 189_400_000_000, 99_645_900_000, i64::MIN, i64::MAX];
        let cents = [i64::MIN / 10_000_000, i64::MAX / 10_000_000].map(Price::from_cents);
        for price in billionths.map(Price::from_nanos).into_iter().chain(cents) {
            let mut out = Vec::new();
            push_price(&mut out, price);
            assert_eq!(take_price(&mut &*out), Ok(price), "{out:?}");
        }
        let mut usual = Vec::new();
        push_price(&mut usual, Price::from_cents(18_940));
        assert_eq!(usual.len(), 3);
        for invalid in [3, u64::MAX - 1] {
            let mut out = Vec::new();
            push_u64(&mut out, invalid);
            assert_eq!(take_price(&mut &*out), Err(InvalidRow));
        }
    }

    #[test]
    fn a_row_that_is_cut_anywhere_is_refused() {
        for object in fixtures::objects() {
            let mut out = Vec::new();
            write_row(&mut out, &object, base());
            for cut in 0..out.len() {
                assert_eq!(take_row(&mut &out[..cut], base()), Err(InvalidRow), "{object:?} {cut}");
            }
        }
    }

    #[test]
    fn any_bytes_are_a_row_or_refused() {
        let mut random = 0x2545_F491_4F6C_DD1D_u64;
        for _ in 0..20_000 {
            let bytes: Vec<u8> = (0..48)
                .map(|place| {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    let channel = Channel::ALL[random as usize % Channel::COUNT].letter() as u8;
                    if place == 0 { channel } else { (random >> 32) as u8 >> (random % 8) }
                })
                .collect();
            let _ = take_row(&mut &*bytes, base());
        }
    }
}
