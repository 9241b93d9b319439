//! Metrics of JSON Web Tokens.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::refusals::ReasonLabel;

/// Why tokens are refused. All reasons have a counter from the start: `rate()` misses the first event of a counter that
/// appears with it.
const REASONS: [&str; 10] = [
    "algorithm",
    "audience",
    "claims",
    "expired",
    "form",
    "issuer",
    "no_keys",
    "not_yet_valid",
    "signature",
    "unknown_key",
];

/// Metrics of JSON Web Tokens. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct TokenMetrics {
    refused: Family<ReasonLabel, Counter>,
    fetches: Family<FetchLabel, Counter>,
    /// The keys of the JWK Set that can be used.
    pub keys: Gauge,
    /// When the set was fetched last, in seconds since the Unix epoch.
    pub fetched: Gauge<f64, AtomicU64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FetchLabel {
    result: &'static str,
}

impl TokenMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        for reason in REASONS {
            drop(self.refused.get_or_create(&ReasonLabel { reason }));
        }
        for result in ["ok", "error"] {
            drop(self.fetches.get_or_create(&FetchLabel { result }));
        }
        let help = "Tokens that were refused, by reason";
        registry.register("tokens_refused", help, self.refused.clone());
        let help = "Fetches of the JWK Set, by result";
        registry.register("jwks_fetches", help, self.fetches.clone());
        let help = "Keys of the JWK Set that can be used";
        registry.register("jwks_keys", help, self.keys.clone());
        let help = "When the JWK Set was fetched last, in seconds since the Unix epoch";
        registry.register("jwks_fetched_timestamp_seconds", help, self.fetched.clone());
    }

    /// Counts a refused token.
    pub fn refused(&self, reason: &'static str) {
        debug_assert!(REASONS.contains(&reason), "{reason} has no counter from the start");
        self.refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// Counts a fetch that gave keys.
    pub fn fetch_succeeded(&self) {
        self.fetches.get_or_create(&FetchLabel { result: "ok" }).inc();
    }

    /// Counts a fetch that gave none.
    pub fn fetch_failed(&self) {
        self.fetches.get_or_create(&FetchLabel { result: "error" }).inc();
    }
}
