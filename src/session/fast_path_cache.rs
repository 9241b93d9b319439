use std::cell::Cell;
use std::time::Instant;

use crate::hub::FrameForm;

/// The part of a session that a fan-out touches when the session keeps up, side by side in one cache
/// line: the rest of the session spans a dozen, which are cold each time.
pub(super) struct FastPathCache {
    /// The form of frames of the fast path, if it is known to be open.
    form: Cell<Option<FrameForm>>,
    /// When the socket last took something, or when the outbox ceased to be empty after that.
    progressed: Cell<Instant>,
}

impl FastPathCache {
    /// A cache that holds nothing yet.
    pub(super) fn new(now: Instant) -> Self {
        Self { form: Cell::new(None), progressed: Cell::new(now) }
    }

    /// The fast path, if it is open. `find` is asked while the cache holds nothing.
    pub(super) fn get(&self, find: impl FnOnce() -> Option<FrameForm>) -> Option<FrameForm> {
        self.form.get().or_else(|| {
            self.form.set(find());
            self.form.get()
        })
    }

    /// Forgets the fast path: the outbox or the writer changes.
    pub(super) fn invalidate(&self) {
        self.form.set(None);
    }

    pub(super) fn progressed(&self) -> Instant {
        self.progressed.get()
    }

    pub(super) fn set_progressed(&self, now: Instant) {
        self.progressed.set(now);
    }
}
