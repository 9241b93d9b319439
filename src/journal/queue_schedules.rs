//! The queue of the journal under every schedule of its two threads: the one crossing between threads that is ours. The
//! other, from the feed to the hubs of other workers, is the mailbox of an actor.
//!
//! `queue.rs` is compiled a second time, with the lock and the condition variable of loom in place of those of the standard
//! library.

use std::sync::Arc;
use std::time::Duration;

use loom::thread;

use self::queue::BatchQueue;
use super::hole;
use crate::feed::Batch;
use crate::metrics::JournalMetrics;
use crate::model::{Object, Seq, Timestamp};
use crate::wire::fixtures;

#[path = "queue.rs"]
#[allow(dead_code, reason = "the writer needs more of it than its schedules")]
mod queue;

/// Locks of loom. Its condition variable knows no time: here a wait without a timeout ends at once, and any other ends only
/// when it is notified, so that a lost wake-up is a deadlock, which loom reports.
mod sync {
    use std::time::Duration;

    pub(super) use std::sync::PoisonError;

    pub(super) use loom::sync::{Mutex, MutexGuard};

    #[derive(Debug)]
    pub(super) struct Condvar(loom::sync::Condvar);

    /// A guard, and in place of the standard library's answer whether time was up, nothing.
    type Waited<'a, T> = (MutexGuard<'a, T>, ());

    impl Condvar {
        pub(super) fn new() -> Self {
            Self(loom::sync::Condvar::new())
        }

        pub(super) fn notify_one(&self) {
            self.0.notify_one();
        }

        pub(super) fn wait_timeout_while<'a, T>(
            &self,
            mut guard: MutexGuard<'a, T>,
            timeout: Duration,
            mut condition: impl FnMut(&mut T) -> bool,
        ) -> Result<Waited<'a, T>, PoisonError<Waited<'a, T>>> {
            while !timeout.is_zero() && condition(&mut guard) {
                guard = self.0.wait(guard).expect("no thread panics");
            }
            Ok((guard, ()))
        }
    }
}

const FOREVER: Duration = Duration::MAX;

fn batch(number: u64) -> Arc<Batch> {
    let trade = Object { seq: Seq(number), ..fixtures::trade() };
    let watermark = Timestamp::from_nanos(number as i64);
    Arc::new(Batch::new(Arc::default(), watermark, vec![trade], vec![]).numbered(number))
}

/// The feed pushes this number of batches and ends, while the writer takes what there is. Returns the numbers that it
/// took, and those of the holes.
fn every_schedule(batches: u64, capacity: usize, linger: Duration) {
    loom::model(move || {
        let bytes = capacity * batch(1).memory();
        let queue = Arc::new(BatchQueue::new(bytes, JournalMetrics::default()));
        let feed = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                (1..=batches).for_each(|number| queue.push(&batch(number)));
                queue.close();
            })
        };
        let mut numbers = Vec::new();
        loop {
            let taken = queue.take(FOREVER, linger);
            numbers.extend(taken.batches.iter().map(|batch| batch.number()));
            numbers.extend(taken.hole.iter().flat_map(|hole| hole.from..=hole.to));
            if taken.is_closed {
                break;
            }
        }
        feed.join().expect("the feed ends");
        assert_eq!(numbers, Vec::from_iter(1..=batches), "each batch once, in order, or in a hole");
    });
}

/// Nothing but the batch can wake the writer.
#[test]
fn under_every_schedule_a_first_batch_wakes_the_writer() {
    loom::model(|| {
        let queue = Arc::new(BatchQueue::new(1 << 20, JournalMetrics::default()));
        let feed = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || queue.push(&batch(1)))
        };
        let taken = queue.take(FOREVER, Duration::ZERO);
        feed.join().expect("the feed ends");
        assert_eq!(taken.batches.len(), 1);
    });
}

#[test]
fn under_every_schedule_the_writer_takes_each_batch_once() {
    every_schedule(3, 10, Duration::ZERO);
}

#[test]
fn under_every_schedule_the_writer_that_lingers_is_woken_by_the_end() {
    every_schedule(2, 10, FOREVER);
}

#[test]
fn under_every_schedule_what_finds_the_queue_full_is_in_a_hole() {
    every_schedule(3, 1, Duration::ZERO);
}
