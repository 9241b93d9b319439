//! Runs one load test: sets the phases, collects the workers' reports, prints progress.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use std::{io, thread};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::config::LoadConfig;
use super::procfs::ProcessSample;
use super::stats::ReceiveStats;
use super::totals::RunTotals;
use super::usage::ServerSamples;
use super::worker::{Phase, PhaseFlag, Worker, WorkerReport};
use super::workload::SymbolCount;

/// The time limit for opening all sessions; after it the run continues with those that are open.
const OPENING_TIMEOUT: Duration = Duration::from_secs(120);

/// File descriptors needed in addition to the sockets: standard streams, polls, /proc.
const OTHER_FILES: u64 = 64;

/// The reason why a run has no results.
#[derive(Debug)]
pub(crate) enum RunError {
    /// The list of symbols could not be fetched.
    Symbols(io::Error),
    /// The server has fewer symbols than each session subscribes to.
    TooFewSymbols { wanted: usize, available: usize },
    /// The hard limit of open files is below the number of sockets.
    TooFewFiles { wanted: u64, limit: u64 },
    /// A worker could not poll.
    Poll(io::Error),
    /// No session was opened; the reasons, with counts.
    NoSessionOpened { refused: BTreeMap<String, u64> },
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symbols(error) => write!(f, "cannot fetch the symbols from /v2/assets: {error}"),
            Self::TooFewSymbols { wanted, available } => {
                write!(f, "--symbols {wanted}, but the server has only {available}")
            }
            Self::TooFewFiles { wanted, limit } => {
                write!(f, "{wanted} open files are needed, but the hard limit is {limit} (ulimit -Hn)")
            }
            Self::Poll(error) => write!(f, "cannot poll: {error}"),
            Self::NoSessionOpened { refused } => write!(f, "no session was opened: {refused:?}"),
        }
    }
}

/// Runs a load test; `progress` receives one line per second.
pub(crate) fn run(config: &mut LoadConfig, mut progress: impl FnMut(&str)) -> Result<RunTotals, RunError> {
    raise_file_limit((config.readers + config.stalled) as u64 + OTHER_FILES)?;
    let needs_symbols = config.workload.alerts > 0 || config.workload.symbol_count != SymbolCount::All;
    if needs_symbols && config.workload.symbols.is_empty() {
        config.workload.symbols = config.targets[0].fetch_symbols().map_err(RunError::Symbols)?;
    }
    if let SymbolCount::Exactly(wanted) = config.workload.symbol_count {
        let available = config.workload.symbols.len();
        if available < wanted {
            return Err(RunError::TooFewSymbols { wanted, available });
        }
    }
    let config = &*config;
    let phase_flag = PhaseFlag::new();
    let (sender, reports) = channel();
    let mut runner = Runner::new(config);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..config.threads)
            .map(|number| {
                let (sender, phase_flag) = (sender.clone(), &phase_flag);
                scope.spawn(move || Worker::new(config, number)?.run(phase_flag, &sender))
            })
            .collect();
        drop(sender);
        let outcome = runner.run_phases(&phase_flag, &reports, &mut progress);
        phase_flag.set(Phase::Over);
        for worker in workers {
            worker.join().expect("a worker does not panic").map_err(RunError::Poll)?;
        }
        outcome
    })?;
    reports.try_iter().for_each(|report| runner.add(&report));
    Ok(runner.totals)
}

fn raise_file_limit(wanted: u64) -> Result<(), RunError> {
    let now = getrlimit(Resource::Nofile);
    let hard = now.maximum.unwrap_or(u64::MAX);
    if hard < wanted {
        return Err(RunError::TooFewFiles { wanted, limit: hard });
    }
    if now.current.is_some_and(|soft| soft < wanted) {
        let raised = Rlimit { current: Some(wanted), maximum: now.maximum };
        setrlimit(Resource::Nofile, raised).map_err(|_| RunError::TooFewFiles { wanted, limit: hard })?;
    }
    Ok(())
}

