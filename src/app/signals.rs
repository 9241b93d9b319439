//! The process's signals.

use std::time::{Duration, Instant};

/// The request that a signal stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalRequest {
    /// SIGTERM, Ctrl-C, or a closed terminal: shut down, gracefully the first time.
    Stop,
    /// SIGHUP: reload the configuration and its files.
    Reload,
}

/// Stop signals within this time of the first are the same request: a supervisor that signals the process group
/// and the process, or a terminal and a wrapper that forwards.
const SAME_REQUEST: Duration = Duration::from_millis(500);

/// Whether a stop signal asks again, after the one at `first`.
fn asks_again(first: Instant, now: Instant) -> bool {
    now.saturating_duration_since(first) >= SAME_REQUEST
}

/// Receives signals. Create it before anything starts: a signal that arrives earlier ends the process.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    hangup_policy: HangupPolicy,
}

/// Whether the process has a controlling terminal.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Terminal {
    Attached,
    None,
}

/// Decides what SIGHUP stands for: the kernel sends it when the terminal is closed, an administrator to have files
/// read again.
#[cfg(unix)]
#[derive(Clone, Copy, Debug)]
struct HangupPolicy {
    /// The terminal when the program started.
    terminal: Terminal,
    /// Whether SIGHUP was ignored when the program started, as `nohup` does: a closed terminal stops nothing.
    is_ignored: bool,
}

#[cfg(unix)]
impl HangupPolicy {
    /// The request that SIGHUP stands for: as with nginx and sshd to reload, whether or not there is anything to read
    /// again. They have no terminal as services; a program in the foreground of one ends with it, as others do.
    fn request(self, terminal_now: Terminal) -> SignalRequest {
        let is_closed = self.terminal == Terminal::Attached && terminal_now == Terminal::None;
        if is_closed && !self.is_ignored { SignalRequest::Stop } else { SignalRequest::Reload }
    }
}

#[cfg(unix)]
impl Terminal {
    fn now() -> Self {
        match std::fs::File::open("/dev/tty") {
            Ok(_) => Self::Attached,
            Err(_) => Self::None,
        }
    }
}

/// Whether the process was started with SIGHUP ignored. Known on Linux only.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 != 0)
}

#[cfg(unix)]
impl Signals {
    /// Installs the signal handlers. Needs a running runtime.
    ///
    /// # Errors
    /// When the system refuses them.
    pub fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup_policy = HangupPolicy { terminal: Terminal::now(), is_ignored: ignores_hangup() };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            hangup_policy,
        })
    }

    /// Waits for the next request.
    pub async fn next(&mut self) -> SignalRequest {
        tokio::select! {
            _ = self.interrupt.recv() => SignalRequest::Stop,
            _ = self.terminate.recv() => SignalRequest::Stop,
            _ = self.hangup.recv() => self.hangup_policy.request(Terminal::now()),
        }
    }
}

/// Receives Ctrl-C, on systems without signals.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Prepares to receive Ctrl-C.
    ///
    /// # Errors
    /// Never on this system.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> SignalRequest {
        let _ = tokio::signal::ctrl_c().await;
        SignalRequest::Stop
    }
}

impl Signals {
    /// Waits for a signal that asks to stop again, after the one at `first`, and ignores others.
    pub async fn stop_again(&mut self, first: Instant) {
        while self.next().await != SignalRequest::Stop || !asks_again(first, Instant::now()) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_signals_at_about_the_same_time_are_one_request() {
        let first = Instant::now();

        assert!(!asks_again(first, first));
        assert!(!asks_again(first, first + Duration::from_millis(499)));
        assert!(asks_again(first, first + Duration::from_millis(500)));
    }

    #[cfg(unix)]
    #[test]
    fn a_hangup_reloads_unless_the_terminal_was_closed() {
        use Terminal::{Attached, None as Detached};
        let request = |terminal, now| HangupPolicy { terminal, is_ignored: false }.request(now);

        assert_eq!(request(Detached, Detached), SignalRequest::Reload);
        assert_eq!(request(Attached, Attached), SignalRequest::Reload);
        assert_eq!(request(Attached, Detached), SignalRequest::Stop);
    }

    #[cfg(unix)]
    #[test]
    fn under_nohup_a_closed_terminal_stops_nothing() {
        let policy = HangupPolicy { terminal: Terminal::Attached, is_ignored: true };

        assert_eq!(policy.request(Terminal::None), SignalRequest::Reload);
    }
}
