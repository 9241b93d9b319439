use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tracing::{error, info};

use super::control::{ControlRefusal, ReplayCommand, ReplayState, ReplayStatus, file_names};
use super::history::PastBars;
use super::record::shifted;
use super::recording::{Recording, SkippedRecord};
use super::repeat_log::RepeatLog;
use super::replay_ticks::replay_ticks;
use super::timeline::ReplayTimeline;
use crate::clock::{Clock, ClockRate};
use crate::metrics::ReplayMetrics;
use crate::model::{
    Epoch, Event, FeedNotice, FeedState, MILLISECOND, Quote, SECOND, SymbolId, Timestamp, TradeRules,
    Universe,
};
use crate::source::{EventSource, Ticks};
use crate::wire::rfc3339;

/// A recording as an [`EventSource`], in step with the clock of the service.
///
/// 1. The events of one millisecond of the recording are one batch, at every speed. So two replays publish the same
///    batches, and at the speed `max` nothing depends on the time of day.
/// 2. A batch is due when its millisecond is over by the clock of the service. If the process was late, all that is due
///    is published at once, batch by batch; nothing is left out.
/// 3. With `--clock shift` the time of the recording is moved by whole minutes, so that its minutes are minutes of the
///    clock; the first seconds, those of the minute that has begun already, are published at once. At speed 1 it
///    follows the system's clock when that is set. At another speed, and with `--clock original`, the clock of the
///    service is that of the replay.
/// 4. When it begins again (`--loop`) or goes on elsewhere (a seek), an epoch begins. Moved stamps go on from the latest
///    one; unmoved, time goes back, which the feed knows from a clock that is set back.
pub struct ReplaySource {
    recording: Recording,
    universe: Arc<Universe>,
    clock: Clock,
    metrics: ReplayMetrics,
    epochs: NewEpochs,
    timeline: ReplayTimeline,
    opened_at: Timestamp,
    watermark: Timestamp,
    /// The time of the recording up to which everything was published.
    position: Timestamp,
    /// How often the system's clock was set, as far as known.
    clock_changes: u64,
    /// The events of the millisecond that is being read, and its start in the recording.
    batch: Vec<Event>,
    batch_at: Option<Timestamp>,
    phase: Phase,
    passes: u64,
    repeat_log: RepeatLog,
    /// What is to be told before the next events.
    notices: Vec<FeedNotice>,
    begun_epoch: Option<Epoch>,
    is_eager: Arc<AtomicBool>,
}

/// Gives a random epoch each time.
pub type NewEpochs = Box<dyn FnMut() -> Epoch + Send>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    /// It reads up to this time of the recording, where it goes on.
    Seeking(Timestamp, SeekReason),
    /// It goes on there, in an epoch that is told before.
    Arrived(Timestamp, SeekReason),
    /// The recording is over, and time goes on.
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SeekReason {
    Command,
    /// The end is followed by the start.
    Repeat,
}

/// The most records that a poll reads, so that one of many skipped ones takes a few milliseconds.
const MAX_READ: usize = 1 << 14;

/// The most events of a batch. Files with times in seconds may have more in one: they are several batches then.
const MAX_BATCH: usize = 1 << 13;

impl ReplaySource {
    /// A source of this recording, which sets the clock to its own time where the settings ask for that.
    pub fn new(recording: Recording, clock: Clock, metrics: ReplayMetrics, epochs: NewEpochs) -> Self {
        let (settings, start) = (recording.settings(), recording.start());
        let reading = clock.read();
        let (timeline, setting) = ReplayTimeline::begin(settings.clock, settings.speed, start, reading.now);
        setting.apply(&clock);
        let opened_at = timeline.moved(start);
        let universe = Arc::clone(recording.universe());
        Self {
            recording,
            universe,
            clock,
            metrics,
            epochs,
            timeline,
            opened_at,
            watermark: opened_at,
            position: start,
            clock_changes: reading.changes,
            batch: Vec::new(),
            batch_at: None,
            phase: Phase::Running,
            passes: 0,
            repeat_log: RepeatLog::default(),
            notices: Vec::new(),
            begun_epoch: None,
            is_eager: Arc::default(),
        }
    }

    /// The time at which the replay starts, by the clock of the service.
    pub fn opened_at(&self) -> Timestamp {
        self.opened_at
    }

    /// The bars of the files before the start. To be taken once.
    pub fn take_past(&mut self) -> impl Iterator<Item = (SymbolId, PastBars)> + use<> {
        self.recording.take_past(self.timeline.shift_nanos())
    }

