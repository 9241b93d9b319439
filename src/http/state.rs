use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix::Recipient;
use actix_web::HttpRequest;

use super::limits::HttpLimits;
use crate::archive::Archive;
use crate::auth::{AllowedOrigins, KeyStore, PublicHosts, TrustedProxies};
use crate::clock::Clock;
#[cfg(feature = "nats")]
use crate::cluster::ClusterOverview;
use crate::faults::Faults;
use crate::feed::{ControlReplay, FeedProgress};
use crate::hub::Hub;
use crate::limits::{AnswerCapacity, SessionCapacity};
use crate::metrics::Metrics;
use crate::model::{Epoch, MarketHours};
use crate::session::{Limits, OutboxLimits};
use crate::source::SymbolDemand;

/// What all handlers share, on all workers.
pub struct AppState {
    /// The epoch of the sequence numbers.
    pub epoch: Epoch,
    /// How far the feed is.
    pub progress: FeedProgress,
    /// The clock of time stamps.
    pub clock: Clock,
    /// When the market is open.
    pub hours: MarketHours,
    /// The retained history.
    pub archive: Arc<Archive>,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// The limits of one session.
    pub limits: Limits,
    /// The limits of one session's outbox.
    pub outbox: OutboxLimits,
    /// The keys for sessions and REST; `None` if no key is required.
    pub keys: Option<Arc<KeyStore>>,
    /// The origins whose pages may open sessions and read REST.
    pub origins: AllowedOrigins,
    /// The names of this server.
    pub hosts: PublicHosts,
    /// The proxies whose `X-Forwarded-For` and `Forwarded` headers are believed.
    pub proxies: TrustedProxies,
    /// How many more sessions may be opened.
    pub capacity: SessionCapacity,
    /// How many more bytes of REST responses may be under way.
    pub answers: AnswerCapacity,
    /// Whether there is an echo.
    pub echo: EchoMode,
    /// The limits of requests and connections.
    pub http: HttpLimits,
    /// Whether new sessions are accepted.
    pub readiness: Readiness,
    /// The faults that are made on purpose, if any.
    pub faults: Option<Faults>,
    /// Where the events come from.
    pub source: SourceKind,
    /// What is known of the cluster, if the node is part of one.
    #[cfg(feature = "nats")]
    pub cluster: Option<ClusterOverview>,
    /// The symbols that are wanted of the source, if it gives them on demand.
    pub demand: Option<SymbolDemand>,
    /// Where commands for the replay are sent, if the market is one.
    pub replay: Option<Recipient<ControlReplay>>,
}

/// Where the events of a node come from when it numbers them, or leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// The simulator.
    Simulation,
    /// A recording or a journal.
    Replay,
    /// Another server.
    Upstream,
    /// Another node: this one is a gateway.
    Cluster,
}

impl SourceKind {
    /// The name in `/status`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Simulation => "simulation",
            Self::Replay => "replay",
            Self::Upstream => "upstream",
            Self::Cluster => "cluster",
        }
    }
}

/// Whether `/echo` answers, and with which limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EchoMode {
    /// There is no such path.
    Off,
    /// With the limits of the stream.
    On,
    /// With those that a conformance suite needs: see
    /// [`for_conformance`](crate::session::Limits::for_conformance).
    Conformance,
}

/// Whether the service accepts new sessions, and why not. Clones share the answer.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<ReadinessState>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum ReadinessState {
    #[default]
    Starting,
    Ready,
    Withheld(String),
    Ended,
}

impl Readiness {
    /// Accepts new sessions from now on, unless it has ended.
    pub fn begin(&self) {
        self.set(ReadinessState::Ready);
    }

    /// Refuses new sessions for this reason, until it begins again.
    pub fn withhold(&self, reason: &str) {
        self.set(ReadinessState::Withheld(reason.to_owned()));
    }

    /// Refuses new sessions for ever.
    pub fn end(&self) {
        self.set(ReadinessState::Ended);
    }

    /// Whether new sessions are accepted.
    pub fn is_ready(&self) -> bool {
        *self.state() == ReadinessState::Ready
    }

    /// Why no new sessions are accepted, if there is more to say.
    pub fn reason(&self) -> Option<String> {
        match &*self.state() {
            ReadinessState::Withheld(reason) => Some(reason.clone()),
            _ => None,
        }
    }

    fn set(&self, state: ReadinessState) {
        let mut present = self.state();
        if *present != ReadinessState::Ended {
            *present = state;
        }
    }

    fn state(&self) -> MutexGuard<'_, ReadinessState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hub of the worker that serves this request.
pub(super) fn hub_of(request: &HttpRequest) -> Rc<Hub> {
    Rc::clone(request.app_data::<Rc<Hub>>().expect("`routes` adds the worker's hub to the application"))
}

#[cfg(test)]
impl AppState {
    /// A ready server of three instruments without keys.
    pub(super) fn for_tests() -> Self {
        use crate::archive::Retention;
        use crate::limits::CapacityLimits;
        let universe = Arc::new(crate::source::universe(3, 1));
        let state = Self {
            epoch: Epoch::default(),
            progress: FeedProgress::default(),
            clock: Clock::system(crate::metrics::ClockMetrics::default()),
            hours: MarketHours::Continuous,
            archive: Arc::new(Archive::new(universe.len(), Retention::default())),
            metrics: Arc::default(),
            limits: Limits::default(),
            outbox: OutboxLimits::default(),
            keys: None,
            origins: AllowedOrigins::Own(Vec::new()),
            hosts: PublicHosts::default(),
            proxies: TrustedProxies::default(),
            capacity: SessionCapacity::new(CapacityLimits { sessions: 9, per_address: 9 }),
            answers: AnswerCapacity::default(),
            echo: EchoMode::On,
            http: HttpLimits::default(),
            readiness: Readiness::default(),
            faults: None,
            source: SourceKind::Simulation,
            #[cfg(feature = "nats")]
            cluster: None,
            demand: None,
            replay: None,
        };
        state.readiness.begin();
        state
    }
}
