use crate::model::{StatusReason, SymbolId};

use super::random::{Purpose, RandomStream};
use super::simulation::Simulation;

/// When trading is halted, in which instrument, for how long and why.
///
/// Halts are a Poisson process in time and hit every instrument alike, busy or quiet.
#[derive(Clone, Debug)]
pub(super) struct Halts {
    mean_gap_ns: f64,
    mean_length_ns: f64,
    random: RandomStream,
}

/// One halt to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Halt {
    pub(super) symbol: SymbolId,
    pub(super) length_ns: u64,
    pub(super) reason: StatusReason,
}

/// From the shortest halt to the longest, in mean lengths: 10 s and a minute, when the mean is 35 s.
const LENGTHS: std::ops::Range<f64> = 2.0 / 7.0..12.0 / 7.0;

impl Halts {
    pub(super) fn new(settings: &Simulation) -> Self {
        Self {
            mean_gap_ns: 1e9 / settings.halts_per_second,
            mean_length_ns: 1e9 * settings.halt_seconds,
            random: RandomStream::new(settings.seed, Purpose::Halts),
        }
    }

    /// From one halt to the next, in nanoseconds; `None` if there is to be none.
    pub(super) fn gap_ns(&mut self) -> Option<u64> {
        let gap = self.mean_gap_ns.is_finite().then(|| self.mean_gap_ns * self.random.exponential());
        gap.map(|gap_ns| gap_ns as u64)
    }

    /// A halt of one of so many instruments.
    pub(super) fn halt(&mut self, instruments: usize) -> Halt {
        Halt {
            symbol: SymbolId(self.random.uniform_below(instruments as u32)),
            length_ns: (self.mean_length_ns * self.random.uniform_in(LENGTHS.start, LENGTHS.end)) as u64,
            reason: match self.random.bernoulli(0.5) {
                true => StatusReason::NewsPending,
                false => StatusReason::VolatilityPause,
            },
        }
    }
}
