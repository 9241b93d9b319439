//! Checks the streams of one session for gaps and duplicates: `sq − previous sq = cf + 1`.

/// How the sequence number of an object relates to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SequenceCheck {
    /// The first object of its stream; there is nothing to compare with.
    First,
    InOrder,
    /// `missing` objects of the stream did not arrive and no `gap` notice announced them.
    Gap {
        missing: u64,
    },
    /// This sequence number, or a later one, arrived earlier.
    Duplicate,
    /// `cf` exceeds the number of objects between this one and the previous one.
    ConflationMismatch,
}

/// The last sequence number of each stream of one session.
///
/// An open-addressed table of 16-byte slots, at most half full: a run of 15,000 sessions has
/// 15,000 of these, and every object is looked up in one. Streams are never removed.
#[derive(Default)]
pub(crate) struct SequenceTracker {
    slots: Vec<StreamSlot>,
    streams: usize,
}

#[derive(Clone, Copy, Default)]
struct StreamSlot {
    /// [`stream_key`], or 0 if the slot is vacant.
    key: u64,
    last: u64,
}

impl SequenceTracker {
    /// Records the sequence number of an object and checks it.
    #[inline]
    pub(crate) fn record(&mut self, kind: u8, symbol: &[u8], sequence: u64, conflated: u64) -> SequenceCheck {
        let slot = self.slot(stream_key(kind, symbol));
        let (first, previous) = (slot.last == 0, slot.last);
        slot.last = previous.max(sequence);
        if first {
            return SequenceCheck::First;
        }
        if sequence <= previous {
            return SequenceCheck::Duplicate;
        }
        let between = sequence - previous - 1;
        match between.checked_sub(conflated) {
            Some(0) => SequenceCheck::InOrder,
            Some(missing) => SequenceCheck::Gap { missing },
            None => SequenceCheck::ConflationMismatch,
        }
    }

    /// The last sequence number of a stream; 0 before the first object.
    pub(crate) fn last(&mut self, kind: u8, symbol: &[u8]) -> u64 {
        self.slot(stream_key(kind, symbol)).last
    }

    /// Accepts an announced gap: objects up to `sequence` will not arrive.
    pub(crate) fn skip_to(&mut self, kind: u8, symbol: &[u8], sequence: u64) {
        let slot = self.slot(stream_key(kind, symbol));
        slot.last = slot.last.max(sequence);
    }

    fn slot(&mut self, key: u64) -> &mut StreamSlot {
        if self.slots.len() < (self.streams + 1) * 2 {
            self.grow();
        }
        let at = probe(&self.slots, key);
        let slot = &mut self.slots[at];
        if slot.key == 0 {
            slot.key = key;
            self.streams += 1;
        }
        slot
    }

    fn grow(&mut self) {
        let mut wider = vec![StreamSlot::default(); (self.slots.len() * 2).max(16)];
        for slot in self.slots.iter().filter(|slot| slot.key != 0) {
            let at = probe(&wider, slot.key);
            wider[at] = *slot;
        }
        self.slots = wider;
    }
}

/// The slot that holds `key` or would hold it; the length of `slots` is a power of two, and one slot is vacant.
#[inline]
fn probe(slots: &[StreamSlot], key: u64) -> usize {
    let spread = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let mut at = spread as usize & (slots.len() - 1);
    while slots[at].key != key && slots[at].key != 0 {
        at = (at + 1) & (slots.len() - 1);
    }
    at
}

/// Packs a stream into 64 bits, never 0: the kind, and the symbol itself if it has up to 7 bytes.
///
/// A longer symbol is hashed (FNV-1a, 56 bits kept). The chance of a collision among 10,000 symbols
/// is below one in a billion.
#[inline]
fn stream_key(kind: u8, symbol: &[u8]) -> u64 {
    let name = if symbol.len() < 8 {
        symbol.iter().fold(0, |name, &byte| name << 8 | u64::from(byte))
    } else {
        symbol.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        })
    };
    name << 8 | u64::from(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record_all(entries: &[(u64, u64)]) -> Vec<SequenceCheck> {
        let mut tracker = SequenceTracker::default();
        entries
            .iter()
            .map(|&(sequence, conflated)| tracker.record(b'q', b"ACME", sequence, conflated))
            .collect()
    }

    #[test]
    fn a_stream_may_start_at_any_number_and_then_rises_by_one() {
        use SequenceCheck::*;
        assert_eq!(record_all(&[(41, 7), (42, 0), (43, 0)]), [First, InOrder, InOrder]);
    }

    #[test]
    fn conflated_objects_are_not_missing() {
        use SequenceCheck::*;
        assert_eq!(record_all(&[(1, 0), (5, 3), (6, 0)]), [First, InOrder, InOrder]);
    }

    #[test]
    fn objects_neither_received_nor_conflated_are_a_gap() {
        use SequenceCheck::*;
        assert_eq!(record_all(&[(1, 0), (5, 1), (6, 0)]), [First, Gap { missing: 2 }, InOrder]);
    }

    #[test]
    fn an_earlier_number_is_a_duplicate_and_does_not_reset_the_stream() {
        use SequenceCheck::*;
        assert_eq!(
            record_all(&[(4, 0), (5, 0), (4, 0), (5, 0), (6, 0)]),
            [First, InOrder, Duplicate, Duplicate, InOrder]
        );
    }

    #[test]
    fn a_conflation_count_above_the_gap_is_a_mismatch() {
        use SequenceCheck::*;
        assert_eq!(record_all(&[(4, 0), (6, 2), (7, 0)]), [First, ConflationMismatch, InOrder]);
    }

    #[test]
    fn an_announced_gap_is_not_reported_as_a_gap() {
        let mut tracker = SequenceTracker::default();
        tracker.record(b't', b"ACME", 10, 0);

        tracker.skip_to(b't', b"ACME", 90);

        assert_eq!(tracker.record(b't', b"ACME", 91, 0), SequenceCheck::InOrder);
    }

    #[test]
    fn many_streams_do_not_affect_each_other() {
        let symbols: Vec<String> = (0..3_000).map(|n| format!("{:0width$}", n, width = 4 + n % 6)).collect();
        let mut tracker = SequenceTracker::default();

        for sequence in 1..=3 {
            for (kind, symbol) in [b't', b'q'].iter().flat_map(|k| symbols.iter().map(move |s| (*k, s))) {
                let check = tracker.record(kind, symbol.as_bytes(), sequence, 0);
                assert_eq!(check == SequenceCheck::First, sequence == 1, "{symbol}");
                assert!(matches!(check, SequenceCheck::First | SequenceCheck::InOrder), "{symbol}");
            }
        }
    }
}
