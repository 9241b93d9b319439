use std::time::Duration;

use crate::model::Timestamp;

/// How long before the end of its token a session that opted in is told.
const NOTICE: Duration = Duration::from_secs(60);

/// The longest time that is waited at once, so that a clock that was set, or a machine that slept, is noticed.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// What is next for a session whose token ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExpiryStep {
    /// To look again after this time.
    Wait(Duration),
    /// To tell that this time is left, and then to ask for the next step.
    Tell(Duration),
    /// To end the session.
    End,
}

/// Decides when a session is told that its token ends, and when it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expiry {
    ends: Timestamp,
    /// When the session is told; `None` if it was.
    told_at: Option<Timestamp>,
}

impl Expiry {
    /// For a token that is taken now and ends then. One that ends soon is told of after half of its time.
    pub(super) fn new(ends: Timestamp, now: Timestamp) -> Self {
        let notice = (NOTICE.as_nanos() as i64).min(left(ends, now) / 2);
        Self { ends, told_at: Some(Timestamp::from_nanos(ends.nanos() - notice)) }
    }

    /// What is next.
    pub(super) fn step(&mut self, now: Timestamp) -> ExpiryStep {
        if now >= self.ends {
            return ExpiryStep::End;
        }
        match self.told_at {
            Some(told_at) if now >= told_at => {
                self.told_at = None;
                ExpiryStep::Tell(duration(left(self.ends, now)))
            }
            next => {
                let wait = duration(left(next.unwrap_or(self.ends), now));
                // Rounded up to the timer's precision, so that it is not too early.
                ExpiryStep::Wait((wait + Duration::from_millis(1)).min(LONGEST_WAIT))
            }
        }
    }
}

fn left(until: Timestamp, now: Timestamp) -> i64 {
    until.nanos().saturating_sub(now.nanos()).max(0)
}

const fn duration(nanos: i64) -> Duration {
    Duration::from_nanos(nanos.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SECOND;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * SECOND)
    }

    fn wait(seconds: u64) -> ExpiryStep {
        ExpiryStep::Wait(Duration::from_secs(seconds) + Duration::from_millis(1))
    }

    #[test]
    fn a_session_is_told_a_minute_before_its_token_ends_and_then_ends() {
        let mut expiry = Expiry::new(at(1_000), at(500));

        assert_eq!(expiry.step(at(500)), wait(440));
        assert_eq!(expiry.step(at(940)), ExpiryStep::Tell(Duration::from_secs(60)));
        assert_eq!(expiry.step(at(940)), wait(60));
        assert_eq!(expiry.step(at(1_000)), ExpiryStep::End);
    }

    #[test]
    fn a_session_with_a_short_token_is_told_after_half_of_its_time() {
        let mut expiry = Expiry::new(at(10), at(0));

        assert_eq!(expiry.step(at(0)), wait(5));
        assert_eq!(expiry.step(at(5)), ExpiryStep::Tell(Duration::from_secs(5)));
    }

    #[test]
    fn a_clock_that_is_set_is_noticed_after_ten_minutes_at_the_latest() {
        let mut expiry = Expiry::new(Timestamp::from_nanos(i64::MAX), at(0));
        assert_eq!(expiry.step(at(0)), ExpiryStep::Wait(LONGEST_WAIT));

        let mut expiry = Expiry::new(at(7_200), at(0));
        assert_eq!(expiry.step(at(9_000)), ExpiryStep::End, "set forward");
        assert_eq!(expiry.step(at(-9_000)), ExpiryStep::Wait(LONGEST_WAIT), "set back");
    }
}
