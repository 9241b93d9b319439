use std::time::{Duration, Instant};

use crate::limits::ClientAddress;

/// How long the hub waits for silent and stalled clients.
#[derive(Clone, Copy, Debug)]
pub struct LivenessTimeouts {
    /// A ping is sent after this time without a sign of life, and again each time it has passed.
    pub ping_after: Duration,
    /// A session ends after this time without a sign of life, pongs included (counter
    /// `sessions_closed{reason="unresponsive"}`).
    pub silence: Duration,
    /// A session ends when its socket took nothing for this time although something was queued (counter
    /// `sessions_closed{reason="slow_client"}`).
    pub stall: Duration,
    /// A closing session whose client does not take the close frame in this time is reset (counter
    /// `sessions_severed`).
    pub close: Duration,
}

impl Default for LivenessTimeouts {
    /// A dead client, or one that never reads, is gone within 30 s: the longest timeout, `close` and one
    /// check stay below that. A ping costs about 20 µs with its pong, so 15,000 idle sessions at one
    /// ping in 16 s take 2 % of a core; its answer may take 10 s.
    fn default() -> Self {
        Self {
            ping_after: Duration::from_secs(16),
            silence: Duration::from_secs(26),
            stall: Duration::from_secs(20),
            close: Duration::from_secs(2),
        }
    }
}

/// The state of a subscriber's connection.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionHealth {
    /// When anything last came from the client.
    pub heard: Instant,
    /// When the client was last sent a ping.
    pub pinged: Instant,
    /// Since when something is queued of which the socket took nothing.
    pub stalled: Option<Instant>,
    /// Since when the session is closing.
    pub closing: Option<Instant>,
    /// The bytes that are queued for the client.
    pub queued_bytes: usize,
    /// The client's address: what waits for all sessions of one address has a limit.
    pub client: ClientAddress,
}

/// What the hub does about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LivenessVerdict {
    Fine,
    Ping,
    Silent,
    Stalled,
    CloseTimedOut,
}

/// The time by which a check may be late before the process counts as paused: by a debugger, a container
/// pause, the migration of a virtual machine, a laptop's lid.
const MAX_LATENESS: Duration = Duration::from_secs(2);

/// Notices that the process itself was paused, so that clients are not blamed for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct PauseDetector {
    last_check: Instant,
    resumed: Instant,
}

impl PauseDetector {
    pub(super) fn new(now: Instant) -> Self {
        Self { last_check: now, resumed: now }
    }

    /// Records a check, due every `interval`; returns since when the process has run without a pause.
    pub(super) fn check(&mut self, now: Instant, interval: Duration) -> Instant {
        if now.saturating_duration_since(self.last_check) > interval + MAX_LATENESS {
            self.resumed = now;
        }
        self.last_check = now;
        self.resumed
    }
}

impl ConnectionHealth {
    /// The same health with all timeouts started anew at `resumed`: what happened before a pause of the
    /// process says nothing about the client.
    pub(super) fn since(self, resumed: Instant) -> Self {
        Self {
            heard: self.heard.max(resumed),
            stalled: self.stalled.map(|since| since.max(resumed)),
            closing: self.closing.map(|since| since.max(resumed)),
            ..self
        }
    }
}

impl LivenessTimeouts {
    /// What to do about a connection in this state.
    pub(super) fn verdict(&self, health: &ConnectionHealth, now: Instant) -> LivenessVerdict {
        let is_over = |since: Instant, limit| now.saturating_duration_since(since) >= limit;
        match *health {
            ConnectionHealth { closing: Some(since), .. } if is_over(since, self.close) => {
                LivenessVerdict::CloseTimedOut
            }
            ConnectionHealth { closing: Some(_), .. } => LivenessVerdict::Fine,
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
        let mut health = ConnectionHealth {
            heard: start,
            pinged: start,
            stalled: None,
            closing: None,
            queued_bytes: 0,
            client: ClientAddress::default(),
        };
        change(&mut health, start);
        LivenessTimeouts::default().verdict(&health, start + SECOND * seconds)
    }

    #[test]
    fn a_silent_client_is_pinged_and_then_disconnected() {
        let pinged_at_16 = |health: &mut ConnectionHealth, start| health.pinged = start + SECOND * 16;

        assert_eq!(verdict_after(15, |_, _| {}), LivenessVerdict::Fine);
        assert_eq!(verdict_after(16, |_, _| {}), LivenessVerdict::Ping);
        assert_eq!(verdict_after(25, pinged_at_16), LivenessVerdict::Fine);
        assert_eq!(verdict_after(26, pinged_at_16), LivenessVerdict::Silent);
    }

    #[test]
    fn a_client_that_answered_is_pinged_again() {
        let answered_at_17 = |health: &mut ConnectionHealth, start| {
            (health.pinged, health.heard) = (start + SECOND * 16, start + SECOND * 17);
        };

        assert_eq!(verdict_after(32, answered_at_17), LivenessVerdict::Fine);
        assert_eq!(verdict_after(33, answered_at_17), LivenessVerdict::Ping);
    }

    #[test]
    fn a_client_that_sends_but_takes_nothing_is_stalled() {
        let sends = |health: &mut ConnectionHealth, start| {
            health.stalled = Some(start);
            health.heard = start + SECOND * 19;
        };

        assert_eq!(verdict_after(19, sends), LivenessVerdict::Fine);
        assert_eq!(verdict_after(20, sends), LivenessVerdict::Stalled);
    }

    #[test]
    fn a_closing_session_is_pinged_no_more_and_reset_in_the_end() {
        let closing = |health: &mut ConnectionHealth, start| health.closing = Some(start + SECOND * 30);

        assert_eq!(verdict_after(31, closing), LivenessVerdict::Fine);
        assert_eq!(verdict_after(32, closing), LivenessVerdict::CloseTimedOut);
    }

    #[test]
    fn a_pause_of_the_process_starts_all_timeouts_anew() {
        let start = Instant::now();
        let mut pauses = PauseDetector::new(start);
        let health = ConnectionHealth {
            heard: start,
            pinged: start,
            stalled: Some(start),
            closing: None,
            queued_bytes: 0,
            client: ClientAddress::default(),
        };
        let mut verdict_at = |second: u32| {
            let now = start + SECOND * second;
            LivenessTimeouts::default().verdict(&health.since(pauses.check(now, SECOND)), now)
        };

        assert_eq!((1..=15).map(&mut verdict_at).collect::<Vec<_>>(), vec![LivenessVerdict::Fine; 15]);
        assert_eq!(
            [45, 46, 64].map(&mut verdict_at),
            [LivenessVerdict::Fine; 3],
            "paused for 30 s, then again"
        );
        assert_eq!([65, 66].map(&mut verdict_at), [LivenessVerdict::Fine; 2]);
        assert_eq!((67..=84).map(&mut verdict_at).last(), Some(LivenessVerdict::Stalled));
    }

    #[test]
    fn no_silent_client_stays_for_thirty_seconds() {
        const CHECK_INTERVAL: Duration = SECOND;
        let timeouts = LivenessTimeouts::default();

        let longest = timeouts.silence.max(timeouts.stall) + timeouts.close + CHECK_INTERVAL;
        assert!(longest < Duration::from_secs(30), "{longest:?}");
    }
}
