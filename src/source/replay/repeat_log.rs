use std::time::Duration;

/// Decides which passes of a replay that begins again are logged: a short file at full speed has thousands a second.
#[derive(Clone, Copy, Debug, Default)]
pub struct RepeatLog {
    latest: Option<Duration>,
}

/// The least time between two lines. All passes are counted.
const INTERVAL: Duration = Duration::from_secs(60);

impl RepeatLog {
    /// Whether the pass that begins now is logged; `now` is by a monotonic clock.
    pub fn takes(&mut self, now: Duration) -> bool {
        let is_due = self.latest.is_none_or(|latest| now.saturating_sub(latest) >= INTERVAL);
        if is_due {
            self.latest = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pass_is_logged_and_then_one_a_minute() {
        let mut log = RepeatLog::default();

        let logged: Vec<u64> = (0..180).filter(|second| log.takes(Duration::from_secs(*second))).collect();

        assert_eq!(logged, [0, 60, 120]);
    }
}
