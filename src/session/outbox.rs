use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::delivered::AlreadyDelivered;
use super::dirty::{DirtyStreams, LostRanges};
use super::entry::{OutboxEntry, OutgoingFrame, append, append_with};
use super::fast_path::FastPath;
use super::limits::{Offered, OutboxLimits, Overload};
use super::sampler::{Capacity, SampleResult, Sampler};
use crate::hub::{EncodedLastValues, FanOut, ObjectRef};
use crate::model::{Object, Seq, StreamId, Universe};
use crate::wire::{ArrayFrame, Codec, ControlMessage, Deflate, Gap, Mark};

/// What one client has yet to get, in the order in which it will get it.
///
/// Control and data share one queue, so that an acknowledgement is never overtaken. It is pulled:
/// frames are assembled when the socket asks, as large as what is due.
///
/// A client that falls behind gets fewer quotes, never older ones: from then on a stream that
/// [conflates](crate::model::Channel::conflates) is only marked, and its newest object is looked up
/// when the socket takes it. A client that asked for a pace gets the same by its own wish: nothing
/// leaves before it is [released](Outbox::release), and streams that conflate are watched instead
/// of queued. The memory is bounded by the limits plus a row for each subscribed stream, not by the
/// market.
#[derive(Debug)]
pub struct Outbox {
    codec: Codec,
    deflate: Option<Deflate>,
    universe: Arc<Universe>,
    limits: OutboxLimits,
    urgent: VecDeque<Bytes>,
    queue: VecDeque<OutboxEntry>,
    /// Objects that wait for the next release.
    held: VecDeque<OutboxEntry>,
    /// Bytes in `urgent`, `queue` and `held`.
    bytes: usize,
    /// So many of them were asked for at once and do not count against the limits.
    allowance: usize,
    marks: DirtyStreams,
    losses: LostRanges,
    watch: Option<Sampler>,
    /// Whether the last release had no room for all that is watched.
    is_unfinished: bool,
    /// What the last release came to: the next one is likely to need as much room.
    released_bytes: usize,
    /// Objects up to these numbers are not news to the client.
    known: AlreadyDelivered,
    overload: Overload,
}

impl Outbox {
    /// An empty outbox.
    pub fn new(codec: Codec, universe: Arc<Universe>, limits: OutboxLimits) -> Self {
        Self {
            codec,
            deflate: None,
            universe,
            limits,
            urgent: VecDeque::new(),
            queue: VecDeque::new(),
            held: VecDeque::new(),
            bytes: 0,
            allowance: 0,
            marks: DirtyStreams::default(),
            losses: LostRanges::default(),
            watch: None,
            is_unfinished: false,
            released_bytes: 0,
            known: AlreadyDelivered::default(),
            overload: Overload::End,
        }
    }

    /// The same outbox, for a client whose messages may be compressed so.
    #[must_use]
    pub fn compressed(self, deflate: Option<Deflate>) -> Self {
        Self { deflate, ..self }
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing waits for the socket.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.urgent.is_empty()
    }

    /// Whether nothing waits, is looked up later, or is known from elsewhere: it makes no difference
    /// when the next objects are offered.
    pub fn is_level(&self) -> bool {
        let waits = !self.is_empty() || !self.marks.is_empty() || !self.losses.is_empty();
        !waits && self.watch.is_none() && self.known.is_empty()
    }

    /// What is to be done about overload from now on.
    pub fn set_overload(&mut self, overload: Overload) {
        self.overload = overload;
    }

    /// A control frame or a whole message of its own, after all that waits.
    pub fn push(&mut self, frame: Bytes) {
        self.flush_held();
        self.bytes += frame.len();
        self.queue.push_back(OutboxEntry::Frame { frame, objects: 0 });
    }

    /// A control frame that may overtake: a ping, which must not wait behind what it is to explain.
    pub fn push_urgent(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.urgent.push_back(frame);
    }

    /// Before a command is carried out: whatever is marked or was lost takes its place in the queue
    /// now, with what is newest. So nothing of what the command brings about, which is queued after it,
    /// can be served at an older place.
    pub fn settle(&mut self, latest: &EncodedLastValues) {
        self.flush_held();
        let before = self.bytes;
        while let Some((stream, Seq(last))) = self.marks.pop() {
            self.append_newest(latest, stream, latest.seq(stream).0 - last - 1);
        }
        if let Some(OutgoingFrame { frame, .. }) = self.take_lost() {
            self.push(frame);
        }
        self.queue.retain(|parcel| !matches!(parcel, OutboxEntry::Marked | OutboxEntry::Lost));
        self.allowance += self.bytes - before;
    }

