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
mod weather;

pub use content::{ContentFault, MAX_DEPTH, check_content};
pub use directory::{Admission, Directory};
pub use idempotency::IdempotencyKeys;
pub use moderation::{LONGEST_INTERVAL, LONGEST_MUTE, Moderation, MuteScope, Restrictions};
pub use namespace::{HistoryLimits, Namespace, Namespaces, PresenceDetail, PublishRight, TopicNames};
pub use presence::{Attendance, NodePresence, Presence, TopicPresence};
pub use publication::{Publication, PublicationNumber, PublishRefusal, TopicAnswer, TopicCommand};
pub use weather::SimulatedWeather;
