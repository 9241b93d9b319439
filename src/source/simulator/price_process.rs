use super::portable_math::exp;
use super::random::RandomStream;

/// Seconds in a trading day of 6½ hours.
pub(super) const DAY: f64 = 23_400.0;

/// Seconds in a trading year of 252 days. The simulated market never closes, so that one trading day follows
/// the other without a night between them.
pub(super) const YEAR: f64 = 252.0 * DAY;

/// A log-price process: mean-reverting, with stochastic volatility and optional jumps.
///
/// It reproduces the stylised facts of returns (Cont 2001, "Empirical properties of asset returns: stylized
/// facts and statistical issues") as follows:
///
/// 1. *No autocorrelation of returns*: increments are independent, so the direction is unpredictable.
/// 2. *Volatility clustering with a long memory*: volatility is the exponential of the sum of two
///    mean-reverting factors, one with a half-life of minutes and one of days. This is the stochastic
///    volatility of Taylor (1986) and Scott (1987) on two time scales; over the range observed, a few
///    scales reproduce the slow decay of the data (LeBaron 2001). GARCH (Bollerslev 1986) would do the
///    same, but needs steps of equal length.
/// 3. *Fat tails*: a mixture of normals of changing volatility has them, and double-exponential jumps (Kou
///    2002) fatten them at short horizons.
/// 4. *Aggregational normality*: both effects fade as returns are taken over longer horizons.
///
/// The level reverts to its long-run level with a half-life of a year. This cannot be seen within a day, but
/// keeps the log price of a process with volatility σ within about ±0.85 σ forever (one deviation).
///
/// Advancing over any gap is O(1), so a process that is not observed costs nothing.
#[derive(Clone, Debug)]
pub(super) struct PriceProcess {
    level: f64,
    long_run_level: f64,
    /// Long-run volatility, per square root of a second.
    volatility: f64,
    /// Current volatility, in units of the long-run one.
    relative_volatility: f64,
    /// The two factors of the logarithm of the relative volatility.
    fast: f64,
    slow: f64,
    /// Mean absolute jump size; 0 for a process without jumps.
    jump: f64,
    /// The time of `level`, in nanoseconds since the start.
    level_at_ns: u64,
    /// The time of `relative_volatility`.
    volatility_at_ns: u64,
}

const LEVEL_HALF_LIFE: f64 = YEAR;
const FAST_HALF_LIFE: f64 = 1_200.0;
const SLOW_HALF_LIFE: f64 = 2.0 * DAY;

/// Standard deviation of each factor of the logarithm of volatility. With both, the kurtosis of the mixture
/// is 3 e^{4 (0.45² + 0.45²)} = 15, before the jumps.
const FACTOR_DEVIATION: f64 = 0.45;

/// The fast factor has a half-life of minutes, so one update a second is as good as one at every event, and
/// saves two normals and an exponential at most events.
const VOLATILITY_UPDATE_NS: u64 = 1_000_000_000;

/// The rate of jumps, and their mean absolute size in daily standard deviations. Jumps add
/// 16 % to the variance.
const JUMPS_PER_DAY: f64 = 2.0;
const JUMP_IN_DAILY_DEVIATIONS: f64 = 0.2;

/// The variance that jumps add, in units of the variance without them. The second moment of an exponential is
/// twice its squared mean.
#[cfg(test)]
pub(super) const JUMP_VARIANCE: f64 =
    JUMPS_PER_DAY * 2.0 * JUMP_IN_DAILY_DEVIATIONS * JUMP_IN_DAILY_DEVIATIONS;

impl PriceProcess {
    /// A process without jumps, from level 0, with this volatility per year (0.3 for 30 %).
    pub(super) fn continuous(volatility: f64, random: &mut RandomStream) -> Self {
        let mut process = Self {
            level: 0.0,
            long_run_level: 0.0,
            volatility: volatility / YEAR.sqrt(),
            relative_volatility: 1.0,
            fast: FACTOR_DEVIATION * random.normal(),
            slow: FACTOR_DEVIATION * random.normal(),
            jump: 0.0,
            level_at_ns: 0,
            volatility_at_ns: 0,
        };
        process.update_relative_volatility();
        process
    }

    /// A process with jumps that drifts from level 0 to its long-run level.
    ///
    /// The drift starts with 0.69 × `long_run_level` a year.
    pub(super) fn with_jumps(volatility: f64, long_run_level: f64, random: &mut RandomStream) -> Self {
        let jump = JUMP_IN_DAILY_DEVIATIONS * volatility / (YEAR / DAY).sqrt();
        Self { long_run_level, jump, ..Self::continuous(volatility, random) }
    }

    /// The level at this time, in nanoseconds since the start. Time must not go back.
    pub(super) fn advance_to(&mut self, now_ns: u64, random: &mut RandomStream) -> f64 {
        if now_ns > self.level_at_ns {
            self.advance_level(seconds(self.level_at_ns, now_ns), random);
            self.level_at_ns = now_ns;
        }
        if now_ns - self.volatility_at_ns.min(now_ns) >= VOLATILITY_UPDATE_NS {
            self.advance_volatility(seconds(self.volatility_at_ns, now_ns), random);
            self.volatility_at_ns = now_ns;
        }
        self.level
    }

