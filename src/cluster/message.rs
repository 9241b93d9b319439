use bytes::Bytes;

use super::settings::NodeRole;
use super::topic_message::{
    push_answer, push_command, push_moderations, push_presence, take_answer, take_command, take_moderations,
    take_presence,
};
use crate::feed::{Batch, BatchDecoder, BatchEncoder, are_listed, push_missed, take_missed};
use crate::model::{
    Bar, Body, Epoch, FeedNotice, FeedState, MILLISECOND, Object, Seq, Symbol, SymbolId, Timestamp,
    TradeRules,
};
use crate::topics::{Moderation, NodePresence, TopicAnswer, TopicCommand};
use crate::wire::varint::{push_i64, push_u64, take, take_i64, take_u64};
use crate::wire::{InvalidRow, take_row, write_row};

/// The most bytes of a batch, a snapshot or a history that one message carries; longer ones go in parts.
///
/// Effect: a quarter of the 1 MiB that a NATS server accepts by default. Larger messages delay those behind them, smaller
/// ones cost more deliveries, about 10 µs of the NATS server each.
pub(super) const MAX_PART: usize = 256 << 10;

/// The most parts: 256 MiB, 30 times a snapshot of 10,000 instruments.
const MAX_PARTS: u64 = 1_024;

/// The fencing token of a leader: each later leader has a higher one. Followers drop messages with a lower one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Fence(pub u64);

impl Fence {
    /// That of a leader that begins at this time of day, and follows one with the fence `before`.
    pub(super) fn after(before: Self, now: Timestamp) -> Self {
        Self(before.0.saturating_add(1).max((now.nanos() / MILLISECOND) as u64))
    }

    /// Whether a leader may have it at this time of day: fences rise by one, or are the time. A greater one, which is
    /// forged or of a clock that is a day ahead, would lock out every leader to come.
    pub(super) fn is_plausible(self, now: Timestamp) -> bool {
        const DAY: u64 = 24 * 60 * 60 * 1_000;
        self.0 <= (now.nanos() / MILLISECOND) as u64 + DAY
    }
}

/// Which leader sent a message, in which epoch, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// The fencing token of the leader.
    pub(super) fence: Fence,
    /// The epoch of the numbers.
    pub(super) epoch: Epoch,
    /// The wall clock of the leader when its feed published what the message carries.
    pub(super) published: Timestamp,
    /// The wall clock of the leader when it sent the message.
    pub(super) sent: Timestamp,
    /// Which trades of its source are the last price.
    pub(super) rules: TradeRules,
}

/// A batch as it is sent, and as it is kept for repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EncodedBatch {
    /// The number of the batch.
    pub(super) number: u64,
    /// Its bytes, of which a [`PayloadEncoder`] is the author.
    pub(super) bytes: Bytes,
}

/// A piece of something that does not fit into one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The position of this part, from 0.
    pub(super) index: u64,
    /// The number of parts, at least 1.
    pub(super) count: u64,
    /// The CRC-32 of all parts together.
    pub(super) crc: u32,
    /// The bytes of this part.
    pub(super) bytes: Bytes,
}

/// A message between two nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NodeMessage {
    /// Whole batches, in order.
    Batches(Origin, Vec<EncodedBatch>),
    /// A part of the batch with this number.
    BatchPart(Origin, u64, Part),
    /// Nothing was published since this batch, up to this watermark.
    Beat(Origin, u64, Timestamp),
    /// Asks the leader for a snapshot; the answer has the number of the request.
    SnapshotRequest(u64),
    /// A part of the snapshot that this request asked for.
    SnapshotPart(Origin, u64, Part),
    /// Asks the leader for the batches of this request again.
    RepairRequest(RepairRequest),
    /// The batches that this request asked for are no longer kept.
    Gone(Origin, u64),
    /// Asks the leader for the retained bars of an instrument.
    HistoryRequest(u64, Symbol),
    /// A part of the history that this request asked for.
    HistoryPart(u64, Part),
    /// What a node tells of itself.
    Status(NodeStatus),
    /// The leader tells a node that there is no room for these symbols, of those that it wants.
    Refused(Vec<Symbol>),
    /// Asks the leader to publish a message, or to restrict publishers.
    Say(TopicCommand),
    /// The leader's answer.
    Said(TopicAnswer),
    /// All restrictions of publishers in this namespace, for the next leader.
    Restrictions(Origin, Box<str>, Vec<Moderation>),
    /// Which sessions of a node subscribe to which topics.
    Presence(u64, Vec<NodePresence>),
}

