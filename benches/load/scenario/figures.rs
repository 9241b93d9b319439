//! What one run showed, and what several show together.

use serde::Serialize;
use serde_json::Value;

/// The figures of one run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) updates_per_s: f64,
    pub(crate) updates_per_frame: f64,
    pub(crate) cpu_us_per_update: f64,
    pub(crate) cpu_percent: f64,
    pub(crate) cpu_percent_per_session: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
    pub(crate) gaps: u64,
    pub(crate) closed: u64,
    /// Resident memory of the server when all sessions were in, less before the first, for each.
    pub(crate) kib_per_session: f64,
    /// Until the last of all sessions was subscribed.
    pub(crate) opening_ms: f64,
    pub(crate) client_percent: f64,
    /// The client had no time left: the server could do more than this shows.
    pub(crate) client_was_limit: bool,
    /// What the host took of the machine's cores meanwhile, of one core.
    pub(crate) stolen_percent: f64,
}

impl Figures {
    /// Of a report of the load client.
    pub(crate) fn of(report: &Value) -> Self {
        let number = |path: &str| report.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
        let sessions = number("/sessions/opened") + number("/sessions/stalled_opened");
        let memory = number("/server/rss_begin_bytes") - number("/server/rss_before_bytes");
        let closed = report.pointer("/sessions/closed").and_then(Value::as_object);
        Self {
            updates_per_s: number("/objects_per_s"),
            updates_per_frame: number("/objects") / number("/frames"),
            cpu_us_per_update: number("/server/cpu_us_per_object"),
            cpu_percent: number("/server/cpu_percent"),
            cpu_percent_per_session: number("/server/cpu_percent") / sessions,
            p50_ms: number("/latency_us/p50") / 1e3,
            p99_ms: number("/latency_us/p99") / 1e3,
            max_ms: number("/latency_us/max") / 1e3,
            gaps: number("/sequence/gaps") as u64,
            closed: closed.map_or(0, |reasons| reasons.values().filter_map(Value::as_u64).sum()),
            kib_per_session: memory / 1024.0 / sessions,
            opening_ms: number("/sessions/opening_ms"),
            client_percent: number("/client/busiest_thread_percent"),
            client_was_limit: report.pointer("/client/was_limit") == Some(&Value::Bool(true)),
            stolen_percent: number("/server/stolen_percent"),
        }
    }
}

/// The middle one; of an even count the mean of the two.
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
    fn a_report_is_read() {
        let report = json!({
            "objects": 90, "frames": 30, "objects_per_s": 9.0,
            "sessions": {"opened": 2, "stalled_opened": 1, "closed": {"1012": 1, "cut": 1}, "opening_ms": 5},
            "latency_us": {"p50": 1_500, "p99": 2_000, "max": 9_000},
            "sequence": {"gaps": 0},
            "server": {"rss_before_bytes": 1_024, "rss_begin_bytes": 4_096, "cpu_us_per_object": 2.5, "cpu_percent": 3.0},
            "client": {"busiest_thread_percent": 40.0, "was_limit": true},
        });

        let figures = Figures::of(&report);

        assert_eq!((figures.updates_per_frame, figures.p50_ms, figures.kib_per_session), (3.0, 1.5, 1.0));
        assert_eq!(figures.cpu_percent_per_session, 1.0);
        assert_eq!((figures.closed, figures.client_was_limit), (2, true));
    }

    #[test]
    fn the_median_stands_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, f64::NAN, 3.0]), 2.5);
        assert!(median([]).is_nan());
    }
}
