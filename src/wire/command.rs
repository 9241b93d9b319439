use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, de};

use super::ErrorCode;
use crate::model::{Channel, Symbol};

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Here are my credentials.
    Auth {
        /// The key's id.
        key: String,
        /// Its secret.
        secret: String,
    },
    /// Send me these as well.
    Subscribe(Selection),
    /// Send me these no more.
    Unsubscribe(Selection),
}

impl Command {
    /// Reads a command from JSON. Keys come in any order, unknown ones are ignored, a `null` list is
    /// an empty one: all of it was seen from clients in use.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidSyntax`] for whatever is no command.
    pub fn from_json(text: &[u8]) -> Result<Self, ErrorCode> {
        let typed: Typed = serde_json::from_slice(text).map_err(|_| ErrorCode::InvalidSyntax)?;
        typed.try_into()
    }
}

/// Symbols per channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    wanted: [Wanted; Channel::COUNT],
}

impl Selection {
    /// What is named for this channel.
    pub fn of(&self, channel: Channel) -> &Wanted {
        &self.wanted[channel.index()]
    }

    /// How many names there are in all channels together.
    pub fn len(&self) -> usize {
        self.wanted.iter().map(|wanted| wanted.symbols.len() + usize::from(wanted.all)).sum()
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The symbols named for one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Whether `*`, all symbols, is among them.
    pub all: bool,
    /// The others, as they were named.
    pub symbols: Vec<Symbol>,
}

impl Wanted {
    /// The names as text, `*` first.
    pub fn names(&self) -> Vec<String> {
        let star = self.all.then(|| "*".to_owned());
        star.into_iter().chain(self.symbols.iter().map(Symbol::to_string)).collect()
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
    trades: Wanted,
    #[serde(default)]
    quotes: Wanted,
    #[serde(default)]
    bars: Wanted,
    #[serde(default)]
    updated_bars: Wanted,
    #[serde(default)]
    daily_bars: Wanted,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Auth,
    Subscribe,
    Unsubscribe,
}

impl TryFrom<Typed> for Command {
    type Error = ErrorCode;

    fn try_from(typed: Typed) -> Result<Self, ErrorCode> {
        let selection = Selection {
            wanted: [typed.trades, typed.quotes, typed.bars, typed.updated_bars, typed.daily_bars],
        };
        Ok(match typed.action {
            Action::Auth => Self::Auth { key: typed.key, secret: typed.secret },
            Action::Subscribe => Self::Subscribe(selection),
            Action::Unsubscribe => Self::Unsubscribe(selection),
        })
    }
}

impl<'de> Deserialize<'de> for Wanted {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(Names)
    }
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Wanted;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a list of symbols or null")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Wanted, E> {
        Ok(Wanted::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Wanted, A::Error> {
        let mut wanted = Wanted::default();
        while let Some(name) = names.next_element::<std::borrow::Cow<'de, str>>()? {
            match name.as_ref() {
                "*" => wanted.all = true,
                name => wanted.symbols.push(name.parse().map_err(de::Error::custom)?),
            }
        }
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscribed(text: &str) -> Selection {
        match Command::from_json(text.as_bytes()) {
            Ok(Command::Subscribe(selection)) => selection,
            other => panic!("not a subscribe: {other:?}"),
        }
    }

    #[test]
    fn keys_come_in_any_order_and_unknown_ones_are_ignored() {
        let selection =
            subscribed(r#"{"quotes":["AMD","CLDR"],"orderbooks":["X"],"action":"subscribe","bars":["*"]}"#);

        assert_eq!(selection.of(Channel::Quotes).names(), ["AMD", "CLDR"]);
        assert_eq!(selection.of(Channel::Bars).names(), ["*"]);
        assert_eq!(selection.of(Channel::Trades).names(), [""; 0]);
        assert_eq!(selection.len(), 3);
    }

    #[test]
    fn a_null_list_is_an_empty_one() {
        assert!(subscribed(r#"{"action":"subscribe","trades":null}"#).is_empty());
    }

    #[test]
    fn credentials_are_read() {
        let command = Command::from_json(br#"{"secret":"S","action":"auth","key":"K"}"#);

        assert_eq!(command, Ok(Command::Auth { key: "K".into(), secret: "S".into() }));
    }

    #[test]
    fn whatever_is_no_command_is_invalid_syntax() {
        let bad: [&[u8]; 9] = [
            b"",
            b"{",
            b"[]",
            b"{}",
            b"\"subscribe\"",
            br#"{"action":"buy"}"#,
            br#"{"action":"subscribe","trades":"AAPL"}"#,
            br#"{"action":"subscribe","trades":[1]}"#,
            br#"{"action":"subscribe","trades":["A B"]}"#,
        ];
        for text in bad {
            assert_eq!(Command::from_json(text), Err(ErrorCode::InvalidSyntax));
        }
    }
}
