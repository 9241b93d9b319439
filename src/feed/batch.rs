use std::sync::{Arc, OnceLock};
use std::time::Instant;

use crate::model::{BegunEpoch, Epoch, EpochNumbers, FeedNotice, Missed, Object, Timestamp, Universe};
use crate::wire::{Codec, EncodedObjects, TopicMessage};

/// Numbered objects that are published together, in order; one batch is shared by all workers.
///
/// Each codec's encoding is made by the first worker that needs it and shared by all others, so an object is
/// encoded at most once however many sessions subscribe to it, and never for a codec without a subscriber.
/// Tickers are encoded apart from the events, because single tickers rarely have subscribers.
#[derive(Debug)]
pub struct Batch {
    number: u64,
    universe: Arc<Universe>,
    watermark: Timestamp,
    epoch: Option<Epoch>,
    epoch_numbers: EpochNumbers,
    notices: Vec<FeedNotice>,
    missed: Vec<Missed>,
    events: Part,
    tickers: Part,
    /// Absent in the batches of the market, nearly all.
    messages: Option<Box<MessagePart>>,
    /// When it was published.
    published: OnceLock<Instant>,
}

/// Objects that are encoded together.
#[derive(Debug)]
struct Part {
    objects: Vec<Object>,
    json: OnceLock<EncodedObjects>,
    msgpack: OnceLock<EncodedObjects>,
}

/// Messages of topics with their contents, which are encoded together.
#[derive(Debug)]
struct MessagePart {
    part: Part,
    contents: Vec<Arc<TopicMessage>>,
}

impl Batch {
    /// A batch of events and of the tickers that they changed; every event up to `watermark` is published with it.
    pub fn new(
        universe: Arc<Universe>,
        watermark: Timestamp,
        events: Vec<Object>,
        tickers: Vec<Object>,
    ) -> Self {
        let (events, tickers) = (Part::new(events), Part::new(tickers));
        let (epoch, notices, missed) = (None, Vec::new(), Vec::new());
        let epoch_numbers = EpochNumbers::GoOn;
        Self {
            number: 0,
            universe,
            watermark,
            epoch,
            epoch_numbers,
            notices,
            missed,
            events,
            tickers,
            messages: None,
            published: OnceLock::new(),
        }
    }

    /// Notes that it is published now. The first note holds.
    pub fn set_published(&self, now: Instant) {
        let _ = self.published.set(now);
    }

    /// When it was published by the feed of this node, if that is known.
    pub fn published_at(&self) -> Option<Instant> {
        self.published.get().copied()
    }

    /// The same batch, with these changes of the feed's state before its objects.
    #[must_use]
    pub fn with_notices(self, notices: Vec<FeedNotice>) -> Self {
        Self { notices, ..self }
    }

    /// The same batch with these messages of topics behind its other objects, and the content of each.
    ///
    /// # Panics
    /// If the lists differ in length.
    #[must_use]
    pub fn with_messages(self, objects: Vec<Object>, contents: Vec<Arc<TopicMessage>>) -> Self {
        assert_eq!(objects.len(), contents.len(), "each message has its content");
        let is_empty = contents.is_empty();
        let part = Box::new(MessagePart { part: Part::new(objects), contents });
        Self { messages: Some(part).filter(|_| !is_empty), ..self }
    }

    /// A copy of the batch with a universe that begins with the present one. Nothing of it is encoded yet.
    #[must_use]
    pub fn with_universe(&self, universe: Arc<Universe>) -> Self {
        let (messages, contents) = self.shared_messages().unzip();
        Self {
            number: self.number,
            universe,
            watermark: self.watermark,
            epoch: self.epoch,
            epoch_numbers: self.epoch_numbers,
            notices: self.notices.clone(),
            missed: self.missed.clone(),
            events: Part::new(self.events.objects.clone()),
            tickers: Part::new(self.tickers.objects.clone()),
            messages: None,
            published: self.published.clone(),
        }
        .with_messages(messages, contents)
    }

    /// Sets the universe to one that begins with the present one. Call it before anything is encoded.
    pub fn set_universe(&mut self, universe: Arc<Universe>) {
        self.universe = universe;
    }

    /// The same batch, before whose objects these were lost.
    #[must_use]
    pub fn with_missed(self, missed: Vec<Missed>) -> Self {
        Self { missed, ..self }
    }

    /// The same batch, with which this epoch begins, if it is one.
    #[must_use]
    pub fn beginning(self, epoch: Option<Epoch>) -> Self {
        Self { epoch, ..self }
    }

    /// The same batch, in whose epoch, if one begins, the numbers of streams go on or begin again.
    #[must_use]
    pub fn with_epoch_numbers(self, epoch_numbers: EpochNumbers) -> Self {
        Self { epoch_numbers, ..self }
    }

    /// The epoch that begins with this batch, before its notices and objects; `None` if the present one goes on. The
    /// numbers of batches go on in it, and those of streams unless it [restarts](Self::restarts_numbers) them.
    pub const fn begun_epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    /// The same with its numbers.
    pub fn beginning_epoch(&self) -> Option<BegunEpoch> {
        self.epoch.map(|epoch| BegunEpoch { epoch, numbers: self.epoch_numbers })
    }

    /// Whether an epoch begins in which the numbers of streams begin again: the last values of before are void.
    pub fn restarts_numbers(&self) -> bool {
        self.epoch.is_some() && self.epoch_numbers == EpochNumbers::Restart
    }

