use bytes::Bytes;

use super::SubscriberKey;
use crate::metrics::WorkerMetrics;

/// The frames that leave at the end of a turn, and who sends them. It keeps its room.
#[derive(Debug, Default)]
pub(super) struct Departures {
    /// Each frame once for all who send it in a row, so that the count of its owners, which the kernel's
    /// work drives out of the caches, is not touched for each of them.
    frames: Vec<Bytes>,
    senders: Vec<Sender>,
}

#[derive(Debug)]
struct Sender {
    key: SubscriberKey,
    frame: usize,
    objects: usize,
}

/// Room for so many that is kept from turn to turn: some 10 KiB.
const KEPT_ROOM: usize = 256;

impl Departures {
    /// This subscriber is to send this frame of so many objects, after all that were added before.
    pub(super) fn add(&mut self, key: SubscriberKey, frame: Bytes, objects: usize) {
        let is_same = |last: &Bytes| last.as_ptr() == frame.as_ptr() && last.len() == frame.len();
        if !self.frames.last().is_some_and(is_same) {
            self.frames.push(frame);
        }
        self.senders.push(Sender { key, frame: self.frames.len() - 1, objects });
    }

    /// Has everything sent, and counted once.
    pub(super) fn leave(&mut self, metrics: &WorkerMetrics, dispatch: impl Fn(SubscriberKey, &Bytes)) {
        let (mut objects, mut bytes) = (0, 0);
        for sender in &self.senders {
            let frame = &self.frames[sender.frame];
            objects += sender.objects as u64;
            bytes += frame.len() as u64;
            dispatch(sender.key, frame);
        }
        metrics.frames.inc_by(self.senders.len() as u64);
        metrics.objects.inc_by(objects);
        metrics.bytes.inc_by(bytes);
        self.frames.clear();
        self.frames.shrink_to(KEPT_ROOM);
        self.senders.clear();
        self.senders.shrink_to(KEPT_ROOM);
    }
}
