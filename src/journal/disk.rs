use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::lock::FolderLock;
use super::retention::SegmentSize;
use super::segment::{PARTIAL, SegmentForm, SegmentName};
use super::state::JournalState;
use crate::model::Epoch;

/// Where segments are written: a folder, or what a test puts in its place.
pub(super) trait SegmentStore: Send {
    /// Creates a segment that does not exist yet.
    fn create(&mut self, name: SegmentName) -> io::Result<Box<dyn SegmentFile>>;

    /// All segments in the order of writing.
    fn list(&self) -> io::Result<Vec<(SegmentName, SegmentSize)>>;

    /// Deletes a segment in all its forms.
    fn delete(&mut self, name: SegmentName) -> io::Result<()>;

    /// Compresses a segment that is complete, some time later.
    fn compress(&mut self, name: SegmentName);

    /// Keeps that everything up to this batch is on the disk, and nothing follows.
    fn set_stopped(&mut self, epoch: Epoch, batch: u64) -> io::Result<()>;
}

/// A segment that is being written.
pub(super) trait SegmentFile: Send {
    /// Appends these bytes.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits until all bytes are on the disk.
    fn sync(&mut self) -> io::Result<()>;

    /// Removes what is behind this length: the beginning of a record that could not be appended whole.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

impl SegmentFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()?;
        // Writing goes on without an error in a file that has no name any more.
        #[cfg(unix)]
        if std::os::unix::fs::MetadataExt::nlink(&self.metadata()?) == 0 {
            return Err(io::Error::new(ErrorKind::NotFound, "the segment was deleted"));
        }
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// What a file or folder is, whatever its path: its device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl FileId {
    /// Of the file with this metadata.
    #[cfg(unix)]
    pub(super) fn of(file: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { device: file.dev(), inode: file.ino() }
    }

