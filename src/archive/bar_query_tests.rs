use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::archive::timeframe::joined;
use crate::archive::{EarlierBars, LatestBars, Retention, Unit};
use crate::model::{Body, Object, Price, SECOND, Seq, Trade, market_time, midnights};
use crate::wire::fixtures;

const SYMBOL: SymbolId = SymbolId(0);
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Days whose minutes are made, before today.
const DAYS: usize = 5;

/// A bar whose values are of its start alone.
fn bar(start: i64) -> Bar {
    let mixed = (start / SECOND).wrapping_mul(0x2545_f491_4f6c_dd1d);
    let of = |shift: u32, below: i64| (mixed >> shift).rem_euclid(below);
    let (open, close) = (20_000 + of(7, 100), 20_000 + of(17, 100));
    let volume = 1 + of(9, 1_000) as u64;
    Bar {
        symbol: SYMBOL,
        start: Timestamp::from_nanos(start),
        open: Price::from_cents(open),
        close: Price::from_cents(close),
        high: Price::from_cents(open.max(close) + of(27, 30)),
        low: Price::from_cents(open.min(close) - of(37, 30)),
        volume,
        trades: 1 + of(13, 50) as u64,
        notional: i128::from(Price::from_cents(open).nanos()) * i128::from(volume),
    }
}

/// The past of an instrument up to the Tuesday after the end of summer time, with times without a trade.
#[derive(Clone)]
struct Past {
    now: Timestamp,
    midnights: Vec<Timestamp>,
    days: Vec<Bar>,
    minutes: Vec<Bar>,
    seconds: Vec<Bar>,
    /// How often the minutes of a day were made.
    made: Arc<AtomicUsize>,
}

impl Past {
    fn new() -> Self {
        let now = market_time("2026-11-03T10:37:20").unwrap();
        let all_midnights = midnights(now, DAYS + 30);
        let (older, recent) = all_midnights.split_at(30);
        let [first, current] = [recent[0], now.floor_to(MINUTE)].map(Timestamp::nanos);
        let seconds_from = current - 10 * MINUTE;
        let seconds = (seconds_from..now.nanos()).step_by(SECOND as usize);
        let seconds: Vec<Bar> = seconds.filter(|start| start / SECOND % 3 != 0).map(bar).collect();
        let is_traded = |start: &i64| start / MINUTE % 7 != 0 && start / (60 * MINUTE) % 24 != 9;
        let minutes = (first..seconds_from).step_by(MINUTE as usize).filter(is_traded).map(bar);
        let latest = joined(&seconds, Span::Second, Span::Minute);
        let minutes: Vec<Bar> =
            minutes.chain(latest).filter(|minute| minute.start.nanos() < current).collect();
        let older = older.iter().map(|midnight| bar(midnight.nanos()));
        let days = older.chain(joined(&minutes, Span::Minute, Span::Day)).collect();
        let midnights = [recent, &[TradingDay::of(now).end]].concat();
        Self { now, midnights, days, minutes, seconds, made: Arc::default() }
    }

    fn minutes_between(&self, from: Timestamp, to: Timestamp) -> Vec<Bar> {
        self.minutes.iter().filter(|minute| (from..to).contains(&minute.start)).copied().collect()
    }

    /// An archive that makes the past when it is read.
    fn made(&self) -> Archive {
        let archive = Archive::new(1, Retention::default());
        archive.begin(SYMBOL, self.now, &self.until(SYMBOL, self.now));
        archive.set_earlier(Box::new(self.clone()));
        archive.advance(self.now);
        archive
    }

    /// An archive that retains the past.
    fn retained(&self) -> Archive {
        let archive = Archive::new(1, Retention::default());
        archive.seed(SYMBOL, &self.days[..30], &self.minutes, &self.seconds);
        archive.advance(self.now);
        archive
    }
}

impl EarlierBars for Past {
    fn midnights(&self) -> &[Timestamp] {
        &self.midnights
    }

    fn days(&self, _: SymbolId) -> Vec<Bar> {
        self.days[..self.days.len() - 1].to_vec()
    }

    fn minutes(&self, _: SymbolId, midnight: Timestamp) -> Vec<Bar> {
        self.made.fetch_add(1, Ordering::Relaxed);
        self.minutes_between(midnight, TradingDay::of(midnight).end)
    }

    fn seconds(&self, _: SymbolId) -> Vec<Bar> {
        self.seconds.clone()
    }

