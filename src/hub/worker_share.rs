use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use super::BacklogLimits;
use crate::clock::Clock;
use crate::feed::Audience;
use crate::limits::FairQueue;
use crate::metrics::{BusyTime, HubMetrics, WorkerMetrics};

/// What the hubs of one worker have in common: a worker has a hub for each feed.
///
/// Clients wait in one fair queue, whichever feed they ask for, because they share the time of one thread. What may wait
/// in outboxes is divided among the hubs.
#[derive(Clone)]
pub struct WorkerShare {
    pub(super) metrics: WorkerMetrics,
    pub(super) hub_metrics: HubMetrics,
    pub(super) audience: Audience,
    pub(super) clock: Clock,
    pub(super) busy_time: BusyTime,
    pub(super) fair_queue: Rc<FairQueue>,
    pub(super) backlog: BacklogLimits,
    /// The number of the newest session.
    numbers: Rc<Cell<u64>>,
}

impl WorkerShare {
    /// The share of each of this number of hubs of the calling thread.
    pub fn new(metrics: WorkerMetrics, clock: Clock, hubs: usize, now: Instant) -> Self {
        let BacklogLimits { worker, address } = BacklogLimits::default();
        let backlog = BacklogLimits { worker: worker / hubs, address: address / hubs };
        Self {
            metrics,
            hub_metrics: HubMetrics::default(),
            audience: Audience::default(),
            clock,
            busy_time: BusyTime::of_this_thread(),
            fair_queue: FairQueue::new(now),
            backlog,
            numbers: Rc::default(),
        }
    }

    /// The number of the next session of the worker.
    pub(super) fn next_number(&self) -> u64 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    /// The same, with these totals.
    #[cfg(test)]
    pub(crate) fn with_backlog(self, backlog: BacklogLimits) -> Self {
        Self { backlog, ..self }
    }

    /// The share of the hub that has these metrics, and counts its sessions among these.
    #[must_use]
    pub fn of_hub(&self, hub_metrics: HubMetrics, audience: Audience) -> Self {
        Self { hub_metrics, audience, ..self.clone() }
    }
}
