use std::cell::Cell;
use std::time::Instant;

use crate::hub::{FanOut, FrameKey, ObjectRef};
use crate::wire::{Codec, Deflate};

/// What a tick touches of a session that keeps up, side by side: the rest of the session stands in a dozen
/// cache lines, which are cold each time.
pub(super) struct FastPathCache {
    /// How objects pass, if it is known that they may.
    passage: Cell<Option<FastPath>>,
    /// When the socket last took something, or when the outbox ceased to be empty after that.
    moved: Cell<Instant>,
}

/// How objects leave that need not wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct FastPath {
    pub(super) codec: Codec,
    pub(super) deflate: Option<Deflate>,
    /// The most bytes of one frame.
    pub(super) frame_bytes: usize,
}

impl FastPathCache {
    /// A lane of which it is not known whether it is free.
    pub(super) fn new(now: Instant) -> Self {
        Self { passage: Cell::new(None), moved: Cell::new(now) }
    }

    /// How objects pass, as it was last found: once for as long as nothing is [changed](Self::forget).
    pub(super) fn passage(&self, find: impl FnOnce() -> Option<FastPath>) -> Option<FastPath> {
        self.passage.get().or_else(|| {
            self.passage.set(find());
            self.passage.get()
        })
    }

    /// Something changes on which it depends whether objects may pass: the outbox, the line.
    pub(super) fn forget(&self) {
        self.passage.set(None);
    }

    pub(super) fn moved(&self) -> Instant {
        self.moved.get()
    }

    pub(super) fn set_moved(&self, now: Instant) {
        self.moved.set(now);
    }
}

impl FastPath {
    /// The frame of these objects, unless one does not hold them.
    pub(super) fn frame(self, turn: &FanOut<'_>, picks: &[ObjectRef]) -> Option<FrameKey> {
        turn.frame(self.codec, self.deflate, picks, self.frame_bytes)
    }
}
