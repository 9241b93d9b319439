//! One run from the first connect to the report: sets the phases, gathers the beats, shows progress.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use std::{io, thread};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::config::Load;
use super::crew::{Baton, Beat, Crew, Phase};
use super::plan::Breadth;
use super::proc::Usage;
use super::report::Report;
use super::shares::Server;
use super::tally::Tally;
use super::totals::Totals;

/// Opening all sessions may take so long; then the run goes on with those that are open.
const OPENING_LIMIT: Duration = Duration::from_secs(120);

/// Files this process needs beside its sessions: standard streams, polls, /proc.
const SPARE_FILES: u64 = 64;

/// Why there is no report.
#[derive(Debug)]
pub(crate) enum RunError {
    /// The server could not be asked for its symbols.
    Symbols(io::Error),
    /// The market is smaller than the subscription.
    TooFewSymbols { wanted: usize, market: usize },
    /// This process may not open so many sockets.
    TooFewFiles { wanted: u64, limit: u64 },
    /// A thread could not poll.
    Poll(io::Error),
    /// Not one session came to its acknowledgement: why, and how many.
    NobodyIn(BTreeMap<String, u64>),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symbols(error) => write!(f, "cannot ask the server for /v2/assets: {error}"),
            Self::TooFewSymbols { wanted, market } => {
                write!(f, "--symbols {wanted}, but the server has only {market}")
            }
            Self::TooFewFiles { wanted, limit } => {
                write!(f, "{wanted} open files are needed, but the hard limit is {limit} (ulimit -Hn)")
            }
            Self::Poll(error) => write!(f, "cannot poll: {error}"),
            Self::NobodyIn(refused) => write!(f, "no session was opened: {refused:?}"),
        }
    }
}

/// Runs the load; `progress` is told a line about every second.
pub(crate) fn conduct(load: &mut Load, mut progress: impl FnMut(&str)) -> Result<Report, RunError> {
    raise_file_limit((load.readers + load.stalled) as u64 + SPARE_FILES)?;
    if let Breadth::Some(wanted) = load.plan.breadth {
        load.plan.symbols = load.target.fetch_symbols().map_err(RunError::Symbols)?;
        let market = load.plan.symbols.len();
        if market < wanted {
            return Err(RunError::TooFewSymbols { wanted, market });
        }
    }
    let load = &*load;
    let baton = Baton::new();
    let (beats, beaten) = channel();
    let mut runner = Runner::new(load);
    thread::scope(|scope| {
        let crews: Vec<_> = (0..load.threads)
            .map(|number| {
                let (beats, baton) = (beats.clone(), &baton);
                scope.spawn(move || Crew::new(load, number)?.work(baton, &beats))
            })
            .collect();
        drop(beats);
        let outcome = runner.play(&baton, &beaten, &mut progress);
        baton.set(Phase::Over);
        for crew in crews {
            crew.join().expect("a crew does not panic").map_err(RunError::Poll)?;
        }
        outcome
    })?;
    runner.take_in_all(&beaten);
    Ok(Report::new(load, runner.totals))
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

/// A run under way.
struct Runner<'a> {
    load: &'a Load,
    totals: Totals,
    /// Since the last progress line, whatever the phase.
    recent: Tally,
    recent_since: Instant,
}

impl<'a> Runner<'a> {
    fn new(load: &'a Load) -> Self {
        let server = load.server_pid.and_then(Usage::of).map(Server::new);
        Self {
            load,
            totals: Totals::new(load.threads, server),
            recent: Tally::default(),
            recent_since: Instant::now(),
        }
    }

    /// Opening until all are settled, then warm-up, then the measurement.
    fn play(
        &mut self,
        baton: &Baton,
        beaten: &Receiver<Beat>,
        progress: &mut impl FnMut(&str),
    ) -> Result<(), RunError> {
        let wanted = (self.load.readers + self.load.stalled) as u64;
        let began = Instant::now();
        let until = began + OPENING_LIMIT;
        self.listen("opening", until, beaten, progress, |runner| runner.totals.roll().settled() >= wanted);
        self.totals.opening = began.elapsed();
        if self.totals.roll().opened == 0 {
            return Err(RunError::NobodyIn(self.totals.roll().refused));
        }
        baton.set(Phase::Warmup);
        self.listen("warm-up", Instant::now() + self.load.warmup, beaten, progress, |_| false);
        self.sample_server(Server::begin);
        baton.set(Phase::Measuring);
        self.listen("measuring", Instant::now() + self.load.seconds, beaten, progress, |_| false);
        self.sample_server(Server::end);
        Ok(())
    }

    /// Gathers beats until `until` or until `enough`.
    fn listen(
        &mut self,
        name: &str,
        until: Instant,
        beaten: &Receiver<Beat>,
        progress: &mut impl FnMut(&str),
        enough: impl Fn(&Self) -> bool,
    ) {
        while !enough(self) {
            let left = until.saturating_duration_since(Instant::now());
            match beaten.recv_timeout(left) {
                Ok(beat) => self.take_in(&beat),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
            if self.recent_since.elapsed() >= Duration::from_secs(1) {
                progress(&self.line(name));
                self.recent = Tally::default();
                self.recent_since = Instant::now();
                self.sample_server(Server::watch);
            }
        }
    }

    fn take_in(&mut self, beat: &Beat) {
        self.recent.absorb(&beat.tally);
        let crew = &mut self.totals.crews[beat.thread];
        crew.roll = beat.roll.clone();
        if beat.phase == Phase::Measuring {
            crew.time += beat.time;
            self.totals.measured.absorb(&beat.tally);
        }
    }

    fn take_in_all(&mut self, beaten: &Receiver<Beat>) {
        beaten.try_iter().for_each(|beat| self.take_in(&beat));
    }

    fn sample_server(&mut self, note: impl FnOnce(&mut Server, Usage)) {
        if let (Some(server), Some(pid)) = (&mut self.totals.server, self.load.server_pid)
            && let Some(usage) = Usage::of(pid)
        {
            note(server, usage);
        }
    }

    fn line(&self, name: &str) -> String {
        let seconds = self.recent_since.elapsed().as_secs_f64();
        let rate = |count: u64| count as f64 / seconds;
        // Before the measurement "so far" is the last second.
        let latency = if self.totals.measured.objects > 0 { &self.totals.measured } else { &self.recent };
        let quantile_ms = |quantile| latency.latency_us.value_at_quantile(quantile) as f64 / 1e3;
        format!(
            "{name:9} {:6} sessions {:9.0} frames/s {:9.0} objects/s {:7.1} MB/s   p50 {:.2} ms   p99 {:.2} ms",
            self.totals.roll().open(),
            rate(self.recent.frames),
            rate(self.recent.objects),
            rate(self.recent.bytes) / 1e6,
            quantile_ms(0.5),
            quantile_ms(0.99),
        )
    }
}
