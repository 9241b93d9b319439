use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::exchange::{AnswerTo, Exchange, Outgoing, PendingCommand};
use super::node_publisher::ANSWER_TIMEOUT;
use crate::archive::Archive;
use crate::clock::Clock;
use crate::feed::{Batch, BatchSource, FeedProgress, LastValues, TopicFeed};
use crate::metrics::FeedMetrics;
use crate::model::{Epoch, Seq, Universe};
use crate::topics::{
    Directory, IdempotencyKeys, Moderation, Namespaces, PublicationNumber, PublishRefusal, Restrictions,
    TopicAnswer, TopicCommand,
};

/// How often the leader tells the other nodes which publishers are restricted, if any are: to those that have joined since.
const TELL_INTERVAL: Duration = Duration::from_secs(5);

/// What a node knows of topics beside their messages, for when it leads, and what it does with commands then.
pub(super) struct LeadingTopics {
    namespaces: Arc<Namespaces>,
    clock: Clock,
    /// Of what this node has published or followed.
    keys: IdempotencyKeys,
    /// As this node or the leader has told them last.
    restrictions: Restrictions,
    /// The namespaces that have, or had, restrictions: that there are none any more is told too.
    restricted: BTreeSet<Box<str>>,
    /// When they were told.
    told: Option<Instant>,
    /// Whether messages were published last, so that it is the market's turn.
    is_turn_of_market: bool,
}

/// What a feed of topics records in.
pub(super) struct LeadingParts {
    pub(super) universe: Arc<Universe>,
    pub(super) archive: Arc<Archive>,
    pub(super) metrics: FeedMetrics,
    pub(super) progress: FeedProgress,
}

/// What became of commands.
#[derive(Default)]
pub(super) struct DoneCommands {
    /// The batch of the messages, to be published before anything is answered.
    pub(super) batch: Option<Arc<Batch>>,
    pub(super) answers: Vec<(AnswerTo, TopicAnswer)>,
}

impl LeadingTopics {
    /// Nothing is known yet of topics with these rules.
    pub(super) fn new(namespaces: Arc<Namespaces>, clock: Clock) -> Self {
        let (keys, restrictions, restricted) = Default::default();
        Self { namespaces, clock, keys, restrictions, restricted, told: None, is_turn_of_market: false }
    }

    /// Adds the topics to the feed with which this node leads. Its messages have no lower numbers than `floor`.
    pub(super) fn wrap(
        &self,
        market: Box<dyn BatchSource>,
        parts: LeadingParts,
        floor: Seq,
    ) -> Box<dyn BatchSource> {
        if self.namespaces.is_empty() {
            return market;
        }
        let LeadingParts { universe, archive, metrics, progress } = parts;
        let namespaces = Arc::clone(&self.namespaces);
        let directory = Directory::resume(namespaces, self.keys.clone(), self.restrictions.clone());
        let feed = TopicFeed::new(market, directory, universe, archive, metrics, progress);
        Box::new(feed.numbering_from(floor))
    }

    /// Remembers the idempotency keys of the messages of a batch.
    pub(super) fn note_keys(&mut self, batch: &Batch, epoch: Epoch, now: Instant) {
        for (object, message) in batch.messages() {
            if let Some(key) = message.idempotency_key() {
                let topic = *batch.universe().name_of(object.stream());
                self.keys.add(topic, key, PublicationNumber { seq: object.seq, epoch }, now);
            }
        }
    }

    /// Replaces the restrictions of a namespace by those of the leader.
    pub(super) fn follow(&mut self, namespace: &str, restrictions: &[Moderation], now: Instant) {
        self.restrictions.replace(namespace, restrictions, now);
    }

    /// Does the commands that wait, with the feed with which this node leads; every other time only, so that publishers do
    /// not delay the market.
    pub(super) fn lead(
        &mut self,
        source: &mut dyn BatchSource,
        last_values: &mut LastValues,
        exchange: &Exchange,
        now: Instant,
    ) -> DoneCommands {
        let is_due = |told: Instant| now >= told + TELL_INTERVAL;
        if self.told.is_none_or(is_due) {
            self.tell(exchange, now);
        }
        if std::mem::take(&mut self.is_turn_of_market) {
            return DoneCommands::default();
        }
        let commands = exchange.take_commands();
        if commands.is_empty() {
            return DoneCommands::default();
        }
        let mut done = DoneCommands::default();
        let (mut publications, mut publishers) = (Vec::new(), Vec::new());
        for PendingCommand { command, answer, at } in commands {
            match command {
                // It has been told that there is no answer.
                _ if now >= at + ANSWER_TIMEOUT => {
                    done.answers.push((answer, Err(PublishRefusal::Unanswered)));
                }
                TopicCommand::Publish(publication) => {
                    publications.push(publication);
                    publishers.push(answer);
                }
                TopicCommand::Moderate(moderation) => {
                    let result = source.moderate(&moderation, now);
                    if result.is_ok() {
                        let _ = self.restrictions.apply(&moderation, now);
                        self.tell(exchange, now);
                    }
                    done.answers.push((answer, result.map(|()| None)));
                }
            }
        }
        if !publications.is_empty() {
            let published = source.publish(last_values, publications, self.clock.now(), now);
            done.batch = published.batch;
            let answers = published.results.into_iter().map(|result| result.map(Some));
            done.answers.extend(publishers.into_iter().zip(answers));
        }
        self.is_turn_of_market = done.batch.is_some();
        done
    }

    fn tell(&mut self, exchange: &Exchange, now: Instant) {
        self.told = Some(now);
        self.restricted.extend(self.restrictions.namespaces().map(Into::into));
        for namespace in &self.restricted {
            let all = self.restrictions.to_moderations(namespace, now);
            exchange.send(Outgoing::Restrictions(namespace.clone(), all));
        }
    }
}
