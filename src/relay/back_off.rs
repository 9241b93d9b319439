use std::time::Duration;

use super::settings::DelayRange;

/// A random number from 0 to 1, by which attempts of many clients are spread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jitter(f64);

impl Jitter {
    /// The middle of the range: the delay itself.
    pub(super) const NONE: Self = Self(0.5);

    /// A jitter of this much, which is brought into the range from 0 to 1.
    pub(super) fn new(fraction: f64) -> Self {
        Self(if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.5 })
    }
}

/// The delays between attempts to connect: each twice the one before, up to a limit, and 20 % more or less.
#[derive(Clone, Copy, Debug)]
pub(super) struct BackOff {
    range: DelayRange,
    failures: u32,
}

impl BackOff {
    pub(super) const fn new(range: DelayRange) -> Self {
        Self { range, failures: 0 }
    }

    /// The delay before the next attempt.
    pub(super) fn next(&mut self, jitter: Jitter) -> Duration {
        const SPREAD: f64 = 0.2;
        let factor = 2_u32.saturating_pow(self.failures.min(16));
        self.failures += 1;
        let delay = self.range.first.saturating_mul(factor).min(self.range.longest);
        delay.mul_f64(1.0 - SPREAD + 2.0 * SPREAD * jitter.0)
    }

    /// Begins again with the first delay.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::settings::ReconnectDelays;

    #[test]
    fn delays_double_up_to_the_longest_and_are_spread_by_a_fifth() {
        let mut back_off = BackOff::new(ReconnectDelays::default().slot);

        let delays: Vec<_> = (0..6).map(|_| back_off.next(Jitter::new(0.5)).as_secs_f64().round()).collect();

        assert_eq!(delays, [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]);
        let [least, most] = [0.0, 1.0].map(|jitter| back_off.next(Jitter::new(jitter)));
        assert_eq!([least, most], [48, 72].map(Duration::from_secs));
        back_off.reset();
        assert_eq!(back_off.next(Jitter::new(0.5)), Duration::from_secs(5));
    }
}
