//! The feeds with which a node leads: the simulator, a recording, the relay of an upstream.

use std::sync::Arc;

use super::StartError;
use super::backfill::backfill;
use super::market::{distort, ends, last_trade_id, new_epochs};
use crate::archive::{Archive, Retention};
use crate::clock::{Clock, wall_clock};
use crate::cluster::{ContinuedFeed, ContinuedFeedParts, Followed, LeaderFeed, least_number};
use crate::faults::Faults;
use crate::feed::{BarSpans, BatchSource, EarlierRun, LastValues, SequencedFeed, Sequencer};
use crate::journal::{JournalFeed, JournalFeedMetrics};
#[cfg(feature = "relay")]
use crate::metrics::UpstreamMetrics;
use crate::metrics::{FeedMetrics, ReplayMetrics};
use crate::model::Epoch;
#[cfg(feature = "relay")]
use crate::relay::{UpstreamFeed, UpstreamParts, UpstreamSettings};
use crate::source::{
    Listings, Recording, ReplayError, ReplaySettings, ReplaySource, SimulatedMarket, SimulationSettings,
};
#[cfg(feature = "relay")]
use crate::source::{MarketClock, SymbolDemand};

/// The parts of a node that its feed needs.
pub(super) struct LeaderParts {
    pub(super) archive: Arc<Archive>,
    pub(super) clock: Clock,
    pub(super) spans: BarSpans,
    pub(super) metrics: FeedMetrics,
    pub(super) faults: Option<Faults>,
}

impl LeaderParts {
    /// What this feed publishes as the continuation of what was followed.
    fn continued(
        &self,
        feed: Box<dyn BatchSource>,
        followed: Option<Followed<'_>>,
        epoch: Epoch,
    ) -> Box<dyn BatchSource> {
        let parts = ContinuedFeedParts {
            feed,
            archive: Arc::clone(&self.archive),
            floor: least_number(wall_clock()),
            epoch,
            new_epochs: new_epochs(),
        };
        Box::new(ContinuedFeed::new(parts, followed))
    }
}

/// Leads with the simulator.
pub(super) struct SimulatedLeader {
    pub(super) symbols: usize,
    pub(super) simulation: SimulationSettings,
    pub(super) parts: LeaderParts,
}

impl LeaderFeed for SimulatedLeader {
    /// Continues as after a restart with a journal, or begins with a simulated history.
    fn begin(
        &mut self,
        followed: Option<Followed<'_>>,
        epoch: Epoch,
    ) -> Result<Box<dyn BatchSource>, String> {
        let now = self.parts.clock.now();
        let listings = Listings::new(self.symbols, self.simulation.seed);
        let (listings, last_values) = match followed {
            None => {
                let listings = backfill(&self.parts.archive, listings, self.simulation, now);
                (listings, LastValues::default())
            }
            Some(Followed { universe, last_values }) => {
                if !listings.universe().has_instruments_of(universe) {
                    return Err("--symbols and --seed are not those of the earlier leader".to_owned());
                }
                self.parts.archive.take_over(listings.universe());
                let ends = ends(&self.parts.archive, &listings);
                (listings.following(&ends), last_values.clone())
            }
        };
        let universe = Arc::clone(listings.universe());
        let mut events = SimulatedMarket::new(&listings, self.simulation, self.parts.clock.clone());
        events.resume_trade_ids(universe.iter().map(|instrument| last_trade_id(&last_values, instrument.id)));
        let from = if last_values.batch() == 0 { now } else { last_values.watermark() };
        let sequencer = Sequencer::new(universe, self.parts.spans, epoch, from)
            .resume(&self.parts.archive)
            .resume_last_values(&last_values)
            .numbering_from(least_number(wall_clock()));
        let events = distort(Box::new(events), self.parts.faults.as_ref());
        let archive = Arc::clone(&self.parts.archive);
        Ok(Box::new(
            SequencedFeed::new(events, sequencer, archive, self.parts.metrics.clone()).resume(last_values),
        ))
    }
}

/// Leads with a recording, from its start.
pub(super) struct ReplayLeader {
    settings: ReplaySettings,
    /// The recording, until it is replayed for the first time.
    opened: Option<Recording>,
    retention: Retention,
    metrics: ReplayMetrics,
    parts: LeaderParts,
}

