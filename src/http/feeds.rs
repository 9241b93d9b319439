//! What belongs to one feed, and the feeds of the server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix::Recipient;

use super::error::ApiError;
use super::topics::TopicService;
use crate::archive::Archive;
#[cfg(feature = "nats")]
use crate::cluster::ClusterOverview;
use crate::feed::{ControlReplay, FeedProgress};
use crate::metrics::UpstreamMetrics;
use crate::model::{Epoch, Feed, MarketHours, Timestamp};
use crate::source::{MarketClock, SymbolDemand};

/// What all handlers share of one feed, on all workers.
pub struct ServedFeed {
    /// The name.
    pub name: Feed,
    /// The epoch of the sequence numbers.
    pub epoch: Epoch,
    /// How far the feed is.
    pub progress: FeedProgress,
    /// When the market is open.
    pub hours: MarketHours,
    /// When the market is open as its source tells, if it does; otherwise `hours` say it.
    pub market_clock: Option<MarketClock>,
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
    /// The topics, if there are any.
    pub topics: Option<TopicService>,
}

impl ServedFeed {
    /// When the market is open: as its source tells at this time, or else as its hours say.
    pub(super) fn hours_at(&self, now: Timestamp) -> MarketHours {
        match self.market_clock.as_ref().and_then(|clock| clock.at(now)) {
            Some(told) if told.is_continuous() => MarketHours::Continuous,
            Some(_) => MarketHours::Exchange,
            None => self.hours,
        }
    }
}

/// The feeds of the server. The first is that of requests that name none.
///
/// One alone is served under the names of Alpaca's feeds too, and REST's parameter `feed` does not matter. Several are
/// chosen by their names, and there are no others.
pub struct Feeds(Vec<Arc<ServedFeed>>);

impl Feeds {
    /// These feeds, at least one, of different names.
    pub fn new(feeds: Vec<ServedFeed>) -> Self {
        assert!(!feeds.is_empty(), "a server has a feed");
        Self(feeds.into_iter().map(Arc::new).collect())
    }

    /// The feed of a request that names none.
    pub fn default_feed(&self) -> &Arc<ServedFeed> {
        &self.0[0]
    }

    /// The feeds if there are several.
    pub(super) fn several(&self) -> Option<&[Arc<ServedFeed>]> {
        (self.0.len() > 1).then_some(&self.0)
    }

    /// The feed that is served at `/v2/{name}`, and under which name.
    pub(super) fn at_path(&self, name: &str) -> Option<(Feed, &Arc<ServedFeed>)> {
        let name: Feed = name.parse().ok()?;
        let serves = |feed: &ServedFeed| {
            feed.name == name || (self.several().is_none() && Feed::ALPACA.contains(&name))
        };
        self.0.iter().find(|feed| serves(feed)).map(|feed| (name, feed))
    }

    /// The feed of a request with this value of the parameter `feed`.
    ///
    /// # Errors
    /// When there are several feeds, and none of this name.
    pub(super) fn requested(&self, name: Option<&str>) -> Result<&Arc<ServedFeed>, ApiError> {
        let (Some(feeds), Some(name)) = (self.several(), name) else { return Ok(self.default_feed()) };
        feeds.iter().find(|feed| feed.name.name() == name).ok_or_else(|| {
            let names: Vec<_> = feeds.iter().map(|feed| feed.name.name()).collect();
            ApiError::invalid("feed", format!("`{name}` is none of {}", names.join(", ")))
        })
    }

    /// The first feed that accepts new sessions, or else the first.
    pub(super) fn first_ready(&self) -> &Arc<ServedFeed> {
        self.0.iter().find(|feed| feed.readiness.is_ready()).unwrap_or(self.default_feed())
    }

    /// Sets whether the node is drained: it refuses new sessions on all feeds meanwhile.
    pub(super) fn set_draining(&self, is_draining: bool) {
        self.0.iter().for_each(|feed| feed.readiness.set_draining(is_draining));
    }

