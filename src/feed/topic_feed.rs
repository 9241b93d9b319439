use std::sync::Arc;
use std::time::Instant;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Batch, BatchSource, FeedProgress, LastValues, PublishedMessages};
use crate::archive::{Archive, MessageState};
use crate::metrics::FeedMetrics;
use crate::model::{Epoch, Missed, Object, Seq, StreamId, Symbol, Timestamp, Topic, TradeRules, Universe};
use crate::source::{ControlRefusal, Readers, ReplayCommand, ReplayStatus, Ticks};
use crate::topics::{
    Admission, Directory, FreshTopics, Moderation, Publication, PublicationNumber, PublishRefusal,
};

/// A feed with topics: the batches of another feed, and between them those of the messages that are published.
///
/// It numbers messages in the epoch of the feed that it wraps, whatever that is: a simulator, a replay, a mirror of an
/// upstream. A batch of the market is passed on as it is, with a universe that has the topics too.
pub struct TopicFeed {
    market: Box<dyn BatchSource>,
    directory: Directory,
    archive: Arc<Archive>,
    metrics: FeedMetrics,
    progress: FeedProgress,
    /// The instruments as the market's last batch had them.
    listed: Arc<Universe>,
    /// The same with the topics.
    universe: Arc<Universe>,
    /// The least number of a message.
    floor: Seq,
    /// The topics whose numbers have been raised to it.
    raised: FxHashSet<StreamId>,
}

/// A publication that is not refused.
enum Admitted {
    /// The one at this place among those that came together has the same topic and key.
    Again(usize),
    /// It is to be numbered.
    New(Publication),
    /// It was, when it came before.
    Repeated(PublicationNumber),
}

impl TopicFeed {
    /// The market's feed with the topics of this directory. Both record in this archive. The topics of `universe` exist
    /// already, from an earlier run.
    pub fn new(
        market: Box<dyn BatchSource>,
        directory: Directory,
        universe: Arc<Universe>,
        archive: Arc<Archive>,
        metrics: FeedMetrics,
        progress: FeedProgress,
    ) -> Self {
        let (listed, raised) = Default::default();
        Self { market, directory, archive, metrics, progress, listed, universe, floor: Seq(0), raised }
    }

    /// Numbers the next message of each topic from here on, if its numbers are lower: an earlier feed may have given some
    /// of which this one knows nothing. What is skipped is told as missed.
    #[must_use]
    pub fn numbering_from(mut self, floor: Seq) -> Self {
        self.floor = floor;
        self
    }

    /// The batch with the universe that has the topics.
    fn with_topics(&mut self, mut batch: Arc<Batch>) -> Arc<Batch> {
        if !Arc::ptr_eq(batch.universe(), &self.listed) {
            self.listed = Arc::clone(batch.universe());
            self.universe = match self.universe.topics().is_empty() {
                true => Arc::clone(&self.listed),
                false => Arc::new(self.listed.with_topics_of(&self.universe)),
            };
        }
        if !Arc::ptr_eq(batch.universe(), &self.universe) {
            match Arc::get_mut(&mut batch) {
                Some(own) => own.set_universe(Arc::clone(&self.universe)),
                None => batch = Arc::new(batch.with_universe(Arc::clone(&self.universe))),
            }
        }
        batch
    }

    /// Checks whether the message of this number can be taken back. As far as the archive knows: a message that is no
    /// longer retained may be taken back again.
    fn check_deletion(
        &self,
        topic: &Symbol,
        seq: Seq,
        last_values: &LastValues,
    ) -> Result<(), PublishRefusal> {
        let stream = self.universe.find_topic(topic).map(Topic::stream);
        let is_given = |stream: &StreamId| (Seq(1)..=last_values.seq(*stream)).contains(&seq);
        let stream = stream.filter(is_given).ok_or(PublishRefusal::NoSuchMessage)?;
        match self.archive.message_state(stream, seq) {
            MessageState::Present => Ok(()),
            MessageState::TakenBack => Err(PublishRefusal::TakenBackAlready),
            MessageState::Deletion => Err(PublishRefusal::IsDeletion),
        }
    }

