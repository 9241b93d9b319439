use std::collections::VecDeque;

use crate::model::{Quote, Seq, Timestamp, Trade};

/// A value with a time.
pub(super) trait Dated: Copy {
    /// The time of the value.
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
    /// Its sequence number in the stream.
    pub seq: Seq,
    /// The value.
    pub value: T,
}

/// A bounded buffer of the latest values of one stream, oldest first.
///
/// Numbers are consecutive, so only the last one is stored. Times rise except for late values, and the greatest lateness
/// is recorded, so a time is found by binary search. When the clock was set back, all that follows is late, until what
/// was before is removed.
#[derive(Debug)]
pub(super) struct Ring<T> {
    values: VecDeque<T>,
    most: usize,
    last_seq: Seq,
    lateness: [Lateness; 2],
    /// The number of values since the first of the two began.
    recorded: usize,
}

/// The times of as many values as a ring holds, or of the ones since then: each retained value and those before it are
/// in two of these.
#[derive(Clone, Copy, Debug)]
struct Lateness {
    latest_at: Timestamp,
    greatest_ns: i64,
}

impl Lateness {
    const NONE: Self = Self { latest_at: Timestamp::from_nanos(i64::MIN), greatest_ns: 0 };
}

impl<T: Dated> Ring<T> {
    /// A ring of at most `most` values, and at least one. It takes memory as it fills.
    pub(super) fn new(most: usize) -> Self {
        let (values, lateness) = (VecDeque::new(), [Lateness::NONE; 2]);
        Self { values, most: most.max(1), last_seq: Seq(0), lateness, recorded: 0 }
    }

    /// Changes the limit; the oldest values beyond it are removed.
    pub(super) fn limit(&mut self, most: usize) {
        self.most = most.max(1);
        self.values.drain(..self.values.len().saturating_sub(self.most));
        self.values.shrink_to(self.most);
    }

    /// Appends the next value; the oldest is removed when the ring is full.
    ///
    /// A number that does not continue the last one removes all values before it, because a reader relies on
    /// consecutive numbers.
    pub(super) fn push(&mut self, seq: Seq, value: T) {
        if seq != self.last_seq.next() {
            self.values.clear();
        }
        self.last_seq = seq;
        self.record_lateness(value.at());
        push_back(&mut self.values, self.most, value);
    }

    /// Forgets all values: numbers begin again.
    pub(super) fn restart_numbers(&mut self) {
        self.values.clear();
        self.last_seq = Seq::default();
    }

    fn record_lateness(&mut self, at: Timestamp) {
        if self.recorded >= self.most {
            self.lateness = [self.lateness[1], Lateness::NONE];
            self.recorded = 0;
        }
        self.recorded += 1;
        let [before, current] = &mut self.lateness;
        let late_ns = before.latest_at.max(current.latest_at).nanos().saturating_sub(at.nanos());
        current.greatest_ns = current.greatest_ns.max(late_ns);
        current.latest_at = current.latest_at.max(at);
    }

    /// True when the last `count` values are still there after the value with this number is pushed.
    pub(super) fn keeps(&self, count: usize, seq: Seq) -> bool {
        seq == self.last_seq.next() && count < self.most
    }

    /// All values, oldest first.
    pub(super) fn all(&self) -> impl Iterator<Item = &T> {
        self.values.iter()
    }

    /// The last `count` values, oldest first.
    pub(super) fn last(&self, count: usize) -> impl Iterator<Item = &T> {
        self.values.range(self.values.len() - count..)
    }

    /// Appends the values with numbers from `after` (exclusive) to `up_to` (inclusive) to `out`, oldest first, at most
    /// `most`.
    pub(super) fn copy(&self, after: Seq, up_to: Seq, most: usize, out: &mut Vec<Numbered<T>>) {
        let removed = self.first_seq().0 - 1;
        let from = after.0.saturating_sub(removed) as usize;
        let until = (up_to.0.saturating_sub(removed) as usize).min(self.values.len());
        let until = until.min(from.saturating_add(most));
        if from < until {
            let seqs = (self.first_seq().0 + from as u64..).map(Seq);
            let values = self.values.range(from..until).copied();
            out.extend(seqs.zip(values).map(|(seq, value)| Numbered { seq, value }));
        }
    }

