//! How many open files the service needs.

use crate::config::Config;
use crate::limits::{OpenFiles, raise_open_file_limit};

/// The descriptors of the feed's own thread, which it has beside several workers.
const FEED_THREAD: usize = 4;

/// The descriptors of a journal: lock, log, segment, the one that is compressed, its folder.
const JOURNAL: usize = 8;

/// The descriptors of the connection to NATS: its thread's runtime, the socket, the next attempt.
#[cfg(feature = "nats")]
const CLUSTER: usize = 8;

/// The descriptors of an upstream: two threads' runtimes, the stream, requests to its REST.
#[cfg(feature = "relay")]
const UPSTREAM: usize = 16;

/// The limit of open files, raised as far as the system allows, with what this configuration takes of it.
pub(super) fn open_files(config: &Config) -> OpenFiles {
    let journal = config.journal.as_ref().map_or(0, |_| JOURNAL);
    // A survey reads the files beside the replay.
    let replay = config.replay.as_ref().map_or(0, |replay| 2 * replay.files.len());
    #[cfg(feature = "nats")]
    let cluster = config.cluster.as_ref().map_or(0, |_| CLUSTER);
    #[cfg(not(feature = "nats"))]
    let cluster = 0;
    #[cfg(feature = "relay")]
    let upstreams = UPSTREAM * config.upstreams.len();
    #[cfg(not(feature = "relay"))]
    let upstreams = 0;
    let listeners = config.listeners().len();
    let feed = if config.workers > 1 { FEED_THREAD } else { 0 };
    OpenFiles {
        limit: raise_open_file_limit(),
        workers: config.workers,
        others: journal + replay + cluster + upstreams + listeners + feed,
    }
}
