//! Sessions that wait for their reconnect, with back-off and jitter.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::session::ResumeState;

/// The longest delay if the server requested none; the actual delay is a random part of it (jitter).
const MAX_DELAY: Duration = Duration::from_secs(1);

/// The longest delay after a failed reconnect, also with jitter.
const MAX_RETRY_DELAY: Duration = Duration::from_millis(400);

/// A priority queue of reconnects, the earliest first.
pub(crate) struct ReconnectQueue {
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    states: Vec<Option<ResumeState>>,
    rng: SmallRng,
}

impl ReconnectQueue {
    pub(crate) fn new(seed: u64) -> Self {
        Self { due: BinaryHeap::new(), states: Vec::new(), rng: SmallRng::seed_from_u64(seed) }
    }

    /// Schedules the reconnect of a session that was open, after the delay that the server requested.
    pub(crate) fn schedule(&mut self, state: ResumeState, now: Instant) {
        let requested = state.reconnect_ms.map(Duration::from_millis);
        let delay = requested.unwrap_or_else(|| self.jitter(MAX_DELAY));
        self.push(state, now + delay);
    }

    /// Schedules another attempt of a session whose reconnect failed.
    pub(crate) fn schedule_retry(&mut self, state: ResumeState, now: Instant) {
        let delay = self.jitter(MAX_RETRY_DELAY);
        self.push(state, now + delay);
    }

    /// Removes and returns the next session whose reconnect is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<ResumeState> {
        let Reverse((at, index)) = *self.due.peek()?;
        if at > now {
            return None;
        }
        self.due.pop();
        self.states[index].take()
    }

    fn push(&mut self, state: ResumeState, at: Instant) {
        self.due.push(Reverse((at, self.states.len())));
        self.states.push(Some(state));
    }

    fn jitter(&mut self, max: Duration) -> Duration {
        max.mul_f64(self.rng.random_range(0.05..1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(number: usize, reconnect_ms: Option<u64>) -> ResumeState {
        ResumeState { number, reconnect_ms, reconnects: 0, resume: None }
    }

    #[test]
    fn a_session_reconnects_after_the_requested_delay() {
        let now = Instant::now();
        let mut queue = ReconnectQueue::new(1);
        queue.schedule(state(1, Some(4_000)), now);
        queue.schedule(state(2, None), now);

        let mut pop = |ms| queue.pop_due(now + Duration::from_millis(ms)).map(|state| state.number);

        assert_eq!((pop(0), pop(1_000), pop(3_999), pop(4_000)), (None, Some(2), None, Some(1)));
    }
}
