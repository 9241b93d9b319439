//! `GET /status`: what this node is, where its data come from, and how late they are.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;

use super::feeds::ServedFeed;
use super::state::{AppState, hub_of};
use crate::hub::Hub;
use crate::metrics::UpstreamMetrics;
use crate::model::{MILLISECOND, Timestamp};
use crate::wire::rfc3339;

/// The body of `GET /status`.
#[derive(Debug, Serialize)]
struct Status {
    version: &'static str,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The feed, if there is one.
    #[serde(flatten)]
    data: Option<MarketData>,
    sessions: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<Upstream>,
    /// The feeds, if there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    feeds: Vec<FeedStatus>,
    #[cfg(feature = "nats")]
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<cluster::Cluster>,
}

/// One of several feeds.
#[derive(Debug, Serialize)]
pub(super) struct FeedStatus {
    feed: String,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten)]
    data: MarketData,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<Upstream>,
}

impl FeedStatus {
    pub(super) fn of(feed: &ServedFeed, request: &HttpRequest, state: &AppState) -> Self {
        Self {
            feed: feed.name.to_string(),
            ready: feed.readiness.is_ready(),
            reason: feed.readiness.reason(),
            data: MarketData::of(feed, &hub_of(request, feed), state.clock.now()),
            upstream: feed.upstream.as_ref().map(Upstream::of),
        }
    }
}

/// Where the data of a feed come from, and how late they are.
#[derive(Debug, Serialize)]
struct MarketData {
    source: &'static str,
    /// The epoch of the numbers; absent before the first batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<String>,
    objects: u64,
    /// The time up to which every event was published; absent before the first batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_ms: Option<i64>,
}

impl MarketData {
    fn of(feed: &ServedFeed, hub: &Hub, now: Timestamp) -> Self {
        let (epoch, watermark) = {
            let last_values = hub.last_values_mut();
            (last_values.epoch(), last_values.watermark())
        };
        let has_begun = watermark > Timestamp::default();
        Self {
            source: feed.source.name(),
            epoch: epoch.map(|epoch| epoch.to_string()),
            objects: feed.progress.published(),
            newest: has_begun.then(|| rfc3339(watermark)),
            age_ms: has_begun.then(|| now.nanos_since(watermark) / MILLISECOND),
        }
    }
}

#[derive(Debug, Serialize)]
struct Upstream {
    up: bool,
    connects: u64,
    losses: u64,
    objects: u64,
    invalid: u64,
    missed: u64,
    gap_seconds: f64,
}

impl Upstream {
    fn of(metrics: &UpstreamMetrics) -> Self {
        Self {
            up: metrics.up.get() == 1,
            connects: metrics.connects.get(),
            losses: metrics.losses.get(),
            objects: metrics.objects.get(),
            invalid: metrics.invalid.get(),
            missed: metrics.missed.get(),
            gap_seconds: metrics.gap_seconds.get(),
        }
    }
}

/// `GET /status`. Like `/metrics` it needs no key and has no secret.
pub(super) async fn status(state: Data<AppState>, request: HttpRequest) -> impl Responder {
    let now = state.clock.now();
    let data = |feed: &ServedFeed| MarketData::of(feed, &hub_of(&request, feed), now);
    let upstream = |feed: &ServedFeed| feed.upstream.as_ref().map(Upstream::of);
    let status = Status {
        version: env!("CARGO_PKG_VERSION"),
        ready: state.feeds.first_ready().readiness.is_ready(),
        reason: None,
        data: None,
        sessions: state.metrics.sessions().total(),
        upstream: None,
        feeds: Vec::new(),
        #[cfg(feature = "nats")]
        cluster: None,
    };
    HttpResponse::Ok().json(match state.feeds.several() {
        None => {
            let feed = state.feeds.default_feed();
            Status {
                reason: feed.readiness.reason(),
                data: Some(data(feed)),
                upstream: upstream(feed),
                #[cfg(feature = "nats")]
                cluster: feed.cluster.as_ref().map(|overview| cluster::Cluster::of(overview, &state)),
                ..status
            }
        }
        Some(feeds) => {
            let of = |feed: &Arc<ServedFeed>| FeedStatus::of(feed, &request, &state);
            Status { feeds: feeds.iter().map(of).collect(), ..status }
        }
    })
}

#[cfg(feature = "nats")]
pub(super) mod cluster {
    use std::collections::BTreeMap;

    use serde::Serialize;

    use crate::cluster::{ClusterOverview, KnownNode, NodeRole};
    use crate::http::state::AppState;

    /// What this node knows of the cluster.
    #[derive(Debug, Serialize)]
    pub(in crate::http) struct Cluster {
        node: String,
        role: &'static str,
        nats: String,
        connected: bool,
        joined: bool,
        leads: bool,
        lease: Lease,
        batch: u64,
        /// Milliseconds of each hop that the last batch took to this node.
        hops_ms: BTreeMap<&'static str, f64>,
        batches_repaired: u64,
        repair_requests: u64,
        snapshots: u64,
        snapshots_sent: u64,
        messages_dropped: u64,
        batches_unsent: u64,
        gateways: usize,
        nodes: Vec<Node>,
    }

    #[derive(Debug, Serialize)]
    struct Lease {
        held: bool,
        fence: u64,
    }

    #[derive(Debug, Serialize)]
    struct Node {
        node: String,
        role: &'static str,
        leads: bool,
        sessions: u64,
        batch: u64,
        symbols: usize,
        heard_ms: u64,
    }

    impl Cluster {
        /// The name of this node.
        pub(in crate::http) fn node(&self) -> &str {
            &self.node
        }

        pub(in crate::http) fn of(overview: &ClusterOverview, state: &AppState) -> Self {
            let (known, metrics) = (overview.state(), state.metrics.cluster());
            let gateways = known.nodes.values().filter(|node| node.role == NodeRole::Gateway).count();
            Self {
                node: format!("{:016x}", known.node),
                role: known.role.name(),
                nats: known.servers,
                connected: metrics.connected.get() == 1,
                joined: metrics.joined.get() == 1,
                leads: metrics.leads.get() == 1,
                batch: known.batch,
                lease: Lease { held: known.holds_lease, fence: known.fence },
                hops_ms: known
                    .hops
                    .iter()
                    .map(|(hop, latency)| (hop.name(), latency.as_secs_f64() * 1e3))
                    .collect(),
                batches_repaired: metrics.repaired.get(),
                repair_requests: metrics.repair_requests.get(),
                snapshots: metrics.snapshots.get(),
                snapshots_sent: metrics.snapshots_sent.get(),
                messages_dropped: metrics.dropped.get(),
                batches_unsent: metrics.unsent.get(),
                gateways: gateways + usize::from(known.role == NodeRole::Gateway),
                nodes: known.nodes.iter().map(|(node, known)| Node::of(*node, known)).collect(),
            }
        }
    }

    impl Node {
        fn of(node: u64, known: &KnownNode) -> Self {
            Self {
                node: format!("{node:016x}"),
                role: known.role.name(),
                leads: known.leads,
                sessions: known.sessions,
                batch: known.batch,
                symbols: known.symbols,
                heard_ms: known.heard.elapsed().as_millis().try_into().unwrap_or(u64::MAX),
            }
        }
    }
}
