//! The time of the service: one clock that the market, the feed, REST and heartbeats read.
//!
//! Durations and deadlines do not use it: they are `Instant`s, which no one sets.

mod playback;
mod wall_follower;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use tracing::warn;

pub use self::playback::ClockRate;
use self::playback::Playback;
use self::wall_follower::{ClockPair, WallFollower};
pub use self::wall_follower::{ClockReading, ClockStep};
use crate::metrics::ClockMetrics;
use crate::model::Timestamp;

/// The system's wall clock without small steps back. Clones are the same clock, on all threads.
///
/// It follows every setting of the system's clock, by hand, by NTP, and after a suspend, by the rules of
/// `WallFollower`. A step is logged and counted once, by the first thread that reads the clock after it.
///
/// A replay may give the service a time of its own, which [runs](Self::run) at the speed of the replay.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    started: Instant,
    /// Locked for the 100 ns of a reading, so that readings of all threads are in one order.
    state: Mutex<ClockState>,
    metrics: ClockMetrics,
}

#[derive(Debug)]
struct ClockState {
    follower: WallFollower,
    playback: Playback,
    /// The latest steps, the newest first.
    jumps: VecDeque<ClockJump>,
    /// The number of steps so far.
    steps: u64,
}

/// A step of the system's clock that is large enough to be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockJump {
    /// What the clock would show.
    pub from: Timestamp,
    /// What it shows.
    pub to: Timestamp,
}

/// The steps that are remembered for those that ask for them: more than there are within a second.
const KEPT_JUMPS: usize = 16;

/// Between the readings of the two clocks a thread may be preempted. Readings further apart are repeated.
const MAX_APART: Duration = Duration::from_micros(20);

/// The most repetitions: the readings that were closest together count then.
const MAX_READINGS: usize = 5;

impl Clock {
    /// The system's clock, with these counters of its steps.
    pub fn system(metrics: ClockMetrics) -> Self {
        let started = Instant::now();
        let follower = WallFollower::new(read_both(started));
        let playback = Playback::default();
        let state = Mutex::new(ClockState { follower, playback, jumps: VecDeque::new(), steps: 0 });
        Self(Arc::new(Inner { started, state, metrics }))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.read().now
    }

    /// The time, and how often the system's clock was set.
    pub fn read(&self) -> ClockReading {
        let Inner { started, metrics, .. } = &*self.0;
        let (mut reading, step, playback, steady) = {
            let mut state = self.state();
            let pair = read_both(*started);
            let (reading, step) = state.read(pair);
            (reading, step, state.playback, pair.steady)
        };
        if let Some(step) = step {
            let (counter, step_ms) = match step {
                ClockStep::Forward(by) => (&metrics.steps_forward, by.as_millis() as i64),
                ClockStep::Back(by) => (&metrics.steps_back, -(by.as_millis() as i64)),
            };
            counter.inc();
            match playback {
                Playback::System => warn!(step_ms, "the system's clock was set; time stamps follow it"),
                _ => warn!(step_ms, "the system's clock was set; the replay has a time of its own"),
            }
        }
        reading.now = playback.now(reading.now, steady);
        reading
    }

    /// The steps after the first `seen` ones, the oldest first, and the number of all steps so far. None while the service
    /// has a time of its own.
    pub fn jumps_after(&self, seen: u64) -> (Vec<ClockJump>, u64) {
        let state = self.state();
        let new = match state.playback {
            Playback::System => state.steps.saturating_sub(seen) as usize,
            _ => 0,
        };
        (state.jumps.iter().take(new).rev().copied().collect(), state.steps)
    }

    /// From now on it is this time, which passes at this rate.
    pub fn run(&self, from: Timestamp, rate: ClockRate) {
        let since = self.0.started.elapsed();
        self.set(Playback::Running { origin: from, since, rate });
    }

    /// From now on it is this time, which stands still.
    pub fn hold(&self, at: Timestamp) {
        self.set(Playback::Held(at));
    }

    /// From now on it is the time of the system's clock.
    pub fn follow_system(&self) {
        self.set(Playback::System);
    }

