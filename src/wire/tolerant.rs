use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What a value of a command becomes, whatever its type and codec.
///
/// Clients in use send values of other types than the protocol names, so no type is an error of the
/// deserializer, which would refuse the whole command: each is given to the reader of the key, which decides.
pub(super) trait Tolerant<'de>: Sized {
    /// A value of a type that has no meaning here.
    fn wrong() -> Self;

    /// `null`, which means that the key is absent.
    fn null() -> Self;

    /// Text: a string, or MessagePack `bin` that is UTF-8.
    fn text(_: &str) -> Self {
        Self::wrong()
    }

    /// Text that lives as long as the message.
    fn borrowed_text(text: &'de str) -> Self {
        Self::text(text)
    }

    /// A number.
    fn number(_: Number) -> Self {
        Self::wrong()
    }

    /// A boolean.
    fn boolean(_: bool) -> Self {
        Self::wrong()
    }

    /// A list.
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::wrong())
    }

    /// A map.
    fn map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::wrong())
    }
}

/// A number of any of the types that the codecs have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Unsigned(u64),
    Negative(i64),
    Float(f64),
}

impl Number {
    /// The value as an integer: whole floats are integers too, because JavaScript has no others and some
    /// serializers write `250.0` or `2.5e2`.
    pub(super) fn whole<T: TryFrom<i128>>(self) -> Option<T> {
        let whole = match self {
            Self::Unsigned(number) => number.into(),
            Self::Negative(number) => number.into(),
            Self::Float(number) if number.fract() == 0.0 => number as i128,
            Self::Float(_) => return None,
        };
        T::try_from(whole).ok()
    }
}

/// The value of a key: absent (or `null`), valid, or not.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Given<T> {
    #[default]
    Absent,
    Value(T),
    Wrong,
}

impl Tolerant<'_> for Given<u64> {
    fn wrong() -> Self {
        Self::Wrong
    }

    fn null() -> Self {
        Self::Absent
    }

    fn number(number: Number) -> Self {
        number.whole().map_or(Self::Wrong, Self::Value)
    }
}

impl Tolerant<'_> for Given<bool> {
    fn wrong() -> Self {
        Self::Wrong
    }

    fn null() -> Self {
        Self::Absent
    }

    fn boolean(value: bool) -> Self {
        Self::Value(value)
    }
}

impl Tolerant<'_> for Given<String> {
    fn wrong() -> Self {
        Self::Wrong
    }

    fn null() -> Self {
        Self::Absent
    }

    fn text(text: &str) -> Self {
        Self::Value(text.to_owned())
    }
}

/// What a map becomes, entry by entry; an entry overrides earlier ones with the same key.
pub(super) trait FromEntries<'de>: Default {
    /// Takes an entry, whose value must be read from the map.
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;
}

impl<'de, T: FromEntries<'de>> Tolerant<'de> for Given<T> {
    fn wrong() -> Self {
        Self::Wrong
    }

    fn null() -> Self {
        Self::Absent
    }

    fn map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut value = T::default();
        while let Some(As(Key(key))) = map.next_key()? {
            value.entry(&key, &mut map)?;
        }
        Ok(Self::Value(value))
    }
}

/// A key as text. MessagePack has keys of other types; none of them is a key of ours.
struct Key<'de>(Cow<'de, str>);

impl<'de> Tolerant<'de> for Key<'de> {
    fn wrong() -> Self {
        Self(Cow::Borrowed("?"))
    }

    fn null() -> Self {
        Self::wrong()
    }

    fn text(text: &str) -> Self {
        Self(Cow::Owned(text.to_owned()))
    }

    fn borrowed_text(text: &'de str) -> Self {
        Self(Cow::Borrowed(text))
    }

    fn number(number: Number) -> Self {
        number.whole::<i128>().map_or_else(Self::wrong, |number| Self(Cow::Owned(format!("#{number}"))))
    }
}

/// Whether a value asks for anything: `null` and an empty list do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Nothing,
    Something,
}

impl<'de> Tolerant<'de> for Content {
    fn wrong() -> Self {
        Self::Something
    }

