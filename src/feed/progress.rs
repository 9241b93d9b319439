use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of objects that the feed has published, for all threads. Clones share it.
///
/// A worker whose [`LastValues`](super::LastValues) include fewer has yet to dispatch the others.
#[derive(Clone, Debug, Default)]
pub struct FeedProgress(Arc<AtomicU64>);

impl FeedProgress {
    /// Sets the number of objects published so far; call it before they are passed on.
    pub fn set(&self, published: u64) {
        self.0.store(published, Ordering::Release);
    }

    /// The number of objects published so far.
    pub fn published(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}
