use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use super::disk::{SegmentFile, SegmentStore};
use super::entry::{EntryEncoder, enter, enter_hole};
use super::hole::Hole;
use super::retention::{JournalRetention, SegmentSize};
use super::segment::{SegmentHeader, SegmentName, utc_day};
use crate::feed::{Batch, LastValues};
use crate::metrics::JournalMetrics;
use crate::model::{Epoch, Timestamp, Universe};

/// A segment ends before it is longer: 256 MiB are read in a few seconds, and a journal of 16 GiB has few files.
pub(super) const MAX_SEGMENT_BYTES: u64 = 256 << 20;

/// How often the disk is asked to have everything: what a failure of the machine can cost.
pub(super) const SYNC_INTERVAL: Duration = Duration::from_secs(1);

/// How long the journal stays off after an error of the disk, before a new segment is tried.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Records are written together up to this size.
const BUFFER_BYTES: usize = 1 << 20;

/// Appends what the feed published to segments.
///
/// It keeps the last values itself, so a segment can begin at any time, also after batches that it could not write.
/// After an error of the disk it is off: batches are counted and not recorded, until a new segment can be begun.
/// Time is an argument; the waiting is done by the [thread](super::thread).
pub(super) struct JournalWriter {
    store: Box<dyn SegmentStore>,
    settings: WriterSettings,
    metrics: JournalMetrics,
    last_values: LastValues,
    universe: Arc<Universe>,
    next_ordinal: u64,
    state: WriterState,
    /// Records of the open segment that are not in its file yet.
    buffer: Vec<u8>,
}

/// The settings of a writer. It changes the epoch when a batch begins another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct WriterSettings {
    pub(super) epoch: Epoch,
    pub(super) retention: JournalRetention,
    pub(super) max_segment_bytes: u64,
}

/// What holds before the first batch.
#[derive(Debug)]
pub(super) struct WriterStart {
    pub(super) last_values: LastValues,
    pub(super) universe: Arc<Universe>,
    /// The number of the first segment.
    pub(super) ordinal: u64,
    /// The time of the start, whose day the first segment is of.
    pub(super) at: Timestamp,
}

enum WriterState {
    On(OpenSegment),
    Off {
        /// The number of the first batch that is not in the journal.
        missing_from: u64,
        retry_at: Instant,
        /// The kind of the last error, which is logged once.
        told: io::ErrorKind,
    },
}

struct OpenSegment {
    name: SegmentName,
    file: Box<dyn SegmentFile>,
    encoder: EntryEncoder,
    /// The bytes in the file, all of them whole records.
    length: u64,
    /// The number of the last batch in the file.
    last_batch: u64,
    /// The batches in the buffer.
    buffered: u64,
    /// When the bytes that are not yet on the disk for sure must be.
    sync_at: Option<Instant>,
}

impl JournalWriter {
    /// Begins the first segment. When that fails, the journal is off, and the error returned beside it.
    pub(super) fn start(
        store: Box<dyn SegmentStore>,
        settings: WriterSettings,
        start: WriterStart,
        metrics: JournalMetrics,
        now: Instant,
    ) -> (Self, io::Result<()>) {
        let missing_from = start.last_values.batch() + 1;
        let mut writer = Self {
            store,
            settings,
            metrics,
            last_values: start.last_values,
            universe: start.universe,
            next_ordinal: start.ordinal,
            state: WriterState::Off { missing_from, retry_at: now, told: io::ErrorKind::Other },
            buffer: Vec::new(),
        };
        let begun = writer.begin_segment_of(utc_day(start.at), missing_from);
        let begun = begun.map(|segment| writer.turn_on(segment));
        if let Err(error) = &begun {
            let retry_at = now + RETRY_AFTER;
            writer.state = WriterState::Off { missing_from, retry_at, told: error.kind() };
        }
        (writer, begun)
    }

    /// Changes the epoch of a journal that is off.
    pub(super) fn begin_epoch(&mut self, epoch: Epoch) {
        debug_assert!(matches!(self.state, WriterState::Off { .. }));
        self.settings.epoch = epoch;
    }

    /// Appends a batch. Segments are of the epoch that begins with it from then on.
    pub(super) fn append(&mut self, batch: &Batch, now: Instant) {
        self.prepare(utc_day(batch.watermark()), now);
        self.settings.epoch = batch.begun_epoch().unwrap_or(self.settings.epoch);
        match &mut self.state {
            WriterState::On(segment) => {
                segment.encoder.batch(&mut self.buffer, batch, self.last_values.batch());
                segment.buffered += 1;
            }
            WriterState::Off { .. } => {
                self.metrics.missed_batches.inc();
            }
        }
        self.universe = Arc::clone(batch.universe());
        enter(&mut self.last_values, batch);
        self.flush_if_large(now);
    }

