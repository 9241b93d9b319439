use std::ops::Range;

use crate::model::SymbolId;

use super::listings::Listings;
use super::portable_math::exp;
use super::price_process::PriceProcess;
use super::random::{Purpose, RandomStream};
use super::sector::Sector;

/// The fair value of every instrument: a factor model with a market, a sector and an own process each.
///
/// An instrument's log price is `beta × market + sector + own`, after Sharpe (1963) with King's (1966)
/// sectors. Instruments of one sector are correlated by about 0.35, those of different sectors by about
/// 0.2, and both by more when the market is volatile.
///
/// A fair value costs O(1) and touches that instrument only. The common factors are advanced at most once
/// in ten milliseconds, on demand.
#[derive(Clone, Debug)]
pub(super) struct FactorModel {
    market: PriceProcess,
    sectors: [PriceProcess; Sector::COUNT],
    stocks: Vec<Stock>,
    random: RandomStream,
}

/// The constants and the own process of one instrument.
#[derive(Clone, Debug)]
struct Stock {
    own: PriceProcess,
    /// Sensitivity to the market, 0.6 to 1.4.
    beta: f64,
    /// The price at the start, in ticks.
    start: f64,
    sector: Sector,
}

/// The unobserved price around which an instrument is quoted and traded.
#[derive(Clone, Copy, Debug)]
pub(super) struct FairValue {
    /// In ticks, not rounded; above 0.
    pub(super) ticks: f64,
    /// The current volatility of the instrument's own process, in units of the long-run one.
    pub(super) relative_volatility: f64,
}

/// Volatility and long-run level of one instrument's price process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traits {
    /// Per year.
    pub(super) volatility: f64,
    /// The log price a long time from now, relative to the start.
    pub(super) long_run_level: f64,
}

/// Volatilities per year.
const MARKET_VOLATILITY: f64 = 0.15;
const SECTOR_VOLATILITY: f64 = 0.11;
const OWN_VOLATILITY: Range<f64> = 0.15..0.45;

/// The volatility per year of an instrument's price: of market, sector, own process and jumps together. The
/// mean is 31 %.
pub(super) const TOTAL_VOLATILITY: Range<f64> = 0.21..0.54;

const BETA: Range<f64> = 0.6..1.4;

/// Long-run levels of future prices: some instruments gain, some lose.
const FUTURE_LEVEL: Range<f64> = -0.15..0.25;

/// No price leaves the range of start ÷ 20 to start × 20. A safeguard: for the most volatile instrument
/// this is six deviations from the long-run level.
const MAX_LEVEL: f64 = 3.0;

/// The resolution of market and sector factors. In 10 ms the market moves by 0.06 of a basis point, less
/// than a tick of any instrument.
const FACTOR_GRID_NS: u64 = 10_000_000;

impl Traits {
    /// Random traits within these ranges. Low volatilities are common, high ones are rare.
    pub(super) fn sample(
        volatility: Range<f64>,
        long_run_level: Range<f64>,
        random: &mut RandomStream,
    ) -> Self {
        let skewed = random.uniform() * random.uniform();
        Self {
            volatility: volatility.start + (volatility.end - volatility.start) * skewed,
            long_run_level: random.uniform_in(long_run_level.start, long_run_level.end),
        }
    }
}

/// The level within the range that prices never leave.
pub(super) fn limited(level: f64) -> f64 {
    level.clamp(-MAX_LEVEL, MAX_LEVEL)
}

impl FactorModel {
    /// A model with every price at its opening price at time 0. O(instruments).
    pub(super) fn new(listings: &Listings, seed: u64) -> Self {
        let mut random = RandomStream::new(seed, Purpose::Traits);
        let market = PriceProcess::continuous(MARKET_VOLATILITY, &mut random);
        let sectors = std::array::from_fn(|_| PriceProcess::continuous(SECTOR_VOLATILITY, &mut random));
        let stocks = listings
            .iter()
            .map(|(instrument, sector)| {
                let traits = Traits::sample(OWN_VOLATILITY, FUTURE_LEVEL, &mut random);
                Stock {
                    own: PriceProcess::with_jumps(traits.volatility, traits.long_run_level, &mut random),
                    beta: random.uniform_in(BETA.start, BETA.end),
                    start: listings.opening_price(instrument).cents().max(1) as f64,
                    sector,
                }
            })
            .collect();
        Self { market, sectors, stocks, random: RandomStream::new(seed, Purpose::Prices) }
    }

