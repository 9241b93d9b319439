use std::time::{Duration, Instant};

/// How long objects may wait to share a frame with later ones (`--max-delay-ms`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxDelay {
    /// Always this long.
    Fixed(Duration),
    /// Not at all while the worker has time to spare; up to [`MaxDelay::AUTO_CEILING`] while it is busy.
    Auto,
}

impl MaxDelay {
    /// The longest delay of [`MaxDelay::Auto`]: below what a person sees, and enough to save most sends of a session with
    /// thousands of objects a second.
    pub const AUTO_CEILING: Duration = Duration::from_millis(10);
}

/// The delay in force: trades latency for the worker's time when that is short.
///
/// A busy worker that sends each object at once is soon a late one: its sends cost the same whatever they carry, and
/// what it cannot send waits for seconds. A few milliseconds of delay make fewer frames of the same objects.
///
/// Every 100 ms the share of the time in which the thread was busy is averaged over some half a second. Above
/// 60 % the delay doubles, from 1 to 10 ms; when the share has been below 53 % for a second, it halves, and ends at 0.
/// Between the two it stays, so that it does not swing: the delay itself lowers the share.
#[derive(Debug)]
pub(super) struct CoalescingDelay {
    setting: MaxDelay,
    delay: Duration,
    sampled_at: Instant,
    /// How long the thread was busy until then.
    busy_until: Duration,
    /// The average share of the time in which it was busy.
    load: f64,
    /// The samples in a row with a low load.
    quiet_samples: u32,
}

const SAMPLE_INTERVAL: Duration = Duration::from_millis(100);

/// The weight of a sample in the average.
const SAMPLE_WEIGHT: f64 = 0.2;

/// The load above which the delay grows, and the one below which it shrinks.
const HIGH_LOAD: f64 = 0.6;
const LOW_LOAD: f64 = 0.53;

/// The delay shrinks after this many samples of a low load.
const QUIET_SAMPLES: u32 = 10;

const SHORTEST: Duration = Duration::from_millis(1);

impl CoalescingDelay {
    pub(super) fn new(setting: MaxDelay, now: Instant) -> Self {
        let delay = match setting {
            MaxDelay::Fixed(delay) => delay,
            MaxDelay::Auto => Duration::ZERO,
        };
        Self { setting, delay, sampled_at: now, busy_until: Duration::ZERO, load: 0.0, quiet_samples: 0 }
    }

    /// The delay in force.
    pub(super) fn get(&self) -> Duration {
        self.delay
    }

    /// Takes a sample if it is time for one; `busy` reads how long the thread has been busy since it started. Returns the
    /// delay if it has changed.
    pub(super) fn sample(&mut self, now: Instant, busy: impl FnOnce() -> Duration) -> Option<Duration> {
        let elapsed = now.saturating_duration_since(self.sampled_at);
        if self.setting != MaxDelay::Auto || elapsed < SAMPLE_INTERVAL {
            return None;
        }
        let busy = busy();
        let share = busy.saturating_sub(self.busy_until).as_secs_f64() / elapsed.as_secs_f64();
        (self.sampled_at, self.busy_until) = (now, busy);
        self.load += SAMPLE_WEIGHT * (share.min(1.0) - self.load);
        self.quiet_samples = if self.load < LOW_LOAD { self.quiet_samples + 1 } else { 0 };
        let before = self.delay;
        if self.load > HIGH_LOAD {
            self.delay = (2 * self.delay).clamp(SHORTEST, MaxDelay::AUTO_CEILING);
        } else if self.quiet_samples == QUIET_SAMPLES {
            self.quiet_samples = 0;
            let half = self.delay / 2;
            self.delay = if half < SHORTEST { Duration::ZERO } else { half };
        }
        (self.delay != before).then_some(self.delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A delay of which each sample is taken after 100 ms with a load.
    struct World {
        delay: CoalescingDelay,
        now: Instant,
        busy: Duration,
    }

    impl World {
        fn new(setting: MaxDelay) -> Self {
            let now = Instant::now();
            Self { delay: CoalescingDelay::new(setting, now), now, busy: Duration::ZERO }
        }

        /// The delays in milliseconds after each of this number of samples.
        fn run(&mut self, samples: usize, load: impl Fn(usize) -> f64) -> Vec<f64> {
            let sample = |index| {
                self.now += SAMPLE_INTERVAL;
                self.busy += SAMPLE_INTERVAL.mul_f64(load(index));
                self.delay.sample(self.now, || self.busy);
                self.delay.get().as_secs_f64() * 1e3
            };
            (0..samples).map(sample).collect()
        }
    }

    #[test]
    fn a_worker_with_time_to_spare_delays_nothing() {
        let delays = |load: fn(usize) -> f64| World::new(MaxDelay::Auto).run(600, load);

        assert_eq!(delays(|_| 0.0), [0.0; 600]);
        assert_eq!(delays(|_| 0.59), [0.0; 600]);
        // A command that takes three tenths of a second now and then.
        assert_eq!(delays(|index| if index % 30 < 3 { 1.0 } else { 0.1 }), [0.0; 600]);
    }

    #[test]
    fn a_saturated_worker_reaches_the_ceiling_within_a_second_and_a_half() {
        let mut world = World::new(MaxDelay::Auto);

        let delays = world.run(15, |_| 1.0);

        assert!(delays.is_sorted());
        assert_eq!(delays[..4], [0.0; 4], "one sample is not a load");
        assert_eq!(delays[14], 10.0);
        assert_eq!(world.run(100, |_| 1.0), [10.0; 100]);
    }

    #[test]
    fn the_delay_ends_when_the_load_has_gone_and_stays_between_the_thresholds() {
        let mut world = World::new(MaxDelay::Auto);
        world.run(20, |_| 0.9);
        world.run(10, |_| 0.57);

        assert_eq!(world.run(300, |_| 0.57), [10.0; 300], "between the thresholds");
        let falling = world.run(100, |_| 0.1);

        assert!(falling.is_sorted_by(|one, next| one >= next));
        let mut steps = falling;
        steps.dedup();
        assert_eq!(steps, [10.0, 5.0, 2.5, 1.25, 0.0]);
    }

    #[test]
    fn a_delay_that_halves_the_load_does_not_swing() {
        let mut world = World::new(MaxDelay::Auto);
        let mut delay = 0.0;
        let mut changes = 0;
        for _ in 0..600 {
            // A saturated worker that sends half the frames with 2 ms of delay, a third with 4.
            let before = delay;
            delay = world.run(1, |_| 1.1 / (1.0 + before / 2.0))[0];
            changes += u32::from(before != delay);
        }

        assert!((1.0..=10.0).contains(&delay), "{delay}");
        assert!(changes <= 4, "{changes} changes in a minute");
    }

    #[test]
    fn a_fixed_delay_is_never_changed() {
        for millis in [0, 5] {
            let mut world = World::new(MaxDelay::Fixed(Duration::from_millis(millis)));

            assert_eq!(world.run(50, |_| 1.0), [millis as f64; 50]);
        }
    }
}
