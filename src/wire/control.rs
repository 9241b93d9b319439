use std::borrow::Cow;

use bytes::Bytes;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::alert_control::{AlertList, AlertNotice};
use super::clock_text::rfc3339;
use super::frame::message_frame;
use super::tolerant::shortened;
use super::{Codec, GrantedExtensions, InvalidCommand, RequestId, SymbolList};
use crate::model::{
    BegunEpoch, Channel, Epoch, EpochNumbers, FeedNotice, Missed, Seq, Symbol, Timestamp, Universe,
};

/// A control message of the server: sent alone, in an array of exactly one. Several gaps may share one, and so may several alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "T", rename_all = "lowercase")]
pub enum ControlMessage {
    /// The connection was accepted, or the session authenticated.
    Success {
        /// `connected` or `authenticated`.
        msg: &'static str,
    },
    /// The acknowledgement of a command: the whole state of the subscription.
    Subscription(Box<Subscription>),
    /// A range of objects that the client does not receive.
    Gap(Gap),
    /// A heartbeat: no other frame was sent for the interval.
    #[serde(rename = "h")]
    Heartbeat(Heartbeat),
    /// The state of the feed changed.
    Feed(FeedReport),
    /// An epoch begins, in which numbers go on.
    Epoch {
        /// The epoch that begins.
        epoch: String,
        /// The one that ends.
        was: String,
        /// Present if numbers do not go on but begin again.
        #[serde(skip_serializing_if = "Option::is_none")]
        restart: Option<bool>,
    },
    /// The service is about to stop; reconnect after the delay.
    Drain {
        /// The delay in milliseconds, different for each session.
        reconnect_ms: u32,
    },
    /// The token of the session expires soon; send a new one. Sent to clients that opted into extensions.
    Expiry {
        /// After how many milliseconds the session ends.
        in_ms: u64,
    },
    /// A message was published.
    Published(PublicationReceipt),
    /// How many sessions subscribe to a topic.
    Presence(PresenceReport),
    /// The price alerts of the session.
    Alerts(AlertList),
    /// A price alert fired. Several may share a frame.
    #[serde(rename = "a")]
    Alert(AlertNotice),
    /// A command failed and changed nothing.
    Error {
        /// The code of the error.
        code: u16,
        /// The message of the error.
        msg: &'static str,
        /// What was wrong and what is expected, for a developer. Ours.
        why: Cow<'static, str>,
        /// After how many milliseconds the command may succeed, if that is known. Ours.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_ms: Option<u64>,
        /// The command that failed, if it has an id. Ours.
        #[serde(skip_serializing_if = "Option::is_none")]
        x: Option<Answered>,
    },
}

/// The command that is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// Its id.
    pub id: RequestId,
}

impl Answered {
    /// The command of this id, if it has one.
    pub fn of(id: Option<RequestId>) -> Option<Self> {
        id.map(|id| Self { id })
    }
}

/// The number that a published message got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicationReceipt {
    /// The topic.
    pub topic: String,
    /// The sequence number.
    pub sq: u64,
    /// The epoch of the number.
    pub epoch: String,
    /// The command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<Answered>,
}

/// How many sessions subscribe to a topic, as far as its namespace tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PresenceReport {
    /// The topic.
    pub topic: String,
    /// The number of sessions.
    pub sessions: usize,
    /// The number of different names among them.
    pub names: usize,
    /// Some of the names, if the namespace tells them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<String>>,
    /// The command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<Answered>,
}

impl ControlMessage {
    /// Sent first, right after the handshake.
    pub const CONNECTED: Self = Self::Success { msg: "connected" };
    /// The credentials were accepted.
    pub const AUTHENTICATED: Self = Self::Success { msg: "authenticated" };

    /// This epoch begins, and the other one ends.
    pub fn epoch(begun: BegunEpoch, was: Epoch) -> Self {
        let BegunEpoch { epoch, numbers } = begun;
        let restart = (numbers == EpochNumbers::Restart).then_some(true);
        Self::Epoch { epoch: epoch.to_string(), was: was.to_string(), restart }
    }

    /// The same as the answer to this command, if it is an error: acknowledgements and reports say it themselves.
    #[must_use]
    pub fn answering(mut self, command: Option<Answered>) -> Self {
        if let Self::Error { x: x @ None, .. } = &mut self {
            *x = command;
        }
        self
    }