    /// The fair value of an instrument at this time, in nanoseconds since the start.
    ///
    /// Time must not go back. A second call for the same time returns the same value.
    pub(super) fn fair_value(&mut self, symbol: SymbolId, now_ns: u64) -> FairValue {
        let random = &mut self.random;
        let stock = &mut self.stocks[symbol.index()];
        let grid_ns = now_ns - now_ns % FACTOR_GRID_NS;
        let market = self.market.advance_to(grid_ns, random);
        let sector = self.sectors[stock.sector as usize].advance_to(grid_ns, random);
        let own = stock.own.advance_to(now_ns, random);
        let level = stock.beta * market + sector + own;
        FairValue {
            ticks: stock.start * exp(limited(level)),
            relative_volatility: stock.own.relative_volatility(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::listings::close_of;
    use super::super::price_process::JUMP_VARIANCE;
    use super::*;

    const DAY_NS: u64 = 23_400_000_000_000;

    #[test]
    fn every_price_starts_at_the_previous_close() {
        let listings = Listings::new(300, 1);
        let mut model = FactorModel::new(&listings, 1);

        for instrument in listings.universe().iter() {
            let close = close_of(instrument).cents() as f64;
            assert_eq!(model.fair_value(instrument.id, 0).ticks, close);
        }
    }

    #[test]
    fn the_total_volatility_is_that_of_all_factors_together() {
        let total = |beta: f64, own: f64| {
            let market = beta * MARKET_VOLATILITY;
            let variance =
                market * market + SECTOR_VOLATILITY * SECTOR_VOLATILITY + own * own * (1.0 + JUMP_VARIANCE);
            variance.sqrt()
        };

        assert!((total(BETA.start, OWN_VOLATILITY.start) - TOTAL_VOLATILITY.start).abs() < 0.01);
        assert!((total(BETA.end, OWN_VOLATILITY.end) - TOTAL_VOLATILITY.end).abs() < 0.01);
    }

    /// Otherwise active instruments would have another volatility than quiet ones with the same traits.
    #[test]
    fn the_sampling_rate_does_not_change_how_far_prices_move() {
        const SEEDS: u64 = 500;
        let listings = Listings::new(20, 1);
        let deviation = |samples: u64| {
            let mut squares = 0.0;
            for seed in 0..SEEDS {
                let mut model = FactorModel::new(&listings, seed);
                for sample in 1..samples {
                    for instrument in listings.universe().iter() {
                        let _ = model.fair_value(instrument.id, sample * DAY_NS / samples);
                    }
                }
                for instrument in listings.universe().iter() {
                    let ticks = model.fair_value(instrument.id, DAY_NS).ticks;
                    squares += (ticks / close_of(instrument).cents() as f64).ln().powi(2);
                }
            }
            (squares / (SEEDS * 20) as f64).sqrt()
        };

        let [once, often] = [1, 100].map(deviation);

        assert!((0.018..0.025).contains(&once), "{once} a day");
        assert!((often / once - 1.0).abs() < 0.1, "{often} with many samples, {once} with one");
    }

    #[test]
    fn prices_stay_within_a_factor_of_twenty_for_a_hundred_years() {
        let listings = Listings::new(100, 1);
        let mut model = FactorModel::new(&listings, 1);

        for month in 1..1_200 {
            for instrument in listings.universe().iter() {
                let ticks = model.fair_value(instrument.id, month * 21 * DAY_NS).ticks;
                let moved = ticks / close_of(instrument).cents() as f64;
                assert!((0.05..20.0).contains(&moved), "{} moved to {moved}", instrument.symbol);
            }
        }
    }
}
