use std::time::{Duration, Instant};

/// How often something may happen: so many at once, and so many a second in the long run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In the long run.
    pub per_second: u32,
    /// At once, after a rest.
    pub burst: u32,
}

/// What is left of a [`Rate`]: a bucket that time fills and each use empties.
///
/// It keeps one instant: the time at which the bucket will be full again. So it costs 16 bytes and
/// nothing while nobody uses it.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    rate: Rate,
    full_at: Instant,
}

impl Budget {
    /// A full bucket.
    pub const fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, full_at: now }
    }

    /// Takes one, or says that there is none.
    #[must_use]
    pub fn take(&mut self, now: Instant) -> bool {
        let Some(each) = Duration::from_secs(1).checked_div(self.rate.per_second) else { return false };
        let full_at = self.full_at.max(now) + each;
        let may = full_at.saturating_duration_since(now) <= each * self.rate.burst;
        if may {
            self.full_at = full_at;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_served_and_then_only_what_time_brings() {
        let start = Instant::now();
        let mut budget = Budget::new(Rate { per_second: 10, burst: 3 }, start);
        let at = |ms| start + Duration::from_millis(ms);
        let mut served = |ms, asked: u32| (0..asked).filter(|_| budget.take(at(ms))).count();

        assert_eq!(served(0, 9), 3);
        assert_eq!(served(99, 9), 0);
        assert_eq!(served(100, 9), 1);
        assert_eq!(served(300, 9), 2);
        assert_eq!(served(60_000, 9), 3, "a long rest saves up no more than a burst");
    }

    #[test]
    fn a_rate_of_nothing_allows_nothing() {
        let now = Instant::now();

        assert!(!Budget::new(Rate { per_second: 0, burst: 9 }, now).take(now));
    }
}
