//! The hubs of the worker threads.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use actix::{Actor, Recipient};

use super::feed::FeedRuntime;
use crate::clock::Clock;
use crate::config::Config;
use crate::hub::{CloseAll, Hub, HubActor, LivenessTimeouts, WorkerShare};
use crate::metrics::Metrics;
use crate::model::Universe;
use crate::wire::Close;

/// The workers of the server: starts a hub on each of their threads and closes the sessions of all.
#[derive(Clone)]
pub(super) struct WorkerPool {
    feed: Arc<FeedRuntime>,
    metrics: Arc<Metrics>,
    clock: Clock,
    liveness: LivenessTimeouts,
    max_delay: Duration,
    universe: Arc<Universe>,
    hubs: Arc<Mutex<Vec<Recipient<CloseAll>>>>,
    /// The number of hubs started; the next one is the number of the next worker.
    started: Arc<AtomicUsize>,
}

thread_local! {
    /// The hub of this worker thread. A worker has an application for each address and for upgrades, and all
    /// of them must use the same hub.
    static HUB: OnceCell<Rc<Hub>> = const { OnceCell::new() };
}

impl WorkerPool {
    /// A pool whose hubs follow this feed; `universe` holds the instruments of its first batch.
    pub(super) fn new(
        feed: Arc<FeedRuntime>,
        metrics: Arc<Metrics>,
        clock: Clock,
        config: &Config,
        universe: Arc<Universe>,
    ) -> Self {
        Self {
            feed,
            metrics,
            clock,
            liveness: config.liveness,
            max_delay: config.max_delay,
            universe,
            hubs: Arc::default(),
            started: Arc::default(),
        }
    }

    /// The hub of the calling worker thread. The first call starts it.
    pub(super) fn hub(&self) -> Rc<Hub> {
        HUB.with(|hub| Rc::clone(hub.get_or_init(|| self.start_hub())))
    }

    fn start_hub(&self) -> Rc<Hub> {
        let metrics = self.metrics.worker(self.started.fetch_add(1, Ordering::Relaxed));
        let universe = Arc::clone(&self.universe);
        let (clock, now) = (self.clock.clone(), Instant::now());
        let share = WorkerShare::new(metrics, clock, 1, now);
        let hub = Rc::new(Hub::new(universe, self.liveness, self.max_delay, share, now));
        let actor = HubActor::new(Rc::clone(&hub)).start();
        self.hubs().push(actor.clone().recipient());
        self.feed.add_worker(&hub, actor);
        hub
    }

    /// Asks all workers to close their sessions.
    pub(super) fn close_all(&self, reason: Close) {
        for hub in self.hubs().iter() {
            hub.do_send(CloseAll(reason));
        }
    }

    /// The number of open sessions.
    pub(super) fn sessions(&self) -> i64 {
        let workers = 0..self.started.load(Ordering::Relaxed);
        workers.map(|number| self.metrics.worker(number).sessions.get()).sum()
    }

    /// Waits until no session is open, and returns whether that happened before the deadline.
    pub(super) async fn drain(&self, deadline: Instant) -> bool {
        const POLL_INTERVAL: Duration = Duration::from_millis(10);
        while self.sessions() > 0 {
            if Instant::now() >= deadline {
                return false;
            }
            actix_web::rt::time::sleep(POLL_INTERVAL).await;
        }
        true
    }

    fn hubs(&self) -> MutexGuard<'_, Vec<Recipient<CloseAll>>> {
        self.hubs.lock().expect("no thread panics while it holds this lock")
    }
}
