use super::random::RandomStream;
use super::simulation::ArrivalProcess;

/// When something happens, told one millisecond at a time: a Poisson process, or an even beat.
///
/// The gap between arrivals, exponential or always the same, that reaches beyond a step is carried into the
/// next, so arrivals come in order without sorting, and a step in which nothing happens costs
/// one comparison.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    rhythm: ArrivalProcess,
    mean_gap_ns: f64,
    /// From the beginning of the current step to the next arrival; infinite when there is none.
    next_ns: f64,
}

/// The length of a step.
const STEP_NS: f64 = 1_000_000.0;

impl Arrivals {
    /// Arrivals at this mean rate; 0 for none at all.
    pub(super) fn new(rhythm: ArrivalProcess, per_second: f64, random: &mut RandomStream) -> Self {
        let mut arrivals = Self { rhythm, mean_gap_ns: 1e9 / per_second, next_ns: f64::INFINITY };
        // Told apart, because an infinite gap times a draw of 0 would be no number.
        if arrivals.mean_gap_ns.is_finite() {
            arrivals.next_ns = arrivals.gap_ns(random);
        }
        arrivals
    }

    fn gap_ns(&self, random: &mut RandomStream) -> f64 {
        match self.rhythm {
            ArrivalProcess::Poisson => self.mean_gap_ns * random.exponential(),
            ArrivalProcess::Even => self.mean_gap_ns,
        }
    }

    /// Nothing arrives in so many of the next steps.
    pub(super) fn quiet_steps(&self) -> u64 {
        (self.next_ns / STEP_NS) as u64
    }

    /// The next arrival of this step in nanoseconds from its beginning, 0 to 999,999; at
    /// `None` the step is over and the next call belongs to the next one.
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
    fn the_counts_of_steps_have_the_mean_and_the_variance_of_poisson() {
        for (per_second, steps) in [(700.0, 200_000), (50_000.0, 20_000)] {
            let counts = counts(per_second, steps);

            let mean = counts.iter().sum::<f64>() / steps as f64;
            let variance = counts.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / steps as f64;
            let claimed = per_second / 1_000.0;
            assert!((mean / claimed - 1.0).abs() < 0.01, "mean {mean} for {claimed}");
            assert!((variance / claimed - 1.0).abs() < 0.03, "variance {variance} for {claimed}");
        }
    }

    #[test]
    fn an_even_beat_is_even_whatever_is_drawn() {
        let mut random = RandomStream::new(1, Purpose::Arrivals);
        let mut arrivals = Arrivals::new(ArrivalProcess::Even, 400.0, &mut random);

        let mut count = || std::iter::from_fn(|| arrivals.next_in_step(&mut random)).collect::<Vec<_>>();
        let steps: Vec<_> = (0..8).map(|_| count()).collect();
        assert_eq!(steps, [vec![], vec![], vec![500_000], vec![], vec![], vec![0], vec![], vec![500_000]]);
    }

    #[test]
    fn a_silent_market_stays_silent() {
        assert!(counts(0.0, 10_000).iter().all(|count| *count == 0.0));
    }

    #[test]
    fn arrivals_of_a_step_are_in_order_and_inside_it() {
        let mut random = RandomStream::new(1, Purpose::Arrivals);
        let mut arrivals = Arrivals::new(ArrivalProcess::Poisson, 2_000_000.0, &mut random);

        for _ in 0..100 {
            let offsets: Vec<u32> = std::iter::from_fn(|| arrivals.next_in_step(&mut random)).collect();
            assert!(offsets.is_sorted());
            assert!(offsets.iter().all(|offset_ns| *offset_ns < 1_000_000));
        }
    }
}
