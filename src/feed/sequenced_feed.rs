use std::sync::Arc;

use super::{Batch, BatchSource, FeedProgress, LastValues, Sequencer};
use crate::archive::Archive;
use crate::metrics::FeedMetrics;
use crate::model::{Epoch, Event, FeedNotice, Timestamp, TradeRules};
use crate::source::{ControlRefusal, EventSource, Readers, ReplayCommand, ReplayStatus, Ticks};

/// The feed of this node: takes the events of a source, numbers them and records them in the archive.
///
/// Source, sequencer and archive are called in turn on one thread: the work of each is small, and a message between
/// two actors costs about as much.
pub struct SequencedFeed {
    source: Box<dyn EventSource>,
    sequencer: Sequencer,
    archive: Arc<Archive>,
    metrics: FeedMetrics,
    progress: FeedProgress,
    /// The time up to which the source has reported every event.
    watermark: Timestamp,
    /// What held when an earlier run of this feed ended, until the feed opens.
    resumed: Option<LastValues>,
    /// Which trades are the last price, as the source said last.
    rules: TradeRules,
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
        mut sequencer: Sequencer,
        archive: Arc<Archive>,
        metrics: FeedMetrics,
    ) -> Self {
        let rules = source.trade_rules();
        sequencer.set_rules(rules);
        archive.set_rules(rules);
        archive.list(source.universe());
        let (progress, events) = (FeedProgress::default(), Vec::new());
        let (watermark, resumed) = (Timestamp::default(), None);
        Self { source, sequencer, archive, metrics, progress, watermark, resumed, rules, events }
    }

    /// Continues the numbers of an earlier run, with what held at its end. The archive has its history, and the
    /// sequencer's time begins at its end.
    #[must_use]
    pub fn resume(mut self, last_values: LastValues) -> Self {
        self.watermark = last_values.watermark();
        self.resumed = Some(last_values);
        self
    }

    /// Reports how far it is here.
    #[must_use]
    pub fn reporting(self, progress: FeedProgress) -> Self {
        Self { progress, ..self }
    }

    /// How far this feed is, now and later.
    pub fn progress(&self) -> FeedProgress {
        self.progress.clone()
    }

    /// Moves the time to this watermark, which may be back.
    fn advance(&mut self, watermark: Timestamp) {
        if std::mem::replace(&mut self.watermark, watermark) > watermark {
            self.archive.step_back(watermark);
            self.sequencer.step_back(watermark, &self.archive);
        }
    }

    /// Numbers the buffered events and records them; `None` when there is nothing to publish.
    ///
    /// New instruments are published at once, so that sessions that wait for them miss no object. A watermark without an object is not published, so that the lag of a quiet market is seen to grow.
    fn batch(
        &mut self,
        last_values: &mut LastValues,
        watermark: Timestamp,
        notices: Vec<FeedNotice>,
        epoch: Option<Epoch>,
    ) -> Option<Arc<Batch>> {
        if let Some(epoch) = epoch {
            self.sequencer.begin_epoch(epoch);
            last_values.set_epoch(epoch);
        }
        let rules = self.source.trade_rules();
        if std::mem::replace(&mut self.rules, rules) != rules {
            self.sequencer.set_rules(rules);
            self.archive.set_rules(rules);
        }
        let universe = self.source.universe();
        let has_grown = universe.len() > self.sequencer.symbols();
        if has_grown {
            self.archive.list(universe);
            self.sequencer.extend(Arc::clone(universe), watermark);
        }
        let batch = self.sequencer.sequence(last_values, &self.events, watermark);
        let batch = batch.with_notices(notices).beginning(epoch);
        self.events.clear();
        self.events.shrink_to(KEPT_EVENTS);
        if batch.is_empty() && !has_grown {
            self.archive.advance(watermark);
            return None;
        }
        // Recorded before it is published: a session that resumes reads the archive up to the numbers that it
        // finds in the last values.
        self.archive.record(batch.events());
        self.archive.advance(watermark);
        let number = last_values.batch() + 1;
        last_values.set_batch(number);
        last_values.set_watermark(batch.watermark());
        self.progress.set(last_values.published());
        self.metrics.published(batch.len(), batch.watermark());
        Some(Arc::new(batch.numbered(number)))
    }
}

impl BatchSource for SequencedFeed {
    fn epoch(&self) -> Epoch {
        self.sequencer.epoch()
    }

    fn trade_rules(&self) -> TradeRules {
        self.rules
    }

    fn open(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        if let Some(resumed) = self.resumed.take() {
            *last_values = resumed;
        }
        let opened_at = self.source.open(&mut self.events);
        self.advance(opened_at);
        last_values.set_epoch(self.epoch());
        self.batch(last_values, opened_at, Vec::new(), None)
    }

    fn ticks(&mut self) -> Ticks {
        self.source.ticks()
    }

    fn poll(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let (epoch, notices) = (self.source.take_epoch(), self.source.take_notices());
        let watermark = match self.source.poll(&mut self.events) {
            None if notices.is_empty() && epoch.is_none() => return None,
            None => self.watermark,
            Some(watermark) => watermark,
        };
        self.advance(watermark);
        self.batch(last_values, watermark, notices, epoch)
    }

    /// Applies the archive's pending records.
    fn settle(&mut self) {
        self.archive.settle();
    }

    fn control(&mut self, command: ReplayCommand) -> Result<(), ControlRefusal> {
        self.source.control(command)
    }

    fn replay_status(&self) -> Option<ReplayStatus> {
        self.source.replay_status()
    }

    fn hold_back(&mut self) -> bool {
        self.source.hold_back()
    }

    fn skip_ticks(&mut self, readers: Readers) {
        self.source.skip_ticks(readers);
    }
}

#[cfg(test)]
#[path = "sequenced_feed_tests.rs"]
mod tests;
