use std::fmt;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::slow_mode::SlowModes;
use super::{PublishRefusal, namespace_of};
use crate::model::Symbol;

/// What a moderator does to publishers. To take a message back is a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moderation {
    /// Refuses the messages of a publisher for a time.
    Mute {
        /// Where.
        scope: MuteScope,
        /// The publisher: the `by` of its messages.
        name: Box<str>,
        /// For how long.
        time: Duration,
    },
    /// Ends a mute.
    Unmute {
        /// Where.
        scope: MuteScope,
        /// The publisher.
        name: Box<str>,
    },
    /// Sets the least time between two messages of one publisher in a topic; zero ends it.
    Slow {
        /// The topic.
        topic: Symbol,
        /// The least time.
        interval: Duration,
    },
}

/// Where a publisher is muted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MuteScope {
    /// In one topic.
    Topic(Symbol),
    /// In all topics of a namespace.
    Namespace(Box<str>),
}

/// The longest time of a mute: 30 days.
pub const LONGEST_MUTE: Duration = Duration::from_hours(30 * 24);

/// The most mutes of a namespace, some 100 KB. Beyond it the next one is refused. Each namespace has its own, so that the
/// moderators of one do not take those of another, and all of a namespace fit into a message between nodes (1 MiB).
const MOST_MUTES: usize = 1_000;

/// Which publishers may not publish for a time. Pure: times are arguments.
///
/// A publisher is known by the `by` of its messages, so a mute holds when it connects again under the same name or key.
/// Messages without one cannot be muted: they are those of programs on the machine of the server, and its own weather.
#[derive(Clone, Debug, Default)]
pub struct Restrictions {
    /// Those that have none are left out.
    namespaces: FxHashMap<Box<str>, NamespaceRestrictions>,
}

#[derive(Clone, Debug, Default)]
struct NamespaceRestrictions {
    /// The mutes of each publisher, and their ends.
    mutes: FxHashMap<Box<str>, Vec<(MuteScope, Instant)>>,
    slow: SlowModes,
}

impl Restrictions {
    /// Does what a moderator wants.
    ///
    /// # Errors
    /// When the namespace has too many mutes, or topics in slow mode.
    pub fn apply(&mut self, moderation: &Moderation, now: Instant) -> Result<(), PublishRefusal> {
        let name = moderation.namespace();
        let namespace = self.namespaces.entry(name.into()).or_default();
        let result = namespace.apply(moderation, now);
        if namespace.is_empty() {
            self.namespaces.remove(name);
        }
        result
    }

    /// Checks a message of a publisher in a topic.
    ///
    /// # Errors
    /// When the publisher is muted, or has published too short a time ago.
    pub fn check(&self, topic: &Symbol, by: Option<&str>, now: Instant) -> Result<(), PublishRefusal> {
        let Some(namespace) = self.namespaces.get(namespace_of(topic)) else { return Ok(()) };
        let mutes = by.and_then(|by| namespace.mutes.get(by)).into_iter().flatten();
        let until = mutes.filter(|(scope, _)| scope.includes(topic)).map(|(_, until)| *until).max();
        if let Some(remaining) = until.and_then(|until| until.checked_duration_since(now))
            && !remaining.is_zero()
        {
            return Err(PublishRefusal::Muted { remaining });
        }
        match namespace.slow.wait(topic, by.unwrap_or_default(), now) {
            Some(retry) => Err(PublishRefusal::TooFast { retry }),
            None => Ok(()),
        }
    }

    /// Notes that a message of a publisher was admitted.
    pub fn note(&mut self, topic: &Symbol, by: Option<&str>, now: Instant) {
        if let Some(namespace) = self.namespaces.get_mut(namespace_of(topic)) {
            namespace.slow.note(topic, by.unwrap_or_default(), now);
        }
    }

