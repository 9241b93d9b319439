use std::time::{Duration, Instant, SystemTime};

use crate::model::Timestamp;

/// Wall-clock time that does not jump: one reading of the wall clock, plus monotonic time since then.
///
/// Event stamps stay in order when the machine's clock is set. The price is that they differ from the
/// wall clock by every later correction of it.
#[derive(Clone, Copy, Debug)]
pub(in crate::source) struct SteadyClock {
    started_at: Timestamp,
    started: Instant,
}

impl SteadyClock {
    pub(in crate::source) fn start() -> Self {
        Self { started_at: Timestamp::from(SystemTime::now()), started: Instant::now() }
    }

    /// The wall clock's reading at the start.
    pub(in crate::source) fn started_at(&self) -> Timestamp {
        self.started_at
    }

    pub(in crate::source) fn now(&self) -> Timestamp {
        self.started_at + self.started.elapsed()
    }

    /// The time until the next multiple of `period` since the Unix epoch.
    pub(in crate::source) fn until_next(&self, period: Duration) -> Duration {
        let nanos = period.as_nanos() as i64;
        Duration::from_nanos((nanos - self.now().nanos().rem_euclid(nanos)) as u64)
    }
}
