use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::warn;

use super::publication_log::PublicationLog;
use super::queue::BatchQueue;
use crate::feed::Batch;

/// What the feed calls for each batch: before it is published, and after.
///
/// It is no [`Followers`](crate::feed::Followers) entry: those are actors, whose mailboxes have no bound, and are told
/// after the publication only. When it is dropped, the feed has ended and the journal is closed.
#[derive(Debug)]
pub struct JournalFollower {
    queue: Arc<BatchQueue>,
    log: Option<PublicationLog>,
    progress: Arc<JournalProgress>,
    /// The number of the last batch that was recorded.
    last: u64,
}

/// How far the feed and the journal are.
#[derive(Debug, Default)]
pub(super) struct JournalProgress {
    announced: AtomicU64,
    written: AtomicU64,
}

impl JournalProgress {
    /// The last batch before the feed starts has this number.
    pub(super) const fn starting_at(number: u64) -> Self {
        Self { announced: AtomicU64::new(number), written: AtomicU64::new(number) }
    }

    /// The number of the last batch that may have been published.
    pub(super) fn announced(&self) -> u64 {
        self.announced.load(Ordering::Acquire)
    }

    /// The journal has told the kernel of all batches up to this one.
    pub(super) fn set_written(&self, number: u64) {
        self.written.store(number, Ordering::Release);
    }
}

impl JournalFollower {
    pub(super) fn new(
        queue: Arc<BatchQueue>,
        log: Option<PublicationLog>,
        progress: Arc<JournalProgress>,
    ) -> Self {
        let last = progress.announced();
        Self { queue, log, progress, last }
    }

    /// Whether this batch is to be recorded. One without a number of its own has notices alone.
    const fn is_recorded(&self, batch: &Batch) -> bool {
        batch.number() != self.last
    }

    /// Notes that this batch is about to be published: clients may have seen it from now on. Takes a microsecond.
    pub fn announce(&mut self, batch: &Batch) {
        if !self.is_recorded(batch) {
            return;
        }
        self.progress.announced.store(batch.number(), Ordering::Release);
        let written = self.progress.written.load(Ordering::Acquire);
        if let Some(log) = &mut self.log
            && let Err(error) = log.announce(batch, written)
        {
            warn!("cannot keep what is published, so the epoch will end with a crash: {error}");
            self.log.take().expect("it is there").remove();
        }
    }

    /// Passes a batch that was published to the writer.
    pub fn record(&mut self, batch: &Arc<Batch>) {
        if self.is_recorded(batch) {
            self.last = batch.number();
            self.queue.push(batch);
        }
    }
}

impl Drop for JournalFollower {
    fn drop(&mut self) {
        self.queue.close();
    }
}