/// Asks for batches that did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RepairRequest {
    /// The number of the request.
    pub(super) request: u64,
    /// The fence of the leader that sent them.
    pub(super) fence: Fence,
    /// The first missing batch.
    pub(super) from: u64,
    /// The last missing batch.
    pub(super) to: u64,
}

/// What a node tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NodeStatus {
    /// The random number of the node.
    pub(super) node: u64,
    /// What it does.
    pub(super) role: NodeRole,
    /// Whether it leads now.
    pub(super) leads: bool,
    /// The last batch that it has.
    pub(super) batch: u64,
    /// Its open sessions.
    pub(super) sessions: u64,
    /// How often it has completed the history from before its start, which other nodes then fetch anew.
    pub(super) history: u64,
    /// The symbols that its sessions want by name, of a source that gives them on demand.
    pub(super) wanted: Vec<Symbol>,
    /// The sessions of its keys, by their ids.
    pub(super) keys: Vec<(String, usize)>,
}

/// The retained bars of an instrument, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BarHistory {
    /// Bars of days.
    pub(super) days: Vec<Bar>,
    /// Bars of minutes.
    pub(super) minutes: Vec<Bar>,
}

const MAGIC: [u8; 3] = *b"TCN";

/// Nodes of another version drop the message, and are not joined.
const VERSION: u8 = 6;

mod kind {
    pub(super) const BATCHES: u8 = 1;
    pub(super) const BATCH_PART: u8 = 2;
    pub(super) const BEAT: u8 = 3;
    pub(super) const SNAPSHOT_REQUEST: u8 = 4;
    pub(super) const SNAPSHOT_PART: u8 = 5;
    pub(super) const REPAIR_REQUEST: u8 = 6;
    pub(super) const GONE: u8 = 7;
    pub(super) const HISTORY_REQUEST: u8 = 8;
    pub(super) const HISTORY_PART: u8 = 9;
    pub(super) const STATUS: u8 = 10;
    pub(super) const REFUSED: u8 = 11;
    pub(super) const SAY: u8 = 12;
    pub(super) const SAID: u8 = 13;
    pub(super) const RESTRICTIONS: u8 = 14;
    pub(super) const PRESENCE: u8 = 15;
}

