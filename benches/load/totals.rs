//! The sums of a run over all workers: the runner fills them in, the report reads them.

use std::time::Duration;

use super::stats::{ReceiveStats, SessionStats};
use super::usage::{ServerSamples, ThreadTime};

/// The sums of a run.
pub(crate) struct RunTotals {
    /// Data received during the measurement.
    pub(crate) received: ReceiveStats,
    pub(crate) workers: Vec<WorkerTotals>,
    pub(crate) server: Option<ServerSamples>,
    /// From the first connect until every session was open or refused.
    pub(crate) opening: Duration,
}

/// The sums of one worker.
#[derive(Default)]
pub(crate) struct WorkerTotals {
    pub(crate) sessions: SessionStats,
    /// During the measurement.
    pub(crate) time: ThreadTime,
}

impl RunTotals {
    pub(crate) fn new(workers: usize, server: Option<ServerSamples>) -> Self {
        Self {
            received: ReceiveStats::default(),
            workers: (0..workers).map(|_| WorkerTotals::default()).collect(),
            server,
            opening: Duration::ZERO,
        }
    }

    /// The session events of all workers.
    pub(crate) fn sessions(&self) -> SessionStats {
        let mut all = SessionStats::default();
        self.workers.iter().for_each(|worker| all.merge(&worker.sessions));
        all
    }
}
