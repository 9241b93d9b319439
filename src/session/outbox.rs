use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::hub::{Pick, Turn};
use crate::model::{Seq, Stream, Universe};
use crate::tape::Latest;
use crate::wire::{ArrayFrame, Codec, Mark};

/// How much may wait for one client.
#[derive(Clone, Copy, Debug)]
pub struct OutboxLimits {
    /// Above so many waiting bytes quotes and bars are conflated: of each stream only the newest is
    /// sent, when there is room. Default 64 KiB, about 400 objects.
    pub conflate_above: usize,
    /// Above so many waiting bytes the client is too slow even for its trades and the session ends.
    /// Default 256 KiB, which bounds the memory that a stalled client can take.
    pub end_above: usize,
    /// The most bytes of objects in one frame. Default 32 KiB: SDKs break at 1 MiB, and what waits
    /// behind a long frame, a pong for example, waits for all of it.
    pub frame_bytes: usize,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { conflate_above: 64 << 10, end_above: 256 << 10, frame_bytes: 32 << 10 }
    }
}

/// What one client has yet to get, in the order in which it will get it.
///
/// Control and data share one queue, so that an acknowledgement is never overtaken. It is pulled:
/// frames are assembled when the socket asks, as large as what is due.
///
/// A client that falls behind gets fewer quotes, never older ones: from then on a stream that
/// [conflates](crate::model::Channel::conflates) is only marked, and its newest object is looked up
/// when the socket takes it. Marked streams leave in the order in which they were marked, so that a
/// busy one cannot hold a quiet one back. The memory is bounded by the limits plus one mark for each
/// subscribed stream, not by the market.
#[derive(Debug)]
pub struct Outbox {
    codec: Codec,
    universe: Arc<Universe>,
    limits: OutboxLimits,
    queue: VecDeque<Parcel>,
    bytes: usize,
    marks: Marks,
}

#[derive(Debug)]
enum Parcel {
    /// A frame, with so many objects in it.
    Frame { frame: Bytes, objects: usize },
    /// A frame that still takes objects.
    Open(ArrayFrame),
    /// The turn of the marked streams: behind what was queued of them before they were marked, and
    /// in turn with the trades that came since.
    Marked,
}

/// Streams with something newer than the client has, oldest mark first, and the last number that the
/// client got or will get from the queue.
#[derive(Debug, Default)]
struct Marks {
    order: VecDeque<Stream>,
    last: FxHashMap<Stream, Seq>,
}

/// Whether an offer found room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Offered {
    /// It did.
    Kept,
    /// Even what may not be conflated is too much: end the session.
    Overflow,
}

/// A frame for the socket, with what it holds.
#[derive(Debug)]
pub struct Taken {
    /// The bytes.
    pub frame: Bytes,
    /// How many objects are in it.
    pub objects: usize,
    /// How many older objects the newer ones in it replaced.
    pub merged: u64,
}

impl Outbox {
    /// An empty outbox.
    pub fn new(codec: Codec, universe: Arc<Universe>, limits: OutboxLimits) -> Self {
        Self { codec, universe, limits, queue: VecDeque::new(), bytes: 0, marks: Marks::default() }
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// A control frame or a whole message of its own, after all that waits.
    pub fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.queue.push_back(Parcel::Frame { frame, objects: 0 });
    }

    /// A control frame that may overtake: a ping, which must not wait behind what it is to explain.
    pub fn push_first(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.queue.push_front(Parcel::Frame { frame, objects: 0 });
    }

    /// Objects of a turn, in order.
    pub fn offer(&mut self, turn: &Turn<'_>, picks: &[Pick]) -> Offered {
        let size: usize = picks.iter().map(|pick| turn.encoded(self.codec, *pick).len()).sum();
        if self.is_empty() && size <= self.limits.frame_bytes {
            let frame = turn.frame(self.codec, picks);
            self.bytes += frame.len();
            self.queue.push_back(Parcel::Frame { frame, objects: picks.len() });
            return Offered::Kept;
        }
        for pick in picks {
            let object = turn.object(*pick);
            let stream = object.stream();
            let is_behind = self.bytes > self.limits.conflate_above || !self.marks.order.is_empty();
            if stream.channel.conflates() && is_behind {
                if self.marks.order.is_empty() {
                    self.queue.push_back(Parcel::Marked);
                }
                self.marks.set(stream, object.seq);
            } else {
                self.append(turn.encoded(self.codec, *pick));
            }
        }
        if self.bytes > self.limits.end_above { Offered::Overflow } else { Offered::Kept }
    }

    /// The next frame, with the newest of what is marked in `latest`.
    pub fn take(&mut self, latest: &Latest) -> Option<Taken> {
        let taken = loop {
            match self.queue.pop_front()? {
                Parcel::Frame { frame, objects } => {
                    self.bytes -= frame.len();
                    break Taken { frame, objects, merged: 0 };
                }
                Parcel::Open(array) => {
                    self.bytes -= array.len();
                    break Taken { objects: array.count(), frame: array.finish(), merged: 0 };
                }
                Parcel::Marked => {
                    if let Some(taken) = self.take_marked(latest) {
                        break taken;
                    }
                }
            }
        };
        if self.queue.is_empty() {
            self.queue.shrink_to(1);
        }
        Some(taken)
    }

    /// Only these streams are wanted still: no other marked one need be sent.
    pub fn retain(&mut self, is_wanted: impl Fn(Stream) -> bool) {
        self.marks.order.retain(|stream| is_wanted(*stream));
        self.marks.last.retain(|stream, _| is_wanted(*stream));
    }

    /// Nothing of what waits will be sent.
    pub fn clear(&mut self) {
        self.queue = VecDeque::new();
        self.marks = Marks::default();
        self.bytes = 0;
    }

    fn append(&mut self, object: &[u8]) {
        match self.queue.back_mut() {
            Some(Parcel::Open(array)) if array.len() + object.len() <= self.limits.frame_bytes => {
                array.push(object);
            }
            _ => {
                let mut array = ArrayFrame::with_capacity(self.codec, object.len());
                array.push(object);
                self.queue.push_back(Parcel::Open(array));
            }
        }
        self.bytes += object.len();
    }

    fn take_marked(&mut self, latest: &Latest) -> Option<Taken> {
        let mut bytes = Vec::new();
        let mut frame = ArrayFrame::with_capacity(self.codec, 0);
        let mut merged = 0;
        while frame.len() < self.limits.frame_bytes
            && let Some((stream, Seq(last))) = self.marks.pop()
        {
            let Some(object) = latest.of(stream) else { continue };
            let replaced = object.seq.0 - last - 1;
            bytes.clear();
            self.codec.write(&mut bytes, &self.universe, object, Mark::merged(replaced));
            frame.push(&bytes);
            merged += replaced;
        }
        if !self.marks.order.is_empty() {
            self.queue.push_back(Parcel::Marked);
        }
        (!frame.is_empty()).then(|| Taken { objects: frame.count(), frame: frame.finish(), merged })
    }
}

impl Marks {
    /// The stream has this object, which the client does not have yet.
    fn set(&mut self, stream: Stream, seq: Seq) {
        self.last.entry(stream).or_insert_with(|| {
            self.order.push_back(stream);
            Seq(seq.0 - 1)
        });
    }

    fn pop(&mut self) -> Option<(Stream, Seq)> {
        let stream = self.order.pop_front()?;
        let last = self.last.remove(&stream).expect("a stream in order has its last number");
        if self.order.is_empty() {
            *self = Self::default();
        }
        Some((stream, last))
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
