use super::portable_math::exp;
use super::random::RandomStream;

/// Seconds in a trading day of 6½ hours.
pub(super) const DAY: f64 = 23_400.0;

/// Seconds in a trading year of 252 days. The simulated market never closes, so that its days follow
/// each other without a night.
pub(super) const YEAR: f64 = 252.0 * DAY;

/// The logarithm of a price, or of a factor that moves prices, along time.
///
/// What is known of real returns (Cont 2001, "Empirical properties of asset returns: stylized
/// facts and statistical issues") and which part of the model provides it:
///
/// 1. *No linear memory*: independent increments, so that the direction cannot be foretold.
/// 2. *Volatility comes in clusters, with a long memory*: volatility is the exponential of the sum of two
///    mean-reverting parts, one with a half-life of minutes and one of days. This is the
///    stochastic volatility of Taylor (1986) and Scott (1987) on two scales; with a few scales
///    the decay is, over the range one looks at, the slow one of the data (LeBaron 2001). GARCH
///    (Bollerslev 1986) would do the same, but asks for steps of equal length.
/// 3. *Fat tails*: a mixture of normals of changing volatility has them, and jumps that are
///    exponential to both sides (Kou 2002) fatten them at the short end.
/// 4. *Aggregational normality*: both fade as returns are taken over longer spans.
///
/// The level is pulled to its aim with a half-life of a year: not to be seen in a day, but it holds
/// the logarithm of a price with volatility σ within about ±0.85 σ for ever (one deviation).
///
/// A path catches up in O(1) over any gap, so one that nobody looks at costs nothing.
#[derive(Clone, Debug)]
pub(super) struct Path {
    level: f64,
    aim: f64,
    /// Long-run volatility, per square root of a second.
    volatility: f64,
    /// Volatility just now, in units of the long-run one.
    heat: f64,
    fast: f64,
    slow: f64,
    /// Mean absolute size of a jump; 0 for a path without jumps.
    jump: f64,
    /// When the level was true, in nanoseconds since the start.
    at_ns: u64,
    /// When the heat was.
    heated_at_ns: u64,
}

const LEVEL_HALF_LIFE: f64 = YEAR;
const FAST_HALF_LIFE: f64 = 1_200.0;
const SLOW_HALF_LIFE: f64 = 2.0 * DAY;

/// Deviation of each part of the logarithm of volatility. With both, the kurtosis of
/// the mixture is 3 e^{4 (0.35² + 0.35²)} = 8, before the jumps.
const HEAT_DEVIATION: f64 = 0.45;

/// Heat moves with a half-life of minutes, so that renewing it once a second is as good as at
/// every event, and saves two draws and an exponential at most of them.
const HEAT_RENEWAL_NS: u64 = 1_000_000_000;

/// Jumps of a path that has any, and their mean absolute size in daily deviations. Together they
/// add 16 % to the variance.
const JUMPS_PER_DAY: f64 = 2.0;
const JUMP_IN_DAILY_DEVIATIONS: f64 = 0.2;

impl Path {
    /// A continuous path from 0, of this volatility per year (0.3 for 30 %).
    pub(super) fn continuous(volatility: f64, random: &mut RandomStream) -> Self {
        let mut path = Self {
            level: 0.0,
            aim: 0.0,
            volatility: volatility / YEAR.sqrt(),
            heat: 1.0,
            fast: HEAT_DEVIATION * random.normal(),
            slow: HEAT_DEVIATION * random.normal(),
            jump: 0.0,
            at_ns: 0,
            heated_at_ns: 0,
        };
        path.set_heat();
        path
    }

    /// A path with jumps besides, that drifts from 0 to where it will come to rest, the `aim`.
    ///
    /// The drift begins with 0.69 × `aim` a year.
    pub(super) fn jumping(volatility: f64, aim: f64, random: &mut RandomStream) -> Self {
        let jump = JUMP_IN_DAILY_DEVIATIONS * volatility / (YEAR / DAY).sqrt();
        Self { aim, jump, ..Self::continuous(volatility, random) }
    }

    /// The level at this time, in nanoseconds since the start; the path does not go back in time.
    pub(super) fn at(&mut self, now_ns: u64, random: &mut RandomStream) -> f64 {
        if now_ns > self.at_ns {
            self.move_on(seconds(self.at_ns, now_ns), random);
            self.at_ns = now_ns;
        }
        if now_ns - self.heated_at_ns.min(now_ns) >= HEAT_RENEWAL_NS {
            self.renew_heat(seconds(self.heated_at_ns, now_ns), random);
            self.heated_at_ns = now_ns;
        }
        self.level
    }

