//! The feeds of the service: their markets, prepared and started.

use std::sync::Arc;

use super::StartError;
use super::feed::{FaultyDelivery, FeedMonitor, FeedRuntime};
use super::market::Market;
use crate::archive::Archive;
use crate::auth::KeyStore;
use crate::clock::Clock;
#[cfg(feature = "nats")]
use crate::cluster::ClusterThread;
use crate::config::Config;
#[cfg(feature = "relay")]
use crate::config::NamedUpstream;
use crate::faults::Faults;
use crate::feed::{BatchSource, FeedProgress, TopicFeed};
use crate::http::{Readiness, ServedFeed, SourceKind, TopicPublisher, TopicService};
use crate::journal::JournalThread;
use crate::metrics::{FeedMetrics, LatencyMeasurement, Metrics};
use crate::model::{Feed, Universe};
use crate::topics::{Directory, Namespaces, Presence};

/// A feed as workers follow it.
#[derive(Clone)]
pub(super) struct RunningFeed {
    pub(super) name: Feed,
    pub(super) runtime: Arc<FeedRuntime>,
    /// The instruments of its first batch.
    pub(super) universe: Arc<Universe>,
}

/// All feeds, started.
pub(super) struct StartedFeeds {
    /// What handlers share of each.
    pub(super) states: Vec<ServedFeed>,
    pub(super) running: Vec<RunningFeed>,
    pub(super) journal: Option<JournalThread>,
    #[cfg(feature = "nats")]
    pub(super) cluster: Option<ClusterThread>,
}

/// The parts of the service that its feeds need.
#[derive(Clone, Copy)]
pub(super) struct ServiceParts<'a> {
    pub(super) config: &'a Config,
    pub(super) clock: &'a Clock,
    pub(super) metrics: &'a Metrics,
    pub(super) faults: Option<&'a Faults>,
}

impl StartedFeeds {
    /// Prepares the markets, and starts a feed of each when all are prepared.
    pub(super) fn start(parts: ServiceParts<'_>, keys: Option<&KeyStore>) -> Result<Self, StartError> {
        let mut feeds = Self {
            states: Vec::new(),
            running: Vec::new(),
            journal: None,
            #[cfg(feature = "nats")]
            cluster: None,
        };
        for (name, market) in markets(parts, keys)? {
            feeds.add(name, market, parts);
        }
        Ok(feeds)
    }

    fn add(&mut self, name: Feed, market: Market, parts: ServiceParts<'_>) {
        let ServiceParts { config, clock, metrics, faults } = parts;
        let Market { universe, archive, source, progress, journal, hours, market_clock, demand, .. } = market;
        #[cfg(feature = "nats")]
        let cluster = market.cluster;
        // Topics are of one feed, as each session is.
        let has_topics = self.states.is_empty();
        let namespaces = Arc::new(if has_topics { config.topics.clone() } else { Namespaces::default() });
        archive.retain_topics(Arc::clone(&namespaces));
        let topic_parts = (Arc::clone(&universe), Arc::clone(&archive));
        let feed_metrics = metrics.feed_of(name);
        let source = with_topics(source, &namespaces, topic_parts, feed_metrics, progress.clone());
        let epoch = source.epoch();
        let (journal, journal_thread) = journal.map(|journal| (journal.follower, journal.thread)).unzip();
        // The readiness is set before the feed starts, so that it does not hide a feed that ends at once.
        // Requests are answered later, when the server has started.
        let readiness = Readiness::default();
        readiness.begin();
        if let Some(reason) = source.outage() {
            readiness.withhold(reason);
        }
        let FeedMetrics { up, source_to_feed, .. } = metrics.feed_of(name);
        let monitor = FeedMonitor::new(name, up, readiness.clone());
        let monitor = match metrics.measures() {
            LatencyMeasurement::On => monitor.measuring(source_to_feed),
            LatencyMeasurement::Off => monitor,
        };
        let delivery = |faults: &Faults| FaultyDelivery { feed: faults.feed(), clock: clock.clone() };
        let delivery = faults.map(|faults| Box::new(delivery(faults)));
        let runtime =
            Arc::new(FeedRuntime::new(source, journal, config.workers, monitor, delivery, clock.clone()));
        let source = source_kind(config);
        let (publisher, presence) =
            (TopicPublisher::of_feed(runtime.publisher(), runtime.moderator()), Presence::default());
        #[cfg(feature = "nats")]
        let (publisher, presence) = match &cluster {
            Some(cluster) => (cluster.publisher.clone().into(), cluster.presence.clone()),
            None => (publisher, presence),
        };
        #[cfg(feature = "nats")]
        let (thread, overview) = cluster.map(|cluster| (cluster.thread, cluster.overview)).unzip();
        self.states.push(ServedFeed {
            name,
            epoch,
            progress,
            hours,
            market_clock,
            archive,
            readiness,
            source,
            upstream: (source == SourceKind::Upstream).then(|| metrics.upstream_of(name)),
            #[cfg(feature = "nats")]
            cluster: overview,
            demand,
            replay: config.replay.is_some().then(|| runtime.replay_control()),
            topics: (!namespaces.is_empty()).then(|| TopicService { namespaces, presence, publisher }),
        });
        self.running.push(RunningFeed { name, runtime, universe });
        self.journal = self.journal.take().or(journal_thread);
        #[cfg(feature = "nats")]
        {
            self.cluster = self.cluster.take().or(thread);
        }
    }
}

/// The market of each feed: of each upstream if there are several.
fn markets(parts: ServiceParts<'_>, keys: Option<&KeyStore>) -> Result<Vec<(Feed, Market)>, StartError> {
    let ServiceParts { config, clock, metrics, faults } = parts;
    #[cfg(feature = "relay")]
    if config.upstreams.len() > 1 {
        let relay = |upstream: &NamedUpstream| {
            Ok((upstream.feed, Market::relay(config, upstream, clock.clone(), metrics)?))
        };
        return config.upstreams.iter().map(relay).collect();
    }
    let market = Market::prepare(config, clock.clone(), metrics, faults, keys)?;
    Ok(vec![(config.feeds()[0], market)])
}

/// Where the events of the service come from.
fn source_kind(config: &Config) -> SourceKind {
    #[cfg(feature = "nats")]
    if config.cluster.as_ref().is_some_and(|settings| !settings.role.may_lead()) {
        return SourceKind::Cluster;
    }
    match &config.replay {
        Some(_) => SourceKind::Replay,
        None if config.simulates() => SourceKind::Simulation,
        None => SourceKind::Upstream,
    }
}

/// The market's feed with topics, if clients may publish between its batches.
fn with_topics(
    market: Box<dyn BatchSource>,
    namespaces: &Arc<Namespaces>,
    (universe, archive): (Arc<Universe>, Arc<Archive>),
    metrics: FeedMetrics,
    progress: FeedProgress,
) -> Box<dyn BatchSource> {
    if namespaces.is_empty() || !market.may_interleave() {
        return market;
    }
    let directory = Directory::new(Arc::clone(namespaces));
    Box::new(TopicFeed::new(market, directory, universe, archive, metrics, progress))
}
