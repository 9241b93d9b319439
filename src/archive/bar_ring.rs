use std::collections::VecDeque;

use super::bar_row::BarRow;
use super::packed_bars::{PACKED_BAR_BYTES, PackedBars};
use crate::model::{Bar, SymbolId, Timestamp, Trade, TradeEffect};

/// A bounded buffer of the latest bars of one instrument and span, in the order of time.
///
/// Intervals without a trade have no bar. All but the latest bars are packed, in blocks; the oldest block is removed
/// when the others hold as many bars as the ring has to keep.
#[derive(Debug)]
pub(super) struct BarRing {
    /// The bar that still takes trades. It is kept here, so that the latest bars of all spans, which one trade changes,
    /// are side by side in memory.
    latest: Option<BarRow>,
    /// The bars before it, fewer than [`UNPACKED_BARS`]: late trades change these.
    older: VecDeque<BarRow>,
    /// The bars before those.
    packed: VecDeque<PackedBars>,
    packed_bars: usize,
    packed_bytes: usize,
    most: usize,
    removed_until: Option<Timestamp>,
}

/// The bars of a block. Larger blocks take less memory a bar, and longer to read a part of.
const BLOCK: usize = 32;

/// The most bars that are kept unpacked.
pub(super) const UNPACKED_BARS: usize = 2 * BLOCK;

impl BarRing {
    /// A ring that keeps `most` bars, and at least one. It takes memory as it fills.
    pub(super) fn new(most: usize) -> Self {
        Self {
            latest: None,
            older: VecDeque::new(),
            packed: VecDeque::new(),
            packed_bars: 0,
            packed_bytes: 0,
            most: most.max(1),
            removed_until: None,
        }
    }

    /// Changes the limit; the oldest bars beyond it are removed.
    pub(super) fn limit(&mut self, most: usize) {
        self.most = most.max(1);
        self.remove_excess();
        self.older.shrink_to_fit();
        self.packed.shrink_to_fit();
    }

    /// Removes the bars that start after this time.
    pub(super) fn remove_after(&mut self, time: Timestamp) {
        while self.latest.as_ref().is_some_and(|latest| latest.start() > time) {
            self.unpack_last();
            self.latest = self.older.pop_back();
        }
        self.unpack_last();
    }

    /// Folds a trade, which has this effect, into the bar that starts at `start`.
    ///
    /// A late trade goes into its own older bar, which is created if there is none. A trade whose bar is removed already
    /// changes nothing.
    pub(super) fn fold(&mut self, start: Timestamp, trade: &Trade, effect: TradeEffect) {
        match &mut self.latest {
            Some(latest) if latest.start() == start => latest.fold(trade, effect),
            Some(latest) if latest.start() > start => {
                self.change_late(start, &BarChange::Trade(trade, effect));
            }
            _ => self.append(BarRow::open(start, trade, effect)),
        }
    }

    /// Puts a bar in the place of the one with the same start, or between the others. One that is older than the removed
    /// ones changes nothing.
    pub(super) fn put(&mut self, bar: &Bar) {
        match &mut self.latest {
            Some(latest) if latest.start() == bar.start => *latest = BarRow::of(bar),
            Some(latest) if latest.start() > bar.start => {
                self.change_late(bar.start, &BarChange::Put(BarRow::of(bar)));
            }
            _ => self.append(BarRow::of(bar)),
        }
    }

    /// The bar that starts at this time.
    pub(super) fn at(&self, symbol: SymbolId, start: Timestamp) -> Option<Bar> {
        if self.latest.is_none_or(|latest| latest.start() <= start) {
            return self.latest.filter(|latest| latest.start() == start).map(|row| row.to_bar(symbol));
        }
        let mut found = Vec::with_capacity(1);
        self.copy(symbol, start, 1, &mut found);
        found.pop().filter(|bar| bar.start == start)
    }

    /// Appends a bar of the history; bars must come in order, and before any trade.
    pub(super) fn seed(&mut self, bar: &Bar) {
        self.append(BarRow::of(bar));
    }

