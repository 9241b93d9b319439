use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustc_hash::{FxHashMap, FxHashSet};

use super::message::{
    EncodedBatch, Fence, NodeMessage, Origin, Part, PartSet, RepairRequest, decode_payload, decode_snapshot,
};
use crate::feed::{Batch, BatchDecoder, LastValues, Relisting};
use crate::model::{Channel, Epoch, Missed, Object, Seq, StreamId, TradeRules, Universe};
use crate::wire::TopicMessage;

/// How long an answer to a repair request may take.
///
/// Effect: after [`REPAIR_TRIES`] of them the follower takes a snapshot, and clients are told of gaps. The leader answers
/// from memory, within some milliseconds.
pub(super) const REPAIR_TIMEOUT: Duration = Duration::from_millis(300);

/// How often missing batches are asked for before a snapshot is.
pub(super) const REPAIR_TRIES: u32 = 2;

/// How long a snapshot, or the next part of one, may take before it is asked for again.
pub(super) const SNAPSHOT_TIMEOUT: Duration = Duration::from_millis(500);

/// How long a beat may be ahead of the batches: it may overtake one that is being delivered.
pub(super) const BEAT_PATIENCE: Duration = Duration::from_millis(50);

/// The most bytes that wait for a snapshot or a repair. Above, all of them are dropped and a snapshot is asked for.
pub(super) const MAX_BUFFER: usize = 8 << 20;

/// The longest hole that is repaired; a longer one takes a snapshot, which is shorter then.
const MAX_REPAIR: u64 = 8_192;

/// The most batches that are received in parts at the same time.
const MAX_PARTIAL: usize = 8;

/// Follows the batches of a leader over a transport that loses, repeats and reorders messages.
///
/// It passes on every batch once, in order. What is lost is repaired from the leader's ring; what cannot be repaired is
/// replaced by a snapshot, and the batch made from it tells what was missed. Pure: messages and times go in, requests and
/// batches come out.
#[derive(Debug)]
pub(super) struct Follower {
    phase: Phase,
    /// The highest fence that was seen. Messages with a lower one are of a leader that has lost its lease.
    fence: Fence,
    position: Option<Position>,
    decoder: BatchDecoder,
    relisting: Relisting,
    /// Batches that cannot be passed on yet, by number.
    buffer: BTreeMap<u64, Bytes>,
    buffer_bytes: usize,
    partial: BTreeMap<u64, PartSet>,
    beat: Option<BeatAhead>,
    heard: Option<Instant>,
    last_request: u64,
    requests: VecDeque<FollowerRequest>,
    ready: VecDeque<Ready>,
    /// The retained messages that came with a snapshot.
    history: Option<TopicMessages>,
    has_gone_back: bool,
    rules: TradeRules,
    counts: FollowerCounts,
}

/// How often something happened that a quiet network would not have caused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FollowerCounts {
    /// Batches that were missing and came by repair, or late.
    pub(super) repaired: u64,
    /// Requests for repair.
    pub(super) repair_requests: u64,
    /// Snapshots that were taken in.
    pub(super) snapshots: u64,
    /// Messages of a leader that had lost its lease.
    pub(super) stale: u64,
    /// Messages that could not be decoded.
    pub(super) damaged: u64,
    /// Times at which too much waited, and all of it was dropped.
    pub(super) overflows: u64,
}

/// What a follower asks the leader for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FollowerRequest {
    /// A snapshot, by the number of the request.
    Snapshot(u64),
    /// Batches that did not arrive.
    Repair(RepairRequest),
}

/// The last batch that was passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position {
    epoch: Epoch,
    batch: u64,
}

#[derive(Clone, Copy, Debug)]
struct BeatAhead {
    number: u64,
    since: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    request: u64,
    at: Instant,
}

#[derive(Debug)]
enum Phase {
    /// Waits for a snapshot; batches are buffered.
    Joining { asked: Option<Asked>, snapshot: PartSet },
    /// Every batch up to the position was passed on.
    Following,
    /// Waits for missing batches; later ones are buffered.
    Repairing { asked: Asked, to: u64, tries: u32 },
}

#[derive(Debug)]
enum Ready {
    Batch(Batch),
    /// What holds, and the retained messages of topics as another batch.
    Snapshot(Batch, Box<Batch>, Epoch),
}

/// Messages of topics with their contents, in the order of publication.
pub(super) type TopicMessages = Vec<(Object, Arc<TopicMessage>)>;

