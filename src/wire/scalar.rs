use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::{Conditions, SECOND, Timestamp, is_letter};

/// The value of a field in either codec, before it is checked against the type of the field.
#[derive(Debug)]
pub(super) enum Scalar<'a> {
    Integer(u64),
    Number(f64),
    Text(Cow<'a, str>),
    Letters(Conditions),
    Time(Timestamp),
    True,
    /// None of these: invalid for every field of ours.
    Other,
}

impl Scalar<'_> {
    pub(super) fn integer(&self) -> Option<u64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A letter; an empty text is a space, the letter of what is not there.
    pub(super) fn letter(&self) -> Option<u8> {
        match self.text()?.as_bytes() {
            [] => Some(b' '),
            [letter] if is_letter(*letter) => Some(*letter),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Integer(number))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(u64::try_from(number).map_or(Scalar::Number(number as f64), Scalar::Integer))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_bool<E: de::Error>(self, is_true: bool) -> Result<Scalar<'de>, E> {
        Ok(if is_true { Scalar::True } else { Scalar::Other })
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_bytes<E: de::Error>(self, _: &[u8]) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    /// A list of letters; the model holds the first four.
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar<'de>, A::Error> {
        let mut letters = [0; 4];
        let mut count = 0;
        let mut are_letters = true;
        while let Some(item) = list.next_element::<Scalar<'de>>()? {
            match (item.letter(), letters.get_mut(count)) {
                (Some(letter), Some(place)) => *place = letter,
                (letter, _) => are_letters &= letter.is_some(),
            }
            count += 1;
        }
        let conditions = Conditions::new(&letters[..count.min(letters.len())]);
        Ok(if are_letters { Scalar::Letters(conditions) } else { Scalar::Other })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    /// A MessagePack extension: its type and its bytes.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, source: D) -> Result<Scalar<'de>, D::Error> {
        source.deserialize_any(ExtensionVisitor)
    }
}

const TIMESTAMP: i8 = -1;

/// The time of a timestamp extension in any of its three forms.
fn timestamp(bytes: &[u8]) -> Option<Timestamp> {
    let (seconds, nanos) = match *bytes {
        [a, b, c, d] => (i64::from(u32::from_be_bytes([a, b, c, d])), 0),
        [a, b, c, d, e, f, g, h] => {
            let both = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
            ((both & ((1 << 34) - 1)) as i64, (both >> 34) as i64)
        }
        [a, b, c, d, ref seconds @ ..] => {
            (i64::from_be_bytes(seconds.try_into().ok()?), i64::from(u32::from_be_bytes([a, b, c, d])))
        }
        _ => return None,
    };
    seconds.checked_mul(SECOND)?.checked_add(nanos).map(Timestamp::from_nanos)
}

struct ExtensionVisitor;

impl<'de> Visitor<'de> for ExtensionVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an extension")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Scalar<'de>, A::Error> {
        let kind: i8 = parts.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        let time =
            parts.next_element::<ExtensionTime>()?.ok_or_else(|| de::Error::invalid_length(1, &self))?;
        Ok(time.0.filter(|_| kind == TIMESTAMP).map_or(Scalar::Other, Scalar::Time))
    }
}

/// The bytes of an extension, read as a time.
struct ExtensionTime(Option<Timestamp>);

impl<'de> Deserialize<'de> for ExtensionTime {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_bytes(ExtensionTimeVisitor)
    }
}

struct ExtensionTimeVisitor;

impl Visitor<'_> for ExtensionTimeVisitor {
    type Value = ExtensionTime;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<ExtensionTime, E> {
        Ok(ExtensionTime(timestamp(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_extension_has_three_forms() {
        let seconds = 1_614_009_105_u32;
        let at = |nanos: i64| Some(Timestamp::from_nanos(i64::from(seconds) * SECOND + nanos));

        assert_eq!(timestamp(&seconds.to_be_bytes()), at(0));
        assert_eq!(timestamp(&(7_u64 << 34 | u64::from(seconds)).to_be_bytes()), at(7));
        let long = [&7_u32.to_be_bytes()[..], &i64::from(seconds).to_be_bytes()].concat();
        assert_eq!(timestamp(&long), at(7));
        assert_eq!(timestamp(&long[1..]), None);
        assert_eq!(timestamp(&[0xFF; 8]), None, "after 2262");
    }
}
