use std::cmp::Ordering;
use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::mem;

use rustc_hash::FxHashMap;

use crate::feed::LastValues;
use crate::hub::EncodedLastValues;
use crate::model::{Object, Seq, StreamId};

/// How far one client is in each stream that needs more than "send the next object".
///
/// A stream without a row is current: the client has, or has queued, everything that was offered. All
/// rows together decide whether the fast path is open, so they live in one table.
#[derive(Debug, Default)]
pub(super) struct StreamTable {
    rows: Vec<Row>,
    places: FxHashMap<StreamId, u32>,
    /// Dirty streams in the order in which they became dirty: a busy stream keeps its place and cannot
    /// hold a quiet one back.
    dirty: VecDeque<StreamId>,
    /// How many rows are [`StreamProgress::Lost`].
    lost: usize,
    /// How many rows are [`StreamProgress::Ahead`].
    ahead: usize,
    /// The row at which the next sample begins: behind the last one that had room.
    cursor: usize,
    /// Up to which change of the worker's log all sampled streams were compared; 0 if they must all be
    /// compared.
    compared: u64,
}

#[derive(Debug)]
struct Row {
    stream: StreamId,
    progress: StreamProgress,
}

/// What a client has of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamProgress {
    /// Something newer than `sent` exists, and only the newest object will be sent (conflation under
    /// backpressure).
    Dirty {
        /// The last number that was sent or queued.
        sent: Seq,
    },
    /// The newest object is looked up when the client's interval is over (conflation by request).
    Sampled {
        /// The last number that was sent or queued.
        sent: Seq,
    },
    /// These objects found no room; a gap notice will say so. Everything newer is lost too until the
    /// notice is sent, so the range has no holes.
    Lost {
        /// The first lost number.
        from: Seq,
        /// The last lost number.
        to: Seq,
    },
    /// The client has everything up to this number from a replay, or from a worker that was ahead of
    /// this one; these objects will be offered once more and are skipped.
    Ahead {
        /// The last number that the client has.
        until: Seq,
    },
}

/// Whether there is room for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capacity {
    Left,
    Full,
}

/// How far a sample came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SampleResult {
    /// Every sampled stream was compared.
    Complete,
    /// There was no room for all; the next sample goes on from there.
    Partial,
}

