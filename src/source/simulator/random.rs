use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

use super::portable_math::{exp, ln};
use crate::model::SymbolId;

/// What a random stream is used for. Each purpose has its own stream, so that a new kind of event with a
/// new stream leaves all other events unchanged.
///
/// The values are part of the seed: a change of one changes every event that depends on it.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Purpose {
    /// Symbols, names and prices of invented companies.
    Listings = 1,
    /// Constants of each instrument: volatility, beta, long-run price.
    Traits,
    /// Arrival times, and the instrument of each arrival.
    Arrivals,
    /// Price increments.
    Prices,
    /// Spreads, sizes and venues.
    Books,
    /// Traits of each instrument in the past, and the prices of its blocks of days.
    PastDays,
    /// Daily bars; one stream for each instrument and date.
    Days,
    /// Late, corrected and cancelled trades.
    Reports,
    /// Times, instruments and lengths of trading halts.
    Halts,
    /// The division of hour bars into minutes; one stream for each instrument and hour.
    Minutes,
    /// The division of minute bars into seconds; one stream for each instrument and minute.
    Seconds,
    /// The division of daily bars into hours; one stream for each instrument and date.
    Hours,
}

/// A stream of random numbers that is the same on every machine and in every release.
///
/// The generator is xoshiro256++ (Blackman and Vigna 2021, "Scrambled linear pseudorandom number
/// generators"), named explicitly: `rand` guarantees its values, while `SmallRng` and `StdRng` may become
/// another algorithm in any release, and `SmallRng` is another one on 32-bit machines. The distributions are
/// implemented here for the same reason: those of `rand` may change how they use random bits.
///
/// A number takes about 1 ns. The generator is not cryptographic: enough output reveals its state.
#[derive(Clone, Debug)]
pub(super) struct RandomStream(Xoshiro256PlusPlus);

impl RandomStream {
    /// The market-wide stream for this purpose.
    pub(super) fn new(seed: u64, purpose: Purpose) -> Self {
        // Spreads the purposes over the whole range, like the increments of SplitMix64.
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        let mixed = seed ^ (purpose as u64).wrapping_mul(GOLDEN).rotate_left(32);
        Self(Xoshiro256PlusPlus::seed_from_u64(mixed))
    }

    /// The stream of one instrument for this purpose.
    pub(super) fn of(symbol: SymbolId, seed: u64, purpose: Purpose) -> Self {
        // Any odd constant separates instruments; this prime of xxHash is none of the increments above.
        const PRIME: u64 = 0xc2b2_ae3d_27d4_eb4f;
        Self::new(seed ^ u64::from(symbol.0 + 1).wrapping_mul(PRIME), purpose)
    }

    /// One of many streams of an instrument for this purpose, by number.
    pub(super) fn numbered(symbol: SymbolId, seed: u64, purpose: Purpose, number: u64) -> Self {
        // Another prime of xxHash.
        const PRIME: u64 = 0x1656_67b1_9e37_79f9;
        Self::of(symbol, seed ^ number.wrapping_mul(PRIME), purpose)
    }

