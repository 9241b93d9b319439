//! The time of the service: one clock that the market, the feed, REST and heartbeats read.
//!
//! Durations and deadlines do not use it: they are `Instant`s, which no one sets.

mod wall_follower;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use tracing::warn;

use self::wall_follower::{ClockPair, WallFollower};
pub use self::wall_follower::{ClockReading, ClockStep};
use crate::metrics::ClockMetrics;
use crate::model::Timestamp;

/// The system's wall clock without small steps back. Clones are the same clock, on all threads.
///
/// It follows every setting of the system's clock, by hand, by NTP, and after a suspend, by the rules of
/// `WallFollower`. A step is logged and counted once, by the first thread that reads the clock after it.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    started: Instant,
    /// Locked for the 100 ns of a reading, so that readings of all threads are in one order.
    follower: Mutex<WallFollower>,
    metrics: ClockMetrics,
}

/// Between the readings of the two clocks a thread may be preempted. Readings further apart are repeated.
const MAX_APART: Duration = Duration::from_micros(20);

/// The most repetitions: the readings that were closest together count then.
const MAX_READINGS: usize = 5;

impl Clock {
    /// The system's clock, with these counters of its steps.
    pub fn system(metrics: ClockMetrics) -> Self {
        let started = Instant::now();
        let follower = Mutex::new(WallFollower::new(read_both(started)));
        Self(Arc::new(Inner { started, follower, metrics }))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.read().now
    }

    /// The time, and how often the clock was set.
    pub fn read(&self) -> ClockReading {
        let Inner { started, follower, metrics } = &*self.0;
        let (reading, step) = {
            let mut follower = follower.lock().expect("no thread panics while it holds this lock");
            follower.read(read_both(*started))
        };
        if let Some(step) = step {
            let (counter, step_ms) = match step {
                ClockStep::Forward(by) => (&metrics.steps_forward, by.as_millis() as i64),
                ClockStep::Back(by) => (&metrics.steps_back, -(by.as_millis() as i64)),
            };
            counter.inc();
            warn!(step_ms, "the system's clock was set; time stamps follow it");
        }
        reading
    }
}

/// Reads both clocks at nearly the same moment.
fn read_both(started: Instant) -> ClockPair {
    let mut best: Option<(Duration, ClockPair)> = None;
    for _ in 0..MAX_READINGS {
        let before = started.elapsed();
        let wall = Timestamp::from(SystemTime::now());
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
