use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::cluster_feed::Followed;
use crate::archive::Archive;
use crate::feed::{Batch, BatchSource, LastValues, Relisting};
use crate::model::{Epoch, Missed, Object, Seq, StreamId, Timestamp, TradeRules};
use crate::source::{ControlRefusal, NewEpochs, Readers, ReplayCommand, ReplayStatus, Ticks};

/// A feed that gives numbers and epochs of its own, such as that of an upstream, published as the continuation of what a
/// cluster has published.
///
/// Instruments keep the ids that they have in the cluster. Numbers go through unchanged if the feed is in the epoch that the
/// cluster is in, or if nothing is known of an earlier one: what the cluster has already is left out, and a jump is told as
/// missed. Otherwise they are raised beyond all that an earlier leader can have given, in a new epoch.
pub struct ContinuedFeed {
    feed: Box<dyn BatchSource>,
    /// What the feed has published, with its own ids and numbers.
    feed_values: LastValues,
    archive: Arc<Archive>,
    relisting: Relisting,
    numbers: ContinuedNumbers,
    /// The least number of a stream that is raised.
    floor: Seq,
    epoch: Epoch,
    new_epochs: NewEpochs,
    /// Up to which number objects of a stream were told as missed.
    told: FxHashMap<StreamId, Seq>,
    /// The number of instruments that the archive knows.
    archived: usize,
}

/// The numbers that are published.
#[derive(Debug)]
enum ContinuedNumbers {
    /// The feed has not told its epoch yet.
    Undecided(Option<Epoch>),
    /// Those of the feed.
    Kept,
    /// Those of the feed and what is added to them, wrapping.
    Raised(FxHashMap<StreamId, u64>),
}

/// What a [`ContinuedFeed`] is made from.
pub struct ContinuedFeedParts {
    /// The feed, which records in an archive of its own.
    pub feed: Box<dyn BatchSource>,
    /// The archive of the node.
    pub archive: Arc<Archive>,
    /// The least number of a stream whose numbers are raised.
    pub floor: Seq,
    /// The epoch if nothing was followed and the feed tells none.
    pub epoch: Epoch,
    /// Gives random epochs.
    pub new_epochs: NewEpochs,
}

impl ContinuedFeed {
    /// Continues what was followed.
    pub fn new(parts: ContinuedFeedParts, followed: Option<Followed<'_>>) -> Self {
        let ContinuedFeedParts { feed, archive, floor, epoch, new_epochs } = parts;
        let before = followed.and_then(|followed| followed.last_values.epoch());
        let universe = followed.map(|followed| Arc::clone(followed.universe)).unwrap_or_default();
        Self {
            feed,
            feed_values: LastValues::default(),
            archive,
            archived: universe.len(),
            relisting: Relisting::onto(universe),
            numbers: ContinuedNumbers::Undecided(before),
            floor,
            epoch: before.unwrap_or(epoch),
            new_epochs,
            told: FxHashMap::default(),
        }
    }

    /// Decides on the numbers with the first batch; the epoch that begins with this one.
    fn begin_epoch(&mut self, batch: &Batch) -> Option<Epoch> {
        let begun = batch.begun_epoch();
        let begins = match (&self.numbers, begun) {
            (ContinuedNumbers::Undecided(before), Some(epoch))
                if before.is_none_or(|before| before == epoch) =>
            {
                self.numbers = ContinuedNumbers::Kept;
                epoch
            }
            (ContinuedNumbers::Undecided(before), _) => {
                let epoch = if before.is_none() { self.epoch } else { (self.new_epochs)() };
                self.numbers = ContinuedNumbers::Raised(FxHashMap::default());
                epoch
            }
            (ContinuedNumbers::Kept, Some(epoch)) if !batch.restarts_numbers() => epoch,
            // The numbers of a cluster never begin again.
            (ContinuedNumbers::Kept | ContinuedNumbers::Raised(_), Some(_)) if batch.restarts_numbers() => {
                self.numbers = ContinuedNumbers::Raised(FxHashMap::default());
                (self.new_epochs)()
            }
            (ContinuedNumbers::Kept | ContinuedNumbers::Raised(_), Some(_)) => (self.new_epochs)(),
            (ContinuedNumbers::Kept | ContinuedNumbers::Raised(_), None) => return None,
        };
        (std::mem::replace(&mut self.epoch, begins) != begins).then_some(begins)
    }

