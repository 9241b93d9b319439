use std::collections::VecDeque;

use crate::model::Seq;

/// A value of a stream with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbered<T> {
    /// Its number in the stream.
    pub seq: Seq,
    /// What it says.
    pub value: T,
}

/// The newest values of one stream, at most so many, oldest first.
///
/// Their numbers are consecutive, so only the last one is stored.
#[derive(Debug)]
pub(super) struct Ring<T> {
    values: VecDeque<T>,
    most: usize,
    last: Seq,
}

impl<T: Copy> Ring<T> {
    /// A ring of at most so many values, at least one. It takes memory as it fills.
    pub(super) fn new(most: usize) -> Self {
        Self { values: VecDeque::new(), most: most.max(1), last: Seq::default() }
    }

    /// Takes in the next value; the oldest goes where there is no room.
    ///
    /// A number that does not follow on the last one begins anew: what was before is not connected.
    pub(super) fn push(&mut self, seq: Seq, value: T) {
        if seq != self.last.next() {
            self.values.clear();
        }
        self.last = seq;
        push_back(&mut self.values, self.most, value);
    }

    /// Appends the values after one number, up to and with another, oldest first, at most `most`.
    pub(super) fn copy(&self, after: Seq, up_to: Seq, most: usize, out: &mut Vec<Numbered<T>>) {
        let first = self.first().0.max(after.0.saturating_add(1));
        let from = (first - self.first().0) as usize;
        let until = ((up_to.0 + 1).saturating_sub(self.first().0) as usize).min(self.values.len());
        let until = until.min(from.saturating_add(most));
        if from < until {
            let numbered = (first..).zip(self.values.range(from..until));
            out.extend(numbered.map(|(seq, value)| Numbered { seq: Seq(seq), value: *value }));
        }
    }

    /// The newest value.
    pub(super) fn newest(&self) -> Option<T> {
        self.values.back().copied()
    }

    /// The number of the oldest value, or of the next one where there is none.
    fn first(&self) -> Seq {
        Seq(self.last.0 + 1 - self.values.len() as u64)
    }
}

/// Appends to a queue of at most `most`; gives the oldest back where it had to go.
///
/// The queue grows by doubling but never beyond `most`, so that the budget holds.
pub(super) fn push_back<T>(queue: &mut VecDeque<T>, most: usize, value: T) -> Option<T> {
    const FIRST: usize = 8;
    let gone = if queue.len() == most { queue.pop_front() } else { None };
    if queue.len() == queue.capacity() {
        queue.reserve_exact(queue.len().max(FIRST).min(most - queue.len()));
    }
    queue.push_back(value);
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(most: usize, values: u64) -> Ring<u64> {
        let mut ring = Ring::new(most);
        for number in 1..=values {
            ring.push(Seq(number), number * 10);
        }
        ring
    }

    fn copied(ring: &Ring<u64>, after: u64, up_to: u64, most: usize) -> Vec<u64> {
        let mut out = Vec::new();
        ring.copy(Seq(after), Seq(up_to), most, &mut out);
        assert!(out.iter().all(|row| row.value == row.seq.0 * 10), "{out:?}");
        out.iter().map(|row| row.seq.0).collect()
    }

    #[test]
    fn the_newest_are_kept_with_their_numbers() {
        let ring = filled(3, 5);

        assert_eq!(copied(&ring, 0, 9, 9), [3, 4, 5]);
        assert_eq!(copied(&ring, 3, 4, 9), [4]);
        assert_eq!(copied(&ring, 0, 9, 2), [3, 4]);
        assert_eq!(copied(&ring, 5, 9, 9), [0u64; 0]);
        assert_eq!(copied(&ring, 0, 2, 9), [0u64; 0]);
        assert_eq!(copied(&Ring::new(3), 0, 9, 9), [0u64; 0]);
    }

    #[test]
    fn a_hole_in_the_numbers_begins_anew() {
        let mut ring = filled(3, 5);

        ring.push(Seq(9), 90);

        assert_eq!(copied(&ring, 0, 99, 9), [9]);
    }

    #[test]
    fn memory_grows_with_the_rows_and_ends_at_the_limit() {
        let capacity = |most, values| filled(most, values).values.capacity();

        assert_eq!(capacity(1_000, 0), 0);
        assert!(capacity(1_000, 20) <= 40);
        assert_eq!(capacity(1_000, 5_000), 1_000);
        assert_eq!(capacity(5, 1_000), 5);
    }
}
