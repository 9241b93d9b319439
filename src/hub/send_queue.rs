use smallvec::SmallVec;

use super::{FrameCache, FrameKey, Subscriber, SubscriberKey};
use crate::metrics::WorkerMetrics;

/// Who sends which frame at the end of a turn. It keeps its room.
#[derive(Debug, Default)]
pub(super) struct SendQueue(Vec<QueuedSend>);

#[derive(Debug)]
struct QueuedSend {
    sender: SubscriberKey,
    frame: FrameKey,
    objects: usize,
}

/// So many sockets are looked up together.
const AT_ONCE: usize = 64;

/// Room for so many that is kept from turn to turn: some 10 KiB.
const KEPT_ROOM: usize = 256;

impl SendQueue {
    /// This subscriber is to send this frame of so many objects, after all that were added before.
    pub(super) fn add(&mut self, sender: SubscriberKey, frame: FrameKey, objects: usize) {
        self.0.push(QueuedSend { sender, frame, objects });
    }

    /// Sends everything, and counts it once: calls of the kernel with nothing in between. After one of
    /// them neither the code of a call nor what it looks at would be in the first cache.
    pub(super) fn leave<'a>(
        &mut self,
        frames: &FrameCache,
        metrics: &WorkerMetrics,
        subscriber: impl Fn(SubscriberKey) -> Option<&'a dyn Subscriber>,
    ) {
        let (mut objects, mut bytes) = (0, 0);
        let frames = &*frames.all();
        for together in self.0.chunks(AT_ONCE) {
            let sockets: SmallVec<[_; AT_ONCE]> =
                together.iter().map(|departure| subscriber(departure.sender)?.socket()).collect();
            for (departure, socket) in together.iter().zip(sockets) {
                let frame = &frames[departure.frame.0];
                objects += departure.objects as u64;
                bytes += frame.len() as u64;
                let sent = socket.map_or(Ok(0), |socket| socket.send(frame));
                if !matches!(sent, Ok(taken) if taken == frame.len())
                    && let Some(subscriber) = subscriber(departure.sender)
                {
                    subscriber.sent(frame, sent);
                }
            }
        }
        metrics.frames.inc_by(self.0.len() as u64);
        metrics.objects.inc_by(objects);
        metrics.bytes.inc_by(bytes);
        self.0.clear();
        self.0.shrink_to(KEPT_ROOM);
    }
}
