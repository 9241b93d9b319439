use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::rate_limit_key;

/// How many sessions there may be at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapacityLimits {
    /// In all.
    pub sessions: usize,
    /// From one address; `usize::MAX` is no limit.
    pub per_address: usize,
}

/// There is no seat for one more, for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtCapacity {
    /// As many sessions as the server takes.
    Sessions,
    /// As many as one address may have.
    Address,
}

/// The seats of all sessions, told apart by where they come from.
#[derive(Debug)]
pub struct SessionCapacity {
    limits: CapacityLimits,
    taken: UsageCounter<()>,
    by_address: UsageCounter<IpAddr>,
}

/// A session's seat, free again when it is dropped.
#[derive(Debug)]
pub struct SessionPermit {
    _of_all: UsagePermit<()>,
    _of_address: UsagePermit<IpAddr>,
}

impl SessionCapacity {
    /// Seats, all of them free.
    pub fn new(limits: CapacityLimits) -> Self {
        Self { limits, taken: UsageCounter::default(), by_address: UsageCounter::default() }
    }

    /// Takes a seat for a session from this address.
    ///
    /// # Errors
    /// When there is none.
    pub fn take(&self, address: IpAddr) -> Result<SessionPermit, AtCapacity> {
        let of_all = self.taken.take((), self.limits.sessions).ok_or(AtCapacity::Sessions)?;
        let of_address = self.by_address.take(rate_limit_key(address), self.limits.per_address);
        Ok(SessionPermit { _of_all: of_all, _of_address: of_address.ok_or(AtCapacity::Address)? })
    }
}

/// How many each holder has of something. Who has none takes no memory.
#[derive(Debug)]
pub struct UsageCounter<K>(Arc<Mutex<HashMap<K, usize>>>);

/// One of what a [`UsageCounter`] counts, given back when it is dropped.
#[derive(Debug)]
pub struct UsagePermit<K: Eq + Hash> {
    tally: UsageCounter<K>,
    holder: K,
}

impl<K> Default for UsageCounter<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Eq + Hash + Clone> UsageCounter<K> {
    /// Takes one more for the holder, unless it has `limit` already.
    #[must_use]
    pub fn take(&self, holder: K, limit: usize) -> Option<UsagePermit<K>> {
        let mut counts = self.counts();
        let has = counts.get(&holder).copied().unwrap_or(0);
        if has >= limit {
            return None;
        }
        counts.insert(holder.clone(), has + 1);
        Some(UsagePermit { tally: Self(Arc::clone(&self.0)), holder })
    }
}

impl<K> UsageCounter<K> {
    fn counts(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        // Nothing under this lock can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for UsagePermit<K> {
    fn drop(&mut self) {
        let mut counts = self.tally.counts();
        match counts.get_mut(&self.holder) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&self.holder)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 8));

    #[test]
    fn a_seat_that_is_left_can_be_taken_again() {
        let seats = SessionCapacity::new(CapacityLimits { sessions: 2, per_address: 9 });

        let first = seats.take(HERE).unwrap();
        let _second = seats.take(THERE).unwrap();
        assert_eq!(seats.take(THERE).unwrap_err(), AtCapacity::Sessions);
        drop(first);

        assert!(seats.take(THERE).is_ok());
    }

    #[test]
    fn who_has_its_share_keeps_no_seat_from_others() {
        let seats = SessionCapacity::new(CapacityLimits { sessions: 3, per_address: 1 });

        let _mine = seats.take(HERE).unwrap();
        for _ in 0..9 {
            assert_eq!(seats.take(HERE).unwrap_err(), AtCapacity::Address);
        }

        assert!(seats.take(THERE).is_ok());
    }

    #[test]
    fn who_is_gone_takes_no_memory() {
        let seats = SessionCapacity::new(CapacityLimits { sessions: 3, per_address: 1 });

        drop(seats.take(HERE));

        assert!(seats.by_address.counts().is_empty() && seats.taken.counts().is_empty());
    }
}