    /// The namespaces that have restrictions.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.namespaces.keys().map(|name| &**name)
    }

    /// What makes the same restrictions of a namespace elsewhere, without the times of last messages.
    pub fn to_moderations(&self, namespace: &str, now: Instant) -> Vec<Moderation> {
        let Some(namespace) = self.namespaces.get(namespace) else { return Vec::new() };
        let mutes = namespace.mutes.iter();
        let mutes = mutes.flat_map(|(name, mutes)| mutes.iter().map(move |mute| (&**name, mute)));
        let mute = |(name, (scope, until)): (&str, &(MuteScope, Instant))| {
            let time = until.checked_duration_since(now).filter(|time| !time.is_zero())?;
            Some(Moderation::Mute { scope: scope.clone(), name: name.into(), time })
        };
        let slow = namespace.slow.iter().map(|(topic, interval)| Moderation::Slow { topic, interval });
        mutes.filter_map(mute).chain(slow).collect()
    }

    /// Replaces the restrictions of a namespace by those that these make.
    pub fn replace(&mut self, namespace: &str, moderations: &[Moderation], now: Instant) {
        self.namespaces.remove(namespace);
        // No more than are allowed come from another node.
        let own = moderations.iter().filter(|moderation| moderation.namespace() == namespace);
        own.for_each(|moderation| _ = self.apply(moderation, now));
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.namespaces.is_empty()
    }
}

impl NamespaceRestrictions {
    fn apply(&mut self, moderation: &Moderation, now: Instant) -> Result<(), PublishRefusal> {
        match moderation {
            Moderation::Mute { scope, name, time } => {
                self.lift(scope, name);
                self.forget(now);
                if self.mutes.values().map(Vec::len).sum::<usize>() >= MOST_MUTES {
                    return Err(PublishRefusal::TooManyRestrictions);
                }
                let until = now + (*time).min(LONGEST_MUTE);
                self.mutes.entry(name.clone()).or_default().push((scope.clone(), until));
            }
            Moderation::Unmute { scope, name } => self.lift(scope, name),
            Moderation::Slow { topic, interval } => self.slow.set(topic, *interval)?,
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.mutes.is_empty() && self.slow.is_empty()
    }

    fn lift(&mut self, lifted: &MuteScope, name: &str) {
        if let Some(mutes) = self.mutes.get_mut(name) {
            mutes.retain(|(scope, _)| scope != lifted);
            if mutes.is_empty() {
                self.mutes.remove(name);
            }
        }
    }

    fn forget(&mut self, now: Instant) {
        self.mutes.retain(|_, mutes| {
            mutes.retain(|(_, until)| *until > now);
            !mutes.is_empty()
        });
    }
}

impl Moderation {
    /// The namespace in which it has an effect.
    pub fn namespace(&self) -> &str {
        match self {
            Self::Mute { scope, .. } | Self::Unmute { scope, .. } => scope.namespace(),
            Self::Slow { topic, .. } => namespace_of(topic),
        }
    }
}

impl fmt::Display for MuteScope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(topic) => topic.fmt(out),
            Self::Namespace(namespace) => write!(out, "{namespace}:*"),
        }
    }
}

impl MuteScope {
    fn namespace(&self) -> &str {
        match self {
            Self::Topic(topic) => namespace_of(topic),
            Self::Namespace(namespace) => namespace,
        }
    }

