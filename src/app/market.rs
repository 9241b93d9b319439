//! The market of the service: the simulator with its history and the journal from which it goes on, or a recording.

use std::sync::Arc;

use super::StartError;
use super::backfill::backfill;
#[cfg(feature = "nats")]
use super::node;
#[cfg(feature = "relay")]
use super::resume::resume;
#[cfg(any(feature = "nats", feature = "relay"))]
use crate::archive::Retention;
use crate::archive::{Archive, OpenBars};
use crate::auth::KeyStore;
use crate::clock::Clock;
#[cfg(feature = "nats")]
use crate::cluster::{ClusterOverview, ClusterThread, NodePublisher};
use crate::config::Config;
#[cfg(feature = "relay")]
use crate::config::NamedUpstream;
use crate::faults::Faults;
#[cfg(feature = "relay")]
use crate::feed::EarlierRun;
use crate::feed::{BatchSource, FeedProgress, LastValues, SequencedFeed, Sequencer};
#[cfg(feature = "relay")]
use crate::journal::NumberOrigin;
use crate::journal::{JournalFeed, JournalFeedMetrics, OpenedJournal, StartedJournal};
use crate::metrics::Metrics;
use crate::model::{Body, Channel, Epoch, Instrument, MarketHours, StreamId, SymbolId, Universe};
#[cfg(feature = "relay")]
use crate::relay::{UpstreamFeed, UpstreamNumbers, UpstreamParts, UpstreamSettings, UpstreamSymbols};
#[cfg(feature = "relay")]
use crate::source::DemandLimits;
use crate::source::{
    EventSource, Listings, MarketClock, NewEpochs, PastEnd, Recording, ReplayClock, ReplaySettings,
    ReplaySource, SimulatedMarket, SymbolDemand,
};
#[cfg(feature = "nats")]
use crate::topics::Presence;

/// The market before it runs.
pub(super) struct Market {
    pub(super) universe: Arc<Universe>,
    pub(super) archive: Arc<Archive>,
    pub(super) source: Box<dyn BatchSource>,
    pub(super) progress: FeedProgress,
    pub(super) journal: Option<StartedJournal>,
    pub(super) hours: MarketHours,
    /// When the market is open, if the source tells.
    pub(super) market_clock: Option<MarketClock>,
    /// The symbols that are wanted of the source, if it gives them on demand.
    pub(super) demand: Option<SymbolDemand>,
    #[cfg(feature = "nats")]
    pub(super) cluster: Option<MarketCluster>,
}

/// The cluster of which the market is a node.
#[cfg(feature = "nats")]
pub(super) struct MarketCluster {
    pub(super) thread: ClusterThread,
    pub(super) overview: ClusterOverview,
    /// Where clients publish.
    pub(super) publisher: NodePublisher,
    pub(super) presence: Presence,
}

