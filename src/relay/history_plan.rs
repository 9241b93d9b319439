use std::collections::VecDeque;

use super::rest::UpstreamRows;
use crate::model::{SymbolId, Timestamp, TradingDay, midnights};

/// In which order the history of instruments is asked for: the days of all, then minutes, the newest first.
///
/// Pure: the owner sends the requests of a [job](Self::next), and says what it [found](Self::found).
#[derive(Debug, Default)]
pub(super) struct HistoryPlan {
    days: VecDeque<HistoryJob>,
    minutes: Vec<HistoryJob>,
}

/// A part of the history of some instruments, which is asked for in pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HistoryJob {
    /// The instruments.
    pub(super) symbols: Vec<SymbolId>,
    /// A time of the day until which the history is wanted.
    today: Timestamp,
    part: HistoryPart,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HistoryPart {
    Days,
    Minutes {
        /// The number of days before today.
        back: usize,
        /// The number of days before today of which there were minutes.
        sessions: usize,
        /// The number of minutes so far.
        rows: usize,
    },
}

/// The most instruments of one request, so that its address stays short.
const SYMBOLS: usize = 100;

/// How far back days are asked for: a year and some days.
const DAYS_BACK: usize = 370;

/// The number of sessions before today whose minutes are asked for.
const SESSIONS: usize = 5;

/// The number of days in which these sessions are looked for: a week with two weekends and a holiday.
const SESSION_DAYS: usize = 12;

impl HistoryPlan {
    /// Asks for the history of these instruments, until this time.
    pub(super) fn add(&mut self, symbols: &[SymbolId], until: Timestamp) {
        let job = |symbols: &[SymbolId]| HistoryJob {
            symbols: symbols.to_vec(),
            today: until,
            part: HistoryPart::Days,
        };
        self.days.extend(symbols.chunks(SYMBOLS).map(job));
    }

    /// The next job.
    pub(super) fn next(&mut self) -> Option<HistoryJob> {
        if let Some(days) = self.days.pop_front() {
            return Some(days);
        }
        let newest = (0..self.minutes.len()).min_by_key(|&index| self.minutes[index].back())?;
        Some(self.minutes.remove(newest))
    }

    /// A job found this number of rows; of each instrument this number of minutes is retained.
    pub(super) fn found(&mut self, job: HistoryJob, found: usize, retained: usize) {
        let part = match job.part {
            HistoryPart::Days => HistoryPart::Minutes { back: 0, sessions: 0, rows: 0 },
            HistoryPart::Minutes { back, sessions, rows } => HistoryPart::Minutes {
                back: back + 1,
                sessions: sessions + usize::from(back > 0 && found > 0),
                rows: rows + found,
            },
        };
        if let HistoryPart::Minutes { back, sessions, rows } = part
            && back <= SESSION_DAYS
            && sessions < SESSIONS
            && rows < retained * job.symbols.len()
        {
            self.minutes.push(HistoryJob { part, ..job });
        }
    }

    /// The number of instruments whose history is not complete.
    pub(super) fn pending(&self) -> usize {
        self.days.iter().chain(&self.minutes).map(|job| job.symbols.len()).sum()
    }
}

impl HistoryJob {
    /// What is asked for.
    pub(super) const fn kind(&self) -> UpstreamRows {
        match self.part {
            HistoryPart::Days => UpstreamRows::Days,
            HistoryPart::Minutes { .. } => UpstreamRows::Minutes,
        }
    }

    /// The times of the first and the last row, both included; without the last one up to now.
    pub(super) fn times(&self) -> (Timestamp, Option<Timestamp>) {
        match self.part {
            HistoryPart::Days => (midnights(self.today, DAYS_BACK)[0], None),
            HistoryPart::Minutes { back: 0, .. } => (TradingDay::of(self.today).start, None),
            HistoryPart::Minutes { back, .. } => {
                let day = TradingDay::of(midnights(self.today, back)[0]);
                (day.start, Some(Timestamp::from_nanos(day.end.nanos() - 1)))
            }
        }
    }

    const fn back(&self) -> usize {
        match self.part {
            HistoryPart::Days => 0,
            HistoryPart::Minutes { back, .. } => back,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::market_time;
    use crate::wire::rfc3339;

    /// A Monday.
    fn monday() -> Timestamp {
        market_time("2026-11-23T15:00:00Z").unwrap()
    }

    fn symbols(count: u32) -> Vec<SymbolId> {
        (0..count).map(SymbolId).collect()
    }

    /// The kinds, first instruments and first days of all jobs, where sessions are Monday to Friday.
    fn run(plan: &mut HistoryPlan, retained: usize) -> Vec<(UpstreamRows, u32, String)> {
        let mut jobs = Vec::new();
        while let Some(job) = plan.next() {
            let from = rfc3339(job.times().0);
            let is_weekend = ["2026-11-21", "2026-11-22", "2026-11-14", "2026-11-15"].contains(&&from[..10]);
            jobs.push((job.kind(), job.symbols[0].0, from[..10].to_owned()));
            let rows = if is_weekend { 0 } else { 390 * job.symbols.len() };
            plan.found(job, rows, retained);
        }
        jobs
    }

    #[test]
    fn days_of_all_come_before_minutes_and_new_minutes_before_old_ones() {
        let mut plan = HistoryPlan::default();
        plan.add(&symbols(150), monday());
        assert_eq!(plan.pending(), 150);

        let jobs = run(&mut plan, 8_000);

        let days = |jobs: &[(UpstreamRows, u32, String)]| {
            jobs.iter().filter(|job| job.0 == UpstreamRows::Days).map(|job| job.1).collect::<Vec<_>>()
        };
        assert_eq!(days(&jobs), [0, 100]);
        assert_eq!(days(&jobs[..2]).len(), 2);
        let of_first: Vec<_> = jobs[2..].iter().filter(|job| job.1 == 0).map(|job| &job.2[8..]).collect();
        assert_eq!(of_first, ["23", "22", "21", "20", "19", "18", "17", "16"]);
        let order: Vec<_> = jobs[2..].iter().map(|job| job.2.as_str()).collect();
        assert!(order.is_sorted_by(|one, next| one >= next), "{order:?}");
        assert_eq!(plan.pending(), 0);
    }

    #[test]
    fn no_more_minutes_are_asked_for_than_are_retained() {
        let mut plan = HistoryPlan::default();
        plan.add(&symbols(10), monday());

        assert_eq!(run(&mut plan, 700).len(), 1 + 4, "Monday, the weekend, Friday");
    }

    #[test]
    fn instruments_without_minutes_are_given_up() {
        let mut plan = HistoryPlan::default();
        plan.add(&symbols(1), monday());

        let jobs = std::iter::from_fn(|| {
            let job = plan.next()?;
            plan.found(job, 0, 8_000);
            Some(())
        });

        assert_eq!(jobs.count(), 1 + 1 + SESSION_DAYS);
    }
}
