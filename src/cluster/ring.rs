use std::collections::VecDeque;

use super::message::EncodedBatch;

/// The latest batches of a leader, as they were sent, for followers that lost some.
///
/// Bounded by bytes and by number. A follower that asks for older ones takes a snapshot, and its clients are told what was
/// lost.
#[derive(Debug)]
pub(super) struct RepairRing {
    batches: VecDeque<EncodedBatch>,
    bytes: usize,
    limits: RingLimits,
}

/// How much a [`RepairRing`] keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct RingLimits {
    /// The most bytes. Default 32 MiB: a minute at 10,000 objects a second.
    pub(super) bytes: usize,
    /// The most batches. Default 65,536: a minute at a batch each millisecond.
    pub(super) batches: usize,
}

impl Default for RingLimits {
    fn default() -> Self {
        Self { bytes: 32 << 20, batches: 1 << 16 }
    }
}

impl RepairRing {
    /// An empty ring with these limits.
    pub(super) fn new(limits: RingLimits) -> Self {
        Self { batches: VecDeque::new(), bytes: 0, limits }
    }

    /// Keeps a batch. One that does not follow the last one begins the ring anew, so that it has no hole.
    pub(super) fn push(&mut self, batch: EncodedBatch) {
        if self.batches.back().is_some_and(|last| last.number + 1 != batch.number) {
            self.clear();
        }
        self.bytes += batch.bytes.len();
        self.batches.push_back(batch);
        while self.batches.len() > self.limits.batches || self.bytes > self.limits.bytes {
            let Some(oldest) = self.batches.pop_front() else { break };
            self.bytes -= oldest.bytes.len();
        }
    }

    /// Forgets all batches.
    pub(super) fn clear(&mut self) {
        self.batches.clear();
        self.bytes = 0;
    }

    /// The batches with these numbers, both inclusive; `None` unless all of them are there.
    pub(super) fn range(&self, from: u64, to: u64) -> Option<impl Iterator<Item = &EncodedBatch>> {
        let first = self.batches.front()?.number;
        let end = to.checked_add(1)?.checked_sub(first)?;
        let start = from.checked_sub(first)?;
        let has_all = start < end && end <= self.batches.len() as u64;
        has_all.then(|| self.batches.range(start as usize..end as usize))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn ring(limits: RingLimits, numbers: impl Iterator<Item = u64>) -> RepairRing {
        let mut ring = RepairRing::new(limits);
        numbers
            .for_each(|number| ring.push(EncodedBatch { number, bytes: Bytes::from_static(b"0123456789") }));
        ring
    }

    fn numbers(ring: &RepairRing, from: u64, to: u64) -> Option<Vec<u64>> {
        ring.range(from, to).map(|batches| batches.map(|batch| batch.number).collect())
    }

    #[test]
    fn a_range_is_all_or_nothing() {
        let ring = ring(RingLimits { bytes: 1_000, batches: 5 }, 1..=9);

        assert_eq!(numbers(&ring, 5, 9), Some(vec![5, 6, 7, 8, 9]));
        assert_eq!(numbers(&ring, 7, 7), Some(vec![7]));
        for (from, to) in [(4, 6), (8, 10), (8, 7), (0, 0), (0, u64::MAX), (20, 30)] {
            assert_eq!(numbers(&ring, from, to), None, "{from} to {to}");
        }
        assert_eq!(numbers(&RepairRing::new(RingLimits::default()), 1, 1), None);
    }

    #[test]
    fn the_oldest_batches_make_room_for_the_newest() {
        let ring = ring(RingLimits { bytes: 35, batches: 100 }, 1..=9);

        assert_eq!(numbers(&ring, 7, 9), Some(vec![7, 8, 9]));
        assert_eq!(numbers(&ring, 6, 9), None);
    }

    #[test]
    fn a_hole_begins_the_ring_anew() {
        let ring = ring(RingLimits::default(), [1, 2, 3, 7, 8].into_iter());

        assert_eq!(numbers(&ring, 7, 8), Some(vec![7, 8]));
        assert_eq!(numbers(&ring, 3, 7), None);
    }
}