impl Market {
    /// A market with its history, from the journal and before it simulated, whose feed is ready to start.
    pub(super) fn prepare(
        config: &Config,
        clock: Clock,
        metrics: &Metrics,
        faults: Option<&Faults>,
        keys: Option<&KeyStore>,
    ) -> Result<Self, StartError> {
        #[cfg(feature = "nats")]
        if let Some(settings) = &config.cluster {
            return node::join(settings, config, clock, metrics, faults, keys);
        }
        #[cfg(not(feature = "nats"))]
        let _ = keys;
        #[cfg(feature = "relay")]
        if let Some(upstream) = config.upstreams.first() {
            return Self::relay(config, upstream, clock, metrics);
        }
        if let Some(settings) = &config.replay {
            let counts = JournalFeedMetrics { feed: metrics.feed(), replay: metrics.replay() };
            if let Some(feed) = JournalFeed::open(settings, config.retention, &clock, counts, new_epochs())? {
                let (universe, archive) = (feed.universe(), Arc::clone(feed.archive()));
                let progress = feed.progress();
                return Ok(Self::new(Box::new(feed), progress, universe, archive));
            }
            let recording = Recording::open(settings.clone(), metrics.replay())?;
            return Ok(Self::replay(config, recording, clock, metrics, faults));
        }
        let now = clock.now();
        let new_epoch = Epoch::new(rand::random());
        let listings = Listings::new(config.symbols, config.simulation.seed);
        let archive = Arc::new(Archive::new(listings.universe().len(), config.retention));
        let Some(settings) = &config.journal else {
            let listings = backfill(&archive, listings, config.simulation, now);
            let universe = Arc::clone(listings.universe());
            let sequencer =
                Sequencer::new(Arc::clone(&universe), config.spans, new_epoch, now).resume(&archive);
            let events = SimulatedMarket::new(&listings, config.simulation, clock);
            let source = SequencedFeed::new(
                distort(Box::new(events), faults),
                sequencer,
                Arc::clone(&archive),
                metrics.feed(),
            );
            return Ok(Self::of(source, universe, archive, None));
        };
        let opened = OpenedJournal::open(settings, listings.universe(), new_epoch, metrics.journal())?;
        archive.retain_topics(Arc::new(config.topics.clone()));
        let mut following = listings.clone();
        let past = |until| following = backfill(&archive, listings, config.simulation, until);
        let last_values = opened.refill(&archive, now, past)?;
        // The market opens where the journal ends.
        let ends = ends(&archive, &following);
        let listings = following.following(&ends);
        let universe = Arc::clone(listings.universe());
        // It starts when it is made, and the journal may take seconds to read.
        let mut events = SimulatedMarket::new(&listings, config.simulation, clock);
        events.resume_trade_ids(universe.iter().map(|instrument| last_trade_id(&last_values, instrument.id)));
        let journal = opened.start(Arc::clone(&universe), new_epoch, now, rand::random())?;
        // Time begins where the journal ends, so that the bars that were open there are completed.
        let from = if last_values.batch() == 0 { now } else { last_values.watermark() };
        let sequencer = Sequencer::new(Arc::clone(&universe), config.spans, journal.epoch, from)
            .resume(&archive)
            .resume_last_values(&last_values);
        let source = SequencedFeed::new(
            distort(Box::new(events), faults),
            sequencer,
            Arc::clone(&archive),
            metrics.feed(),
        )
        .resume(last_values);
        let universe = Arc::clone(&journal.universe);
        Ok(Self::of(source, universe, archive, Some(journal)))
    }

    /// A recording with the bars before its start, whose feed is ready to start.
    fn replay(
        config: &Config,
        recording: Recording,
        clock: Clock,
        metrics: &Metrics,
        faults: Option<&Faults>,
    ) -> Self {
        let hours = replay_hours(recording.settings());
        let mut events = ReplaySource::new(recording, clock, metrics.replay(), new_epochs());
        let universe = Arc::clone(events.universe());
        let archive = Arc::new(Archive::new(universe.len(), config.retention));
        archive.list(&universe);
        for (symbol, past) in events.take_past() {
            archive.seed(symbol, &past.days, &past.minutes, &past.seconds);
        }
        archive.advance(events.opened_at());
        let epoch = Epoch::new(rand::random());
        let sequencer = Sequencer::new(Arc::clone(&universe), config.spans, epoch, events.opened_at());
        let sequencer = sequencer.resume(&archive);
        let events = distort(Box::new(events), faults);
        let source = SequencedFeed::new(events, sequencer, Arc::clone(&archive), metrics.feed());
        Self { hours, ..Self::of(source, universe, archive, None) }
    }

    /// The feed of an upstream, which begins to connect. The memory of the retained history is divided among all upstreams.
    #[cfg(feature = "relay")]
    pub(super) fn relay(
        config: &Config,
        NamedUpstream { feed: name, settings }: &NamedUpstream,
        clock: Clock,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        let bytes = config.retention.bytes / config.upstreams.len();
        let archive = Arc::new(followed_archive(config, Retention { bytes, ..config.retention }, 0));
        let demand = symbol_demand(settings);
        let market_clock = MarketClock::default();
        let (journal, earlier) = match &config.journal {
            None => (None, EarlierRun::none(Epoch::new(rand::random()))),
            Some(journal) => {
                archive.retain_topics(Arc::new(config.topics.clone()));
                let (can_continue, numbers) = (UpstreamFeed::can_continue, number_origin(settings));
                let (now, metrics) = (clock.now(), metrics.journal());
                let (journal, earlier) =
                    resume(journal, &archive, can_continue, numbers, |_| {}, now, metrics)?;
                (Some(journal), earlier)
            }
        };
        let universe = Arc::clone(&earlier.universe);
        let parts = UpstreamParts {
            archive: Arc::clone(&archive),
            history: Arc::clone(&archive),
            market_clock: market_clock.clone(),
            clock,
            spans: config.spans,
            metrics: metrics.feed_of(*name),
            upstream: metrics.upstream_of(*name),
            demand: demand.clone(),
            earlier,
        };
        let feed = UpstreamFeed::start(settings.clone(), parts)?;
        let (progress, hours) = (feed.progress(), MarketHours::Exchange);
        let market_clock = Some(market_clock);
        let market = Self::new(Box::new(feed), progress, universe, archive);
        Ok(Self { hours, market_clock, demand, journal, ..market })
    }

