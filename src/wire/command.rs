use std::borrow::Cow;

use rustc_hash::FxHashSet;
use serde::de::{IgnoredAny, MapAccess, SeqAccess};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Codec;
use super::alert_command::{AlertCommand, AlertKeys, UnalertCommand};
use super::decode_objects::from_msgpack;
use super::extensions::{Extensions, RequestId};
use super::tolerant::{As, FromEntries, Given, Number, RejectedNames, Tolerant, shortened};
use crate::model::{Channel, Symbol};

/// The id of a key that stands for a token: the secret is the token.
pub const TOKEN_KEY: &str = "jwt";

/// A command of a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Authenticates the session, or renews its token.
    Auth {
        /// The key's id; [`TOKEN_KEY`] for a token.
        key: String,
        /// The key's secret, or the token.
        secret: String,
    },
    /// Adds symbols to the subscription.
    Subscribe(SymbolsByChannel, Option<Extensions>),
    /// Removes symbols from the subscription.
    Unsubscribe(SymbolsByChannel, Option<Extensions>),
    /// Publishes a message to a topic.
    Publish(PublishCommand),
    /// Asks how many sessions subscribe to a topic.
    Presence(PresenceQuery),
    /// Sets a price alert.
    Alert(AlertCommand),
    /// Removes price alerts.
    Unalert(UnalertCommand),
    /// Subscribes only to channels of Alpaca's streams of coins, news or options, which this stream does not
    /// have: order books for example.
    ///
    /// SDKs name such channels to every server, with empty lists or beside channels of ours; these are ignored.
    /// But a client that asks for nothing else would wait for ever, as ccxt's `watch_order_book` did. The
    /// session is closed, because an error would not help: on one, ccxt stops reading and keeps waiting.
    OtherStream,
}

impl Command {
    /// Reads a command, with tolerance: keys come in any order, the last of several counts, unknown ones are
    /// ignored, `null` is absent, and a malformed name costs no other name. Clients in use send all of these.
    ///
    /// # Errors
    /// For anything that is not a command.
    pub fn read(codec: Codec, bytes: &[u8]) -> Result<Self, InvalidCommand> {
        let given = match codec {
            Codec::Json => serde_json::from_slice(trimmed(bytes))
                .map_err(|error| CommandFault::Json(error.to_string()))?,
            Codec::MsgPack => from_msgpack(bytes).ok_or(CommandFault::MsgPack)?,
        };
        let As(Given::Value(raw)): As<Given<RawCommand>> = given else {
            return Err(CommandFault::NotAMap.into());
        };
        let id = match &raw.extensions {
            Given::Value(extensions) => extensions.id.clone(),
            Given::Absent | Given::Wrong => None,
        };
        raw.check().map_err(|fault| InvalidCommand { fault, id })
    }

    /// The id that the client gave it, which the answer repeats.
    pub fn id(&self) -> Option<&RequestId> {
        match self {
            Self::Auth { .. } | Self::OtherStream => None,
            Self::Subscribe(_, extensions) | Self::Unsubscribe(_, extensions) => {
                extensions.as_ref().and_then(|extensions| extensions.id.as_ref())
            }
            Self::Publish(publish) => publish.id.as_ref(),
            Self::Presence(query) => query.id.as_ref(),
            Self::Alert(alert) => alert.id.as_ref(),
            Self::Unalert(unalert) => unalert.id.as_ref(),
        }
    }
}

/// A message for a topic.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishCommand {
    /// The topic.
    pub topic: Symbol,
    /// The data.
    pub data: Value,
    /// Echoed in the answer.
    pub id: Option<RequestId>,
}

/// A question for the presence at a topic.
#[derive(Clone, Debug, PartialEq)]
pub struct PresenceQuery {
    /// The topic.
    pub topic: Symbol,
    /// Echoed in the answer.
    pub id: Option<RequestId>,
}

/// The symbols that a command names, by channel. The names of topics are symbols too.
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

    /// Appends the symbols of these lists to the present ones.
    pub fn extend(&mut self, others: Self) {
        for (list, other) in self.lists.iter_mut().zip(others.lists) {
            list.symbols.extend(other.symbols);
        }
    }

    /// Sets the list of a channel.
    pub fn set(&mut self, channel: Channel, list: SymbolList) {
        self.lists[channel.index()] = list;
    }

    /// Replaces the names of a channel other than `*`.
    pub fn replace(&mut self, channel: Channel, symbols: Vec<Symbol>) {
        self.lists[channel.index()].symbols = symbols;
    }

    /// Removes these symbols from the lists of these channels, and returns what was removed.
    pub fn take(&mut self, channels: &[Channel], symbols: &[Symbol]) -> Self {
        let symbols: FxHashSet<_> = symbols.iter().collect();
        let mut taken = Self::default();
        for channel in channels {
            let list = &mut self.lists[channel.index()].symbols;
            let is_taken = |symbol: &mut Symbol| symbols.contains(&*symbol);
            taken.lists[channel.index()].symbols.extend(list.extract_if(.., is_taken));
        }
        taken
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

/// Bytes that are not a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidCommand {
    /// What is wrong with them.
    pub fault: CommandFault,
    /// The id that the client gave it, as far as it could be read. Echoed in the answer.
    pub id: Option<RequestId>,
}