    /// Numbers a message of a topic that exists.
    fn number(
        &mut self,
        last_values: &mut LastValues,
        publication: &Publication,
        at: Timestamp,
        missed: &mut Vec<Missed>,
    ) -> Option<Object> {
        let topic = self.universe.find_topic(&publication.topic)?;
        let stream = topic.stream();
        let (next, body) = (last_values.seq(stream).next(), topic.message(at));
        let seq = if self.floor > next && self.raised.insert(stream) { self.floor } else { next };
        // No client has anything of a topic without a message.
        if seq > next && next > Seq(1) {
            missed.push(Missed { stream, from: next, to: Seq(seq.0 - 1) });
        }
        let object = Object { seq, body };
        last_values.put_message(object, Arc::clone(&publication.message));
        Some(object)
    }
}

impl BatchSource for TopicFeed {
    fn epoch(&self) -> Epoch {
        self.market.epoch()
    }

    fn trade_rules(&self) -> TradeRules {
        self.market.trade_rules()
    }

    fn open(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let batch = self.market.open(last_values)?;
        Some(self.with_topics(batch))
    }

    fn ticks(&mut self) -> Ticks {
        self.market.ticks()
    }

    fn poll(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let batch = self.market.poll(last_values)?;
        Some(self.with_topics(batch))
    }

    /// Numbers the messages, records them, and gives the batch of them. Topics that are new come to exist with it.
    fn publish(
        &mut self,
        last_values: &mut LastValues,
        publications: Vec<Publication>,
        at: Timestamp,
        now: Instant,
    ) -> PublishedMessages {
        let mut fresh = FreshTopics::default();
        let mut deleted: FxHashSet<(Symbol, Seq)> = FxHashSet::default();
        let mut keyed: FxHashMap<(Symbol, Box<str>), usize> = FxHashMap::default();
        let admitted: Vec<Result<Admitted, PublishRefusal>> = publications
            .into_iter()
            .enumerate()
            .map(|(index, publication)| {
                let topic = publication.topic;
                let key = publication.message.idempotency_key().map(|key| (topic, key.into()));
                if let Some(first) = key.as_ref().and_then(|key| keyed.get(key)) {
                    return Ok(Admitted::Again(*first));
                }
                let admission = self.directory.admit(&publication, &self.universe, &fresh, now)?;
                if let Some(seq) = publication.message.deletes() {
                    self.check_deletion(&topic, seq, last_values)?;
                    if !deleted.insert((topic, seq)) {
                        return Err(PublishRefusal::TakenBackAlready);
                    }
                }
                keyed.extend(key.map(|key| (key, index)));
                match admission {
                    Admission::Repeated(number) => Ok(Admitted::Repeated(number)),
                    Admission::Publish(kind) => {
                        if self.universe.find_topic(&topic).is_none() {
                            fresh.add(topic, kind);
                        }
                        Ok(Admitted::New(publication))
                    }
                }
            })
            .collect();
        if !fresh.is_empty() {
            self.universe = Arc::new(self.universe.with_topics(fresh.into_topics()));
        }
        let epoch = last_values.epoch().unwrap_or(self.epoch());
        let (mut objects, mut contents, mut missed) = (Vec::new(), Vec::new(), Vec::new());
        let mut results: Vec<Result<PublicationNumber, PublishRefusal>> = Vec::with_capacity(admitted.len());
        for admitted in admitted {
            let mut publish = |publication: Publication| {
                let object = self.number(last_values, &publication, at, &mut missed);
                let object = object.ok_or(PublishRefusal::NoSuchTopic)?;
                let number = PublicationNumber { seq: object.seq, epoch };
                self.directory.published(&publication, number, now);
                objects.push(object);
                contents.push(publication.message);
                Ok(number)
            };
            results.push(match admitted {
                Ok(Admitted::New(publication)) => publish(publication),
                Ok(Admitted::Repeated(number)) => Ok(number),
                Ok(Admitted::Again(first)) => results[first],
                Err(refusal) => Err(refusal),
            });
        }
        if objects.is_empty() {
            return PublishedMessages { batch: None, results };
        }
        // Recorded before they are published: a session that resumes reads the archive up to the last values.
        self.archive.record_messages(&self.universe, objects.iter().zip(&contents));
        let number = last_values.batch() + 1;
        last_values.set_batch(number);
        self.progress.set(last_values.published());
        let batch = Batch::new(Arc::clone(&self.universe), last_values.watermark(), Vec::new(), Vec::new())
            .with_messages(objects, contents)
            .with_missed(missed)
            .numbered(number);
        self.metrics.published(batch.len(), batch.watermark());
        PublishedMessages { batch: Some(Arc::new(batch)), results }
    }

    fn moderate(&mut self, moderation: &Moderation, now: Instant) -> Result<(), PublishRefusal> {
        self.directory.moderate(moderation, now)
    }