    fn until(&self, _: SymbolId, at: Timestamp) -> LatestBars {
        let today = TradingDay::of(at).start;
        let complete = |second: &&Bar| second.start < at.floor_to(SECOND);
        let hours = joined(&self.minutes_between(today, at.floor_to(HOUR)), Span::Minute, Span::Hour);
        let since = hours.last().map_or(today, |hour| hour.start);
        LatestBars {
            previous_day: self.days.iter().rfind(|day| day.start < today).copied(),
            hours,
            minutes: self.minutes_between(since, at.floor_to(MINUTE)),
            seconds: self.seconds.iter().filter(complete).copied().collect(),
        }
    }
}

/// Records a trade at each of these times, and what goes with it.
fn record(archives: &[&Archive], seconds_after: impl IntoIterator<Item = i64>, from: Timestamp) {
    let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
    for (seq, seconds) in (1..).zip(seconds_after) {
        let at = from + Duration::from_secs(seconds as u64);
        for archive in archives {
            archive.record(&[Object { seq: Seq(seq), body: Body::Trade(Trade { at, ..trade }) }]);
            archive.advance(at);
        }
    }
}

fn timeframes() -> Vec<Timeframe> {
    use Unit::{Day, Hour, Minute, Month, Second, Week};
    let all = [
        (1, Second),
        (5, Second),
        (7, Second),
        (1, Minute),
        (3, Minute),
        (15, Minute),
        (59, Minute),
        (1, Hour),
        (7, Hour),
        (1, Day),
        (1, Week),
        (1, Month),
    ];
    all.map(|(count, unit)| Timeframe::new(count, unit).unwrap()).to_vec()
}

/// What a query means: all bars are read, and those that match are sorted and counted.
fn slowly(archive: &Archive, timeframe: Timeframe, open: OpenBars, query: &Query) -> Vec<Bar> {
    let mut bars = archive.bars(SYMBOL, timeframe, open, &Query::ALL);
    bars.retain(|bar| query.matches(Place::from(bar)));
    query.arrange(&mut bars);
    bars
}

/// Compares thousands of bars, and prints one.
fn assert_same(bars: &[Bar], expected: &[Bar], query: &dyn std::fmt::Debug) {
    let differs = bars.iter().zip(expected).find(|(bar, expected)| bar != expected);
    assert_eq!(differs, None, "{query:?}");
    assert_eq!(bars.len(), expected.len(), "{query:?}");
}

/// Checks queries from and to times around these ones, in both orders, as first pages and as later ones.
fn assert_answers(archive: &Archive, reference: &Archive, timeframe: Timeframe, times: &[Timestamp]) {
    let with_ends = [&[Query::ALL.from], times, &[Query::ALL.to]].concat();
    for (index, from) in with_ends.iter().enumerate() {
        for to in &with_ends[index..] {
            for order in [Order::OldestFirst, Order::NewestFirst] {
                for (limit, open) in [
                    (1, OpenBars::Included),
                    (2, OpenBars::Excluded),
                    (100, OpenBars::Included),
                    (Query::ALL.limit, OpenBars::Excluded),
                ] {
                    let mut query = Query { from: *from, to: *to, order, limit, after: None };
                    for page in 0..2 {
                        let bars = archive.bars(SYMBOL, timeframe, open, &query);
                        let expected = slowly(reference, timeframe, open, &query);
                        assert_same(&bars, &expected, &(timeframe, open, query, page));
                        let Some(last) = bars.last() else { break };
                        query.after = Some(Place::from(last));
                    }
                }
            }
        }
    }
}

#[test]
fn every_query_has_the_bars_that_reading_all_of_them_has() {
    let past = Past::new();
    let (made, retained) = (past.made(), past.retained());
    record(&[&made, &retained], (0..200).filter(|second| second % 5 != 2), past.now);
    let times = [
        past.midnights[0],
        past.midnights[2] + Duration::from_secs(9 * 3_600 + 17),
        past.midnights[DAYS],
        past.now - Duration::from_secs(400),
        past.now + Duration::from_secs(61),
    ];

    for timeframe in timeframes() {
        let all = made.bars(SYMBOL, timeframe, OpenBars::Included, &Query::ALL);
        assert!(all.len() > 1, "{timeframe:?}");
        assert_same(&all, &retained.bars(SYMBOL, timeframe, OpenBars::Included, &Query::ALL), &timeframe);
        assert_answers(&made, &retained, timeframe, &times);
        assert_answers(&retained, &retained, timeframe, &times);
    }
}

