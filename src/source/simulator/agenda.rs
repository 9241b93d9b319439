use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::model::{SymbolId, Trade};

/// What is still to come at a certain time, the earliest first; at equal times, the first written.
///
/// Asking whether something is due is O(1), writing and taking O(log entries). It holds the next halt, the
/// end of each halt, and what is to be reported of the trades of the last half minute.
#[derive(Clone, Debug, Default)]
pub(super) struct Agenda {
    entries: BinaryHeap<Reverse<Scheduled>>,
    written: u64,
}

/// What is to come.
#[derive(Clone, Debug)]
pub(super) enum Matter {
    /// Some instrument is halted.
    Halt,
    /// This instrument trades again.
    Resume(SymbolId),
    /// A trade is reported so many nanoseconds after it happened.
    Late(Trade, u64),
    /// A trade is corrected.
    Correct(Trade),
    /// A trade is cancelled.
    Cancel(Trade),
}

#[derive(Clone, Debug)]
struct Scheduled {
    due_ns: u64,
    number: u64,
    matter: Matter,
}

impl Agenda {
    /// This is to come at this time, in nanoseconds since the start.
    pub(super) fn write(&mut self, due_ns: u64, matter: Matter) {
        self.written += 1;
        self.entries.push(Reverse(Scheduled { due_ns, number: self.written, matter }));
    }

    /// When the next matter is due.
    pub(super) fn soonest_ns(&self) -> Option<u64> {
        self.entries.peek().map(|Reverse(entry)| entry.due_ns)
    }

    /// Takes the next matter that is due by this time, and since when.
    pub(super) fn take_due(&mut self, now_ns: u64) -> Option<(u64, Matter)> {
        self.entries.peek().filter(|Reverse(entry)| entry.due_ns <= now_ns)?;
        self.entries.pop().map(|Reverse(entry)| (entry.due_ns, entry.matter))
    }
}

impl Scheduled {
    fn order(&self) -> (u64, u64) {
        (self.due_ns, self.number)
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Scheduled {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matters_are_taken_in_order_of_time_and_then_of_writing_and_not_before() {
        let mut agenda = Agenda::default();
        for (due_ns, place) in [(30, 0), (10, 1), (20, 2), (10, 3)] {
            agenda.write(due_ns, Matter::Resume(SymbolId(place)));
        }

        let mut taken = Vec::new();
        while let Some((due_ns, Matter::Resume(SymbolId(place)))) = agenda.take_due(20) {
            taken.push((due_ns, place));
        }

        assert_eq!(taken, [(10, 1), (10, 3), (20, 2)]);
        assert!(agenda.take_due(29).is_none() && agenda.take_due(30).is_some());
    }
}