    pub(super) fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in [0, 1), in steps of 2^−53.
    pub(super) fn uniform(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1u64 << 53) as f64;
        (self.next_u64() >> 11) as f64 * STEP
    }

    /// Uniform in [low, high).
    pub(super) fn uniform_in(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Uniform in 0..count; 0 when `count` is 0. The bias is below count / 2^32.
    pub(super) fn uniform_below(&mut self, count: u32) -> u32 {
        (((self.next_u64() >> 32) * u64::from(count)) >> 32) as u32
    }

    /// One of the choices, each with the same probability.
    pub(super) fn choose<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.uniform_below(choices.len() as u32) as usize]
    }

    /// True with this probability: 0 never, 1 always.
    pub(super) fn bernoulli(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Exponential with mean 1; from 0 to 36.8.
    pub(super) fn exponential(&mut self) -> f64 {
        -ln(1.0 - self.uniform())
    }

    /// Poisson with this mean; a rounded normal above a mean of 12. O(1).
    ///
    /// Small counts come from multiplying uniforms (Knuth, *The Art of Computer Programming* 2, §3.4.1).
    pub(super) fn poisson(&mut self, mean: f64) -> u64 {
        const NORMAL_ABOVE: f64 = 12.0;
        if mean > NORMAL_ABOVE {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let end = exp(-mean);
        let mut product = self.uniform();
        let mut count = 0;
        while product > end {
            product *= self.uniform();
            count += 1;
        }
        count
    }

    /// Approximately normal with mean 0 and variance 1; never beyond ±8.3.
    ///
    /// A binomial: the ones among 64 random bits, plus the difference of two uniforms to fill the steps
    /// between whole numbers. It takes five instructions, without a table, a branch or a logarithm. The
    /// kurtosis is 2.97 instead of 3. The fat tails of returns do not depend on it: they come from
    /// stochastic volatility and from jumps.
    pub(super) fn normal(&mut self) -> f64 {
        const HALF: f64 = 1.0 / (1u64 << 32) as f64;
        // 1 / sqrt(variance): 64/4 from the bits, 2/12 from the two uniforms.
        const PER_DEVIATION: f64 = 0.248_708_001_686_903_46;
        let ones = self.next_u64().count_ones() as i32 - 32;
        let filling = self.next_u64();
        let first = (filling >> 32) as f64 * HALF;
        let second = f64::from(filling as u32) * HALF;
        (f64::from(ones) + (first - second)) * PER_DEVIATION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: usize = 400_000;

    /// Mean, variance and kurtosis of many numbers.
    fn moments(mut sample: impl FnMut() -> f64) -> [f64; 3] {
        let values: Vec<f64> = (0..SAMPLES).map(|_| sample()).collect();
        let mean = values.iter().sum::<f64>() / SAMPLES as f64;
        let moment = |power| values.iter().map(|v| (v - mean).powi(power)).sum::<f64>() / SAMPLES as f64;
        [mean, moment(2), moment(4) / moment(2).powi(2)]
    }

    fn assert_near(found: [f64; 3], expected: [f64; 3]) {
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 0.01 * expected.max(1.0), "{found} for {expected}");
        }
    }

    #[test]
    fn normal_numbers_have_the_moments_of_a_normal_distribution() {
        let mut random = RandomStream::new(1, Purpose::Prices);

        assert_near(moments(|| random.normal()), [0.0, 1.0, 2.97]);
    }

    #[test]
    fn exponential_numbers_are_not_negative_and_have_mean_and_variance_one() {
        let mut random = RandomStream::new(1, Purpose::Prices);

        let [mean, variance, _] = moments(|| {
            let gap = random.exponential();
            assert!(gap >= 0.0);
            gap
        });

        assert_near([mean, variance, 0.0], [1.0, 1.0, 0.0]);
    }

    #[test]
    fn poisson_numbers_have_the_mean_and_the_variance_of_a_poisson_distribution() {
        for expected in [0.0, 0.4, 11.9, 12.1, 5_000.0] {
            let mut random = RandomStream::new(1, Purpose::Days);

            let [mean, variance, _] = moments(|| random.poisson(expected) as f64);

            assert_near([mean, variance, 0.0], [expected, expected, 0.0]);
        }
    }

    #[test]
    fn numbers_below_a_count_are_uniform() {
        let mut random = RandomStream::new(1, Purpose::Books);
        let mut seen = [0u32; 7];

        for _ in 0..70_000 {
            seen[random.uniform_below(7) as usize] += 1;
        }

        assert!(seen.iter().all(|count| (9_600..10_400).contains(count)), "{seen:?}");
        assert_eq!(random.uniform_below(0), 0);
    }

    #[test]
    fn each_purpose_seed_and_instrument_has_its_own_stream() {
        let first = |seed, purpose| RandomStream::new(seed, purpose).next_u64();

        assert_eq!(first(7, Purpose::Books), first(7, Purpose::Books));
        assert_ne!(first(7, Purpose::Books), first(7, Purpose::Prices));
        assert_ne!(first(7, Purpose::Books), first(8, Purpose::Books));
        let of_instrument = |id| RandomStream::of(SymbolId(id), 7, Purpose::Days).next_u64();
        assert_ne!(of_instrument(0), first(7, Purpose::Days));
        assert_ne!(of_instrument(0), of_instrument(1));
    }

    /// If this fails, every seed gives other events than before: a breaking change.
    #[test]
    fn the_first_numbers_of_a_seed_never_change() {
        let mut random = RandomStream::new(42, Purpose::Prices);

        assert_eq!(
            [random.next_u64(), random.next_u64()],
            [3_016_785_765_234_626_720, 6_058_982_631_551_779_212]
        );
    }
}
