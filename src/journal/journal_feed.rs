use std::collections::BTreeMap;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::{error, info};

use super::batch_cursor::{BatchCursor, BatchJoin, JournalReplayError, is_journal};
use super::entry::enter;
use super::renumbering::Renumbering;
use super::shift::moved;
use crate::archive::{Archive, Retention};
use crate::clock::{Clock, ClockRate};
use crate::feed::{Batch, BatchSource, FeedProgress, LastValues};
use crate::metrics::{FeedMetrics, ReplayMetrics};
use crate::model::{
    Body, Channel, Epoch, EpochNumbers, FeedNotice, FeedState, MILLISECOND, Object, Quote, SECOND, StreamId,
    Ticker, Timestamp, Universe,
};
use crate::source::{
    ControlRefusal, NewEpochs, RepeatLog, ReplayCommand, ReplaySettings, ReplayState, ReplayStatus,
    ReplayTimeline, Ticks, file_names, replay_ticks,
};
use crate::wire::rfc3339;

/// The replay of a journal: the batches of an earlier feed as a feed.
///
/// What was recorded is published again as it was: the borders of batches, the numbers of batches and objects, the
/// epoch, and without `--clock shift` all stamps. So a client of the recorded feed can resume here. Nothing is numbered
/// or folded a second time, which is why this is a [`BatchSource`] and no event source.
///
/// Where what follows does not continue what was, after a seek, at the start of another pass, and behind batches that are
/// missing in the journal, an epoch begins of which no other feed knows, and the numbers of all streams go on from what
/// was published.
pub struct JournalFeed {
    cursor: BatchCursor,
    /// The next batch, which is not published yet.
    next: Option<(Arc<Batch>, BatchJoin)>,
    settings: ReplaySettings,
    clock: Clock,
    archive: Arc<Archive>,
    metrics: JournalFeedMetrics,
    progress: FeedProgress,
    epochs: NewEpochs,
    timeline: ReplayTimeline,
    epoch: Epoch,
    /// What holds before the first batch, until the feed opens.
    opening: LastValues,
    /// The time of the journal at which the replay starts.
    start: Timestamp,
    position: Timestamp,
    clock_changes: u64,
    /// Whether numbers are no longer those of the journal.
    renumbering: Option<Renumbering>,
    phase: FeedPhase,
    passes: u64,
    repeat_log: RepeatLog,
    notices: Vec<FeedNotice>,
    is_eager: Arc<AtomicBool>,
}

/// What a replay of a journal counts.
#[derive(Clone, Debug, Default)]
pub struct JournalFeedMetrics {
    /// The counts of the feed.
    pub feed: FeedMetrics,
    /// The counts of the replay.
    pub replay: ReplayMetrics,
}

#[derive(Debug)]
enum FeedPhase {
    Running,
    /// It reads up to this time of the journal, with the last quotes and tickers before it.
    Seeking {
        to: Timestamp,
        standing: BTreeMap<StreamId, Object>,
        repeats: bool,
    },
    Ended,
}

/// The most objects that a seek passes over at once: some milliseconds.
const MAX_SKIPPED: usize = 1 << 15;

impl JournalFeed {
    /// Opens the journal that these settings name; `None` if they name recordings of other formats. What is before
    /// `--from` is read into the archive.
    ///
    /// # Errors
    /// When the journal cannot be read, or has nothing to replay.
    pub fn open(
        settings: &ReplaySettings,
        retention: Retention,
        clock: &Clock,
        metrics: JournalFeedMetrics,
        epochs: NewEpochs,
    ) -> Result<Option<Self>, JournalReplayError> {
        let path = match settings.files.as_slice() {
            [path] if is_journal(path) => path,
            files if files.iter().any(|path| is_journal(path)) => return Err(JournalReplayError::NotAlone),
            _ => return Ok(None),
        };
        let mut cursor = BatchCursor::open(path)?;
        let next = cursor.next().map_err(|error| failed(path, error))?;
        let (Some(standing), Some((first, _))) = (cursor.standing().cloned(), &next) else {
            return Err(JournalReplayError::Nothing(path.clone()));
        };
        let start = settings.from.map_or(first.watermark(), |from| from.max(first.watermark()));
        let reading = clock.read();
        let (timeline, setting) = ReplayTimeline::begin(settings.clock, settings.speed, start, reading.now);
        let mut feed = Self {
            archive: Arc::new(Archive::new(standing.universe().len(), retention)),
            epoch: cursor.epoch(),
            cursor,
            next,
            settings: settings.clone(),
            clock: clock.clone(),
            metrics,
            progress: FeedProgress::default(),
            epochs,
            timeline,
            opening: LastValues::new(standing.universe().len()),
            start,
            position: start,
            clock_changes: reading.changes,
            renumbering: None,
            phase: FeedPhase::Running,
            passes: 0,
            repeat_log: RepeatLog::default(),
            notices: Vec::new(),
            is_eager: Arc::new(AtomicBool::new(true)),
        };
        feed.read_to_start(&standing).map_err(|error| failed(path, error))?;
        if !feed.has_more() {
            return Err(JournalReplayError::Nothing(path.clone()));
        }
        setting.apply(clock);
        Ok(Some(feed))
    }

