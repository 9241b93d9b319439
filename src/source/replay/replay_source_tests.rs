use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use test_support::TempFolder;

use super::*;
use crate::metrics::ClockMetrics;
use crate::model::market_time;
use crate::source::replay::{ReplayClock, ReplaySettings, ReplaySpeed};

const MINUTE: i64 = 60 * SECOND;

const START: &str = "2013-10-07T13:30:10.250";

/// A file of trades at these milliseconds after 09:30:10.250, whose sizes are their numbers.
fn recording(folder: &TempFolder, millis: &[i64]) -> PathBuf {
    let start = at(0).nanos();
    let row = |(number, millis): (usize, &i64)| {
        format!("{},SPY,167.01,{}\n", start + millis * MILLISECOND + 300, number + 1)
    };
    let rows: String = millis.iter().enumerate().map(row).collect();
    let path = folder.file("trades.csv");
    fs::write(&path, format!("time,symbol,price,size\n{rows}")).unwrap();
    path
}

fn at(millis: i64) -> Timestamp {
    let start = market_time(&format!("{START}Z")).unwrap();
    Timestamp::from_nanos(start.nanos() + millis * MILLISECOND)
}

struct World {
    source: ReplaySource,
    clock: Clock,
    _folder: TempFolder,
}

impl World {
    fn new(millis: &[i64], change: impl FnOnce(&mut ReplaySettings)) -> Self {
        let folder = TempFolder::new();
        let mut settings = ReplaySettings::reproducible(vec![recording(&folder, millis)]);
        change(&mut settings);
        let clock = Clock::system(ClockMetrics::default());
        let metrics = ReplayMetrics::default();
        let recording = Recording::open(settings, metrics.clone()).unwrap();
        let source = ReplaySource::new(recording, clock.clone(), metrics, Box::new(Epoch::default));
        Self { source, clock, _folder: folder }
    }

    /// The sizes of the trades of one poll, and the watermark.
    fn poll(&mut self) -> (Vec<u64>, Option<Timestamp>) {
        let mut events = Vec::new();
        let watermark = self.source.poll(&mut events);
        let size = |event: Event| match event {
            Event::Trade(trade) => trade.size,
            _ => panic!("no trade"),
        };
        (events.into_iter().map(size).collect(), watermark)
    }

    /// The sizes of all trades that are due.
    fn due(&mut self) -> Vec<u64> {
        let mut all = Vec::new();
        loop {
            let (sizes, _) = self.poll();
            if sizes.is_empty() {
                return all;
            }
            all.extend(sizes);
        }
    }
}

#[test]
fn a_millisecond_of_the_recording_is_a_batch_at_the_speed_max() {
    let mut world = World::new(&[0, 0, 1, 900_000, 900_000], |_| {});
    assert_eq!((world.source.opened_at(), world.clock.now()), (at(0), at(0)));

    assert_eq!(world.poll(), (vec![1, 2], Some(at(1))));
    assert_eq!(world.poll(), (vec![3], Some(at(2))));
    assert_eq!(world.clock.now(), at(2), "the clock is that of the replay");
    assert_eq!(world.poll(), (vec![4, 5], Some(at(900_001))));
    assert!(world.poll().0.is_empty());
    assert_eq!(world.source.metrics.ended.get(), 1);
}

#[test]
fn a_batch_is_due_when_its_millisecond_is_over() {
    let rate = ClockRate::new(1e-3).unwrap();
    let mut world = World::new(&[0, 5, 6], |settings| settings.speed = ReplaySpeed::Times(rate));

    world.clock.hold(at(0) + Duration::from_micros(999));
    assert!(world.due().is_empty());
    world.clock.hold(at(1));
    assert_eq!(world.due(), [1]);
    world.clock.hold(at(5));
    assert_eq!(world.poll(), (vec![], Some(at(5))), "time goes on without events");
    assert_eq!(world.poll(), (vec![], None));
    world.clock.hold(at(60_000));
    assert_eq!(world.poll(), (vec![2], Some(at(6))), "what was late is published batch by batch");
    assert_eq!(world.poll(), (vec![3], Some(at(7))));
}

