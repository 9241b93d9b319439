use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Codec;
use super::clock_text::parse_rfc3339;
use super::decode_objects::from_msgpack;
use crate::model::{
    BegunEpoch, Channel, Epoch, EpochNumbers, FeedNotice, FeedState, Seq, Symbol, Timestamp, TradeRules,
};

/// A control message of another server, as far as its client has a use for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerMessage {
    /// The connection was accepted.
    Connected,
    /// The credentials were accepted.
    Authenticated,
    /// The acknowledgement of a subscription.
    Subscription(Acknowledgement),
    /// A range of objects that is not sent.
    Gap {
        /// The symbol.
        symbol: Symbol,
        /// The channel.
        channel: Channel,
        /// The first missing number.
        from: Seq,
        /// The last missing number.
        to: Seq,
    },
    /// Nothing else was sent for an interval.
    Heartbeat {
        /// The time up to which everything was sent.
        watermark: Option<Timestamp>,
    },
    /// The state of its feed changed.
    Feed(FeedNotice),
    /// An epoch begins.
    Epoch(BegunEpoch),
    /// It stops soon.
    Drain,
    /// A command failed, or the connection ends.
    Error {
        /// The code.
        code: u16,
        /// What it means.
        message: String,
    },
}

/// What another server says of its feed when it acknowledges a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The epoch of its sequence numbers, if it gives numbers.
    pub epoch: Option<Epoch>,
    /// Which of its trades are the last price. A server of this kind says so. Any other one has the trades of US stocks with
    /// the sale conditions of their tape.
    pub rules: TradeRules,
}

/// Decodes a message of another server that has no object of a channel. What is unknown is left out.
pub fn decode_control(codec: Codec, bytes: &[u8]) -> Vec<ServerMessage> {
    let messages: Option<Vec<Raw>> = match codec {
        Codec::Json => serde_json::from_slice(bytes).ok(),
        Codec::MsgPack => from_msgpack(bytes),
    };
    messages.unwrap_or_default().into_iter().filter_map(Raw::meaning).collect()
}

/// The keys of all control messages.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    #[serde(rename = "T")]
    kind: String,
    msg: String,
    code: u16,
    x: Option<RawExtensions>,
    #[serde(rename = "S")]
    symbol: String,
    #[serde(rename = "ch")]
    channel: String,
    from: Option<NumberOrTime>,
    to: Option<NumberOrTime>,
    alerts: Option<IgnoredAny>,
    epoch: String,
    restart: bool,
    age_ms: i64,
    t: String,
    state: String,
    source: String,
    filled: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawExtensions {
    epoch: String,
    tape: String,
}

impl RawExtensions {
    fn acknowledgement(&self) -> Acknowledgement {
        let epoch = self.epoch.parse().ok();
        let is_consolidated = epoch.is_none() || self.tape == TradeRules::CONSOLIDATED_TAPE;
        let rules = if is_consolidated { TradeRules::Consolidated } else { TradeRules::EveryTrade };
        Acknowledgement { epoch, rules }
    }
}

/// The number of an object in a gap, the time in a notice of the feed.
#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrTime {
    Number(u64),
    Time(String),
}

impl NumberOrTime {
    fn number(&self) -> Option<Seq> {
        match self {
            Self::Number(number) => Some(Seq(*number)),
            Self::Time(_) => None,
        }
    }

    fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Number(_) => None,
            Self::Time(text) => parse_rfc3339(text),
        }
    }
}

