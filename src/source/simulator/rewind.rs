use crate::model::{Bar, Instrument, Price, SECOND, SymbolId, Timestamp};

use super::path::{Path, YEAR};
use super::portable_math::exp;
use super::random::{Purpose, RandomStream};

/// One instrument's past told backwards, a bar at a time, from a price that is known.
///
/// The price is a [`Path`] walked against time. A walk looks the same from either end, so the past has
/// the clusters of volatility and the fat tails that the future will have, and it needs no bridge:
/// it ends where it began to be told. Each bar costs O(1), however long it is.
#[derive(Clone, Debug)]
pub(super) struct Rewind {
    symbol: SymbolId,
    path: Path,
    random: RandomStream,
    volatility: f64,
    trades_per_second: f64,
    /// The price from which it is told, in ticks.
    from: f64,
    /// How far it is told.
    told_ns: u64,
    /// The logarithm of the price there, from `from`.
    level: f64,
    /// The price there, in ticks.
    ticks: f64,
}

/// How much the number of trades differs from one bar to the next besides chance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mood(pub(super) f64);

/// Volatilities per year: what market, sector and its own path give an instrument together.
const VOLATILITY: std::ops::Range<f64> = 0.21..0.54;

/// Where the logarithm of the price comes to rest a long time ago: most prices were lower.
const AIM: std::ops::Range<f64> = -0.3..0.1;

/// No price is beyond a twentieth or twenty times of the one from which it is told.
const FARTHEST: f64 = 3.0;

/// The mean size of a trade, fitted to what books make: so many shares, and besides as many as make so
/// many ticks.
const MEAN_SIZE: f64 = 54.0;
const MEAN_WORTH_TICKS: f64 = 930_000.0;

/// The deviation of a trade's size, in units of its mean.
const SIZE_DEVIATION: f64 = 1.5;

impl Rewind {
    /// The past of an instrument that has this price, in ticks, now.
    pub(super) fn new(
        instrument: &Instrument,
        trades_per_second: f64,
        from: f64,
        seed: u64,
        purpose: Purpose,
    ) -> Self {
        // Both pasts of an instrument, of today and of days before, begin with the same two draws.
        let mut traits = RandomStream::of(instrument.id, seed, Purpose::PastDays);
        let wildness = traits.uniform() * traits.uniform();
        let volatility = VOLATILITY.start + (VOLATILITY.end - VOLATILITY.start) * wildness;
        let aim = traits.uniform_in(AIM.start, AIM.end);
        let mut random = RandomStream::of(instrument.id, seed, purpose);
        let from = from.max(1.0);
        Self {
            symbol: instrument.id,
            path: Path::jumping(volatility, aim, &mut random),
            random,
            volatility: volatility / YEAR.sqrt(),
            trades_per_second,
            from,
            told_ns: 0,
            level: 0.0,
            ticks: from,
        }
    }

    /// The price, in ticks, where the part told so far begins.
    pub(super) fn ticks(&self) -> f64 {
        self.ticks
    }

    /// The bar of the `length_ns` before what is told so far, which starts at this time.
    ///
    /// `None` when nothing was traded in it.
    pub(super) fn bar(&mut self, start: Timestamp, length_ns: i64, mood: Mood) -> Option<Bar> {
        let seconds = length_ns as f64 / SECOND as f64;
        let (late, late_ticks) = (self.level, self.ticks);
        self.told_ns += length_ns as u64;
        self.level = self.path.at(self.told_ns, &mut self.random).clamp(-FARTHEST, FARTHEST);
        self.ticks = self.from * exp(self.level);

        let expected = self.trades_per_second * seconds * exp(mood.0 * self.random.normal());
        let trades = self.random.poisson(expected);
        if trades == 0 {
            return None;
        }
        let shares = self.shares(trades);
        let close = whole(late_ticks);
        // The first trade is as likely at the bid or the ask as the last one before it was.
        let open = if trades == 1 { close } else { (whole(self.ticks) + self.bounce()).max(1) };
        let (low, high) = if trades < 3 {
            (open.min(close), open.max(close))
        } else {
            let deviation = self.volatility * self.path.heat() * seconds.sqrt();
            let (lowest, highest) = self.extremes(late, deviation);
            let whole = |level| whole(self.from * exp(level));
            (whole(lowest).min(open).min(close), whole(highest).max(open).max(close))
        };
        let above_low = (high - low) as f64 * shares as f64 * self.random.uniform_in(0.35, 0.65);
        let price = Price::from_ticks;
        Some(Bar {
            symbol: self.symbol,
            start,
            open: price(open),
            high: price(high),
            low: price(low),
            close: price(close),
            volume: shares,
            trades,
            notional: low as u128 * u128::from(shares) + above_low as u128,
        })
    }

    /// The lowest and the highest level between where the bar begins and where it ends.
    ///
    /// The extreme of a Brownian bridge has a closed form (Karatzas and Shreve 1991, "Brownian Motion and
    /// Stochastic Calculus", §4.3); drawn one by one, they only miss that they depend on each other.
    fn extremes(&mut self, late: f64, deviation: f64) -> (f64, f64) {
        let early = self.level;
        let (sum, step) = (early + late, late - early);
        let mut reach = || {
            let square = step * step + 2.0 * deviation * deviation * self.random.exponential();
            square.sqrt()
        };
        (0.5 * (sum - reach()), 0.5 * (sum + reach()))
    }

    /// The shares of so many trades, at least one each.
    fn shares(&mut self, trades: u64) -> u64 {
        let usual = MEAN_SIZE + MEAN_WORTH_TICKS / self.ticks;
        let deviation = SIZE_DEVIATION / (trades as f64).sqrt();
        let chance = (1.0 + deviation * self.random.normal()).max(0.1);
        ((trades as f64 * usual * chance) as u64).max(trades)
    }

    /// A tick up, a tick down or none.
    fn bounce(&mut self) -> i64 {
        i64::from(self.random.uniform_below(3)) - 1
    }
}

/// A price is a whole number of ticks, and not 0.
fn whole(ticks: f64) -> i64 {
    (ticks.round() as i64).max(1)
}
