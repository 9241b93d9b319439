use bytes::Bytes;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::clock_text::rfc3339;
use super::frame::message_frame;
use super::{Codec, GrantedExtensions, SymbolList};
use crate::model::{Channel, Epoch, Seq, Symbol, Timestamp};

/// What the server says about the conversation itself: always alone, in an array of exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "T", rename_all = "lowercase")]
pub enum ControlMessage {
    /// A step of the conversation went well.
    Success {
        /// `connected` or `authenticated`.
        msg: &'static str,
    },
    /// The whole state of the session's subscription.
    Subscription(Box<Subscription>),
    /// Objects that the client will not get: those between what it has and what follows.
    Gap(Gap),
    /// Nothing else was sent for a while, and the feed is so old.
    #[serde(rename = "h")]
    Heartbeat(Heartbeat),
    /// The service is about to stop; come back after so many milliseconds.
    Drain {
        /// How long to wait, different for each session.
        reconnect_ms: u32,
    },
    /// A command could not be carried out; nothing was changed by it.
    Error {
        /// The number of the error.
        code: u16,
        /// The error in words.
        msg: &'static str,
    },
}

impl ControlMessage {
    /// The greeting, right after the handshake.
    pub const CONNECTED: Self = Self::Success { msg: "connected" };
    /// The credentials were accepted.
    pub const AUTHENTICATED: Self = Self::Success { msg: "authenticated" };

    /// The notice as a frame.
    pub fn to_frame(&self, codec: Codec) -> Bytes {
        Self::array_frame(std::slice::from_ref(self), codec)
    }

    /// Several notices in one frame: gaps, which may be one for each symbol.
    pub fn array_frame(notices: &[Self], codec: Codec) -> Bytes {
        const PLAIN: &str = "a notice has only plain fields";
        let bytes = match codec {
            Codec::Json => serde_json::to_vec(notices).expect(PLAIN),
            Codec::MsgPack => rmp_serde::to_vec_named(notices).expect(PLAIN),
        };
        message_frame(codec.opcode(), &bytes)
    }
}

impl From<ErrorCode> for ControlMessage {
    fn from(error: ErrorCode) -> Self {
        Self::Error { code: error as u16, msg: error.message() }
    }
}

/// The whole state of a subscription.
///
/// Every key of Alpaca's protocol is present, empty where nothing is subscribed, because the JavaScript
/// SDK 3 throws on a missing one. Keys of our own channels follow if they are of interest: clients that do
/// not know them must not see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    lists: [SymbolList; Channel::COUNT],
    granted: Option<GrantedExtensions>,
}

impl Subscription {
    /// The state in which the symbols of each channel are those of `symbols`. If the client opted into
    /// extensions, `granted` is part of it.
    pub fn of(symbols: impl Fn(Channel) -> SymbolList, granted: Option<GrantedExtensions>) -> Self {
        Self { lists: Channel::ALL.map(|channel| symbols(channel.leader())), granted }
    }

    fn channels(&self) -> impl Iterator<Item = (Channel, &SymbolList)> {
        let all = Channel::ALL.into_iter().zip(&self.lists);
        all.filter(|(channel, list)| !channel.is_extension() || self.granted.is_some() || !list.is_empty())
    }
}

impl Serialize for Subscription {
    fn serialize<S: Serializer>(&self, target: S) -> Result<S::Ok, S::Error> {
        let channels = self.channels().count();
        let mut map = target.serialize_map(Some(channels + usize::from(self.granted.is_some())))?;
        for (channel, list) in self.channels() {
            map.serialize_entry(channel.name(), list)?;
        }
        if let Some(granted) = &self.granted {
            map.serialize_entry("x", granted)?;
        }
        map.end()
    }
}

/// Objects of one stream that a client will not get. Sent to those who opted in, never in silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The symbol.
    #[serde(rename = "S")]
    pub symbol: String,
    /// The channel.
    #[serde(rename = "ch")]
    pub channel: &'static str,
    /// The first number that is missing.
    pub from: u64,
    /// The last.
    pub to: u64,
}

impl Gap {
    /// The gap of the objects from one number to another, both missing.
    pub fn new(symbol: &Symbol, channel: Channel, from: Seq, to: Seq) -> Self {
        Self { symbol: symbol.to_string(), channel: channel.name(), from: from.0, to: to.0 }
    }
}

