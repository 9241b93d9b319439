use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::model::{SymbolId, Trade};

/// The simulator's future event list: actions by due time; at equal times, in the order they were added.
///
/// Checking for a due action is O(1), adding and taking one is O(log actions). It holds the next halt, the
/// end of each halt, and the late reports, corrections and cancels of the last 30 s of trades.
#[derive(Clone, Debug, Default)]
pub(super) struct Schedule {
    entries: BinaryHeap<Reverse<Entry>>,
    added: u64,
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    /// Halt a random instrument.
    Halt,
    /// End the halt of this instrument.
    Resume(SymbolId),
    /// Report a trade this long after it took place.
    ReportLate { trade: Trade, delay_ns: u64 },
    /// Correct a reported trade.
    Correct(Trade),
    /// Cancel a reported trade.
    Cancel(Trade),
}

#[derive(Clone, Debug)]
struct Entry {
    due_ns: u64,
    number: u64,
    action: Action,
}

impl Schedule {
    /// Adds an action that is due at this time, in nanoseconds since the start.
    pub(super) fn add(&mut self, due_ns: u64, action: Action) {
        self.added += 1;
        self.entries.push(Reverse(Entry { due_ns, number: self.added, action }));
    }

    pub(super) fn next_due_ns(&self) -> Option<u64> {
        self.entries.peek().map(|Reverse(entry)| entry.due_ns)
    }

    /// Takes the next action that is due by this time, with its due time.
    pub(super) fn pop_due(&mut self, now_ns: u64) -> Option<(u64, Action)> {
        self.entries.peek().filter(|Reverse(entry)| entry.due_ns <= now_ns)?;
        self.entries.pop().map(|Reverse(entry)| (entry.due_ns, entry.action))
    }
}

impl Entry {
    fn order(&self) -> (u64, u64) {
        (self.due_ns, self.number)
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Entry {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_taken_in_order_of_due_time_then_of_adding_and_not_before_they_are_due() {
        let mut schedule = Schedule::default();
        for (due_ns, id) in [(30, 0), (10, 1), (20, 2), (10, 3)] {
            schedule.add(due_ns, Action::Resume(SymbolId(id)));
        }

        let mut taken = Vec::new();
        while let Some((due_ns, Action::Resume(SymbolId(id)))) = schedule.pop_due(20) {
            taken.push((due_ns, id));
        }

        assert_eq!(taken, [(10, 1), (10, 3), (20, 2)]);
        assert!(schedule.pop_due(29).is_none() && schedule.pop_due(30).is_some());
    }
}
