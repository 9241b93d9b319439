use std::borrow::Cow;

use flate2::{Decompress, FlushDecompress};
use serde::Deserialize;

use super::violation::violated;
use crate::wire::fixtures::payload_range;
use crate::wire::{Codec, Opcode};

/// One frame of the server.
#[derive(Debug)]
pub(super) struct ServerFrame {
    pub(super) opcode: u8,
    /// The payload, inflated if it was compressed.
    pub(super) payload: Vec<u8>,
}

/// An element of the array of a message. What is not of its kind is absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Element<'a> {
    #[serde(rename = "T", borrow)]
    pub(super) kind: Cow<'a, str>,
    #[serde(rename = "S", borrow)]
    pub(super) symbol: Cow<'a, str>,
    pub(super) sq: u64,
    pub(super) cf: u64,
    pub(super) sn: bool,
    #[serde(borrow)]
    pub(super) ch: Cow<'a, str>,
    pub(super) from: Option<Bound<'a>>,
    pub(super) to: Option<Bound<'a>>,
    #[serde(borrow)]
    pub(super) epoch: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) was: Cow<'a, str>,
    pub(super) code: u64,
    pub(super) x: Option<Extension<'a>>,
    #[serde(borrow)]
    pub(super) trades: Names<'a>,
    #[serde(borrow)]
    pub(super) quotes: Names<'a>,
    #[serde(borrow)]
    pub(super) bars: Names<'a>,
    #[serde(borrow, rename = "updatedBars")]
    pub(super) updated_bars: Names<'a>,
    #[serde(borrow, rename = "dailyBars")]
    pub(super) daily_bars: Names<'a>,
    #[serde(borrow)]
    pub(super) statuses: Names<'a>,
    #[serde(borrow)]
    pub(super) lulds: Names<'a>,
    #[serde(borrow)]
    pub(super) tickers: Names<'a>,
}

/// The names of a channel in an acknowledgement.
pub(super) type Names<'a> = Vec<Cow<'a, str>>;

/// `from` and `to` are numbers in a gap, and times in a feed notice.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Bound<'a> {
    Number(u64),
    Time(#[expect(dead_code, reason = "it is read to be skipped")] Cow<'a, str>),
}

/// `x` is a map in an acknowledgement, and a venue in an object.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Extension<'a> {
    Options(#[serde(borrow)] AcknowledgedOptions<'a>),
    Venue(#[expect(dead_code, reason = "it is read to be skipped")] Cow<'a, str>),
}

/// `x` of an acknowledgement.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AcknowledgedOptions<'a> {
    #[serde(borrow)]
    pub(super) epoch: Cow<'a, str>,
    pub(super) conflate_ms: u64,
}

impl Element<'_> {
    /// The first and the last number of a gap.
    pub(super) const fn range(&self) -> Option<(u64, u64)> {
        match (&self.from, &self.to) {
            (Some(Bound::Number(from)), Some(Bound::Number(to))) => Some((*from, *to)),
            _ => None,
        }
    }
}

impl ServerFrame {
    pub(super) const CLOSE: u8 = Opcode::Close as u8;
    pub(super) const PING: u8 = Opcode::Ping as u8;
    pub(super) const PONG: u8 = Opcode::Pong as u8;

    /// Takes the first frame, once it is complete (RFC 6455 section 5.2).
    pub(super) fn take(bytes: &mut Vec<u8>) -> Option<Self> {
        const RSV1: u8 = 0x40;
        let range = payload_range(bytes)?;
        let payload = bytes.get(range.clone())?.to_vec();
        let first = bytes[0];
        bytes.drain(..range.end);
        let payload = if first & RSV1 == 0 { payload } else { inflated(&payload) };
        Some(Self { opcode: first & 0x0F, payload })
    }

    /// The elements of the array in the frame.
    pub(super) fn elements(&self, codec: Codec) -> Vec<Element<'_>> {
        let read = match codec {
            Codec::Json => serde_json::from_slice(&self.payload).map_err(|error| error.to_string()),
            Codec::MsgPack => rmp_serde::from_slice(&self.payload).map_err(|error| error.to_string()),
        };
        read.unwrap_or_else(|error| {
            let text = String::from_utf8_lossy(&self.payload);
            violated("framing", format!("{error}: {text}"))
        })
    }
}

/// Inflates a message (RFC 7692 section 7.2.2).
fn inflated(payload: &[u8]) -> Vec<u8> {
    let deflated = [payload, &[0, 0, 0xFF, 0xFF]].concat();
    let mut inflated = Vec::with_capacity(1 << 20);
    let status = Decompress::new(false).decompress_vec(&deflated, &mut inflated, FlushDecompress::Sync);
    if status.is_err() {
        violated("framing", "a message cannot be inflated".to_owned());
    }
    inflated
}
