use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The number of objects that the feed has published, for all threads. Clones share it.
///
/// A worker whose [`LastValues`](super::LastValues) include fewer has yet to dispatch the others.
#[derive(Clone, Debug, Default)]
pub struct FeedProgress(Arc<SharedProgress>);

#[derive(Debug, Default)]
struct SharedProgress {
    published: AtomicU64,
    follows: AtomicBool,
}

impl FeedProgress {
    /// Sets the number of objects published so far; call it before they are passed on.
    pub fn set(&self, published: u64) {
        self.0.published.store(published, Ordering::Release);
    }

    /// The number of objects published so far.
    pub fn published(&self) -> u64 {
        self.0.published.load(Ordering::Acquire)
    }

    /// The numbers are those of another node from now on, which publishes them earlier: a client that comes from there
    /// may have objects that are still on their way to this node.
    pub fn set_follows(&self) {
        self.0.follows.store(true, Ordering::Release);
    }

    /// Whether the numbers are those of another node.
    pub fn follows(&self) -> bool {
        self.0.follows.load(Ordering::Acquire)
    }
}
