use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use super::disk::{Folder, StoredSegment};
use super::entry::{Entry, EntryDecoder};
use super::hole::Hole;
use super::record::{Damage, ReadFailure, RecordReader, failure};
use super::segment::{SegmentForm, SegmentHeader, SegmentName};
use crate::feed::Batch;
use crate::model::{Epoch, Universe};

/// Reads a journal: every batch in the order of publication, across its segments.
///
/// Bytes are read as needed, so memory holds one record at a time. A journal that is being written may be read too: it
/// ends where it ended when its last segment was reached.
#[derive(Debug)]
pub struct JournalReader {
    folder: Folder,
    segments: std::vec::IntoIter<StoredSegment>,
    current: Option<SegmentReader>,
    /// The batch behind the jump that was told.
    next: Option<Batch>,
}

/// What a journal tells next.
#[derive(Debug)]
pub enum JournalItem {
    /// A segment begins, with what holds at its start: the last object of each stream, as a batch that was not
    /// published.
    Segment {
        /// Its name.
        name: SegmentName,
        /// The epoch of the numbers that follow.
        epoch: Epoch,
        /// The last objects.
        standing: Arc<Batch>,
    },
    /// A batch as it was published: its objects, numbers, watermark and instruments.
    Batch(Arc<Batch>),
    /// The batch that follows has another number than the one after this: nothing is missing but what it tells as missed.
    Jump {
        /// The number of the batch before.
        before: u64,
    },
    /// Batches that are missing, because the disk was too slow or failed.
    Hole(Hole),
    /// The feed ended.
    CleanStop,
    /// The rest of this segment cannot be read; the next segment follows.
    Damaged {
        /// The segment.
        name: SegmentName,
        /// The position behind the last whole record, in the uncompressed segment.
        position: u64,
        /// What is wrong there.
        damage: Damage,
    },
}

impl JournalReader {
    /// Opens the journal in this folder.
    ///
    /// # Errors
    /// When the folder cannot be read, or has no segment. The error names it.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let named = |kind, text: String| io::Error::new(kind, format!("{}: {text}", folder.display()));
        let stored = Folder::new(folder);
        let segments = stored.segments().map_err(|error| named(error.kind(), error.to_string()))?;
        if segments.is_empty() {
            return Err(named(io::ErrorKind::NotFound, "the folder has no segment of a journal".to_owned()));
        }
        Ok(Self::of(stored, segments))
    }

    /// Reads these segments of the folder.
    pub(super) fn of(folder: Folder, segments: Vec<StoredSegment>) -> Self {
        Self { folder, segments: segments.into_iter(), current: None, next: None }
    }

    /// The next item; `None` at the end of the journal.
    ///
    /// # Errors
    /// When a file cannot be read. Damage is no error but an item.
    pub fn next_item(&mut self) -> io::Result<Option<JournalItem>> {
        if let Some(batch) = self.next.take() {
            return Ok(Some(JournalItem::Batch(Arc::new(batch))));
        }
        loop {
            let Some(mut segment) = self.current.take() else {
                let Some(stored) = self.segments.next() else { return Ok(None) };
                match SegmentReader::open(&self.folder, stored) {
                    Ok(segment) => self.current = Some(segment),
                    Err(ReadFailure::Damage(damage)) => {
                        return Ok(Some(JournalItem::Damaged { name: stored.name, position: 0, damage }));
                    }
                    Err(ReadFailure::Io(error)) => return Err(error),
                }
                continue;
            };
            let entry = match segment.next() {
                Ok(Some(entry)) => entry,
                Ok(None) => continue,
                Err(ReadFailure::Damage(damage)) => {
                    let (name, position) = (segment.name, segment.whole_until());
                    return Ok(Some(JournalItem::Damaged { name, position, damage }));
                }
                Err(ReadFailure::Io(error)) => return Err(error),
            };
            let item = match entry {
                Entry::Snapshot(standing) => {
                    let (name, epoch) = (segment.name, segment.header.epoch);
                    JournalItem::Segment { name, epoch, standing: Arc::new(standing) }
                }
                Entry::Batch(batch) => JournalItem::Batch(Arc::new(batch)),
                Entry::BatchAfter(before, batch) => {
                    self.next = Some(batch);
                    JournalItem::Jump { before }
                }
                Entry::Hole(hole) => JournalItem::Hole(hole),
                Entry::CleanStop => JournalItem::CleanStop,
            };
            self.current = Some(segment);
            return Ok(Some(item));
        }
    }
}

impl Iterator for JournalReader {
    type Item = io::Result<JournalItem>;

    fn next(&mut self) -> Option<io::Result<JournalItem>> {
        self.next_item().transpose()
    }
}

/// Reads one segment.
pub(super) struct SegmentReader {
    pub(super) name: SegmentName,
    pub(super) header: SegmentHeader,
    records: RecordReader<Box<dyn Read + Send>>,
    decoder: EntryDecoder,
    is_at_start: bool,
    whole_until: u64,
}

impl std::fmt::Debug for SegmentReader {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SegmentReader").field("name", &self.name).field("header", &self.header).finish()
    }
}

impl SegmentReader {
    /// Opens a segment and reads its header.
    pub(super) fn open(folder: &Folder, segment: StoredSegment) -> Result<Self, ReadFailure> {
        let StoredSegment { name, form, .. } = segment;
        let file = match File::open(folder.file(name, form)) {
            Ok(file) => file,
            // It was compressed since the folder was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound && form == SegmentForm::Plain => {
                return Self::open(folder, StoredSegment { form: SegmentForm::Compressed, ..segment });
            }
            Err(error) => return Err(ReadFailure::Io(error)),
        };
        let mut source: Box<dyn Read + Send> = match form {
            SegmentForm::Plain => Box::new(BufReader::with_capacity(1 << 18, file)),
            SegmentForm::Compressed => {
                let decoder = zstd::Decoder::new(file).map_err(failure)?;
                Box::new(BufReader::with_capacity(1 << 18, decoder))
            }
        };
        let header = SegmentHeader::read(&mut source)?;
        let position = SegmentHeader::LEN as u64;
        Ok(Self {
            name,
            header,
            records: RecordReader::new(source, position),
            decoder: EntryDecoder::default(),
            is_at_start: true,
            whole_until: position,
        })
    }

    /// The next entry; the first one is a snapshot. `None` at the end of the segment.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, ReadFailure> {
        let Some(record) = self.records.next()? else { return Ok(None) };
        let entry = self.decoder.decode(&record).map_err(|_| Damage::Content)?;
        if matches!(entry, Entry::Snapshot(_)) != std::mem::take(&mut self.is_at_start) {
            return Err(Damage::Content.into());
        }
        self.whole_until = self.records.whole_until();
        Ok(Some(entry))
    }

    /// The position behind the last record that was read and decoded.
    pub(super) const fn whole_until(&self) -> u64 {
        self.whole_until
    }

    /// The instruments of the entries so far.
    pub(super) const fn universe(&self) -> &Arc<Universe> {
        self.decoder.universe()
    }
}
