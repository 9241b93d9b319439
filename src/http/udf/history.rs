use super::history_query::{BarRange, HistoryQuery, MAX_BARS};
use super::request::{UdfAnswer, UdfRequest};
use super::resolution::Resolution;
use super::table::{self, FoundBars, TimedBar};
use crate::archive::{Archive, OpenBars, Order, Query};
use crate::model::{Bar, MarketHours, SECOND, SymbolId, Timestamp};

/// `GET /udf/history`: bars by range or by count. The one that is still open is among them: the adapter asks for it again and
/// again while it is shown.
pub(super) async fn history(request: UdfRequest) -> UdfAnswer {
    let query = HistoryQuery::parse(request.params())?;
    let symbol = request.permitted_instrument()?.id;
    let archive = &request.rest().feed.archive;
    let reader = BarReader { archive, symbol, resolution: query.resolution, hours: request.hours() };
    let history = reader.history(query.range, MAX_BARS);
    Ok(request.rest().answer(table::encode(&history).await).await)
}

/// Reads the bars of one instrument and one length.
struct BarReader<'a> {
    archive: &'a Archive,
    symbol: SymbolId,
    resolution: Resolution,
    hours: MarketHours,
}

impl BarReader<'_> {
    /// The bars of a range, of more than `most` the latest.
    fn history(&self, range: BarRange, most: usize) -> FoundBars {
        let (bars, earlier) = match range {
            BarRange::Between { from, to } => {
                let bars = self.latest(most, from, to);
                let earlier = if bars.is_empty() { self.latest(1, i64::MIN, from).pop() } else { None };
                (bars, earlier.map(|bar| bar.time))
            }
            BarRange::Latest { count, to } => (self.latest(count.min(most), i64::MIN, to), None),
        };
        match bars.is_empty() {
            true => FoundBars::Nothing { earlier },
            false => FoundBars::Bars(bars),
        }
    }

    /// The latest bars from a time on, before another one, the oldest first: at most this number.
    fn latest(&self, most: usize, from: i64, to: i64) -> Vec<TimedBar> {
        let difference = self.resolution.time_difference();
        let query = Query {
            from: timestamp(from.saturating_sub(difference)),
            to: timestamp(to.saturating_add(difference)),
            order: Order::NewestFirst,
            after: None,
            limit: most.saturating_add(MOST_BEYOND),
        };
        let bars = self.archive.bars(self.symbol, self.resolution.timeframe(), OpenBars::Included, &query);
        let timed = |bar: Bar| TimedBar { time: self.resolution.time_of(bar.start, self.hours), bar };
        let within = bars.into_iter().map(timed).filter(|bar| (from..to).contains(&bar.time));
        let mut bars: Vec<_> = within.take(most).collect();
        bars.reverse();
        bars
    }
}

/// The most bars that start before the end of a query and whose time is not before the end of its range: those of two weeks
/// of days, or within a day the one at the end itself.
const MOST_BEYOND: usize = 15;

