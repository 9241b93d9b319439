//! Metrics of requests, by route and status class.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::LatencyHistogram;

/// How long requests take. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct RequestMetrics(Family<RequestLabels, LatencyHistogram>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    code: &'static str,
}

impl RequestMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help =
            "Seconds from the head of a request to that of its response, by route and class of the status";
        registry.register("http_request_seconds", help, self.0.clone());
    }

    /// Records a request of this route, which is one of the server's own patterns.
    pub fn record(&self, route: &str, status: u16, duration: Duration) {
        let code = match status {
            100..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        self.0.get_or_create(&RequestLabels { route: route.to_owned(), code }).record(duration);
    }
}