    /// The batch as the cluster gets it.
    fn publish(&mut self, batch: &Batch, last_values: &mut LastValues) -> Arc<Batch> {
        let begins = self.begin_epoch(batch);
        self.relisting.learn(batch.universe());
        let mut missed = Vec::new();
        for lost in batch.missed() {
            missed.extend(self.lost(lost, last_values));
        }
        let [events, tickers] = [batch.events(), batch.tickers()].map(|objects| {
            let mut published = Vec::with_capacity(objects.len());
            for object in objects {
                published.extend(self.object(object, last_values, &mut missed));
            }
            published
        });
        let universe = Arc::clone(self.relisting.known());
        if universe.len() > self.archived {
            self.archive.follow(&universe);
            self.archived = universe.len();
        }
        // The first batch of an upstream may come before any object of it.
        let is_known = batch.watermark() > Timestamp::default();
        let watermark = if is_known { batch.watermark() } else { last_values.watermark() };
        let number = last_values.batch() + 1;
        last_values.set_batch(number);
        last_values.set_epoch(self.epoch);
        last_values.set_watermark(watermark);
        self.archive.set_rules(self.feed.trade_rules());
        // Recorded before it is published, as in the sequenced feed.
        self.archive.record_until(&events, watermark);
        let published = Batch::new(universe, watermark, events, tickers);
        let published = published.with_notices(batch.notices().to_vec());
        Arc::new(published.numbered(number).with_missed(missed).beginning(begins))
    }

    /// The number up to which everything of a stream was published or told as missed.
    fn last(&self, stream: StreamId, last_values: &LastValues) -> Seq {
        self.told.get(&stream).copied().unwrap_or_default().max(last_values.seq(stream))
    }

    /// What the feed tells as missed, without what the cluster has or was told of.
    fn lost(&mut self, lost: &Missed, last_values: &LastValues) -> Option<Missed> {
        let stream = self.relisting.stream(lost.stream);
        let to = match &self.numbers {
            ContinuedNumbers::Raised(offsets) => Seq(lost.to.0.wrapping_add(*offsets.get(&stream)?)),
            ContinuedNumbers::Kept | ContinuedNumbers::Undecided(_) => lost.to,
        };
        let last = self.last(stream, last_values);
        (last.0 > 0 && to > last).then(|| {
            self.told.insert(stream, to);
            Missed { stream, from: last.next(), to }
        })
    }

    /// The object with its id and number in the cluster, which is entered in the last values; `None` if the cluster has it.
    fn object(
        &mut self,
        object: &Object,
        last_values: &mut LastValues,
        missed: &mut Vec<Missed>,
    ) -> Option<Object> {
        let mut object = self.relisting.object(object);
        let stream = object.stream();
        let last = self.last(stream, last_values);
        if let ContinuedNumbers::Raised(offsets) = &mut self.numbers {
            let first = last.next().max(self.floor);
            let offset = offsets.entry(stream).or_insert_with(|| first.0.wrapping_sub(object.seq.0));
            object.seq = Seq(object.seq.0.wrapping_add(*offset));
        }
        if object.seq <= last {
            return None;
        }
        // No client has anything of a stream without a last object.
        if object.seq > last.next() && last.0 > 0 {
            missed.push(Missed { stream, from: last.next(), to: Seq(object.seq.0 - 1) });
        }
        last_values.put(object);
        Some(object)
    }
}

impl BatchSource for ContinuedFeed {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn trade_rules(&self) -> TradeRules {
        self.feed.trade_rules()
    }

    fn open(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let batch = self.feed.open(&mut self.feed_values)?;
        Some(self.publish(&batch, last_values))
    }

    fn ticks(&mut self) -> Ticks {
        self.feed.ticks()
    }

    fn poll(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let batch = self.feed.poll(&mut self.feed_values)?;
        Some(self.publish(&batch, last_values))
    }

    fn control(&mut self, command: ReplayCommand) -> Result<(), ControlRefusal> {
        self.feed.control(command)
    }

    fn replay_status(&self) -> Option<ReplayStatus> {
        self.feed.replay_status()
    }

    fn outage(&self) -> Option<&str> {
        self.feed.outage()
    }

    fn settle(&mut self) {
        self.feed.settle();
        self.archive.settle();
    }

    fn hold_back(&mut self) -> bool {
        self.feed.hold_back()
    }

    fn skip_ticks(&mut self, readers: Readers) {
        self.feed.skip_ticks(readers);
    }
}

#[cfg(test)]
#[path = "continued_feed_tests.rs"]
mod tests;