    /// The message in a frame.
    pub fn to_frame(&self, codec: Codec) -> Bytes {
        Self::array_frame(std::slice::from_ref(self), codec)
    }

    /// Several messages in one frame: gaps, one for each stream.
    pub fn array_frame(messages: &[Self], codec: Codec) -> Bytes {
        const PLAIN: &str = "a control message has only plain fields";
        let bytes = match codec {
            Codec::Json => serde_json::to_vec(messages).expect(PLAIN),
            Codec::MsgPack => rmp_serde::to_vec_named(messages).expect(PLAIN),
        };
        message_frame(codec.opcode(), &bytes)
    }
}

impl From<ErrorCode> for ControlMessage {
    fn from(error: ErrorCode) -> Self {
        error.because(error.why())
    }
}

impl From<InvalidCommand> for ControlMessage {
    fn from(InvalidCommand { fault, id }: InvalidCommand) -> Self {
        ErrorCode::InvalidSyntax.because(fault.to_string()).answering(Answered::of(id))
    }
}

/// The whole state of a subscription.
///
/// Every key of Alpaca's protocol is present, empty where nothing is subscribed, because the JavaScript
/// SDK 3 throws on a missing one. Keys of our own channels are present only if the client subscribed to
/// them or opted into extensions; that of topics only if it subscribed to some.
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
        all.filter(|(channel, list)| match channel {
            channel if !channel.is_listed() => false,
            // Not even to a client that opted in: its decoder may be older than topics.
            Channel::Messages => !list.is_empty(),
            channel => !channel.is_extension() || self.granted.is_some() || !list.is_empty(),
        })
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

/// A range of objects of one stream that a client does not receive. Sent to clients that opted into
/// extensions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The symbol.
    #[serde(rename = "S")]
    pub symbol: String,
    /// The channel.
    #[serde(rename = "ch")]
    pub channel: &'static str,
    /// The first missing sequence number.
    pub from: u64,
    /// The last missing sequence number.
    pub to: u64,
    /// The alerts that were not evaluated for these trades. Where there are some, the client may have received the trades.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<String>,
}

impl Gap {
    /// A gap from one sequence number to another, both missing.
    pub fn new(symbol: &Symbol, channel: Channel, from: Seq, to: Seq) -> Self {
        let (symbol, channel) = (symbol.to_string(), channel.name());
        Self { symbol, channel, from: from.0, to: to.0, alerts: Vec::new() }
    }

    /// The trades that these alerts were not evaluated for.
    pub fn of_alerts(missed: Missed, universe: &Universe, alerts: Vec<String>) -> Self {
        Self { alerts, ..Self::of(missed, universe) }
    }

    /// The gap that tells what was missed of a stream of this universe.
    pub fn of(missed: Missed, universe: &Universe) -> Self {
        let Missed { stream, from, to } = missed;
        Self::new(universe.name_of(stream), stream.channel(), from, to)
    }
}

/// A heartbeat. It tells a quiet market, a lost feed and a lost connection apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heartbeat {
    /// The epoch of all sequence numbers on this connection.
    pub epoch: String,
    /// The age of the newest market event in milliseconds.
    pub age_ms: u64,
    /// The current time, RFC 3339.
    pub t: String,
}

impl Heartbeat {
    /// The heartbeat at `now`, when the newest event has this age.
    pub fn new(epoch: Epoch, age_ms: u64, now: Timestamp) -> Self {
        Self { epoch: epoch.to_string(), age_ms, t: rfc3339(now) }
    }
}

/// A change of the state of the feed. Sent to clients that opted into extensions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeedReport {
    /// What happened: the name of a [`FeedState`](crate::model::FeedState).
    pub state: &'static str,
    /// What it happened to.
    pub source: Cow<'static, str>,
    /// The start of the time that it is about, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The end of that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Whether that time was filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filled: Option<bool>,
}

impl From<&FeedNotice> for FeedReport {
    fn from(FeedNotice { state, source, from, to, filled }: &FeedNotice) -> Self {
        let source = source.clone();
        Self { state: state.name(), source, from: from.map(rfc3339), to: to.map(rfc3339), filled: *filled }
    }
}

