use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt};

use crate::source::Ticks;
use crate::source::ticks::{ClockTick, MillisecondClock, TickHints};

/// A tick each millisecond, and at once while there is more to publish, which the flag tells.
pub fn replay_ticks(is_eager: &Arc<AtomicBool>) -> Ticks {
    let timer = MillisecondClock::new(MillisecondClock::PERIOD, TickHints::default());
    ReplayTicks { timer, is_eager: Arc::clone(is_eager) }.boxed_local()
}

/// The actor that takes them yields to other tasks after 16.
struct ReplayTicks {
    timer: MillisecondClock,
    is_eager: Arc<AtomicBool>,
}

impl Stream for ReplayTicks {
    type Item = ClockTick;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ClockTick>> {
        if self.is_eager.load(Ordering::Relaxed) {
            return Poll::Ready(Some(ClockTick));
        }
        self.timer.poll_next_unpin(cx)
    }
}