/// A run in progress.
struct Runner<'a> {
    config: &'a LoadConfig,
    totals: RunTotals,
    /// Received since the last progress line, in any phase.
    recent: ReceiveStats,
    recent_since: Instant,
}

impl<'a> Runner<'a> {
    fn new(config: &'a LoadConfig) -> Self {
        let server = config.server_pid.and_then(ProcessSample::of).map(ServerSamples::new);
        Self {
            config,
            totals: RunTotals::new(config.threads, server),
            recent: ReceiveStats::default(),
            recent_since: Instant::now(),
        }
    }

    /// Opens all sessions, warms up, and measures.
    fn run_phases(
        &mut self,
        phase_flag: &PhaseFlag,
        reports: &Receiver<WorkerReport>,
        progress: &mut impl FnMut(&str),
    ) -> Result<(), RunError> {
        let wanted = (self.config.readers + self.config.stalled) as u64;
        let started = Instant::now();
        let deadline = started + OPENING_TIMEOUT;
        self.collect("opening", deadline, reports, progress, |runner| {
            runner.totals.sessions().settled() >= wanted
        });
        self.totals.opening = started.elapsed();
        let sessions = self.totals.sessions();
        if sessions.opened == 0 {
            return Err(RunError::NoSessionOpened { refused: sessions.refused });
        }
        phase_flag.set(Phase::Warmup);
        self.collect("warm-up", Instant::now() + self.config.warmup, reports, progress, |_| false);
        self.sample_server(ServerSamples::begin);
        phase_flag.set(Phase::Measuring);
        self.collect("measuring", Instant::now() + self.config.duration, reports, progress, |_| false);
        self.sample_server(ServerSamples::end);
        Ok(())
    }

    /// Collects reports until the deadline or until `is_done`.
    fn collect(
        &mut self,
        phase: &str,
        deadline: Instant,
        reports: &Receiver<WorkerReport>,
        progress: &mut impl FnMut(&str),
        is_done: impl Fn(&Self) -> bool,
    ) {
        while !is_done(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            match reports.recv_timeout(left) {
                Ok(report) => self.add(&report),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
            if self.recent_since.elapsed() >= Duration::from_secs(1) {
                progress(&self.progress_line(phase));
                self.recent = ReceiveStats::default();
                self.recent_since = Instant::now();
                self.sample_server(ServerSamples::update_peak);
            }
        }
    }

    fn add(&mut self, report: &WorkerReport) {
        self.recent.merge(&report.received);
        let worker = &mut self.totals.workers[report.worker];
        worker.sessions = report.sessions.clone();
        if report.phase == Phase::Measuring {
            worker.time += report.time;
            self.totals.received.merge(&report.received);
        }
    }

    fn sample_server(&mut self, record: impl FnOnce(&mut ServerSamples, ProcessSample)) {
        if let (Some(server), Some(pid)) = (&mut self.totals.server, self.config.server_pid)
            && let Some(sample) = ProcessSample::of(pid)
        {
            record(server, sample);
        }
    }

    fn progress_line(&self, phase: &str) -> String {
        let seconds = self.recent_since.elapsed().as_secs_f64();
        let rate = |count: u64| count as f64 / seconds;
        // Latency of the measurement so far; before it, of the last second.
        let measured = &self.totals.received;
        let latency = if measured.objects > 0 { measured } else { &self.recent };
        let quantile_ms = |quantile| latency.latency_us.value_at_quantile(quantile) as f64 / 1e3;
        format!(
            "{phase:9} {:6} sessions {:9.0} frames/s {:9.0} objects/s {:7.1} MB/s   p50 {:.2} ms   p99 {:.2} ms",
            self.totals.sessions().open(),
            rate(self.recent.frames),
            rate(self.recent.objects),
            rate(self.recent.bytes) / 1e6,
            quantile_ms(0.5),
            quantile_ms(0.99),
        )
    }
}
