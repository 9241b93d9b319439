use std::time::Duration;

use crate::model::{Bar, Instrument, SECOND, Timestamp, Universe};

use super::activity::{total_weight, weight};
use super::listings::{PastEnd, close_of};
use super::past_days::PastDays;
use super::settings::SimulationSettings;

/// Simulated historical bars up to the time at which the simulated market opens.
///
/// A bar depends on the seed, the trade rate, the instrument's rank and listed price, and the time of the bar. So the
/// past is the same whenever the market opens; only its end is another, and the market [opens] there.
///
/// Bars are made for one instrument at a time, so that the bars of a whole market need not be in memory at once.
///
/// [opens]: super::Listings::following
#[derive(Clone, Debug)]
pub struct History {
    seed: u64,
    /// The starts of days, the oldest first; the last two are today's and tomorrow's.
    midnights: Vec<Timestamp>,
    now: Timestamp,
    /// The trade rate of an instrument whose activity weight is 1.
    trades_per_weight: f64,
}

/// Where the history of one instrument ends: its latest bars, the oldest first.
///
/// As on the consolidated tape, intervals without a trade have no bar. A bar opens within a tick of the
/// price at its start, and so of the previous close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentHistory {
    /// The bar of the latest day before today with a trade.
    pub previous_day: Option<Bar>,
    /// Minute bars of today's complete minutes.
    pub minutes: Vec<Bar>,
    /// Second bars of the complete seconds within [`History::SECONDS_SINCE`]. Those of a complete minute
    /// add up to exactly its bar.
    pub seconds: Vec<Bar>,
    /// The prices at which the bars end.
    pub end: PastEnd,
}

const MINUTE: i64 = 60 * SECOND;

impl History {
    /// Second bars go back this far before the current minute, and not beyond today.
    pub const SECONDS_SINCE: Duration = Duration::from_mins(10);

    /// The history of a market that opens at `now` with these settings. O(instruments).
    ///
    /// `midnights` are the starts of the days to generate, the oldest first, and the end of the last one, today, which
    /// contains `now`. All are whole minutes. Instruments are as active as in the market itself; the history of a
    /// market with a rate of 0 has the default rate.
    pub fn new(
        universe: &Universe,
        settings: SimulationSettings,
        midnights: Vec<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let trades_per_second = match settings.trades_per_second {
            rate if rate > 0.0 => rate,
            _ => SimulationSettings::default().trades_per_second,
        };
        let trades_per_weight = trades_per_second / total_weight(universe.len());
        Self { seed: settings.seed, midnights, now, trades_per_weight }
    }

    /// The time at which the history ends.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The starts of the days, and the end of the last one.
    pub fn midnights(&self) -> &[Timestamp] {
        &self.midnights
    }

    /// The bars of the days before today, in order. O(days).
    pub fn days(&self, instrument: &Instrument) -> Vec<Bar> {
        let before = self.midnights.partition_point(|midnight| *midnight <= self.now);
        let days = self.past(instrument).days(&self.midnights[..before]);
        days.iter().filter_map(|day| day.bar).collect()
    }

    /// The minute bars of the complete minutes of the day that starts at this midnight, in order. Those of a complete day add
    /// up to its bar. O(minutes of a day).
    pub fn minutes(&self, instrument: &Instrument, midnight: Timestamp) -> Vec<Bar> {
        let Ok(index) = self.midnights.binary_search(&midnight) else { return Vec::new() };
        let past = self.past(instrument);
        let day = self.midnights.get(index..=index + 1).unwrap_or_default();
        let mut minutes: Vec<Bar> = past.days(day).iter().flat_map(|day| past.minutes(day)).collect();
        let current = self.now.floor_to(MINUTE);
        minutes.truncate(minutes.partition_point(|minute| minute.start < current));
        minutes
    }

    /// The latest bars before a time on one of the days. O(minutes of a day).
    pub fn until(&self, instrument: &Instrument, at: Timestamp) -> InstrumentHistory {
        let past = self.past(instrument);
        let days = self.midnights.partition_point(|midnight| *midnight <= at);
        let today = days.checked_sub(1).and_then(|today| self.midnights.get(today..=days));
        let today = today.map(|day| past.days(day)).unwrap_or_default();
        let (mut minutes, mut seconds) = (Vec::new(), Vec::new());
        let current = at.floor_to(MINUTE);
        let of_today = today.iter().flat_map(|today| past.minutes(today));
        for minute in of_today.take_while(|minute| minute.start <= current) {
            if minute.start >= current - Self::SECONDS_SINCE {
                seconds.append(&mut past.seconds(&minute));
            }
            if minute.start < current {
                minutes.push(minute);
            }
        }
        let complete = at.floor_to(SECOND);
        seconds.truncate(seconds.partition_point(|second| second.start < complete));
        let previous_day = latest_day(&past, &self.midnights[..days]);
        let previous_close = previous_day.map_or(close_of(instrument), |day| day.close);
        let latest = [seconds.last(), minutes.last()].into_iter().flatten().max_by_key(|bar| bar.start);
        let price = latest.map_or(previous_close, |bar| bar.close);
        InstrumentHistory { previous_day, minutes, seconds, end: PastEnd { previous_close, price } }
    }

    fn past<'i>(&self, instrument: &'i Instrument) -> PastDays<'i> {
        PastDays::new(instrument, self.trades_per_weight * weight(instrument.id.index()), self.seed)
    }
}

/// The bar of the latest of these days that has a trade.
fn latest_day(past: &PastDays<'_>, midnights: &[Timestamp]) -> Option<Bar> {
    // Nearly always it is the last one; that of a quiet instrument may be any.
    let last = &midnights[midnights.len().saturating_sub(2)..];
    [last, midnights].into_iter().find_map(|days| past.days(days).into_iter().rev().find_map(|day| day.bar))
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
