use super::super::engine::Simulator;
use super::super::listings::{Listings, close_of, universe};
use super::*;
use crate::model::{Event, MILLISECOND};

const DAY: i64 = 86_400 * SECOND;
const MIDNIGHT: i64 = 1_700_006_400 * SECOND;

/// The midnights of a year, the last one the end of a day that starts `later_days` after [`MIDNIGHT`].
fn year(later_days: i64) -> Vec<Timestamp> {
    (0..=366).map(|day| Timestamp::from_nanos(MIDNIGHT + (day - 365 + later_days) * DAY)).collect()
}

/// The time this long after [`MIDNIGHT`].
fn at(hours: i64, seconds: i64) -> Timestamp {
    Timestamp::from_nanos(MIDNIGHT + (hours * 3600 + seconds) * SECOND + 700 * MILLISECOND)
}

const SESSIONS: usize = 5;

/// The bars of one instrument, with the hours and minutes of [`SESSIONS`] days before today, and of today.
#[derive(Debug, PartialEq, Eq)]
struct WholeHistory {
    days: Vec<Bar>,
    hours: Vec<Bar>,
    minutes: Vec<Bar>,
    seconds: Vec<Bar>,
    end: PastEnd,
}

fn whole_history(history: &History, instrument: &Instrument) -> WholeHistory {
    let days = history.days(instrument);
    let midnights = &history.midnights()[history.midnights().len().saturating_sub(SESSIONS + 2)..];
    let past = history.past(instrument);
    let mut hours: Vec<Bar> = past.days(midnights).iter().flat_map(|day| past.hours(day)).collect();
    truncate(&mut hours, history.now());
    let minutes = midnights.iter().flat_map(|midnight| history.minutes(instrument, *midnight)).collect();
    let latest = history.until(instrument, history.now());
    assert_eq!(latest.previous_day, days.last().copied());
    WholeHistory { days, hours, minutes, seconds: history.seconds(instrument), end: latest.end }
}

fn histories_at_rate(
    count: usize,
    seed: u64,
    now: Timestamp,
    trades_per_second: f64,
) -> Vec<(Instrument, WholeHistory)> {
    let universe = universe(count, seed);
    let days = year((now.nanos() - MIDNIGHT).div_euclid(DAY));
    let settings = SimulationSettings { seed, trades_per_second, ..SimulationSettings::default() };
    let history = History::new(&universe, settings, days, now);
    let whole = |instrument: &Instrument| (instrument.clone(), whole_history(&history, instrument));
    universe.iter().map(whole).collect()
}

fn histories(count: usize, seed: u64, now: Timestamp) -> Vec<(Instrument, WholeHistory)> {
    histories_at_rate(count, seed, now, SimulationSettings::default().trades_per_second)
}

fn all(history: &WholeHistory) -> [&Vec<Bar>; 4] {
    [&history.days, &history.minutes, &history.seconds, &history.hours]
}

fn ratio(later: &Bar, earlier: &Bar) -> f64 {
    later.open.to_dollars() / earlier.close.to_dollars()
}

fn assert_sum(whole: &Bar, parts: &[Bar]) {
    assert_eq!(whole.open, parts[0].open, "{whole:?}");
    assert_eq!(whole.close, parts[parts.len() - 1].close, "{whole:?}");
    assert_eq!(Some(whole.high), parts.iter().map(|bar| bar.high).max(), "{whole:?}");
    assert_eq!(Some(whole.low), parts.iter().map(|bar| bar.low).min(), "{whole:?}");
    assert_eq!(whole.trades, parts.iter().map(|bar| bar.trades).sum::<u64>(), "{whole:?}");
    assert_eq!(whole.volume, parts.iter().map(|bar| bar.volume).sum::<u64>(), "{whole:?}");
    let notional = parts.iter().map(|bar| bar.notional).sum::<i128>();
    let is_of_few_trades = whole.trades < 5 * parts.len() as u64;
    let tolerance = if is_of_few_trades { i128::from((whole.high - whole.low).nanos()) } else { 0 };
    assert!((whole.notional - notional).abs() <= tolerance, "{notional} of {whole:?}");
}

/// From one trade a minute to one in hours.
const QUIET_RATES: [f64; 3] = [0.1, 0.01, 0.001];

