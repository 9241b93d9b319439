use std::collections::VecDeque;

use super::record::BarPeriod;
use crate::model::{Bar, SymbolId, Timestamp, TradingDay};

/// The bars of one instrument before the start of a replay, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PastBars {
    /// Whole days before the first of `minutes`.
    pub days: Vec<Bar>,
    /// Minutes.
    pub minutes: Vec<Bar>,
    /// Seconds.
    pub seconds: Vec<Bar>,
}

/// Collects the bars before the start. The oldest ones are dropped, since the archive has no room for them.
#[derive(Debug, Default)]
pub(super) struct PastCollector {
    symbols: Vec<[VecDeque<Bar>; 3]>,
}

/// What the archive retains of days, minutes and seconds.
const KEPT: [usize; 3] = [Bar::MOST_DAYS, Bar::MOST_MINUTES, Bar::MOST_SECONDS];

impl PastCollector {
    /// Takes in a minute folded from seconds, unless the minute itself is known.
    pub(super) fn push_folded(&mut self, minute: Bar) {
        let minutes = self.symbols.get(minute.symbol.index()).map(|[_, minutes, _]| minutes);
        let latest = minutes.and_then(VecDeque::back);
        if latest.is_none_or(|latest| latest.start < minute.start) {
            self.push(BarPeriod::Minute, minute);
        }
    }

    /// Takes in a bar. Hours are taken in as the days that they are folded into.
    pub(super) fn push(&mut self, length: BarPeriod, bar: Bar) {
        let kind = match length {
            BarPeriod::Day => 0,
            BarPeriod::Minute => 1,
            BarPeriod::Second => 2,
            BarPeriod::Hour => return,
        };
        let symbol = bar.symbol.index();
        if symbol >= self.symbols.len() {
            self.symbols.resize_with(symbol + 1, Default::default);
        }
        let bars = &mut self.symbols[symbol][kind];
        match bars.back_mut() {
            // The bar of a day is repeated while the day lasts, and an updated one replaces the first.
            Some(last) if last.start == bar.start => *last = bar,
            Some(last) if last.start > bar.start => {}
            _ => {
                bars.push_back(bar);
                if bars.len() > KEPT[kind] {
                    bars.pop_front();
                }
            }
        }
    }

    /// The bars of all instruments that have any, moved in time by whole minutes.
    ///
    /// Days are moved by whole days, to the day before the one that the replay starts on and further back.
    pub(super) fn into_past(
        self,
        start: Timestamp,
        shift_nanos: i64,
    ) -> impl Iterator<Item = (SymbolId, PastBars)> {
        let moved = move |bar: Bar| Bar {
            start: Timestamp::from_nanos(bar.start.nanos().saturating_add(shift_nanos)),
            ..bar
        };
        let days_moved = move |bar: Bar| Bar { start: moved_day(bar.start, start, shift_nanos), ..bar };
        let present = TradingDay::of(start);
        self.symbols.into_iter().enumerate().map(move |(symbol, [days, minutes, seconds])| {
            let minutes: Vec<_> = minutes.into_iter().map(moved).collect();
            let first = minutes.first().map(|bar| TradingDay::of(bar.start).start);
            let is_before = |day: &Bar| first.is_none_or(|first| day.start < first);
            // The day that has begun is told of by what follows.
            let is_over = |day: &Bar| day.start < present.start;
            let past = PastBars {
                days: days.into_iter().filter(is_over).map(days_moved).filter(is_before).collect(),
                minutes,
                seconds: seconds.into_iter().map(moved).collect(),
            };
            (SymbolId(symbol as u32), past)
        })
    }
}

/// The day of the service for a day of a recording that begins at `start` and is moved by this much: the first day of the
/// recording is the one on which the replay begins, and the others keep their distance from it.
pub(super) fn moved_day(day: Timestamp, start: Timestamp, shift_nanos: i64) -> Timestamp {
    let noon = day.nanos() + NOON_NANOS;
    let before = (TradingDay::of(start).start.nanos() + NOON_NANOS - noon + NOON_NANOS).div_euclid(DAY_NANOS);
    let today = TradingDay::of(Timestamp::from_nanos(start.nanos().saturating_add(shift_nanos)));
    let at = today.start.nanos() + NOON_NANOS - before * DAY_NANOS;
    TradingDay::of(Timestamp::from_nanos(at)).start
}

const DAY_NANOS: i64 = 86_400_000_000_000;
const NOON_NANOS: i64 = DAY_NANOS / 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MILLISECOND, SECOND};
    use crate::source::replay::record::bar;

    fn at(date: &str) -> Timestamp {
        TradingDay::named(date).unwrap().start
    }

    fn day(date: &str, volume: u64) -> Bar {
        bar(SymbolId(0), at(date), [1; 4], volume)
    }

    #[test]
    fn days_before_the_start_keep_their_distance_from_it() {
        let mut history = PastCollector::default();
        for (date, volume) in [("2013-10-31", 1), ("2013-11-01", 2), ("2013-11-04", 3)] {
            history.push(BarPeriod::Day, day(date, volume));
        }
        let start = Timestamp::from_nanos(at("2013-11-05").nanos() + 34_200 * SECOND);
        let now = Timestamp::from_nanos(at("2026-03-10").nanos() + 3_600 * SECOND);

        let (_, past) = history.into_past(start, now.nanos_since(start)).next().unwrap();

        let days: Vec<_> = past.days.iter().map(|bar| (bar.start, bar.volume)).collect();
        let expected = [("2026-03-05", 1), ("2026-03-06", 2), ("2026-03-09", 3)];
        assert_eq!(days, expected.map(|(date, volume)| (at(date), volume)), "across two clock changes");
    }

    #[test]
    fn days_of_an_unmoved_replay_stay_where_they_are() {
        let mut history = PastCollector::default();
        history.push(BarPeriod::Day, day("2013-11-01", 1));
        history.push(BarPeriod::Day, day("2013-11-04", 2));

        let (_, past) = history.into_past(at("2013-11-05"), 0).next().unwrap();

        assert_eq!(past.days, [day("2013-11-01", 1), day("2013-11-04", 2)]);
    }

    #[test]
    fn a_day_of_which_there_are_minutes_is_left_to_them() {
        let mut history = PastCollector::default();
        history.push(BarPeriod::Day, day("2013-11-01", 1));
        history.push(BarPeriod::Day, day("2013-11-04", 2));
        let noon = Timestamp::from_nanos(at("2013-11-04").nanos() + NOON_NANOS);
        history.push(BarPeriod::Minute, Bar { start: noon, ..day("2013-11-04", 5) });

        let (_, past) = history.into_past(at("2013-11-05"), 0).next().unwrap();

        assert_eq!((past.days, past.minutes.len()), (vec![day("2013-11-01", 1)], 1));
    }

    #[test]
    fn the_newest_bars_are_kept_and_a_repeated_one_replaces_the_first() {
        let mut history = PastCollector::default();
        let second = |number: i64, volume| Bar {
            start: Timestamp::from_nanos(number * 1_000 * MILLISECOND),
            ..day("2013-11-04", volume)
        };
        for number in 0..2_000 {
            history.push(BarPeriod::Second, second(number, 1));
            history.push(BarPeriod::Second, second(number, 2));
        }

        let (_, past) = history.into_past(at("2013-11-05"), 0).next().unwrap();

        assert_eq!(past.seconds.len(), 1_800);
        assert_eq!((past.seconds[0], past.seconds[1_799]), (second(200, 2), second(1_999, 2)));
    }
}
