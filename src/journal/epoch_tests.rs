//! Epochs that begin, numbers that are missed and numbers of batches that jump while a journal is written, as those of an
//! upstream or a cluster.

use std::fs;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use test_support::TempFolder;

use super::disk::Folder;
use super::hole::Hole;
use super::reader::JournalReader;
use super::retention::JournalRetention;
use super::survey::JournalSurvey;
use super::tail::read_tail;
use super::test_disk::TestDisk;
use super::writer::{JournalWriter, WriterSettings, WriterStart};
use super::{JournalFeed, JournalFeedMetrics, JournalItem};
use crate::archive::Retention;
use crate::clock::Clock;
use crate::feed::{Batch, BatchSource, LastValues};
use crate::metrics::{ClockMetrics, JournalMetrics};
use crate::model::{
    BegunEpoch, Body, Channel, Epoch, EpochNumbers, Missed, Object, Seq, StreamId, Timestamp, Trade, Universe,
};
use crate::source::{ReplayClock, ReplaySettings};
use crate::wire::fixtures;

const FIRST: Epoch = Epoch::new(1);
const ADOPTED: Epoch = Epoch::new(2);
const LATER: Epoch = Epoch::new(3);

fn first_trade() -> Trade {
    let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
    trade
}

fn universe() -> Arc<Universe> {
    Arc::new(fixtures::universe())
}

/// A batch of trades with these numbers.
fn batch(number: u64, seqs: &[u64]) -> Batch {
    let trade = |seq: &u64| Object { seq: Seq(*seq), body: Body::Trade(first_trade()) };
    let trades = seqs.iter().map(trade).collect();
    Batch::new(universe(), first_trade().at, trades, Vec::new()).numbered(number)
}

/// What a relay publishes whose upstream leaves numbers out, and then restarts, and what a node of a cluster publishes when
/// the leader changes.
fn batches() -> Vec<Arc<Batch>> {
    let restarting =
        |batch: Batch, epoch| batch.beginning(Some(epoch)).with_epoch_numbers(EpochNumbers::Restart);
    let stream = StreamId::new(Channel::Trades, first_trade().symbol);
    let missed = vec![Missed { stream, from: Seq(843), to: Seq(850) }];
    let batches = [
        restarting(batch(1, &[]), ADOPTED),
        batch(2, &[841, 842]),
        batch(3, &[]).with_missed(missed),
        batch(4, &[851]),
        restarting(batch(5, &[3]), LATER),
        batch(6, &[4]),
        batch(1_000, &[5]),
    ];
    batches.into_iter().map(Arc::new).collect()
}

fn writer(disk: &TestDisk) -> JournalWriter {
    let retention = JournalRetention { days: NonZeroU32::MAX, bytes: u64::MAX };
    let settings = WriterSettings { epoch: FIRST, retention, max_segment_bytes: 1 << 20 };
    let at = first_trade().at;
    let start = WriterStart { last_values: LastValues::default(), universe: universe(), ordinal: 1, at };
    let (store, now) = (Box::new(disk.clone()), Instant::now());
    let (writer, begun) = JournalWriter::start(store, settings, start, JournalMetrics::default(), now);
    begun.unwrap();
    writer
}

/// The journal of these batches.
fn journal(batches: &[Arc<Batch>]) -> TempFolder {
    let disk = TestDisk::default();
    let mut writer = writer(&disk);
    batches.iter().for_each(|batch| writer.append(batch, Instant::now()));
    writer.flush(Instant::now());
    disk.files()
}

/// Everything that marks a batch.
type Marks = (u64, Option<BegunEpoch>, Vec<Missed>, Vec<u64>);

fn marks(batch: &Batch) -> Marks {
    let seqs = batch.objects().map(|object| object.seq.0).collect();
    (batch.number(), batch.beginning_epoch(), batch.missed().to_vec(), seqs)
}

fn recorded(files: &TempFolder) -> Vec<Marks> {
    let items = JournalReader::open(files.path()).unwrap();
    let batch = |item| match item {
        Ok(JournalItem::Batch(batch)) => Some(marks(&batch)),
        _ => None,
    };
    items.filter_map(batch).collect()
}

fn published() -> Vec<Marks> {
    batches().iter().map(|batch| marks(batch)).collect()
}

fn survey(files: &TempFolder) -> JournalSurvey {
    JournalSurvey::of(JournalReader::open(files.path()).unwrap()).unwrap()
}

#[test]
fn epochs_that_begin_and_what_is_missed_are_recorded_and_no_fault() {
    let files = journal(&batches());

    let (tail, _) = read_tail(&Folder::new(files.path())).unwrap();

    assert_eq!(recorded(&files), published());
    let JournalSurvey { segments, faults } = survey(&files);
    assert_eq!((faults, &segments[0].epochs), (vec![], &vec![FIRST, ADOPTED, LATER]));
    let tail = tail.unwrap();
    assert_eq!((tail.epoch, tail.last_values.epoch()), (LATER, Some(LATER)));
    assert_eq!(tail.last_values.iter().map(|object| object.seq.0).collect::<Vec<_>>(), [5]);
}

#[test]
fn a_number_that_is_left_out_and_not_told_as_missed_is_a_fault() {
    let mut batches = batches();
    batches[2] = Arc::new(batch(3, &[]));

    let faults = survey(&journal(&batches)).faults;

    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("has number 851 after 842"), "{faults:?}");
}

