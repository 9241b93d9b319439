use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_nats::Subject;
use bytes::Bytes;
use tokio::sync::{Notify, oneshot};

use super::follower::FollowerRequest;
use super::lease::HeldLease;
use super::node_publisher::Saying;
use super::publisher::{Standing, Term};
use crate::feed::Batch;
use crate::metrics::ClusterMetrics;
use crate::model::{Timestamp, Universe};
use crate::source::{Ticks, Wake};
use crate::topics::{Moderation, TopicAnswer, TopicCommand};

/// The most bytes that wait for the feed's thread, and for the connection.
///
/// Effect: above, messages to the feed are dropped, all at once, and it joins again; batches to the connection are dropped
/// one by one, and followers take a snapshot. Ten seconds at 10,000 objects a second. Counter:
/// `tapecast_cluster_dropped_total`.
const MAX_WAITING: usize = 8 << 20;

/// The longest time that a message waits for the feed's thread. What is older is worth less than a snapshot.
const MAX_AGE: Duration = Duration::from_secs(1);

/// The most commands of publishers and moderators that wait, some 20 MB at the longest data by default.
const MAX_COMMANDS: usize = 4_096;

/// What the thread of the feed and the thread of the connection give each other.
///
/// Both queues are bounded, and neither thread waits for the other.
#[derive(Debug)]
pub(super) struct Exchange {
    inbox: Mutex<Inbox>,
    wake: Wake,
    has_news: AtomicBool,
    outbox: Mutex<Outbox>,
    outgoing: Notify,
    lease: Mutex<Option<HeldLease>>,
    commands: Mutex<VecDeque<PendingCommand>>,
    is_snapshot_wanted: AtomicBool,
    is_connected: AtomicBool,
    metrics: ClusterMetrics,
}

#[derive(Debug, Default)]
struct Inbox {
    messages: VecDeque<Arrived>,
    bytes: usize,
    has_dropped: bool,
}

/// A message and when it arrived.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) message: Bytes,
    pub(super) at: Instant,
}

/// The messages that arrived since the last call.
#[derive(Debug, Default)]
pub(super) struct ArrivedMessages {
    pub(super) messages: VecDeque<Arrived>,
    /// Whether some were dropped before these.
    pub(super) has_dropped: bool,
}

#[derive(Debug, Default)]
struct Outbox {
    waiting: VecDeque<Outgoing>,
    bytes: usize,
    /// The commands of clients among them.
    sayings: usize,
    is_closed: bool,
}

/// What the feed's thread gives the connection.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// The node leads from now on.
    Begin(Term),
    /// The node leads no more.
    End,
    /// A batch that was published at this time.
    Batch(Arc<Batch>, Timestamp),
    /// What a snapshot is made from.
    Standing(Box<Standing>),
    /// A request to the leader.
    Request(FollowerRequest),
    /// A command of a client of this node.
    Say(Saying),
    /// What became of a command.
    Answer(AnswerTo, TopicAnswer),
    /// All restrictions of publishers in a namespace, for the other nodes.
    Restrictions(Box<str>, Vec<Moderation>),
    /// The history of these instruments, from this position on, is wanted.
    FetchHistory(Arc<Universe>, usize),
}

/// A command that the feed of this node is to do, since it leads.
#[derive(Debug)]
pub(super) struct PendingCommand {
    pub(super) command: TopicCommand,
    pub(super) answer: AnswerTo,
    pub(super) at: Instant,
}

/// Where the answer to a command goes.
#[derive(Debug)]
pub(super) enum AnswerTo {
    /// To a client of this node.
    Here(oneshot::Sender<TopicAnswer>),
    /// To another node.
    Node(Subject),
    /// To a program, as JSON, if it waits for an answer.
    Program(Option<Subject>),
}

/// What the connection has to do.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) waiting: VecDeque<Outgoing>,
    /// The feed has ended: there will be no more.
    pub(super) is_closed: bool,
}

impl Exchange {
    pub(super) fn new(metrics: ClusterMetrics) -> Self {
        Self {
            inbox: Mutex::default(),
            wake: Wake::default(),
            has_news: AtomicBool::new(false),
            outbox: Mutex::default(),
            outgoing: Notify::new(),
            lease: Mutex::default(),
            commands: Mutex::default(),
            is_snapshot_wanted: AtomicBool::new(false),
            is_connected: AtomicBool::new(false),
            metrics,
        }
    }

    /// Passes a message to the feed.
    pub(super) fn receive(&self, message: Bytes, at: Instant) {
        let mut inbox = lock(&self.inbox);
        let is_late = inbox.messages.front().is_some_and(|oldest| at > oldest.at + MAX_AGE);
        inbox.bytes += message.len();
        if inbox.bytes > MAX_WAITING || is_late {
            self.metrics.dropped.inc_by(inbox.messages.len() as u64 + 1);
            *inbox = Inbox { has_dropped: true, ..Inbox::default() };
        } else {
            inbox.messages.push_back(Arrived { message, at });
        }
        drop(inbox);
        self.wake();
    }

