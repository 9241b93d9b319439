//! What is counted, and its text for Prometheus.
//!
//! Each worker counts on handles of its own, told apart by the label `worker`: two threads that add
//! to one number would pay for the cache line's way between them at every frame.

mod frames;
mod http;

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

pub use frames::FrameTotals;
pub use http::HttpMetrics;

/// All that the service counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    feed: FeedMetrics,
    doors: HttpMetrics,
    workers: Workers,
}

/// The metrics of the feed.
#[derive(Clone, Debug, Default)]
pub struct FeedMetrics {
    /// 1 while the feed runs, 0 before it has started and after it has ended.
    pub up: Gauge,
    /// Batches published, one for each tick in which something happened.
    pub batches: Counter,
    /// Objects numbered and published: trades, quotes, bars, tickers.
    pub objects: Counter,
    /// The time up to which every event has been published, in seconds since the Unix epoch.
    pub watermark: Gauge<f64, AtomicU64>,
}

#[derive(Debug, Default)]
struct Workers {
    sessions: Family<Worker, Gauge>,
    opened: Family<Worker, Counter>,
    closed: Family<Ended, Counter>,
    commands: Family<Worker, Counter>,
    frames: Family<Worker, Counter>,
    objects: Family<Worker, Counter>,
    conflated: Family<Worker, Counter>,
    bytes: Family<Worker, Counter>,
    severed: Family<Worker, Counter>,
    waiting: Family<Worker, Gauge>,
    overflows: Family<Worker, Counter>,
    errors: Family<Erred, Counter>,
}

/// What one worker counts. Cloning shares the counts.
#[derive(Clone, Debug, Default)]
pub struct WorkerMetrics {
    number: usize,
    closed: Family<Ended, Counter>,
    errors: Family<Erred, Counter>,
    /// Sessions open now.
    pub sessions: Gauge,
    /// Sessions ever opened.
    pub opened: Counter,
    /// Commands read from clients.
    pub commands: Counter,
    /// Frames handed to the socket.
    pub frames: Counter,
    /// Objects in those frames.
    pub objects: Counter,
    /// Objects that a newer one of their stream replaced before they were sent.
    pub conflated: Counter,
    /// Bytes of frames handed to the socket.
    pub bytes: Counter,
    /// Connections cut because their client did not even take the goodbye.
    pub severed: Counter,
    /// Bytes that wait in all outboxes together, as of the last beat.
    pub waiting: Gauge,
    /// How often even what may not be conflated passed an outbox's limit: its session ended, or was told of
    /// a gap.
    pub overflows: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Worker(usize);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Ended {
    worker: usize,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Erred {
    worker: usize,
    code: u16,
}

impl EncodeLabelSet for Worker {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        [("worker", self.0)].encode(encoder)
    }
}

impl EncodeLabelSet for Ended {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        [("worker", self.worker.to_string().as_str()), ("reason", self.reason)].encode(encoder)
    }
}

impl EncodeLabelSet for Erred {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        [("worker", self.worker as u64), ("code", self.code.into())].encode(encoder)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tapecast");
        let feed = FeedMetrics::default();
        registry.register("feed_up", "1 while the market-data feed runs, otherwise 0", feed.up.clone());
        registry.register("tape_batches", "Batches published by the feed", feed.batches.clone());
        registry.register("tape_objects", "Objects numbered and published by the feed", feed.objects.clone());
        let help = "Time of the newest market event, seconds since the Unix epoch";
        registry.register("tape_newest_timestamp_seconds", help, feed.watermark.clone());
        let workers = Workers::default();
        registry.register("sessions", "Sessions open now", workers.sessions.clone());
        registry.register("sessions_opened", "Sessions opened", workers.opened.clone());
        registry.register("sessions_closed", "Sessions ended, by reason", workers.closed.clone());
        registry.register("commands", "Commands read from clients", workers.commands.clone());
        registry.register("frames_sent", "Frames handed to sockets", workers.frames.clone());
        registry.register("objects_sent", "Objects in the frames handed to sockets", workers.objects.clone());
        let help = "Objects replaced by a newer one of their stream before they were sent";
        registry.register("objects_conflated", help, workers.conflated.clone());
        registry.register("bytes_sent", "Bytes of frames handed to sockets", workers.bytes.clone());
        let help = "Connections cut because the client did not take the goodbye";
        registry.register("sessions_severed", help, workers.severed.clone());
        registry.register("outbox_bytes", "Bytes that wait in all outboxes", workers.waiting.clone());
        let help = "Outboxes whose trades passed the limit: the session ended, or was told of a gap";
        registry.register("outbox_overflows", help, workers.overflows.clone());
        let help = "Commands answered with an error, by its code";
        registry.register("errors", help, workers.errors.clone());
        let doors = HttpMetrics::default();
        doors.register(&mut registry);
        Self { registry, feed, doors, workers }
    }
}

impl Metrics {
    /// The handles of the feed.
    pub fn feed(&self) -> FeedMetrics {
        self.feed.clone()
    }

    /// What is counted where clients come in.
    pub fn doors(&self) -> &HttpMetrics {
        &self.doors
    }

    /// The handles of the worker with this number.
    pub fn worker(&self, number: usize) -> WorkerMetrics {
        let worker = Worker(number);
        let of = |family: &Family<Worker, Counter>| family.get_or_create_owned(&worker);
        WorkerMetrics {
            number,
            closed: self.workers.closed.clone(),
            errors: self.workers.errors.clone(),
            sessions: self.workers.sessions.get_or_create_owned(&worker),
            opened: of(&self.workers.opened),
            commands: of(&self.workers.commands),
            frames: of(&self.workers.frames),
            objects: of(&self.workers.objects),
            conflated: of(&self.workers.conflated),
            bytes: of(&self.workers.bytes),
            severed: of(&self.workers.severed),
            waiting: self.workers.waiting.get_or_create_owned(&worker),
            overflows: of(&self.workers.overflows),
        }
    }

    /// All counts in Prometheus' text format (OpenMetrics 1.0).
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string does not fail");
        text
    }
}

impl WorkerMetrics {
    /// A session ended for this reason.
    pub fn closed(&self, reason: &'static str) {
        self.closed.get_or_create(&Ended { worker: self.number, reason }).inc();
    }

    /// A command was answered with this error.
    pub fn erred(&self, code: u16) {
        self.errors.get_or_create(&Erred { worker: self.number, code }).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_by_worker() {
        let metrics = Metrics::default();

        metrics.worker(1).frames.inc_by(3);
        metrics.worker(1).closed("goodbye");

        let text = metrics.to_text();
        assert!(text.contains("tapecast_frames_sent_total{worker=\"1\"} 3"), "{text}");
        assert!(text.contains("tapecast_sessions_closed_total{worker=\"1\",reason=\"goodbye\"} 1"), "{text}");
    }
}