    fn null() -> Self {
        Self::Nothing
    }

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut content = Self::Nothing;
        while list.next_element::<IgnoredAny>()?.is_some() {
            content = Self::Something;
        }
        Ok(content)
    }
}

/// Names of a client that mean nothing to the server, to be told in the acknowledgement.
///
/// A command may have a hundred thousand of them, and each may be a megabyte: at most 100 are kept, in
/// alphabetical order, of at most 48 characters each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RejectedNames(BTreeSet<String>);

impl RejectedNames {
    const MOST: usize = 100;
    const LONGEST: usize = 48;

    /// Adds a name.
    pub(super) fn add(&mut self, name: &str) {
        self.0.insert(Self::shorten(name));
        if self.0.len() > Self::MOST {
            self.0.pop_last();
        }
    }

    /// Whether the name is among them.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Adds the name, or removes it if its value asks for nothing.
    pub(super) fn set(&mut self, name: &str, value: Content) {
        match value {
            Content::Something => self.add(name),
            Content::Nothing => drop(self.0.remove(&Self::shorten(name))),
        }
    }

    /// The most bytes that the names take in an acknowledgement: JSON escapes a byte with at most six.
    pub(super) fn bytes(&self) -> usize {
        self.0.iter().map(|name| name.len() * 6 + 3).sum()
    }

    /// Removes the names that begin with this.
    pub(super) fn remove_below(&mut self, prefix: &str) {
        self.0.retain(|name| !name.starts_with(prefix));
    }

    /// A name as it is kept.
    pub(super) fn shorten(name: &str) -> String {
        shortened(name, Self::LONGEST)
    }

    /// Adds all of these.
    pub(super) fn extend(&mut self, names: Self) {
        names.0.iter().for_each(|name| self.add(name));
    }

    /// The names, in alphabetical order.
    pub fn into_names(self) -> impl Iterator<Item = String> {
        self.0.into_iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Text of at most this many characters; what is left out is an ellipsis.
pub(super) fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some(_) => text.chars().take(longest - 1).chain(['…']).collect(),
    }
}

/// Reads any value as a `T`.
pub(super) struct As<T>(pub(super) T);

impl<'de, T: Tolerant<'de>> Deserialize<'de> for As<T> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(TolerantVisitor(PhantomData)).map(Self)
    }
}

struct TolerantVisitor<T>(PhantomData<T>);

impl<'de, T: Tolerant<'de>> Visitor<'de> for TolerantVisitor<T> {
    type Value = T;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        Ok(T::null())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<T, E> {
        Ok(T::boolean(value))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        Ok(T::number(Number::Unsigned(number)))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        Ok(T::number(Number::Negative(number)))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        Ok(T::number(Number::Float(number)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        Ok(T::text(text))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<T, E> {
        Ok(T::borrowed_text(text))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<T, E> {
        Ok(str::from_utf8(bytes).map_or_else(|_| T::wrong(), T::text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::map(map)
    }

    /// A MessagePack extension.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, source: D) -> Result<T, D::Error> {
        IgnoredAny::deserialize(source)?;
        Ok(T::wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_floats_are_integers_and_others_are_not() {
        let whole = |number| Number::Float(number).whole::<u64>();

        assert_eq!(
            [250.0, 2.5e2, -0.0, 1e15].map(whole),
            [Some(250), Some(250), Some(0), Some(10_u64.pow(15))]
        );
        assert_eq!([2.5, -1.0, 1e300, f64::NAN, f64::INFINITY].map(whole), [None; 5]);
    }

    #[test]
    fn names_to_be_told_are_bounded_in_number_and_length() {
        let mut names = RejectedNames::default();

        (0..1_000).for_each(|number| names.add(&format!("{number:03}{}", "é".repeat(1_000))));

        let names: Vec<_> = names.into_names().collect();
        assert_eq!(names.len(), 100);
        assert!(names.iter().all(|name| name.chars().count() == 48 && name.ends_with('…')));
        assert!(names[99].starts_with("099"));
    }
}