    /// Publishes the next batch that is due at this time; `None` if none is.
    fn next_batch(&mut self, now: Timestamp, out: &mut Vec<Event>) -> Option<Timestamp> {
        for _ in 0..MAX_READ {
            let Ok(head) = self.recording.peek() else { continue };
            let start = head.map(|head| head.at.floor_to(MILLISECOND));
            if let Some(batch_at) = self.batch_at {
                if start != Some(batch_at) || self.batch.len() >= MAX_BATCH {
                    return Some(self.publish(batch_at, start, out));
                }
            } else {
                match start {
                    None => {
                        self.set_eager(false);
                        return self.end();
                    }
                    Some(start) if !self.timeline.is_max() && end_of(self.timeline.moved(start)) > now => {
                        self.set_eager(false);
                        return None;
                    }
                    Some(start) => self.batch_at = Some(start),
                }
            }
            if let Some(head) = head {
                self.recording.take();
                self.batch.extend(self.recording.event(&head, self.timeline.shift_nanos()));
            }
        }
        // There is more to read.
        self.set_eager(true);
        None
    }

    /// Hands out the batch of a millisecond, and returns the watermark after it: the end of that millisecond, unless
    /// more of it follows.
    fn publish(&mut self, batch_at: Timestamp, next: Option<Timestamp>, out: &mut Vec<Event>) -> Timestamp {
        self.batch_at = None;
        self.metrics.events.inc_by(self.batch.len() as u64);
        self.metrics.position.set(batch_at.nanos() as f64 / SECOND as f64);
        out.append(&mut self.batch);
        self.list_instruments();
        // Another batch may be due already.
        self.set_eager(true);
        self.position = if next == Some(batch_at) { batch_at } else { end_of(batch_at) };
        self.timeline.moved(self.position)
    }

    fn list_instruments(&mut self) {
        if self.recording.publish_symbols().len() > self.universe.len() {
            self.universe = Arc::clone(self.recording.universe());
        }
    }

    /// Ends the replay, or begins it again. Returns the last watermark, if it has ended: the end of the minute of the
    /// last event, so that no bar stays open; it does not move any more.
    fn end(&mut self) -> Option<Timestamp> {
        if self.recording.settings().repeats {
            match self.recording.reopen() {
                Ok(()) => {
                    self.metrics.repeats.inc();
                    self.passes += 1;
                    self.phase = Phase::Seeking(self.recording.start(), SeekReason::Repeat);
                    self.set_eager(true);
                    return None;
                }
                Err(error) => error!("the replay cannot begin again: {error}"),
            }
        }
        info!(events = self.metrics.events.get(), "the replay has ended");
        self.metrics.ended.set(1);
        self.notices.push(FeedNotice::of_source(FeedState::Ended, self.name()));
        self.phase = Phase::Ended;
        let last_minute =
            (self.watermark + Duration::from_nanos(60 * SECOND as u64 - 1)).floor_to(60 * SECOND);
        Some(last_minute)
    }

    /// Reads on towards the time at which the replay goes on.
    fn seek(&mut self, to: Timestamp, reason: SeekReason) {
        self.set_eager(true);
        for _ in 0..MAX_READ {
            match self.recording.peek() {
                Err(SkippedRecord) => {}
                Ok(Some(head)) if self.recording.is_before(&head, to) => self.recording.skip(&head),
                Ok(head) => {
                    // A time after the last event is the end.
                    let to = if head.is_none() { to.min(self.recording.read_until()) } else { to };
                    self.begun_epoch = Some((self.epochs)());
                    self.phase = Phase::Arrived(to, reason);
                    return;
                }
            }
        }
    }

    /// Goes on at this time of the recording with the last quotes before it, and returns the watermark.
    fn go_on_at(
        &mut self,
        to: Timestamp,
        reason: SeekReason,
        now: Timestamp,
        out: &mut Vec<Event>,
    ) -> Timestamp {
        let before = self.timeline.shift_nanos();
        let setting = match reason {
            SeekReason::Command => Some(self.timeline.jump(to, self.watermark.max(now))),
            SeekReason::Repeat => self.timeline.repeat(to, self.watermark),
        };
        if let Some(setting) = setting {
            setting.apply(&self.clock);
        }
        match reason {
            SeekReason::Command => {
                let moved_s = (self.timeline.shift_nanos() - before) / SECOND;
                info!(to = rfc3339(to), moved_s, "the replay goes on");
            }
            SeekReason::Repeat if self.repeat_log.takes(self.clock.real_elapsed()) => {
                info!(passes = self.passes, "the replay begins again; logged once a minute at most");
            }
            SeekReason::Repeat => {}
        }
        let (timeline, latest) = (self.timeline, self.watermark);
        out.extend(self.recording.quotes().map(|quote| {
            let at = timeline.republished(timeline.moved(quote.at), latest);
            Event::Quote(Quote { at, ..quote })
        }));
        self.list_instruments();
        self.phase = Phase::Running;
        self.position = to;
        self.set_eager(true);
        match setting {
            Some(_) => self.timeline.moved(to),
            // The start is yet to come.
            None => self.watermark,
        }
    }

