use std::ops::RangeInclusive;
use std::time::Duration;

/// How long a set is used whose server does not say so.
const DEFAULT_AGE: Duration = Duration::from_mins(10);

/// The bounds of what a server may say: a key that was withdrawn is used for a day at most, and a server is asked once a
/// minute at most.
const AGES: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(24);

/// The pauses after fetches that failed.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// When a set of keys is fetched again.
#[derive(Clone, Copy, Debug, Default)]
pub struct FetchSchedule {
    failures: u32,
}

impl FetchSchedule {
    /// The time until the next fetch after one whose answer may be used for this time, if it said so.
    pub fn succeeded(&mut self, max_age: Option<Duration>) -> Duration {
        self.failures = 0;
        max_age.unwrap_or(DEFAULT_AGE).clamp(*AGES.start(), *AGES.end())
    }

    /// The time until the next fetch after one that failed.
    pub fn failed(&mut self) -> Duration {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        pause.min(LONGEST_PAUSE)
    }
}

/// The time for which an answer with this value of `Cache-Control` may be used (RFC 9111 section 5.2.2).
pub fn max_age(cache_control: &str) -> Option<Duration> {
    let mut age = None;
    for directive in cache_control.split(',') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return Some(Duration::ZERO),
            "max-age" => age = value.trim().trim_matches('"').parse().ok().map(Duration::from_secs),
            _ => {}
        }
    }
    age
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_used_as_long_as_its_server_says_within_bounds() {
        let next = |cache_control| FetchSchedule::default().succeeded(max_age(cache_control)).as_secs();

        assert_eq!(next("public, max-age=3600, must-revalidate"), 3_600);
        assert_eq!(next("Max-Age=\"120\""), 120);
        assert_eq!(next("max-age=0"), 60);
        assert_eq!(next("no-store, max-age=3600"), 60);
        assert_eq!(next("max-age=99999999999"), 86_400);
        for none in ["", "public", "max-age", "max-age=soon", "max-age=-1", "s-maxage=5"] {
            assert_eq!(next(none), 600, "{none}");
        }
    }

    #[test]
    fn pauses_after_failures_become_longer_until_a_success() {
        let mut schedule = FetchSchedule::default();

        let pauses = [(); 7].map(|()| schedule.failed().as_secs());
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60]);
        schedule.succeeded(None);
        assert_eq!(schedule.failed().as_secs(), 2);
    }
}