    fn control(&mut self, command: ReplayCommand) -> Result<(), ControlRefusal> {
        self.market.control(command)
    }

    fn replay_status(&self) -> Option<ReplayStatus> {
        self.market.replay_status()
    }

    fn outage(&self) -> Option<&str> {
        self.market.outage()
    }

    fn settle(&mut self) {
        self.market.settle();
    }

    fn hold_back(&mut self) -> bool {
        self.market.hold_back()
    }

    fn skip_ticks(&mut self, readers: Readers) {
        self.market.skip_ticks(readers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Retention;
    use crate::model::{Channel, SymbolId, UniverseSize};
    use crate::topics::{Namespace, Namespaces, PublishRight};
    use crate::wire::{TopicMessage, fixtures};
    use futures_util::{StreamExt, stream};
    use serde_json::json;

    /// A market that gives a trade at each poll, of a universe that grows when told.
    struct Market {
        universe: Arc<Universe>,
        kept: Vec<Arc<Batch>>,
    }

    impl BatchSource for Market {
        fn epoch(&self) -> Epoch {
            Epoch::new(7)
        }

        fn open(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
            last_values.set_epoch(self.epoch());
            self.poll(last_values)
        }

        fn ticks(&mut self) -> Ticks {
            stream::empty().boxed_local()
        }

        fn poll(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
            let stream = fixtures::trade().stream();
            let trade = Object { seq: last_values.seq(stream).next(), ..fixtures::trade() };
            last_values.put(trade);
            last_values.set_batch(last_values.batch() + 1);
            let batch = Batch::new(Arc::clone(&self.universe), Timestamp::default(), vec![trade], vec![]);
            let batch = Arc::new(batch.numbered(last_values.batch()));
            self.kept.push(Arc::clone(&batch));
            self.kept.truncate(1);
            Some(batch)
        }
    }

    fn feed() -> (TopicFeed, LastValues, Arc<Archive>) {
        let universe = Arc::new(fixtures::universe());
        let archive = Arc::new(Archive::new(2, Retention::default()));
        let market = Box::new(Market { universe, kept: Vec::new() });
        let namespaces = vec![Namespace::chat(PublishRight::Nobody), Namespace::weather()];
        let namespaces = Arc::new(Namespaces::new(namespaces));
        archive.retain_topics(Arc::clone(&namespaces));
        let directory = Directory::new(namespaces);
        let (metrics, progress) = Default::default();
        let mut feed =
            TopicFeed::new(market, directory, Arc::default(), Arc::clone(&archive), metrics, progress);
        let mut last_values = LastValues::new(2);
        feed.open(&mut last_values);
        (feed, last_values, archive)
    }

    fn publications(topics: &[&str]) -> Vec<Publication> {
        let publication = |(place, topic): (usize, &&str)| Publication {
            topic: topic.parse().unwrap(),
            message: Arc::new(TopicMessage::new(&json!(place), None)),
        };
        topics.iter().enumerate().map(publication).collect()
    }

    fn publish(feed: &mut TopicFeed, last_values: &mut LastValues, topics: &[&str]) -> PublishedMessages {
        feed.publish(last_values, publications(topics), Timestamp::from_nanos(5), Instant::now())
    }

    #[test]
    fn messages_are_numbered_in_their_topics_in_the_order_in_which_they_come() {
        let (mut feed, mut last_values, archive) = feed();

        let topics = ["chat:AAPL", "weather:london", "chat:AAPL", "news:x", "chat:AAPL"];
        let PublishedMessages { batch, results } = publish(&mut feed, &mut last_values, &topics);

        let seqs: Vec<_> = results.iter().map(|it| it.map(|number| number.seq.0)).collect();
        assert_eq!(seqs, [Ok(1), Ok(1), Ok(2), Err(PublishRefusal::NoSuchTopic), Ok(3)]);
        assert!(results[0].is_ok_and(|number| number.epoch == Epoch::new(7)));
        let batch = batch.unwrap();
        assert_eq!((batch.number(), batch.len(), last_values.batch()), (2, 4, 2));
        let data: Vec<_> = batch.messages().map(|(_, message)| message.data().unwrap().to_owned()).collect();
        assert_eq!(data, ["0", "1", "2", "4"]);
        let chat = batch.universe().find_topic(&"chat:AAPL".parse().unwrap()).unwrap().stream();
        assert_eq!(last_values.newest(chat).unwrap().message.unwrap().data(), Some("4"));
        let retained = archive.replay(chat, Seq(1), Seq(3), 9);
        assert_eq!(retained.iter().map(|it| it.object.seq.0).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn batches_of_the_market_have_the_topics_too_and_go_on_in_their_numbers() {
        let (mut feed, mut last_values, _) = feed();
        publish(&mut feed, &mut last_values, &["chat:AAPL"]);

        // The market keeps the first batch, so that it cannot be changed in place, and gives others away.
        for number in [3, 4] {
            let batch = feed.poll(&mut last_values).unwrap();
            assert_eq!(batch.universe().size(), UniverseSize { instruments: 2, topics: 1 });
            assert_eq!((batch.number(), batch.events()[0].seq), (number, Seq(number - 1)));
        }
        let first = publish(&mut feed, &mut last_values, &["chat:MSFT"]);
        let batch = first.batch.unwrap();
        assert_eq!(batch.universe().topics().len(), 2);
        let streams: Vec<_> = batch.messages().map(|(object, _)| object.stream()).collect();
        assert_eq!(streams, [StreamId::new(Channel::Messages, SymbolId(1))]);
    }

    #[test]
    fn messages_that_come_together_with_one_key_are_published_once() {
        let (mut feed, mut last_values, _) = feed();
        let keyed = |topic: &str| {
            let message = TopicMessage::new(&json!("x"), None).with_idempotency_key("k");
            Publication { topic: topic.parse().unwrap(), message: Arc::new(message) }
        };
        let together = ["weather:a", "weather:a", "weather:b", "weather:a"].map(keyed).to_vec();

        let published = feed.publish(&mut last_values, together, Timestamp::default(), Instant::now());

        let seqs: Vec<_> = published.results.iter().map(|result| result.unwrap().seq.0).collect();
        assert_eq!((seqs, published.batch.unwrap().messages().len()), (vec![1, 1, 1, 1], 2));
    }

    #[test]
    fn a_feed_that_continues_another_skips_numbers_that_that_may_have_given() {
        let (mut feed, mut last_values, _) = feed();
        publish(&mut feed, &mut last_values, &["chat:AAPL"]);
        feed = feed.numbering_from(Seq(100));

        let topics = ["chat:AAPL", "weather:london", "chat:AAPL"];
        let PublishedMessages { batch, results } = publish(&mut feed, &mut last_values, &topics);

        let seqs: Vec<_> = results.iter().map(|it| it.unwrap().seq.0).collect();
        assert_eq!(seqs, [100, 100, 101]);
        let missed: Vec<_> = batch.unwrap().missed().iter().map(|it| (it.from.0, it.to.0)).collect();
        assert_eq!(missed, [(2, 99)], "no client has anything of the new topic");
    }

    #[test]
    fn a_message_is_taken_back_once_and_a_deletion_never() {
        let (mut feed, mut last_values, _) = feed();
        publish(&mut feed, &mut last_values, &["chat:AAPL"; 3]);
        let mut take_back = |topic: &str, seqs: &[u64]| {
            let deletion = |seq: &u64| Publication {
                topic: topic.parse().unwrap(),
                message: Arc::new(TopicMessage::deleting(Seq(*seq), None)),
            };
            let deletions = seqs.iter().map(deletion).collect();
            let published = feed.publish(&mut last_values, deletions, Timestamp::default(), Instant::now());
            published.results.into_iter().map(|it| it.map(|number| number.seq.0)).collect::<Vec<_>>()
        };

        assert_eq!(take_back("chat:AAPL", &[1, 1, 2]), [Ok(4), Err(PublishRefusal::TakenBackAlready), Ok(5)]);
        assert_eq!(
            take_back("chat:AAPL", &[1, 4, 6, 0]),
            [
                Err(PublishRefusal::TakenBackAlready),
                Err(PublishRefusal::IsDeletion),
                Err(PublishRefusal::NoSuchMessage),
                Err(PublishRefusal::NoSuchMessage),
            ]
        );
        assert_eq!(take_back("chat:MSFT", &[1]), [Err(PublishRefusal::NoSuchMessage)]);
        assert_eq!(take_back("chat:AAPL", &[3]), [Ok(6)]);
        assert_eq!(feed.universe.topics().len(), 1, "no topic comes to exist by a deletion");
    }

    #[test]
    fn what_is_refused_is_no_batch() {
        let (mut feed, mut last_values, _) = feed();

        let published = publish(&mut feed, &mut last_values, &["news:x"]);

        assert!(published.batch.is_none() && last_values.batch() == 1);
    }
}
