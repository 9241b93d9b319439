//! The result of a run, for people and for machines.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::config::Load;
use super::plan::Breadth;
use super::returns::Waves;
use super::shares::{ClientShare, ServerShare};
use super::tally::Tally;
use super::totals::Totals;

/// Everything a run has to say. Rates are per second of the measurement.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    url: String,
    connections: usize,
    stalled: usize,
    symbols: String,
    channels: Vec<String>,
    skew: String,
    seed: u64,
    seconds: f64,
    sessions: Sessions,
    frames: u64,
    frames_per_s: f64,
    objects: u64,
    objects_per_s: f64,
    bytes_per_s: f64,
    latency_us: Latency,
    sequence: Sequence,
    /// Messages in a codec this client does not read.
    unread: u64,
    server: Option<ServerShare>,
    client: ClientShare,
}

#[derive(Debug, Serialize)]
struct Sessions {
    opened: u64,
    /// From the first connect until the last acknowledgement.
    opening_ms: u64,
    /// Those that came back.
    returned: Option<Waves>,
    open_at_end: u64,
    refused: BTreeMap<String, u64>,
    closed: BTreeMap<String, u64>,
    errors: BTreeMap<u64, u64>,
    stalled_opened: u64,
    stalled_ended: BTreeMap<String, u64>,
}

/// Receive time less the object's `t`, over all but bars and snapshots.
#[derive(Debug, Serialize)]
struct Latency {
    objects: u64,
    p50: u64,
    p99: u64,
    p99_9: u64,
    max: u64,
}

#[derive(Debug, Serialize)]
struct Sequence {
    gaps: u64,
    missing: u64,
    announced_gaps: u64,
    repeated: u64,
    overclaimed: u64,
    merged: u64,
    unnumbered: u64,
}

impl Report {
    pub(crate) fn new(load: &Load, totals: Totals) -> Self {
        let tally = &totals.measured;
        let roll = totals.roll();
        let threads: Vec<_> = totals.crews.iter().map(|crew| crew.time).collect();
        let span = threads.iter().map(|thread| thread.span).max().unwrap_or_default();
        let seconds = span.as_secs_f64().max(1e-9);
        let per_s = |count: u64| count as f64 / seconds;
        Self {
            url: load.url.clone(),
            connections: load.readers,
            stalled: load.stalled,
            symbols: match load.plan.breadth {
                Breadth::All => "all".to_owned(),
                Breadth::Some(count) => count.to_string(),
            },
            channels: load.plan.channels.iter().map(ToString::to_string).collect(),
            skew: format!("{:?}", load.plan.skew).to_lowercase(),
            seed: load.plan.seed,
            seconds,
            frames: tally.frames,
            frames_per_s: per_s(tally.frames),
            objects: tally.objects,
            objects_per_s: per_s(tally.objects),
            bytes_per_s: per_s(tally.bytes),
            latency_us: Latency::new(tally),
            sequence: Sequence::new(tally),
            unread: tally.unread,
            server: totals.server.map(|server| ServerShare::new(&server, per_s(tally.objects))),
            client: ClientShare::new(&threads),
            sessions: Sessions {
                opened: roll.opened,
                opening_ms: totals.opening.as_millis() as u64,
                returned: Waves::of(&roll.returned_ms),
                open_at_end: roll.open(),
                refused: roll.refused,
                closed: roll.closed,
                errors: roll.errors,
                stalled_opened: roll.stalled_opened,
                stalled_ended: roll.stalled_ended,
            },
        }
    }

    /// One JSON object on one line.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a report has only text keys and finite numbers")
    }
}

impl Latency {
    fn new(tally: &Tally) -> Self {
        let at = |quantile| tally.latency_us.value_at_quantile(quantile);
        Self {
            objects: tally.latency_us.len(),
            p50: at(0.5),
            p99: at(0.99),
            p99_9: at(0.999),
            max: tally.latency_us.max(),
        }
    }
}

impl Sequence {
    fn new(tally: &Tally) -> Self {
        Self {
            gaps: tally.gaps,
            missing: tally.missing,
            announced_gaps: tally.announced,
            repeated: tally.repeated,
            overclaimed: tally.overclaimed,
            merged: tally.merged,
            unnumbered: tally.unnumbered,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |micros: u64| micros as f64 / 1e3;
        let mb = |bytes: u64| bytes as f64 / 1e6;
        let Self { sessions, latency_us: latency, sequence, client, .. } = self;
        writeln!(f, "target     {}, {:.1} s", self.url, self.seconds)?;
        writeln!(
            f,
            "plan       {} sessions, {} symbols each ({}, seed {}), {}",
            self.connections,
            self.symbols,
            self.skew,
            self.seed,
            self.channels.join(" + ")
        )?;
        writeln!(
            f,
            "sessions   {} opened in {} ms, {} open at the end, refused {:?}, closed {:?}, errors {:?}",
            sessions.opened,
            sessions.opening_ms,
            sessions.open_at_end,
            sessions.refused,
            sessions.closed,
            sessions.errors
        )?;
        if let Some(returned) = &sessions.returned {
            writeln!(f, "returned   {returned:?}")?;
        }
        if self.stalled > 0 {
            writeln!(f, "stalled    {} opened, ended {:?}", sessions.stalled_opened, sessions.stalled_ended)?;
        }
        writeln!(f, "frames     {:.0}/s, {} in all", self.frames_per_s, self.frames)?;
        writeln!(f, "objects    {:.0}/s, {} in all", self.objects_per_s, self.objects)?;
        writeln!(f, "bytes      {:.1} MB/s", self.bytes_per_s / 1e6)?;
        writeln!(
            f,
            "latency    p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms",
            ms(latency.p50),
            ms(latency.p99),
            ms(latency.p99_9),
            ms(latency.max)
        )?;
        writeln!(
            f,
            "sequence   {} gaps ({} missing), {} announced, {} repeated, {} overclaimed, {} merged, {} unnumbered",
            sequence.gaps,
            sequence.missing,
            sequence.announced_gaps,
            sequence.repeated,
            sequence.overclaimed,
            sequence.merged,
            sequence.unnumbered
        )?;
        if self.unread > 0 {
            writeln!(f, "unread     {} messages in another codec than JSON", self.unread)?;
        }
        match &self.server {
            None => writeln!(f, "server     n/a")?,
            Some(server) => writeln!(
                f,
                "server     {:.1} % of a core, {:.3} µs per object, memory {:.1} MB before, {:.1} MB to {:.1} MB, peak {:.1} MB",
                server.cpu_percent,
                server.cpu_us_per_object,
                mb(server.rss_before_bytes),
                mb(server.rss_begin_bytes),
                mb(server.rss_end_bytes),
                mb(server.rss_peak_bytes)
            )?,
        }
        write!(
            f,
            "client     {:.1} % of a core, busiest thread {:.1} %, {:.1} % waiting for a core{}",
            client.cpu_percent,
            client.busiest_thread_percent,
            client.waiting_percent,
            if client.was_limit { "; the client was the limit: these are lower bounds" } else { "" }
        )
    }
}
