//! The results of a scenario: its runs, in pairs.

use serde::Serialize;

use super::metrics::RunMetrics;

/// All runs of one scenario.
#[derive(Debug, Serialize)]
pub(crate) struct ScenarioResult {
    pub(crate) name: &'static str,
    pub(crate) pairs: Vec<Pair>,
    /// Pairs that were set aside because of too much steal time.
    pub(crate) disturbed: Vec<Pair>,
}

/// A run of the server, and the run of the floor before it, if the scenario has one.
#[derive(Debug, Serialize)]
pub(crate) struct Pair {
    pub(crate) server: RunMetrics,
    pub(crate) floor: Option<RunMetrics>,
}

impl ScenarioResult {
    pub(crate) fn servers(&self) -> impl Iterator<Item = &RunMetrics> {
        self.pairs.iter().map(|pair| &pair.server)
    }

    pub(crate) fn floors(&self) -> impl Iterator<Item = &RunMetrics> {
        self.pairs.iter().filter_map(|pair| pair.floor.as_ref())
    }
}

impl Pair {
    /// Whether the steal time of a run exceeds this percentage of one core.
    pub(crate) fn exceeds_steal(&self, percent: u32) -> bool {
        let mut runs = [Some(&self.server), self.floor.as_ref()].into_iter().flatten();
        runs.any(|run| run.steal_percent > percent.into())
    }
}
