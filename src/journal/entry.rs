use std::sync::Arc;

use super::hole::Hole;
use super::record::{Record, append_record, array};
use crate::feed::{Batch, BatchDecoder, BatchEncoder, LastValues, are_listed, push_missed, take_missed};
use crate::model::{BegunEpoch, Epoch, EpochNumbers, Timestamp, Universe, UniverseSize};
use crate::wire::InvalidRow;
use crate::wire::varint::{push_u64, take, take_u64};

/// What a record tells.
#[derive(Debug)]
pub(super) enum Entry {
    /// What holds at the start of the segment: all instruments, and the last object of each stream.
    Snapshot(Batch),
    /// A batch as it was published.
    Batch(Batch),
    /// One whose number is not the one after this number, which the batch before has: a cluster numbers its batches anew
    /// when its leader changes, and a node that was away has not all of them. What is missing is told as missed by the batch.
    BatchAfter(u64, Batch),
    /// Batches that are missing.
    Hole(Hole),
    /// The feed ended after this batch: none was published that is not in the journal.
    CleanStop,
}

/// The first byte of a payload.
mod kind {
    pub(super) const SNAPSHOT: u8 = b'S';
    pub(super) const BATCH: u8 = b'B';
    /// A batch with which an epoch begins, before whose objects some were missed, or whose number does not follow.
    pub(super) const MARKED_BATCH: u8 = b'M';
    pub(super) const HOLE: u8 = b'H';
    pub(super) const CLEAN_STOP: u8 = b'E';
}

/// Encodes the records of a segment, of which the first is a snapshot.
#[derive(Debug, Default)]
pub(super) struct EntryEncoder(BatchEncoder);

impl EntryEncoder {
    /// An encoder of records that follow others, which have these instruments and topics.
    pub(super) const fn knowing(known: UniverseSize) -> Self {
        Self(BatchEncoder::knowing(known))
    }

    /// Appends the record of what holds.
    pub(super) fn snapshot(&mut self, out: &mut Vec<u8>, last_values: &LastValues, universe: &Universe) {
        let (number, watermark) = (last_values.batch(), last_values.watermark());
        append_record(out, number, watermark, |out| {
            out.push(kind::SNAPSHOT);
            let (objects, messages) = (last_values.iter(), last_values.messages());
            self.0.encode_objects(out, number, watermark, universe, objects, messages);
        });
    }

    /// Appends the record of a batch that follows the one with this number.
    pub(super) fn batch(&mut self, out: &mut Vec<u8>, batch: &Batch, before: u64) {
        append_record(out, batch.number(), batch.watermark(), |out| {
            match (batch.beginning_epoch(), batch.missed(), batch.number() == before + 1) {
                (None, [], true) => out.push(kind::BATCH),
                (begun, missed, _) => {
                    out.push(kind::MARKED_BATCH);
                    push_begun(out, begun);
                    push_u64(out, before);
                    push_missed(out, missed);
                }
            }
            self.0.encode(out, batch);
        });
    }

    /// Appends the record of a hole.
    pub(super) fn hole(&mut self, out: &mut Vec<u8>, hole: &Hole) {
        append_record(out, hole.to, hole.watermark, |out| {
            out.push(kind::HOLE);
            push_u64(out, hole.from);
            let messages = hole.last_messages.iter().map(|(object, message)| (object, message));
            let objects = hole.last_objects.iter();
            self.0.encode_objects(out, hole.to, hole.watermark, &hole.universe, objects, messages);
        });
    }

    /// Appends the record of a clean stop after this batch.
    pub(super) fn clean_stop(out: &mut Vec<u8>, number: u64, watermark: Timestamp) {
        append_record(out, number, watermark, |out| out.push(kind::CLEAN_STOP));
    }
}

/// Decodes the records of a segment.
#[derive(Debug, Default)]
pub(super) struct EntryDecoder(BatchDecoder);

impl EntryDecoder {
    /// The instruments of the records so far.
    pub(super) const fn universe(&self) -> &Arc<Universe> {
        self.0.universe()
    }

