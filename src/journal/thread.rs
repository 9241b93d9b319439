use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use super::follower::Announced;
use super::lock::FolderLock;
use super::queue::{BatchQueue, Taken};
use super::writer::{JournalWriter, SYNC_INTERVAL, StopKind};

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
    pub(super) announced: Arc<Announced>,
    /// Held until the journal has ended.
    pub(super) lock: FolderLock,
    /// The path of the publication mark, which a clean stop makes needless.
    pub(super) mark: Option<std::path::PathBuf>,
}

impl JournalThread {
    /// Starts the thread; it ends when the [follower](super::JournalFollower) is dropped, with all that was published.
    pub(super) fn start(writer: JournalWriter, parts: ThreadParts) -> io::Result<Self> {
        let queue = Arc::clone(&parts.queue);
        let thread = thread::Builder::new().name("journal".to_owned()).spawn(move || run(writer, parts))?;
        Ok(Self { thread, queue })
    }

    /// Waits until everything that was published is written and the journal has ended, but no longer than until this
    /// time. The feed must have been told to stop.
    pub async fn stop(self, deadline: Instant) {
        const POLL: Duration = Duration::from_millis(2);
        while !self.thread.is_finished() {
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

fn run(mut writer: JournalWriter, mut parts: ThreadParts) {
    loop {
        let now = Instant::now();
        let timeout = writer.due().map_or(SYNC_INTERVAL, |due| due.saturating_duration_since(now));
        let Taken { batches, hole, is_closed } = parts.queue.take(timeout);
        for batch in &batches {
            writer.append(batch, Instant::now());
        }
        if let Some(hole) = &hole {
            writer.append_hole(hole, Instant::now());
        }
        let now = Instant::now();
        writer.flush(now);
        writer.tend(now);
        if is_closed {
            break;
        }
    }
    match writer.stop(parts.announced.number(), Instant::now()) {
        Ok(StopKind::Clean) => {
            info!("the journal is complete");
            if let Some(mark) = parts.mark {
                let _ = std::fs::remove_file(mark);
                let _ = parts.lock.set_mark(None);
            }
        }
        Ok(StopKind::Unproven) => warn!("the journal is not complete: the next start begins a new epoch"),
        Err(error) => error!("the end of the journal cannot be written: {error}"),
    }
}
