use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::ClientAddress;

/// Long work gets at most a fifth of a worker's time; work that arrives faster waits.
///
/// Measured with 50 connections that sent REST requests without pause next to 50 sessions: without the
/// queue the stream's p99 latency doubled. A larger share answers REST faster and delays ticks more.
const SHARE_DIVISOR: u32 = 5;

/// Debt below this causes no wait, because timers are no finer. Ticks can be late by this much.
const BURST: Duration = Duration::from_micros(200);

/// The time a job takes outside its permit: reading, routing and writing.
const OVERHEAD: Duration = Duration::from_micros(50);

/// The most commands and requests of one address that wait on one worker. Beyond it a session is closed with
/// 1013 and a request gets 503 (counter `fair_queue_refused`). Default 256: the address is served in turn
/// with others, so that the last of them waits for seconds already; a larger number only lengthens that.
const MAX_WAITING_PER_ADDRESS: usize = 256;

/// Admits long work on one worker: REST requests, long commands, and pieces of long answers.
///
/// Jobs run one at a time, and take no more than a fifth of the worker's time together; the rest is for the
/// stream. Addresses take turns, so that one that asks for much waits for itself: a job of another address
/// waits for at most one job of each address before it.
pub struct FairQueue {
    line: RefCell<WaitingLine>,
    debt: Cell<Debt>,
}

/// The address has as many jobs in the queue as one may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FairQueueFull;

/// Permission to do one piece of long work; dropping it admits the next.
#[derive(Debug)]
#[must_use]
pub struct WorkPermit {
    turn: WorkTurn,
    /// `None` during a pause.
    began: Option<Instant>,
}

/// The place at the head of the queue. Dropping it admits the next job.
struct WorkTurn(Rc<FairQueue>);

#[derive(Debug, Default)]
struct WaitingLine {
    is_busy: bool,
    /// The jobs of each address that has any, in order of arrival.
    waiting: FxHashMap<ClientAddress, VecDeque<oneshot::Sender<WorkTurn>>>,
    /// The addresses that have jobs, in the order in which they are served.
    order: VecDeque<ClientAddress>,
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
        Rc::new(Self { line: RefCell::default(), debt })
    }

    /// Waits until this client may work. It may for as long as it keeps the permit.
    ///
    /// # Errors
    /// When the address has as many jobs in the queue as one may have.
    pub fn acquire(
        self: &Rc<Self>,
        client: ClientAddress,
    ) -> Result<impl Future<Output = WorkPermit> + use<>, FairQueueFull> {
        let waiting = self.line.borrow().waiting.get(&client).map_or(0, VecDeque::len);
        if waiting >= MAX_WAITING_PER_ADDRESS {
            return Err(FairQueueFull);
        }
        Ok(self.acquire_unbounded(client))
    }

    /// Like [`acquire`](Self::acquire), for work of which each session has at most one piece in the queue.
    pub fn acquire_unbounded(
        self: &Rc<Self>,
        client: ClientAddress,
    ) -> impl Future<Output = WorkPermit> + use<> {
        let (sender, turn) = oneshot::channel();
        self.line.borrow_mut().push(client, sender);
        self.admit_next();
        let queue = Rc::clone(self);
        async move {
            let turn = turn.await.expect("the queue drops a job that waits only with itself");
            let wait = queue.debt.get().wait(Instant::now());
            if wait > Duration::ZERO {
                sleep(wait).await;
            }
            WorkPermit { turn, began: Some(Instant::now()) }
        }
    }

    /// Gives the turn to the next job, if it is free. Jobs whose client has left are passed over.
    fn admit_next(self: &Rc<Self>) {
        let next = {
            let mut line = self.line.borrow_mut();
            if line.is_busy {
                return;
            }
            let next = line.pop();
            line.is_busy = next.is_some();
            next
        };
        if let Some(next) = next {
            // If it is refused, the turn comes back and is dropped, which admits the one after.
            drop(next.send(WorkTurn(Rc::clone(self))));
        }
    }
}

impl WaitingLine {
    fn push(&mut self, client: ClientAddress, job: oneshot::Sender<WorkTurn>) {
        let jobs = self.waiting.entry(client).or_default();
        if jobs.is_empty() {
            self.order.push_back(client);
        }
        jobs.push_back(job);
    }

