//! Waiting for an event with a deadline.

use std::time::{Duration, Instant};

/// How long a test waits for any one event, however busy the machine is.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// The pause between two attempts.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Calls `attempt` until it returns a value.
///
/// # Panics
/// After [`DEADLINE`], naming `what` was waited for.
pub fn wait_for<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(start.elapsed() < DEADLINE, "timed out waiting for {what}");
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Calls `condition` until it holds.
///
/// # Panics
/// After [`DEADLINE`], naming `what` was waited for.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || condition().then_some(()));
}