#[test]
fn the_end_closes_the_last_minute_and_then_nothing_is_published_however_time_goes_on() {
    for speed in [ReplaySpeed::Max, ReplaySpeed::Times(ClockRate::ONE)] {
        let mut world = World::new(&[0], |settings| settings.speed = speed);
        world.clock.hold(at(10));
        assert_eq!(world.due(), [1]);
        assert_eq!(world.source.watermark, at(49_750), "13:31:00");
        assert_eq!(world.source.take_notices().len(), 1);

        world.clock.hold(at(600_000));

        assert_eq!((world.poll(), world.source.take_notices()), ((vec![], None), vec![]));
    }
}

#[test]
fn a_moved_replay_happens_now_and_keeps_the_seconds_of_a_minute() {
    let mut world = World::new(&[0, 1, 3_600_000], |settings| {
        settings.speed = ReplaySpeed::Times(ClockRate::ONE);
        settings.clock = ReplayClock::Shift;
    });
    assert!(world.clock.follows_system());
    let now = world.clock.now();

    assert_eq!(world.source.timeline.shift_nanos() % MINUTE, 0);
    let behind = now.nanos_since(world.source.opened_at());
    assert!((0..MINUTE).contains(&behind), "{behind}");
    let mut events = Vec::new();
    world.source.poll(&mut events);
    assert_eq!(events.len(), 1, "what is of the minute that has begun is published at once");
    assert_eq!(events[0].at().nanos() - world.source.timeline.shift_nanos(), at(0).nanos() + 300);
}

#[test]
fn a_moved_replay_follows_the_systems_clock_after_it_was_set() {
    let mut world = World::new(&[0, 3_600_000], |settings| {
        settings.speed = ReplaySpeed::Times(ClockRate::ONE);
        settings.clock = ReplayClock::Shift;
    });
    world.due();
    let before = world.source.timeline.shift_nanos();
    for hours in [1, -2] {
        let now = Timestamp::from_nanos(world.source.watermark.nanos() + hours * 60 * MINUTE);

        world.source.follow(now);

        let off = now.nanos_since(world.source.watermark);
        assert!((0..MINUTE).contains(&off), "{hours}: {off}");
        assert_eq!(world.source.timeline.shift_nanos() % MINUTE, before % MINUTE);
    }
}

#[test]
fn a_replay_that_begins_again_follows_its_end_or_goes_back_to_its_start() {
    let mut world = World::new(&[0, 130_000], |settings| {
        settings.repeats = true;
        settings.clock = ReplayClock::Shift;
    });
    let first = world.source.opened_at();
    assert_eq!([world.poll().0, world.poll().0], [[1], [2]]);
    let end = world.source.watermark;
    (0..3).for_each(|_| _ = world.poll());
    let (sizes, watermark) = world.poll();
    assert_eq!(sizes, [1]);
    let start = watermark.unwrap().nanos() - MILLISECOND;
    assert_eq!((start - first.nanos()) % MINUTE, 0);
    assert!((0..MINUTE).contains(&(start - end.nanos())));

    let mut world = World::new(&[0, 130_000], |settings| settings.repeats = true);
    let polls = (0..6).map(|_| world.poll()).filter(|(_, watermark)| watermark.is_some());
    assert_eq!(
        polls.collect::<Vec<_>>(),
        [(vec![1], Some(at(1))), (vec![2], Some(at(130_001))), (vec![], Some(at(0))), (vec![1], Some(at(1))),]
    );
    assert_eq!(world.source.metrics.repeats.get(), 1);
}

#[test]
fn a_millisecond_of_many_events_is_several_batches() {
    let many = vec![0; 2 * MAX_BATCH + 5];
    let mut world = World::new(&many, |_| {});

    let lengths: Vec<_> =
        (0..3).map(|_| world.poll()).map(|(sizes, at)| (sizes.len(), at.unwrap())).collect();

    assert_eq!(lengths, [(MAX_BATCH, at(0)), (MAX_BATCH, at(0)), (5, at(1))]);
}

