//! The results of a scenario: its runs, in pairs.

use serde::Serialize;

use super::metrics::RunMetrics;

/// All runs of one scenario.
#[derive(Debug, Serialize)]
pub(crate) struct ScenarioResult {
    pub(crate) name: &'static str,
    pub(crate) reference: Option<ReferenceKind>,
    pub(crate) pairs: Vec<Pair>,
    /// Pairs that were set aside because of too much steal time.
    pub(crate) disturbed: Vec<Pair>,
}

/// The kind of server that the measured server is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReferenceKind {
    Floor,
    Baseline,
}

impl ReferenceKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Baseline => "baseline",
        }
    }
}

/// A run of the server, and the run of the reference before it, if there is one.
#[derive(Debug, Serialize)]
pub(crate) struct Pair {
    pub(crate) server: RunMetrics,
    pub(crate) reference: Option<RunMetrics>,
}

impl ScenarioResult {
    pub(crate) fn servers(&self) -> impl Iterator<Item = &RunMetrics> {
        self.pairs.iter().map(|pair| &pair.server)
    }

    pub(crate) fn references(&self) -> impl Iterator<Item = &RunMetrics> {
        self.pairs.iter().filter_map(|pair| pair.reference.as_ref())
    }
}

impl Pair {
    /// Whether the steal time of a run exceeds this percentage of one core.
    pub(crate) fn exceeds_steal(&self, percent: u32) -> bool {
        let mut runs = [Some(&self.server), self.reference.as_ref()].into_iter().flatten();
        runs.any(|run| run.steal_percent > percent.into())
    }
}
