use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use rustc_hash::FxHashSet;
use serde_json::Value;

use super::{PublishRefusal, check_content, namespace_of};
use crate::limits::Rate;
use crate::model::{Channel, Symbol, TopicKind, Universe};
use crate::wire::{SymbolsByChannel, TopicMessage};

/// The rules of the topics whose names begin alike: what is before the first colon.
#[derive(Clone, Debug, PartialEq)]
pub struct Namespace {
    /// The name.
    pub name: Box<str>,
    /// How the messages of its topics relate to each other.
    pub kind: TopicKind,
    /// Which topics there may be.
    pub names: TopicNames,
    /// How much of each topic is retained for clients that resume.
    pub history: HistoryLimits,
    /// The most bytes of a message's data as compact JSON. Default 4,096: a page of text. A larger value lets a
    /// publisher take more of every subscriber's bandwidth.
    pub max_bytes: usize,
    /// Which sessions may publish. Default: none.
    pub publish: PublishRight,
    /// What is told of the sessions that subscribe. Default: nothing.
    pub presence: PresenceDetail,
    /// The rate limit of one session's messages. Default 1/s after a burst of 5, the pace of a person that writes.
    pub session_rate: Rate,
    /// The rate limit of a topic's messages, of all publishers together. Default 50/s: more cannot be read.
    pub topic_rate: Rate,
    /// The most topics that come to exist. Default 10,000, some 20 MB with two workers.
    pub max_topics: usize,
}

/// The names that topics of a namespace may have behind the colon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicNames {
    /// Any.
    pub any: bool,
    /// The symbol of any listed instrument.
    pub symbols: bool,
    /// These.
    pub listed: Vec<Box<str>>,
}

/// How much of a topic is retained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryLimits {
    /// The most messages. Default 100. A client that resumes after more gets a gap.
    pub messages: usize,
    /// The greatest age. Default a day.
    pub age: Duration,
}

/// Which sessions may publish.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PublishRight {
    /// None: messages come from outside publishers alone.
    #[default]
    Nobody,
    /// Those that subscribe to the topic, on the server's own machine and not behind a proxy.
    LocalSubscribers,
    /// Those that subscribe to the topic.
    Subscribers,
    /// Those with one of these keys.
    Keys(Vec<Box<str>>),
}

/// What is told of the sessions that subscribe to a topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PresenceDetail {
    /// Nothing.
    #[default]
    Off,
    /// Their number, and that of their names.
    Count,
    /// Their names too.
    Names,
}

impl PublishRight {
    /// Whether it is that of some keys, and this one is among them.
    pub fn names_key(&self, key: &str) -> bool {
        match self {
            Self::Keys(keys) => keys.iter().any(|known| **known == *key),
            Self::Nobody | Self::LocalSubscribers | Self::Subscribers => false,
        }
    }
}

impl Default for HistoryLimits {
    fn default() -> Self {
        Self { messages: 100, age: Duration::from_hours(24) }
    }
}

impl Namespace {
    /// The message with this data.
    ///
    /// # Errors
    /// When the data nests too deep, has control characters, or is longer than this namespace allows.
    pub fn message(&self, data: &Value, by: Option<&str>) -> Result<TopicMessage, PublishRefusal> {
        check_content(data)?;
        let message = TopicMessage::new(data, by);
        match message.data().is_some_and(|data| data.len() > self.max_bytes) {
            true => Err(PublishRefusal::TooBig { max: self.max_bytes }),
            false => Ok(message),
        }
    }

    /// A namespace of this name with the default of each rule: no topic may exist.
    pub fn new(name: &str, kind: TopicKind) -> Self {
        Self {
            name: name.into(),
            kind,
            names: TopicNames::default(),
            history: HistoryLimits::default(),
            max_bytes: 4_096,
            publish: PublishRight::default(),
            presence: PresenceDetail::default(),
            session_rate: Rate::per_second(1, 5),
            topic_rate: Rate::per_second(50, 50),
            max_topics: 10_000,
        }
    }

    /// The weather of cities: a state of each, which outside publishers set. They may load years of it at once: 1,000/s of
    /// a city after a burst of 2,000.
    pub fn weather() -> Self {
        let names = TopicNames { any: true, ..TopicNames::default() };
        let topic_rate = Rate::per_second(1_000, 2_000);
        Self { names, topic_rate, max_topics: 1_000, ..Self::new("weather", TopicKind::State) }
    }