impl From<CommandFault> for InvalidCommand {
    fn from(fault: CommandFault) -> Self {
        Self { fault, id: None }
    }
}

/// Why bytes are not a command. The text is the `why` of error 400: what is wrong, and what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandFault {
    /// The message is not one JSON value.
    #[error("not one JSON value: {0}")]
    Json(String),
    /// The message is not one MessagePack value.
    #[error("not one MessagePack value; JSON goes into text frames")]
    MsgPack,
    /// The message is a list, a text or a number.
    #[error("a command is a map with `action`, and not any other value")]
    NotAMap,
    /// There is no action.
    #[error(
        "`action` is missing: expected auth, subscribe, unsubscribe, publish, presence, alert or unalert"
    )]
    NoAction,
    /// The action is unknown.
    #[error(
        "unknown action `{0}`: expected auth, subscribe, unsubscribe, publish, presence, alert or unalert"
    )]
    UnknownAction(String),
    /// A value has another type than its key needs.
    #[error("`{key}` must be {expected}")]
    WrongType {
        /// The key.
        key: &'static str,
        /// What its value must be.
        expected: &'static str,
    },
}

/// Channels of Alpaca's streams of coins, news and options.
const OTHER_STREAMS: [&str; 4] = ["imbalances", "news", "orderbooks", "pricing"];

/// The keys of a command before their combination is checked.
#[derive(Default)]
struct RawCommand {
    action: Given<String>,
    key: Given<String>,
    secret: Given<String>,
    token: Given<String>,
    extensions: Given<Extensions>,
    topic: Given<String>,
    data: Option<Value>,
    alert: AlertKeys,
    lists: [Given<NamedList>; Channel::COUNT],
    unknown_channels: RejectedNames,
}

/// A list of names, and those in it that cannot be a symbol.
#[derive(Default)]
struct NamedList {
    list: SymbolList,
    malformed: RejectedNames,
}

impl RawCommand {
    fn check(self) -> Result<Command, CommandFault> {
        /// The longest part of an unknown action that is repeated.
        const LONGEST_ACTION: usize = 32;
        let text = |key, given| match given {
            Given::Wrong => Err(CommandFault::WrongType { key, expected: "text" }),
            Given::Value(text) => Ok(Some(text)),
            Given::Absent => Ok(None),
        };
        match text("action", self.action)?.as_deref() {
            None => Err(CommandFault::NoAction),
            Some("auth") => {
                let (key, secret) = (text("key", self.key)?, text("secret", self.secret)?);
                let (key, secret) = match text("token", self.token)? {
                    Some(token) => (TOKEN_KEY.to_owned(), token),
                    None => (key.unwrap_or_default(), secret.unwrap_or_default()),
                };
                Ok(Command::Auth { key, secret })
            }
            Some("publish") => {
                let (topic, id) = (topic(self.topic)?, options(self.extensions)?.and_then(|x| x.id));
                let missing = CommandFault::WrongType { key: "data", expected: "the message to publish" };
                Ok(Command::Publish(PublishCommand { topic, data: self.data.ok_or(missing)?, id }))
            }
            Some("presence") => {
                let (topic, id) = (topic(self.topic)?, options(self.extensions)?.and_then(|x| x.id));
                Ok(Command::Presence(PresenceQuery { topic, id }))
            }
            Some("alert") => Ok(Command::Alert(self.alert.alert(options(self.extensions)?)?)),
            Some("unalert") => Ok(Command::Unalert(self.alert.unalert(options(self.extensions)?)?)),
            Some(action @ ("subscribe" | "unsubscribe")) => {
                let mut extensions = options(self.extensions)?;
                let mut unknown_channels = self.unknown_channels;
                let given = [
                    ("topic", !matches!(self.topic, Given::Absent)),
                    ("data", self.data.is_some()),
                    ("token", !matches!(self.token, Given::Absent)),
                ];
                let given = given.into_iter().chain(self.alert.given());
                given.filter(|(_, is_given)| *is_given).for_each(|(key, _)| unknown_channels.add(key));
                let mut symbols = SymbolsByChannel::default();
                for (channel, given) in Channel::ALL.into_iter().zip(self.lists) {
                    let NamedList { list, malformed } = match given {
                        Given::Value(named) => named,
                        Given::Absent => continue,
                        Given::Wrong => {
                            let expected = "a list of symbols, `*` for all";
                            return Err(CommandFault::WrongType { key: channel.name(), expected });
                        }
                    };
                    symbols.lists[channel.index()] = list;
                    if let Some(extensions) = &mut extensions {
                        extensions
                            .rejected
                            .symbols
                            .extend((!malformed.is_empty()).then_some((channel, malformed)));
                    }
                }
                let is_other = OTHER_STREAMS.iter().any(|name| unknown_channels.contains(name));
                if let Some(extensions) = &mut extensions {
                    extensions.rejected.channels = unknown_channels;
                    if extensions.since.take().is_some() {
                        extensions.rejected.options.add("since");
                    }
                }
                Ok(match action {
                    "subscribe" if is_other && symbols.is_empty() && extensions.is_none() => {
                        Command::OtherStream
                    }
                    "subscribe" => Command::Subscribe(symbols, extensions),
                    _ => Command::Unsubscribe(symbols, extensions),
                })
            }
            Some(unknown) => Err(CommandFault::UnknownAction(shortened(unknown, LONGEST_ACTION))),
        }
    }
}

