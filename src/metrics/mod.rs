//! Metrics, and their text for Prometheus.
//!
//! Each worker has counters of its own, with the label `worker`: if two threads added to one counter, its
//! cache line would move between their cores with every frame.

mod by_feed;
#[cfg(feature = "nats")]
mod cluster;
mod exposition;
mod feed;
mod frames;
mod http;
mod journal;
mod process;
mod refusals;
mod upstream;

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

#[cfg(feature = "nats")]
pub use cluster::ClusterMetrics;
pub use exposition::ExpositionFormat;
pub use feed::FeedMetrics;
pub use frames::FrameTotals;
pub use http::HttpMetrics;
pub use journal::JournalMetrics;
pub use process::{open_file_limit, open_files, resident_bytes};
pub use refusals::{RecentRefusal, Refusal, RefusalKind, Refusals};
pub use upstream::UpstreamMetrics;
use upstream::UpstreamRefusals;

use self::by_feed::FeedSeries;
use self::exposition::to_text_format;
use self::process::ProcessCollector;
use crate::model::Feed;

/// All metrics of the service.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Those of each feed; there is always one.
    feeds: Vec<FeedSeries>,
    clock: ClockMetrics,
    journal: JournalMetrics,
    replay: ReplayMetrics,
    #[cfg(feature = "nats")]
    cluster: ClusterMetrics,
    http: HttpMetrics,
    workers: WorkerFamilies,
}

/// Metrics of the service's clock. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct ClockMetrics {
    /// Steps of the system's clock by more than 2 s forward, suspends included.
    pub steps_forward: Counter,
    /// Steps of the system's clock by more than 2 s back.
    pub steps_back: Counter,
}

/// Metrics of a replay. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct ReplayMetrics {
    /// Events of the files that were published.
    pub events: Counter,
    /// The time of the recording up to which it was published, in seconds since the Unix epoch.
    pub position: Gauge<f64, AtomicU64>,
    /// 1 after the end of the recording.
    pub ended: Gauge,
    /// How often the recording began again.
    pub repeats: Counter,
    skipped: Family<SkippedLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SkippedLabels(&'static str);

impl EncodeLabelSet for SkippedLabels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        [("reason", self.0)].encode(encoder)
    }
}

impl ReplayMetrics {
    /// Counts a record that was skipped for this reason.
    pub fn skipped(&self, reason: &'static str) {
        self.skipped.get_or_create(&SkippedLabels(reason)).inc();
    }

    /// The number of records that were skipped for this reason.
    pub fn skips(&self, reason: &'static str) -> u64 {
        self.skipped.get_or_create(&SkippedLabels(reason)).get()
    }
}

#[derive(Debug, Default)]
struct WorkerFamilies {
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

impl Default for Metrics {
    /// The metrics of a server with one feed.
    fn default() -> Self {
        Self::of_feeds(&[Feed::IEX])
    }
}

impl Metrics {
    /// The metrics of a server with these feeds, of which there is one at least. Those of several have the label `feed`.
    pub fn of_feeds(names: &[Feed]) -> Self {
        let mut all = Registry::default();
        all.register_collector(Box::new(ProcessCollector::new()));
        let registry = all.sub_registry_with_prefix("tapecast");
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version of the server, as a label", version);
        let refused = UpstreamRefusals::default();
        let feeds: Vec<_> = names
            .iter()
            .map(|name| FeedSeries {
                name: *name,
                feed: FeedMetrics::default(),
                upstream: UpstreamMetrics::counting(&refused, (names.len() > 1).then_some(*name)),
            })
            .collect();
        FeedMetrics::register(registry, &feeds);
        let clock = ClockMetrics::default();
        let help = "Steps of the system's clock by more than 2 s forward, suspends included";
        registry.register("clock_steps_forward", help, clock.steps_forward.clone());
        let help = "Steps of the system's clock by more than 2 s back";
        registry.register("clock_steps_back", help, clock.steps_back.clone());
        let journal = JournalMetrics::default();
        journal.register(registry);
        let replay = ReplayMetrics::default();
        registry.register("replay_events", "Events of the replayed files published", replay.events.clone());
        let help = "Records of the replayed files that were skipped, by reason";
        registry.register("replay_skipped", help, replay.skipped.clone());
        let help = "Time of the recording up to which it was published, seconds since the Unix epoch";
        registry.register("replay_position_timestamp_seconds", help, replay.position.clone());
        registry.register("replay_ended", "1 after the end of the recording", replay.ended.clone());
        registry.register("replay_repeats", "How often the recording began again", replay.repeats.clone());
        UpstreamMetrics::register(registry, &feeds, refused);
        let workers = WorkerFamilies::default();
        registry.register("sessions", "Sessions open now", workers.sessions.clone());
        registry.register("sessions_opened", "Sessions opened", workers.opened.clone());
        registry.register("sessions_closed", "Sessions ended, by reason", workers.closed.clone());
        registry.register("commands", "Commands read from clients", workers.commands.clone());
        registry.register("frames_sent", "Frames handed to sockets", workers.frames.clone());
        registry.register("objects_sent", "Objects in the frames handed to sockets", workers.objects.clone());
        let help = "Objects replaced by a newer one of the same stream before they were sent";
        registry.register("objects_conflated", help, workers.conflated.clone());
        registry.register("bytes_sent", "Bytes of frames handed to sockets", workers.bytes.clone());
        let help = "Connections aborted because the client did not accept the close frame in time";
        registry.register("sessions_severed", help, workers.severed.clone());
        registry.register("outbox_bytes", "Bytes queued in all outboxes", workers.waiting.clone());
        let help = "Overflows of outboxes: the session was closed or notified of a gap";
        registry.register("outbox_overflows", help, workers.overflows.clone());
        let help = "Long commands and REST requests refused because too many of their address waited";
        registry.register("fair_queue_refused", help, workers.refused_work.clone());
        let help = "Seconds in which all outboxes of a worker or of an address held more than their total";
        registry.register("outbox_crowded", help, workers.crowded.clone());
        let help = "Commands answered with an error, by error code";
        registry.register("errors", help, workers.errors.clone());
        let http = HttpMetrics::default();
        http.register(registry);
        #[cfg(feature = "nats")]
        let cluster = ClusterMetrics::default();
        #[cfg(feature = "nats")]
        cluster.register(registry);
        Self {
            registry: all,
            feeds,
            clock,
            journal,
            replay,
            #[cfg(feature = "nats")]
            cluster,
            http,
            workers,
        }
    }

