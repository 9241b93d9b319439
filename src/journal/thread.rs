use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use super::follower::JournalProgress;
use super::queue::{BatchQueue, Taken};
use super::writer::{JournalWriter, SYNC_INTERVAL, StopKind};
use crate::metrics::LatencyHistogram;

/// How long batches wait for others to be written with them.
///
/// A write for each batch would wake a thread a thousand times a second, which costs 5 % of the CPU time of a server with
/// 1,000 sessions. What a killed process had not written is in the publication log.
const WRITE_INTERVAL: Duration = Duration::from_millis(50);

/// The thread that writes the journal.
#[derive(Debug)]
pub struct JournalThread {
    thread: JoinHandle<()>,
    queue: Arc<BatchQueue>,
}

/// What the thread needs besides its writer.
#[derive(Debug)]
pub(super) struct ThreadParts {
    pub(super) queue: Arc<BatchQueue>,
    pub(super) progress: Arc<JournalProgress>,
    /// The path of the publication log, which a clean stop makes needless.
    pub(super) log: Option<std::path::PathBuf>,
    /// How long writes take.
    pub(super) write: LatencyHistogram,
}

impl JournalThread {
    /// Starts the thread; it ends when the [follower](super::JournalFollower) is dropped, with all that was published.
    pub(super) fn start(writer: JournalWriter, parts: ThreadParts) -> io::Result<Self> {
        let queue = Arc::clone(&parts.queue);
        let thread = thread::Builder::new().name("journal".to_owned()).spawn(move || run(writer, parts))?;
        Ok(Self { thread, queue })
    }

    /// Whether the journal has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until everything that was published is written and the journal has ended, but no longer than until this
    /// time. The feed must have been told to stop.
    pub async fn stop(self, deadline: Instant) {
        const POLL: Duration = Duration::from_millis(2);
        while !self.is_finished() {
            if Instant::now() >= deadline {
                warn!(
                    "the feed or the disk did not end in time: the journal ends without proof that it is whole"
                );
                self.queue.close();
                return;
            }
            tokio::time::sleep(POLL).await;
        }
        if self.thread.join().is_err() {
            error!("the journal's thread has panicked");
        }
    }
}

