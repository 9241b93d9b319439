use crate::model::{StatusReason, SymbolId};

use super::random::{Purpose, RandomStream};
use super::settings::SimulationSettings;

/// Trading halts: a Poisson process over the whole market.
///
/// Every instrument is halted with the same probability, active or not.
#[derive(Clone, Debug)]
pub(super) struct Halts {
    mean_gap_ns: f64,
    mean_length_ns: f64,
    random: RandomStream,
}

/// A halt of one instrument.
#[derive(Clone, Copy, Debug)]
pub(super) struct Halt {
    pub(super) symbol: SymbolId,
    pub(super) length_ns: u64,
    pub(super) reason: StatusReason,
}

/// The length of a halt in units of the mean: 10 s to a minute for a mean of 35 s.
const RELATIVE_LENGTH: std::ops::Range<f64> = 2.0 / 7.0..12.0 / 7.0;

impl Halts {
    pub(super) fn new(settings: &SimulationSettings) -> Self {
        Self {
            mean_gap_ns: 1e9 / settings.halts_per_second,
            mean_length_ns: 1e9 * settings.halt_seconds,
            random: RandomStream::new(settings.seed, Purpose::Halts),
        }
    }

    /// The time to the next halt in nanoseconds; `None` with a rate of 0.
    pub(super) fn next_gap_ns(&mut self) -> Option<u64> {
        let gap = self.mean_gap_ns.is_finite().then(|| self.mean_gap_ns * self.random.exponential());
        gap.map(|gap_ns| gap_ns as u64)
    }

    /// A random halt in a market of this number of instruments.
    pub(super) fn sample(&mut self, instruments: usize) -> Halt {
        Halt {
            symbol: SymbolId(self.random.uniform_below(instruments as u32)),
            length_ns: (self.mean_length_ns
                * self.random.uniform_in(RELATIVE_LENGTH.start, RELATIVE_LENGTH.end))
                as u64,
            reason: match self.random.bernoulli(0.5) {
                true => StatusReason::NEWS_PENDING,
                false => StatusReason::VOLATILITY_PAUSE,
            },
        }
    }
}
