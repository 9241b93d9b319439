use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::log_filter::LogFilter;
use crate::auth::AdminGate;
use crate::hub::HubDirectory;
use crate::model::Timestamp;

/// What the administration shares on all workers.
pub struct Administration {
    /// The hubs of all workers.
    pub hubs: HubDirectory,
    /// Admits administrators.
    pub gate: AdminGate,
    /// The log; `None` where the process sets it up in another way.
    pub log: Option<LogFilter>,
    /// When the service started, by the monotonic clock.
    pub started: Instant,
    /// When the service started, by the wall clock.
    pub started_at: Timestamp,
    /// The number of workers.
    pub workers: usize,
    /// Whether the node is drained.
    pub draining: Draining,
}

/// Whether an operator drains the node.
#[derive(Debug, Default)]
pub struct Draining(AtomicBool);

impl Draining {
    pub(super) fn set(&self, is_draining: bool) {
        self.0.store(is_draining, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
