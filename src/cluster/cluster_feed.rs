use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::rt::task::JoinHandle;
use futures_util::StreamExt;
use tracing::{error, info, warn};

use super::connection::{ClusterThread, ConnectionParts, NodeDemand, NodeTopics};
use super::exchange::{Exchange, Outgoing, PendingCommand};
use super::follower::{Follower, FollowerCounts};
use super::leading_topics::{LeadingParts, LeadingTopics};
use super::lease::HeldLease;
use super::message::{Fence, NodeMessage, Origin};
use super::node_publisher::NodePublisher;
use super::overview::{BatchHop, ClusterOverview};
use super::publisher::{Standing, Term};
use super::settings::ClusterSettings;
use crate::archive::Archive;
use crate::clock::{Clock, wall_clock};
use crate::feed::{Batch, BatchSource, EarlierRun, FeedProgress, LastValues};
use crate::limits::NodeUsage;
use crate::metrics::{ClusterMetrics, FeedMetrics, SessionCount};
use crate::model::{Epoch, FeedNotice, FeedState, MILLISECOND, SECOND, Seq, Timestamp, TradeRules, Universe};
use crate::source::{ControlRefusal, NewEpochs, Readers, ReplayCommand, ReplayStatus, Ticks};
use crate::topics::PublishRefusal;

/// After how long without a word from the leader clients are told that the feed is down: five beats.
const DOWN_AFTER: Duration = Duration::from_millis(500);

/// After how long without a word from the leader no new sessions are accepted.
const NOT_READY_AFTER: Duration = Duration::from_secs(10);

/// Every how many ticks of a millisecond a node is polled without news, for its deadlines.
const IDLE_TICKS: u32 = 10;

/// Makes the feed with which a node leads.
pub trait LeaderFeed: Send {
    /// A feed that continues what was followed; if nothing was, it begins anew, with numbers that no earlier feed has given.
    /// Its numbers are of this epoch, unless its source has one of its own. It does not lead while it has an
    /// [outage](BatchSource::outage) and has given no batch.
    ///
    /// # Errors
    /// When it cannot continue that, with the reason.
    fn begin(&mut self, followed: Option<Followed<'_>>, epoch: Epoch)
    -> Result<Box<dyn BatchSource>, String>;

    /// What is kept of its feed when this node has lost the lease: it goes on if no other node leads until it has the lease
    /// again.
    fn suspend(&mut self, feed: Box<dyn BatchSource>) -> Option<Box<dyn BatchSource>> {
        Some(feed)
    }
}

/// What a node knows of the feed of an earlier leader.
#[derive(Clone, Copy, Debug)]
pub struct Followed<'a> {
    /// The instruments.
    pub universe: &'a Arc<Universe>,
    /// The last object of each stream.
    pub last_values: &'a LastValues,
}

/// The feed of a node among others: it follows the leader, or leads.
pub struct ClusterFeed {
    place: Place,
    /// What makes the feed when this node leads; `None` if it never does.
    leader: Option<Box<dyn LeaderFeed>>,
    exchange: Arc<Exchange>,
    archive: Arc<Archive>,
    new_epoch: NewEpochs,
    epoch: Epoch,
    universe: Arc<Universe>,
    /// What holds when the feed opens.
    opening: LastValues,
    /// Whether anything was published, and so is in the archive.
    has_history: bool,
    /// The term that this node could not lead.
    refused_term: Option<u64>,
    is_down: bool,
    started: Instant,
    progress: FeedProgress,
    counted: FollowerCounts,
    hops: HopMeter,
    metrics: ClusterFeedMetrics,
    topics: LeadingTopics,
}

/// Measures what a batch took to this node.
struct HopMeter {
    overview: ClusterOverview,
    metrics: ClusterMetrics,
    published: Option<Timestamp>,
}

impl HopMeter {
    /// A message that has waited for this long, at this time of day.
    fn observe(&mut self, origin: &Origin, waited: Duration, now: Timestamp) {
        let waited = waited.as_nanos() as i64;
        let nanos = now.nanos_since(origin.sent);
        self.metrics.hop.observe(nanos.max(0) as f64 / SECOND as f64);
        self.overview.set_hop(BatchHop::Leader, origin.sent.nanos_since(origin.published));
        self.overview.set_hop(BatchHop::Nats, nanos - waited);
        self.overview.set_hop(BatchHop::Feed, waited);
        self.published = Some(origin.published);
    }

