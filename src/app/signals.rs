//! The process's signals.

/// The request that a signal stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalRequest {
    /// SIGTERM or Ctrl-C: shut down, gracefully the first time.
    Stop,
    /// SIGHUP: reload keys and certificate.
    Reload,
}

/// Receives signals. Create it before anything starts: a signal that arrives earlier ends the process.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Installs the signal handlers. Needs a running runtime.
    ///
    /// # Errors
    /// When the system refuses them.
    pub fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> SignalRequest {
        tokio::select! {
            _ = self.interrupt.recv() => SignalRequest::Stop,
            _ = self.terminate.recv() => SignalRequest::Stop,
            _ = self.hangup.recv() => SignalRequest::Reload,
        }
    }

    /// Waits for a signal to stop, and ignores others.
    pub async fn stop(&mut self) {
        while self.next().await != SignalRequest::Stop {}
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

    /// Waits for Ctrl-C.
    pub async fn stop(&mut self) {
        self.next().await;
    }
}
