use std::num::NonZeroU32;

use test_support::{TempFolder, wait_until};

use super::super::test_feed::{TestFeed, assert_equal, assert_same_values};
use super::*;
use crate::archive::OpenBars;
use crate::archive::{Order, Query, Retention, Span};
use crate::feed::{BarSpans, Batch, Sequencer};
use crate::model::{SECOND, SymbolId};

fn settings(files: &TempFolder) -> JournalSettings {
    let retention = JournalRetention { days: NonZeroU32::MAX, bytes: u64::MAX };
    JournalSettings { folder: files.path().join("journal"), retention }
}

fn open(files: &TempFolder, universe: &Universe, new_epoch: u64) -> OpenedJournal {
    OpenedJournal::open(&settings(files), universe, Epoch::new(new_epoch), JournalMetrics::default()).unwrap()
}

fn start(opened: OpenedJournal, universe: &Arc<Universe>) -> StartedJournal {
    start_at(opened, universe, Timestamp::default())
}

fn start_at(opened: OpenedJournal, universe: &Arc<Universe>, at: Timestamp) -> StartedJournal {
    opened.start(Arc::clone(universe), Epoch::new(99), at, rand::random()).unwrap()
}

/// Publishes these batches, and ends the feed.
fn publish(mut journal: StartedJournal, batches: &[Arc<Batch>]) {
    for batch in batches {
        journal.follower.announce(batch);
        journal.follower.record(batch);
    }
    drop(journal.follower);
    wait_until("the journal to end", || journal.thread.is_finished());
}

fn archive(universe: &Universe) -> Archive {
    Archive::new(universe.len(), Retention::default())
}

/// A feed that starts 1.5 s before the end of a minute, with bars of a minute.
fn feed() -> TestFeed {
    let at = Timestamp::from_nanos(1_700_024_340 * SECOND - 3 * SECOND / 2);
    TestFeed::with_bars(Epoch::new(1), at, BarSpans::default())
}

const ALL_ROWS: Query = Query {
    from: Timestamp::from_nanos(0),
    to: Timestamp::from_nanos(i64::MAX),
    order: Order::OldestFirst,
    after: None,
    limit: usize::MAX,
};

#[test]
fn an_archive_that_is_refilled_equals_one_that_recorded_everything() {
    let files = TempFolder::new();
    let mut feed = feed();
    let batches = feed.batches(2_000);
    publish(start(open(&files, &feed.universe, 1), &feed.universe), &batches);
    let recorded = archive(&feed.universe);
    for batch in &batches {
        recorded.record(batch.events());
        recorded.advance(batch.watermark());
    }

    let refilled = archive(&feed.universe);
    let opened = open(&files, &feed.universe, 2);
    let mut begins_at = None;
    let last_values =
        opened.refill(&refilled, Timestamp::from_nanos(i64::MAX), |at| begins_at = Some(at)).unwrap();

    assert_eq!(opened.epoch(), Epoch::new(1), "it goes on");
    assert_same_values(&last_values, &feed.last_values);
    assert_eq!(begins_at, Some(batches[0].watermark()));
    for symbol in (0..feed.universe.len() as u32).map(SymbolId) {
        let rows = |archive: &Archive| {
            let bars = archive.bars(symbol, Span::Second.timeframe(), OpenBars::Included, &ALL_ROWS);
            (archive.trades(symbol, &ALL_ROWS), archive.quotes(symbol, &ALL_ROWS), bars)
        };
        assert_eq!(rows(&refilled), rows(&recorded));
        assert!(!rows(&refilled).0.is_empty());
    }
}

#[test]
fn a_restart_within_a_minute_changes_nothing_that_is_published_afterwards() {
    let files = TempFolder::new();
    let (mut uninterrupted, mut interrupted) = (feed(), feed());
    let universe = Arc::clone(&interrupted.universe);

    let mut published = Vec::new();
    // The end of the minute, when bars are published, is within the second run.
    for _ in 0..3 {
        let opened = open(&files, &universe, 1);
        let archive = archive(&universe);
        let last_values = opened.refill(&archive, Timestamp::default(), |_| {}).unwrap();
        let journal = start(opened, &universe);
        assert_eq!(journal.epoch, Epoch::new(1));
        if last_values.batch() > 0 {
            let from = last_values.watermark();
            let sequencer = Sequencer::new(Arc::clone(&universe), BarSpans::default(), journal.epoch, from)
                .resume(&archive)
                .resume_last_values(&last_values);
            interrupted.restart(sequencer, last_values);
        }
        let batches = interrupted.batches(1_000);
        publish(journal, &batches);
        published.extend(batches);
    }

    assert_equal(&published, &uninterrupted.batches(3_000));
    let has_bars = |batches: &[Arc<Batch>]| {
        batches
            .iter()
            .flat_map(|batch| batch.events())
            .any(|object| matches!(object.body, crate::model::Body::Bar(_)))
    };
    assert!(!has_bars(&published[..1_000]) && has_bars(&published[1_000..]));
}

