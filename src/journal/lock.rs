use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use super::disk::FileId;

/// The lock of a journal's folder: two processes that appended to one journal would ruin it.
///
/// The system releases it with the process, however it ends. The file holds nothing.
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

    /// Takes the lock anew if the folder or its file was replaced, so that another process could take it.
    ///
    /// # Errors
    /// When another process has it, or the folder does not exist.
    pub(super) fn keep(&mut self, folder: &Path) -> io::Result<()> {
        let held = FileId::of(&self.0.metadata()?);
        if std::fs::metadata(folder.join(FILE)).is_ok_and(|file| FileId::of(&file) == held) {
            return Ok(());
        }
        let in_use = || io::Error::new(io::ErrorKind::ResourceBusy, "it is in use by another process");
        *self = Self::take(folder)?.ok_or_else(in_use)?;
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
        let first = FolderLock::take(folder.path()).unwrap().expect("no other");

        assert!(FolderLock::take(folder.path()).unwrap().is_none());
        drop(first);

        assert!(FolderLock::take(folder.path()).unwrap().is_some(), "the first is gone");
    }

    #[test]
    #[cfg(unix)]
    fn a_folder_that_was_made_again_is_locked_too_unless_another_process_was_first() {
        let files = TempFolder::new();
        let folder = files.file("journal");
        std::fs::create_dir(&folder).unwrap();
        let mut lock = FolderLock::take(&folder).unwrap().expect("no other");
        lock.keep(&folder).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(lock.keep(&folder).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::create_dir(&folder).unwrap();

        let other = FolderLock::take(&folder).unwrap().expect("the lock was on the folder that is gone");
        assert_eq!(lock.keep(&folder).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        drop(other);

        lock.keep(&folder).unwrap();
        assert!(FolderLock::take(&folder).unwrap().is_none());
    }
}
