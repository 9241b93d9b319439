use std::time::{Duration, Instant};

/// A rate limit: up to `burst` uses at once, and one per `every` in the long run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The time after which one more use is allowed.
    pub every: Duration,
    /// The most uses at once, after a pause that was long enough.
    pub burst: u32,
}

impl Rate {
    /// A rate of `count` per second, with bursts of up to `burst`. `count` must not be 0.
    pub const fn per_second(count: u32, burst: u32) -> Self {
        Self { every: Duration::from_nanos(1_000_000_000 / count as u64), burst }
    }

    /// A rate of `count` per minute, with bursts of up to `count`. `count` must not be 0.
    pub const fn per_minute(count: u32) -> Self {
        Self { every: Duration::from_nanos(60_000_000_000 / count as u64), burst: count }
    }
}

/// A token bucket that enforces a [`Rate`]: each use takes a token, and time adds tokens up to the burst.
///
/// Instead of a count it stores the time at which the bucket is full again. So it needs 16 bytes next to
/// the rate, and no work while it is not used.
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

    /// Takes a token; `false` if there is none.
    #[must_use]
    pub fn take(&mut self, now: Instant) -> bool {
        self.take_many(1, now)
    }

    /// Takes `count` tokens, or none and returns `false` if there are fewer.
    #[must_use]
    pub fn take_many(&mut self, count: u32, now: Instant) -> bool {
        let is_allowed = self.has_tokens(count, now);
        if is_allowed {
            self.full_at = self.full_at.max(now) + self.rate.every * count;
        }
        is_allowed
    }

    /// Whether there is a token.
    pub fn has_token(&self, now: Instant) -> bool {
        self.has_tokens(1, now)
    }

    /// Whether there are this many tokens.
    pub fn has_tokens(&self, count: u32, now: Instant) -> bool {
        self.full_at.max(now) + self.rate.every * count <= now + self.rate.every * self.rate.burst
    }

    /// The time until there is a token; for a burst of 0 there never is, and it is that of one.
    pub fn next_token(&self, now: Instant) -> Duration {
        let spare = self.rate.every * self.rate.burst.saturating_sub(1);
        (self.full_at.max(now)).saturating_duration_since(now + spare)
    }

    /// Whether the bucket holds all of its tokens.
    pub fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_only_the_rate() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(Rate::per_second(10, 3), start);
        let at = |ms| start + Duration::from_millis(ms);
        let mut allowed = |ms, uses: u32| (0..uses).filter(|_| bucket.take(at(ms))).count();

        assert_eq!(allowed(0, 9), 3);
        assert_eq!(allowed(99, 9), 0);
        assert_eq!(allowed(100, 9), 1);
        assert_eq!(allowed(300, 9), 2);
        assert_eq!(allowed(60_000, 9), 3, "a long pause saves no more than a burst");
    }

    #[test]
    fn there_is_a_token_when_it_is_said_and_not_before() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(Rate::per_second(10, 3), start);
        while bucket.take(start) {}
        let at = start + Duration::from_millis(30);

        let wait = bucket.next_token(at);

        assert_eq!(wait, Duration::from_millis(70));
        assert!(!bucket.has_token(at + wait - Duration::from_nanos(1)) && bucket.has_token(at + wait));
        assert_eq!(bucket.next_token(at + wait), Duration::ZERO);
    }

    #[test]
    fn a_burst_of_zero_allows_nothing() {
        let now = Instant::now();

        assert!(!TokenBucket::new(Rate::per_second(9, 0), now).take(now));
    }
}
