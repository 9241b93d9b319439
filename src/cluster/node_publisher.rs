use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::exchange::{Exchange, Outgoing};
use crate::topics::{Moderation, Publication, PublicationNumber, PublishRefusal};
use crate::topics::{TopicAnswer, TopicCommand};

/// The longest time that a command for topics waits for the leader's answer. After it the publisher is told that there was
/// none, and the command is not begun any more.
///
/// Effect: how long a publisher waits while the cluster has no leader. Some ms are usual.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Gives commands of this node's clients to the leader of the cluster, whichever node that is. Clones give to the same.
#[derive(Clone, Debug)]
pub struct NodePublisher(Arc<Exchange>);

/// A command of a client of this node, on its way to the leader.
#[derive(Debug)]
pub(super) struct Saying {
    pub(super) command: TopicCommand,
    pub(super) answer: oneshot::Sender<TopicAnswer>,
    pub(super) at: Instant,
}

impl Saying {
    /// Whether its publisher still waits.
    pub(super) fn is_awaited(&self, now: Instant) -> bool {
        !self.answer.is_closed() && now < self.at + ANSWER_TIMEOUT
    }
}

impl NodePublisher {
    pub(super) const fn new(exchange: Arc<Exchange>) -> Self {
        Self(exchange)
    }

    /// Publishes a message; the number that it got. It is sent to the leader once.
    ///
    /// # Errors
    /// When it is refused, or the leader does not answer within 2 s: then it may be published or not.
    pub async fn publish(&self, publication: Publication) -> Result<PublicationNumber, PublishRefusal> {
        self.say(TopicCommand::Publish(publication)).await?.ok_or(PublishRefusal::Unanswered)
    }

    /// Restricts publishers.
    ///
    /// # Errors
    /// When it is refused, or the leader does not answer.
    pub async fn moderate(&self, moderation: Moderation) -> Result<(), PublishRefusal> {
        self.say(TopicCommand::Moderate(moderation)).await.map(|_| ())
    }

    async fn say(&self, command: TopicCommand) -> TopicAnswer {
        let (answer, answered) = oneshot::channel();
        self.0.send(Outgoing::Say(Saying { command, answer, at: Instant::now() }));
        match timeout(ANSWER_TIMEOUT, answered).await {
            Ok(Ok(answer)) => answer,
            _ => Err(PublishRefusal::Unanswered),
        }
    }
}
