//! The figures for people.

use std::fmt::Write;

use super::figures::{Figures, median};
use super::outcome::{Outcome, Pair};

/// A line for each run of a scenario.
pub(crate) fn rows(outcome: &Outcome) -> String {
    let mut text = String::new();
    for (pairs, mark) in [(&outcome.pairs, ""), (&outcome.disturbed, ", set aside")] {
        for pair in pairs {
            for (side, run) in [("floor", pair.floor.as_ref()), ("server", Some(&pair.server))] {
                if let Some(run) = run {
                    push(&mut text, &format!("{:<13} {side:<7} {}{mark}", outcome.name, line(run)));
                }
            }
        }
    }
    text.pop();
    text
}

/// A line for each scenario: medians, and how the server stands beside the floor.
pub(crate) fn summary(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    push(
        &mut text,
        "scenario         updates/s  per frame  us/update   p50 ms   p99 ms   max ms   KiB/session  opening ms  us/update, p99 to the floor's",
    );
    for outcome in outcomes {
        let of = |figure: fn(&Figures) -> f64| median(outcome.servers().map(figure));
        let mut line = format!(
            "{:<13} {:>12.0} {:>10.1} {:>10.3} {:>8.2} {:>8.2} {:>8.1} {:>13.1} {:>11.0}",
            outcome.name,
            of(|run| run.updates_per_s),
            of(|run| run.updates_per_frame),
            of(|run| run.cpu_us_per_update),
            of(|run| run.p50_ms),
            of(|run| run.p99_ms),
            of(|run| run.max_ms),
            of(|run| run.kib_per_session),
            of(|run| run.opening_ms),
        );
        if outcome.floors().next().is_some() {
            let cpu = ratio(outcome, |run| run.cpu_us_per_update);
            let busy = ratio(outcome, |run| run.cpu_percent_per_session);
            let p99 = ratio(outcome, |run| run.p99_ms);
            line += &format!("  {cpu:.2}, {p99:.2} (CPU a session {busy:.3})");
        }
        if let (Some(back), Some(busiest)) = (outcome.back_ms, outcome.busiest_100ms) {
            line += &format!("  all back {back} ms after the restart, at most {busiest} in 100 ms");
        }
        let gaps: u64 = outcome.pairs.iter().chain(&outcome.disturbed).map(|pair| pair.server.gaps).sum();
        if gaps > 0 {
            line += &format!("  {gaps} GAPS");
        }
        if outcome.servers().any(|run| run.client_was_limit) {
            line += "  (the server's client was the limit)";
        }
        if outcome.floors().any(|run| run.client_was_limit) {
            line += "  (the floor's client was the limit)";
        }
        if !outcome.disturbed.is_empty() {
            line += &format!("  (set aside: {})", outcome.disturbed.len());
        }
        push(&mut text, &line);
    }
    text
}

/// The median of the pairs' ratios.
pub(crate) fn ratio(outcome: &Outcome, figure: fn(&Figures) -> f64) -> f64 {
    let of = |pair: &Pair| Some(figure(&pair.server) / figure(pair.floor.as_ref()?));
    median(outcome.pairs.iter().filter_map(of))
}

fn line(run: &Figures) -> String {
    format!(
        "{:>9.0} updates/s in frames of {:>5.1}  {:>7.3} us/update  CPU {:>5.1} %  p50 {:>7.2}  p99 {:>7.2}  max {:>7.1} ms  {} gaps  {} closed  {:>5.1} KiB/session  client {:>4.1} %{}  stolen {:.1} %",
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
        if run.client_was_limit { ", the limit" } else { "" },
        run.stolen_percent
    )
}

fn push(text: &mut String, line: &str) {
    writeln!(text, "{}", line.trim_end()).expect("writing to a string does not fail");
}
