use std::sync::Arc;
use std::time::Instant;

use rustc_hash::{FxHashMap, FxHashSet};

use super::idempotency::IdempotencyKeys;
use super::{
    Moderation, Namespaces, Publication, PublicationNumber, PublishRefusal, Restrictions, namespace_of,
};
use crate::limits::TokenBucket;
use crate::model::{Symbol, TopicKind, Universe};

/// Decides at the feed about publications: which topics come to exist, and how fast each may grow.
///
/// Pure: the time is an argument. Which topics there are is in the [`Universe`].
#[derive(Debug)]
pub struct Directory {
    namespaces: Arc<Namespaces>,
    topics: FxHashMap<Symbol, TokenBucket>,
    counts: TopicCounts,
    keys: IdempotencyKeys,
    restrictions: Restrictions,
}

/// What the feed does with a publication that is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Publishes it. The topic may not exist yet: then it is of this kind.
    Publish(TopicKind),
    /// Answers with the number that it got when it came before.
    Repeated(PublicationNumber),
}

/// The topics that come to exist with the publications of one batch.
#[derive(Debug, Default)]
pub struct FreshTopics {
    topics: Vec<(Symbol, TopicKind)>,
    names: FxHashSet<Symbol>,
    counts: FxHashMap<Box<str>, usize>,
}

/// The number of topics of each namespace, kept so that it is not counted anew for each new topic.
#[derive(Debug, Default)]
struct TopicCounts {
    of: FxHashMap<Box<str>, usize>,
    /// How many topics of the universe are counted. It only grows.
    counted: usize,
}

impl TopicCounts {
    /// The number of topics of a namespace. O(topics that have come to exist since the last call).
    fn of(&mut self, namespace: &str, universe: &Universe) -> usize {
        for topic in universe.topics().iter_from(self.counted) {
            *self.of.entry(namespace_of(&topic.name).into()).or_default() += 1;
        }
        self.counted = universe.topics().len();
        self.of.get(namespace).copied().unwrap_or_default()
    }
}

