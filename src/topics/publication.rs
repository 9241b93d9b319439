use std::sync::Arc;
use std::time::Duration;

use super::Moderation;
use crate::model::{Epoch, Seq, Symbol};
use crate::wire::TopicMessage;

/// A message on its way to the feed, which numbers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The topic.
    pub topic: Symbol,
    /// The content, with the key by which it is published once.
    pub message: Arc<TopicMessage>,
}

/// What a feed is asked for by publishers and moderators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicCommand {
    /// To number a message and publish it.
    Publish(Publication),
    /// To restrict publishers.
    Moderate(Moderation),
}

/// What became of a [`TopicCommand`]: a publication has got a number.
pub type TopicAnswer = Result<Option<PublicationNumber>, PublishRefusal>;

/// The number that a published message got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicationNumber {
    /// The sequence number in the topic.
    pub seq: Seq,
    /// The epoch of the number.
    pub epoch: Epoch,
}

/// Why a message is not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishRefusal {
    /// No namespace has a topic of this name, or there are too many topics.
    #[error("no such topic")]
    NoSuchTopic,
    /// The publisher may not publish to the topic.
    #[error("not permitted")]
    NotPermitted,
    /// A moderator has muted the publisher.
    #[error("muted for {} s", remaining.as_secs_f64().ceil())]
    Muted {
        /// The time until the mute ends.
        remaining: Duration,
    },
    /// The message has more bytes than the namespace allows.
    #[error("more than {max} bytes")]
    TooBig {
        /// The most bytes of data.
        max: usize,
    },
    /// The data nests too deep.
    #[error("nested too deep")]
    TooDeep,
    /// The data has a control character other than tab and newline.
    #[error("a control character")]
    ControlCharacter,
    /// The feed has ended, or does not answer: the message may be published or not.
    #[error("no answer")]
    Unanswered,
    /// There were too many messages.
    #[error("too many messages")]
    TooFast {
        /// The time after which one may succeed.
        retry: Duration,
    },
    /// There are too many mutes, or topics in slow mode.
    #[error("too many publishers are muted, or too many topics in slow mode")]
    TooManyRestrictions,
}
