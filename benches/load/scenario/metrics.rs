//! The metrics of a run, and their median over several runs.

use serde::Serialize;
use serde_json::Value;

/// The metrics of one run, taken from the load client's report.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunMetrics {
    pub(crate) updates_per_s: f64,
    pub(crate) updates_per_frame: f64,
    /// Including the headers of frames.
    pub(crate) bytes_per_update: f64,
    pub(crate) sessions: f64,
    pub(crate) cpu_us_per_update: f64,
    pub(crate) cpu_percent: f64,
    pub(crate) cpu_percent_per_session: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
    pub(crate) gaps: u64,
    pub(crate) closed: u64,
    /// Growth of the server's resident memory from before the first session to all sessions open, per session.
    pub(crate) kib_per_session: f64,
    /// From the first connect until every session is open or refused.
    pub(crate) opening_ms: f64,
    /// From the restart of the server to the last reconnect; NaN without a restart.
    pub(crate) reconnected_ms: f64,
    /// The largest number of reconnects within 100 ms; NaN without a restart.
    pub(crate) reconnects_peak_100ms: f64,
    pub(crate) client_percent: f64,
    /// Whether the client limited the result: the server's figures are lower bounds.
    pub(crate) client_saturated: bool,
    /// Steal time of all cores, in percent of one core.
    pub(crate) steal_percent: f64,
}

impl RunMetrics {
    /// Reads a report of the load client; a missing number is NaN.
    ///
    /// `restarted_ms` is when the server was restarted, in milliseconds since the Unix epoch.
    pub(crate) fn from_report(report: &Value, restarted_ms: Option<i64>) -> Self {
        let number = |path: &str| report.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
        let sessions = number("/sessions/opened") + number("/sessions/stalled_opened");
        let memory = number("/server/rss_begin_bytes") - number("/server/rss_before_bytes");
        // Cost and latency per update have no meaning without updates, as in an idle run.
        let of_updates = |path: &str| if number("/objects") == 0.0 { f64::NAN } else { number(path) };
        // After a restart the report's process is gone, and with it its CPU time.
        let cpu_percent = if restarted_ms.is_some() { f64::NAN } else { number("/server/cpu_percent") };
        let closed = report.pointer("/sessions/closed").and_then(Value::as_object);
        Self {
            updates_per_s: number("/objects_per_s"),
            updates_per_frame: number("/objects") / number("/frames"),
            bytes_per_update: number("/bytes_per_s") / number("/objects_per_s"),
            sessions,
            cpu_us_per_update: if cpu_percent.is_nan() {
                f64::NAN
            } else {
                of_updates("/server/cpu_us_per_object")
            },
            cpu_percent,
            cpu_percent_per_session: cpu_percent / sessions,
            p50_ms: of_updates("/latency_us/p50") / 1e3,
            p99_ms: of_updates("/latency_us/p99") / 1e3,
            max_ms: of_updates("/latency_us/max") / 1e3,
            gaps: number("/sequence/gaps") as u64,
            closed: closed.map_or(0, |reasons| reasons.values().filter_map(Value::as_u64).sum()),
            kib_per_session: memory / 1024.0 / sessions,
            opening_ms: number("/sessions/opening_ms"),
            reconnected_ms: number("/sessions/reconnects/last_ms")
                - restarted_ms.map_or(f64::NAN, |since_ms| since_ms as f64),
            reconnects_peak_100ms: number("/sessions/reconnects/busiest_100ms"),
            client_percent: number("/client/busiest_thread_percent"),
            client_saturated: report.pointer("/client/saturated") == Some(&Value::Bool(true)),
            steal_percent: number("/server/steal_percent"),
        }
    }
}

/// The median, ignoring NaN; NaN if there are no values.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
    values.sort_by(f64::total_cmp);
    match (values.len(), values.len() / 2) {
        (0, _) => f64::NAN,
        (count, half) if count % 2 == 0 => f64::midpoint(values[half - 1], values[half]),
        (_, half) => values[half],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn metrics_are_read_from_a_report() {
        let report = json!({
            "objects": 90, "frames": 30, "objects_per_s": 9.0,
            "sessions": {"opened": 2, "stalled_opened": 1, "closed": {"1012": 1, "connection lost": 1}, "opening_ms": 5},
            "latency_us": {"p50": 1_500, "p99": 2_000, "max": 9_000},
            "sequence": {"gaps": 0},
            "server": {"rss_before_bytes": 1_024, "rss_begin_bytes": 4_096, "cpu_us_per_object": 2.5, "cpu_percent": 3.0},
            "client": {"busiest_thread_percent": 40.0, "saturated": true},
        });

        let metrics = RunMetrics::from_report(&report, None);

        assert_eq!((metrics.updates_per_frame, metrics.p50_ms, metrics.kib_per_session), (3.0, 1.5, 1.0));
        assert_eq!(metrics.cpu_percent_per_session, 1.0);
        assert_eq!((metrics.closed, metrics.client_saturated), (2, true));
    }

    #[test]
    fn after_a_restart_reconnects_are_timed_and_cpu_is_unknown() {
        let report = json!({
            "sessions": {"reconnects": {"last_ms": 1_250}},
            "server": {"cpu_us_per_object": 0.0, "cpu_percent": 0.0},
        });

        let metrics = RunMetrics::from_report(&report, Some(1_000));

        assert_eq!(metrics.reconnected_ms, 250.0);
        assert!(metrics.cpu_percent.is_nan() && metrics.cpu_us_per_update.is_nan());
    }

    #[test]
    fn an_idle_run_has_no_cost_and_no_latency_per_update() {
        let report = json!({ "objects": 0, "server": {"cpu_us_per_object": 9.0}, "latency_us": {"p99": 0} });

        let metrics = RunMetrics::from_report(&report, None);

        assert!(metrics.cpu_us_per_update.is_nan() && metrics.p99_ms.is_nan());
    }

    #[test]
    fn the_median_is_the_middle_value_or_the_mean_of_two() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, f64::NAN, 3.0]), 2.5);
        assert!(median([]).is_nan());
    }
}