#[test]
fn a_symbol_is_in_the_universe_of_the_batch_that_needs_it() {
    let mut world = World::new(&[0, 1], |_| {});
    let path = world.source.recording.settings().files[0].clone();
    let text = fs::read_to_string(&path).unwrap().replacen("SPY", "QQQ", 1);
    fs::write(&path, text).unwrap();
    world.source.recording.reopen().unwrap();

    assert_eq!(world.source.universe().len(), 1);
    world.poll();

    assert_eq!(world.source.universe().len(), 2);
}

/// The notices and whether an epoch begins, as the feed takes them before each poll.
fn told(world: &mut World) -> (Vec<FeedState>, bool) {
    let notices = world.source.take_notices();
    (notices.into_iter().map(|notice| notice.state).collect(), world.source.take_epoch().is_some())
}

/// The sizes of the trades until nothing is due, and how many epochs began.
fn published(world: &mut World) -> (Vec<u64>, usize) {
    let (mut sizes, mut epochs, mut idle) = (Vec::new(), 0, 0);
    while idle < 5 {
        epochs += usize::from(world.source.take_epoch().is_some());
        let polled = world.poll();
        idle = if polled.1.is_some() && !polled.0.is_empty() { 0 } else { idle + 1 };
        sizes.extend(polled.0);
    }
    (sizes, epochs)
}

#[test]
fn a_pause_stands_still_and_what_comes_after_it_is_whole() {
    let mut world = World::new(&[0, 5, 6], |settings| {
        settings.speed = ReplaySpeed::Times(ClockRate::new(1e-3).unwrap());
    });
    world.clock.hold(at(3));
    assert_eq!(world.due(), [1]);

    world.source.control(ReplayCommand::Pause).unwrap();

    assert_eq!(told(&mut world).0, [FeedState::Paused]);
    assert_eq!((0..100).map(|_| world.poll().0.len()).sum::<usize>(), 0);
    assert_eq!(world.clock.now(), at(3));
    assert_eq!(world.source.replay_status().unwrap().state, ReplayState::Paused);
    world.source.control(ReplayCommand::Pause).unwrap();
    assert_eq!(told(&mut world), (vec![], false), "once");

    world.source.control(ReplayCommand::Resume).unwrap();
    world.source.control(ReplayCommand::Speed(ReplaySpeed::Max)).unwrap();
    assert_eq!(told(&mut world), (vec![FeedState::Live], false));
    assert_eq!(published(&mut world), (vec![2, 3], 0));
}

#[test]
fn a_seek_goes_on_at_its_time_in_either_direction_and_begins_an_epoch() {
    let mut world = World::new(&[0, 1_000, 2_000, 3_000], |_| {});
    assert_eq!(world.poll().0, [1]);

    world.source.control(ReplayCommand::Seek(at(1_500))).unwrap();
    assert_eq!(world.source.replay_status().unwrap().state, ReplayState::Seeking);
    assert_eq!(published(&mut world), (vec![3, 4], 1));
    assert_eq!(told(&mut world).0, [FeedState::Ended]);
    assert_eq!(world.source.replay_status().unwrap().state, ReplayState::Ended);

    world.source.control(ReplayCommand::Seek(at(0))).unwrap();
    assert_eq!(told(&mut world).0, [FeedState::Live]);
    assert_eq!(published(&mut world), (vec![1, 2, 3, 4], 1));

    // One that is overtaken by another, which is before it.
    world.source.control(ReplayCommand::Seek(at(2_500))).unwrap();
    world.source.control(ReplayCommand::Seek(at(500))).unwrap();
    assert_eq!(published(&mut world), (vec![2, 3, 4], 1));
}

#[test]
fn a_seek_to_where_there_is_nothing_is_refused_and_changes_nothing() {
    let until = at(2_000);
    let mut world = World::new(&[0, 1_000, 3_000], |settings| settings.until = Some(until));

    for to in [at(-1), until, at(1 << 40)] {
        assert!(matches!(world.source.control(ReplayCommand::Seek(to)), Err(ControlRefusal::OutOfRange)));
    }

    assert_eq!(published(&mut world), (vec![1, 2], 0));
}

