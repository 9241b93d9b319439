//! The millisecond clock of the simulated market.

mod steady;
#[cfg(target_os = "linux")]
mod timerfd;
#[cfg(target_os = "linux")]
mod wake_latency;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use tracing::warn;

#[cfg(target_os = "linux")]
use self::timerfd::TimerFd;

pub(super) use self::steady::SteadyClock;

/// A beat at each whole millisecond, for as long as somebody listens. Beats that nobody took in
/// time fall together.
///
/// The timers of the runtime are whole milliseconds after its own start, and the kernel is asked to
/// wake it at the next whole millisecond after that: a tick would lie there for one, and now and then
/// two. A [timer](Timer) of the kernel's own makes even for its own latency.
pub(super) enum MarketClock {
    #[cfg(target_os = "linux")]
    Kernel(TimerFd),
    Runtime(tokio::time::Interval),
}

/// A beat of the market's clock.
#[derive(Clone, Copy, Debug)]
pub struct ClockTick;

/// How many of the next beats may be left out: said by who hears them, heeded by a timer of the kernel's.
#[derive(Clone, Debug, Default)]
pub(super) struct IdleTicks(Arc<AtomicU32>);

impl IdleTicks {
    pub(super) fn allow(&self, beats: u32) {
        self.0.store(beats, Ordering::Relaxed);
    }

    pub(super) fn take(&self) -> u32 {
        match self.0.load(Ordering::Relaxed) {
            0 => 0,
            _ => self.0.swap(0, Ordering::Relaxed),
        }
    }
}

impl MarketClock {
    /// Beats so far apart, the first one after `first`. Needs a running runtime.
    pub(super) fn new(first: Duration, period: Duration, rest: IdleTicks) -> Self {
        Self::kernel(first, period, rest).unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::Unsupported {
                warn!(%error, "no timer of the kernel for the market; ticks will be up to 2 ms late");
            }
            Self::Runtime(tokio::time::interval(period))
        })
    }

    #[cfg(target_os = "linux")]
    fn kernel(first: Duration, period: Duration, rest: IdleTicks) -> io::Result<Self> {
        TimerFd::new(first, period, rest).map(Self::Kernel)
    }

    #[cfg(not(target_os = "linux"))]
    fn kernel(_: Duration, _: Duration, _: IdleTicks) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Stream for MarketClock {
    type Item = ClockTick;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ClockTick>> {
        match self.get_mut() {
            #[cfg(target_os = "linux")]
            Self::Kernel(timer) => timer.poll_beat(cx),
            Self::Runtime(interval) => interval.poll_tick(cx).map(|_| Some(ClockTick)),
        }
    }
}