    /// The instruments from the start.
    pub fn universe(&self) -> Arc<Universe> {
        let next = self.next.as_ref().expect("there is a batch before the feed opens");
        Arc::clone(next.0.universe())
    }

    /// Where the feed records what it publishes.
    pub const fn archive(&self) -> &Arc<Archive> {
        &self.archive
    }

    /// How far this feed is, now and later.
    pub fn progress(&self) -> FeedProgress {
        self.progress.clone()
    }

    /// Reads what is before the start into the archive, in the time of the service.
    fn read_to_start(&mut self, standing: &Batch) -> std::io::Result<()> {
        let mut last_values = mem::take(&mut self.opening);
        let (shift, newest) = (self.timeline.shift_nanos(), self.timeline.moved(standing.watermark()));
        standing.objects().for_each(|object| last_values.put(moved(*object, shift, newest)));
        last_values.set_watermark(newest);
        last_values.set_batch(standing.number());
        while let Some((batch, join)) = self.next.take_if(|(batch, _)| batch.watermark() < self.start) {
            let batch = self.renewed(&batch, join, &last_values, Vec::new());
            self.record(&batch);
            self.archive.settle();
            enter(&mut last_values, &batch);
            self.next = self.cursor.next()?;
        }
        last_values.set_epoch(self.epoch);
        self.progress.set(last_values.published());
        self.opening = last_values;
        Ok(())
    }

    /// Whether there is another batch before `--until`.
    fn has_more(&self) -> bool {
        let is_before_end = |batch: &Batch| self.settings.until.is_none_or(|until| batch.watermark() < until);
        self.next.as_ref().is_some_and(|(batch, _)| is_before_end(batch))
    }

    /// The batch as it is published: as it was recorded if nothing is different.
    fn renewed(
        &mut self,
        recorded: &Arc<Batch>,
        join: BatchJoin,
        last_values: &LastValues,
        mut notices: Vec<FeedNotice>,
    ) -> Arc<Batch> {
        let epoch = match (join, &self.renumbering) {
            (BatchJoin::Continues, _) => None,
            // A restarted relay began one until its upstream told that the earlier one goes on.
            (BatchJoin::Begins(epoch), None) if epoch == self.epoch && !recorded.restarts_numbers() => None,
            (BatchJoin::Begins(epoch), None) => Some(epoch),
            (BatchJoin::Begins(_), Some(_)) => Some((self.epochs)()),
            (BatchJoin::Missing(from), _) => {
                self.renumbering = Some(Renumbering::default());
                let [from, to] = [from, recorded.watermark()].map(|at| Some(self.timeline.moved(at)));
                let back = FeedNotice::of_source(FeedState::Back, SOURCE);
                notices.push(FeedNotice { from, to, filled: Some(false), ..back });
                Some((self.epochs)())
            }
        };
        self.epoch = epoch.unwrap_or(self.epoch);
        let shift = self.timeline.shift_nanos();
        let is_same = shift == 0 && epoch == recorded.begun_epoch();
        if is_same && self.renumbering.is_none() && notices.is_empty() {
            return Arc::clone(recorded);
        }
        let begun = recorded.beginning_epoch().map(|begun| begun.numbers).unwrap_or_default();
        let (missed, numbers) = match &mut self.renumbering {
            None => (recorded.missed().to_vec(), begun),
            Some(renumbering) => {
                if begun == EpochNumbers::Restart {
                    *renumbering = Renumbering::default();
                }
                let missed = recorded.missed().iter().filter_map(|missed| renumbering.missed(missed));
                (missed.collect(), EpochNumbers::GoOn)
            }
        };
        let watermark = self.timeline.moved(recorded.watermark());
        let mut renew = |objects: &[Object]| -> Vec<Object> {
            let renew = |object: &Object| {
                let object = moved(*object, shift, watermark);
                match &mut self.renumbering {
                    None => object,
                    Some(renumbering) => renumbering.apply(object, last_values),
                }
            };
            objects.iter().map(renew).collect()
        };
        let (events, tickers) = (renew(recorded.events()), renew(recorded.tickers()));
        let (messages, contents): (Vec<_>, Vec<_>) = recorded.shared_messages().unzip();
        let messages = renew(&messages);
        let number = match self.renumbering {
            None => recorded.number(),
            Some(_) => last_values.batch() + 1,
        };
        let universe = Arc::clone(recorded.universe());
        let batch = Batch::new(universe, watermark, events, tickers).with_messages(messages, contents);
        let batch = batch.numbered(number).with_notices(notices).with_missed(missed);
        Arc::new(batch.beginning(epoch).with_epoch_numbers(numbers))
    }

