use bytes::Bytes;

use super::{FrameKey, Frames, SubscriberKey};
use crate::metrics::WorkerMetrics;

/// Who sends which frame at the end of a turn. It keeps its room.
#[derive(Debug, Default)]
pub(super) struct Departures(Vec<Departure>);

#[derive(Debug)]
struct Departure {
    sender: SubscriberKey,
    frame: FrameKey,
    objects: usize,
}

/// Room for so many that is kept from turn to turn: some 10 KiB.
const KEPT_ROOM: usize = 256;

impl Departures {
    /// This subscriber is to send this frame of so many objects, after all that were added before.
    pub(super) fn add(&mut self, sender: SubscriberKey, frame: FrameKey, objects: usize) {
        self.0.push(Departure { sender, frame, objects });
    }

    /// Has everything sent, and counts it once.
    pub(super) fn leave(
        &mut self,
        frames: &Frames,
        metrics: &WorkerMetrics,
        dispatch: impl Fn(SubscriberKey, &Bytes),
    ) {
        let (mut objects, mut bytes) = (0, 0);
        for departure in &self.0 {
            objects += departure.objects as u64;
            frames.with(departure.frame, |frame| {
                bytes += frame.len() as u64;
                dispatch(departure.sender, frame);
            });
        }
        metrics.frames.inc_by(self.0.len() as u64);
        metrics.objects.inc_by(objects);
        metrics.bytes.inc_by(bytes);
        self.0.clear();
        self.0.shrink_to(KEPT_ROOM);
    }
}