    /// A range of numbers, exclusive and inclusive, that holds all values with times in `from..=to`, and perhaps some
    /// others.
    ///
    /// With L the greatest lateness, a value's time lies between M − L and M, where M is the latest time up to it, which
    /// only rises. Every value before the first one of `from` or later has M < `from`, and every value after the last
    /// one of `to` or earlier has M > `to`.
    pub(super) fn around(&self, from: Timestamp, to: Timestamp) -> (Seq, Seq) {
        let earliest = from.nanos().saturating_sub(self.lateness_ns());
        let latest = to.nanos().saturating_add(self.lateness_ns());
        let before = self.values.partition_point(|value| value.at().nanos() < earliest) as u64;
        let until = self.values.partition_point(|value| value.at().nanos() <= latest) as u64;
        let removed = self.first_seq().0 - 1;
        (Seq(removed + before), Seq(removed + until))
    }

    /// The greatest lateness of a retained value, or of one removed a short while ago, in nanoseconds.
    pub(super) fn lateness_ns(&self) -> i64 {
        self.lateness[0].greatest_ns.max(self.lateness[1].greatest_ns)
    }

    /// The value that was pushed last.
    pub(super) fn latest(&self) -> Option<T> {
        self.values.back().copied()
    }

    /// The number of the oldest value, or of the next one when there is none.
    fn first_seq(&self) -> Seq {
        Seq(self.last_seq.0 + 1 - self.values.len() as u64)
    }
}

/// Appends to a queue of at most `most`, of which the oldest value is removed when it is full.
///
/// The capacity doubles but never exceeds `most`, so that the byte budget holds.
fn push_back<T>(queue: &mut VecDeque<T>, most: usize, value: T) {
    const FIRST: usize = 8;
    if queue.len() == most {
        queue.pop_front();
    }
    if queue.len() == queue.capacity() {
        queue.reserve_exact(queue.len().max(FIRST).min(most - queue.len()));
    }
    queue.push_back(value);
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
    fn the_latest_values_are_retained_with_their_numbers() {
        let ring = filled(3, 5);

        assert_eq!(copied(&ring, 0, 9, 9), [3, 4, 5]);
        assert_eq!(copied(&ring, 3, 4, 9), [4]);
        assert_eq!(copied(&ring, 0, 9, 2), [3, 4]);
        assert_eq!(copied(&ring, 5, 9, 9), [0u64; 0]);
        assert_eq!(copied(&ring, 0, 2, 9), [0u64; 0]);
        assert_eq!(copied(&Ring::new(3), 0, 9, 9), [0u64; 0]);
    }

    #[test]
    fn a_hole_in_the_numbers_removes_all_values_before_it() {
        let mut ring = filled(3, 5);

        ring.push(Seq(9), At(90));

        assert_eq!(copied(&ring, 0, 99, 9), [9]);
    }

    #[test]
    fn memory_grows_with_the_values_up_to_the_limit() {
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
    fn a_range_of_times_gives_a_range_of_numbers() {
        let ring = filled(4, 9);

        assert_eq!(around(&ring, 0, 1_000), (5, 9));
        assert_eq!(around(&ring, 70, 80), (6, 8));
        assert_eq!(around(&ring, 71, 79), (7, 7));
        assert_eq!(around(&ring, 91, 99), (9, 9));
        assert_eq!(around(&filled(4, 0), 0, 99), (0, 0));
    }

    #[test]
    fn late_values_are_found_by_their_time() {
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

    #[test]
    fn values_are_found_by_their_time_after_the_clock_was_set_back_and_later_as_fast_as_before() {
        let times: Vec<i64> = (1_000..1_020).chain(100..150).collect();
        for most in [1, 3, 7, 20] {
            let mut ring = Ring::new(most);
            for (seq, at) in (1..).zip(&times) {
                ring.push(Seq(seq), At(*at));

                let retained = (1..=seq).zip(&times).skip((seq as usize).saturating_sub(most));
                for (number, at) in retained {
                    let (after, up_to) = around(&ring, *at, *at);
                    assert!(after < number && number <= up_to, "{number} of {seq} in {most}");
                }
            }
            assert_eq!(ring.lateness_ns(), 0, "what was before is long removed");
        }
    }

    #[test]
    fn a_lower_limit_removes_the_oldest_values_and_frees_their_memory() {
        let mut ring = filled(1_000, 1_000);

        ring.limit(10);
        ring.push(Seq(1_001), At(10_010));

        assert_eq!(copied(&ring, 0, 9_999, 99), (992..=1_001).collect::<Vec<_>>());
        assert_eq!(ring.values.capacity(), 10);
    }
}