    /// Records a batch in the archive.
    fn record(&self, batch: &Batch) {
        self.archive.list(batch.universe());
        if batch.restarts_numbers() {
            self.archive.restart_numbers();
        }
        self.archive.record_until(batch.events(), batch.watermark());
        self.archive.record_messages(batch.universe(), batch.messages());
    }

    /// Enters a batch that is about to be published.
    fn publish(&mut self, batch: Arc<Batch>, last_values: &mut LastValues) -> Arc<Batch> {
        self.record(&batch);
        enter(last_values, &batch);
        last_values.set_epoch(self.epoch);
        self.progress.set(last_values.published());
        let JournalFeedMetrics { feed, replay } = &self.metrics;
        feed.published(batch.len(), batch.watermark());
        replay.events.inc_by(batch.events().len() as u64);
        replay.position.set(self.position.nanos() as f64 / SECOND as f64);
        if self.timeline.is_max() {
            self.clock.hold(batch.watermark());
        }
        batch
    }

    /// The next batch if it is due at this time.
    fn next_batch(&mut self, now: Timestamp, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        if !self.has_more() {
            self.end();
            return None;
        }
        let is_due = |batch: &Batch| self.timeline.is_max() || self.timeline.moved(batch.watermark()) <= now;
        let Some((recorded, join)) = self.next.take_if(|(batch, _)| is_due(batch)) else {
            self.set_eager(false);
            self.pass_time(now);
            return None;
        };
        self.position = recorded.watermark();
        let notices = mem::take(&mut self.notices);
        let batch = self.renewed(&recorded, join, last_values, notices);
        let batch = self.publish(batch, last_values);
        self.read_next();
        self.set_eager(true);
        Some(batch)
    }

    /// Nothing happened up to now: bars end.
    fn pass_time(&self, now: Timestamp) {
        let now = now.floor_to(MILLISECOND);
        if (self.is_ended() || !self.timeline.is_max()) && now > self.archive.watermark() {
            self.archive.advance(now);
        }
    }

    fn read_next(&mut self) {
        self.next = self.cursor.next().unwrap_or_else(|error| {
            error!("the journal cannot be read any further: {error}");
            None
        });
    }

    fn is_ended(&self) -> bool {
        matches!(self.phase, FeedPhase::Ended)
    }

    fn end(&mut self) {
        if self.settings.repeats {
            self.metrics.replay.repeats.inc();
            self.passes += 1;
            self.cursor.rewind();
            self.read_next();
            return self.seek_to(self.start, true, self.standing());
        }
        info!(events = self.metrics.replay.events.get(), "the replay has ended");
        self.metrics.replay.ended.set(1);
        self.notices.push(FeedNotice::of_source(FeedState::Ended, SOURCE));
        self.phase = FeedPhase::Ended;
        self.set_eager(false);
        if self.timeline.is_max() {
            self.clock.run(self.timeline.moved(self.position), ClockRate::ONE);
        }
    }

