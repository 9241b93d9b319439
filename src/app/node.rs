//! The market of a node among others: it follows the feed of the leader, or leads with the simulator.

use std::sync::Arc;

use super::StartError;
use super::backfill::backfill;
use super::market::{Market, distort, ends, last_trade_id, new_epochs};
use crate::archive::Archive;
use crate::clock::Clock;
use crate::cluster::{
    ClusterFeed, ClusterFeedMetrics, ClusterFeedParts, ClusterSettings, Followed, LeaderFeed, least_number,
};
use crate::config::Config;
use crate::faults::Faults;
use crate::feed::{BarSpans, BatchSource, LastValues, SequencedFeed, Sequencer};
use crate::metrics::{FeedMetrics, Metrics};
use crate::model::{Epoch, MarketHours};
use crate::source::{Listings, SimulatedMarket, SimulationSettings};

/// The market of a node with these settings, whose feed is ready to start.
pub(super) fn join(
    settings: &ClusterSettings,
    config: &Config,
    clock: Clock,
    metrics: &Metrics,
    faults: Option<&Faults>,
) -> Result<Market, StartError> {
    let archive = Arc::new(Archive::new(config.symbols, config.retention));
    let leader = || SimulatedLeader {
        symbols: config.symbols,
        simulation: config.simulation,
        spans: config.spans,
        archive: Arc::clone(&archive),
        clock: clock.clone(),
        metrics: metrics.feed(),
        faults: faults.cloned(),
    };
    let parts = ClusterFeedParts {
        settings: settings.clone(),
        leader: settings.role.may_lead().then(|| Box::new(leader()) as Box<dyn LeaderFeed>),
        archive: Arc::clone(&archive),
        clock: clock.clone(),
        metrics: ClusterFeedMetrics { cluster: metrics.cluster(), feed: metrics.feed() },
        node: rand::random(),
        new_epoch: new_epochs(),
    };
    let (source, thread) = ClusterFeed::start(parts).map_err(StartError::Thread)?;
    Ok(Market {
        universe: Arc::default(),
        archive,
        progress: source.progress(),
        source: Box::new(source),
        journal: None,
        hours: MarketHours::Continuous,
        cluster: Some(thread),
    })
}

/// Leads with the simulator.
struct SimulatedLeader {
    symbols: usize,
    simulation: SimulationSettings,
    spans: BarSpans,
    archive: Arc<Archive>,
    clock: Clock,
    metrics: FeedMetrics,
    faults: Option<Faults>,
}

impl LeaderFeed for SimulatedLeader {
    /// Continues as after a restart with a journal, or begins with a simulated history.
    fn begin(
        &mut self,
        followed: Option<Followed<'_>>,
        epoch: Epoch,
    ) -> Result<Box<dyn BatchSource>, String> {
        let now = self.clock.now();
        let listings = Listings::new(self.symbols, self.simulation.seed);
        let (listings, last_values) = match followed {
            None => {
                let listings = backfill(&self.archive, listings, self.simulation, now);
                (listings, LastValues::default())
            }
            Some(Followed { universe, last_values }) => {
                if !listings.universe().begins_with(universe) {
                    return Err("--symbols and --seed are not those of the earlier leader".to_owned());
                }
                self.archive.take_over(listings.universe());
                let ends = ends(&self.archive, &listings);
                (listings.following(&ends), last_values.clone())
            }
        };
        let universe = Arc::clone(listings.universe());
        let mut events = SimulatedMarket::new(&listings, self.simulation, self.clock.clone());
        events.resume_trade_ids(universe.iter().map(|instrument| last_trade_id(&last_values, instrument.id)));
        let from = if last_values.batch() == 0 { now } else { last_values.watermark() };
        let sequencer = Sequencer::new(universe, self.spans, epoch, from)
            .resume(&self.archive)
            .resume_last_values(&last_values)
            .numbering_from(least_number(now));
        let events = distort(Box::new(events), self.faults.as_ref());
        let archive = Arc::clone(&self.archive);
        Ok(Box::new(SequencedFeed::new(events, sequencer, archive, self.metrics.clone()).resume(last_values)))
    }
}