impl ReplayLeader {
    /// # Errors
    /// When the recording cannot be replayed. A journal is opened when the node leads.
    pub(super) fn open(
        parts: LeaderParts,
        settings: ReplaySettings,
        retention: Retention,
        metrics: ReplayMetrics,
    ) -> Result<Self, StartError> {
        let is_journal = settings.files.iter().any(|path| path.is_dir());
        let opened = match is_journal {
            true => None,
            false => Some(Recording::open(settings.clone(), metrics.clone())?),
        };
        Ok(Self { settings, opened, retention, metrics, parts })
    }

    fn recording(&mut self) -> Result<Recording, ReplayError> {
        match self.opened.take() {
            Some(recording) => Ok(recording),
            None => Recording::open(self.settings.clone(), self.metrics.clone()),
        }
    }
}

impl LeaderFeed for ReplayLeader {
    fn begin(
        &mut self,
        followed: Option<Followed<'_>>,
        epoch: Epoch,
    ) -> Result<Box<dyn BatchSource>, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let LeaderParts { archive, clock, spans, metrics, faults } = &self.parts;
        if self.opened.is_none() {
            let counts = JournalFeedMetrics { feed: metrics.clone(), replay: self.metrics.clone() };
            let feed = JournalFeed::open(&self.settings, self.retention, clock, counts, new_epochs());
            if let Some(feed) = feed.map_err(|error| text(&error))? {
                return Ok(self.parts.continued(Box::new(feed), followed, epoch));
            }
        }
        let (archive, clock, spans) = (Arc::clone(archive), clock.clone(), *spans);
        let (metrics, faults) = (metrics.clone(), faults.clone());
        let recording = self.recording().map_err(|error| text(&error))?;
        let mut events = ReplaySource::new(recording, clock, self.metrics.clone(), new_epochs());
        let universe = Arc::clone(crate::source::EventSource::universe(&events));
        let last_values = match followed {
            None => {
                archive.list(&universe);
                for (symbol, past) in events.take_past() {
                    archive.seed(symbol, &past.days, &past.minutes, &past.seconds);
                }
                archive.advance(events.opened_at());
                LastValues::default()
            }
            Some(Followed { universe: known, .. }) if !universe.has_instruments_of(known) => {
                return Err("--replay and its options are not those of the earlier leader".to_owned());
            }
            Some(Followed { last_values, .. }) => {
                archive.take_over(&universe);
                last_values.clone()
            }
        };
        let from = if last_values.batch() == 0 { events.opened_at() } else { last_values.watermark() };
        let sequencer = Sequencer::new(universe, spans, epoch, from)
            .resume(&archive)
            .resume_last_values(&last_values)
            .numbering_from(least_number(wall_clock()));
        let events = distort(Box::new(events), faults.as_ref());
        Ok(Box::new(SequencedFeed::new(events, sequencer, archive, metrics).resume(last_values)))
    }
}

/// Leads with the feed of an upstream, to which it is connected only while it leads.
#[cfg(feature = "relay")]
pub(super) struct RelayLeader {
    pub(super) settings: UpstreamSettings,
    pub(super) upstream: UpstreamMetrics,
    /// What all nodes want, if the upstream is asked for that.
    pub(super) demand: Option<SymbolDemand>,
    pub(super) market_clock: MarketClock,
    pub(super) parts: LeaderParts,
}

#[cfg(feature = "relay")]
impl RelayLeader {
    /// What the feed of the upstream retains for itself: the history of the node is the cluster's.
    const RETENTION: Retention = Retention { trades: 1, quotes: 1, bytes: 1 << 20 };
}

#[cfg(feature = "relay")]
impl LeaderFeed for RelayLeader {
    fn begin(
        &mut self,
        followed: Option<Followed<'_>>,
        epoch: Epoch,
    ) -> Result<Box<dyn BatchSource>, String> {
        let parts = UpstreamParts {
            archive: Arc::new(Archive::new(0, Self::RETENTION)),
            history: Arc::clone(&self.parts.archive),
            market_clock: self.market_clock.clone(),
            clock: self.parts.clock.clone(),
            spans: self.parts.spans,
            metrics: self.parts.metrics.clone(),
            upstream: self.upstream.clone(),
            demand: self.demand.clone(),
            earlier: EarlierRun::none(Epoch::new(rand::random())),
        };
        let feed = UpstreamFeed::start(self.settings.clone(), parts).map_err(|error| error.to_string())?;
        Ok(self.parts.continued(Box::new(feed), followed, epoch))
    }

    /// Disconnects: the upstream may allow one connection only, and the next leader needs it.
    fn suspend(&mut self, feed: Box<dyn BatchSource>) -> Option<Box<dyn BatchSource>> {
        drop(feed);
        self.upstream.up.set(0);
        None
    }
}