    fn seek_to(&mut self, to: Timestamp, repeats: bool, standing: BTreeMap<StreamId, Object>) {
        self.phase = FeedPhase::Seeking { to, standing, repeats };
        self.set_eager(true);
    }

    /// The last quotes and tickers before the first batch of the journal.
    fn standing(&self) -> BTreeMap<StreamId, Object> {
        let mut standing = BTreeMap::new();
        if let Some(batch) = self.cursor.standing() {
            keep(&mut standing, batch);
        }
        standing
    }

    /// Reads on towards the time at which the replay goes on, and goes on there with the last quotes and tickers before
    /// it.
    fn seek(&mut self, now: Timestamp, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let FeedPhase::Seeking { to, mut standing, repeats } =
            mem::replace(&mut self.phase, FeedPhase::Running)
        else {
            return None;
        };
        let mut skipped = 0;
        while let Some((batch, _)) = self.next.take_if(|(batch, _)| batch.watermark() < to) {
            keep(&mut standing, &batch);
            skipped += batch.len();
            self.read_next();
            if skipped >= MAX_SKIPPED {
                self.phase = FeedPhase::Seeking { to, standing, repeats };
                return None;
            }
        }
        // A time after the last batch is the end.
        let to = if self.next.is_none() { to.min(self.cursor.newest()).max(self.start) } else { to };
        let latest = last_values.watermark().max(now);
        let setting = match repeats {
            true => self.timeline.repeat(to, last_values.watermark()),
            false => Some(self.timeline.jump(to, latest)),
        };
        if let Some(setting) = setting {
            setting.apply(&self.clock);
        }
        self.position = to;
        self.epoch = (self.epochs)();
        let mut renumbering = Renumbering::default();
        let (shift, watermark) = (self.timeline.shift_nanos(), self.timeline.moved(to));
        let watermark = if setting.is_some() { watermark } else { last_values.watermark() };
        let (timeline, earliest) = (self.timeline, last_values.watermark());
        let objects = standing.into_values().map(|object| {
            let mut object = moved(object, shift, watermark);
            if let Body::Quote(Quote { at, .. }) | Body::Ticker(Ticker { at, .. }) = &mut object.body {
                *at = timeline.republished(*at, earliest);
            }
            // Its successor has the number after it.
            renumbering.apply(object, last_values)
        });
        let (tickers, events) = objects.partition(|object| object.stream().channel() == Channel::Tickers);
        // What comes between the last one here and the next one of its stream was passed over.
        self.renumbering = Some(Renumbering::default());
        let universe = match &self.next {
            Some((batch, _)) => Arc::clone(batch.universe()),
            None => {
                self.cursor.standing().map(|standing| Arc::clone(standing.universe())).unwrap_or_default()
            }
        };
        let batch = Batch::new(universe, watermark, events, tickers)
            .numbered(last_values.batch() + 1)
            .with_notices(mem::take(&mut self.notices))
            .beginning(Some(self.epoch));
        if !repeats {
            info!(to = rfc3339(to), "the replay goes on");
        } else if self.repeat_log.takes(self.clock.real_elapsed()) {
            info!(passes = self.passes, "the replay begins again; logged once a minute at most");
        }
        // The batch that follows is no continuation of what was read before it, and is told so already.
        if let Some((_, join)) = &mut self.next {
            *join = BatchJoin::Continues;
        }
        Some(self.publish(Arc::new(batch), last_values))
    }

    fn begin_seek(&mut self, to: Timestamp) -> Result<(), ControlRefusal> {
        let to = self.settings.seek_target(to, self.start).ok_or(ControlRefusal::OutOfRange)?;
        let read_to = match self.phase {
            FeedPhase::Seeking { to: earlier, .. } => earlier,
            _ => self.position,
        };
        let mut standing = BTreeMap::new();
        if to <= read_to {
            self.cursor.rewind();
            self.next = self.cursor.next().map_err(|error| ControlRefusal::Unreadable(error.to_string()))?;
            standing = self.standing();
        }
        if self.is_ended() {
            self.metrics.replay.ended.set(0);
            self.notices.push(FeedNotice::of_source(FeedState::Live, SOURCE));
        }
        self.seek_to(to, false, standing);
        Ok(())
    }

