use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::hole::Hole;
use super::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use crate::feed::Batch;
use crate::metrics::JournalMetrics;
use crate::model::{BegunEpoch, EpochNumbers, Object, StreamId};
use crate::wire::TopicMessage;

/// The most that waits for the writer, in bytes of objects.
///
/// Effect: when a batch finds the queue full, it is not recorded: the journal has a hole. A larger queue outlasts a
/// longer stall of the disk and takes more memory; with the simulator's default rates this one outlasts some 8 s. A limit
/// by batches as well, say 64, would be 64 ms at a batch each millisecond, less than one `fsync` of many disks takes.
/// Counter: `tapecast_journal_holes_total`.
pub(super) const MAX_QUEUE_BYTES: usize = 8 << 20;

/// The writer takes what waits when it is this much, however short it has waited.
const PROMPT_BYTES: usize = MAX_QUEUE_BYTES / 8;

/// The same in batches: half of what a replay at full speed makes ahead of its followers (`app/feed.rs`), so that it does
/// not wait for the journal.
const PROMPT_BATCHES: usize = 32;

/// The batches that wait for the writer of the journal.
///
/// The feed appends, the writer's thread takes all there is. Neither holds the lock for longer than it takes to move a
/// few words, so the feed never waits for a disk. While the queue is full, batches become part of one [`Hole`], which
/// keeps the last object of each stream: the journal knows all sequence numbers after it.
#[derive(Debug)]
pub(super) struct BatchQueue {
    state: Mutex<QueueState>,
    /// The writer waits here.
    arrived: Condvar,
    metrics: JournalMetrics,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct QueueState {
    batches: VecDeque<Arc<Batch>>,
    bytes: usize,
    hole: Option<OpenHole>,
    waits_for: Awaited,
    is_closed: bool,
}

/// What the writer waits for, besides the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Awaited {
    /// It does not wait.
    #[default]
    Nothing,
    /// For a first batch.
    First,
    /// For as many that they should be written now.
    Many,
}

impl QueueState {
    fn has(&self, awaited: Awaited) -> bool {
        match awaited {
            Awaited::Nothing => true,
            Awaited::First => !self.batches.is_empty() || self.hole.is_some(),
            Awaited::Many => {
                self.batches.len() >= PROMPT_BATCHES || self.bytes >= PROMPT_BYTES || self.hole.is_some()
            }
        }
    }
}

/// A hole that still grows.
#[derive(Debug)]
struct OpenHole {
    from: u64,
    last_batch: Arc<Batch>,
    last_objects: FxHashMap<StreamId, Object>,
    last_messages: FxHashMap<StreamId, (Object, Arc<TopicMessage>)>,
    begun: Option<BegunEpoch>,
}

/// What the writer takes: the batches, and behind them the hole, if there is one.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) batches: VecDeque<Arc<Batch>>,
    pub(super) hole: Option<Hole>,
    /// There will be no more.
    pub(super) is_closed: bool,
}

impl BatchQueue {
    /// An empty queue of this capacity.
    pub(super) fn new(max_bytes: usize, metrics: JournalMetrics) -> Self {
        Self { state: Mutex::default(), arrived: Condvar::new(), metrics, max_bytes }
    }

    /// Appends a batch, or adds it to the hole.
    pub(super) fn push(&self, batch: &Arc<Batch>) {
        let mut state = self.lock();
        let bytes = batch.memory();
        // A single batch may be larger than the queue.
        let fits = state.batches.is_empty() || state.bytes + bytes <= self.max_bytes;
        match &mut state.hole {
            None if fits => {
                state.batches.push_back(Arc::clone(batch));
                state.bytes += bytes;
                self.metrics.queue_bytes.set(state.bytes as i64);
            }
            None => {
                self.metrics.holes.inc();
                self.metrics.missed_batches.inc();
                let mut hole = OpenHole {
                    from: batch.number(),
                    last_batch: Arc::clone(batch),
                    last_objects: FxHashMap::default(),
                    last_messages: FxHashMap::default(),
                    begun: None,
                };
                hole.add(batch);
                state.hole = Some(hole);
            }
            Some(hole) => {
                self.metrics.missed_batches.inc();
                hole.add(batch);
            }
        }
        if state.waits_for != Awaited::Nothing && state.has(state.waits_for) {
            state.waits_for = Awaited::Nothing;
            drop(state);
            self.arrived.notify_one();
        }
    }

    /// Tells the writer that there will be no more.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.arrived.notify_one();
    }

    /// Takes all that waits. Waits for a first batch at most for `timeout`, and then for more at most for `linger`: a
    /// thread that was woken for each batch would cost the feed several times what the batch does.
    pub(super) fn take(&self, timeout: Duration, linger: Duration) -> Taken {
        let mut state = self.wait(self.lock(), Awaited::First, timeout);
        if state.has(Awaited::First) {
            state = self.wait(state, Awaited::Many, linger);
        }
        state.bytes = 0;
        self.metrics.queue_bytes.set(0);
        let (batches, hole) = (mem::take(&mut state.batches), state.hole.take());
        let is_closed = state.is_closed;
        drop(state);
        Taken { batches, hole: hole.map(OpenHole::close), is_closed }
    }

    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, QueueState>,
        awaited: Awaited,
        timeout: Duration,
    ) -> MutexGuard<'a, QueueState> {
        if !state.has(awaited) && !state.is_closed {
            state.waits_for = awaited;
            let is_awaited = |state: &mut QueueState| !state.has(awaited) && !state.is_closed;
            (state, _) = self
                .arrived
                .wait_timeout_while(state, timeout, is_awaited)
                .unwrap_or_else(PoisonError::into_inner);
            state.waits_for = Awaited::Nothing;
        }
        state
    }

    /// The feed must not end because the writer panicked.
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenHole {
    fn add(&mut self, batch: &Arc<Batch>) {
        if batch.restarts_numbers() {
            self.last_objects.clear();
            self.last_messages.clear();
        }
        if let Some(begun) = batch.beginning_epoch() {
            // Numbers that began again within the hole did so for all that follows.
            let numbers = match self.begun {
                Some(BegunEpoch { numbers: EpochNumbers::Restart, .. }) => EpochNumbers::Restart,
                _ => begun.numbers,
            };
            self.begun = Some(BegunEpoch { numbers, ..begun });
        }
        self.last_objects.extend(batch.objects().map(|object| (object.stream(), *object)));
        let messages = batch.shared_messages();
        self.last_messages.extend(messages.map(|message| (message.0.stream(), message)));
        self.last_batch = Arc::clone(batch);
    }

    fn close(self) -> Hole {
        let mut last_objects: Vec<_> = self.last_objects.into_values().collect();
        last_objects.sort_unstable_by_key(Object::stream);
        let mut last_messages: Vec<_> = self.last_messages.into_values().collect();
        last_messages.sort_unstable_by_key(|(object, _)| object.stream());
        Hole {
            from: self.from,
            to: self.last_batch.number(),
            watermark: self.last_batch.watermark(),
            universe: Arc::clone(self.last_batch.universe()),
            last_objects,
            last_messages,
            begun: self.begun,
        }
    }
}