/// Why a command failed, by its code on the wire.
///
/// One code of Alpaca's is never sent: 410, `invalid subscribe action for this feed`, is for channels
/// that a stream does not have: see [`Command::OtherStream`](super::Command::OtherStream).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum ErrorCode {
    /// The command is malformed: syntax, action or a symbol is invalid.
    InvalidSyntax = 400,
    /// The command needs an authenticated session.
    NotAuthenticated = 401,
    /// The key or its secret is wrong, the key was revoked, or the address failed too often.
    AuthFailed = 402,
    /// The session is authenticated already. Harmless.
    AlreadyAuthenticated = 403,
    /// The client did not authenticate in time; a Close follows.
    AuthTimeout = 404,
    /// The subscription would have more symbols than the limit. It is unchanged.
    SymbolLimit = 405,
    /// The key has its maximum number of sessions.
    ConnectionLimit = 406,
    /// The client reads too slowly; a Close follows. Subscribe to less, or use conflation.
    SlowClient = 407,
    /// The key does not include this feed, or a symbol that was named. The subscription is unchanged.
    InsufficientSubscription = 409,
    /// The client exceeded the rate limit of commands; a Close follows. Ours, after HTTP's code.
    TooManyCommands = 429,
    /// No namespace has a topic of this name, or there are too many topics. Ours, as the next three.
    NoSuchTopic = 430,
    /// The client may not do this with the topic.
    NotPermitted = 431,
    /// The message is too long, or nested too deep.
    MessageTooBig = 432,
    /// The session or the topic has too many messages; the error says when to try again.
    TooFast = 433,
    /// The session, its key or the server has its maximum of price alerts. Ours, as the next one.
    TooManyAlerts = 434,
    /// The condition of a price alert is not one, or the market has no such symbol.
    BadCondition = 435,
    /// The message may be published or not: the feed did not say.
    InternalError = 500,
}

impl ErrorCode {
    /// The error with this explanation, which is cut to 200 characters.
    pub fn because(self, why: impl Into<Cow<'static, str>>) -> ControlMessage {
        const LONGEST: usize = 200;
        let mut why = why.into();
        if why.len() > LONGEST {
            why = shortened(&why, LONGEST).into();
        }
        ControlMessage::Error { code: self as u16, msg: self.message(), why, retry_ms: None, x: None }
    }

