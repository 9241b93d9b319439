//! The process's signals.

use std::time::{Duration, Instant};

/// The request that a signal stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalRequest {
    /// SIGTERM, Ctrl-C, or a closed terminal: shut down, gracefully the first time.
    Stop,
    /// SIGHUP: reload keys and certificate.
    Reload,
}

/// Whether there are files that a reload reads again: keys or a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadableFiles {
    /// There are.
    Some,
    /// There are none.
    None,
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
    files: ReloadableFiles,
    /// The terminal when the program started.
    terminal: Terminal,
    /// Whether SIGHUP was ignored when the program started, as `nohup` does: a closed terminal stops nothing.
    is_ignored: bool,
}

#[cfg(unix)]
impl HangupPolicy {
    /// The request that SIGHUP stands for; `None` if for none.
    fn request(self, terminal_now: Terminal) -> Option<SignalRequest> {
        let is_closed = self.terminal == Terminal::Attached && terminal_now == Terminal::None;
        match self.files {
            _ if is_closed && !self.is_ignored => Some(SignalRequest::Stop),
            ReloadableFiles::Some => Some(SignalRequest::Reload),
            ReloadableFiles::None if self.is_ignored => None,
            ReloadableFiles::None => Some(SignalRequest::Stop),
        }
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
    pub fn new(files: ReloadableFiles) -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup_policy = HangupPolicy { files, terminal: Terminal::now(), is_ignored: ignores_hangup() };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            hangup_policy,
        })
    }

    /// Waits for the next request.
    pub async fn next(&mut self) -> SignalRequest {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return SignalRequest::Stop,
                _ = self.terminate.recv() => return SignalRequest::Stop,
                _ = self.hangup.recv() => if let Some(request) = self.hangup_policy.request(Terminal::now()) {
                    return request;
                },
            }
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
    pub fn new(_: ReloadableFiles) -> std::io::Result<Self> {
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
    fn a_hangup_reloads_where_there_are_files_and_else_stops() {
        use Terminal::{Attached, None as Detached};
        let policy = |files, terminal| HangupPolicy { files, terminal, is_ignored: false };
        let request = |files, before, now| policy(files, before).request(now);
        let (reload, stop) = (Some(SignalRequest::Reload), Some(SignalRequest::Stop));

        assert_eq!(request(ReloadableFiles::Some, Detached, Detached), reload);
        assert_eq!(request(ReloadableFiles::Some, Attached, Attached), reload);
        assert_eq!(request(ReloadableFiles::Some, Attached, Detached), stop, "the terminal was closed");
        for (before, now) in [(Detached, Detached), (Attached, Attached), (Attached, Detached)] {
            assert_eq!(request(ReloadableFiles::None, before, now), stop);
        }
    }

    #[cfg(unix)]
    #[test]
    fn under_nohup_a_closed_terminal_stops_nothing() {
        let request = |files| {
            HangupPolicy { files, terminal: Terminal::Attached, is_ignored: true }.request(Terminal::None)
        };

        assert_eq!(request(ReloadableFiles::Some), Some(SignalRequest::Reload));
        assert_eq!(request(ReloadableFiles::None), None);
    }
}
