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

use super::TickHints;
use super::wake_latency::WakeLatency;
use crate::model::SECOND;

/// A periodic kernel timer (`timerfd_create(2)`) that compensates for wake-up latency.
///
/// A task runs 10 µs after the timer interrupt on bare metal, and 60 µs after it under a hypervisor. The
/// timer is therefore set early, by the 10th percentile of recent [wake-up latencies](WakeLatency). If we
/// wake early we spin until the deadline: one time in ten, for at most 100 µs. KVM advances its guests'
/// timers for the same reason (`lapic_timer_advance_ns`).
pub(in crate::source) struct TimerFd {
    descriptor: AsyncFd<OwnedFd>,
    /// The deadline of the newest tick, on the monotonic clock.
    deadline_ns: i64,
    period_ns: i64,
    /// How much earlier than the deadline the timer is set.
    lead_ns: i64,
    latency: WakeLatency,
    ticks: u32,
    hints: TickHints,
}

/// Wake-ups between two adjustments of the lead: one system call a second.
const TICKS_PER_ADJUSTMENT: u32 = 1_000;

impl TimerFd {
    pub(super) fn new(first: Duration, period: Duration, hints: TickHints) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let descriptor = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let mut timer = Self::over(descriptor, first, period, hints)?;
        timer.arm(0)?;
        Ok(timer)
    }

    /// A timer over this descriptor, not yet armed.
    pub(super) fn over(
        descriptor: OwnedFd,
        first: Duration,
        period: Duration,
        hints: TickHints,
    ) -> io::Result<Self> {
        #[expect(deprecated, reason = "sound with a descriptor that it owns; its successor is unsafe")]
        let descriptor = AsyncFd::with_interest(descriptor, Interest::READABLE)?;
        let period_ns = period.as_nanos() as i64;
        Ok(Self {
            descriptor,
            deadline_ns: now_ns() + first.as_nanos() as i64 - period_ns,
            period_ns,
            lead_ns: 0,
            latency: WakeLatency::default(),
            ticks: 0,
            hints,
        })
    }

    /// Waits for the next tick.
    ///
    /// # Errors
    /// When the kernel refuses to set the timer or to read it. The timer is of no use any more.
    pub(super) fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let skipped = self.hints.take_skipped();
        if let Some(first) = self.hints.take_realign() {
            self.deadline_ns = now_ns() + first.as_nanos() as i64 - self.period_ns;
            self.arm(0)?;
        } else if skipped > 0 {
            self.arm(skipped)?;
        }
        loop {
            let mut ready = ready!(self.descriptor.poll_read_ready(cx))?;
            let mut expirations = [0; size_of::<u64>()];
            let read = |timer: &AsyncFd<OwnedFd>| Ok(rustix::io::read(timer, &mut expirations)?);
            if let Ok(read) = ready.try_io(read) {
                read?;
                // Empty until the next expiration: another read now would be a system call for nothing.
                ready.clear_ready();
                return Poll::Ready(self.woken());
            }
        }
    }

    /// Records the wake-up's latency, and spins until the tick's deadline if it was early.
    fn woken(&mut self) -> io::Result<()> {
        let late_ns = now_ns() + self.lead_ns - self.deadline_ns;
        // Ticks that were not taken in time merge into the newest.
        self.deadline_ns += late_ns - late_ns % self.period_ns;
        self.latency.record(late_ns % self.period_ns);
        self.ticks += 1;
        if self.ticks.is_multiple_of(TICKS_PER_ADJUSTMENT) {
            self.arm(0)?;
        }
        while now_ns() < self.deadline_ns {
            std::hint::spin_loop();
        }
        Ok(())
    }

    /// Sets the timer to the next tick after `skipped` others, and to every period from there.
    fn arm(&mut self, skipped: u32) -> io::Result<()> {
        self.lead_ns = self.latency.p10_ns();
        let next_ns = self.deadline_ns + self.period_ns * (1 + i64::from(skipped)) - self.lead_ns;
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
    fn no_tick_comes_before_its_deadline_with_a_lead_or_after_skipped_ticks() {
        actix::System::new().block_on(async {
            let period = Duration::from_millis(1);
            let mut timer = TimerFd::new(period, period, TickHints::default()).unwrap();

            for _ in 0..2 * TICKS_PER_ADJUSTMENT {
                poll_fn(|cx| timer.poll_tick(cx)).await.unwrap();

                assert!(now_ns() >= timer.deadline_ns, "early with a lead of {} ns", timer.lead_ns);
            }

            timer.hints.skip(3);
            let before_ns = timer.deadline_ns;
            poll_fn(|cx| timer.poll_tick(cx)).await.unwrap();
            assert!(timer.deadline_ns - before_ns >= 4 * timer.period_ns && now_ns() >= timer.deadline_ns);
            assert!(timer.lead_ns > 0, "no wake-up was late");
        });
    }

    #[test]
    fn the_next_tick_after_the_clock_was_set_begins_the_new_phase() {
        actix::System::new().block_on(async {
            let period = Duration::from_millis(1);
            let mut timer = TimerFd::new(period, period, TickHints::default()).unwrap();
            let first = Duration::from_micros(300);

            let earliest_ns = now_ns() + first.as_nanos() as i64;
            timer.hints.realign(first);
            let polled = poll_fn(|cx| Poll::Ready(timer.poll_tick(cx))).await;
            let latest_ns = now_ns() + first.as_nanos() as i64;

            assert!(!matches!(polled, Poll::Ready(Err(_))));
            assert!((earliest_ns..=latest_ns).contains(&(timer.deadline_ns + timer.period_ns)));
        });
    }
}