impl NodeMessage {
    /// The bytes of the message.
    pub(super) fn to_bytes(&self) -> Bytes {
        let mut out = Vec::with_capacity(64 + self.payload_len());
        out.extend_from_slice(&MAGIC);
        out.push(VERSION);
        let out = &mut out;
        match self {
            Self::Batches(origin, batches) => {
                push_origin(out, kind::BATCHES, origin);
                push_u64(out, batches.len() as u64);
                for batch in batches {
                    push_u64(out, batch.number);
                    push_u64(out, batch.bytes.len() as u64);
                    out.extend_from_slice(&batch.bytes);
                }
            }
            Self::BatchPart(origin, number, part) => {
                push_origin(out, kind::BATCH_PART, origin);
                push_u64(out, *number);
                push_part(out, part);
            }
            Self::Beat(origin, number, watermark) => {
                push_origin(out, kind::BEAT, origin);
                push_u64(out, *number);
                push_i64(out, watermark.nanos());
            }
            Self::SnapshotRequest(request) => {
                out.push(kind::SNAPSHOT_REQUEST);
                push_u64(out, *request);
            }
            Self::SnapshotPart(origin, request, part) => {
                push_origin(out, kind::SNAPSHOT_PART, origin);
                push_u64(out, *request);
                push_part(out, part);
            }
            Self::RepairRequest(RepairRequest { request, fence, from, to }) => {
                out.push(kind::REPAIR_REQUEST);
                [*request, fence.0, *from, *to].iter().for_each(|number| push_u64(out, *number));
            }
            Self::Gone(origin, request) => {
                push_origin(out, kind::GONE, origin);
                push_u64(out, *request);
            }
            Self::HistoryRequest(request, symbol) => {
                out.push(kind::HISTORY_REQUEST);
                push_u64(out, *request);
                out.extend_from_slice(symbol.as_str().as_bytes());
            }
            Self::HistoryPart(request, part) => {
                out.push(kind::HISTORY_PART);
                push_u64(out, *request);
                push_part(out, part);
            }
            Self::Refused(symbols) => {
                out.push(kind::REFUSED);
                push_symbols(out, symbols);
            }
            Self::Say(command) => {
                out.push(kind::SAY);
                push_command(out, command);
            }
            Self::Said(answer) => {
                out.push(kind::SAID);
                push_answer(out, answer);
            }
            Self::Restrictions(origin, namespace, moderations) => {
                push_origin(out, kind::RESTRICTIONS, origin);
                push_text(out, namespace);
                push_moderations(out, moderations);
            }
            Self::Presence(node, presence) => {
                out.push(kind::PRESENCE);
                push_u64(out, *node);
                push_presence(out, presence);
            }
            Self::Status(status) => {
                out.push(kind::STATUS);
                push_u64(out, status.node);
                out.push(status.role as u8);
                out.push(status.leads.into());
                push_u64(out, status.batch);
                push_u64(out, status.sessions);
                push_u64(out, status.history);
                push_symbols(out, &status.wanted);
                push_u64(out, status.keys.len() as u64);
                for (key, sessions) in &status.keys {
                    push_text(out, key);
                    push_u64(out, *sessions as u64);
                }
            }
        }
        std::mem::take(out).into()
    }

    fn payload_len(&self) -> usize {
        match self {
            Self::Batches(_, batches) => batches.iter().map(|batch| batch.bytes.len() + 20).sum(),
            Self::BatchPart(_, _, part) | Self::SnapshotPart(_, _, part) | Self::HistoryPart(_, part) => {
                part.bytes.len() + 32
            }
            _ => 0,
        }
    }

