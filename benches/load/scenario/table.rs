//! The results as text.

use std::fmt::Write;

use super::comparison::compare;
use super::metrics::{RunMetrics, median};
use super::result::{ReferenceKind, ScenarioResult};

/// One line per run of a scenario.
pub(crate) fn runs(result: &ScenarioResult) -> String {
    let mut text = String::new();
    let reference = result.reference.map_or("", ReferenceKind::name);
    for (pairs, mark) in [(&result.pairs, ""), (&result.disturbed, ", set aside")] {
        for pair in pairs {
            for (side, run) in [(reference, pair.reference.as_ref()), ("server", Some(&pair.server))] {
                if let Some(run) = run {
                    push(&mut text, &format!("{:<13} {side:<8} {}{mark}", result.name, run_line(run)));
                }
            }
        }
    }
    text.pop();
    text
}

/// One line per scenario: medians of the server's runs.
pub(crate) fn summary(results: &[ScenarioResult]) -> String {
    let mut text = String::new();
    push(
        &mut text,
        "scenario         updates/s  per frame  us/update   p50 ms   p99 ms   max ms   KiB/session  opening ms",
    );
    for result in results {
        let of = |metric: fn(&RunMetrics) -> f64| median(result.servers().map(metric));
        let mut line = format!(
            "{:<13} {:>12} {:>10} {:>10} {:>8} {:>8} {:>8} {:>13} {:>11}",
            result.name,
            number(of(|run| run.updates_per_s), 0),
            number(of(|run| run.updates_per_frame), 1),
            number(of(|run| run.cpu_us_per_update), 3),
            number(of(|run| run.p50_ms), 2),
            number(of(|run| run.p99_ms), 2),
            number(of(|run| run.max_ms), 1),
            number(of(|run| run.kib_per_session), 1),
            number(of(|run| run.opening_ms), 0),
        );
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
            line += "  (client saturated)";
        }
        if result.references().any(|run| run.client_saturated) {
            line += "  (client saturated in the reference's runs)";
        }
        if !result.disturbed.is_empty() {
            line += &format!("  (set aside: {})", result.disturbed.len());
        }
        push(&mut text, &line);
    }
    text
}

/// One line per scenario and metric: the server relative to the reference.
pub(crate) fn comparison(results: &[ScenarioResult]) -> String {
    let mut text = String::new();
    for result in results {
        let Some(reference) = result.reference.map(ReferenceKind::name) else { continue };
        if text.is_empty() {
            let header = format!(
                "{:<13} {:<20} {reference:>10} {:>10} {:>7}   lowest to highest of the pairs",
                "scenario", "metric", "server", "ratio"
            );
            push(&mut text, &header);
        }
        for row in compare(result) {
            let line = format!(
                "{:<13} {:<20} {:>10.3} {:>10.3} {:>7.3}   {:.3} to {:.3} ({})",
                result.name,
                row.metric,
                row.reference,
                row.server,
                row.ratio,
                row.min_ratio,
                row.max_ratio,
                result.pairs.len(),
            );
            push(&mut text, &line);
        }
    }
    text
}

fn run_line(run: &RunMetrics) -> String {
    format!(
        "{:>9.0} updates/s, {:>5} per frame  {:>7} us/update  CPU {:>5} %  p50 {:>7}  p99 {:>7}  max {:>7} ms  {} gaps  {} closed  {:>5.1} KiB/session  client {:>4.1} %{}  steal {:.1} %",
        run.updates_per_s,
        number(run.updates_per_frame, 1),
        number(run.cpu_us_per_update, 3),
        number(run.cpu_percent, 1),
        number(run.p50_ms, 2),
        number(run.p99_ms, 2),
        number(run.max_ms, 1),
        run.gaps,
        run.closed,
        run.kib_per_session,
        run.client_percent,
        if run.client_saturated { " (saturated)" } else { "" },
        run.steal_percent
    )
}

/// A number with fixed decimals; `-` if it has no meaning in a run.
fn number(value: f64, decimals: usize) -> String {
    if value.is_nan() { "-".to_owned() } else { format!("{value:.decimals$}") }
}

fn push(text: &mut String, line: &str) {
    writeln!(text, "{}", line.trim_end()).expect("writing to a string does not fail");
}