    /// The explanation of the error where no more is known than its code.
    const fn why(self) -> &'static str {
        match self {
            Self::InvalidSyntax => "the message is not a command",
            Self::NotAuthenticated => "send `auth` with a key and its secret, or a token, first",
            Self::AuthFailed => {
                "the key, its secret or the token is wrong, the key was revoked, or this address failed too often"
            }
            Self::AlreadyAuthenticated => "this session is authenticated already; nothing changed",
            Self::AuthTimeout => "no valid key came in time; connect again and send `auth` at once",
            Self::SymbolLimit => "more names than a session may have; the subscription is unchanged",
            Self::ConnectionLimit => "the key has its maximum number of sessions; close another one first",
            Self::SlowClient => {
                "more was due than the client read; subscribe to less, or send `x` with `conflate_ms`"
            }
            Self::InsufficientSubscription => {
                "the key does not include this feed or a symbol that was named; nothing changed"
            }
            Self::TooManyCommands => "more commands than the rate limit allows; connect again and send fewer",
            Self::NoSuchTopic => "no namespace of this server has a topic of this name",
            Self::NotPermitted => "this session may not do this with this topic",
            Self::MessageTooBig => "the message is longer than the topic takes, or nested too deep",
            Self::TooFast => {
                "more messages than the topic or the session may have; try again after `retry_ms`"
            }
            Self::TooManyAlerts => "more alerts than there may be; remove some first",
            Self::BadCondition => "the condition of the alert is not one; nothing changed",
            Self::InternalError => "the feed did not answer: the message may be published or not",
        }
    }

    /// The message of the error, as Alpaca words it.
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
            Self::NoSuchTopic => "no such topic",
            Self::NotPermitted => "not permitted",
            Self::MessageTooBig => "message too big",
            Self::TooFast => "too fast",
            Self::TooManyAlerts => "too many alerts",
            Self::BadCondition => "bad condition",
            Self::InternalError => "internal error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FeedState;
    use crate::wire::{Command, fixtures};

    fn text(message: &ControlMessage) -> String {
        String::from_utf8(fixtures::payload(&message.to_frame(Codec::Json)).to_vec()).unwrap()
    }

    #[test]
    fn a_control_message_is_alone_in_its_array_and_begins_with_t() {
        assert_eq!(text(&ControlMessage::CONNECTED), r#"[{"T":"success","msg":"connected"}]"#);
        assert_eq!(
            text(&ErrorCode::SymbolLimit.into()),
            r#"[{"T":"error","code":405,"msg":"symbol limit exceeded","why":"more names than a session may have; the subscription is unchanged"}]"#
        );
    }

    #[test]
    fn a_feed_notice_has_the_keys_that_it_needs() {
        let [from, to] = [0, 3_600_000_000_000].map(Timestamp::from_nanos);
        let clock = FeedNotice::clock_was_set(from, to);
        let back =
            FeedNotice { state: FeedState::Back, source: "iex".into(), filled: Some(false), ..clock.clone() };
        let ended = FeedNotice { state: FeedState::Ended, from: None, to: None, ..clock.clone() };
        let text = |notice: &FeedNotice| text(&ControlMessage::Feed(notice.into()));

        assert_eq!(
            text(&clock),
            r#"[{"T":"feed","state":"clock","source":"clock","from":"1970-01-01T00:00:00.000000000Z","to":"1970-01-01T01:00:00.000000000Z"}]"#
        );
        assert!(text(&back).starts_with(r#"[{"T":"feed","state":"back","source":"iex","from":"#));
        assert!(text(&back).ends_with(r#","filled":false}]"#));
        assert_eq!(text(&ended), r#"[{"T":"feed","state":"ended","source":"clock"}]"#);
    }

    #[test]
    fn an_explanation_is_bounded_and_comes_after_the_keys_of_alpaca() {
        let action = "x".repeat(100_000);
        let command = format!(r#"{{"action":"{action}"}}"#);
        let error = Command::read(Codec::Json, command.as_bytes()).unwrap_err();

        let text = text(&error.into());

        assert!(
            text.starts_with(r#"[{"T":"error","code":400,"msg":"invalid syntax","why":"unknown action `xxx"#)
        );
        assert!(text.len() < 300, "{text}");
        let long = ErrorCode::InvalidSyntax.because("é".repeat(100_000));
        assert!(matches!(long, ControlMessage::Error { why, .. } if why.chars().count() == 200));
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

    #[test]
    fn an_acknowledgement_has_topics_only_if_some_are_subscribed() {
        let state = |topics: &[&str]| {
            let symbols = topics.iter().map(|name| name.parse().unwrap()).collect::<Vec<_>>();
            let list = move |channel| match channel {
                Channel::Messages => SymbolList { all: false, symbols: symbols.clone() },
                _ => SymbolList::default(),
            };
            let granted = GrantedExtensions {
                id: None,
                epoch: "k3".to_owned(),
                conflate_ms: 0,
                heartbeat_ms: 0,
                tape: None,
                fields: None,
                delta: false,
                rejected: Default::default(),
            };
            text(&ControlMessage::Subscription(Box::new(Subscription::of(list, Some(granted)))))
        };

        assert!(!state(&[]).contains("topics"));
        let some = state(&["chat:AAPL"]);
        assert_eq!(some.matches("topics").count(), 1, "{some}");
        assert!(some.contains(r#""tickers":[],"topics":["chat:AAPL"],"x":"#), "{some}");
    }

    #[test]
    fn answers_about_topics_name_the_command() {
        let x = Answered::of(Some(RequestId::Number(9)));
        let topic = || "chat:AAPL".to_owned();
        let published = PublicationReceipt { topic: topic(), sq: 42, epoch: "k3".to_owned(), x: x.clone() };
        let presence = PresenceReport { topic: topic(), sessions: 812, names: 120, list: None, x: x.clone() };
        let ControlMessage::Error { code, msg, why, .. } = ControlMessage::from(ErrorCode::TooFast) else {
            panic!()
        };
        let too_fast = ControlMessage::Error { code, msg, why, retry_ms: Some(250), x };

        assert_eq!(
            text(&ControlMessage::Published(published)),
            r#"[{"T":"published","topic":"chat:AAPL","sq":42,"epoch":"k3","x":{"id":9}}]"#
        );
        assert_eq!(
            text(&ControlMessage::Presence(presence)),
            r#"[{"T":"presence","topic":"chat:AAPL","sessions":812,"names":120,"x":{"id":9}}]"#
        );
        assert!(text(&too_fast).ends_with(r#","retry_ms":250,"x":{"id":9}}]"#));
    }
}
