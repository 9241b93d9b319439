//! Runs the feed, and passes its batches to the hubs and to all other followers.
//!
//! The two modes differ in where the feed runs and which last values it updates; both are written out in
//! [`FeedActor::tick`]. With one worker the feed shares its thread, updates the hub's last values and calls the hub:
//! waking another thread costs about 10 µs, 1,000 times a second; a message to the hub's actor would be allocated and
//! wake it as often; and a second table of last values would be written in cold cache lines for each object. With
//! several workers the feed has a thread and last values of its own, and each hub follows it by messages.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use actix::dev::channel::{AddressReceiver, channel};
use actix::{
    Actor, ActorContext, Addr, Arbiter, AsyncContext, Context, Handler, Message, Recipient, ResponseFuture,
    StreamHandler,
};
use futures_util::future::{LocalBoxFuture, ready};
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::oneshot;
use tracing::error;

use crate::clock::Clock;
use crate::faults::FaultyFeed;
use crate::feed::{
    Audience, Batch, BatchSource, ControlReplay, Follow, Followers, LastValues, Moderate, Publish, Published,
    PublishedMessages,
};
use crate::http::Readiness;
use crate::hub::{Continue, Hub, HubActor, LivenessProbe, Now};
use crate::journal::JournalFollower;
use crate::metrics::LatencyHistogram;
use crate::model::{Feed, SECOND, Universe, UniverseSize};
use crate::source::{ClockTick, ControlRefusal, Readers, ReplayStatus};
use crate::topics::{Publication, PublicationNumber, PublishRefusal};

/// A feed of the service and the thread it runs on.
pub(super) struct FeedRuntime {
    actor: Addr<FeedActor>,
    place: FeedPlace,
    monitor: FeedMonitor,
    audience: Audience,
}

enum FeedPlace {
    /// A thread of its own.
    OwnThread(Arbiter),
    /// The thread of the only worker, which takes the feed when it starts.
    Inline(Mutex<Option<Box<PreparedFeed>>>),
}

/// A feed that is not started yet. Its mailbox exists already, so it can be followed at any time.
struct PreparedFeed {
    source: Box<dyn BatchSource>,
    journal: Option<JournalFollower>,
    mailbox: AddressReceiver<FeedActor>,
    monitor: FeedMonitor,
    faults: Option<Box<FaultyDelivery>>,
    clock: Clock,
    audience: Audience,
}

/// Makes faults of delivery, by this clock.
pub(super) struct FaultyDelivery {
    pub(super) feed: FaultyFeed,
    pub(super) clock: Clock,
}

/// Reports whether the feed runs, by a gauge and by the service's readiness, and how late it is.
#[derive(Clone)]
pub(super) struct FeedMonitor {
    name: Feed,
    up: Gauge,
    readiness: Readiness,
    is_stopping: Arc<AtomicBool>,
    /// How late batches are published, if that is measured.
    source_to_feed: Option<LatencyHistogram>,
}

/// The capacity of the feed's mailbox, which holds requests to follow and to control a replay.
const MAILBOX: usize = 16;

impl FeedRuntime {
    /// Starts the feed for this number of workers; with one worker it starts in [`add_worker`](Self::add_worker).
    pub(super) fn new(
        source: Box<dyn BatchSource>,
        journal: Option<JournalFollower>,
        workers: usize,
        monitor: FeedMonitor,
        faults: Option<Box<FaultyDelivery>>,
        clock: Clock,
    ) -> Self {
        let (address, mailbox) = channel(MAILBOX);
        let audience = Audience::default();
        let prepared = PreparedFeed {
            source,
            journal,
            mailbox,
            monitor: monitor.clone(),
            faults,
            clock,
            audience: audience.clone(),
        };
        let place = if workers == 1 {
            FeedPlace::Inline(Mutex::new(Some(Box::new(prepared))))
        } else {
            let thread = Arbiter::new();
            thread.spawn_fn(move || prepared.start(Target::Followers(LastValues::default())));
            FeedPlace::OwnThread(thread)
        };
        Self { actor: Addr::new(address), place, monitor, audience }
    }

