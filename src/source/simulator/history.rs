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

/// The historical bars of one instrument, the oldest first.
///
/// As on the consolidated tape, intervals without a trade have no bar. A bar opens within a tick of the
/// price at its start, and so of the previous close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentHistory {
    /// Daily bars of the days before today.
    pub days: Vec<Bar>,
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

    /// The minute bars of this number of days before today, which add up to the bars of these days. O(bars).
    pub fn minutes_before_today(&self, instrument: &Instrument, days: usize) -> Vec<Bar> {
        let past = self.past(instrument);
        let midnights = &self.midnights[..self.midnights.len().saturating_sub(1)];
        let from = midnights.len().saturating_sub(days + 1);
        past.days(&midnights[from..]).iter().flat_map(|day| past.minutes(day)).collect()
    }

    /// The bars of this instrument. O(bars).
    pub fn of(&self, instrument: &Instrument) -> InstrumentHistory {
        let past = self.past(instrument);
        let days = past.days(&self.midnights);
        let (mut minutes, mut seconds) = (Vec::new(), Vec::new());
        let Some((today, before)) = days.split_last() else { return InstrumentHistory::none(instrument) };
        let current = self.now.floor_to(MINUTE);
        for minute in past.minutes(today).into_iter().take_while(|minute| minute.start <= current) {
            if minute.start >= current - Self::SECONDS_SINCE {
                seconds.append(&mut past.seconds(&minute));
            }
            if minute.start < current {
                minutes.push(minute);
            }
        }
        let complete = self.now.floor_to(SECOND);
        seconds.truncate(seconds.partition_point(|second| second.start < complete));
        let days: Vec<Bar> = before.iter().filter_map(|day| day.bar).collect();
        let previous_close = days.last().map_or(close_of(instrument), |day| day.close);
        let latest =
            [seconds.last(), minutes.last(), days.last()].into_iter().flatten().max_by_key(|bar| bar.start);
        let price = latest.map_or(previous_close, |bar| bar.close);
        InstrumentHistory { days, minutes, seconds, end: PastEnd { previous_close, price } }
    }

    fn past<'i>(&self, instrument: &'i Instrument) -> PastDays<'i> {
        PastDays::new(instrument, self.trades_per_weight * weight(instrument.id.index()), self.seed)
    }
}

impl InstrumentHistory {
    fn none(instrument: &Instrument) -> Self {
        let price = close_of(instrument);
        let end = PastEnd { previous_close: price, price };
        Self { days: Vec::new(), minutes: Vec::new(), seconds: Vec::new(), end }
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
