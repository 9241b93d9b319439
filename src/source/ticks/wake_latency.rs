use std::time::Duration;

/// The 10th percentile of recent wake-up latencies: nine wake-ups in ten come at least this late.
///
/// Estimated with one comparison per wake-up: a step up for each latency above the estimate, nine steps down
/// for each below it, which balances at the 10th percentile (Robbins and Monro, *A Stochastic Approximation
/// Method*, 1951). Outliers count no more than any other latency.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WakeLatency {
    p10_ns: i64,
}

const STEP_NS: i64 = 50;

impl WakeLatency {
    /// The largest estimate. It bounds how long the timer spins after an early wake-up.
    pub(super) const MAX: Duration = Duration::from_micros(100);

    pub(super) fn record(&mut self, latency_ns: i64) {
        let step = if latency_ns < self.p10_ns { -9 * STEP_NS } else { STEP_NS };
        self.p10_ns = (self.p10_ns + step).clamp(0, Self::MAX.as_nanos() as i64);
    }

    pub(super) fn p10_ns(self) -> i64 {
        self.p10_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    fn estimate(mut latency_ns: impl FnMut(&mut SmallRng) -> i64) -> i64 {
        let mut random = SmallRng::seed_from_u64(1);
        let mut latency = WakeLatency::default();
        (0..10_000).for_each(|_| latency.record(latency_ns(&mut random)));
        latency.p10_ns()
    }

    #[test]
    fn one_wake_up_in_ten_is_below_the_estimate() {
        let p10 = estimate(|random| random.random_range(30_000..80_000));

        assert!((33_000..37_000).contains(&p10), "{p10} of 30,000 to 80,000 ns");
    }

    #[test]
    fn the_estimate_is_never_negative_and_never_above_its_maximum() {
        assert_eq!(estimate(|_| -1), 0);
        assert_eq!(estimate(|_| 5_000_000), WakeLatency::MAX.as_nanos() as i64);
    }

    #[test]
    fn an_occasional_pause_does_not_change_the_estimate() {
        let p10 = estimate(|random| if random.random_bool(0.02) { 90_000_000 } else { 40_000 });

        assert!((39_000..41_000).contains(&p10), "{p10}");
    }
}
