use std::collections::VecDeque;

use bytes::Bytes;

use crate::model::{Seq, StreamId};
use crate::session::OutboxLimits;
use crate::wire::{ArrayFrame, Codec};

/// One entry of an outbox's queue.
#[derive(Debug)]
pub(super) enum OutboxEntry {
    /// A finished frame and the number of objects in it.
    Frame {
        /// The frame, possibly shared with other sessions.
        frame: Bytes,
        /// The objects in it; 0 for control messages.
        objects: usize,
    },
    /// A frame that still takes objects.
    Open(ArrayFrame),
    /// The place of the dirty streams: behind what was queued of them before they became dirty, and in
    /// turn with the trades queued since.
    Dirty,
    /// The place of the gap notices: behind everything that was queued before the loss.
    Gaps,
    /// Gap notices of what was lost before this session: between everything that was queued before and after.
    Missed(Vec<(StreamId, Seq, Seq)>),
}

/// A frame for the socket, with the figures of what it holds.
#[derive(Debug)]
pub struct OutgoingFrame {
    /// The bytes.
    pub frame: Bytes,
    /// The number of objects in it.
    pub objects: usize,
    /// The number of older objects that the newer ones in it replaced.
    pub merged: u64,
}

/// Appends an object to the queue, into its last frame while that has room; returns its size.
pub(super) fn append(
    queue: &mut VecDeque<OutboxEntry>,
    codec: Codec,
    limits: OutboxLimits,
    object: &[u8],
) -> usize {
    append_with(queue, codec, limits, object.len(), |out| out.extend_from_slice(object))
}

/// Like [`append`], with an object that is written in place; `capacity` is reserved where a new frame
/// is opened.
pub(super) fn append_with(
    queue: &mut VecDeque<OutboxEntry>,
    codec: Codec,
    limits: OutboxLimits,
    capacity: usize,
    write: impl FnOnce(&mut Vec<u8>),
) -> usize {
    if !matches!(queue.back(), Some(OutboxEntry::Open(_))) {
        queue.push_back(OutboxEntry::Open(ArrayFrame::with_capacity(codec, capacity)));
    }
    let Some(OutboxEntry::Open(array)) = queue.back_mut() else { return 0 };
    let before = array.len();
    array.push_with(write);
    let size = array.len() - before;
    if before > 0 && array.len() > limits.frame_bytes {
        let object = array.pop(before);
        queue.push_back(OutboxEntry::Open(ArrayFrame::of(codec, &object)));
    }
    size
}