    /// Passes every batch to the hub of the calling worker thread. When the returned future ends, the hub has the feed's
    /// snapshot: what a session is told before that would be of numbers that are not known yet, and objects that were
    /// published before the snapshot would never reach it. If the feed has ended, so does the future.
    pub(super) fn add_worker(&self, hub: &Rc<Hub>, actor: Addr<HubActor>) -> LocalBoxFuture<'static, ()> {
        match &self.place {
            FeedPlace::OwnThread(_) => {
                let following = self.actor.send(Follow(actor.clone().recipient()));
                Box::pin(async move {
                    // The answers come behind the snapshot, in the mailbox of the hub too.
                    let _ = following.await;
                    let _ = actor.send(Continue).await;
                })
            }
            FeedPlace::Inline(prepared) => {
                match prepared.lock().expect("no thread panics while it holds this lock").take() {
                    Some(prepared) => prepared.start(Target::Hub { hub: Rc::clone(hub), actor }),
                    None => error!("the feed is running on another worker: this worker gets no data"),
                }
                Box::pin(ready(()))
            }
        }
    }

    /// Where the sessions of the feed are counted.
    pub(super) fn audience(&self) -> Audience {
        self.audience.clone()
    }

    /// Where commands for a replay are sent.
    pub(super) fn replay_control(&self) -> Recipient<ControlReplay> {
        self.actor.clone().recipient()
    }

    /// Where messages of topics are sent.
    pub(super) fn publisher(&self) -> Recipient<Publish> {
        self.actor.clone().recipient()
    }

    /// Where what moderators do is sent.
    pub(super) fn moderator(&self) -> Recipient<Moderate> {
        self.actor.clone().recipient()
    }

    /// What answers while the feed's thread runs.
    pub(super) fn liveness(&self) -> Recipient<LivenessProbe> {
        self.actor.clone().recipient()
    }

    /// Stops the feed's own thread. An inline feed stops with its worker, which may end from now on.
    pub(super) fn stop(&self) {
        self.monitor.is_stopping.store(true, Ordering::Relaxed);
        if let FeedPlace::OwnThread(thread) = &self.place {
            thread.stop();
        }
    }
}

impl PreparedFeed {
    /// Starts the feed on the calling thread.
    fn start(self, target: Target) {
        let actor = FeedActor {
            source: self.source,
            journal: self.journal,
            target,
            followers: Followers::default(),
            backlog: Backlog::default(),
            universe: Arc::default(),
            listed_at_start: UniverseSize::default(),
            publications: Vec::new(),
            clock: self.clock,
            faults: self.faults,
            audience: self.audience,
            monitor: self.monitor.clone(),
            _running: RunningGuard::new(self.monitor),
        };
        actix::spawn(Context::with_receiver(self.mailbox).into_future(actor));
    }
}

impl FeedMonitor {
    /// A monitor that sets this gauge, and withdraws the readiness when the feed of this name ends by itself.
    pub(super) fn new(name: Feed, up: Gauge, readiness: Readiness) -> Self {
        Self { name, up, readiness, is_stopping: Arc::default(), source_to_feed: None }
    }

    /// The same, which records how late batches are published.
    pub(super) fn measuring(self, source_to_feed: LatencyHistogram) -> Self {
        Self { source_to_feed: Some(source_to_feed), ..self }
    }

    /// Passes on why no new sessions are to be accepted.
    fn tell(&self, outage: Option<&str>) {
        match outage {
            None if self.readiness.is_ready() => {}
            None => self.readiness.begin(),
            Some(reason) if self.readiness.reason().as_deref() == Some(reason) => {}
            Some(reason) => self.readiness.withhold(reason),
        }
    }
}

/// Reports the end of the feed when it is dropped with the feed's actor: after a panic, after the end of the ticks, or
/// with the thread.
struct RunningGuard(FeedMonitor);

impl RunningGuard {
    fn new(monitor: FeedMonitor) -> Self {
        monitor.up.set(1);
        Self(monitor)
    }
}

impl Drop for RunningGuard {
    fn drop(&mut self) {
        self.0.up.set(0);
        if !self.0.is_stopping.load(Ordering::Relaxed) {
            self.0.readiness.end();
            error!(feed = %self.0.name, "the market-data feed has ended: sessions get no more data, and /readyz answers 503");
        }
    }
}

/// A message that is to be published, and where the answer goes.
struct PendingPublication {
    publication: Publication,
    answer: oneshot::Sender<Result<PublicationNumber, PublishRefusal>>,
}

/// Publishes the messages that have come.
#[derive(Message)]
#[rtype(result = "()")]
struct PublishMessages;