    /// A batch of notices alone, which has no number of its own.
    fn notices_alone(&mut self, last_values: &LastValues) -> Option<Arc<Batch>> {
        if self.notices.is_empty() {
            return None;
        }
        let universe = match &self.next {
            Some((batch, _)) => Arc::clone(batch.universe()),
            None => {
                self.cursor.standing().map(|standing| Arc::clone(standing.universe())).unwrap_or_default()
            }
        };
        let batch = Batch::new(universe, last_values.watermark(), Vec::new(), Vec::new());
        Some(Arc::new(batch.numbered(last_values.batch()).with_notices(mem::take(&mut self.notices))))
    }

    fn set_eager(&self, is_eager: bool) {
        self.is_eager.store(is_eager, Ordering::Relaxed);
    }
}

/// Keeps the last quotes and tickers of a batch that is passed over.
fn keep(standing: &mut BTreeMap<StreamId, Object>, batch: &Batch) {
    let is_kept = |object: &&Object| matches!(object.stream().channel(), Channel::Quotes | Channel::Tickers);
    standing.extend(batch.objects().filter(is_kept).map(|object| (object.stream(), *object)));
}

/// The name of the source in notices.
const SOURCE: &str = "replay";

fn failed(path: &Path, error: std::io::Error) -> JournalReplayError {
    JournalReplayError::Io { path: PathBuf::from(path), error }
}

impl BatchSource for JournalFeed {
    fn may_interleave(&self) -> bool {
        false
    }

    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn open(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        *last_values = mem::take(&mut self.opening);
        None
    }

    fn ticks(&mut self) -> Ticks {
        replay_ticks(&self.is_eager)
    }

    fn poll(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let reading = self.clock.read();
        let was_set = mem::replace(&mut self.clock_changes, reading.changes) != reading.changes;
        if was_set && self.clock.follows_system() {
            let watermark = self.timeline.moved(self.position);
            self.timeline.follow(reading.now, watermark);
        }
        let batch = match self.phase {
            FeedPhase::Running if self.timeline.is_paused() => None,
            FeedPhase::Running => self.next_batch(reading.now, last_values),
            FeedPhase::Seeking { .. } => self.seek(reading.now, last_values),
            FeedPhase::Ended => {
                self.pass_time(reading.now);
                None
            }
        };
        batch.or_else(|| self.notices_alone(last_values))
    }

    fn settle(&mut self) {
        self.archive.settle();
    }

    /// A journal can always wait.
    fn hold_back(&mut self) -> bool {
        self.set_eager(false);
        true
    }

    fn control(&mut self, command: ReplayCommand) -> Result<(), ControlRefusal> {
        let now = self.clock.now();
        let was_paused = self.timeline.is_paused();
        let setting = match command {
            ReplayCommand::Seek(to) => return self.begin_seek(to),
            ReplayCommand::Pause => self.timeline.pause(now),
            ReplayCommand::Resume if !was_paused => return Ok(()),
            ReplayCommand::Resume => self.timeline.resume(now),
            ReplayCommand::Speed(speed) => self.timeline.set_speed(speed, now),
        };
        setting.apply(&self.clock);
        if self.is_ended() && self.timeline.is_max() && !self.timeline.is_paused() {
            self.clock.run(now, ClockRate::ONE);
        }
        if self.timeline.is_paused() != was_paused {
            let state = if was_paused { FeedState::Live } else { FeedState::Paused };
            self.notices.push(FeedNotice::of_source(state, SOURCE));
        }
        self.set_eager(true);
        Ok(())
    }

    fn replay_status(&self) -> Option<ReplayStatus> {
        Some(ReplayStatus {
            files: file_names(&self.cursor.names()),
            from: self.settings.from.unwrap_or(self.start),
            until: self.settings.until,
            position: self.position,
            speed: self.timeline.speed(),
            clock: self.settings.clock,
            state: match self.phase {
                FeedPhase::Seeking { .. } => ReplayState::Seeking,
                FeedPhase::Ended => ReplayState::Ended,
                FeedPhase::Running if self.timeline.is_paused() => ReplayState::Paused,
                FeedPhase::Running => ReplayState::Running,
            },
            repeats: self.settings.repeats,
            passes: self.passes,
        })
    }
}

#[cfg(test)]
#[path = "journal_feed_tests.rs"]
mod tests;
