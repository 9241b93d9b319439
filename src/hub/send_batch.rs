use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::frame_cache::FrameOrigin;
use super::hub::Slot;
use super::{FrameCache, FrameKey, SubscriberKey};
use crate::metrics::{FrameTotals, WorkerLatencies, WorkerMetrics};

/// The frames that leave together at the end of a fan-out, with their subscribers; none stays longer. Its
/// memory is kept from one fan-out to the next.
#[derive(Debug, Default)]
pub(super) struct SendBatch {
    queued: Vec<QueuedSend>,
    /// The longest time from the feed to a socket or an outbox since this was asked for last.
    longest: Duration,
}

#[derive(Debug)]
struct QueuedSend {
    subscriber: SubscriberKey,
    frame: FrameKey,
    objects: usize,
}

/// This many sockets are looked up together.
const LOOKUP_BATCH: usize = 64;

/// Capacity that is kept: some 10 KiB.
const KEPT_CAPACITY: usize = 256;

impl SendBatch {
    /// Queues a frame of this many objects, behind those that were queued before.
    pub(super) fn push(&mut self, subscriber: SubscriberKey, frame: FrameKey, objects: usize) {
        self.queued.push(QueuedSend { subscriber, frame, objects });
    }

    /// Sends everything and counts it once: calls of the kernel with nothing in between, since after
    /// each of them neither our code nor its data is in the first cache.
    ///
    /// The time is read once for the sends of a look-up, some 0.4 ms.
    pub(super) fn flush(&mut self, frames: &FrameCache, metrics: &WorkerMetrics, slots: &[Option<Slot>]) {
        let mut totals = FrameTotals::default();
        let (frames, origins) = (&*frames.all(), &*frames.origins());
        for batch in self.queued.chunks(LOOKUP_BATCH) {
            let look_up = |queued: &QueuedSend| {
                let writer = &slots[queued.subscriber.0].as_ref()?.writer;
                writer.count(&frames[queued.frame.0], queued.objects, 0);
                writer.socket()
            };
            let sockets: SmallVec<[_; LOOKUP_BATCH]> = batch.iter().map(look_up).collect();
            for (queued, socket) in batch.iter().zip(sockets) {
                let frame = &frames[queued.frame.0];
                totals.add(frame, queued.objects, 0);
                let sent = socket.map_or(Ok(0), |socket| socket.send(frame));
                if !matches!(sent, Ok(taken) if taken == frame.len())
                    && let Some(slot) = &slots[queued.subscriber.0]
                {
                    slot.subscriber.frame_sent(frame, sent);
                }
            }
            if let Some(latencies) = &metrics.latencies {
                let longest = record(latencies, origins, batch, Instant::now());
                self.longest = self.longest.max(longest);
            }
        }
        metrics.count_frames(totals);
        self.queued.clear();
        self.queued.shrink_to(KEPT_CAPACITY);
    }

    /// Notes that a subscriber has got objects that waited for this long.
    pub(super) fn note_wait(&mut self, waited: Option<Duration>) {
        self.longest = self.longest.max(waited.unwrap_or_default());
    }

    /// The longest time that objects waited since this was asked for last.
    pub(super) fn take_longest(&mut self) -> Duration {
        std::mem::take(&mut self.longest)
    }
}

/// Records how long frames took until now, once for those in a row that are the same; returns the longest time.
fn record(
    latencies: &WorkerLatencies,
    origins: &[FrameOrigin],
    sent: &[QueuedSend],
    now: Instant,
) -> Duration {
    let mut longest = Duration::ZERO;
    for same in sent.chunk_by(|one, next| one.frame == next.frame) {
        let FrameOrigin { codec, published } = origins[same[0].frame.0];
        let Some(published) = published else { continue };
        let latency = now.saturating_duration_since(published);
        latencies.feed_to_send(codec).record_many(latency, same.len() as u64);
        longest = longest.max(latency);
    }
    longest
}

/// Records how long a fan-out took that began at this time.
pub(super) fn record_fan_out(metrics: &WorkerMetrics, began: Instant) {
    if let Some(latencies) = &metrics.latencies {
        latencies.fan_out.record(began.elapsed());
    }
}