    /// Objects that the client asked for at once, after all that waits, but for those of which it has
    /// a newer one from a worker that is ahead. They do not count against the limits.
    pub fn push_asked_for(&mut self, objects: &[(Object, Mark)]) {
        let before = self.bytes;
        for (object, mark) in objects {
            let stream = object.stream();
            let watched = self.watch.as_ref().and_then(|watch| watch.last(stream));
            if self.known.last(stream).max(watched) > Some(object.seq) {
                continue;
            }
            self.append_marked(object, *mark);
            if let Some(watch) = &mut self.watch {
                watch.set_last(stream, object.seq);
            }
        }
        self.allowance += self.bytes - before;
    }

    /// Objects up to this number will not be offered again.
    pub fn knows(&mut self, stream: StreamId, seq: Seq) {
        self.known.set(stream, seq);
    }

    /// Up to which number objects of this stream were known, and will be offered all the same.
    pub(super) fn forget_known(&mut self, stream: StreamId) -> Option<Seq> {
        self.known.remove(stream)
    }

    /// How the objects of a turn may pass it, while nothing is changed here: at once, where it is level.
    pub(super) fn passage(&self) -> Option<FastPath> {
        let Self { codec, deflate, limits, .. } = *self;
        self.is_level().then_some(FastPath { codec, deflate, frame_bytes: limits.frame_bytes })
    }

    /// Objects of a turn, in order.
    pub fn offer(&mut self, turn: &FanOut<'_>, picks: &[ObjectRef]) -> Offered {
        if let Some(frame) = self.passage().and_then(|passage| passage.frame(turn, picks)) {
            let frame = turn.bytes(frame);
            self.bytes += frame.len();
            self.queue.push_back(OutboxEntry::Frame { frame, objects: picks.len() });
            return Offered::Kept;
        }
        let was_lossless = self.losses.is_empty();
        for pick in picks {
            let object = turn.object(*pick);
            if !self.known.covers(object) {
                self.offer_one(object, turn.encoded(self.codec, *pick));
            }
        }
        match self.overload {
            Overload::Gap if was_lossless && !self.losses.is_empty() => Offered::Lost,
            Overload::End if self.counted_bytes() > self.limits.end_above => Offered::Overflow,
            Overload::Gap | Overload::End => Offered::Kept,
        }
    }

    fn offer_one(&mut self, object: &Object, encoded: &[u8]) {
        let stream = object.stream();
        let is_behind = self.counted_bytes() > self.limits.conflate_above || !self.marks.is_empty();
        let is_full = self.counted_bytes() + encoded.len() > self.limits.end_above;
        if stream.channel().conflates() && is_behind {
            if self.marks.is_empty() {
                self.queue.push_back(OutboxEntry::Marked);
            }
            self.marks.set(stream, object.seq);
        } else if self.overload == Overload::Gap && (is_full || !self.losses.is_empty()) {
            if self.losses.is_empty() {
                self.flush_held();
                self.queue.push_back(OutboxEntry::Lost);
            }
            self.losses.lose(stream, object.seq);
        } else if self.watch.is_some() {
            let more = append(&mut self.held, self.codec, self.limits, encoded);
            self.bytes += more;
        } else {
            self.append(encoded);
        }
    }

    /// The next frame, with the newest of what is marked in `latest`.
    pub fn take(&mut self, latest: &EncodedLastValues) -> Option<OutgoingFrame> {
        if let Some(frame) = self.urgent.pop_front() {
            self.bytes -= frame.len();
            return Some(OutgoingFrame { frame, objects: 0, merged: 0 });
        }
        if self.is_unfinished {
            self.release(latest);
        }
        let taken = loop {
            match self.queue.pop_front()? {
                OutboxEntry::Frame { frame, objects } => {
                    self.bytes -= frame.len();
                    break OutgoingFrame { frame, objects, merged: 0 };
                }
                OutboxEntry::Open(array) => {
                    self.bytes -= array.len();
                    break OutgoingFrame {
                        objects: array.count(),
                        merged: array.merged(),
                        frame: array.finish(),
                    };
                }
                OutboxEntry::Marked => {
                    if let Some(taken) = self.take_marked(latest) {
                        break taken;
                    }
                }
                OutboxEntry::Lost => {
                    if let Some(taken) = self.take_lost() {
                        break taken;
                    }
                }
            }
        };
        if self.queue.is_empty() {
            self.queue.shrink_to(1);
        }
        self.allowance = self.allowance.min(self.bytes);
        Some(OutgoingFrame { frame: self.packed(taken.frame), ..taken })
    }

    /// A frame as it leaves; what is shared was compressed where that pays.
    fn packed(&self, frame: Bytes) -> Bytes {
        match self.deflate {
            Some(deflate) => deflate.pack(frame),
            None => frame,
        }
    }

    /// The client asked for a pace, or no longer does. The caller subscribes it accordingly: with a
    /// pace the streams that conflate are to be watched and not offered.
    pub fn set_paced(&mut self, is_paced: bool, latest: &EncodedLastValues) {
        self.flush_held();
        let watched = std::mem::replace(&mut self.watch, is_paced.then(Sampler::default));
        let ahead = watched.iter().flat_map(Sampler::iter);
        self.known.extend(ahead.filter(|(stream, last)| *last > latest.seq(*stream)));
    }

