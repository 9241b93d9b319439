//! CPU and memory usage during a run: of the server process and of the client's threads.

use std::ops::AddAssign;
use std::time::Duration;

use serde::Serialize;

use super::procfs::ProcessSample;

/// The fraction of a core from which a client thread limits the measured throughput.
const SATURATION: f64 = 0.9;

/// Samples of the server process over a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerSamples {
    before: ProcessSample,
    begin: ProcessSample,
    end: ProcessSample,
    peak_rss_bytes: u64,
}

impl ServerSamples {
    /// `before` is taken before the first session connects.
    pub(crate) fn new(before: ProcessSample) -> Self {
        Self { before, begin: before, end: before, peak_rss_bytes: before.rss_bytes }
    }

    /// Records the sample at the start of the measurement.
    pub(crate) fn begin(&mut self, sample: ProcessSample) {
        self.begin = sample;
        self.update_peak(sample);
    }

    /// Records the sample at the end of the measurement.
    pub(crate) fn end(&mut self, sample: ProcessSample) {
        self.end = sample;
        self.update_peak(sample);
    }

    pub(crate) fn update_peak(&mut self, sample: ProcessSample) {
        self.peak_rss_bytes = self.peak_rss_bytes.max(sample.rss_bytes);
    }
}

/// How a client thread spent a time span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ThreadTime {
    pub(crate) span: Duration,
    /// CPU time.
    pub(crate) busy: Duration,
    /// Run-queue wait: runnable, but without a core.
    pub(crate) waited: Duration,
}

impl AddAssign for ThreadTime {
    fn add_assign(&mut self, other: Self) {
        self.span += other.span;
        self.busy += other.busy;
        self.waited += other.waited;
    }
}

/// The server's usage during the measurement.
#[derive(Debug, Serialize)]
pub(crate) struct ServerUsage {
    pub(crate) cpu_percent: f64,
    /// CPU time per received object; it includes the cost of stalled sessions.
    pub(crate) cpu_us_per_object: f64,
    pub(crate) rss_before_bytes: u64,
    pub(crate) rss_begin_bytes: u64,
    pub(crate) rss_end_bytes: u64,
    pub(crate) rss_peak_bytes: u64,
    /// Steal time of all cores, in percent of one core.
    pub(crate) steal_percent: f64,
}

/// The client's own usage during the measurement.
#[derive(Debug, Serialize)]
pub(crate) struct ClientUsage {
    pub(crate) threads: usize,
    /// All threads together, in percent of one core.
    pub(crate) cpu_percent: f64,
    pub(crate) busiest_thread_percent: f64,
    /// The largest run-queue wait of a thread.
    pub(crate) waiting_percent: f64,
    /// Whether the client limited the result: the server's figures are lower bounds.
    pub(crate) saturated: bool,
}

impl ServerUsage {
    pub(crate) fn new(server: &ServerSamples, objects_per_s: f64) -> Self {
        // The span between the two samples; the workers' spans start and end slightly later.
        let span = server.end.at - server.begin.at;
        let cpu = fraction(server.end.cpu.saturating_sub(server.begin.cpu), span);
        Self {
            cpu_percent: cpu * 100.0,
            cpu_us_per_object: cpu * 1e6 / objects_per_s.max(1.0),
            rss_before_bytes: server.before.rss_bytes,
            rss_begin_bytes: server.begin.rss_bytes,
            rss_end_bytes: server.end.rss_bytes,
            rss_peak_bytes: server.peak_rss_bytes,
            steal_percent: fraction(server.end.steal.saturating_sub(server.begin.steal), span) * 100.0,
        }
    }
}

impl ClientUsage {
    pub(crate) fn new(threads: &[ThreadTime]) -> Self {
        let max = |figure: fn(&ThreadTime) -> f64| threads.iter().map(figure).fold(0.0, f64::max);
        Self {
            threads: threads.len(),
            cpu_percent: threads.iter().map(|thread| fraction(thread.busy, thread.span)).sum::<f64>() * 100.0,
            busiest_thread_percent: max(|thread| fraction(thread.busy, thread.span)) * 100.0,
            waiting_percent: max(|thread| fraction(thread.waited, thread.span)) * 100.0,
            saturated: max(|thread| fraction(thread.busy + thread.waited, thread.span)) >= SATURATION,
        }
    }
}

fn fraction(part: Duration, whole: Duration) -> f64 {
    part.as_secs_f64() / whole.as_secs_f64().max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn server_usage_refers_to_the_span_between_its_samples() {
        let start = Instant::now();
        let sample = |seconds, cpu_ms, rss_bytes| ProcessSample {
            at: start + Duration::from_secs(seconds),
            cpu: Duration::from_millis(cpu_ms),
            rss_bytes,
            steal: Duration::from_millis(cpu_ms / 10),
        };
        let mut server = ServerSamples::new(sample(0, 100, 5));
        server.begin(sample(10, 1_000, 9));
        server.update_peak(sample(12, 1_500, 40));
        server.end(sample(14, 3_000, 20));

        let usage = ServerUsage::new(&server, 250_000.0);

        assert_eq!((usage.cpu_percent, usage.cpu_us_per_object), (50.0, 2.0));
        assert_eq!((usage.rss_before_bytes, usage.rss_begin_bytes, usage.rss_end_bytes), (5, 9, 20));
        assert_eq!((usage.rss_peak_bytes, usage.steal_percent), (40, 5.0));
    }

    #[test]
    fn run_queue_wait_counts_towards_saturation() {
        let thread = |busy_ms, waited_ms| ThreadTime {
            span: Duration::from_secs(1),
            busy: Duration::from_millis(busy_ms),
            waited: Duration::from_millis(waited_ms),
        };

        assert!(!ClientUsage::new(&[thread(500, 100), thread(100, 700)]).saturated);
        assert!(ClientUsage::new(&[thread(500, 100), thread(300, 650)]).saturated);
    }
}