    /// Other systems do not replace a folder that is in use.
    #[cfg(not(unix))]
    pub(super) const fn of(_: &fs::Metadata) -> Self {
        Self { device: 0, inode: 0 }
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A folder of segments.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// The folder at this path, which exists.
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The path of a segment in this form.
    pub(super) fn file(&self, name: SegmentName, form: SegmentForm) -> PathBuf {
        self.0.join(name.file(form))
    }

    /// Which folder it is.
    pub(super) fn id(&self) -> io::Result<FileId> {
        Ok(FileId::of(&fs::metadata(&self.0)?))
    }

    /// The path of another file of the journal.
    pub(super) fn other(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Removes another file of the journal, if it is there, and makes that durable.
    pub(super) fn remove_other(&self, name: &str) -> io::Result<()> {
        remove_if_there(&self.other(name))?;
        self.sync()
    }

    /// Every segment with its best form, in the order of writing. While a segment has both forms, since a crash
    /// interrupted the change from one to the other, the plain one counts.
    pub(super) fn segments(&self) -> io::Result<Vec<StoredSegment>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            if let Some((name, form)) = entry.file_name().to_str().and_then(SegmentName::of_file) {
                // A segment may be compressed or deleted meanwhile.
                match entry.metadata() {
                    Ok(file) => found.push(StoredSegment { name, form, bytes: file.len() }),
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        found.sort_unstable_by_key(|segment| (segment.name, segment.form));
        found.dedup_by_key(|segment| segment.name);
        Ok(found)
    }

    /// Makes the names of files durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        // Other systems cannot open a folder, and need not.
        if cfg!(unix) { File::open(&self.0)?.sync_all() } else { Ok(()) }
    }

    /// Removes what a crash left of a compression.
    pub(super) fn remove_partial_files(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            let segment = name.to_str().and_then(|name| name.strip_suffix(PARTIAL));
            if segment.and_then(SegmentName::of_file).is_some() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// A segment in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StoredSegment {
    pub(super) name: SegmentName,
    pub(super) form: SegmentForm,
    pub(super) bytes: u64,
}

/// A folder with its lock, and the thread that compresses its complete segments.
#[derive(Debug)]
pub(super) struct FolderStore {
    folder: Folder,
    /// Held until the journal has ended.
    lock: FolderLock,
    to_compress: std::sync::mpsc::Sender<SegmentName>,
}

impl FolderStore {
    /// A store whose complete segments are sent to this channel.
    pub(super) const fn new(
        folder: Folder,
        lock: FolderLock,
        to_compress: std::sync::mpsc::Sender<SegmentName>,
    ) -> Self {
        Self { folder, lock, to_compress }
    }
}

impl SegmentStore for FolderStore {
    fn create(&mut self, name: SegmentName) -> io::Result<Box<dyn SegmentFile>> {
        // The folder may have been removed and made again meanwhile.
        self.lock.keep(&self.folder.0)?;
        let file = File::create_new(self.folder.file(name, SegmentForm::Plain))?;
        self.folder.sync()?;
        Ok(Box::new(file))
    }

    fn list(&self) -> io::Result<Vec<(SegmentName, SegmentSize)>> {
        let size = |segment: StoredSegment| SegmentSize { day: segment.name.day, bytes: segment.bytes };
        Ok(self.folder.segments()?.into_iter().map(|segment| (segment.name, size(segment))).collect())
    }

    fn delete(&mut self, name: SegmentName) -> io::Result<()> {
        for form in [SegmentForm::Plain, SegmentForm::Compressed] {
            remove_if_there(&self.folder.file(name, form))?;
        }
        Ok(())
    }

    fn compress(&mut self, name: SegmentName) {
        // The thread has ended only if it panicked: the segment stays as it is.
        let _ = self.to_compress.send(name);
    }

    fn set_stopped(&mut self, epoch: Epoch, batch: u64) -> io::Result<()> {
        self.lock.keep(&self.folder.0)?;
        JournalState::Stopped { epoch, batch }.write(&self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_support::TempFolder;

    fn name(ordinal: u64) -> SegmentName {
        SegmentName { ordinal, day: 20_000 }
    }

    #[test]
    fn segments_are_listed_in_order_and_once() {
        let files = TempFolder::new();
        let folder = Folder::new(files.path());
        for (ordinal, form, bytes) in [
            (3, SegmentForm::Plain, 30),
            (1, SegmentForm::Compressed, 10),
            (2, SegmentForm::Compressed, 20),
            (2, SegmentForm::Plain, 25),
        ] {
            fs::write(folder.file(name(ordinal), form), vec![0; bytes]).unwrap();
        }
        fs::write(folder.other("lock"), "").unwrap();

        let listed = folder.segments().unwrap();

        let listed: Vec<_> =
            listed.iter().map(|segment| (segment.name.ordinal, segment.form, segment.bytes)).collect();
        let [plain, compressed] = [SegmentForm::Plain, SegmentForm::Compressed];
        assert_eq!(listed, [(1, compressed, 10), (2, plain, 25), (3, plain, 30)]);
    }

    #[test]
    #[cfg(unix)]
    fn a_segment_that_was_deleted_is_an_error_at_the_next_sync() {
        let files = TempFolder::new();
        let (to_compress, _) = std::sync::mpsc::channel();
        let lock = FolderLock::take(files.path()).unwrap().expect("no other");
        let mut store = FolderStore::new(Folder::new(files.path()), lock, to_compress);
        let mut segment = store.create(name(1)).unwrap();
        segment.append(b"first").unwrap();
        segment.sync().unwrap();

        fs::remove_dir_all(files.path()).unwrap();
        segment.append(b"second").unwrap();

        assert_eq!(segment.sync().unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn only_the_remains_of_a_compression_are_removed() {
        let files = TempFolder::new();
        let folder = Folder::new(files.path());
        let kept = ["00000001-2026-11-29.tape.torn", "mine.partial", "00000002-2026-11-29.tape.zst"];
        for file in kept.iter().chain(&["00000001-2026-11-29.tape.zst.partial"]) {
            fs::write(folder.other(file), "").unwrap();
        }

        folder.remove_partial_files().unwrap();

        let mut left: Vec<_> = fs::read_dir(files.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["00000001-2026-11-29.tape.torn", "00000002-2026-11-29.tape.zst", "mine.partial"]);
    }
}
