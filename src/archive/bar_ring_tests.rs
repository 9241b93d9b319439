use super::*;
use crate::model::{Body, Price, SECOND};
use crate::wire::fixtures;

fn second(second: i64) -> Timestamp {
    Timestamp::from_nanos(second * SECOND)
}

fn ring(most: usize, seconds: &[i64]) -> BarRing {
    let mut ring = BarRing::new(most);
    let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
    for start in seconds {
        ring.fold(second(*start), &trade, TradeEffect::ALL);
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
    assert_eq!(ring.before_latest(SymbolId(0)).unwrap().start, second(2));
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
    ring.fold(second(3), &trade, TradeEffect::ALL);
    ring.fold(second(4), &trade, TradeEffect::ALL);

    assert_eq!(bars(&ring), [(1, 1), (3, 2), (4, 1)]);
    ring.remove_after(second(0));
    assert_eq!((bars(&ring), ring.latest(SymbolId(0))), (vec![], None));
    ring.fold(second(2), &trade, TradeEffect::ALL);
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

const MANY: i64 = 1_000;

/// A ring of many bars, most of them packed, of one trade each at every second second.
fn packed_ring(most: usize) -> BarRing {
    ring(most, &(1..=MANY).map(|bar| 2 * bar).collect::<Vec<_>>())
}

fn starts(ring: &BarRing, from: i64, most: usize) -> Vec<i64> {
    let mut bars = Vec::new();
    ring.copy(SymbolId(0), second(from), most, &mut bars);
    bars.iter().map(|bar| bar.start.seconds()).collect()
}

#[test]
fn packed_bars_are_copied_in_order_from_any_time() {
    let ring = packed_ring(2_000);

    assert_eq!(starts(&ring, 0, 9_999), (1..=MANY).map(|bar| 2 * bar).collect::<Vec<_>>());
    for from in [0, 1, 2, 63, 64, 65, 66, 67, 1_001, 1_900, 1_999, 2_000] {
        let first = (from + from % 2).max(2);
        let expected: Vec<_> = (first..).step_by(2).take(70).filter(|start| *start <= 2 * MANY).collect();
        assert_eq!(starts(&ring, from, 70), expected, "{from}");
    }
    assert_eq!(starts(&ring, 2_001, 9), [0i64; 0]);
}

#[test]
fn a_packed_ring_keeps_its_number_of_bars_and_at_most_a_block_more() {
    for most in [65, 100, 500, 900] {
        let ring = packed_ring(most);
        let starts = starts(&ring, 0, 9_999);

        assert!((most..most + BLOCK).contains(&starts.len()), "{most}: {}", starts.len());
        assert_eq!(ring.removed_until(), Some(second(starts[0] - 2)), "{most}");
    }
}

#[test]
fn a_late_trade_changes_or_adds_a_packed_bar() {
    let mut ring = packed_ring(2_000);
    let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
    for late in [2, 3, 64, 65, 66, 67, 1_000, 1_001, 1_001] {
        ring.fold(second(late), &trade, TradeEffect::ALL);
    }

    let mut all = Vec::new();
    ring.copy(SymbolId(0), second(0), 9_999, &mut all);
    let trades = |start: i64| all.iter().find(|bar| bar.start == second(start)).map(|bar| bar.trades);
    assert_eq!([2, 3, 64, 65, 66, 67, 1_000, 1_001].map(trades), [2, 1, 2, 1, 2, 1, 2, 2].map(Some));
    assert!(all.is_sorted_by(|one, next| one.start < next.start));
    assert_eq!(all.len(), 1_004);
}

#[test]
fn trades_of_days_ago_make_no_block_longer_than_two() {
    let mut ring = packed_ring(2_000);
    let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
    for late in (0..300).map(|late| 400 + 2 * late + 1) {
        ring.fold(second(late), &trade, TradeEffect::ALL);
    }

    assert!(ring.packed.iter().all(|block| block.len() <= UNPACKED_BARS));
    assert_eq!(starts(&ring, 0, 9_999).len(), 1_300);
    assert_eq!(ring.packed_bars, ring.packed.iter().map(PackedBars::len).sum::<usize>());
    assert_eq!(ring.packed_bytes, ring.packed.iter().map(PackedBars::bytes).sum::<usize>());
}

#[test]
fn packed_bars_after_a_time_are_removed_and_new_ones_follow() {
    let mut ring = packed_ring(2_000);
    let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };

    ring.remove_after(second(801));
    assert_eq!(ring.latest(SymbolId(0)).unwrap().start, second(800));
    assert_eq!(ring.before_latest(SymbolId(0)).unwrap().start, second(798));
    ring.fold(second(803), &trade, TradeEffect::ALL);

    assert_eq!(starts(&ring, 796, 9), [796, 798, 800, 803]);
    ring.remove_after(second(1));
    assert_eq!((starts(&ring, 0, 9), ring.latest(SymbolId(0))), (vec![], None));
}

#[test]
fn earlier_bars_are_prepended_as_far_as_there_is_room() {
    let of = |seconds: std::ops::RangeInclusive<i64>| {
        let mut bars = Vec::new();
        ring(2_000, &seconds.collect::<Vec<_>>()).copy(SymbolId(0), second(0), 9_999, &mut bars);
        bars
    };
    for (most, seeded) in [(2_000, 500), (2_000, 3), (2_000, 0), (700, 500), (50, 20), (500, 500), (64, 1)] {
        let mut ring = ring(most, &(1_001..=1_000 + seeded).collect::<Vec<_>>());

        ring.prepend(&of(1..=1_000));

        let kept = starts(&ring, 0, 9_999);
        let expected = most.min(seeded as usize + 1_000);
        assert_eq!(kept.len(), expected, "{most} {seeded}");
        let last = 1_000 + seeded;
        assert_eq!(kept, Vec::from_iter(last - expected as i64 + 1..=last));
        let before_latest = ring.before_latest(SymbolId(0)).map(|bar| bar.start);
        assert_eq!(before_latest, Some(second(last - 1)), "{most} {seeded}");
        let removed = (kept[0] > 1).then(|| second(kept[0] - 1));
        assert_eq!(ring.removed_until(), removed);
    }
}

#[test]
fn the_latest_bars_before_a_time_are_read_like_the_oldest_from_a_time() {
    for (most, seeded) in [(2_000, 500), (2_000, 64), (2_000, 1), (50, 70), (9, 0)] {
        let all: Vec<i64> = (1..=seeded).map(|bar| bar * 10).collect();
        let ring = ring(most, &all);
        let kept = starts(&ring, 0, 9_999);
        assert_eq!(ring.first_start(), kept.first().map(|start| second(*start)));
        for until in (0..=seeded * 10 + 11).step_by(7) {
            for limit in [0, 1, 33, 9_999] {
                let mut bars = Vec::new();
                ring.copy_before(SymbolId(0), second(until), limit, &mut bars);

                let expected: Vec<i64> = kept.iter().copied().filter(|start| *start < until).collect();
                let expected = &expected[expected.len().saturating_sub(limit)..];
                let read: Vec<i64> = bars.iter().map(|bar| bar.start.seconds()).collect();
                assert_eq!(read, expected, "{most} {seeded} {until} {limit}");
            }
        }
    }
}

#[test]
fn no_earlier_bars_are_prepended_after_bars_were_removed_or_twice() {
    let mut bars = Vec::new();
    ring(2_000, &[1, 2, 3]).copy(SymbolId(0), second(0), 9, &mut bars);
    let mut removed = ring(2, &[5, 6, 7]);
    let mut twice = ring(9, &[5, 6, 7]);

    removed.prepend(&bars);
    twice.prepend(&bars);
    twice.prepend(&bars);

    assert_eq!(starts(&removed, 0, 9), [6, 7]);
    assert_eq!(starts(&twice, 0, 9), [1, 2, 3, 5, 6, 7]);
}

#[test]
fn bars_that_cannot_be_packed_well_take_no_more_memory_than_their_share() {
    let mut ring = BarRing::new(1_000);
    let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
    for start in 1..5_000 {
        let mixed = (start as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for price in [mixed >> 40, mixed >> 36 & 0xff_ffff, mixed >> 32 & 0xff_ffff] {
            let price = Price::from_cents(price as i64 + 1);
            ring.fold(
                second(start * 1_000),
                &Trade { price, size: mixed & 0xffff_ffff | 1, ..trade },
                TradeEffect::ALL,
            );
        }
    }

    assert!(ring.packed_bytes <= 1_000 * PACKED_BAR_BYTES, "{}", ring.packed_bytes);
    let kept = starts(&ring, 0, 9_999);
    assert!((400..1_000).contains(&kept.len()), "{}", kept.len());
    assert_eq!(ring.removed_until(), Some(second(kept[0] - 1_000)));
}
