use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use tracing::warn;

use super::disk::{Folder, StoredSegment};
use super::entry::{Entry, enter, enter_hole};
use super::publication_log::PublicationReading;
use super::reader::SegmentReader;
use super::record::{Damage, ReadFailure};
use super::segment::{SegmentForm, SegmentName, TORN};
use super::state::JournalState;
use crate::feed::LastValues;
use crate::model::{Epoch, Universe};

/// Where a journal ends.
#[derive(Debug)]
pub(super) struct Tail {
    /// The epoch of its last batch.
    pub(super) epoch: Epoch,
    /// What holds at its end.
    pub(super) last_values: LastValues,
    /// The instruments at its end.
    pub(super) universe: Arc<Universe>,
    /// Whether the last record says that the feed ended there.
    pub(super) is_clean_stop: bool,
    /// The segment that ends with it, if records can be appended there.
    pub(super) open_segment: Option<SegmentName>,
    /// A later segment of which nothing can be read.
    pub(super) unreadable: Option<SegmentName>,
}

/// Bytes behind the last whole record, which were moved to another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TornBytes {
    /// What was wrong with them.
    pub(super) damage: Damage,
    /// Their number.
    pub(super) bytes: u64,
    /// The file that has them now.
    pub(super) kept_in: PathBuf,
}

/// Reads the end of a journal, and cuts what a crash left behind its last whole record.
///
/// A segment that was not even begun is removed with what it has; the one before is the last one then. What cannot be
/// kept aside stays where it is.
///
/// # Errors
/// When a file cannot be read, or is of another version: nothing was changed then.
pub(super) fn read_tail(folder: &Folder) -> io::Result<(Option<Tail>, Vec<TornBytes>)> {
    let mut torn = Vec::new();
    let mut unreadable = None;
    for segment in folder.segments()?.into_iter().rev() {
        let (tail, cut) = read_segment(folder, segment)?;
        let mut is_whole = cut.is_none() && segment.form == SegmentForm::Plain;
        if let Some(Cut { damage, position }) = cut
            && segment.form == SegmentForm::Plain
        {
            match set_aside(folder, segment, position, damage) {
                Ok(kept) => {
                    is_whole = true;
                    torn.push(kept);
                }
                // The disk may be full. A reader stops at the same place, and the next segment says what holds.
                Err(error) => {
                    let name = segment.name;
                    warn!(segment = %name, position, "{damage}, and the rest cannot be kept aside: {error}");
                }
            }
        }
        if let Some(tail) = tail {
            let open_segment = is_whole.then_some(segment.name);
            return Ok((Some(Tail { open_segment, unreadable, ..tail }), torn));
        }
        unreadable = unreadable.or(Some(segment.name));
        // Nothing of it can be read. A compressed segment was whole once, and stays for the user to look at.
    }
    Ok((None, torn))
}

/// Where a segment cannot be read any further.
struct Cut {
    damage: Damage,
    position: u64,
}

/// The end of a segment if it has a whole snapshot, and where it is damaged.
fn read_segment(folder: &Folder, segment: StoredSegment) -> io::Result<(Option<Tail>, Option<Cut>)> {
    let mut reader = match SegmentReader::open(folder, segment) {
        Ok(reader) => reader,
        Err(ReadFailure::Damage(Damage::Version)) => {
            let file = folder.file(segment.name, segment.form);
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                format!("{}: {}", file.display(), Damage::Version),
            ));
        }
        Err(ReadFailure::Damage(damage)) => return Ok((None, Some(Cut { damage, position: 0 }))),
        Err(ReadFailure::Io(error)) => return Err(error),
    };
    let mut last_values = None;
    let mut epoch = reader.header.epoch;
    let mut is_clean_stop = false;
    let cut = loop {
        match reader.next() {
            Ok(Some(Entry::Snapshot(batch))) => {
                let mut snapshot = LastValues::new(batch.universe().len());
                enter(&mut snapshot, &batch);
                last_values = Some(snapshot);
            }
            Ok(Some(entry)) => {
                let last_values = last_values.as_mut().expect("a segment begins with a snapshot");
                is_clean_stop = matches!(entry, Entry::CleanStop);
                match &entry {
                    Entry::Batch(batch) | Entry::BatchAfter(_, batch) => {
                        epoch = batch.begun_epoch().unwrap_or(epoch);
                        enter(last_values, batch);
                    }
                    Entry::Hole(hole) => enter_hole(last_values, hole),
                    Entry::Snapshot(_) | Entry::CleanStop => {}
                }
            }
            Ok(None) => break None,
            Err(ReadFailure::Damage(damage)) => {
                is_clean_stop = false;
                let position = if last_values.is_some() { reader.whole_until() } else { 0 };
                break Some(Cut { damage, position });
            }
            Err(ReadFailure::Io(error)) => return Err(error),
        }
    };
    // Without a snapshot the records are of no use.
    let cut = cut.or_else(|| last_values.is_none().then_some(Cut { damage: Damage::Torn, position: 0 }));
    let tail = last_values.map(|mut last_values| Tail {
        epoch,
        last_values: {
            last_values.set_epoch(epoch);
            last_values
        },
        universe: Arc::clone(reader.universe()),
        is_clean_stop,
        open_segment: None,
        unreadable: None,
    });
    Ok((tail, cut))
}

