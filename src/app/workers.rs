//! The hubs of the worker threads.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix::{Actor, Addr};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared, join_all};

use super::feeds::RunningFeed;
use super::service_manager::ServiceThreads;
use crate::clock::Clock;
use crate::config::Config;
use crate::http::WorkerHubs;
use crate::hub::{Hub, HubActor, HubDirectory, LivenessTimeouts, MaxDelay, WorkerShare};
use crate::metrics::Metrics;
use crate::wire::Close;

/// The workers of the server: starts the hubs on each of their threads and closes the sessions of all.
#[derive(Clone)]
pub(super) struct WorkerPool {
    feeds: Arc<[RunningFeed]>,
    metrics: Arc<Metrics>,
    clock: Clock,
    liveness: LivenessTimeouts,
    max_delay: MaxDelay,
    hubs: HubDirectory,
    /// The number of workers started; the next one is the number of the next worker.
    started: Arc<AtomicUsize>,
}

thread_local! {
    /// The hubs of this worker thread. A worker has an application for each address and for upgrades, and all
    /// of them must use the same hubs.
    static HUBS: OnceCell<StartedHubs> = const { OnceCell::new() };
}

/// The hubs of a worker thread.
#[derive(Clone)]
pub(super) struct StartedHubs {
    /// One for each feed.
    pub(super) hubs: Rc<WorkerHubs>,
    /// Ends when all of them have the snapshots of their feeds.
    pub(super) loaded: Shared<LocalBoxFuture<'static, ()>>,
}

impl WorkerPool {
    /// A pool whose hubs follow these feeds.
    pub(super) fn new(feeds: Vec<RunningFeed>, metrics: Arc<Metrics>, clock: Clock, config: &Config) -> Self {
        Self {
            feeds: feeds.into(),
            metrics,
            clock,
            liveness: config.liveness,
            max_delay: config.max_delay,
            hubs: HubDirectory::default(),
            started: Arc::default(),
        }
    }

    /// The hubs of the calling worker thread, one for each feed. The first call starts them.
    pub(super) fn hubs(&self) -> StartedHubs {
        HUBS.with(|hubs| hubs.get_or_init(|| self.start_hubs()).clone())
    }

    /// A pool whose hubs on the calling thread are these, once.
    #[cfg(test)]
    pub(super) fn for_tests(hubs: WorkerHubs) -> Self {
        let clock = Clock::system(crate::metrics::ClockMetrics::default());
        let loaded = std::future::ready(()).boxed_local().shared();
        let started = StartedHubs { hubs: Rc::new(hubs), loaded };
        HUBS.with(|hubs| assert!(hubs.set(started).is_ok(), "a thread has hubs once"));
        Self::new(Vec::new(), Arc::default(), clock, &Config::default())
    }

    fn start_hubs(&self) -> StartedHubs {
        let (clock, now) = (self.clock.clone(), Instant::now());
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let metrics = self.metrics.worker(number);
        let share = WorkerShare::new(metrics, clock, self.feeds.len(), now);
        let start = |feed: &RunningFeed| {
            let universe = Arc::clone(&feed.universe);
            let share = share.of_hub(self.metrics.hub(number, feed.name), feed.runtime.audience());
            let hub = Rc::new(Hub::new(universe, self.liveness, self.max_delay, share, now));
            let actor = HubActor::new(Rc::clone(&hub)).start();
            self.hubs.add(number, feed.name, actor.clone());
            let loaded = feed.runtime.add_worker(&hub, actor);
            ((feed.name, hub), loaded)
        };
        let (hubs, loaded): (Vec<_>, Vec<_>) = self.feeds.iter().map(start).unzip();
        let loaded = join_all(loaded).map(|_| ()).boxed_local().shared();
        StartedHubs { hubs: Rc::new(WorkerHubs::new(hubs)), loaded }
    }

    /// Stops the feeds' own threads.
    pub(super) fn stop_feeds(&self) {
        self.feeds.iter().for_each(|feed| feed.runtime.stop());
    }

    /// Asks all workers to close their sessions.
    pub(super) fn close_all(&self, reason: Close) {
        self.hubs.close_all(reason);
    }

    /// The number of open sessions.
    pub(super) fn sessions(&self) -> i64 {
        let workers = 0..self.started.load(Ordering::Relaxed);
        workers.map(|number| self.metrics.worker(number).sessions.get()).sum()
    }

    /// The threads of the workers and of the feeds.
    pub(super) fn threads(&self) -> ServiceThreads {
        let hubs = self.hubs.actors().into_iter().map(Addr::recipient).collect::<Vec<_>>();
        let feeds = self.feeds.iter().map(|feed| feed.runtime.liveness());
        ServiceThreads(hubs.into_iter().chain(feeds).collect())
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

    /// The hubs of all workers.
    pub(super) fn directory(&self) -> HubDirectory {
        self.hubs.clone()
    }
}