    /// Decodes a record.
    pub(super) fn decode(&mut self, record: &Record) -> Result<Entry, InvalidRow> {
        let (kind, mut content) = record.payload.split_first().ok_or(InvalidRow)?;
        let entry = match *kind {
            kind::SNAPSHOT => Entry::Snapshot(self.0.decode(content)?),
            kind::BATCH => Entry::Batch(self.0.decode(content)?),
            kind::MARKED_BATCH => {
                let begun = take_begun(&mut content)?;
                let before = take_u64(&mut content)?;
                let missed = take_missed(&mut content)?;
                let batch = self.0.decode(content)?;
                if !are_listed(&missed, batch.universe()) {
                    return Err(InvalidRow);
                }
                let batch = batch.beginning(begun.map(|begun| begun.epoch)).with_missed(missed);
                let batch = batch.with_epoch_numbers(begun.map(|begun| begun.numbers).unwrap_or_default());
                match batch.number().checked_sub(1) == Some(before) {
                    true => Entry::Batch(batch),
                    false => Entry::BatchAfter(before, batch),
                }
            }
            kind::HOLE => {
                let from = take_u64(&mut content)?;
                let objects = self.0.decode(content)?;
                Entry::Hole(Hole {
                    from,
                    to: objects.number(),
                    watermark: objects.watermark(),
                    universe: Arc::clone(objects.universe()),
                    last_objects: objects.events().to_vec(),
                    last_messages: objects.shared_messages().collect(),
                    begun: None,
                })
            }
            kind::CLEAN_STOP if content.is_empty() => return Ok(Entry::CleanStop),
            _ => return Err(InvalidRow),
        };
        let number = match &entry {
            Entry::Snapshot(batch) | Entry::Batch(batch) | Entry::BatchAfter(_, batch) => batch.number(),
            Entry::Hole(hole) => hole.to,
            Entry::CleanStop => record.batch_no,
        };
        if number == record.batch_no { Ok(entry) } else { Err(InvalidRow) }
    }
}

/// The form of an epoch that begins.
mod begun {
    pub(super) const NONE: u8 = 0;
    pub(super) const GOES_ON: u8 = 1;
    pub(super) const RESTARTS: u8 = 2;
}

fn push_begun(out: &mut Vec<u8>, begun: Option<BegunEpoch>) {
    let Some(BegunEpoch { epoch, numbers }) = begun else { return out.push(begun::NONE) };
    out.push(match numbers {
        EpochNumbers::GoOn => begun::GOES_ON,
        EpochNumbers::Restart => begun::RESTARTS,
    });
    out.extend_from_slice(&epoch.number().to_le_bytes());
}

fn take_begun(bytes: &mut &[u8]) -> Result<Option<BegunEpoch>, InvalidRow> {
    let numbers = match take(bytes, 1)?[0] {
        begun::NONE => return Ok(None),
        begun::GOES_ON => EpochNumbers::GoOn,
        begun::RESTARTS => EpochNumbers::Restart,
        _ => return Err(InvalidRow),
    };
    let epoch = Epoch::new(u64::from_le_bytes(array(take(bytes, 8)?, 0)));
    Ok(Some(BegunEpoch { epoch, numbers }))
}

/// The epoch that begins with the batch of this record, and the number of the batch before.
pub(super) fn marks_of(record: &Record) -> (Option<Epoch>, u64) {
    let unmarked = (None, record.batch_no.wrapping_sub(1));
    let Some((&kind::MARKED_BATCH, mut content)) = record.payload.split_first() else { return unmarked };
    let marks = take_begun(&mut content).and_then(|begun| Ok((begun, take_u64(&mut content)?)));
    marks.map_or(unmarked, |(begun, before)| (begun.map(|begun| begun.epoch), before))
}

/// Enters the objects of a batch in the last values, and the epoch that begins with it.
pub(super) fn enter(last_values: &mut LastValues, batch: &Batch) {
    last_values.enter(batch);
    last_values.set_batch(batch.number());
}

/// Enters the last objects of a hole, and the epoch that began within it.
pub(super) fn enter_hole(last_values: &mut LastValues, hole: &Hole) {
    if let Some(begun) = hole.begun {
        last_values.begin(begun);
    }
    hole.last_objects.iter().for_each(|object| last_values.put(*object));
    for (object, message) in &hole.last_messages {
        last_values.put_message(*object, Arc::clone(message));
    }
    last_values.set_watermark(hole.watermark);
    last_values.set_batch(hole.to);
}