impl StreamTable {
    /// Whether every stream is current.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn has_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    pub(super) fn has_lost(&self) -> bool {
        self.lost > 0
    }

    /// Whether the client has this object already. The first object that it does not have makes its
    /// stream current.
    pub(super) fn skips(&mut self, object: &Object) -> bool {
        if self.ahead == 0 {
            return false;
        }
        let stream = object.stream();
        match self.get(stream) {
            Some(StreamProgress::Ahead { until }) if object.seq <= until => true,
            Some(StreamProgress::Ahead { .. }) => {
                self.remove(stream);
                false
            }
            _ => false,
        }
    }

    /// The first of these objects that the client does not have and has to be told of; `None` if it has all of them, or
    /// if its stream is sampled, so that the next sample counts them.
    pub(super) fn first_missing(&mut self, stream: StreamId, from: Seq, to: Seq) -> Option<Seq> {
        match self.get(stream) {
            Some(StreamProgress::Sampled { .. }) => None,
            Some(StreamProgress::Ahead { until }) if until >= to => None,
            Some(StreamProgress::Ahead { until }) => {
                self.remove(stream);
                Some(from.max(until.next()))
            }
            _ => Some(from),
        }
    }

    /// The stream has this object, of which only the newest successor will be sent.
    pub(super) fn mark_dirty(&mut self, stream: StreamId, seq: Seq) {
        if !matches!(self.get(stream), Some(StreamProgress::Dirty { .. })) {
            self.set(stream, StreamProgress::Dirty { sent: Seq(seq.0 - 1) });
            self.dirty.push_back(stream);
        }
    }

    /// The stream that has been dirty for longest, with the last number that the client has of it.
    pub(super) fn pop_dirty(&mut self) -> Option<(StreamId, Seq)> {
        while let Some(stream) = self.dirty.pop_front() {
            if self.dirty.is_empty() {
                self.dirty = VecDeque::new();
            }
            if let Some(StreamProgress::Dirty { sent }) = self.get(stream) {
                self.remove(stream);
                return Some((stream, sent));
            }
        }
        None
    }

    /// This object, the next of its stream, found no room.
    pub(super) fn lose(&mut self, stream: StreamId, seq: Seq) {
        let from = match self.get(stream) {
            Some(StreamProgress::Lost { from, .. }) => from,
            _ => seq,
        };
        self.set(stream, StreamProgress::Lost { from, to: seq });
    }

    /// Up to `limit` ranges that were lost until now; their streams are current again.
    pub(super) fn take_lost(&mut self, limit: usize) -> Vec<(StreamId, Seq, Seq)> {
        let lost = |row: &Row| match row.progress {
            StreamProgress::Lost { from, to } => Some((row.stream, from, to)),
            _ => None,
        };
        let ranges: Vec<_> = self.rows.iter().filter_map(lost).take(limit).collect();
        for (stream, ..) in &ranges {
            self.remove(*stream);
        }
        ranges
    }

    /// The client has everything up to this number, from elsewhere.
    pub(super) fn set_ahead(&mut self, stream: StreamId, until: Seq) {
        self.set(stream, StreamProgress::Ahead { until });
    }

    /// Whether the client has a newer object of the stream, from a worker that is ahead of this one.
    pub(super) fn is_ahead_of(&self, object: &Object) -> bool {
        match self.get(object.stream()) {
            Some(StreamProgress::Sampled { sent: until } | StreamProgress::Ahead { until }) => {
                until > object.seq
            }
            _ => false,
        }
    }

    /// Samples this stream from now on; the client has everything up to `newest`, or further where it
    /// is ahead, or less where it is dirty. Without effect if it is sampled already.
    pub(super) fn start_sampling(&mut self, stream: StreamId, newest: Seq) {
        match self.get(stream) {
            Some(StreamProgress::Sampled { .. }) => {}
            Some(StreamProgress::Ahead { until }) => {
                self.set(stream, StreamProgress::Sampled { sent: until.max(newest) });
            }
            Some(StreamProgress::Dirty { sent }) => {
                self.set(stream, StreamProgress::Sampled { sent });
                self.compared = 0;
            }
            _ => self.set(stream, StreamProgress::Sampled { sent: newest }),
        }
    }

    /// Forgets a stream that is no longer wanted, or no longer sampled.
    pub(super) fn stop_sampling(&mut self, stream: StreamId) {
        self.remove(stream);
    }

    /// Corrects what the client has of a sampled stream.
    pub(super) fn set_sampled(&mut self, stream: StreamId, sent: Seq) {
        if matches!(self.get(stream), Some(StreamProgress::Sampled { .. })) {
            self.set(stream, StreamProgress::Sampled { sent });
            self.compared = 0;
        }
    }

    /// Ends the sampling of all streams: those with something newer become dirty. Where the client is ahead
    /// of `last_values`, that is kept. Streams that wait for an answer have nothing to be looked up.
    pub(super) fn end_sampling(&mut self, last_values: &LastValues, waits: impl Fn(StreamId) -> bool) {
        let sampled = |row: &Row| match row.progress {
            StreamProgress::Sampled { sent } => Some((row.stream, sent)),
            _ => None,
        };
        for (stream, sent) in self.rows.iter().filter_map(sampled).collect::<Vec<_>>() {
            match sent.cmp(&last_values.seq(stream)) {
                Ordering::Greater => self.set_ahead(stream, sent),
                Ordering::Less if !waits(stream) => self.mark_dirty(stream, sent.next()),
                Ordering::Less | Ordering::Equal => _ = self.remove(stream),
            }
        }
    }

    /// The client is sent the newest object of this stream by an answer: returns what it had before if that
    /// is still to be looked up, and looks it up no longer.
    pub(super) fn take_behind(&mut self, stream: StreamId, newest: Seq) -> Option<Seq> {
        match self.get(stream)? {
            StreamProgress::Dirty { sent } => {
                self.remove(stream);
                Some(sent)
            }
            StreamProgress::Sampled { sent } if sent < newest => {
                self.set(stream, StreamProgress::Sampled { sent: newest });
                Some(sent)
            }
            _ => None,
        }
    }

    /// Offers each sampled stream whose newest object the client does not have, with the number of
    /// objects that it replaces, while `offer` has room. Streams that wait for an answer are left out.
    ///
    /// Looks at the streams that changed since the last sample, or at all rows if they are fewer.
    pub(super) fn sample(
        &mut self,
        last_values: &EncodedLastValues,
        waits: impl Fn(StreamId) -> bool,
        mut offer: impl FnMut(StreamId, u64) -> Capacity,
    ) -> SampleResult {
        let changes = last_values.changes();
        let mut offer_row = |row: &mut Row| {
            let StreamProgress::Sampled { sent } = &mut row.progress else { return Capacity::Left };
            let newest = last_values.seq(row.stream);
            if newest <= *sent || waits(row.stream) {
                return Capacity::Left;
            }
            let replaced = newest.0 - sent.0 - 1;
            *sent = newest;
            offer(row.stream, replaced)
        };
        let changed = Some(self.compared).filter(|compared| *compared > 0);
        let changed = changed.and_then(|compared| changes.len_since(compared));
        if changed.is_some_and(|changed| changed < self.rows.len()) {
            while self.compared < changes.end() {
                let place = self.places.get(&changes.at(self.compared));
                self.compared += 1;
                let row = place.map(|place| &mut self.rows[*place as usize]);
                if row.is_some_and(|row| offer_row(row) == Capacity::Full) {
                    return SampleResult::Partial;
                }
            }
            return SampleResult::Complete;
        }
        self.compared = 0;
        for _ in 0..self.rows.len() {
            self.cursor = if self.cursor < self.rows.len() { self.cursor } else { 0 };
            let row = &mut self.rows[self.cursor];
            self.cursor += 1;
            if offer_row(row) == Capacity::Full {
                return SampleResult::Partial;
            }
        }
        self.compared = changes.end();
        SampleResult::Complete
    }

    /// Forgets the streams that are no longer wanted.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(StreamId) -> bool) {
        self.dirty.retain(|stream| is_wanted(*stream));
        let gone: Vec<_> = self.rows.iter().map(|row| row.stream).filter(|it| !is_wanted(*it)).collect();
        for stream in gone {
            self.remove(stream);
        }
    }

    /// Forgets what the client has of all streams, whose numbers begin again; sampled ones stay sampled.
    pub(super) fn restart_numbers(&mut self) {
        let is_sampled = |row: &Row| matches!(row.progress, StreamProgress::Sampled { .. });
        let sampled: Vec<_> = self.rows.iter().filter(|row| is_sampled(row)).map(|row| row.stream).collect();
        *self = Self::default();
        sampled.into_iter().for_each(|stream| self.start_sampling(stream, Seq::default()));
    }

    fn get(&self, stream: StreamId) -> Option<StreamProgress> {
        self.places.get(&stream).map(|place| self.rows[*place as usize].progress)
    }

    fn set(&mut self, stream: StreamId, progress: StreamProgress) {
        let before = match self.places.entry(stream) {
            Entry::Occupied(place) => {
                Some(mem::replace(&mut self.rows[*place.get() as usize].progress, progress))
            }
            Entry::Vacant(place) => {
                place.insert(self.rows.len() as u32);
                self.rows.push(Row { stream, progress });
                None
            }
        };
        before.and_then(|before| self.counter(before)).into_iter().for_each(|count| *count -= 1);
        self.counter(progress).into_iter().for_each(|count| *count += 1);
    }

    fn remove(&mut self, stream: StreamId) -> Option<StreamProgress> {
        let place = self.places.remove(&stream)?;
        let Row { progress, .. } = self.rows.swap_remove(place as usize);
        if let Some(moved) = self.rows.get(place as usize) {
            self.places.insert(moved.stream, place);
        }
        self.counter(progress).into_iter().for_each(|count| *count -= 1);
        if self.rows.is_empty() {
            (self.rows, self.places) = Default::default();
        }
        Some(progress)
    }

    fn counter(&mut self, progress: StreamProgress) -> Option<&mut usize> {
        match progress {
            StreamProgress::Lost { .. } => Some(&mut self.lost),
            StreamProgress::Ahead { .. } => Some(&mut self.ahead),
            StreamProgress::Dirty { .. } | StreamProgress::Sampled { .. } => None,
        }
    }
}

#[cfg(test)]
#[path = "streams_tests.rs"]
mod tests;
