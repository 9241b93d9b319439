use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::LatencyHistogram;

/// Metrics of the journal. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct JournalMetrics {
    /// 1 while batches are recorded; 0 without a journal, and after an error of its disk.
    pub up: Gauge,
    /// Bytes written, before compression.
    pub bytes: Counter,
    /// Batches written.
    pub batches: Counter,
    /// Holes: times at which the queue was full or the disk failed.
    pub holes: Counter,
    /// Batches that are in a hole.
    pub missed_batches: Counter,
    /// Errors of the disk.
    pub errors: Counter,
    /// Bytes of objects that wait for the writer.
    pub queue_bytes: Gauge,
    /// Bytes behind the last whole record that were cut at the start.
    pub torn_bytes: Counter,
    /// How long it takes to write what was published within some 50 ms, and to have the disk keep it.
    pub write: LatencyHistogram,
}

impl JournalMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "1 while the journal records, 0 without a journal and while it is off";
        registry.register("journal_up", help, self.up.clone());
        registry.register("journal_bytes", "Bytes written to the journal", self.bytes.clone());
        registry.register("journal_batches", "Batches written to the journal", self.batches.clone());
        let help = "Holes in the journal: times at which its queue was full or its disk failed";
        registry.register("journal_holes", help, self.holes.clone());
        let help = "Batches that are missing in the journal";
        registry.register("journal_missed_batches", help, self.missed_batches.clone());
        registry.register("journal_errors", "Errors of the journal's disk", self.errors.clone());
        let help = "Bytes of objects that wait to be written to the journal";
        registry.register("journal_queue_bytes", help, self.queue_bytes.clone());
        let help = "Bytes of a torn end of the journal that were cut at the start";
        registry.register("journal_torn_bytes", help, self.torn_bytes.clone());
        let help = "Seconds to write what waits to the journal, and to have the disk keep it";
        registry.register("journal_write_seconds", help, self.write.clone());
    }
}
