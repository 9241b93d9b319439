use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Instant;

use thiserror::Error;
use tracing::{error, info, warn};

use super::compression::start_compression;
use super::disk::{Folder, FolderStore, StoredSegment};
use super::follower::{JournalFollower, JournalProgress};
use super::lock::FolderLock;
use super::number_origin::NumberOrigin;
use super::publication_log::{PublicationLog, PublicationReading, PublicationStart};
use super::queue::{BatchQueue, MAX_QUEUE_BYTES};
use super::reader::JournalReader;
use super::refill::Refill;
use super::retention::JournalRetention;
use super::segment::{SegmentForm, SegmentName};
use super::state::JournalState;
use super::tail::{NewEpochReason, Tail, append_published, read_tail};
use super::thread::{JournalThread, ThreadParts};
use super::writer::{JournalWriter, MAX_SEGMENT_BYTES, WriterSettings, WriterStart};
use crate::archive::Archive;
use crate::feed::LastValues;
use crate::metrics::JournalMetrics;
use crate::model::{Epoch, Timestamp, Universe};

/// The settings of the journal.
#[derive(Clone, Debug)]
pub struct JournalSettings {
    /// The folder, which is created if it does not exist.
    pub folder: PathBuf,
    /// How much is kept.
    pub retention: JournalRetention,
}

/// The journal cannot be used: the service does not start.
#[derive(Debug, Error)]
pub enum JournalError {
    /// Another process writes it.
    #[error("the journal in {0} is in use by another process")]
    InUse(PathBuf),
    /// The folder or a file in it cannot be read.
    #[error("the journal in {folder} cannot be opened: {error}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// At most this much of the newest segments is read into the archive at the start; it takes some seconds. Older trades
/// and quotes are no longer retained then, and bars of before come from the source's history if it has one.
const MAX_REFILL_BYTES: u64 = 256 << 20;

/// A compressed segment counts as this many times its bytes.
const TYPICAL_COMPRESSION: u64 = 2;

/// A journal before the feed starts: locked, its torn end cut, and the epoch decided.
#[derive(Debug)]
pub struct OpenedJournal {
    path: PathBuf,
    folder: Folder,
    lock: FolderLock,
    retention: JournalRetention,
    numbers: NumberOrigin,
    epoch: Epoch,
    tail: Option<Tail>,
    next_ordinal: u64,
    /// The decision, which is logged when it is known whether the journal can be written.
    decision: Result<(), NewEpochReason>,
    metrics: JournalMetrics,
}

impl OpenedJournal {
    /// Opens the journal for a feed whose first instruments are these.
    ///
    /// If the numbers of the journal can go on, so does its epoch; otherwise `new_epoch` begins. The
    /// [start](Self::start) logs which, with the reason.
    ///
    /// # Errors
    /// When another process has the journal, or the folder cannot be used.
    pub fn open(
        settings: &JournalSettings,
        universe: &Universe,
        new_epoch: Epoch,
        metrics: JournalMetrics,
    ) -> Result<Self, JournalError> {
        let can_continue = |known: &Universe| universe.has_instruments_of(known);
        Self::open_if(settings, can_continue, NumberOrigin::Feed, new_epoch, metrics)
    }