    /// The next job that is still wanted; its address goes to the end.
    fn pop(&mut self) -> Option<oneshot::Sender<WorkTurn>> {
        loop {
            let client = self.order.pop_front()?;
            let jobs = self.waiting.get_mut(&client)?;
            let job = std::iter::from_fn(|| jobs.pop_front()).find(|job| !job.is_closed());
            match jobs.is_empty() {
                true => _ = self.waiting.remove(&client),
                false => self.order.push_back(client),
            }
            if job.is_some() {
                return job;
            }
        }
    }
}

impl Drop for WorkTurn {
    fn drop(&mut self) {
        self.0.line.borrow_mut().is_busy = false;
        self.0.admit_next();
    }
}

impl WorkPermit {
    /// Stops the clock: the job waits while others run, and keeps its turn.
    pub fn pause(&mut self) {
        let now = Instant::now();
        if let Some(began) = self.began.take() {
            let debt = &self.turn.0.debt;
            debt.set(debt.get().add(now.saturating_duration_since(began) + OVERHEAD, now));
        }
    }

    /// Starts the clock again.
    pub fn resume(&mut self) {
        self.began = Some(Instant::now());
    }
}

impl Drop for WorkPermit {
    fn drop(&mut self) {
        self.pause();
    }
}

impl fmt::Debug for FairQueue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("FairQueue").field("debt", &self.debt).finish_non_exhaustive()
    }
}

impl fmt::Debug for WorkTurn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("WorkTurn")
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

    const HERE: ClientAddress = ClientAddress(1);
    const THERE: ClientAddress = ClientAddress(2);

    #[actix_web::test]
    async fn jobs_run_one_after_the_other() {
        let queue = FairQueue::new(Instant::now());
        let first = queue.acquire_unbounded(HERE).await;
        let mut second = Box::pin(queue.acquire_unbounded(HERE));
        assert!(second.as_mut().now_or_never().is_none());

        drop(first);

        drop(second.await);
    }

    #[actix_web::test]
    async fn a_client_that_leaves_while_it_waits_or_has_its_turn_blocks_no_other() {
        let queue = FairQueue::new(Instant::now());
        let first = queue.acquire_unbounded(HERE).await;
        let (gone, admitted) = (queue.acquire_unbounded(HERE), queue.acquire_unbounded(HERE));
        let last = queue.acquire_unbounded(THERE);
        drop(gone);
        drop(first);

        drop(admitted);

        drop(last.await);
        assert!(queue.line.borrow().waiting.is_empty() && queue.line.borrow().order.is_empty());
    }

    #[test]
    fn a_newcomer_waits_for_one_job_of_each_address_and_not_for_all_jobs_of_one() {
        let queue = FairQueue::new(Instant::now());
        queue.line.borrow_mut().is_busy = true;
        let places = [(HERE, 1), (HERE, 2), (HERE, 3), (THERE, 1), (ClientAddress(3), 1)];
        let mut jobs = places.map(|(client, number)| {
            let (sender, turn) = oneshot::channel();
            queue.line.borrow_mut().push(client, sender);
            ((client.0, number), turn)
        });

        drop(WorkTurn(Rc::clone(&queue)));
        let order: Vec<_> = std::iter::from_fn(|| {
            let admitted = jobs.iter_mut().find_map(|(place, turn)| Some((*place, turn.try_recv().ok()?)));
            admitted.map(|(place, _turn)| place)
        })
        .collect();

        assert_eq!(order, [(1, 1), (2, 1), (3, 1), (1, 2), (1, 3)]);
    }

    #[test]
    fn an_address_cannot_fill_the_queue_for_others() {
        let queue = FairQueue::new(Instant::now());
        let here: Vec<_> = (0..2 * MAX_WAITING_PER_ADDRESS).map(|_| queue.acquire(HERE)).collect();

        assert_eq!(here.iter().filter(|job| job.is_ok()).count(), MAX_WAITING_PER_ADDRESS + 1);
        assert!(queue.acquire(THERE).is_ok());
        drop(here);
        assert!(queue.acquire(HERE).is_ok());
    }
}
