use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::decode_objects::from_msgpack;
use super::extensions::Extensions;
use super::{Codec, ErrorCode};
use crate::model::{Channel, Symbol};

/// A command of a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Authenticates the session.
    Auth {
        /// The key's id.
        key: String,
        /// The key's secret.
        secret: String,
    },
    /// Adds symbols to the subscription.
    Subscribe(SymbolsByChannel, Option<Extensions>),
    /// Removes symbols from the subscription.
    Unsubscribe(SymbolsByChannel, Option<Extensions>),
}

impl Command {
    /// Reads a command. Keys come in any order, unknown keys are ignored, a null list is an empty
    /// one: clients in use send all of these.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidSyntax`] for anything that is not a command.
    pub fn read(codec: Codec, bytes: &[u8]) -> Result<Self, ErrorCode> {
        let command: Option<RawCommand> = match codec {
            Codec::Json => serde_json::from_slice(bytes).ok(),
            Codec::MsgPack => from_msgpack(bytes),
        };
        command.map(Self::from).ok_or(ErrorCode::InvalidSyntax)
    }
}

/// The symbols that a command names, by channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SymbolsByChannel {
    lists: [SymbolList; Channel::COUNT],
}

impl SymbolsByChannel {
    /// The symbols named for this channel.
    pub fn of(&self, channel: Channel) -> &SymbolList {
        &self.lists[channel.index()]
    }

    /// The number of names in all channels together.
    pub fn len(&self) -> usize {
        self.lists.iter().map(SymbolList::len).sum()
    }

    /// Whether no symbol is named.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The symbols named for one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SymbolList {
    /// Whether `*`, which means all symbols, is among the names.
    pub all: bool,
    /// The other names, in the order given.
    pub symbols: Vec<Symbol>,
}

impl SymbolList {
    /// The number of names.
    pub fn len(&self) -> usize {
        self.symbols.len() + usize::from(self.all)
    }

    /// Whether no symbol is named.
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

/// The keys of a command before their combination is checked.
struct RawCommand {
    action: Action,
    key: Option<String>,
    secret: Option<String>,
    symbols: SymbolsByChannel,
    extensions: Option<Extensions>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Auth,
    Subscribe,
    Unsubscribe,
}

impl From<RawCommand> for Command {
    fn from(raw: RawCommand) -> Self {
        match raw.action {
            Action::Auth => {
                Self::Auth { key: raw.key.unwrap_or_default(), secret: raw.secret.unwrap_or_default() }
            }
            Action::Subscribe => Self::Subscribe(raw.symbols, raw.extensions),
            Action::Unsubscribe => Self::Unsubscribe(raw.symbols, raw.extensions),
        }
    }
}

impl<'de> Deserialize<'de> for RawCommand {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_map(CommandVisitor)
    }
}

struct CommandVisitor;

impl<'de> Visitor<'de> for CommandVisitor {
    type Value = RawCommand;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a command")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawCommand, A::Error> {
        let (mut action, mut key, mut secret, mut extensions) = (None, None, None, None);
        let mut symbols = [const { None::<SymbolList> }; Channel::COUNT];
        while let Some(field) = map.next_key()? {
            match field {
                CommandKey::Action => set_once(&mut action, "action", &mut map)?,
                CommandKey::Id => set_once(&mut key, "key", &mut map)?,
                CommandKey::Secret => set_once(&mut secret, "secret", &mut map)?,
                CommandKey::Extensions => set_once(&mut extensions, "x", &mut map)?,
                CommandKey::Channel(channel) => {
                    set_once(&mut symbols[channel.index()], channel.name(), &mut map)?;
                }
                CommandKey::Unknown => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let action = action.ok_or_else(|| de::Error::missing_field("action"))?;
        let symbols = SymbolsByChannel { lists: symbols.map(Option::unwrap_or_default) };
        Ok(RawCommand { action, key, secret, symbols, extensions: extensions.flatten() })
    }
}

/// Reads the value of a key that may come once.
fn set_once<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    place: &mut Option<T>,
    key: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    match place.replace(map.next_value()?) {
        None => Ok(()),
        Some(_) => Err(de::Error::duplicate_field(key)),
    }
}

/// A key of a command. Channels without a subscription of their own are unknown keys.
enum CommandKey {
    Action,
    Id,
    Secret,
    Extensions,
    Channel(Channel),
    Unknown,
}

impl<'de> Deserialize<'de> for CommandKey {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_identifier(CommandKeyVisitor)
    }
}

struct CommandKeyVisitor;

impl Visitor<'_> for CommandKeyVisitor {
    type Value = CommandKey;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<CommandKey, E> {
        Ok(match key {
            "action" => CommandKey::Action,
            "key" => CommandKey::Id,
            "secret" => CommandKey::Secret,
            "x" => CommandKey::Extensions,
            name => Channel::named(name)
                .filter(|channel| channel.leader() == *channel)
                .map_or(CommandKey::Unknown, CommandKey::Channel),
        })
    }

    fn visit_bytes<E: de::Error>(self, key: &[u8]) -> Result<CommandKey, E> {
        str::from_utf8(key).map_or(Ok(CommandKey::Unknown), |key| self.visit_str(key))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<CommandKey, E> {
        Ok(CommandKey::Unknown)
    }
}

impl<'de> Deserialize<'de> for SymbolList {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(SymbolListVisitor)
    }
}

struct SymbolListVisitor;

impl<'de> Visitor<'de> for SymbolListVisitor {
    type Value = SymbolList;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of symbols or null")
    }

    fn visit_unit<E: de::Error>(self) -> Result<SymbolList, E> {
        Ok(SymbolList::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<SymbolList, A::Error> {
        let mut list = SymbolList::default();
        while let Some(name) = names.next_element()? {
            match name {
                Name::All => list.all = true,
                Name::Symbol(symbol) => list.symbols.push(symbol),
            }
        }
        Ok(list)
    }
}

/// One name of a list, parsed without an allocation: a command may have ten thousand of them.
enum Name {
    All,
    Symbol(Symbol),
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a symbol or `*`")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Name, E> {
        match name {
            "*" => Ok(Name::All),
            name => name.parse().map(Name::Symbol).map_err(de::Error::custom),
        }
    }
}

/// Sequence numbers by channel name and symbol, as in `x.resume.sq`. Unknown channels and invalid symbols
/// are left out.
pub(super) fn numbers_by_stream(raw: BTreeMap<String, BTreeMap<String, u64>>) -> Vec<(Channel, Symbol, u64)> {
    let mut numbers = Vec::new();
    for (name, symbols) in raw {
        let Some(channel) = Channel::named(&name) else { continue };
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
    fn a_channel_that_follows_another_has_no_subscription_of_its_own() {
        assert!(subscribed(r#"{"action":"subscribe","corrections":["AAPL"],"cancelErrors":"?"}"#).is_empty());
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
    fn anything_else_is_invalid_syntax() {
        let bad = [
            "",
            "{",
            "[]",
            "{}",
            "\"subscribe\"",
            r#"{"action":"buy"}"#,
            r#"{"action":"subscribe","trades":"AAPL"}"#,
            r#"{"action":"subscribe","trades":[1]}"#,
            r#"{"action":"subscribe","trades":[],"trades":[]}"#,
            r#"["subscribe"]"#,
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
