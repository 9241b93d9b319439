//! Sessions that lost their server and come back: when, and where they go on.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::session::Legacy;

/// How long to wait where the server did not say; a random part of it, so that not all come at once.
const UNASKED: Duration = Duration::from_secs(1);

/// The longest wait after a connect that failed, of which likewise a random part is waited.
const AFTER_REFUSAL: Duration = Duration::from_millis(400);

/// Who is to come back, the soonest first.
pub(crate) struct Returns {
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    legacies: Vec<Option<Legacy>>,
    rng: SmallRng,
}

impl Returns {
    pub(crate) fn new(seed: u64) -> Self {
        Self { due: BinaryHeap::new(), legacies: Vec::new(), rng: SmallRng::seed_from_u64(seed) }
    }

    /// A session ended that had been open.
    pub(crate) fn lost(&mut self, legacy: Legacy, now: Instant) {
        let asked = legacy.reconnect_ms.map(Duration::from_millis);
        let wait = asked.unwrap_or_else(|| self.part_of(UNASKED));
        self.expect(legacy, now + wait);
    }

    /// A session that tried to come back was refused.
    pub(crate) fn refused(&mut self, legacy: Legacy, now: Instant) {
        let wait = self.part_of(AFTER_REFUSAL);
        self.expect(legacy, now + wait);
    }

    /// The next session whose time has come.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Legacy> {
        let Reverse((at, place)) = *self.due.peek()?;
        if at > now {
            return None;
        }
        self.due.pop();
        self.legacies[place].take()
    }

    fn expect(&mut self, legacy: Legacy, at: Instant) {
        self.due.push(Reverse((at, self.legacies.len())));
        self.legacies.push(Some(legacy));
    }

    fn part_of(&mut self, longest: Duration) -> Duration {
        longest.mul_f64(self.rng.random_range(0.05..1.0))
    }
}

/// When sessions came back, as the report tells it.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Waves {
    sessions: usize,
    /// Milliseconds since the Unix epoch.
    first_ms: u64,
    last_ms: u64,
    /// The most that came within one tenth of a second.
    busiest_100ms: usize,
}

impl Waves {
    /// `None` where nobody came back.
    pub(crate) fn of(times_ms: &[u64]) -> Option<Self> {
        let mut times = times_ms.to_vec();
        times.sort_unstable();
        let within =
            |from: &u64| times.partition_point(|at| *at < from + 100) - times.partition_point(|at| at < from);
        Some(Self {
            sessions: times.len(),
            first_ms: *times.first()?,
            last_ms: *times.last()?,
            busiest_100ms: times.iter().map(within).max()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn legacy(number: usize, reconnect_ms: Option<u64>) -> Legacy {
        Legacy { number, reconnect_ms, resume: None }
    }

    #[test]
    fn a_session_comes_back_when_it_was_asked_to() {
        let now = Instant::now();
        let mut returns = Returns::new(1);
        returns.lost(legacy(1, Some(4_000)), now);
        returns.lost(legacy(2, None), now);

        let mut next = |ms| returns.next(now + Duration::from_millis(ms)).map(|legacy| legacy.number);

        assert_eq!((next(0), next(1_000), next(3_999), next(4_000)), (None, Some(2), None, Some(1)));
    }

    #[test]
    fn the_busiest_tenth_of_a_second_is_found() {
        let waves = Waves::of(&[1_000, 5, 1_050, 1_099, 1_100]).unwrap();

        assert_eq!((waves.sessions, waves.first_ms, waves.last_ms, waves.busiest_100ms), (5, 5, 1_100, 3));
    }
}