fn options(given: Given<Extensions>) -> Result<Option<Extensions>, CommandFault> {
    match given {
        Given::Wrong => Err(CommandFault::WrongType { key: "x", expected: "a map" }),
        Given::Value(extensions) => Ok(Some(extensions)),
        Given::Absent => Ok(None),
    }
}

fn topic(given: Given<String>) -> Result<Symbol, CommandFault> {
    let name = match given {
        Given::Value(name) => name.parse().ok(),
        Given::Absent | Given::Wrong => None,
    };
    name.ok_or(CommandFault::WrongType { key: "topic", expected: "the name of a topic" })
}

impl<'de> FromEntries<'de> for RawCommand {
    /// Channels that follow another have no subscription of their own, and are no unknown channels either:
    /// SDKs name them.
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "action" => self.action = map.next_value::<As<_>>()?.0,
            "key" => self.key = map.next_value::<As<_>>()?.0,
            "secret" => self.secret = map.next_value::<As<_>>()?.0,
            "token" => self.token = map.next_value::<As<_>>()?.0,
            "x" => self.extensions = map.next_value::<As<_>>()?.0,
            "topic" => self.topic = map.next_value::<As<_>>()?.0,
            "data" => self.data = map.next_value()?,
            key if AlertKeys::NAMES.contains(&key) => self.alert.entry(key, map)?,
            name => match Channel::named(name) {
                Some(channel) if channel.leader() == channel => {
                    self.lists[channel.index()] = map.next_value::<As<_>>()?.0;
                }
                Some(_) => drop(map.next_value::<IgnoredAny>()?),
                None => self.unknown_channels.set(name, map.next_value::<As<_>>()?.0),
            },
        }
        Ok(())
    }
}

impl<'de> Tolerant<'de> for Given<NamedList> {
    fn wrong() -> Self {
        Self::Wrong
    }

    fn null() -> Self {
        Self::Absent
    }

    fn list<A: SeqAccess<'de>>(mut names: A) -> Result<Self, A::Error> {
        let mut named = NamedList::default();
        while let Some(As(name)) = names.next_element()? {
            match name {
                Name::All => named.list.all = true,
                Name::Symbol(symbol) => named.list.symbols.push(symbol),
                Name::Malformed(text) => named.malformed.add(&text),
                Name::Absent => {}
            }
        }
        Ok(Self::Value(named))
    }
}

/// One name of a list. A symbol is parsed without an allocation: a command may have ten thousand of them.
enum Name {
    All,
    Symbol(Symbol),
    Malformed(Cow<'static, str>),
    Absent,
}

impl<'de> Tolerant<'de> for Name {
    fn wrong() -> Self {
        Self::Malformed(Cow::Borrowed("?"))
    }

    fn null() -> Self {
        Self::Absent
    }

    fn text(name: &str) -> Self {
        match name {
            "*" => Self::All,
            name => name
                .parse()
                .map_or_else(|_| Self::Malformed(Cow::Owned(RejectedNames::shorten(name))), Self::Symbol),
        }
    }

    fn number(number: Number) -> Self {
        let text = match number {
            Number::Unsigned(number) => number.to_string(),
            Number::Negative(number) => number.to_string(),
            Number::Float(number) => number.to_string(),
        };
        Self::Malformed(Cow::Owned(RejectedNames::shorten(&text)))
    }

    fn boolean(value: bool) -> Self {
        Self::Malformed(Cow::Borrowed(if value { "true" } else { "false" }))
    }

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::Malformed(Cow::Borrowed("[…]")))
    }

    fn map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::Malformed(Cow::Borrowed("{…}")))
    }
}

/// The bytes without a byte order mark and white space around them, which some serializers and terminals add.
fn trimmed(mut bytes: &[u8]) -> &[u8] {
    const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
    loop {
        let before = bytes.len();
        bytes = bytes.trim_ascii();
        bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        if bytes.len() == before {
            return bytes;
        }
    }
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
