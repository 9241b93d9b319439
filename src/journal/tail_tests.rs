use std::fs;
use std::num::NonZeroU32;
use std::time::Instant;

use test_support::TempFolder;

use super::super::disk::FolderStore;
use super::super::lock::FolderLock;
use super::super::reader::{JournalItem, JournalReader};
use super::super::retention::JournalRetention;
use super::super::test_feed::{TestFeed, assert_equal, assert_same_values};
use super::super::writer::{JournalWriter, WriterSettings, WriterStart};
use super::*;
use crate::feed::Batch;
use crate::metrics::JournalMetrics;

const EPOCH: Epoch = Epoch::new(4_711);

/// Records these batches in segments of about 30 kB, without an end.
fn record(files: &TempFolder, ordinal: u64, feed_start: (LastValues, Arc<Universe>), batches: &[Arc<Batch>]) {
    let (to_compress, _) = std::sync::mpsc::channel();
    let lock = FolderLock::take(files.path()).unwrap().expect("no other");
    let store = Box::new(FolderStore::new(Folder::new(files.path()), lock, to_compress));
    let retention = JournalRetention { days: NonZeroU32::MAX, bytes: u64::MAX };
    let settings = WriterSettings { epoch: EPOCH, retention, max_segment_bytes: 30_000 };
    let (last_values, universe) = feed_start;
    let start = WriterStart { last_values, universe, ordinal, at: crate::model::Timestamp::default() };
    let now = Instant::now();
    let (mut writer, begun) = JournalWriter::start(store, settings, start, JournalMetrics::default(), now);
    begun.unwrap();
    for batch in batches {
        writer.append(batch, now);
        writer.flush(now);
    }
}

fn batches_of(files: &TempFolder) -> Vec<Arc<Batch>> {
    let mut reader = JournalReader::open(files.path()).unwrap();
    let mut batches = Vec::new();
    while let Some(item) = reader.next_item().unwrap() {
        match item {
            JournalItem::Batch(batch) => batches.push(batch),
            damaged @ JournalItem::Damaged { .. } => panic!("{damaged:?}"),
            _ => {}
        }
    }
    batches
}

fn copy(from: &TempFolder, to: &TempFolder) {
    for entry in fs::read_dir(from.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
}

/// A sequence of numbers that look random, the same in each run.
struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// What a crash does to the end of a file.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// The end is missing.
    Short,
    /// The file has its length, and the end is zeros that were never written.
    Zeros,
    /// The end has other bytes.
    Garbage,
}

#[test]
fn after_any_of_500_cuts_the_journal_starts_with_an_equal_prefix_and_tells_the_torn_bytes() {
    let whole = TempFolder::new();
    let mut feed = TestFeed::new(EPOCH);
    let start = (feed.last_values.clone(), Arc::clone(&feed.universe));
    let batches = feed.batches(1_200);
    record(&whole, 1, start, &batches);
    let folder = Folder::new(whole.path());
    let last = *folder.segments().unwrap().last().unwrap();
    let bytes = fs::read(folder.file(last.name, last.form)).unwrap();
    let mut random = Xorshift(0x9E37_79B9_7F4A_7C15);
    let (mut torn_files, mut begun_anew) = (0, 0);

    for number in 0..500 {
        let files = TempFolder::new();
        copy(&whole, &files);
        let folder = Folder::new(files.path());
        let path = folder.file(last.name, last.form);
        let at = random.below(bytes.len() as u64) as usize;
        let cut = [Cut::Short, Cut::Zeros, Cut::Garbage][number % 3];
        let mut damaged = bytes.clone();
        match cut {
            Cut::Short => damaged.truncate(at),
            Cut::Zeros => damaged[at..].fill(0),
            Cut::Garbage => damaged[at..].iter_mut().for_each(|byte| *byte = !*byte),
        }
        fs::write(&path, &damaged).unwrap();

        let (tail, torn) = read_tail(&folder).unwrap();

        let tail = tail.expect("an earlier segment is whole");
        let prefix = batches_of(&files);
        assert_equal(&prefix, &batches[..prefix.len()]);
        assert_eq!(tail.last_values.batch(), prefix.len() as u64, "{cut:?} at {at}");
        assert!(!tail.is_clean_stop && tail.epoch == EPOCH);
        let left = fs::metadata(&path).map_or(0, |file| file.len());
        assert!(left <= at as u64, "{cut:?} at {at}: nothing that was damaged is taken for whole");
        match &torn[..] {
            [] => assert_eq!(left, damaged.len() as u64, "the cut is between two records"),
            [torn] => {
                torn_files += 1;
                assert_eq!(torn.bytes, damaged.len() as u64 - left);
                assert_eq!(fs::read(&torn.kept_in).unwrap(), damaged[left as usize..]);
            }
            more => panic!("{more:?}"),
        }
        begun_anew += usize::from(left == 0);

        // It goes on from there.
        if number % 10 == 0 {
            let mut next = TestFeed::new(EPOCH);
            next.last_values = tail.last_values;
            let start = (next.last_values.clone(), tail.universe);
            let added = next.batches(20);
            record(&files, last.name.ordinal + 1, start, &added);
            assert_equal(&batches_of(&files), &[&prefix[..], &added[..]].concat());
            let (tail, torn) = read_tail(&folder).unwrap();
            assert_same_values(&tail.unwrap().last_values, &next.last_values);
            assert_eq!(torn, []);
        }
    }
    assert!(torn_files > 450 && begun_anew > 5, "{torn_files} torn, {begun_anew} without a whole snapshot");
}

