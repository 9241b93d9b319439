use std::num::NonZeroU32;

use test_support::{TempFolder, wait_until};

#[cfg(target_os = "linux")]
use super::super::disk::FileId;
#[cfg(target_os = "linux")]
use super::super::segment::SegmentHeader;
use super::super::test_feed::{TestFeed, assert_equal, assert_same_values};
use super::*;
use crate::archive::OpenBars;
use crate::archive::{Query, Retention, Span};
use crate::feed::{BarSpans, Batch, Sequencer};
use crate::model::{SECOND, SymbolId};
use std::path::Path;

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
            let bars = archive.bars(symbol, Span::Second.timeframe(), OpenBars::Included, &Query::ALL);
            (archive.trades(symbol, &Query::ALL), archive.quotes(symbol, &Query::ALL), bars)
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
    #[cfg(target_os = "linux")]
    fs::remove_file(log_of(&files)).unwrap();

    let opened = open(&files, &feed.universe, 3);

    assert_eq!(opened.epoch(), Epoch::new(3));
}

/// The path of the publication log of a process that runs.
#[cfg(target_os = "linux")]
fn log_of(files: &TempFolder) -> PathBuf {
    match JournalState::read(&Folder::new(&settings(files).folder)) {
        Some(JournalState::Running { log: Some(log) }) => log,
        other => panic!("{other:?}"),
    }
}

/// A journal as a kill leaves it: a copy with a log of its own, since the lock and the log are still in use.
#[cfg(target_os = "linux")]
fn killed(files: &TempFolder) -> TempFolder {
    let copy = copied(files);
    let folder = Folder::new(&settings(&copy).folder);
    let FileId { device, inode } = folder.id().unwrap();
    let name = format!("tapecast-{device:x}-{inode:x}-{:032x}", rand::random::<u128>());
    let log = log_of(files).with_file_name(name);
    fs::copy(log_of(files), &log).unwrap();
    JournalState::Running { log: Some(log) }.write(&folder).unwrap();
    copy
}

#[cfg(target_os = "linux")]
fn copied(files: &TempFolder) -> TempFolder {
    let copy = TempFolder::new();
    fs::create_dir(copy.path().join("journal")).unwrap();
    for entry in fs::read_dir(settings(files).folder).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join("journal").join(entry.file_name())).unwrap();
    }
    copy
}

/// The last segment of a journal.
fn last_segment(files: &TempFolder) -> PathBuf {
    let folder = Folder::new(&settings(files).folder);
    let last = *folder.segments().unwrap().last().expect("there are segments");
    folder.file(last.name, last.form)
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
    let log = log_of(&files);
    let mut kept = fs::read(&log).unwrap();
    kept[16..24].copy_from_slice(&11_u64.to_le_bytes());
    fs::write(&log, kept).unwrap();
    let killed = killed(&files);

    let opened = open(&killed, &feed.universe, 3);

    assert_eq!(opened.epoch(), Epoch::new(3));
    let last_values = opened.refill(&archive(&feed.universe), Timestamp::default(), |_| {}).unwrap();
    assert_eq!(last_values.batch(), 10, "numbers go on in either case");
}

/// Two runs of ten batches that ended cleanly.
fn stopped_twice() -> (TempFolder, TestFeed) {
    let files = TempFolder::new();
    let mut feed = feed();
    for _ in 0..2 {
        let journal = start_at(open(&files, &feed.universe, 1), &feed.universe, feed.now());
        assert_eq!(journal.epoch, Epoch::new(1));
        publish(journal, &feed.batches(10));
    }
    (files, feed)
}

