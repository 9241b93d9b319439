use smallvec::SmallVec;

use super::hub::Slot;
use super::{FrameCache, FrameKey, SubscriberKey};
use crate::metrics::{FrameTotals, WorkerMetrics};

/// The frames that leave together at the end of a fan-out, with their subscribers; none stays longer. Its
/// memory is kept from one fan-out to the next.
#[derive(Debug, Default)]
pub(super) struct SendBatch(Vec<QueuedSend>);

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
        self.0.push(QueuedSend { subscriber, frame, objects });
    }

    /// Sends everything and counts it once: calls of the kernel with nothing in between, since after
    /// each of them neither our code nor its data is in the first cache.
    pub(super) fn flush(&mut self, frames: &FrameCache, metrics: &WorkerMetrics, slots: &[Option<Slot>]) {
        let mut totals = FrameTotals::default();
        let frames = &*frames.all();
        for batch in self.0.chunks(LOOKUP_BATCH) {
            let look_up = |queued: &QueuedSend| {
                let writer = &slots[queued.subscriber.0].as_ref()?.writer;
                writer.count(frames[queued.frame.0].len(), queued.objects, 0);
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
        }
        metrics.count_frames(totals);
        self.0.clear();
        self.0.shrink_to(KEPT_CAPACITY);
    }
}
