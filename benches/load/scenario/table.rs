//! The results as text.

use std::fmt::Write;

use super::metrics::{RunMetrics, median};
use super::result::{Pair, ScenarioResult};

/// One line per run of a scenario.
pub(crate) fn runs(result: &ScenarioResult) -> String {
    let mut text = String::new();
    for (pairs, mark) in [(&result.pairs, ""), (&result.disturbed, ", set aside")] {
        for pair in pairs {
            for (side, run) in [("floor", pair.floor.as_ref()), ("server", Some(&pair.server))] {
                if let Some(run) = run {
                    push(&mut text, &format!("{:<13} {side:<7} {}{mark}", result.name, run_line(run)));
                }
            }
        }
    }
    text.pop();
    text
}

/// One line per scenario: medians of the server's runs, and its ratios to the floor.
pub(crate) fn summary(results: &[ScenarioResult]) -> String {
    let mut text = String::new();
    push(
        &mut text,
        "scenario         updates/s  per frame  us/update   p50 ms   p99 ms   max ms   KiB/session  opening ms  ratio to the floor: us/update, p99",
    );
    for result in results {
        let of = |metric: fn(&RunMetrics) -> f64| median(result.servers().map(metric));
        let mut line = format!(
            "{:<13} {:>12.0} {:>10.1} {:>10.3} {:>8.2} {:>8.2} {:>8.1} {:>13.1} {:>11.0}",
            result.name,
            of(|run| run.updates_per_s),
            of(|run| run.updates_per_frame),
            of(|run| run.cpu_us_per_update),
            of(|run| run.p50_ms),
            of(|run| run.p99_ms),
            of(|run| run.max_ms),
            of(|run| run.kib_per_session),
            of(|run| run.opening_ms),
        );
        if result.floors().next().is_some() {
            let cpu = ratio(result, |run| run.cpu_us_per_update);
            let p99 = ratio(result, |run| run.p99_ms);
            let cpu_per_session = ratio(result, |run| run.cpu_percent_per_session);
            line += &format!("  {cpu:.2}, {p99:.2} (CPU per session {cpu_per_session:.3})");
        }
        let (reconnected, peak) = (of(|run| run.reconnected_ms), of(|run| run.reconnects_peak_100ms));
        if !reconnected.is_nan() {
            line += &format!(
                "  all reconnected {reconnected:.0} ms after the restart, at most {peak:.0} in 100 ms"
            );
        }
        let gaps: u64 = result.pairs.iter().chain(&result.disturbed).map(|pair| pair.server.gaps).sum();
        if gaps > 0 {
            line += &format!("  {gaps} GAPS");
        }
        if result.servers().any(|run| run.client_saturated) {
            line += "  (client saturated by the server)";
        }
        if result.floors().any(|run| run.client_saturated) {
            line += "  (client saturated by the floor)";
        }
        if !result.disturbed.is_empty() {
            line += &format!("  (set aside: {})", result.disturbed.len());
        }
        push(&mut text, &line);
    }
    text
}

/// The median of the ratios of all pairs.
fn ratio(result: &ScenarioResult, metric: fn(&RunMetrics) -> f64) -> f64 {
    let of = |pair: &Pair| Some(metric(&pair.server) / metric(pair.floor.as_ref()?));
    median(result.pairs.iter().filter_map(of))
}

fn run_line(run: &RunMetrics) -> String {
    format!(
        "{:>9.0} updates/s, {:>5.1} per frame  {:>7.3} us/update  CPU {:>5.1} %  p50 {:>7.2}  p99 {:>7.2}  max {:>7.1} ms  {} gaps  {} closed  {:>5.1} KiB/session  client {:>4.1} %{}  steal {:.1} %",
        run.updates_per_s,
        run.updates_per_frame,
        run.cpu_us_per_update,
        run.cpu_percent,
        run.p50_ms,
        run.p99_ms,
        run.max_ms,
        run.gaps,
        run.closed,
        run.kib_per_session,
        run.client_percent,
        if run.client_saturated { " (saturated)" } else { "" },
        run.steal_percent
    )
}

fn push(text: &mut String, line: &str) {
    writeln!(text, "{}", line.trim_end()).expect("writing to a string does not fail");
}