/// Polls the batch source on each of its ticks and publishes the batch.
struct FeedActor {
    source: Box<dyn BatchSource>,
    journal: Option<JournalFollower>,
    target: Target,
    followers: Followers,
    backlog: Backlog,
    /// The instruments as of the last batch.
    universe: Arc<Universe>,
    /// The size of the universe with which the feed has opened.
    listed_at_start: UniverseSize,
    /// The messages that came since the last were published.
    publications: Vec<PendingPublication>,
    clock: Clock,
    faults: Option<Box<FaultyDelivery>>,
    audience: Audience,
    monitor: FeedMonitor,
    _running: RunningGuard,
}

/// The latest batches that a hub or another follower has yet to dispatch.
///
/// A replay at the speed `max` makes batches faster than they can be dispatched. Without a bound they would fill the
/// memory.
#[derive(Default)]
struct Backlog(VecDeque<Weak<Batch>>);

impl Backlog {
    /// The most batches that are not dispatched before a source that can wait is not polled. Fewer than those with which
    /// a hub conflates, so that a replay is delivered whole.
    const MOST: usize = 64;

    fn add(&mut self, batch: &Arc<Batch>) {
        if self.0.len() == Self::MOST {
            self.0.pop_front();
        }
        self.0.push_back(Arc::downgrade(batch));
    }

    fn is_full(&mut self) -> bool {
        if self.0.len() == Self::MOST {
            self.0.retain(|batch| batch.strong_count() > 0);
        }
        self.0.len() == Self::MOST
    }
}

/// Where the last values are, and where batches go besides the followers.
enum Target {
    /// To the hub of the feed's thread, which has the last values.
    Hub { hub: Rc<Hub>, actor: Addr<HubActor> },
    /// Nowhere else: all hubs are followers. The last values are those of the next follower's snapshot.
    Followers(LastValues),
}

impl FeedActor {
    fn open(&mut self) {
        let batch = match &mut self.target {
            Target::Hub { hub, .. } => self.source.open(&mut hub.last_values_mut()),
            Target::Followers(last_values) => self.source.open(last_values),
        };
        self.publish(batch);
        self.listed_at_start = self.universe.size();
    }

    /// Publishes the messages that have come, together, and answers their publishers.
    fn publish_messages(&mut self) {
        if self.publications.is_empty() {
            return;
        }
        let (publications, answers): (Vec<_>, Vec<_>) =
            self.publications.drain(..).map(|pending| (pending.publication, pending.answer)).unzip();
        let (at, now) = (self.clock.now(), Instant::now());
        let PublishedMessages { batch, results } = match &mut self.target {
            Target::Hub { hub, .. } => self.source.publish(&mut hub.last_values_mut(), publications, at, now),
            Target::Followers(last_values) => self.source.publish(last_values, publications, at, now),
        };
        if batch.is_some() {
            self.publish(batch);
        }
        for (answer, result) in answers.into_iter().zip(results) {
            // A publisher that has gone is not answered.
            let _ = answer.send(result);
        }
    }

    fn tick(&mut self) {
        // An epoch may begin with the next batch; these are of the present one.
        self.publish_messages();
        if self.backlog.is_full() && self.source.hold_back() {
            self.publish(None);
            return;
        }
        let batch = match &mut self.target {
            Target::Hub { hub, .. } => self.source.poll(&mut hub.last_values_mut()),
            Target::Followers(last_values) => self.source.poll(last_values),
        };
        self.publish(batch);
        self.source.settle();
        self.monitor.tell(self.source.outage());
        if self.needs_no_tick() {
            self.source.skip_ticks(self.readers());
        }
    }

    /// Publishes a batch, if there is one. A hub of this thread is called in any case: ticks are its clock.
    fn publish(&mut self, batch: Option<Arc<Batch>>) {
        if let Some(batch) = &batch {
            self.universe = Arc::clone(batch.universe());
            self.measure(batch);
        }
        if let (Some(journal), Some(batch)) = (&mut self.journal, &batch) {
            journal.announce(batch);
        }
        match &mut self.faults {
            None => self.deliver(batch.as_slice()),
            Some(faults) => {
                let batches = faults.feed.deliver(batch.clone(), faults.clock.now());
                self.deliver(&batches);
            }
        }
        // Without the faults that clients see.
        if let (Some(journal), Some(batch)) = (&mut self.journal, &batch) {
            journal.record(batch);
        }
    }