#[test]
fn stamps_of_a_moved_replay_do_not_go_back_at_a_seek() {
    let mut world = World::new(&[0, 70_000, 130_000], |settings| settings.clock = ReplayClock::Shift);
    let mut latest = world.source.opened_at();
    for to in [0, 130_000, 69_000, 0] {
        world.source.control(ReplayCommand::Seek(at(to))).unwrap();
        let mut trades = 0;
        for _ in 0..6 {
            let (sizes, watermark) = world.poll();
            trades += sizes.len();
            assert!(watermark.is_none_or(|watermark| watermark >= latest), "{to}");
            latest = watermark.unwrap_or(latest);
            // The end closes a minute that is not over yet.
            assert!(world.clock.now() + Duration::from_mins(1) > latest, "{to}");
        }
        assert!(trades > 0, "{to}");
    }
}

#[test]
fn after_a_seek_the_last_quote_before_it_holds() {
    let folder = TempFolder::new();
    let path = folder.file("quotes.csv");
    let row = |millis: i64| format!("{},SPY,{},100,200,100\n", at(millis).nanos(), 100 + millis);
    let rows: String = [0, 1, 2, 3].map(row).concat();
    fs::write(&path, format!("time,symbol,bid,bid_size,ask,ask_size\n{rows}")).unwrap();
    let mut world = World::new(&[0], |settings| settings.files = vec![path]);

    world.source.control(ReplayCommand::Seek(at(3))).unwrap();

    let mut events = Vec::new();
    (0..5).for_each(|_| _ = world.source.poll(&mut events));
    let bid = |event: &Event| match event {
        Event::Quote(quote) => quote.bid.cents(),
        other => panic!("{other:?}"),
    };
    let bids: Vec<_> = events.iter().map(bid).collect();
    assert_eq!(bids, [10_200, 10_300]);
}

#[test]
fn the_quotes_that_hold_after_a_seek_of_a_moved_replay_are_not_older_than_what_was_published() {
    let folder = TempFolder::new();
    let path = folder.file("quotes.csv");
    let row = |second: i64| format!("{},S{second},100,100,200,100\n", at(second * 1_000).nanos());
    let rows: String = (0..120).map(row).collect();
    fs::write(&path, format!("time,symbol,bid,bid_size,ask,ask_size\n{rows}")).unwrap();
    let mut world = World::new(&[0], |settings| {
        settings.files = vec![path];
        settings.clock = ReplayClock::Shift;
    });
    let (mut newest, mut seeks) = (world.source.opened_at(), 0);
    for to in [90_000, 7_000, 119_500] {
        world.source.control(ReplayCommand::Seek(at(to))).unwrap();
        while world.source.take_epoch().is_none() {
            world.source.poll(&mut Vec::new());
        }
        let mut events = Vec::new();
        let watermark = world.source.poll(&mut events).unwrap();

        assert!(events.len() >= 7, "{to}");
        assert!(events.iter().all(|event| (newest..=watermark).contains(&event.at())), "{to}");
        (newest, seeks) = (watermark, seeks + 1);
    }
    assert_eq!(seeks, 3);
}

#[test]
fn a_seek_to_a_time_after_the_last_event_ends_at_that_event() {
    let mut world = World::new(&[0, 1_000, 2_000], |_| {});

    for _ in 0..2 {
        world.source.control(ReplayCommand::Seek(at(1 << 40))).unwrap();

        assert_eq!(published(&mut world), (vec![], 1));
        let status = world.source.replay_status().unwrap();
        assert_eq!((status.state, status.position), (ReplayState::Ended, at(2_001)));
    }

    world.source.control(ReplayCommand::Seek(at(1_500))).unwrap();
    assert_eq!(published(&mut world), (vec![3], 1));
}

#[test]
fn the_part_of_a_replay_begins_at_the_time_that_was_asked_for() {
    let from = |settings: Option<Timestamp>| {
        let world = World::new(&[0, 1_000], |changed| changed.from = settings);
        world.source.replay_status().unwrap().from
    };

    assert_eq!([from(Some(at(-5_000))), from(Some(at(500))), from(None)], [at(-5_000), at(500), at(0)]);
}
