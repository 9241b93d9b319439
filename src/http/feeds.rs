//! What belongs to one feed, and the feeds of the server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix::Recipient;

use crate::archive::Archive;
#[cfg(feature = "nats")]
use crate::cluster::ClusterOverview;
use crate::feed::{ControlReplay, FeedProgress};
use crate::metrics::UpstreamMetrics;
use crate::model::{Epoch, MarketHours};
use crate::source::SymbolDemand;

/// What all handlers share of one feed, on all workers.
pub struct ServedFeed {
    /// The epoch of the sequence numbers.
    pub epoch: Epoch,
    /// How far the feed is.
    pub progress: FeedProgress,
    /// When the market is open.
    pub hours: MarketHours,
    /// The retained history.
    pub archive: Arc<Archive>,
    /// Whether new sessions are accepted.
    pub readiness: Readiness,
    /// Where the events come from.
    pub source: SourceKind,
    /// The metrics of the upstream, if the events come from one.
    pub upstream: Option<UpstreamMetrics>,
    /// What is known of the cluster, if the node is part of one.
    #[cfg(feature = "nats")]
    pub cluster: Option<ClusterOverview>,
    /// The symbols that are wanted of the source, if it gives them on demand.
    pub demand: Option<SymbolDemand>,
    /// Where commands for the replay are sent, if the market is one.
    pub replay: Option<Recipient<ControlReplay>>,
}

/// The feeds of the server. The first is that of requests that name none.
pub struct Feeds(Vec<Arc<ServedFeed>>);

impl Feeds {
    /// One feed, which serves every name.
    pub fn one(feed: ServedFeed) -> Self {
        Self(vec![Arc::new(feed)])
    }

    /// The feed of a request that names none.
    pub fn default_feed(&self) -> &Arc<ServedFeed> {
        self.0.first().expect("there is always a feed")
    }

    /// Refuses new sessions on all feeds for ever.
    pub fn end(&self) {
        self.0.iter().for_each(|feed| feed.readiness.end());
    }
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

/// Whether a feed accepts new sessions, and why not. Clones share the answer.
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

#[cfg(test)]
impl ServedFeed {
    /// A ready feed of three instruments.
    pub(super) fn for_tests() -> Self {
        let readiness = Readiness::default();
        readiness.begin();
        Self {
            epoch: Epoch::default(),
            progress: FeedProgress::default(),
            hours: MarketHours::Continuous,
            archive: Arc::new(Archive::new(3, crate::archive::Retention::default())),
            readiness,
            source: SourceKind::Simulation,
            upstream: None,
            #[cfg(feature = "nats")]
            cluster: None,
            demand: None,
            replay: None,
        }
    }
}
