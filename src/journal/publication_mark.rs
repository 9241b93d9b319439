//! The number of the last batch that clients may have seen, kept where it survives the process.
//!
//! A journal is written after a batch is published, so after a crash its end alone cannot prove that nothing is
//! missing. The mark can: it is written *before* each batch is published, to a file in memory (`/dev/shm`), which takes
//! less than a microsecond and never waits for a disk. The kernel keeps it when the process is killed, and loses it
//! with all else that was not written back when the machine fails. So when there is a mark, it is exact, and what the
//! process wrote to the journal is there.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::model::Epoch;

/// Where files are in memory.
const FOLDER: &str = "/dev/shm";

const MAGIC: [u8; 8] = *b"TAPEMARK";
const LEN: usize = 24;

/// The place of the batch number.
#[cfg(unix)]
const NUMBER_AT: u64 = 16;

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MarkReading {
    /// The epoch that was published.
    pub(super) epoch: Epoch,
    /// The number of the last batch that may have been published.
    pub(super) published: u64,
}

/// The mark of a running feed.
#[derive(Debug)]
pub struct PublicationMark {
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no marks there"))]
    file: File,
    path: PathBuf,
}

impl PublicationMark {
    /// Creates a mark with a name that no one can guess; `None` where files in memory cannot be had, so that no crash
    /// will be proven harmless.
    pub(super) fn create(random: u128, reading: MarkReading) -> Option<Self> {
        Self::create_in(Path::new(FOLDER), random, reading).ok()?
    }

    fn create_in(folder: &Path, random: u128, reading: MarkReading) -> io::Result<Option<Self>> {
        if !is_in_memory(folder) {
            return Ok(None);
        }
        let path = folder.join(format!("tapecast-{random:032x}"));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        let number = reading.epoch.number().to_le_bytes();
        let bytes = [MAGIC, number, reading.published.to_le_bytes()].concat();
        if let Err(error) = io::Write::write_all(&mut file, &bytes) {
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        Ok(Some(Self { file, path }))
    }

    /// Marks that the batch with this number may have been published. Call it before it is.
    ///
    /// # Errors
    /// When the mark cannot be written: nothing is to be proven by it from now on.
    #[cfg(unix)]
    pub fn set(&self, batch: u64) -> io::Result<()> {
        // The bytes of the file exist, so this needs no memory.
        std::os::unix::fs::FileExt::write_all_at(&self.file, &batch.to_le_bytes(), NUMBER_AT)
    }

    /// There is no mark on this system.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(unix))]
    pub fn set(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Where the mark is, for the next start.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads and removes the mark that a killed process left at this path.
    pub(super) fn take(path: &Path) -> Option<MarkReading> {
        let bytes = fs::read(path).ok()?;
        let _ = fs::remove_file(path);
        let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        if bytes.len() != LEN || !bytes.starts_with(&MAGIC) || !is_in_memory(path.parent()?) {
            return None;
        }
        Some(MarkReading { epoch: Epoch::new(number(8)?), published: number(16)? })
    }

    /// Removes the mark: a reader of the journal finds none, and takes no proof from it.
    pub fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }
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
mod tests {
    use super::*;
    use test_support::TempFolder;

    fn reading(published: u64) -> MarkReading {
        MarkReading { epoch: Epoch::new(77), published }
    }

    #[test]
    fn a_mark_is_read_once_as_it_was_set_last() {
        let mark = PublicationMark::create(rand::random(), reading(5)).expect("Linux has files in memory");
        let path = mark.path().to_owned();
        mark.set(6).unwrap();
        mark.set(7).unwrap();
        drop(mark);

        assert_eq!(PublicationMark::take(&path), Some(reading(7)));
        assert_eq!(PublicationMark::take(&path), None);
    }

    #[test]
    fn a_mark_on_a_disk_proves_nothing() {
        let folder = TempFolder::new();
        if is_in_memory(folder.path()) {
            return;
        }
        assert!(PublicationMark::create_in(folder.path(), 1, reading(5)).unwrap().is_none());

        let file = folder.file("mark");
        fs::write(&file, [&MAGIC[..], &[0; 16]].concat()).unwrap();
        assert_eq!(PublicationMark::take(&file), None);
    }

    #[test]
    fn a_file_that_is_no_mark_proves_nothing() {
        for bytes in [&b""[..], b"TAPEMARK", b"TAPEMARX________________", b"TAPEMARK_________________"] {
            let path = Path::new(FOLDER).join(format!("tapecast-{:032x}", rand::random::<u128>()));
            fs::write(&path, bytes).unwrap();

            assert_eq!(PublicationMark::take(&path), None, "{bytes:?}");
        }
    }
}
