use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use crate::limits::{Rate, TokenBucket, rate_limit_key};

/// The most addresses with recent failures that are remembered: about 1 MiB.
///
/// An attack from more addresses is not limited. A limit per address does not help against it; that
/// secrets are too long to be guessed does.
const MAX_ADDRESSES: usize = 10_000;

/// Limits the rate of wrong credentials per address.
#[derive(Debug)]
pub(super) struct FailedAttempts {
    rate: RwLock<Rate>,
    buckets: Mutex<HashMap<IpAddr, TokenBucket>>,
}

impl FailedAttempts {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate: RwLock::new(rate), buckets: Mutex::default() }
    }

    /// Sets another rate, and forgets what was recorded.
    pub(super) fn set_rate(&self, rate: Rate) {
        *self.rate.write().unwrap_or_else(PoisonError::into_inner) = rate;
        self.buckets().clear();
    }

    /// Whether credentials from this address are checked at all.
    pub(super) fn may_try(&self, from: IpAddr, now: Instant) -> bool {
        self.buckets().get(&rate_limit_key(from)).is_none_or(|bucket| bucket.has_token(now))
    }

    /// Records wrong credentials from this address.
    pub(super) fn record(&self, from: IpAddr, now: Instant) {
        let mut buckets = self.buckets();
        if buckets.len() >= MAX_ADDRESSES {
            buckets.retain(|_, bucket| !bucket.is_full(now));
        }
        if buckets.len() < MAX_ADDRESSES {
            let rate = *self.rate.read().unwrap_or_else(PoisonError::into_inner);
            let bucket = buckets.entry(rate_limit_key(from)).or_insert(TokenBucket::new(rate, now));
            let _ = bucket.take(now);
        }
    }

    fn buckets(&self) -> MutexGuard<'_, HashMap<IpAddr, TokenBucket>> {
        // A poisoned lock is still consistent: no change under it can panic half-way.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_address_that_fails_too_often_must_wait_and_other_addresses_need_not() {
        let attempts = FailedAttempts::new(Rate::per_minute(3));
        let (guesser, other): (IpAddr, IpAddr) = ([203, 0, 113, 7].into(), [203, 0, 113, 8].into());
        let now = Instant::now();

        (0..9).for_each(|_| attempts.record(guesser, now));

        assert!(!attempts.may_try(guesser, now + Duration::from_secs(19)));
        assert!(attempts.may_try(guesser, now + Duration::from_secs(20)));
        assert!(attempts.may_try(other, now));
    }

    #[test]
    fn the_number_of_remembered_addresses_is_bounded_and_old_ones_are_forgotten() {
        let attempts = FailedAttempts::new(Rate::per_minute(60));
        let now = Instant::now();
        let address = |n: u32| IpAddr::from(n.to_be_bytes());

        (0..20_000).for_each(|n| attempts.record(address(n), now));
        assert_eq!(attempts.buckets().len(), MAX_ADDRESSES);

        attempts.record(address(30_000), now + Duration::from_secs(2));
        assert_eq!(attempts.buckets().len(), 1);
    }
}