    /// Whether the time is that of the system's clock.
    pub fn follows_system(&self) -> bool {
        self.state().playback == Playback::System
    }

    /// How long this clock has been there, by the monotonic clock: real time, also while a replay has a time of its own.
    pub fn real_elapsed(&self) -> Duration {
        self.0.started.elapsed()
    }

    fn set(&self, playback: Playback) {
        self.state().playback = playback;
    }

    fn state(&self) -> MutexGuard<'_, ClockState> {
        self.0.state.lock().expect("no thread panics while it holds this lock")
    }
}

impl ClockState {
    fn read(&mut self, pair: ClockPair) -> (ClockReading, Option<ClockStep>) {
        let (reading, step) = self.follower.read(pair);
        if let Some(step) = step {
            let from = match step {
                ClockStep::Forward(by) => reading.now - by,
                ClockStep::Back(by) => reading.now + by,
            };
            self.steps += 1;
            self.jumps.truncate(KEPT_JUMPS - 1);
            self.jumps.push_front(ClockJump { from, to: reading.now });
        }
        (reading, step)
    }
}

/// The time of day by the system's clock, whatever time the service has: for what must agree with other machines.
pub fn wall_clock() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

/// Reads both clocks at nearly the same moment.
fn read_both(started: Instant) -> ClockPair {
    let mut best: Option<(Duration, ClockPair)> = None;
    for _ in 0..MAX_READINGS {
        let before = started.elapsed();
        let wall = wall_clock();
        let steady = started.elapsed();
        let apart = steady - before;
        if best.is_none_or(|(least, _)| apart < least) {
            best = Some((apart, ClockPair { wall, steady }));
        }
        if apart <= MAX_APART {
            break;
        }
    }
    best.expect("there is at least one reading").1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The state of a clock whose wall clock is this far ahead of the monotonic one, and was read before.
    fn read(state: &mut ClockState, steady: u64, ahead: i64) -> ClockReading {
        let steady = Duration::from_secs(steady);
        let wall = Timestamp::from_nanos(steady.as_nanos() as i64 + ahead * 1_000_000_000);
        state.read(ClockPair { wall, steady }).0
    }

    fn clock() -> Clock {
        let clock = Clock::system(ClockMetrics::default());
        let pair = ClockPair { wall: Timestamp::from_nanos(0), steady: Duration::ZERO };
        clock.state().follower = WallFollower::new(pair);
        clock
    }

    fn seconds(jump: &ClockJump) -> [i64; 2] {
        [jump.from, jump.to].map(Timestamp::seconds)
    }

    #[test]
    fn each_step_of_the_clock_is_told_once_to_each_that_asks() {
        let clock = clock();
        assert_eq!(clock.jumps_after(0), (vec![], 0));
        read(&mut clock.state(), 10, 3_600);
        read(&mut clock.state(), 20, 3_600);
        let (jumps, seen) = clock.jumps_after(0);
        assert_eq!(jumps.iter().map(seconds).collect::<Vec<_>>(), [[10, 3_610]]);

        read(&mut clock.state(), 30, 0);
        read(&mut clock.state(), 31, -7);

        let (jumps, seen) = clock.jumps_after(seen);
        assert_eq!(jumps.iter().map(seconds).collect::<Vec<_>>(), [[3_620, 30], [30, 24]]);
        assert_eq!(clock.jumps_after(seen), (vec![], 3));
    }

    #[test]
    fn a_pause_of_the_process_and_a_step_that_is_held_are_not_told() {
        let clock = clock();

        read(&mut clock.state(), 60, 0);
        read(&mut clock.state(), 61, -2);
        read(&mut clock.state(), 62, 0);

        assert_eq!(clock.jumps_after(0), (vec![], 0));
    }

    #[test]
    fn of_many_steps_the_latest_are_told() {
        let clock = clock();
        for step in 1..=50 {
            read(&mut clock.state(), step, 100 * step as i64);
        }

        let (jumps, seen) = clock.jumps_after(0);

        assert_eq!((jumps.len(), seen), (KEPT_JUMPS, 50));
        assert_eq!(seconds(&jumps[KEPT_JUMPS - 1]), [4_950, 5_050]);
    }
}
