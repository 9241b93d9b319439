use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt};
use tracing::{error, info, warn};

use super::connection::{ClusterThread, ConnectionParts};
use super::exchange::{Exchange, Outgoing};
use super::follower::{Follower, FollowerCounts};
use super::lease::HeldLease;
use super::message::{Fence, NodeMessage, Origin};
use super::publisher::{Standing, Term};
use super::settings::ClusterSettings;
use crate::archive::Archive;
use crate::clock::Clock;
use crate::feed::{Batch, BatchSource, FeedProgress, LastValues};
use crate::metrics::{ClusterMetrics, FeedMetrics};
use crate::model::{Epoch, FeedNotice, FeedState, MILLISECOND, SECOND, Seq, Timestamp, Universe};
use crate::source::{ClockTick, ControlRefusal, ReplayCommand, ReplayStatus, Ticks, millisecond_ticks};

/// After how long without a word from the leader clients are told that the feed is down: five beats.
const DOWN_AFTER: Duration = Duration::from_millis(500);

/// After how long without a word from the leader no new sessions are accepted.
const NOT_READY_AFTER: Duration = Duration::from_secs(10);

/// Every how many ticks of a millisecond a node that follows is polled without news, for its deadlines.
const IDLE_TICKS: u32 = 10;

/// Makes the feed with which a node leads.
pub trait LeaderFeed: Send {
    /// A feed whose numbers are of this epoch. It continues what was followed; if nothing was, it begins anew, with numbers
    /// that no earlier feed has given.
    ///
    /// # Errors
    /// When it cannot continue that, with the reason.
    fn begin(&mut self, followed: Option<Followed<'_>>, epoch: Epoch)
    -> Result<Box<dyn BatchSource>, String>;
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
    clock: Clock,
    new_epoch: Box<dyn FnMut() -> Epoch + Send>,
    epoch: Epoch,
    universe: Arc<Universe>,
    /// Whether anything was published, and so is in the archive.
    has_history: bool,
    /// The term that this node could not lead.
    refused_term: Option<u64>,
    is_down: bool,
    started: Instant,
    progress: FeedProgress,
    counted: FollowerCounts,
    metrics: ClusterFeedMetrics,
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
    },
    Leading(Leading),
}

struct Leading {
    source: Box<dyn BatchSource>,
    fence: Fence,
    term: u64,
}

/// What a [`ClusterFeed`] is made from.
pub struct ClusterFeedParts {
    /// How the node takes part.
    pub settings: ClusterSettings,
    /// What makes its feed when it leads.
    pub leader: Option<Box<dyn LeaderFeed>>,
    /// The history that it serves.
    pub archive: Arc<Archive>,
    /// The time of day.
    pub clock: Clock,
    /// The metrics.
    pub metrics: ClusterFeedMetrics,
    /// A random number for the node.
    pub node: u64,
    /// Gives random epochs.
    pub new_epoch: Box<dyn FnMut() -> Epoch + Send>,
}

