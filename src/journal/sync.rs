//! What the threads of the feed and of the writer meet at. `queue_schedules.rs` compiles the queue with those of loom.

pub(super) use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
