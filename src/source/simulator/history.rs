use std::ops::Range;
use std::time::Duration;

use crate::model::{Bar, Instrument, SECOND, Timestamp, Universe};

use super::activity::{total_weight, weight};
use super::listings::{PastEnd, close_of};
use super::past_days::{PastDay, PastDays};
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
    /// Hour bars of today's complete hours.
    pub hours: Vec<Bar>,
    /// Minute bars of today's complete minutes, from the latest hour on that has a complete one.
    pub minutes: Vec<Bar>,
    /// Second bars of the complete seconds, from the minute before the current one on, and not before today.
    pub seconds: Vec<Bar>,
    /// The prices at which the bars end.
    pub end: PastEnd,
}

const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

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
        let hours = past.days(day).into_iter().flat_map(|day| past.hours(&day));
        let mut minutes: Vec<Bar> = hours.flat_map(|hour| past.minutes(&hour)).collect();
        truncate(&mut minutes, self.now.floor_to(MINUTE));
        minutes
    }

    /// The second bars of the complete seconds within [`Self::SECONDS_SINCE`], in order. Those of a complete minute add up to
    /// its bar.
    pub fn seconds(&self, instrument: &Instrument) -> Vec<Bar> {
        let past = self.past(instrument);
        let [_, today] = self.days_at(&past, self.now);
        let hours = today.map(|today| past.hours(&today)).unwrap_or_default();
        let since = self.now.floor_to(MINUTE) - Self::SECONDS_SINCE;
        seconds(&past, &minutes(&past, &hours, since..self.now), since..self.now)
    }

    /// The latest bars before a time on one of the days. O(hours of a day + minutes of an hour + seconds of a minute).
    pub fn until(&self, instrument: &Instrument, at: Timestamp) -> InstrumentHistory {
        let past = self.past(instrument);
        let [previous_day, today] = self.days_at(&past, at);
        let mut hours = today.map(|today| past.hours(&today)).unwrap_or_default();
        let since = at.floor_to(MINUTE) - Duration::from_mins(1);
        let mut minutes = minutes(&past, &hours, since..at);
        let seconds = seconds(&past, &minutes, since..at);
        truncate(&mut minutes, at.floor_to(MINUTE));
        if minutes.is_empty() {
            let hour = hours.iter().rfind(|hour| hour.start < since.floor_to(HOUR));
            minutes = hour.map(|hour| past.minutes(hour)).unwrap_or_default();
        }
        truncate(&mut hours, at.floor_to(HOUR));
        let previous_day = previous_day.and_then(|day| day.bar);
        // Nearly always it is yesterday; that of a quiet instrument may be any day.
        let previous_day = previous_day.or_else(|| self.latest_day(&past, at));
        let previous_close = previous_day.map_or(close_of(instrument), |day| day.close);
        let latest = [seconds.last(), minutes.last()].into_iter().flatten().max_by_key(|bar| bar.start);
        let price = latest.map_or(previous_close, |bar| bar.close);
        InstrumentHistory { previous_day, hours, minutes, seconds, end: PastEnd { previous_close, price } }
    }

    /// The day before the day of this time, and that day.
    fn days_at(&self, past: &PastDays<'_>, at: Timestamp) -> [Option<PastDay>; 2] {
        let days = self.midnights.partition_point(|midnight| *midnight <= at);
        let around = self.midnights.get(days.saturating_sub(2)..=days).unwrap_or_default();
        let mut around = past.days(around).into_iter().rev();
        let today = around.next();
        [around.next(), today]
    }

    /// The bar of the latest day with a trade before the day of this time. O(days).
    fn latest_day(&self, past: &PastDays<'_>, at: Timestamp) -> Option<Bar> {
        let days = self.midnights.partition_point(|midnight| *midnight <= at);
        past.days(&self.midnights[..days]).into_iter().rev().find_map(|day| day.bar)
    }

    fn past<'i>(&self, instrument: &'i Instrument) -> PastDays<'i> {
        PastDays::new(instrument, self.trades_per_weight * weight(instrument.id.index()), self.seed)
    }
}

/// The minutes of those of these hours that share a part with the times.
fn minutes(past: &PastDays<'_>, hours: &[Bar], times: Range<Timestamp>) -> Vec<Bar> {
    let times = times.start.floor_to(HOUR)..times.end;
    hours.iter().filter(|hour| times.contains(&hour.start)).flat_map(|hour| past.minutes(hour)).collect()
}

/// The complete seconds between a whole minute and another time, in these minutes.
fn seconds(past: &PastDays<'_>, minutes: &[Bar], times: Range<Timestamp>) -> Vec<Bar> {
    let end = times.end.floor_to(SECOND);
    let minutes = minutes.iter().filter(|minute| times.contains(&minute.start));
    let mut seconds: Vec<Bar> = minutes.flat_map(|minute| past.seconds(minute)).collect();
    truncate(&mut seconds, end);
    seconds
}

/// Removes the bars, which are in order, that do not start before a time.
fn truncate(bars: &mut Vec<Bar>, before: Timestamp) {
    bars.truncate(bars.partition_point(|bar| bar.start < before));
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
