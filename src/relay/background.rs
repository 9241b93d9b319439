//! What a relay asks the REST of its upstream in the background, on a thread of its own: history, assets, the clock.

use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustc_hash::FxHashSet;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{info, warn};

use super::assets::AssetDirectory;
use super::back_off::{BackOff, Jitter};
use super::history_plan::{HistoryJob, HistoryPlan};
use super::rest::{RestError, RowsQuery, UpstreamRest, UpstreamRows};
use super::rest_budget::Priority;
use super::settings::DelayRange;
use crate::archive::Archive;
use crate::clock::Clock;
use crate::metrics::UpstreamMetrics;
use crate::model::{Bar, Body, SymbolId, Universe};
use crate::source::{MarketClock, SymbolDemand};

/// How often new instruments are looked for: those that come together are asked for together.
const LISTING_INTERVAL: Duration = Duration::from_secs(1);

/// How often the assets are asked for.
const ASSETS_INTERVAL: Duration = Duration::from_hours(24);

/// How old the clock of the upstream may be.
const CLOCK_INTERVAL: Duration = Duration::from_mins(1);

/// The shortest time between two requests for the clock.
const SHORTEST_CLOCK_INTERVAL: Duration = Duration::from_secs(1);

/// The pauses after errors.
const PAUSES: DelayRange = DelayRange { first: Duration::from_secs(1), longest: Duration::from_mins(1) };

/// How often a part of the history is asked for before the rest of it is given up.
const MAX_TRIES: usize = 8;

/// The most pages of a part of the history, tries included: minutes of a day that never closes take 15.
const MAX_PAGES: usize = 40;

/// What the background needs.
#[derive(Clone)]
pub(super) struct BackgroundParts {
    pub(super) assets: AssetDirectory,
    /// Where the history goes; the instruments are those that it lists.
    pub(super) history: Arc<Archive>,
    /// The symbols that are wanted, if only the history of these is.
    pub(super) demand: Option<SymbolDemand>,
    pub(super) market_clock: MarketClock,
    pub(super) clock: Clock,
    pub(super) metrics: UpstreamMetrics,
}

/// Starts the thread; it ends when the sender of `on_stop` is dropped.
pub(super) fn start(
    rest: impl FnOnce() -> UpstreamRest + Send + 'static,
    parts: BackgroundParts,
    mut on_stop: watch::Receiver<()>,
) {
    let run = move || {
        let Ok(runtime) = actix_web::rt::Runtime::new() else {
            return warn!("no runtime for the REST of the upstream: there is no history");
        };
        runtime.block_on(async move {
            let rest = Rc::new(rest());
            let tasks = async {
                let mut history = HistoryTask::new(Rc::clone(&rest), parts.clone());
                tokio::join!(history.run(), follow_clock(&rest, &parts), follow_assets(&rest, &parts));
            };
            tokio::select! {
                _ = on_stop.changed() => {}
                () = tasks => {}
            }
        });
    };
    if let Err(error) = thread::Builder::new().name("upstream-rest".to_owned()).spawn(run) {
        warn!("the thread for the REST of the upstream does not start: {error}");
    }
}

/// Keeps the clock of the upstream up to date.
async fn follow_clock(rest: &UpstreamRest, parts: &BackgroundParts) {
    let mut pauses = BackOff::new(PAUSES);
    loop {
        match rest.clock().await {
            Ok(schedule) => {
                let now = parts.clock.now();
                parts.market_clock.tell(schedule, now + CLOCK_INTERVAL + SHORTEST_CLOCK_INTERVAL);
                let changes_in = schedule.changes_at().nanos_since(now).max(0) as u64;
                // Asked anew when the market opens or closes.
                sleep(CLOCK_INTERVAL.min(Duration::from_nanos(changes_in)).max(SHORTEST_CLOCK_INTERVAL))
                    .await;
                pauses.reset();
            }
            Err(RestError::Absent) => return,
            Err(_) => sleep(pauses.next(Jitter::NONE)).await,
        }
    }
}

/// Keeps the assets of the upstream up to date; the first ones are asked for by the connection.
async fn follow_assets(rest: &UpstreamRest, parts: &BackgroundParts) {
    loop {
        sleep(ASSETS_INTERVAL).await;
        let mut pauses = BackOff::new(PAUSES);
        while let Err(error) = ask_for_assets(rest, &parts.assets, Priority::Background).await
            && !matches!(error, RestError::Absent)
        {
            sleep(pauses.next(Jitter::NONE)).await;
        }
    }
}

/// Asks for the assets, once.
pub(super) async fn ask_for_assets(
    rest: &UpstreamRest,
    assets: &AssetDirectory,
    priority: Priority,
) -> Result<(), RestError> {
    let answer = rest.assets(priority).await;
    if matches!(answer, Err(RestError::Absent)) {
        assets.settle_without();
    }
    let count = assets.learn(&answer?).map_err(|error| RestError::Invalid(error.to_string()))?;
    info!(count, "the upstream tells the names of instruments");
    Ok(())
}