    /// Opens the journal for a feed that can continue these instruments, and adds others to them.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_if(
        settings: &JournalSettings,
        can_continue: impl FnOnce(&Universe) -> bool,
        numbers: NumberOrigin,
        new_epoch: Epoch,
        metrics: JournalMetrics,
    ) -> Result<Self, JournalError> {
        let path = &settings.folder;
        let failed = |error| JournalError::Folder { folder: path.clone(), error };
        fs::create_dir_all(path).map_err(failed)?;
        let lock =
            FolderLock::take(path).map_err(failed)?.ok_or_else(|| JournalError::InUse(path.clone()))?;
        let folder = Folder::new(path);
        folder.remove_partial_files().map_err(failed)?;
        let next_ordinal = folder.segments().map_err(failed)?.last().map_or(1, |last| last.name.ordinal + 1);
        let (mut tail, mut torn) = read_tail(&folder).map_err(failed)?;
        let state = JournalState::read(&folder);
        let log = match &state {
            Some(JournalState::Running { log: Some(path) }) => {
                PublicationReading::of(path, folder.id().map_err(failed)?)
            }
            _ => None,
        };
        if let (Some(killed), Some(log)) = (&tail, &log) {
            match append_published(&folder, killed, log) {
                Ok(0) => {}
                appended => {
                    match appended {
                        Ok(batches) => {
                            info!(
                                batches,
                                "the journal has now what was published before the process was killed"
                            );
                        }
                        Err(error) => warn!("what was published last cannot be appended: {error}"),
                    }
                    let (completed, torn_again) = read_tail(&folder).map_err(failed)?;
                    tail = completed;
                    torn.extend(torn_again);
                }
            }
        }
        for torn in &torn {
            metrics.torn_bytes.inc_by(torn.bytes);
            let kept_in = torn.kept_in.display();
            warn!(bytes = torn.bytes, %kept_in, "the journal had a torn end, which was cut: {}", torn.damage);
        }
        let (tail, decision) = match tail {
            None => (None, Err(NewEpochReason::NewJournal)),
            Some(tail) if !can_continue(&tail.universe) => (None, Err(NewEpochReason::OtherInstruments)),
            Some(tail) if NumberOrigin::read(&folder) != numbers => {
                (Some(tail), Err(NewEpochReason::OtherNumbers))
            }
            Some(tail) => {
                let decision = tail.continues(state.as_ref(), log.as_ref());
                (Some(tail), decision)
            }
        };
        let epoch = match (&tail, decision) {
            (Some(tail), Ok(())) => tail.epoch,
            _ => new_epoch,
        };
        let retention = settings.retention;
        let path = path.clone();
        Ok(Self { path, folder, lock, retention, numbers, epoch, tail, next_ordinal, decision, metrics })
    }

    /// The epoch of the numbers that the feed gives.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The instruments that the journal has for this feed.
    pub fn universe(&self) -> Arc<Universe> {
        self.tail.as_ref().map(|tail| Arc::clone(&tail.universe)).unwrap_or_default()
    }

