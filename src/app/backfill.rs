//! Gives the archive a simulated history, so that charts are not empty after the start.

use std::sync::Arc;
use std::thread::{self, available_parallelism};

use crate::archive::{Archive, EarlierBars, LatestBars};
use crate::model::{Bar, ExchangeSession, Instrument, SymbolId, Timestamp, TradingDay, Universe, midnights};
use crate::source::{History, InstrumentHistory, Listings, SimulationSettings};

/// The number of instruments with history: the busiest ones. At the start each costs the hours of a day, the minutes
/// of an hour and the seconds of two minutes, for where its history ends, on all cores.
const MAX_INSTRUMENTS: usize = 10_000;

/// The number of days before today with history.
const DAYS: usize = 365;

/// The number of the exchange's sessions before today with minute bars.
const SESSIONS: usize = 5;

/// Begins the archive's bars where those of the year before `now` end, and returns the listings with the prices at which
/// these end. All others of them are made whenever they are read.
pub(super) fn backfill(
    archive: &Archive,
    listings: Listings,
    simulation: SimulationSettings,
    now: Timestamp,
) -> Listings {
    let mut midnights = midnights(now, DAYS);
    midnights.push(TradingDay::of(now).end);
    let universe = Arc::clone(listings.universe());
    let first_session = first_session(&midnights);
    let history = History::new(&universe, simulation, midnights, now);
    let past = SimulatedPast { history, universe: Arc::clone(&universe), first_session };
    let instruments: Vec<&Instrument> = universe.iter().take(MAX_INSTRUMENTS).collect();
    let begin = |instrument: &&Instrument| {
        let InstrumentHistory { previous_day, hours, minutes, seconds, end } =
            past.history.until(instrument, now);
        archive.begin(instrument.id, now, &LatestBars { previous_day, hours, minutes, seconds });
        end
    };
    let ends = map_on_all_cores(&instruments, begin);
    archive.set_earlier(Box::new(past));
    archive.advance(now);
    listings.following(&ends)
}

/// The results of a function for all items, in their order; long runs of items are spread over the cores.
fn map_on_all_cores<T: Sync, R: Send>(items: &[T], function: impl Fn(&T) -> R + Sync) -> Vec<R> {
    /// Fewer are done before another thread has started.
    const MIN_ITEMS: usize = 64;
    let cores = available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(cores).max(MIN_ITEMS);
    let map = |items: &[T]| items.iter().map(&function).collect::<Vec<R>>();
    thread::scope(|scope| {
        let mut parts = items.chunks(share);
        let first = parts.next().unwrap_or_default();
        let others: Vec<_> = parts.map(|part| scope.spawn(|| map(part))).collect();
        let mut results = map(first);
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    })
}

/// The position of the day of the first of the exchange's [`SESSIONS`] before today. The simulated market never closes, so
/// the days and nights between them have minutes too.
fn first_session(midnights: &[Timestamp]) -> usize {
    let today = midnights.len().saturating_sub(2);
    let sessions = (0..today).rev().filter(|day| ExchangeSession::of(midnights[*day]).is_some());
    sessions.take(SESSIONS).last().unwrap_or(today)
}

/// The bars from before the market opened.
struct SimulatedPast {
    history: History,
    /// The instruments with the prices around which their past is.
    universe: Arc<Universe>,
    first_session: usize,
}

impl EarlierBars for SimulatedPast {
    fn midnights(&self) -> &[Timestamp] {
        &self.history.midnights()[self.first_session..]
    }

    fn days(&self, symbol: SymbolId) -> Vec<Bar> {
        self.history.days(self.universe.instrument(symbol))
    }

    fn minutes(&self, symbol: SymbolId, midnight: Timestamp) -> Vec<Bar> {
        self.history.minutes(self.universe.instrument(symbol), midnight)
    }

    fn seconds(&self, symbol: SymbolId) -> Vec<Bar> {
        self.history.seconds(self.universe.instrument(symbol))
    }

    fn until(&self, symbol: SymbolId, at: Timestamp) -> LatestBars {
        let InstrumentHistory { previous_day, hours, minutes, seconds, .. } =
            self.history.until(self.universe.instrument(symbol), at);
        LatestBars { previous_day, hours, minutes, seconds }
    }
}

#[cfg(test)]
mod tests {
    use allocation_counter::measure;

    use super::*;
    use crate::archive::{OpenBars, Order, Query, Retention, Timeframe, Unit};
    use crate::model::{Event, SECOND, market_time};
    use crate::source::Simulator;

    const MINUTE: std::time::Duration = std::time::Duration::from_mins(1);

    /// 14:32:17 in New York on a Thursday.
    const NOW: Timestamp = Timestamp::from_nanos(1_700_163_137 * SECOND);

    fn filled(symbols: usize, retention: Retention) -> Archive {
        let listings = Listings::new(symbols, 1);
        let archive = Archive::new(symbols, retention);
        backfill(&archive, listings, SimulationSettings::default(), NOW);
        archive
    }

    fn minutes(archive: &Archive, symbol: u32, from: Timestamp, to: Timestamp) -> Vec<Bar> {
        let query = Query { from, to, order: Order::OldestFirst, after: None, limit: 10_000 };
        let minute = Timeframe::new(1, Unit::Minute).unwrap();
        archive.bars(SymbolId(symbol), minute, OpenBars::Excluded, &query)
    }