    /// The metrics of the feed, the first of several.
    pub fn feed(&self) -> FeedMetrics {
        self.feeds[0].feed.clone()
    }

    /// The metrics of the feed of this name.
    pub fn feed_of(&self, name: Feed) -> FeedMetrics {
        self.series(name).feed.clone()
    }

    /// The metrics of the journal.
    pub fn journal(&self) -> JournalMetrics {
        self.journal.clone()
    }

    /// The metrics of the node among others.
    #[cfg(feature = "nats")]
    pub fn cluster(&self) -> ClusterMetrics {
        self.cluster.clone()
    }

    /// The metrics of the clock.
    pub fn clock(&self) -> ClockMetrics {
        self.clock.clone()
    }

    /// The metrics of the replay.
    pub fn replay(&self) -> ReplayMetrics {
        self.replay.clone()
    }

    /// The metrics of the upstream of this feed.
    pub fn upstream_of(&self, name: Feed) -> UpstreamMetrics {
        self.series(name).upstream.clone()
    }

    fn series(&self, name: Feed) -> &FeedSeries {
        self.feeds.iter().find(|feed| feed.name == name).expect("the metrics are of all feeds")
    }

    /// The metrics of HTTP and authentication.
    pub fn http(&self) -> &HttpMetrics {
        &self.http
    }

    /// Where refusals are recorded.
    pub fn refusals(&self) -> &Refusals {
        &self.http.refusals
    }

    /// The open sessions.
    pub fn sessions(&self) -> SessionCount {
        SessionCount(self.workers.sessions.clone())
    }

    /// The metrics of the worker with this number.
    pub fn worker(&self, number: usize) -> WorkerMetrics {
        let worker = WorkerLabel(number);
        let of = |family: &Family<WorkerLabel, Counter>| family.get_or_create_owned(&worker);
        WorkerMetrics {
            number,
            refusals: self.refusals().clone(),
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
            refused_work: of(&self.workers.refused_work),
            crowded: of(&self.workers.crowded),
        }
    }

    /// All metrics in this format.
    pub fn to_text(&self, format: ExpositionFormat) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string does not fail");
        match format {
            ExpositionFormat::OpenMetrics => text,
            ExpositionFormat::Text => to_text_format(&text),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_have_a_worker_label() {
        let metrics = Metrics::default();

        metrics.worker(1).frames.inc_by(3);
        metrics.worker(1).closed("goodbye");

        let text = metrics.to_text(ExpositionFormat::OpenMetrics);
        assert!(text.contains("tapecast_frames_sent_total{worker=\"1\"} 3"), "{text}");
        assert!(text.contains("tapecast_sessions_closed_total{worker=\"1\",reason=\"goodbye\"} 1"), "{text}");
    }

    #[test]
    fn metrics_of_a_feed_have_its_label_if_there_are_several() {
        let (polygon, sip) = ("polygon".parse().unwrap(), Feed::SIP);
        let text = |names: &[Feed]| {
            let metrics = Metrics::of_feeds(names);
            metrics.feed_of(names[0]).up.set(1);
            metrics.upstream_of(*names.last().unwrap()).refused(406);
            metrics.to_text(ExpositionFormat::OpenMetrics)
        };

        let (one, several) = (text(&[sip]), text(&[sip, polygon]));
        assert!(one.contains("\ntapecast_feed_up 1\n"), "{one}");
        assert!(one.contains("\ntapecast_upstream_refused_total{code=\"406\"} 1\n"), "{one}");
        for line in [
            "tapecast_feed_up{feed=\"sip\"} 1",
            "tapecast_feed_up{feed=\"polygon\"} 0",
            "tapecast_upstream_connects_total{feed=\"sip\"} 0",
            "tapecast_upstream_refused_total{feed=\"polygon\",code=\"406\"} 1",
        ] {
            assert!(several.contains(&format!("\n{line}\n")), "{several}");
        }
        assert_eq!(several.matches("# TYPE tapecast_feed_up ").count(), 1);
    }
}