impl FreshTopics {
    /// Adds a topic, unless it is one of them.
    pub fn add(&mut self, topic: Symbol, kind: TopicKind) {
        if self.names.insert(topic) {
            self.topics.push((topic, kind));
            *self.counts.entry(namespace_of(&topic).into()).or_default() += 1;
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// All of them, in the order in which they were added.
    pub fn into_topics(self) -> Vec<(Symbol, TopicKind)> {
        self.topics
    }

    fn contains(&self, topic: &Symbol) -> bool {
        self.names.contains(topic)
    }

    fn count_of(&self, namespace: &str) -> usize {
        self.counts.get(namespace).copied().unwrap_or_default()
    }
}

impl Directory {
    /// A directory of these namespaces, in which nothing was published yet.
    pub fn new(namespaces: Arc<Namespaces>) -> Self {
        Self::resume(namespaces, IdempotencyKeys::default(), Restrictions::default())
    }

    /// The same with the idempotency keys and restrictions of an earlier feed.
    pub fn resume(namespaces: Arc<Namespaces>, keys: IdempotencyKeys, restrictions: Restrictions) -> Self {
        let (topics, counts) = Default::default();
        Self { namespaces, topics, counts, keys, restrictions }
    }

    /// Does what a moderator wants.
    ///
    /// # Errors
    /// When there are too many restrictions.
    pub fn moderate(&mut self, moderation: &Moderation, now: Instant) -> Result<(), PublishRefusal> {
        self.restrictions.apply(moderation, now)
    }

    /// Decides about a publication, given the topics that exist. `fresh` are those that come to exist with the
    /// publications before it.
    ///
    /// # Errors
    /// When it is refused.
    pub fn admit(
        &mut self,
        publication: &Publication,
        universe: &Universe,
        fresh: &FreshTopics,
        now: Instant,
    ) -> Result<Admission, PublishRefusal> {
        let topic = publication.topic;
        let namespace = self.namespaces.of(&topic, universe).ok_or(PublishRefusal::NoSuchTopic)?;
        let repeated = publication.message.idempotency_key().and_then(|key| self.keys.find(topic, key, now));
        if let Some(number) = repeated {
            return Ok(Admission::Repeated(number));
        }
        // A moderator that takes a message back is not restricted, nor held up by those that fill the topic.
        let by = publication.message.deletes().is_none().then(|| publication.message.by());
        if let Some(by) = by {
            self.restrictions.check(&topic, by, now)?;
        }
        if universe.find_topic(&topic).is_none() && !fresh.contains(&topic) {
            let existing = self.counts.of(&namespace.name, universe);
            if existing + fresh.count_of(&namespace.name) >= namespace.max_topics {
                return Err(PublishRefusal::NoSuchTopic);
            }
        }
        let bucket = self.topics.entry(topic).or_insert_with(|| TokenBucket::new(namespace.topic_rate, now));
        if by.is_some() && !bucket.take(now) {
            return Err(PublishRefusal::TooFast { retry: bucket.next_token(now) });
        }
        if let Some(by) = by {
            self.restrictions.note(&topic, by, now);
        }
        Ok(Admission::Publish(namespace.kind))
    }

    /// Remembers the number of a publication.
    pub fn published(&mut self, publication: &Publication, number: PublicationNumber, now: Instant) {
        if let Some(key) = publication.message.idempotency_key() {
            self.keys.add(publication.topic, key, number, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Rate;
    use crate::model::{Epoch, Seq};
    use crate::topics::{Namespace, PublishRight};
    use crate::wire::{TopicMessage, fixtures};
    use std::time::Duration;

    fn publication(topic: &str, key: Option<&str>) -> Publication {
        let message = TopicMessage::new(&serde_json::json!(1), None);
        let message = Arc::new(match key {
            None => message,
            Some(key) => message.with_idempotency_key(key),
        });
        Publication { topic: topic.parse().unwrap(), message }
    }

    fn directory(change: impl FnOnce(&mut Namespace)) -> Directory {
        let mut chat = Namespace::chat(PublishRight::Nobody);
        chat.names.any = true;
        change(&mut chat);
        Directory::new(Arc::new(Namespaces::new(vec![chat, Namespace::weather()])))
    }

    #[test]
    fn a_message_with_a_known_key_gets_the_number_of_the_first() {
        let (mut directory, now) = (directory(|_| {}), Instant::now());
        let first = publication("chat:lobby", Some("k"));
        let number = PublicationNumber { seq: Seq(7), epoch: Epoch::default() };
        let universe = fixtures::universe();

        assert!(matches!(
            directory.admit(&first, &universe, &FreshTopics::default(), now),
            Ok(Admission::Publish(_))
        ));
        directory.published(&first, number, now);

        let again = directory.admit(&first, &universe, &FreshTopics::default(), now);
        assert_eq!(again, Ok(Admission::Repeated(number)));
    }

    #[test]
    fn a_topic_has_a_rate_for_all_publishers_together() {
        let mut directory = directory(|chat| chat.topic_rate = Rate::per_second(10, 2));
        let (universe, start) = (fixtures::universe(), Instant::now());
        let mut at = |ms, topic: &str| {
            let now = start + Duration::from_millis(ms);
            directory.admit(&publication(topic, None), &universe, &FreshTopics::default(), now).err()
        };

        assert_eq!([at(0, "chat:a"), at(0, "chat:a")], [None, None]);
        let retry = Duration::from_millis(60);
        assert_eq!(at(40, "chat:a"), Some(PublishRefusal::TooFast { retry }));
        assert_eq!(at(40, "chat:b"), None);
        assert_eq!(at(100, "chat:a"), None);
    }

    #[test]
    fn a_message_is_taken_back_however_full_its_topic_is() {
        let mut directory = directory(|chat| chat.topic_rate = Rate::per_second(1, 1));
        let (universe, now) = (fixtures::universe(), Instant::now());
        let deletion = Arc::new(TopicMessage::deleting(Seq(1), None));
        let deletion = Publication { topic: "chat:a".parse().unwrap(), message: deletion };

        let admitted =
            [publication("chat:a", None), publication("chat:a", None), deletion].map(|publication| {
                directory.admit(&publication, &universe, &FreshTopics::default(), now).is_ok()
            });

        assert_eq!(admitted, [true, false, true]);
    }

    #[test]
    fn a_namespace_has_a_bounded_number_of_topics() {
        let mut directory = directory(|chat| chat.max_topics = 2);
        let (universe, now) = (fixtures::topics(), Instant::now());
        let mut admits = |topic: &str, fresh: &[&str]| {
            let mut all = FreshTopics::default();
            fresh.iter().for_each(|name| all.add(name.parse().unwrap(), TopicKind::Log));
            directory.admit(&publication(topic, None), &universe, &all, now).is_ok()
        };

        assert!(admits("chat:b", &[]), "one exists");
        assert!(!admits("chat:c", &["chat:b"]));
        assert!(admits("chat:b", &["chat:b"]) && admits("chat:AAPL", &["chat:b"]));
        assert!(admits("weather:paris", &["chat:b"]));
        assert!(!admits("news:paris", &[]));
    }
}
