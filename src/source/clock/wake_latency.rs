use std::time::Duration;

/// How late wake-ups come at least: what nine in ten of them exceed.
///
/// Kept by one comparison a time: a step up for each that is later than thought, nine steps down for each
/// that is earlier, which balances where one in ten is earlier (Robbins and Monro, *A Stochastic
/// Approximation Method*, 1951). Those that come far too late count no more than any other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WakeLatency {
    ns: i64,
}

const STEP_NS: i64 = 50;

impl WakeLatency {
    /// More is not made up for, whatever is seen.
    pub(super) const MOST: Duration = Duration::from_micros(100);

    /// A wake-up came so many nanoseconds after its time.
    pub(super) fn enter(&mut self, late_ns: i64) {
        let step = if late_ns < self.ns { -9 * STEP_NS } else { STEP_NS };
        self.ns = (self.ns + step).clamp(0, Self::MOST.as_nanos() as i64);
    }

    /// By so much nine wake-ups in ten are late at least.
    pub(super) fn least_ns(self) -> i64 {
        self.ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    fn seen(mut late_ns: impl FnMut(&mut SmallRng) -> i64) -> i64 {
        let mut random = SmallRng::seed_from_u64(1);
        let mut lateness = WakeLatency::default();
        (0..10_000).for_each(|_| lateness.enter(late_ns(&mut random)));
        lateness.least_ns()
    }

    #[test]
    fn one_in_ten_is_earlier() {
        let least = seen(|random| random.random_range(30_000..80_000));

        assert!((33_000..37_000).contains(&least), "{least} of 30,000 to 80,000 ns");
    }

    #[test]
    fn it_is_never_less_than_nothing_and_never_more_than_can_be_made_up_for() {
        assert_eq!(seen(|_| -1), 0);
        assert_eq!(seen(|_| 5_000_000), WakeLatency::MOST.as_nanos() as i64);
    }

    #[test]
    fn a_pause_now_and_then_changes_nothing() {
        let least = seen(|random| if random.random_bool(0.02) { 90_000_000 } else { 40_000 });

        assert!((39_000..41_000).contains(&least), "{least}");
    }
}
