//! The settings of one run, which the command line fills in and every stage reads.

use std::time::Duration;

use super::plan::Plan;
use super::target::Target;

/// The checked settings of one run.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) url: String,
    pub(crate) target: Target,
    /// Its symbols are still unknown.
    pub(crate) plan: Plan,
    pub(crate) readers: usize,
    pub(crate) stalled: usize,
    pub(crate) at_once: usize,
    pub(crate) threads: usize,
    pub(crate) warmup: Duration,
    pub(crate) seconds: Duration,
    pub(crate) server_pid: Option<u32>,
    /// The `auth` command, if one is to be sent.
    pub(crate) auth: Option<String>,
    pub(crate) as_json: bool,
}
