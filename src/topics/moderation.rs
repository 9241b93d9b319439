use std::fmt;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::PublishRefusal;
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

/// The longest interval of slow mode.
pub const LONGEST_INTERVAL: Duration = Duration::from_hours(1);

/// The most mutes, and the most topics in slow mode: some 200 KB. Beyond it the next one is refused.
const MOST: usize = 1_000;

/// The most publishers of a topic in slow mode whose last message is remembered, before those are forgotten that may write
/// again.
const MOST_PUBLISHERS: usize = 1_024;

/// Which publishers may not publish for a time. Pure: times are arguments.
///
/// A publisher is known by the `by` of its messages, so a mute holds when it connects again under the same name or key.
/// Messages without a publisher are those of one.
#[derive(Clone, Debug, Default)]
pub struct Restrictions {
    /// The mutes of each publisher, and their ends.
    mutes: FxHashMap<Box<str>, Vec<(MuteScope, Instant)>>,
    slow: FxHashMap<Symbol, SlowMode>,
}

#[derive(Clone, Debug, Default)]
struct SlowMode {
    interval: Duration,
    /// When each publisher has published last.
    last: FxHashMap<Box<str>, Instant>,
    /// At how many publishers those are forgotten that may write again.
    forget_at: usize,
}

impl Restrictions {
    /// Does what a moderator wants.
    ///
    /// # Errors
    /// When there are too many mutes, or topics in slow mode.
    pub fn apply(&mut self, moderation: &Moderation, now: Instant) -> Result<(), PublishRefusal> {
        match moderation {
            Moderation::Mute { scope, name, time } => {
                self.lift(scope, name);
                self.forget(now);
                if self.mutes.values().map(Vec::len).sum::<usize>() >= MOST {
                    return Err(PublishRefusal::TooManyRestrictions);
                }
                let until = now + (*time).min(LONGEST_MUTE);
                self.mutes.entry(name.clone()).or_default().push((scope.clone(), until));
            }
            Moderation::Unmute { scope, name } => self.lift(scope, name),
            Moderation::Slow { topic, interval } if interval.is_zero() => _ = self.slow.remove(topic),
            Moderation::Slow { topic, interval } => {
                if self.slow.len() >= MOST && !self.slow.contains_key(topic) {
                    return Err(PublishRefusal::TooManyRestrictions);
                }
                self.slow.entry(*topic).or_default().interval = (*interval).min(LONGEST_INTERVAL);
            }
        }
        Ok(())
    }

    /// Checks a message of a publisher in a topic.
    ///
    /// # Errors
    /// When the publisher is muted, or has published too short a time ago.
    pub fn check(&self, topic: &Symbol, by: Option<&str>, now: Instant) -> Result<(), PublishRefusal> {
        let by = by.unwrap_or_default();
        let mutes = self.mutes.get(by).into_iter().flatten();
        let until = mutes.filter(|(scope, _)| scope.includes(topic)).map(|(_, until)| *until).max();
        if let Some(remaining) = until.and_then(|until| until.checked_duration_since(now))
            && !remaining.is_zero()
        {
            return Err(PublishRefusal::Muted { remaining });
        }
        let slow = self.slow.get(topic);
        let free = slow.and_then(|slow| Some(*slow.last.get(by)? + slow.interval));
        match free.and_then(|free| free.checked_duration_since(now)) {
            Some(retry) if !retry.is_zero() => Err(PublishRefusal::TooFast { retry }),
            _ => Ok(()),
        }
    }

    /// Notes that a message of a publisher was admitted.
    pub fn note(&mut self, topic: &Symbol, by: Option<&str>, now: Instant) {
        let Some(slow) = self.slow.get_mut(topic) else { return };
        if slow.last.len() >= slow.forget_at.max(MOST_PUBLISHERS) {
            slow.last.retain(|_, last| *last + slow.interval > now);
            slow.forget_at = 2 * slow.last.len();
        }
        slow.last.insert(by.unwrap_or_default().into(), now);
    }

    /// What makes the same restrictions elsewhere, without the times of last messages.
    pub fn to_moderations(&self, now: Instant) -> Vec<Moderation> {
        let mutes = self.mutes.iter().flat_map(|(name, mutes)| mutes.iter().map(move |mute| (&**name, mute)));
        let mute = |(name, (scope, until)): (&str, &(MuteScope, Instant))| {
            let time = until.checked_duration_since(now).filter(|time| !time.is_zero())?;
            Some(Moderation::Mute { scope: scope.clone(), name: name.into(), time })
        };
        let slow =
            self.slow.iter().map(|(topic, slow)| Moderation::Slow { topic: *topic, interval: slow.interval });
        mutes.filter_map(mute).chain(slow).collect()
    }

    /// The restrictions that these make.
    pub fn of_moderations(moderations: &[Moderation], now: Instant) -> Self {
        let mut restrictions = Self::default();
        // No more than are allowed come from another node.
        moderations.iter().for_each(|moderation| _ = restrictions.apply(moderation, now));
        restrictions
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
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

impl fmt::Display for MuteScope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(topic) => topic.fmt(out),
            Self::Namespace(namespace) => write!(out, "{namespace}:*"),
        }
    }
}

impl MuteScope {
    fn includes(&self, topic: &Symbol) -> bool {
        match self {
            Self::Topic(muted) => muted == topic,
            Self::Namespace(muted) => {
                topic.as_str().split_once(':').is_some_and(|(namespace, _)| *namespace == **muted)
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

        let copy = Restrictions::of_moderations(
            &restrictions.to_moderations(start + 3 * SECOND),
            start + 3 * SECOND,
        );
        assert_eq!(check(&copy, "chat:AAPL", Some("bob"), 3), Err(muted));

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
    fn the_number_of_mutes_is_bounded_and_those_that_have_ended_make_room() {
        let (mut restrictions, start) = (Restrictions::default(), Instant::now());
        let one = |index: usize| mute(MuteScope::Namespace("chat".into()), &index.to_string(), 10);
        (0..MOST).for_each(|index| restrictions.apply(&one(index), start).unwrap());

        let refused = Err(PublishRefusal::TooManyRestrictions);
        assert_eq!(restrictions.apply(&one(MOST), start + SECOND), refused);
        assert_eq!(restrictions.apply(&one(0), start + SECOND), Ok(()), "it replaces the first");
        assert_eq!(restrictions.apply(&one(MOST), start + 10 * SECOND), Ok(()));
        assert_eq!(restrictions.mutes.len(), 2);
    }

    #[test]
    fn publishers_that_may_write_again_are_forgotten() {
        let (mut restrictions, start) = (Restrictions::default(), Instant::now());
        let lobby = topic("chat:lobby");
        restrictions.apply(&Moderation::Slow { topic: lobby, interval: SECOND }, start).unwrap();

        for index in 0..10_000_u32 {
            restrictions.note(&lobby, Some(&index.to_string()), start + index * SECOND);
        }

        assert!(restrictions.slow[&lobby].last.len() <= MOST_PUBLISHERS);
    }
}
