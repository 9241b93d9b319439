//! What was received: counters, and the latencies as a histogram.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::ledger::Verdict;

/// The longest latency told apart from longer ones: a minute, in microseconds.
const LONGEST_US: u64 = 60_000_000;

/// Sums over any number of sessions and any span of time.
#[derive(Clone)]
pub(crate) struct Tally {
    /// Data frames, whole or in parts.
    pub(crate) frames: u64,
    pub(crate) objects: u64,
    /// Read from the sockets after the upgrade, frame headers included.
    pub(crate) bytes: u64,
    /// Earlier objects that the received ones stand for: the sum of `cf`.
    pub(crate) merged: u64,
    /// Objects without `sq`, about which nothing can be proven.
    pub(crate) unnumbered: u64,
    /// Holes in a stream that nobody announced, and the objects missing in them.
    pub(crate) gaps: u64,
    pub(crate) missing: u64,
    /// Holes that a `gap` notice announced.
    pub(crate) announced: u64,
    pub(crate) repeated: u64,
    pub(crate) overclaimed: u64,
    /// Messages in a codec that this client does not read yet.
    pub(crate) unread: u64,
    /// Receive time less the object's `t`, in microseconds.
    pub(crate) latency_us: Histogram<u64>,
}

impl Default for Tally {
    fn default() -> Self {
        let latency_us = Histogram::new_with_max(LONGEST_US, 3).expect("a minute fits in three digits");
        Self {
            frames: 0,
            objects: 0,
            bytes: 0,
            merged: 0,
            unnumbered: 0,
            gaps: 0,
            missing: 0,
            announced: 0,
            repeated: 0,
            overclaimed: 0,
            unread: 0,
            latency_us,
        }
    }
}

impl Tally {
    #[inline]
    pub(crate) fn note(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::First | Verdict::InOrder => {}
            Verdict::Gap { missing } => {
                self.gaps += 1;
                self.missing += missing;
            }
            Verdict::Repeated => self.repeated += 1,
            Verdict::Overclaimed => self.overclaimed += 1,
        }
    }

    /// A negative latency (the server's clock is ahead of ours) counts as none.
    #[inline]
    pub(crate) fn note_latency(&mut self, micros: i64) {
        self.latency_us.saturating_record(micros.max(0) as u64);
    }

    pub(crate) fn absorb(&mut self, other: &Self) {
        self.frames += other.frames;
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.merged += other.merged;
        self.unnumbered += other.unnumbered;
        self.gaps += other.gaps;
        self.missing += other.missing;
        self.announced += other.announced;
        self.repeated += other.repeated;
        self.overclaimed += other.overclaimed;
        self.unread += other.unread;
        self.latency_us.add(&other.latency_us).expect("both have the same range");
    }
}

/// What became of the sessions, from the first connect on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roll {
    /// Readers whose subscription was acknowledged, whatever came later.
    pub(crate) opened: u64,
    /// When readers came back, in milliseconds since the Unix epoch; each counts as opened again.
    pub(crate) returned_ms: Vec<u64>,
    /// Readers that never got so far, by reason.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Readers that were open and ended before we did, by close code or manner.
    pub(crate) closed: BTreeMap<String, u64>,
    /// `error` objects of the server, by code.
    pub(crate) errors: BTreeMap<u64, u64>,
    /// Stalled sessions that subscribed.
    pub(crate) stalled_opened: u64,
    /// Stalled sessions that the server gave up on.
    pub(crate) stalled_ended: BTreeMap<String, u64>,
}

impl Roll {
    /// Readers open right now.
    pub(crate) fn open(&self) -> u64 {
        self.opened - self.closed.values().sum::<u64>()
    }

    /// Sessions whose beginning is decided, one way or the other.
    pub(crate) fn settled(&self) -> u64 {
        self.opened + self.stalled_opened + self.refused.values().sum::<u64>()
    }

    pub(crate) fn absorb(&mut self, other: &Self) {
        self.opened += other.opened;
        self.returned_ms.extend(&other.returned_ms);
        self.stalled_opened += other.stalled_opened;
        add(&mut self.refused, &other.refused);
        add(&mut self.closed, &other.closed);
        add(&mut self.errors, &other.errors);
        add(&mut self.stalled_ended, &other.stalled_ended);
    }
}

fn add<K: Ord + Clone>(sums: &mut BTreeMap<K, u64>, others: &BTreeMap<K, u64>) {
    for (key, count) in others {
        *sums.entry(key.clone()).or_default() += count;
    }
}
