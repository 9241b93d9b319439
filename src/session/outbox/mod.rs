//! What one client has yet to receive: a bounded, pulled queue with conflation.

mod answers;
mod entry;
mod pacing;
mod streams;
mod tickers;

use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;

pub use self::answers::{AnswerKind, AnswerPoint, AnswerRequest, ReplayLookup, SnapshotKind};
use self::answers::{AnswerObject, PendingAnswers};
pub use self::entry::OutgoingFrame;
use self::entry::{OutboxEntry, append, append_with};
pub use self::pacing::Pacing;
use self::streams::StreamTable;
use self::tickers::TickerParts;
pub use self::tickers::{TickerExtent, TickerForm};
use super::limits::{MAX_CONTROLS_PER_FRAME, Offered, OutboxLimits, Overload};
use crate::archive::RetainedObject;
use crate::hub::{EncodedLastValues, FanOut, FrameForm, ObjectRef};
use crate::model::{Missed, Object, Seq, StreamId, Universe};
use crate::wire::{
    ArrayFrame, Codec, ControlMessage, Deflate, DeliveryKind, Gap, NumberedTicker, TickerFields,
};

/// What one client has yet to receive, in the order in which it will receive it.
///
/// Control messages and data share one queue, so an acknowledgement is never overtaken. The queue is
/// pulled: frames are assembled when the socket has room, as large as what is due.
///
/// **Backpressure.** A slow consumer gets fewer quotes, never older ones: above
/// [`conflate_above`](OutboxLimits::conflate_above) a stream that
/// [conflates](crate::model::Channel::conflates) is only marked dirty, and its newest object is looked
/// up when the socket takes it. A client with an interval (`conflate_ms`) gets the same by its own
/// wish: nothing leaves before it is [released](Outbox::release), and streams that conflate are
/// sampled instead of queued. Memory is bounded by the limits plus one row for each subscribed stream;
/// the market's rate does not matter.
///
/// **Answers.** Replays and snapshots are not queued when they are [requested](Outbox::request) but
/// [produced](Outbox::produce) in pieces while little is queued, under the same limits.
#[derive(Debug)]
pub struct Outbox {
    codec: Codec,
    deflate: Option<Deflate>,
    limits: OutboxLimits,
    queue: VecDeque<OutboxEntry>,
    /// What does not wait in `queue`; `None` if there was nothing, as nearly always.
    beside: Option<Box<BesideQueue>>,
    /// Bytes in `queue` and beside it.
    bytes: usize,
    /// The part of `bytes` that is held for the end of an interval.
    held_bytes: usize,
    /// The part of `bytes` that is in control messages and does not count against the limits: an
    /// acknowledgement may be longer than they are.
    control_bytes: usize,
    streams: StreamTable,
    /// Which part of tickers the client gets; `None` if it gets all of each.
    tickers: Option<Box<TickerParts>>,
    /// What was requested and is yet to be produced.
    answers: Option<Box<PendingAnswers>>,
    /// Whether dirty streams and gap notices leave before the next piece of an answer.
    answers_yield: bool,
    /// Whether the subscriptions that answers belong to are still being changed.
    answers_held: bool,
    /// Whether too much waits for all sessions of the client's address, or of the worker.
    is_crowded: bool,
    pacing: Pacing,
    /// Whether the last release had no room for all sampled streams.
    is_partly_released: bool,
    /// The size of the last release: the next one is likely to need as much.
    released_bytes: usize,
    overload: Overload,
    told_gaps: ToldGaps,
}

/// What waits beside an outbox's queue.
#[derive(Debug, Default)]
struct BesideQueue {
    /// Control frames that overtake the queue.
    urgent: VecDeque<Bytes>,
    /// Objects that wait for the end of the client's interval.
    held: VecDeque<OutboxEntry>,
}

/// The gap notices that a client was sent or that wait for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToldGaps {
    /// How many.
    pub notices: u64,
    /// The objects that they tell of.
    pub objects: u64,
}

impl ToldGaps {
    fn add(&mut self, gaps: &[(StreamId, Seq, Seq)]) {
        self.notices += gaps.len() as u64;
        self.objects += gaps.iter().map(|(_, from, to)| (to.0 + 1).saturating_sub(from.0)).sum::<u64>();
    }
}

/// What an object takes on average: a piece of an answer has as many as a frame holds.
const TYPICAL_OBJECT_BYTES: usize = 128;

