//! The frames of a session as events of an event stream (WHATWG HTML, section 9.2).

use std::borrow::Cow;
use std::io::Write;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::positions::{NO_POSITIONS, Positions};
use crate::model::{Channel, Epoch};
use crate::wire::Opcode;

/// An id of at most this many bytes goes with every event that changes it.
const SHORT_ID_BYTES: usize = 128;

/// A longer one goes with an event when this many times its length was sent since the last one,
const BYTES_PER_ID_BYTE: usize = 8;

/// or when this time has passed.
const ID_INTERVAL: Duration = Duration::from_secs(1);

/// Turns the frames of one session into events, and follows the client's positions for their ids.
pub(super) struct EventConversion {
    epoch: Epoch,
    /// `None` when they do not fit into an id.
    positions: Option<Positions>,
    /// Whether the subscription was acknowledged: before that, the client's last id holds.
    is_subscribed: bool,
    /// Whether something changed since the last id.
    is_stale: bool,
    id_bytes: usize,
    bytes_since_id: usize,
    id_sent: Option<Instant>,
}

/// What the client's half of a session has to say to a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Nothing,
    /// A pong with this payload.
    Pong(Vec<u8>),
    /// The command was refused: the session has nothing to send.
    Close,
}

/// What is read of a data object.
#[derive(Deserialize)]
struct DataHead<'a> {
    #[serde(rename = "T")]
    letter: char,
    #[serde(rename = "S", borrow)]
    symbol: Cow<'a, str>,
    sq: u64,
}

/// What is read of a control message.
#[derive(Deserialize)]
#[serde(tag = "T", rename_all = "lowercase")]
enum ControlHead<'a> {
    Subscription {
        #[serde(borrow)]
        x: Granted<'a>,
    },
    Epoch {
        #[serde(borrow)]
        epoch: Cow<'a, str>,
        #[serde(default)]
        restart: bool,
    },
    Gap {
        #[serde(rename = "S", borrow)]
        symbol: Cow<'a, str>,
        #[serde(borrow)]
        ch: Cow<'a, str>,
        to: u64,
    },
    Drain {
        reconnect_ms: u64,
    },
    Error,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Granted<'a> {
    #[serde(borrow)]
    epoch: Cow<'a, str>,
}

impl EventConversion {
    /// The conversion for a session that begins in this epoch, for a client with these positions; `None` if they are too
    /// many.
    pub(super) fn new(epoch: Epoch, positions: Option<Positions>) -> Self {
        let id = positions.as_ref().and_then(|positions| positions.to_id(epoch));
        Self {
            epoch,
            positions: positions.filter(|_| id.is_some()),
            is_subscribed: false,
            is_stale: true,
            id_bytes: id.map_or(NO_POSITIONS.len(), |id| id.len()),
            bytes_since_id: 0,
            id_sent: None,
        }
    }

    /// Appends the event of a message that the session sends in one frame.
    pub(super) fn convert(
        &mut self,
        opcode: Opcode,
        payload: &[u8],
        out: &mut Vec<u8>,
        now: Instant,
    ) -> Reply {
        match opcode {
            Opcode::Text => self.convert_text(payload, out, now),
            Opcode::Ping => {
                // A comment: it keeps proxies from taking the connection for idle.
                out.extend_from_slice(b":\n\n");
                Reply::Pong(payload.to_owned())
            }
            Opcode::Close => {
                push_close(payload, out);
                Reply::Nothing
            }
            Opcode::Binary | Opcode::Pong | Opcode::Continuation => Reply::Nothing,
        }
    }

