use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use async_nats::jetstream;
use async_nats::{Client, Message, Subject};
use futures_util::StreamExt;
use futures_util::stream::select_all;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tracing::{debug, warn};

use super::exchange::{Exchange, Outgoing};
use super::follower::FollowerRequest;
use super::history;
use super::history_fetch::HistoryFetch;
use super::lease_task::LeaseTask;
use super::message::{NodeMessage, NodeStatus};
use super::nats_client::{CONNECT_INTERVAL, connect};
use super::overview::{ClusterOverview, KnownNode};
use super::publisher::{EncodedSnapshot, Publisher};
use super::ring::RingLimits;
use super::settings::{ClusterSettings, NodeRole};
use super::topic_link::TopicLink;
use super::wanted::WantedSymbols;
use crate::archive::Archive;
use crate::clock::wall_clock;
use crate::feed::Batch;
use crate::limits::NodeUsage;
use crate::metrics::{ClusterMetrics, SessionCount};
use crate::model::{Symbol, Timestamp, Universe};
use crate::source::SymbolDemand;
use crate::topics::{Moderation, Namespaces, Presence};

/// How often the leader says that it is there when nothing is published.
///
/// Effect: the longest time after which a follower notices that the last batch was lost.
const BEAT_INTERVAL: Duration = Duration::from_millis(100);

/// How often a node tells of itself, and after how long it is forgotten.
const STATUS_INTERVAL: Duration = Duration::from_secs(5);
const STATUS_LIFETIME: Duration = Duration::from_secs(15);

/// How often a node looks whether its sessions want other symbols than before, or its keys have other sessions.
///
/// Effect: nodes that serve the same key may exceed its limit by what they grant within this time.
const CHANGE_INTERVAL: Duration = Duration::from_millis(200);

/// How often a node looks whether other sessions subscribe to topics, and tells it.
///
/// Effect: how old the presence of other nodes may be. A room of 100 names costs some KB for each node.
const PRESENCE_INTERVAL: Duration = Duration::from_secs(1);

/// The most keys of which a node tells, those with the most sessions: some 300 KB, a third of a message of NATS.
const MAX_KEYS: usize = 4_096;

/// The longest time that the connection takes to end: the lease is released, and what waits is sent.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// The thread of the connection to NATS.
#[derive(Debug)]
pub struct ClusterThread(JoinHandle<()>);

/// What the thread needs.
pub(super) struct ConnectionParts {
    pub(super) settings: ClusterSettings,
    pub(super) exchange: Arc<Exchange>,
    pub(super) archive: Arc<Archive>,
    pub(super) metrics: ClusterMetrics,
    /// The random number of this node.
    pub(super) node: u64,
    pub(super) overview: ClusterOverview,
    pub(super) sessions: SessionCount,
    pub(super) demand: Option<NodeDemand>,
    pub(super) keys: Option<NodeUsage>,
    pub(super) topics: NodeTopics,
}

/// The topics of a node.
#[derive(Clone, Debug, Default)]
pub struct NodeTopics {
    /// The rules of topics, the same at all nodes.
    pub namespaces: Arc<Namespaces>,
    /// Which sessions of this node and, as far as they have told, of the others subscribe to which topics.
    pub presence: Presence,
}

/// The symbols that are wanted of a source that gives them on demand.
#[derive(Clone, Debug)]
pub struct NodeDemand {
    /// What the sessions of this node want.
    pub sessions: SymbolDemand,
    /// What all nodes want: what the source is asked for when this node leads.
    pub all: SymbolDemand,
}

impl ClusterThread {
    /// Starts the thread; it ends when the feed has ended.
    pub(super) fn start(parts: ConnectionParts) -> io::Result<Self> {
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(Connection::run(parts)),
                Err(error) => warn!("cannot start the connection to NATS: {error}"),
            }
        };
        thread::Builder::new().name("nats".to_owned()).spawn(run).map(Self)
    }

    /// Waits until the lease is released, but no longer than until this time. The feed must have been told to stop.
    pub async fn stop(self, deadline: Instant) {
        while !self.0.is_finished() && Instant::now() < deadline {
            sleep(Duration::from_millis(2)).await;
        }
    }
}

