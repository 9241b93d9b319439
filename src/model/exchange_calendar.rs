//! The trading hours of the New York Stock Exchange: holidays, half days and closings, by its rules.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};

use super::calendar::{date_of, plus, time_on};
use super::{Bar, Timestamp, TradingDay};

/// The regular hours of the exchange on one day, in which its trades set the prices of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeSession {
    /// 09:30 in New York.
    pub open: Timestamp,
    /// 16:00 in New York, or 13:00 on a half day; exclusive.
    pub close: Timestamp,
}

/// When a market trades.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MarketHours {
    /// Always: a day ends at midnight in New York, when the next one begins.
    #[default]
    Continuous,
    /// In the regular hours of the exchange.
    Exchange,
}

/// What minutes add to the bar of their day: those outside of the exchange's regular hours their volume alone, as trades
/// of extended hours do. On a day on which it is closed there is no other time, so that all set prices.
#[derive(Clone, Debug, Default)]
pub struct DayParts {
    hours: MarketHours,
    day: TradingDay,
    session: Option<ExchangeSession>,
}

impl DayParts {
    /// The parts of the days of a market with these hours.
    pub fn new(hours: MarketHours) -> Self {
        Self { hours, ..Self::default() }
    }

    /// What this minute adds. Days are looked up once each.
    pub fn of(&mut self, minute: &Bar) -> Bar {
        if self.hours == MarketHours::Continuous {
            return *minute;
        }
        if !self.day.holds(minute.start) {
            self.day = TradingDay::of(minute.start);
            self.session = ExchangeSession::of(minute.start);
        }
        match self.session {
            Some(session) if !session.holds(minute.start) => minute.without_prices(),
            _ => *minute,
        }
    }
}

/// The weekdays of a period on which the exchange does not have its usual hours, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionExceptions {
    /// Those on which it does not open.
    pub holidays: Vec<Date>,
    /// Those on which it closes at 13:00.
    pub half_days: Vec<Date>,
}

impl ExchangeSession {
    /// The exceptions from this number of days before a time to as many days after it.
    pub fn exceptions(around: Timestamp, days: i64) -> SessionExceptions {
        let today = date_of(around);
        let dates = (-days..=days).filter_map(|days| today.checked_add(days.days()).ok());
        let mut exceptions = SessionExceptions::default();
        for date in dates.filter(|date| !is_weekend(*date)) {
            if !is_trading_day(date) {
                exceptions.holidays.push(date);
            } else if is_half_day(date) {
                exceptions.half_days.push(date);
            }
        }
        exceptions
    }

    /// The session of the day in New York that this time is in; `None` on weekends, holidays and special closings.
    ///
    /// Right from 1998 on, and in years to come as far as the exchange's rules of 2022 hold: Juneteenth has been a
    /// holiday since then. Closings of earlier decades, such as those of elections, are not known.
    pub fn of(at: Timestamp) -> Option<Self> {
        Self::on(date_of(at))
    }

    /// The first session that is not over at this time.
    pub fn next(at: Timestamp) -> Option<Self> {
        // No holidays close the exchange for longer.
        const DAYS: i64 = 14;
        let today = date_of(at);
        (0..DAYS)
            .map_while(|days| today.checked_add(days.days()).ok())
            .filter_map(Self::on)
            .find(|session| at < session.close)
    }

    /// True when this time is within the session.
    pub fn holds(&self, at: Timestamp) -> bool {
        (self.open..self.close).contains(&at)
    }

    fn on(date: Date) -> Option<Self> {
        if !is_trading_day(date) {
            return None;
        }
        let close = if is_half_day(date) { 13 } else { 16 };
        Some(Self { open: time_on(date, 9, 30), close: time_on(date, close, 0) })
    }
}

