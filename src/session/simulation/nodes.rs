use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::market::{Published, Script, Scripted, ScriptedSource};
use super::scenario::{Fault, HopKind, LISTED_AT_START, SYMBOLS, Settings};
use crate::archive::{Archive, Retention};
use crate::clock::Clock;
#[cfg(feature = "nats")]
use crate::cluster::SimulatedLink;
use crate::feed::{BarSpans, Batch, BatchSource, FeedProgress, LastValues, SequencedFeed, Sequencer};
use crate::hub::{BacklogLimits, Hub, LivenessTimeouts, MaxDelay, Now, WorkerShare};
use crate::metrics::{ClockMetrics, FeedMetrics, WorkerMetrics};
use crate::model::{Epoch, Timestamp};
use crate::session::ReplayLookup;
use crate::wire::fixtures;

/// The most batches of one dispatch of a hub that is another worker, as its actor has it.
const MAX_BATCHES_PER_DISPATCH: usize = 64;

/// Bars of this length are published in place of minutes, so that there are some.
const BAR_NANOS: i64 = 50_000_000;

/// A hub with what its sessions read besides.
pub(super) struct Node {
    pub(super) hub: Rc<Hub>,
    pub(super) archive: Arc<Archive>,
    pub(super) progress: FeedProgress,
}

impl Node {
    /// Looks up what was published, as `http/upgrade.rs` does it for a session.
    pub(super) fn replay(&self) -> ReplayLookup {
        let archive = Arc::clone(&self.archive);
        Rc::new(move |stream, after, up_to, most| archive.replay(stream, after, up_to, most))
    }

    /// The ticks of a millisecond: what waits to be coalesced leaves, and timers run.
    fn tick(&self, now: Now) {
        if self.hub.has_more() || self.hub.flush_at().is_some_and(|at| at <= now.steady) {
            self.hub.dispatch(&[], now.steady);
        }
        self.hub.run_timers(now);
    }
}

/// The way from the feed to the second hub.
enum Hop {
    Worker(VecDeque<Arc<Batch>>),
    #[cfg(feature = "nats")]
    Cluster(Box<SimulatedLink>),
}

/// The feed with the hub of its own thread, and a second hub behind it.
pub(super) struct Nodes {
    feed: SequencedFeed,
    pub(super) script: Script,
    pub(super) published: Published,
    pub(super) nodes: [Node; 2],
    hop: Hop,
    clock: Clock,
    pub(super) now: Now,
    next_liveness: Instant,
    epochs: u64,
}

/// The interval of the check for silent and stalled connections, as the hub's actor has it.
pub(super) const LIVENESS_INTERVAL: Duration = Duration::from_secs(1);

impl Nodes {
    pub(super) fn new(settings: &Settings) -> Self {
        let start = Instant::now();
        let now = Now { steady: start, wall: Timestamp::from_nanos(1_614_009_104_208_000_001) };
        let clock = Clock::system(ClockMetrics::default());
        clock.hold(now.wall);
        let script = Script::new(Scripted { now: now.wall, ..Scripted::default() }.into());
        let retention =
            Retention { trades: settings.retained, quotes: settings.retained, ..Retention::default() };
        let universe = Arc::new(fixtures::universe_of(&SYMBOLS[..LISTED_AT_START]));
        let archive = || Arc::new(Archive::new(LISTED_AT_START, retention));
        let spans = BarSpans { bar_nanos: BAR_NANOS };
        let sequencer = Sequencer::new(Arc::clone(&universe), spans, Epoch::new(36), now.wall);
        let source = Box::new(ScriptedSource::new(Arc::clone(&script)));
        let of_feed = archive();
        let mut feed = SequencedFeed::new(source, sequencer, Arc::clone(&of_feed), FeedMetrics::default());
        let progress = feed.progress();

        let hub = || {
            let share = WorkerShare::new(WorkerMetrics::default(), clock.clone(), 1, start);
            let backlog = BacklogLimits { address: settings.address_backlog, ..BacklogLimits::default() };
            let timeouts = LivenessTimeouts::default();
            let share = share.with_backlog(backlog);
            Rc::new(Hub::new(
                Arc::clone(&universe),
                timeouts,
                MaxDelay::Fixed(settings.max_delay),
                share,
                start,
            ))
        };
        let first = Node { hub: hub(), archive: Arc::clone(&of_feed), progress: progress.clone() };
        let opened = feed.open(&mut first.hub.last_values_mut());
        let mut published = Published::default();
        opened.iter().for_each(|batch| published.add(batch));
        let snapshot = LastValues::clone(&first.hub.last_values_mut());
        let second = match settings.hop {
            HopKind::Worker => Node { hub: hub(), archive: of_feed, progress },
            HopKind::Cluster => Node { hub: hub(), archive: archive(), progress: FeedProgress::default() },
        };
        let hop = match settings.hop {
            #[cfg(feature = "nats")]
            HopKind::Cluster => {
                second.progress.set_follows();
                second.archive.list(&universe);
                Hop::Cluster(Box::new(SimulatedLink::new(&universe, Epoch::new(36))))
            }
            _ => {
                second.hub.load_snapshot(snapshot);
                Hop::Worker(opened.into_iter().collect())
            }
        };
        let nodes = [first, second];
        let next_liveness = start + LIVENESS_INTERVAL;
        let mut nodes = Self { feed, script, published, nodes, hop, clock, now, next_liveness, epochs: 36 };
        nodes.deliver_everything();
        nodes
    }