fn run(mut writer: JournalWriter, parts: ThreadParts) {
    loop {
        let now = Instant::now();
        let timeout = writer.due().map_or(SYNC_INTERVAL, |due| due.saturating_duration_since(now));
        let Taken { batches, hole, is_closed } = parts.queue.take(timeout, WRITE_INTERVAL);
        for batch in &batches {
            writer.append(batch, Instant::now());
        }
        if let Some(hole) = &hole {
            writer.append_hole(hole, Instant::now());
        }
        let now = Instant::now();
        writer.flush(now);
        writer.tend(now);
        if !batches.is_empty() {
            parts.write.record(now.elapsed());
        }
        if let Some(number) = writer.written() {
            parts.progress.set_written(number);
        }
        if is_closed {
            break;
        }
    }
    match writer.stop(parts.progress.announced(), Instant::now()) {
        Ok(StopKind::Clean) => {
            info!("the journal is complete");
            if let Some(log) = parts.log {
                let _ = std::fs::remove_file(log);
            }
        }
        Ok(StopKind::Unproven) => warn!("the journal is not complete: the next start may begin a new epoch"),
        Err(error) => error!("the end of the journal cannot be written: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use test_support::wait_until;

    use super::super::follower::JournalFollower;
    use super::super::reader::{JournalItem, JournalReader};
    use super::super::retention::JournalRetention;
    use super::super::test_disk::TestDisk;
    use super::super::test_feed::{TestFeed, assert_equal};
    use super::super::writer::{WriterSettings, WriterStart};
    use super::*;
    use crate::feed::Batch;
    use crate::metrics::JournalMetrics;
    use crate::model::Epoch;

    /// The journal of a simulated market on this disk, with a queue of this many bytes.
    struct Running {
        feed: TestFeed,
        follower: JournalFollower,
        thread: JournalThread,
        metrics: JournalMetrics,
    }

    fn start(disk: &TestDisk, queue_bytes: usize) -> Running {
        let (feed, metrics) = (TestFeed::new(Epoch::new(3)), JournalMetrics::default());
        let retention = JournalRetention { days: NonZeroU32::MAX, bytes: u64::MAX };
        let settings = WriterSettings { epoch: Epoch::new(3), retention, max_segment_bytes: 50_000 };
        let (last_values, universe) = (feed.last_values.clone(), Arc::clone(&feed.universe));
        let start = WriterStart { last_values, universe, ordinal: 1, at: crate::model::Timestamp::default() };
        let store = Box::new(disk.clone());
        let (writer, begun) = JournalWriter::start(store, settings, start, metrics.clone(), Instant::now());
        begun.unwrap();
        let queue = Arc::new(BatchQueue::new(queue_bytes, metrics.clone()));
        let progress = Arc::new(JournalProgress::starting_at(0));
        let follower = JournalFollower::new(Arc::clone(&queue), None, Arc::clone(&progress));
        let thread = JournalThread::start(
            writer,
            ThreadParts { queue, progress, log: None, write: LatencyHistogram::default() },
        )
        .unwrap();
        Running { feed, follower, thread, metrics }
    }

    impl Running {
        fn publish(&mut self, count: usize) -> Vec<Arc<Batch>> {
            let batches = self.feed.batches(count);
            for batch in &batches {
                self.follower.announce(batch);
                self.follower.record(batch);
            }
            batches
        }

        fn end(self) -> JournalMetrics {
            drop(self.follower);
            wait_until("the thread to end", || self.thread.is_finished());
            self.metrics
        }
    }

    /// The batches, the holes, and whether the end is clean.
    fn read(disk: &TestDisk) -> (Vec<Arc<Batch>>, Vec<(u64, u64)>, bool) {
        let files = disk.files();
        let (mut batches, mut holes, mut is_clean) = (Vec::new(), Vec::new(), false);
        for item in JournalReader::open(files.path()).unwrap() {
            let item = item.unwrap();
            is_clean = matches!(item, JournalItem::CleanStop);
            match item {
                JournalItem::Batch(batch) => batches.push(batch),
                JournalItem::Hole(hole) => holes.push((hole.from, hole.to)),
                JournalItem::Segment { .. } | JournalItem::Jump { .. } | JournalItem::CleanStop => {}
                damaged @ JournalItem::Damaged { .. } => panic!("{damaged:?}"),
            }
        }
        (batches, holes, is_clean)
    }

    #[test]
    fn all_that_was_published_is_written_before_the_end() {
        let disk = TestDisk::default();
        let mut running = start(&disk, usize::MAX);
        let published = running.publish(500);

        running.end();

        let (batches, holes, is_clean) = read(&disk);
        assert_equal(&batches, &published);
        assert_eq!((holes, is_clean), (vec![], true));
    }

    /// The disk takes nothing until everything is published: a feed that waited for it would wait for ever.
    #[test]
    fn a_disk_that_stalls_does_not_delay_the_feed() {
        let disk = TestDisk::default();
        let mut running = start(&disk, 100_000);
        disk.set(|disk| disk.is_stalled = true);

        let published = running.publish(2_000);

        disk.set(|disk| disk.is_stalled = false);
        let more = {
            let metrics = running.metrics.clone();
            wait_until("the queue to be empty", || metrics.queue_bytes.get() == 0);
            running.publish(10)
        };
        let metrics = running.end();
        let (batches, holes, is_clean) = read(&disk);
        let is_missing = |number: u64| holes.iter().any(|(from, to)| (*from..=*to).contains(&number));
        let recorded: Vec<_> =
            published.iter().chain(&more).filter(|batch| !is_missing(batch.number())).cloned().collect();
        assert_equal(&batches, &recorded);
        assert!(!holes.is_empty() && batches.len() > 10, "{holes:?}");
        assert_eq!(metrics.missed_batches.get(), (2_010 - batches.len()) as u64);
        assert!(is_clean, "all numbers are known");
    }

    #[test]
    fn a_batch_that_was_announced_and_not_recorded_makes_the_end_unproven() {
        let disk = TestDisk::default();
        let mut running = start(&disk, usize::MAX);
        running.publish(5);
        let unfinished = running.feed.batches(1);
        running.follower.announce(&unfinished[0]);

        running.end();

        let (batches, _, is_clean) = read(&disk);
        assert_eq!((batches.len(), is_clean), (5, false));
    }
}