    /// Which leader sent the message, if only leaders send such.
    pub(super) const fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Batches(origin, _)
            | Self::BatchPart(origin, ..)
            | Self::Beat(origin, ..)
            | Self::SnapshotPart(origin, ..)
            | Self::Gone(origin, _)
            | Self::Restrictions(origin, ..) => Some(origin),
            Self::SnapshotRequest(_)
            | Self::RepairRequest(_)
            | Self::HistoryRequest(..)
            | Self::HistoryPart(..)
            | Self::Status(_)
            | Self::Refused(_)
            | Self::Say(_)
            | Self::Said(_)
            | Self::Presence(..) => None,
        }
    }

    /// Reads a message. The bytes of batches and parts are shared, not copied.
    ///
    /// # Errors
    /// When the bytes are no message of this version.
    pub(super) fn from_bytes(message: &Bytes) -> Result<Self, InvalidRow> {
        let bytes = &mut &message[..];
        if take(bytes, MAGIC.len())? != MAGIC || take(bytes, 1)? != [VERSION] {
            return Err(InvalidRow);
        }
        let decoded = match take(bytes, 1)?[0] {
            kind::BATCHES => {
                let origin = take_origin(bytes)?;
                let count = take_u64(bytes)?;
                let take_batch = |_| {
                    let number = take_u64(bytes)?;
                    let length = take_length(bytes)?;
                    Ok(EncodedBatch { number, bytes: message.slice_ref(take(bytes, length)?) })
                };
                Self::Batches(origin, (0..count).map(take_batch).collect::<Result<_, InvalidRow>>()?)
            }
            kind::BATCH_PART => {
                Self::BatchPart(take_origin(bytes)?, take_u64(bytes)?, take_part(bytes, message)?)
            }
            kind::BEAT => Self::Beat(take_origin(bytes)?, take_u64(bytes)?, take_time(bytes)?),
            kind::SNAPSHOT_REQUEST => Self::SnapshotRequest(take_u64(bytes)?),
            kind::SNAPSHOT_PART => {
                Self::SnapshotPart(take_origin(bytes)?, take_u64(bytes)?, take_part(bytes, message)?)
            }
            kind::REPAIR_REQUEST => Self::RepairRequest(RepairRequest {
                request: take_u64(bytes)?,
                fence: Fence(take_u64(bytes)?),
                from: take_u64(bytes)?,
                to: take_u64(bytes)?,
            }),
            kind::GONE => Self::Gone(take_origin(bytes)?, take_u64(bytes)?),
            kind::HISTORY_REQUEST => {
                let request = take_u64(bytes)?;
                let symbol = str::from_utf8(take(bytes, bytes.len())?).map_err(|_| InvalidRow)?;
                Self::HistoryRequest(request, symbol.parse().map_err(|_| InvalidRow)?)
            }
            kind::HISTORY_PART => Self::HistoryPart(take_u64(bytes)?, take_part(bytes, message)?),
            kind::REFUSED => Self::Refused(take_symbols(bytes)?),
            kind::SAY => Self::Say(take_command(bytes)?),
            kind::SAID => Self::Said(take_answer(bytes)?),
            kind::RESTRICTIONS => {
                Self::Restrictions(take_origin(bytes)?, take_text(bytes)?.into(), take_moderations(bytes)?)
            }
            kind::PRESENCE => Self::Presence(take_u64(bytes)?, take_presence(bytes)?),
            kind::STATUS => Self::Status(NodeStatus {
                node: take_u64(bytes)?,
                role: *NodeRole::ALL.get(usize::from(take(bytes, 1)?[0])).ok_or(InvalidRow)?,
                leads: match take(bytes, 1)?[0] {
                    0 => false,
                    1 => true,
                    _ => return Err(InvalidRow),
                },
                batch: take_u64(bytes)?,
                sessions: take_u64(bytes)?,
                history: take_u64(bytes)?,
                wanted: take_symbols(bytes)?,
                keys: {
                    let count = take_u64(bytes)?;
                    let take_key = |_| Ok((take_text(bytes)?.to_owned(), take_length(bytes)?));
                    (0..count).map(take_key).collect::<Result<_, InvalidRow>>()?
                },
            }),
            _ => return Err(InvalidRow),
        };
        if bytes.is_empty() { Ok(decoded) } else { Err(InvalidRow) }
    }
}

fn push_origin(out: &mut Vec<u8>, kind: u8, origin: &Origin) {
    out.push(kind);
    push_u64(out, origin.fence.0);
    out.extend_from_slice(&origin.epoch.number().to_le_bytes());
    for time in [origin.published, origin.sent] {
        out.extend_from_slice(&time.nanos().to_le_bytes());
    }
    out.push(u8::from(origin.rules == TradeRules::Consolidated));
}

fn take_origin(bytes: &mut &[u8]) -> Result<Origin, InvalidRow> {
    let fence = Fence(take_u64(bytes)?);
    let epoch = Epoch::new(u64::from_le_bytes(take_array(bytes)?));
    let mut take_nanos = || take_array(bytes).map(|bytes| Timestamp::from_nanos(i64::from_le_bytes(bytes)));
    let (published, sent) = (take_nanos()?, take_nanos()?);
    let rules = match take(bytes, 1)?[0] {
        0 => TradeRules::EveryTrade,
        1 => TradeRules::Consolidated,
        _ => return Err(InvalidRow),
    };
    Ok(Origin { fence, epoch, published, sent, rules })
}

fn push_part(out: &mut Vec<u8>, part: &Part) {
    push_u64(out, part.index);
    push_u64(out, part.count);
    out.extend_from_slice(&part.crc.to_le_bytes());
    out.extend_from_slice(&part.bytes);
}

fn take_part(bytes: &mut &[u8], message: &Bytes) -> Result<Part, InvalidRow> {
    let (index, count) = (take_u64(bytes)?, take_u64(bytes)?);
    if index >= count || count > MAX_PARTS {
        return Err(InvalidRow);
    }
    let crc = u32::from_le_bytes(take_array(bytes)?);
    Ok(Part { index, count, crc, bytes: message.slice_ref(take(bytes, bytes.len())?) })
}

pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    push_u64(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn take_text<'a>(bytes: &mut &'a [u8]) -> Result<&'a str, InvalidRow> {
    let length = take_length(bytes)?;
    str::from_utf8(take(bytes, length)?).map_err(|_| InvalidRow)
}

fn push_symbols(out: &mut Vec<u8>, symbols: &[Symbol]) {
    push_u64(out, symbols.len() as u64);
    symbols.iter().for_each(|symbol| push_text(out, symbol.as_str()));
}

fn take_symbols(bytes: &mut &[u8]) -> Result<Vec<Symbol>, InvalidRow> {
    let count = take_u64(bytes)?;
    (0..count).map(|_| take_text(bytes)?.parse().map_err(|_| InvalidRow)).collect()
}

pub(super) fn take_array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], InvalidRow> {
    take(bytes, N)?.try_into().map_err(|_| InvalidRow)
}

fn take_length(bytes: &mut &[u8]) -> Result<usize, InvalidRow> {
    take_u64(bytes)?.try_into().map_err(|_| InvalidRow)
}

fn take_time(bytes: &mut &[u8]) -> Result<Timestamp, InvalidRow> {
    take_i64(bytes).map(Timestamp::from_nanos)
}

/// Cuts bytes into parts of [`MAX_PART`]; at least one.
pub(super) fn parts(bytes: &Bytes) -> impl Iterator<Item = Part> + use<> {
    let count = bytes.len().div_ceil(MAX_PART).max(1);
    let (crc, bytes) = (crc32fast::hash(bytes), bytes.clone());
    (0..count).map(move |index| {
        let from = index * MAX_PART;
        let bytes = bytes.slice(from..bytes.len().min(from + MAX_PART));
        Part { index: index as u64, count: count as u64, crc, bytes }
    })
}

/// Joins the parts of one thing, in any order.
#[derive(Clone, Debug, Default)]
pub(super) struct PartSet {
    parts: Vec<Option<Bytes>>,
    crc: u32,
    missing: usize,
}

impl PartSet {
    /// Takes in a part; returns all bytes with the last one. A part that does not fit to the earlier ones begins anew.
    pub(super) fn add(&mut self, part: Part) -> Option<Bytes> {
        if part.count != self.parts.len() as u64 || part.crc != self.crc {
            let count = part.count as usize;
            *self = Self { parts: vec![None; count], crc: part.crc, missing: count };
        }
        let place = &mut self.parts[part.index as usize];
        self.missing -= usize::from(place.is_none());
        *place = Some(part.bytes);
        if self.missing > 0 {
            return None;
        }
        let parts = std::mem::take(self).parts;
        let bytes: Bytes = match parts.as_slice() {
            [Some(one)] => one.clone(),
            _ => parts.into_iter().flatten().flatten().collect::<Vec<u8>>().into(),
        };
        (crc32fast::hash(&bytes) == part.crc).then_some(bytes)
    }
}

/// Encodes batches for followers.
#[derive(Clone, Debug, Default)]
pub(super) struct PayloadEncoder(BatchEncoder);

impl PayloadEncoder {
    /// The bytes of a batch: the epoch that begins, notices, what was missed, and the objects.
    pub(super) fn encode(&mut self, batch: &Batch) -> EncodedBatch {
        let mut out = Vec::with_capacity(64 + 48 * batch.len());
        push_option(&mut out, batch.begun_epoch().map(Epoch::number), |out, epoch| {
            out.extend_from_slice(&epoch.to_le_bytes());
        });
        push_u64(&mut out, batch.notices().len() as u64);
        batch.notices().iter().for_each(|notice| push_notice(&mut out, notice));
        push_missed(&mut out, batch.missed());
        self.0.encode(&mut out, batch);
        EncodedBatch { number: batch.number(), bytes: out.into() }
    }
}

