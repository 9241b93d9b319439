use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::Batch;
use crate::archive::RetainedObject;
use crate::model::{BegunEpoch, Epoch, EpochNumbers, Object, Seq, StreamId, Timestamp};
use crate::wire::TopicMessage;

/// The last object of each stream, and the watermark of all of them.
///
/// A table by [`StreamId`] that grows when a stream beyond its end gets its first object. Sequence numbers have a
/// column of their own: the sequencer compares one for each object, and a sampled session one for each row, which
/// touches eight bytes instead of the two cache lines of an object.
#[derive(Clone, Debug, Default)]
pub struct LastValues {
    seqs: Vec<Seq>,
    objects: Vec<Option<Object>>,
    /// The contents of the last messages of topics, which objects do not have.
    messages: FxHashMap<StreamId, Arc<TopicMessage>>,
    watermark: Timestamp,
    published: u64,
    batch: u64,
    epoch: Option<Epoch>,
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
        self.objects.get(stream.index())?.as_ref()
    }

    /// The sequence number of the stream's last object; 0 before its first.
    pub fn seq(&self, stream: StreamId) -> Seq {
        self.seqs.get(stream.index()).copied().unwrap_or_default()
    }

    /// The content of the last message of a topic.
    pub fn message(&self, stream: StreamId) -> Option<&Arc<TopicMessage>> {
        self.messages.get(&stream)
    }

    /// The stream's last object, with its content if it is a message of a topic; `None` before its first.
    pub fn newest(&self, stream: StreamId) -> Option<RetainedObject> {
        let object = *self.of(stream)?;
        let message = if stream.channel().is_of_topics() { self.message(stream).cloned() } else { None };
        Some(RetainedObject { object, message, is_first: false })
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
        self.messages.insert(object.stream(), message);
        self.put(object);
    }

    /// Replaces the last object of the object's stream.
    pub fn put(&mut self, object: Object) {
        let row = object.stream().index();
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
        self.messages.clear();
        self.epoch = Some(epoch);
    }

    /// The number of objects published so far, in all streams together.
    pub const fn published(&self) -> u64 {
        self.published
    }

    /// The last objects of all streams of instruments that have one, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().flatten().filter(|object| !object.body.channel().is_of_topics())
    }

    /// The last messages of all topics that have one, in the order of their ids.
    pub fn messages(&self) -> impl Iterator<Item = (&Object, &Arc<TopicMessage>)> {
        let is_of_topics = |object: &&Object| object.body.channel().is_of_topics();
        // Without topics the table is not read.
        let objects = self.objects.iter().take(if self.messages.is_empty() { 0 } else { usize::MAX });
        let objects = objects.flatten().filter(is_of_topics);
        objects.filter_map(|object| Some((object, self.message(object.stream())?)))
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
    use crate::model::{Body, Channel, SymbolId, Trade};
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
    fn an_epoch_that_restarts_numbers_has_no_objects_yet() {
        let mut last_values = LastValues::new(1);
        last_values.put(trade(0, 7));

        last_values.restart(Epoch::new(9));

        let stream = StreamId::new(Channel::Trades, SymbolId(0));
        assert_eq!((last_values.of(stream), last_values.seq(stream)), (None, Seq(0)));
        assert_eq!((last_values.epoch(), last_values.published()), (Some(Epoch::new(9)), 1));
    }
}
