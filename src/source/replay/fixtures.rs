//! Recordings for the tests of this module.

use std::path::PathBuf;

use super::csv::ColumnMap;
use super::file_refusal::FileRefusal;
use super::input::OpenFile;
use super::merge::{Merge, SkippedIn};
use super::record::{Recorded, SkipReason};
use super::symbols::SymbolTable;
use crate::model::SymbolId;

/// What the files of a recording hold.
#[derive(Default)]
pub(super) struct Records {
    pub(super) records: Vec<Recorded>,
    pub(super) skipped: Vec<(SkipReason, u64)>,
    pub(super) symbols: SymbolTable,
}

impl Records {
    /// The symbol of an id.
    pub(super) fn symbol(&mut self, id: u32) -> String {
        self.symbols.publish().instrument(SymbolId(id)).symbol.to_string()
    }
}

/// A file of `tests/data`.
pub(super) fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Reads these files to their end.
pub(super) fn read(files: &[PathBuf]) -> Result<Records, FileRefusal> {
    read_with(files, &ColumnMap::default())
}

pub(super) fn read_with(files: &[PathBuf], map: &ColumnMap) -> Result<Records, FileRefusal> {
    let open = files.iter().map(|path| OpenFile::open(path, map)).collect::<Result<Vec<_>, _>>()?;
    let mut read = Records::default();
    let readers = OpenFile::readers(open, map, &mut read.symbols).map_err(|(_, refusal)| refusal)?;
    let mut merge = Merge::new(readers);
    loop {
        match merge.peek(&mut read.symbols) {
            Ok(None) => return Ok(read),
            Ok(Some(record)) => {
                read.records.push(*record);
                merge.take();
            }
            Err(SkippedIn { skipped, .. }) => read.skipped.push((skipped.reason, skipped.position)),
        }
    }
}
