//! Topics: the rules of namespaces, the directory of topics, and the checks of a publication.
//!
//! A topic is a stream like that of an instrument: its messages have sequence numbers, and the feed, the hubs, sessions
//! and the archive carry them with what they have for trades. What differs is decided here. A session checks what it
//! sends by the rules of the topic's `Namespace`; the feed, which numbers messages, checks what concerns all
//! publishers of a topic together, in the `Directory`.

pub mod api;
mod content;
mod directory;
mod idempotency;
mod moderation;
mod namespace;
mod presence;
mod publication;
mod slow_mode;
mod weather;

pub use content::{ContentFault, MAX_DEPTH, check_content};
pub use directory::{Admission, Directory, FreshTopics};
pub use idempotency::IdempotencyKeys;
pub use moderation::{LONGEST_MUTE, Moderation, MuteScope, Restrictions};
pub use namespace::{HistoryLimits, Namespace, Namespaces, PresenceDetail, PublishRight, TopicNames};
pub use presence::{Attendance, NodePresence, Presence, TopicPresence};
pub use publication::{Denial, Publication, PublicationNumber, PublishRefusal, TopicAnswer, TopicCommand};
pub use slow_mode::LONGEST_INTERVAL;
pub use weather::SimulatedWeather;

use crate::model::Symbol;

/// The namespace of a topic: what is before the first colon of its name. Empty if there is none, which no namespace is.
pub fn namespace_of(topic: &Symbol) -> &str {
    topic.as_str().split_once(':').map_or("", |(namespace, _)| namespace)
}
