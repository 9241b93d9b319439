use std::ops::Range;

use crate::model::{Cancel, CancelAction, Conditions, Correction, Price, Print, Timestamp, Trade};

use super::random::{Purpose, RandomStream};
use super::settings::SimulationSettings;
use super::top_of_book::conditions;

/// Decides which trades are reported late, corrected or cancelled.
///
/// It has a random stream of its own, so it does not change the trades themselves.
#[derive(Clone, Debug)]
pub(super) struct TradeReporting {
    /// Cumulative shares: a uniform number below `late` makes a trade late, and so on.
    late: f64,
    corrected: f64,
    cancelled: f64,
    random: RandomStream,
}

/// How a trade is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reporting {
    OnTime,
    Late {
        delay_ns: u64,
    },
    /// On time, and corrected after the delay.
    Corrected {
        delay_ns: u64,
    },
    /// On time, and cancelled after the delay.
    Cancelled {
        delay_ns: u64,
    },
}

/// The delay of a late report, in nanoseconds. A real trade must be marked late above 10 s (FINRA Rule
/// 6380A).
const LATE_DELAY_NS: Range<f64> = 1e9..30e9;

/// The time from a trade to its correction or cancel, in nanoseconds. Real markets take minutes or hours;
/// here the trade is still on screen.
const CORRECTION_DELAY_NS: Range<f64> = 1e9..8e9;

/// The largest difference between a corrected and an original price.
const MAX_PRICE_ERROR_TICKS: u32 = 4;

/// Sold out of sequence (`Z` of the Consolidated Tape System), of a round lot and of an odd lot.
const LATE: Conditions = Conditions::new(b"Z");
const LATE_ODD_LOT: Conditions = Conditions::new(b"ZI");

impl TradeReporting {
    pub(super) fn new(settings: &SimulationSettings) -> Self {
        let late = settings.late_share;
        let corrected = late + settings.corrected_share;
        let cancelled = corrected + settings.cancelled_share;
        Self { late, corrected, cancelled, random: RandomStream::new(settings.seed, Purpose::Reports) }
    }

    /// How the next trade is reported.
    pub(super) fn next(&mut self) -> Reporting {
        let uniform = self.random.uniform();
        if uniform >= self.cancelled {
            return Reporting::OnTime;
        }
        let mut delay_ns = |range: Range<f64>| self.random.uniform_in(range.start, range.end) as u64;
        match uniform {
            uniform if uniform < self.late => Reporting::Late { delay_ns: delay_ns(LATE_DELAY_NS) },
            uniform if uniform < self.corrected => {
                Reporting::Corrected { delay_ns: delay_ns(CORRECTION_DELAY_NS) }
            }
            _ => Reporting::Cancelled { delay_ns: delay_ns(CORRECTION_DELAY_NS) },
        }
    }

    /// The late report of a trade, with this id and the time of the trade.
    pub(super) fn late(trade: Trade, id: u64, traded_at: Timestamp) -> Trade {
        let is_odd_lot = trade.conditions == Conditions::ODD_LOT;
        let conditions = if is_odd_lot { LATE_ODD_LOT } else { LATE };
        Trade { id, conditions, at: traded_at, ..trade }
    }

    /// The correction of a trade: another price or another size, with this new id.
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

    pub(super) fn cancel(&mut self, trade: &Trade, at: Timestamp) -> Cancel {
        let action = if self.random.bernoulli(0.5) { CancelAction::Cancelled } else { CancelAction::Error };
        let Trade { symbol, id, venue, price, size, tape, .. } = *trade;
        Cancel { symbol, id, venue, price, size, action, tape, at }
    }

    fn other_price(&mut self, price: Price) -> Price {
        let ticks = Price::from_cents(i64::from(1 + self.random.uniform_below(MAX_PRICE_ERROR_TICKS)));
        let is_lower = self.random.bernoulli(0.5) && price > ticks;
        if is_lower { price - ticks } else { price + ticks }
    }

    fn other_size(&mut self, size: u64) -> u64 {
        let below = u32::try_from(size.saturating_mul(2)).unwrap_or(u32::MAX);
        match 1 + u64::from(self.random.uniform_below(below)) {
            same if same == size => size + 1,
            other => other,
        }
    }
}
