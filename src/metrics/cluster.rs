use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Metrics of a node among others. Clones share the counts.
#[derive(Clone, Debug)]
pub struct ClusterMetrics {
    /// 1 while there is a connection to NATS.
    pub connected: Gauge,
    /// 1 while this node leads.
    pub leads: Gauge,
    /// Terms in which this node led.
    pub terms: Counter,
    /// 1 while this node has joined the feed, or leads.
    pub joined: Gauge,
    /// Batches that were missing and came by repair, or late.
    pub repaired: Counter,
    /// Requests for repair that this node sent.
    pub repair_requests: Counter,
    /// Snapshots that this node took in.
    pub snapshots: Counter,
    /// Snapshots that this node sent.
    pub snapshots_sent: Counter,
    /// Messages that waited for too long for the feed's thread.
    pub dropped: Counter,
    /// Batches that found the queue to the connection full.
    pub unsent: Counter,
    /// Messages of a leader that had lost its lease.
    pub stale: Counter,
    /// Messages that could not be decoded.
    pub damaged: Counter,
    /// Nodes that were heard within 15 s, this one included.
    pub nodes: Gauge,
    /// Gateways among them.
    pub gateways: Gauge,
    /// Seconds from a leader's sending to this node's feed, by both wall clocks.
    pub hop: Histogram,
}

impl Default for ClusterMetrics {
    fn default() -> Self {
        // 50 µs to 1.6 s.
        let bounds = (0..16).map(|power| 50e-6 * f64::from(1 << power));
        Self {
            connected: Gauge::default(),
            leads: Gauge::default(),
            terms: Counter::default(),
            joined: Gauge::default(),
            repaired: Counter::default(),
            repair_requests: Counter::default(),
            snapshots: Counter::default(),
            snapshots_sent: Counter::default(),
            dropped: Counter::default(),
            unsent: Counter::default(),
            stale: Counter::default(),
            damaged: Counter::default(),
            nodes: Gauge::default(),
            gateways: Gauge::default(),
            hop: Histogram::new(bounds),
        }
    }
}

impl ClusterMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("cluster_connected", "1 while NATS is connected", self.connected.clone());
        registry.register("cluster_leads", "1 while this node leads", self.leads.clone());
        registry.register("cluster_terms", "Terms in which this node led", self.terms.clone());
        let help = "1 while this node has joined the feed, or leads";
        registry.register("cluster_joined", help, self.joined.clone());
        let help = "Batches that were missing and came by repair, or late";
        registry.register("cluster_repaired_batches", help, self.repaired.clone());
        registry.register("cluster_repair_requests", "Requests for repair", self.repair_requests.clone());
        registry.register("cluster_snapshots", "Snapshots taken in", self.snapshots.clone());
        registry.register("cluster_snapshots_sent", "Snapshots sent", self.snapshots_sent.clone());
        let help = "Messages that waited for too long for the feed, and were dropped";
        registry.register("cluster_dropped", help, self.dropped.clone());
        let help = "Batches that found the queue to the connection full, and were not sent";
        registry.register("cluster_unsent_batches", help, self.unsent.clone());
        let help = "Messages of a leader that had lost its lease, and were dropped";
        registry.register("cluster_stale", help, self.stale.clone());
        registry.register("cluster_damaged", "Messages that could not be decoded", self.damaged.clone());
        registry.register("cluster_nodes", "Nodes heard within 15 s", self.nodes.clone());
        let help = "Gateways heard within 15 s";
        registry.register("cluster_gateways", help, self.gateways.clone());
        let help = "Seconds from the sending of a batch to the feed of this node, by both wall clocks";
        registry.register("cluster_hop_seconds", help, self.hop.clone());
    }
}