    /// The messages that wait for the feed.
    pub(super) fn take_arrivals(&self) -> ArrivedMessages {
        if !self.has_news.swap(false, Ordering::Acquire) {
            return ArrivedMessages::default();
        }
        let Inbox { messages, has_dropped, .. } = mem::take(&mut *lock(&self.inbox));
        ArrivedMessages { messages, has_dropped }
    }

    /// Wakes the feed, because there may be something in the inbox.
    pub(super) fn wake(&self) {
        self.has_news.store(true, Ordering::Release);
        self.wake.wake();
    }

    /// Gives the feed a tick.
    pub(super) fn tick(&self) {
        self.wake.wake();
    }

    /// A tick at once when the feed is woken, and one each millisecond. Needs a running runtime.
    pub(super) fn ticks(&self) -> Ticks {
        self.wake.ticks()
    }

    /// Skips this number of ticks, unless the feed is woken.
    pub(super) fn skip_ticks(&self, ticks: u32) {
        self.wake.skip_ticks(ticks);
    }

    /// Gives the connection something to do.
    pub(super) fn send(&self, outgoing: Outgoing) {
        let mut outbox = lock(&self.outbox);
        if matches!(outgoing, Outgoing::Say(_)) {
            outbox.sayings += 1;
            // The one that waits for the answer is told that there is none.
            if outbox.sayings > MAX_COMMANDS {
                return;
            }
        }
        if let Outgoing::Batch(batch, _) = &outgoing {
            let cost = batch.memory();
            if outbox.bytes + cost > MAX_WAITING {
                self.metrics.unsent.inc();
                return;
            }
            outbox.bytes += cost;
        }
        outbox.waiting.push_back(outgoing);
        drop(outbox);
        self.outgoing.notify_one();
    }

    /// Tells the connection that the feed has ended.
    pub(super) fn close(&self) {
        lock(&self.outbox).is_closed = true;
        self.outgoing.notify_one();
    }

    /// Waits until there may be work for the connection.
    pub(super) async fn has_work(&self) {
        self.outgoing.notified().await;
    }

    /// What waits for the connection.
    pub(super) fn take_work(&self) -> Work {
        let mut outbox = lock(&self.outbox);
        (outbox.bytes, outbox.sayings) = (0, 0);
        Work { waiting: mem::take(&mut outbox.waiting), is_closed: outbox.is_closed }
    }

    /// Gives the feed a command.
    ///
    /// # Errors
    /// When too many wait: the command again.
    pub(super) fn command(&self, command: PendingCommand) -> Result<(), PendingCommand> {
        let mut commands = lock(&self.commands);
        if commands.len() >= MAX_COMMANDS {
            return Err(command);
        }
        commands.push_back(command);
        drop(commands);
        self.wake();
        Ok(())
    }

    /// The commands that wait for the feed.
    pub(super) fn take_commands(&self) -> VecDeque<PendingCommand> {
        let mut commands = lock(&self.commands);
        if commands.is_empty() { VecDeque::new() } else { mem::take(&mut commands) }
    }

    /// Sets the lease of this node.
    pub(super) fn set_lease(&self, held: Option<HeldLease>) {
        let before = mem::replace(&mut *lock(&self.lease), held);
        if before.map(|before| before.term) != held.map(|held| held.term) {
            self.wake();
        }
    }

    /// The lease of this node, if it is valid at this time.
    pub(super) fn lease(&self, now: Instant) -> Option<HeldLease> {
        lock(&self.lease).filter(|held| now < held.until)
    }

    /// Asks the feed for what a snapshot is made from.
    pub(super) fn want_snapshot(&self) {
        self.is_snapshot_wanted.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// Whether the connection has asked for a snapshot since the last call.
    pub(super) fn take_snapshot_wanted(&self) -> bool {
        self.is_snapshot_wanted.swap(false, Ordering::Relaxed)
    }

    /// Sets whether there is a connection.
    pub(super) fn set_connected(&self, is_connected: bool) {
        self.is_connected.store(is_connected, Ordering::Relaxed);
        self.metrics.connected.set(is_connected.into());
        self.wake();
    }

    /// Whether there is a connection.
    pub(super) fn is_connected(&self) -> bool {
        self.is_connected.load(Ordering::Relaxed)
    }
}

/// One thread must not end because the other panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: usize) -> Bytes {
        vec![0; bytes].into()
    }

    #[test]
    fn messages_that_wait_for_too_long_or_are_too_many_are_dropped_together() {
        let metrics = ClusterMetrics::default();
        let exchange = Exchange::new(metrics.clone());
        let start = Instant::now();
        exchange.receive(message(10), start);
        exchange.receive(message(20), start + MAX_AGE);
        let arrivals = exchange.take_arrivals();
        assert_eq!((arrivals.messages.len(), arrivals.has_dropped), (2, false));

        exchange.receive(message(10), start);
        exchange.receive(message(20), start + MAX_AGE + Duration::from_nanos(1));
        let arrivals = exchange.take_arrivals();
        assert_eq!((arrivals.messages.len(), arrivals.has_dropped), (0, true));

        (0..9).for_each(|_| exchange.receive(message(1 << 20), start));
        let arrivals = exchange.take_arrivals();
        assert_eq!((arrivals.messages.len(), arrivals.has_dropped), (0, true));
        assert_eq!(metrics.dropped.get(), 11);
    }
}
