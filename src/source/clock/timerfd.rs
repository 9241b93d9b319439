use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::wake_latency::WakeLatency;
use super::{ClockTick, IdleTicks};
use crate::model::SECOND;

/// `timerfd_create(2)`: expirations are counted by a descriptor that becomes readable.
///
/// From the interrupt until somebody runs it takes 10 µs on bare metal and 60 µs under a hypervisor. So it is
/// set that much too early: for [nine in ten](Lateness) still too late, and who comes too early waits the
/// few microseconds with open eyes. KVM advances its guests' timers for the same reason
/// (`lapic_timer_advance_ns`).
pub(in crate::source) struct TimerFd {
    descriptor: AsyncFd<OwnedFd>,
    /// When the newest beat was due, on the monotonic clock.
    due_ns: i64,
    period_ns: i64,
    /// By how much it is set too early.
    lead_ns: i64,
    lateness: WakeLatency,
    beats: u32,
    rest: IdleTicks,
}

/// It is set anew after so many beats: a call of the kernel a second.
const STEADY_BEATS: u32 = 1_000;

impl TimerFd {
    pub(super) fn new(first: Duration, period: Duration, rest: IdleTicks) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        #[expect(deprecated, reason = "sound with a descriptor that it owns; its successor is unsafe")]
        let descriptor = AsyncFd::with_interest(timer, Interest::READABLE)?;
        let period_ns = period.as_nanos() as i64;
        let mut timer = Self {
            descriptor,
            due_ns: now_ns() + first.as_nanos() as i64 - period_ns,
            period_ns,
            lead_ns: 0,
            lateness: WakeLatency::default(),
            beats: 0,
            rest,
        };
        timer.set(0)?;
        Ok(timer)
    }

    pub(super) fn poll_beat(&mut self, cx: &mut Context<'_>) -> Poll<Option<ClockTick>> {
        let left_out = self.rest.take();
        if left_out > 0 && self.set(left_out).is_err() {
            return Poll::Ready(None);
        }
        loop {
            let Ok(mut ready) = ready!(self.descriptor.poll_read_ready(cx)) else { return Poll::Ready(None) };
            let mut expirations = [0; size_of::<u64>()];
            let read = |timer: &AsyncFd<OwnedFd>| Ok(rustix::io::read(timer, &mut expirations)?);
            match ready.try_io(read) {
                Ok(Ok(_)) => {
                    // Empty until the next expiration: asking again now would be a call for nothing.
                    ready.clear_ready();
                    return Poll::Ready(self.woken().ok().map(|()| ClockTick));
                }
                Ok(Err(_)) => return Poll::Ready(None),
                Err(_would_block) => {}
            }
        }
    }

    /// Waits for what is left until the beat's own time, if anything, and learns from it.
    fn woken(&mut self) -> io::Result<()> {
        let late_ns = now_ns() + self.lead_ns - self.due_ns;
        // Beats that nobody took fall together.
        self.due_ns += late_ns - late_ns % self.period_ns;
        self.lateness.enter(late_ns % self.period_ns);
        self.beats += 1;
        if self.beats.is_multiple_of(STEADY_BEATS) {
            self.set(0)?;
        }
        while now_ns() < self.due_ns {
            std::hint::spin_loop();
        }
        Ok(())
    }

    /// Beats from the next one on, but for so many.
    fn set(&mut self, left_out: u32) -> io::Result<()> {
        self.lead_ns = self.lateness.least_ns();
        let next_ns = self.due_ns + self.period_ns * (1 + i64::from(left_out)) - self.lead_ns;
        let when = Itimerspec { it_interval: timespec(self.period_ns), it_value: timespec(next_ns) };
        timerfd_settime(&self.descriptor, TimerfdTimerFlags::ABSTIME, &when)?;
        Ok(())
    }
}

fn now_ns() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * SECOND + now.tv_nsec
}

fn timespec(ns: i64) -> Timespec {
    Timespec { tv_sec: ns / SECOND, tv_nsec: ns % SECOND }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    #[test]
    fn no_beat_comes_before_its_time_however_early_the_timer_is_set_or_in_a_rest() {
        actix::System::new().block_on(async {
            let period = Duration::from_millis(1);
            let mut timer = TimerFd::new(period, period, IdleTicks::default()).unwrap();

            for _ in 0..2 * STEADY_BEATS {
                poll_fn(|cx| timer.poll_beat(cx)).await.unwrap();

                assert!(now_ns() >= timer.due_ns, "set {} ns too early", timer.lead_ns);
            }

            timer.rest.allow(3);
            let before_ns = timer.due_ns;
            poll_fn(|cx| timer.poll_beat(cx)).await.unwrap();
            assert!(timer.due_ns - before_ns >= 4 * timer.period_ns && now_ns() >= timer.due_ns);
            assert!(timer.lead_ns > 0, "no wake-up was late");
        });
    }
}
