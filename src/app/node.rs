//! The market of a node among others: it follows the feed of the leader, or leads.

use std::sync::Arc;

use super::StartError;
use super::backfill::backfill;
#[cfg(feature = "relay")]
use super::leaders::RelayLeader;
use super::leaders::{LeaderParts, ReplayLeader, SimulatedLeader};
use super::market::{Market, MarketCluster, followed_archive, new_epochs, replay_hours};
#[cfg(feature = "relay")]
use super::market::{number_origin, symbol_demand};
use super::resume::resume;
use crate::auth::KeyStore;
use crate::clock::Clock;
use crate::cluster::{
    ClusterFeed, ClusterFeedMetrics, ClusterFeedParts, ClusterSettings, LeaderFeed, NodeDemand, NodeTopics,
};
use crate::config::Config;
#[cfg(feature = "relay")]
use crate::config::NamedUpstream;
use crate::faults::Faults;
use crate::feed::EarlierRun;
use crate::journal::NumberOrigin;
use crate::metrics::Metrics;
use crate::model::{Epoch, MarketHours, Universe};
#[cfg(feature = "relay")]
use crate::relay::UpstreamFeed;
#[cfg(feature = "relay")]
use crate::source::SymbolDemand;
use crate::source::{Listings, MarketClock};
use crate::topics::Presence;

/// The market of a node with these settings, whose feed is ready to start.
pub(super) fn join(
    settings: &ClusterSettings,
    config: &Config,
    clock: Clock,
    metrics: &Metrics,
    faults: Option<&Faults>,
    keys: Option<&KeyStore>,
) -> Result<Market, StartError> {
    let symbols = if config.simulates() { config.symbols } else { 0 };
    let archive = Arc::new(followed_archive(config, config.retention, symbols));
    let namespaces = Arc::new(config.topics.clone());
    archive.retain_topics(Arc::clone(&namespaces));
    let topics = NodeTopics { namespaces, presence: Presence::default() };
    let demand = node_demand(config);
    let market_clock = market_clock(config);
    let (journal, earlier) = match &config.journal {
        None => (None, EarlierRun::none(Epoch::new(rand::random()))),
        Some(settings) => {
            let (now, can_continue) = (clock.now(), |known: &Universe| can_continue(config, known));
            let seed = |until| {
                if config.simulates() {
                    let listings = Listings::new(config.symbols, config.simulation.seed);
                    backfill(&archive, listings, config.simulation, until);
                }
            };
            let (numbers, metrics) = (numbers(config), metrics.journal());
            let (journal, earlier) = resume(settings, &archive, can_continue, numbers, seed, now, metrics)?;
            (Some(journal), earlier)
        }
    };
    let universe = Arc::clone(&earlier.universe);
    let leader = || {
        let parts = LeaderParts {
            archive: Arc::clone(&archive),
            clock: clock.clone(),
            spans: config.spans,
            metrics: metrics.feed(),
            faults: faults.cloned(),
        };
        leader(parts, config, metrics, demand.as_ref(), market_clock.as_ref())
    };
    let parts = ClusterFeedParts {
        settings: settings.clone(),
        leader: settings.role.may_lead().then(leader).transpose()?,
        archive: Arc::clone(&archive),
        earlier,
        metrics: ClusterFeedMetrics { cluster: metrics.cluster(), feed: metrics.feed() },
        node: rand::random(),
        sessions: metrics.sessions(),
        demand: demand.clone(),
        keys: keys.map(KeyStore::sessions),
        topics: topics.clone(),
        clock,
        new_epoch: new_epochs(),
    };
    let (source, thread) = ClusterFeed::start(parts).map_err(StartError::Thread)?;
    let cluster = MarketCluster {
        thread,
        overview: source.overview(),
        publisher: source.publisher(),
        presence: topics.presence,
    };
    Ok(Market {
        universe,
        archive,
        progress: source.progress(),
        source: Box::new(source),
        journal,
        hours: hours(config),
        market_clock,
        demand: demand.map(|demand| demand.sessions),
        cluster: Some(cluster),
    })
}

/// Whether an upstream or the leader numbers the objects of the cluster.
fn numbers(config: &Config) -> NumberOrigin {
    #[cfg(feature = "relay")]
    if let Some(NamedUpstream { settings, .. }) = config.upstreams.first() {
        return number_origin(settings);
    }
    #[cfg(not(feature = "relay"))]
    let _ = config;
    NumberOrigin::Feed
}

/// Whether the feed with which this node leads can continue these instruments of its journal.
fn can_continue(config: &Config, known: &Universe) -> bool {
    #[cfg(feature = "relay")]
    if !config.upstreams.is_empty() {
        return UpstreamFeed::can_continue(known);
    }
    Listings::new(config.symbols, config.simulation.seed).universe().has_instruments_of(known)
}

/// What the node leads with.
fn leader(
    parts: LeaderParts,
    config: &Config,
    metrics: &Metrics,
    demand: Option<&NodeDemand>,
    market_clock: Option<&MarketClock>,
) -> Result<Box<dyn LeaderFeed>, StartError> {
    #[cfg(feature = "relay")]
    if let Some(NamedUpstream { feed, settings }) = config.upstreams.first() {
        let (upstream, demand) = (metrics.upstream_of(*feed), demand.map(|demand| demand.all.clone()));
        let (settings, market_clock) = (settings.clone(), market_clock.cloned().unwrap_or_default());
        return Ok(Box::new(RelayLeader { settings, upstream, demand, market_clock, parts }));
    }
    #[cfg(not(feature = "relay"))]
    let _ = (demand, market_clock);
    if let Some(settings) = &config.replay {
        let leader = ReplayLeader::open(parts, settings.clone(), config.retention, metrics.replay())?;
        return Ok(Box::new(leader));
    }
    Ok(Box::new(SimulatedLeader { symbols: config.symbols, simulation: config.simulation, parts }))
}

/// What the sessions of this node and those of all want of an upstream that is asked for that. A gateway has the options
/// of the upstream too, and does not connect to it.
fn node_demand(config: &Config) -> Option<NodeDemand> {
    #[cfg(feature = "relay")]
    if let Some(NamedUpstream { settings, .. }) = config.upstreams.first() {
        return symbol_demand(settings).map(|all| NodeDemand { sessions: SymbolDemand::of_node(&all), all });
    }
    #[cfg(not(feature = "relay"))]
    let _ = config;
    None
}

/// What the upstream tells of its hours, when this node leads.
fn market_clock(config: &Config) -> Option<MarketClock> {
    #[cfg(feature = "relay")]
    if !config.upstreams.is_empty() {
        return Some(MarketClock::default());
    }
    #[cfg(not(feature = "relay"))]
    let _ = config;
    None
}

fn hours(config: &Config) -> MarketHours {
    match &config.replay {
        Some(settings) => replay_hours(settings),
        None if config.simulates() => MarketHours::Continuous,
        None => MarketHours::Exchange,
    }
}
