//! The protocols of other servers that push messages over WebSocket, to compare them with Tapecast.
//!
//! Their messages carry what a message of the stream protocol carries, so that the same statistics apply.
//! A WebSocket frame is no unit of NATS or MQTT: the payloads of all frames form one stream of bytes.

pub(crate) mod mqtt;
pub(crate) mod nats;

use clap::ValueEnum;

use super::protocol::{ProtocolError, SessionProtocol};
use super::stats::StatsRecorder;
use super::workload::Workload;

/// The protocol that the server speaks over WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dialect {
    /// Tapecast's stream protocol
    Stream,
    /// NATS, with the subjects `trades.SYMBOL`
    Nats,
    /// MQTT 3.1.1, with the topics `trades/SYMBOL` and quality of service 0
    Mqtt,
    /// nginx with nchan: the path of the URL is extended by the symbols, or by `all`
    Nchan,
}

impl Dialect {
    /// The value of `Sec-WebSocket-Protocol` in the upgrade.
    pub(crate) fn subprotocol(self) -> Option<&'static str> {
        (self == Self::Mqtt).then_some("mqtt")
    }

    /// What a session appends to the path of its URL.
    pub(crate) fn path_suffix(self, workload: &Workload, session: usize) -> String {
        if self == Self::Nchan { workload.symbols_or(session, "all").join(",") } else { String::new() }
    }
}

/// The name of a symbol that `load publish` publishes.
pub(crate) fn symbol_name(number: usize) -> String {
    format!("S{number:04}")
}

/// One packet of a broker, as far as a subscriber distinguishes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    /// A published message.
    Message(&'a [u8]),
    /// All subscriptions are in force.
    Subscribed,
    /// The broker expects the answer of [`BrokerProtocol::pong`].
    Ping,
    /// Anything else that is no error.
    Other,
}

/// The first packet of a buffer with its length, or `None` if it is incomplete.
pub(crate) type DecodedPacket<'a> = Result<Option<(Packet<'a>, usize)>, ProtocolError>;

/// The protocol of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BrokerProtocol {
    Nats,
    Mqtt,
}

impl BrokerProtocol {
    /// `None` for the dialects whose frames are messages.
    pub(crate) fn of(dialect: Dialect) -> Option<Self> {
        match dialect {
            Dialect::Nats => Some(Self::Nats),
            Dialect::Mqtt => Some(Self::Mqtt),
            Dialect::Stream | Dialect::Nchan => None,
        }
    }

    /// What a session sends first: it identifies itself and subscribes.
    pub(crate) fn greeting(self, workload: &Workload, session: usize) -> Vec<u8> {
        match self {
            Self::Nats => nats::greeting(&workload.symbols_or(session, "*")),
            Self::Mqtt => mqtt::greeting(session, &workload.symbols_or(session, "+")),
        }
    }

    fn decode(self, bytes: &[u8]) -> DecodedPacket<'_> {
        match self {
            Self::Nats => nats::decode(bytes),
            Self::Mqtt => mqtt::decode(bytes),
        }
    }

    fn pong(self) -> &'static [u8] {
        match self {
            Self::Nats => nats::PONG,
            Self::Mqtt => &[],
        }
    }
}

/// The state of one subscriber.
pub(crate) struct BrokerSession {
    protocol: BrokerProtocol,
    is_subscribed: bool,
    /// The start of a packet whose remainder has not arrived.
    partial_packet: Vec<u8>,
    /// Counts and checks what the messages carry.
    messages: SessionProtocol,
}

impl BrokerSession {
    pub(crate) fn new(protocol: BrokerProtocol) -> Self {
        Self {
            protocol,
            is_subscribed: false,
            partial_packet: Vec::new(),
            messages: SessionProtocol::subscribed(),
        }
    }

    pub(crate) fn is_subscribed(&self) -> bool {
        self.is_subscribed
    }

    /// Processes the payload of a frame that was read at `now_us`, and returns what to answer.
    #[inline]
    pub(crate) fn on_payload(
        &mut self,
        payload: &[u8],
        now_us: i64,
        stats: &mut StatsRecorder,
    ) -> Result<&'static [u8], ProtocolError> {
        let mut answer: &[u8] = &[];
        let mut joined = std::mem::take(&mut self.partial_packet);
        let bytes = if joined.is_empty() {
            payload
        } else {
            joined.extend_from_slice(payload);
            &joined
        };
        let mut used = 0;
        while let Some((packet, length)) = self.protocol.decode(&bytes[used..])? {
            used += length;
            match packet {
                Packet::Message(message) => {
                    self.messages.on_message(message, now_us, stats)?;
                }
                Packet::Subscribed => self.is_subscribed = true,
                Packet::Ping => answer = self.protocol.pong(),
                Packet::Other => {}
            }
        }
        if used < bytes.len() {
            self.partial_packet = bytes[used..].to_vec();
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that the broker sends, in pieces of `size` bytes.
    fn received(protocol: BrokerProtocol, bytes: &[u8], size: usize) -> (u64, u64, bool, usize) {
        let mut stats = StatsRecorder::default();
        let mut session = BrokerSession::new(protocol);
        let mut answered = 0;
        for piece in bytes.chunks(size) {
            answered += session.on_payload(piece, 1_000_000, &mut stats).unwrap().len();
        }
        (stats.received.objects, stats.received.gaps, session.is_subscribed(), answered)
    }

    fn trade(sequence: u64) -> String {
        format!(r#"[{{"T":"t","S":"S0001","t":"1970-01-01T00:00:00.9Z","sq":{sequence}}}]"#)
    }

    #[test]
    fn nats_messages_are_read_from_any_pieces() {
        let mut bytes = b"INFO {\"max_payload\":1}\r\nPONG\r\n".to_vec();
        for sequence in [1, 2, 4] {
            bytes.extend(nats::publish_as_message("trades.S0001", trade(sequence).as_bytes()));
        }
        bytes.extend_from_slice(b"PING\r\n");

        for size in [1, 7, 64, bytes.len()] {
            assert_eq!(received(BrokerProtocol::Nats, &bytes, size), (3, 1, true, 6), "{size}");
        }
    }

    #[test]
    fn mqtt_messages_are_read_from_any_pieces() {
        let mut bytes = vec![0x20, 2, 0, 0, 0x90, 4, 0, 1, 0, 0];
        for sequence in [1, 2, 4] {
            // With a remaining length of two bytes.
            let message = format!("{}{}", trade(sequence), " ".repeat(100));
            mqtt::publish(&mut bytes, "trades/S0001", message.as_bytes());
        }

        for size in [1, 7, 64, bytes.len()] {
            assert_eq!(received(BrokerProtocol::Mqtt, &bytes, size), (3, 1, true, 0), "{size}");
        }
    }
}
