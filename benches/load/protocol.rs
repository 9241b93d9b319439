//! The client side of the stream protocol for one session, without its socket.

use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};

use super::json_scanner::{self, ScannedObject};
use super::sequence::SequenceTracker;
use super::stats::StatsRecorder;
use super::workload::{Channel, SymbolCount, Workload};

/// The progress of the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    AwaitingConnected,
    AwaitingAuthenticated,
    AwaitingSubscription,
    /// The subscription is acknowledged.
    Live,
}

/// A command that the session sends next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Authenticate,
    Subscribe,
}

/// A message that violates the protocol, or an `error` before the acknowledgement; it ends the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProtocolError {
    InvalidJson(String),
    InvalidControlMessage {
        kind: String,
    },
    Refused {
        code: u64,
    },
    /// A packet of a broker that its protocol does not have, or that reports an error.
    InvalidPacket(String),
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidJson(reason) => write!(f, "invalid JSON: {reason}"),
            Self::InvalidControlMessage { kind } => write!(f, "invalid `{kind}` message"),
            Self::Refused { code } => write!(f, "error {code}"),
            Self::InvalidPacket(reason) => f.write_str(reason),
        }
    }
}

/// The protocol state of one session.
pub(crate) struct SessionProtocol {
    stage: Stage,
    first_command: Command,
    sequences: SequenceTracker,
    /// The epoch of the numbers; present only if the session opted in to extensions.
    epoch: Option<String>,
    /// The reconnect delay that a `drain` message requested.
    reconnect_ms: Option<u64>,
}

/// The fields of control messages, which are rare and parsed in full.
#[derive(Deserialize)]
struct ControlMessage<'a> {
    #[serde(default)]
    msg: &'a str,
    #[serde(default)]
    code: u64,
    #[serde(default, rename = "S")]
    symbol: &'a str,
    #[serde(default, rename = "ch")]
    channel: &'a str,
    #[serde(default)]
    to: u64,
    #[serde(default)]
    reconnect_ms: u64,
    #[serde(default)]
    epoch: &'a str,
}

/// Where a connection ended, for the next connection of its session.
pub(crate) struct ResumePoint {
    epoch: String,
    sequences: SequenceTracker,
}

/// The extension part of an acknowledgement.
#[derive(Deserialize)]
struct Acknowledgement<'a> {
    #[serde(borrow)]
    x: Option<Extensions<'a>>,
}

#[derive(Deserialize)]
struct Extensions<'a> {
    epoch: &'a str,
}

impl SessionProtocol {
    /// `first_command` answers the server's `connected`.
    pub(crate) fn new(first_command: Command) -> Self {
        Self {
            stage: Stage::AwaitingConnected,
            first_command,
            sequences: SequenceTracker::default(),
            epoch: None,
            reconnect_ms: None,
        }
    }

    /// For a session whose subscription is acknowledged in another way.
    pub(crate) fn subscribed() -> Self {
        Self { stage: Stage::Live, ..Self::new(Command::Subscribe) }
    }

    /// The same, for a session that resumes: its streams are checked across the two connections.
    pub(crate) fn resuming(self, point: Option<ResumePoint>) -> Self {
        match point {
            Some(ResumePoint { epoch, sequences }) => Self { epoch: Some(epoch), sequences, ..self },
            None => self,
        }
    }

    /// The reconnect delay that the server requested, if it announced a drain.
    pub(crate) fn reconnect_ms(&self) -> Option<u64> {
        self.reconnect_ms
    }

    /// The `resume` option of the first `subscribe`; `None` if there is nothing to resume. Only streams that are
    /// subscribed to by name are resumed.
    pub(crate) fn resume_option(&mut self, workload: &Workload, session: usize) -> Option<Value> {
        if workload.symbol_count == SymbolCount::All {
            self.sequences = SequenceTracker::default();
            return None;
        }
        let epoch = self.epoch.as_ref()?;
        Some(json!({ "epoch": epoch, "sq": workload.last_sequences(session, &mut self.sequences) }))
    }

    /// Where the next connection of this session resumes; `None` if the server sent no epoch.
    pub(crate) fn into_resume_point(self) -> Option<ResumePoint> {
        let sequences = self.sequences;
        self.epoch.map(|epoch| ResumePoint { epoch, sequences })
    }

    /// Numbers of another epoch are not compared with those before it.
    fn set_epoch(&mut self, epoch: Option<String>, stats: &mut StatsRecorder) {
        if self.epoch.is_some() && self.epoch != epoch {
            self.sequences = SequenceTracker::default();
            stats.received.new_epochs += 1;
        }
        self.epoch = epoch;
    }

    pub(crate) fn is_live(&self) -> bool {
        self.stage == Stage::Live
    }

