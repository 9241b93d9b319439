use std::time::{Duration, Instant};

/// How long the hub waits for a silent or stalled far side.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// After so long without a sign of life a ping is sent, and again each time it has passed.
    pub ping_after: Duration,
    /// After so long without a sign of life, pings included, the session ends.
    pub silence: Duration,
    /// After so long with something to send and nothing of it taken, the session ends.
    pub stall: Duration,
    /// So long a dismissed session may take to go by itself; then its connection is cut.
    pub parting: Duration,
}

impl Default for Patience {
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
pub struct Vitals {
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
pub(super) enum Verdict {
    Fine,
    Ping,
    Silent,
    Stalled,
    Overstays,
}

impl Patience {
    /// What to do about somebody in this state, now.
    pub(super) fn verdict(&self, vitals: &Vitals, now: Instant) -> Verdict {
        let is_over = |since: Instant, limit| now.saturating_duration_since(since) >= limit;
        match *vitals {
            Vitals { dismissed: Some(since), .. } if is_over(since, self.parting) => Verdict::Overstays,
            Vitals { dismissed: Some(_), .. } => Verdict::Fine,
            Vitals { stalled: Some(since), .. } if is_over(since, self.stall) => Verdict::Stalled,
            Vitals { heard, .. } if is_over(heard, self.silence) => Verdict::Silent,
            Vitals { heard, pinged, .. } if is_over(heard.max(pinged), self.ping_after) => Verdict::Ping,
            _ => Verdict::Fine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn verdict_after(seconds: u32, change: impl Fn(&mut Vitals, Instant)) -> Verdict {
        let start = Instant::now();
        let mut vitals =
            Vitals { heard: start, pinged: start, stalled: None, dismissed: None, waiting_bytes: 0 };
        change(&mut vitals, start);
        Patience::default().verdict(&vitals, start + SECOND * seconds)
    }

    #[test]
    fn the_silent_are_asked_and_then_given_up() {
        let pinged_at_16 = |vitals: &mut Vitals, start| vitals.pinged = start + SECOND * 16;

        assert_eq!(verdict_after(15, |_, _| {}), Verdict::Fine);
        assert_eq!(verdict_after(16, |_, _| {}), Verdict::Ping);
        assert_eq!(verdict_after(25, pinged_at_16), Verdict::Fine);
        assert_eq!(verdict_after(26, pinged_at_16), Verdict::Silent);
    }

    #[test]
    fn who_answered_is_asked_again() {
        let answered_at_17 = |vitals: &mut Vitals, start| {
            (vitals.pinged, vitals.heard) = (start + SECOND * 16, start + SECOND * 17);
        };

        assert_eq!(verdict_after(32, answered_at_17), Verdict::Fine);
        assert_eq!(verdict_after(33, answered_at_17), Verdict::Ping);
    }

    #[test]
    fn who_speaks_but_takes_nothing_is_stalled() {
        let speaks = |vitals: &mut Vitals, start| {
            vitals.stalled = Some(start);
            vitals.heard = start + SECOND * 19;
        };

        assert_eq!(verdict_after(19, speaks), Verdict::Fine);
        assert_eq!(verdict_after(20, speaks), Verdict::Stalled);
    }

    #[test]
    fn who_was_told_to_go_is_asked_no_more_and_cut_in_the_end() {
        let dismissed = |vitals: &mut Vitals, start| vitals.dismissed = Some(start + SECOND * 30);

        assert_eq!(verdict_after(31, dismissed), Verdict::Fine);
        assert_eq!(verdict_after(32, dismissed), Verdict::Overstays);
    }

    #[test]
    fn nobody_outlives_thirty_seconds_of_silence() {
        const BEAT: Duration = SECOND;
        let patience = Patience::default();

        let longest = patience.silence.max(patience.stall) + patience.parting + BEAT;
        assert!(longest < Duration::from_secs(30), "{longest:?}");
    }
}
