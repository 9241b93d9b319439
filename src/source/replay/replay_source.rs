use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt};
use tracing::{error, info};

use super::history::PastBars;
use super::record::{RecordContent, shifted};
use super::recording::Recording;
use super::settings::{ReplayClock, ReplaySpeed};
use crate::clock::{Clock, ClockRate};
use crate::metrics::ReplayMetrics;
use crate::model::{Event, MILLISECOND, SECOND, SymbolId, Timestamp, TradeRules, Universe};
use crate::source::ticks::{ClockTick, MillisecondClock, TickHints};
use crate::source::{EventSource, Ticks};

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
/// 4. Numbers go on when a replay begins again (`--loop`): moved, it follows its own end; unmoved, time goes back, which
///    the feed knows from a clock that is set back.
pub struct ReplaySource {
    recording: Recording,
    universe: Arc<Universe>,
    clock: Clock,
    metrics: ReplayMetrics,
    /// From the time of the recording to that of the service.
    shift_nanos: i64,
    opened_at: Timestamp,
    watermark: Timestamp,
    /// How often the system's clock was set, as far as known.
    clock_changes: u64,
    /// The events of the millisecond that is being read, and its start in the recording.
    batch: Vec<Event>,
    batch_at: Option<Timestamp>,
    state: ReplayState,
    is_eager: Arc<AtomicBool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReplayState {
    Running,
    /// The recording is over, and time goes on.
    Ended,
}

/// The most records that a poll reads, so that one of many skipped ones takes a few milliseconds.
const MAX_READ: usize = 1 << 14;

/// The most events of a batch. Files with times in seconds may have more in one: they are several batches then.
const MAX_BATCH: usize = 1 << 13;

const MINUTE: i64 = 60 * SECOND;

/// A time that is further from the clock than this follows it: the clock was set.
const MAX_OFF_NANOS: i64 = 2 * SECOND;

impl ReplaySource {
    /// A source of this recording, which sets the clock to its own time where the settings ask for that.
    pub fn new(recording: Recording, clock: Clock, metrics: ReplayMetrics) -> Self {
        let (settings, start) = (recording.settings(), recording.start());
        let reading = clock.read();
        let shift_nanos = match settings.clock {
            ReplayClock::Original => 0,
            ReplayClock::Shift => whole_minutes(reading.now.nanos_since(start)),
        };
        let opened_at = Timestamp::from_nanos(start.nanos() + shift_nanos);
        match (settings.clock, settings.speed) {
            (_, ReplaySpeed::Max) => clock.hold(opened_at),
            (ReplayClock::Shift, ReplaySpeed::Times(ClockRate::ONE)) => clock.follow_system(),
            (ReplayClock::Shift, ReplaySpeed::Times(rate)) => clock.run(reading.now, rate),
            (ReplayClock::Original, ReplaySpeed::Times(rate)) => clock.run(opened_at, rate),
        }
        let universe = Arc::clone(recording.universe());
        Self {
            recording,
            universe,
            clock,
            metrics,
            shift_nanos,
            opened_at,
            watermark: opened_at,
            clock_changes: reading.changes,
            batch: Vec::new(),
            batch_at: None,
            state: ReplayState::Running,
            is_eager: Arc::default(),
        }
    }

    /// The time at which the replay starts, by the clock of the service.
    pub fn opened_at(&self) -> Timestamp {
        self.opened_at
    }

    /// The bars of the files before the start. To be taken once.
    pub fn take_past(&mut self) -> impl Iterator<Item = (SymbolId, PastBars)> + use<> {
        self.recording.take_past(self.shift_nanos)
    }

    fn is_max(&self) -> bool {
        self.recording.settings().speed == ReplaySpeed::Max
    }

