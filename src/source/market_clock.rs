use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Timestamp;

/// When the market of a source is open, as the source told last. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MarketClock(Arc<Mutex<Option<ToldSchedule>>>);

/// Whether a market is open, and when that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketSchedule {
    /// Whether it is open.
    pub is_open: bool,
    /// When it opens next.
    pub next_open: Timestamp,
    /// When it closes next.
    pub next_close: Timestamp,
}

impl MarketSchedule {
    /// Whether the market never closes: its days follow each other without a pause.
    pub fn is_continuous(&self) -> bool {
        self.is_open && self.next_open == self.next_close
    }

    /// When it opens or closes next.
    pub fn changes_at(&self) -> Timestamp {
        self.next_open.min(self.next_close)
    }
}

#[derive(Clone, Copy, Debug)]
struct ToldSchedule {
    schedule: MarketSchedule,
    until: Timestamp,
}

impl MarketClock {
    /// Takes in what the source told; it holds until this time, but not beyond the next opening or closing.
    pub fn tell(&self, schedule: MarketSchedule, until: Timestamp) {
        let told = ToldSchedule { schedule, until: until.min(schedule.changes_at()) };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
    }

    /// What holds at this time, if it is known. That a market never closes holds for ever.
    pub fn at(&self, now: Timestamp) -> Option<MarketSchedule> {
        let told = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = told.filter(|told| now < told.until || told.schedule.is_continuous())?;
        Some(told.schedule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::market_time;

    fn at(text: &str) -> Timestamp {
        market_time(text).unwrap()
    }

    #[test]
    fn a_schedule_holds_until_it_is_old_or_the_market_closes() {
        let clock = MarketClock::default();
        let (next_open, next_close) = (at("2026-11-23T14:30:00Z"), at("2026-11-20T21:00:00Z"));
        let schedule = MarketSchedule { is_open: true, next_open, next_close };
        assert_eq!(clock.at(at("2026-11-20T15:00:00Z")), None);

        clock.tell(schedule, at("2026-11-20T15:01:00Z"));
        assert_eq!(clock.at(at("2026-11-20T15:00:59Z")), Some(schedule));
        assert_eq!(clock.at(at("2026-11-20T15:01:00Z")), None, "it is old");
        clock.tell(schedule, at("2026-11-20T21:01:00Z"));
        assert_eq!(clock.at(next_close), None, "the market has closed");
    }

    #[test]
    fn a_market_that_never_closes_is_always_open() {
        let clock = MarketClock::default();
        let midnight = at("2026-11-21T05:00:00Z");
        let schedule = MarketSchedule { is_open: true, next_open: midnight, next_close: midnight };

        clock.tell(schedule, at("2026-11-20T15:01:00Z"));

        assert!(clock.at(at("2026-11-25T00:00:00Z")).unwrap().is_continuous());
    }
}
