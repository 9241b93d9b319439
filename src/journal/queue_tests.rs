use std::sync::Arc;
use std::time::Duration;

use super::queue::{BatchQueue, Taken};
use crate::feed::Batch;
use crate::metrics::JournalMetrics;
use crate::model::{Object, Seq, Timestamp};
use crate::wire::fixtures;

/// A batch of a trade and a quote with this number.
fn batch(number: u64) -> Arc<Batch> {
    let objects = [fixtures::trade(), fixtures::quote()].map(|object| Object { seq: Seq(number), ..object });
    let universe = Arc::new(fixtures::universe());
    let watermark = Timestamp::from_nanos(number as i64);
    Arc::new(Batch::new(universe, watermark, objects.to_vec(), vec![]).numbered(number))
}

fn queue(batches: usize) -> (BatchQueue, JournalMetrics) {
    let metrics = JournalMetrics::default();
    (BatchQueue::new(batches * batch(1).memory(), metrics.clone()), metrics)
}

fn numbers(taken: &Taken) -> Vec<u64> {
    taken.batches.iter().map(|batch| batch.number()).collect()
}

#[test]
fn batches_are_taken_in_order_and_once() {
    let (queue, metrics) = queue(9);
    (1..=3).for_each(|number| queue.push(&batch(number)));
    assert_eq!(metrics.queue_bytes.get(), 3 * batch(1).memory() as i64);

    let taken = queue.take(Duration::ZERO, Duration::ZERO);

    assert_eq!((numbers(&taken), taken.hole.is_none(), taken.is_closed), (vec![1, 2, 3], true, false));
    assert!(queue.take(Duration::ZERO, Duration::ZERO).batches.is_empty());
    assert_eq!((metrics.queue_bytes.get(), metrics.holes.get()), (0, 0));
}

#[test]
fn batches_that_find_the_queue_full_are_one_hole_that_keeps_the_last_object_of_each_stream() {
    let (queue, metrics) = queue(2);
    (1..=5).for_each(|number| queue.push(&batch(number)));

    let taken = queue.take(Duration::ZERO, Duration::ZERO);

    assert_eq!(numbers(&taken), [1, 2]);
    let hole = taken.hole.expect("three batches did not fit");
    assert_eq!((hole.from, hole.to, hole.watermark), (3, 5, Timestamp::from_nanos(5)));
    let mut last: Vec<_> = batch(5).objects().copied().collect();
    last.sort_unstable_by_key(Object::stream);
    assert_eq!(hole.last_objects, last);
    assert_eq!((metrics.holes.get(), metrics.missed_batches.get()), (1, 3));

    queue.push(&batch(6));
    let taken = queue.take(Duration::ZERO, Duration::ZERO);
    assert_eq!((numbers(&taken), taken.hole.is_none()), (vec![6], true));
}

#[test]
fn a_batch_that_is_larger_than_the_queue_fits_into_an_empty_one() {
    let (queue, _) = queue(0);
    queue.push(&batch(1));
    queue.push(&batch(2));

    let taken = queue.take(Duration::ZERO, Duration::ZERO);

    assert_eq!((numbers(&taken), taken.hole.map(|hole| hole.from)), (vec![1], Some(2)));
}

#[test]
fn a_waiting_writer_is_woken_by_a_batch_and_by_the_end() {
    let (queue, _) = queue(100);
    let queue = Arc::new(queue);
    let writer = {
        let queue = Arc::clone(&queue);
        std::thread::spawn(move || {
            let mut all = Vec::new();
            loop {
                let taken = queue.take(Duration::from_secs(60), Duration::from_millis(1));
                all.extend(numbers(&taken));
                if taken.is_closed {
                    return all;
                }
            }
        })
    };
    for number in 1..=100 {
        queue.push(&batch(number));
        std::thread::yield_now();
    }
    queue.close();

    let taken = writer.join().unwrap();

    assert_eq!(taken, Vec::from_iter(1..=100));
}