impl Follower {
    /// A follower that takes in no message with a lower fence than this, and whose node knows these instruments already.
    pub(super) fn new(fence: Fence, universe: Arc<Universe>) -> Self {
        Self {
            phase: Phase::Joining { asked: None, snapshot: PartSet::default() },
            fence,
            position: None,
            decoder: BatchDecoder::knowing(Arc::clone(&universe)),
            relisting: Relisting::onto(universe),
            buffer: BTreeMap::new(),
            buffer_bytes: 0,
            partial: BTreeMap::new(),
            beat: None,
            heard: None,
            last_request: 0,
            requests: VecDeque::new(),
            ready: VecDeque::new(),
            history: None,
            has_gone_back: false,
            rules: TradeRules::default(),
            counts: FollowerCounts::default(),
        }
    }

    /// The highest fence that was seen.
    pub(super) const fn fence(&self) -> Fence {
        self.fence
    }

    /// Whether the leader gave lower numbers than clients of this node have: a restart of this node is needed.
    pub(super) const fn has_gone_back(&self) -> bool {
        self.has_gone_back
    }

    /// Which trades are the last price, as the leader said last.
    pub(super) const fn rules(&self) -> TradeRules {
        self.rules
    }

    /// When the leader was last heard.
    pub(super) const fn heard(&self) -> Option<Instant> {
        self.heard
    }

    /// What happened so far.
    pub(super) const fn counts(&self) -> FollowerCounts {
        self.counts
    }

    /// The next request to send.
    pub(super) fn next_request(&mut self) -> Option<FollowerRequest> {
        self.requests.pop_front()
    }

