use crate::model::{Sector, SymbolId, Universe};

use super::path::Path;
use super::portable_math::exp;
use super::random::{Purpose, RandomStream};

/// What every instrument is worth: three paths each, the market's, its sector's and its own.
///
/// An instrument's logarithmic price is `beta × market + sector + own`, a factor model after Sharpe
/// (1963) with King's (1966) sectors. So instruments of a sector move together
/// (correlation about 0.35), those of different sectors somewhat less (about 0.2), and either more so in
/// a hot market.
///
/// Asking for a price costs O(1) and touches that instrument only. The factors are brought up at
/// most once in ten milliseconds, when somebody asks.
#[derive(Clone, Debug)]
pub(super) struct Prices {
    market: Path,
    sectors: [Path; Sector::COUNT],
    stocks: Vec<Stock>,
    random: RandomStream,
}

/// What is particular to one instrument, and where it is.
#[derive(Clone, Debug)]
struct Stock {
    own: Path,
    /// How much it moves when the market moves, 0.6 to 1.4.
    beta: f64,
    /// In ticks.
    start: f64,
    sector: Sector,
}

/// What an instrument is worth at some moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worth {
    /// In ticks, not rounded; above 0.
    pub(super) ticks: f64,
    /// How restless it is just now; 1 in the long run.
    pub(super) heat: f64,
}

/// Volatilities per year. In sum an instrument has 21 % to 54 %, on average 31 %.
const MARKET_VOLATILITY: f64 = 0.15;
const SECTOR_VOLATILITY: f64 = 0.11;
const OWN_VOLATILITY: std::ops::Range<f64> = 0.15..0.45;

/// Where the logarithms of prices come to rest, from where they start: the drift of winners and losers.
const AIM: std::ops::Range<f64> = -0.15..0.25;

/// No price leaves the span of start ÷ 20 to start × 20, whatever is drawn. A safeguard: even for the
/// wildest instrument this is six deviations from where it rests.
const FARTHEST: f64 = 3.0;

/// How often the factors are brought up. In 10 ms the market moves by 0.06 of a basis point, less
/// than a tick of anything.
const GRID_NS: u64 = 10_000_000;

impl Prices {
    /// Everything at its previous close, at time 0. O(instruments).
    pub(super) fn new(universe: &Universe, seed: u64) -> Self {
        let mut traits = RandomStream::new(seed, Purpose::Traits);
        let market = Path::continuous(MARKET_VOLATILITY, &mut traits);
        let sectors = std::array::from_fn(|_| Path::continuous(SECTOR_VOLATILITY, &mut traits));
        let stocks = universe
            .iter()
            .map(|instrument| {
                // The square makes quiet instruments common and wild ones rare.
                let wildness = traits.uniform() * traits.uniform();
                let spread = OWN_VOLATILITY.end - OWN_VOLATILITY.start;
                let volatility = OWN_VOLATILITY.start + spread * wildness;
                let aim = traits.uniform_in(AIM.start, AIM.end);
                Stock {
                    own: Path::jumping(volatility, aim, &mut traits),
                    beta: traits.uniform_in(0.6, 1.4),
                    start: instrument.previous_close.ticks().max(1) as f64,
                    sector: instrument.sector,
                }
            })
            .collect();
        Self { market, sectors, stocks, random: RandomStream::new(seed, Purpose::Prices) }
    }

    /// What this instrument is worth, so many nanoseconds after the start.
    ///
    /// Times must not go back; asked again for the same time it answers the same.
    pub(super) fn worth(&mut self, symbol: SymbolId, now_ns: u64) -> Worth {
        let random = &mut self.random;
        let stock = &mut self.stocks[symbol.index()];
        let grid_ns = now_ns - now_ns % GRID_NS;
        let market = self.market.at(grid_ns, random);
        let sector = self.sectors[stock.sector as usize].at(grid_ns, random);
        let own = stock.own.at(now_ns, random);
        let distance = stock.beta * market + sector + own;
        Worth { ticks: stock.start * exp(distance.clamp(-FARTHEST, FARTHEST)), heat: stock.own.heat() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::listings::universe;
    use super::*;

    const DAY_NS: u64 = 23_400_000_000_000;

    #[test]
    fn every_price_begins_at_the_previous_close() {
        let universe = universe(300, 1);
        let mut prices = Prices::new(&universe, 1);

        for instrument in universe.iter() {
            let close = instrument.previous_close.ticks() as f64;
            assert_eq!(prices.worth(instrument.id, 0).ticks, close);
        }
    }

    /// Otherwise busy instruments would be wilder, or tamer, than quiet ones of the same volatility.
    #[test]
    fn looking_more_often_does_not_change_how_far_prices_go() {
        const SEEDS: u64 = 500;
        let universe = universe(20, 1);
        let deviation = |looks: u64| {
            let mut squares = 0.0;
            for seed in 0..SEEDS {
                let mut prices = Prices::new(&universe, seed);
                for look in 1..looks {
                    for instrument in universe.iter() {
                        let _ = prices.worth(instrument.id, look * DAY_NS / looks);
                    }
                }
                for instrument in universe.iter() {
                    let ticks = prices.worth(instrument.id, DAY_NS).ticks;
                    squares += (ticks / instrument.previous_close.ticks() as f64).ln().powi(2);
                }
            }
            (squares / (SEEDS * 20) as f64).sqrt()
        };

        let [once, often] = [1, 100].map(deviation);

        assert!((0.018..0.025).contains(&once), "{once} a day");
        assert!((often / once - 1.0).abs() < 0.1, "{often} with many looks, {once} with one");
    }

    #[test]
    fn prices_of_a_hundred_years_stay_in_sight_of_their_start() {
        let universe = universe(100, 1);
        let mut prices = Prices::new(&universe, 1);

        for month in 1..1_200 {
            for instrument in universe.iter() {
                let ticks = prices.worth(instrument.id, month * 21 * DAY_NS).ticks;
                let moved = ticks / instrument.previous_close.ticks() as f64;
                assert!((0.05..20.0).contains(&moved), "{} moved to {moved}", instrument.symbol);
            }
        }
    }
}
