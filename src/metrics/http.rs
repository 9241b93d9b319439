//! Metrics of HTTP and authentication. They change rarely, so all workers share them.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Metrics of HTTP and authentication. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct HttpMetrics {
    upgrades_refused: Family<ReasonLabel, Counter>,
    requests_refused: Family<ReasonLabel, Counter>,
    auths_refused: Family<ReasonLabel, Counter>,
    handshakes_failed: Family<ReasonLabel, Counter>,
    connections_dropped: Family<ReasonLabel, Counter>,
    /// Connections that have no session now: they handshake, request, or wait for the next request.
    pub connections_without_session: Gauge,
    /// Connections that ended without a complete request: the head was too slow, too long for the parser,
    /// or not HTTP. Over TLS only connections whose handshake succeeded.
    pub connections_without_request: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

impl HttpMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Upgrades to a session that were refused, by reason";
        registry.register("upgrades_refused", help, self.upgrades_refused.clone());
        let help = "Requests refused for their form or for lack of a valid key, by reason";
        registry.register("requests_refused", help, self.requests_refused.clone());
        let help = "Credentials that were refused, by reason";
        registry.register("auths_refused", help, self.auths_refused.clone());
        let help = "TLS handshakes that failed, by reason";
        registry.register("tls_handshakes_failed", help, self.handshakes_failed.clone());
        let help = "Connections without a session that the server dropped, by reason";
        registry.register("connections_dropped", help, self.connections_dropped.clone());
        let help = "Connections without a session now";
        registry.register("connections_without_session", help, self.connections_without_session.clone());
        let help = "Connections that ended without a complete request";
        registry.register("connections_without_request", help, self.connections_without_request.clone());
    }

    /// Counts a refused upgrade.
    pub fn upgrade_refused(&self, reason: &'static str) {
        self.upgrades_refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// Counts a refused request.
    pub fn request_refused(&self, reason: &'static str) {
        self.requests_refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// Counts refused credentials.
    pub fn auth_refused(&self, reason: &'static str) {
        self.auths_refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// Counts a connection without a session that the server dropped.
    pub fn connection_dropped(&self, reason: &'static str) {
        self.connections_dropped.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// Counts a failed TLS handshake.
    pub fn handshake_failed(&self, reason: &'static str) {
        self.handshakes_failed.get_or_create(&ReasonLabel { reason }).inc();
    }
}