/// Decodes what a [`PayloadEncoder`] encoded.
pub(super) fn decode_payload(decoder: &mut BatchDecoder, mut bytes: &[u8]) -> Result<Batch, InvalidRow> {
    let bytes = &mut bytes;
    let epoch = take_option(bytes, |bytes| Ok(Epoch::new(u64::from_le_bytes(take_array(bytes)?))))?;
    let count = take_u64(bytes)?;
    let notices = (0..count).map(|_| take_notice(bytes)).collect::<Result<Vec<_>, _>>()?;
    let missed = take_missed(bytes)?;
    let batch = decoder.decode(bytes)?;
    if !are_listed(&missed, batch.universe()) {
        return Err(InvalidRow);
    }
    Ok(batch.with_notices(notices).with_missed(missed).beginning(epoch))
}

/// Decodes a snapshot: what holds, and the retained messages of topics as another batch.
pub(super) fn decode_snapshot(
    decoder: &mut BatchDecoder,
    mut bytes: &[u8],
) -> Result<(Batch, Batch), InvalidRow> {
    let length = take_length(&mut bytes)?;
    let standing = decoder.decode(take(&mut bytes, length)?)?;
    Ok((standing, decoder.decode(bytes)?))
}

pub(super) fn push_option<T>(out: &mut Vec<u8>, value: Option<T>, push: impl FnOnce(&mut Vec<u8>, T)) {
    out.push(value.is_some().into());
    if let Some(value) = value {
        push(out, value);
    }
}

pub(super) fn take_option<T>(
    bytes: &mut &[u8],
    take_value: impl FnOnce(&mut &[u8]) -> Result<T, InvalidRow>,
) -> Result<Option<T>, InvalidRow> {
    match take(bytes, 1)?[0] {
        0 => Ok(None),
        1 => take_value(bytes).map(Some),
        _ => Err(InvalidRow),
    }
}

fn push_notice(out: &mut Vec<u8>, notice: &FeedNotice) {
    out.push(notice.state as u8);
    push_u64(out, notice.source.len() as u64);
    out.extend_from_slice(notice.source.as_bytes());
    for time in [notice.from, notice.to] {
        push_option(out, time, |out, time| push_i64(out, time.nanos()));
    }
    push_option(out, notice.filled, |out, filled| out.push(filled.into()));
}

fn take_notice(bytes: &mut &[u8]) -> Result<FeedNotice, InvalidRow> {
    let state = *FeedState::ALL.get(usize::from(take(bytes, 1)?[0])).ok_or(InvalidRow)?;
    let length = take_length(bytes)?;
    let source = str::from_utf8(take(bytes, length)?).map_err(|_| InvalidRow)?.to_owned().into();
    let [from, to] = [take_option(bytes, take_time)?, take_option(bytes, take_time)?];
    let filled = take_option(bytes, |bytes| Ok(take(bytes, 1)?[0] != 0))?;
    Ok(FeedNotice { state, source, from, to, filled })
}

impl BarHistory {
    /// The bytes of the history.
    pub(super) fn to_bytes(&self) -> Bytes {
        let mut out = Vec::new();
        for bars in [&self.days, &self.minutes] {
            push_u64(&mut out, bars.len() as u64);
            let mut before = Timestamp::default();
            for bar in bars {
                let object = Object { seq: Seq(1), body: Body::Bar(Bar { symbol: SymbolId(0), ..*bar }) };
                write_row(&mut out, &object, before);
                before = bar.start;
            }
        }
        out.into()
    }

    /// Reads a history of this instrument.
    pub(super) fn from_bytes(symbol: SymbolId, mut bytes: &[u8]) -> Result<Self, InvalidRow> {
        let bytes = &mut bytes;
        let mut take_bars = || {
            let mut before = Timestamp::default();
            (0..take_u64(bytes)?)
                .map(|_| match take_row(bytes, before)?.body {
                    Body::Bar(bar) if bar.start > before => {
                        before = bar.start;
                        Ok(Bar { symbol, ..bar })
                    }
                    _ => Err(InvalidRow),
                })
                .collect::<Result<Vec<_>, _>>()
        };
        let history = Self { days: take_bars()?, minutes: take_bars()? };
        if bytes.is_empty() { Ok(history) } else { Err(InvalidRow) }
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