impl ClusterFeed {
    /// A node that connects in the background and follows until it has the lease.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(parts: ClusterFeedParts) -> io::Result<(Self, ClusterThread)> {
        let ClusterFeedParts { settings, leader, archive, clock, metrics, node, mut new_epoch } = parts;
        let exchange = Arc::new(Exchange::new(metrics.cluster.clone()));
        let thread = ClusterThread::start(ConnectionParts {
            settings,
            exchange: Arc::clone(&exchange),
            archive: Arc::clone(&archive),
            metrics: metrics.cluster.clone(),
            node,
        })?;
        let follower = Box::new(Follower::new(Fence::default(), Arc::default()));
        let feed = Self {
            place: Place::Following { follower, suspended: None },
            leader,
            exchange,
            archive,
            clock,
            epoch: new_epoch(),
            new_epoch,
            universe: Arc::default(),
            has_history: false,
            refused_term: None,
            is_down: false,
            started: Instant::now(),
            progress: FeedProgress::default(),
            counted: FollowerCounts::default(),
            metrics,
        };
        Ok((feed, thread))
    }

    /// How far this feed is, now and later.
    pub fn progress(&self) -> FeedProgress {
        self.progress.clone()
    }

    fn follow(&mut self, last_values: &mut LastValues, now: Instant) -> Option<Arc<Batch>> {
        let arrivals = self.exchange.take_arrivals();
        let Place::Following { follower, suspended } = &mut self.place else { return None };
        if arrivals.has_dropped {
            warn!("the feed was too slow for its messages: a snapshot replaces them");
            follower.messages_dropped(now);
        }
        for arrived in arrivals.messages {
            match NodeMessage::from_bytes(&arrived.message) {
                Ok(message) => {
                    if let NodeMessage::Batches(Origin { sent, .. }, _) = &message {
                        let nanos = self.clock.now().nanos_since(*sent);
                        self.metrics.cluster.hop.observe(nanos.max(0) as f64 / SECOND as f64);
                    }
                    follower.take_in(message, now);
                }
                // The answer of a NATS server that nobody is there is empty.
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
        let batch = follower.next_batch(last_values)?;
        if follower.has_batch() {
            self.exchange.wake();
        }
        // Another node has led since.
        *suspended = None;
        self.metrics.cluster.joined.set(1);
        Some(self.record(batch, last_values))
    }

    /// Records a batch of the leader.
    fn record(&mut self, batch: Batch, last_values: &LastValues) -> Arc<Batch> {
        if let Some(epoch) = batch.begun_epoch() {
            info!(%epoch, batch = batch.number(), "following the feed");
            self.epoch = epoch;
        }
        let known = self.universe.len();
        if batch.universe().len() > known || !self.has_history {
            self.universe = Arc::clone(batch.universe());
            self.archive.follow(&self.universe);
            self.exchange.send(Outgoing::FetchHistory(Arc::clone(&self.universe), known));
            self.has_history = true;
        }
        if batch.watermark() < self.archive.watermark() {
            self.archive.step_back(batch.watermark());
        }
        self.archive.record(batch.events());
        self.archive.advance(batch.watermark());
        self.progress.set(last_values.published());
        let FeedMetrics { batches, objects, watermark, .. } = &self.metrics.feed;
        batches.inc();
        objects.inc_by(batch.len() as u64);
        watermark.set(batch.watermark().nanos() as f64 / SECOND as f64);
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

    /// Leads from now on; returns the first batch.
    fn begin_to_lead(&mut self, held: HeldLease, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let Place::Following { follower, suspended } = &mut self.place else { return None };
        let before = follower.fence();
        let fence = Fence((before.0 + 1).max((self.clock.now().nanos() / MILLISECOND) as u64));
        if let Some(leading) = suspended.take_if(|leading| held.continues && leading.fence >= before) {
            info!("leading again: no other node did");
            self.lead(Leading { fence, term: held.term, ..leading });
            return None;
        }
        *suspended = None;
        let has_followed = last_values.epoch().is_some();
        let followed = has_followed.then_some(Followed { universe: &self.universe, last_values });
        let epoch = (self.new_epoch)();
        let source = self.leader.as_mut().map(|leader| leader.begin(followed, epoch));
        let mut source = match source {
            Some(Ok(source)) => source,
            Some(Err(reason)) => {
                error!("this node cannot lead: {reason}");
                self.refused_term = Some(held.term);
                return None;
            }
            None => return None,
        };
        info!(%epoch, "leading");
        let batch = source.open(last_values);
        (self.epoch, self.has_history) = (epoch, true);
        last_values.set_epoch(epoch);
        self.lead(Leading { source, fence, term: held.term });
        let batch = batch.map_or_else(
            || {
                last_values.set_batch(last_values.batch() + 1);
                Batch::new(Arc::clone(&self.universe), last_values.watermark(), Vec::new(), Vec::new())
                    .numbered(last_values.batch())
            },
            |batch| Arc::into_inner(batch).expect("the source has kept no other reference"),
        );
        Some(self.publish(Arc::new(batch.beginning(Some(epoch))), last_values))
    }

    fn lead(&mut self, leading: Leading) {
        self.exchange.send(Outgoing::Begin(Term { fence: leading.fence, epoch: self.epoch }));
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
        let place = Place::Following { follower: Box::new(follower), suspended: None };
        if let (Place::Leading(leading), Place::Following { follower, suspended }) =
            (std::mem::replace(&mut self.place, place), &mut self.place)
        {
            **follower = Follower::new(leading.fence, Arc::clone(&self.universe));
            *suspended = Some(leading);
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
        self.progress.set(last_values.published());
        self.exchange.send(Outgoing::Batch(Arc::clone(&batch)));
        batch
    }

    fn lead_on(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let Place::Leading(Leading { source, .. }) = &mut self.place else { return None };
        // Other leaders have lost their leases.
        self.exchange.take_arrivals();
        let batch = source.poll(last_values).map(|batch| self.publish(batch, last_values));
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
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn open(&mut self, _: &mut LastValues) -> Option<Arc<Batch>> {
        None
    }

    fn ticks(&mut self) -> Ticks {
        let clock = millisecond_ticks(self.clock.now()).boxed_local();
        ClusterTicks { clock, exchange: Arc::clone(&self.exchange), idle: 0 }.boxed_local()
    }

    fn poll(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let now = Instant::now();
        let held = self.exchange.lease(now);
        match (&self.place, held) {
            (Place::Leading(leading), Some(held)) if held.term == leading.term => {
                let batch = self.lead_on(last_values);
                return batch.or_else(|| self.notice(last_values, now));
            }
            (Place::Leading(_), _) => self.stop_to_lead(now),
            _ => {}
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
        match &mut self.place {
            Place::Leading(Leading { source, .. }) => source.control(command),
            Place::Following { .. } => Err(ControlRefusal::NoReplay),
        }
    }

    fn replay_status(&self) -> Option<ReplayStatus> {
        match &self.place {
            Place::Leading(Leading { source, .. }) => source.replay_status(),
            Place::Following { .. } => None,
        }
    }

    fn outage(&self) -> Option<&str> {
        let Place::Following { follower, .. } = &self.place else { return None };
        if follower.is_incompatible() {
            return Some("the feed has other instruments than before: restart this node");
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
        match &mut self.place {
            Place::Leading(Leading { source, .. }) => source.settle(),
            Place::Following { .. } => self.archive.settle(),
        }
    }

    fn hold_back(&mut self) -> bool {
        match &mut self.place {
            Place::Leading(Leading { source, .. }) => source.hold_back(),
            Place::Following { .. } => false,
        }
    }
}

impl Drop for ClusterFeed {
    fn drop(&mut self) {
        self.exchange.close();
    }
}

/// A tick for each message, and each millisecond while there may be something to publish.
struct ClusterTicks {
    clock: Ticks,
    exchange: Arc<Exchange>,
    idle: u32,
}

impl Stream for ClusterTicks {
    type Item = ClockTick;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ClockTick>> {
        if self.exchange.poll_news(cx.waker()) {
            return Poll::Ready(Some(ClockTick));
        }
        while let Poll::Ready(tick) = self.clock.poll_next_unpin(cx) {
            self.idle += 1;
            if tick.is_none() || self.idle >= IDLE_TICKS || self.exchange.leads() {
                self.idle = 0;
                return Poll::Ready(tick);
            }
        }
        Poll::Pending
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
