use super::random::RandomStream;
use super::settings::ArrivalProcess;

/// Arrival times over the whole market, one step of a millisecond at a time.
///
/// The part of a gap that reaches beyond a step is carried into the next. So arrivals come in order without
/// sorting, and a step without arrivals costs one comparison.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    process: ArrivalProcess,
    mean_gap_ns: f64,
    /// The time from the start of the current step to the next arrival; infinite when there is none.
    next_ns: f64,
}

/// The length of a step.
const STEP_NS: f64 = 1_000_000.0;

impl Arrivals {
    /// Arrivals at this mean rate; none with 0.
    pub(super) fn new(process: ArrivalProcess, per_second: f64, random: &mut RandomStream) -> Self {
        let mut arrivals = Self { process, mean_gap_ns: 1e9 / per_second, next_ns: f64::INFINITY };
        // An infinite gap times an exponential of 0 would be NaN.
        if arrivals.mean_gap_ns.is_finite() {
            arrivals.next_ns = arrivals.gap_ns(random);
        }
        arrivals
    }

    fn gap_ns(&self, random: &mut RandomStream) -> f64 {
        match self.process {
            ArrivalProcess::Poisson => self.mean_gap_ns * random.exponential(),
            ArrivalProcess::Even => self.mean_gap_ns,
        }
    }

    /// The number of coming steps without an arrival.
    pub(super) fn idle_steps(&self) -> u64 {
        (self.next_ns / STEP_NS) as u64
    }

    /// The next arrival of this step in nanoseconds from its start, 0 to 999,999. `None` ends the step; the
    /// call after that belongs to the next step.
    pub(super) fn next_in_step(&mut self, random: &mut RandomStream) -> Option<u32> {
        if self.next_ns >= STEP_NS {
            self.next_ns -= STEP_NS;
            return None;
        }
        let offset_ns = self.next_ns as u32;
        self.next_ns += self.gap_ns(random);
        Some(offset_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::Purpose;
    use super::*;

    fn counts(per_second: f64, steps: usize) -> Vec<f64> {
        let mut random = RandomStream::new(1, Purpose::Arrivals);
        let mut arrivals = Arrivals::new(ArrivalProcess::Poisson, per_second, &mut random);
        let mut in_step = || std::iter::from_fn(|| arrivals.next_in_step(&mut random)).count() as f64;
        (0..steps).map(|_| in_step()).collect()
    }

    #[test]
    fn arrivals_per_step_have_the_mean_and_the_variance_of_a_poisson_distribution() {
        for (per_second, steps) in [(700.0, 200_000), (50_000.0, 20_000)] {
            let counts = counts(per_second, steps);

            let mean = counts.iter().sum::<f64>() / steps as f64;
            let variance = counts.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / steps as f64;
            let expected = per_second / 1_000.0;
            assert!((mean / expected - 1.0).abs() < 0.01, "mean {mean} for {expected}");
            assert!((variance / expected - 1.0).abs() < 0.03, "variance {variance} for {expected}");
        }
    }

    #[test]
    fn even_arrivals_have_equal_gaps() {
        let mut random = RandomStream::new(1, Purpose::Arrivals);
        let mut arrivals = Arrivals::new(ArrivalProcess::Even, 400.0, &mut random);

        let mut count = || std::iter::from_fn(|| arrivals.next_in_step(&mut random)).collect::<Vec<_>>();
        let steps: Vec<_> = (0..8).map(|_| count()).collect();
        assert_eq!(steps, [vec![], vec![], vec![500_000], vec![], vec![], vec![0], vec![], vec![500_000]]);
    }

    #[test]
    fn a_rate_of_zero_has_no_arrivals() {
        assert!(counts(0.0, 10_000).iter().all(|count| *count == 0.0));
    }

    #[test]
    fn arrivals_of_a_step_are_in_order_and_within_it() {
        let mut random = RandomStream::new(1, Purpose::Arrivals);
        let mut arrivals = Arrivals::new(ArrivalProcess::Poisson, 2_000_000.0, &mut random);

        for _ in 0..100 {
            let offsets: Vec<u32> = std::iter::from_fn(|| arrivals.next_in_step(&mut random)).collect();
            assert!(offsets.is_sorted());
            assert!(offsets.iter().all(|offset_ns| *offset_ns < 1_000_000));
        }
    }
}