#[test]
fn an_epoch_that_begins_in_a_hole_is_that_of_the_segment_after_it() {
    let (disk, now) = (TestDisk::default(), Instant::now());
    let mut writer = writer(&disk);
    let batches = batches();
    batches[..4].iter().for_each(|batch| writer.append(batch, now));
    let hole = Hole {
        from: 5,
        to: 5,
        watermark: batches[4].watermark(),
        universe: universe(),
        last_objects: batches[4].objects().copied().collect(),
        begun: batches[4].beginning_epoch(),
        last_messages: Vec::new(),
    };
    writer.append_hole(&hole, now);
    writer.append(&batches[5], now);
    writer.stop(6, now).unwrap();

    let files = disk.files();
    let JournalSurvey { segments, faults } = survey(&files);

    assert_eq!(faults, [""; 0]);
    let found: Vec<_> = segments.iter().map(|segment| (segment.epochs.clone(), segment.missing)).collect();
    assert_eq!(found, [(vec![FIRST, ADOPTED], 0), (vec![LATER], 1)]);
    let (tail, _) = read_tail(&Folder::new(files.path())).unwrap();
    assert_eq!(tail.map(|tail| (tail.epoch, tail.last_values.batch())), Some((LATER, 6)));
}

/// Whichever batch the journal ends with when the process is killed.
#[test]
#[cfg(target_os = "linux")]
fn the_publication_log_completes_a_journal_across_epochs() {
    use super::disk::FileId;
    use super::publication_log::{PublicationLog, PublicationReading, PublicationStart};
    use super::tail::append_published;

    for written in 0..=7 {
        let id = FileId { device: 0xffe, inode: rand::random() };
        let start = PublicationStart { journal: id, epoch: FIRST, published: 0, universe: &universe() };
        let mut log = PublicationLog::create(rand::random(), start).expect("Linux has files in memory");
        let all = batches();
        all.iter().for_each(|batch| log.announce(batch, 0).unwrap());
        let reading = PublicationReading::of(log.path(), id).unwrap();
        log.remove();
        let files = journal(&all[..written]);
        let folder = Folder::new(files.path());
        let tail = read_tail(&folder).unwrap().0.unwrap();

        let appended = append_published(&folder, &tail, &reading).unwrap();

        assert_eq!((appended > 0, reading.epoch), (written < 7, LATER), "{written}");
        assert_eq!(recorded(&files), published());
        let end = read_tail(&folder).unwrap().0.unwrap();
        let state = super::state::JournalState::Running { log: None };
        assert_eq!((end.epoch, end.continues(Some(&state), Some(&reading))), (LATER, Ok(())));
    }
}

fn replay(files: &TempFolder, clock: ReplayClock) -> (JournalFeed, LastValues) {
    let settings = ReplaySettings { clock, ..ReplaySettings::reproducible(vec![files.path().to_owned()]) };
    let system = Clock::system(ClockMetrics::default());
    let new_epochs = Box::new(|| panic!("a journal without a hole needs no other epoch"));
    let metrics = JournalFeedMetrics::default();
    let feed = JournalFeed::open(&settings, Retention::default(), &system, metrics, new_epochs);
    let (mut feed, mut last_values) = (feed.unwrap().unwrap(), LastValues::default());
    assert!(feed.open(&mut last_values).is_none());
    (feed, last_values)
}

#[test]
fn a_replay_has_the_epochs_and_the_numbers_of_the_journal() {
    let files = journal(&batches());
    for clock in [ReplayClock::Original, ReplayClock::Shift] {
        let (mut feed, mut last_values) = replay(&files, clock);

        let replayed: Vec<_> =
            (0..7).map(|_| marks(&feed.poll(&mut last_values).expect("a batch"))).collect();

        assert_eq!(replayed, published(), "{clock:?}");
        assert_eq!((feed.epoch(), last_values.epoch()), (LATER, Some(LATER)));
        let trades = StreamId::new(Channel::Trades, first_trade().symbol);
        let retained = feed.archive().since(trades, Seq(0), Seq(900), 10);
        assert_eq!(
            retained.iter().map(|object| object.seq.0).collect::<Vec<_>>(),
            [3, 4, 5],
            "of this epoch"
        );
    }
}

/// The next start of a relay begins an epoch before its upstream has told that the earlier one goes on.
#[test]
fn an_epoch_without_a_batch_is_not_replayed() {
    let files = journal(&batches()[..2]);
    let more = {
        let disk = TestDisk::default();
        let retention = JournalRetention { days: NonZeroU32::MAX, bytes: u64::MAX };
        let settings = WriterSettings { epoch: LATER, retention, max_segment_bytes: 1 << 20 };
        let tail = read_tail(&Folder::new(files.path())).unwrap().0.unwrap();
        let (last_values, at) = (tail.last_values, Timestamp::default());
        let start = WriterStart { last_values, universe: tail.universe, ordinal: 2, at };
        let (metrics, now) = (JournalMetrics::default(), Instant::now());
        let (mut writer, begun) = JournalWriter::start(Box::new(disk.clone()), settings, start, metrics, now);
        begun.unwrap();
        writer.append(&batch(3, &[843]).beginning(Some(ADOPTED)), now);
        writer.flush(now);
        disk.files()
    };
    for entry in fs::read_dir(more.path()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, files.path().join(path.file_name().unwrap())).unwrap();
    }
    let (mut feed, mut last_values) = replay(&files, ReplayClock::Original);

    let replayed: Vec<_> = (0..3).map(|_| marks(&feed.poll(&mut last_values).expect("a batch"))).collect();

    assert_eq!(survey(&files).faults, [""; 0]);
    assert_eq!(replayed[2], (3, None, vec![], vec![843]));
}
