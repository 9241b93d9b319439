use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

use super::elementary::{exp, ln};
use crate::model::SymbolId;

/// What a stream of draws is for. Each purpose has a stream of its own, so that a new kind of
/// event, drawing from a new stream, leaves everything that was there before as it was.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Purpose {
    /// Symbols, names and prices of invented companies.
    Listings = 1,
    /// What is particular to each instrument: volatility, beta, drift.
    Temperaments,
    /// When something happens, and to whom.
    Arrivals,
    /// Where the prices go.
    Prices,
    /// Spreads, sizes and venues.
    Books,
    /// The days before today; a stream for each instrument.
    PastDays,
    /// Today until the market opens; a stream for each instrument.
    Today,
    /// Which reports of trades are late, wrong or void.
    Reports,
    /// When trading is halted, and where.
    Halts,
}

/// A stream of random draws that is the same on every machine and in every release.
///
/// xoshiro256++ (Blackman and Vigna 2021, "Scrambled linear pseudorandom number generators") by
/// its own name: `rand` promises its values, while `SmallRng` and `StdRng` may become another
/// algorithm with any release, and `SmallRng` is another one on 32-bit machines. For the same reason
/// the distributions below are our own: those of `rand` may change how they spend their bits.
///
/// It is fast (about 1 ns a draw) and not secret: who sees enough ticks can tell the next.
#[derive(Clone, Debug)]
pub(super) struct Draws(Xoshiro256PlusPlus);

impl Draws {
    /// The stream for this purpose under this seed.
    pub(super) fn new(seed: u64, purpose: Purpose) -> Self {
        // Spreads the purposes over the whole range, as SplitMix64 does with its steps.
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        let mixed = seed ^ (purpose as u64).wrapping_mul(GOLDEN).rotate_left(32);
        Self(Xoshiro256PlusPlus::seed_from_u64(mixed))
    }

    /// The stream of one instrument for this purpose under this seed.
    pub(super) fn of(symbol: SymbolId, seed: u64, purpose: Purpose) -> Self {
        // Any odd constant tells instruments apart; this one, of xxHash, is none of the steps above.
        const PRIME: u64 = 0xc2b2_ae3d_27d4_eb4f;
        Self::new(seed ^ u64::from(symbol.0 + 1).wrapping_mul(PRIME), purpose)
    }

    /// 64 fair coins.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in [0, 1), in steps of 2^−53.
    pub(super) fn unit(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1u64 << 53) as f64;
        (self.bits() >> 11) as f64 * STEP
    }

    /// Uniform in [low, high).
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform in 0..count; 0 when count is 0. The bias is below count / 2^32.
    pub(super) fn below(&mut self, count: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(count)) >> 32) as u32
    }

    /// Any one of these.
    pub(super) fn one_of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len() as u32) as usize]
    }

    /// True with this probability: 0 never, 1 always.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Exponential with mean 1: from 0 to 36.8.
    pub(super) fn exponential(&mut self) -> f64 {
        -ln(1.0 - self.unit())
    }

    /// How often something happens that happens so often on average: Poisson, above 12 nearly.
    ///
    /// Few are counted by multiplying uniforms (Knuth), many are a rounded normal: O(1) for any mean.
    pub(super) fn poisson(&mut self, mean: f64) -> u64 {
        const MANY: f64 = 12.0;
        if mean > MANY {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let end = exp(-mean);
        let mut product = self.unit();
        let mut count = 0;
        while product > end {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// Nearly normal with mean 0 and variance 1; never beyond 8.3.
    ///
    /// The heads among 64 coins, with the difference of two uniforms to fill the steps between:
    /// the central limit theorem in five instructions, without a table, a branch or a logarithm. Its
    /// kurtosis is 2.97 in place of 3. Nothing fat-tailed hangs on that: the tails of
    /// our returns come from changing volatility and from jumps.
    pub(super) fn normal(&mut self) -> f64 {
        const HALF: f64 = 1.0 / (1u64 << 32) as f64;
        // Variance 64/4 of the coins and 2/12 of the filling.
        const PER_DEVIATION: f64 = 0.248_708_001_686_903_46;
        let heads = self.bits().count_ones() as i32 - 32;
        let filling = self.bits();
        let first = (filling >> 32) as f64 * HALF;
        let second = f64::from(filling as u32) * HALF;
        (f64::from(heads) + (first - second)) * PER_DEVIATION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: usize = 400_000;

    /// Mean, variance and kurtosis of many draws.
    fn moments(mut draw: impl FnMut() -> f64) -> [f64; 3] {
        let values: Vec<f64> = (0..MANY).map(|_| draw()).collect();
        let mean = values.iter().sum::<f64>() / MANY as f64;
        let moment = |power| values.iter().map(|v| (v - mean).powi(power)).sum::<f64>() / MANY as f64;
        [mean, moment(2), moment(4) / moment(2).powi(2)]
    }

    fn assert_near(found: [f64; 3], claimed: [f64; 3]) {
        for (found, claimed) in found.into_iter().zip(claimed) {
            assert!((found - claimed).abs() < 0.01 * claimed.max(1.0), "{found} for {claimed}");
        }
    }

    #[test]
    fn normal_draws_have_the_moments_of_a_normal() {
        let mut draws = Draws::new(1, Purpose::Prices);

        assert_near(moments(|| draws.normal()), [0.0, 1.0, 2.97]);
    }

    #[test]
    fn exponential_draws_are_not_negative_and_have_mean_and_variance_one() {
        let mut draws = Draws::new(1, Purpose::Prices);

        let [mean, variance, _] = moments(|| {
            let gap = draws.exponential();
            assert!(gap >= 0.0);
            gap
        });

        assert_near([mean, variance, 0.0], [1.0, 1.0, 0.0]);
    }

    #[test]
    fn counts_have_the_mean_and_the_variance_of_poisson() {
        for claimed in [0.0, 0.4, 11.9, 12.1, 5_000.0] {
            let mut draws = Draws::new(1, Purpose::Today);

            let [mean, variance, _] = moments(|| draws.poisson(claimed) as f64);

            assert_near([mean, variance, 0.0], [claimed, claimed, 0.0]);
        }
    }

    #[test]
    fn a_count_is_drawn_evenly_and_never_reached() {
        let mut draws = Draws::new(1, Purpose::Books);
        let mut seen = [0u32; 7];

        for _ in 0..70_000 {
            seen[draws.below(7) as usize] += 1;
        }

        assert!(seen.iter().all(|count| (9_600..10_400).contains(count)), "{seen:?}");
        assert_eq!(draws.below(0), 0);
    }

    #[test]
    fn purposes_and_seeds_have_streams_of_their_own() {
        let first = |seed, purpose| Draws::new(seed, purpose).bits();

        assert_eq!(first(7, Purpose::Books), first(7, Purpose::Books));
        assert_ne!(first(7, Purpose::Books), first(7, Purpose::Prices));
        assert_ne!(first(7, Purpose::Books), first(8, Purpose::Books));
        let of = |place| Draws::of(SymbolId(place), 7, Purpose::Today).bits();
        assert_ne!(of(0), first(7, Purpose::Today));
        assert_ne!(of(0), of(1));
    }

    /// If this fails, every recorded seed tells another story: a breaking change.
    #[test]
    fn the_first_draws_of_a_seed_never_change() {
        let mut draws = Draws::new(42, Purpose::Prices);

        assert_eq!([draws.bits(), draws.bits()], [3_016_785_765_234_626_720, 6_058_982_631_551_779_212]);
    }
}