fn is_trading_day(date: Date) -> bool {
    !(is_weekend(date) || is_holiday(date) || CLOSINGS.contains(&date))
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Days on which the exchange did not open though no rule says so.
const CLOSINGS: [Date; 10] = [
    // The attacks of September 11.
    date(2001, 9, 11),
    date(2001, 9, 12),
    date(2001, 9, 13),
    date(2001, 9, 14),
    // Days of mourning for presidents Reagan and Ford.
    date(2004, 6, 11),
    date(2007, 1, 2),
    // Hurricane Sandy.
    date(2012, 10, 29),
    date(2012, 10, 30),
    // Days of mourning for presidents Bush and Carter.
    date(2018, 12, 5),
    date(2025, 1, 9),
];

/// Half days that no rule gives: the last day of 1999, and Fridays after Christmas.
const HALF_DAYS: [Date; 3] = [date(1997, 12, 26), date(1999, 12, 31), date(2003, 12, 26)];

/// The exchange's rule 7.2: a holiday on a Saturday is kept on the Friday before, unless that ends a year, and one on
/// a Sunday on the Monday after.
fn is_holiday(day: Date) -> bool {
    let year = day.year();
    let on = |month, of_month| observed(date(year, month, of_month)) == day;
    let nth = |month, nth, weekday| nth_weekday(year, month, nth, weekday) == day;
    match day.month() {
        1 => on_new_year(day) || year >= 1998 && nth(1, 3, Weekday::Monday),
        2 => nth(2, 3, Weekday::Monday),
        3 | 4 => good_friday(year) == day,
        5 => nth(5, -1, Weekday::Monday),
        6 => year >= 2022 && on(6, 19),
        7 => on(7, 4),
        9 => nth(9, 1, Weekday::Monday),
        11 => nth(11, 4, Weekday::Thursday),
        12 => on(12, 25),
        _ => false,
    }
}

/// January 1, or the Monday after if it is a Sunday. The Friday before it is the last day of the year's accounts.
fn on_new_year(day: Date) -> bool {
    day.day() == 1 || day.day() == 2 && day.weekday() == Weekday::Monday
}

/// The exchange closes at 13:00 on the day after Thanksgiving, on December 24, and on July 3; before 2013 on Friday
/// July 5 in place of Wednesday July 3.
fn is_half_day(day: Date) -> bool {
    match (day.month(), day.day()) {
        (11, _) => plus(nth_weekday(day.year(), 11, 4, Weekday::Thursday), 1.day()) == day,
        // On a Friday it is the holiday itself.
        (12, 24) => true,
        (7, 3) => day.year() >= 2013 || day.weekday() != Weekday::Wednesday,
        (7, 5) => day.year() < 2013 && day.weekday() == Weekday::Friday,
        _ => HALF_DAYS.contains(&day),
    }
}

/// The weekday on which a holiday of this date is kept.
fn observed(holiday: Date) -> Date {
    match holiday.weekday() {
        Weekday::Saturday => plus(holiday, -1.day()),
        Weekday::Sunday => plus(holiday, 1.day()),
        _ => holiday,
    }
}

fn nth_weekday(year: i16, month: i8, nth: i8, weekday: Weekday) -> Date {
    date(year, month, 1).nth_weekday_of_month(nth, weekday).expect("every month has four of each weekday")
}

/// The Friday before Easter, which is found by the algorithm of Meeus, Jones and Butcher.
fn good_friday(year: i16) -> Date {
    let year = i32::from(year);
    let golden = year.rem_euclid(19);
    let (century, of_century) = (year.div_euclid(100), year.rem_euclid(100));
    let (leap_centuries, rest) = (century / 4, century % 4);
    let correction = (century - (century + 8) / 25 + 1) / 3;
    let moon = (19 * golden + century - leap_centuries - correction + 15).rem_euclid(30);
    let weekday = (32 + 2 * rest + 2 * (of_century / 4) - moon - of_century % 4).rem_euclid(7);
    let late = (golden + 11 * moon + 22 * weekday) / 451;
    let number = moon + weekday - 7 * late + 114;
    let easter = date(year as i16, (number / 31) as i8, (number % 31 + 1) as i8);
    plus(easter, -2.days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SECOND, market_time};

    fn session(date: &str) -> Option<ExchangeSession> {
        ExchangeSession::of(TradingDay::named(date).unwrap().start)
    }

    /// The dates of a year on which the exchange does not open, without weekends.
    fn closed(year: i16) -> Vec<String> {
        let days = std::iter::successors(Some(date(year, 1, 1)), |day| day.checked_add(1.day()).ok());
        days.take_while(|day| day.year() == year)
            .filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday))
            .filter(|day| ExchangeSession::on(*day).is_none())
            .map(|day| day.strftime("%m-%d").to_string())
            .collect()
    }

    fn half_days(year: i16) -> Vec<String> {
        let days = std::iter::successors(Some(date(year, 1, 1)), |day| day.checked_add(1.day()).ok());
        days.take_while(|day| day.year() == year)
            .filter_map(|day| ExchangeSession::on(day).map(|session| (day, session)))
            .filter(|(_, session)| session.close.nanos_since(session.open) == 12_600 * SECOND)
            .map(|(day, _)| day.strftime("%m-%d").to_string())
            .collect()
    }

    /// As the exchange announced them.
    #[test]
    fn holidays_and_closings_are_those_of_the_exchange() {
        for (year, expected) in [
            (2001, "01-01 01-15 02-19 04-13 05-28 07-04 09-03 09-11 09-12 09-13 09-14 11-22 12-25"),
            (2004, "01-01 01-19 02-16 04-09 05-31 06-11 07-05 09-06 11-25 12-24"),
            (2007, "01-01 01-02 01-15 02-19 04-06 05-28 07-04 09-03 11-22 12-25"),
            (2010, "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24"),
            (2011, "01-17 02-21 04-22 05-30 07-04 09-05 11-24 12-26"),
            (2012, "01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25"),
            (2013, "01-01 01-21 02-18 03-29 05-27 07-04 09-02 11-28 12-25"),
            (2018, "01-01 01-15 02-19 03-30 05-28 07-04 09-03 11-22 12-05 12-25"),
            (2020, "01-01 01-20 02-17 04-10 05-25 07-03 09-07 11-26 12-25"),
            (2021, "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24"),
            (2022, "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26"),
            (2023, "01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25"),
            (2024, "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25"),
            (2025, "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25"),
            (2026, "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25"),
            (2027, "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24"),
            (2028, "01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25"),
        ] {
            assert_eq!(closed(year).join(" "), expected, "{year}");
        }
    }

    #[test]
    fn half_days_are_those_of_the_exchange() {
        for (year, expected) in [
            (1999, "11-26 12-31"),
            (2002, "07-05 11-29 12-24"),
            (2003, "07-03 11-28 12-24 12-26"),
            (2012, "07-03 11-23 12-24"),
            (2013, "07-03 11-29 12-24"),
            (2014, "07-03 11-28 12-24"),
            (2015, "11-27 12-24"),
            (2018, "07-03 11-23 12-24"),
            (2019, "07-03 11-29 12-24"),
            (2020, "11-27 12-24"),
            (2021, "11-26"),
            (2022, "11-25"),
            (2023, "07-03 11-24"),
            (2024, "07-03 11-29 12-24"),
            (2025, "07-03 11-28 12-24"),
            (2026, "11-27 12-24"),
            (2027, "11-26"),
            (2028, "07-03 11-24"),
        ] {
            assert_eq!(half_days(year).join(" "), expected, "{year}");
        }
    }

    #[test]
    fn a_session_follows_the_clock_change() {
        let hours = |date: &str| session(date).map(|session| [session.open, session.close]);
        let at = |text| market_time(text).unwrap();

        assert_eq!(hours("2026-03-06"), Some([at("2026-03-06T14:30Z"), at("2026-03-06T21:00Z")]));
        assert_eq!(hours("2026-03-09"), Some([at("2026-03-09T13:30Z"), at("2026-03-09T20:00Z")]));
        assert_eq!(hours("2026-11-27"), Some([at("2026-11-27T14:30Z"), at("2026-11-27T18:00Z")]));
    }

    #[test]
    fn the_next_session_is_the_present_one_until_it_closes() {
        let next = |text| ExchangeSession::next(market_time(text).unwrap());

        let friday = session("2026-11-27");
        assert_eq!(next("2026-11-26T12:00"), friday, "on Thanksgiving");
        assert_eq!(next("2026-11-27T12:59:59"), friday);
        assert!(friday.unwrap().holds(market_time("2026-11-27T12:59:59").unwrap()));
        assert_eq!(next("2026-11-27T13:00"), session("2026-11-30"));
        for end in [i64::MIN, i64::MAX] {
            ExchangeSession::next(Timestamp::from_nanos(end));
        }
    }

    #[test]
    fn minutes_outside_of_regular_hours_add_their_volume_alone_on_days_with_a_session() {
        let priced = |hours, times: [&str; 3]| {
            let mut parts = DayParts::new(hours);
            times.map(|time| {
                let start = market_time(time).unwrap();
                let price = crate::model::Price::from_cents(5);
                let minute = Bar {
                    symbol: crate::model::SymbolId(0),
                    start,
                    open: price,
                    high: price,
                    low: price,
                    close: price,
                    volume: 7,
                    trades: 1,
                    notional: 0,
                };
                let part = parts.of(&minute);
                assert_eq!((part.volume, part.start), (7, start));
                part.is_priced()
            })
        };
        let half_day = ["2026-11-27T09:29", "2026-11-27T12:59", "2026-11-27T13:00"];

        assert_eq!(priced(MarketHours::Exchange, half_day), [false, true, false]);
        assert_eq!(priced(MarketHours::Continuous, half_day), [true; 3]);
        let closed = ["2026-11-26T09:00", "2026-11-28T12:00", "2026-12-25T18:00"];
        assert_eq!(priced(MarketHours::Exchange, closed), [true; 3]);
    }
}
