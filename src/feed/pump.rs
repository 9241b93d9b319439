use std::sync::Arc;

use super::{Batch, LastValues, Sequencer};
use crate::metrics::FeedMetrics;
use crate::model::{Event, SECOND, Timestamp};
use crate::source::{EventSource, Ticks};

/// An event source and what becomes of its events.
///
/// The source is called plainly: its work and the recorder's are small and strictly in turn, and a
/// message between two actors costs about as much as either.
pub struct FeedPump {
    source: Box<dyn EventSource>,
    /// Events of one poll. It keeps its room.
    events: Vec<Event>,
    recorder: Sequencer,
    metrics: FeedMetrics,
}

/// Room for the events of one turn that is kept: more than a millisecond of any market has, some 50 KiB.
const KEPT_EVENTS: usize = 1 << 10;

impl FeedPump {
    /// What this source tells goes through this recorder.
    pub fn new(source: Box<dyn EventSource>, recorder: Sequencer, metrics: FeedMetrics) -> Self {
        Self { source, events: Vec::new(), recorder, metrics }
    }

    /// When to ask for [what is new](Self::beat). Needs a running runtime.
    pub(super) fn beats(&mut self) -> Ticks {
        self.source.ticks()
    }

    /// The first batch: what is true when the market opens.
    pub(super) fn open(&mut self, latest: &mut LastValues) -> Option<Arc<Batch>> {
        let opened = self.source.open(&mut self.events);
        self.batch(latest, opened)
    }

    /// What has happened since this was last asked, if anything.
    pub(super) fn beat(&mut self, latest: &mut LastValues) -> Option<Arc<Batch>> {
        let newest = self.source.poll(&mut self.events)?;
        self.batch(latest, newest)
    }

    /// Does what can wait until the batch has left.
    pub(super) fn settle(&self) {
        self.recorder.settle();
    }

    /// Until something happens nobody needs to ask.
    pub(super) fn rest(&mut self) {
        self.source.skip_idle_ticks();
    }

    /// How many instruments there are.
    pub(super) fn symbols(&self) -> usize {
        self.recorder.symbols()
    }

    /// A batch of what the market has told, up to `newest`.
    fn batch(&mut self, latest: &mut LastValues, newest: Timestamp) -> Option<Arc<Batch>> {
        let batch = self.recorder.record(latest, &self.events, newest);
        self.events.clear();
        self.events.shrink_to(KEPT_EVENTS);
        if batch.is_empty() {
            // Nothing is told: a quiet market's newest event grows old.
            return None;
        }
        latest.set_watermark(batch.watermark());
        self.metrics.batches.inc();
        self.metrics.objects.inc_by(batch.len() as u64);
        self.metrics.newest.set(batch.watermark().nanos() as f64 / SECOND as f64);
        Some(Arc::new(batch))
    }
}
