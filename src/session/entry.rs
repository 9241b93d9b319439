use std::collections::VecDeque;

use bytes::Bytes;

use super::limits::OutboxLimits;
use crate::wire::{ArrayFrame, Codec};

/// One thing in an outbox's queue.
#[derive(Debug)]
pub(super) enum OutboxEntry {
    /// A frame, with so many objects in it.
    Frame { frame: Bytes, objects: usize },
    /// A frame that still takes objects.
    Open(ArrayFrame),
    /// The turn of the marked streams: behind what was queued of them before they were marked, and
    /// in turn with the trades that came since.
    Marked,
    /// The place of what was lost: behind what was queued before.
    Lost,
}

/// A frame for the socket, with what it holds.
#[derive(Debug)]
pub struct OutgoingFrame {
    /// The bytes.
    pub frame: Bytes,
    /// How many objects are in it.
    pub objects: usize,
    /// How many older objects the newer ones in it replaced.
    pub merged: u64,
}

/// Puts an object behind these parcels, into the last one while it has room; gives its size.
pub(super) fn append(
    parcels: &mut VecDeque<OutboxEntry>,
    codec: Codec,
    limits: OutboxLimits,
    object: &[u8],
) -> usize {
    append_with(parcels, codec, limits, object.len(), |out| out.extend_from_slice(object))
}

/// The same with an object that is written in its place, into a frame with this much room where there
/// is none that is open.
pub(super) fn append_with(
    parcels: &mut VecDeque<OutboxEntry>,
    codec: Codec,
    limits: OutboxLimits,
    room: usize,
    write: impl FnOnce(&mut Vec<u8>),
) -> usize {
    if !matches!(parcels.back(), Some(OutboxEntry::Open(_))) {
        parcels.push_back(OutboxEntry::Open(ArrayFrame::with_capacity(codec, room)));
    }
    let Some(OutboxEntry::Open(array)) = parcels.back_mut() else { return 0 };
    let before = array.len();
    array.push_with(write);
    let size = array.len() - before;
    if before > 0 && array.len() > limits.frame_bytes {
        let object = array.pop(before);
        parcels.push_back(OutboxEntry::Open(ArrayFrame::of(codec, &object)));
    }
    size
}
