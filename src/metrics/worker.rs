//! Metrics of the workers.

use std::fmt;

use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::latency::LatencyRegistry;
use super::{LatencyMeasurement, Refusals, WorkerLatencies};

/// The metrics of all workers.
#[derive(Debug, Default)]
pub(super) struct WorkerFamilies {
    sessions: Family<WorkerLabel, Gauge>,
    opened: Family<WorkerLabel, Counter>,
    closed: Family<ClosedLabels, Counter>,
    commands: Family<WorkerLabel, Counter>,
    frames: Family<WorkerLabel, Counter>,
    objects: Family<WorkerLabel, Counter>,
    conflated: Family<WorkerLabel, Counter>,
    bytes: Family<WorkerLabel, Counter>,
    severed: Family<WorkerLabel, Counter>,
    waiting: Family<WorkerLabel, Gauge>,
    overflows: Family<WorkerLabel, Counter>,
    refused_work: Family<WorkerLabel, Counter>,
    crowded: Family<WorkerLabel, Counter>,
    errors: Family<ErrorLabels, Counter>,
    latencies: LatencyRegistry,
}

/// The open sessions of all workers. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct SessionCount(Family<WorkerLabel, Gauge>);

impl SessionCount {
    /// How many there are now.
    pub fn total(&self) -> u64 {
        let of_worker = |number| self.0.get(&WorkerLabel(number)).map(|sessions| sessions.get());
        (0..).map_while(of_worker).sum::<i64>().max(0).unsigned_abs()
    }
}

/// Metrics of one worker. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct WorkerMetrics {
    number: usize,
    /// Where refusals are recorded, those of all workers.
    pub refusals: Refusals,
    closed: Family<ClosedLabels, Counter>,
    errors: Family<ErrorLabels, Counter>,
    /// The latencies, if they are measured.
    pub latencies: Option<WorkerLatencies>,
    /// Sessions open now.
    pub sessions: Gauge,
    /// Sessions opened since the start.
    pub opened: Counter,
    /// Commands read from clients.
    pub commands: Counter,
    /// Frames handed to sockets.
    pub frames: Counter,
    /// Objects in those frames.
    pub objects: Counter,
    /// Objects that a newer one of the same stream replaced before they were sent (conflation).
    pub conflated: Counter,
    /// Bytes of frames handed to sockets.
    pub bytes: Counter,
    /// Connections aborted because the client did not accept the close frame in time.
    pub severed: Counter,
    /// Bytes queued in all outboxes, updated once a second.
    pub waiting: Gauge,
    /// How often objects that cannot be conflated exceeded an outbox's limit: the session was closed, or
    /// notified of a gap.
    pub overflows: Counter,
    /// Long commands and REST requests refused because too many of their address waited.
    pub refused_work: Counter,
    /// Seconds in which the outboxes of the worker, or of an address on it, held more than their total.
    pub crowded: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct WorkerLabel(usize);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ClosedLabels {
    worker: usize,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ErrorLabels {
    worker: usize,
    code: u16,
}

impl EncodeLabelSet for WorkerLabel {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        [("worker", self.0)].encode(encoder)
    }
}

impl EncodeLabelSet for ClosedLabels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        [("worker", self.worker.to_string().as_str()), ("reason", self.reason)].encode(encoder)
    }
}

impl EncodeLabelSet for ErrorLabels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        [("worker", self.worker as u64), ("code", self.code.into())].encode(encoder)
    }
}

impl WorkerFamilies {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("sessions", "Sessions open now", self.sessions.clone());
        registry.register("sessions_opened", "Sessions opened", self.opened.clone());
        registry.register("sessions_closed", "Sessions ended, by reason", self.closed.clone());
        registry.register("commands", "Commands read from clients", self.commands.clone());
        registry.register("frames_sent", "Frames handed to sockets", self.frames.clone());
        registry.register("objects_sent", "Objects in the frames handed to sockets", self.objects.clone());
        let help = "Objects replaced by a newer one of the same stream before they were sent";
        registry.register("objects_conflated", help, self.conflated.clone());
        registry.register("bytes_sent", "Bytes of frames handed to sockets", self.bytes.clone());
        let help = "Connections aborted because the client did not accept the close frame in time";
        registry.register("sessions_severed", help, self.severed.clone());
        registry.register("outbox_bytes", "Bytes queued in all outboxes", self.waiting.clone());
        let help = "Overflows of outboxes: the session was closed or notified of a gap";
        registry.register("outbox_overflows", help, self.overflows.clone());
        let help = "Long commands and REST requests refused because too many of their address waited";
        registry.register("fair_queue_refused", help, self.refused_work.clone());
        let help = "Seconds in which all outboxes of a worker or of an address held more than their total";
        registry.register("outbox_crowded", help, self.crowded.clone());
        let help = "Commands answered with an error, by error code";
        registry.register("errors", help, self.errors.clone());
        self.latencies.register(registry);
    }

    /// The metrics of the worker with this number.
    pub(super) fn of(
        &self,
        number: usize,
        refusals: Refusals,
        measures: LatencyMeasurement,
    ) -> WorkerMetrics {
        let worker = WorkerLabel(number);
        let of = |family: &Family<WorkerLabel, Counter>| family.get_or_create_owned(&worker);
        let latencies = (measures == LatencyMeasurement::On).then(|| self.latencies.of(number));
        WorkerMetrics {
            number,
            refusals,
            latencies,
            closed: self.closed.clone(),
            errors: self.errors.clone(),
            sessions: self.sessions.get_or_create_owned(&worker),
            opened: of(&self.opened),
            commands: of(&self.commands),
            frames: of(&self.frames),
            objects: of(&self.objects),
            conflated: of(&self.conflated),
            bytes: of(&self.bytes),
            severed: of(&self.severed),
            waiting: self.waiting.get_or_create_owned(&worker),
            overflows: of(&self.overflows),
            refused_work: of(&self.refused_work),
            crowded: of(&self.crowded),
        }
    }

    /// The open sessions.
    pub(super) fn session_count(&self) -> SessionCount {
        SessionCount(self.sessions.clone())
    }
}

impl WorkerMetrics {
    /// The number of the worker.
    pub fn worker(&self) -> usize {
        self.number
    }

    /// Counts a session that ended for this reason.
    pub fn closed(&self, reason: &'static str) {
        self.closed.get_or_create(&ClosedLabels { worker: self.number, reason }).inc();
    }

    /// Counts a command that was answered with this error code.
    pub fn erred(&self, code: u16) {
        self.errors.get_or_create(&ErrorLabels { worker: self.number, code }).inc();
    }
}
