use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use futures_util::stream;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::*;
use crate::model::{Epoch, Object, Seq, Timestamp};
use crate::source::Ticks;
use crate::wire::fixtures;

/// A source that gives one trade when it opens and one at each tick that the test sends; its ticks end when the test
/// drops the sender.
struct ScriptedSource {
    last: Seq,
    ticks: Option<UnboundedReceiver<ClockTick>>,
    /// How often it was held back, if it can wait.
    held_back: Option<Arc<AtomicUsize>>,
    /// It opens when the test sends to this, if it is set.
    opens: Option<std::sync::mpsc::Receiver<()>>,
    /// Where it sends the argument of each `skip_ticks`.
    readers: Option<UnboundedSender<Readers>>,
}

/// The number at which the source panics.
const PANICS_AT: Seq = Seq(200);

impl ScriptedSource {
    fn new() -> (UnboundedSender<ClockTick>, Box<Self>) {
        let (ticks, receiver) = unbounded_channel();
        (
            ticks,
            Box::new(Self {
                last: Seq(0),
                ticks: Some(receiver),
                held_back: None,
                opens: None,
                readers: None,
            }),
        )
    }
}

impl BatchSource for ScriptedSource {
    fn epoch(&self) -> Epoch {
        Epoch::default()
    }

    fn open(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        if let Some(opens) = self.opens.take() {
            opens.recv().expect("the test lets it open");
        }
        self.poll(last_values)
    }

    fn ticks(&mut self) -> Ticks {
        let mut ticks = self.ticks.take().expect("the ticks are taken once");
        stream::poll_fn(move |cx| ticks.poll_recv(cx)).boxed_local()
    }

    fn poll(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        self.last = self.last.next();
        assert_ne!(self.last, PANICS_AT, "the source panics");
        let trade = Object { seq: self.last, ..fixtures::trade() };
        last_values.put(trade);
        let universe = Arc::new(fixtures::universe());
        Some(Arc::new(Batch::new(universe, Timestamp::default(), vec![trade], vec![])))
    }

    fn hold_back(&mut self) -> bool {
        let Some(held_back) = &self.held_back else { return false };
        held_back.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn skip_ticks(&mut self, readers: Readers) {
        if let Some(told) = &self.readers {
            told.send(readers).expect("the test still listens");
        }
    }
}

/// A follower that hands everything it gets to the test.
struct Recorder(UnboundedSender<Published>);

impl Actor for Recorder {
    type Context = Context<Self>;
}

impl Handler<Published> for Recorder {
    type Result = ();

    fn handle(&mut self, published: Published, _: &mut Self::Context) {
        self.0.send(published).expect("the test still listens");
    }
}

fn follow(feed: &FeedRuntime) -> UnboundedReceiver<Published> {
    let (sender, received) = unbounded_channel();
    feed.actor.do_send(Follow(Recorder(sender).start().recipient()));
    received
}

async fn next(received: &mut UnboundedReceiver<Published>) -> Published {
    timeout(Duration::from_secs(10), received.recv()).await.expect("in time").expect("the follower lives")
}

fn clock() -> Clock {
    Clock::system(crate::metrics::ClockMetrics::default())
}

async fn snapshot(received: &mut UnboundedReceiver<Published>) -> Seq {
    match next(received).await {
        Published::Snapshot(last_values) => last_values.seq(fixtures::trade().stream()),
        Published::Batch(batch) => panic!("a batch before the snapshot: {batch:?}"),
    }
}

async fn batches(received: &mut UnboundedReceiver<Published>, count: usize) -> Vec<u64> {
    let mut seqs = Vec::new();
    while seqs.len() < count {
        match next(received).await {
            Published::Batch(batch) => seqs.extend(batch.objects().map(|object| object.seq.0)),
            Published::Snapshot(_) => panic!("a second snapshot"),
        }
    }
    seqs
}

fn worker(feed: &FeedRuntime) -> Rc<Hub> {
    let hub = Rc::new(Hub::for_tests(Duration::ZERO));
    actix::spawn(feed.add_worker(&hub, HubActor::new(Rc::clone(&hub)).start()));
    hub
}

fn monitor() -> FeedMonitor {
    let readiness = Readiness::default();
    readiness.begin();
    FeedMonitor::new(Feed::IEX, Gauge::default(), readiness)
}

async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(10), wait).await.expect("in time");
}

#[actix::test]
async fn a_worker_waits_until_its_hub_has_the_snapshot_of_a_feed_on_another_thread() {
    let (_ticks, mut source) = ScriptedSource::new();
    let (open, opens) = std::sync::mpsc::channel();
    source.opens = Some(opens);
    let feed = FeedRuntime::new(source, None, 2, monitor(), None, clock());
    let hub = Rc::new(Hub::for_tests(Duration::ZERO));
    let mut loaded = feed.add_worker(&hub, HubActor::new(Rc::clone(&hub)).start());
    let newest = || hub.with_last_values(|last_values| last_values.seq(fixtures::trade().stream()));
    assert!((&mut loaded).now_or_never().is_none() && newest() == Seq(0));

    open.send(()).unwrap();
    timeout(Duration::from_secs(10), loaded).await.expect("in time");

    assert_eq!(newest(), Seq(1));
}

