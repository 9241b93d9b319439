//! Metrics, and their text for Prometheus.
//!
//! Each worker has counters of its own, with the label `worker`: if two threads added to one counter, its
//! cache line would move between their cores with every frame.

mod busy_time;
mod by_feed;
#[cfg(feature = "nats")]
mod cluster;
mod exposition;
mod feed;
mod frames;
mod http;
mod hub;
mod journal;
mod latency;
mod on_read;
mod process;
mod refusals;
mod requests;
#[cfg(feature = "jwt")]
mod tokens;
mod upstream;
mod worker;

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

pub use busy_time::BusyTime;
#[cfg(feature = "nats")]
pub use cluster::ClusterMetrics;
pub use exposition::ExpositionFormat;
pub use feed::FeedMetrics;
pub use frames::FrameTotals;
pub use http::HttpMetrics;
pub use hub::HubMetrics;
pub use journal::JournalMetrics;
pub use latency::{LatencyHistogram, WorkerLatencies};
pub use on_read::{GaugeReading, ReadGauges};
pub use process::{open_file_limit, open_files, resident_bytes};
pub use refusals::{RecentRefusal, Refusal, RefusalKind, Refusals};
pub use requests::RequestMetrics;
#[cfg(feature = "jwt")]
pub use tokens::TokenMetrics;
pub use upstream::UpstreamMetrics;
use upstream::UpstreamRefusals;
pub use worker::{SessionCount, WorkerMetrics};

use self::by_feed::FeedSeries;
use self::exposition::to_text_format;
use self::hub::HubFamilies;
use self::on_read::GaugesOnRead;
use self::process::ProcessCollector;
use self::worker::WorkerFamilies;
use crate::model::Feed;
use crate::version::REVISION;

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
    requests: RequestMetrics,
    #[cfg(feature = "jwt")]
    tokens: TokenMetrics,
    workers: WorkerFamilies,
    hubs: HubFamilies,
    on_read: GaugesOnRead,
    measures: LatencyMeasurement,
}

/// Whether latencies are measured: `--latency-metrics`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LatencyMeasurement {
    /// They are.
    #[default]
    On,
    /// Their histograms stay empty: for measuring what they cost.
    Off,
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

impl Default for Metrics {
    /// The metrics of a server with one feed.
    fn default() -> Self {
        Self::of_feeds(&[Feed::IEX])
    }
}

impl Metrics {
    /// The metrics of a server with these feeds, of which there is one at least. Those of several have the label `feed`.
    pub fn of_feeds(names: &[Feed]) -> Self {
        Self::measuring(names, LatencyMeasurement::On)
    }

    /// The same, with or without latencies.
    pub fn measuring(names: &[Feed], measures: LatencyMeasurement) -> Self {
        let mut all = Registry::default();
        all.register_collector(Box::new(ProcessCollector::new()));
        let on_read = GaugesOnRead::default();
        all.register_collector(Box::new(on_read.clone()));
        let registry = all.sub_registry_with_prefix("tapecast");
        let version =
            Info::new([("version", env!("CARGO_PKG_VERSION")), ("revision", REVISION.unwrap_or("unknown"))]);
        registry.register("build", "The version of the server and its revision, as labels", version);
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
        workers.register(registry);
        let hubs = HubFamilies::default();
        hubs.register(registry);
        let http = HttpMetrics::default();
        http.register(registry);
        let requests = RequestMetrics::default();
        requests.register(registry);
        #[cfg(feature = "jwt")]
        let tokens = TokenMetrics::default();
        #[cfg(feature = "jwt")]
        tokens.register(registry);
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
            requests,
            #[cfg(feature = "jwt")]
            tokens,
            workers,
            hubs,
            on_read,
            measures,
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

    /// The metrics of JSON Web Tokens.
    #[cfg(feature = "jwt")]
    pub fn tokens(&self) -> TokenMetrics {
        self.tokens.clone()
    }

    /// The open sessions.
    pub fn sessions(&self) -> SessionCount {
        self.workers.session_count()
    }

    /// The metrics of the worker with this number.
    pub fn worker(&self, number: usize) -> WorkerMetrics {
        self.workers.of(number, self.refusals().clone(), self.measures)
    }

    /// The metrics of the hub of this worker for this feed.
    pub fn hub(&self, worker: usize, feed: Feed) -> HubMetrics {
        self.hubs.of(worker, feed)
    }

    /// The metrics of requests.
    pub fn requests(&self) -> &RequestMetrics {
        &self.requests
    }

    /// Whether latencies are measured.
    pub const fn measures(&self) -> LatencyMeasurement {
        self.measures
    }

    /// Adds gauges that are read when metrics are.
    pub fn add_gauges(&self, gauges: impl ReadGauges) {
        self.on_read.add(Box::new(gauges));
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
