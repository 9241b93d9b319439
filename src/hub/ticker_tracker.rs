use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use crate::model::{Seq, SymbolId};
use crate::wire::{NumberedTicker, TickerChanges, TickerFields, TickerValues};

/// Which object changed each field of a ticker last, for the tickers that some session gets as changes (`delta`).
///
/// So the changes since any earlier object are known without keeping that object: a session has only the number of what
/// it was sent last, and sessions with the same changes share their encoding, whatever they had before. A field that
/// changed and has its former value again counts as changed.
///
/// A ticker takes one row of some 250 bytes from when it is asked for first. Its row is given up when it is asked for no
/// longer; without any session of this kind there are no rows, and nothing is compared.
#[derive(Debug, Default)]
pub(super) struct TickerTracker {
    rows: FxHashMap<SymbolId, TrackedTicker>,
}

#[derive(Debug)]
struct TrackedTicker {
    values: TickerValues,
    changes: TickerChanges,
    /// The number of the first object that was compared: what changed since earlier ones is not known.
    since: Seq,
    /// The number of the last object that was compared.
    newest: Seq,
    /// The objects since it was asked for.
    unused: u32,
}

/// After this number of objects a ticker that is not asked for is forgotten: those of a minute, the longest interval, at
/// 1,000 a second.
const KEPT_UNUSED: u32 = 60_000;

impl TickerTracker {
    /// Whether no ticker is tracked.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Forgets all tickers.
    pub(super) fn clear(&mut self) {
        self.rows = FxHashMap::default();
    }

    /// Compares a ticker with the one before it.
    pub(super) fn record(&mut self, NumberedTicker { ticker, seq }: NumberedTicker<'_>) {
        let Some(row) = self.rows.get_mut(&ticker.symbol) else { return };
        if seq <= row.newest {
            return;
        }
        let values = TickerValues::of(ticker);
        values.for_each_change(&row.values, |place| row.changes.record(place, seq.0));
        (row.values, row.newest) = (values, seq);
        row.unused += 1;
        if row.unused > KEPT_UNUSED {
            self.rows.remove(&ticker.symbol);
        }
    }

    /// The fields that changed behind the object of number `base`, at least up to that of number `until`; `None` if that
    /// is not known. The ticker is tracked from its newest object on, if it is not yet.
    pub(super) fn changed<'a>(
        &mut self,
        symbol: SymbolId,
        base: Seq,
        until: Seq,
        newest: impl FnOnce() -> Option<NumberedTicker<'a>>,
    ) -> Option<TickerFields> {
        match self.rows.entry(symbol) {
            Entry::Occupied(row) if row.get().newest >= until => {
                let row = row.into_mut();
                row.unused = 0;
                (base >= row.since).then(|| row.changes.after(base.0))
            }
            row => {
                row.insert_entry(TrackedTicker::new(newest()?));
                None
            }
        }
    }
}

impl TrackedTicker {
    fn new(NumberedTicker { ticker, seq }: NumberedTicker<'_>) -> Self {
        Self {
            values: TickerValues::of(ticker),
            changes: TickerChanges::since(seq.0),
            since: seq,
            newest: seq,
            unused: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Price, Ticker, Timestamp};

    fn ticker(cents: i64) -> Ticker {
        Ticker::before_the_open(SymbolId(3), Some(Price::from_cents(cents)), Timestamp::default())
    }

    fn numbered(ticker: &Ticker, seq: u64) -> NumberedTicker<'_> {
        NumberedTicker { ticker, seq: Seq(seq) }
    }

    /// The keys that changed behind one number, up to that of the newest object.
    fn changed(tracker: &mut TickerTracker, newest: NumberedTicker<'_>, base: u64) -> Option<TickerFields> {
        tracker.changed(newest.ticker.symbol, Seq(base), newest.seq, || Some(newest))
    }

    fn keys(fields: Option<TickerFields>) -> Vec<&'static str> {
        fields.expect("the changes are known").keys().collect()
    }

    #[test]
    fn the_changes_since_any_object_that_was_compared_are_known() {
        let mut tracker = TickerTracker::default();
        let first = ticker(100);
        let second = Ticker { bid: Price::from_cents(99), ..first };
        let third = Ticker { volume: 7, ..second };
        assert_eq!(changed(&mut tracker, numbered(&first, 5), 4), None, "nothing was compared");

        tracker.record(numbered(&second, 6));
        tracker.record(numbered(&third, 9));

        let newest = numbered(&third, 9);
        assert_eq!(keys(changed(&mut tracker, newest, 5)), ["bp", "v"]);
        assert_eq!(keys(changed(&mut tracker, newest, 6)), ["v"]);
        assert_eq!(keys(changed(&mut tracker, newest, 9)), [""; 0]);
        assert_eq!(changed(&mut tracker, newest, 4), None);
    }

    #[test]
    fn a_ticker_of_which_objects_were_not_compared_begins_anew() {
        let mut tracker = TickerTracker::default();
        let (first, later) = (ticker(100), ticker(200));
        changed(&mut tracker, numbered(&first, 5), 5);

        assert_eq!(changed(&mut tracker, numbered(&later, 8), 5), None);
        assert_eq!(keys(changed(&mut tracker, numbered(&later, 8), 8)), [""; 0]);
    }

    #[test]
    fn a_ticker_that_no_session_asks_for_is_forgotten() {
        let mut tracker = TickerTracker::default();
        let ticker = ticker(100);
        changed(&mut tracker, numbered(&ticker, 1), 1);

        (2..=u64::from(KEPT_UNUSED) + 1).for_each(|seq| tracker.record(numbered(&ticker, seq)));
        assert!(!tracker.is_empty());
        tracker.record(numbered(&ticker, 100_000));

        assert!(tracker.is_empty());
    }
}