#[test]
fn bars_without_a_price_do_not_fill_a_page() {
    let mut past = Past::new();
    for (index, minute) in past.minutes.iter_mut().enumerate() {
        if index % 50 > 3 {
            *minute = minute.without_prices();
        }
    }
    let retained = past.retained();

    for timeframe in timeframes() {
        assert_answers(&retained, &retained, timeframe, &[past.midnights[3], past.midnights[4]]);
    }
    let minute = Timeframe::new(1, Unit::Minute).unwrap();
    let query = Query { order: Order::NewestFirst, limit: 300, ..Query::ALL };
    assert_eq!(retained.bars(SYMBOL, minute, OpenBars::Excluded, &query).len(), 300);
}

#[test]
fn a_page_makes_only_the_days_that_it_needs() {
    let past = Past::new();
    let archive = past.made();
    let minute = Timeframe::new(1, Unit::Minute).unwrap();
    let hours = Timeframe::new(1, Unit::Hour).unwrap();
    let made_for = |timeframe, order, limit| {
        past.made.store(0, Ordering::Relaxed);
        let bars = archive.bars(SYMBOL, timeframe, OpenBars::Excluded, &Query { order, limit, ..Query::ALL });
        assert_eq!(bars.len(), limit);
        past.made.load(Ordering::Relaxed)
    };

    assert_eq!(made_for(minute, Order::NewestFirst, 1), 0, "the archive retains the latest one");
    assert_eq!(made_for(minute, Order::NewestFirst, 100), 1);
    assert_eq!(made_for(minute, Order::OldestFirst, 100), 1);
    assert_eq!(made_for(hours, Order::NewestFirst, 20), 2);
    assert_eq!(made_for(minute, Order::NewestFirst, 3_000), 4);
}

#[test]
fn bars_before_a_hole_are_not_answered() {
    let past = Past::new();
    let archive = Archive::new(1, Retention { bytes: 1, ..Retention::default() });
    archive.begin(SYMBOL, past.now, &past.until(SYMBOL, past.now));
    archive.set_earlier(Box::new(past.clone()));
    record(&[&archive], (0..10).map(|minute| 60 * minute), past.now);

    for (count, unit) in [(1, Unit::Second), (1, Unit::Minute)] {
        let timeframe = Timeframe::new(count, unit).unwrap();
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let bars = archive.bars(SYMBOL, timeframe, OpenBars::Included, &Query { order, ..Query::ALL });
            assert_eq!(bars.len(), 1, "{unit:?} {order:?}");
        }
    }
}

#[test]
fn bars_that_were_read_take_no_memory() {
    let past = Past::new();
    let archive = past.made();
    let read = || {
        timeframes()
            .iter()
            .map(|timeframe| archive.bars(SYMBOL, *timeframe, OpenBars::Included, &Query::ALL).len())
            .sum::<usize>()
    };
    let first = read();

    let mut second = 0;
    let taken = allocation_counter::measure(|| second = read());

    assert_eq!((second, taken.bytes_current), (first, 0));
}

#[test]
fn a_clock_that_is_set_back_before_the_begin_leaves_what_was_until_then() {
    let past = Past::new();
    for (seconds, is_of_today) in [(30, true), (3_700, true), (35 * 3_600, false)] {
        let to = past.now - Duration::from_secs(seconds);
        let stepped = past.made();
        record(&[&stepped], 0..100, past.now);
        let begun = Archive::new(1, Retention::default());
        begun.begin(SYMBOL, to, &past.until(SYMBOL, to));
        begun.set_earlier(Box::new(past.clone()));

        stepped.step_back(to);
        begun.advance(to);
        record(&[&stepped, &begun], 0..100, to);

        for timeframe in timeframes() {
            let of = |archive: &Archive| archive.bars(SYMBOL, timeframe, OpenBars::Included, &Query::ALL);
            let (after, expected) = (of(&stepped), of(&begun));
            let same = after.iter().zip(&expected).filter(|(one, other)| one == other).count();
            assert_eq!(after.len(), expected.len(), "{timeframe:?} {seconds}");
            // A span that began before the time goes on with the bar of it that it has.
            let may_differ = usize::from(is_of_today);
            assert!(same + may_differ >= after.len(), "{timeframe:?} {seconds}: {same}");
        }
    }
}
