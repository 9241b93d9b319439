use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::limits::{Rate, TokenBucket, rate_limit_key};

/// So many addresses are remembered that failed of late; about a MiB. Beyond them an attack comes from
/// so many places that a limit per place is no help, and what helps is that secrets cannot be guessed.
const MOST_REMEMBERED: usize = 10_000;

/// How often each address has shown wrong credentials of late.
#[derive(Debug)]
pub(super) struct FailedAttempts {
    rate: Rate,
    failures: Mutex<HashMap<IpAddr, TokenBucket>>,
}

impl FailedAttempts {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, failures: Mutex::default() }
    }

    /// Whether this address may try, or has failed too often.
    pub(super) fn may_try(&self, from: IpAddr, now: Instant) -> bool {
        self.failures().get(&rate_limit_key(from)).is_none_or(|left| left.has_one(now))
    }

    pub(super) fn failed(&self, from: IpAddr, now: Instant) {
        let mut failures = self.failures();
        if failures.len() >= MOST_REMEMBERED {
            failures.retain(|_, left| !left.is_full(now));
        }
        if failures.len() < MOST_REMEMBERED {
            let left = failures.entry(rate_limit_key(from)).or_insert(TokenBucket::new(self.rate, now));
            let _ = left.take(now);
        }
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<IpAddr, TokenBucket>> {
        // Nothing under this lock can panic half-way.
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn who_failed_too_often_must_wait_and_nobody_else_does() {
        let attempts = FailedAttempts::new(Rate::per_minute(3));
        let (guesser, other): (IpAddr, IpAddr) = ([203, 0, 113, 7].into(), [203, 0, 113, 8].into());
        let now = Instant::now();

        (0..9).for_each(|_| attempts.failed(guesser, now));

        assert!(!attempts.may_try(guesser, now + Duration::from_secs(19)));
        assert!(attempts.may_try(guesser, now + Duration::from_secs(20)));
        assert!(attempts.may_try(other, now));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_forgotten_in_time() {
        let attempts = FailedAttempts::new(Rate::per_minute(60));
        let now = Instant::now();
        let address = |n: u32| IpAddr::from(n.to_be_bytes());

        (0..20_000).for_each(|n| attempts.failed(address(n), now));
        assert_eq!(attempts.failures().len(), MOST_REMEMBERED);

        attempts.failed(address(30_000), now + Duration::from_secs(2));
        assert_eq!(attempts.failures().len(), 1);
    }
}