    /// The streams to watch, for a client with a pace.
    pub(super) fn watch(&mut self) -> Option<&mut Sampler> {
        self.watch.as_mut()
    }

    /// The next frame of a client with a pace is due: what is held may leave, with the newest of
    /// what is watched. While the socket has yet to take what was released before, nothing is.
    pub fn release(&mut self, latest: &EncodedLastValues) {
        if !self.queue.is_empty() {
            return;
        }
        self.flush_held();
        let Some(mut watch) = self.watch.take() else { return };
        let (room, before) = (self.limits.end_above, self.bytes);
        let looked = watch.look(latest, |stream, replaced| {
            self.append_newest(latest, stream, replaced);
            if self.bytes < room { Capacity::Left } else { Capacity::Full }
        });
        self.watch = Some(watch);
        self.released_bytes = (self.bytes - before).min(self.limits.frame_bytes);
        self.is_unfinished = looked == SampleResult::Partly;
    }

    /// Everything that is held or watched leaves now, whatever still waits.
    pub fn release_all(&mut self, latest: &EncodedLastValues) {
        self.flush_held();
        let Some(mut watch) = self.watch.take() else { return };
        let before = self.bytes;
        let _ = watch.look(latest, |stream, replaced| {
            self.append_newest(latest, stream, replaced);
            Capacity::Left
        });
        self.allowance += self.bytes - before;
        self.is_unfinished = false;
        self.watch = Some(watch);
    }

    /// Only these streams are wanted still: of no other anything need be sent.
    pub fn retain(&mut self, is_wanted: impl Fn(StreamId) -> bool) {
        self.marks.retain(&is_wanted);
        self.losses.retain(&is_wanted);
        self.known.retain(&is_wanted);
    }

    /// Nothing of what waits will be sent.
    pub fn clear(&mut self) {
        let fresh = Self::new(self.codec, Arc::clone(&self.universe), self.limits);
        *self = Self { overload: self.overload, deflate: self.deflate, ..fresh };
    }

    /// What counts against the limits.
    fn counted_bytes(&self) -> usize {
        self.bytes - self.allowance.min(self.bytes)
    }

    fn flush_held(&mut self) {
        self.queue.append(&mut self.held);
        self.held.shrink_to(1);
    }

    fn append(&mut self, object: &[u8]) {
        self.bytes += append(&mut self.queue, self.codec, self.limits, object);
    }

    fn append_marked(&mut self, object: &Object, mark: Mark) {
        self.append_with(0, mark, |out, codec, universe| codec.write(out, universe, object, mark));
    }

    /// Appends the newest object of a stream, which replaces so many.
    fn append_newest(&mut self, latest: &EncodedLastValues, stream: StreamId, replaced: u64) {
        let mark = Mark::merged(replaced);
        self.append_with(self.released_bytes, mark, |out, codec, universe| {
            latest.write(out, codec, universe, stream, mark);
        });
    }

    fn append_with(&mut self, room: usize, mark: Mark, write: impl FnOnce(&mut Vec<u8>, Codec, &Universe)) {
        let Self { queue, codec, universe, .. } = self;
        self.bytes += append_with(queue, *codec, self.limits, room, |out| write(out, *codec, universe));
        if let (Mark::Merged(objects), Some(OutboxEntry::Open(array))) = (mark, self.queue.back_mut()) {
            array.count_merged(objects);
        }
    }

    fn take_marked(&mut self, latest: &EncodedLastValues) -> Option<OutgoingFrame> {
        let mut frame = ArrayFrame::with_capacity(self.codec, 0);
        while frame.len() < self.limits.frame_bytes
            && let Some((stream, Seq(last))) = self.marks.pop()
        {
            let replaced = latest.seq(stream).0 - last - 1;
            let mark = Mark::merged(replaced);
            frame.push_with(|out| latest.write(out, self.codec, &self.universe, stream, mark));
            frame.count_merged(replaced);
        }
        if !self.marks.is_empty() {
            self.queue.push_back(OutboxEntry::Marked);
        }
        let (objects, merged) = (frame.count(), frame.merged());
        (objects > 0).then(|| OutgoingFrame { objects, merged, frame: frame.finish() })
    }

    fn take_lost(&mut self) -> Option<OutgoingFrame> {
        let universe = &self.universe;
        let notice = |(stream, from, to): (StreamId, Seq, Seq)| {
            ControlMessage::Gap(Gap::new(
                &universe.instrument(stream.symbol()).symbol,
                stream.channel(),
                from,
                to,
            ))
        };
        let gaps: Vec<_> = self.losses.take().map(notice).collect();
        (!gaps.is_empty()).then(|| OutgoingFrame {
            frame: ControlMessage::array_frame(&gaps, self.codec),
            objects: 0,
            merged: 0,
        })
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
