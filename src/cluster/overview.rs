use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::lease::HeldLease;
use super::settings::NodeRole;

/// What a node knows of itself and of the others, for people. Clones share it.
#[derive(Clone, Debug)]
pub struct ClusterOverview(Arc<Mutex<ClusterState>>);

/// The state of a node among others.
#[derive(Clone, Debug)]
pub struct ClusterState {
    /// The random number of the node.
    pub node: u64,
    /// What the node does.
    pub role: NodeRole,
    /// The NATS servers, without users and passwords.
    pub servers: String,
    /// The fencing token of the leader that is followed, or of this node's term.
    pub fence: u64,
    /// The last batch that this node has.
    pub batch: u64,
    /// Whether this node has the lease of the leader.
    pub holds_lease: bool,
    /// The latency of each hop that the last batch took.
    pub hops: BTreeMap<BatchHop, Duration>,
    /// The other nodes that were heard.
    pub nodes: BTreeMap<u64, KnownNode>,
}

/// A part of a batch's way from its source to this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BatchHop {
    /// From the newest event of the batch to the leader that published it.
    Source,
    /// From there to the connection to NATS.
    Leader,
    /// From there to the connection of this node, by both wall clocks.
    Nats,
    /// From there to the feed of this node.
    Feed,
}

impl BatchHop {
    /// The name in `/status`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Leader => "leader",
            Self::Nats => "nats",
            Self::Feed => "feed",
        }
    }
}

/// What another node has told of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownNode {
    /// What it does.
    pub role: NodeRole,
    /// Whether it leads.
    pub leads: bool,
    /// Its open sessions.
    pub sessions: u64,
    /// The last batch that it has.
    pub batch: u64,
    /// The number of symbols that its sessions want by name.
    pub symbols: usize,
    /// When it was heard.
    pub heard: Instant,
}

impl ClusterOverview {
    /// A node that knows nothing of others.
    pub(super) fn new(node: u64, role: NodeRole, servers: String) -> Self {
        let (hops, nodes) = (BTreeMap::new(), BTreeMap::new());
        let state = ClusterState { node, role, servers, fence: 0, batch: 0, holds_lease: false, hops, nodes };
        Self(Arc::new(Mutex::new(state)))
    }

    /// The state at this moment.
    pub fn state(&self) -> ClusterState {
        self.lock().clone()
    }

    pub(super) fn set_fence(&self, fence: u64) {
        self.lock().fence = fence;
    }

    pub(super) fn set_batch(&self, number: u64) {
        self.lock().batch = number;
    }

    pub(super) fn set_lease(&self, lease: Option<HeldLease>) {
        self.lock().holds_lease = lease.is_some();
    }

    pub(super) fn set_hop(&self, hop: BatchHop, nanos: i64) {
        let latency = Duration::from_nanos(nanos.max(0).unsigned_abs());
        self.lock().hops.insert(hop, latency);
    }

    pub(super) fn heard(&self, node: u64, known: KnownNode) {
        self.lock().nodes.insert(node, known);
    }

    /// Forgets the nodes that were not heard for this long; the number of those that remain, and of the gateways among them.
    pub(super) fn forget(&self, lifetime: Duration) -> (usize, usize) {
        let mut state = self.lock();
        state.nodes.retain(|_, known| known.heard.elapsed() < lifetime);
        let gateways = state.nodes.values().filter(|known| known.role == NodeRole::Gateway).count();
        (state.nodes.len(), gateways)
    }

    fn lock(&self) -> MutexGuard<'_, ClusterState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