    /// The newest event of the batch that came with it.
    fn observe_source(&mut self, newest: Timestamp) {
        if let Some(published) = self.published.take() {
            self.overview.set_hop(BatchHop::Source, published.nanos_since(newest));
        }
    }
}

/// The metrics of a [`ClusterFeed`].
#[derive(Clone, Debug)]
pub struct ClusterFeedMetrics {
    /// Those of a node.
    pub cluster: ClusterMetrics,
    /// Those of the feed.
    pub feed: FeedMetrics,
}

enum Place {
    Following {
        follower: Box<Follower>,
        /// The feed with which this node led until it lost its lease.
        suspended: Option<Leading>,
        /// The feed with which it will lead as soon as that has something to publish.
        starting: Option<Starting>,
    },
    Leading(Leading),
}

struct Leading {
    source: Box<dyn BatchSource>,
    fence: Fence,
    term: u64,
    _ticks: ForwardedTicks,
}

struct Starting {
    leading: Leading,
    /// The epoch that was followed.
    before: Option<Epoch>,
}

/// Gives the feed the ticks of a source, until it is dropped.
struct ForwardedTicks(JoinHandle<()>);

impl ForwardedTicks {
    /// Needs a running runtime.
    fn start(mut ticks: Ticks, exchange: &Arc<Exchange>) -> Self {
        let exchange = Arc::clone(exchange);
        Self(actix_web::rt::spawn(async move {
            while ticks.next().await.is_some() {
                exchange.tick();
                // A replay as fast as possible always has a tick; the feed takes its turn in between.
                tokio::task::yield_now().await;
            }
        }))
    }
}

impl Drop for ForwardedTicks {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a [`ClusterFeed`] is made from.
pub struct ClusterFeedParts {
    /// How the node takes part.
    pub settings: ClusterSettings,
    /// What makes its feed when it leads.
    pub leader: Option<Box<dyn LeaderFeed>>,
    /// The history that it serves.
    pub archive: Arc<Archive>,
    /// What an earlier run of the node has left: it follows as if it had been away, and leads as if it had followed that.
    pub earlier: EarlierRun,
    /// The metrics.
    pub metrics: ClusterFeedMetrics,
    /// A random number for the node.
    pub node: u64,
    /// The sessions of the node.
    pub sessions: SessionCount,
    /// The symbols that are wanted, if the source gives them on demand.
    pub demand: Option<NodeDemand>,
    /// The sessions of each key, if keys are required.
    pub keys: Option<NodeUsage>,
    /// The topics.
    pub topics: NodeTopics,
    /// The time of day of messages of topics.
    pub clock: Clock,
    /// Gives random epochs.
    pub new_epoch: NewEpochs,
}

impl ClusterFeed {
    /// A node that connects in the background and follows until it has the lease.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(parts: ClusterFeedParts) -> io::Result<(Self, ClusterThread)> {
        let ClusterFeedParts {
            settings,
            leader,
            archive,
            earlier,
            metrics,
            node,
            sessions,
            demand,
            keys,
            topics,
            clock,
            new_epoch,
        } = parts;
        let EarlierRun { universe, last_values: mut opening, epoch } = earlier;
        if opening.epoch().is_some() {
            opening.set_epoch(epoch);
        }
        let exchange = Arc::new(Exchange::new(metrics.cluster.clone()));
        let overview = ClusterOverview::new(node, settings.role, settings.server_names());
        let thread = ClusterThread::start(ConnectionParts {
            settings,
            exchange: Arc::clone(&exchange),
            archive: Arc::clone(&archive),
            metrics: metrics.cluster.clone(),
            node,
            overview: overview.clone(),
            sessions,
            demand,
            keys,
            topics: topics.clone(),
        })?;
        let follower = Box::new(Follower::new(Fence::default(), Arc::clone(&universe)));
        let progress = FeedProgress::default();
        progress.set_follows();
        let feed = Self {
            place: Place::Following { follower, suspended: None, starting: None },
            leader,
            exchange,
            archive,
            epoch,
            new_epoch,
            universe,
            opening,
            has_history: false,
            refused_term: None,
            is_down: false,
            started: Instant::now(),
            progress,
            counted: FollowerCounts::default(),
            hops: HopMeter { overview, metrics: metrics.cluster.clone(), published: None },
            metrics,
            topics: LeadingTopics::new(topics.namespaces, clock),
        };
        Ok((feed, thread))
    }

