use std::collections::BTreeMap;
use std::num::NonZeroU32;

use test_support::TempFolder;

use super::super::disk::{Folder, FolderStore};
use super::super::lock::FolderLock;
use super::super::reader::{JournalItem, JournalReader};
use super::super::test_disk::{DiskState, TestDisk};
use super::super::test_feed::{TestFeed, assert_equal, assert_same_values};
use super::*;
use crate::model::Timestamp;

const EPOCH: Epoch = Epoch::new(4_711);

fn settings(max_segment_bytes: u64) -> WriterSettings {
    let retention = JournalRetention { days: NonZeroU32::MAX, bytes: u64::MAX };
    WriterSettings { epoch: EPOCH, retention, max_segment_bytes }
}

fn start_of(feed: &TestFeed, ordinal: u64) -> WriterStart {
    let (last_values, universe) = (feed.last_values.clone(), Arc::clone(&feed.universe));
    WriterStart { last_values, universe, ordinal, at: feed.now() }
}

/// A writer to a folder, and the segments that it wants compressed.
fn writer_to(
    files: &TempFolder,
    settings: WriterSettings,
    start: WriterStart,
) -> (JournalWriter, std::sync::mpsc::Receiver<SegmentName>) {
    let (to_compress, compressed) = std::sync::mpsc::channel();
    let lock = FolderLock::take(files.path()).unwrap().expect("no other");
    let store = Box::new(FolderStore::new(Folder::new(files.path()), lock, to_compress));
    let (writer, begun) =
        JournalWriter::start(store, settings, start, JournalMetrics::default(), Instant::now());
    begun.unwrap();
    (writer, compressed)
}

/// All that a journal tells.
struct Contents {
    batches: Vec<Arc<Batch>>,
    segments: Vec<(SegmentName, Epoch)>,
    holes: Vec<(u64, u64)>,
    ends_cleanly: bool,
    last_values: LastValues,
}

fn read(files: &TempFolder) -> Contents {
    let mut reader = JournalReader::open(files.path()).unwrap();
    let mut contents = Contents {
        batches: Vec::new(),
        segments: Vec::new(),
        holes: Vec::new(),
        ends_cleanly: false,
        last_values: LastValues::default(),
    };
    while let Some(item) = reader.next_item().unwrap() {
        contents.ends_cleanly = matches!(item, JournalItem::CleanStop);
        match item {
            JournalItem::Segment { name, epoch, standing } => {
                contents.segments.push((name, epoch));
                contents.last_values = LastValues::default();
                enter(&mut contents.last_values, &standing);
            }
            JournalItem::Batch(batch) => {
                enter(&mut contents.last_values, &batch);
                contents.batches.push(batch);
            }
            JournalItem::Hole(hole) => {
                enter_hole(&mut contents.last_values, &hole);
                contents.holes.push((hole.from, hole.to));
            }
            JournalItem::Jump { .. } | JournalItem::CleanStop => {}
            damaged @ JournalItem::Damaged { .. } => panic!("{damaged:?}"),
        }
    }
    contents
}

#[test]
fn what_is_recorded_is_read_back_equal_across_segments_plain_and_compressed() {
    let files = TempFolder::new();
    let mut feed = TestFeed::new(EPOCH);
    let (mut writer, to_compress) = writer_to(&files, settings(20_000), start_of(&feed, 1));
    let batches = feed.batches(2_000);

    batches.iter().for_each(|batch| writer.append(batch, Instant::now()));
    let stopped = writer.stop(feed.last_values.batch(), Instant::now()).unwrap();

    let plain = read(&files);
    for name in &to_compress {
        super::super::compression::compress(&Folder::new(files.path()), name).unwrap();
    }
    let compressed = read(&files);
    let forms = Folder::new(files.path()).segments().unwrap();
    assert!(
        forms
            .iter()
            .rev()
            .skip(1)
            .all(|segment| segment.form == super::super::segment::SegmentForm::Compressed)
    );
    for contents in [plain, compressed] {
        assert_equal(&contents.batches, &batches);
        assert_same_values(&contents.last_values, &feed.last_values);
        assert!(contents.segments.len() > 3, "{:?}", contents.segments);
        assert!(contents.segments.iter().all(|(_, epoch)| *epoch == EPOCH));
        assert!(contents.holes.is_empty() && contents.ends_cleanly);
    }
    assert_eq!(stopped, StopKind::Clean);
}

