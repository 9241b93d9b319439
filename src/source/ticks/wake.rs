use std::sync::Arc;

use futures_util::{StreamExt, stream};
use tokio::sync::Notify;

use super::{ClockTick, MillisecondClock, TickHints};
use crate::source::Ticks;

/// Wakes a source from another thread: it has a tick at each whole millisecond, and one at once when it is woken.
/// Clones wake the same source.
#[derive(Clone, Debug, Default)]
pub struct Wake {
    woken: Arc<Notify>,
    hints: TickHints,
}

impl Wake {
    /// Gives the source a tick now.
    pub fn wake(&self) {
        self.woken.notify_one();
    }

    /// Skips ticks of the clock until the source is woken, for up to 50 ms.
    pub fn skip_idle_ticks(&self) {
        const MAX_SKIPPED_TICKS: u32 = 50;
        self.skip_ticks(MAX_SKIPPED_TICKS);
    }

    /// Skips this number of ticks of the clock, unless the source is woken.
    pub fn skip_ticks(&self, ticks: u32) {
        self.hints.skip(ticks);
    }

    /// The ticks. Needs a running runtime.
    pub fn ticks(&self) -> Ticks {
        let clock = MillisecondClock::new(MillisecondClock::PERIOD, self.hints.clone());
        let woken = stream::unfold(Arc::clone(&self.woken), |woken| async move {
            woken.notified().await;
            Some((ClockTick, woken))
        });
        stream::select(clock, woken.boxed_local()).boxed_local()
    }
}
