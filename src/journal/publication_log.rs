//! The last published batches, kept where they survive the process.
//!
//! The journal is written after a batch is published, so after a crash its end alone cannot prove that nothing is
//! missing. This log can: each batch is written to it *before* it is published, to a file in memory (`/dev/shm`), which
//! takes about a microsecond and never waits for a disk. The kernel keeps the file when the process is killed, and loses
//! it with all else that was not written back when the machine fails. So when there is one, it is exact: the next start
//! appends to the journal what was published and not written, and the journal may be written in large pieces.
//!
//! # The file
//! `magic · epoch u64 · number u64`, then two regions of records in the form of the journal (`record.rs`), each ended by
//! eight zeros. One region is filled; the other is emptied and filled next as soon as the journal has all of it. While the journal
//! is so far behind that neither has room, only the number of the last batch is kept.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::disk::FileId;
use super::entry::{EntryEncoder, marks_of};
use super::record::RecordReader;
use crate::feed::Batch;
use crate::model::{Epoch, Universe, UniverseSize};

/// Where files are in memory.
const FOLDER: &str = "/dev/shm";

const MAGIC: [u8; 8] = *b"TAPEMARK";

/// Magic, epoch and number.
const HEADER: usize = 24;

/// The place of the epoch.
const EPOCH_AT: u64 = 8;

/// The place of the number.
const NUMBER_AT: u64 = 16;

/// The bytes of a region.
///
/// Effect: of batches beyond two regions that the journal has not written, only the number is kept, so that an epoch ends
/// with a kill. Larger regions outlast a longer stall of the disk and take more memory. One holds about what the queue of
/// the journal does (`queue.rs`), since a record takes a quarter of the bytes of a batch in memory.
const REGION: usize = 2 << 20;

/// What ends a region: the frame of no record.
const END: [u8; 8] = [0; 8];

/// The log of a running feed.
#[derive(Debug)]
pub(super) struct PublicationLog {
    file: File,
    path: PathBuf,
    encoder: EntryEncoder,
    regions: [Region; 2],
    /// The region that is being filled.
    current: usize,
    /// Whether there was no room for a batch, so that only its number is kept.
    is_overfull: bool,
    /// The number of the last batch.
    published: u64,
    /// The instruments and topics up to the last batch.
    known: UniverseSize,
    buffer: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Region {
    length: usize,
    last_batch: u64,
}

/// What holds when a log begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct PublicationStart<'a> {
    /// The folder of the journal, to which the log belongs: not to a copy of it.
    pub(super) journal: FileId,
    /// The epoch that is published.
    pub(super) epoch: Epoch,
    /// The number of the last batch of the journal.
    pub(super) published: u64,
    /// The instruments of the journal.
    pub(super) universe: &'a Universe,
}

impl PublicationLog {
    /// Creates a log with a name that no one can guess; `None` where files in memory cannot be had, so that no crash
    /// will be proven harmless.
    pub(super) fn create(random: u128, start: PublicationStart<'_>) -> Option<Self> {
        Self::create_in(Path::new(FOLDER), random, start).ok()?
    }

