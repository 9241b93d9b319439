use std::sync::Arc;

use test_support::TempFolder;

use super::super::test_feed::TestFeed;
use super::*;
use crate::model::UniverseSize;

const EPOCH: Epoch = Epoch::new(77);

/// A folder that no other test has.
fn journal() -> FileId {
    FileId { device: 0xfff, inode: rand::random() }
}

/// A log that is removed with it.
struct Running {
    feed: TestFeed,
    journal: FileId,
    log: PublicationLog,
}

impl Running {
    fn new() -> Self {
        let feed = TestFeed::new(EPOCH);
        let journal = journal();
        let start = PublicationStart { journal, epoch: EPOCH, published: 0, universe: &feed.universe };
        let log = PublicationLog::create(rand::random(), start).expect("Linux has files in memory");
        Self { feed, journal, log }
    }

    /// Publishes batches while the journal has written all up to a number that follows from that of each batch.
    fn publish(&mut self, count: usize, written: impl Fn(u64) -> u64) -> Vec<Arc<Batch>> {
        let batches = self.feed.batches(count);
        for batch in &batches {
            self.log.announce(batch, written(batch.number())).expect("the file is in memory");
        }
        batches
    }

    fn read(&self) -> PublicationReading {
        PublicationReading::of(self.log.path(), self.journal).expect("it is there")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.log.remove();
    }
}

/// What the journal would have written.
fn records(batches: &[Arc<Batch>], instruments: UniverseSize) -> Vec<u8> {
    let (mut encoder, mut bytes) = (EntryEncoder::knowing(instruments), Vec::new());
    batches.iter().for_each(|batch| encoder.batch(&mut bytes, batch, batch.number() - 1));
    bytes
}

#[test]
fn the_log_has_every_batch_that_the_journal_has_not_written_as_the_journal_would_write_it() {
    let mut running = Running::new();
    let batches = running.publish(20, |_| 0);

    let log = running.read();

    assert_eq!((log.epoch, log.published), (EPOCH, 20));
    let instruments = running.feed.universe.size();
    assert_eq!(log.records_behind(0), Some(records(&batches, instruments)));
    assert_eq!(log.records_behind(7), Some(records(&batches[7..], instruments)));
    assert_eq!(log.records_behind(20), Some(vec![]));
}

#[test]
fn a_log_before_the_first_batch_names_the_last_one_of_the_journal() {
    let feed = TestFeed::new(EPOCH);
    let journal = journal();
    let start = PublicationStart { journal, epoch: EPOCH, published: 5, universe: &feed.universe };
    let log = PublicationLog::create(rand::random(), start).unwrap();

    let reading = PublicationReading::of(log.path(), journal).unwrap();
    log.remove();

    assert_eq!((reading.published, reading.records_behind(5)), (5, Some(vec![])));
    assert_eq!(PublicationReading::of(log.path(), journal), None);
}

#[test]
fn regions_are_filled_by_turns_while_the_journal_keeps_up() {
    let mut running = Running::new();
    let mut batches = Vec::new();
    let mut turns = 0;
    while turns < 5 {
        let before = running.log.current;
        batches = running.publish(100, |number| number.saturating_sub(60));
        turns += usize::from(running.log.current != before);
        assert!(!running.log.is_overfull);
    }

    let log = running.read();

    let last = batches.last().unwrap().number();
    let instruments = running.feed.universe.size();
    assert_eq!(log.published, last);
    assert_eq!(log.records_behind(last - 60), Some(records(&batches[40..], instruments)));
    assert!(fs::metadata(running.log.path()).unwrap().len() <= region(1).end as u64);
}

#[test]
fn while_the_journal_is_far_behind_only_the_number_is_kept_and_later_all_batches_again() {
    let mut running = Running::new();
    while !running.log.is_overfull {
        running.publish(100, |_| 0);
    }
    let overfull = running.publish(3, |_| 0);
    let last = overfull[2].number();

    let log = running.read();
    assert_eq!((log.published, log.records_behind(last - 1)), (last, None));

    let batches = running.publish(4, |_| last);
    let log = running.read();
    let instruments = running.feed.universe.size();
    assert_eq!(log.published, last + 4);
    assert_eq!(log.records_behind(last), Some(records(&batches, instruments)));
    assert_eq!(log.records_behind(last - 1), None);
}

#[test]
fn a_record_that_was_not_written_whole_was_not_published() {
    let mut running = Running::new();
    let batches = running.publish(10, |_| 0);
    let instruments = running.feed.universe.size();
    let end = HEADER + records(&batches, instruments).len();
    write_at(&running.log.file, &[1; 3], end as u64 - 3).unwrap();

    let log = running.read();

    assert_eq!((log.published, log.records_behind(0)), (9, Some(records(&batches[..9], instruments))));
}

#[test]
fn a_log_on_a_disk_proves_nothing() {
    let folder = TempFolder::new();
    if is_in_memory(folder.path()) {
        return;
    }
    let universe = Universe::default();
    let start = PublicationStart { journal: journal(), epoch: EPOCH, published: 5, universe: &universe };
    assert!(PublicationLog::create_in(folder.path(), 1, start).unwrap().is_none());
}

#[test]
fn a_file_that_is_no_log_proves_nothing() {
    for bytes in [&b""[..], b"TAPEMARK", b"TAPEMARX________________"] {
        let journal = journal();
        let path = Path::new(FOLDER).join(format!("{}{:032x}", name_prefix(journal), rand::random::<u128>()));
        fs::write(&path, bytes).unwrap();

        let reading = PublicationReading::of(&path, journal);
        PublicationLog::remove_others(journal, None);

        assert_eq!((reading, path.exists()), (None, bytes != b"TAPEMARK"), "{bytes:?}");
        let _ = fs::remove_file(path);
    }
}

#[test]
fn a_log_of_another_folder_or_at_another_place_is_neither_read_nor_removed() {
    let running = Running::new();
    let name = running.log.path().file_name().unwrap().to_str().unwrap();
    let elsewhere = TempFolder::new();
    let copy = elsewhere.file(name);
    fs::copy(running.log.path(), &copy).unwrap();
    let through = Path::new(FOLDER).join("../..").join(copy.strip_prefix("/").unwrap());

    for path in [&copy, &through] {
        assert!(path.exists());
        assert_eq!(PublicationReading::of(path, running.journal), None, "{}", path.display());
    }
    assert_eq!(PublicationReading::of(running.log.path(), journal()), None);
    PublicationLog::remove_others(journal(), None);
    PublicationLog::remove_others(running.journal, Some(running.log.path()));
    assert!(running.log.path().exists());
    PublicationLog::remove_others(running.journal, None);
    assert!(!running.log.path().exists());
}
