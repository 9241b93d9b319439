use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::rate_limit_key;

/// How many sessions may be open at once. Refusals are counted in `tapecast_upgrades_refused`, with the
/// reason `sessions` or `address`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapacityLimits {
    /// Sessions in total.
    pub sessions: usize,
    /// Sessions per [address](rate_limit_key); `usize::MAX` is no limit.
    pub per_address: usize,
}

/// Which limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtCapacity {
    /// The server has as many sessions as it allows.
    Sessions,
    /// The address has as many sessions as one address may have.
    Address,
}

/// Counts open sessions, in total and per address, and enforces [`CapacityLimits`].
#[derive(Debug)]
pub struct SessionCapacity {
    limits: RwLock<CapacityLimits>,
    total: UsageCounter<()>,
    by_address: UsageCounter<IpAddr>,
}

/// Permission for one session; dropping it frees the capacity.
#[derive(Debug)]
#[must_use]
pub struct SessionPermit {
    _total: UsagePermit<()>,
    _address: UsagePermit<IpAddr>,
}

impl SessionCapacity {
    /// The capacity of a server without sessions.
    pub fn new(limits: CapacityLimits) -> Self {
        Self {
            limits: RwLock::new(limits),
            total: UsageCounter::default(),
            by_address: UsageCounter::default(),
        }
    }

    /// Sets other limits. Sessions that are open stay, also above a lower one.
    pub fn set_limits(&self, limits: CapacityLimits) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// The limits in force.
    pub fn limits(&self) -> CapacityLimits {
        *self.limits.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Acquires a permit for a session from this address.
    ///
    /// # Errors
    /// When a limit is reached.
    pub fn acquire(&self, address: IpAddr) -> Result<SessionPermit, AtCapacity> {
        let limits = self.limits();
        let total = self.total.acquire((), limits.sessions).ok_or(AtCapacity::Sessions)?;
        let address = self.by_address.acquire(rate_limit_key(address), limits.per_address);
        Ok(SessionPermit { _total: total, _address: address.ok_or(AtCapacity::Address)? })
    }
}

/// Counts permits per holder. A holder without permits takes no memory.
#[derive(Debug)]
pub struct UsageCounter<K>(Arc<Mutex<HashMap<K, usize>>>);

/// A permit of a [`UsageCounter`]; dropping it returns it.
#[derive(Debug)]
#[must_use]
pub struct UsagePermit<K: Eq + Hash> {
    counter: UsageCounter<K>,
    holder: K,
    amount: usize,
}

impl<K> Default for UsageCounter<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// Clones share the count.
impl<K> Clone for UsageCounter<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Eq + Hash + Clone> UsageCounter<K> {
    /// Acquires a permit for the holder; `None` if it holds `limit` permits already.
    pub fn acquire(&self, holder: K, limit: usize) -> Option<UsagePermit<K>> {
        if limit > 0 { self.acquire_many(holder, 1, limit) } else { None }
    }

    /// The holders with their permits, in no order.
    pub fn held(&self) -> Vec<(K, usize)> {
        self.counts().iter().map(|(holder, count)| (holder.clone(), *count)).collect()
    }

    /// Acquires a permit for this amount; `None` if the holder holds some already and would hold more than
    /// `limit`.
    pub fn acquire_many(&self, holder: K, amount: usize, limit: usize) -> Option<UsagePermit<K>> {
        let mut counts = self.counts();
        let held = counts.get(&holder).copied().unwrap_or(0);
        if held > 0 && held.saturating_add(amount) > limit {
            return None;
        }
        counts.insert(holder.clone(), held + amount);
        Some(UsagePermit { counter: self.clone(), holder, amount })
    }
}

impl<K> UsageCounter<K> {
    fn counts(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        // A poisoned lock is still consistent: no change under it can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for UsagePermit<K> {
    fn drop(&mut self) {
        let mut counts = self.counter.counts();
        match counts.get_mut(&self.holder) {
            Some(count) if *count > self.amount => *count -= self.amount,
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
    fn a_dropped_permit_can_be_acquired_again() {
        let capacity = SessionCapacity::new(CapacityLimits { sessions: 2, per_address: 9 });

        let first = capacity.acquire(HERE).unwrap();
        let _second = capacity.acquire(THERE).unwrap();
        assert_eq!(capacity.acquire(THERE).unwrap_err(), AtCapacity::Sessions);
        drop(first);

        assert!(capacity.acquire(THERE).is_ok());
    }

    #[test]
    fn an_address_at_its_limit_takes_no_capacity_from_others() {
        let capacity = SessionCapacity::new(CapacityLimits { sessions: 3, per_address: 1 });

        let _first = capacity.acquire(HERE).unwrap();
        for _ in 0..9 {
            assert_eq!(capacity.acquire(HERE).unwrap_err(), AtCapacity::Address);
        }

        assert!(capacity.acquire(THERE).is_ok());
    }

    #[test]
    fn a_lower_limit_is_in_force_for_new_sessions() {
        let capacity = SessionCapacity::new(CapacityLimits { sessions: 3, per_address: 9 });
        let open = [capacity.acquire(HERE).unwrap(), capacity.acquire(HERE).unwrap()];

        capacity.set_limits(CapacityLimits { sessions: 1, per_address: 9 });
        assert_eq!(capacity.acquire(HERE).unwrap_err(), AtCapacity::Sessions);
        drop(open);

        assert!(capacity.acquire(HERE).is_ok());
    }

    #[test]
    fn an_address_without_sessions_takes_no_memory() {
        let capacity = SessionCapacity::new(CapacityLimits { sessions: 3, per_address: 1 });

        drop(capacity.acquire(HERE));

        assert!(capacity.by_address.counts().is_empty() && capacity.total.counts().is_empty());
    }
}
