use std::net::IpAddr;

use super::rate_limit_key;
use super::{UsageCounter, UsagePermit};

/// How many bytes of responses may wait for their clients. Responses beyond it are refused with 503, counted
/// in `tapecast_requests_refused` with the reason `answers`.
#[derive(Clone, Copy, Debug)]
pub struct AnswerLimits {
    /// Bytes in total. Default 64 MiB: memory that a flood of slow readers can take.
    pub total_bytes: usize,
    /// Bytes per [address](rate_limit_key). Default 16 MiB, 13 full pages of REST: a client reads one after
    /// the other. With a lower limit boards behind one router refuse each other's history when they start
    /// together; with a higher one fewer addresses can take the total.
    pub address_bytes: usize,
}

impl Default for AnswerLimits {
    fn default() -> Self {
        Self { total_bytes: 64 << 20, address_bytes: 16 << 20 }
    }
}

/// Counts the bytes of responses that clients have yet to take, and enforces [`AnswerLimits`].
///
/// One response is always admitted where no other waits, however long it is.
#[derive(Debug, Default)]
pub struct AnswerCapacity {
    limits: AnswerLimits,
    total: UsageCounter<()>,
    by_address: UsageCounter<IpAddr>,
}

/// Permission to hold the bytes of one response; dropping it frees them.
#[derive(Debug)]
#[must_use]
pub struct AnswerPermit {
    _total: UsagePermit<()>,
    _address: UsagePermit<IpAddr>,
}

impl AnswerCapacity {
    /// The capacity of a server without responses under way.
    pub fn new(limits: AnswerLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Whether a response for this address may be made at all.
    pub fn has_room(&self, address: IpAddr) -> bool {
        self.acquire(address, 1).is_some()
    }

    /// Acquires a permit for a response of this many bytes; `None` if a limit is reached.
    pub fn acquire(&self, address: IpAddr, bytes: usize) -> Option<AnswerPermit> {
        let total = self.total.acquire_many((), bytes, self.limits.total_bytes)?;
        let key = rate_limit_key(address);
        let address = self.by_address.acquire_many(key, bytes, self.limits.address_bytes)?;
        Some(AnswerPermit { _total: total, _address: address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 8));

    fn capacity() -> AnswerCapacity {
        AnswerCapacity::new(AnswerLimits { total_bytes: 1_000, address_bytes: 400 })
    }

    #[test]
    fn responses_of_an_address_share_its_bytes_until_they_are_taken() {
        let capacity = capacity();

        let first = capacity.acquire(HERE, 300).unwrap();
        assert!(capacity.acquire(HERE, 300).is_none());
        assert!(capacity.acquire(THERE, 300).is_some());
        drop(first);

        assert!(capacity.acquire(HERE, 300).is_some());
    }

    #[test]
    fn one_response_is_admitted_however_long_it_is_and_the_next_waits_for_it() {
        let capacity = capacity();

        let long = capacity.acquire(HERE, 5_000).unwrap();

        assert!(!capacity.has_room(HERE) && !capacity.has_room(THERE));
        drop(long);
        assert!(capacity.has_room(HERE));
    }
}
