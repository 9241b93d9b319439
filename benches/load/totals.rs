//! The sums of a run over all threads, as the runner gathers them and the report reads them.

use std::time::Duration;

use super::shares::{Server, ThreadTime};
use super::tally::{Roll, Tally};

/// The sums of a run.
pub(crate) struct Totals {
    /// What was received during the measurement.
    pub(crate) measured: Tally,
    pub(crate) crews: Vec<CrewTotals>,
    pub(crate) server: Option<Server>,
    /// From the first connect until every session was open or refused.
    pub(crate) opening: Duration,
}

/// The sums of one thread.
#[derive(Default)]
pub(crate) struct CrewTotals {
    pub(crate) roll: Roll,
    /// During the measurement.
    pub(crate) time: ThreadTime,
}

impl Totals {
    pub(crate) fn new(threads: usize, server: Option<Server>) -> Self {
        Self {
            measured: Tally::default(),
            crews: (0..threads).map(|_| CrewTotals::default()).collect(),
            server,
            opening: Duration::ZERO,
        }
    }

    /// The sessions of all threads.
    pub(crate) fn roll(&self) -> Roll {
        let mut all = Roll::default();
        self.crews.iter().for_each(|crew| all.absorb(&crew.roll));
        all
    }
}
