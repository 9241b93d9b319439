use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::warn;

use super::publication_mark::PublicationMark;
use super::queue::BatchQueue;
use crate::feed::Batch;

/// What the feed calls for each batch: before it is published, and after.
///
/// It is no [`Followers`](crate::feed::Followers) entry: those are actors, whose mailboxes have no bound, and are told
/// after the publication only. When it is dropped, the feed has ended and the journal is closed.
#[derive(Debug)]
pub struct JournalFollower {
    queue: Arc<BatchQueue>,
    mark: Option<PublicationMark>,
    announced: Arc<Announced>,
}

/// The number of the last batch that may have been published.
#[derive(Debug, Default)]
pub(super) struct Announced(AtomicU64);

impl Announced {
    /// The last batch before the feed starts has this number.
    pub(super) const fn starting_at(number: u64) -> Self {
        Self(AtomicU64::new(number))
    }

    pub(super) fn number(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

impl JournalFollower {
    pub(super) const fn new(
        queue: Arc<BatchQueue>,
        mark: Option<PublicationMark>,
        announced: Arc<Announced>,
    ) -> Self {
        Self { queue, mark, announced }
    }

    /// Notes that this batch is about to be published: clients may have seen it from now on. Takes a microsecond.
    pub fn announce(&mut self, batch: &Batch) {
        self.announced.0.store(batch.number(), Ordering::Release);
        if let Some(mark) = &self.mark
            && let Err(error) = mark.set(batch.number())
        {
            warn!("cannot mark what is published, so the epoch will end with a crash: {error}");
            self.mark.take().expect("it is there").remove();
        }
    }

    /// Passes a batch that was published to the writer.
    pub fn record(&mut self, batch: &Arc<Batch>) {
        self.queue.push(batch);
    }
}

impl Drop for JournalFollower {
    fn drop(&mut self) {
        self.queue.close();
    }
}