    /// Lets the feed publish what is in the script.
    pub(super) fn publish(&mut self) {
        self.script.lock().unwrap().now = self.now.wall;
        let hub = &self.nodes[0].hub;
        let batch = self.feed.poll(&mut hub.last_values_mut());
        if let Some(batch) = &batch {
            self.published.add(batch);
        }
        hub.dispatch(batch.as_slice(), self.now.steady);
        hub.run_timers(self.now);
        self.feed.settle();
        let Some(batch) = batch else { return };
        match &mut self.hop {
            Hop::Worker(in_transit) => in_transit.push_back(batch),
            #[cfg(feature = "nats")]
            Hop::Cluster(link) => link.publish(&batch, LastValues::clone(&hub.last_values_mut())),
        }
    }

    /// An epoch begins with the next batch.
    pub(super) fn begin_epoch(&mut self) {
        self.epochs += 1;
        self.script.lock().unwrap().epoch = Some(Epoch::new(self.epochs));
    }

    /// The second hub dispatches some of what has arrived.
    pub(super) fn deliver(&mut self) {
        let node = &self.nodes[1];
        match &mut self.hop {
            Hop::Worker(in_transit) => {
                let count = in_transit.len().min(MAX_BATCHES_PER_DISPATCH);
                let batches: Vec<_> = in_transit.drain(..count).collect();
                node.hub.ingest(&batches, self.now.steady);
                node.hub.run_timers(self.now);
            }
            #[cfg(feature = "nats")]
            Hop::Cluster(link) => {
                link.deliver(self.now.steady);
                loop {
                    let batch = link.next_batch(&mut node.hub.last_values_mut());
                    let Some(batch) = batch else { break };
                    // As `ClusterFeed::record` does it: before the batch is published.
                    node.archive.follow(batch.universe());
                    node.archive.record_until(batch.events(), batch.watermark());
                    let published = node.hub.last_values_mut().published();
                    node.progress.set(published);
                    node.hub.dispatch(&[batch], self.now.steady);
                }
                node.hub.run_timers(self.now);
            }
        }
    }

    /// The network between the nodes does this to the next messages.
    pub(super) fn disturb(&mut self, fault: Fault) {
        #[cfg(feature = "nats")]
        if let Hop::Cluster(link) = &mut self.hop {
            match fault {
                Fault::Lose(count) => link.lose(usize::from(count)),
                Fault::Repeat => link.repeat(),
                Fault::Swap => link.swap(),
            }
        }
        #[cfg(not(feature = "nats"))]
        let _ = fault;
    }

    /// The second hub dispatches all that is in transit, and nothing is lost from now on. A gateway may have requests that
    /// are yet to be answered.
    pub(super) fn deliver_everything(&mut self) {
        #[cfg(feature = "nats")]
        if let Hop::Cluster(link) = &mut self.hop {
            link.calm();
            self.deliver();
        }
        self.deliver();
        while matches!(&self.hop, Hop::Worker(in_transit) if !in_transit.is_empty()) {
            self.deliver();
        }
    }

    /// Time passes by this much.
    pub(super) fn advance(&mut self, by: Duration) {
        self.now.steady += by;
        self.now.wall = self.now.wall + by;
        self.clock.hold(self.now.wall);
        for node in &self.nodes {
            node.tick(self.now);
        }
        if self.next_liveness <= self.now.steady {
            self.next_liveness += LIVENESS_INTERVAL;
            for node in &self.nodes {
                node.hub.check_liveness(self.now.steady, LIVENESS_INTERVAL);
            }
        }
    }
}