/// Times before 1677 and after 2262 become the first and the last that fit.
const fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(seconds.saturating_mul(SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Retention;
    use crate::model::{Body, market_time};
    use crate::wire::fixtures;

    const SYMBOL: SymbolId = SymbolId(0);

    fn bar(start: &str) -> Bar {
        let Body::Bar(bar) = fixtures::bar().body else { unreachable!() };
        Bar { symbol: SYMBOL, start: market_time(start).unwrap(), ..bar }
    }

    /// Three minutes before a weekend and two after it, and the days before them.
    fn archive() -> Archive {
        let minutes = [
            "2026-11-20T15:57",
            "2026-11-20T15:58",
            "2026-11-20T15:59",
            "2026-11-23T09:30",
            "2026-11-23T09:31",
        ];
        // Days with minutes are derived from these.
        let days = ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19"];
        let archive = Archive::new(1, Retention::default());
        archive.seed(SYMBOL, &days.map(bar), &minutes.map(bar), &[]);
        archive
    }

    fn at(text: &str) -> i64 {
        market_time(text).unwrap().seconds()
    }

    fn midnight(date: &str) -> i64 {
        format!("{date}T00:00:00Z").parse::<jiff::Timestamp>().unwrap().as_second()
    }

    fn history(resolution: &str, range: BarRange, most: usize) -> FoundBars {
        let resolution = Resolution::named(resolution).unwrap();
        let archive = archive();
        let reader =
            BarReader { archive: &archive, symbol: SYMBOL, resolution, hours: MarketHours::Exchange };
        reader.history(range, most)
    }

    fn times(resolution: &str, range: BarRange) -> Vec<i64> {
        match history(resolution, range, MAX_BARS) {
            FoundBars::Bars(bars) => bars.iter().map(|bar| bar.time).collect(),
            FoundBars::Nothing { .. } => Vec::new(),
        }
    }

    #[test]
    fn the_start_of_a_range_is_in_it_and_the_end_is_not() {
        let between = |from, to| times("1", BarRange::Between { from: at(from), to: at(to) });

        let two = [at("2026-11-20T15:58"), at("2026-11-20T15:59")];
        assert_eq!(between("2026-11-20T15:58", "2026-11-23T09:30"), two);
        assert_eq!(between("2026-11-20T15:57:01", "2026-11-23T09:30"), two);
        assert_eq!(between("2026-11-20T15:58", "2026-11-20T15:58"), [0i64; 0]);
    }

    #[test]
    fn a_count_of_bars_reaches_over_a_weekend() {
        let latest = |count, to| times("1", BarRange::Latest { count, to: at(to) });

        let expected = ["2026-11-20T15:58", "2026-11-20T15:59", "2026-11-23T09:30"].map(at);
        assert_eq!(latest(3, "2026-11-23T09:31"), expected);
        assert_eq!(latest(2, "2026-11-22"), expected[..2]);
        assert_eq!(latest(900, "2026-11-24").len(), 5);
        assert_eq!(latest(900, "2026-11-20T15:57"), [0i64; 0]);
    }

    #[test]
    fn an_empty_range_tells_the_latest_bar_before_it() {
        let nothing = |range| match history("1", range, MAX_BARS) {
            FoundBars::Nothing { earlier } => earlier,
            FoundBars::Bars(bars) => panic!("{bars:?}"),
        };
        let friday = Some(at("2026-11-20T15:59"));

        let between = |from, to| nothing(BarRange::Between { from: at(from), to: at(to) });
        assert_eq!(between("2026-11-21", "2026-11-22"), friday);
        assert_eq!(between("2026-11-10", "2026-11-11"), None);
        assert_eq!(nothing(BarRange::Latest { count: 3, to: at("2026-11-10") }), None);
    }

    #[test]
    fn days_are_selected_by_their_dates() {
        let expected = ["2026-11-18", "2026-11-19", "2026-11-20"].map(midnight);
        for (from, to) in [
            (midnight("2026-11-18"), midnight("2026-11-21")),
            (midnight("2026-11-17") + 1, midnight("2026-11-20") + 1),
        ] {
            assert_eq!(times("1D", BarRange::Between { from, to }), expected);
        }
        assert_eq!(times("D", BarRange::Latest { count: 3, to: midnight("2026-11-21") }), expected);
        assert_eq!(
            times("D", BarRange::Latest { count: 2, to: midnight("2026-11-20") }),
            [midnight("2026-11-18"), midnight("2026-11-19")]
        );
        assert_eq!(
            times("1W", BarRange::Between { from: midnight("2026-11-16"), to: midnight("2026-11-17") }),
            [midnight("2026-11-16")]
        );
        // The first trading day of the month, on which its bar starts.
        let month = midnight("2026-11-02");
        assert_eq!(times("1M", BarRange::Between { from: month, to: month + 1 }), [month]);
    }

    #[test]
    fn of_too_many_bars_the_latest_are_answered() {
        let all = BarRange::Between { from: 0, to: i64::MAX };
        let bars = |most| match history("1", all, most) {
            FoundBars::Bars(bars) => bars.iter().map(|bar| bar.time).collect::<Vec<_>>(),
            FoundBars::Nothing { .. } => Vec::new(),
        };

        assert_eq!(bars(2), ["2026-11-23T09:30", "2026-11-23T09:31"].map(at));
        assert_eq!(bars(5).len(), 5);
        assert_eq!(times("1", BarRange::Between { from: i64::MIN, to: i64::MAX }).len(), 5);
    }
}