    /// Whether there may be a [next batch](Self::next_batch).
    pub(super) fn has_batch(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The retained messages of topics that a snapshot had, in the universe of the last batch. They are from before that
    /// batch, or in it.
    pub(super) const fn take_history(&mut self) -> Option<TopicMessages> {
        self.history.take()
    }

    /// The next batch in order, which is entered in these last values.
    pub(super) fn next_batch(&mut self, last_values: &mut LastValues) -> Option<Batch> {
        loop {
            let batch = match self.ready.pop_front()? {
                Ready::Batch(batch) => {
                    let batch = self.accept(batch, last_values);
                    let missed = batch.missed().iter().filter_map(|missed| unseen(last_values, missed));
                    let missed = missed.collect();
                    batch.with_missed(missed)
                }
                Ready::Snapshot(snapshot, history, epoch) => {
                    self.relisting = Relisting::onto(Arc::clone(self.relisting.known()));
                    let snapshot = self.relisting.batch(snapshot);
                    let history: TopicMessages = self.relisting.batch(*history).shared_messages().collect();
                    let batch = catch_up(last_values, &snapshot, &history, epoch);
                    self.history = Some(history);
                    batch
                }
            };
            let batch = enter(last_values, batch);
            last_values.set_watermark(batch.watermark());
            last_values.set_batch(batch.number());
            if let Some(epoch) = batch.begun_epoch() {
                last_values.set_epoch(epoch);
            }
            if !batch.is_empty() {
                return Some(batch);
            }
        }
    }

    /// The batch with the ids of this node, and with what is new to it.
    fn accept(&mut self, batch: Batch, last_values: &LastValues) -> Batch {
        let batch = self.relisting.batch(batch);
        let last = |object: &Object| last_values.seq(object.stream());
        if batch.all_objects().all(|object| object.seq > last(object)) {
            return batch;
        }
        self.has_gone_back |= batch.all_objects().any(|object| object.seq < last(object));
        without_known(last_values, &batch)
    }

    /// Takes in a message that arrived at this time.
    pub(super) fn take_in(&mut self, message: NodeMessage, now: Instant) {
        let (NodeMessage::Batches(origin, _)
        | NodeMessage::BatchPart(origin, ..)
        | NodeMessage::Beat(origin, ..)
        | NodeMessage::SnapshotPart(origin, ..)
        | NodeMessage::Gone(origin, _)) = message
        else {
            return;
        };
        if !self.admits(&origin, now) {
            return;
        }
        match message {
            NodeMessage::Batches(_, batches) => batches.into_iter().for_each(|batch| self.batch(batch, now)),
            NodeMessage::BatchPart(_, number, part) => self.batch_part(number, part, now),
            NodeMessage::Beat(_, number, _) => {
                let since = self.beat.filter(|beat| self.is_missing(beat.number));
                self.beat = Some(BeatAhead { number, since: since.map_or(now, |beat| beat.since) });
            }
            NodeMessage::SnapshotPart(_, request, part) => self.snapshot_part(&origin, request, part, now),
            NodeMessage::Gone(_, request) => match &self.phase {
                Phase::Repairing { asked, .. } if asked.request == request => self.rejoin(now),
                _ => {}
            },
            _ => {}
        }
    }

    /// Notes that messages were dropped before they came here.
    pub(super) fn messages_dropped(&mut self, now: Instant) {
        self.counts.overflows += 1;
        self.rejoin(now);
    }

    /// Lets time pass.
    pub(super) fn tick(&mut self, now: Instant) {
        match &self.phase {
            Phase::Joining { asked, .. } => {
                if asked.is_none_or(|asked| now >= asked.at + SNAPSHOT_TIMEOUT) {
                    self.ask_snapshot(now);
                }
            }
            Phase::Repairing { asked, tries, .. } if now >= asked.at + REPAIR_TIMEOUT => match *tries {
                REPAIR_TRIES.. => self.rejoin(now),
                tries => self.ask_repair(tries + 1, now),
            },
            Phase::Following => {
                if self.is_beat_due(now) {
                    self.ask_repair(1, now);
                }
            }
            Phase::Repairing { .. } => {}
        }
    }

    /// Whether a message is of the present leader, or of a new one.
    fn admits(&mut self, origin: &Origin, now: Instant) -> bool {
        if origin.fence < self.fence {
            self.counts.stale += 1;
            return false;
        }
        self.heard = Some(now);
        self.rules = origin.rules;
        if origin.fence > self.fence {
            self.fence = origin.fence;
            self.beat = None;
            // The same epoch goes on if the leader has lost its lease and got it again.
            let goes_on = self.position.is_some_and(|position| position.epoch == origin.epoch);
            if !goes_on || matches!(self.phase, Phase::Joining { .. }) {
                self.rejoin(now);
            }
        }
        true
    }

    fn is_missing(&self, number: u64) -> bool {
        self.position.is_some_and(|position| number > position.batch)
    }

    fn batch_part(&mut self, number: u64, part: Part, now: Instant) {
        let bytes = self.partial.entry(number).or_default().add(part);
        if let Some(bytes) = bytes {
            self.partial.remove(&number);
            self.batch(EncodedBatch { number, bytes }, now);
        } else if self.partial.len() > MAX_PARTIAL {
            self.partial.pop_first();
        }
    }

    fn batch(&mut self, batch: EncodedBatch, now: Instant) {
        let EncodedBatch { number, bytes } = batch;
        let Some(position) = self.position.filter(|_| !matches!(self.phase, Phase::Joining { .. })) else {
            return self.keep(number, bytes, now);
        };
        if number <= position.batch {
            return;
        }
        if let Phase::Repairing { to, .. } = &self.phase {
            self.counts.repaired += u64::from(number <= *to && !self.buffer.contains_key(&number));
        }
        match (&self.phase, number == position.batch + 1) {
            (Phase::Following, true) => self.pass_on(number, &bytes, now),
            (Phase::Repairing { .. }, true) => {
                self.keep(number, bytes, now);
                self.drain(now);
            }
            (Phase::Following, false) => {
                self.keep(number, bytes, now);
                self.ask_repair(1, now);
            }
            (_, _) => self.keep(number, bytes, now),
        }
    }

    fn keep(&mut self, number: u64, bytes: Bytes, now: Instant) {
        self.buffer_bytes += bytes.len();
        if let Some(before) = self.buffer.insert(number, bytes) {
            self.buffer_bytes -= before.len();
        }
        if self.buffer_bytes > MAX_BUFFER {
            self.messages_dropped(now);
        }
    }

    /// Passes on what is in order now.
    fn drain(&mut self, now: Instant) {
        loop {
            let Some(position) = self.position else { return };
            let Some(bytes) = self.buffer.remove(&(position.batch + 1)) else { break };
            self.buffer_bytes -= bytes.len();
            if !self.decodes(position.batch + 1, &bytes) {
                return self.rejoin(now);
            }
        }
        if let Phase::Repairing { asked, to, .. } = &mut self.phase
            && self.position.is_some_and(|position| position.batch < *to)
        {
            asked.at = now;
            return;
        }
        // With nothing missing, it follows.
        self.ask_repair(1, now);
    }

    fn pass_on(&mut self, number: u64, bytes: &Bytes, now: Instant) {
        if !self.decodes(number, bytes) {
            self.rejoin(now);
        }
    }

    /// Decodes the next batch and makes it ready; false if that cannot be.
    fn decodes(&mut self, number: u64, bytes: &Bytes) -> bool {
        let (Some(position), Ok(batch)) = (&mut self.position, decode_payload(&mut self.decoder, bytes))
        else {
            self.counts.damaged += 1;
            return false;
        };
        if batch.number() != number {
            self.counts.damaged += 1;
            return false;
        }
        position.batch = number;
        position.epoch = batch.begun_epoch().unwrap_or(position.epoch);
        self.ready.push_back(Ready::Batch(batch));
        true
    }

    fn snapshot_part(&mut self, origin: &Origin, request: u64, part: Part, now: Instant) {
        let Phase::Joining { asked: Some(asked), snapshot } = &mut self.phase else { return };
        if asked.request != request {
            return;
        }
        asked.at = now;
        let Some(bytes) = snapshot.add(part) else { return };
        let mut decoder = BatchDecoder::default();
        let Ok((snapshot, history)) = decode_snapshot(&mut decoder, &bytes) else {
            self.counts.damaged += 1;
            return;
        };
        let number = snapshot.number();
        let is_older = |position: Position| position.epoch == origin.epoch && number < position.batch;
        if self.position.is_some_and(is_older) {
            return;
        }
        self.decoder = decoder;
        self.counts.snapshots += 1;
        self.position = Some(Position { epoch: origin.epoch, batch: number });
        self.ready.push_back(Ready::Snapshot(snapshot, Box::new(history), origin.epoch));
        self.buffer = self.buffer.split_off(&(number + 1));
        self.buffer_bytes = self.buffer.values().map(Bytes::len).sum();
        self.drain(now);
    }

    /// Drops what waits and asks for a snapshot.
    fn rejoin(&mut self, now: Instant) {
        self.buffer.clear();
        self.buffer_bytes = 0;
        self.partial.clear();
        self.ask_snapshot(now);
    }

    fn ask_snapshot(&mut self, now: Instant) {
        let request = self.new_request();
        self.phase = Phase::Joining { asked: Some(Asked { request, at: now }), snapshot: PartSet::default() };
        self.requests.push_back(FollowerRequest::Snapshot(request));
    }

    fn ask_repair(&mut self, tries: u32, now: Instant) {
        let Some(Position { batch, .. }) = self.position else { return };
        let last = self.buffer.keys().next().map(|number| number - 1).or(self.beat.map(|beat| beat.number));
        let (from, to) = (batch + 1, last.unwrap_or(batch));
        if to < from || (self.buffer.is_empty() && tries == 1 && !self.is_beat_due(now)) {
            self.phase = Phase::Following;
            return;
        }
        if to - from >= MAX_REPAIR {
            return self.rejoin(now);
        }
        let request = self.new_request();
        self.counts.repair_requests += 1;
        self.phase = Phase::Repairing { asked: Asked { request, at: now }, to, tries };
        let repair = RepairRequest { request, fence: self.fence, from, to };
        self.requests.push_back(FollowerRequest::Repair(repair));
    }

    /// Whether a beat has told of a missing batch for long enough.
    fn is_beat_due(&self, now: Instant) -> bool {
        self.beat.is_some_and(|beat| self.is_missing(beat.number) && now >= beat.since + BEAT_PATIENCE)
    }

    fn new_request(&mut self) -> u64 {
        // An earlier request is void.
        self.requests.clear();
        self.last_request += 1;
        self.last_request
    }
}

/// The batch without the objects that this node has already: a leader that relays an upstream begins with those that hold.
#[cold]
fn without_known(last_values: &LastValues, batch: &Batch) -> Batch {
    let is_new = |object: &&Object| object.seq > last_values.seq(object.stream());
    let new = |objects: &[Object]| objects.iter().filter(is_new).copied().collect();
    let (messages, contents) = batch.shared_messages().filter(|(object, _)| is_new(&object)).unzip();
    Batch::new(Arc::clone(batch.universe()), batch.watermark(), new(batch.events()), new(batch.tickers()))
        .with_messages(messages, contents)
        .numbered(batch.number())
        .with_notices(batch.notices().to_vec())
        .with_missed(batch.missed().to_vec())
        .beginning(batch.begun_epoch())
}

/// Enters the objects of a batch in the last values. Where numbers jump, the batch tells what was missed: the leader may not
/// know what this follower has from an earlier one.
fn enter(last_values: &mut LastValues, batch: Batch) -> Batch {
    let mut missed = Vec::new();
    let mut note = |last_values: &LastValues, object: &Object| {
        let stream = object.stream();
        let next = last_values.seq(stream).next();
        let is_told = || batch.missed().iter().any(|missed| missed.stream == stream);
        // No client has anything of a stream without a last object.
        if object.seq > next && next > Seq(1) && !is_told() {
            missed.push(Missed { stream, from: next, to: Seq(object.seq.0 - 1) });
        }
    };
    for object in batch.objects() {
        note(last_values, object);
        last_values.put(*object);
    }
    for (object, message) in batch.messages() {
        note(last_values, object);
        last_values.put_message(*object, Arc::clone(message));
    }
    if missed.is_empty() {
        return batch;
    }
    missed.extend_from_slice(batch.missed());
    batch.with_missed(missed)
}

/// What is missing of these objects. This follower may have some of them, from a leader of which the present one did not
/// get all.
fn unseen(last_values: &LastValues, missed: &Missed) -> Option<Missed> {
    let from = missed.from.max(last_values.seq(missed.stream).next());
    (from <= missed.to).then_some(Missed { from, ..*missed })
}

/// The batch that takes a follower from these last values to a snapshot: the newest object of each stream that moved on,
/// and what was missed before it. Of a topic it has all retained messages that are new to this follower.
fn catch_up(
    last_values: &LastValues,
    snapshot: &Batch,
    history: &[(Object, Arc<TopicMessage>)],
    epoch: Epoch,
) -> Batch {
    let is_new_epoch = last_values.epoch() != Some(epoch);
    let (mut events, mut tickers, mut missed) = (Vec::new(), Vec::new(), Vec::new());
    for object in snapshot.objects() {
        let stream = object.stream();
        let next = last_values.seq(stream).next();
        if object.seq < next {
            continue;
        }
        // A stream that is new in a new epoch may begin with any number.
        if object.seq > next && !(is_new_epoch && next == Seq(1)) {
            missed.push(Missed { stream, from: next, to: Seq(object.seq.0 - 1) });
        }
        match stream.channel() {
            Channel::Tickers => tickers.push(*object),
            _ => events.push(*object),
        }
    }
    let mut messages = new_messages(last_values, snapshot, history);
    // What is missed is told before all messages of a batch, so those before a hole are left to it.
    let first = begin_without_hole(&mut messages);
    for (stream, seq) in first {
        let next = last_values.seq(stream).next();
        if seq > next && next > Seq(1) {
            missed.push(Missed { stream, from: next, to: Seq(seq.0 - 1) });
        }
    }
    let (messages, contents) = messages.into_iter().unzip();
    Batch::new(Arc::clone(snapshot.universe()), snapshot.watermark(), events, tickers)
        .with_messages(messages, contents)
        .numbered(snapshot.number())
        .with_missed(missed)
        .beginning(is_new_epoch.then_some(epoch))
}

/// The retained messages that are new to this follower, of topics of which it has some; and the last message of each topic
/// whose last message is not among these.
fn new_messages(
    last_values: &LastValues,
    snapshot: &Batch,
    history: &[(Object, Arc<TopicMessage>)],
) -> TopicMessages {
    let is_new = |object: &Object| {
        let last = last_values.seq(object.stream());
        last > Seq(0) && object.seq > last
    };
    let mut messages: TopicMessages = history.iter().filter(|(object, _)| is_new(object)).cloned().collect();
    let sent: FxHashSet<_> = messages.iter().map(|(object, _)| (object.stream(), object.seq)).collect();
    let is_missing = |object: &Object| {
        object.seq > last_values.seq(object.stream()) && !sent.contains(&(object.stream(), object.seq))
    };
    messages.extend(snapshot.shared_messages().filter(|(object, _)| is_missing(object)));
    messages
}

/// Removes the messages of each topic that are before the last hole in its numbers; the first that is left of each.
fn begin_without_hole(messages: &mut TopicMessages) -> FxHashMap<StreamId, Seq> {
    let mut runs: FxHashMap<StreamId, (Seq, Seq)> = FxHashMap::default();
    for (object, _) in messages.iter() {
        let run = runs.entry(object.stream()).or_insert((object.seq, object.seq));
        if object.seq > run.1.next() {
            run.0 = object.seq;
        }
        run.1 = object.seq;
    }
    messages.retain(|(object, _)| runs.get(&object.stream()).is_some_and(|(first, _)| object.seq >= *first));
    runs.into_iter().map(|(stream, (first, _))| (stream, first)).collect()
}

#[cfg(test)]
#[path = "follower_tests.rs"]
mod tests;
