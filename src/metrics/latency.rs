//! Histograms of latency. Workers record into cells of their own, and the exposition adds them up.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::Registry;

use crate::wire::Codec;

/// The upper bounds of the buckets, in nanoseconds: 1, 2.5 and 5 times each power of ten from 10 µs to 10 s. A
/// quantile between two of them is off by a factor of 2.5 at most.
const BOUNDS: [u64; 19] = [
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// One more than the bounds: the last has what is longer than all of them.
const BUCKETS: usize = BOUNDS.len() + 1;

/// A histogram of durations. Clones share the counts.
///
/// To record is to find the bucket and to add twice; cells that one thread writes stay in its core's cache.
#[derive(Clone, Debug, Default)]
pub struct LatencyHistogram(Arc<LatencyCells>);

#[derive(Debug, Default)]
struct LatencyCells {
    counts: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
}

impl LatencyHistogram {
    /// Records a duration.
    pub fn record(&self, duration: Duration) {
        self.record_many(duration, 1);
    }

    /// Records this many equal durations.
    pub fn record_many(&self, duration: Duration, count: u64) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < nanos);
        self.0.counts[bucket].fetch_add(count, Ordering::Relaxed);
        self.0.nanos.fetch_add(nanos.saturating_mul(count), Ordering::Relaxed);
    }

    /// The number of durations recorded.
    pub fn count(&self) -> u64 {
        self.0.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

impl TypedMetric for LatencyHistogram {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for LatencyHistogram {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        encode_sum([self].into_iter(), encoder)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

/// Encodes the sum of these histograms as one.
fn encode_sum<'a>(
    histograms: impl Iterator<Item = &'a LatencyHistogram>,
    mut encoder: MetricEncoder<'_>,
) -> fmt::Result {
    const NANOS_PER_SECOND: f64 = 1e9;
    let bounds = BOUNDS.iter().map(|bound| *bound as f64 / NANOS_PER_SECOND).chain([f64::INFINITY]);
    let mut buckets: Vec<_> = bounds.map(|bound| (bound, 0)).collect();
    let mut nanos = 0;
    for LatencyHistogram(cells) in histograms {
        for ((_, sum), count) in buckets.iter_mut().zip(&cells.counts) {
            *sum += count.load(Ordering::Relaxed);
        }
        nanos += cells.nanos.load(Ordering::Relaxed);
    }
    // The sum of the buckets, whatever is recorded meanwhile: `_count` and the last bucket must be equal.
    let count = buckets.iter().map(|(_, count)| count).sum();
    encoder.encode_histogram::<NoLabelSet>(nanos as f64 / NANOS_PER_SECOND, count, &buckets, None)
}

/// The latencies that one worker measures. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct WorkerLatencies {
    json: LatencyHistogram,
    msgpack: LatencyHistogram,
    /// From the beginning of a fan-out to its last `send`.
    pub fan_out: LatencyHistogram,
}

impl WorkerLatencies {
    /// From the publication of a batch by the feed to the `send` of a frame of it in this codec.
    pub const fn feed_to_send(&self, codec: Codec) -> &LatencyHistogram {
        match codec {
            Codec::Json => &self.json,
            Codec::MsgPack => &self.msgpack,
        }
    }
}

/// The latencies of all workers. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct LatencyRegistry(Arc<RwLock<Vec<WorkerLatencies>>>);

impl LatencyRegistry {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Seconds from the publication of a batch to the sending of its frames to sessions that are up to date";
        registry.register("feed_to_send_seconds", help, FeedToSend(self.clone()));
        let help = "Seconds from the beginning of a fan-out to its last send, in one turn of a worker";
        registry.register("fan_out_seconds", help, FanOutTurns(self.clone()));
    }

    /// Those of the worker with this number.
    pub(super) fn of(&self, worker: usize) -> WorkerLatencies {
        let mut workers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if workers.len() <= worker {
            workers.resize_with(worker + 1, WorkerLatencies::default);
        }
        workers[worker].clone()
    }

    fn encode(
        &self,
        histogram_of: impl Fn(&WorkerLatencies) -> &LatencyHistogram,
        encoder: MetricEncoder<'_>,
    ) -> fmt::Result {
        let workers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        encode_sum(workers.iter().map(histogram_of), encoder)
    }
}

#[derive(Debug)]
struct FeedToSend(LatencyRegistry);

impl EncodeMetric for FeedToSend {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (codec, name) in [(Codec::Json, "json"), (Codec::MsgPack, "msgpack")] {
            self.0.encode(|it| it.feed_to_send(codec), encoder.encode_family(&[("codec", name)])?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[derive(Debug)]
struct FanOutTurns(LatencyRegistry);

impl EncodeMetric for FanOutTurns {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        self.0.encode(|it| &it.fan_out, encoder)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(registry: &Registry) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, registry).unwrap();
        text
    }

    #[test]
    fn a_duration_is_in_the_first_bucket_whose_bound_it_does_not_exceed() {
        let mut registry = Registry::default();
        let histogram = LatencyHistogram::default();
        registry.register("wait_seconds", "Waiting", histogram.clone());

        histogram.record(Duration::from_micros(10));
        histogram.record_many(Duration::from_micros(11), 3);
        histogram.record(Duration::from_secs(11));

        let text = text_of(&registry);
        for line in [
            "wait_seconds_bucket{le=\"0.00001\"} 1",
            "wait_seconds_bucket{le=\"0.000025\"} 4",
            "wait_seconds_bucket{le=\"10.0\"} 4",
            "wait_seconds_bucket{le=\"+Inf\"} 5",
            "wait_seconds_count 5",
            "wait_seconds_sum 11.000043",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }

    #[test]
    fn the_workers_histograms_are_added_up() {
        let (mut registry, latencies) = (Registry::default(), LatencyRegistry::default());
        latencies.register(&mut registry);
        for worker in [latencies.of(0), latencies.of(2)] {
            worker.fan_out.record(Duration::from_millis(2));
            worker.feed_to_send(Codec::MsgPack).record_many(Duration::from_millis(7), 2);
        }

        let text = text_of(&registry);
        for line in [
            "fan_out_seconds_count 2",
            "feed_to_send_seconds_count{codec=\"json\"} 0",
            "feed_to_send_seconds_bucket{le=\"0.01\",codec=\"msgpack\"} 4",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }
}
