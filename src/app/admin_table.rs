//! The answers of the administration as text for people.

use std::io::{self, Write};

use serde_json::Value;

/// A table with a head, whose columns are as wide as what they hold.
struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|name| (*name).to_owned()).collect()] }
    }

    fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let columns = self.rows[0].len();
        let width =
            |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<_> = (0..columns).map(width).collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// A value of JSON as text: `-` for what is absent.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => printable(text),
        other => other.to_string(),
    }
}

/// What a client says of itself must not move the cursor of a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

fn list(value: &Value) -> String {
    match value.as_array() {
        None => "all".to_owned(),
        Some(values) => values.iter().map(text).collect::<Vec<_>>().join(","),
    }
}

/// Bytes in at most five characters.
fn bytes(value: &Value) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let Some(bytes) = value.as_f64() else { return text(value) };
    let mut unit = 0;
    let mut size = bytes;
    while size >= 1_000.0 && unit + 1 < UNITS.len() {
        size /= 1_024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{size} B"),
        _ => format!("{size:.1} {}", UNITS[unit]),
    }
}

/// Seconds as hours, minutes and seconds.
fn duration(seconds: Option<f64>) -> String {
    let Some(seconds) = seconds else { return "-".to_owned() };
    let whole = seconds as u64;
    match whole {
        0..60 => format!("{seconds:.1}s"),
        60..3_600 => format!("{}m{:02}s", whole / 60, whole % 60),
        3_600..86_400 => format!("{}h{:02}m", whole / 3_600, whole % 3_600 / 60),
        _ => format!("{}d{:02}h", whole / 86_400, whole % 86_400 / 3_600),
    }
}

fn milliseconds(value: &Value) -> String {
    match value.as_f64() {
        Some(0.0) => "-".to_owned(),
        time => duration(time.map(|time| time / 1e3)),
    }
}

fn flags(session: &Value) -> String {
    let named = ["deflate", "tls", "muted", "closing"];
    let set = named.into_iter().filter(|name| session[name] == true);
    let codec = session["codec"].as_str();
    codec.into_iter().chain(set).collect::<Vec<_>>().join(",")
}

/// A list of sessions.
pub(super) fn write_sessions(answer: &Value, out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::new(&[
        "ID",
        "FEED",
        "ADDRESS",
        "KEY",
        "AGE",
        "BACKLOG",
        "STALLED",
        "IDLE",
        "SENT",
        "SYMBOLS",
        "CONFLATED",
        "GAPS",
        "MISSED",
        "",
    ]);
    let sessions = answer["sessions"].as_array().map(Vec::as_slice).unwrap_or_default();
    for session in sessions {
        table.push(vec![
            text(&session["id"]),
            text(&session["feed"]),
            text(&session["address"]),
            text(&session["key"]),
            duration(session["age_seconds"].as_f64()),
            bytes(&session["backlog_bytes"]),
            milliseconds(&session["stalled_ms"]),
            milliseconds(&session["idle_ms"]),
            bytes(&session["bytes"]),
            text(&session["symbols"]),
            text(&session["conflated"]),
            text(&session["gaps"]),
            text(&session["missed"]),
            flags(session),
        ]);
    }
    table.write(out)?;
    writeln!(out, "{} of {} that match; {} open", sessions.len(), answer["matching"], answer["open"])
}

/// One session.
pub(super) fn write_session(session: &Value, out: &mut impl Write) -> io::Result<()> {
    let mut line = |name: &str, value: String| writeln!(out, "{name:<14}{value}");
    line("id", text(&session["id"]))?;
    line("feed", text(&session["feed"]))?;
    line("address", text(&session["address"]))?;
    line("key", text(&session["key"]))?;
    line(
        "opened",
        format!("{} ({} ago)", text(&session["opened"]), duration(session["age_seconds"].as_f64())),
    )?;
    line("client", text(&session["user_agent"]))?;
    line("connection", flags(session))?;
    line("backlog", bytes(&session["backlog_bytes"]))?;
    line("stalled", milliseconds(&session["stalled_ms"]))?;
    line("idle", milliseconds(&session["idle_ms"]))?;
    let sent = format!(
        "{} in {} frames, {} objects",
        bytes(&session["bytes"]),
        session["frames"],
        session["objects"]
    );
    line("sent", sent)?;
    line("conflated", text(&session["conflated"]))?;
    line("missed", format!("{} objects in {} gap notices", session["missed"], session["gaps"]))?;
    for (channel, count) in session["subscribed"].as_object().into_iter().flatten() {
        let names = if channel == "topics" { &session["topics"] } else { &session["subscriptions"][channel] };
        let shown = names.as_array().map_or(0, Vec::len) as u64;
        let more = if count.as_u64() > Some(shown) { ", …" } else { "" };
        line(channel, format!("{count}: {}{more}", list(names)))?;
    }
    if let Some(options) = session["options"].as_object() {
        let options = options.iter().map(|(name, value)| format!("{name} {}", text(value)));
        line("options", options.collect::<Vec<_>>().join(", "))?;
        line("alerts", text(&session["alerts"]))?;
    }
    match session["slow_because"].as_str() {
        Some(why) => line("slow because", why.to_owned()),
        None => Ok(()),
    }
}