#[test]
fn an_object_takes_at_most_sixty_bytes() {
    let files = TempFolder::new();
    let mut feed = TestFeed::new(EPOCH);
    let (mut writer, _) = writer_to(&files, settings(u64::MAX), start_of(&feed, 1));
    let batches = feed.batches(3_000);

    batches.iter().for_each(|batch| writer.append(batch, Instant::now()));
    writer.flush(Instant::now());

    let objects: usize = batches.iter().map(|batch| batch.len()).sum();
    let bytes = writer.metrics.bytes.get() as usize / objects;
    assert!(bytes <= 60, "{bytes} bytes for each of {objects} objects");
}

#[test]
fn a_day_begins_a_segment() {
    let files = TempFolder::new();
    let midnight = 20_000 * 86_400_000_000_000;
    let mut feed = TestFeed::starting_at(EPOCH, Timestamp::from_nanos(midnight - 100_000_000));
    let (mut writer, _to_compress) = writer_to(&files, settings(u64::MAX), start_of(&feed, 7));
    let batches = feed.batches(300);

    batches.iter().for_each(|batch| writer.append(batch, Instant::now()));
    writer.flush(Instant::now());

    let days: Vec<_> = read(&files).segments.iter().map(|(name, _)| (name.ordinal, name.day)).collect();
    assert_eq!(days, [(7, 19_999), (8, 20_000)]);
    assert_equal(&read(&files).batches, &batches);
}

#[test]
fn a_hole_of_the_queue_leaves_all_numbers_known() {
    let files = TempFolder::new();
    let mut feed = TestFeed::new(EPOCH);
    let (mut writer, _to_compress) = writer_to(&files, settings(10_000), start_of(&feed, 1));
    let batches = feed.batches(300);
    let last_objects = BTreeMap::from_iter(
        batches[100..200].iter().flat_map(|batch| batch.objects()).map(|object| (object.stream(), *object)),
    );
    let hole = Hole {
        from: batches[100].number(),
        to: batches[199].number(),
        watermark: batches[199].watermark(),
        universe: Arc::clone(&feed.universe),
        last_objects: last_objects.into_values().collect(),
        begun: None,
        last_messages: Vec::new(),
    };

    batches[..100].iter().for_each(|batch| writer.append(batch, Instant::now()));
    writer.append_hole(&hole, Instant::now());
    batches[200..].iter().for_each(|batch| writer.append(batch, Instant::now()));
    writer.stop(feed.last_values.batch(), Instant::now()).unwrap();

    let contents = read(&files);
    assert_eq!(contents.holes, [(101, 200)]);
    assert_equal(&contents.batches, &[&batches[..100], &batches[200..]].concat());
    assert_same_values(&contents.last_values, &feed.last_values);
}

/// A disk that breaks and recovers: the stream of appended batches goes on, and what is missing is told.
fn assert_survives(break_disk: impl FnOnce(&mut DiskState), repair: impl FnOnce(&mut DiskState)) {
    let disk = TestDisk::default();
    let metrics = JournalMetrics::default();
    let mut feed = TestFeed::new(EPOCH);
    let now = Instant::now();
    let (mut writer, begun) = JournalWriter::start(
        Box::new(disk.clone()),
        settings(u64::MAX),
        start_of(&feed, 1),
        metrics.clone(),
        now,
    );
    begun.unwrap();
    let batches = feed.batches(300);
    let append = |writer: &mut JournalWriter, batches: &[Arc<Batch>], now| {
        batches.iter().for_each(|batch| writer.append(batch, now));
        writer.flush(now);
        writer.tend(now);
    };
    append(&mut writer, &batches[..100], now);
    disk.set(break_disk);

    append(&mut writer, &batches[100..150], now + SYNC_INTERVAL);
    assert_eq!((metrics.up.get(), metrics.errors.get() > 0), (0, true));
    append(&mut writer, &batches[150..200], now + SYNC_INTERVAL + RETRY_AFTER);
    disk.set(repair);
    append(&mut writer, &[], now + SYNC_INTERVAL + 2 * RETRY_AFTER);
    assert_eq!(metrics.up.get(), 1);
    append(&mut writer, &batches[200..], now + SYNC_INTERVAL + 3 * RETRY_AFTER);
    let stopped = writer.stop(feed.last_values.batch(), now).unwrap();

    let contents = read(&disk.files());
    let [(from, to)] = contents.holes[..] else { panic!("one hole: {:?}", contents.holes) };
    assert_eq!(to, 200);
    let recorded = batches.iter().filter(|batch| !(from..=to).contains(&batch.number()));
    assert_equal(&contents.batches, &recorded.cloned().collect::<Vec<_>>());
    assert_same_values(&contents.last_values, &feed.last_values);
    assert_eq!(metrics.missed_batches.get(), to - from + 1);
    assert_eq!(metrics.batches.get(), contents.batches.len() as u64);
    assert_eq!(stopped, StopKind::Clean, "all numbers are known again");
}

