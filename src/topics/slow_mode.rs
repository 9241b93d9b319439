use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::PublishRefusal;
use crate::model::Symbol;

/// The longest interval of slow mode.
pub const LONGEST_INTERVAL: Duration = Duration::from_hours(1);

/// The most topics of a namespace in slow mode. Beyond it the next one is refused.
const MOST_TOPICS: usize = 1_000;

/// The most publishers of a namespace whose last message is remembered, some 3 MB with names of 30 bytes and 10 MB with the
/// longest. Beyond it that of the oldest message is forgotten, which may write again too early.
const MOST_PUBLISHERS: usize = 16_384;

/// The topics of a namespace in slow mode, and when their publishers have published last. Pure: times are arguments.
#[derive(Clone, Debug, Default)]
pub(super) struct SlowModes {
    topics: FxHashMap<Symbol, SlowMode>,
    /// All remembered messages, the oldest first. A publisher that has published again has some that are void.
    order: VecDeque<(Instant, Symbol, Box<str>)>,
}

#[derive(Clone, Debug, Default)]
struct SlowMode {
    /// The least time between two messages of a publisher.
    interval: Duration,
    /// When each publisher has published last.
    last: FxHashMap<Box<str>, Instant>,
}

impl SlowModes {
    /// Sets the interval of a topic; zero ends its slow mode.
    ///
    /// # Errors
    /// When there are too many topics.
    pub(super) fn set(&mut self, topic: &Symbol, interval: Duration) -> Result<(), PublishRefusal> {
        if interval.is_zero() {
            self.topics.remove(topic);
            self.order.retain(|(_, of, _)| of != topic);
            return Ok(());
        }
        if self.topics.len() >= MOST_TOPICS && !self.topics.contains_key(topic) {
            return Err(PublishRefusal::TooManyRestrictions);
        }
        self.topics.entry(*topic).or_default().interval = interval.min(LONGEST_INTERVAL);
        Ok(())
    }

    /// How long a publisher has to wait before its next message in a topic, if it has to.
    pub(super) fn wait(&self, topic: &Symbol, by: &str, now: Instant) -> Option<Duration> {
        let slow = self.topics.get(topic)?;
        let free = *slow.last.get(by)? + slow.interval;
        free.checked_duration_since(now).filter(|wait| !wait.is_zero())
    }

    /// Notes a message of a publisher, and forgets those that may write again.
    pub(super) fn note(&mut self, topic: &Symbol, by: &str, now: Instant) {
        self.forget(now);
        let Some(slow) = self.topics.get_mut(topic) else { return };
        slow.last.insert(by.into(), now);
        self.order.push_back((now, *topic, by.into()));
    }

    /// The topics and their intervals.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Symbol, Duration)> {
        self.topics.iter().map(|(topic, slow)| (*topic, slow.interval))
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// Forgets the oldest messages while their publishers may write again, or there are too many. Those of a topic with a
    /// short interval may wait for an older one of another topic: an hour at most.
    fn forget(&mut self, now: Instant) {
        while let Some((at, topic, _)) = self.order.front()
            && let at = *at
            && let is_over = self.topics.get(topic).is_none_or(|slow| at + slow.interval <= now)
            && (is_over || self.order.len() >= MOST_PUBLISHERS)
            && let Some((_, topic, by)) = self.order.pop_front()
        {
            let Some(slow) = self.topics.get_mut(&topic) else { continue };
            if slow.last.get(&by) == Some(&at) {
                slow.last.remove(&by);
            }
            if slow.last.is_empty() {
                slow.last = FxHashMap::default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn topic(name: &str) -> Symbol {
        name.parse().unwrap()
    }

    fn remembered(modes: &SlowModes) -> (usize, usize) {
        (modes.topics.values().map(|slow| slow.last.len()).sum(), modes.order.len())
    }

    #[test]
    fn publishers_that_may_write_again_are_forgotten_in_all_topics() {
        let (mut modes, start) = (SlowModes::default(), Instant::now());
        let [lobby, other] = ["chat:lobby", "chat:AAPL"].map(topic);
        modes.set(&lobby, 5 * SECOND).unwrap();
        modes.set(&other, 5 * SECOND).unwrap();
        (0..100_u32).for_each(|index| modes.note(&lobby, &index.to_string(), start));

        modes.note(&other, "anna", start + 5 * SECOND);

        assert_eq!(remembered(&modes), (1, 1));
        assert_eq!(modes.wait(&other, "anna", start + 6 * SECOND), Some(4 * SECOND));
    }

    #[test]
    fn the_publishers_of_a_long_interval_are_bounded_and_the_oldest_goes_first() {
        let (mut modes, start) = (SlowModes::default(), Instant::now());
        let lobby = topic("chat:lobby");
        modes.set(&lobby, LONGEST_INTERVAL).unwrap();

        (0..=MOST_PUBLISHERS).for_each(|index| modes.note(&lobby, &index.to_string(), start));

        assert_eq!(remembered(&modes), (MOST_PUBLISHERS, MOST_PUBLISHERS));
        assert_eq!(modes.wait(&lobby, "0", start), None);
        assert_eq!(modes.wait(&lobby, "1", start), Some(LONGEST_INTERVAL));
    }

    #[test]
    fn a_shorter_interval_holds_at_once_and_none_forgets_all() {
        let (mut modes, start) = (SlowModes::default(), Instant::now());
        let lobby = topic("chat:lobby");
        modes.set(&lobby, 60 * SECOND).unwrap();
        modes.note(&lobby, "anna", start);

        modes.set(&lobby, 5 * SECOND).unwrap();
        assert_eq!(modes.wait(&lobby, "anna", start + SECOND), Some(4 * SECOND));

        modes.set(&lobby, Duration::ZERO).unwrap();
        assert_eq!((modes.wait(&lobby, "anna", start), remembered(&modes)), (None, (0, 0)));
    }
}
