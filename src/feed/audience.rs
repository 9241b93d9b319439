use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of sessions that a feed has, over all workers. Hubs count, the feed reads.
#[derive(Clone, Debug, Default)]
pub struct Audience(Arc<AtomicUsize>);

impl Audience {
    /// Counts a session that has come.
    pub fn join(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a session that has gone.
    pub fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether there is no session.
    pub fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}
