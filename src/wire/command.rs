use std::collections::BTreeMap;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer, de};

use super::extensions::Extensions;
use super::{Codec, ErrorCode};
use crate::model::{Channel, Symbol};

/// What a client asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Here are my credentials.
    Auth {
        /// The key's id.
        key: String,
        /// Its secret.
        secret: String,
    },
    /// Send me these as well.
    Subscribe(SymbolsByChannel, Option<Extensions>),
    /// Send me these no more.
    Unsubscribe(SymbolsByChannel, Option<Extensions>),
}

impl Command {
    /// Reads a command. Keys come in any order, unknown ones are ignored, a null list is an empty
    /// one: all of it was seen from clients in use.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidSyntax`] for whatever is no command.
    pub fn read(codec: Codec, bytes: &[u8]) -> Result<Self, ErrorCode> {
        let typed: Option<Typed> = match codec {
            Codec::Json => serde_json::from_slice(bytes).ok(),
            Codec::MsgPack => read_msgpack(bytes),
        };
        typed.map(Self::from).ok_or(ErrorCode::InvalidSyntax)
    }
}

/// One MessagePack value and nothing after it.
fn read_msgpack(bytes: &[u8]) -> Option<Typed> {
    /// A command nests its lists three deep in maps; more is an attack on the stack.
    const DEEPEST: usize = 16;
    let mut rest = bytes;
    let mut reader = rmp_serde::Deserializer::new(&mut rest);
    reader.set_max_depth(DEEPEST);
    let typed = Typed::deserialize(&mut reader).ok()?;
    rest.is_empty().then_some(typed)
}

/// Symbols per channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SymbolsByChannel {
    wanted: [SymbolList; Channel::COUNT],
}

impl SymbolsByChannel {
    /// What is named for this channel.
    pub fn of(&self, channel: Channel) -> &SymbolList {
        &self.wanted[channel.index()]
    }

    /// How many names there are in all channels together.
    pub fn len(&self) -> usize {
        self.wanted.iter().map(SymbolList::len).sum()
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The symbols named for one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SymbolList {
    /// Whether `*`, all symbols, is among them.
    pub all: bool,
    /// The others, as they were named.
    pub symbols: Vec<Symbol>,
}

impl SymbolList {
    /// How many names there are.
    pub fn len(&self) -> usize {
        self.symbols.len() + usize::from(self.all)
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names as text, `*` first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.then_some("*").into_iter().chain(self.symbols.iter().map(Symbol::as_str))
    }
}

impl Serialize for SymbolList {
    fn serialize<S: Serializer>(&self, target: S) -> Result<S::Ok, S::Error> {
        target.collect_seq(self.names())
    }
}

/// A command as it was typed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Typed {
    action: Action,
    #[serde(default)]
    key: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    trades: SymbolList,
    #[serde(default)]
    quotes: SymbolList,
    #[serde(default)]
    bars: SymbolList,
    #[serde(default)]
    updated_bars: SymbolList,
    #[serde(default)]
    daily_bars: SymbolList,
    #[serde(default)]
    statuses: SymbolList,
    #[serde(default)]
    lulds: SymbolList,
    #[serde(default)]
    tickers: SymbolList,
    x: Option<Extensions>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Auth,
    Subscribe,
    Unsubscribe,
}

impl From<Typed> for Command {
    fn from(typed: Typed) -> Self {
        let mut selection = SymbolsByChannel::default();
        for (channel, wanted) in [
            (Channel::Trades, typed.trades),
            (Channel::Quotes, typed.quotes),
            (Channel::Bars, typed.bars),
            (Channel::UpdatedBars, typed.updated_bars),
            (Channel::DailyBars, typed.daily_bars),
            (Channel::Statuses, typed.statuses),
            (Channel::Lulds, typed.lulds),
            (Channel::Tickers, typed.tickers),
        ] {
            selection.wanted[channel.index()] = wanted;
        }
        match typed.action {
            Action::Auth => Self::Auth { key: typed.key, secret: typed.secret },
            Action::Subscribe => Self::Subscribe(selection, typed.x),
            Action::Unsubscribe => Self::Unsubscribe(selection, typed.x),
        }
    }
}

impl<'de> Deserialize<'de> for SymbolList {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(Names)
    }
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = SymbolList;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a list of symbols or null")
    }

    fn visit_unit<E: de::Error>(self) -> Result<SymbolList, E> {
        Ok(SymbolList::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<SymbolList, A::Error> {
        let mut wanted = SymbolList::default();
        while let Some(name) = names.next_element()? {
            match name {
                Name::All => wanted.all = true,
                Name::Symbol(symbol) => wanted.symbols.push(symbol),
            }
        }
        Ok(wanted)
    }
}

/// One name of a list, read where it stands: a command may have ten thousand of them.
enum Name {
    All,
    Symbol(Symbol),
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_str(OneName)
    }
}

