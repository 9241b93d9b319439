use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use crate::model::{Object, Timestamp, Universe};

/// The most faults that are kept. The oldest go first; their numbers show that they were there.
const KEPT: usize = 10_000;

/// Where a fault was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Before numbering.
    Source,
    /// After numbering.
    Feed,
    /// On the connection of a session.
    Line,
}

impl Layer {
    /// The name in the list.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Feed => "feed",
            Self::Line => "line",
        }
    }
}

/// One fault that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRecord {
    /// The number of the fault, from 1.
    pub number: u64,
    /// When: event time in source and feed, the clock's on a line.
    pub at: Timestamp,
    /// Where.
    pub layer: Layer,
    /// The name of the fault in `--faults`.
    pub kind: &'static str,
    /// The streams that it hit, as `channel/symbol`, each with its lowest and highest sequence number. Those of the
    /// source are not numbered yet: both are 0.
    pub streams: BTreeMap<String, (u64, u64)>,
    /// The session, of a fault on a line: its number in the order of connecting, and the client's own name for it.
    pub session: Option<(u64, Option<String>)>,
}

/// The faults that were made, shared by those that make them and those that list them.
#[derive(Clone, Debug, Default)]
pub struct FaultLog(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    total: u64,
    kept: VecDeque<FaultRecord>,
}

impl FaultLog {
    pub(super) fn record(
        &self,
        at: Timestamp,
        layer: Layer,
        kind: &'static str,
        streams: BTreeMap<String, (u64, u64)>,
        session: Option<(u64, Option<String>)>,
    ) {
        let mut inner = self.0.lock().expect("no thread panics while it holds this lock");
        inner.total += 1;
        let number = inner.total;
        if inner.kept.len() == KEPT {
            inner.kept.pop_front();
        }
        inner.kept.push_back(FaultRecord { number, at, layer, kind, streams, session });
    }

    /// The faults after this number that are kept, and how many there were in all.
    pub fn since(&self, number: u64) -> (Vec<FaultRecord>, u64) {
        let inner = self.0.lock().expect("no thread panics while it holds this lock");
        let new = inner.kept.iter().filter(|fault| fault.number > number).cloned().collect();
        (new, inner.total)
    }
}

/// The streams of these objects, with their lowest and highest numbers.
pub(super) fn streams_of<'o>(
    universe: &Universe,
    objects: impl Iterator<Item = &'o Object>,
) -> BTreeMap<String, (u64, u64)> {
    let mut streams = BTreeMap::new();
    for object in objects {
        let symbol = universe.name_of(object.stream());
        let name = format!("{}/{symbol}", object.body.channel().name());
        let range = streams.entry(name).or_insert((object.seq.0, object.seq.0));
        *range = (range.0.min(object.seq.0), range.1.max(object.seq.0));
    }
    streams
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_faults_are_kept_and_all_are_numbered() {
        let log = FaultLog::default();
        for _ in 0..KEPT + 5 {
            log.record(Timestamp::default(), Layer::Feed, "drop", BTreeMap::new(), None);
        }

        let (all, total) = log.since(0);
        assert_eq!((all.len(), total, all[0].number), (KEPT, KEPT as u64 + 5, 6));
        assert_eq!(log.since(total - 2).0.len(), 2);
    }
}