    /// Puts those of these bars that are before all others there, the latest as far as there is room. If bars were removed
    /// already, it has no effect: there would be a hole.
    pub(super) fn prepend(&mut self, bars: &[Bar]) {
        if self.removed_until.is_some() {
            return;
        }
        let first = self.first_start();
        let before = bars.partition_point(|bar| first.is_none_or(|first| bar.start < first));
        let room = self.most.saturating_sub(self.len());
        let (left_out, kept) = bars[..before].split_at(before.saturating_sub(room));
        self.removed_until = left_out.last().map(|bar| bar.start);
        let rows: Vec<BarRow> = kept.iter().map(BarRow::of).collect();
        if self.latest.is_none() {
            return rows.into_iter().for_each(|row| self.append(row));
        }
        if self.most <= UNPACKED_BARS {
            rows.into_iter().rev().for_each(|row| self.older.push_front(row));
            return;
        }
        // The newest stay unpacked: the one before the latest is read often, and packed ones count for the memory.
        let unpacked = match self.packed.is_empty() {
            true => (UNPACKED_BARS - 1).saturating_sub(self.older.len()),
            false => 0,
        };
        let (rows, newest) = rows.split_at(rows.len().saturating_sub(unpacked));
        newest.iter().rev().for_each(|row| self.older.push_front(*row));
        for rows in rows.rchunks(BLOCK) {
            let block = PackedBars::of(rows.iter().copied());
            self.packed_bars += block.len();
            self.packed_bytes += block.bytes();
            self.packed.push_front(block);
        }
        self.remove_excess();
    }

    /// Appends the bars that start at `from` or later to `out`, oldest first, at most `most`.
    pub(super) fn copy(&self, symbol: SymbolId, from: Timestamp, most: usize, out: &mut Vec<Bar>) {
        let first_block = self.packed.partition_point(|block| block.last() < from);
        let packed = self.packed.range(first_block..).flat_map(PackedBars::rows);
        let older = self.older.range(self.index_of(from)..).copied();
        let rows = packed.chain(older).chain(self.latest).skip_while(|row| row.start() < from);
        out.extend(rows.take(most).map(|row| row.to_bar(symbol)));
    }

    /// Appends the latest bars that start before `until` to `out`, oldest first, at most `most`.
    pub(super) fn copy_before(&self, symbol: SymbolId, until: Timestamp, most: usize, out: &mut Vec<Bar>) {
        let latest = self.latest.filter(|latest| latest.start() < until);
        let older = self.older.range(..self.index_of(until)).rev().copied();
        let blocks = self.packed.partition_point(|block| block.last() < until) + 1;
        let blocks = self.packed.range(..blocks.min(self.packed.len())).rev();
        let rows = blocks.flat_map(|block| block.rows().collect::<Vec<_>>().into_iter().rev());
        let packed = rows.skip_while(|row| row.start() >= until);
        let begin = out.len();
        out.extend(latest.into_iter().chain(older).chain(packed).take(most).map(|row| row.to_bar(symbol)));
        out[begin..].reverse();
    }

    /// The start of the oldest bar.
    pub(super) fn first_start(&self) -> Option<Timestamp> {
        let packed = self.packed.front().and_then(|block| block.rows().next());
        packed.or(self.older.front().copied()).or(self.latest).map(|row| row.start())
    }

    /// The latest bar, which may still be open.
    pub(super) fn latest(&self, symbol: SymbolId) -> Option<Bar> {
        self.latest.map(|row| row.to_bar(symbol))
    }

    /// The bar before the latest.
    pub(super) fn before_latest(&self, symbol: SymbolId) -> Option<Bar> {
        self.older.back().map(|row| row.to_bar(symbol))
    }

    /// The start of the latest bar that is no longer retained.
    pub(super) fn removed_until(&self) -> Option<Timestamp> {
        self.removed_until
    }

    fn append(&mut self, row: BarRow) {
        let Some(before) = self.latest.replace(row) else { return };
        self.older.push_back(before);
        self.pack_and_remove();
    }

    /// Packs the oldest bars when there are too many, and removes those beyond the limit.
    fn pack_and_remove(&mut self) {
        if self.older.len() >= UNPACKED_BARS && self.most > UNPACKED_BARS {
            let block = PackedBars::of(self.older.range(..BLOCK).copied());
            self.older.drain(..BLOCK);
            self.packed_bars += block.len();
            self.packed_bytes += block.bytes();
            self.packed.push_back(block);
        }
        self.remove_excess();
    }

