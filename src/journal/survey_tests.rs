use std::fs;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use test_support::TempFolder;

use super::super::disk::{Folder, FolderStore};
use super::super::export::{ExportFormat, ExportSettings, export};
use super::super::lock::FolderLock;
use super::super::retention::JournalRetention;
use super::super::test_disk::TestDisk;
use super::super::test_feed::TestFeed;
use super::super::writer::{JournalWriter, WriterSettings, WriterStart};
use super::*;
use crate::metrics::JournalMetrics;
use crate::model::{Channel, Symbol};
use crate::wire::{Codec, Decoded, TopicMessage, decode_objects, fixtures};

/// A journal of these batches of a simulated market, in segments of about 30 kB.
fn journal(recorded: impl Fn(&Batch) -> bool) -> (TempFolder, Vec<Arc<Batch>>) {
    let files = TempFolder::new();
    let epoch = Epoch::new(5);
    let mut feed = TestFeed::new(epoch);
    let (to_compress, _) = std::sync::mpsc::channel();
    let lock = FolderLock::take(files.path()).unwrap().expect("no other");
    let store = Box::new(FolderStore::new(Folder::new(files.path()), lock, to_compress));
    let retention = JournalRetention { days: NonZeroU32::MAX, bytes: u64::MAX };
    let settings = WriterSettings { epoch, retention, max_segment_bytes: 30_000 };
    let (last_values, universe) = (feed.last_values.clone(), Arc::clone(&feed.universe));
    let start = WriterStart { last_values, universe, ordinal: 1, at: crate::model::Timestamp::default() };
    let now = Instant::now();
    let (mut writer, begun) = JournalWriter::start(store, settings, start, JournalMetrics::default(), now);
    begun.unwrap();
    let batches = feed.batches(500);
    batches.iter().filter(|batch| recorded(batch)).for_each(|batch| writer.append(batch, now));
    writer.stop(feed.last_values.batch(), now).unwrap();
    (files, batches)
}

fn survey(files: &TempFolder) -> JournalSurvey {
    JournalSurvey::of(JournalReader::open(files.path()).unwrap()).unwrap()
}

#[test]
fn a_whole_journal_has_no_faults() {
    let (files, batches) = journal(|_| true);

    let JournalSurvey { segments, faults } = survey(&files);

    assert_eq!(faults, [""; 0]);
    assert!(segments.len() > 2);
    let objects: usize = batches.iter().map(|batch| batch.len()).sum();
    assert_eq!(segments.iter().map(|segment| segment.objects).sum::<u64>(), objects as u64);
    assert_eq!(segments.last().map(|last| (last.is_clean_stop, last.batches.unwrap().1)), Some((true, 500)));
}

#[test]
fn objects_that_are_missing_without_a_hole_are_a_fault() {
    let (files, _) = journal(|batch| batch.number() != 300);

    let faults = survey(&files).faults;

    // The number of the batch after it may jump, since that of a cluster does; those of its streams may not.
    assert!(faults.iter().all(|fault| fault.contains("has number")), "{faults:?}");
    assert!(!faults.is_empty(), "the streams of the batch are named");
}

#[test]
fn damage_is_a_fault_and_the_next_segment_is_read() {
    let (files, _) = journal(|_| true);
    let folder = Folder::new(files.path());
    let second = folder.segments().unwrap()[1];
    let path = folder.file(second.name, second.form);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&path, bytes).unwrap();

    let JournalSurvey { segments, faults } = survey(&files);

    assert_eq!(faults.len(), 1, "{faults:?}");
    let (position, _) = segments[1].damage.expect("the second segment is damaged");
    assert!(position <= middle as u64 && position > middle as u64 - 5_000);
    assert_eq!(segments.last().unwrap().batches.unwrap().1, 500);
}

fn exported(files: &TempFolder, settings: &ExportSettings) -> String {
    let mut out = Vec::new();
    let faults = export(JournalReader::open(files.path()).unwrap(), settings, &mut out).unwrap();
    assert_eq!(faults, [""; 0]);
    String::from_utf8(out).unwrap()
}

