use std::sync::Arc;

use super::Batch;
use crate::model::{Body, Missed, Object, StreamId, SymbolId, Topic, Universe};

/// Gives the instruments and topics of a feed the ids that they have at this node, by their symbols.
///
/// A node that has served clients cannot change its ids: everything in its memory has them. A feed that began anew may list
/// its instruments in another order.
#[derive(Clone, Debug, Default)]
pub struct Relisting {
    /// The instruments with the ids of this node.
    known: Arc<Universe>,
    /// The instruments as the feed lists them, when they were last looked at.
    listed: Arc<Universe>,
    /// The id at this node of each instrument of the feed.
    ids: Vec<SymbolId>,
    /// What each topic of the feed is at this node.
    topics: Vec<Topic>,
    order: ListingOrder,
}

/// Whether all ids of the feed are those of this node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ListingOrder {
    #[default]
    Same,
    Other,
}

impl Relisting {
    /// For a feed that may be another than the one whose instruments are known.
    pub fn onto(known: Arc<Universe>) -> Self {
        Self { known, ..Self::default() }
    }

    /// The instruments with the ids of this node.
    pub const fn known(&self) -> &Arc<Universe> {
        &self.known
    }

    /// Takes in the instruments of the feed. New ones are appended to those of this node.
    pub fn learn(&mut self, listed: &Arc<Universe>) {
        if Arc::ptr_eq(listed, &self.listed) {
            return;
        }
        self.listed = Arc::clone(listed);
        if self.order == ListingOrder::Same && listed.begins_with(&self.known) {
            self.known = Arc::clone(listed);
            return;
        }
        self.order = ListingOrder::Other;
        let is_new = |symbol| self.known.find(symbol).is_none();
        let added: Vec<_> = listed.iter().filter(|instrument| is_new(&instrument.symbol)).cloned().collect();
        if !added.is_empty() {
            self.known = Arc::new(self.known.with(added));
        }
        let id = |symbol| self.known.find(symbol).expect("the instruments of the feed were appended");
        self.ids = listed.iter().map(|instrument| id(&instrument.symbol)).collect();
        if listed.topics().iter().any(|topic| self.known.find_topic(&topic.name).is_none()) {
            let topics = listed.topics().iter().map(|topic| (topic.name, topic.kind));
            self.known = Arc::new(self.known.with_topics(topics));
        }
        let topic = |name| *self.known.find_topic(name).expect("the topics of the feed were appended");
        self.topics = listed.topics().iter().map(|listed| topic(&listed.name)).collect();
    }

    /// The stream of this node that a stream of the feed is.
    pub fn stream(&self, stream: StreamId) -> StreamId {
        match self.order {
            ListingOrder::Same => stream,
            ListingOrder::Other if stream.is_of_topic() => self.topics[stream.symbol().index()].stream(),
            ListingOrder::Other => StreamId::new(stream.channel(), self.ids[stream.symbol().index()]),
        }
    }

    /// The object with the id of this node.
    pub fn object(&self, object: &Object) -> Object {
        match self.order {
            ListingOrder::Same => *object,
            ListingOrder::Other if let Body::Message(head) | Body::State(head) = object.body => {
                Object { body: self.topics[head.symbol.index()].message(head.at), ..*object }
            }
            ListingOrder::Other => {
                let symbol = self.ids[object.body.symbol().index()];
                Object { body: object.body.with_symbol(symbol), ..*object }
            }
        }
    }

    /// The batch with the ids of this node.
    #[must_use]
    pub fn batch(&mut self, batch: Batch) -> Batch {
        self.learn(batch.universe());
        if self.order == ListingOrder::Same && Arc::ptr_eq(batch.universe(), &self.known) {
            return batch;
        }
        let objects = |objects: &[Object]| objects.iter().map(|object| self.object(object)).collect();
        let (events, tickers) = (objects(batch.events()), objects(batch.tickers()));
        let messages = batch.messages().map(|(object, content)| (self.object(object), Arc::clone(content)));
        let (messages, contents) = messages.unzip();
        let missed = |missed: &Missed| Missed { stream: self.stream(missed.stream), ..*missed };
        Batch::new(Arc::clone(&self.known), batch.watermark(), events, tickers)
            .numbered(batch.number())
            .with_messages(messages, contents)
            .with_notices(batch.notices().to_vec())
            .with_missed(batch.missed().iter().map(missed).collect())
            .beginning(batch.begun_epoch())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, Instrument, Seq, Timestamp, Trade};
    use crate::wire::fixtures;

    /// The instruments with these symbols.
    fn universe(symbols: &[&str]) -> Arc<Universe> {
        let instrument = |symbol: &&str| {
            let first = fixtures::universe().iter().next().unwrap().clone();
            Instrument { symbol: symbol.parse().unwrap(), ..first }
        };
        Arc::new(Universe::new(symbols.iter().map(instrument).collect()))
    }

    fn trade_of(symbol: u32, listed: &Arc<Universe>) -> Batch {
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        let object = Object { seq: Seq(1), body: Body::Trade(Trade { symbol: SymbolId(symbol), ..trade }) };
        Batch::new(Arc::clone(listed), Timestamp::default(), vec![object], Vec::new()).numbered(7)
    }

    fn symbol(batch: &Batch) -> String {
        batch.universe().instrument(batch.events()[0].body.symbol()).symbol.to_string()
    }

    #[test]
    fn instruments_keep_their_ids_when_a_feed_lists_them_in_another_order() {
        let mut relisting = Relisting::onto(universe(&["A", "B", "C"]));
        let listed = universe(&["C", "D", "A"]);

        let batches = [0, 1, 2].map(|id| relisting.batch(trade_of(id, &listed)));

        let ids = batches.each_ref().map(|batch| batch.events()[0].body.symbol().0);
        assert_eq!(ids, [2, 3, 0]);
        assert_eq!(batches.each_ref().map(symbol), ["C", "D", "A"]);
        assert_eq!(batches[0].number(), 7);
        assert!(batches[0].universe().begins_with(&universe(&["A", "B", "C"])));
    }

    #[test]
    fn a_feed_that_lists_more_behind_the_known_ones_is_left_as_it_is() {
        let mut relisting = Relisting::onto(universe(&["A"]));
        let listed = universe(&["A", "B"]);

        let batch = relisting.batch(trade_of(1, &listed));

        assert!(Arc::ptr_eq(batch.universe(), &listed));
        assert_eq!(symbol(&batch), "B");
    }
}