/// The subjects of a cluster.
struct Subjects {
    prefix: String,
    inbox: String,
}

impl Subjects {
    fn of(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }
}

/// Batches that were given together.
#[derive(Default)]
struct ToPublish {
    batches: Vec<Arc<Batch>>,
    /// When the first was published by the feed.
    published: Option<Timestamp>,
}

impl ToPublish {
    fn add(&mut self, batch: Arc<Batch>, published: Timestamp) {
        self.batches.push(batch);
        self.published.get_or_insert(published);
    }
}

/// What was fetched of the history of the leader.
#[derive(Debug, Default)]
struct FetchedHistory {
    /// The node that told of it, and how often that had completed its history.
    of: (u64, u64),
    task: Option<AbortHandle>,
}

impl FetchedHistory {
    /// Whether the leader has completed its history since it was fetched, and no fetch is under way.
    fn is_behind(&self, leader: &NodeStatus) -> bool {
        let is_idle = self.task.as_ref().is_none_or(AbortHandle::is_finished);
        leader.leads && leader.history > 0 && self.of != (leader.node, leader.history) && is_idle
    }
}

struct Connection {
    client: Client,
    subjects: Subjects,
    parts: Arc<ConnectionParts>,
    publisher: Publisher,
    leads: bool,
    has_published: bool,
    /// Those that wait for a snapshot, with the numbers of their requests.
    awaiting: Vec<(Subject, u64)>,
    universe: Arc<Universe>,
    history: FetchedHistory,
    /// What the nodes want.
    wanted: Option<WantedSymbols>,
    /// What the sessions of this node want, as it was told last.
    told: BTreeSet<Symbol>,
    /// The sessions of its keys, as they were told last.
    told_keys: Vec<(String, usize)>,
    topics: TopicLink,
    /// They end with the connection.
    tasks: JoinSet<()>,
}

impl Connection {
    /// Connects and serves until the feed has ended.
    async fn run(parts: ConnectionParts) {
        let parts = Arc::new(parts);
        while let Some(client) = connect(&parts.settings, &parts.exchange).await {
            let subjects = Subjects {
                prefix: parts.settings.prefix.clone(),
                inbox: format!("{}.inbox.{:016x}", parts.settings.prefix, parts.node),
            };
            let NodeTopics { namespaces, presence } = parts.topics.clone();
            let said = format!("{}.said", subjects.inbox);
            let topics = TopicLink::new(client.clone(), subjects.of("say"), said, namespaces, presence);
            let connection = Self {
                client,
                subjects,
                topics,
                parts: Arc::clone(&parts),
                publisher: Publisher::new(RingLimits::default()),
                leads: false,
                has_published: false,
                awaiting: Vec::new(),
                universe: Arc::default(),
                history: FetchedHistory::default(),
                wanted: parts.demand.as_ref().map(|demand| WantedSymbols::new(demand.all.clone())),
                told: BTreeSet::new(),
                told_keys: Vec::new(),
                tasks: JoinSet::new(),
            };
            match connection.serve().await {
                Ok(()) => return,
                Err(error) => warn!("the connection to NATS has failed, and is made anew: {error}"),
            }
            // It does not lead without a connection, and begins anew with the next one.
            parts.exchange.set_lease(None);
            parts.exchange.set_connected(false);
            sleep(CONNECT_INTERVAL).await;
        }
    }

