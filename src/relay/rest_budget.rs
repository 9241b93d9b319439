use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::limits::{Rate, TokenBucket};

/// The budget of requests to the upstream's REST, which all of a relay share. Clones share it.
///
/// Holes come first: the requests that live trades wait for find a reserve that background requests leave.
#[derive(Clone, Debug)]
pub(super) struct RestBudget(Arc<Mutex<TokenBucket>>);

/// How urgent a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Priority {
    /// Live trades wait for it: it is sent now, or fails.
    Urgent,
    /// It waits until the budget has room.
    Background,
}

/// 200 a minute, as in Alpaca's free plan.
const RATE: Rate = Rate::per_minute(200);

/// What background requests leave: one hole.
const RESERVE: u32 = 20;

impl RestBudget {
    /// A full budget.
    pub(super) fn new(now: Instant) -> Self {
        Self(Arc::new(Mutex::new(TokenBucket::new(RATE, now))))
    }

    /// Takes a request; `false` if there is none of this priority.
    #[must_use]
    pub(super) fn take(&self, priority: Priority, now: Instant) -> bool {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match priority {
            Priority::Urgent => bucket.take(now),
            Priority::Background => bucket.has_tokens(RESERVE + 1, now) && bucket.take(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn background_requests_leave_enough_for_a_hole_and_keep_to_the_rate() {
        let start = Instant::now();
        let budget = RestBudget::new(start);
        let taken = |priority, now| (0..500).filter(|_| budget.take(priority, now)).count();

        assert_eq!(taken(Priority::Background, start), 180);
        assert_eq!(taken(Priority::Urgent, start), 20);
        let later = start + Duration::from_secs(30);
        assert_eq!(taken(Priority::Background, later), 80);
    }
}
