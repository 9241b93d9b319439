use std::sync::Arc;
use std::time::Instant;

use rustc_hash::FxHashMap;

use super::idempotency::IdempotencyKeys;
use super::{Moderation, Namespaces, Publication, PublicationNumber, PublishRefusal, Restrictions};
use crate::limits::TokenBucket;
use crate::model::{Symbol, TopicKind, Universe};

/// Decides at the feed about publications: which topics come to exist, and how fast each may grow.
///
/// Pure: the time is an argument. Which topics there are is in the [`Universe`].
#[derive(Debug)]
pub struct Directory {
    namespaces: Arc<Namespaces>,
    topics: FxHashMap<Symbol, TokenBucket>,
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

impl Directory {
    /// A directory of these namespaces, in which nothing was published yet.
    pub fn new(namespaces: Arc<Namespaces>) -> Self {
        Self::resume(namespaces, IdempotencyKeys::default(), Restrictions::default())
    }

    /// The same with the idempotency keys and restrictions of an earlier feed.
    pub fn resume(namespaces: Arc<Namespaces>, keys: IdempotencyKeys, restrictions: Restrictions) -> Self {
        Self { namespaces, topics: FxHashMap::default(), keys, restrictions }
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
        fresh: &[Symbol],
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
        let exists = universe.find_topic(&topic).is_some() || fresh.contains(&topic);
        if !exists {
            let is_of_namespace = |name: &Symbol| {
                name.as_str().split_once(':').is_some_and(|(before, _)| before == &*namespace.name)
            };
            let all = universe.topics().iter().map(|topic| &topic.name).chain(fresh);
            if all.filter(|name| is_of_namespace(name)).count() >= namespace.max_topics {
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

        assert!(matches!(directory.admit(&first, &universe, &[], now), Ok(Admission::Publish(_))));
        directory.published(&first, number, now);

        let again = directory.admit(&first, &universe, &[], now);
        assert_eq!(again, Ok(Admission::Repeated(number)));
    }

    #[test]
    fn a_topic_has_a_rate_for_all_publishers_together() {
        let mut directory = directory(|chat| chat.topic_rate = Rate::per_second(10, 2));
        let (universe, start) = (fixtures::universe(), Instant::now());
        let mut at = |ms, topic: &str| {
            let now = start + Duration::from_millis(ms);
            directory.admit(&publication(topic, None), &universe, &[], now).err()
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

        let admitted = [publication("chat:a", None), publication("chat:a", None), deletion]
            .map(|publication| directory.admit(&publication, &universe, &[], now).is_ok());

        assert_eq!(admitted, [true, false, true]);
    }

    #[test]
    fn a_namespace_has_a_bounded_number_of_topics() {
        let mut directory = directory(|chat| chat.max_topics = 2);
        let (universe, now) = (fixtures::topics(), Instant::now());
        let mut admits = |topic: &str, fresh: &[&str]| {
            let fresh: Vec<Symbol> = fresh.iter().map(|name| name.parse().unwrap()).collect();
            directory.admit(&publication(topic, None), &universe, &fresh, now).is_ok()
        };

        assert!(admits("chat:b", &[]), "one exists");
        assert!(!admits("chat:c", &["chat:b"]));
        assert!(admits("chat:b", &["chat:b"]) && admits("chat:AAPL", &["chat:b"]));
        assert!(admits("weather:paris", &["chat:b"]));
        assert!(!admits("news:paris", &[]));
    }
}
