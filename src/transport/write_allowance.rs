use std::time::{Duration, Instant};

/// How slowly a client may take responses.
#[derive(Clone, Copy, Debug)]
pub struct MinimumWriteRate {
    /// The time for which a client may take nothing, after which it must keep up the rate.
    pub grace: Duration,
    /// Bytes per second in the long run; 0 only limits the time without any byte.
    pub bytes_per_second: u32,
}

/// Keeps account of how long a client may still leave its socket full.
///
/// The time in which the socket is full is spent from the allowance, and each byte that the client takes adds
/// to it, up to the grace. Time in which nothing waits costs nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct WriteAllowance {
    rate: MinimumWriteRate,
    left: Duration,
    blocked_since: Option<Instant>,
}

impl WriteAllowance {
    pub(super) fn new(rate: MinimumWriteRate) -> Self {
        Self { rate, left: rate.grace, blocked_since: None }
    }

    /// Limits only the time without any byte from now on.
    pub(super) fn drop_rate(&mut self) {
        self.rate.bytes_per_second = 0;
    }

    /// Notes that the socket is full, and returns when the allowance ends if it stays so.
    pub(super) fn blocked(&mut self, now: Instant) -> Instant {
        *self.blocked_since.get_or_insert(now) + self.left
    }

    /// Notes that the socket took this many bytes.
    pub(super) fn took(&mut self, bytes: usize, now: Instant) {
        let Some(since) = self.blocked_since.take() else { return };
        let spent = now.saturating_duration_since(since);
        let earned = match self.rate.bytes_per_second {
            0 => self.rate.grace,
            rate => Duration::from_secs_f64(bytes as f64 / f64::from(rate)),
        };
        self.left = (self.left.saturating_sub(spent) + earned).min(self.rate.grace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: MinimumWriteRate =
        MinimumWriteRate { grace: Duration::from_secs(20), bytes_per_second: 1_000 };

    /// After how many seconds a client is dropped that takes `bytes` after each second in which its socket was
    /// full; `None` if it is not dropped within an hour.
    fn dropped_after(rate: MinimumWriteRate, bytes: usize) -> Option<u64> {
        let start = Instant::now();
        let mut allowance = WriteAllowance::new(rate);
        (0..3_600).find(|second| {
            let now = start + Duration::from_secs(*second);
            let ends = allowance.blocked(now);
            let next = now + Duration::from_secs(1);
            allowance.took(bytes, next);
            ends < next
        })
    }

    #[test]
    fn a_client_that_takes_nothing_is_dropped_after_the_grace() {
        let start = Instant::now();
        let mut allowance = WriteAllowance::new(RATE);

        assert_eq!(allowance.blocked(start), start + RATE.grace);
        assert_eq!(allowance.blocked(start + Duration::from_secs(9)), start + RATE.grace);
    }

    #[test]
    fn a_client_below_the_rate_is_dropped_and_one_at_the_rate_is_not() {
        assert_eq!(dropped_after(RATE, 1_000), None);
        assert_eq!(dropped_after(RATE, 900), Some(191));
        assert_eq!(dropped_after(RATE, 1), Some(20));
        assert_eq!(dropped_after(MinimumWriteRate { bytes_per_second: 0, ..RATE }, 1), None);
    }

    #[test]
    fn time_in_which_nothing_waits_costs_nothing() {
        let start = Instant::now();
        let mut allowance = WriteAllowance::new(RATE);
        allowance.took(10, start);

        let later = start + Duration::from_secs(3_600);
        assert_eq!(allowance.blocked(later), later + RATE.grace);
    }
}