    /// All feeds.
    pub(super) fn all(&self) -> &[Arc<ServedFeed>] {
        &self.0
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
pub struct Readiness {
    state: Arc<Mutex<ReadinessState>>,
    /// Whether an operator drains the node, whatever the state of the feed.
    is_draining: Arc<AtomicBool>,
}

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
        !self.is_draining() && *self.state() == ReadinessState::Ready
    }

    /// Why no new sessions are accepted, if there is more to say.
    pub fn reason(&self) -> Option<String> {
        if self.is_draining() {
            return Some("draining".to_owned());
        }
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

    fn set_draining(&self, is_draining: bool) {
        self.is_draining.store(is_draining, Ordering::Relaxed);
    }

    fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, ReadinessState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl ServedFeed {
    /// A ready feed of three instruments.
    pub(crate) fn for_tests() -> Self {
        let readiness = Readiness::default();
        readiness.begin();
        Self {
            name: Feed::IEX,
            epoch: Epoch::default(),
            progress: FeedProgress::default(),
            hours: MarketHours::Continuous,
            market_clock: None,
            archive: Arc::new(Archive::new(3, crate::archive::Retention::default())),
            readiness,
            source: SourceKind::Simulation,
            upstream: None,
            #[cfg(feature = "nats")]
            cluster: None,
            demand: None,
            replay: None,
            topics: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MarketSchedule;

    fn feeds(names: &[&str]) -> Feeds {
        let feed = |name: &&str| ServedFeed { name: name.parse().unwrap(), ..ServedFeed::for_tests() };
        Feeds::new(names.iter().map(feed).collect())
    }

    #[test]
    fn one_feed_has_the_names_of_alpaca_and_its_own() {
        let one = feeds(&["polygon"]);

        for name in ["iex", "sip", "delayed_sip", "test", "polygon"] {
            assert_eq!(one.at_path(name).unwrap().0.name(), name);
        }
        assert!(one.at_path("nasdaq").is_none());
        assert_eq!(one.requested(Some("nasdaq")).unwrap().name.name(), "polygon");
    }

    #[test]
    fn several_feeds_have_their_own_names_and_the_first_is_the_default() {
        let two = feeds(&["polygon", "sip"]);
        let requested = |name| two.requested(name).map(|feed| feed.name.to_string());

        assert_eq!(two.at_path("sip").unwrap().1.name, Feed::SIP);
        assert!(two.at_path("iex").is_none());
        assert_eq!(requested(None).as_deref(), Ok("polygon"));
        assert_eq!(requested(Some("sip")).as_deref(), Ok("sip"));
        let refusal = requested(Some("iex")).unwrap_err();
        assert_eq!(refusal, ApiError::invalid("feed", "`iex` is none of polygon, sip"));
    }

    #[test]
    fn a_feed_has_the_hours_that_its_source_tells_or_else_its_own() {
        let (now, later) = (Timestamp::from_nanos(1), Timestamp::from_nanos(9));
        let told = |next_open, next_close| {
            let clock = MarketClock::default();
            clock.tell(MarketSchedule { is_open: true, next_open, next_close }, later);
            Some(clock)
        };
        let sometimes = told(later, Timestamp::from_nanos(5));
        for (market_clock, hours, expected) in [
            (None, MarketHours::Exchange, MarketHours::Exchange),
            (Some(MarketClock::default()), MarketHours::Continuous, MarketHours::Continuous),
            (told(later, later), MarketHours::Exchange, MarketHours::Continuous),
            (sometimes, MarketHours::Continuous, MarketHours::Exchange),
        ] {
            let feed = ServedFeed { market_clock, hours, ..ServedFeed::for_tests() };
            assert_eq!(feed.hours_at(now), expected);
        }
    }

    #[test]
    fn a_feed_that_is_ready_is_found_behind_one_that_is_not() {
        let two = feeds(&["polygon", "sip"]);
        assert_eq!(two.first_ready().name.name(), "polygon");

        two.default_feed().readiness.withhold("away");
        assert_eq!(two.first_ready().name, Feed::SIP);
        two.end();
        assert_eq!(two.first_ready().name.name(), "polygon");
    }
}
