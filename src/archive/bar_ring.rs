use std::collections::VecDeque;

use super::bar_row::BarRow;
use super::ring::push_back;
use crate::model::{Bar, SymbolId, Timestamp, Trade};

/// The newest bars of one instrument and span, at most so many, in order of time.
///
/// Stretches without a trade have no bar.
#[derive(Debug)]
pub(super) struct BarRing {
    /// The one that still takes trades stands here: a trade touches those of all spans, and finds them
    /// side by side.
    newest: Option<BarRow>,
    older: VecDeque<BarRow>,
    most: usize,
    forgotten: Option<Timestamp>,
}

impl BarRing {
    /// A ring of at most so many bars, at least one. It takes memory as it fills.
    pub(super) fn new(most: usize) -> Self {
        Self { newest: None, older: VecDeque::new(), most: most.max(1), forgotten: None }
    }

    /// Takes a trade into the bar that starts there.
    ///
    /// A late trade goes into its own older bar, and makes it where it has none; when that bar is
    /// forgotten already, the trade changes nothing.
    pub(super) fn fold(&mut self, start: Timestamp, trade: &Trade) {
        match &mut self.newest {
            Some(newest) if newest.start() == start => newest.fold(trade),
            Some(newest) if newest.start() > start => self.fold_late(start, trade),
            _ => self.append(BarRow::open(start, trade)),
        }
    }

    /// Takes in a whole bar of before; they must come in order, and before any trade.
    pub(super) fn seed(&mut self, bar: &Bar) {
        self.append(BarRow::of(bar));
    }

    /// Appends the bars that start from `from` on, oldest first, at most `most`.
    pub(super) fn copy(&self, symbol: SymbolId, from: Timestamp, most: usize, out: &mut Vec<Bar>) {
        let older = self.older.range(self.place(from)..);
        let newest = self.newest.iter().filter(|row| row.start() >= from);
        out.extend(older.chain(newest).take(most).map(|row| row.to_bar(symbol)));
    }

    /// The newest bar, which may still be open.
    pub(super) fn newest(&self, symbol: SymbolId) -> Option<Bar> {
        self.before_newest(symbol, 0)
    }

    /// The bar that stands so many places before the newest.
    pub(super) fn before_newest(&self, symbol: SymbolId, places: usize) -> Option<Bar> {
        let row = match places {
            0 => self.newest.as_ref(),
            _ => self.older.len().checked_sub(places).and_then(|place| self.older.get(place)),
        };
        row.map(|row| row.to_bar(symbol))
    }

    /// Where the newest of the bars started that are no longer retained.
    pub(super) fn forgotten(&self) -> Option<Timestamp> {
        self.forgotten
    }

    fn append(&mut self, row: BarRow) {
        let Some(before) = self.newest.replace(row) else { return };
        let gone = match self.most {
            1 => Some(before),
            most => push_back(&mut self.older, most - 1, before),
        };
        self.forgotten = gone.map(|gone| gone.start()).or(self.forgotten);
    }

    fn fold_late(&mut self, start: Timestamp, trade: &Trade) {
        if self.forgotten.is_some_and(|forgotten| start <= forgotten) {
            return;
        }
        let place = self.place(start);
        match self.older.get_mut(place) {
            Some(row) if row.start() == start => row.fold(trade),
            _ => self.insert(place, BarRow::open(start, trade)),
        }
    }

    fn insert(&mut self, place: usize, row: BarRow) {
        if self.older.len() + 1 < self.most {
            self.older.insert(place, row);
        } else if place == 0 {
            self.forgotten = Some(row.start());
        } else {
            self.forgotten = self.older.pop_front().map(|gone| gone.start());
            self.older.insert(place - 1, row);
        }
    }

    /// Where the first of the older bars stands that starts at this time or later.
    fn place(&self, from: Timestamp) -> usize {
        self.older.partition_point(|row| row.start() < from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, SECOND};
    use crate::wire::fixtures;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_nanos(second * SECOND)
    }

    fn ring(most: usize, seconds: &[i64]) -> BarRing {
        let mut ring = BarRing::new(most);
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        for start in seconds {
            ring.fold(second(*start), &trade);
        }
        ring
    }

    /// Start and number of trades of each bar.
    fn bars(ring: &BarRing) -> Vec<(i64, u64)> {
        let mut bars = Vec::new();
        ring.copy(SymbolId(0), second(0), 99, &mut bars);
        bars.iter().map(|bar| (bar.start.seconds(), bar.trades)).collect()
    }

    #[test]
    fn trades_of_one_stretch_share_a_bar_and_the_oldest_bar_goes_first() {
        let ring = ring(2, &[1, 1, 2, 5, 5, 5]);

        assert_eq!(bars(&ring), [(2, 1), (5, 3)]);
        assert_eq!(ring.forgotten(), Some(second(1)));
        assert_eq!(ring.newest(SymbolId(0)).unwrap().start, second(5));
        assert_eq!(ring.before_newest(SymbolId(0), 1).unwrap().start, second(2));
        assert_eq!(ring.before_newest(SymbolId(0), 2), None);
    }

    #[test]
    fn a_late_trade_goes_into_the_bar_of_its_own_time() {
        assert_eq!(bars(&ring(9, &[1, 5, 1])), [(1, 2), (5, 1)]);
    }

    #[test]
    fn a_late_trade_of_a_quiet_stretch_makes_its_bar() {
        assert_eq!(bars(&ring(9, &[1, 5, 3])), [(1, 1), (3, 1), (5, 1)]);
        assert_eq!(bars(&ring(2, &[1, 5, 3])), [(3, 1), (5, 1)]);
    }

    #[test]
    fn a_trade_that_is_later_than_what_is_retained_changes_nothing() {
        assert_eq!(bars(&ring(2, &[1, 5, 9, 1])), [(5, 1), (9, 1)]);
        assert_eq!(bars(&ring(2, &[5, 9, 1, 1])), [(5, 1), (9, 1)]);
    }

    #[test]
    fn bars_are_copied_from_a_time_on() {
        let ring = ring(9, &[1, 3, 5, 7]);
        let starts = |from, most| {
            let mut bars = Vec::new();
            ring.copy(SymbolId(0), second(from), most, &mut bars);
            bars.iter().map(|bar| bar.start.seconds()).collect::<Vec<_>>()
        };

        assert_eq!(starts(3, 9), [3, 5, 7]);
        assert_eq!(starts(4, 1), [5]);
        assert_eq!(starts(8, 9), [0i64; 0]);
    }
}
