use std::num::NonZeroU32;
use std::time::Instant;

use test_support::TempFolder;

use super::super::retention::JournalRetention;
use super::super::test_disk::TestDisk;
use super::super::test_feed::{TestFeed, assert_equal};
use super::super::writer::{JournalWriter, WriterSettings, WriterStart};
use super::*;
use crate::clock::ClockRate;
use crate::metrics::{ClockMetrics, JournalMetrics};
use crate::model::{Body, Seq};
use crate::source::{ReplayClock, ReplaySpeed};

const EPOCH: Epoch = Epoch::new(3);

/// The journal of these batches, in segments of 50 kB, without those with these numbers.
fn journal(feed: &TestFeed, batches: &[Arc<Batch>], missing: std::ops::Range<u64>) -> TempFolder {
    let disk = TestDisk::default();
    let retention = JournalRetention { days: NonZeroU32::MAX, bytes: u64::MAX };
    let settings = WriterSettings { epoch: EPOCH, retention, max_segment_bytes: 50_000 };
    let universe = Arc::clone(&feed.universe);
    let at = batches[0].watermark();
    let start = WriterStart { last_values: LastValues::new(universe.len()), universe, ordinal: 1, at };
    let now = Instant::now();
    let (mut writer, begun) =
        JournalWriter::start(Box::new(disk.clone()), settings, start, JournalMetrics::default(), now);
    begun.unwrap();
    for batch in batches {
        if batch.number() == missing.start {
            let last = |batch: &Arc<Batch>| missing.contains(&batch.number());
            let lost = batches.iter().filter(|batch| last(batch)).flat_map(|batch| batch.objects().copied());
            let hole = super::super::Hole {
                from: missing.start,
                to: missing.end - 1,
                watermark: batch.watermark(),
                universe: Arc::clone(batch.universe()),
                last_objects: lost
                    .map(|object| (object.stream(), object))
                    .collect::<BTreeMap<_, _>>()
                    .into_values()
                    .collect(),
                begun: None,
                last_messages: Vec::new(),
            };
            writer.append_hole(&hole, now);
        }
        if !missing.contains(&batch.number()) {
            writer.append(batch, now);
        }
    }
    writer.stop(batches.last().unwrap().number(), now).unwrap();
    disk.files()
}

struct World {
    feed: JournalFeed,
    clock: Clock,
    last_values: LastValues,
    _folder: TempFolder,
}

impl World {
    fn new(folder: TempFolder, change: impl FnOnce(&mut ReplaySettings)) -> Self {
        let mut settings = ReplaySettings::reproducible(vec![folder.path().to_owned()]);
        change(&mut settings);
        let clock = Clock::system(ClockMetrics::default());
        let mut epochs = 100..;
        let epochs = Box::new(move || Epoch::new(epochs.next().unwrap()));
        let metrics = JournalFeedMetrics::default();
        let feed = JournalFeed::open(&settings, Retention::default(), &clock, metrics, epochs);
        let mut feed = feed.unwrap().expect("it is a journal");
        let mut last_values = LastValues::default();
        assert!(feed.open(&mut last_values).is_none());
        Self { feed, clock, last_values, _folder: folder }
    }

    fn poll(&mut self) -> Option<Arc<Batch>> {
        let batch = self.feed.poll(&mut self.last_values);
        self.feed.settle();
        batch
    }

    /// The batches until there are none.
    fn batches(&mut self) -> Vec<Arc<Batch>> {
        let (mut batches, mut idle) = (Vec::new(), 0);
        while idle < 5 {
            match self.poll() {
                Some(batch) => {
                    batches.push(batch);
                    idle = 0;
                }
                None => idle += 1,
            }
        }
        batches
    }
}

/// Asserts that the numbers of all streams follow each other, from these.
fn assert_numbers_go_on(batches: &[Arc<Batch>], mut last: LastValues) {
    for object in batches.iter().flat_map(|batch| batch.objects()) {
        assert_eq!(object.seq, last.seq(object.stream()).next(), "{object:?}");
        last.put(*object);
    }
}

fn recorded(count: usize) -> (TestFeed, Vec<Arc<Batch>>) {
    let mut feed = TestFeed::new(EPOCH);
    let batches = feed.batches(count);
    (feed, batches)
}

/// The bytes of all objects in both codecs.
fn encoded(batch: &Batch) -> Vec<u8> {
    let bytes = |codec| (0..batch.len()).flat_map(move |object| batch.encoded(codec, object).to_vec());
    crate::wire::Codec::ALL.into_iter().flat_map(bytes).collect()
}

#[test]
fn a_minute_that_was_recorded_is_published_as_it_was() {
    let mut feed = TestFeed::new(EPOCH);
    let end = feed.now().seconds() + 60;
    let mut batches = Vec::new();
    while feed.now().seconds() < end {
        batches.extend(feed.batches(100));
    }
    let mut world = World::new(journal(&feed, &batches, 0..0), |_| {});

    assert_eq!((world.feed.epoch(), world.last_values.epoch()), (EPOCH, Some(EPOCH)));
    let mut published = world.batches();

    assert_eq!(published.pop().unwrap().notices()[0].state, FeedState::Ended);
    assert_equal(&published, &batches);
    assert!(published.iter().zip(&batches).all(|(published, batch)| encoded(published) == encoded(batch)));
    assert!(published.iter().all(|batch| batch.begun_epoch().is_none() && batch.notices().is_empty()));
    assert!(world.last_values.iter().eq(feed.last_values.iter()));
    assert_eq!(world.feed.progress().published(), feed.last_values.published());
}