impl Raw {
    fn meaning(self) -> Option<ServerMessage> {
        Some(match (&*self.kind, &*self.msg) {
            ("success", "connected") => ServerMessage::Connected,
            ("success", "authenticated") => ServerMessage::Authenticated,
            ("subscription", _) => ServerMessage::Subscription(self.x.unwrap_or_default().acknowledgement()),
            // What alerts were not evaluated for is no loss of trades.
            ("gap", _) if self.alerts.is_some() => return None,
            ("gap", _) => ServerMessage::Gap {
                symbol: self.symbol.parse().ok()?,
                channel: Channel::named(&self.channel)?,
                from: self.from?.number()?,
                to: self.to?.number()?,
            },
            ("h", _) => {
                let age_ns = self.age_ms.saturating_mul(1_000_000);
                let watermark = parse_rfc3339(&self.t).map(|now| now.nanos().saturating_sub(age_ns));
                ServerMessage::Heartbeat { watermark: watermark.map(Timestamp::from_nanos) }
            }
            ("feed", _) => ServerMessage::Feed(FeedNotice {
                state: FeedState::ALL.into_iter().find(|state| state.name() == self.state)?,
                source: self.source.into(),
                from: self.from.and_then(|from| from.time()),
                to: self.to.and_then(|to| to.time()),
                filled: self.filled,
            }),
            ("epoch", _) => ServerMessage::Epoch(BegunEpoch {
                epoch: self.epoch.parse().ok()?,
                numbers: if self.restart { EpochNumbers::Restart } else { EpochNumbers::GoOn },
            }),
            ("drain", _) => ServerMessage::Drain,
            ("error", _) => ServerMessage::Error { code: self.code, message: self.msg },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{ControlMessage, ErrorCode, Gap, Heartbeat, fixtures};

    fn decoded(message: &ControlMessage) -> Vec<ServerMessage> {
        let [json, msgpack] = [Codec::Json, Codec::MsgPack]
            .map(|codec| decode_control(codec, fixtures::payload(&message.to_frame(codec))));
        assert_eq!(json, msgpack);
        json
    }

    #[test]
    fn control_messages_of_ours_are_read_in_both_codecs() {
        let [now, from] = [5_000_000_000, 0].map(Timestamp::from_nanos);
        let symbol: Symbol = "AAPL".parse().unwrap();
        let (epoch, was) = (Epoch::new(7), Epoch::new(8));
        let notice = FeedNotice {
            filled: Some(false),
            from: Some(from),
            to: Some(now),
            ..FeedNotice::of_source(FeedState::Back, "iex")
        };

        assert_eq!(decoded(&ControlMessage::CONNECTED), [ServerMessage::Connected]);
        assert_eq!(decoded(&ControlMessage::AUTHENTICATED), [ServerMessage::Authenticated]);
        let gap = Gap::new(&symbol, Channel::Trades, Seq(3), Seq(9));
        assert_eq!(
            decoded(&ControlMessage::Gap(gap)),
            [ServerMessage::Gap { symbol, channel: Channel::Trades, from: Seq(3), to: Seq(9) }]
        );
        assert_eq!(
            decoded(&ControlMessage::Heartbeat(Heartbeat::new(epoch, 2_000, now))),
            [ServerMessage::Heartbeat { watermark: Some(Timestamp::from_nanos(3_000_000_000)) }]
        );
        assert_eq!(decoded(&ControlMessage::Feed((&notice).into())), [ServerMessage::Feed(notice)]);
        for numbers in [EpochNumbers::GoOn, EpochNumbers::Restart] {
            let begun = BegunEpoch { epoch, numbers };
            assert_eq!(decoded(&ControlMessage::epoch(begun, was)), [ServerMessage::Epoch(begun)]);
        }
        assert_eq!(
            decoded(&ErrorCode::ConnectionLimit.into()),
            [ServerMessage::Error { code: 406, message: "connection limit exceeded".to_owned() }]
        );
    }

    #[test]
    fn sale_conditions_decide_where_the_acknowledgement_says_so_and_at_servers_of_another_kind() {
        let rules = |text: &str| match &decode_control(Codec::Json, text.as_bytes())[..] {
            [ServerMessage::Subscription(Acknowledgement { rules, .. })] => *rules,
            other => panic!("{other:?}"),
        };
        let ours = |tape: &str| rules(&format!(r#"[{{"T":"subscription","x":{{"epoch":"k3"{tape}}}}}]"#));
        assert_eq!(ours(r#","tape":"consolidated""#), TradeRules::Consolidated);
        assert_eq!(ours(""), TradeRules::EveryTrade);
        assert_eq!(rules(r#"[{"T":"subscription","trades":["*"]}]"#), TradeRules::Consolidated);
    }

    #[test]
    fn what_alerts_were_not_evaluated_for_is_no_gap_of_the_stream() {
        let gap = r#"[{"T":"gap","S":"AAPL","ch":"trades","from":3,"to":9,"alerts":["a1"]}]"#;
        assert_eq!(decode_control(Codec::Json, gap.as_bytes()), []);
    }

    #[test]
    fn an_acknowledgement_has_an_epoch_only_if_the_server_numbers() {
        let epoch = |text: &str| match &decode_control(Codec::Json, text.as_bytes())[..] {
            [ServerMessage::Subscription(Acknowledgement { epoch, .. })] => *epoch,
            other => panic!("{other:?}"),
        };

        let ours =
            r#"[{"T":"subscription","trades":["A"],"x":{"id":1,"epoch":"k3","rejected":{"x":["y"]}}}]"#;
        assert_eq!(epoch(ours), "k3".parse().ok());
        assert_eq!(epoch(r#"[{"T":"subscription","trades":["*"],"bars":[]}]"#), None);
        assert_eq!(epoch(r#"[{"T":"subscription","x":{"epoch":"not ours!"}}]"#), None);
    }

    #[test]
    fn what_is_no_control_message_is_left_out() {
        let news = br#"[{"T":"drain","reconnect_ms":100},{"T":"news","headline":7}]"#;

        assert_eq!(decode_control(Codec::Json, news), [ServerMessage::Drain]);
        assert_eq!(decode_control(Codec::Json, b"nonsense"), []);
    }
}
