use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use tracing::warn;

use super::disk::Folder;
use crate::model::Epoch;

/// What the file `state` of a journal tells the next start: how its end can be proven.
///
/// The file is replaced as a whole, so a kill at any moment leaves the old text or the new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum JournalState {
    /// A process writes the journal, or was killed. This is its publication log if it has one.
    Running {
        /// The path of the log.
        log: Option<PathBuf>,
    },
    /// The last process ended, and all that it published is in the journal.
    Stopped {
        /// The epoch of its numbers.
        epoch: Epoch,
        /// The number of its last batch.
        batch: u64,
    },
}

const FILE: &str = "state";

/// The file that takes the place of the other one when it is whole.
const NEW_FILE: &str = "state.new";

impl JournalState {
    /// Reads the state of the journal in this folder; `None` when there is none, or none that is understood.
    pub(super) fn read(folder: &Folder) -> Option<Self> {
        match fs::read(folder.other(FILE)) {
            Ok(bytes) => {
                let state = std::str::from_utf8(&bytes).ok().and_then(Self::parse);
                if state.is_none() {
                    warn!("the journal's file `{FILE}` is not understood, and proves nothing");
                }
                state
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                warn!("the journal's file `{FILE}` cannot be read, and proves nothing: {error}");
                None
            }
        }
    }

    /// Replaces the state of the journal in this folder, and has the disk take it.
    pub(super) fn write(&self, folder: &Folder) -> io::Result<()> {
        let new = folder.other(NEW_FILE);
        let mut file = File::create(&new)?;
        file.write_all(self.text().as_bytes())?;
        file.sync_all()?;
        fs::rename(new, folder.other(FILE))?;
        folder.sync()
    }

    /// Removes the state of the journal in this folder, so that nothing proves its end.
    pub(super) fn remove(folder: &Folder) -> io::Result<()> {
        folder.remove_other(FILE)
    }

    fn text(&self) -> String {
        match self {
            Self::Running { log } => {
                let path = log.as_ref().and_then(|log| log.to_str());
                path.map_or("log\n".to_owned(), |path| format!("log {path}\n"))
            }
            Self::Stopped { epoch, batch } => format!("stopped {} {batch}\n", epoch.number()),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let line = text.strip_suffix('\n')?;
        if line == "log" {
            return Some(Self::Running { log: None });
        }
        if let Some(path) = line.strip_prefix("log ") {
            return Some(Self::Running { log: Some(PathBuf::from(path)) });
        }
        let (epoch, batch) = line.strip_prefix("stopped ")?.split_once(' ')?;
        Some(Self::Stopped { epoch: Epoch::new(epoch.parse().ok()?), batch: batch.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_support::TempFolder;

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let files = TempFolder::new();
        let folder = Folder::new(files.path());
        assert_eq!(JournalState::read(&folder), None);

        for state in [
            JournalState::Running { log: Some(PathBuf::from("/dev/shm/a log")) },
            JournalState::Running { log: None },
            JournalState::Stopped { epoch: Epoch::new(u64::MAX), batch: 4_711 },
        ] {
            state.write(&folder).unwrap();
            assert_eq!(JournalState::read(&folder), Some(state));
        }
    }

    #[test]
    fn a_state_that_is_not_understood_is_none() {
        let files = TempFolder::new();
        for text in
            [&b""[..], b"log", b"stopped 1\n", b"stopped 1 x\n", b"stopped 1 2", b"log \xff\n", b"\0\0"]
        {
            fs::write(files.file("state"), text).unwrap();
            assert_eq!(JournalState::read(&Folder::new(files.path())), None, "{text:?}");
        }
    }
}
