//! Who was busy: the server's share and our own.

use std::ops::AddAssign;
use std::time::Duration;

use serde::Serialize;

use super::proc::Usage;

/// A client thread this busy, in parts of a core, was itself the limit.
const SATURATED: f64 = 0.9;

/// The server's process over the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    before: Usage,
    begin: Usage,
    end: Usage,
    peak_rss_bytes: u64,
}

impl Server {
    /// `before` is the server before the first session.
    pub(crate) fn new(before: Usage) -> Self {
        Self { before, begin: before, end: before, peak_rss_bytes: before.rss_bytes }
    }

    /// The measurement begins.
    pub(crate) fn begin(&mut self, usage: Usage) {
        self.begin = usage;
        self.watch(usage);
    }

    /// The measurement ends.
    pub(crate) fn end(&mut self, usage: Usage) {
        self.end = usage;
        self.watch(usage);
    }

    pub(crate) fn watch(&mut self, usage: Usage) {
        self.peak_rss_bytes = self.peak_rss_bytes.max(usage.rss_bytes);
    }
}

/// How one of our threads spent a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ThreadTime {
    pub(crate) span: Duration,
    /// On a core.
    pub(crate) busy: Duration,
    /// Ready to run, but without a core.
    pub(crate) waited: Duration,
}

impl AddAssign for ThreadTime {
    fn add_assign(&mut self, other: Self) {
        self.span += other.span;
        self.busy += other.busy;
        self.waited += other.waited;
    }
}

/// What the server used during the measurement.
#[derive(Debug, Serialize)]
pub(crate) struct ServerShare {
    pub(crate) cpu_percent: f64,
    /// CPU per second over objects received per second; what stalled sessions cost is in it.
    pub(crate) cpu_us_per_object: f64,
    pub(crate) rss_before_bytes: u64,
    pub(crate) rss_begin_bytes: u64,
    pub(crate) rss_end_bytes: u64,
    pub(crate) rss_peak_bytes: u64,
    /// What the host took of all cores meanwhile, of one core.
    pub(crate) stolen_percent: f64,
}

/// What we used ourselves during the measurement.
#[derive(Debug, Serialize)]
pub(crate) struct ClientShare {
    pub(crate) threads: usize,
    /// Of one core, all threads together.
    pub(crate) cpu_percent: f64,
    pub(crate) busiest_thread_percent: f64,
    /// The longest any thread was ready to run without getting a core.
    pub(crate) waiting_percent: f64,
    /// Whether more load would have needed a faster client: read the figures as lower bounds.
    pub(crate) was_limit: bool,
}

impl ServerShare {
    pub(crate) fn new(server: &Server, objects_per_s: f64) -> Self {
        // Its own span, for our threads began and ended theirs a little later.
        let span = server.end.at - server.begin.at;
        let share = part_of(server.end.cpu.saturating_sub(server.begin.cpu), span);
        Self {
            cpu_percent: share * 100.0,
            cpu_us_per_object: share * 1e6 / objects_per_s.max(1.0),
            rss_before_bytes: server.before.rss_bytes,
            rss_begin_bytes: server.begin.rss_bytes,
            rss_end_bytes: server.end.rss_bytes,
            rss_peak_bytes: server.peak_rss_bytes,
            stolen_percent: part_of(server.end.stolen.saturating_sub(server.begin.stolen), span) * 100.0,
        }
    }
}

impl ClientShare {
    pub(crate) fn new(threads: &[ThreadTime]) -> Self {
        let most = |share: fn(&ThreadTime) -> f64| threads.iter().map(share).fold(0.0, f64::max);
        Self {
            threads: threads.len(),
            cpu_percent: threads.iter().map(|thread| part_of(thread.busy, thread.span)).sum::<f64>() * 100.0,
            busiest_thread_percent: most(|thread| part_of(thread.busy, thread.span)) * 100.0,
            waiting_percent: most(|thread| part_of(thread.waited, thread.span)) * 100.0,
            was_limit: most(|thread| part_of(thread.busy + thread.waited, thread.span)) >= SATURATED,
        }
    }
}

fn part_of(part: Duration, whole: Duration) -> f64 {
    part.as_secs_f64() / whole.as_secs_f64().max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_server_is_charged_for_its_own_span() {
        let start = Instant::now();
        let usage = |seconds, cpu_ms, rss_bytes| Usage {
            at: start + Duration::from_secs(seconds),
            cpu: Duration::from_millis(cpu_ms),
            rss_bytes,
            stolen: Duration::from_millis(cpu_ms / 10),
        };
        let mut server = Server::new(usage(0, 100, 5));
        server.begin(usage(10, 1_000, 9));
        server.watch(usage(12, 1_500, 40));
        server.end(usage(14, 3_000, 20));

        let share = ServerShare::new(&server, 250_000.0);

        assert_eq!((share.cpu_percent, share.cpu_us_per_object), (50.0, 2.0));
        assert_eq!((share.rss_before_bytes, share.rss_begin_bytes, share.rss_end_bytes), (5, 9, 20));
        assert_eq!((share.rss_peak_bytes, share.stolen_percent), (40, 5.0));
    }

    #[test]
    fn a_thread_that_only_waits_for_a_core_is_the_limit_as_well() {
        let thread = |busy_ms, waited_ms| ThreadTime {
            span: Duration::from_secs(1),
            busy: Duration::from_millis(busy_ms),
            waited: Duration::from_millis(waited_ms),
        };

        assert!(!ClientShare::new(&[thread(500, 100), thread(100, 700)]).was_limit);
        assert!(ClientShare::new(&[thread(500, 100), thread(300, 650)]).was_limit);
    }
}