    fn begin_seek(&mut self, to: Timestamp) -> Result<(), ControlRefusal> {
        let target = self.recording.settings().seek_target(to, self.recording.start());
        let to = target.ok_or(ControlRefusal::OutOfRange)?;
        let is_reading_past = match self.phase {
            Phase::Seeking(earlier, _) | Phase::Arrived(earlier, _) => to < earlier,
            Phase::Running | Phase::Ended => false,
        };
        if to < self.position || is_reading_past {
            self.recording.reopen().map_err(|error| ControlRefusal::Unreadable(error.to_string()))?;
        } else if matches!(self.phase, Phase::Running | Phase::Ended) {
            self.recording.forget_quotes();
        }
        self.batch.clear();
        self.batch_at = None;
        if self.phase == Phase::Ended {
            self.metrics.ended.set(0);
            self.notices.push(FeedNotice::of_source(FeedState::Live, self.name()));
        }
        self.phase = Phase::Seeking(to, SeekReason::Command);
        self.set_eager(true);
        Ok(())
    }

    /// Follows the system's clock after it was set.
    fn follow(&mut self, now: Timestamp) {
        self.watermark = self.timeline.follow(now, self.watermark);
    }

    fn set_eager(&self, is_eager: bool) {
        self.is_eager.store(is_eager, Ordering::Relaxed);
    }
}

impl EventSource for ReplaySource {
    fn name(&self) -> &'static str {
        "replay"
    }

    fn universe(&self) -> &Arc<Universe> {
        &self.universe
    }

    /// The last quote of each instrument before the start.
    fn open(&mut self, out: &mut Vec<Event>) -> Timestamp {
        let shift = self.timeline.shift_nanos();
        out.extend(self.recording.quotes().map(|quote| shifted(Event::Quote(quote), shift)));
        self.set_eager(true);
        self.opened_at
    }

    fn poll(&mut self, out: &mut Vec<Event>) -> Option<Timestamp> {
        let reading = self.clock.read();
        let (before, appended) = (self.watermark, out.len());
        let was_set = mem::replace(&mut self.clock_changes, reading.changes) != reading.changes;
        if was_set && self.clock.follows_system() {
            self.follow(reading.now);
        }
        let published = match self.phase {
            Phase::Running if self.timeline.is_paused() => None,
            Phase::Running => self.next_batch(reading.now, out),
            Phase::Seeking(to, reason) => {
                self.seek(to, reason);
                None
            }
            Phase::Arrived(to, reason) => Some(self.go_on_at(to, reason, reading.now, out)),
            Phase::Ended => None,
        };
        if let Some(watermark) = published {
            self.watermark = watermark;
            match self.phase {
                // From now on time goes on by itself.
                Phase::Ended if self.timeline.is_max() => self.clock.run(before, ClockRate::ONE),
                _ if self.timeline.is_max() => self.clock.hold(watermark),
                _ => {}
            }
        } else if self.batch_at.is_none() && !self.timeline.is_max() && self.phase != Phase::Ended {
            // Nothing happened up to now.
            self.watermark = self.watermark.max(reading.now.floor_to(MILLISECOND));
        }
        (self.watermark != before || out.len() > appended).then_some(self.watermark)
    }

    /// Trades of files without sale conditions count as regular ones.
    fn trade_rules(&self) -> TradeRules {
        TradeRules::Consolidated
    }

    fn take_notices(&mut self) -> Vec<FeedNotice> {
        mem::take(&mut self.notices)
    }

    fn take_epoch(&mut self) -> Option<Epoch> {
        self.begun_epoch.take()
    }

    /// A recording can always wait.
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
        if self.phase == Phase::Ended && self.timeline.is_max() && !self.timeline.is_paused() {
            self.clock.run(now, ClockRate::ONE);
        }
        if self.timeline.is_paused() != was_paused {
            let state = if was_paused { FeedState::Live } else { FeedState::Paused };
            self.notices.push(FeedNotice::of_source(state, self.name()));
        }
        self.set_eager(true);
        Ok(())
    }

    fn replay_status(&self) -> Option<ReplayStatus> {
        let settings = self.recording.settings();
        Some(ReplayStatus {
            files: file_names(&settings.files),
            from: settings.from.unwrap_or(self.recording.start()),
            until: settings.until,
            position: self.position,
            speed: self.timeline.speed(),
            clock: settings.clock,
            state: match self.phase {
                Phase::Seeking(..) | Phase::Arrived(..) => ReplayState::Seeking,
                Phase::Ended => ReplayState::Ended,
                Phase::Running if self.timeline.is_paused() => ReplayState::Paused,
                Phase::Running => ReplayState::Running,
            },
            repeats: settings.repeats,
            passes: self.passes,
        })
    }

    fn ticks(&mut self) -> Ticks {
        replay_ticks(&self.is_eager)
    }
}

fn end_of(millisecond: Timestamp) -> Timestamp {
    Timestamp::from_nanos(millisecond.nanos().saturating_add(MILLISECOND))
}

#[cfg(test)]
#[path = "replay_source_tests.rs"]
mod tests;