    /// Processes one JSON message that was read at `now_us` of the wall clock.
    ///
    /// A second codec would plug in here, as another iterator over [`ScannedObject`]s.
    #[inline]
    pub(crate) fn on_message(
        &mut self,
        message: &[u8],
        now_us: i64,
        stats: &mut StatsRecorder,
    ) -> Result<Option<Command>, ProtocolError> {
        let mut command = None;
        for object in json_scanner::scan(message) {
            let object = object.map_err(|error| ProtocolError::InvalidJson(error.to_string()))?;
            match *object.kind {
                // Heartbeats, and alerts that fired: no stream of the session's.
                [b'h' | b'a'] => {}
                [kind] => self.on_market_data(kind, &object, now_us, stats),
                _ => command = self.on_control_message(&object, stats)?.or(command),
            }
        }
        Ok(command)
    }

    #[inline]
    fn on_market_data(
        &mut self,
        kind: u8,
        object: &ScannedObject<'_>,
        now_us: i64,
        stats: &mut StatsRecorder,
    ) {
        let received = &mut stats.received;
        received.objects += 1;
        if object.sequence == 0 {
            received.unnumbered += 1;
        } else if object.is_snapshot {
            self.sequences.skip_to(kind, object.symbol, object.sequence);
        } else {
            received.conflated += object.conflated;
            let check = self.sequences.record(kind, object.symbol, object.sequence, object.conflated);
            received.record_sequence(check);
        }
        // No latency from a bar (its `t` is the start of the bar), from a snapshot (an old event), or from
        // a trade that the venue itself reported late.
        if matches!(kind, b'b' | b'u' | b'd') || object.is_snapshot || object.is_late {
            return;
        }
        if let Some(event_us) = stats.timestamps.parse_us(object.time) {
            received.record_latency(now_us - event_us);
        }
    }

