use std::sync::Arc;

use super::Batch;
use crate::archive::RetainedObject;
use crate::model::{BegunEpoch, Epoch, EpochNumbers, Object, Seq, StreamId, Timestamp};
use crate::wire::TopicMessage;

/// The last object of each stream, and the watermark of all of them.
///
/// A table by [`StreamId`] that grows when a stream beyond its end gets its first object. Sequence numbers have a
/// column of their own: the sequencer compares one for each object, and a sampled session one for each row, which
/// touches eight bytes instead of the two cache lines of an object.
///
/// Topics have a table of their own, with one row for each: a topic has one stream, an instrument one for each channel.
#[derive(Clone, Debug, Default)]
pub struct LastValues {
    seqs: Vec<Seq>,
    objects: Vec<Option<Object>>,
    topics: Vec<Option<LastMessage>>,
    watermark: Timestamp,
    published: u64,
    batch: u64,
    epoch: Option<Epoch>,
}

/// The last message of a topic, and its content, which the object does not have.
#[derive(Clone, Debug)]
struct LastMessage {
    object: Object,
    message: Arc<TopicMessage>,
}

impl LastValues {
    /// An empty table with room for the streams of this number of symbols.
    pub fn new(symbols: usize) -> Self {
        let mut table = Self::default();
        table.grow(StreamId::table_len(symbols));
        table
    }

    /// The stream's last object; `None` before its first.
    pub fn of(&self, stream: StreamId) -> Option<&Object> {
        match stream.is_of_topic() {
            true => self.of_topic(stream).map(|last| &last.object),
            false => self.objects.get(stream.index())?.as_ref(),
        }
    }

    /// The sequence number of the stream's last object; 0 before its first.
    pub fn seq(&self, stream: StreamId) -> Seq {
        match stream.is_of_topic() {
            true => self.of_topic(stream).map(|last| last.object.seq).unwrap_or_default(),
            false => self.seqs.get(stream.index()).copied().unwrap_or_default(),
        }
    }

    /// The content of the last message of a topic.
    pub fn message(&self, stream: StreamId) -> Option<&Arc<TopicMessage>> {
        self.of_topic(stream).map(|last| &last.message)
    }

    fn of_topic(&self, stream: StreamId) -> Option<&LastMessage> {
        let last = self.topics.get(stream.symbol().index())?.as_ref();
        last.filter(|last| last.object.stream() == stream)
    }

    /// The stream's last object, with its content if it is a message of a topic; `None` before its first.
    pub fn newest(&self, stream: StreamId) -> Option<RetainedObject> {
        if !stream.is_of_topic() {
            return self.of(stream).copied().map(RetainedObject::from);
        }
        let LastMessage { object, message } = self.of_topic(stream)?.clone();
        Some(RetainedObject { object, message: Some(message), is_first: false })
    }

    /// Enters a batch: the epoch that begins with it, its objects and messages, and its watermark.
    pub fn enter(&mut self, batch: &Batch) {
        if let Some(begun) = batch.beginning_epoch() {
            self.begin(begun);
        }
        self.set_watermark(batch.watermark());
        batch.objects().for_each(|object| self.put(*object));
        for (object, message) in batch.messages() {
            self.put_message(*object, Arc::clone(message));
        }
    }

    /// Begins an epoch.
    pub fn begin(&mut self, BegunEpoch { epoch, numbers }: BegunEpoch) {
        match numbers {
            EpochNumbers::GoOn => self.set_epoch(epoch),
            EpochNumbers::Restart => self.restart(epoch),
        }
    }

    /// Replaces the last message of the message's topic.
    pub fn put_message(&mut self, object: Object, message: Arc<TopicMessage>) {
        let row = object.stream().symbol().index();
        if row >= self.topics.len() {
            self.topics.resize(row + 1, None);
        }
        self.published += 1;
        self.topics[row] = Some(LastMessage { object, message });
    }

    /// Replaces the last object of the object's stream, which is of an instrument.
    pub fn put(&mut self, object: Object) {
        let row = object.stream().index();
        debug_assert!(!object.stream().is_of_topic(), "a message has a content");
        if row >= self.objects.len() {
            self.grow(StreamId::table_len(object.stream().symbol().index() + 1));
        }
        self.published += 1;
        self.seqs[row] = object.seq;
        self.objects[row] = Some(object);
    }

