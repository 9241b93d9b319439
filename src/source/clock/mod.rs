//! Clocks of event sources: steady wall-clock time, and a tick at each whole millisecond of it.

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

pub(super) use self::steady::SteadyClock;
#[cfg(target_os = "linux")]
use self::timerfd::TimerFd;

/// A stream of ticks, one at each whole millisecond. Ticks that are not taken in time merge into one.
///
/// The runtime's timer counts whole milliseconds from the runtime's own start, and asks the kernel to wake
/// it at the next whole millisecond after that. An event would wait one millisecond for it, sometimes two. A
/// [kernel timer](TimerFd) of our own fires at the wanted time and compensates for wake-up latency.
pub(super) enum MillisecondClock {
    #[cfg(target_os = "linux")]
    Kernel(TimerFd),
    Runtime(tokio::time::Interval),
}

/// A wake-up of an event source's clock.
#[derive(Clone, Copy, Debug)]
pub struct ClockTick;

/// The number of coming ticks that the clock may skip. The source sets it, the clock takes it.
///
/// A hint: only the kernel timer follows it.
#[derive(Clone, Debug, Default)]
pub(super) struct IdleTicks(Arc<AtomicU32>);

impl IdleTicks {
    pub(super) fn allow(&self, ticks: u32) {
        self.0.store(ticks, Ordering::Relaxed);
    }

    fn take(&self) -> u32 {
        match self.0.load(Ordering::Relaxed) {
            0 => 0,
            _ => self.0.swap(0, Ordering::Relaxed),
        }
    }
}

impl MillisecondClock {
    pub(super) const PERIOD: Duration = Duration::from_millis(1);

    /// A clock whose first tick comes after `first`. Needs a running runtime.
    pub(super) fn new(first: Duration, idle_ticks: IdleTicks) -> Self {
        Self::kernel(first, idle_ticks).unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::Unsupported {
                warn!(%error, "no kernel timer; ticks will be up to 2 ms late");
            }
            Self::runtime()
        })
    }

    #[cfg(target_os = "linux")]
    fn kernel(first: Duration, idle_ticks: IdleTicks) -> io::Result<Self> {
        TimerFd::new(first, Self::PERIOD, idle_ticks).map(Self::Kernel)
    }

    #[cfg(not(target_os = "linux"))]
    fn kernel(_: Duration, _: IdleTicks) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn runtime() -> Self {
        Self::Runtime(tokio::time::interval(Self::PERIOD))
    }
}

impl Stream for MillisecondClock {
    type Item = ClockTick;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ClockTick>> {
        match self.get_mut() {
            #[cfg(target_os = "linux")]
            Self::Kernel(timer) => timer.poll_tick(cx),
            Self::Runtime(interval) => interval.poll_tick(cx).map(|_| Some(ClockTick)),
        }
    }
}
