use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Metrics of the upstream of a relay. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct UpstreamMetrics {
    /// 1 while the subscription is in force.
    pub up: Gauge,
    /// Attempts to connect.
    pub connects: Counter,
    /// Times at which a live connection was lost.
    pub losses: Counter,
    /// Objects received.
    pub objects: Counter,
    /// Objects that cannot be decoded, or have no number where they should.
    pub invalid: Counter,
    /// Objects that this node never got.
    pub missed: Counter,
    /// Symbols that are wanted of an upstream on demand.
    pub symbols: Gauge,
    /// Symbols that were refused to clients of an upstream on demand.
    pub symbols_refused: Counter,
    /// Requests to the upstream's REST.
    pub rest_requests: Counter,
    /// Those that failed, or were beyond the budget.
    pub rest_failures: Counter,
    /// Trades of holes that were found by REST.
    pub filled: Counter,
    /// Seconds without a connection after it was live once.
    pub gap_seconds: Counter<f64, AtomicU64>,
    refused: Family<CodeLabel, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CodeLabel(u16);

impl EncodeLabelSet for CodeLabel {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        [("code", self.0.to_string().as_str())].encode(encoder)
    }
}

impl UpstreamMetrics {
    /// Counts an error of the upstream with this code.
    pub fn refused(&self, code: u16) {
        self.refused.get_or_create(&CodeLabel(code)).inc();
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "1 while the subscription at the upstream is in force";
        registry.register("upstream_up", help, self.up.clone());
        registry.register("upstream_connects", "Attempts to connect to the upstream", self.connects.clone());
        let help = "Times at which the live connection to the upstream was lost";
        registry.register("upstream_losses", help, self.losses.clone());
        registry.register("upstream_objects", "Objects received from the upstream", self.objects.clone());
        let help = "Objects of the upstream that cannot be used";
        registry.register("upstream_invalid", help, self.invalid.clone());
        let help = "Objects of a numbered upstream that this node did not get one by one";
        registry.register("upstream_missed", help, self.missed.clone());
        let help = "Symbols that clients want of the upstream, or wanted a moment ago";
        registry.register("upstream_symbols", help, self.symbols.clone());
        let help = "Symbols that were refused to clients, because the upstream gives no more";
        registry.register("upstream_symbols_refused", help, self.symbols_refused.clone());
        let help = "Requests to the REST of the upstream";
        registry.register("upstream_rest_requests", help, self.rest_requests.clone());
        let help = "Requests to the REST of the upstream that failed, or were beyond the budget";
        registry.register("upstream_rest_failures", help, self.rest_failures.clone());
        let help = "Trades from before a reconnect that were found by REST";
        registry.register("upstream_filled_trades", help, self.filled.clone());
        let help = "Seconds without the upstream, after it was there once";
        registry.register("upstream_gap_seconds", help, self.gap_seconds.clone());
        registry.register("upstream_refused", "Errors of the upstream, by code", self.refused.clone());
    }
}
