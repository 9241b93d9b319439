//! The runs of a scenario, by pairs.

use serde::Serialize;

use super::figures::Figures;

/// All runs of one scenario.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    pub(crate) pairs: Vec<Pair>,
    /// From which the host took too much.
    pub(crate) disturbed: Vec<Pair>,
    /// Of a restart: how long after the new server listened the last session was back, and the most
    /// that came back within a tenth of a second.
    pub(crate) back_ms: Option<i64>,
    pub(crate) busiest_100ms: Option<u64>,
}

/// A run of the server, and the floor's before it, where it has one.
#[derive(Debug, Serialize)]
pub(crate) struct Pair {
    pub(crate) server: Figures,
    pub(crate) floor: Option<Figures>,
}

impl Outcome {
    pub(crate) fn servers(&self) -> impl Iterator<Item = &Figures> {
        self.pairs.iter().map(|pair| &pair.server)
    }

    pub(crate) fn floors(&self) -> impl Iterator<Item = &Figures> {
        self.pairs.iter().filter_map(|pair| pair.floor.as_ref())
    }
}

impl Pair {
    /// Whether the host took more than so much of the cores while one of them ran.
    pub(crate) fn lost_more_than(&self, percent: u32) -> bool {
        let mut runs = [Some(&self.server), self.floor.as_ref()].into_iter().flatten();
        runs.any(|run| run.stolen_percent > percent.into())
    }
}
