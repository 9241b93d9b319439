//! The ticks of event sources: one at each whole millisecond of the wall clock.

#[cfg(target_os = "linux")]
mod timerfd;
mod wake;
#[cfg(target_os = "linux")]
mod wake_latency;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
#[cfg(target_os = "linux")]
use std::task::ready;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use tokio::time::MissedTickBehavior;
use tracing::warn;

use crate::model::{MILLISECOND, Timestamp};

#[cfg(target_os = "linux")]
use self::timerfd::TimerFd;
pub use self::wake::Wake;

/// An endless stream of ticks, one at each whole millisecond. Ticks that are not taken in time merge into
/// one.
///
/// The runtime's timer counts whole milliseconds from the runtime's own start, and asks the kernel to wake
/// it at the next whole millisecond after that. An event would wait one millisecond for it, sometimes two. A
/// [kernel timer](TimerFd) of our own fires at the wanted time and compensates for wake-up latency. Where
/// there is none, or when it fails, the runtime's timer has to do.
pub(super) enum MillisecondClock {
    #[cfg(target_os = "linux")]
    Kernel(TimerFd),
    Runtime(tokio::time::Interval),
}

/// A wake-up of an event source's clock.
#[derive(Clone, Copy, Debug)]
pub struct ClockTick;

/// A tick at each whole millisecond of a wall clock that shows this time now.
pub fn millisecond_ticks(now: Timestamp) -> impl Stream<Item = ClockTick> {
    let first = MILLISECOND - now.nanos().rem_euclid(MILLISECOND);
    let first = Duration::from_nanos(first as u64);
    MillisecondClock::new(first, TickHints::default())
}

/// What a source tells its ticks: how many of the coming ones they may skip, and when the next whole millisecond of
/// a wall clock that was set begins. The source sets it, the clock takes it.
///
/// Hints: only the kernel timer follows them.
#[derive(Clone, Debug, Default)]
pub(super) struct TickHints(Arc<Hints>);

#[derive(Debug, Default)]
struct Hints {
    skipped: AtomicU32,
    /// Nanoseconds plus one; 0 is none.
    realign: AtomicU32,
}

impl TickHints {
    pub(super) fn skip(&self, ticks: u32) {
        self.0.skipped.store(ticks, Ordering::Relaxed);
    }

    /// Asks for the next tick after this time, less than a second, and then one each millisecond.
    pub(super) fn realign(&self, first: Duration) {
        self.0.realign.store(first.subsec_nanos() + 1, Ordering::Relaxed);
    }

    fn take_skipped(&self) -> u32 {
        take(&self.0.skipped)
    }

    fn take_realign(&self) -> Option<Duration> {
        take(&self.0.realign).checked_sub(1).map(|nanos| Duration::from_nanos(nanos.into()))
    }
}

fn take(hint: &AtomicU32) -> u32 {
    match hint.load(Ordering::Relaxed) {
        0 => 0,
        _ => hint.swap(0, Ordering::Relaxed),
    }
}

impl MillisecondClock {
    pub(super) const PERIOD: Duration = Duration::from_millis(1);

    /// A clock whose first tick comes after `first`. Needs a running runtime.
    pub(super) fn new(first: Duration, hints: TickHints) -> Self {
        Self::kernel(first, hints).unwrap_or_else(|error| Self::runtime(&error))
    }

    #[cfg(target_os = "linux")]
    fn kernel(first: Duration, hints: TickHints) -> io::Result<Self> {
        TimerFd::new(first, Self::PERIOD, hints).map(Self::Kernel)
    }

    #[cfg(not(target_os = "linux"))]
    fn kernel(_: Duration, _: TickHints) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The clock without a kernel timer, for this reason.
    ///
    /// A clock gets here at most once, so the warning is logged once.
    fn runtime(error: &io::Error) -> Self {
        if error.kind() != io::ErrorKind::Unsupported {
            warn!(%error, "no kernel timer; the runtime's timer takes over, ticks are up to 2 ms late");
        }
        let mut interval = tokio::time::interval(Self::PERIOD);
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Self::Runtime(interval)
    }
}

impl Stream for MillisecondClock {
    type Item = ClockTick;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ClockTick>> {
        match &mut *self {
            #[cfg(target_os = "linux")]
            Self::Kernel(timer) => match ready!(timer.poll_tick(cx)) {
                Ok(()) => Poll::Ready(Some(ClockTick)),
                Err(error) => {
                    *self = Self::runtime(&error);
                    self.poll_next(cx)
                }
            },
            Self::Runtime(interval) => interval.poll_tick(cx).map(|_| Some(ClockTick)),
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use futures_util::StreamExt;

    use super::*;

    /// A clock whose kernel timer is a socket, which cannot be armed, and the socket's peer.
    fn clock_over_a_socket(hints: TickHints) -> (MillisecondClock, UnixStream) {
        let (mut socket, peer) = UnixStream::pair().unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.write_all(b"unread").unwrap();
        let period = MillisecondClock::PERIOD;
        let timer = TimerFd::over(socket.into(), period, period, hints).unwrap();
        (MillisecondClock::Kernel(timer), peer)
    }

    async fn assert_ticks_of_the_runtime(mut clock: MillisecondClock) {
        for _ in 0..3 {
            assert!(clock.next().await.is_some());
            assert!(matches!(clock, MillisecondClock::Runtime(_)));
        }
    }

    #[test]
    fn a_clock_whose_kernel_timer_cannot_be_armed_goes_on_with_the_runtimes_timer() {
        actix::System::new().block_on(async {
            let hints = TickHints::default();
            let (clock, _peer) = clock_over_a_socket(hints.clone());

            // The next tick arms the timer anew.
            hints.skip(3);

            assert_ticks_of_the_runtime(clock).await;
        });
    }

    #[test]
    fn a_clock_whose_kernel_timer_cannot_be_read_goes_on_with_the_runtimes_timer() {
        actix::System::new().block_on(async {
            let (clock, peer) = clock_over_a_socket(TickHints::default());

            // A peer that closes with unread data resets the connection, so the read fails.
            drop(peer);

            assert_ticks_of_the_runtime(clock).await;
        });
    }
}
