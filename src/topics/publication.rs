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

/// Why a publisher or a session may not do something with a topic, and what would allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The namespace lets no session publish.
    #[error(
        "sessions may only read here; `publish` of the namespace in --topics would allow more, of the default `chat:` --keys or --open-chat"
    )]
    ReadOnly,
    /// The namespace lets subscribers on the server's own machine publish, and the session is elsewhere or behind a proxy.
    #[error(
        "without --keys only clients on the machine of the server may write here, not through a proxy; --open-chat would let all"
    )]
    OtherMachine,
    /// The namespace lets subscribers publish, and the session is none.
    #[error("only subscribers of this topic may publish to it: subscribe first")]
    NotSubscribed,
    /// The namespace lets keys publish, and the session has none.
    #[error("only the keys that `publish` of the namespace lists may publish here: authenticate with one")]
    NoKey,
    /// The namespace lets other keys publish.
    #[error("the key is not among those that `publish` of the namespace lists")]
    OtherKey,
    /// The key of a program is not one of the namespace's, and may not control the server.
    #[error(
        "the key is not among those that `publish` of the namespace lists, and may not control (--control)"
    )]
    NotPublisher,
    /// Without keys programs publish on the server's own machine alone.
    #[error("without --keys only programs on the machine of the server may publish")]
    ElsewhereWithoutKeys,
    /// A page of another origin.
    #[error("a page of another origin may not publish")]
    OtherOrigin,
    /// The namespace tells no presence.
    #[error("the namespace tells no presence (`presence` in --topics)")]
    PresenceOff,
    /// The token of the session names topics, and this is none of them.
    #[error("the token does not include this topic (claim `topics`)")]
    NotIncluded,
}

impl Denial {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::ReadOnly,
        Self::OtherMachine,
        Self::NotSubscribed,
        Self::NoKey,
        Self::OtherKey,
        Self::NotPublisher,
        Self::ElsewhereWithoutKeys,
        Self::OtherOrigin,
        Self::PresenceOff,
        Self::NotIncluded,
    ];
}

/// Why a message is not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishRefusal {
    /// No namespace has a topic of this name, or there are too many topics.
    #[error("no such topic")]
    NoSuchTopic,
    /// The publisher may not publish to the topic, or ask this.
    #[error("not permitted: {0}")]
    NotPermitted(Denial),
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
    /// The message that is to be taken back has never been published.
    #[error("there is no message of this offset")]
    NoSuchMessage,
    /// The message that is to be taken back was taken back before.
    #[error("the message of this offset is taken back already")]
    TakenBackAlready,
    /// The message that is to be taken back takes another one back.
    #[error("the message of this offset takes another one back, which cannot be undone")]
    IsDeletion,
    /// There are too many mutes, or topics in slow mode.
    #[error("too many publishers are muted, or too many topics in slow mode")]
    TooManyRestrictions,
}
