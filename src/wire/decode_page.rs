use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::decode_objects::{DecodedObject, Slots};
use crate::model::{Channel, Symbol};

/// A page of REST: the rows of one kind, by symbol.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DecodedPage {
    /// The rows, in the order of the page.
    pub rows: Vec<DecodedObject>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// Decodes a page of another server's REST, such as `{"bars":{"A":[{…}]},"next_page_token":null}`. Its rows have the
/// fields of the channel's objects, without type and symbol.
///
/// # Errors
/// When the text is no such page, or a row lacks a field.
pub fn decode_page(channel: Channel, text: &[u8]) -> serde_json::Result<DecodedPage> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let page = PageSeed(channel).deserialize(&mut reader)?;
    reader.end()?;
    Ok(page)
}

/// The whole page.
struct PageSeed(Channel);

/// The rows by symbol, appended to the others.
struct RowsBySymbol<'r> {
    channel: Channel,
    rows: &'r mut Vec<DecodedObject>,
}

/// The rows of one symbol, appended to the others.
struct SymbolRows<'r> {
    channel: Channel,
    symbol: Symbol,
    rows: &'r mut Vec<DecodedObject>,
}

/// One row.
struct RowSeed {
    channel: Channel,
    symbol: Symbol,
}

impl<'de> DeserializeSeed<'de> for PageSeed {
    type Value = DecodedPage;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<DecodedPage, D::Error> {
        source.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageSeed {
    type Value = DecodedPage;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a page")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DecodedPage, A::Error> {
        let mut page = DecodedPage::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "next_page_token" => page.next = map.next_value()?,
                key if key == self.0.name() => {
                    map.next_value_seed(RowsBySymbol { channel: self.0, rows: &mut page.rows })?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(page)
    }
}

impl<'de> DeserializeSeed<'de> for RowsBySymbol<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowsBySymbol<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("rows by symbol")
    }

    /// `null`: there are none.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let symbol = name.parse().map_err(serde::de::Error::custom)?;
            map.next_value_seed(SymbolRows { channel: self.channel, symbol, rows: &mut *self.rows })?;
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for SymbolRows<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for SymbolRows<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the rows of a symbol")
    }

    /// `null`: there are none.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(row) =
            array.next_element_seed(RowSeed { channel: self.channel, symbol: self.symbol })?
        {
            self.rows.push(row);
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for RowSeed {
    type Value = DecodedObject;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<DecodedObject, D::Error> {
        source.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed {
    type Value = DecodedObject;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DecodedObject, A::Error> {
        let mut fields = Slots::new(self.channel);
        fields.fill(&mut map)?;
        fields.read(self.symbol).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_rows_of_all_symbols_in_order() {
        let trade = |id: u64| {
            format!(r#"{{"t":"2026-11-20T14:30:0{id}Z","x":"V","p":1.25,"s":7,"c":["@"],"i":{id},"z":"C"}}"#)
        };
        let text = format!(
            r#"{{"trades":{{"A":[{},{}],"B":[{}],"C":null}},"currency":"USD","next_page_token":"QXw="}}"#,
            trade(1),
            trade(2),
            trade(3)
        );

        let page = decode_page(Channel::Trades, text.as_bytes()).unwrap();

        let symbols: Vec<_> = page.rows.iter().map(|row| row.symbol.to_string()).collect();
        assert_eq!((symbols, page.next.as_deref()), (vec!["A".into(), "A".into(), "B".into()], Some("QXw=")));
    }

    #[test]
    fn a_page_of_bars_has_bars() {
        let row = r#"{"t":"2026-11-20T05:00:00Z","o":1.5,"h":2.0,"l":1.0,"c":1.75,"v":10,"n":2,"vw":1.6}"#;
        let text = format!(r#"{{"bars":{{"A":[{row}]}},"next_page_token":null}}"#);

        let page = decode_page(Channel::Bars, text.as_bytes()).unwrap();

        assert_eq!(page.rows.iter().map(DecodedObject::channel).collect::<Vec<_>>(), [Channel::Bars]);
    }

    #[test]
    fn a_page_may_be_empty_and_nothing_else_is_a_page() {
        let decode = |text: &str| decode_page(Channel::Trades, text.as_bytes());

        assert_eq!(decode(r#"{"trades":null,"next_page_token":null}"#).unwrap(), DecodedPage::default());
        for text in ["<html>", "[]", r#"{"trades":{"A":[{"p":1}]}}"#, r#"{"trades":{}}}"#] {
            assert!(decode(text).is_err(), "{text}");
        }
    }
}