#[test]
fn every_bar_is_consistent_with_some_trades() {
    let quiet = QUIET_RATES.iter().flat_map(|rate| histories_at_rate(20, 1, at(15, 12), *rate));
    for (instrument, history) in histories(100, 1, at(15, 12)).into_iter().chain(quiet) {
        for bar in all(&history).into_iter().flatten() {
            let shares = i128::from(bar.volume);
            let [low, high] = [bar.low, bar.high].map(|price| i128::from(price.nanos()));
            let (top, bottom) = (bar.open.max(bar.close), bar.open.min(bar.close));
            assert!(bar.low.cents() >= 1 && bar.symbol == instrument.id, "{bar:?}");
            assert!(bar.low <= bottom && bar.high >= top, "{bar:?}");
            assert!(bar.trades >= 1 && bar.volume >= bar.trades, "{bar:?}");
            assert!((low * shares..=high * shares).contains(&bar.notional), "{bar:?}");
            assert!(bar.trades > 1 || bar.low == bar.high, "{bar:?}");
            assert!(bar.trades > 2 || (bar.low, bar.high) == (bottom, top), "{bar:?}");
            assert!(bar.trades > 3 || bar.low == bottom || bar.high == top, "{bar:?}");
        }
    }
}

#[test]
fn the_history_is_complete_up_to_now() {
    for (_, history) in histories(20, 1, at(15, 12)) {
        assert_eq!(history.days.len(), 365);
        assert_eq!(history.minutes.len(), SESSIONS * 24 * 60 + 15 * 60);
        assert_eq!(history.seconds.len(), 600 + 12);
        assert_eq!(history.days[364].start, Timestamp::from_nanos(MIDNIGHT - DAY));
        assert_eq!(history.minutes[0].start, Timestamp::from_nanos(MIDNIGHT - SESSIONS as i64 * DAY));
        assert_eq!(history.minutes[SESSIONS * 24 * 60].start, Timestamp::from_nanos(MIDNIGHT));
        assert_eq!(history.seconds[611].start, at(15, 11).floor_to(SECOND));
        for bars in all(&history) {
            assert!(bars.is_sorted_by(|one, next| one.start < next.start));
        }
    }
}

#[test]
fn bars_open_near_the_previous_close() {
    for (instrument, history) in histories(300, 1, at(15, 12)) {
        let gap = 2.0 / close_of(&instrument).to_dollars() * 0.01 + 0.04;
        for bars in all(&history) {
            for pair in bars.windows(2) {
                assert!((ratio(&pair[1], &pair[0]) - 1.0).abs() < gap, "{pair:?}");
            }
        }
    }
}

#[test]
fn hours_add_up_to_exactly_their_days_minutes_to_their_hours_and_seconds_to_their_minutes() {
    let quiet = QUIET_RATES.iter().flat_map(|rate| histories_at_rate(20, 1, at(15, 12), *rate));
    for (_, history) in histories(100, 3, at(15, 12)).into_iter().chain(quiet) {
        let of = |bars: &[Bar], whole: &Bar, length| -> Vec<Bar> {
            let end = whole.start.nanos() + length;
            bars.iter()
                .filter(|bar| (whole.start.nanos()..end).contains(&bar.start.nanos()))
                .copied()
                .collect()
        };
        for day in history.days.iter().filter(|day| day.start.nanos() >= MIDNIGHT - SESSIONS as i64 * DAY) {
            assert_sum(day, &of(&history.hours, day, DAY));
        }
        for hour in history.hours.iter().filter(|hour| hour.start < at(15, 0).floor_to(HOUR)) {
            assert_sum(hour, &of(&history.minutes, hour, HOUR));
        }
        let since = at(15, 0).floor_to(MINUTE).nanos() - 10 * MINUTE;
        for minute in history.minutes.iter().filter(|minute| minute.start.nanos() >= since) {
            assert_sum(minute, &of(&history.seconds, minute, MINUTE));
        }
    }
}

#[test]
fn a_day_of_a_few_dozen_trades_has_more_than_one_minute() {
    let (mut days, mut undivided) = (0, 0);
    for (_, history) in histories_at_rate(20, 1, at(0, 0), 0.01) {
        for day in history.days[365 - SESSIONS..].iter().filter(|day| day.trades > 12) {
            let end = day.start.nanos() + DAY;
            let within = |minute: &&Bar| (day.start.nanos()..end).contains(&minute.start.nanos());
            days += 1;
            undivided += usize::from(history.minutes.iter().filter(within).count() == 1);
        }
    }

    assert!(days > 60 && undivided == 0, "{undivided} of {days}");
}

