use std::sync::Arc;
use std::time::Duration;

use crate::model::{Epoch, Seq, Symbol};
use crate::wire::TopicMessage;

/// A message on its way to the feed, which numbers it.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The topic.
    pub topic: Symbol,
    /// The content.
    pub message: Arc<TopicMessage>,
    /// A key that the publisher gives to this message: the feed publishes it once, however often it comes.
    pub idempotency_key: Option<Box<str>>,
}

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
}
