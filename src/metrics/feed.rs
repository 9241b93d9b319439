use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::LatencyHistogram;
use super::by_feed::{ByFeed, FeedSeries};
use crate::model::{SECOND, Timestamp};

/// Metrics of the feed. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct FeedMetrics {
    /// 1 while the feed runs, 0 before it has started and after it has ended.
    pub up: Gauge,
    /// Batches published: one per tick of the market's clock in which something happened.
    pub batches: Counter,
    /// Objects numbered and published: trades, quotes, bars, tickers.
    pub objects: Counter,
    /// The time up to which every event has been published, in seconds since the Unix epoch.
    pub watermark: Gauge<f64, AtomicU64>,
    /// From the newest event of a batch to its publication here, by the wall clock.
    pub source_to_feed: LatencyHistogram,
}

impl FeedMetrics {
    pub(super) fn register(registry: &mut Registry, feeds: &[FeedSeries]) {
        let help = "1 while the market-data feed runs, otherwise 0";
        registry.register("feed_up", help, ByFeed::new(feeds, |it| it.feed.up.clone()));
        let help = "Batches published by the feed";
        registry.register("tape_batches", help, ByFeed::new(feeds, |it| it.feed.batches.clone()));
        let help = "Objects numbered and published by the feed";
        registry.register("tape_objects", help, ByFeed::new(feeds, |it| it.feed.objects.clone()));
        let help = "Time of the newest market event, seconds since the Unix epoch";
        let watermarks = ByFeed::new(feeds, |it| it.feed.watermark.clone());
        registry.register("tape_newest_timestamp_seconds", help, watermarks);
        let help =
            "Seconds from the newest event of a batch to its publication by this node, by the wall clock";
        let latencies = ByFeed::new(feeds, |it| it.feed.source_to_feed.clone());
        registry.register("source_to_feed_seconds", help, latencies);
    }

    /// Counts a batch of this number of objects.
    pub fn published(&self, objects: usize, watermark: Timestamp) {
        self.batches.inc();
        self.objects.inc_by(objects as u64);
        self.watermark.set(watermark.nanos() as f64 / SECOND as f64);
    }
}