impl Outbox {
    /// An empty outbox.
    pub fn new(codec: Codec, limits: OutboxLimits) -> Self {
        Self {
            codec,
            deflate: None,
            limits,
            queue: VecDeque::new(),
            beside: None,
            bytes: 0,
            held_bytes: 0,
            control_bytes: 0,
            streams: StreamTable::default(),
            tickers: None,
            answers: None,
            answers_yield: false,
            answers_held: false,
            is_crowded: false,
            pacing: Pacing::Immediate,
            is_partly_released: false,
            released_bytes: 0,
            overload: Overload::End,
            told_gaps: ToldGaps::default(),
        }
    }

    /// The gap notices until now.
    pub fn told_gaps(&self) -> ToldGaps {
        self.told_gaps
    }

    /// The same outbox, for a client that agreed on this compression.
    #[must_use]
    pub fn compressed(self, deflate: Option<Deflate>) -> Self {
        Self { deflate, ..self }
    }

    /// The bytes that are queued.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The bytes that the socket may take now: what is held for the end of an interval is not among them.
    pub fn backlog_bytes(&self) -> usize {
        self.bytes - self.held_bytes
    }

    /// Whether the socket has nothing to take.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.beside.as_ref().is_none_or(|beside| beside.urgent.is_empty())
    }

    /// Whether nothing is queued and every stream is current: the next objects may bypass the outbox,
    /// and it makes no difference when they are offered.
    pub fn is_idle(&self) -> bool {
        let is_current = self.streams.is_empty() && self.answers.is_none();
        self.is_empty() && is_current && self.pacing == Pacing::Immediate
    }

    /// Sets whether the session must hold less, because too much waits for many together.
    pub fn set_crowded(&mut self, is_crowded: bool) {
        self.is_crowded = is_crowded;
    }

    /// The watermarks in force: low and high.
    fn watermarks(&self) -> (usize, usize) {
        let OutboxLimits { conflate_above, end_above, frame_bytes } = self.limits;
        match self.is_crowded {
            true => (conflate_above.min(frame_bytes), end_above.min(2 * frame_bytes)),
            false => (conflate_above, end_above),
        }
    }

    /// Sets what happens when even objects that must not be conflated find no room.
    pub fn set_overload(&mut self, overload: Overload) {
        self.overload = overload;
    }

    /// Queues a control message or a whole message of its own.
    pub fn push(&mut self, frame: Bytes) {
        self.flush_held();
        self.bytes += frame.len();
        self.control_bytes += frame.len();
        self.queue.push_back(OutboxEntry::Frame { frame, objects: 0 });
    }

    /// Queues a control frame that overtakes data: a ping must not wait behind the backlog that it is
    /// to explain.
    pub fn push_urgent(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.beside.get_or_insert_default().urgent.push_back(frame);
    }

    /// Whether little enough of what does not count against the limits is queued for another notice of alerts.
    pub fn has_room_for_alerts(&self) -> bool {
        /// Some 50 of them. What fires meanwhile waits in the session, where it is merged.
        const MOST_CONTROL_BYTES: usize = 8 << 10;
        self.control_bytes < MOST_CONTROL_BYTES
    }

    /// Queues a notice of alerts behind everything but the objects that wait for the end of the client's interval: it must
    /// not wait for that, and objects must not leave before it.
    pub fn push_alerts(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.control_bytes += frame.len();
        self.queue.push_back(OutboxEntry::Frame { frame, objects: 0 });
    }

    /// Moves the places of the dirty streams and of the gap notices behind everything that is queued: behind
    /// the acknowledgement of a command that adds subscriptions, and behind a piece of an answer. Streams of
    /// these may become dirty at once, and must not leave from an older place.
    pub fn defer_lookups(&mut self) {
        self.queue.retain(|entry| !matches!(entry, OutboxEntry::Dirty | OutboxEntry::Gaps));
        if self.streams.has_dirty() {
            self.queue.push_back(OutboxEntry::Dirty);
        }
        if self.streams.has_lost() {
            self.queue.push_back(OutboxEntry::Gaps);
        }
    }

    /// Records what a command requests; up to `room` objects are replayed. Call it when the acknowledgement
    /// is queued, and [produce](Self::produce) it when it is [due](Self::wants_answer).
    pub fn request(&mut self, request: AnswerRequest, replay: &ReplayLookup, room: usize) {
        let new = || Box::new(PendingAnswers::new(Rc::clone(replay)));
        self.answers.get_or_insert_with(new).add(request, room);
    }

    /// Sets whether answers wait although they are due: until all of their streams are in the hub's index, since
    /// what is published before is found by the answer alone.
    pub fn hold_answers(&mut self, held: bool) {
        self.answers_held = held;
    }

    /// Whether a piece of an answer is due: something is requested, and little is queued. Gap notices come
    /// first, since a snapshot would be ahead of them; dirty streams take turns with answers.
    pub fn wants_answer(&self) -> bool {
        let most = if self.is_crowded { 1 } else { self.limits.frame_bytes };
        let has_room = self.limited_bytes() < most;
        let may_answer = !self.answers_held && !self.answers_yield && !self.streams.has_lost();
        self.answers.is_some() && has_room && may_answer
    }

    /// Queues the next piece of what was requested, about a frame; says whether it is the last one. Everything up to the
    /// last values must have been offered.
    pub fn produce(&mut self, last_values: &EncodedLastValues) -> bool {
        let Some(mut answers) = self.answers.take() else { return false };
        let bytes = if self.is_crowded { self.limits.frame_bytes / 16 } else { self.limits.frame_bytes };
        let most = (bytes / TYPICAL_OBJECT_BYTES).clamp(1, MAX_CONTROLS_PER_FRAME);
        let is_paced = self.pacing == Pacing::Interval;
        let is_sampled = |stream: StreamId| is_paced && stream.channel().conflates();
        let piece = answers.next_piece(last_values.last_values(), most, is_sampled);
        self.answers = Some(answers).filter(|answers| !answers.is_empty());
        self.told_gaps.add(&piece.gaps);
        let gaps: Vec<_> =
            piece.gaps.into_iter().map(|gap| gap_notice(last_values.universe(), gap)).collect();
        if !gaps.is_empty() {
            self.push(ControlMessage::array_frame(&gaps, self.codec));
        }
        for (stream, sent) in piece.positions {
            match is_sampled(stream) {
                true => self.streams.set_sampled(stream, sent),
                false if sent > last_values.seq(stream) => self.streams.set_ahead(stream, sent),
                false => {}
            }
        }
        for object in &piece.objects {
            match object {
                AnswerObject::Next(answer, mark) => self.append_answer(answer, *mark, last_values),
                AnswerObject::Again(answer) => {
                    let object = &answer.object;
                    self.flush_held();
                    if let Some(sent) = self.streams.take_behind(object.stream(), object.seq) {
                        self.append_newest(
                            last_values,
                            object.stream(),
                            object.seq.0.saturating_sub(sent.0 + 1),
                        );
                    }
                    self.append_answer(answer, DeliveryKind::Snapshot, last_values);
                }
            }
        }
        self.defer_lookups();
        self.answers_yield = self.streams.has_dirty();
        self.answers.is_none()
    }

    /// Queues an object of an answer; no snapshot where the client has a newer object from a worker that is
    /// ahead.
    fn append_answer(
        &mut self,
        answer: &RetainedObject,
        mark: DeliveryKind,
        last_values: &EncodedLastValues,
    ) {
        let RetainedObject { object, message, .. } = answer;
        let (stream, universe) = (object.stream(), last_values.universe());
        if mark != DeliveryKind::Snapshot || !self.streams.is_ahead_of(object) {
            let part = self.part_of_answer(last_values, NumberedTicker::of(object));
            self.append_with(0, mark, |out, codec| match part {
                Some((ticker, part)) => last_values.write_ticker(out, codec, ticker, mark, part),
                None => codec.write_with(out, universe, object, message.as_deref(), mark),
            });
            self.streams.set_sampled(stream, object.seq);
        }
    }

    /// Whether the live objects of a stream are skipped, because a requested answer of it comes first.
    fn suspends(&self, stream: StreamId) -> bool {
        self.answers.as_ref().is_some_and(|answers| answers.suspends(stream))
    }

    /// The form of shared frames, if the objects of a fan-out may be one: while the outbox is idle.
    pub(super) fn fast_path(&self) -> Option<FrameForm> {
        let Self { codec, deflate, limits, .. } = *self;
        let tickers =
            self.tickers.as_ref().map_or(Some(TickerFields::ALL), |tickers| tickers.shared_fields())?;
        self.is_idle().then_some(FrameForm { codec, deflate, max_bytes: limits.frame_bytes, tickers })
    }

    /// Queues the objects of a fan-out, in order; says whether they found room.
    pub fn offer(&mut self, fan_out: &FanOut<'_>, objects: &[ObjectRef]) -> Offered {
        let form = self.fast_path().filter(|_| !fan_out.is_late());
        if let Some(frame) = form.and_then(|form| fan_out.frame(form, objects)) {
            let frame = fan_out.bytes(frame);
            self.bytes += frame.len();
            self.queue.push_back(OutboxEntry::Frame { frame, objects: objects.len() });
            return Offered::Kept;
        }
        let had_lost = self.streams.has_lost();
        for reference in objects {
            let object = fan_out.object(*reference);
            if !self.streams.skips(object) && !self.suspends(object.stream()) {
                self.offer_one(object, *reference, fan_out);
            }
        }
        match self.overload {
            Overload::Gap if !had_lost && self.streams.has_lost() => Offered::Lost,
            Overload::End if self.limited_bytes() > self.watermarks().1 => Offered::Overflow,
            Overload::Gap | Overload::End => Offered::Kept,
        }
    }

    fn offer_one(&mut self, object: &Object, reference: ObjectRef, fan_out: &FanOut<'_>) {
        let stream = object.stream();
        let (conflate_above, end_above) = self.watermarks();
        let is_above = self.limited_bytes() > conflate_above;
        let is_behind = is_above || fan_out.is_late() || self.streams.has_dirty();
        let part = NumberedTicker::of(object).filter(|_| self.tickers.is_some());
        let encoded = match part {
            Some(_) => &[],
            None => fan_out.encoded(self.codec, reference),
        };
        let size = part.map_or(encoded.len(), |_| TYPICAL_OBJECT_BYTES);
        let is_full = self.limited_bytes() + size > end_above;
        let is_losing = self.overload == Overload::Gap && (is_full || self.streams.has_lost());
        if stream.channel().conflates() && (is_behind || is_losing) {
            if !self.streams.has_dirty() {
                self.queue.push_back(OutboxEntry::Dirty);
            }
            self.streams.mark_dirty(stream, object.seq);
        } else if is_losing {
            if !self.streams.has_lost() {
                self.flush_held();
                self.queue.push_back(OutboxEntry::Gaps);
            }
            self.streams.lose(stream, object.seq);
        } else if let Some(ticker) = part {
            self.append_ticker(fan_out.last_values(), ticker);
        } else {
            match self.pacing {
                Pacing::Immediate => self.bytes += append(&mut self.queue, self.codec, self.limits, encoded),
                Pacing::Interval => {
                    let held = &mut self.beside.get_or_insert_default().held;
                    let size = append(held, self.codec, self.limits, encoded);
                    self.bytes += size;
                    self.held_bytes += size;
                }
            }
        }
    }

    /// Notes that these objects will not be offered: streams that conflate go on with their newest object, which
    /// counts them as merged; for the others a gap notice says so, if the client understands it.
    ///
    /// The notices leave before all that is offered from now on, unless other objects have found no room already.
    pub fn miss(&mut self, missed: &[Missed]) {
        let is_full = self.limited_bytes() > self.watermarks().1;
        for Missed { stream, from, to } in missed.iter().copied() {
            let Some(from) = self.streams.first_missing(stream, from, to) else { continue };
            if self.suspends(stream) {
                continue;
            }
            if stream.channel().conflates() {
                if !self.streams.has_dirty() {
                    self.queue.push_back(OutboxEntry::Dirty);
                }
                self.streams.mark_dirty(stream, from);
            } else if self.overload == Overload::Gap {
                if !is_full && !self.streams.has_lost() {
                    self.tell_missed((stream, from, to));
                    continue;
                }
                if !self.streams.has_lost() {
                    self.flush_held();
                    self.queue.push_back(OutboxEntry::Gaps);
                }
                self.streams.lose(stream, from);
                self.streams.lose(stream, to);
            }
        }
    }

    /// Queues a gap notice behind what was queued before.
    fn tell_missed(&mut self, gap: (StreamId, Seq, Seq)) {
        self.flush_held();
        self.bytes += missed_bytes(&[gap]);
        match self.queue.back_mut() {
            Some(OutboxEntry::Missed(gaps)) => gaps.push(gap),
            _ => self.queue.push_back(OutboxEntry::Missed(vec![gap])),
        }
    }

    /// Begins an epoch in which numbers begin again: what the client has of each stream, and what is to be looked up of
    /// it, is forgotten. Gap notices that wait are of the numbers before, and leave first. Call it when everything of
    /// before was offered, before the epoch is told.
    pub fn restart_numbers(&mut self, universe: &Universe) {
        self.flush_held();
        self.queue.retain(|entry| !matches!(entry, OutboxEntry::Dirty | OutboxEntry::Gaps));
        while self.streams.has_lost() {
            let lost = self.streams.take_lost(MAX_CONTROLS_PER_FRAME);
            self.told_gaps.add(&lost);
            let gaps: Vec<_> = lost.into_iter().map(|gap| gap_notice(universe, gap)).collect();
            self.push(ControlMessage::array_frame(&gaps, self.codec));
        }
        self.streams.restart_numbers();
        self.forget_tickers();
        if let Some(answers) = &mut self.answers {
            answers.restart_numbers();
        }
        self.answers_yield = false;
    }

    /// Takes the next control frame that overtakes the queue.
    pub fn take_urgent(&mut self) -> Option<OutgoingFrame> {
        let frame = self.beside.as_mut()?.urgent.pop_front()?;
        self.beside.take_if(|beside| beside.urgent.is_empty() && beside.held.is_empty());
        self.bytes -= frame.len();
        Some(OutgoingFrame { frame, objects: 0, merged: 0 })
    }

    /// Whether the next frames are to be looked up in the last values.
    pub fn looks_up(&self) -> bool {
        self.streams.has_dirty() || self.is_partly_released
    }

    /// Takes the next frame. The newest objects of dirty streams come from `last_values`.
    pub fn take(&mut self, last_values: &EncodedLastValues) -> Option<OutgoingFrame> {
        if let Some(frame) = self.take_urgent() {
            return Some(frame);
        }
        if self.is_partly_released {
            self.release(last_values);
        }
        let taken = loop {
            match self.queue.pop_front()? {
                OutboxEntry::Frame { frame, objects } => {
                    self.bytes -= frame.len();
                    if objects == 0 {
                        self.control_bytes -= frame.len();
                    }
                    break OutgoingFrame { frame, objects, merged: 0 };
                }
                OutboxEntry::Open(array) => {
                    self.bytes -= array.len();
                    let (objects, merged) = (array.count(), array.merged());
                    break OutgoingFrame { objects, merged, frame: array.finish() };
                }
                OutboxEntry::Dirty => {
                    self.answers_yield = false;
                    if let Some(taken) = self.take_dirty(last_values) {
                        break taken;
                    }
                }
                OutboxEntry::Missed(mut gaps) => {
                    self.bytes -= missed_bytes(&gaps);
                    let rest = gaps.split_off(gaps.len().min(MAX_CONTROLS_PER_FRAME));
                    if !rest.is_empty() {
                        self.bytes += missed_bytes(&rest);
                        self.queue.push_front(OutboxEntry::Missed(rest));
                    }
                    if let Some(taken) = self.gap_notices(last_values.universe(), gaps) {
                        break taken;
                    }
                }
                OutboxEntry::Gaps => {
                    if let Some(taken) = self.take_gaps(last_values) {
                        if self.streams.has_lost() {
                            self.queue.push_front(OutboxEntry::Gaps);
                        }
                        break taken;
                    }
                }
            }
        };
        if self.queue.is_empty() {
            self.queue.shrink_to(1);
        }
        Some(OutgoingFrame { frame: self.packed(taken.frame), ..taken })
    }

    /// Compresses a frame where that was agreed and pays; shared frames are compressed already.
    fn packed(&self, frame: Bytes) -> Bytes {
        match self.deflate {
            Some(deflate) => deflate.pack(frame),
            None => frame,
        }
    }

    /// Forgets what is still to be looked up of streams that are no longer wanted. What is queued of them stays, with what was
    /// missed between.
    pub fn retain(&mut self, is_wanted: impl Fn(StreamId) -> bool) {
        self.streams.retain(&is_wanted);
        if let Some(tickers) = &mut self.tickers {
            tickers.retain(&is_wanted);
        }
        // A place without a stream would serve the next one too early.
        let Self { queue, streams, .. } = self;
        queue.retain(|entry| match entry {
            OutboxEntry::Dirty => streams.has_dirty(),
            OutboxEntry::Gaps => streams.has_lost(),
            OutboxEntry::Frame { .. } | OutboxEntry::Open(_) | OutboxEntry::Missed(_) => true,
        });
        self.answers_yield &= self.streams.has_dirty();
        if let Some(answers) = &mut self.answers {
            answers.retain(&is_wanted);
        }
        self.answers.take_if(|answers| answers.is_empty());
    }

    /// Discards everything that is queued.
    pub fn clear(&mut self) {
        let fresh = Self::new(self.codec, self.limits);
        *self = Self { overload: self.overload, deflate: self.deflate, told_gaps: self.told_gaps, ..fresh };
    }

    /// The bytes that count against the limits.
    fn limited_bytes(&self) -> usize {
        self.bytes - self.control_bytes
    }

    fn flush_held(&mut self) {
        self.held_bytes = 0;
        if let Some(beside) = &mut self.beside {
            self.queue.append(&mut beside.held);
            beside.held.shrink_to(1);
        }
    }

    /// Appends the newest object of a stream, which replaces this many older ones.
    fn append_newest(&mut self, last_values: &EncodedLastValues, stream: StreamId, replaced: u64) {
        let mark = DeliveryKind::conflated(replaced);
        let part = self.part_of_newest(last_values, stream, replaced);
        self.append_with(self.released_bytes, mark, |out, codec| match part {
            Some(part) => last_values.write_newest_ticker(out, codec, stream, mark, part),
            None => last_values.write(out, codec, stream, mark),
        });
    }

    fn append_with(&mut self, capacity: usize, mark: DeliveryKind, write: impl FnOnce(&mut Vec<u8>, Codec)) {
        let Self { queue, codec, .. } = self;
        let write = |out: &mut Vec<u8>| write(out, *codec);
        self.bytes += append_with(queue, *codec, self.limits, capacity, write);
        if let (DeliveryKind::Conflated(objects), Some(OutboxEntry::Open(array))) =
            (mark, self.queue.back_mut())
        {
            array.count_merged(objects);
        }
    }

    fn take_dirty(&mut self, last_values: &EncodedLastValues) -> Option<OutgoingFrame> {
        let mut frame = ArrayFrame::with_capacity(self.codec, 0);
        while frame.len() < self.limits.frame_bytes
            && let Some((stream, Seq(sent))) = self.streams.pop_dirty()
        {
            // The first objects of the stream were lost upstream: there is none yet to send.
            if last_values.seq(stream) == Seq::default() {
                continue;
            }
            let replaced = last_values.seq(stream).0.saturating_sub(sent + 1);
            let mark = DeliveryKind::conflated(replaced);
            let part = self.part_of_newest(last_values, stream, replaced);
            frame.push_with(|out| match part {
                Some(part) => last_values.write_newest_ticker(out, self.codec, stream, mark, part),
                None => last_values.write(out, self.codec, stream, mark),
            });
            frame.count_merged(replaced);
        }
        if self.streams.has_dirty() {
            self.queue.push_back(OutboxEntry::Dirty);
        }
        let (objects, merged) = (frame.count(), frame.merged());
        (objects > 0).then(|| OutgoingFrame { objects, merged, frame: frame.finish() })
    }

    fn take_gaps(&mut self, last_values: &EncodedLastValues) -> Option<OutgoingFrame> {
        let lost = self.streams.take_lost(MAX_CONTROLS_PER_FRAME);
        self.gap_notices(last_values.universe(), lost)
    }

    fn gap_notices(&mut self, universe: &Universe, gaps: Vec<(StreamId, Seq, Seq)>) -> Option<OutgoingFrame> {
        self.told_gaps.add(&gaps);
        let gaps: Vec<_> = gaps.into_iter().map(|gap| gap_notice(universe, gap)).collect();
        (!gaps.is_empty()).then(|| OutgoingFrame {
            frame: ControlMessage::array_frame(&gaps, self.codec),
            objects: 0,
            merged: 0,
        })
    }
}

/// The memory that gap notices take until they leave.
fn missed_bytes(gaps: &[(StreamId, Seq, Seq)]) -> usize {
    size_of_val(gaps)
}

/// The notice that these objects will not come.
fn gap_notice(universe: &Universe, (stream, from, to): (StreamId, Seq, Seq)) -> ControlMessage {
    ControlMessage::Gap(Gap::of(Missed { stream, from, to }, universe))
}

#[cfg(test)]
mod tests;