/// Asks for the history of each instrument once.
struct HistoryTask {
    rest: Rc<UpstreamRest>,
    parts: BackgroundParts,
    plan: HistoryPlan,
    asked: FxHashSet<SymbolId>,
    /// What was found since the plan was empty.
    round: HistoryRound,
}

#[derive(Debug)]
struct HistoryRound {
    began: Instant,
    requests: usize,
    bars: usize,
}

impl HistoryRound {
    fn new() -> Self {
        Self { began: Instant::now(), requests: 0, bars: 0 }
    }
}

impl HistoryTask {
    fn new(rest: Rc<UpstreamRest>, parts: BackgroundParts) -> Self {
        let (plan, asked) = (HistoryPlan::default(), FxHashSet::default());
        Self { rest, parts, plan, asked, round: HistoryRound::new() }
    }

    /// Runs until the upstream turns out to have no history.
    async fn run(&mut self) {
        loop {
            self.look_for_instruments();
            let Some(job) = self.plan.next() else {
                sleep(LISTING_INTERVAL).await;
                continue;
            };
            match self.carry_out(&job).await {
                Ok(rows) => {
                    let retained = self.parts.history.most_minutes();
                    self.plan.found(job, rows, retained);
                }
                Err(RestError::Absent) => {
                    info!("the upstream has no history");
                    self.parts.metrics.history_pending.set(0);
                    return pending().await;
                }
                Err(error) => {
                    let instruments = job.symbols.len();
                    warn!(instruments, "the history of the upstream is not complete: {error}");
                }
            }
            self.tell_progress();
        }
    }

    /// Plans the history of the instruments that are new.
    fn look_for_instruments(&mut self) {
        let universe = self.parts.history.universe();
        let wanted: Vec<_> = match &self.parts.demand {
            None => universe.iter().skip(self.asked.len()).map(|instrument| instrument.id).collect(),
            Some(demand) => demand.requested().iter().filter_map(|symbol| universe.find(symbol)).collect(),
        };
        let new: Vec<_> = wanted.into_iter().filter(|id| self.asked.insert(*id)).collect();
        if new.is_empty() {
            return;
        }
        if self.plan.pending() == 0 {
            self.round = HistoryRound::new();
        }
        self.plan.add(&new, self.parts.clock.now());
        self.parts.metrics.history_pending.set(self.plan.pending() as i64);
    }

    fn tell_progress(&mut self) {
        let pending = self.plan.pending();
        if pending == 0 {
            self.parts.history.complete_history();
            let HistoryRound { began, requests, bars } = self.round;
            let seconds = began.elapsed().as_secs_f64();
            info!(
                instruments = self.asked.len(),
                requests, bars, seconds, "the history of the upstream is here"
            );
        }
        self.parts.metrics.history_pending.set(pending as i64);
    }

    /// Asks for all pages of a job, and adds them to the archive; the number of rows.
    async fn carry_out(&mut self, job: &HistoryJob) -> Result<usize, RestError> {
        let universe = self.parts.history.universe();
        let (from, to) = job.times();
        let symbols = job.symbols.iter().map(|id| universe.instrument(*id).symbol).collect();
        let mut query = RowsQuery { kind: job.kind(), symbols, from, to, page: None };
        let mut bars = Vec::new();
        let (mut pages, mut tries, mut pauses) = (0, 0, BackOff::new(PAUSES));
        loop {
            self.round.requests += 1;
            pages += 1;
            if pages > MAX_PAGES {
                return Err(RestError::Invalid("there are too many pages".to_owned()));
            }
            match self.rest.rows(&query, Priority::Background).await {
                Ok(page) => {
                    bars.extend(page.rows.iter().filter_map(|row| {
                        let id = universe.find(&row.symbol)?;
                        match row.body(id) {
                            Body::Bar(bar) => Some(bar),
                            _ => None,
                        }
                    }));
                    match page.next {
                        Some(next) => query.page = Some(next),
                        None => break,
                    }
                }
                Err(error @ RestError::Absent) => return Err(error),
                Err(error) => {
                    tries += 1;
                    if tries == MAX_TRIES {
                        return Err(error);
                    }
                    sleep(pauses.next(Jitter::NONE)).await;
                }
            }
        }
        self.add(job.kind(), &universe, &mut bars);
        Ok(bars.len())
    }

    /// Adds bars to the archive, instrument by instrument.
    fn add(&mut self, kind: UpstreamRows, universe: &Universe, bars: &mut [Bar]) {
        bars.sort_unstable_by_key(|bar| (bar.symbol, bar.start));
        for of_one in bars.chunk_by(|one, next| one.symbol == next.symbol) {
            let symbol = of_one[0].symbol;
            debug_assert!(symbol.index() < universe.len());
            let (days, minutes): (&[Bar], &[Bar]) = match kind {
                UpstreamRows::Days => (of_one, &[]),
                UpstreamRows::Minutes | UpstreamRows::Trades => (&[], of_one),
            };
            self.parts.history.add_history(symbol, days, minutes);
        }
        self.round.bars += bars.len();
        self.parts.metrics.history_bars.inc_by(bars.len() as u64);
    }
}