    /// What the node knows of itself and of the others, now and later.
    pub fn overview(&self) -> ClusterOverview {
        self.hops.overview.clone()
    }

    /// Where clients of this node publish.
    pub fn publisher(&self) -> NodePublisher {
        NodePublisher::new(Arc::clone(&self.exchange))
    }

    /// How far this feed is, now and later.
    pub fn progress(&self) -> FeedProgress {
        self.progress.clone()
    }

    fn follow(&mut self, last_values: &mut LastValues, now: Instant) -> Option<Arc<Batch>> {
        let arrivals = self.exchange.take_arrivals();
        let Place::Following { follower, suspended, .. } = &mut self.place else { return None };
        if arrivals.has_dropped {
            warn!("the feed was too slow for its messages: a snapshot replaces them");
            follower.messages_dropped(now);
        }
        let time_of_day = wall_clock();
        for arrived in arrivals.messages {
            match NodeMessage::from_bytes(&arrived.message) {
                Ok(message)
                    if message.origin().is_some_and(|origin| !origin.fence.is_plausible(time_of_day)) =>
                {
                    self.metrics.cluster.damaged.inc();
                }
                Ok(NodeMessage::Restrictions(origin, namespace, restrictions))
                    if origin.fence >= follower.fence() =>
                {
                    self.topics.follow(&namespace, &restrictions, now);
                }
                Ok(message) => {
                    if let NodeMessage::Batches(origin, _) = &message {
                        self.hops.observe(origin, now.saturating_duration_since(arrived.at), wall_clock());
                    }
                    follower.take_in(message, now);
                }
                // NATS answers a request without responders by an empty message.
                Err(_) if arrived.message.is_empty() => {}
                Err(_) => _ = self.metrics.cluster.damaged.inc(),
            }
        }
        follower.tick(now);
        if self.exchange.is_connected() {
            while let Some(request) = follower.next_request() {
                self.exchange.send(Outgoing::Request(request));
            }
        }
        self.counted = count(&self.metrics.cluster, self.counted, follower.counts());
        self.hops.overview.set_fence(follower.fence().0);
        let batch = follower.next_batch(last_values)?;
        self.archive.set_rules(follower.rules());
        if follower.has_batch() {
            self.exchange.wake();
        }
        // Another node has led since.
        *suspended = None;
        self.metrics.cluster.joined.set(1);
        if let Some(history) = follower.take_history() {
            self.archive.restore_messages(batch.universe(), &history);
        }
        Some(self.record(batch, last_values))
    }

    /// Records a batch of the leader.
    fn record(&mut self, batch: Batch, last_values: &LastValues) -> Arc<Batch> {
        if let Some(epoch) = batch.begun_epoch() {
            info!(%epoch, batch = batch.number(), "following the feed");
            self.epoch = epoch;
        }
        let known = self.universe.len();
        self.universe = Arc::clone(batch.universe());
        if self.universe.len() > known || !self.has_history {
            self.archive.follow(&self.universe);
            self.exchange.send(Outgoing::FetchHistory(Arc::clone(&self.universe), known));
            self.has_history = true;
        }
        self.archive.record_until(batch.events(), batch.watermark());
        self.archive.record_messages(&self.universe, batch.messages());
        self.topics.note_keys(&batch, self.epoch, Instant::now());
        self.hops.observe_source(batch.watermark());
        self.hops.overview.set_batch(batch.number());
        self.progress.set(last_values.published());
        self.metrics.feed.published(batch.len(), batch.watermark());
        Arc::new(batch)
    }