/// A sign of life, by which a quiet market, a lost feed and a lost connection can be told apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heartbeat {
    /// The epoch of all numbers on this connection.
    pub epoch: String,
    /// The age of the newest market event in milliseconds.
    pub age_ms: u64,
    /// Now, RFC 3339.
    pub t: String,
}

impl Heartbeat {
    /// The sign of life at `now`, when the newest event is so old.
    pub fn new(epoch: Epoch, age_ms: u64, now: Timestamp) -> Self {
        Self { epoch: epoch.to_string(), age_ms, t: rfc3339(now) }
    }
}

/// Why a command was not carried out, by its number on the wire.
///
/// Of Alpaca's list two are never sent. 410, `invalid subscribe action for this feed`, is for channels
/// that a stream does not have: bars in the option stream, trades in the news stream. Our feeds are all
/// of stocks, and each has every channel of those; names in lists of other streams (`news`,
/// `orderbooks`) are ignored, as SDKs expect of what a server does not know. 500, `internal error`, would
/// answer a command that failed for a reason of ours, and none can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum ErrorCode {
    /// Not JSON, no known action, or a symbol that cannot be one. Mend the command.
    InvalidSyntax = 400,
    /// The command needs a key and none was shown: authenticate first.
    NotAuthenticated = 401,
    /// No such key, or not its secret, or no more of either. Do not try the same again.
    AuthFailed = 402,
    /// A second `auth` on one connection. Harmless.
    AlreadyAuthenticated = 403,
    /// No key was shown in time; the connection closes after this.
    AuthTimeout = 404,
    /// More symbols than the limit. The state is unchanged: ask for fewer.
    SymbolLimit = 405,
    /// The key has as many sessions as it may: end another first.
    ConnectionLimit = 406,
    /// Reads too slowly; the connection closes after this. Ask for less, or for conflation.
    SlowClient = 407,
    /// The key is not good for this feed, or for a symbol that was named. The state is unchanged.
    InsufficientSubscription = 409,
    /// Ours, after HTTP's: more commands than anybody needs; the connection closes after this.
    TooManyCommands = 429,
}

impl ErrorCode {
    /// The error in words, as Alpaca has them.
    pub const fn message(self) -> &'static str {
        match self {
            Self::InvalidSyntax => "invalid syntax",
            Self::NotAuthenticated => "not authenticated",
            Self::AuthFailed => "auth failed",
            Self::AuthTimeout => "auth timeout",
            Self::AlreadyAuthenticated => "already authenticated",
            Self::SymbolLimit => "symbol limit exceeded",
            Self::ConnectionLimit => "connection limit exceeded",
            Self::SlowClient => "slow client",
            Self::InsufficientSubscription => "insufficient subscription",
            Self::TooManyCommands => "too many commands",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(notice: &ControlMessage) -> String {
        String::from_utf8(notice.to_frame(Codec::Json).to_vec()[2..].to_vec()).unwrap()
    }

    #[test]
    fn a_notice_stands_alone_in_an_array_with_t_first() {
        assert_eq!(text(&ControlMessage::CONNECTED), r#"[{"T":"success","msg":"connected"}]"#);
        assert_eq!(
            text(&ErrorCode::SymbolLimit.into()),
            r#"[{"T":"error","code":405,"msg":"symbol limit exceeded"}]"#
        );
    }

    #[test]
    fn a_subscription_has_all_nine_keys_and_corrections_follow_trades() {
        let state = Subscription::of(
            |channel| match channel {
                Channel::Trades => SymbolList { all: false, symbols: vec!["AAPL".parse().unwrap()] },
                Channel::Bars => SymbolList { all: true, symbols: vec![] },
                _ => SymbolList::default(),
            },
            None,
        );

        let frame = ControlMessage::Subscription(Box::new(state)).to_frame(Codec::Json);

        assert_eq!(
            frame[4..],
            *br#"[{"T":"subscription","trades":["AAPL"],"quotes":[],"bars":["*"],"updatedBars":[],"dailyBars":[],"statuses":[],"lulds":[],"cancelErrors":["AAPL"],"corrections":["AAPL"]}]"#
        );
    }
}
