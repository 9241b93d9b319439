use std::ops::Range;

use super::span::Span;
use super::timeframe::joined;
use crate::model::{Bar, SymbolId, Timestamp};

/// The bars from before an archive [begins](super::Archive::begin), made whenever they are read: they take no memory. The
/// same call gives the same bars. It is the thread of the reader that calls, without a lock.
pub trait EarlierBars: Send + Sync {
    /// The midnights between which there are minutes, in order: the starts of days, and the end of the last day.
    fn midnights(&self) -> &[Timestamp];

    /// The bars of days, in order.
    fn days(&self, symbol: SymbolId) -> Vec<Bar>;

    /// The complete minutes of the day that starts at one of the [midnights](Self::midnights), in order.
    fn minutes(&self, symbol: SymbolId, midnight: Timestamp) -> Vec<Bar>;

    /// The complete seconds, in order; from the start of a minute on.
    fn seconds(&self, symbol: SymbolId) -> Vec<Bar>;

    /// The latest bars before this time.
    fn until(&self, symbol: SymbolId, at: Timestamp) -> LatestBars;
}

/// The bars in which an archive begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LatestBars {
    /// That of the latest day before today.
    pub previous_day: Option<Bar>,
    /// Today's complete hours, if the market has no regular hours, which part days otherwise.
    pub hours: Vec<Bar>,
    /// Today's latest complete minutes: those of whole hours, and all of the current one.
    pub minutes: Vec<Bar>,
    /// The latest complete seconds: those of whole minutes, and all of the current one.
    pub seconds: Vec<Bar>,
}

/// Two midnights, between which everything is.
const ALWAYS: [Timestamp; 2] = [Timestamp::from_nanos(i64::MIN), Timestamp::from_nanos(i64::MAX)];

impl dyn EarlierBars + '_ {
    /// The oldest bars of this span that start within these times, in order: at least one if there are any.
    pub(super) fn oldest(&self, symbol: SymbolId, span: Span, times: &Range<Timestamp>) -> Vec<Bar> {
        self.parts(symbol, span, times).find(|bars| !bars.is_empty()).unwrap_or_default()
    }

    /// The newest bars of this span that start within these times, in order: at least one if there are any.
    pub(super) fn newest(&self, symbol: SymbolId, span: Span, times: &Range<Timestamp>) -> Vec<Bar> {
        self.parts(symbol, span, times).rev().find(|bars| !bars.is_empty()).unwrap_or_default()
    }

    /// The bars of a span within these times in the parts that are made together: minutes and what is joined from them by
    /// days, all others at once.
    fn parts(
        &self,
        symbol: SymbolId,
        span: Span,
        times: &Range<Timestamp>,
    ) -> impl DoubleEndedIterator<Item = Vec<Bar>> {
        let midnights = match span {
            Span::Minute | Span::FiveMinutes | Span::Hour => self.midnights(),
            Span::Second | Span::FiveSeconds | Span::Day => &ALWAYS,
        };
        let Range { start, end } = *times;
        midnights.windows(2).filter(move |day| day[0] < end && day[1] > start).map(move |day| {
            let mut bars = match span {
                Span::Second | Span::FiveSeconds => joined(&self.seconds(symbol), Span::Second, span),
                Span::Minute | Span::FiveMinutes | Span::Hour => {
                    joined(&self.minutes(symbol, day[0]), Span::Minute, span)
                }
                Span::Day => self.days(symbol),
            };
            bars.retain(|bar| (start..end).contains(&bar.start));
            bars
        })
    }
}