    /// Tells clients when the leader is not heard any more, and when it is again.
    fn notice(&mut self, last_values: &LastValues, now: Instant) -> Option<Arc<Batch>> {
        let is_down = self.silence(now).is_some_and(|silence| silence >= DOWN_AFTER);
        if is_down == self.is_down || last_values.epoch().is_none() {
            return None;
        }
        self.is_down = is_down;
        let state = if is_down { FeedState::Down } else { FeedState::Back };
        if is_down {
            warn!("no word from the leader of the cluster");
        } else {
            info!("the feed is back");
        }
        let batch = Batch::new(Arc::clone(&self.universe), last_values.watermark(), Vec::new(), Vec::new());
        let notices = vec![FeedNotice::of_source(state, "feed")];
        Some(Arc::new(batch.numbered(last_values.batch()).with_notices(notices)))
    }

    /// How long the leader was not heard; `None` if this node leads.
    fn silence(&self, now: Instant) -> Option<Duration> {
        match &self.place {
            Place::Leading(_) => None,
            Place::Following { follower, .. } => {
                Some(now.saturating_duration_since(follower.heard().unwrap_or(self.started)))
            }
        }
    }

    /// Starts the feed with which this node leads; returns the first batch, if there is one already.
    fn begin_to_lead(&mut self, held: HeldLease, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let Place::Following { follower, suspended, .. } = &mut self.place else { return None };
        let before = follower.fence();
        // Not the clock of the feed, which a replay may have set.
        let now = wall_clock();
        let fence = Fence::after(before, now);
        if let Some(leading) = suspended.take_if(|leading| held.continues && leading.fence >= before) {
            info!("leading again: no other node did");
            self.lead(Leading { fence, term: held.term, ..leading });
            return None;
        }
        *suspended = None;
        let before = last_values.epoch();
        // Beyond all batches of earlier leaders in the same epoch, of which this node may know nothing.
        last_values.set_batch(last_values.batch().max(least_number(now).0));
        let followed = before.is_some().then_some(Followed { universe: &self.universe, last_values });
        let epoch = (self.new_epoch)();
        let source = self.leader.as_mut().map(|leader| leader.begin(followed, epoch));
        let mut source = match source {
            Some(Ok(source)) => {
                let (archive, metrics) = (Arc::clone(&self.archive), self.metrics.feed.clone());
                let (universe, progress) = (Arc::clone(&self.universe), self.progress.clone());
                let parts = LeadingParts { universe, archive, metrics, progress };
                self.topics.wrap(source, parts, least_number(now))
            }
            Some(Err(reason)) => {
                error!("this node cannot lead: {reason}");
                self.refused_term = Some(held.term);
                return None;
            }
            None => return None,
        };
        let batch = source.open(last_values);
        let ticks = ForwardedTicks::start(source.ticks(), &self.exchange);
        let leading = Leading { source, fence, term: held.term, _ticks: ticks };
        if let Place::Following { starting, .. } = &mut self.place {
            *starting = Some(Starting { leading, before });
        }
        self.start_to_lead(batch, last_values)
    }

    /// The feed with which this node leads, or will.
    fn source(&self) -> Option<&dyn BatchSource> {
        match &self.place {
            Place::Leading(leading) => Some(&*leading.source),
            Place::Following { starting, .. } => starting.as_ref().map(|starting| &*starting.leading.source),
        }
    }

    /// The same, to change it.
    fn source_mut(&mut self) -> Option<&mut dyn BatchSource> {
        match &mut self.place {
            Place::Leading(leading) => Some(&mut *leading.source),
            Place::Following { starting: Some(starting), .. } => Some(&mut *starting.leading.source),
            Place::Following { starting: None, .. } => None,
        }
    }

    /// Leads from now on if the feed that was started is ready; this is its first batch, if there is one.
    fn start_to_lead(
        &mut self,
        batch: Option<Arc<Batch>>,
        last_values: &mut LastValues,
    ) -> Option<Arc<Batch>> {
        let Place::Following { starting, .. } = &mut self.place else { return None };
        let is_ready =
            |starting: &mut Starting| batch.is_some() || starting.leading.source.outage().is_none();
        let Starting { leading, before } = starting.take_if(is_ready)?;
        let begun = batch.as_ref().and_then(|batch| batch.begun_epoch());
        let epoch = begun.unwrap_or_else(|| leading.source.epoch());
        info!(%epoch, "leading");
        (self.epoch, self.has_history) = (epoch, true);
        last_values.set_epoch(epoch);
        self.lead(leading);
        let batch = batch.map_or_else(
            || {
                last_values.set_batch(last_values.batch() + 1);
                Batch::new(Arc::clone(&self.universe), last_values.watermark(), Vec::new(), Vec::new())
                    .numbered(last_values.batch())
            },
            |batch| Arc::into_inner(batch).expect("the source has kept no other reference"),
        );
        let begins = (before != Some(epoch)).then_some(epoch);
        Some(self.publish(Arc::new(batch.beginning(begins)), last_values))
    }

