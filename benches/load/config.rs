//! The settings of one run: the command line fills them in, every stage reads them.

use std::time::Duration;

use super::broker::Dialect;
use super::target::Target;
use super::workload::Workload;

/// The validated settings of one run.
#[derive(Debug)]
pub(crate) struct LoadConfig {
    pub(crate) urls: Vec<String>,
    /// The servers, at least one.
    pub(crate) targets: Vec<Target>,
    pub(crate) dialect: Dialect,
    /// Its list of symbols is empty until the runner fetches it, unless `--universe` named them.
    pub(crate) workload: Workload,
    pub(crate) readers: usize,
    pub(crate) stalled: usize,
    /// The maximum number of sessions that are opening at the same time.
    pub(crate) max_opening: usize,
    pub(crate) threads: usize,
    pub(crate) warmup: Duration,
    pub(crate) duration: Duration,
    pub(crate) server_pid: Option<u32>,
    /// The `auth` command, if the session authenticates.
    pub(crate) auth: Option<String>,
    pub(crate) output: OutputFormat,
}

impl LoadConfig {
    /// The server of a session: another one for each of its connections.
    pub(crate) fn target(&self, session: usize, reconnects: usize) -> &Target {
        &self.targets[(session + reconnects) % self.targets.len()]
    }
}

/// The format of the report on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputFormat {
    Text,
    Json,
}
