use std::collections::HashMap;
use std::io;

use super::hole::Hole;
use super::reader::{JournalItem, JournalReader};
use super::record::Damage;
use super::segment::SegmentName;
use crate::feed::Batch;
use crate::model::{Epoch, Object, StreamId, Timestamp};

/// What is in a journal, and whether it is consistent.
#[derive(Debug, Default)]
pub struct JournalSurvey {
    /// Its segments, in order.
    pub segments: Vec<SegmentSurvey>,
    /// What is wrong, in words for people.
    pub faults: Vec<String>,
}

/// What is in a segment.
#[derive(Clone, Debug)]
pub struct SegmentSurvey {
    /// Its name.
    pub name: SegmentName,
    /// The epochs of its numbers: that with which it begins, and those that began within it.
    pub epochs: Vec<Epoch>,
    /// The first batch and the last, by number.
    pub batches: Option<(u64, u64)>,
    /// The watermarks of the first batch and the last.
    pub times: Option<(Timestamp, Timestamp)>,
    /// The number of objects in its batches.
    pub objects: u64,
    /// The number of batches that are missing within it.
    pub missing: u64,
    /// Whether it ends with a clean stop.
    pub is_clean_stop: bool,
    /// Where it cannot be read any further, and why.
    pub damage: Option<(u64, Damage)>,
}

impl JournalSurvey {
    /// Reads a journal to its end and checks it: every record is whole, batches follow each other or a hole says what
    /// is missing, and so do the objects of each stream.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn of(mut reader: JournalReader) -> io::Result<Self> {
        let mut survey = Self::default();
        let mut numbers = Numbers::default();
        while let Some(item) = reader.next_item()? {
            survey.take(item, &mut numbers);
        }
        Ok(survey)
    }

    fn take(&mut self, item: JournalItem, numbers: &mut Numbers) {
        if let JournalItem::Segment { name, epoch, standing } = &item {
            numbers.begin(*epoch, standing, &mut self.faults);
            self.segments.push(SegmentSurvey {
                name: *name,
                epochs: vec![*epoch],
                batches: None,
                times: None,
                objects: 0,
                missing: 0,
                is_clean_stop: false,
                damage: None,
            });
            return;
        }
        if let JournalItem::Damaged { name, position, damage } = item {
            self.faults.push(format!("{name}: at byte {position}: {damage}"));
            // What follows is not known, and nothing more is missing for it.
            numbers.last_batch = None;
            if let Some(segment) = self.segments.last_mut().filter(|segment| segment.name == name) {
                segment.damage = Some((position, damage));
            }
            return;
        }
        let segment = self.segments.last_mut().expect("the reader begins each segment with its snapshot");
        match item {
            JournalItem::Batch(batch) => {
                numbers.batch(segment.name, &batch, &mut self.faults);
                segment.epochs.extend(batch.begun_epoch());
                let (number, watermark) = (batch.number(), batch.watermark());
                segment.batches = Some((segment.batches.map_or(number, |(first, _)| first), number));
                segment.times = Some((segment.times.map_or(watermark, |(first, _)| first), watermark));
                segment.objects += batch.len() as u64;
            }
            JournalItem::Hole(hole) => {
                segment.missing += hole.to - hole.from + 1;
                if let Some(last) = numbers.end_before(&hole)
                    && hole.from != last + 1
                {
                    self.faults
                        .push(format!("{}: the hole from {} follows batch {last}", segment.name, hole.from));
                }
                numbers.last_batch = Some(hole.to);
                let messages = hole.last_messages.iter().map(|(last, _)| last);
                let last_objects = hole.last_objects.iter().chain(messages);
                numbers.last_objects.extend(last_objects.map(|last| (last.stream(), last.seq.0)));
            }
            JournalItem::Jump { before } => numbers.jump(before),
            JournalItem::CleanStop => segment.is_clean_stop = true,
            JournalItem::Segment { .. } | JournalItem::Damaged { .. } => {}
        }
    }
}

/// The numbers that must follow each other.
#[derive(Default)]
struct Numbers {
    epoch: Option<Epoch>,
    /// The last batch that was read; `None` when the one before is in no segment that can be read.
    last_batch: Option<u64>,
    /// The batch at which the segment begins.
    standing: u64,
    last_objects: HashMap<StreamId, u64>,
    /// The last numbers that were told as missed.
    missed: HashMap<StreamId, u64>,
    /// Whether the number of the next batch need not follow.
    jumps: bool,
}

impl Numbers {
    /// A segment begins: with the numbers at which the one before ended, if it is of the same run.
    fn begin(&mut self, epoch: Epoch, standing: &Batch, faults: &mut Vec<String>) {
        let standing_numbers: HashMap<_, _> =
            standing.all_objects().map(|object| (object.stream(), object.seq.0)).collect();
        let continues = self.epoch == Some(epoch) && self.last_batch == Some(standing.number());
        if continues && standing_numbers != self.last_objects {
            faults.push(format!("the snapshot after batch {} differs from the batches", standing.number()));
        }
        // Batches between the two segments are missing, unless a hole follows.
        let before = self.last_batch.filter(|_| self.epoch == Some(epoch));
        let (last_batch, standing) = (before, standing.number());
        let missed = if continues { std::mem::take(&mut self.missed) } else { HashMap::new() };
        *self = Self {
            epoch: Some(epoch),
            last_batch,
            standing,
            last_objects: standing_numbers,
            missed,
            jumps: false,
        };
    }

    /// The batch that this hole must follow. A segment that follows none can begin with what was missing before it.
    fn end_before(&self, hole: &Hole) -> Option<u64> {
        self.last_batch.or_else(|| (hole.to != self.standing).then_some(self.standing))
    }

    fn batch(&mut self, name: SegmentName, batch: &Batch, faults: &mut Vec<String>) {
        let number = batch.number();
        let last = self.last_batch.replace(number).unwrap_or(self.standing);
        if number != last + 1 && !std::mem::take(&mut self.jumps) {
            faults.push(format!("{name}: batch {number} follows batch {last}"));
        }
        self.epoch = batch.begun_epoch().or(self.epoch);
        if batch.restarts_numbers() {
            self.last_objects.clear();
            self.missed.clear();
        }
        for missed in batch.missed() {
            let last = self.last(missed.stream);
            if missed.from.0 > last.unwrap_or(0) + 1 {
                let (stream, from) = (missed.stream, missed.from.0);
                faults.push(format!("{name}: batch {number}: {stream:?} misses {from} after {last:?}"));
            }
            self.missed.insert(missed.stream, missed.to.0);
        }
        for object in batch.all_objects() {
            self.object(name, number, object, faults);
        }
    }

    /// The next batch follows the one with this number.
    fn jump(&mut self, before: u64) {
        self.jumps = before == self.last_batch.unwrap_or(self.standing);
    }

    /// The last number of a stream, of an object or told as missed.
    fn last(&self, stream: StreamId) -> Option<u64> {
        self.last_objects.get(&stream).max(self.missed.get(&stream)).copied()
    }

    fn object(&mut self, name: SegmentName, batch: u64, object: &Object, faults: &mut Vec<String>) {
        // A stream may begin with any number: those of an upstream do.
        let last = self.last(object.stream());
        self.last_objects.insert(object.stream(), object.seq.0);
        if let Some(last) = last
            && object.seq.0 != last + 1
        {
            let (stream, seq) = (object.stream(), object.seq.0);
            faults.push(format!("{name}: batch {batch}: {stream:?} has number {seq} after {last}"));
        }
    }
}

#[cfg(test)]
#[path = "survey_tests.rs"]
mod tests;