    /// Polls the feed that was started, if the lease is still there.
    fn start_on(&mut self, held: Option<HeldLease>, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let Place::Following { starting, .. } = &mut self.place else { return None };
        let has_lease = |starting: &mut Starting| held.is_none_or(|held| held.term != starting.leading.term);
        if starting.take_if(has_lease).is_some() {
            warn!("this node has lost the lease before it could lead");
        }
        let batch = starting.as_mut()?.leading.source.poll(last_values);
        // The earlier leaders have lost their leases.
        self.exchange.take_arrivals();
        self.start_to_lead(batch, last_values)
    }

    fn lead(&mut self, leading: Leading) {
        self.exchange.send(Outgoing::Begin(Term { fence: leading.fence, epoch: self.epoch }));
        self.hops.overview.set_fence(leading.fence.0);
        self.place = Place::Leading(leading);
        self.metrics.cluster.terms.inc();
        self.metrics.cluster.leads.set(1);
        self.metrics.cluster.joined.set(1);
    }

    /// Follows from now on.
    fn stop_to_lead(&mut self, now: Instant) {
        warn!("this node has lost the lease, and leads no more");
        self.exchange.send(Outgoing::End);
        self.metrics.cluster.leads.set(0);
        self.started = now;
        let follower = Follower::new(Fence::default(), Arc::clone(&self.universe));
        let place = Place::Following { follower: Box::new(follower), suspended: None, starting: None };
        if let (Place::Leading(leading), Place::Following { follower, suspended, .. }) =
            (std::mem::replace(&mut self.place, place), &mut self.place)
        {
            **follower = Follower::new(leading.fence, Arc::clone(&self.universe));
            let source = self.leader.as_mut().and_then(|leader| leader.suspend(leading.source));
            *suspended = source.map(|source| Leading { source, ..leading });
        }
        self.counted = FollowerCounts::default();
        self.archive.follow(&self.universe);
    }

    /// Passes a batch to the other nodes.
    fn publish(&mut self, batch: Arc<Batch>, last_values: &LastValues) -> Arc<Batch> {
        if let Some(epoch) = batch.begun_epoch() {
            self.epoch = epoch;
        }
        self.universe = Arc::clone(batch.universe());
        self.topics.note_keys(&batch, self.epoch, Instant::now());
        self.progress.set(last_values.published());
        self.hops.overview.set_batch(batch.number());
        self.exchange.send(Outgoing::Batch(Arc::clone(&batch), wall_clock()));
        batch
    }

    fn lead_on(&mut self, last_values: &mut LastValues, now: Instant) -> Option<Arc<Batch>> {
        let Place::Leading(Leading { source, .. }) = &mut self.place else { return None };
        // Other leaders have lost their leases.
        self.exchange.take_arrivals();
        // The source has a clock of its own.
        self.exchange.skip_ticks(IDLE_TICKS);
        let done = self.topics.lead(&mut **source, last_values, &self.exchange, now);
        let batch = done.batch.map(|batch| self.publish(batch, last_values));
        for (to, answer) in done.answers {
            self.exchange.send(Outgoing::Answer(to, answer));
        }
        if batch.is_some() {
            // The market has its turn at once.
            self.exchange.wake();
            return batch;
        }
        let batch = self.source_mut().and_then(|source| source.poll(last_values));
        let batch = batch.map(|batch| self.publish(batch, last_values));
        if self.exchange.take_snapshot_wanted() {
            let (universe, last_values) = (Arc::clone(&self.universe), last_values.clone());
            self.exchange.send(Outgoing::Standing(Box::new(Standing { universe, last_values })));
        }
        batch
    }
}