/// The node.
pub(super) fn write_overview(node: &Value, out: &mut impl Write) -> io::Result<()> {
    let mut line = |name: &str, value: String| writeln!(out, "{name:<14}{value}");
    line("version", text(&node["version"]))?;
    if !node["node"].is_null() {
        line("node", text(&node["node"]))?;
    }
    line(
        "started",
        format!("{} ({} ago)", text(&node["started"]), duration(node["uptime_seconds"].as_f64())),
    )?;
    let ready = match (node["ready"] == true, node["reason"].as_str()) {
        (true, _) => "yes".to_owned(),
        (false, None) => "no".to_owned(),
        (false, Some(reason)) => format!("no: {}", printable(reason)),
    };
    line("ready", ready)?;
    let sessions = &node["sessions"];
    let counts = format!(
        "{} of {} ({} opened, {} closed)",
        sessions["open"], sessions["limit"], sessions["opened"], sessions["closed"]
    );
    line("sessions", counts)?;
    line("workers", text(&node["workers"]))?;
    let descriptors = &node["descriptors"];
    line("descriptors", format!("{} of {}", text(&descriptors["open"]), text(&descriptors["limit"])))?;
    line("outboxes", bytes(&node["outbox_bytes"]))?;
    line("memory", bytes(&node["memory_bytes"]))?;
    line("log level", text(&node["log_level"]))?;
    line("keys", text(&node["keys"]))?;
    let mut table = Table::new(&["FEED", "SOURCE", "READY", "OBJECTS", "NEWEST", "AGE", "UPSTREAM"]);
    for feed in node["feeds"].as_array().into_iter().flatten() {
        let upstream = &feed["upstream"];
        table.push(vec![
            text(&feed["feed"]),
            text(&feed["source"]),
            feed["reason"].as_str().map_or_else(|| text(&feed["ready"]), printable),
            text(&feed["objects"]),
            text(&feed["newest"]),
            milliseconds(&feed["age_ms"]),
            match upstream["up"].as_bool() {
                None => "-".to_owned(),
                Some(up) => format!("{}, lost {} times", if up { "up" } else { "down" }, upstream["losses"]),
            },
        ]);
    }
    table.write(out)
}

/// The keys.
pub(super) fn write_keys(answer: &Value, out: &mut impl Write) -> io::Result<()> {
    let mut table =
        Table::new(&["ID", "SESSIONS", "MAX SESSIONS", "MAX SYMBOLS", "FEEDS", "SYMBOLS", "CONTROL"]);
    for key in answer["keys"].as_array().into_iter().flatten() {
        table.push(vec![
            text(&key["id"]),
            text(&key["sessions"]),
            text(&key["max_sessions"]),
            text(&key["max_symbols"]),
            list(&key["feeds"]),
            list(&key["symbols"]),
            text(&key["control"]),
        ]);
    }
    table.write(out)
}

/// The refusals.
pub(super) fn write_refusals(answer: &Value, out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::new(&["TIME", "KIND", "REASON", "ADDRESS", "KEY", "COUNT"]);
    for refusal in answer["refusals"].as_array().into_iter().flatten() {
        let column = |name: &str| text(&refusal[name]);
        table.push(["time", "kind", "reason", "address", "key", "count"].map(column).to_vec());
    }
    table.write(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!([999, 20_480, 3 << 20].map(|size| bytes(&json!(size))), ["999 B", "20.0 KiB", "3.0 MiB"]);
        let times = [0.25, 61.0, 3_661.0, 90_000.0].map(|seconds| duration(Some(seconds)));
        assert_eq!(times, ["0.2s", "1m01s", "1h01m", "1d01h"]);
        assert_eq!(milliseconds(&json!(0)), "-");
    }

    #[test]
    fn the_columns_of_a_table_are_aligned_and_control_characters_do_not_reach_the_terminal() {
        let answer = json!({
            "sessions": [{"id": "0-1", "address": "\u{1b}[2J", "codec": "json", "muted": true}],
            "matching": 1,
            "open": 2,
        });
        let mut out = Vec::new();

        write_sessions(&answer, &mut out).unwrap();

        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0].find("ADDRESS"), lines[1].find("?[2J"));
        assert!(lines[1].ends_with("json,muted") && lines[2] == "1 of 1 that match; 2 open", "{text}");
    }
}