    fn includes(&self, topic: &Symbol) -> bool {
        match self {
            Self::Topic(muted) => muted == topic,
            Self::Namespace(muted) => namespace_of(topic) == &**muted,
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

    fn mute(scope: MuteScope, name: &str, seconds: u32) -> Moderation {
        Moderation::Mute { scope, name: name.into(), time: seconds * SECOND }
    }

    #[test]
    fn a_mute_is_of_one_publisher_and_scope_and_ends_by_itself_or_by_hand() {
        let (mut restrictions, start) = (Restrictions::default(), Instant::now());
        let chat = MuteScope::Namespace("chat".into());
        let lobby = MuteScope::Topic(topic("chat:lobby"));
        restrictions.apply(&mute(lobby, "eve", 10), start).unwrap();
        restrictions.apply(&mute(chat.clone(), "bob", 10), start).unwrap();
        let check = |restrictions: &Restrictions, name: &str, by, seconds| {
            restrictions.check(&topic(name), by, start + seconds * SECOND)
        };

        let muted = PublishRefusal::Muted { remaining: 7 * SECOND };
        assert_eq!(check(&restrictions, "chat:lobby", Some("eve"), 3), Err(muted));
        assert_eq!(check(&restrictions, "chat:AAPL", Some("bob"), 3), Err(muted));
        for (name, by) in [("chat:AAPL", "eve"), ("weather:x", "bob"), ("chat:lobby", "anna")] {
            assert_eq!(check(&restrictions, name, Some(by), 3), Ok(()), "{name} {by}");
        }
        assert_eq!(check(&restrictions, "chat:lobby", None, 3), Ok(()));
        assert_eq!(check(&restrictions, "chat:lobby", Some("eve"), 10), Ok(()));

        let now = start + 3 * SECOND;
        let mut copy = Restrictions::default();
        copy.replace("chat", &restrictions.to_moderations("chat", now), now);
        assert_eq!(check(&copy, "chat:AAPL", Some("bob"), 3), Err(muted));
        copy.replace("weather", &[], now);
        assert_eq!(check(&copy, "chat:AAPL", Some("bob"), 3), Err(muted));
        copy.replace("chat", &[], now);
        assert!(copy.is_empty());

        restrictions.apply(&Moderation::Unmute { scope: chat, name: "bob".into() }, start).unwrap();
        assert_eq!(check(&restrictions, "chat:AAPL", Some("bob"), 3), Ok(()));
    }

    #[test]
    fn slow_mode_keeps_the_messages_of_each_publisher_apart() {
        let (mut restrictions, start) = (Restrictions::default(), Instant::now());
        let lobby = topic("chat:lobby");
        let slow = |seconds| Moderation::Slow { topic: lobby, interval: seconds * SECOND };
        restrictions.apply(&slow(5), start).unwrap();
        restrictions.note(&lobby, Some("anna"), start);

        let at = |restrictions: &Restrictions, by, seconds| {
            restrictions.check(&lobby, Some(by), start + seconds * SECOND)
        };
        assert_eq!(at(&restrictions, "anna", 2), Err(PublishRefusal::TooFast { retry: 3 * SECOND }));
        assert_eq!((at(&restrictions, "ben", 2), at(&restrictions, "anna", 5)), (Ok(()), Ok(())));

        restrictions.apply(&slow(0), start).unwrap();
        assert_eq!((at(&restrictions, "anna", 2), restrictions.is_empty()), (Ok(()), true));
    }

    #[test]
    fn the_mutes_of_one_namespace_take_no_room_of_another() {
        let (mut restrictions, now) = (Restrictions::default(), Instant::now());
        let mut mute = |topic_name: &str, index: usize| {
            let scope = MuteScope::Topic(topic(topic_name));
            restrictions.apply(&mute(scope, &index.to_string(), 10), now)
        };
        (0..MOST_MUTES).for_each(|index| mute("chat:lobby", index).unwrap());

        assert_eq!(mute("chat:AAPL", MOST_MUTES), Err(PublishRefusal::TooManyRestrictions));
        assert_eq!(mute("news:desk", MOST_MUTES), Ok(()));
    }

    #[test]
    fn the_number_of_mutes_is_bounded_and_those_that_have_ended_make_room() {
        let (mut restrictions, start) = (Restrictions::default(), Instant::now());
        let one = |index: usize| mute(MuteScope::Namespace("chat".into()), &index.to_string(), 10);
        (0..MOST_MUTES).for_each(|index| restrictions.apply(&one(index), start).unwrap());

        let refused = Err(PublishRefusal::TooManyRestrictions);
        assert_eq!(restrictions.apply(&one(MOST_MUTES), start + SECOND), refused);
        assert_eq!(restrictions.apply(&one(0), start + SECOND), Ok(()), "it replaces the first");
        assert_eq!(restrictions.apply(&one(MOST_MUTES), start + 10 * SECOND), Ok(()));
        assert_eq!(restrictions.namespaces["chat"].mutes.len(), 2);
    }
}
