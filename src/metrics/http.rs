//! What is counted where clients come in. These counts are rare, so all workers share them.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// What the doors count. Cloning shares the counts.
#[derive(Clone, Debug, Default)]
pub struct HttpMetrics {
    upgrades_refused: Family<Refused, Counter>,
    requests_refused: Family<Refused, Counter>,
    auths_refused: Family<Refused, Counter>,
    handshakes_failed: Family<Refused, Counter>,
    /// Connections that ended without a whole request: heads that came too slowly or were too long for
    /// the parser, what is not HTTP at all. Over TLS, of those whose handshake succeeded.
    pub connections_without_request: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    reason: &'static str,
}

impl HttpMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Sessions refused before they began, by reason";
        registry.register("upgrades_refused", help, self.upgrades_refused.clone());
        let help = "Requests refused for their form or for want of a key, by reason";
        registry.register("requests_refused", help, self.requests_refused.clone());
        let help = "Credentials refused, by reason";
        registry.register("auths_refused", help, self.auths_refused.clone());
        let help = "TLS handshakes that led to no connection, by reason";
        registry.register("tls_handshakes_failed", help, self.handshakes_failed.clone());
        let help = "Connections that ended without a whole request";
        registry.register("connections_without_request", help, self.connections_without_request.clone());
    }

    /// A session was refused before it began.
    pub fn upgrade_refused(&self, reason: &'static str) {
        self.upgrades_refused.get_or_create(&Refused { reason }).inc();
    }

    /// A request was refused.
    pub fn request_refused(&self, reason: &'static str) {
        self.requests_refused.get_or_create(&Refused { reason }).inc();
    }

    /// Credentials were refused.
    pub fn auth_refused(&self, reason: &'static str) {
        self.auths_refused.get_or_create(&Refused { reason }).inc();
    }

    /// A TLS handshake failed.
    pub fn handshake_failed(&self, reason: &'static str) {
        self.handshakes_failed.get_or_create(&Refused { reason }).inc();
    }
}
