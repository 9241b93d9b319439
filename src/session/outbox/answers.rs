use std::fmt;
use std::rc::Rc;

use crate::archive::RetainedObject;
use crate::feed::LastValues;
use crate::model::{Channel, Seq, StreamId, SymbolId};
use crate::wire::DeliveryKind;

/// Looks up what was published: the oldest retained objects of a stream after one number and up to another,
/// at most as many as asked for. They are consecutive; older ones may no longer be retained.
pub type ReplayLookup = Rc<dyn Fn(StreamId, Seq, Seq, usize) -> Vec<RetainedObject>>;

/// What a command requests besides its acknowledgement: replays and snapshots.
#[derive(Debug, Default)]
pub struct AnswerRequest {
    /// Single streams.
    pub points: Vec<AnswerPoint>,
    /// Snapshots of all symbols of a channel, up to this number of symbols.
    pub channels: Vec<(Channel, SnapshotKind, usize)>,
}

/// One stream of which a client requested something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerPoint {
    /// The stream.
    pub stream: StreamId,
    /// What was requested of it.
    pub kind: AnswerKind,
}

/// What a client requested of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// What was published after this number.
    Replay {
        /// The last number that the client has.
        after: Seq,
    },
    /// The client's numbers are of another epoch: it is told that it misses everything up to this number, and
    /// gets what was published after it. Of a topic that is a state it gets the newest message too.
    Restart {
        /// The newest number when the command was executed.
        newest: Seq,
    },
    /// The client's number was never given: it is told the same, and also where there is nothing to miss.
    Impossible {
        /// The newest number when the command was executed.
        newest: Seq,
    },
    /// The newest object.
    Snapshot(SnapshotKind),
}

/// How a snapshot relates to the live objects of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotKind {
    /// The stream was subscribed with it, and begins with it.
    First,
    /// The client receives the stream already.
    Repeat,
}

/// What was requested and is yet to be produced, stream by stream: a list and cursors instead of objects.
///
/// It is pulled in pieces as the socket takes them, so a request of kilobytes cannot make the server hold
/// megabytes. Live objects of a stream that waits for its replay or its first snapshot are skipped: they are
/// looked up when its turn comes. Where they are no longer retained by then, a gap says so. The size is
/// bounded by the names in commands; `*` takes one cursor for each channel.
pub(super) struct PendingAnswers {
    replay: ReplayLookup,
    /// How many more objects may be replayed; what exceeds them is a gap.
    room: usize,
    /// Served first. At most one of each kind for a channel.
    channels: Vec<ChannelCursor>,
    /// Sorted by stream.
    points: Vec<AnswerPoint>,
    /// The first point that is not served.
    next: usize,
}

/// The snapshot of a channel, symbol by symbol.
#[derive(Clone, Copy, Debug)]
struct ChannelCursor {
    channel: Channel,
    kind: SnapshotKind,
    next: u32,
    end: u32,
}

/// A piece of an answer. Its gaps come before its objects.
#[derive(Debug, Default)]
pub(super) struct AnswerPiece {
    pub(super) gaps: Vec<(StreamId, Seq, Seq)>,
    pub(super) objects: Vec<AnswerObject>,
    /// Streams that need no replay, and what the client has of them: more than this worker, or they are sampled.
    pub(super) positions: Vec<(StreamId, Seq)>,
}

/// One object of an answer.
#[derive(Debug)]
pub(super) enum AnswerObject {
    /// The next object of a stream that waits for its turn.
    Next(RetainedObject, DeliveryKind),
    /// The newest object of a stream that the client receives already.
    Again(RetainedObject),
}

/// The most streams that one piece looks at: those without an object take time too.
const STREAMS_PER_PIECE: usize = 1024;

impl AnswerRequest {
    /// Whether nothing is requested.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty() && self.channels.is_empty()
    }
}

impl AnswerKind {
    /// Whether live objects of the stream are skipped until it is served.
    const fn suspends(self) -> bool {
        !matches!(self, Self::Snapshot(SnapshotKind::Repeat))
    }
}

impl AnswerPiece {
    fn len(&self) -> usize {
        self.gaps.len() + self.objects.len()
    }

    fn has_objects_of(&self, stream: StreamId) -> bool {
        match self.objects.last() {
            Some(AnswerObject::Next(answer, _) | AnswerObject::Again(answer)) => {
                answer.object.stream() == stream
            }
            None => false,
        }
    }

