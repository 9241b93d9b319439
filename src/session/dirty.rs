use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::model::{Seq, StreamId};

/// Streams with something newer than what the client has, in the order in which they were marked,
/// and the last number of each that the client has or that is on its way.
///
/// A busy stream is marked once and keeps its place, so that it cannot hold a quiet one back.
#[derive(Debug, Default)]
pub(super) struct DirtyStreams {
    order: VecDeque<StreamId>,
    last: FxHashMap<StreamId, Seq>,
}

impl DirtyStreams {
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The stream has this object, which the client does not have yet.
    pub(super) fn set(&mut self, stream: StreamId, seq: Seq) {
        self.last.entry(stream).or_insert_with(|| {
            self.order.push_back(stream);
            Seq(seq.0 - 1)
        });
    }

    /// The stream marked first, with the last number that the client has of it.
    pub(super) fn pop(&mut self) -> Option<(StreamId, Seq)> {
        let stream = self.order.pop_front()?;
        let last = self.last.remove(&stream).expect("a stream in order has its last number");
        if self.order.is_empty() {
            *self = Self::default();
        }
        Some((stream, last))
    }

    pub(super) fn retain(&mut self, is_wanted: impl Fn(StreamId) -> bool) {
        self.order.retain(|stream| is_wanted(*stream));
        self.last.retain(|stream, _| is_wanted(*stream));
    }
}

/// Objects that found no room, as one range for each stream.
///
/// While a stream has a loss here everything newer of it is lost as well, so a range has no holes.
#[derive(Debug, Default)]
pub(super) struct LostRanges {
    ranges: FxHashMap<StreamId, (Seq, Seq)>,
}

impl LostRanges {
    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// This object, the next of its stream, is lost.
    pub(super) fn lose(&mut self, stream: StreamId, seq: Seq) {
        self.ranges.entry(stream).or_insert((seq, seq)).1 = seq;
    }

    /// All that was lost until now: the first and the last of each stream.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (StreamId, Seq, Seq)> {
        std::mem::take(&mut self.ranges).into_iter().map(|(stream, (from, to))| (stream, from, to))
    }

    pub(super) fn retain(&mut self, is_wanted: impl Fn(StreamId) -> bool) {
        self.ranges.retain(|stream, _| is_wanted(*stream));
    }
}
