//! When objects leave: as they come, or at the end of each interval with the newest of the streams that are sampled.

use std::mem;

use super::Outbox;
use super::entry::OutboxEntry;
use super::streams::{Capacity, SampleResult};
use crate::hub::EncodedLastValues;
use crate::model::{Seq, StreamId};

/// When the objects of a session leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pacing {
    /// As soon as the socket takes them.
    #[default]
    Immediate,
    /// At the end of each interval that the client asked for (`conflate_ms`).
    Interval,
}

impl Outbox {
    /// Changes when objects leave. The caller moves the subscriptions accordingly: with an interval the
    /// streams that conflate are [sampled](Self::start_sampling) and not offered. Without one, what the client
    /// does not have of them leaves before the objects that come one by one from now on.
    pub fn set_pacing(&mut self, pacing: Pacing, last_values: &EncodedLastValues) {
        self.flush_held();
        self.pacing = pacing;
        if pacing == Pacing::Immediate {
            let had_dirty = self.streams.has_dirty();
            let answers = self.answers.as_deref();
            let waits = |stream| answers.is_some_and(|answers| answers.suspends(stream));
            self.streams.end_sampling(last_values.last_values(), waits);
            self.is_partly_released = false;
            if self.streams.has_dirty() && !had_dirty {
                self.queue.push_back(OutboxEntry::Dirty);
            }
        }
    }

    /// Samples this stream from now on, where the client has an interval; the client has everything up
    /// to `newest`.
    pub fn start_sampling(&mut self, stream: StreamId, newest: Seq) {
        if self.pacing == Pacing::Interval {
            self.streams.start_sampling(stream, newest);
        }
    }

    /// Samples this stream no longer.
    pub fn stop_sampling(&mut self, stream: StreamId) {
        self.streams.stop_sampling(stream);
    }

    /// Ends an interval: what is held may leave, with the newest objects of the sampled streams.
    /// Nothing is released while the socket has not taken the last release.
    pub fn release(&mut self, last_values: &EncodedLastValues) {
        if !self.queue.is_empty() {
            return;
        }
        self.flush_held();
        let before = self.bytes;
        let (_, limit) = self.watermarks();
        let result = self.append_sampled(last_values, limit);
        self.released_bytes = (self.bytes - before).min(self.limits.frame_bytes);
        self.is_partly_released = result == SampleResult::Partial;
    }

    /// Appends the newest objects of the sampled streams while fewer than `limit` bytes are queued.
    fn append_sampled(&mut self, last_values: &EncodedLastValues, limit: usize) -> SampleResult {
        if self.pacing == Pacing::Immediate {
            return SampleResult::Complete;
        }
        let mut streams = mem::take(&mut self.streams);
        let answers = self.answers.take();
        let waits = |stream| answers.as_ref().is_some_and(|answers| answers.suspends(stream));
        let result = streams.sample(last_values, waits, |stream, replaced| {
            self.append_newest(last_values, stream, replaced);
            if self.bytes < limit { Capacity::Left } else { Capacity::Full }
        });
        self.streams = streams;
        self.answers = answers;
        result
    }
}