#[test]
fn a_batch_is_due_at_its_watermark() {
    let (feed, batches) = recorded(300);
    let rate = ClockRate::new(1e-3).unwrap();
    let mut world =
        World::new(journal(&feed, &batches, 0..0), |settings| settings.speed = ReplaySpeed::Times(rate));

    for batch in &batches {
        world.clock.hold(Timestamp::from_nanos(batch.watermark().nanos() - 1));
        assert!(world.poll().is_none());
        world.clock.hold(batch.watermark());
        assert_eq!(world.poll().unwrap().number(), batch.number());
    }
}

#[test]
fn a_moved_replay_keeps_borders_and_numbers_and_moves_every_stamp_by_whole_minutes() {
    let (feed, batches) = recorded(1_500);
    let mut world =
        World::new(journal(&feed, &batches, 0..0), |settings| settings.clock = ReplayClock::Shift);
    let shift = world.feed.timeline.shift_nanos();

    let published = world.batches();

    assert!(shift > 0 && shift % (60 * SECOND) == 0);
    for (moved, batch) in published.iter().zip(&batches) {
        assert_eq!(moved.number(), batch.number());
        assert_eq!(moved.watermark().nanos(), batch.watermark().nanos() + shift);
        let streams = |batch: &Batch| -> Vec<(StreamId, Seq)> {
            batch.objects().map(|object| (object.stream(), object.seq)).collect()
        };
        assert_eq!(streams(moved), streams(batch));
        for (moved, object) in moved.objects().zip(batch.objects()) {
            if let (Body::Trade(moved), Body::Trade(trade)) = (moved.body, object.body) {
                assert_eq!(moved, crate::model::Trade { at: moved.at, ..trade });
                assert_eq!(moved.at.nanos(), trade.at.nanos() + shift);
            }
        }
    }
}

#[test]
fn a_replay_from_a_time_has_what_was_before_as_history_and_the_recorded_numbers() {
    let (feed, batches) = recorded(1_000);
    let from = batches[600].watermark();
    let mut world = World::new(journal(&feed, &batches, 0..0), |settings| settings.from = Some(from));

    assert_eq!(world.last_values.batch(), 600);
    assert_eq!(world.feed.epoch(), EPOCH);
    let trade = batches[..600]
        .iter()
        .flat_map(|batch| batch.objects())
        .filter(|object| matches!(object.body, Body::Trade(_)));
    let trade = trade.last().unwrap();
    let found = world.feed.archive().since(trade.stream(), Seq(trade.seq.0 - 1), trade.seq, 9);
    assert_eq!(found, [*trade], "a client that has less resumes");

    assert_equal(&world.batches()[..400], &batches[600..]);
}

#[test]
fn after_a_hole_an_epoch_begins_and_numbers_go_on() {
    let (feed, batches) = recorded(1_000);
    let mut world = World::new(journal(&feed, &batches, 400..500), |_| {});

    let published = world.batches();

    assert_equal(&published[..399], &batches[..399]);
    let after = &published[399];
    assert_eq!((after.begun_epoch(), after.number()), (Some(Epoch::new(100)), 400));
    let [notice] = after.notices() else { panic!("{:?}", after.notices()) };
    assert_eq!((notice.state, notice.filled), (FeedState::Back, Some(false)));
    assert_eq!(notice.from, Some(batches[398].watermark()));
    assert_eq!(published.iter().filter(|batch| batch.begun_epoch().is_some()).count(), 1);
    assert_numbers_go_on(&published, LastValues::default());
    assert_eq!(world.feed.epoch(), Epoch::new(100));
}

#[test]
fn a_seek_and_another_pass_begin_epochs_in_which_no_number_is_given_twice() {
    let (feed, batches) = recorded(1_000);
    let mut world = World::new(journal(&feed, &batches, 0..0), |settings| settings.repeats = true);
    let mut published: Vec<_> = (0..200).filter_map(|_| world.poll()).collect();
    assert_eq!(published.len(), 200);

    for (to, expected) in [(700, 100), (50, 101), (50, 102), (999, 103)] {
        world.feed.control(ReplayCommand::Seek(batches[to].watermark())).unwrap();
        let mut arrived = None;
        while arrived.is_none() {
            arrived = world.poll();
        }
        let arrived = arrived.unwrap();
        assert_eq!(arrived.begun_epoch(), Some(Epoch::new(expected)));
        assert_eq!(arrived.watermark(), batches[to].watermark());
        let quotes =
            arrived.events().iter().filter(|object| object.stream().channel() == Channel::Quotes).count();
        assert_eq!(quotes, feed.universe.len(), "{to}: the last quotes before");
        published.push(arrived);
        let next = world.poll().unwrap();
        assert_eq!(next.len(), batches[to].len(), "{to}");
        published.push(next);
    }
    // Another pass.
    while published.last().unwrap().begun_epoch() != Some(Epoch::new(104)) {
        published.extend(world.poll());
    }
    published.extend((0..20).filter_map(|_| world.poll()));

    let numbers: Vec<_> = published.iter().map(|batch| batch.number()).collect();
    assert!(numbers.iter().zip(1..).all(|(number, expected)| *number == expected), "{numbers:?}");
    assert_numbers_go_on(&published, LastValues::default());
    let epochs = published.iter().filter_map(|batch| batch.begun_epoch()).count();
    assert_eq!(epochs, 5);
}

