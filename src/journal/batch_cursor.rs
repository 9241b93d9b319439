use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tracing::warn;

use super::disk::{Folder, StoredSegment};
use super::entry::Entry;
use super::reader::{JournalItem, JournalReader, SegmentReader};
use super::segment::SegmentName;
use crate::feed::Batch;
use crate::model::{Epoch, Timestamp, Universe};

/// A journal cannot be replayed.
#[derive(Debug, Error)]
pub enum JournalReplayError {
    /// It cannot be read.
    #[error("cannot replay the journal {path}: {error}")]
    Io {
        /// The folder or segment.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is named together with other files.
    #[error("a journal is replayed alone: name one folder or one segment")]
    NotAlone,
    /// A segment has other instruments than the ones before it.
    #[error(
        "cannot replay the journal: {0} has other instruments than the segments before it; replay it alone"
    )]
    OtherInstruments(SegmentName),
    /// There is no batch in the time that is asked for.
    #[error("there is nothing to replay: the journal {} has no batch between --from and --until", .0.display())]
    Nothing(PathBuf),
    /// The folder is none of a journal.
    #[error("cannot replay the folder {}: it has no segment of a journal", .0.display())]
    NoSegment(PathBuf),
}

/// Whether this path is a journal or a segment of one, and not a recording of another format.
pub(super) fn is_journal(path: &Path) -> bool {
    path.is_dir() || segment_of(path).is_some()
}

fn segment_of(path: &Path) -> Option<StoredSegment> {
    let (name, form) = path.file_name()?.to_str().and_then(SegmentName::of_file)?;
    Some(StoredSegment { name, form, bytes: 0 })
}

/// The batches of a journal in order, each with how it follows the one before.
#[derive(Debug)]
pub(super) struct BatchCursor {
    folder: Folder,
    segments: Vec<StoredSegment>,
    reader: JournalReader,
    /// What holds before the first batch.
    standing: Option<Arc<Batch>>,
    epoch: Epoch,
    last: u64,
    /// Whether the number of the next batch need not follow.
    jumps: bool,
    /// The watermark of the last batch.
    newest: Timestamp,
    join: BatchJoin,
}

/// How a batch follows the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BatchJoin {
    /// It is the next one.
    Continues,
    /// It is the next one, and an epoch begins with it: the server had been restarted, or its source began one.
    Begins(Epoch),
    /// Batches before it are missing in the journal, since this time.
    Missing(Timestamp),
}

impl BatchCursor {
    /// Opens a folder, or a segment of one.
    pub(super) fn open(path: &Path) -> Result<Self, JournalReplayError> {
        let failed = |error| JournalReplayError::Io { path: path.to_owned(), error };
        let (folder, segments) = match segment_of(path) {
            Some(segment) if !path.is_dir() => {
                std::fs::metadata(path).map_err(failed)?;
                (Folder::new(path.parent().unwrap_or(Path::new(""))), vec![segment])
            }
            _ => {
                let folder = Folder::new(path);
                let segments = folder.segments().map_err(failed)?;
                (folder, segments)
            }
        };
        if segments.is_empty() {
            return Err(JournalReplayError::NoSegment(path.to_owned()));
        }
        check_instruments(&folder, &segments)?;
        Ok(Self::of(folder, segments))
    }

    fn of(folder: Folder, segments: Vec<StoredSegment>) -> Self {
        Self {
            reader: JournalReader::of(folder.clone(), segments.clone()),
            folder,
            segments,
            standing: None,
            epoch: Epoch::default(),
            last: 0,
            jumps: false,
            newest: Timestamp::default(),
            join: BatchJoin::Continues,
        }
    }

    /// Begins anew.
    pub(super) fn rewind(&mut self) {
        *self = Self::of(self.folder.clone(), std::mem::take(&mut self.segments));
    }

    /// The names of the segments.
    pub(super) fn names(&self) -> Vec<PathBuf> {
        self.segments.iter().map(|segment| segment.name.file(segment.form).into()).collect()
    }

    /// What holds before the first batch, once that was read.
    pub(super) const fn standing(&self) -> Option<&Arc<Batch>> {
        self.standing.as_ref()
    }

    /// The epoch of the last batch.
    pub(super) const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The watermark of the last batch.
    pub(super) const fn newest(&self) -> Timestamp {
        self.newest
    }

    /// The next batch; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<(Arc<Batch>, BatchJoin)>> {
        while let Some(item) = self.reader.next_item()? {
            match item {
                JournalItem::Segment { epoch, standing, .. } => self.begin_segment(epoch, standing),
                JournalItem::Batch(batch) => {
                    if batch.number() != self.last + 1 && !std::mem::take(&mut self.jumps) {
                        self.miss();
                    }
                    (self.last, self.newest) = (batch.number(), batch.watermark());
                    if let Some(epoch) = batch.begun_epoch() {
                        self.epoch = epoch;
                        if !matches!(self.join, BatchJoin::Missing(_)) {
                            self.join = BatchJoin::Begins(epoch);
                        }
                    }
                    return Ok(Some((batch, std::mem::replace(&mut self.join, BatchJoin::Continues))));
                }
                JournalItem::Jump { before } => self.jumps = before == self.last,
                JournalItem::Hole(hole) => {
                    self.miss();
                    self.last = hole.to;
                }
                JournalItem::CleanStop => {}
                JournalItem::Damaged { name, position, damage } => {
                    warn!(segment = %name, position, "the rest of a segment cannot be replayed: {damage}");
                }
            }
        }
        Ok(None)
    }

    fn begin_segment(&mut self, epoch: Epoch, standing: Arc<Batch>) {
        let before = std::mem::replace(&mut self.epoch, epoch);
        if self.standing.is_none() {
            (self.last, self.newest) = (standing.number(), standing.watermark());
            self.standing = Some(standing);
        } else if standing.number() != self.last {
            self.miss();
            self.last = standing.number();
        } else if before != epoch && self.join == BatchJoin::Continues {
            self.join = BatchJoin::Begins(epoch);
        }
    }

    fn miss(&mut self) {
        if !matches!(self.join, BatchJoin::Missing(_)) {
            self.join = BatchJoin::Missing(self.newest);
        }
    }
}

/// Ids stand for the same instruments in all segments, or the journal cannot be replayed in one go. A segment that
/// cannot be read is passed over by the reader, which tells it.
fn check_instruments(folder: &Folder, segments: &[StoredSegment]) -> Result<(), JournalReplayError> {
    let mut known = Arc::new(Universe::default());
    for segment in segments {
        let Ok(mut reader) = SegmentReader::open(folder, *segment) else { continue };
        let Ok(Some(Entry::Snapshot(standing))) = reader.next() else { continue };
        if !standing.universe().begins_with(&known) {
            return Err(JournalReplayError::OtherInstruments(segment.name));
        }
        known = Arc::clone(standing.universe());
    }
    Ok(())
}