    fn of(
        source: SequencedFeed,
        universe: Arc<Universe>,
        archive: Arc<Archive>,
        journal: Option<StartedJournal>,
    ) -> Self {
        let progress = source.progress();
        Self { journal, ..Self::new(Box::new(source), progress, universe, archive) }
    }

    /// A market that is always open, without a journal, whose source gives all symbols unasked.
    fn new(
        source: Box<dyn BatchSource>,
        progress: FeedProgress,
        universe: Arc<Universe>,
        archive: Arc<Archive>,
    ) -> Self {
        Self {
            universe,
            archive,
            source,
            progress,
            journal: None,
            hours: MarketHours::Continuous,
            market_clock: None,
            demand: None,
            #[cfg(feature = "nats")]
            cluster: None,
        }
    }
}

/// An archive of this number of instruments, for bars that other nodes give.
#[cfg(any(feature = "nats", feature = "relay"))]
pub(super) fn followed_archive(config: &Config, retention: Retention, symbols: usize) -> Archive {
    let archive = Archive::new(symbols, retention);
    if config.spans != crate::feed::BarSpans::default() {
        archive.fold_minutes();
    }
    archive
}

/// When the market of a replay is open. Moved to now, a recording is open at whatever time it is.
pub(super) fn replay_hours(settings: &ReplaySettings) -> MarketHours {
    match settings.clock {
        ReplayClock::Original => MarketHours::Exchange,
        ReplayClock::Shift => MarketHours::Continuous,
    }
}

/// Whether the upstream numbers what is relayed, as far as the settings tell. An upstream that sends no numbers is numbered
/// here, at each start.
#[cfg(feature = "relay")]
pub(super) fn number_origin(settings: &UpstreamSettings) -> NumberOrigin {
    match settings.numbers {
        UpstreamNumbers::Kept => NumberOrigin::Upstream,
        UpstreamNumbers::Ignored => NumberOrigin::Feed,
    }
}

/// The demand for the symbols of an upstream that is asked for those that clients want.
#[cfg(feature = "relay")]
pub(super) fn symbol_demand(settings: &UpstreamSettings) -> Option<SymbolDemand> {
    let limits = DemandLimits { symbols: settings.max_symbols, ..DemandLimits::default() };
    (settings.symbols == UpstreamSymbols::OnDemand).then(|| SymbolDemand::new(limits))
}

/// Gives a random epoch each time.
pub(super) fn new_epochs() -> NewEpochs {
    Box::new(|| Epoch::new(rand::random()))
}

/// This source with its faults, if there are any. They are events like others: the feed numbers them, and the journal
/// records them.
pub(super) fn distort(events: Box<dyn EventSource>, faults: Option<&Faults>) -> Box<dyn EventSource> {
    match faults {
        Some(faults) => faults.distort(events),
        None => events,
    }
}

/// Where the history of each of these listings ends.
pub(super) fn ends(archive: &Archive, listings: &Listings) -> Vec<PastEnd> {
    let end = |instrument: &Instrument| {
        let summary = archive.summary(instrument.id, OpenBars::Included);
        let known = instrument.previous_close.unwrap_or_default();
        let previous_close = summary.previous_day.map_or(known, |day| day.close);
        PastEnd { previous_close, price: summary.day.map_or(previous_close, |day| day.close) }
    };
    listings.universe().iter().map(end).collect()
}

/// The greatest trade id of an instrument that was published: corrections take ids as well.
pub(super) fn last_trade_id(last_values: &LastValues, symbol: SymbolId) -> u64 {
    let id = |channel| match last_values.of(StreamId::new(channel, symbol)).map(|object| &object.body) {
        Some(Body::Trade(trade)) => trade.id,
        Some(Body::Correction(correction)) => correction.corrected.id,
        _ => 0,
    };
    id(Channel::Trades).max(id(Channel::Corrections))
}