    /// Adds the newest message of a topic that is a state, and the gap of all before it, for a client that knows none of
    /// its numbers: its topic may have no other message for long. Says whether there is one.
    fn begin_state(&mut self, last_values: &LastValues, stream: StreamId) -> bool {
        let newest = last_values.newest(stream).filter(|_| stream.channel() == Channel::States);
        let Some(answer) = newest else { return false };
        // From 1 to 0 nothing is missing; it voids the client's number.
        self.gaps.push((stream, Seq(1), Seq(answer.object.seq.0.saturating_sub(1))));
        self.objects.push(AnswerObject::Next(answer, DeliveryKind::Live));
        true
    }

    fn add_gap(&mut self, stream: StreamId, from: Seq, to: Seq) {
        if from <= to {
            self.gaps.push((stream, from, to));
        }
    }
}

impl PendingAnswers {
    pub(super) fn new(replay: ReplayLookup) -> Self {
        Self { replay, room: 0, channels: Vec::new(), points: Vec::new(), next: 0 }
    }

    /// Adds a request, which may replay this many objects. A stream that waits already is served once.
    pub(super) fn add(&mut self, request: AnswerRequest, room: usize) {
        self.room = room;
        let points = request.points.into_iter().filter(|point| {
            point.kind.suspends() || !self.channels.iter().any(|cursor| cursor.starts(point.stream))
        });
        let points: Vec<_> = points.collect();
        self.points.drain(..self.next);
        self.next = 0;
        self.points.extend(points);
        self.points.sort_by_key(|point| point.stream);
        self.points.dedup_by(|later, earlier| {
            let is_snapshot = matches!(earlier.kind, AnswerKind::Snapshot(_));
            later.stream == earlier.stream && is_snapshot && !later.kind.suspends()
        });
        for (channel, kind, symbols) in request.channels {
            self.channels.retain(|cursor| (cursor.channel, cursor.kind) != (channel, kind));
            self.channels.push(ChannelCursor { channel, kind, next: 0, end: symbols as u32 });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.next == self.points.len() && self.channels.is_empty()
    }

    /// Whether the live objects of a stream are skipped because it waits for its turn.
    pub(super) fn suspends(&self, stream: StreamId) -> bool {
        match self.point_of(stream) {
            Some(point) => point.kind.suspends(),
            None => self.channels.iter().any(|cursor| cursor.starts(stream)),
        }
    }

    /// The first point of a stream that is yet to be served.
    fn point_of(&self, stream: StreamId) -> Option<&AnswerPoint> {
        let points = &self.points[self.next..];
        let place = points.partition_point(|point| point.stream < stream);
        points.get(place).filter(|point| point.stream == stream)
    }

    /// Numbers begin again: what was to be replayed after a number of before begins with the first one.
    pub(super) fn restart_numbers(&mut self) {
        for point in &mut self.points[self.next..] {
            if !matches!(point.kind, AnswerKind::Snapshot(_)) {
                point.kind = AnswerKind::Replay { after: Seq::default() };
            }
        }
    }

    /// Forgets the streams that are no longer wanted.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(StreamId) -> bool) {
        self.points.drain(..self.next);
        self.next = 0;
        self.points.retain(|point| is_wanted(point.stream));
        let mut named = Vec::new();
        self.channels.retain(|cursor| {
            if cursor.streams().all(&is_wanted) {
                return true;
            }
            // All symbols of the channel are subscribed no longer, but some by their names.
            let kind = AnswerKind::Snapshot(cursor.kind);
            named.extend(cursor.streams().filter(|it| is_wanted(*it)).map(|stream| (stream, kind)));
            false
        });
        named.retain(|(stream, _)| self.point_of(*stream).is_none());
        self.points.extend(named.into_iter().map(|(stream, kind)| AnswerPoint { stream, kind }));
        self.points.sort_by_key(|point| point.stream);
    }