    /// A chat room for each listed symbol and a lobby, in which subscribers may write if `publish` says so.
    pub fn chat(publish: PublishRight) -> Self {
        let names = TopicNames { any: false, symbols: true, listed: vec!["lobby".into()] };
        let presence = PresenceDetail::Names;
        Self { names, publish, presence, ..Self::new("chat", TopicKind::Log) }
    }
}

impl TopicNames {
    fn include(&self, name: &str, universe: &Universe) -> bool {
        let is_symbol = || name.parse().is_ok_and(|symbol| universe.find(&symbol).is_some());
        self.any || self.listed.iter().any(|listed| **listed == *name) || (self.symbols && is_symbol())
    }
}

/// All namespaces of a service, which can be replaced. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Namespaces(Arc<RwLock<Vec<Arc<Namespace>>>>);

impl PartialEq for Namespaces {
    fn eq(&self, other: &Self) -> bool {
        let all = other.all().clone();
        *self.all() == all
    }
}

impl Namespaces {
    /// These namespaces; of two with the same name the first counts.
    pub fn new(namespaces: Vec<Namespace>) -> Self {
        Self(Arc::new(RwLock::new(namespaces.into_iter().map(Arc::new).collect())))
    }

    /// Puts those of `other` in place of these: for what is published and subscribed to from now on.
    pub fn replace(&self, other: &Self) {
        let all = other.all().clone();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = all;
    }

    fn all(&self) -> RwLockReadGuard<'_, Vec<Arc<Namespace>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there are none: no topic may exist.
    pub fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    /// Whether one has this name.
    pub fn contains(&self, name: &str) -> bool {
        self.named(name).is_some()
    }

    /// The namespace of this name.
    pub fn named(&self, name: &str) -> Option<Arc<Namespace>> {
        self.all().iter().find(|known| *known.name == *name).cloned()
    }

    /// Replaces each `NAMESPACE:*` among the named topics by those of these `topics` that are in the namespace. One of a
    /// namespace that does not exist stays: it is a topic that may not exist.
    pub fn expand(&self, named: &mut SymbolsByChannel, topics: impl IntoIterator<Item = Symbol>) {
        let pattern = |name: &Symbol| {
            let namespace = name.as_str().strip_suffix(":*")?;
            self.named(namespace).map(|namespace| namespace.name.clone())
        };
        let names = &named.of(Channel::Messages).symbols;
        let patterns: FxHashSet<_> = names.iter().filter_map(pattern).collect();
        if patterns.is_empty() {
            return;
        }
        let is_named = |topic: &Symbol| patterns.contains(namespace_of(topic));
        let others = names.iter().copied().filter(|name| pattern(name).is_none());
        let all = others.chain(topics.into_iter().filter(is_named)).collect();
        named.replace(Channel::Messages, all);
    }

    /// The namespace of a topic; `None` if the topic may not exist.
    pub fn of(&self, topic: &Symbol, universe: &Universe) -> Option<Arc<Namespace>> {
        let (namespace, name) = topic.as_str().split_once(':')?;
        let found = self.named(namespace)?;
        (!name.is_empty() && name != "*" && found.names.include(name, universe)).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    #[test]
    fn replaced_namespaces_are_those_of_all_clones() {
        let namespaces = Namespaces::new(vec![Namespace::weather()]);
        let shared = namespaces.clone();

        namespaces.replace(&Namespaces::new(vec![Namespace::chat(PublishRight::Nobody)]));

        assert!(shared.contains("chat") && !shared.contains("weather"));
        assert_eq!(shared, namespaces);
    }

    #[test]
    fn a_topic_belongs_to_the_namespace_before_the_colon_if_that_has_its_name() {
        let namespaces = Namespaces::new(vec![Namespace::chat(PublishRight::Nobody), Namespace::weather()]);
        let universe = fixtures::universe();
        let of = |name: &str| Some(namespaces.of(&name.parse().unwrap(), &universe)?.name.clone());

        for (name, namespace) in [
            ("chat:AAPL", "chat"),
            ("chat:lobby", "chat"),
            ("weather:hong-kong", "weather"),
            ("weather:a:b", "weather"),
        ] {
            assert_eq!(of(name).as_deref(), Some(namespace), "{name}");
        }
        for name in [
            "chat:ZZZZ",
            "chat:aapl",
            "chat:",
            "weather:",
            "weather:*",
            "weather",
            "news:AAPL",
            ":lobby",
            "AAPL",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
