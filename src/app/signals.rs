//! What the system asks of the process.

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalRequest {
    /// SIGTERM or Ctrl-C: stop, cleanly the first time.
    Stop,
    /// SIGHUP: read keys and certificates again.
    Reload,
}

/// The ear for signals. Make it before anything starts: a signal that comes earlier ends the process.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Begins to listen. Needs a running runtime.
    ///
    /// # Errors
    /// When the system lets nobody listen.
    pub fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> SignalRequest {
        tokio::select! {
            _ = self.interrupt.recv() => SignalRequest::Stop,
            _ = self.terminate.recv() => SignalRequest::Stop,
            _ = self.hangup.recv() => SignalRequest::Reload,
        }
    }

    /// Waits until a stop is asked for, whatever else is.
    pub async fn stop(&mut self) {
        while self.next().await != SignalRequest::Stop {}
    }
}

/// The ear for Ctrl-C, where there are no signals.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// None there.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> SignalRequest {
        let _ = tokio::signal::ctrl_c().await;
        SignalRequest::Stop
    }

    /// Waits until a stop is asked for.
    pub async fn stop(&mut self) {
        self.next().await;
    }
}
