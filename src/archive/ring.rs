use std::collections::VecDeque;

use crate::model::{Quote, Seq, Timestamp, Trade};

/// What happened at some time.
pub(super) trait Dated: Copy {
    /// When.
    fn at(&self) -> Timestamp;
}

impl Dated for Trade {
    fn at(&self) -> Timestamp {
        self.at
    }
}

impl Dated for Quote {
    fn at(&self) -> Timestamp {
        self.at
    }
}

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
/// Their numbers are consecutive, so only the last one is stored. Their times rise, but for late
/// ones, and how late any was is known: so a time is found without looking at every value.
#[derive(Debug)]
pub(super) struct Ring<T> {
    values: VecDeque<T>,
    most: usize,
    last: Seq,
    newest_at: Timestamp,
    lateness_ns: i64,
}

impl<T: Dated> Ring<T> {
    /// A ring of at most so many values, at least one. It takes memory as it fills.
    pub(super) fn new(most: usize) -> Self {
        let newest_at = Timestamp::from_nanos(i64::MIN);
        Self { values: VecDeque::new(), most: most.max(1), last: Seq(0), newest_at, lateness_ns: 0 }
    }

    /// Takes in the next value; the oldest goes where there is no room.
    ///
    /// A number that does not follow on the last one begins anew: what was before is not connected.
    pub(super) fn push(&mut self, seq: Seq, value: T) {
        if seq != self.last.next() {
            self.values.clear();
        }
        self.last = seq;
        let late_ns = self.newest_at.nanos().saturating_sub(value.at().nanos());
        self.lateness_ns = self.lateness_ns.max(late_ns);
        self.newest_at = self.newest_at.max(value.at());
        push_back(&mut self.values, self.most, value);
    }

    /// Whether so many of the newest values are still there when the value of this number has come in.
    pub(super) fn keeps(&self, count: usize, seq: Seq) -> bool {
        seq == self.last.next() && count < self.most
    }

    /// So many of the newest values, oldest first.
    pub(super) fn newest_of(&self, count: usize) -> impl Iterator<Item = &T> {
        self.values.range(self.values.len() - count..)
    }

    /// Appends the values after one number, up to and with another, oldest first, at most `most`.
    pub(super) fn copy(&self, after: Seq, up_to: Seq, most: usize, out: &mut Vec<Numbered<T>>) {
        let gone = self.first().0 - 1;
        let from = after.0.saturating_sub(gone) as usize;
        let until = (up_to.0.saturating_sub(gone) as usize).min(self.values.len());
        let until = until.min(from.saturating_add(most));
        if from < until {
            let seqs = (self.first().0 + from as u64..).map(Seq);
            let values = self.values.range(from..until).copied();
            out.extend(seqs.zip(values).map(|(seq, value)| Numbered { seq, value }));
        }
    }

    /// Numbers between which all values of these times are found: after the one, up to and with the
    /// other. Some others may be between them, too.
    ///
    /// With L the greatest lateness, a value's time lies between M − L and M, where M is the newest
    /// time up to it, which only rises. Whatever stands before the first value of `from` or later
    /// has M < `from`, and whatever stands after the last one of `to` or earlier has M > `to`.
    pub(super) fn around(&self, from: Timestamp, to: Timestamp) -> (Seq, Seq) {
        let earliest = from.nanos().saturating_sub(self.lateness_ns);
        let latest = to.nanos().saturating_add(self.lateness_ns);
        let before = self.values.partition_point(|value| value.at().nanos() < earliest) as u64;
        let until = self.values.partition_point(|value| value.at().nanos() <= latest) as u64;
        let gone = self.first().0 - 1;
        (Seq(gone + before), Seq(gone + until))
    }

    /// By how much a value came late at most.
    pub(super) fn lateness_ns(&self) -> i64 {
        self.lateness_ns
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

    #[derive(Clone, Copy, Debug)]
    struct At(i64);

    impl Dated for At {
        fn at(&self) -> Timestamp {
            Timestamp::from_nanos(self.0)
        }
    }

    fn filled(most: usize, values: u64) -> Ring<At> {
        let mut ring = Ring::new(most);
        for number in 1..=values {
            ring.push(Seq(number), At(number as i64 * 10));
        }
        ring
    }

    fn copied(ring: &Ring<At>, after: u64, up_to: u64, most: usize) -> Vec<u64> {
        let mut out = Vec::new();
        ring.copy(Seq(after), Seq(up_to), most, &mut out);
        assert!(out.iter().all(|row| row.value.0 == row.seq.0 as i64 * 10), "{out:?}");
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

        ring.push(Seq(9), At(90));

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

    fn around(ring: &Ring<At>, from: i64, to: i64) -> (u64, u64) {
        let (after, up_to) = ring.around(Timestamp::from_nanos(from), Timestamp::from_nanos(to));
        (after.0, up_to.0)
    }

    #[test]
    fn times_are_found_by_number() {
        let ring = filled(4, 9);

        assert_eq!(around(&ring, 0, 1_000), (5, 9));
        assert_eq!(around(&ring, 70, 80), (6, 8));
        assert_eq!(around(&ring, 71, 79), (7, 7));
        assert_eq!(around(&ring, 91, 99), (9, 9));
        assert_eq!(around(&filled(4, 0), 0, 99), (0, 0));
    }

    #[test]
    fn times_are_found_where_some_came_late() {
        let mut ring = Ring::new(9);
        let times = [10, 20, 50, 25, 60, 55, 70];
        (1..).zip(times).for_each(|(seq, at)| ring.push(Seq(seq), At(at)));

        for from in 0..80 {
            for to in from..80 {
                let (after, up_to) = around(&ring, from, to);
                let wanted = (1..).zip(times).filter(|(_, at)| (from..=to).contains(at));
                assert!(wanted.into_iter().all(|(seq, _)| after < seq && seq <= up_to), "{from} {to}");
            }
        }
    }
}
