use std::ops::Range;

use crate::model::{Cancel, CancelAction, Conditions, Correction, Price, Print, Timestamp, Trade};

use super::book::conditions;
use super::random::{Purpose, RandomStream};
use super::simulation::Simulation;

/// What goes wrong with the reports of trades: some are late, some wrong, some void.
///
/// One draw of its own for each trade decides; what trades are like is not touched by it.
#[derive(Clone, Debug)]
pub(super) struct Reports {
    /// Below this a trade is late, below the next one to be corrected, below the last cancelled.
    late: f64,
    corrected: f64,
    cancelled: f64,
    random: RandomStream,
}

/// What becomes of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is reported as it is.
    TcpTransport,
    /// It is reported only so many nanoseconds after it happened.
    Late(u64),
    /// It is reported, and corrected so much later.
    Corrected(u64),
    /// It is reported, and cancelled so much later.
    Cancelled(u64),
}

/// How late a trade is reported, in nanoseconds. Above 10 s a real one must be marked late (FINRA Rule 6380A).
const LATENESS: Range<f64> = 1e9..30e9;

/// How long after a trade its correction or its cancel comes. Minutes or hours in a real market; here,
/// while it is still to be seen.
const REMORSE: Range<f64> = 1e9..8e9;

/// By how many ticks a price is wrong at most.
const WRONG_TICKS: u32 = 4;

/// Sold, out of sequence (`Z` of the Consolidated Tape System), and the same of an odd lot.
const LATE: Conditions = Conditions([b'Z', 0]);
const LATE_ODD_LOT: Conditions = Conditions([b'Z', b'I']);

impl Reports {
    pub(super) fn new(settings: &Simulation) -> Self {
        let late = settings.late_share;
        let corrected = late + settings.corrected_share;
        let cancelled = corrected + settings.cancelled_share;
        Self { late, corrected, cancelled, random: RandomStream::new(settings.seed, Purpose::Reports) }
    }

    /// What becomes of the next trade.
    pub(super) fn fate(&mut self) -> Fate {
        let lot = self.random.uniform();
        if lot >= self.cancelled {
            return Fate::TcpTransport;
        }
        let mut after = |span: Range<f64>| self.random.uniform_in(span.start, span.end) as u64;
        match lot {
            lot if lot < self.late => Fate::Late(after(LATENESS)),
            lot if lot < self.corrected => Fate::Corrected(after(REMORSE)),
            _ => Fate::Cancelled(after(REMORSE)),
        }
    }

    /// A trade as it is reported late, under this id: with the stamp of when it happened.
    pub(super) fn late(trade: Trade, id: u64, happened: Timestamp) -> Trade {
        let is_odd_lot = trade.conditions == Conditions::ODD_LOT;
        let conditions = if is_odd_lot { LATE_ODD_LOT } else { LATE };
        Trade { id, conditions, at: happened, ..trade }
    }

    /// The correction of a trade: another price or another size, under this new id.
    pub(super) fn correct(&mut self, trade: &Trade, id: u64, at: Timestamp) -> Correction {
        let original = Print::of(trade);
        let corrected = match self.random.bernoulli(0.5) {
            true => Print { id, price: self.other_price(trade.price), ..original },
            false => {
                let size = self.other_size(trade.size);
                Print { id, size, conditions: conditions(size), ..original }
            }
        };
        let Trade { symbol, venue, tape, .. } = *trade;
        Correction { symbol, venue, original, corrected, tape, at }
    }

    /// The end of a trade.
    pub(super) fn cancel(&mut self, trade: &Trade, at: Timestamp) -> Cancel {
        let action = if self.random.bernoulli(0.5) { CancelAction::Cancelled } else { CancelAction::Error };
        let Trade { symbol, id, venue, price, size, tape, .. } = *trade;
        Cancel { symbol, id, venue, price, size, action, tape, at }
    }

    fn other_price(&mut self, price: Price) -> Price {
        let ticks = Price::from_ticks(i64::from(1 + self.random.uniform_below(WRONG_TICKS)));
        let is_lower = self.random.bernoulli(0.5) && price > ticks;
        if is_lower { price - ticks } else { price + ticks }
    }

    fn other_size(&mut self, size: u32) -> u32 {
        match 1 + self.random.uniform_below(size.saturating_mul(2)) {
            same if same == size => size + 1,
            other => other,
        }
    }
}