    /// The time up to which every event has been published.
    pub const fn watermark(&self) -> Timestamp {
        self.watermark
    }

    /// Sets the time up to which every event has been published.
    pub const fn set_watermark(&mut self, watermark: Timestamp) {
        self.watermark = watermark;
    }

    /// The [number](super::Batch::number) of the last batch that was published; 0 before the first.
    pub const fn batch(&self) -> u64 {
        self.batch
    }

    /// Sets the number of the last batch.
    pub const fn set_batch(&mut self, number: u64) {
        self.batch = number;
    }

    /// The epoch of the numbers; `None` before a feed has opened.
    pub const fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    /// Sets the epoch of the numbers.
    pub const fn set_epoch(&mut self, epoch: Epoch) {
        self.epoch = Some(epoch);
    }

    /// Begins an epoch in which the numbers of streams begin again: no stream has an object yet.
    pub fn restart(&mut self, epoch: Epoch) {
        self.seqs.fill(Seq::default());
        self.objects.fill(None);
        self.topics.fill(None);
        self.epoch = Some(epoch);
    }

    /// The number of objects published so far, in all streams together.
    pub const fn published(&self) -> u64 {
        self.published
    }

    /// The last objects of all streams of instruments that have one, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().flatten()
    }

    /// The last messages of all topics that have one, in the order of their ids.
    pub fn messages(&self) -> impl Iterator<Item = (&Object, &Arc<TopicMessage>)> {
        self.topics.iter().flatten().map(|last| (&last.object, &last.message))
    }

    #[cold]
    fn grow(&mut self, rows: usize) {
        self.seqs.resize(rows, Seq::default());
        self.objects.resize(rows, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, Channel, MessageHead, SymbolId, Trade};
    use crate::wire::fixtures;

    fn trade(symbol: u32, seq: u64) -> Object {
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        Object { seq: Seq(seq), body: Body::Trade(Trade { symbol: SymbolId(symbol), ..trade }) }
    }

    #[test]
    fn the_table_grows_with_the_first_object_of_a_new_symbol() {
        let mut last_values = LastValues::new(1);
        last_values.put(trade(0, 7));
        let new = StreamId::new(Channel::Trades, SymbolId(300));
        assert_eq!((last_values.of(new), last_values.seq(new)), (None, Seq(0)));

        last_values.put(trade(300, 1));

        assert_eq!((last_values.of(new), last_values.seq(new)), (Some(&trade(300, 1)), Seq(1)));
        assert_eq!(last_values.iter().map(|object| object.seq.0).collect::<Vec<_>>(), [7, 1]);
    }

    #[test]
    fn a_topic_takes_one_row_and_none_of_an_instrument() {
        let mut last_values = LastValues::new(1);
        last_values.put(trade(0, 7));
        let message = Arc::new(TopicMessage::new(&serde_json::json!("rain"), None));
        let Body::State(head) = fixtures::weather_message(3).body else { unreachable!() };
        let far = Object { seq: Seq(3), body: Body::State(MessageHead { symbol: SymbolId(9_999), ..head }) };

        last_values.put_message(far, Arc::clone(&message));

        assert_eq!((last_values.objects.len(), last_values.topics.len()), (StreamId::table_len(1), 10_000));
        assert_eq!((last_values.seq(far.stream()), last_values.of(far.stream())), (Seq(3), Some(&far)));
        assert_eq!(last_values.newest(far.stream()).unwrap().message, Some(message));
        let of_other_kind = StreamId::new(Channel::Messages, SymbolId(9_999));
        assert_eq!((last_values.seq(of_other_kind), last_values.of(of_other_kind)), (Seq(0), None));
        assert_eq!((last_values.iter().count(), last_values.messages().count()), (1, 1));
        last_values.restart(Epoch::new(9));
        assert_eq!(last_values.messages().count(), 0);
    }

    #[test]
    fn an_epoch_that_restarts_numbers_has_no_objects_yet() {
        let mut last_values = LastValues::new(1);
        last_values.put(trade(0, 7));

        last_values.restart(Epoch::new(9));

        let stream = StreamId::new(Channel::Trades, SymbolId(0));
        assert_eq!((last_values.of(stream), last_values.seq(stream)), (None, Seq(0)));
        assert_eq!((last_values.epoch(), last_values.published()), (Some(Epoch::new(9)), 1));
    }
}