/// Moves what is behind this position to a file of its own, and removes a segment of which nothing is left.
fn set_aside(
    folder: &Folder,
    segment: StoredSegment,
    position: u64,
    damage: Damage,
) -> io::Result<TornBytes> {
    let plain = folder.file(segment.name, SegmentForm::Plain);
    let mut source = OpenOptions::new().read(true).write(true).open(&plain)?;
    source.seek(SeekFrom::Start(position))?;
    let (mut kept, kept_in) = create_torn_file(folder, segment)?;
    let copied = io::copy(&mut source, &mut kept).and_then(|bytes| kept.sync_all().map(|()| bytes));
    let bytes = copied.inspect_err(|_| drop(std::fs::remove_file(&kept_in)))?;
    if position == 0 {
        drop(source);
        std::fs::remove_file(plain)?;
    } else {
        source.set_len(position)?;
        source.sync_all()?;
    }
    folder.sync()?;
    Ok(TornBytes { damage, bytes, kept_in })
}

/// A new file beside the segment; its name has a number if there is one already.
fn create_torn_file(folder: &Folder, segment: StoredSegment) -> io::Result<(File, PathBuf)> {
    let mut number = 1;
    loop {
        let suffix = if number == 1 { String::new() } else { format!(".{number}") };
        let path = folder.other(&format!("{}{TORN}{suffix}", segment.name.file(SegmentForm::Plain)));
        match File::create_new(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            created => return created.map(|file| (file, path)),
        }
    }
}

/// Appends what a killed process published and had not written to the journal that ends so.
///
/// Returns the number of batches.
///
/// # Errors
/// When the segment cannot be written: what is there then is a torn end.
pub(super) fn append_published(folder: &Folder, tail: &Tail, log: &PublicationReading) -> io::Result<u64> {
    let last = tail.last_values.batch();
    let is_last = |name: &SegmentName| {
        folder.segments().map(|segments| segments.last().is_some_and(|last| last.name == *name))
    };
    let missing = log.published.saturating_sub(last);
    if missing == 0 || tail.is_clean_stop || !log.continues(tail.epoch, last) {
        return Ok(0);
    }
    let (Some(segment), Some(records)) = (tail.open_segment, log.records_behind(last)) else { return Ok(0) };
    if !is_last(&segment)? {
        return Ok(0);
    }
    let mut file = OpenOptions::new().append(true).open(folder.file(segment, SegmentForm::Plain))?;
    file.write_all(&records)?;
    file.sync_all()?;
    Ok(missing)
}

/// Why a new epoch begins in spite of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NewEpochReason {
    /// There was nothing to continue.
    #[error("the journal is new")]
    NewJournal,
    /// The first instruments are not those of the journal.
    #[error("the journal is of other instruments")]
    OtherInstruments,
    /// The numbers were given by an upstream and are now given here, or the other way round.
    #[error("its numbers are of another origin: an upstream gave them, or gives them now")]
    OtherNumbers,
    /// The process did not end by itself, and there is no log of what it published.
    #[error("the last process or the machine was killed, and what it published last is not known")]
    NoLog,
    /// The process published batches that are not in the journal.
    #[error("the last process published batches that are not in the journal")]
    LostBatches,
    /// No file `state` says how the last process ended.
    #[error("how the last process ended is not known")]
    NoState,
    /// The last process stopped, and its last segment is damaged.
    #[error("nothing of segment {0} can be read")]
    UnreadableSegment(SegmentName),
    /// The last process stopped elsewhere: the end is damaged, or the last segment missing or of another time.
    #[error("the last process stopped at batch {batch} of epoch {epoch}, and the journal does not end there")]
    OtherEnd {
        /// The epoch.
        epoch: Epoch,
        /// The last batch.
        batch: u64,
    },
}

impl Tail {
    /// Whether the numbers of this journal can go on: whether every batch that a client may have seen is in it.
    ///
    /// It is when the feed has ended cleanly, and this is the end that the state names, or when the publication log is of
    /// the same epoch and ends with a batch that the journal has. The log is exact: it proves the end even if a segment
    /// was begun behind it, or one that is gone held nothing more.
    pub(super) fn continues(
        &self,
        state: Option<&JournalState>,
        log: Option<&PublicationReading>,
    ) -> Result<(), NewEpochReason> {
        let last = self.last_values.batch();
        match *state.ok_or(NewEpochReason::NoState)? {
            JournalState::Stopped { epoch, batch } => {
                if let Some(name) = self.unreadable {
                    return Err(NewEpochReason::UnreadableSegment(name));
                }
                let is_here = self.is_clean_stop && (epoch, batch) == (self.epoch, last);
                if is_here { Ok(()) } else { Err(NewEpochReason::OtherEnd { epoch, batch }) }
            }
            JournalState::Running { .. } => {
                let log = log.filter(|log| log.epoch == self.epoch).ok_or(NewEpochReason::NoLog)?;
                if log.published <= last { Ok(()) } else { Err(NewEpochReason::LostBatches) }
            }
        }
    }
}

#[cfg(test)]
#[path = "tail_tests.rs"]
mod tests;