    /// Appends a hole. If an epoch began within it, another segment begins with it, which tells that epoch.
    pub(super) fn append_hole(&mut self, hole: &Hole, now: Instant) {
        warn!(from = hole.from, to = hole.to, "the disk is too slow: batches are missing in the journal");
        // Its first batch may have no number that follows.
        let hole = &Hole { from: self.last_values.batch() + 1, ..hole.clone() };
        let day = utc_day(hole.watermark);
        self.prepare(day, now);
        match &mut self.state {
            WriterState::On(segment) if hole.begun.is_none() => {
                segment.encoder.hole(&mut self.buffer, hole);
            }
            WriterState::On(_) => self.flush(now),
            WriterState::Off { .. } => {}
        }
        self.universe = Arc::clone(&hole.universe);
        enter_hole(&mut self.last_values, hole);
        if let Some(begun) = hole.begun {
            self.settings.epoch = begun.epoch;
            self.begin_next_segment(day, hole.from, now);
        }
        self.flush_if_large(now);
    }

    /// Writes what is buffered.
    pub(super) fn flush(&mut self, now: Instant) {
        let WriterState::On(segment) = &mut self.state else { return };
        if self.buffer.is_empty() {
            return;
        }
        if let Err(error) = segment.file.append(&self.buffer) {
            return self.turn_off(&error, now);
        }
        self.metrics.bytes.inc_by(self.buffer.len() as u64);
        segment.length += self.buffer.len() as u64;
        let last_batch = self.last_values.batch();
        self.metrics.batches.inc_by(std::mem::take(&mut segment.buffered));
        segment.last_batch = last_batch;
        segment.sync_at.get_or_insert(now + SYNC_INTERVAL);
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_BYTES);
    }

    /// Does what is due: has the disk take what was written a second ago, tries to turn the journal on again.
    pub(super) fn tend(&mut self, now: Instant) {
        match &mut self.state {
            WriterState::On(segment) if segment.sync_at.is_some_and(|due| due <= now) => {
                segment.sync_at = None;
                if let Err(error) = segment.file.sync() {
                    self.turn_off(&error, now);
                }
            }
            WriterState::On(_) => {}
            WriterState::Off { missing_from, retry_at, told } if *retry_at <= now => {
                let (missing_from, told_before) = (*missing_from, *told);
                match self.begin_segment(missing_from) {
                    Ok(segment) => {
                        info!(missing_from, "the journal is on again");
                        self.turn_on(segment);
                    }
                    Err(error) => {
                        self.metrics.errors.inc();
                        let told = error.kind();
                        if told != told_before {
                            error!("the journal stays off: {error}");
                        }
                        self.state = WriterState::Off { missing_from, retry_at: now + RETRY_AFTER, told };
                    }
                }
            }
            WriterState::Off { .. } => {}
        }
    }

    /// When [`tend`](Self::tend) has something to do; `None` until something is appended.
    pub(super) const fn due(&self) -> Option<Instant> {
        match &self.state {
            WriterState::On(segment) => segment.sync_at,
            WriterState::Off { retry_at, .. } => Some(*retry_at),
        }
    }

    /// The number of the last batch that is in a file, or told missing in one; `None` while the journal is off.
    pub(super) const fn written(&self) -> Option<u64> {
        match &self.state {
            WriterState::On(segment) => Some(segment.last_batch),
            WriterState::Off { .. } => None,
        }
    }

    /// Ends the journal. If `announced` is the last batch that may have been published, and is recorded, the end is a
    /// clean stop.
    ///
    /// # Errors
    /// When the end could not be written.
    pub(super) fn stop(mut self, announced: u64, now: Instant) -> io::Result<StopKind> {
        self.flush(now);
        self.metrics.up.set(0);
        let WriterState::On(mut segment) = self.state else { return Ok(StopKind::Unproven) };
        let is_complete = announced == segment.last_batch;
        if is_complete {
            EntryEncoder::clean_stop(&mut self.buffer, announced, self.last_values.watermark());
            segment.file.append(&self.buffer)?;
        }
        segment.file.sync()?;
        if is_complete {
            self.store.set_stopped(self.settings.epoch, announced)?;
        }
        Ok(if is_complete { StopKind::Clean } else { StopKind::Unproven })
    }

    /// Begins another segment if this one is full or of another day.
    fn prepare(&mut self, day: i64, now: Instant) {
        let WriterState::On(segment) = &self.state else { return };
        let length = segment.length + self.buffer.len() as u64;
        if segment.name.day == day && length < self.settings.max_segment_bytes {
            return;
        }
        // A day's first batch begins its segment, so the name's day is that of the batch.
        self.flush(now);
        self.begin_next_segment(day, self.last_values.batch() + 1, now);
    }

    /// Begins another segment behind the open one, all of which is in its file.
    fn begin_next_segment(&mut self, day: i64, missing_from: u64, now: Instant) {
        let WriterState::On(segment) = &mut self.state else { return };
        let closed = segment.name;
        let next = segment.file.sync().and_then(|()| self.begin_segment_of(day, missing_from));
        match next {
            Ok(segment) => {
                self.turn_on(segment);
                self.store.compress(closed);
            }
            Err(error) => self.turn_off(&error, now),
        }
    }

    fn flush_if_large(&mut self, now: Instant) {
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush(now);
        }
    }

    fn begin_segment(&mut self, missing_from: u64) -> io::Result<OpenSegment> {
        self.begin_segment_of(utc_day(self.last_values.watermark()), missing_from)
    }

    /// Creates a segment that begins with what holds now, and has the disk take it. `missing_from` is the first batch
    /// that no segment has.
    fn begin_segment_of(&mut self, day: i64, missing_from: u64) -> io::Result<OpenSegment> {
        // The folder may be another one now, in which another process wrote meanwhile.
        let last = self.store.list()?.last().map_or(0, |(name, _)| name.ordinal);
        self.next_ordinal = self.next_ordinal.max(last + 1);
        let name = SegmentName { ordinal: self.next_ordinal, day };
        let last_batch = self.last_values.batch();
        let header = SegmentHeader { epoch: self.settings.epoch, first_batch: last_batch + 1 };
        let mut encoder = EntryEncoder::default();
        let mut bytes = header.to_bytes();
        encoder.snapshot(&mut bytes, &self.last_values, &self.universe);
        if missing_from <= last_batch {
            let hole = Hole {
                from: missing_from,
                to: last_batch,
                watermark: self.last_values.watermark(),
                universe: Arc::clone(&self.universe),
                last_objects: Vec::new(),
                begun: None,
                last_messages: Vec::new(),
            };
            encoder.hole(&mut bytes, &hole);
        }
        let mut file = self.store.create(name)?;
        self.next_ordinal += 1;
        if let Err(error) = file.append(&bytes).and_then(|()| file.sync()) {
            drop(file);
            // A segment without a whole snapshot is of no use; the next start removes it if this fails too.
            let _ = self.store.delete(name);
            return Err(error);
        }
        self.metrics.bytes.inc_by(bytes.len() as u64);
        self.apply_retention();
        Ok(OpenSegment {
            name,
            file,
            encoder,
            length: bytes.len() as u64,
            last_batch,
            buffered: 0,
            sync_at: None,
        })
    }

    fn turn_on(&mut self, segment: OpenSegment) {
        self.buffer.clear();
        self.metrics.up.set(1);
        self.state = WriterState::On(segment);
    }

    fn turn_off(&mut self, error: &io::Error, now: Instant) {
        let retry_s = RETRY_AFTER.as_secs();
        error!(retry_s, "the journal is off, the stream goes on: {error}");
        self.metrics.errors.inc();
        self.metrics.holes.inc();
        self.metrics.up.set(0);
        let missing_from = match &mut self.state {
            WriterState::On(segment) => {
                // If this fails too, the next reader finds and reports the torn end.
                let _ = segment.file.truncate(segment.length);
                segment.last_batch + 1
            }
            WriterState::Off { missing_from, .. } => *missing_from,
        };
        self.metrics.missed_batches.inc_by(self.last_values.batch() + 1 - missing_from);
        self.buffer.clear();
        self.state = WriterState::Off { missing_from, retry_at: now + RETRY_AFTER, told: error.kind() };
    }

    fn apply_retention(&mut self) {
        let deleted = self.store.list().and_then(|segments| {
            let sizes: Vec<SegmentSize> = segments.iter().map(|(_, size)| *size).collect();
            let excess = self.settings.retention.excess(&sizes);
            segments[..excess].iter().try_for_each(|(name, _)| self.store.delete(*name))?;
            Ok(excess)
        });
        match deleted {
            Ok(0) => {}
            Ok(segments) => info!(segments, "old segments of the journal were deleted"),
            Err(error) => {
                self.metrics.errors.inc();
                warn!("old segments of the journal cannot be deleted: {error}");
            }
        }
    }
}

/// How a journal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopKind {
    /// Everything that was published is in it, and it says so: the epoch goes on at the next start.
    Clean,
    /// Something may be missing.
    Unproven,
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
