//! The journal: a durable log of everything that the feed publishes, from which a restart goes on and a replay reads.
//!
//! # Writing
//! The feed publishes a batch first and passes it to the journal then (`JournalFollower`): a bounded queue, behind which
//! a thread of its own appends to the current segment. The feed never waits for a disk. If the queue is full, or the
//! disk fails, batches are not recorded: a record says from which number to which, and keeps the last object of each of
//! their streams, so the numbers of all streams are known after it.
//!
//! # Segments
//! A segment holds the batches of at most one UTC day and 256 MiB. It begins with all instruments and the last object
//! of each stream, so it can be read alone, and older ones can be deleted. Complete segments are compressed.
//!
//! # Whether the epoch goes on
//! A client that resumes relies on one promise: a number of a stream stands for one object. Numbers may go on after a
//! restart only if every batch that a client may have seen is in the journal. The journal alone cannot prove that after
//! a crash, since it is written after the publication, and a file of it may be damaged or deleted. These two do, and the
//! file `state` says which of them counts (`state.rs`):
//!
//! 1. **A clean stop.** The feed has ended, all it announced is written, a record says so, and the state names its epoch
//!    and its last batch. Before the next feed publishes, the state is another one on the disk, so the record cannot be
//!    taken for the end of a later run.
//! 2. **The publication log** (`publication_log.rs`): each batch is written to a file in memory before it is published.
//!    The state names the file. If the process is killed, the file and all that was written to the journal survive in the kernel, and the next
//!    start appends to the journal what it lacks. If the machine fails, the log is gone.
//!
//! A relay of an upstream that numbers needs neither: the upstream gives the numbers, whatever this journal lacks. Its
//! epochs begin with batches, which the journal records, and the relay continues the one with which the journal ends.
//!
//! In every other case a new epoch begins, and clients that resume are told what they miss. To go on beyond a safe
//! margin of numbers instead would need a bound on what was published and not written, and the feed, which waits for
//! nothing, gives none.

mod batch_cursor;
mod client_recording;
mod compression;
mod disk;
mod entry;
#[cfg(test)]
mod epoch_tests;
mod export;
mod follower;
mod hole;
mod journal_feed;
mod lock;
mod number_origin;
mod opened;
mod publication_log;
#[cfg_attr(test, allow(clippy::duplicate_mod, reason = "`queue_schedules` compiles it with other locks"))]
mod queue;
#[cfg(test)]
mod queue_schedules;
#[cfg(test)]
mod queue_tests;
mod reader;
mod record;
mod refill;
mod renumbering;
mod retention;
mod segment;
mod shift;
mod state;
mod survey;
mod sync;
mod tail;
#[cfg(test)]
mod test_disk;
#[cfg(test)]
mod test_feed;
mod thread;
mod verification;
mod writer;

pub use batch_cursor::JournalReplayError;
pub use client_recording::{ClientRecording, RecordedStream, RecordingError};
pub use export::{ExportFormat, ExportSettings, export};
pub use follower::JournalFollower;
pub use hole::Hole;
pub use journal_feed::{JournalFeed, JournalFeedMetrics};
pub use number_origin::NumberOrigin;
pub use opened::{JournalError, JournalSettings, OpenedJournal, StartedJournal};
pub use reader::{JournalItem, JournalReader};
pub use record::{Damage, ReadFailure};
pub use retention::JournalRetention;
pub use segment::{SegmentForm, SegmentHeader, SegmentName};
pub use survey::{JournalSurvey, SegmentSurvey};
pub use thread::JournalThread;
pub use verification::{StreamReport, Verification, VerificationReport};
