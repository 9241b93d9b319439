use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::feed::LastValues;
use crate::model::{Missed, Object, Seq, StreamId};

/// Continues the numbers of streams where their source does not: after a jump and after a hole of a journal.
///
/// The first object of each stream gets the number after the last one that was published, and all that follow it
/// keep their distance from it.
#[derive(Debug, Default)]
pub(super) struct Renumbering {
    /// What is added to the recorded numbers, wrapping.
    offsets: HashMap<StreamId, u64>,
}

impl Renumbering {
    /// The object with its number after what was published.
    pub(super) fn apply(&mut self, object: Object, published: &LastValues) -> Object {
        let stream = object.stream();
        let offset = match self.offsets.entry(stream) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => *new.insert(published.seq(stream).next().0.wrapping_sub(object.seq.0)),
        };
        Object { seq: Seq(object.seq.0.wrapping_add(offset)), ..object }
    }

    /// What was missed, with its numbers among those that are published; `None` before the first object of its stream,
    /// which is published without a gap.
    pub(super) fn missed(&self, missed: &Missed) -> Option<Missed> {
        let offset = *self.offsets.get(&missed.stream)?;
        let [from, to] = [missed.from, missed.to].map(|seq| Seq(seq.0.wrapping_add(offset)));
        Some(Missed { from, to, ..*missed })
    }
}