    async fn serve(mut self) -> Result<(), async_nats::Error> {
        for subject in ["batch", "beat", "restrictions"]
            .map(|name| self.subjects.of(name))
            .into_iter()
            .chain([self.subjects.inbox.clone()])
        {
            let mut messages = self.client.subscribe(subject).await?;
            let exchange = Arc::clone(&self.parts.exchange);
            // The queue of the library drops messages without a word when it is full, so it is drained at once.
            self.tasks.spawn(async move {
                while let Some(message) = messages.next().await {
                    exchange.receive(message.payload, Instant::now());
                }
            });
        }
        let refused = format!("refused.{:016x}", self.parts.node);
        let mut names = vec!["node.*", &refused];
        let may_lead = self.parts.settings.role.may_lead();
        if may_lead {
            names.extend(["snapshot", "repair", "history", "say"]);
        }
        let mut subscribers = Vec::new();
        for name in names {
            subscribers.push(self.client.subscribe(self.subjects.of(name)).await?);
        }
        subscribers.push(self.client.subscribe(self.topics.answers()).await?);
        let mut requests = select_all(subscribers);
        let (stop_lease, on_stop) = watch::channel(false);
        let mut lease = JoinSet::new();
        if may_lead {
            lease.spawn(self.lease_task().run(on_stop));
        }
        // Requests that were made before the subscriptions are made again.
        self.parts.exchange.set_connected(true);
        let [mut beats, mut statuses, mut changes, mut presence] =
            [BEAT_INTERVAL, STATUS_INTERVAL, CHANGE_INTERVAL, PRESENCE_INTERVAL].map(interval);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let exchange = Arc::clone(&self.parts.exchange);
        loop {
            tokio::select! {
                () = exchange.has_work() => {
                    if self.leads && !self.parts.settings.delay.is_zero() {
                        sleep(self.parts.settings.delay).await;
                    }
                    if self.work().await? {
                        break;
                    }
                }
                Some(message) = requests.next() => self.answer(message).await?,
                _ = beats.tick() => self.beat().await?,
                _ = statuses.tick() => {
                    self.tell_status().await?;
                    self.tell_presence(true).await?;
                }
                _ = presence.tick() => self.tell_presence(false).await?,
                _ = changes.tick() => self.tell_changes().await?,
            }
        }
        let _ = stop_lease.send(true);
        let _ = timeout(STOP_TIMEOUT, lease.join_next()).await;
        let _ = timeout(STOP_TIMEOUT, self.client.flush()).await;
        Ok(())
    }

    fn lease_task(&self) -> LeaseTask {
        let bucket = format!("{}_lease", self.subjects.prefix.replace('.', "_"));
        let node = format!("{:016x}", self.parts.node).into();
        let context = jetstream::new(self.client.clone());
        LeaseTask::new(context, bucket, node, Arc::clone(&self.parts.exchange))
    }

    /// Does what the feed has given; true when that has ended.
    async fn work(&mut self) -> Result<bool, async_nats::Error> {
        let work = self.parts.exchange.take_work();
        self.publisher.set_rules(self.parts.archive.rules().get());
        let mut batches = ToPublish::default();
        for outgoing in work.waiting {
            if let Outgoing::Batch(batch, published) = outgoing {
                batches.add(batch, published);
                continue;
            }
            self.publish(&mut batches).await?;
            match outgoing {
                Outgoing::Begin(term) => {
                    self.publisher.begin(term);
                    self.leads = true;
                }
                Outgoing::End => self.leads = false,
                Outgoing::Standing(standing) => {
                    let snapshot = standing.encode(&self.parts.archive);
                    self.send_snapshots(&snapshot).await?;
                }
                Outgoing::Request(request) => self.ask(request).await?,
                Outgoing::Say(saying) if self.leads => {
                    self.topics.say_here(saying, &self.parts.exchange).await?;
                }
                // The library would send it after the publisher was told that there is no answer.
                Outgoing::Say(_) if !self.parts.exchange.is_connected() => {}
                Outgoing::Say(saying) => self.topics.say(saying).await?,
                Outgoing::Answer(to, answer) => self.topics.answer(to, answer).await?,
                Outgoing::Restrictions(namespace, restrictions) => {
                    self.tell_restrictions(namespace, restrictions).await?;
                }
                Outgoing::FetchHistory(universe, from) => {
                    self.universe = Arc::clone(&universe);
                    self.fetch_history(universe, from).await?;
                }
                Outgoing::Batch(..) => {}
            }
        }
        self.publish(&mut batches).await?;
        Ok(work.is_closed)
    }

    async fn publish(&mut self, waiting: &mut ToPublish) -> Result<(), async_nats::Error> {
        let ToPublish { batches, published } = std::mem::take(waiting);
        let Some((last, published)) = batches.last().zip(published) else { return Ok(()) };
        self.universe = Arc::clone(last.universe());
        let subject = self.subjects.of("batch");
        for message in self.publisher.publish(&batches, published, wall_clock()) {
            self.client.publish(subject.clone(), message).await?;
        }
        self.has_published = true;
        Ok(())
    }