    fn convert_text(&mut self, payload: &[u8], out: &mut Vec<u8>, now: Instant) -> Reply {
        let mut reply = Reply::Nothing;
        if is_control(payload) {
            // A message that is not one of these changes no position.
            for message in serde_json::from_slice::<Vec<ControlHead<'_>>>(payload).unwrap_or_default() {
                match message {
                    ControlHead::Error if !self.is_subscribed => reply = Reply::Close,
                    ControlHead::Drain { reconnect_ms } => push_retry(reconnect_ms, out),
                    message => self.follow_control(&message),
                }
            }
        } else if self.positions.is_some() {
            for object in serde_json::from_slice::<Vec<DataHead<'_>>>(payload).unwrap_or_default() {
                self.follow(Channel::with_letter(object.letter), &object.symbol, object.sq);
            }
        }
        self.bytes_since_id += payload.len();
        if self.is_subscribed && self.is_stale && self.is_id_due(now) {
            self.push_id(out, now);
        }
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(payload);
        out.extend_from_slice(b"\n\n");
        reply
    }

    fn follow_control(&mut self, message: &ControlHead<'_>) {
        match message {
            ControlHead::Subscription { x } => {
                self.is_subscribed = true;
                // An epoch that begins before has no notice that says whether its numbers go on.
                let restarts = x.epoch.parse() != Ok(self.epoch);
                self.begin_epoch(&x.epoch, restarts);
            }
            ControlHead::Epoch { epoch, restart } => self.begin_epoch(epoch, *restart),
            ControlHead::Gap { symbol, ch, to } => self.follow(Channel::named(ch), symbol, *to),
            ControlHead::Drain { .. } | ControlHead::Error | ControlHead::Other => {}
        }
    }

    fn begin_epoch(&mut self, epoch: &str, restarts: bool) {
        let Ok(epoch) = epoch.parse() else { return };
        self.is_stale |= epoch != self.epoch;
        self.epoch = epoch;
        if let Some(positions) = self.positions.as_mut().filter(|_| restarts) {
            positions.restart();
        }
    }

    /// Moves the position in a stream.
    fn follow(&mut self, channel: Option<Channel>, name: &str, seq: u64) {
        let channel = channel.filter(|channel| Positions::keep(*channel));
        if let (Some(positions), Some(channel), Ok(name)) = (&mut self.positions, channel, name.parse()) {
            positions.set(channel, name, seq);
            self.is_stale = true;
        }
    }

    fn is_id_due(&self, now: Instant) -> bool {
        self.id_bytes <= SHORT_ID_BYTES
            || self.bytes_since_id >= BYTES_PER_ID_BYTE * self.id_bytes
            || self.id_sent.is_none_or(|sent| now.duration_since(sent) >= ID_INTERVAL)
    }

    fn push_id(&mut self, out: &mut Vec<u8>, now: Instant) {
        let id = self.positions.as_ref().and_then(|positions| positions.to_id(self.epoch));
        if id.is_none() {
            self.positions = None;
        }
        let id = id.unwrap_or_else(|| NO_POSITIONS.to_owned());
        push(out, format_args!("id: {id}\n"));
        (self.is_stale, self.id_bytes, self.bytes_since_id) = (false, id.len(), 0);
        self.id_sent = Some(now);
    }
}

/// Whether a text is a control message, which has a name of several letters as `T`.
fn is_control(payload: &[u8]) -> bool {
    const KIND_AT: usize = br#"[{"T":""#.len();
    payload.get(KIND_AT + 1).is_some_and(|next| *next != b'"')
}

/// Appends the advice to wait this long before the next connection, in milliseconds.
pub(super) fn push_retry(milliseconds: u64, out: &mut Vec<u8>) {
    push(out, format_args!("retry: {milliseconds}\n"));
}

/// Appends the event for a client that came back without an id from which it can go on.
pub(super) fn push_reset(out: &mut Vec<u8>) {
    out.extend_from_slice(
        b"event: reset\ndata: {\"reason\":\"the positions of the last connection are not known\"}\n\n",
    );
}

/// Appends the event for the payload of a Close frame (RFC 6455 section 5.5.1).
fn push_close(payload: &[u8], out: &mut Vec<u8>) {
    let (code, reason) = match payload {
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), String::from_utf8_lossy(reason)),
        // No status code was present (section 7.1.5).
        _ => (1005, Cow::default()),
    };
    let data = serde_json::json!({"code": code, "reason": reason});
    push(out, format_args!("event: close\ndata: {data}\n\n"));
}

fn push(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing into memory does not fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
#[path = "conversion_tests.rs"]
mod tests;
