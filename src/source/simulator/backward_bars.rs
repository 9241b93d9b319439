use crate::model::{Bar, Instrument, Price, SECOND, SymbolId, Timestamp};

use super::factor_model::{PAST_LEVEL, TOTAL_VOLATILITY, Traits, limited};
use super::portable_math::exp;
use super::price_process::{PriceProcess, YEAR};
use super::random::{Purpose, RandomStream};

/// Generates the historical bars of one instrument backwards in time, from a known price.
///
/// The price is a [`PriceProcess`] that runs against time. A random walk has the same statistics in both
/// directions, so the past has the volatility clusters and the fat tails of the future, and needs no
/// bridge to end at the known price. A bar costs O(1), independent of its length.
#[derive(Clone, Debug)]
pub(super) struct BackwardBars {
    symbol: SymbolId,
    process: PriceProcess,
    random: RandomStream,
    /// Long-run volatility, per square root of a second.
    volatility: f64,
    trades_per_second: f64,
    /// The known price at the end of the newest bar, in ticks.
    known_ticks: f64,
    /// The length of all bars generated so far.
    generated_ns: u64,
    /// The log price at the start of the oldest bar, relative to the known price.
    level: f64,
    /// The price there, in ticks.
    ticks: f64,
}

/// The standard deviation of the logarithm of the trade rate from bar to bar, in addition to that of a
/// Poisson process.
#[derive(Clone, Copy, Debug)]
pub(super) struct RateDeviation(pub(super) f64);

/// The mean trade size in shares is `MEAN_SIZE + MEAN_SIZE_TICKS / price in ticks`, fitted to what the top
/// of book makes.
const MEAN_SIZE: f64 = 54.0;
const MEAN_SIZE_TICKS: f64 = 930_000.0;

/// The standard deviation of the trade size, in units of its mean.
const SIZE_DEVIATION: f64 = 1.5;

impl BackwardBars {
    /// Bars of an instrument whose price after the newest one is `known_ticks`.
    pub(super) fn new(
        instrument: &Instrument,
        trades_per_second: f64,
        known_ticks: f64,
        seed: u64,
        purpose: Purpose,
    ) -> Self {
        // The same stream for today and for the days before, so that both have the same traits.
        let mut random = RandomStream::of(instrument.id, seed, Purpose::PastDays);
        let traits = Traits::sample(TOTAL_VOLATILITY, PAST_LEVEL, &mut random);
        let mut random = RandomStream::of(instrument.id, seed, purpose);
        let known_ticks = known_ticks.max(1.0);
        Self {
            symbol: instrument.id,
            process: PriceProcess::with_jumps(traits.volatility, traits.long_run_level, &mut random),
            random,
            volatility: traits.volatility / YEAR.sqrt(),
            trades_per_second,
            known_ticks,
            generated_ns: 0,
            level: 0.0,
            ticks: known_ticks,
        }
    }

    /// The price at the start of the oldest bar, in ticks.
    pub(super) fn ticks(&self) -> f64 {
        self.ticks
    }

    /// The bar before all bars generated so far; `None` when it has no trade.
    pub(super) fn previous(
        &mut self,
        start: Timestamp,
        length_ns: i64,
        deviation: RateDeviation,
    ) -> Option<Bar> {
        let seconds = length_ns as f64 / SECOND as f64;
        let (end_level, end_ticks) = (self.level, self.ticks);
        self.generated_ns += length_ns as u64;
        self.level = limited(self.process.advance_to(self.generated_ns, &mut self.random));
        self.ticks = self.known_ticks * exp(self.level);

        let expected = self.trades_per_second * seconds * exp(deviation.0 * self.random.normal());
        let trades = self.random.poisson(expected);
        if trades == 0 {
            return None;
        }
        let shares = self.shares(trades);
        let close = whole(end_ticks);
        // The first trade of a bar and the last one before it are at the bid or the ask independently.
        let open = if trades == 1 { close } else { (whole(self.ticks) + self.bounce()).max(1) };
        let (low, high) = if trades < 3 {
            (open.min(close), open.max(close))
        } else {
            let deviation = self.volatility * self.process.relative_volatility() * seconds.sqrt();
            let (lowest, highest) = self.extremes(end_level, deviation);
            let whole = |level| whole(self.known_ticks * exp(level));
            (whole(lowest).min(open).min(close), whole(highest).max(open).max(close))
        };
        let above_low = (high - low) as f64 * shares as f64 * self.random.uniform_in(0.35, 0.65);
        let price = Price::from_cents;
        Some(Bar {
            symbol: self.symbol,
            start,
            open: price(open),
            high: price(high),
            low: price(low),
            close: price(close),
            volume: shares,
            trades,
            notional: (i128::from(low) * i128::from(shares) + above_low as i128)
                * i128::from(price(1).nanos()),
        })
    }

    /// The lowest and the highest level between the start and the end of a bar.
    ///
    /// The distribution of the extreme of a Brownian bridge has a closed form (Karatzas and Shreve 1991,
    /// "Brownian Motion and Stochastic Calculus", §4.3). Minimum and maximum are sampled independently,
    /// which ignores their dependence.
    fn extremes(&mut self, end: f64, deviation: f64) -> (f64, f64) {
        let start = self.level;
        let (sum, step) = (start + end, end - start);
        let mut range = || {
            let square = step * step + 2.0 * deviation * deviation * self.random.exponential();
            square.sqrt()
        };
        (0.5 * (sum - range()), 0.5 * (sum + range()))
    }

    /// The shares of this number of trades, at least one each.
    fn shares(&mut self, trades: u64) -> u64 {
        let mean = MEAN_SIZE + MEAN_SIZE_TICKS / self.ticks;
        let deviation = SIZE_DEVIATION / (trades as f64).sqrt();
        let factor = (1.0 + deviation * self.random.normal()).max(0.1);
        ((trades as f64 * mean * factor) as u64).max(trades)
    }

    /// A bid-ask bounce: −1, 0 or 1 tick.
    fn bounce(&mut self) -> i64 {
        i64::from(self.random.uniform_below(3)) - 1
    }
}

/// Rounds to a whole number of ticks, at least 1.
fn whole(ticks: f64) -> i64 {
    (ticks.round() as i64).max(1)
}
