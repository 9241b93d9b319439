use jiff::civil::Date;

use crate::model::{ExchangeSession, MarketHours, Timestamp};

/// When an instrument trades, in the library's notation and in New York's time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SymbolSession {
    /// `24x7`, or the regular hours.
    pub(super) hours: &'static str,
    /// The dates without trading, apart from weekends: `20261126,20261225`.
    pub(super) holidays: String,
    /// Other hours of certain dates: `0930-1300:20261127,20261224`.
    pub(super) corrections: String,
}

/// The time zone of all sessions and days.
pub(super) const TIME_ZONE: &str = "America/New_York";

/// The days before and after now of which exceptions are told: as many as bars of days are retained.
const DAYS: i64 = 400;

impl SymbolSession {
    /// The session of a market with these hours.
    pub(super) fn of(hours: MarketHours, now: Timestamp) -> Self {
        match hours {
            MarketHours::Continuous => {
                Self { hours: "24x7", holidays: String::new(), corrections: String::new() }
            }
            MarketHours::Exchange => {
                let days = ExchangeSession::exceptions(now, DAYS);
                let half_days = dates(&days.half_days);
                let corrections = match half_days.is_empty() {
                    true => String::new(),
                    false => format!("0930-1300:{half_days}"),
                };
                Self { hours: "0930-1600", holidays: dates(&days.holidays), corrections }
            }
        }
    }
}

fn dates(dates: &[Date]) -> String {
    let texts: Vec<_> = dates.iter().map(|date| date.strftime("%Y%m%d").to_string()).collect();
    texts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::market_time;

    #[test]
    fn the_exchange_has_holidays_and_half_days_and_a_continuous_market_has_none() {
        let now = market_time("2026-11-20T10:00").unwrap();

        let exchange = SymbolSession::of(MarketHours::Exchange, now);

        assert_eq!(exchange.hours, "0930-1600");
        assert!(exchange.holidays.starts_with("20251127,20251225,20260101,20260119,"), "{exchange:?}");
        assert!(exchange.holidays.ends_with(",20271125,20271224"), "{exchange:?}");
        assert_eq!(exchange.corrections, "0930-1300:20251128,20251224,20261127,20261224,20271126");
        let continuous = SymbolSession::of(MarketHours::Continuous, now);
        assert_eq!(
            continuous,
            SymbolSession { hours: "24x7", holidays: String::new(), corrections: String::new() }
        );
    }
}
