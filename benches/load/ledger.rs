//! Holds one session's streams to the identity `sq_now − sq_prev = cf + 1`.

/// What one numbered object says about those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The first of its stream: nothing to compare with.
    First,
    InOrder,
    /// `missing` objects of the stream never came and nobody said so.
    Gap {
        missing: u64,
    },
    /// This number, or a later one, was here before.
    Repeated,
    /// It claims to stand for more objects than lie between it and the one before.
    Overclaimed,
}

/// The last sequence number of each stream of one session.
///
/// An open-addressed table of 16-byte slots, at most half full: a fifteen-thousand-session run has
/// fifteen thousand of these, and every object looks into one. Streams are never removed.
#[derive(Default)]
pub(crate) struct Ledger {
    slots: Vec<Slot>,
    streams: usize,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    /// [`stream_key`], or 0 where vacant.
    key: u64,
    last: u64,
}

impl Ledger {
    /// Enters an object and says what it shows.
    #[inline]
    pub(crate) fn enter(&mut self, kind: u8, symbol: &[u8], sequence: u64, merged: u64) -> Verdict {
        let slot = self.slot(stream_key(kind, symbol));
        let (first, previous) = (slot.last == 0, slot.last);
        slot.last = previous.max(sequence);
        if first {
            return Verdict::First;
        }
        if sequence <= previous {
            return Verdict::Repeated;
        }
        let between = sequence - previous - 1;
        match between.checked_sub(merged) {
            Some(0) => Verdict::InOrder,
            Some(missing) => Verdict::Gap { missing },
            None => Verdict::Overclaimed,
        }
    }

    /// The last number of a stream; 0 before the first.
    pub(crate) fn last(&mut self, kind: u8, symbol: &[u8]) -> u64 {
        self.slot(stream_key(kind, symbol)).last
    }

    /// Takes the server's word that everything up to `sequence` will not come.
    pub(crate) fn skip_to(&mut self, kind: u8, symbol: &[u8], sequence: u64) {
        let slot = self.slot(stream_key(kind, symbol));
        slot.last = slot.last.max(sequence);
    }

    fn slot(&mut self, key: u64) -> &mut Slot {
        if self.slots.len() < (self.streams + 1) * 2 {
            self.grow();
        }
        let at = place(&self.slots, key);
        let slot = &mut self.slots[at];
        if slot.key == 0 {
            slot.key = key;
            self.streams += 1;
        }
        slot
    }

    fn grow(&mut self) {
        let mut wider = vec![Slot::default(); (self.slots.len() * 2).max(16)];
        for slot in self.slots.iter().filter(|slot| slot.key != 0) {
            let at = place(&wider, slot.key);
            wider[at] = *slot;
        }
        self.slots = wider;
    }
}

/// Where `key` stands or would stand; `slots` is a power of two long and has a vacancy.
#[inline]
fn place(slots: &[Slot], key: u64) -> usize {
    let spread = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let mut at = spread as usize & (slots.len() - 1);
    while slots[at].key != key && slots[at].key != 0 {
        at = (at + 1) & (slots.len() - 1);
    }
    at
}

/// Names a stream in 64 bits, never 0: the kind, and the symbol itself when it has up to 7 bytes.
///
/// A longer symbol is hashed (FNV-1a, 56 bits kept), so two of them could in theory be one; among
/// ten thousand the chance is below one in a billion.
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

    fn enter_all(entries: &[(u64, u64)]) -> Vec<Verdict> {
        let mut ledger = Ledger::default();
        entries.iter().map(|&(sequence, merged)| ledger.enter(b'q', b"ACME", sequence, merged)).collect()
    }

    #[test]
    fn a_stream_may_begin_anywhere_and_then_rises_by_one() {
        use Verdict::*;
        assert_eq!(enter_all(&[(41, 7), (42, 0), (43, 0)]), [First, InOrder, InOrder]);
    }

    #[test]
    fn merged_objects_are_not_missing() {
        use Verdict::*;
        assert_eq!(enter_all(&[(1, 0), (5, 3), (6, 0)]), [First, InOrder, InOrder]);
    }

    #[test]
    fn what_is_neither_there_nor_merged_is_a_gap() {
        use Verdict::*;
        assert_eq!(enter_all(&[(1, 0), (5, 1), (6, 0)]), [First, Gap { missing: 2 }, InOrder]);
    }

    #[test]
    fn a_number_seen_before_is_repeated_and_does_not_turn_the_stream_back() {
        use Verdict::*;
        assert_eq!(
            enter_all(&[(4, 0), (5, 0), (4, 0), (5, 0), (6, 0)]),
            [First, InOrder, Repeated, Repeated, InOrder]
        );
    }

    #[test]
    fn standing_for_more_than_there_was_is_found() {
        use Verdict::*;
        assert_eq!(enter_all(&[(4, 0), (6, 2), (7, 0)]), [First, Overclaimed, InOrder]);
    }

    #[test]
    fn a_gap_that_was_announced_is_not_one() {
        let mut ledger = Ledger::default();
        ledger.enter(b't', b"ACME", 10, 0);

        ledger.skip_to(b't', b"ACME", 90);

        assert_eq!(ledger.enter(b't', b"ACME", 91, 0), Verdict::InOrder);
    }

    #[test]
    fn many_streams_do_not_disturb_each_other() {
        let symbols: Vec<String> = (0..3_000).map(|n| format!("{:0width$}", n, width = 4 + n % 6)).collect();
        let mut ledger = Ledger::default();

        for sequence in 1..=3 {
            for (kind, symbol) in [b't', b'q'].iter().flat_map(|k| symbols.iter().map(move |s| (*k, s))) {
                let verdict = ledger.enter(kind, symbol.as_bytes(), sequence, 0);
                assert_eq!(verdict == Verdict::First, sequence == 1, "{symbol}");
                assert!(matches!(verdict, Verdict::First | Verdict::InOrder), "{symbol}");
            }
        }
    }
}