/// The batches that are not dispatched yet are those that the test keeps.
#[actix::test]
async fn a_source_that_can_wait_is_not_polled_while_a_follower_is_behind() {
    let (ticks, mut source) = ScriptedSource::new();
    let held_back = Arc::new(AtomicUsize::new(0));
    source.held_back = Some(Arc::clone(&held_back));
    let feed = FeedRuntime::new(source, None, 2, monitor(), None, clock());
    let mut received = follow(&feed);
    snapshot(&mut received).await;
    let mut kept = Vec::new();

    (0..100).for_each(|_| ticks.send(ClockTick).unwrap());
    for _ in 0..Backlog::MOST {
        kept.push(next(&mut received).await);
    }
    until(|| held_back.load(Ordering::Relaxed) == 100 - Backlog::MOST).await;
    assert!(received.try_recv().is_err());

    kept.clear();
    ticks.send(ClockTick).unwrap();
    next(&mut received).await;
    feed.stop();
}

#[actix::test]
async fn a_source_is_told_whether_a_session_of_any_worker_waits_for_its_events() {
    for workers in [1, 2] {
        let (ticks, mut source) = ScriptedSource::new();
        let (sender, mut told) = unbounded_channel();
        source.readers = Some(sender);
        let feed = FeedRuntime::new(source, None, workers, monitor(), None, clock());
        let _hub = worker(&feed);
        let mut tick = async || {
            ticks.send(ClockTick).expect("the feed runs");
            timeout(Duration::from_secs(10), told.recv()).await.expect("in time").expect("the source lives")
        };
        let (one, other) = (feed.audience(), feed.audience());

        assert_eq!(tick().await, Readers::Absent);
        one.join();
        other.join();
        assert_eq!(tick().await, Readers::Waiting);
        one.leave();
        assert_eq!(tick().await, Readers::Waiting);
        other.leave();
        assert_eq!(tick().await, Readers::Absent);
        feed.stop();
    }
}

#[actix::test]
async fn every_follower_gets_a_snapshot_and_then_every_batch_in_both_modes() {
    for workers in [1, 2] {
        let (ticks, source) = ScriptedSource::new();
        let feed = FeedRuntime::new(source, None, workers, monitor(), None, clock());
        let hub = worker(&feed);
        let tick = |count| (0..count).for_each(|_| ticks.send(ClockTick).expect("the feed runs"));

        let mut first = follow(&feed);
        assert_eq!(snapshot(&mut first).await, Seq(1));
        tick(3);
        assert_eq!(batches(&mut first, 3).await, [2, 3, 4]);
        let mut second = follow(&feed);
        assert_eq!(snapshot(&mut second).await, Seq(4));
        tick(100);

        let rest: Vec<_> = (5..=104).collect();
        assert_eq!(batches(&mut first, 100).await, rest);
        assert_eq!(batches(&mut second, 100).await, rest);
        until(|| hub.last_values_mut().seq(fixtures::trade().stream()) == Seq(104)).await;
        feed.stop();
    }
}

#[actix::test]
async fn a_follower_that_comes_before_the_only_worker_misses_nothing() {
    let (ticks, source) = ScriptedSource::new();
    let feed = FeedRuntime::new(source, None, 1, monitor(), None, clock());
    let mut follower = follow(&feed);

    worker(&feed);
    ticks.send(ClockTick).expect("the feed runs");

    assert_eq!(snapshot(&mut follower).await, Seq(1));
    assert_eq!(batches(&mut follower, 1).await, [2]);
}

/// Starts a feed, has it end by `end`, and checks that the gauge and the readiness say so.
async fn assert_end_is_reported(workers: usize, end: impl FnOnce(UnboundedSender<ClockTick>)) {
    let (ticks, source) = ScriptedSource::new();
    let monitor = monitor();
    let FeedMonitor { up, readiness, .. } = monitor.clone();
    let feed = FeedRuntime::new(source, None, workers, monitor, None, clock());
    worker(&feed);
    until(|| up.get() == 1).await;
    assert!(readiness.is_ready());

    end(ticks);

    until(|| up.get() == 0 && !readiness.is_ready()).await;
    feed.stop();
}

#[actix::test]
async fn a_feed_whose_ticks_end_is_reported() {
    for workers in [1, 2] {
        assert_end_is_reported(workers, drop).await;
    }
}

#[actix::test]
async fn a_feed_that_panics_is_reported() {
    for workers in [1, 2] {
        assert_end_is_reported(workers, |ticks| {
            // Opening took the first number; the last tick panics, so that none comes after it.
            (1..PANICS_AT.0).for_each(|_| ticks.send(ClockTick).expect("the feed still runs"));
        })
        .await;
    }
}

#[actix::test]
async fn a_feed_that_is_stopped_withdraws_no_readiness() {
    let (_ticks, source) = ScriptedSource::new();
    let monitor = monitor();
    let FeedMonitor { up, readiness, .. } = monitor.clone();
    let feed = FeedRuntime::new(source, None, 2, monitor, None, clock());
    until(|| up.get() == 1).await;

    feed.stop();

    until(|| up.get() == 0).await;
    assert!(readiness.is_ready());
}