#[test]
fn a_last_segment_that_is_damaged_or_gone_after_a_clean_stop_begins_a_new_epoch() {
    type Damage = fn(PathBuf);
    let damages: [(&str, Damage); 5] = [
        ("deleted", |file| fs::remove_file(file).unwrap()),
        ("empty", |file| fs::write(file, "").unwrap()),
        ("zeros", |file| fs::write(file, [0; 5_000]).unwrap()),
        ("renamed", |file| fs::rename(&file, file.with_extension("old")).unwrap()),
        ("short", |file| fs::write(&file, &fs::read(&file).unwrap()[..2_000]).unwrap()),
    ];
    for (name, damage) in damages {
        let (files, feed) = stopped_twice();
        damage(last_segment(&files));

        let opened = open(&files, &feed.universe, 2);

        assert_eq!(opened.epoch(), Epoch::new(2), "{name}");
    }
}

#[test]
fn a_journal_whose_state_is_gone_or_not_understood_begins_a_new_epoch() {
    for state in [None, Some(&b"\xff\xfe"[..]), Some(b"log /etc/passwd\n"), Some(b"")] {
        let (files, feed) = stopped_twice();
        let file = settings(&files).folder.join("state");
        match state {
            None => fs::remove_file(file).unwrap(),
            Some(text) => fs::write(file, text).unwrap(),
        }

        let opened = open(&files, &feed.universe, 2);

        assert_eq!(opened.epoch(), Epoch::new(2), "{state:?}");
    }
}

#[test]
fn a_state_that_names_another_file_neither_reads_nor_removes_it() {
    let (files, feed) = stopped_twice();
    let victim = files.file("victim");
    fs::write(&victim, b"TAPEMARK________________").unwrap();
    let through = Path::new("/dev/shm/../..").join(victim.strip_prefix("/").unwrap());
    let state = JournalState::Running { log: Some(through) };
    state.write(&Folder::new(&settings(&files).folder)).unwrap();

    publish(start(open(&files, &feed.universe, 2), &feed.universe), &[]);

    assert!(victim.exists());
}

