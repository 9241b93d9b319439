use std::sync::Arc;

use super::{Batch, BatchSource, LastValues, Sequencer};
use crate::archive::Archive;
use crate::metrics::FeedMetrics;
use crate::model::{Epoch, Event, SECOND, Timestamp};
use crate::source::{EventSource, Ticks};

/// The feed of this node: takes the events of a source, numbers them and records them in the archive.
///
/// Source, sequencer and archive are called in turn on one thread: the work of each is small, and a message between
/// two actors costs about as much.
pub struct SequencedFeed {
    source: Box<dyn EventSource>,
    sequencer: Sequencer,
    archive: Arc<Archive>,
    metrics: FeedMetrics,
    /// The events of the current tick. The buffer is reused.
    events: Vec<Event>,
}

/// The capacity of the event buffer that is kept between ticks: more events than a millisecond of any market has,
/// about 50 KiB.
const KEPT_EVENTS: usize = 1 << 10;

impl SequencedFeed {
    /// A feed of this source's events, numbered by this sequencer and recorded in this archive.
    pub fn new(
        source: Box<dyn EventSource>,
        sequencer: Sequencer,
        archive: Arc<Archive>,
        metrics: FeedMetrics,
    ) -> Self {
        Self { source, sequencer, archive, metrics, events: Vec::new() }
    }

    /// Numbers the buffered events and records them; `None` when there is nothing to publish.
    ///
    /// A watermark without an object is not published, so that the lag of a quiet market is seen to grow.
    fn batch(&mut self, last_values: &mut LastValues, watermark: Timestamp) -> Option<Arc<Batch>> {
        let batch = self.sequencer.sequence(last_values, &self.events, watermark);
        self.events.clear();
        self.events.shrink_to(KEPT_EVENTS);
        if batch.is_empty() {
            return None;
        }
        // Recorded before it is published: a session that resumes reads the archive up to the numbers that it
        // finds in the last values.
        self.archive.record(batch.events());
        last_values.set_watermark(batch.watermark());
        self.metrics.batches.inc();
        self.metrics.objects.inc_by(batch.len() as u64);
        self.metrics.watermark.set(batch.watermark().nanos() as f64 / SECOND as f64);
        Some(Arc::new(batch))
    }
}

impl BatchSource for SequencedFeed {
    fn epoch(&self) -> Epoch {
        self.sequencer.epoch()
    }

    fn open(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let opened_at = self.source.open(&mut self.events);
        self.batch(last_values, opened_at)
    }

    fn ticks(&mut self) -> Ticks {
        self.source.ticks()
    }

    fn poll(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let watermark = self.source.poll(&mut self.events)?;
        self.batch(last_values, watermark)
    }

    /// Applies the archive's pending records.
    fn settle(&mut self) {
        self.archive.settle();
    }

    fn skip_idle_ticks(&mut self) {
        self.source.skip_idle_ticks();
    }
}
