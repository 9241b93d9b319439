//! Statistics that each thread records: received data with its latency histogram, and session events.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::sequence::SequenceCheck;
use super::timestamp::TimestampParser;

/// The largest latency that the histogram distinguishes: one minute. Larger ones count as this.
const MAX_LATENCY_US: u64 = 60_000_000;

/// The destination of everything that the sessions of one thread record.
#[derive(Default)]
pub(crate) struct StatsRecorder {
    pub(crate) received: ReceiveStats,
    pub(crate) sessions: SessionStats,
    /// Shared by all sessions, so that its cached second serves all of them.
    pub(crate) timestamps: TimestampParser,
}

/// Received data, summed over any number of sessions and any time span.
#[derive(Clone)]
pub(crate) struct ReceiveStats {
    /// Data frames; each fragment of a message counts.
    pub(crate) frames: u64,
    pub(crate) objects: u64,
    /// Bytes read after the upgrade, including frame headers.
    pub(crate) bytes: u64,
    /// Earlier objects that were conflated into received ones: the sum of `cf`.
    pub(crate) conflated: u64,
    /// Objects without `sq`, which cannot be checked for gaps.
    pub(crate) unnumbered: u64,
    /// Gaps without a `gap` notice.
    pub(crate) gaps: u64,
    /// Objects missing in `gaps`.
    pub(crate) missing: u64,
    /// Gaps that a `gap` notice announced.
    pub(crate) announced_gaps: u64,
    /// How often a session was told that its numbers are of another epoch than before.
    pub(crate) new_epochs: u64,
    pub(crate) duplicates: u64,
    /// Objects whose `cf` exceeds the number of skipped objects.
    pub(crate) conflation_mismatches: u64,
    /// Messages in a codec that this client does not decode.
    pub(crate) undecoded: u64,
    /// Receive time minus the object's `t`, in microseconds.
    pub(crate) latency_us: Histogram<u64>,
}

impl Default for ReceiveStats {
    fn default() -> Self {
        let latency_us =
            Histogram::new_with_max(MAX_LATENCY_US, 3).expect("one minute is a valid range for three digits");
        Self {
            frames: 0,
            objects: 0,
            bytes: 0,
            conflated: 0,
            unnumbered: 0,
            gaps: 0,
            missing: 0,
            announced_gaps: 0,
            new_epochs: 0,
            duplicates: 0,
            conflation_mismatches: 0,
            undecoded: 0,
            latency_us,
        }
    }
}

impl ReceiveStats {
    #[inline]
    pub(crate) fn record_sequence(&mut self, check: SequenceCheck) {
        match check {
            SequenceCheck::First | SequenceCheck::InOrder => {}
            SequenceCheck::Gap { missing } => {
                self.gaps += 1;
                self.missing += missing;
            }
            SequenceCheck::Duplicate => self.duplicates += 1,
            SequenceCheck::ConflationMismatch => self.conflation_mismatches += 1,
        }
    }

    /// A negative latency (the server's clock is ahead) counts as 0.
    #[inline]
    pub(crate) fn record_latency(&mut self, micros: i64) {
        self.latency_us.saturating_record(micros.max(0) as u64);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.frames += other.frames;
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.conflated += other.conflated;
        self.unnumbered += other.unnumbered;
        self.gaps += other.gaps;
        self.missing += other.missing;
        self.announced_gaps += other.announced_gaps;
        self.new_epochs += other.new_epochs;
        self.duplicates += other.duplicates;
        self.conflation_mismatches += other.conflation_mismatches;
        self.undecoded += other.undecoded;
        self.latency_us.add(&other.latency_us).expect("all histograms have the same range");
    }
}

/// Session events since the first connect.
#[derive(Clone, Debug, Default)]
pub(crate) struct SessionStats {
    /// Readers whose subscription was acknowledged; a reconnect counts again.
    pub(crate) opened: u64,
    /// The times of reconnects, in milliseconds since the Unix epoch.
    pub(crate) reconnected_ms: Vec<u64>,
    /// Readers whose subscription was never acknowledged, by reason.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Open readers that ended before the run did, by close code or reason.
    pub(crate) closed: BTreeMap<String, u64>,
    /// `error` messages of the server, by code.
    pub(crate) errors: BTreeMap<u64, u64>,
    /// Stalled sessions that subscribed.
    pub(crate) stalled_opened: u64,
    /// Stalled sessions that the server disconnected, by close code or reason.
    pub(crate) stalled_ended: BTreeMap<String, u64>,
}

impl SessionStats {
    /// The number of readers that are open now.
    pub(crate) fn open(&self) -> u64 {
        self.opened - self.closed.values().sum::<u64>()
    }

    /// The number of sessions that are subscribed or refused.
    pub(crate) fn settled(&self) -> u64 {
        self.opened + self.stalled_opened + self.refused.values().sum::<u64>()
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.opened += other.opened;
        self.reconnected_ms.extend(&other.reconnected_ms);
        self.stalled_opened += other.stalled_opened;
        add_counts(&mut self.refused, &other.refused);
        add_counts(&mut self.closed, &other.closed);
        add_counts(&mut self.errors, &other.errors);
        add_counts(&mut self.stalled_ended, &other.stalled_ended);
    }
}

fn add_counts<K: Ord + Clone>(sums: &mut BTreeMap<K, u64>, others: &BTreeMap<K, u64>) {
    for (key, count) in others {
        *sums.entry(key.clone()).or_default() += count;
    }
}

/// The distribution of reconnects over time.
#[derive(Debug, Serialize)]
pub(crate) struct ReconnectStats {
    sessions: usize,
    /// Milliseconds since the Unix epoch.
    first_ms: u64,
    last_ms: u64,
    /// The largest number of reconnects within 100 ms.
    busiest_100ms: usize,
}

impl ReconnectStats {
    /// `None` if no session reconnected.
    pub(crate) fn new(times_ms: &[u64]) -> Option<Self> {
        let mut times = times_ms.to_vec();
        times.sort_unstable();
        let within =
            |from: &u64| times.partition_point(|at| *at < from + 100) - times.partition_point(|at| at < from);
        Some(Self {
            sessions: times.len(),
            first_ms: *times.first()?,
            last_ms: *times.last()?,
            busiest_100ms: times.iter().map(within).max()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_100_ms_of_reconnects_are_found() {
        let stats = ReconnectStats::new(&[1_000, 5, 1_050, 1_099, 1_100]).unwrap();

        assert_eq!((stats.sessions, stats.first_ms, stats.last_ms, stats.busiest_100ms), (5, 5, 1_100, 3));
    }
}
