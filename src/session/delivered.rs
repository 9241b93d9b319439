use rustc_hash::FxHashMap;

use crate::model::{Object, Seq, StreamId};

/// Up to which number the client has some streams from elsewhere: from a replay, or from a worker
/// that was ahead of this one.
#[derive(Debug, Default)]
pub(super) struct AlreadyDelivered(FxHashMap<StreamId, Seq>);

impl AlreadyDelivered {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn last(&self, stream: StreamId) -> Option<Seq> {
        self.0.get(&stream).copied()
    }

    pub(super) fn set(&mut self, stream: StreamId, last: Seq) {
        self.0.insert(stream, last);
    }

    pub(super) fn extend(&mut self, lasts: impl Iterator<Item = (StreamId, Seq)>) {
        self.0.extend(lasts);
    }

    pub(super) fn remove(&mut self, stream: StreamId) -> Option<Seq> {
        self.0.remove(&stream)
    }

    pub(super) fn retain(&mut self, is_wanted: impl Fn(StreamId) -> bool) {
        self.0.retain(|stream, _| is_wanted(*stream));
    }

    /// Whether the client has this object; the first that it has not ends the matter for its stream.
    pub(super) fn covers(&mut self, object: &Object) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let stream = object.stream();
        match self.last(stream) {
            Some(last) if object.seq <= last => true,
            Some(_) => {
                self.0.remove(&stream);
                false
            }
            None => false,
        }
    }
}