/// What is on the disk after each step of a start that follows a clean stop.
#[test]
#[cfg(target_os = "linux")]
fn a_kill_at_any_moment_of_the_start_after_a_clean_stop_keeps_the_epoch() {
    let moments = ["log", "state", "empty", "header", "half", "segment"];
    for moment in moments {
        let (files, feed) = stopped_twice();
        let folder = Folder::new(&settings(&files).folder);
        let before = JournalState::read(&folder).unwrap();
        let opened = open(&files, &feed.universe, 2);
        let random: u128 = rand::random();
        let start = PublicationStart {
            journal: folder.id().unwrap(),
            epoch: Epoch::new(1),
            published: 20,
            universe: &feed.universe,
        };
        // What `start` does, up to the moment.
        if moment == "log" {
            PublicationLog::create(random, start).unwrap();
            assert_eq!(JournalState::read(&folder), Some(before));
        } else {
            let (_, kept) = opened.begin_log(random, start);
            kept.unwrap();
        }
        drop(opened);
        let whole = {
            // The bytes with which a segment of this journal begins.
            let (other, other_feed) = stopped_twice();
            let journal = start_at(open(&other, &other_feed.universe, 2), &other_feed.universe, feed.now());
            let bytes = fs::read(last_segment(&other)).unwrap();
            publish(journal, &[]);
            bytes
        };
        let length = match moment {
            "log" | "state" => None,
            "empty" => Some(0),
            "header" => Some(SegmentHeader::LEN),
            "half" => Some(whole.len() / 2),
            _ => Some(whole.len()),
        };
        if let Some(length) = length {
            let last = folder.segments().unwrap().last().unwrap().name;
            let name = SegmentName { ordinal: last.ordinal + 1, ..last };
            fs::write(folder.file(name, SegmentForm::Plain), &whole[..length]).unwrap();
        }

        // It is killed again after the end was read, and started then.
        drop(open(&files, &feed.universe, 3));
        let opened = open(&files, &feed.universe, 4);

        assert_eq!(opened.epoch(), Epoch::new(1), "{moment}");
        let journal = start_at(opened, &feed.universe, feed.now());
        assert_eq!(journal.epoch, Epoch::new(1), "{moment}");
        let logs = fs::read_dir("/dev/shm").unwrap().map(|entry| entry.unwrap().path());
        let FileId { device, inode } = folder.id().unwrap();
        let ours = format!("/dev/shm/tapecast-{device:x}-{inode:x}-");
        let logs: Vec<_> = logs.filter(|path| path.to_str().unwrap().starts_with(&ours)).collect();
        assert_eq!(logs, [log_of(&files)], "{moment}: all other logs are removed");
        publish(journal, &[]);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_run_whose_last_segment_is_lost_begins_a_new_epoch() {
    let files = TempFolder::new();
    let mut feed = feed();
    publish(start_at(open(&files, &feed.universe, 1), &feed.universe, feed.now()), &feed.batches(10));
    let mut journal = start_at(open(&files, &feed.universe, 1), &feed.universe, feed.now());
    for batch in &feed.batches(10) {
        journal.follower.announce(batch);
        journal.follower.record(batch);
    }
    wait_until("the batches to be written", || recorded(&files).len() == 20);
    // The first segment is compressed meanwhile.
    wait_until("one plain segment", || {
        let segments = Folder::new(&settings(&files).folder).segments().unwrap();
        segments.iter().filter(|segment| segment.form == SegmentForm::Plain).count() == 1
    });
    let killed = killed(&files);
    fs::write(last_segment(&killed), "").unwrap();

    let opened = open(&killed, &feed.universe, 3);

    // The segment before ended cleanly, so nothing is appended to it.
    assert_eq!(opened.epoch(), Epoch::new(3));
}

#[test]
#[cfg(target_os = "linux")]
fn a_copy_of_a_journal_neither_uses_nor_removes_the_log_of_the_original() {
    let files = TempFolder::new();
    let mut feed = feed();
    let mut journal = start_at(open(&files, &feed.universe, 1), &feed.universe, feed.now());
    for batch in &feed.batches(10) {
        journal.follower.announce(batch);
    }
    let copy = copied(&files);

    let opened = open(&copy, &feed.universe, 2);

    assert_eq!(opened.epoch(), Epoch::new(2));
    publish(start(opened, &feed.universe), &[]);
    assert!(log_of(&files).exists());
    let _ = fs::remove_file(log_of(&files));
}

#[test]
#[cfg(unix)]
fn a_folder_that_another_process_has_made_its_own_meanwhile_is_left_alone() {
    let files = TempFolder::new();
    let mut feed = feed();
    let first = start_at(open(&files, &feed.universe, 1), &feed.universe, feed.now());
    fs::remove_dir_all(settings(&files).folder).unwrap();
    let second = start_at(open(&files, &feed.universe, 2), &feed.universe, feed.now());

    publish(first, &feed.batches(10));

    let state = JournalState::read(&Folder::new(&settings(&files).folder));
    assert!(matches!(state, Some(JournalState::Running { .. })), "{state:?}");
    publish(second, &[]);
}

#[test]
fn an_epoch_does_not_go_on_when_another_gives_the_numbers() {
    let (files, mut feed) = (TempFolder::new(), feed());
    let open_of = |numbers, new_epoch| {
        let (epoch, metrics) = (Epoch::new(new_epoch), JournalMetrics::default());
        OpenedJournal::open_if(&settings(&files), |_| true, numbers, epoch, metrics).unwrap()
    };
    let mut given = Vec::new();
    for (numbers, new_epoch) in [
        (NumberOrigin::Upstream, 1),
        (NumberOrigin::Upstream, 2),
        (NumberOrigin::Feed, 3),
        (NumberOrigin::Feed, 4),
        (NumberOrigin::Upstream, 5),
    ] {
        let opened = open_of(numbers, new_epoch);
        given.push(opened.epoch().number());
        let started =
            opened.start(Arc::clone(&feed.universe), Epoch::new(new_epoch), Timestamp::default(), 7);
        publish(started.unwrap(), &feed.batches(2));
    }

    assert_eq!(given, [1, 1, 3, 3, 5]);
}