#[test]
fn a_journal_of_other_instruments_is_not_continued_and_stays() {
    let files = TempFolder::new();
    let mut feed = feed();
    publish(start(open(&files, &feed.universe, 1), &feed.universe), &feed.batches(10));
    let others = Arc::new(crate::wire::fixtures::universe());

    let opened = open(&files, &others, 2);

    assert_eq!(opened.epoch(), Epoch::new(2));
    let mut seeded = None;
    let now = Timestamp::from_nanos(77);
    let last_values = opened.refill(&archive(&others), now, |at| seeded = Some(at)).unwrap();
    assert_eq!((last_values.batch(), seeded), (0, Some(now)));
    publish(start(opened, &others), &[]);
    let batches = JournalReader::open(&settings(&files).folder).unwrap();
    let batches = batches.filter(|item| matches!(item, Ok(super::super::JournalItem::Batch(_))));
    assert_eq!(batches.count(), 10);
}

#[test]
fn an_end_that_is_followed_by_another_run_is_not_taken_for_the_last_one() {
    let files = TempFolder::new();
    let mut feed = feed();
    publish(start(open(&files, &feed.universe, 1), &feed.universe), &feed.batches(10));
    // The next run publishes, and the machine fails before a byte of it is on the disk: no log, no record.
    let mut journal = start(open(&files, &feed.universe, 2), &feed.universe);
    let batch = &feed.batches(1)[0];
    journal.follower.announce(batch);
    drop(journal.follower);
    wait_until("the journal to end", || journal.thread.is_finished());
    let log = fs::read_to_string(settings(&files).folder.join("lock")).unwrap();
    let _ = fs::remove_file(log);

    let opened = open(&files, &feed.universe, 3);

    assert_eq!(opened.epoch(), Epoch::new(3));
}

/// The folder of a journal as a kill leaves it: a copy, since the lock and the log are still in use.
#[cfg(target_os = "linux")]
fn killed(files: &TempFolder) -> TempFolder {
    let copy = TempFolder::new();
    fs::create_dir(copy.path().join("journal")).unwrap();
    for entry in fs::read_dir(settings(files).folder).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join("journal").join(entry.file_name())).unwrap();
    }
    copy
}

#[cfg(target_os = "linux")]
fn recorded(files: &TempFolder) -> Vec<Arc<Batch>> {
    let items = JournalReader::open(&settings(files).folder).unwrap();
    let batch = |item| match item {
        Ok(super::super::JournalItem::Batch(batch)) => Some(batch),
        _ => None,
    };
    items.filter_map(batch).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_run_goes_on_with_the_batches_that_it_published_and_had_not_written() {
    let files = TempFolder::new();
    let mut feed = feed();
    // On the day of the batches, so there is one segment, and none is compressed while it is copied.
    let mut journal = start_at(open(&files, &feed.universe, 1), &feed.universe, feed.now());
    let batches = feed.batches(30);
    for batch in &batches[..10] {
        journal.follower.announce(batch);
        journal.follower.record(batch);
    }
    wait_until("the batches to be written", || recorded(&files).len() == 10);
    // The first of these is with clients, the second may be.
    batches[10..12].iter().for_each(|batch| journal.follower.announce(batch));
    let killed = killed(&files);

    let opened = open(&killed, &feed.universe, 3);

    assert_eq!(opened.epoch(), Epoch::new(1));
    assert_equal(&recorded(&killed), &batches[..12]);
    let last_values = opened.refill(&archive(&feed.universe), Timestamp::default(), |_| {}).unwrap();
    assert_eq!(last_values.batch(), 12);
    publish(start(opened, &feed.universe), &batches[12..]);
    assert_equal(&recorded(&killed), &batches);
}

#[test]
#[cfg(target_os = "linux")]
fn a_kill_during_the_next_start_costs_nothing() {
    let files = TempFolder::new();
    let mut feed = feed();
    let mut journal = start_at(open(&files, &feed.universe, 1), &feed.universe, feed.now());
    for batch in &feed.batches(10) {
        journal.follower.announce(batch);
    }
    let killed = killed(&files);
    // It has opened the journal and not started yet.
    drop(open(&killed, &feed.universe, 2));

    let opened = open(&killed, &feed.universe, 3);

    assert_eq!(opened.epoch(), Epoch::new(1));
    assert_eq!(recorded(&killed).len(), 10);
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_run_begins_a_new_epoch_if_it_published_what_is_nowhere_kept() {
    let files = TempFolder::new();
    let mut feed = feed();
    // On the day of the batches, so there is one segment, and none is compressed while it is copied.
    let mut journal = start_at(open(&files, &feed.universe, 1), &feed.universe, feed.now());
    let batches = feed.batches(11);
    for batch in &batches[..10] {
        journal.follower.announce(batch);
        journal.follower.record(batch);
    }
    wait_until("the batches to be written", || recorded(&files).len() == 10);
    let log = fs::read_to_string(settings(&files).folder.join("lock")).unwrap();
    let mut kept = fs::read(&log).unwrap();
    kept[16..24].copy_from_slice(&11_u64.to_le_bytes());
    fs::write(&log, kept).unwrap();
    let killed = killed(&files);

    let opened = open(&killed, &feed.universe, 3);

    assert_eq!(opened.epoch(), Epoch::new(3));
    let last_values = opened.refill(&archive(&feed.universe), Timestamp::default(), |_| {}).unwrap();
    assert_eq!(last_values.batch(), 10, "numbers go on in either case");
}