#[test]
fn the_past_is_the_same_whenever_the_market_opens() {
    let later = [(0, 1), (0, 47), (0, 48), (2, 0), (8, 3_599), (9, 0), (33, 11), (24 * 4, 0)];
    let first = histories(10, 7, at(15, 12));
    for (hours, seconds) in later {
        let now = at(15 + hours, 12 + seconds);
        for ((_, early), (_, late)) in first.iter().zip(histories(10, 7, now)) {
            let mut compared = [0; 4];
            for (kind, (early, late)) in all(early).into_iter().zip(all(&late)).enumerate() {
                let Some(from) = late.first().map(|bar| bar.start) else { continue };
                let both = early.iter().filter(|bar| bar.start >= from);
                for (one, other) in both.zip(late) {
                    assert_eq!(one, other, "{hours} h {seconds} s");
                    compared[kind] += 1;
                }
            }
            let days = ((15 + hours) * 3_600 + 12 + seconds) / 86_400;
            assert_eq!(compared[0], 365 - days as usize);
            assert!(compared[1] as i64 >= SESSIONS as i64 * 1_440 + 900 - days * 1_440, "{compared:?}");
        }
    }
    assert_ne!(histories(1, 1, at(9, 0))[0].1, histories(1, 2, at(9, 0))[0].1);
}

#[test]
fn the_market_opens_where_its_past_ends() {
    let now = at(15, 12);
    let listings = Listings::new(100, 1);
    let ends: Vec<PastEnd> = histories(100, 1, now).iter().map(|(_, history)| history.end).collect();
    let listings = listings.following(&ends);
    let mut events = Vec::new();
    Simulator::new(&listings, SimulationSettings::UNEVENTFUL).opening(now, &mut events);

    let quotes = events.iter().filter_map(|event| match event {
        Event::Quote(quote) => Some(quote),
        _ => None,
    });
    let mut moved = 0;
    for ((quote, end), instrument) in quotes.zip(&ends).zip(listings.universe().iter()) {
        let dollars = end.price.to_dollars();
        let spread = quote.ask.to_dollars() - quote.bid.to_dollars();
        let middle = 0.5 * (quote.ask.to_dollars() + quote.bid.to_dollars());
        assert!((middle - dollars).abs() <= spread + 0.01, "{middle} after {dollars}");
        assert_eq!(instrument.previous_close, Some(end.previous_close));
        moved += usize::from(end.price != end.previous_close);
    }
    assert!(moved > 90, "{moved}");
}

#[test]
fn the_history_ends_with_its_latest_bar() {
    for (_, history) in histories(20, 1, at(15, 12)) {
        assert_eq!(history.seconds[611].close, history.end.price);
        assert_eq!(history.days[364].close, history.end.previous_close);
    }
    let (instrument, quiet) = histories_at_rate(20, 1, at(15, 12), 0.000_001).remove(19);
    assert_eq!((quiet.days.len(), quiet.minutes.len()), (0, 0));
    let listed = close_of(&instrument);
    assert_eq!(quiet.end, PastEnd { previous_close: listed, price: listed });
}

/// Prices of a simulated market are only plausible while they stay near the listed ones.
#[test]
fn prices_stay_around_the_listed_ones() {
    for (instrument, history) in histories(300, 1, at(15, 12)) {
        for day in &history.days {
            let level = day.close.to_dollars() / close_of(&instrument).to_dollars();
            assert!((0.3..3.5).contains(&level), "{level}: {day:?}");
        }
    }
}

#[test]
fn the_latest_bars_are_those_of_the_whole_history() {
    let times = [(0, 0), (0, 30), (0, 61), (1, 0), (1, 59), (1, 60), (15, 12), (15, 3_599)];
    for (rate, (hours, seconds)) in
        [1_000.0, 0.1, 0.01].into_iter().flat_map(|rate| times.map(|at| (rate, at)))
    {
        let now = at(hours, seconds);
        let universe = universe(20, 1);
        let settings = SimulationSettings { trades_per_second: rate, ..SimulationSettings::default() };
        let history = History::new(&universe, settings, year(0), now);
        for instrument in universe.iter() {
            let latest = history.until(instrument, now);
            let minutes = history.minutes(instrument, Timestamp::from_nanos(MIDNIGHT));
            let of_hour = |hour: Timestamp| -> Vec<Bar> {
                minutes.iter().filter(|minute| minute.start.floor_to(HOUR) == hour).copied().collect()
            };
            let whole_hours = minutes.iter().map(|minute| minute.start.floor_to(HOUR));
            let mut whole_hours: Vec<Timestamp> =
                whole_hours.filter(|hour| *hour < now.floor_to(HOUR)).collect();
            whole_hours.dedup();

            assert!(minutes.ends_with(&latest.minutes), "{hours} h {seconds} s");
            assert!(latest.minutes.is_empty() == minutes.is_empty());
            assert!(history.seconds(instrument).ends_with(&latest.seconds));
            assert!(latest.hours.iter().map(|hour| hour.start).eq(whole_hours));
            latest.hours.iter().for_each(|hour| assert_sum(hour, &of_hour(hour.start)));
        }
    }
}

