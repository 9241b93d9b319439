use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use async_nats::{Client, Message, Subject};
use bytes::Bytes;
use tokio::sync::oneshot;
use tracing::debug;

use super::exchange::{AnswerTo, Exchange, PendingCommand};
use super::message::NodeMessage;
use super::node_publisher::Saying;
use crate::model::Universe;
use crate::topics::api::{self, ApiFault, PublishRequest, answer_object, published};
use crate::topics::{Namespaces, Presence, PublishRefusal, TopicAnswer, TopicCommand};

/// How many of the topics with the most sessions a node tells of, and how many bytes of names at most: a message of NATS
/// has 1 MiB.
const MAX_TOPICS: usize = 1_000;
const MAX_NAME_BYTES: usize = 256 << 10;

/// What waits for room at a leader that has too many commands: the time of some batches.
const RETRY: std::time::Duration = std::time::Duration::from_millis(100);

/// The part of the connection to NATS that carries the commands of publishers to the leader, and tells of presence.
pub(super) struct TopicLink {
    client: Client,
    /// Where a leader takes commands.
    subject: String,
    /// What the subjects of the answers begin with.
    inbox: String,
    /// The number of the last command that was sent.
    last: u64,
    awaited: HashMap<u64, oneshot::Sender<TopicAnswer>>,
    namespaces: Arc<Namespaces>,
    presence: Presence,
    /// The presence that was told last.
    told: u64,
}

impl TopicLink {
    /// Takes commands at this subject; answers come below this inbox.
    pub(super) fn new(
        client: Client,
        subject: String,
        inbox: String,
        namespaces: Arc<Namespaces>,
        presence: Presence,
    ) -> Self {
        Self { client, subject, inbox, last: 0, awaited: HashMap::new(), namespaces, presence, told: 0 }
    }

    /// All subjects of answers.
    pub(super) fn answers(&self) -> String {
        format!("{}.*", self.inbox)
    }

    /// Whether a message is a command for the leader.
    pub(super) fn is_command(&self, message: &Message) -> bool {
        message.subject.as_str() == self.subject
    }

    /// Whether a message is an answer of the leader.
    pub(super) fn is_answer(&self, message: &Message) -> bool {
        message.subject.as_str().starts_with(&self.inbox)
    }

    /// Sends a command of a client of this node to the leader, once.
    pub(super) async fn say(&mut self, saying: Saying) -> Result<(), async_nats::Error> {
        if !saying.is_awaited(Instant::now()) {
            return Ok(());
        }
        self.last += 1;
        self.awaited.retain(|_, answer| !answer.is_closed());
        self.awaited.insert(self.last, saying.answer);
        let inbox = format!("{}.{}", self.inbox, self.last);
        let message = NodeMessage::Say(saying.command).to_bytes();
        self.client.publish_with_reply(self.subject.clone(), inbox, message).await?;
        Ok(())
    }

    /// Passes an answer of the leader to the client that waits for it.
    pub(super) fn answered(&mut self, message: &Message) {
        let number = message.subject.as_str().rsplit('.').next().and_then(|number| number.parse().ok());
        let Some(answer) = number.and_then(|number: u64| self.awaited.remove(&number)) else { return };
        let said = match NodeMessage::from_bytes(&message.payload) {
            Ok(NodeMessage::Said(said)) => said,
            // From NATS: no node is subscribed that may lead.
            _ => Err(PublishRefusal::Unanswered),
        };
        // A client that has gone is not told.
        let _ = answer.send(said);
    }

    /// Gives the feed of this node, which leads, a command of another node or of a program.
    pub(super) async fn command(
        &self,
        message: Message,
        universe: &Universe,
        exchange: &Exchange,
    ) -> Result<(), async_nats::Error> {
        let Message { payload, reply, .. } = message;
        let (command, answer) = if payload.first() == Some(&b'{') {
            let answer = AnswerTo::Program(reply);
            let request = api::read::<PublishRequest>(&payload);
            match request.and_then(|request| request.publication(&self.namespaces, universe, None)) {
                Ok(publication) => (TopicCommand::Publish(publication), answer),
                Err(fault) => return self.reply(answer, Err(fault)).await,
            }
        } else if let (Ok(NodeMessage::Say(command)), Some(reply)) =
            (NodeMessage::from_bytes(&payload), reply)
        {
            (command, AnswerTo::Node(reply))
        } else {
            debug!("a command of a publisher that cannot be used");
            return Ok(());
        };
        self.give(PendingCommand { command, answer, at: Instant::now() }, exchange).await
    }

    /// Gives the feed of this node, which leads, a command of a client of this node.
    pub(super) async fn say_here(
        &self,
        saying: Saying,
        exchange: &Exchange,
    ) -> Result<(), async_nats::Error> {
        let Saying { command, answer, at } = saying;
        self.give(PendingCommand { command, answer: AnswerTo::Here(answer), at }, exchange).await
    }

    async fn give(&self, command: PendingCommand, exchange: &Exchange) -> Result<(), async_nats::Error> {
        match exchange.command(command) {
            Ok(()) => Ok(()),
            Err(PendingCommand { answer, .. }) => {
                self.answer(answer, Err(PublishRefusal::TooFast { retry: RETRY })).await
            }
        }
    }

    /// Answers a command that the feed of this node has done.
    pub(super) async fn answer(&self, to: AnswerTo, answer: TopicAnswer) -> Result<(), async_nats::Error> {
        match to {
            AnswerTo::Here(waiting) => {
                let _ = waiting.send(answer);
                Ok(())
            }
            AnswerTo::Node(reply) => self.send(reply, NodeMessage::Said(answer).to_bytes()).await,
            AnswerTo::Program(_) => {
                let number = answer.and_then(|number| number.ok_or(PublishRefusal::Unanswered));
                self.reply(to, number.map(published).map_err(ApiFault::from)).await
            }
        }
    }

    async fn reply(
        &self,
        to: AnswerTo,
        result: Result<serde_json::Value, ApiFault>,
    ) -> Result<(), async_nats::Error> {
        match to {
            AnswerTo::Program(Some(reply)) => {
                self.send(reply, answer_object(result).to_string().into()).await
            }
            _ => Ok(()),
        }
    }

    async fn send(&self, subject: Subject, bytes: Bytes) -> Result<(), async_nats::Error> {
        Ok(self.client.publish(subject, bytes).await?)
    }

    /// The message that tells which sessions of this node subscribe to which topics, if that has changed or `again` is set.
    pub(super) fn tell_presence(&mut self, node: u64, again: bool) -> Option<Bytes> {
        let revision = self.presence.revision();
        if revision == self.told && (!again || revision == 0) {
            return None;
        }
        self.told = revision;
        let here = self.presence.here(MAX_TOPICS, MAX_NAME_BYTES);
        Some(NodeMessage::Presence(node, here).to_bytes())
    }
}
