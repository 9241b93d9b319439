//! Metrics of the hubs: one of each worker for each feed.

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::model::Feed;

/// Metrics of one hub. Clones share the values.
#[derive(Clone, Debug, Default)]
pub struct HubMetrics {
    /// Open sessions on the feed.
    pub sessions: Gauge,
    /// Sessions of which the socket took nothing for a second although something waits, as of the last check.
    pub stalled: Gauge,
    /// The longest time in the last second that an object waited for its delivery to a session, in seconds.
    pub lag: Gauge<f64, AtomicU64>,
    /// How long objects may wait now to share a frame with later ones, in seconds.
    pub coalescing_delay: Gauge<f64, AtomicU64>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct HubFamilies {
    sessions: Family<HubLabels, Gauge>,
    stalled: Family<HubLabels, Gauge>,
    lag: Family<HubLabels, Gauge<f64, AtomicU64>>,
    coalescing_delay: Family<HubLabels, Gauge<f64, AtomicU64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct HubLabels {
    worker: usize,
    feed: Feed,
}

impl EncodeLabelSet for HubLabels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        [("worker", self.worker.to_string().as_str()), ("feed", self.feed.name())].encode(encoder)
    }
}

impl HubFamilies {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("feed_sessions", "Sessions open now, by feed", self.sessions.clone());
        let help = "Sessions whose socket took nothing for a second although something waits";
        registry.register("stalled_sessions", help, self.stalled.clone());
        let help = "Longest time in the last second that an object waited for its delivery";
        registry.register("hub_lag_seconds", help, self.lag.clone());
        let help = "How long objects may wait now to share a frame with later ones";
        registry.register("coalescing_delay_seconds", help, self.coalescing_delay.clone());
    }

    /// The metrics of the hub of this worker for this feed.
    pub(super) fn of(&self, worker: usize, feed: Feed) -> HubMetrics {
        let labels = HubLabels { worker, feed };
        HubMetrics {
            sessions: self.sessions.get_or_create_owned(&labels),
            stalled: self.stalled.get_or_create_owned(&labels),
            lag: self.lag.get_or_create_owned(&labels),
            coalescing_delay: self.coalescing_delay.get_or_create_owned(&labels),
        }
    }
}
