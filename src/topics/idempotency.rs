use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::{PublicationNumber, namespace_of};
use crate::model::Symbol;

/// What became of the latest publications that had an idempotency key.
///
/// A publisher that got no answer sends the message again with the same key, and gets the first one's number. A key is one
/// of its topic: the same text in another topic is another key. Each namespace has its own bound, so that the publishers of
/// one do not make those of another forgotten.
#[derive(Clone, Debug, Default)]
pub struct IdempotencyKeys {
    namespaces: FxHashMap<Box<str>, KnownKeys>,
    /// Seeded at random, so that no publisher can choose keys that collide.
    hashers: [RandomState; 2],
}

/// The keys of a namespace.
#[derive(Clone, Debug, Default)]
struct KnownKeys {
    numbers: FxHashMap<KeyHash, PublicationNumber>,
    /// The same keys, the oldest first.
    order: VecDeque<(Instant, KeyHash)>,
}

/// A topic and a key of it. In place of the text, which may have 255 bytes: of 32,768 keys two are equal with a probability
/// of 1 in 10^29.
type KeyHash = (u64, u64);

/// How long a key is remembered: Centrifugo's time.
const KEPT: Duration = Duration::from_mins(5);

/// The most keys of a namespace, 3 to 5 MB: five minutes of 109 messages/s. Beyond it the oldest is forgotten: a repetition
/// after that is published.
const MOST: usize = 32 << 10;

impl IdempotencyKeys {
    /// The number of the message that was published with this key.
    pub fn find(&mut self, topic: Symbol, key: &str, now: Instant) -> Option<PublicationNumber> {
        let hash = self.hash(topic, key);
        let known = self.namespaces.get_mut(namespace_of(&topic))?;
        known.forget(now, MOST);
        known.numbers.get(&hash).copied()
    }

    /// Remembers the number of a message.
    pub fn add(&mut self, topic: Symbol, key: &str, number: PublicationNumber, now: Instant) {
        let hash = self.hash(topic, key);
        let known = match self.namespaces.get_mut(namespace_of(&topic)) {
            Some(known) => known,
            None => self.namespaces.entry(namespace_of(&topic).into()).or_default(),
        };
        known.forget(now, MOST - 1);
        if known.numbers.insert(hash, number).is_none() {
            known.order.push_back((now, hash));
        }
    }

    fn hash(&self, topic: Symbol, key: &str) -> KeyHash {
        let [one, other] = &self.hashers;
        (one.hash_one((topic, key)), other.hash_one((topic, key)))
    }
}

impl KnownKeys {
    fn forget(&mut self, now: Instant, most: usize) {
        while let Some((added, _)) = self.order.front()
            && (*added + KEPT <= now || self.order.len() > most)
            && let Some((_, key)) = self.order.pop_front()
        {
            self.numbers.remove(&key);
        }
        if self.order.is_empty() {
            *self = Self::default();
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

    fn topic(name: &str) -> Symbol {
        name.parse().unwrap()
    }

    fn known(keys: &IdempotencyKeys, namespace: &str) -> (usize, usize) {
        let known = &keys.namespaces[namespace];
        (known.numbers.len(), known.order.len())
    }

    #[test]
    fn a_key_is_remembered_for_its_topic_and_for_five_minutes() {
        let (mut keys, start) = (IdempotencyKeys::default(), Instant::now());
        let [chat, other] = ["chat:AAPL", "chat:MSFT"].map(topic);
        keys.add(chat, "k", number(7), start);

        assert_eq!(keys.find(chat, "k", start + KEPT - Duration::from_secs(1)), Some(number(7)));
        assert_eq!(keys.find(other, "k", start), None);
        assert_eq!(keys.clone().find(chat, "k", start), Some(number(7)), "a copy finds the same");
        assert_eq!(keys.find(chat, "k", start + KEPT), None);
        assert_eq!(known(&keys, "chat"), (0, 0));
    }

    #[test]
    fn the_keys_of_a_namespace_are_bounded_and_take_no_room_of_another() {
        let (mut keys, now) = (IdempotencyKeys::default(), Instant::now());
        let [chat, weather] = ["chat:AAPL", "weather:london"].map(topic);
        keys.add(weather, "k", number(7), now);

        (0..=MOST).for_each(|seq| keys.add(chat, &seq.to_string(), number(seq), now));

        assert_eq!(known(&keys, "chat"), (MOST, MOST));
        assert_eq!(keys.find(chat, "0", now), None);
        assert_eq!(keys.find(chat, "1", now), Some(number(1)));
        assert_eq!(keys.find(weather, "k", now), Some(number(7)));
    }
}