    /// The batch with this [number](Self::number).
    #[must_use]
    pub fn numbered(self, number: u64) -> Self {
        Self { number, ..self }
    }

    /// The number of the batch among all that its feed has published: 1 more than that of the batch before. A
    /// follower that misses a number has missed a batch.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The changes of the feed's state that are told before the objects.
    pub fn notices(&self) -> &[FeedNotice] {
        &self.notices
    }

    /// What was lost between the batch before and this one, and cannot be had any more.
    pub fn missed(&self) -> &[Missed] {
        &self.missed
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        self.events.objects.len() + self.tickers.objects.len() + self.messages().len()
    }

    /// True when the batch has no object and no notice, tells of nothing missed, and begins no epoch.
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.notices.is_empty() && self.missed.is_empty() && self.epoch.is_none()
    }

    /// The objects of instruments: the events in the order in which they happened, then the tickers.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.events.objects.iter().chain(&self.tickers.objects)
    }

    /// All objects, and behind them the messages of topics, which have a content.
    pub fn with_contents(&self) -> impl Iterator<Item = (&Object, Option<&TopicMessage>)> {
        let messages = self.messages().map(|(object, message)| (object, Some(&**message)));
        self.objects().map(|object| (object, None)).chain(messages)
    }

    /// The messages of topics, in the order of publication. They are behind the [objects](Self::objects) of instruments.
    pub fn messages(&self) -> impl ExactSizeIterator<Item = (&Object, &Arc<TopicMessage>)> {
        let (objects, contents): (&[Object], &[_]) = match &self.messages {
            Some(messages) => (&messages.part.objects, &messages.contents),
            None => Default::default(),
        };
        objects.iter().zip(contents)
    }

    /// The objects of instruments, then the messages of topics.
    pub fn all_objects(&self) -> impl Iterator<Item = &Object> {
        self.objects().chain(self.messages().map(|(object, _)| object))
    }

    /// The messages of topics; their contents are shared.
    pub fn shared_messages(&self) -> impl ExactSizeIterator<Item = (Object, Arc<TopicMessage>)> {
        self.messages().map(|(object, content)| (*object, Arc::clone(content)))
    }

    /// About how many bytes the batch takes in a queue, without what is shared with other batches.
    pub fn memory(&self) -> usize {
        const BATCH_BYTES: usize = 256;
        let contents: usize = self.messages().map(|(_, message)| message.bytes()).sum();
        BATCH_BYTES + self.len() * size_of::<Object>() + contents
    }

    /// The instruments and topics that the objects are of. It travels with each batch, since it may grow.
    pub fn universe(&self) -> &Arc<Universe> {
        &self.universe
    }

    /// The objects without the tickers, in the order in which they happened.
    pub fn events(&self) -> &[Object] {
        &self.events.objects
    }

    /// The tickers that the events changed.
    pub fn tickers(&self) -> &[Object] {
        &self.tickers.objects
    }

    /// The time up to which every event has been published.
    pub const fn watermark(&self) -> Timestamp {
        self.watermark
    }

    /// The object at an index of [`objects`](Self::objects) and [`messages`](Self::messages).
    ///
    /// # Panics
    /// When the index is not less than [`len`](Self::len).
    pub fn object(&self, index: usize) -> &Object {
        match self.part_of(index) {
            PartIndex::Market(part, index) => &part.objects[index],
            PartIndex::Messages(messages, index) => &messages.part.objects[index],
        }
    }

    /// The encoded bytes of the same object, in the form that [`EncodedObjects`] has.
    ///
    /// The first caller of a codec encodes the whole part, about 150 ns for each object; a concurrent caller
    /// waits for it.
    ///
    /// # Panics
    /// When the index is not less than [`len`](Self::len).
    pub fn encoded(&self, codec: Codec, index: usize) -> &[u8] {
        match self.part_of(index) {
            PartIndex::Market(part, index) => {
                let encode = || EncodedObjects::of(codec, &self.universe, &part.objects);
                part.encoded(codec).get_or_init(encode).object(index)
            }
            PartIndex::Messages(MessagePart { part, contents }, index) => {
                let encode = || EncodedObjects::of_messages(codec, &self.universe, &part.objects, contents);
                part.encoded(codec).get_or_init(encode).object(index)
            }
        }
    }

    fn part_of(&self, index: usize) -> PartIndex<'_> {
        let Some(behind_events) = index.checked_sub(self.events.objects.len()) else {
            return PartIndex::Market(&self.events, index);
        };
        match (behind_events.checked_sub(self.tickers.objects.len()), &self.messages) {
            (Some(index), Some(messages)) => PartIndex::Messages(messages, index),
            _ => PartIndex::Market(&self.tickers, behind_events),
        }
    }
}

/// A part of a batch and an index in it.
enum PartIndex<'a> {
    Market(&'a Part, usize),
    Messages(&'a MessagePart, usize),
}

impl Part {
    const fn new(objects: Vec<Object>) -> Self {
        Self { objects, json: OnceLock::new(), msgpack: OnceLock::new() }
    }

    const fn encoded(&self, codec: Codec) -> &OnceLock<EncodedObjects> {
        match codec {
            Codec::Json => &self.json,
            Codec::MsgPack => &self.msgpack,
        }
    }
}
