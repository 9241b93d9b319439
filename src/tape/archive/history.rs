use super::bar_ring::BarRing;
use super::retention::Depth;
use super::ring::Ring;
use super::span::Span;
use crate::model::{Quote, Seq, Timestamp, Trade};
use crate::tape::TradingDay;

/// What is retained of one instrument.
#[derive(Debug)]
pub(super) struct History {
    pub(super) trades: Ring<Trade>,
    pub(super) quotes: Ring<Quote>,
    bars: [BarRing; Span::COUNT],
    /// The day of the newest trade: the calendar is asked once a day, not once a trade.
    today: TradingDay,
}

impl History {
    pub(super) fn new(depth: &Depth) -> Self {
        Self {
            trades: Ring::new(depth.trades),
            quotes: Ring::new(depth.quotes),
            bars: depth.bars.map(BarRing::new),
            today: TradingDay::default(),
        }
    }

    /// Takes in the next trade, with its number, and folds it into the bars of its time.
    pub(super) fn trade(&mut self, seq: Seq, trade: &Trade) {
        self.trades.push(seq, *trade);
        let midnight = self.midnight_before(trade);
        for span in Span::ALL {
            self.bars[span.index()].fold(span.start(trade.at, midnight), trade);
        }
    }

    pub(super) fn bars(&self, span: Span) -> &BarRing {
        &self.bars[span.index()]
    }

    fn midnight_before(&mut self, trade: &Trade) -> Timestamp {
        if self.today.holds(trade.at) {
            return self.today.start;
        }
        let day = TradingDay::of(trade.at);
        if day.start > self.today.start {
            self.today = day;
        }
        day.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, SECOND, SymbolId};
    use crate::tape::archive::Retention;
    use crate::wire::fixtures;

    /// Midnight in New York of a day in winter.
    const MIDNIGHT: i64 = 1_614_056_400 * SECOND;

    fn history(ats: &[i64]) -> History {
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        let mut history = History::new(&Retention::default().depth(1));
        for (seq, at) in (1..).zip(ats) {
            history.trade(Seq(seq), &Trade { at: Timestamp::from_nanos(MIDNIGHT + at), ..trade });
        }
        history
    }

    fn newest(history: &History, span: Span) -> (i64, u64) {
        let bar = history.bars(span).newest(SymbolId(0)).unwrap();
        ((bar.start.nanos() - MIDNIGHT) / SECOND, bar.trades)
    }

    #[test]
    fn a_trade_is_in_the_bars_of_every_span() {
        let hours = 3_600;
        let history = history(&[(13 * hours + 1_234) * SECOND + 5]);

        let starts = Span::ALL.map(|span| newest(&history, span).0 - 13 * hours);

        assert_eq!(starts, [1_234, 1_230, 1_200, 1_200, 0, -13 * hours]);
    }

    #[test]
    fn a_late_trade_of_yesterday_goes_into_yesterdays_bar() {
        let history = history(&[-2, -1, 0, 1, -1, 2].map(|second| second * SECOND));

        assert_eq!(newest(&history, Span::Day), (0, 3));
        let yesterday = history.bars(Span::Day).before_newest(SymbolId(0), 1).unwrap();
        assert_eq!((yesterday.start.nanos(), yesterday.trades), (MIDNIGHT - 24 * 3_600 * SECOND, 3));
    }
}
