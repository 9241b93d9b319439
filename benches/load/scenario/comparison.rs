//! The server's metrics relative to the reference.

use super::metrics::{RunMetrics, median};
use super::result::{Pair, ScenarioResult};

/// One metric of a scenario on both sides: medians over all pairs, and the ratios of the pairs.
pub(crate) struct Comparison {
    pub(crate) metric: &'static str,
    pub(crate) reference: f64,
    pub(crate) server: f64,
    /// The median of the ratios.
    pub(crate) ratio: f64,
    pub(crate) min_ratio: f64,
    pub(crate) max_ratio: f64,
}

type Metric = (&'static str, fn(&RunMetrics) -> f64);

const METRICS: [Metric; 5] = [
    ("CPU us/update", |run| run.cpu_us_per_update),
    ("CPU %/1,000 sessions", |run| run.cpu_percent_per_session * 1e3),
    ("p50 ms", |run| run.p50_ms),
    ("p99 ms", |run| run.p99_ms),
    ("KiB/session", |run| run.kib_per_session),
];

/// Compares all metrics that both sides have; empty without a reference.
pub(crate) fn compare(result: &ScenarioResult) -> Vec<Comparison> {
    let comparisons = METRICS.iter().map(|&(name, metric)| {
        let ratio = |pair: &Pair| Some(metric(&pair.server) / metric(pair.reference.as_ref()?));
        let ratios: Vec<_> =
            result.pairs.iter().filter_map(ratio).filter(|ratio| ratio.is_finite()).collect();
        Comparison {
            metric: name,
            reference: median(result.references().map(metric)),
            server: median(result.servers().map(metric)),
            ratio: median(ratios.iter().copied()),
            min_ratio: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            max_ratio: ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    });
    comparisons.filter(|comparison| !comparison.ratio.is_nan()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::result::ReferenceKind;
    use super::*;

    fn run(p99_us: u64) -> RunMetrics {
        RunMetrics::from_report(&serde_json::json!({ "latency_us": { "p99": p99_us } }), None)
    }

    #[test]
    fn the_ratio_is_the_median_of_the_pairs_ratios() {
        let pairs = [(1_000, 2_000), (1_000, 500), (4_000, 4_000)];
        let pairs =
            pairs.map(|(reference, server)| Pair { reference: Some(run(reference)), server: run(server) });
        let result = ScenarioResult {
            name: "hot",
            reference: Some(ReferenceKind::Baseline),
            pairs: pairs.into(),
            disturbed: Vec::new(),
        };

        let comparisons = compare(&result);

        // Only the metric that the reports contain.
        let [p99] = &comparisons[..] else { panic!("{} comparisons", comparisons.len()) };
        assert_eq!((p99.metric, p99.reference, p99.server), ("p99 ms", 1.0, 2.0));
        assert_eq!((p99.ratio, p99.min_ratio, p99.max_ratio), (1.0, 0.5, 2.0));
    }
}
