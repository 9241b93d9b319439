use std::fmt;
use std::rc::Rc;

use crate::feed::LastValues;
use crate::model::{Channel, Object, Seq, StreamId, SymbolId};
use crate::wire::DeliveryKind;

/// Looks up what was published: the oldest retained objects of a stream after one number and up to another,
/// at most as many as asked for. They are consecutive; older ones may no longer be retained.
pub type ReplayLookup = Rc<dyn Fn(StreamId, Seq, Seq, usize) -> Vec<Object>>;

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
    /// gets what was published after it.
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
    Next(Object, DeliveryKind),
    /// The newest object of a stream that the client receives already.
    Again(Object),
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
            Some(AnswerObject::Next(object, _) | AnswerObject::Again(object)) => object.stream() == stream,
            None => false,
        }
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
        let is_complete = objects.first().is_some_and(|first| first.seq == after.next());
        if !is_complete && stream.channel().conflates() {
            let newest_object = last_values.of(stream).copied();
            let mark = DeliveryKind::conflated(missing - 1);
            piece.objects.extend(newest_object.map(|object| AnswerObject::Next(object, mark)));
            return newest;
        }
        let objects = match last_values.of(stream) {
            Some(object) if objects.is_empty() && self.room > 0 => vec![*object],
            _ => objects,
        };
        self.room -= objects.len().min(self.room);
        let first = objects.first().map_or(newest.next(), |object| object.seq);
        let last = objects.last().map_or(newest, |object| object.seq);
        piece.add_gap(stream, after.next(), Seq(first.0 - 1));
        let live = objects.into_iter().map(|object| AnswerObject::Next(object, DeliveryKind::Live));
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
    let object = *last_values.of(stream)?;
    Some(match kind {
        SnapshotKind::First => AnswerObject::Next(object, DeliveryKind::Snapshot),
        SnapshotKind::Repeat => AnswerObject::Again(object),
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::model::{Body, Quote, Trade};
    use crate::wire::fixtures;

    fn trade(symbol: u32, seq: u64) -> Object {
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        Object { seq: Seq(seq), body: Body::Trade(Trade { symbol: SymbolId(symbol), ..trade }) }
    }

    fn quote(symbol: u32, seq: u64) -> Object {
        let Body::Quote(quote) = fixtures::quote().body else { unreachable!() };
        Object { seq: Seq(seq), body: Body::Quote(Quote { symbol: SymbolId(symbol), ..quote }) }
    }

    /// An archive of trades and quotes that retains those after a number that the test moves.
    fn archive(removed: &Rc<Cell<u64>>) -> ReplayLookup {
        let removed = Rc::clone(removed);
        Rc::new(move |stream, after, up_to, most| {
            let seqs = after.0.max(removed.get()) + 1..=up_to.0;
            let object = |seq| match stream.channel() {
                Channel::Trades => trade(stream.symbol().0, seq),
                _ => quote(stream.symbol().0, seq),
            };
            seqs.take(most).map(object).collect()
        })
    }

    fn values(objects: &[Object]) -> LastValues {
        let mut last_values = LastValues::new(4);
        objects.iter().for_each(|object| last_values.put(*object));
        last_values
    }

    fn replay(object: &Object, after: u64) -> AnswerPoint {
        AnswerPoint { stream: object.stream(), kind: AnswerKind::Replay { after: Seq(after) } }
    }

    /// Gaps, and the numbers of objects with what was conflated.
    type Told = (Vec<(u64, u64)>, Vec<(u64, DeliveryKind)>);

    fn told(piece: &AnswerPiece) -> Told {
        let objects = piece.objects.iter().map(|object| match object {
            AnswerObject::Next(object, kind) => (object.seq.0, *kind),
            AnswerObject::Again(object) => (object.seq.0, DeliveryKind::Snapshot),
        });
        (piece.gaps.iter().map(|(_, from, to)| (from.0, to.0)).collect(), objects.collect())
    }

    fn answers(points: Vec<AnswerPoint>, room: usize) -> (PendingAnswers, Rc<Cell<u64>>) {
        let removed = Rc::default();
        let mut answers = PendingAnswers::new(archive(&removed));
        answers.add(AnswerRequest { points, channels: vec![] }, room);
        (answers, removed)
    }

    const LIVE: DeliveryKind = DeliveryKind::Live;

    #[test]
    fn a_replay_is_produced_in_pieces_and_includes_what_came_meanwhile() {
        let (mut answers, _) = answers(vec![replay(&trade(0, 1), 3)], 100);
        let stream = trade(0, 1).stream();

        let first = answers.next_piece(&values(&[trade(0, 6)]), 2, |_| false);
        assert!(answers.suspends(stream) && !answers.is_empty());
        let second = answers.next_piece(&values(&[trade(0, 8)]), 9, |_| false);

        assert_eq!(told(&first), (vec![], vec![(4, LIVE), (5, LIVE)]));
        assert_eq!(told(&second), (vec![], vec![(6, LIVE), (7, LIVE), (8, LIVE)]));
        assert!(!answers.suspends(stream) && answers.is_empty());
    }

    #[test]
    fn what_the_archive_removes_before_a_slow_reader_took_it_is_a_gap() {
        let (mut answers, removed) = answers(vec![replay(&trade(0, 1), 3)], 100);
        let newest = values(&[trade(0, 20)]);

        let first = answers.next_piece(&newest, 2, |_| false);
        removed.set(17);
        let second = answers.next_piece(&newest, 9, |_| false);

        assert_eq!(told(&first), (vec![], vec![(4, LIVE), (5, LIVE)]));
        assert_eq!(told(&second), (vec![(6, 17)], vec![(18, LIVE), (19, LIVE), (20, LIVE)]));
    }

    #[test]
    fn a_stream_that_is_sampled_or_that_the_client_has_more_of_is_not_replayed() {
        let points = vec![replay(&quote(0, 1), 3), replay(&quote(1, 1), 3), replay(&trade(2, 1), 8)];
        let (mut answers, _) = answers(points, 100);
        let newest = values(&[quote(0, 9), quote(1, 5), trade(2, 6)]);

        let piece = answers.next_piece(&newest, 9, |stream| stream == quote(0, 1).stream());

        let positions = [(quote(0, 1).stream(), Seq(3)), (trade(2, 1).stream(), Seq(8))];
        assert_eq!(piece.positions, positions);
        assert_eq!(told(&piece).1, [(4, LIVE), (5, LIVE)]);
        assert!(answers.is_empty());
    }

    #[test]
    fn a_quote_that_is_no_longer_retained_is_replaced_by_the_newest() {
        let (mut answers, removed) = answers(vec![replay(&quote(0, 1), 3)], 100);
        removed.set(5);

        let piece = answers.next_piece(&values(&[quote(0, 9)]), 9, |_| false);

        assert_eq!(told(&piece), (vec![], vec![(9, DeliveryKind::Conflated(5))]));
        assert!(answers.is_empty());
    }

    #[test]
    fn what_exceeds_the_room_of_a_command_is_a_gap() {
        let points = vec![replay(&trade(0, 1), 0), replay(&trade(1, 1), 0)];
        let (mut answers, _) = answers(points, 3);

        let piece = answers.next_piece(&values(&[trade(0, 5), trade(1, 4)]), 99, |_| false);

        assert_eq!(told(&piece), (vec![(1, 2), (1, 4)], vec![(3, LIVE), (4, LIVE), (5, LIVE)]));
    }

    #[test]
    fn numbers_of_another_epoch_are_a_gap_up_to_the_command() {
        let stream = trade(0, 1).stream();
        let kind = AnswerKind::Restart { newest: Seq(4) };
        let (mut answers, _) = answers(vec![AnswerPoint { stream, kind }], 99);

        let piece = answers.next_piece(&values(&[trade(0, 6)]), 99, |_| false);

        assert_eq!(told(&piece), (vec![(1, 4)], vec![(5, LIVE), (6, LIVE)]));
    }

    #[test]
    fn a_snapshot_of_all_symbols_is_a_cursor_and_leaves_out_streams_that_resume() {
        let (mut answers, _) = answers(vec![replay(&quote(1, 1), 8)], 99);
        let channels = vec![(Channel::Quotes, SnapshotKind::First, 3)];
        answers.add(AnswerRequest { points: vec![], channels }, 99);
        let newest = values(&[quote(0, 7), quote(1, 9), quote(2, 5), quote(3, 1)]);

        let first = answers.next_piece(&newest, 1, |_| false);
        let waiting = [0, 1, 2, 3].map(|symbol| answers.suspends(quote(symbol, 1).stream()));
        let second = answers.next_piece(&newest, 9, |_| false);

        assert_eq!(told(&first).1, [(7, DeliveryKind::Snapshot)]);
        assert_eq!(waiting, [false, true, true, false]);
        assert_eq!(told(&second).1, [(5, DeliveryKind::Snapshot), (9, LIVE)]);
    }

    #[test]
    fn a_request_that_is_repeated_while_it_waits_is_answered_once() {
        let repeat = |symbol| AnswerPoint {
            stream: quote(symbol, 1).stream(),
            kind: AnswerKind::Snapshot(SnapshotKind::Repeat),
        };
        let (mut answers, _) = answers(vec![repeat(0), repeat(1)], 99);
        for _ in 0..50 {
            let channels = vec![(Channel::Trades, SnapshotKind::Repeat, 2)];
            answers.add(AnswerRequest { points: vec![repeat(1), repeat(0)], channels }, 99);
        }

        let piece =
            answers.next_piece(&values(&[quote(0, 1), quote(1, 2), trade(0, 3), trade(1, 4)]), 99, |_| false);

        assert_eq!(told(&piece).1.iter().map(|object| object.0).collect::<Vec<_>>(), [3, 4, 1, 2]);
        assert!(answers.is_empty());
    }

    #[test]
    fn names_that_outlive_the_subscription_to_all_symbols_keep_their_snapshot() {
        let (mut answers, _) = answers(vec![], 99);
        let channels = vec![(Channel::Quotes, SnapshotKind::First, 3)];
        answers.add(AnswerRequest { points: vec![], channels }, 99);

        answers.retain(|stream| stream.symbol() == SymbolId(2));

        assert_eq!([1, 2].map(|symbol| answers.suspends(quote(symbol, 1).stream())), [false, true]);
        let piece = answers.next_piece(&values(&[quote(1, 1), quote(2, 5)]), 99, |_| false);
        assert_eq!(told(&piece).1, [(5, DeliveryKind::Snapshot)]);
    }
}