    /// Removes the oldest bars beyond the limit; of packed bars a block when the ring holds enough without it, or when
    /// its packed bars take more than their share of the memory.
    fn remove_excess(&mut self) {
        while let Some(block) = self.packed.front()
            && (self.len() - block.len() >= self.most || self.packed_bytes > self.most * PACKED_BAR_BYTES)
        {
            self.removed_until = Some(block.last());
            self.packed_bars -= block.len();
            self.packed_bytes -= block.bytes();
            self.packed.pop_front();
        }
        while self.packed.is_empty()
            && self.len() > self.most
            && let Some(row) = self.older.pop_front()
        {
            self.removed_until = Some(row.start());
        }
    }

    fn len(&self) -> usize {
        self.packed_bars + self.older.len() + usize::from(self.latest.is_some())
    }

    fn change_late(&mut self, start: Timestamp, change: &BarChange<'_>) {
        if self.removed_until.is_some_and(|removed_until| start <= removed_until) {
            return;
        }
        if self.packed.back().is_some_and(|block| start <= block.last()) {
            return self.change_packed(start, change);
        }
        let index = self.index_of(start);
        let is_before_all = index == 0 && self.packed.is_empty();
        let is_full = self.len() >= self.most;
        match self.older.get_mut(index) {
            Some(row) if row.start() == start => change.apply(row),
            _ if is_before_all && is_full => self.removed_until = Some(start),
            _ => {
                self.older.insert(index, change.open(start));
                self.pack_and_remove();
            }
        }
    }

    /// Changes a packed bar: rare, since a block is at least half a minute old.
    fn change_packed(&mut self, start: Timestamp, change: &BarChange<'_>) {
        let block = self.packed.partition_point(|block| block.last() < start);
        let mut rows: Vec<BarRow> = self.packed[block].rows().collect();
        let index = rows.partition_point(|row| row.start() < start);
        match rows.get_mut(index) {
            Some(row) if row.start() == start => change.apply(row),
            _ => rows.insert(index, change.open(start)),
        }
        self.packed_bars += rows.len() - self.packed[block].len();
        self.packed_bytes -= self.packed[block].bytes();
        // Trades of days ago, one for each second without a bar, must not make one block ever longer.
        let halves = rows.chunks(if rows.len() > UNPACKED_BARS { BLOCK } else { UNPACKED_BARS });
        let mut blocks: Vec<_> = halves.map(|rows| PackedBars::of(rows.iter().copied())).collect();
        self.packed_bytes += blocks.iter().map(PackedBars::bytes).sum::<usize>();
        self.packed[block] = blocks.remove(0);
        for (later, block_rows) in (block + 1..).zip(blocks) {
            self.packed.insert(later, block_rows);
        }
        self.remove_excess();
    }

    /// Unpacks the last block when no bar before the latest is unpacked.
    fn unpack_last(&mut self) {
        if self.older.is_empty()
            && let Some(block) = self.packed.pop_back()
        {
            self.packed_bars -= block.len();
            self.packed_bytes -= block.bytes();
            self.older.extend(block.rows());
        }
    }

    /// The index of the first older bar that starts at this time or later.
    fn index_of(&self, from: Timestamp) -> usize {
        self.older.partition_point(|row| row.start() < from)
    }
}

/// What becomes of the bar of an interval.
enum BarChange<'a> {
    Trade(&'a Trade, TradeEffect),
    Put(BarRow),
}

impl BarChange<'_> {
    fn apply(&self, row: &mut BarRow) {
        match self {
            Self::Trade(trade, effect) => row.fold(trade, *effect),
            Self::Put(bar) => *row = *bar,
        }
    }

    fn open(&self, start: Timestamp) -> BarRow {
        match self {
            Self::Trade(trade, effect) => BarRow::open(start, trade, *effect),
            Self::Put(bar) => *bar,
        }
    }
}

#[cfg(test)]
#[path = "bar_ring_tests.rs"]
mod tests;