#[test]
fn a_full_disk_turns_the_journal_off_until_there_is_room() {
    assert_survives(|disk| disk.room = Some(100), |disk| disk.room = None);
}

#[test]
fn a_disk_that_cannot_sync_turns_the_journal_off_until_it_can() {
    assert_survives(|disk| disk.fails_sync = true, |disk| disk.fails_sync = false);
}

#[test]
fn a_journal_that_cannot_begin_begins_later() {
    let disk = TestDisk::default();
    disk.set(|disk| disk.room = Some(10));
    let mut feed = TestFeed::new(EPOCH);
    let now = Instant::now();
    let start = start_of(&feed, 1);
    let (mut writer, begun) = JournalWriter::start(
        Box::new(disk.clone()),
        settings(u64::MAX),
        start,
        JournalMetrics::default(),
        now,
    );
    assert!(begun.is_err());
    writer.begin_epoch(Epoch::new(9));
    let batches = feed.batches(20);

    batches[..10].iter().for_each(|batch| writer.append(batch, now));
    disk.set(|disk| disk.room = None);
    writer.tend(now + RETRY_AFTER);
    batches[10..].iter().for_each(|batch| writer.append(batch, now));
    writer.stop(20, now).unwrap();

    let contents = read(&disk.files());
    assert_eq!(contents.holes, [(1, 10)]);
    assert_eq!(contents.segments.iter().map(|(_, epoch)| *epoch).collect::<Vec<_>>(), [Epoch::new(9)]);
    assert_equal(&contents.batches, &batches[10..]);
}

#[test]
fn a_stop_is_clean_only_if_all_that_was_announced_is_recorded() {
    for (announced, is_clean) in [(10, true), (11, false)] {
        let files = TempFolder::new();
        let mut feed = TestFeed::new(EPOCH);
        let (mut writer, _to_compress) = writer_to(&files, settings(u64::MAX), start_of(&feed, 1));
        feed.batches(10).iter().for_each(|batch| writer.append(batch, Instant::now()));

        let stopped = writer.stop(announced, Instant::now()).unwrap();

        assert_eq!(stopped == StopKind::Clean, is_clean);
        assert_eq!(read(&files).ends_cleanly, is_clean);
    }
}

#[test]
fn what_was_written_is_on_the_disk_a_second_later() {
    let disk = TestDisk::default();
    let mut feed = TestFeed::new(EPOCH);
    let now = Instant::now();
    let start = start_of(&feed, 1);
    let (mut writer, _) =
        JournalWriter::start(Box::new(disk), settings(u64::MAX), start, JournalMetrics::default(), now);
    assert_eq!(writer.due(), None, "nothing was written");

    writer.append(&feed.batches(1)[0], now);
    writer.flush(now);

    assert_eq!(writer.due(), Some(now + SYNC_INTERVAL));
    writer.tend(now + SYNC_INTERVAL);
    assert_eq!(writer.due(), None);
}

#[test]
fn the_oldest_segments_are_deleted_beyond_the_retention() {
    let disk = TestDisk::default();
    let retention = JournalRetention { days: NonZeroU32::MAX, bytes: 100_000 };
    let mut feed = TestFeed::new(EPOCH);
    let now = Instant::now();
    let settings = WriterSettings { retention, ..settings(20_000) };
    let start = start_of(&feed, 1);
    let (mut writer, _) =
        JournalWriter::start(Box::new(disk.clone()), settings, start, JournalMetrics::default(), now);

    let batches = feed.batches(3_000);
    batches.iter().for_each(|batch| writer.append(batch, now));
    writer.stop(feed.last_values.batch(), now).unwrap();

    let contents = read(&disk.files());
    let bytes: usize = disk.0.lock().unwrap().segments.values().map(Vec::len).sum();
    assert!((80_000..140_000).contains(&bytes), "{bytes}");
    assert_equal(&contents.batches, &batches[batches.len() - contents.batches.len()..]);
    assert_same_values(&contents.last_values, &feed.last_values);
}