/// Adds what happened since `before`.
fn count(metrics: &ClusterMetrics, before: FollowerCounts, now: FollowerCounts) -> FollowerCounts {
    metrics.repaired.inc_by(now.repaired - before.repaired);
    metrics.repair_requests.inc_by(now.repair_requests - before.repair_requests);
    metrics.snapshots.inc_by(now.snapshots - before.snapshots);
    metrics.stale.inc_by(now.stale - before.stale);
    metrics.damaged.inc_by(now.damaged - before.damaged);
    now
}

impl BatchSource for ClusterFeed {
    fn may_interleave(&self) -> bool {
        false
    }

    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn trade_rules(&self) -> TradeRules {
        self.archive.rules().get()
    }

    fn open(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        *last_values = std::mem::take(&mut self.opening);
        None
    }

    fn ticks(&mut self) -> Ticks {
        self.exchange.ticks()
    }

    fn poll(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let now = Instant::now();
        let held = self.exchange.lease(now);
        self.hops.overview.set_lease(held);
        match (&self.place, held) {
            (Place::Leading(leading), Some(held)) if held.term == leading.term => {
                let batch = self.lead_on(last_values, now);
                return batch.or_else(|| self.notice(last_values, now));
            }
            (Place::Leading(_), _) => self.stop_to_lead(now),
            (Place::Following { starting: Some(_), .. }, _) => {
                let batch = self.start_on(held, last_values);
                return batch.or_else(|| self.notice(last_values, now));
            }
            _ => {}
        }
        // The lease was lost after they came.
        for PendingCommand { answer, .. } in self.exchange.take_commands() {
            self.exchange.send(Outgoing::Answer(answer, Err(PublishRefusal::Unanswered)));
        }
        if let Some(batch) = self.follow(last_values, now) {
            return Some(batch);
        }
        if let Some(held) = held
            && self.refused_term != Some(held.term)
            && let Some(batch) = self.begin_to_lead(held, last_values)
        {
            return Some(batch);
        }
        self.notice(last_values, now)
    }

    fn control(&mut self, command: ReplayCommand) -> Result<(), ControlRefusal> {
        self.source_mut().map_or(Err(ControlRefusal::NoReplay), |source| source.control(command))
    }

    fn replay_status(&self) -> Option<ReplayStatus> {
        self.source().and_then(BatchSource::replay_status)
    }

    fn outage(&self) -> Option<&str> {
        let follower = match &self.place {
            Place::Leading(Leading { source, .. }) => return source.outage(),
            Place::Following { starting: Some(starting), .. } => return starting.leading.source.outage(),
            Place::Following { follower, .. } => follower,
        };
        if follower.has_gone_back() {
            return Some("the feed counts anew from lower numbers: restart this node");
        }
        let is_new = !self.has_history;
        match (self.exchange.is_connected(), is_new) {
            (false, true) => Some("no connection to NATS"),
            (true, true) => Some("the feed has not been joined yet"),
            _ if self.silence(Instant::now()) >= Some(NOT_READY_AFTER) => {
                Some("the feed has not been heard for 10 s")
            }
            _ => None,
        }
    }

    fn settle(&mut self) {
        let archive = Arc::clone(&self.archive);
        self.source_mut().map_or_else(|| archive.settle(), BatchSource::settle);
    }

    fn hold_back(&mut self) -> bool {
        self.source_mut().is_some_and(BatchSource::hold_back)
    }

    /// The other nodes may have readers.
    fn skip_ticks(&mut self, _: Readers) {
        self.exchange.skip_ticks(IDLE_TICKS);
        if let Some(source) = self.source_mut() {
            source.skip_ticks(Readers::Waiting);
        }
    }
}

impl Drop for ClusterFeed {
    fn drop(&mut self) {
        self.exchange.close();
    }
}

/// The least number that a leader gives which begins at this time: ten for each millisecond since 2025.
///
/// It is beyond all numbers of earlier leaders, also of those of which this node knows nothing, unless these gave more than
/// ten thousand a second in one stream. So no client sees a number go back, or again.
pub fn least_number(now: Timestamp) -> Seq {
    const START: i64 = 1_735_689_600;
    Seq(((now.nanos() - START * SECOND) / (MILLISECOND / 10)).max(0) as u64)
}
