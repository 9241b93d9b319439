//! Fills the archive with simulated history, so that charts are not empty after the start.

use std::sync::Arc;

use crate::archive::{Archive, EarlierBars};
use crate::model::{Bar, SymbolId, Timestamp, TradingDay, Universe, midnights};
use crate::source::{History, Listings, PastEnd, SimulationSettings};

/// The number of instruments with history: the busiest ones. Each costs up to 0.4 ms of CPU time at the start, simulation
/// and storage together.
const MAX_INSTRUMENTS: usize = 10_000;

/// The number of days before today with history.
const DAYS: usize = 365;

/// The number of sessions before today with minute bars.
const SESSIONS: usize = 5;

/// Adds the bars of the year before `now` to the archive, and returns the listings with the prices at which these end.
///
/// The minutes of the sessions before today are made when they are first read.
pub(super) fn backfill(
    archive: &Archive,
    listings: Listings,
    simulation: SimulationSettings,
    now: Timestamp,
) -> Listings {
    let mut midnights = midnights(now, DAYS);
    midnights.push(TradingDay::of(now).end);
    let universe = Arc::clone(listings.universe());
    let history = History::new(&universe, simulation, midnights, now);
    let ends: Vec<PastEnd> = universe
        .iter()
        .take(MAX_INSTRUMENTS)
        .map(|instrument| {
            let past = history.of(instrument);
            archive.seed(instrument.id, &past.days, &past.minutes, &past.seconds);
            past.end
        })
        .collect();
    archive.set_earlier(Box::new(EarlierSessions { history, universe }));
    archive.advance(now);
    listings.following(&ends)
}

/// The minutes of the sessions before today.
struct EarlierSessions {
    history: History,
    /// The instruments with the prices around which their past is.
    universe: Arc<Universe>,
}

impl EarlierBars for EarlierSessions {
    fn minutes(&self, symbol: SymbolId) -> Vec<Bar> {
        match symbol.index() {
            0..MAX_INSTRUMENTS => {
                self.history.minutes_before_today(self.universe.instrument(symbol), SESSIONS)
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use allocation_counter::measure;

    use super::*;
    use crate::archive::{OpenBars, Order, Query, Retention, Timeframe, Unit};
    use crate::model::{Event, SECOND};
    use crate::source::Simulator;

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
