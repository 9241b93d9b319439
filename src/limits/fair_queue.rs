use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

/// Long work gets at most a fifth of a worker's time; work that arrives faster waits.
///
/// Measured with 50 connections that sent REST requests without pause next to 50 sessions: without the
/// queue the stream's p99 latency doubled. A larger share answers REST faster and delays ticks more.
const SHARE_DIVISOR: u32 = 5;

/// Debt below this causes no wait, because timers are no finer. Ticks can be late by this much.
const BURST: Duration = Duration::from_micros(200);

/// The time a job takes outside its permit: reading, routing and writing.
const OVERHEAD: Duration = Duration::from_micros(50);

/// Admits long work on one worker: REST requests and long commands.
///
/// Jobs run one at a time, in order of arrival, and take no more than a fifth of the worker's time
/// together; the rest is for the stream. Its length is bounded by the number of connections: each has at
/// most one job in it. It has no counter.
#[derive(Debug)]
pub struct FairQueue {
    semaphore: Arc<Semaphore>,
    debt: Cell<Debt>,
}

/// Permission to do one piece of long work; dropping it admits the next.
#[derive(Debug)]
#[must_use]
pub struct WorkPermit {
    queue: Rc<FairQueue>,
    began: Instant,
    _permit: OwnedSemaphorePermit,
}

/// The time that long work has used and not yet paid back. Each second pays back the share of one second.
#[derive(Clone, Copy, Debug)]
struct Debt {
    owed: Duration,
    at: Instant,
}

impl Debt {
    fn at(self, now: Instant) -> Self {
        let paid = now.saturating_duration_since(self.at) / SHARE_DIVISOR;
        Self { owed: self.owed.saturating_sub(paid), at: now }
    }

    /// How long the next job has to wait.
    fn wait(self, now: Instant) -> Duration {
        match self.at(now).owed {
            owed if owed < BURST => Duration::ZERO,
            owed => owed * SHARE_DIVISOR,
        }
    }

    fn add(self, used: Duration, now: Instant) -> Self {
        let before = self.at(now);
        Self { owed: before.owed + used, ..before }
    }
}

impl FairQueue {
    /// An empty queue.
    pub fn new(now: Instant) -> Rc<Self> {
        let debt = Cell::new(Debt { owed: Duration::ZERO, at: now });
        Rc::new(Self { semaphore: Arc::new(Semaphore::new(1)), debt })
    }

    /// Waits until the caller may work. It may for as long as it keeps the permit.
    pub async fn acquire(self: Rc<Self>) -> WorkPermit {
        let permit = Arc::clone(&self.semaphore).acquire_owned().await;
        let permit = permit.expect("the semaphore is never closed");
        let wait = self.debt.get().wait(Instant::now());
        if wait > Duration::ZERO {
            sleep(wait).await;
        }
        WorkPermit { queue: self, began: Instant::now(), _permit: permit }
    }
}

impl Drop for WorkPermit {
    fn drop(&mut self) {
        let now = Instant::now();
        let used = now.saturating_duration_since(self.began) + OVERHEAD;
        let debt = &self.queue.debt;
        debt.set(debt.get().add(used, now));
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn debt_is_paid_back_as_time_passes() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let none = Debt { owed: Duration::ZERO, at: start };
        assert_eq!(none.wait(start), Duration::ZERO);

        let debt = none.add(Duration::from_millis(3), start);

        assert_eq!(debt.wait(start), Duration::from_millis(15));
        assert_eq!(debt.wait(after(5)), Duration::from_millis(10));
        assert_eq!(debt.wait(after(15)), Duration::ZERO);
    }

    #[actix_web::test]
    async fn jobs_run_one_after_the_other() {
        let queue = FairQueue::new(Instant::now());
        let first = Rc::clone(&queue).acquire().await;
        let mut second = Box::pin(Rc::clone(&queue).acquire());
        assert!(second.as_mut().now_or_never().is_none());

        drop(first);

        drop(second.await);
    }
}