    async fn beat(&mut self) -> Result<(), async_nats::Error> {
        let is_quiet = !std::mem::take(&mut self.has_published);
        if self.leads
            && is_quiet
            && let Some(beat) = self.publisher.beat(wall_clock())
        {
            self.client.publish(self.subjects.of("beat"), beat).await?;
        }
        Ok(())
    }

    async fn ask(&mut self, request: FollowerRequest) -> Result<(), async_nats::Error> {
        let (name, message) = match request {
            FollowerRequest::Snapshot(request) => ("snapshot", NodeMessage::SnapshotRequest(request)),
            FollowerRequest::Repair(request) => ("repair", NodeMessage::RepairRequest(request)),
        };
        let (subject, inbox) = (self.subjects.of(name), self.subjects.inbox.clone());
        self.client.publish_with_reply(subject, inbox, message.to_bytes()).await?;
        Ok(())
    }

    /// Answers a request of another node, if this one leads.
    async fn answer(&mut self, message: Message) -> Result<(), async_nats::Error> {
        if self.topics.is_answer(&message) {
            self.topics.answered(&message);
            return Ok(());
        }
        if self.topics.is_command(&message) {
            return match self.leads {
                true => self.topics.command(message, &self.universe, &self.parts.exchange).await,
                false => Ok(()),
            };
        }
        let decoded = NodeMessage::from_bytes(&message.payload);
        match decoded {
            Ok(NodeMessage::Status(status)) => return self.hear(status).await,
            Ok(NodeMessage::Presence(node, told)) => {
                self.parts.topics.presence.hear(node, told);
                return Ok(());
            }
            Ok(NodeMessage::Refused(symbols)) => {
                warn!(?symbols, "all nodes together want more symbols than the upstream gives");
                self.parts.demand.iter().for_each(|demand| demand.sessions.shed(&symbols));
                return Ok(());
            }
            _ => {}
        }
        let Some(reply) = message.reply.filter(|_| self.leads) else { return Ok(()) };
        match decoded {
            Ok(NodeMessage::SnapshotRequest(request)) => {
                if self.awaiting.is_empty() {
                    self.parts.exchange.want_snapshot();
                }
                self.awaiting.push((reply, request));
            }
            Ok(NodeMessage::RepairRequest(request)) => {
                for message in self.publisher.repair(&request, wall_clock()) {
                    self.client.publish(reply.clone(), message).await?;
                }
            }
            Ok(NodeMessage::HistoryRequest(request, symbol)) => {
                let Some(symbol) = self.universe.find(&symbol) else { return Ok(()) };
                let retained = history::retained(&self.parts.archive, symbol, self.universe.len());
                for message in history::messages(request, &retained) {
                    self.client.publish(reply.clone(), message).await?;
                }
            }
            _ => debug!(subject = %message.subject, "a message that cannot be used"),
        }
        Ok(())
    }

    async fn send_snapshots(&mut self, snapshot: &EncodedSnapshot) -> Result<(), async_nats::Error> {
        for (reply, request) in std::mem::take(&mut self.awaiting) {
            for message in self.publisher.snapshot(request, snapshot, wall_clock()) {
                self.client.publish(reply.clone(), message).await?;
            }
            self.parts.metrics.snapshots_sent.inc();
        }
        Ok(())
    }

    async fn tell_status(&mut self) -> Result<(), async_nats::Error> {
        let (nodes, gateways) = self.parts.overview.forget(STATUS_LIFETIME);
        let ConnectionParts { metrics, settings, node, sessions, .. } = &*self.parts;
        // This node included.
        metrics.nodes.set(nodes as i64 + 1);
        metrics.gateways.set((gateways + usize::from(settings.role == NodeRole::Gateway)) as i64);
        if let Some(wanted) = &mut self.wanted
            && let Some(since) = Instant::now().checked_sub(STATUS_LIFETIME)
        {
            wanted.forget(since);
        }
        let state = self.parts.overview.state();
        self.parts.keys.iter().for_each(|keys| keys.retain(|node| state.nodes.contains_key(&node)));
        // A node that tells of its presence has told of itself before.
        self.parts.topics.presence.retain_nodes(|node| state.nodes.contains_key(&node));
        let mut keys = self.told_keys.clone();
        keys.sort_unstable_by_key(|(_, sessions)| std::cmp::Reverse(*sessions));
        keys.truncate(MAX_KEYS);
        let (node, sessions) = (*node, sessions.total());
        let (role, leads, batch) = (settings.role, self.leads, state.batch);
        let wanted = self.told.iter().copied().collect();
        let history = self.parts.archive.history_revision();
        let status = NodeStatus { node, role, leads, batch, sessions, history, wanted, keys };
        if let Some(all) = &mut self.wanted {
            all.replace(node, &status.wanted, Instant::now());
        }
        let subject = self.subjects.of(&format!("node.{node:016x}"));
        self.client.publish(subject, NodeMessage::Status(status).to_bytes()).await?;
        Ok(())
    }

