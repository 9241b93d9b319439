use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::PublicationNumber;
use crate::model::Symbol;

/// What became of the latest publications that had an idempotency key.
///
/// A publisher that got no answer sends the message again with the same key, and gets the first one's number.
#[derive(Clone, Debug, Default)]
pub struct IdempotencyKeys {
    numbers: FxHashMap<(Symbol, Box<str>), PublicationNumber>,
    /// The same keys, the oldest first.
    order: VecDeque<(Instant, (Symbol, Box<str>))>,
}

/// How long a key is remembered: Centrifugo's time.
const KEPT: Duration = Duration::from_mins(5);

/// The most keys, some 10 MB. Beyond it the oldest is forgotten: a repetition after that is published.
const MOST: usize = 64 << 10;

impl IdempotencyKeys {
    /// The number of the message that was published with this key.
    pub fn find(&mut self, topic: Symbol, key: &str, now: Instant) -> Option<PublicationNumber> {
        self.forget(now, MOST);
        self.numbers.get(&(topic, key.into())).copied()
    }

    /// Remembers the number of a message.
    pub fn add(&mut self, topic: Symbol, key: &str, number: PublicationNumber, now: Instant) {
        self.forget(now, MOST - 1);
        let key: (_, Box<str>) = (topic, key.into());
        if self.numbers.insert(key.clone(), number).is_none() {
            self.order.push_back((now, key));
        }
    }

    fn forget(&mut self, now: Instant, most: usize) {
        while let Some((added, _)) = self.order.front()
            && (*added + KEPT <= now || self.order.len() > most)
            && let Some((_, key)) = self.order.pop_front()
        {
            self.numbers.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Epoch, Seq};

    fn number(seq: usize) -> PublicationNumber {
        PublicationNumber { seq: Seq(seq as u64), epoch: Epoch::default() }
    }

    #[test]
    fn a_key_is_remembered_for_its_topic_and_for_five_minutes() {
        let (mut keys, start) = (IdempotencyKeys::default(), Instant::now());
        let [chat, other] = ["chat:AAPL", "chat:MSFT"].map(|name| name.parse::<Symbol>().unwrap());
        keys.add(chat, "k", number(7), start);

        assert_eq!(keys.find(chat, "k", start + KEPT - Duration::from_secs(1)), Some(number(7)));
        assert_eq!(keys.find(other, "k", start), None);
        assert_eq!(keys.find(chat, "k", start + KEPT), None);
        assert!(keys.numbers.is_empty() && keys.order.is_empty());
    }

    #[test]
    fn the_number_of_keys_is_bounded() {
        let (mut keys, now) = (IdempotencyKeys::default(), Instant::now());
        let topic: Symbol = "chat:AAPL".parse().unwrap();

        (0..=MOST).for_each(|seq| keys.add(topic, &seq.to_string(), number(seq), now));

        assert_eq!((keys.numbers.len(), keys.order.len()), (MOST, MOST));
        assert_eq!(keys.find(topic, "0", now), None);
        assert_eq!(keys.find(topic, "1", now), Some(number(1)));
    }
}