    fn moved(&self, at: Timestamp) -> Timestamp {
        Timestamp::from_nanos(at.nanos().saturating_add(self.shift_nanos))
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
                        self.is_eager.store(false, Ordering::Relaxed);
                        return self.end();
                    }
                    Some(start) if !self.is_max() && end_of(self.moved(start)) > now => {
                        self.is_eager.store(false, Ordering::Relaxed);
                        return None;
                    }
                    Some(start) => self.batch_at = Some(start),
                }
            }
            if let Some(head) = head {
                self.recording.take();
                match head.content {
                    RecordContent::Event(event) => self.batch.push(shifted(event, self.shift_nanos)),
                    RecordContent::Bar(..) => {}
                }
            }
        }
        // There is more to read.
        self.is_eager.store(true, Ordering::Relaxed);
        None
    }

    /// Hands out the batch of a millisecond, and returns the watermark after it: the end of that millisecond, unless
    /// more of it follows.
    fn publish(&mut self, batch_at: Timestamp, next: Option<Timestamp>, out: &mut Vec<Event>) -> Timestamp {
        self.batch_at = None;
        self.metrics.events.inc_by(self.batch.len() as u64);
        self.metrics.position.set(batch_at.nanos() as f64 / SECOND as f64);
        out.append(&mut self.batch);
        if self.recording.publish_symbols().len() > self.universe.len() {
            self.universe = Arc::clone(self.recording.universe());
        }
        // Another batch may be due already.
        self.is_eager.store(true, Ordering::Relaxed);
        if next == Some(batch_at) { self.moved(batch_at) } else { end_of(self.moved(batch_at)) }
    }

    /// Ends the replay, or begins it again. Returns the watermark if time goes back.
    fn end(&mut self) -> Option<Timestamp> {
        let settings = self.recording.settings();
        let (repeats, clock) = (settings.repeats, settings.clock);
        if repeats {
            match self.recording.reopen() {
                Ok(()) => {
                    info!("the replay begins again");
                    self.metrics.repeats.inc();
                    self.is_eager.store(true, Ordering::Relaxed);
                    return self.restart(clock);
                }
                Err(error) => error!("the replay cannot begin again: {error}"),
            }
        }
        info!(events = self.metrics.events.get(), "the replay has ended");
        self.metrics.ended.set(1);
        self.state = ReplayState::Ended;
        if self.is_max() {
            // From now on time goes on by itself, so that the last minute is closed.
            self.clock.run(self.watermark, ClockRate::ONE);
        }
        None
    }

    fn restart(&mut self, clock: ReplayClock) -> Option<Timestamp> {
        let start = self.recording.start();
        match clock {
            ReplayClock::Shift => {
                // The start follows the end, at the same second of a minute.
                let after = self.watermark.nanos_since(start) + MINUTE - 1;
                self.shift_nanos = whole_minutes(after);
                None
            }
            ReplayClock::Original => {
                match self.recording.settings().speed {
                    ReplaySpeed::Max => self.clock.hold(start),
                    ReplaySpeed::Times(rate) => self.clock.run(start, rate),
                }
                Some(start)
            }
        }
    }

    /// Follows the system's clock after it was set: the recording goes on where it is, at the new time.
    fn follow(&mut self, now: Timestamp) {
        if self.clock.follows_system() && now.nanos_since(self.watermark).abs() > MAX_OFF_NANOS {
            let position = self.watermark.nanos() - self.shift_nanos;
            self.shift_nanos = whole_minutes(now.nanos() - position);
            self.watermark = Timestamp::from_nanos(position + self.shift_nanos);
        }
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
        let shift = self.shift_nanos;
        out.extend(self.recording.quotes().map(|quote| shifted(Event::Quote(quote), shift)));
        self.is_eager.store(true, Ordering::Relaxed);
        self.opened_at
    }

    fn poll(&mut self, out: &mut Vec<Event>) -> Option<Timestamp> {
        let reading = self.clock.read();
        let (before, appended) = (self.watermark, out.len());
        if mem::replace(&mut self.clock_changes, reading.changes) != reading.changes {
            self.follow(reading.now);
        }
        let published = match self.state {
            ReplayState::Running => self.next_batch(reading.now, out),
            ReplayState::Ended => None,
        };
        if let Some(watermark) = published {
            self.watermark = watermark;
            if self.is_max() {
                self.clock.hold(watermark);
            }
        } else if self.batch_at.is_none() && !(self.is_max() && self.state == ReplayState::Running) {
            // Nothing happened up to now.
            self.watermark = self.watermark.max(reading.now.floor_to(MILLISECOND));
        }
        (self.watermark != before || out.len() > appended).then_some(self.watermark)
    }

    /// A recording can always wait.
    /// Trades of files without sale conditions count as regular ones.
    fn trade_rules(&self) -> TradeRules {
        TradeRules::Consolidated
    }

    fn hold_back(&mut self) -> bool {
        self.is_eager.store(false, Ordering::Relaxed);
        true
    }

    fn ticks(&mut self) -> Ticks {
        let timer = MillisecondClock::new(MillisecondClock::PERIOD, TickHints::default());
        ReplayTicks { timer, is_eager: Arc::clone(&self.is_eager) }.boxed_local()
    }
}

fn whole_minutes(nanos: i64) -> i64 {
    nanos - nanos.rem_euclid(MINUTE)
}

fn end_of(millisecond: Timestamp) -> Timestamp {
    Timestamp::from_nanos(millisecond.nanos().saturating_add(MILLISECOND))
}

/// A tick each millisecond, and at once while there is more to publish.
///
/// The actor that takes them yields to other tasks after 16.
struct ReplayTicks {
    timer: MillisecondClock,
    is_eager: Arc<AtomicBool>,
}

impl Stream for ReplayTicks {
    type Item = ClockTick;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ClockTick>> {
        if self.is_eager.load(Ordering::Relaxed) {
            return Poll::Ready(Some(ClockTick));
        }
        self.timer.poll_next_unpin(cx)
    }
}

#[cfg(test)]
#[path = "replay_source_tests.rs"]
mod tests;
