use std::collections::VecDeque;

use super::bar_row::BarRow;
use super::ring::push_back;
use crate::model::{Bar, SymbolId, Timestamp, Trade};

/// A bounded buffer of the latest bars of one instrument and span, in the order of time.
///
/// Intervals without a trade have no bar.
#[derive(Debug)]
pub(super) struct BarRing {
    /// The bar that still takes trades. It is kept here, so that the latest bars of all spans, which one trade changes,
    /// are side by side in memory.
    latest: Option<BarRow>,
    older: VecDeque<BarRow>,
    most: usize,
    removed_until: Option<Timestamp>,
}

impl BarRing {
    /// A ring of at most `most` bars, and at least one. It takes memory as it fills.
    pub(super) fn new(most: usize) -> Self {
        Self { latest: None, older: VecDeque::new(), most: most.max(1), removed_until: None }
    }

    /// Changes the limit; the oldest bars beyond it are removed.
    pub(super) fn limit(&mut self, most: usize) {
        self.most = most.max(1);
        let excess = self.older.len().saturating_sub(self.most - 1);
        let removed = self.older.drain(..excess).next_back();
        self.removed_until = removed.map(|row| row.start()).or(self.removed_until);
        self.older.shrink_to(self.most - 1);
    }

    /// Removes the bars that start after this time.
    pub(super) fn remove_after(&mut self, time: Timestamp) {
        while self.latest.as_ref().is_some_and(|latest| latest.start() > time) {
            self.latest = self.older.pop_back();
        }
    }

    /// Folds a trade into the bar that starts at `start`.
    ///
    /// A late trade goes into its own older bar, which is created if there is none. A trade whose bar is removed already
    /// changes nothing.
    pub(super) fn fold(&mut self, start: Timestamp, trade: &Trade) {
        match &mut self.latest {
            Some(latest) if latest.start() == start => latest.fold(trade),
            Some(latest) if latest.start() > start => self.fold_late(start, trade),
            _ => self.append(BarRow::open(start, trade)),
        }
    }

    /// Appends a bar of the history; bars must come in order, and before any trade.
    pub(super) fn seed(&mut self, bar: &Bar) {
        self.append(BarRow::of(bar));
    }

    /// Appends the bars that start at `from` or later to `out`, oldest first, at most `most`.
    pub(super) fn copy(&self, symbol: SymbolId, from: Timestamp, most: usize, out: &mut Vec<Bar>) {
        let older = self.older.range(self.index_of(from)..);
        let latest = self.latest.iter().filter(|row| row.start() >= from);
        out.extend(older.chain(latest).take(most).map(|row| row.to_bar(symbol)));
    }

    /// The latest bar, which may still be open.
    pub(super) fn latest(&self, symbol: SymbolId) -> Option<Bar> {
        self.before_latest(symbol, 0)
    }

    /// The bar that is this number of bars before the latest.
    pub(super) fn before_latest(&self, symbol: SymbolId, bars: usize) -> Option<Bar> {
        let row = match bars {
            0 => self.latest.as_ref(),
            _ => self.older.len().checked_sub(bars).and_then(|index| self.older.get(index)),
        };
        row.map(|row| row.to_bar(symbol))
    }

    /// The start of the latest bar that is no longer retained.
    pub(super) fn removed_until(&self) -> Option<Timestamp> {
        self.removed_until
    }

    fn append(&mut self, row: BarRow) {
        let Some(before) = self.latest.replace(row) else { return };
        let removed = match self.most {
            1 => Some(before),
            most => push_back(&mut self.older, most - 1, before),
        };
        self.removed_until = removed.map(|row| row.start()).or(self.removed_until);
    }

    fn fold_late(&mut self, start: Timestamp, trade: &Trade) {
        if self.removed_until.is_some_and(|removed_until| start <= removed_until) {
            return;
        }
        let index = self.index_of(start);
        match self.older.get_mut(index) {
            Some(row) if row.start() == start => row.fold(trade),
            _ => self.insert(index, BarRow::open(start, trade)),
        }
    }

    fn insert(&mut self, index: usize, row: BarRow) {
        if self.older.len() + 1 < self.most {
            self.older.insert(index, row);
        } else if index == 0 {
            self.removed_until = Some(row.start());
        } else {
            self.removed_until = self.older.pop_front().map(|row| row.start());
            self.older.insert(index - 1, row);
        }
    }

    /// The index of the first older bar that starts at this time or later.
    fn index_of(&self, from: Timestamp) -> usize {
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
    fn trades_of_one_interval_share_a_bar_and_the_oldest_bar_is_removed_first() {
        let ring = ring(2, &[1, 1, 2, 5, 5, 5]);

        assert_eq!(bars(&ring), [(2, 1), (5, 3)]);
        assert_eq!(ring.removed_until(), Some(second(1)));
        assert_eq!(ring.latest(SymbolId(0)).unwrap().start, second(5));
        assert_eq!(ring.before_latest(SymbolId(0), 1).unwrap().start, second(2));
        assert_eq!(ring.before_latest(SymbolId(0), 2), None);
    }

    #[test]
    fn a_late_trade_goes_into_the_bar_of_its_own_time() {
        assert_eq!(bars(&ring(9, &[1, 5, 1])), [(1, 2), (5, 1)]);
    }

    #[test]
    fn a_late_trade_of_a_quiet_interval_creates_its_bar() {
        assert_eq!(bars(&ring(9, &[1, 5, 3])), [(1, 1), (3, 1), (5, 1)]);
        assert_eq!(bars(&ring(2, &[1, 5, 3])), [(3, 1), (5, 1)]);
    }

    #[test]
    fn a_trade_whose_bar_is_removed_changes_nothing() {
        assert_eq!(bars(&ring(2, &[1, 5, 9, 1])), [(5, 1), (9, 1)]);
        assert_eq!(bars(&ring(2, &[5, 9, 1, 1])), [(5, 1), (9, 1)]);
    }

    #[test]
    fn bars_after_a_time_are_removed_and_new_ones_follow() {
        let mut ring = ring(9, &[1, 3, 5, 7]);
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };

        ring.remove_after(second(3));
        ring.fold(second(3), &trade);
        ring.fold(second(4), &trade);

        assert_eq!(bars(&ring), [(1, 1), (3, 2), (4, 1)]);
        ring.remove_after(second(0));
        assert_eq!((bars(&ring), ring.latest(SymbolId(0))), (vec![], None));
        ring.fold(second(2), &trade);
        assert_eq!(bars(&ring), [(2, 1)]);
    }

    #[test]
    fn bars_are_copied_from_a_given_time() {
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

    #[test]
    fn a_lower_limit_removes_the_oldest_bars() {
        let mut ring = ring(9, &[1, 3, 5, 7]);

        ring.limit(2);

        assert_eq!(bars(&ring), [(5, 1), (7, 1)]);
        assert_eq!(ring.removed_until(), Some(second(3)));
        ring.limit(1);
        assert_eq!((bars(&ring), ring.removed_until()), (vec![(7, 1)], Some(second(5))));
    }
}
