use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::household;

/// How many sessions there may be at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatLimits {
    /// In all.
    pub sessions: usize,
    /// From one address; `usize::MAX` is no limit.
    pub per_address: usize,
}

/// There is no seat for one more, for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// As many sessions as the server takes.
    Sessions,
    /// As many as one address may have.
    Address,
}

/// The seats of all sessions, told apart by where they come from.
#[derive(Debug)]
pub struct Seats {
    limits: SeatLimits,
    taken: Tally<()>,
    by_address: Tally<IpAddr>,
}

/// A session's seat, free again when it is dropped.
#[derive(Debug)]
pub struct Seat {
    _of_all: Ticket<()>,
    _of_address: Ticket<IpAddr>,
}

impl Seats {
    /// Seats, all of them free.
    pub fn new(limits: SeatLimits) -> Self {
        Self { limits, taken: Tally::default(), by_address: Tally::default() }
    }

    /// Takes a seat for a session from this address.
    ///
    /// # Errors
    /// When there is none.
    pub fn take(&self, address: IpAddr) -> Result<Seat, Full> {
        let of_all = self.taken.take((), self.limits.sessions).ok_or(Full::Sessions)?;
        let of_address = self.by_address.take(household(address), self.limits.per_address);
        Ok(Seat { _of_all: of_all, _of_address: of_address.ok_or(Full::Address)? })
    }
}

/// How many each holder has of something. Who has none takes no memory.
#[derive(Debug)]
pub struct Tally<K>(Arc<Mutex<HashMap<K, usize>>>);

/// One of what a [`Tally`] counts, given back when it is dropped.
#[derive(Debug)]
pub struct Ticket<K: Eq + Hash> {
    tally: Tally<K>,
    holder: K,
}

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Eq + Hash + Clone> Tally<K> {
    /// Takes one more for the holder, unless it has `limit` already.
    #[must_use]
    pub fn take(&self, holder: K, limit: usize) -> Option<Ticket<K>> {
        let mut counts = self.counts();
        let has = counts.get(&holder).copied().unwrap_or(0);
        if has >= limit {
            return None;
        }
        counts.insert(holder.clone(), has + 1);
        Some(Ticket { tally: Self(Arc::clone(&self.0)), holder })
    }
}

impl<K> Tally<K> {
    fn counts(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        // Nothing under this lock can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Ticket<K> {
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
        let seats = Seats::new(SeatLimits { sessions: 2, per_address: 9 });

        let first = seats.take(HERE).unwrap();
        let _second = seats.take(THERE).unwrap();
        assert_eq!(seats.take(THERE).unwrap_err(), Full::Sessions);
        drop(first);

        assert!(seats.take(THERE).is_ok());
    }

    #[test]
    fn who_has_its_share_keeps_no_seat_from_others() {
        let seats = Seats::new(SeatLimits { sessions: 3, per_address: 1 });

        let _mine = seats.take(HERE).unwrap();
        for _ in 0..9 {
            assert_eq!(seats.take(HERE).unwrap_err(), Full::Address);
        }

        assert!(seats.take(THERE).is_ok());
    }

    #[test]
    fn who_is_gone_takes_no_memory() {
        let seats = Seats::new(SeatLimits { sessions: 3, per_address: 1 });

        drop(seats.take(HERE));

        assert!(seats.by_address.counts().is_empty() && seats.taken.counts().is_empty());
    }
}