    /// Current volatility in units of the long-run one: mostly 0.3 to 1.3, rarely outside of 0.1 to 5.
    pub(super) fn relative_volatility(&self) -> f64 {
        self.relative_volatility
    }

    fn advance_level(&mut self, gap: f64, random: &mut RandomStream) {
        let reversion = MeanReversion::over(gap, LEVEL_HALF_LIFE);
        let volatility = self.volatility * self.relative_volatility;
        let variance = volatility * volatility * reversion.renewed * (0.5 / reversion.rate);
        self.level = self.long_run_level
            + (self.level - self.long_run_level) * reversion.kept
            + variance.sqrt() * random.normal();
        if self.jump > 0.0 && random.bernoulli(gap * (JUMPS_PER_DAY / DAY)) {
            let size = self.jump * random.exponential();
            self.level += if random.bernoulli(0.5) { size } else { -size };
        }
    }

    fn advance_volatility(&mut self, gap: f64, random: &mut RandomStream) {
        for (factor, half_life) in [(&mut self.fast, FAST_HALF_LIFE), (&mut self.slow, SLOW_HALF_LIFE)] {
            let reversion = MeanReversion::over(gap, half_life);
            let deviation = FACTOR_DEVIATION * reversion.renewed.sqrt();
            *factor = *factor * reversion.kept + deviation * random.normal();
        }
        self.update_relative_volatility();
    }

    fn update_relative_volatility(&mut self) {
        // Normalises the mean square of the log-normal to 1. Without it the long-run volatility would be half
        // above the one asked for.
        const MEAN_SQUARE: f64 = 2.0 * FACTOR_DEVIATION * FACTOR_DEVIATION;
        self.relative_volatility = exp(self.fast + self.slow - MEAN_SQUARE);
    }
}

/// The effect of a time gap on a mean-reverting process: the share of the deviation that is kept, and the
/// share of the stationary variance that is renewed.
///
/// The exact share kept over a gap t is e^(−rate t). 1 / (1 + rate t) agrees with it for short gaps, goes
/// to 0 as well for long ones, and costs a division. With the variance renewed by 1 − kept², the stationary
/// variance is exact for all gaps.
struct MeanReversion {
    /// Per second.
    rate: f64,
    kept: f64,
    renewed: f64,
}

impl MeanReversion {
    fn over(gap: f64, half_life: f64) -> Self {
        let rate = std::f64::consts::LN_2 / half_life;
        let x = rate * gap;
        let kept = 1.0 / (1.0 + x);
        // 1 − kept², in a form that loses no precision for x as small as 1e-15.
        Self { rate, kept, renewed: x * (2.0 + x) * kept * kept }
    }
}

fn seconds(from_ns: u64, to_ns: u64) -> f64 {
    (to_ns - from_ns) as f64 * 1e-9
}

#[cfg(test)]
mod tests {
    use super::super::random::Purpose;
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    fn deviation(values: &[f64]) -> f64 {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
    }

    #[test]
    fn a_process_has_the_volatility_asked_for() {
        let mut random = RandomStream::new(3, Purpose::Prices);
        let mut process = PriceProcess::continuous(0.3, &mut random);
        let mut before = 0.0;

        let minutes: Vec<f64> = (1..600_000)
            .map(|minute| {
                let level = process.advance_to(minute * 60 * SECOND_NS, &mut random);
                level - std::mem::replace(&mut before, level)
            })
            .collect();

        let annual = deviation(&minutes) * (YEAR / 60.0).sqrt();
        assert!((annual / 0.3 - 1.0).abs() < 0.05, "{annual}");
    }

    /// Up to 2,400 years, observed in gaps of very different length.
    #[test]
    fn a_process_stays_around_its_long_run_level_forever() {
        for (gap, samples) in [(DAY, 50_000), (30.0 * DAY, 20_000), (3.0 * YEAR, 800)] {
            let mut random = RandomStream::new(5, Purpose::Prices);
            let mut process = PriceProcess::with_jumps(0.3, 0.1, &mut random);
            let gap_ns = (gap * 1e9) as u64;

            let levels: Vec<f64> =
                (1..samples).map(|sample| process.advance_to(sample * gap_ns, &mut random)).collect();

            let mean = levels.iter().sum::<f64>() / levels.len() as f64;
            let stationary = deviation(&levels);
            assert!((0.0..0.2).contains(&mean), "mean {mean} in gaps of {gap} s");
            assert!((0.2..0.4).contains(&stationary), "deviation {stationary} in gaps of {gap} s");
            assert!(levels.iter().all(|level| level.abs() < 2.0), "gaps of {gap} s");
        }
    }

    #[test]
    fn a_second_advance_to_the_same_time_gives_the_same_level() {
        let mut random = RandomStream::new(1, Purpose::Prices);
        let mut process = PriceProcess::with_jumps(0.3, 0.0, &mut random);

        let first = process.advance_to(5 * SECOND_NS, &mut random);

        assert_eq!(process.advance_to(5 * SECOND_NS, &mut random).to_bits(), first.to_bits());
    }
}