    /// Records the newest part of the journal in the archive, and returns what holds at its end: nothing when it has
    /// nothing for this feed. These last values have the epoch of the journal's end. `seed` is called before with the time
    /// at which that part begins, to record what was before; that is `now` when there is none.
    ///
    /// The feed continues all numbers, also in a new epoch, so that the archive's rows stay in order.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn refill(
        &self,
        archive: &Archive,
        now: Timestamp,
        seed: impl FnOnce(Timestamp),
    ) -> Result<LastValues, JournalError> {
        let Some(tail) = &self.tail else {
            seed(now);
            return Ok(LastValues::default());
        };
        let failed = |error| JournalError::Folder { folder: self.path.clone(), error };
        let segments = self.segments_to_refill().map_err(failed)?;
        let mut reader = JournalReader::of(self.folder.clone(), segments);
        let mut refill = Refill { archive, universe: &tail.universe, now, seed: Some(seed), is_ours: false };
        while let Some(item) = reader.next_item().map_err(failed)? {
            refill.take(item);
        }
        refill.end();
        Ok(tail.last_values.clone())
    }

    /// The newest segments, up to [`MAX_REFILL_BYTES`], and at least one.
    fn segments_to_refill(&self) -> io::Result<Vec<StoredSegment>> {
        let segments = self.folder.segments()?;
        let mut bytes = 0;
        let newest = segments.iter().rev().take_while(|segment| {
            let is_first = bytes == 0;
            bytes += match segment.form {
                SegmentForm::Plain => segment.bytes,
                SegmentForm::Compressed => segment.bytes * TYPICAL_COMPRESSION,
            };
            is_first || bytes <= MAX_REFILL_BYTES
        });
        let count = newest.count();
        Ok(segments[segments.len() - count..].to_vec())
    }

    /// Starts the thread that writes, at this time.
    ///
    /// A kill at any moment costs nothing, since one step follows the other: there is a publication log that knows the
    /// last batch, the state names it, all other logs go, the first segment begins. State and segment are on the disk
    /// before the feed may start, so that no older end of the journal, such as a clean stop, can be taken for the last
    /// one after a failure of the machine.
    ///
    /// When the disk is full or fails, the journal begins off, and the service starts all the same: see
    /// [`StartedJournal::epoch`], which is another then.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(
        mut self,
        universe: Arc<Universe>,
        new_epoch: Epoch,
        at: Timestamp,
        random: u128,
    ) -> Result<StartedJournal, JournalError> {
        let path = self.path.clone();
        let failed = |error| JournalError::Folder { folder: path.clone(), error };
        let universe = match &self.tail {
            Some(tail) => Arc::new(universe.with_topics_of(&tail.universe)),
            None => universe,
        };
        let to_compress = self.start_compression().map_err(failed)?;
        let last_values = self.tail.take().map(|tail| tail.last_values).unwrap_or_default();
        let last_batch = last_values.batch();
        let journal = self.folder.id().map_err(failed)?;
        if NumberOrigin::read(&self.folder) != self.numbers {
            // In this order: without a state, nothing goes on after a kill in between.
            let changed = JournalState::remove(&self.folder).and_then(|()| self.numbers.write(&self.folder));
            changed.map_err(failed)?;
        }
        let start =
            PublicationStart { journal, epoch: self.epoch, published: last_batch, universe: &universe };
        let (mut log, kept) = self.begin_log(random, start);
        if kept.is_err() {
            // The state tells of an end of this epoch that would be an older one soon.
            self.epoch = new_epoch;
        }
        let settings = WriterSettings {
            epoch: self.epoch,
            retention: self.retention,
            max_segment_bytes: MAX_SEGMENT_BYTES,
        };
        let listed = Arc::clone(&universe);
        let start = WriterStart { last_values, universe, ordinal: self.next_ordinal, at };
        let store = Box::new(FolderStore::new(self.folder, self.lock, to_compress));
        let metrics = self.metrics.clone();
        let (mut writer, begun) = JournalWriter::start(store, settings, start, metrics, Instant::now());
        let epoch = self.epoch;
        match (begun, kept, self.decision) {
            (Err(error), ..) => {
                self.epoch = new_epoch;
                error!(epoch = %new_epoch, "the journal is off, and a new epoch begins: {error}");
                writer.begin_epoch(new_epoch);
                log = log.filter(|log| match log.begin_epoch(new_epoch) {
                    Ok(()) => true,
                    Err(_) => {
                        log.remove();
                        false
                    }
                });
            }
            (Ok(()), Err(error), _) => {
                warn!(%epoch, "the journal begins a new epoch: how it ends cannot be kept: {error}");
            }
            (Ok(()), Ok(()), Ok(())) => info!(%epoch, batch = last_batch, "the journal goes on"),
            (Ok(()), Ok(()), Err(reason)) => info!(%epoch, "the journal begins a new epoch: {reason}"),
        }
        let write = self.metrics.write.clone();
        let queue = Arc::new(BatchQueue::new(MAX_QUEUE_BYTES, self.metrics));
        let progress = Arc::new(JournalProgress::starting_at(last_batch));
        let parts = ThreadParts {
            queue: Arc::clone(&queue),
            progress: Arc::clone(&progress),
            log: log.as_ref().map(|log| log.path().to_owned()),
            write,
        };
        let follower = JournalFollower::new(queue, log, progress);
        let thread = JournalThread::start(writer, parts).map_err(failed)?;
        Ok(StartedJournal { epoch: self.epoch, universe: listed, follower, thread })
    }

    /// Starts the thread that compresses, with all segments that are not compressed yet.
    fn start_compression(&self) -> io::Result<Sender<SegmentName>> {
        let to_compress = start_compression(self.folder.clone(), self.metrics.clone())?;
        for segment in self.folder.segments()? {
            if segment.form == SegmentForm::Plain {
                let _ = to_compress.send(segment.name);
            }
        }
        Ok(to_compress)
    }

    /// Begins the publication log if there can be one, has the state name it, and removes what killed processes left.
    ///
    /// When the state cannot be kept there is no log, and the one of the last process stays as the state says.
    fn begin_log(
        &self,
        random: u128,
        start: PublicationStart<'_>,
    ) -> (Option<PublicationLog>, io::Result<()>) {
        let log = PublicationLog::create(random, start);
        if log.is_none() {
            info!("there are no files in memory, so a new epoch begins after a crash");
        }
        let path = log.as_ref().map(|log| log.path().to_owned());
        let state = JournalState::Running { log: path.clone() };
        if let Err(error) = state.write(&self.folder) {
            log.inspect(PublicationLog::remove);
            return (None, Err(error));
        }
        PublicationLog::remove_others(start.journal, path.as_deref());
        (log, Ok(()))
    }
}

/// A journal that is ready to record.
#[derive(Debug)]
pub struct StartedJournal {
    /// The epoch of the numbers that the feed gives.
    pub epoch: Epoch,
    /// The instruments of the feed with the topics of the journal.
    pub universe: Arc<Universe>,
    /// What the feed calls.
    pub follower: JournalFollower,
    /// The thread that writes.
    pub thread: JournalThread,
}

#[cfg(test)]
#[path = "opened_tests.rs"]
mod tests;