struct OneName;

impl Visitor<'_> for OneName {
    type Value = Name;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a symbol or `*`")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Name, E> {
        match name {
            "*" => Ok(Name::All),
            name => name.parse().map(Name::Symbol).map_err(de::Error::custom),
        }
    }
}

/// Sequence numbers by channel name and symbol, as in `x.resume.sq`. Names that are no channel, and
/// symbols that are none, are left out.
pub(super) fn numbers_by_stream(
    typed: BTreeMap<String, BTreeMap<String, u64>>,
) -> Vec<(Channel, Symbol, u64)> {
    let mut numbers = Vec::new();
    for (name, symbols) in typed {
        let Some(channel) = Channel::ALL.into_iter().find(|channel| channel.name() == name) else { continue };
        let known = symbols.into_iter().filter_map(|(symbol, number)| Some((symbol.parse().ok()?, number)));
        numbers.extend(known.map(|(symbol, number)| (channel, symbol, number)));
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<Command, ErrorCode> {
        Command::read(Codec::Json, text.as_bytes())
    }

    fn subscribed(text: &str) -> SymbolsByChannel {
        match json(text) {
            Ok(Command::Subscribe(selection, None)) => selection,
            other => panic!("not a subscribe: {other:?}"),
        }
    }

    #[test]
    fn keys_come_in_any_order_and_unknown_ones_are_ignored() {
        let selection =
            subscribed(r#"{"quotes":["AMD","CLDR"],"orderbooks":["X"],"action":"subscribe","bars":["*"]}"#);

        assert!(selection.of(Channel::Quotes).names().eq(["AMD", "CLDR"]));
        assert!(selection.of(Channel::Bars).names().eq(["*"]));
        assert!(selection.of(Channel::Trades).is_empty());
        assert_eq!(selection.len(), 3);
    }

    #[test]
    fn a_null_list_is_an_empty_one() {
        assert!(subscribed(r#"{"action":"subscribe","trades":null}"#).is_empty());
    }

    #[test]
    fn credentials_are_read() {
        let command = json(r#"{"secret":"S","action":"auth","key":"K"}"#);

        assert_eq!(command, Ok(Command::Auth { key: "K".into(), secret: "S".into() }));
    }

    #[test]
    fn a_command_means_the_same_in_either_codec() {
        let texts = [
            r#"{"action":"auth","key":"K","secret":"S"}"#,
            r#"{"action":"subscribe","trades":["AAPL","*"],"bars":null,"pricing":{"a":[1]}}"#,
            r#"{"action":"unsubscribe","tickers":["*"],"x":{"id":7,"conflate_ms":250,"snapshot":true}}"#,
            r#"{"action":"subscribe","x":{"resume":{"epoch":"k3f9","sq":{"trades":{"AAPL":8841}}}}}"#,
        ];
        for text in texts {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            let bytes = rmp_serde::to_vec_named(&value).unwrap();
            assert_eq!(Command::read(Codec::MsgPack, &bytes), json(text), "{text}");
            assert!(json(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn whatever_is_no_command_is_invalid_syntax() {
        let bad = [
            "",
            "{",
            "[]",
            "{}",
            "\"subscribe\"",
            r#"{"action":"buy"}"#,
            r#"{"action":"subscribe","trades":"AAPL"}"#,
            r#"{"action":"subscribe","trades":[1]}"#,
            r#"{"action":"subscribe","trades":["A B"]}"#,
            r#"{"action":"subscribe","x":{"conflate_ms":-1}}"#,
        ];
        for text in bad {
            assert_eq!(json(text), Err(ErrorCode::InvalidSyntax), "{text}");
        }
        for bytes in
            [&b""[..], &[0xC1], &[0x93], &[0x81, 0xA1], &[0xDF, 0xFF, 0xFF, 0xFF, 0xFF], &[0x91; 400]]
        {
            assert_eq!(Command::read(Codec::MsgPack, bytes), Err(ErrorCode::InvalidSyntax), "{bytes:?}");
        }
    }
}