    /// Notes when a batch is published, and how late that is.
    fn measure(&self, batch: &Batch) {
        let Some(source_to_feed) = &self.monitor.source_to_feed else { return };
        batch.set_published(Instant::now());
        let late = self.clock.now().nanos().saturating_sub(batch.watermark().nanos());
        // What is older is a replay at its original times. An upstream's clock may be ahead.
        const OLDEST: i64 = 3_600 * SECOND;
        if late < OLDEST && !batch.is_empty() {
            source_to_feed.record(Duration::from_nanos(late.max(0).unsigned_abs()));
        }
    }

    fn deliver(&mut self, batches: &[Arc<Batch>]) {
        if let Target::Hub { hub, actor } = &self.target {
            let now = Now::read(hub.clock());
            hub.dispatch(batches, now.steady);
            hub.run_timers(now);
            if hub.has_more() {
                actor.do_send(Continue);
            }
        }
        for batch in batches {
            self.followers.publish(batch);
            self.backlog.add(batch);
        }
    }

    /// A journal and REST can wait for what no session waits for.
    fn readers(&self) -> Readers {
        if self.audience.is_empty() { Readers::Absent } else { Readers::Waiting }
    }

    fn needs_no_tick(&self) -> bool {
        match &self.target {
            // A batch that is late on purpose needs a tick.
            _ if self.faults.is_some() => false,
            Target::Hub { hub, .. } => hub.is_idle(),
            Target::Followers(_) => true,
        }
    }
}

impl Actor for FeedActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.open();
        ctx.add_stream(self.source.ticks());
    }
}

impl StreamHandler<ClockTick> for FeedActor {
    fn handle(&mut self, _: ClockTick, _: &mut Self::Context) {
        self.tick();
    }

    fn finished(&mut self, ctx: &mut Self::Context) {
        error!("the ticks of the market-data feed have ended");
        ctx.stop();
    }
}

impl Handler<Follow> for FeedActor {
    type Result = ();

    fn handle(&mut self, Follow(follower): Follow, _: &mut Self::Context) {
        let snapshot = match &self.target {
            Target::Hub { hub, .. } => LastValues::clone(&hub.last_values_mut()),
            Target::Followers(last_values) => last_values.clone(),
        };
        // The instruments of the snapshot.
        let (universe, watermark) = (Arc::clone(&self.universe), snapshot.watermark());
        let listing = Batch::new(universe, watermark, Vec::new(), Vec::new()).numbered(snapshot.batch());
        self.followers.add(follower.clone(), snapshot);
        // With the topics. A hub knows those with which the feed has opened.
        if self.universe.size() != self.listed_at_start {
            follower.do_send(Published::Batch(Arc::new(listing)));
        }
    }
}

impl Handler<Publish> for FeedActor {
    type Result = ResponseFuture<Result<PublicationNumber, PublishRefusal>>;

    /// Keeps the message until the mailbox is empty, so that those that come together share a batch.
    fn handle(&mut self, Publish(publication): Publish, ctx: &mut Self::Context) -> Self::Result {
        let (answer, answered) = oneshot::channel();
        self.publications.push(PendingPublication { publication, answer });
        if self.publications.len() == 1 {
            ctx.notify(PublishMessages);
        }
        Box::pin(async move { answered.await.unwrap_or(Err(PublishRefusal::Unanswered)) })
    }
}

impl Handler<Moderate> for FeedActor {
    type Result = Result<(), PublishRefusal>;

    fn handle(&mut self, Moderate(moderation): Moderate, _: &mut Self::Context) -> Self::Result {
        self.source.moderate(&moderation, Instant::now())
    }
}

impl Handler<PublishMessages> for FeedActor {
    type Result = ();

    fn handle(&mut self, _: PublishMessages, _: &mut Self::Context) {
        self.publish_messages();
    }
}

impl Handler<LivenessProbe> for FeedActor {
    type Result = ();

    fn handle(&mut self, _: LivenessProbe, _: &mut Self::Context) {}
}

impl Handler<ControlReplay> for FeedActor {
    type Result = Result<ReplayStatus, ControlRefusal>;

    fn handle(&mut self, ControlReplay(command): ControlReplay, _: &mut Self::Context) -> Self::Result {
        command.map_or(Ok(()), |command| self.source.control(command))?;
        self.source.replay_status().ok_or(ControlRefusal::NoReplay)
    }
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