    #[cold]
    fn on_control_message(
        &mut self,
        object: &ScannedObject<'_>,
        stats: &mut StatsRecorder,
    ) -> Result<Option<Command>, ProtocolError> {
        if object.kind == b"subscription" {
            self.stage = Stage::Live;
            let acknowledgement: Option<Acknowledgement<'_>> = serde_json::from_slice(object.text).ok();
            let extensions = acknowledgement.and_then(|acknowledgement| acknowledgement.x);
            self.set_epoch(extensions.map(|extensions| extensions.epoch.to_owned()), stats);
            return Ok(None);
        }
        let message: ControlMessage<'_> = serde_json::from_slice(object.text).map_err(|_| {
            let kind = String::from_utf8_lossy(object.kind).into_owned();
            ProtocolError::InvalidControlMessage { kind }
        })?;
        match object.kind {
            b"success" => return Ok(self.on_success(message.msg)),
            b"error" => {
                *stats.sessions.errors.entry(message.code).or_default() += 1;
                if !self.is_live() {
                    return Err(ProtocolError::Refused { code: message.code });
                }
            }
            b"epoch" => self.set_epoch(Some(message.epoch.to_owned()), stats),
            b"drain" => self.reconnect_ms = Some(message.reconnect_ms),
            b"gap" => {
                stats.received.announced_gaps += 1;
                if let Some(kind) = Channel::kind_of(message.channel) {
                    self.sequences.skip_to(kind, message.symbol.as_bytes(), message.to);
                }
            }
            _ => {}
        }
        Ok(None)
    }

    fn on_success(&mut self, msg: &str) -> Option<Command> {
        let command = match (self.stage, msg) {
            (Stage::AwaitingConnected, "connected") => self.first_command,
            (Stage::AwaitingAuthenticated, "authenticated") => Command::Subscribe,
            _ => return None,
        };
        self.stage = match command {
            Command::Authenticate => Stage::AwaitingAuthenticated,
            Command::Subscribe => Stage::AwaitingSubscription,
        };
        Some(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECTED: &[u8] = br#"[{"T":"success","msg":"connected"}]"#;
    const ACK: &[u8] = br#"[{"T":"subscription","trades":["ACME"]}]"#;

    fn receive(protocol: &mut SessionProtocol, message: &[u8], stats: &mut StatsRecorder) -> Option<Command> {
        protocol.on_message(message, 1_000_000, stats).unwrap()
    }

    fn live(stats: &mut StatsRecorder) -> SessionProtocol {
        let mut protocol = SessionProtocol::new(Command::Subscribe);
        receive(&mut protocol, CONNECTED, stats);
        receive(&mut protocol, ACK, stats);
        protocol
    }

    #[test]
    fn without_credentials_it_subscribes_when_connected() {
        let mut stats = StatsRecorder::default();
        let mut protocol = SessionProtocol::new(Command::Subscribe);

        assert_eq!(receive(&mut protocol, CONNECTED, &mut stats), Some(Command::Subscribe));
        assert!(!protocol.is_live());
        assert_eq!(receive(&mut protocol, ACK, &mut stats), None);
        assert!(protocol.is_live());
    }

    #[test]
    fn with_credentials_it_authenticates_first() {
        let mut stats = StatsRecorder::default();
        let mut protocol = SessionProtocol::new(Command::Authenticate);
        let authenticated = br#"[{"T":"success","msg":"authenticated"}]"#;

        assert_eq!(receive(&mut protocol, CONNECTED, &mut stats), Some(Command::Authenticate));
        assert_eq!(receive(&mut protocol, authenticated, &mut stats), Some(Command::Subscribe));
    }

    #[test]
    fn objects_are_counted_timed_and_checked_for_gaps() {
        let mut stats = StatsRecorder::default();
        let mut protocol = live(&mut stats);

        let message = br#"[{"T":"t","S":"ACME","t":"1970-01-01T00:00:00.9Z","sq":1},
            {"T":"t","S":"ACME","t":"1970-01-01T00:00:00.9Z","sq":4,"cf":1},{"T":"t","S":"ACME","t":"?"},
            {"T":"b","S":"ACME","t":"1970-01-01T00:00:00Z","sq":1}]"#;
        receive(&mut protocol, message, &mut stats);

        let received = &stats.received;
        assert_eq!((received.objects, received.unnumbered, received.conflated), (4, 1, 1));
        assert_eq!((received.gaps, received.missing, received.duplicates), (1, 1, 0));
        assert_eq!((received.latency_us.len(), received.latency_us.max() / 1_000), (2, 100));
    }

    #[test]
    fn a_gap_notice_explains_a_gap() {
        let mut stats = StatsRecorder::default();
        let mut protocol = live(&mut stats);

        let message = br#"[{"T":"t","S":"ACME","sq":1},{"T":"gap","S":"ACME","ch":"trades","from":2,"to":8},
            {"T":"t","S":"ACME","sq":9}]"#;
        receive(&mut protocol, message, &mut stats);

        assert_eq!((stats.received.gaps, stats.received.announced_gaps), (0, 1));
    }

    fn numbered(sequence: u64) -> Vec<u8> {
        format!(r#"[{{"T":"t","S":"ACME","sq":{sequence}}}]"#).into_bytes()
    }

    fn acknowledged(epoch: &str) -> Vec<u8> {
        format!(r#"[{{"T":"subscription","trades":["ACME"],"x":{{"epoch":"{epoch}"}}}}]"#).into_bytes()
    }

    #[test]
    fn a_resumed_session_is_checked_across_its_connections() {
        let mut stats = StatsRecorder::default();
        let mut first = SessionProtocol::new(Command::Subscribe);
        [CONNECTED.to_vec(), acknowledged("k3"), numbered(4)]
            .iter()
            .for_each(|message| _ = receive(&mut first, message, &mut stats));

        let mut second = SessionProtocol::new(Command::Subscribe).resuming(first.into_resume_point());
        [CONNECTED.to_vec(), acknowledged("k3"), numbered(6)]
            .iter()
            .for_each(|message| _ = receive(&mut second, message, &mut stats));

        assert_eq!((stats.received.gaps, stats.received.missing, stats.received.new_epochs), (1, 1, 0));
    }

    #[test]
    fn numbers_of_another_epoch_are_not_compared() {
        let mut stats = StatsRecorder::default();
        let mut first = SessionProtocol::new(Command::Subscribe);
        let epoch = br#"[{"T":"epoch","epoch":"k4","was":"k3"}]"#.to_vec();
        [CONNECTED.to_vec(), acknowledged("k3"), numbered(4), epoch, numbered(2)]
            .iter()
            .for_each(|message| _ = receive(&mut first, message, &mut stats));
        let mut second = SessionProtocol::new(Command::Subscribe).resuming(first.into_resume_point());
        [CONNECTED.to_vec(), acknowledged("k5"), numbered(1)]
            .iter()
            .for_each(|message| _ = receive(&mut second, message, &mut stats));

        let received = &stats.received;
        assert_eq!((received.gaps, received.duplicates, received.new_epochs), (0, 0, 2));
    }

    #[test]
    fn an_error_ends_the_session_only_before_the_acknowledgement() {
        let mut stats = StatsRecorder::default();
        let refusal = br#"[{"T":"error","code":406,"msg":"connection limit exceeded"}]"#;

        assert!(SessionProtocol::new(Command::Subscribe).on_message(refusal, 0, &mut stats).is_err());
        assert!(live(&mut stats).on_message(refusal, 0, &mut stats).is_ok());
        assert_eq!(stats.sessions.errors[&406], 2);
    }
}