#[test]
fn just_after_midnight_today_has_few_bars() {
    let (_, history) = histories(1, 1, at(0, 150)).remove(0);
    let earlier = SESSIONS * 24 * 60;

    assert_eq!((history.days.len(), history.minutes.len(), history.seconds.len()), (365, earlier + 2, 150));
    let (_, history) = histories(1, 1, Timestamp::from_nanos(MIDNIGHT)).remove(0);
    assert_eq!((history.minutes.len(), history.seconds.len()), (earlier, 0));
    assert_eq!(history.end.price, history.end.previous_close);
}

#[test]
fn days_of_a_clock_change_have_23_and_25_hours_of_minutes() {
    let hour = 3_600 * SECOND;
    let starts = [0, 24, 47, 71, 96, 120].map(|hours| Timestamp::from_nanos(MIDNIGHT + hours * hour));
    let now = Timestamp::from_nanos(MIDNIGHT + 96 * hour);
    let universe = universe(1, 1);
    let history = History::new(&universe, SimulationSettings::default(), starts.to_vec(), now);

    let minutes = whole_history(&history, universe.instrument(crate::model::SymbolId(0))).minutes;

    assert_eq!(minutes.len(), 96 * 60);
    assert!(minutes.windows(2).all(|pair| pair[1].start.nanos_since(pair[0].start) == MINUTE));
}

#[test]
fn instruments_are_as_active_as_in_the_market_itself() {
    let (count, seconds) = (20, 120);
    let mut simulator = Simulator::new(&Listings::new(count, 1), SimulationSettings::UNEVENTFUL);
    let mut events = Vec::new();
    (0..seconds * 1_000).for_each(|_| simulator.step(Timestamp::default(), &mut events));

    let mut live = vec![(0.0, 0.0); count];
    for event in &events {
        if let Event::Trade(trade) = event {
            let (trades, shares) = &mut live[trade.symbol.index()];
            (*trades, *shares) = (*trades + 1.0 / seconds as f64, *shares + trade.size as f64);
        }
    }
    // Days differ in their rate, so several of them.
    for ((instrument, history), (per_second, shares)) in histories(count, 1, at(15, 12)).iter().zip(live) {
        let sum = |of: fn(&Bar) -> u64| history.days.iter().map(of).sum::<u64>() as f64;
        let (trades, volume) = (sum(|bar| bar.trades), sum(|bar| bar.volume));
        let rate = trades / (365.0 * 86_400.0) / per_second;
        let size = (volume / trades) / (shares / (per_second * seconds as f64));
        assert!((0.9..1.15).contains(&rate), "{}: {rate}", instrument.symbol);
        assert!((0.7..1.4).contains(&size), "{}: {size}", instrument.symbol);
    }
}

#[test]
fn historical_days_have_the_volatility_of_simulated_days() {
    let histories = histories(200, 1, at(15, 12));
    let deviation = |bars: fn(&WholeHistory) -> &Vec<Bar>| {
        let moves: Vec<f64> = histories
            .iter()
            .flat_map(|(_, history)| bars(history).iter())
            .map(|bar| (bar.close.to_dollars() / bar.open.to_dollars()).ln())
            .collect();
        (moves.iter().map(|moved| moved * moved).sum::<f64>() / moves.len() as f64).sqrt()
    };

    let (day, minute) = (deviation(|history| &history.days), deviation(|history| &history.minutes));

    // 30 % a year of 252 days of 6½ hours, over 24 hours and over a minute.
    assert!((0.025..0.045).contains(&day), "{day}");
    assert!((0.0006..0.0014).contains(&minute), "{minute}");
}

/// A minute in which the price leaps to the day's extreme and back would be seen on every chart.
#[test]
fn the_extremes_of_a_day_are_reached_without_a_leap() {
    let range = |minute: &Bar| (minute.high.to_dollars() / minute.low.to_dollars()).ln();
    let (mut leaps, mut days) = (0, 0);
    for (_, history) in histories(100, 1, at(15, 12)) {
        for day in history.minutes.chunks(1_440).take(SESSIONS) {
            days += 1;
            for extreme in [day.iter().max_by_key(|bar| bar.high), day.iter().min_by_key(|bar| bar.low)] {
                let around = day
                    .iter()
                    .filter(|bar| (bar.start.nanos_since(extreme.unwrap().start)).abs() < 15 * MINUTE);
                let mut ranges: Vec<f64> = around.map(range).collect();
                ranges.sort_by(f64::total_cmp);
                leaps += usize::from(range(extreme.unwrap()) > 6.0 * ranges[ranges.len() / 2]);
            }
        }
    }

    assert_eq!(days, 500);
    assert!(leaps < 50, "{leaps} of 1000");
}
