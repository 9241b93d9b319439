use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The lock of a journal's folder: two processes that appended to one journal would ruin it.
///
/// The system releases it with the process, however it ends. The file holds the path of the
/// [publication log](super::publication_log).
#[derive(Debug)]
pub(super) struct FolderLock(File);

const FILE: &str = "lock";

impl FolderLock {
    /// Takes the lock; `None` while another process has it.
    pub(super) fn take(folder: &Path) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(folder.join(FILE))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The path of the publication log that the last process left.
    pub(super) fn publication_log(&mut self) -> io::Result<Option<PathBuf>> {
        let mut text = String::new();
        self.0.seek(SeekFrom::Start(0))?;
        self.0.read_to_string(&mut text)?;
        let path = text.trim_end();
        Ok((!path.is_empty()).then(|| PathBuf::from(path)))
    }

    /// Leaves the path of the publication log for the next start.
    pub(super) fn set_publication_log(&mut self, path: Option<&Path>) -> io::Result<()> {
        self.0.set_len(0)?;
        self.0.seek(SeekFrom::Start(0))?;
        if let Some(path) = path.and_then(Path::to_str) {
            self.0.write_all(path.as_bytes())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_support::TempFolder;

    #[test]
    fn one_process_has_the_lock_of_a_journal() {
        let folder = TempFolder::new();
        let mut first = FolderLock::take(folder.path()).unwrap().expect("no other");
        first.set_publication_log(Some(Path::new("/dev/shm/tapecast-1"))).unwrap();

        assert!(FolderLock::take(folder.path()).unwrap().is_none());
        drop(first);

        let mut second = FolderLock::take(folder.path()).unwrap().expect("the first is gone");
        assert_eq!(second.publication_log().unwrap(), Some(PathBuf::from("/dev/shm/tapecast-1")));
        second.set_publication_log(None).unwrap();
        assert_eq!(second.publication_log().unwrap(), None);
    }
}