#[test]
fn torn_bytes_of_an_earlier_crash_are_kept_too() {
    let files = TempFolder::new();
    let mut feed = TestFeed::new(EPOCH);
    let start = (feed.last_values.clone(), Arc::clone(&feed.universe));
    record(&files, 1, start, &feed.batches(10));
    let folder = Folder::new(files.path());
    let last = *folder.segments().unwrap().last().unwrap();
    let path = folder.file(last.name, last.form);

    let mut kept = Vec::new();
    for torn in [b"one".as_slice(), b"other"] {
        fs::write(&path, [&fs::read(&path).unwrap(), torn].concat()).unwrap();
        kept.extend(read_tail(&folder).unwrap().1.into_iter().map(|torn| torn.kept_in));
    }

    let kept: Vec<_> = kept.iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!(kept, [b"one".to_vec(), b"other".to_vec()]);
    assert_eq!(batches_of(&files).len(), 10);
}

#[test]
fn a_journal_of_another_version_is_refused_and_not_touched() {
    let files = TempFolder::new();
    let folder = Folder::new(files.path());
    let name = super::super::segment::SegmentName { ordinal: 1, day: 20_000 };
    let header = super::super::segment::SegmentHeader { epoch: EPOCH, first_batch: 1 };
    let mut bytes = header.to_bytes();
    bytes.truncate(bytes.len() - 4);
    bytes[8] += 1;
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes.extend_from_slice(b"what only that version knows");
    fs::write(folder.file(name, SegmentForm::Plain), &bytes).unwrap();

    let refused = read_tail(&folder).map(drop).expect_err("it cannot be read");

    assert_eq!(refused.kind(), ErrorKind::InvalidData);
    assert_eq!(fs::read(folder.file(name, SegmentForm::Plain)).unwrap(), bytes);
    assert_eq!(fs::read_dir(files.path()).unwrap().count(), 1);
}

#[test]
fn an_empty_folder_has_no_tail() {
    let files = TempFolder::new();

    let (tail, torn) = read_tail(&Folder::new(files.path())).unwrap();

    assert!(tail.is_none() && torn.is_empty());
}

#[test]
fn the_numbers_go_on_only_if_all_that_was_published_is_recorded() {
    let tail = |is_clean_stop| {
        let mut last_values = LastValues::default();
        last_values.set_batch(100);
        Tail {
            epoch: EPOCH,
            last_values,
            universe: Arc::default(),
            is_clean_stop,
            open_segment: None,
            unreadable: None,
        }
    };
    let log = |epoch, published| PublicationReading::without_records(Epoch::new(epoch), published);

    let running = JournalState::Running { log: None };
    for is_clean_stop in [true, false] {
        let continues =
            |log: Option<PublicationReading>| tail(is_clean_stop).continues(Some(&running), log.as_ref());
        assert_eq!(continues(Some(log(4_711, 100))), Ok(()));
        assert_eq!(continues(Some(log(4_711, 101))), Err(NewEpochReason::LostBatches));
        assert_eq!(continues(Some(log(4_712, 100))), Err(NewEpochReason::NoLog));
        assert_eq!(continues(None), Err(NewEpochReason::NoLog));
        let no_state = tail(is_clean_stop).continues(None, Some(&log(4_711, 100)));
        assert_eq!(no_state, Err(NewEpochReason::NoState));
    }
}

#[test]
fn after_a_clean_stop_the_numbers_go_on_only_from_the_end_that_the_state_names() {
    let tail = |is_clean_stop, unreadable| {
        let mut last_values = LastValues::default();
        last_values.set_batch(100);
        let universe = Arc::default();
        Tail { epoch: EPOCH, last_values, universe, is_clean_stop, open_segment: None, unreadable }
    };
    let stopped = |epoch, batch| JournalState::Stopped { epoch: Epoch::new(epoch), batch };
    let other = |epoch, batch| Err(NewEpochReason::OtherEnd { epoch: Epoch::new(epoch), batch });

    assert_eq!(tail(true, None).continues(Some(&stopped(4_711, 100)), None), Ok(()));
    assert_eq!(tail(false, None).continues(Some(&stopped(4_711, 100)), None), other(4_711, 100));
    for (epoch, batch) in [(4_711, 101), (4_711, 99), (4_712, 100)] {
        assert_eq!(tail(true, None).continues(Some(&stopped(epoch, batch)), None), other(epoch, batch));
    }
    let name = SegmentName { ordinal: 9, day: 20_000 };
    let unreadable = tail(true, Some(name)).continues(Some(&stopped(4_711, 100)), None);
    assert_eq!(unreadable, Err(NewEpochReason::UnreadableSegment(name)));
}