    /// Volatility just now in units of the long-run one: mostly 0.3 to 1.3, hardly ever beyond 0.1 to 5.
    pub(super) fn heat(&self) -> f64 {
        self.heat
    }

    fn move_on(&mut self, gap: f64, random: &mut RandomStream) {
        let reversion = Reversion::over(gap, LEVEL_HALF_LIFE);
        let volatility = self.volatility * self.heat;
        let variance = volatility * volatility * reversion.renewed * (0.5 / reversion.rate);
        self.level = self.aim + (self.level - self.aim) * reversion.kept + variance.sqrt() * random.normal();
        if self.jump > 0.0 && random.bernoulli(gap * (JUMPS_PER_DAY / DAY)) {
            let size = self.jump * random.exponential();
            self.level += if random.bernoulli(0.5) { size } else { -size };
        }
    }

    fn renew_heat(&mut self, gap: f64, random: &mut RandomStream) {
        for (part, half_life) in [(&mut self.fast, FAST_HALF_LIFE), (&mut self.slow, SLOW_HALF_LIFE)] {
            let reversion = Reversion::over(gap, half_life);
            let deviation = HEAT_DEVIATION * reversion.renewed.sqrt();
            *part = *part * reversion.kept + deviation * random.normal();
        }
        self.set_heat();
    }

    fn set_heat(&mut self) {
        // The mean of the square of a log-normal is not 1; without this the long-run volatility
        // would be half above its name.
        const MEAN_SQUARE: f64 = 2.0 * HEAT_DEVIATION * HEAT_DEVIATION;
        self.heat = exp(self.fast + self.slow - MEAN_SQUARE);
    }
}

/// What a gap does to something that reverts to its mean: how much of the deviation is kept, and how
/// much of the variance is new.
///
/// The exact share kept over a gap t is e^(−rate t); 1 / (1 + rate t) agrees with it for short gaps, also
/// goes to 0 for long ones, and costs a division. With the variance renewed by 1 − kept², the
/// stationary variance is exact whatever the gaps are.
struct Reversion {
    /// Per second.
    rate: f64,
    kept: f64,
    renewed: f64,
}

impl Reversion {
    fn over(gap: f64, half_life: f64) -> Self {
        let rate = std::f64::consts::LN_2 / half_life;
        let x = rate * gap;
        let kept = 1.0 / (1.0 + x);
        // 1 − kept², written so that nothing is lost when x is as small as 1e-15.
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
    fn a_path_has_the_volatility_of_its_name() {
        let mut random = RandomStream::new(3, Purpose::Prices);
        let mut path = Path::continuous(0.3, &mut random);
        let mut before = 0.0;

        let minutes: Vec<f64> = (1..600_000)
            .map(|minute| {
                let level = path.at(minute * 60 * SECOND_NS, &mut random);
                level - std::mem::replace(&mut before, level)
            })
            .collect();

        let annual = deviation(&minutes) * (YEAR / 60.0).sqrt();
        assert!((annual / 0.3 - 1.0).abs() < 0.05, "{annual}");
    }

    /// Up to 2,400 years, looked at in gaps of very different length.
    #[test]
    fn a_path_stays_around_its_aim_for_ever() {
        for (gap, looks) in [(DAY, 50_000), (30.0 * DAY, 20_000), (3.0 * YEAR, 800)] {
            let mut random = RandomStream::new(5, Purpose::Prices);
            let mut path = Path::jumping(0.3, 0.1, &mut random);
            let gap_ns = (gap * 1e9) as u64;

            let levels: Vec<f64> = (1..looks).map(|look| path.at(look * gap_ns, &mut random)).collect();

            let mean = levels.iter().sum::<f64>() / levels.len() as f64;
            let stationary = deviation(&levels);
            assert!((0.0..0.2).contains(&mean), "mean {mean} in gaps of {gap} s");
            assert!((0.2..0.4).contains(&stationary), "deviation {stationary} in gaps of {gap} s");
            assert!(levels.iter().all(|level| level.abs() < 2.0), "gaps of {gap} s");
        }
    }

    #[test]
    fn a_path_asked_twice_for_the_same_moment_answers_the_same() {
        let mut random = RandomStream::new(1, Purpose::Prices);
        let mut path = Path::jumping(0.3, 0.0, &mut random);

        let first = path.at(5 * SECOND_NS, &mut random);

        assert_eq!(path.at(5 * SECOND_NS, &mut random).to_bits(), first.to_bits());
    }
}
