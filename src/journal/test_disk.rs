use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use test_support::TempFolder;

use super::disk::{SegmentFile, SegmentStore};
use super::retention::SegmentSize;
use super::segment::{SegmentForm, SegmentName};
use crate::model::Epoch;

/// A disk in memory that the test fills and breaks.
#[derive(Clone, Default)]
pub(super) struct TestDisk(pub(super) Arc<Mutex<DiskState>>);

#[derive(Default)]
pub(super) struct DiskState {
    pub(super) segments: BTreeMap<SegmentName, Vec<u8>>,
    /// Nothing is written while this is set.
    pub(super) is_stalled: bool,
    /// Bytes that still fit; `None` for a disk without end.
    pub(super) room: Option<usize>,
    pub(super) fails_sync: bool,
}

impl TestDisk {
    pub(super) fn set(&self, change: impl FnOnce(&mut DiskState)) {
        change(&mut self.0.lock().unwrap());
    }

    /// The segments as files.
    pub(super) fn files(&self) -> TempFolder {
        let files = TempFolder::new();
        for (name, bytes) in &self.0.lock().unwrap().segments {
            std::fs::write(files.file(&name.file(SegmentForm::Plain)), bytes).unwrap();
        }
        files
    }
}

struct TestFile(TestDisk, SegmentName);

impl SegmentFile for TestFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        while self.0.0.lock().unwrap().is_stalled {
            std::thread::sleep(Duration::from_millis(1));
        }
        let disk = &mut *self.0.0.lock().unwrap();
        let fits = disk.room.unwrap_or(usize::MAX).min(bytes.len());
        // As much as fits is written, as on a disk.
        disk.segments.get_mut(&self.1).unwrap().extend_from_slice(&bytes[..fits]);
        disk.room = disk.room.map(|room| room - fits);
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.0.0.lock().unwrap().fails_sync { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.0.set(|disk| disk.segments.get_mut(&self.1).unwrap().truncate(length as usize));
        Ok(())
    }
}

impl SegmentStore for TestDisk {
    fn create(&mut self, name: SegmentName) -> io::Result<Box<dyn SegmentFile>> {
        self.set(|disk| assert!(disk.segments.insert(name, Vec::new()).is_none(), "{name} exists"));
        Ok(Box::new(TestFile(self.clone(), name)))
    }

    fn list(&self) -> io::Result<Vec<(SegmentName, SegmentSize)>> {
        let size = |(name, bytes): (&SegmentName, &Vec<u8>)| {
            (*name, SegmentSize { day: name.day, bytes: bytes.len() as u64 })
        };
        Ok(self.0.lock().unwrap().segments.iter().map(size).collect())
    }

    fn delete(&mut self, name: SegmentName) -> io::Result<()> {
        self.set(|disk| assert!(disk.segments.remove(&name).is_some()));
        Ok(())
    }

    fn compress(&mut self, _: SegmentName) {}

    fn set_stopped(&mut self, _: Epoch, _: u64) -> io::Result<()> {
        Ok(())
    }
}
