use std::cell::Cell;
use std::time::Instant;

use crate::hub::{FanOut, FrameKey, ObjectRef};
use crate::wire::{Codec, Deflate};

/// The part of a session that a fan-out touches when the session keeps up, side by side in one cache
/// line: the rest of the session spans a dozen, which are cold each time.
pub(super) struct FastPathCache {
    /// The fast path, if it is known to be open.
    fast_path: Cell<Option<FastPath>>,
    /// When the socket last took something, or when the outbox ceased to be empty after that.
    progressed: Cell<Instant>,
}

/// How the objects of a fan-out bypass the outbox: as one frame that is shared with all sessions that
/// get the same objects in the same form.
#[derive(Clone, Copy, Debug)]
pub(super) struct FastPath {
    pub(super) codec: Codec,
    pub(super) deflate: Option<Deflate>,
    /// The most bytes of objects in one frame.
    pub(super) frame_bytes: usize,
}

impl FastPathCache {
    /// A cache that holds nothing yet.
    pub(super) fn new(now: Instant) -> Self {
        Self { fast_path: Cell::new(None), progressed: Cell::new(now) }
    }

    /// The fast path, if it is open. `find` is asked once after each [`invalidate`](Self::invalidate).
    pub(super) fn get(&self, find: impl FnOnce() -> Option<FastPath>) -> Option<FastPath> {
        self.fast_path.get().or_else(|| {
            self.fast_path.set(find());
            self.fast_path.get()
        })
    }

    /// Forgets the fast path: the outbox or the writer changes.
    pub(super) fn invalidate(&self) {
        self.fast_path.set(None);
    }

    pub(super) fn progressed(&self) -> Instant {
        self.progressed.get()
    }

    pub(super) fn set_progressed(&self, now: Instant) {
        self.progressed.set(now);
    }
}

impl FastPath {
    /// The shared frame of these objects, unless they are too large for one.
    pub(super) fn frame(self, fan_out: &FanOut<'_>, objects: &[ObjectRef]) -> Option<FrameKey> {
        fan_out.frame(self.codec, self.deflate, objects, self.frame_bytes)
    }
}