    fn create_in(folder: &Path, random: u128, start: PublicationStart<'_>) -> io::Result<Option<Self>> {
        if !is_in_memory(folder) {
            return Ok(None);
        }
        let path = folder.join(format!("{}{random:032x}", name_prefix(start.journal)));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        let bytes = [MAGIC, start.epoch.number().to_le_bytes(), start.published.to_le_bytes()].concat();
        if let Err(error) = io::Write::write_all(&mut file, &bytes) {
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        let known = start.universe.size();
        Ok(Some(Self {
            file,
            path,
            encoder: EntryEncoder::knowing(known),
            regions: [Region::default(); 2],
            current: 0,
            is_overfull: false,
            published: start.published,
            known,
            buffer: Vec::new(),
        }))
    }

    /// Keeps a batch that is about to be published. Batches up to `written` are in the journal.
    ///
    /// # Errors
    /// When the file cannot be written: nothing is to be proven by it from now on.
    pub(super) fn announce(&mut self, batch: &Batch, written: u64) -> io::Result<()> {
        if self.is_overfull && written >= self.published {
            (self.regions, self.is_overfull) = (<[Region; 2]>::default(), false);
            self.encoder = EntryEncoder::knowing(self.known);
        }
        if !self.is_overfull {
            self.buffer.clear();
            self.encoder.batch(&mut self.buffer, batch, self.published);
            self.buffer.extend_from_slice(&END);
            match self.place(written) {
                Some(at) => {
                    write_at(&self.file, &self.buffer, at)?;
                    let region = &mut self.regions[self.current];
                    region.length += self.buffer.len() - END.len();
                    region.last_batch = batch.number();
                }
                None => self.is_overfull = true,
            }
        }
        if self.is_overfull {
            // The bytes exist, so this needs no memory.
            write_at(&self.file, &batch.number().to_le_bytes(), NUMBER_AT)?;
        }
        if let Some(epoch) = batch.begun_epoch() {
            // The record tells it as well, as long as it is kept.
            self.begin_epoch(epoch)?;
        }
        (self.published, self.known) = (batch.number(), batch.universe().size());
        Ok(())
    }

    /// Where the buffer belongs, in the other region if this one is full; `None` when there is no room.
    fn place(&mut self, written: u64) -> Option<u64> {
        let length = self.buffer.len();
        if self.regions[self.current].length + length > REGION {
            let other = 1 - self.current;
            if length > REGION || self.regions[other].last_batch > written {
                return None;
            }
            self.regions[other] = Region::default();
            self.current = other;
        }
        Some((region(self.current).start + self.regions[self.current].length) as u64)
    }

    /// Has the log be of another epoch.
    pub(super) fn begin_epoch(&self, epoch: Epoch) -> io::Result<()> {
        write_at(&self.file, &epoch.number().to_le_bytes(), EPOCH_AT)
    }

    /// Removes what killed processes left of the journal in this folder, except the file at this path.
    pub(super) fn remove_others(journal: FileId, kept: Option<&Path>) {
        let Ok(entries) = fs::read_dir(FOLDER) else { return };
        for path in entries.flatten().map(|entry| entry.path()).filter(|path| Some(path.as_path()) != kept) {
            if is_log_of(journal, &path) && read_log(&path).is_some() {
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Where the log is, for the next start.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the log: the next start finds none, and takes no proof from it.
    pub(super) fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// What a killed process left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicationReading {
    /// The epoch that was published last.
    pub(super) epoch: Epoch,
    /// The number of the last batch that may have been published.
    pub(super) published: u64,
    /// Records in the form of the journal, one behind the other, up to that batch as far as there are.
    records: Vec<KeptRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct KeptRecord {
    batch: u64,
    /// The number of the batch before.
    before: u64,
    /// The epoch that begins with it.
    begun: Option<Epoch>,
    bytes: Vec<u8>,
}

impl PublicationReading {
    /// Reads what a killed process left at this path, if it is a log of the journal in this folder.
    pub(super) fn of(path: &Path, journal: FileId) -> Option<Self> {
        if !is_log_of(journal, path) || !is_in_memory(path.parent()?) {
            return None;
        }
        let bytes = read_log(path)?;
        let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        let (epoch, mut published) = (Epoch::new(number(EPOCH_AT as usize)?), number(NUMBER_AT as usize)?);
        let mut regions = [0, 1].map(|index| {
            let range = region(index);
            kept_records(bytes.get(range.start..range.end.min(bytes.len())).unwrap_or_default())
        });
        regions.sort_by_key(|records| records.first().map(|record| record.batch));
        let records = regions.concat();
        published = published.max(records.last().map_or(0, |record| record.batch));
        let begun = records.iter().rev().find_map(|record| record.begun);
        Some(Self { epoch: begun.unwrap_or(epoch), published, records })
    }

    /// Whether the log continues a journal that ends with this batch of this epoch.
    pub(super) fn continues(&self, epoch: Epoch, batch: u64) -> bool {
        let begins_later = |record: &KeptRecord| record.batch > batch && record.begun.is_some();
        epoch == self.epoch || self.records.iter().any(begins_later)
    }

    /// What is left when the journal is far behind.
    #[cfg(test)]
    pub(super) const fn without_records(epoch: Epoch, published: u64) -> Self {
        Self { epoch, published, records: Vec::new() }
    }

    /// The records of all batches behind this one; `None` unless all of them were kept.
    pub(super) fn records_behind(&self, batch: u64) -> Option<Vec<u8>> {
        let behind = self.records.iter().filter(|record| record.batch > batch);
        let follow = |last, record: &KeptRecord| (record.before == last).then_some(record.batch);
        let last = behind.clone().try_fold(batch, follow)?;
        (last == self.published).then(|| behind.flat_map(|record| &record.bytes).copied().collect())
    }
}

/// How the names of the logs of the journal in this folder begin.
fn name_prefix(journal: FileId) -> String {
    format!("tapecast-{:x}-{:x}-", journal.device, journal.inode)
}

/// Whether a file at this path is directly in the folder of logs, with a name of a log of this journal.
fn is_log_of(journal: FileId, path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let random = name.and_then(|name| name.strip_prefix(&name_prefix(journal)));
    let is_random = |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    path.parent() == Some(Path::new(FOLDER)) && random.is_some_and(is_random)
}

/// The bytes of a log; `None` when the file is none.
fn read_log(path: &Path) -> Option<Vec<u8>> {
    let file = fs::symlink_metadata(path).ok()?;
    if !file.is_file() || file.len() > region(1).end as u64 {
        return None;
    }
    fs::read(path).ok().filter(|bytes| bytes.starts_with(&MAGIC))
}

/// The whole records at the beginning of a region, each of which follows the one before.
fn kept_records(region: &[u8]) -> Vec<KeptRecord> {
    let mut records: Vec<KeptRecord> = Vec::new();
    let mut reader = RecordReader::new(region, 0);
    let mut from = 0;
    while let Ok(Some(record)) = reader.next() {
        let until = reader.whole_until() as usize;
        let (begun, before) = marks_of(&record);
        // What was behind the end before the region was emptied is older.
        if records.last().is_some_and(|last| last.batch != before) {
            break;
        }
        records.push(KeptRecord {
            batch: record.batch_no,
            before,
            begun,
            bytes: region[from..until].to_vec(),
        });
        from = until;
    }
    records
}

/// The place of a region.
const fn region(index: usize) -> Range<usize> {
    let start = HEADER + index * REGION;
    start..start + REGION
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

/// There is no log on this system.
#[cfg(not(unix))]
fn write_at(_: &File, _: &[u8], _: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether files in this folder are lost when the machine restarts: only then is one of them younger than the last
/// start.
#[cfg(target_os = "linux")]
fn is_in_memory(folder: &Path) -> bool {
    const TMPFS_MAGIC: u64 = 0x0102_1994;
    rustix::fs::statfs(folder).is_ok_and(|info| info.f_type as u64 == TMPFS_MAGIC)
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_: &Path) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
#[path = "publication_log_tests.rs"]
mod tests;
