use std::time::{Duration, Instant};

/// How often something may happen: so many at once, and one in so long a time in the long run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The time that brings one more.
    pub every: Duration,
    /// At once, after a rest.
    pub burst: u32,
}

impl Rate {
    /// So many a second in the long run, more than none.
    pub const fn per_second(count: u32, burst: u32) -> Self {
        Self { every: Duration::from_nanos(1_000_000_000 / count as u64), burst }
    }

    /// So many a minute, all of them at once if need be; more than none.
    pub const fn per_minute(count: u32) -> Self {
        Self { every: Duration::from_nanos(60_000_000_000 / count as u64), burst: count }
    }
}

/// What is left of a [`Rate`]: a bucket that time fills and each use empties.
///
/// It keeps one instant: the time at which the bucket will be full again. So it costs 16 bytes
/// beside the rate, and nothing while nobody uses it.
#[derive(Clone, Copy, Debug)]
pub struct TokenBucket {
    rate: Rate,
    full_at: Instant,
}

impl TokenBucket {
    /// A full bucket.
    pub const fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, full_at: now }
    }

    /// Takes one, or says that there is none.
    #[must_use]
    pub fn take(&mut self, now: Instant) -> bool {
        self.take_many(1, now)
    }

    /// Takes so many, or says that there are fewer and takes none.
    #[must_use]
    pub fn take_many(&mut self, count: u32, now: Instant) -> bool {
        let has_so_many = self.has(count, now);
        if has_so_many {
            self.full_at = self.full_at.max(now) + self.rate.every * count;
        }
        has_so_many
    }

    /// Whether there is one to take.
    pub fn has_one(&self, now: Instant) -> bool {
        self.has(1, now)
    }

    fn has(&self, count: u32, now: Instant) -> bool {
        self.full_at.max(now) + self.rate.every * count <= now + self.rate.every * self.rate.burst
    }

    /// Whether nothing was taken that time has not brought back.
    pub fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_served_and_then_only_what_time_brings() {
        let start = Instant::now();
        let mut budget = TokenBucket::new(Rate::per_second(10, 3), start);
        let at = |ms| start + Duration::from_millis(ms);
        let mut served = |ms, asked: u32| (0..asked).filter(|_| budget.take(at(ms))).count();

        assert_eq!(served(0, 9), 3);
        assert_eq!(served(99, 9), 0);
        assert_eq!(served(100, 9), 1);
        assert_eq!(served(300, 9), 2);
        assert_eq!(served(60_000, 9), 3, "a long rest saves up no more than a burst");
    }

    #[test]
    fn a_burst_of_none_allows_nothing() {
        let now = Instant::now();

        assert!(!TokenBucket::new(Rate::per_second(9, 0), now).take(now));
    }
}
