use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use tracing::warn;

/// A beat at each whole millisecond, for as long as somebody listens. Beats that nobody took in
/// time fall together.
///
/// The timers of the runtime are whole milliseconds after its own start, and the kernel is asked to
/// wake it at the next whole millisecond after that: a tick would lie there for one, and now and then
/// two. A timer of the kernel's own is late by its latency alone, some 50 µs.
pub(super) enum Metronome {
    #[cfg(target_os = "linux")]
    Kernel(kernel::Timer),
    Runtime(tokio::time::Interval),
}

/// A beat of the market's clock.
#[derive(Clone, Copy, Debug)]
pub struct Beat;

impl Metronome {
    /// Beats so far apart, the first one after `first`. Needs a running runtime.
    pub(super) fn new(first: Duration, period: Duration) -> Self {
        Self::kernel(first, period).unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::Unsupported {
                warn!(%error, "no timer of the kernel for the market; ticks will be up to 2 ms late");
            }
            Self::Runtime(tokio::time::interval(period))
        })
    }

    #[cfg(target_os = "linux")]
    fn kernel(first: Duration, period: Duration) -> io::Result<Self> {
        kernel::Timer::new(first, period).map(Self::Kernel)
    }

    #[cfg(not(target_os = "linux"))]
    fn kernel(_: Duration, _: Duration) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Stream for Metronome {
    type Item = Beat;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Beat>> {
        match self.get_mut() {
            #[cfg(target_os = "linux")]
            Self::Kernel(timer) => timer.poll_beat(cx),
            Self::Runtime(interval) => interval.poll_tick(cx).map(|_| Some(Beat)),
        }
    }
}

/// `timerfd_create(2)`: expirations are counted by a descriptor that becomes readable.
#[cfg(target_os = "linux")]
pub(super) mod kernel {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::task::{Context, Poll, ready};
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    use super::Beat;

    pub(in crate::market) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        pub(super) fn new(first: Duration, period: Duration) -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            // Zero would be never.
            let first = first.max(Duration::from_nanos(1));
            let when = Itimerspec { it_interval: timespec(period), it_value: timespec(first) };
            timerfd_settime(&timer, TimerfdTimerFlags::empty(), &when)?;
            #[expect(deprecated, reason = "sound with a descriptor that it owns; its successor is unsafe")]
            AsyncFd::with_interest(timer, Interest::READABLE).map(Self)
        }

        pub(super) fn poll_beat(&self, cx: &mut Context<'_>) -> Poll<Option<Beat>> {
            loop {
                let Ok(mut ready) = ready!(self.0.poll_read_ready(cx)) else { return Poll::Ready(None) };
                let mut expirations = [0; size_of::<u64>()];
                let read = |timer: &AsyncFd<OwnedFd>| Ok(rustix::io::read(timer, &mut expirations)?);
                match ready.try_io(read) {
                    Ok(Ok(_)) => {
                        // Empty until the next expiration: asking again now would be a call for nothing.
                        ready.clear_ready();
                        return Poll::Ready(Some(Beat));
                    }
                    Ok(Err(_)) => return Poll::Ready(None),
                    Err(_would_block) => {}
                }
            }
        }
    }

    fn timespec(duration: Duration) -> Timespec {
        Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: duration.subsec_nanos().into() }
    }
}