    #[test]
    fn every_window_of_the_last_five_sessions_has_its_minutes() {
        let archive = filled(3, Retention::default());
        let midnights = midnights(NOW, SESSIONS);

        for symbol in 0..3 {
            for day in midnights.windows(2) {
                let hours = (0..24).map(|hour| Timestamp::from_nanos(day[0].nanos() + hour * 3_600 * SECOND));
                for from in hours {
                    let to = Timestamp::from_nanos(from.nanos() + 3_599 * SECOND);
                    assert_eq!(minutes(&archive, symbol, from, to).len(), 60);
                }
            }
            let whole = minutes(&archive, symbol, midnights[0], NOW);
            assert_eq!(whole.len(), SESSIONS * 24 * 60 + 14 * 60 + 32);
        }
    }

    /// The bars of a symbol of this length, of all times.
    fn all(archive: &Archive, symbol: u32, unit: Unit) -> Vec<Bar> {
        let timeframe = Timeframe::new(1, unit).unwrap();
        archive.bars(SymbolId(symbol), timeframe, OpenBars::Excluded, &Query::ALL)
    }

    #[test]
    fn the_minutes_reach_back_over_weekends_holidays_and_half_days() {
        for (now, first) in [
            // The Monday after Thanksgiving: a half day on Friday, and three days before the holiday.
            ("2026-11-30T10:00", "2026-11-20"),
            ("2026-11-20T10:00", "2026-11-13"),
            ("2026-11-22T10:00", "2026-11-16"),
        ] {
            let mut midnights = midnights(market_time(now).unwrap(), DAYS);
            midnights.push(TradingDay::of(market_time(now).unwrap()).end);

            assert_eq!(midnights[first_session(&midnights)], market_time(first).unwrap(), "{now}");
        }
    }

    #[test]
    fn five_sessions_and_a_year_need_no_memory() {
        let archive = filled(100, Retention { bytes: 100 * 10_000, ..Retention::default() });
        let midnights = midnights(NOW, SESSIONS + 2);

        for symbol in [0, 57, 99] {
            let (days, minutes) = (all(&archive, symbol, Unit::Day), all(&archive, symbol, Unit::Minute));
            assert_eq!((days.len(), minutes.len()), (DAYS + 1, 7 * 24 * 60 + 14 * 60 + 32));
            assert_eq!(minutes[0].start, midnights[0]);
            for day in &days[DAYS - 7..DAYS] {
                let end = TradingDay::of(day.start).end;
                let of_day: Vec<Bar> =
                    minutes.iter().filter(|bar| (day.start..end).contains(&bar.start)).copied().collect();
                let sum = |of: fn(&Bar) -> u64| of_day.iter().map(of).sum::<u64>();
                assert_eq!((of_day[0].open, of_day[of_day.len() - 1].close), (day.open, day.close));
                assert_eq!(of_day.iter().map(|bar| bar.high).max(), Some(day.high));
                assert_eq!(of_day.iter().map(|bar| bar.low).min(), Some(day.low));
                assert_eq!((sum(|bar| bar.volume), sum(|bar| bar.trades)), (day.volume, day.trades));
            }
        }
    }

    #[test]
    fn a_restart_leaves_the_past_as_it_was() {
        let later = Timestamp::from_nanos(NOW.nanos() + 12 * 3_600 * SECOND);
        let listings = Listings::new(20, 1);
        let restarted = Archive::new(20, Retention::default());

        backfill(&restarted, listings, SimulationSettings::default(), later);

        let archive = filled(20, Retention::default());
        for symbol in 0..20 {
            let (days, after) = (all(&archive, symbol, Unit::Day), all(&restarted, symbol, Unit::Day));
            assert_eq!(
                days[1..DAYS],
                after[..DAYS - 1],
                "the last one of the first start is of today so far"
            );
            let yesterday = restarted.summary(SymbolId(symbol), OpenBars::Included).previous_day;
            assert_eq!(yesterday, Some(after[DAYS - 1]));
            let (minutes, after) =
                (all(&archive, symbol, Unit::Minute), all(&restarted, symbol, Unit::Minute));
            let common = |bars: &[Bar], until: Timestamp| -> Vec<Bar> {
                bars.iter().filter(|bar| bar.start >= after[0].start && bar.start < until).copied().collect()
            };
            assert!(common(&minutes, NOW) == common(&after, minutes[minutes.len() - 1].start + MINUTE));
        }
    }

    #[test]
    fn the_history_takes_no_more_memory_than_its_budget() {
        for (symbols, bytes) in [(20, 16 << 20), (20, 4 << 20), (100, 3 << 20)] {
            let mut archive = None;

            let allocated = measure(|| {
                let archive = archive.insert(filled(symbols, Retention { bytes, ..Retention::default() }));
                let all = |symbol| minutes(archive, symbol, Timestamp::from_nanos(0), NOW).len();
                assert!((0..symbols as u32).all(|symbol| all(symbol) > 30));
            });

            assert!((0..=bytes as i64).contains(&allocated.bytes_current), "{allocated:?} of {bytes}");
        }
    }

    #[test]
    fn the_market_opens_where_the_history_of_the_archive_ends() {
        let listings = Listings::new(20, 1);
        let archive = Archive::new(20, Retention::default());

        let listings = backfill(&archive, listings, SimulationSettings::default(), NOW);

        let mut opening = Vec::new();
        Simulator::new(&listings, SimulationSettings::default()).opening(NOW, &mut opening);
        let quotes = opening.iter().filter_map(|event| match event {
            Event::Quote(quote) => Some(quote),
            _ => None,
        });
        for (instrument, quote) in listings.universe().iter().zip(quotes) {
            let summary = archive.summary(instrument.id, OpenBars::Included);
            assert_eq!(instrument.previous_close, summary.previous_day.map(|day| day.close));
            let latest = summary.day.expect("today has trades").close;
            let spread = quote.ask.cents() - quote.bid.cents();
            assert!((quote.bid.cents() - spread..=quote.ask.cents() + spread).contains(&latest.cents()));
        }
    }
}
