//! Metrics of HTTP and authentication. They change rarely, so all workers share them.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Refusals;

/// Metrics of HTTP and authentication. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct HttpMetrics {
    /// What was refused.
    pub refusals: Refusals,
    /// Connections that have no session now: they handshake, request, or wait for the next request.
    pub connections_without_session: Gauge,
    /// Connections that ended without a complete request: the head was too slow, too long for the parser,
    /// or not HTTP. Over TLS only connections whose handshake succeeded.
    pub connections_without_request: Counter,
}

impl HttpMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        self.refusals.register(registry);
        let help = "Connections without a session now";
        registry.register("connections_without_session", help, self.connections_without_session.clone());
        let help = "Connections that ended without a complete request";
        registry.register("connections_without_request", help, self.connections_without_request.clone());
    }
}