    /// The next piece, of at most `most` objects. The client has, or has queued, every object of the streams
    /// that do not wait up to the last values. Streams that are sampled are not replayed: the next sample
    /// replaces what the client missed.
    pub(super) fn next_piece(
        &mut self,
        last_values: &LastValues,
        most: usize,
        is_sampled: impl Fn(StreamId) -> bool,
    ) -> AnswerPiece {
        let mut piece = AnswerPiece::default();
        for _ in 0..STREAMS_PER_PIECE {
            if piece.len() >= most {
                break;
            }
            if let Some((stream, kind)) = self.next_of_channels() {
                if self.point_of(stream).is_none() {
                    piece.objects.extend(snapshot(last_values, stream, kind));
                }
                continue;
            }
            let Some(AnswerPoint { stream, kind }) = self.points.get(self.next).copied() else { break };
            let is_unknown = matches!(kind, AnswerKind::Restart { .. } | AnswerKind::Impossible { .. });
            if is_unknown && piece.begin_state(last_values, stream) {
                self.next += 1;
                continue;
            }
            match kind {
                AnswerKind::Snapshot(kind) => {
                    piece.objects.extend(snapshot(last_values, stream, kind));
                    self.next += 1;
                }
                AnswerKind::Restart { newest } => {
                    piece.add_gap(stream, Seq(1), newest);
                    self.points[self.next].kind = AnswerKind::Replay { after: newest };
                }
                // From 1 to 0 nothing is missing; it says that the stream has no object yet.
                AnswerKind::Impossible { newest } => {
                    piece.gaps.push((stream, Seq(1), newest));
                    self.points[self.next].kind = AnswerKind::Replay { after: newest };
                }
                // The gaps of a piece come first: one between two parts of a stream is for the next piece.
                AnswerKind::Replay { .. } if piece.has_objects_of(stream) => break,
                AnswerKind::Replay { after } if is_sampled(stream) || after >= last_values.seq(stream) => {
                    piece.positions.push((stream, after));
                    self.next += 1;
                }
                AnswerKind::Replay { after } => {
                    let newest = last_values.seq(stream);
                    let most = most - piece.len();
                    let served = self.replay(stream, after, last_values, most, &mut piece);
                    match served < newest {
                        true => self.points[self.next].kind = AnswerKind::Replay { after: served },
                        false => self.next += 1,
                    }
                }
            }
        }
        piece
    }

    fn next_of_channels(&mut self) -> Option<(StreamId, SnapshotKind)> {
        let cursor = self.channels.first_mut()?;
        let stream = StreamId::new(cursor.channel, SymbolId(cursor.next));
        let kind = cursor.kind;
        cursor.next += 1;
        if cursor.next >= cursor.end {
            self.channels.remove(0);
        }
        Some((stream, kind))
    }

    /// Adds at most `most` missed objects of a stream, the oldest first, and the gap before them; returns up
    /// to which number the stream is served.
    ///
    /// A stream that conflates gets its newest object alone where others are missing: it replaces them.
    fn replay(
        &mut self,
        stream: StreamId,
        after: Seq,
        last_values: &LastValues,
        most: usize,
        piece: &mut AnswerPiece,
    ) -> Seq {
        let newest = last_values.seq(stream);
        let missing = newest.0 - after.0;
        let from = Seq(newest.0 - missing.min(self.room as u64));
        let objects = match from < newest {
            true => (self.replay)(stream, from, newest, most),
            false => Vec::new(),
        };
        let begins = after == Seq(0) && objects.first().is_some_and(|first| first.is_first);
        let is_complete = begins || objects.first().is_some_and(|first| first.object.seq == after.next());
        if !is_complete && stream.channel().conflates() {
            let newest_object = last_values.newest(stream);
            let mark = DeliveryKind::conflated(missing - 1);
            piece.objects.extend(newest_object.map(|answer| AnswerObject::Next(answer, mark)));
            return newest;
        }
        let objects = match objects.is_empty() && self.room > 0 {
            true => last_values.newest(stream).into_iter().collect(),
            false => objects,
        };
        self.room -= objects.len().min(self.room);
        let first = objects.first().map_or(newest.next(), |answer| answer.object.seq);
        let last = objects.last().map_or(newest, |answer| answer.object.seq);
        if !is_complete {
            piece.add_gap(stream, after.next(), Seq(first.0 - 1));
        }
        let live = objects.into_iter().map(|answer| AnswerObject::Next(answer, DeliveryKind::Live));
        piece.objects.extend(live);
        last
    }
}

impl fmt::Debug for PendingAnswers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channels, points, next, .. } = self;
        out.debug_struct("PendingAnswers")
            .field("channels", channels)
            .field("points", &&points[*next..])
            .finish()
    }
}

impl ChannelCursor {
    fn streams(self) -> impl Iterator<Item = StreamId> {
        (self.next..self.end).map(move |symbol| StreamId::new(self.channel, SymbolId(symbol)))
    }

    /// Whether this stream begins with the snapshot that is yet to come.
    fn starts(self, stream: StreamId) -> bool {
        let is_ahead = (self.next..self.end).contains(&stream.symbol().0);
        self.kind == SnapshotKind::First && self.channel == stream.channel() && is_ahead
    }
}

fn snapshot(last_values: &LastValues, stream: StreamId, kind: SnapshotKind) -> Option<AnswerObject> {
    let answer = last_values.newest(stream)?;
    Some(match kind {
        SnapshotKind::First => AnswerObject::Next(answer, DeliveryKind::Snapshot),
        SnapshotKind::Repeat => AnswerObject::Again(answer),
    })
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