#[test]
fn a_seek_to_a_time_after_the_last_batch_ends_at_that_batch() {
    let (feed, batches) = recorded(100);
    let mut world = World::new(journal(&feed, &batches, 0..0), |_| {});
    let end = batches[99].watermark();

    for _ in 0..2 {
        let far = Timestamp::from_nanos(end.nanos() + 1_000 * SECOND);
        world.feed.control(ReplayCommand::Seek(far)).unwrap();
        world.batches();

        let status = world.feed.replay_status().unwrap();
        assert_eq!((status.state, status.position), (ReplayState::Ended, end));
    }
}

#[test]
fn what_holds_after_a_seek_of_a_moved_replay_is_not_older_than_what_was_published() {
    let (feed, batches) = recorded(1_000);
    let mut world =
        World::new(journal(&feed, &batches, 0..0), |settings| settings.clock = ReplayClock::Shift);
    let mut newest = world.poll().unwrap().watermark();

    for to in [700, 50, 999] {
        world.feed.control(ReplayCommand::Seek(batches[to].watermark())).unwrap();
        let mut arrived = None;
        while arrived.is_none() {
            arrived = world.poll();
        }
        let arrived = arrived.unwrap();

        assert!(arrived.len() >= feed.universe.len(), "{to}");
        for object in arrived.objects() {
            let at = match object.body {
                Body::Quote(quote) => quote.at,
                Body::Ticker(ticker) => ticker.at,
                _ => panic!("{object:?}"),
            };
            assert!((newest..=arrived.watermark()).contains(&at), "{to}: {object:?}");
        }
        newest = arrived.watermark();
    }
}

#[test]
fn a_pause_is_told_and_nothing_is_published_in_it() {
    let (feed, batches) = recorded(100);
    let mut world = World::new(journal(&feed, &batches, 0..0), |_| {});
    world.poll().unwrap();

    world.feed.control(ReplayCommand::Pause).unwrap();

    let notice = world.poll().unwrap();
    assert_eq!((notice.len(), notice.number(), notice.notices()[0].state), (0, 1, FeedState::Paused));
    assert!((0..100).all(|_| world.poll().is_none()));
    world.feed.control(ReplayCommand::Resume).unwrap();
    let next = world.poll().unwrap();
    assert_eq!((next.number(), next.notices()[0].state), (2, FeedState::Live));
    assert_eq!(next.objects().collect::<Vec<_>>(), batches[1].objects().collect::<Vec<_>>());
}

#[test]
fn a_journal_with_other_instruments_in_a_later_segment_is_refused() {
    let (feed, batches) = recorded(10);
    let folder = journal(&feed, &batches, 0..0);
    let path = folder.path().join("00000009-2023-11-15.tape");
    let other = crate::source::universe(3, 999);
    let mut bytes = super::super::SegmentHeader { epoch: Epoch::new(9), first_batch: 1 }.to_bytes();
    super::super::entry::EntryEncoder::default().snapshot(
        &mut bytes,
        &LastValues::default(),
        &crate::model::Universe::new(other.iter().skip(1).cloned().collect()),
    );
    std::fs::write(path, bytes).unwrap();

    let refused = BatchCursor::open(folder.path()).unwrap_err();

    assert!(matches!(refused, JournalReplayError::OtherInstruments(name) if name.ordinal == 9), "{refused}");
}

#[test]
fn a_segment_is_replayed_alone_and_beside_nothing_else() {
    let (feed, batches) = recorded(1_000);
    let folder = journal(&feed, &batches, 0..0);
    let mut files: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 2);
    let second = files[1].clone();
    let settings = |world: &World| world.feed.settings.clone();
    let mut world = World::new(folder, |settings| settings.files = vec![second.clone()]);

    let first = world.last_values.batch() + 1;
    let published = world.batches();

    assert_eq!(published[0].number(), first);
    assert_equal(&published[..10], &batches[first as usize - 1..][..10]);
    let both = ReplaySettings { files, ..settings(&world) };
    let clock = Clock::system(ClockMetrics::default());
    let refused = JournalFeed::open(
        &both,
        Retention::default(),
        &clock,
        JournalFeedMetrics::default(),
        Box::new(Epoch::default),
    );
    assert!(matches!(refused, Err(JournalReplayError::NotAlone)));
}
