use std::sync::Arc;

use super::hole::Hole;
use super::record::{Record, append_record};
use crate::feed::{Batch, BatchDecoder, BatchEncoder, LastValues};
use crate::model::{Timestamp, Universe};
use crate::wire::InvalidRow;
use crate::wire::varint::{push_u64, take_u64};

/// What a record tells.
#[derive(Debug)]
pub(super) enum Entry {
    /// What holds at the start of the segment: all instruments, and the last object of each stream.
    Snapshot(Batch),
    /// A batch as it was published.
    Batch(Batch),
    /// Batches that are missing.
    Hole(Hole),
    /// The feed ended after this batch: none was published that is not in the journal.
    CleanStop,
}

/// The first byte of a payload.
mod kind {
    pub(super) const SNAPSHOT: u8 = b'S';
    pub(super) const BATCH: u8 = b'B';
    pub(super) const HOLE: u8 = b'H';
    pub(super) const CLEAN_STOP: u8 = b'E';
}

/// Encodes the records of a segment, of which the first is a snapshot.
#[derive(Debug, Default)]
pub(super) struct EntryEncoder(BatchEncoder);

impl EntryEncoder {
    /// An encoder of records that follow others, which have this number of instruments.
    pub(super) const fn knowing(instruments: usize) -> Self {
        Self(BatchEncoder::knowing(instruments))
    }

    /// Appends the record of what holds.
    pub(super) fn snapshot(&mut self, out: &mut Vec<u8>, last_values: &LastValues, universe: &Universe) {
        let (number, watermark) = (last_values.batch(), last_values.watermark());
        append_record(out, number, watermark, |out| {
            out.push(kind::SNAPSHOT);
            self.0.encode_objects(out, number, watermark, universe, last_values.iter());
        });
    }

    /// Appends the record of a batch.
    pub(super) fn batch(&mut self, out: &mut Vec<u8>, batch: &Batch) {
        append_record(out, batch.number(), batch.watermark(), |out| {
            out.push(kind::BATCH);
            self.0.encode(out, batch);
        });
    }

    /// Appends the record of a hole.
    pub(super) fn hole(&mut self, out: &mut Vec<u8>, hole: &Hole) {
        append_record(out, hole.to, hole.watermark, |out| {
            out.push(kind::HOLE);
            push_u64(out, hole.from);
            self.0.encode_objects(out, hole.to, hole.watermark, &hole.universe, hole.last_objects.iter());
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
            kind::HOLE => {
                let from = take_u64(&mut content)?;
                let objects = self.0.decode(content)?;
                Entry::Hole(Hole {
                    from,
                    to: objects.number(),
                    watermark: objects.watermark(),
                    universe: Arc::clone(objects.universe()),
                    last_objects: objects.events().to_vec(),
                })
            }
            kind::CLEAN_STOP if content.is_empty() => return Ok(Entry::CleanStop),
            _ => return Err(InvalidRow),
        };
        let number = match &entry {
            Entry::Snapshot(batch) | Entry::Batch(batch) => batch.number(),
            Entry::Hole(hole) => hole.to,
            Entry::CleanStop => record.batch_no,
        };
        if number == record.batch_no { Ok(entry) } else { Err(InvalidRow) }
    }
}

/// Enters the objects of a batch in the last values.
pub(super) fn enter(last_values: &mut LastValues, batch: &Batch) {
    batch.objects().for_each(|object| last_values.put(*object));
    last_values.set_watermark(batch.watermark());
    last_values.set_batch(batch.number());
}

/// Enters the last objects of a hole.
pub(super) fn enter_hole(last_values: &mut LastValues, hole: &Hole) {
    hole.last_objects.iter().for_each(|object| last_values.put(*object));
    last_values.set_watermark(hole.watermark);
    last_values.set_batch(hole.to);
}
