use std::sync::Arc;
use std::time::Instant;

use super::{Batch, LastValues};
use crate::model::{Epoch, Timestamp, TradeRules};
use crate::source::{ControlRefusal, Readers, ReplayCommand, ReplayStatus, Ticks};
use crate::topics::{Moderation, Publication, PublicationNumber, PublishRefusal};

/// What became of messages that were to be published.
#[derive(Debug)]
pub struct PublishedMessages {
    /// The batch that has them, unless there are none.
    pub batch: Option<Arc<Batch>>,
    /// The number of each, in order, or why it was refused.
    pub results: Vec<Result<PublicationNumber, PublishRefusal>>,
}

/// A source of numbered batches: the local [sequenced feed](super::SequencedFeed), or one that forwards the batches of
/// another node.
///
/// The caller owns the [`LastValues`] and lends them to each call, so that a thread that reads them too needs no
/// second copy. The order of calls: [`open`](Self::open) once, then for each item of [`ticks`](Self::ticks)
/// [`poll`](Self::poll), publish, [`settle`](Self::settle) and, when no tick is needed,
/// [`skip_ticks`](Self::skip_ticks).
pub trait BatchSource: Send {
    /// The epoch of all sequence numbers of this source.
    fn epoch(&self) -> Epoch;

    /// Which of its trades are the last price.
    fn trade_rules(&self) -> TradeRules {
        TradeRules::EveryTrade
    }

    /// Returns the first batch, what holds when the feed starts, and enters it in the last values.
    fn open(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>>;

    /// The stream of wake-ups, to be taken once; the feed has failed when it ends. Needs a running Tokio runtime.
    fn ticks(&mut self) -> Ticks;

    /// Returns what is new since the last call, if anything, and enters it in the last values.
    fn poll(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>>;

    /// Whether messages of topics may be numbered between its batches: not if these have numbers that were given
    /// elsewhere, by another node or when a journal was recorded.
    fn may_interleave(&self) -> bool {
        true
    }

    /// Publishes messages at this time, in order, and enters them in the last values. The caller publishes the batch
    /// before it calls anything else. Without topics all are refused.
    fn publish(
        &mut self,
        _: &mut LastValues,
        publications: Vec<Publication>,
        _: Timestamp,
        _: Instant,
    ) -> PublishedMessages {
        let results = publications.iter().map(|_| Err(PublishRefusal::NoSuchTopic)).collect();
        PublishedMessages { batch: None, results }
    }

    /// Restricts the publishers of topics. Without topics it is refused.
    ///
    /// # Errors
    /// When it is refused.
    fn moderate(&mut self, _: &Moderation, _: Instant) -> Result<(), PublishRefusal> {
        Err(PublishRefusal::NoSuchTopic)
    }

    /// Changes a running replay, as in [`EventSource`](crate::source::EventSource::control).
    ///
    /// # Errors
    /// When the source is no replay, or the replay cannot follow.
    fn control(&mut self, _: ReplayCommand) -> Result<(), ControlRefusal> {
        Err(ControlRefusal::NoReplay)
    }

    /// Where the replay is; `None` if the source is no replay.
    fn replay_status(&self) -> Option<ReplayStatus> {
        None
    }

    /// Why no new sessions are to be accepted now; `None` if they are.
    fn outage(&self) -> Option<&str> {
        None
    }

    /// Does the work that can wait until the batch has been sent.
    fn settle(&mut self) {}

    /// Asks the source for no batch before the next tick, as in
    /// [`EventSource`](crate::source::EventSource::hold_back).
    fn hold_back(&mut self) -> bool {
        false
    }

    /// A hint that the caller can wait for batches like this, as in
    /// [`EventSource`](crate::source::EventSource::skip_ticks).
    fn skip_ticks(&mut self, _: Readers) {}
}
