use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::record::{Recorded, RecordedKind, RecordingReader, Skipped};
use super::symbols::SymbolTable;
use crate::model::Timestamp;

/// The records of several files in the order of time. Of one time bars come first, which tell of the time before, and
/// otherwise the order is that of the files.
pub(super) struct Merge {
    files: Vec<MergedFile>,
    /// The next record of each file that has one, the earliest on top.
    heads: BinaryHeap<Reverse<(Timestamp, Rank, usize)>>,
    /// Files whose next record is not read yet.
    unread: Vec<usize>,
}

/// What comes first of the records of one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Bar,
    Event,
}

struct MergedFile {
    reader: Box<dyn RecordingReader>,
    head: Option<Recorded>,
}

/// A record that a file skipped.
#[derive(Clone, Debug)]
pub(super) struct SkippedIn {
    /// The position of the file in the list.
    pub(super) file: usize,
    pub(super) skipped: Skipped,
}

impl Merge {
    /// The records of these files.
    pub(super) fn new(readers: Vec<Box<dyn RecordingReader>>) -> Self {
        let unread = (0..readers.len()).rev().collect();
        let files = readers.into_iter().map(|reader| MergedFile { reader, head: None }).collect::<Vec<_>>();
        Self { heads: BinaryHeap::with_capacity(files.len()), files, unread }
    }

    /// The next record, which stays; `None` at the end of all files.
    ///
    /// # Errors
    /// A record was skipped. The next call goes on behind it.
    pub(super) fn peek(&mut self, symbols: &mut SymbolTable) -> Result<Option<&Recorded>, SkippedIn> {
        while let Some(file) = self.unread.pop() {
            let head = match self.files[file].reader.next(symbols) {
                Ok(head) => head,
                Err(skipped) => {
                    self.unread.push(file);
                    return Err(SkippedIn { file, skipped });
                }
            };
            if let Some(record) = &head {
                let rank = if record.content.bar().is_some() { Rank::Bar } else { Rank::Event };
                self.heads.push(Reverse((record.at, rank, file)));
            }
            self.files[file].head = head;
        }
        Ok(self.heads.peek().and_then(|Reverse((_, _, file))| self.files[*file].head.as_ref()))
    }

    /// Takes the record that was last seen, and the kind of its file.
    pub(super) fn take(&mut self) -> Option<(Recorded, RecordedKind)> {
        let Reverse((_, _, file)) = self.heads.pop()?;
        self.unread.push(file);
        let MergedFile { reader, head } = &mut self.files[file];
        head.take().map(|record| (record, reader.kind()))
    }

    /// Whether a file of this kind has more records. Valid after [`peek`](Self::peek).
    pub(super) fn has_more_of(&self, kind: RecordedKind) -> bool {
        self.files.iter().any(|file| file.head.is_some() && file.reader.kind() == kind)
    }

    /// The kind of the file whose record was last seen.
    pub(super) fn kind(&self) -> Option<RecordedKind> {
        self.heads.peek().map(|Reverse((_, _, file))| self.files[*file].reader.kind())
    }

    /// The kind that sets the pace: events where a file has any, else the shortest bars. Valid after
    /// [`peek`](Self::peek).
    pub(super) fn finest_kind(&self) -> Option<RecordedKind> {
        let with_records = self.files.iter().filter(|file| file.head.is_some());
        with_records.map(|file| file.reader.kind()).min_by_key(|kind| match kind {
            RecordedKind::Events => None,
            RecordedKind::Bars(length) => Some(*length),
        })
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
