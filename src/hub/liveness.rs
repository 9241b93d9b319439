use std::time::{Duration, Instant};

/// How long the hub waits for a silent or stalled far side.
#[derive(Clone, Copy, Debug)]
pub struct LivenessTimeouts {
    /// After so long without a sign of life a ping is sent, and again each time it has passed.
    pub ping_after: Duration,
    /// After so long without a sign of life, pings included, the session ends.
    pub silence: Duration,
    /// After so long with something to send and nothing of it taken, the session ends.
    pub stall: Duration,
    /// So long a dismissed session may take to go by itself; then its connection is cut.
    pub parting: Duration,
}

impl Default for LivenessTimeouts {
    /// A dead or never-reading client is gone within 30 s: the longest limit, the parting and one
    /// beat stay below that. A ping costs about 20 µs with its pong, so that 15,000 idle sessions
    /// at one in 16 s take 2 % of a core; its answer may take 10 s.
    fn default() -> Self {
        Self {
            ping_after: Duration::from_secs(16),
            silence: Duration::from_secs(26),
            stall: Duration::from_secs(20),
            parting: Duration::from_secs(2),
        }
    }
}

/// What a subscriber knows of its far side.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionHealth {
    /// When anything last came from it.
    pub heard: Instant,
    /// When it was last asked for a sign of life.
    pub pinged: Instant,
    /// Since when something has been waiting without anything being taken.
    pub stalled: Option<Instant>,
    /// When it was told to go.
    pub dismissed: Option<Instant>,
    /// How many bytes wait for it.
    pub waiting_bytes: usize,
}

/// What the far side's state asks of the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LivenessVerdict {
    Fine,
    Ping,
    Silent,
    Stalled,
    CloseTimedOut,
}

impl LivenessTimeouts {
    /// What to do about somebody in this state, now.
    pub(super) fn verdict(&self, vitals: &ConnectionHealth, now: Instant) -> LivenessVerdict {
        let is_over = |since: Instant, limit| now.saturating_duration_since(since) >= limit;
        match *vitals {
            ConnectionHealth { dismissed: Some(since), .. } if is_over(since, self.parting) => {
                LivenessVerdict::CloseTimedOut
            }
            ConnectionHealth { dismissed: Some(_), .. } => LivenessVerdict::Fine,
            ConnectionHealth { stalled: Some(since), .. } if is_over(since, self.stall) => {
                LivenessVerdict::Stalled
            }
            ConnectionHealth { heard, .. } if is_over(heard, self.silence) => LivenessVerdict::Silent,
            ConnectionHealth { heard, pinged, .. } if is_over(heard.max(pinged), self.ping_after) => {
                LivenessVerdict::Ping
            }
            _ => LivenessVerdict::Fine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn verdict_after(seconds: u32, change: impl Fn(&mut ConnectionHealth, Instant)) -> LivenessVerdict {
        let start = Instant::now();
        let mut vitals = ConnectionHealth {
            heard: start,
            pinged: start,
            stalled: None,
            dismissed: None,
            waiting_bytes: 0,
        };
        change(&mut vitals, start);
        LivenessTimeouts::default().verdict(&vitals, start + SECOND * seconds)
    }

    #[test]
    fn the_silent_are_asked_and_then_given_up() {
        let pinged_at_16 = |vitals: &mut ConnectionHealth, start| vitals.pinged = start + SECOND * 16;

        assert_eq!(verdict_after(15, |_, _| {}), LivenessVerdict::Fine);
        assert_eq!(verdict_after(16, |_, _| {}), LivenessVerdict::Ping);
        assert_eq!(verdict_after(25, pinged_at_16), LivenessVerdict::Fine);
        assert_eq!(verdict_after(26, pinged_at_16), LivenessVerdict::Silent);
    }

    #[test]
    fn who_answered_is_asked_again() {
        let answered_at_17 = |vitals: &mut ConnectionHealth, start| {
            (vitals.pinged, vitals.heard) = (start + SECOND * 16, start + SECOND * 17);
        };

        assert_eq!(verdict_after(32, answered_at_17), LivenessVerdict::Fine);
        assert_eq!(verdict_after(33, answered_at_17), LivenessVerdict::Ping);
    }

    #[test]
    fn who_speaks_but_takes_nothing_is_stalled() {
        let speaks = |vitals: &mut ConnectionHealth, start| {
            vitals.stalled = Some(start);
            vitals.heard = start + SECOND * 19;
        };

        assert_eq!(verdict_after(19, speaks), LivenessVerdict::Fine);
        assert_eq!(verdict_after(20, speaks), LivenessVerdict::Stalled);
    }

    #[test]
    fn who_was_told_to_go_is_asked_no_more_and_cut_in_the_end() {
        let dismissed = |vitals: &mut ConnectionHealth, start| vitals.dismissed = Some(start + SECOND * 30);

        assert_eq!(verdict_after(31, dismissed), LivenessVerdict::Fine);
        assert_eq!(verdict_after(32, dismissed), LivenessVerdict::CloseTimedOut);
    }

    #[test]
    fn nobody_outlives_thirty_seconds_of_silence() {
        const BEAT: Duration = SECOND;
        let patience = LivenessTimeouts::default();

        let longest = patience.silence.max(patience.stall) + patience.parting + BEAT;
        assert!(longest < Duration::from_secs(30), "{longest:?}");
    }
}