    /// Tells which sessions of this node subscribe to which topics, if that has changed or is to be told again.
    async fn tell_presence(&mut self, again: bool) -> Result<(), async_nats::Error> {
        let node = self.parts.node;
        let Some(message) = self.topics.tell_presence(node, again) else { return Ok(()) };
        self.client.publish(self.subjects.of(&format!("node.{node:016x}")), message).await?;
        Ok(())
    }

    /// Tells the nodes that may lead later which publishers are restricted.
    async fn tell_restrictions(
        &self,
        namespace: Box<str>,
        restrictions: Vec<Moderation>,
    ) -> Result<(), async_nats::Error> {
        if self.leads
            && let Some(message) = self.publisher.restrictions(namespace, restrictions, wall_clock())
        {
            self.client.publish(self.subjects.of("restrictions"), message).await?;
        }
        Ok(())
    }

    /// Takes in what another node tells of itself.
    async fn hear(&mut self, status: NodeStatus) -> Result<(), async_nats::Error> {
        if !self.leads && self.history.is_behind(&status) {
            self.history.of = (status.node, status.history);
            self.fetch_history(Arc::clone(&self.universe), 0).await?;
        }
        let NodeStatus { node, role, leads, batch, sessions, history: _, wanted, keys } = status;
        let heard = Instant::now();
        self.parts
            .overview
            .heard(node, KnownNode { role, leads, sessions, batch, symbols: wanted.len(), heard });
        if let Some(usage) = &self.parts.keys {
            usage.hear(node, keys);
        }
        let Some(all) = &mut self.wanted else { return Ok(()) };
        let refused = all.replace(node, &wanted, heard);
        // Two nodes have begun to want the last symbols at the same time.
        if self.leads && !refused.is_empty() {
            warn!(node = %format!("{node:016x}"), ?refused, "no room for symbols that a node wants");
            let subject = self.subjects.of(&format!("refused.{node:016x}"));
            self.client.publish(subject, NodeMessage::Refused(refused).to_bytes()).await?;
        }
        Ok(())
    }

    /// Tells at once when the sessions of this node want other symbols, or its keys have other sessions.
    async fn tell_changes(&mut self) -> Result<(), async_nats::Error> {
        let keys = self.parts.keys.as_ref().map(NodeUsage::here).unwrap_or_default();
        let mut is_changed = keys != self.told_keys;
        self.told_keys = keys;
        if let Some(demand) = &self.parts.demand {
            let change = demand.sessions.take_change(Instant::now());
            is_changed |= !change.is_empty();
            change.unsubscribe.iter().for_each(|symbol| _ = self.told.remove(symbol));
            self.told.extend(change.subscribe);
        }
        if is_changed { self.tell_status().await } else { Ok(()) }
    }

    /// Fetches the history of all instruments, one after the other, in the background.
    async fn fetch_history(&mut self, universe: Arc<Universe>, from: usize) -> Result<(), async_nats::Error> {
        let inbox = format!("{}.history", self.subjects.inbox);
        let answers = self.client.subscribe(inbox.clone()).await?;
        let (client, subject) = (self.client.clone(), self.subjects.of("history"));
        let fetch =
            HistoryFetch { client, subject, inbox, answers, archive: Arc::clone(&self.parts.archive) };
        self.history.task = Some(self.tasks.spawn(fetch.run(universe, from)));
        Ok(())
    }
}