#[test]
fn an_export_has_every_object_as_clients_get_it() {
    let (files, batches) = journal(|_| true);
    let all = ExportSettings { format: ExportFormat::Ndjson, channels: vec![], symbols: vec![] };

    let text = exported(&files, &all);

    let mut lines = text.lines();
    for object in batches.iter().flat_map(|batch| batch.objects()) {
        let line = format!("[{}]", lines.next().expect("a line for each object"));
        let [Decoded::Object(decoded)] = &decode_objects(Codec::Json, line.as_bytes()).unwrap()[..] else {
            panic!("{line}");
        };
        assert_eq!((decoded.seq, decoded.channel()), (Some(object.seq), object.stream().channel()));
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn an_export_can_be_of_some_channels_and_symbols() {
    let (files, batches) = journal(|_| true);
    let instrument = batches[0].universe().iter().next().unwrap();
    let (symbol, id): (Symbol, _) = (instrument.symbol, instrument.id);
    let wanted = |channel| {
        let objects = batches.iter().flat_map(|batch| batch.objects());
        objects.filter(|object| object.stream() == StreamId::new(channel, id)).count()
    };
    let settings = |format| ExportSettings { format, channels: vec![Channel::Quotes], symbols: vec![symbol] };

    let quotes = exported(&files, &settings(ExportFormat::Ndjson));
    let trades = exported(&files, &settings(ExportFormat::Csv(Channel::Trades)));

    assert_eq!(quotes.lines().count(), wanted(Channel::Quotes));
    assert_eq!(trades.lines().count(), wanted(Channel::Trades) + 1);
    assert!(trades.starts_with("symbol,i,x,p,s,c,z,t,sq\n"), "{trades}");
}

/// A journal of which only batches behind a hole are left: no segment before, or one of another epoch.
#[test]
fn a_journal_that_begins_with_a_hole_has_no_faults() {
    for epoch_before in [None, Some(Epoch::new(4))] {
        let files = TempFolder::new();
        let epoch = Epoch::new(5);
        let mut feed = TestFeed::new(epoch);
        let (last_values, universe) = (feed.last_values.clone(), Arc::clone(&feed.universe));
        let missed = feed.batches(30);
        let retention = JournalRetention { days: NonZeroU32::MAX, bytes: u64::MAX };
        let settings = WriterSettings { epoch, retention, max_segment_bytes: u64::MAX };
        let disk = TestDisk::default();
        disk.set(|disk| disk.room = Some(100));
        let start = WriterStart { last_values, universe, ordinal: 2, at: Timestamp::default() };
        let now = Instant::now();
        let store = Box::new(disk.clone());
        let (mut writer, begun) =
            JournalWriter::start(store, settings, start, JournalMetrics::default(), now);
        begun.unwrap_err();
        missed.iter().for_each(|batch| writer.append(batch, now));
        disk.set(|disk| disk.room = None);
        writer.tend(now + std::time::Duration::from_secs(60));
        feed.batches(10).iter().for_each(|batch| writer.append(batch, now));
        writer.stop(40, now).unwrap();
        let written = disk.files();
        for entry in fs::read_dir(written.path()).unwrap().flatten() {
            fs::copy(entry.path(), files.path().join(entry.file_name())).unwrap();
        }
        if let Some(epoch) = epoch_before {
            let (last_values, universe) = (crate::feed::LastValues::default(), Arc::clone(&feed.universe));
            let disk = TestDisk::default();
            let start = WriterStart { last_values, universe, ordinal: 1, at: Timestamp::default() };
            let settings = WriterSettings { epoch, ..settings };
            let store = Box::new(disk.clone());
            let (writer, _) = JournalWriter::start(store, settings, start, JournalMetrics::default(), now);
            writer.stop(0, now).unwrap();
            for entry in fs::read_dir(disk.files().path()).unwrap().flatten() {
                fs::copy(entry.path(), files.path().join(entry.file_name())).unwrap();
            }
        }

        let JournalSurvey { segments, faults } = survey(&files);

        assert_eq!(faults, [""; 0]);
        assert_eq!(segments.iter().map(|segment| segment.missing).sum::<u64>(), 30);
    }
}

#[test]
fn a_folder_without_a_segment_is_no_journal_and_is_named() {
    let files = TempFolder::new();
    for folder in [files.path().to_owned(), files.file("missing")] {
        let error = JournalReader::open(&folder).unwrap_err();

        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains(folder.to_str().unwrap()), "{error}");
    }
}

#[test]
fn a_topic_goes_on_behind_a_hole_that_has_its_last_message() {
    let universe = Arc::new(fixtures::topics());
    let content = || Arc::new(TopicMessage::new(&serde_json::json!("hi"), None));
    let batch = |number, seq| {
        let batch = Batch::new(Arc::clone(&universe), Timestamp::default(), Vec::new(), Vec::new());
        Arc::new(batch.with_messages(vec![fixtures::chat_message(seq)], vec![content()]).numbered(number))
    };
    let hole = || Hole {
        from: 3,
        to: 5,
        watermark: Timestamp::default(),
        universe: Arc::clone(&universe),
        last_objects: Vec::new(),
        last_messages: vec![(fixtures::chat_message(7), content())],
        begun: None,
    };
    let name = SegmentName { ordinal: 1, day: 0 };
    let faults = |seq: u64| {
        let (mut survey, mut numbers) = (JournalSurvey::default(), Numbers::default());
        let items = [
            JournalItem::Segment { name, epoch: Epoch::new(5), standing: batch(1, 1) },
            JournalItem::Batch(batch(2, 2)),
            JournalItem::Hole(hole()),
            JournalItem::Batch(batch(6, seq)),
        ];
        items.into_iter().for_each(|item| survey.take(item, &mut numbers));
        survey.faults
    };

    assert_eq!(faults(8), [""; 0]);
    assert_eq!(faults(9).len(), 1, "a message is missing");
}
