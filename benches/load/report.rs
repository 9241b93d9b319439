//! The report of a run, as text and as JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::config::LoadConfig;
use super::stats::{ReceiveStats, ReconnectStats};
use super::totals::RunTotals;
use super::usage::{ClientUsage, ServerUsage};
use super::workload::SymbolCount;

/// The results of a run. Rates are per second of the measurement.
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
    sessions: SessionsReport,
    frames: u64,
    frames_per_s: f64,
    objects: u64,
    objects_per_s: f64,
    bytes_per_s: f64,
    latency_us: LatencyReport,
    sequence: SequenceReport,
    /// Messages in a codec that this client does not decode.
    undecoded: u64,
    server: Option<ServerUsage>,
    client: ClientUsage,
}

#[derive(Debug, Serialize)]
struct SessionsReport {
    opened: u64,
    /// From the first connect until every session is open or refused.
    opening_ms: u64,
    reconnects: Option<ReconnectStats>,
    open_at_end: u64,
    refused: BTreeMap<String, u64>,
    closed: BTreeMap<String, u64>,
    errors: BTreeMap<u64, u64>,
    stalled_opened: u64,
    stalled_ended: BTreeMap<String, u64>,
}

/// Receive time minus the object's `t`, over all objects but bars, snapshots and late-reported trades.
#[derive(Debug, Serialize)]
struct LatencyReport {
    objects: u64,
    p50: u64,
    p99: u64,
    p99_9: u64,
    max: u64,
}

#[derive(Debug, Serialize)]
struct SequenceReport {
    gaps: u64,
    missing: u64,
    announced_gaps: u64,
    new_epochs: u64,
    duplicates: u64,
    conflation_mismatches: u64,
    conflated: u64,
    unnumbered: u64,
}

impl Report {
    pub(crate) fn new(config: &LoadConfig, totals: RunTotals) -> Self {
        let received = &totals.received;
        let sessions = totals.sessions();
        let threads: Vec<_> = totals.workers.iter().map(|worker| worker.time).collect();
        let span = threads.iter().map(|thread| thread.span).max().unwrap_or_default();
        let seconds = span.as_secs_f64().max(1e-9);
        let per_s = |count: u64| count as f64 / seconds;
        Self {
            url: config.urls.join(" "),
            connections: config.readers,
            stalled: config.stalled,
            symbols: match config.workload.symbol_count {
                SymbolCount::All => "all".to_owned(),
                SymbolCount::Exactly(count) => count.to_string(),
            },
            channels: config.workload.channels.iter().map(ToString::to_string).collect(),
            skew: format!("{:?}", config.workload.skew).to_lowercase(),
            seed: config.workload.seed,
            seconds,
            frames: received.frames,
            frames_per_s: per_s(received.frames),
            objects: received.objects,
            objects_per_s: per_s(received.objects),
            bytes_per_s: per_s(received.bytes),
            latency_us: LatencyReport::new(received),
            sequence: SequenceReport::new(received),
            undecoded: received.undecoded,
            server: totals.server.map(|server| ServerUsage::new(&server, per_s(received.objects))),
            client: ClientUsage::new(&threads),
            sessions: SessionsReport {
                opened: sessions.opened,
                opening_ms: totals.opening.as_millis() as u64,
                reconnects: ReconnectStats::new(&sessions.reconnected_ms),
                open_at_end: sessions.open(),
                refused: sessions.refused,
                closed: sessions.closed,
                errors: sessions.errors,
                stalled_opened: sessions.stalled_opened,
                stalled_ended: sessions.stalled_ended,
            },
        }
    }

    /// One JSON object on one line.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a report has only text keys and finite numbers")
    }
}

impl LatencyReport {
    fn new(received: &ReceiveStats) -> Self {
        let at = |quantile| received.latency_us.value_at_quantile(quantile);
        Self {
            objects: received.latency_us.len(),
            p50: at(0.5),
            p99: at(0.99),
            p99_9: at(0.999),
            max: received.latency_us.max(),
        }
    }
}

impl SequenceReport {
    fn new(received: &ReceiveStats) -> Self {
        Self {
            gaps: received.gaps,
            missing: received.missing,
            announced_gaps: received.announced_gaps,
            new_epochs: received.new_epochs,
            duplicates: received.duplicates,
            conflation_mismatches: received.conflation_mismatches,
            conflated: received.conflated,
            unnumbered: received.unnumbered,
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
            "workload   {} sessions, {} symbols each ({}, seed {}), {}",
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
        if let Some(reconnects) = &sessions.reconnects {
            writeln!(f, "reconnects {reconnects:?}")?;
        }
        if self.stalled > 0 {
            writeln!(f, "stalled    {} opened, ended {:?}", sessions.stalled_opened, sessions.stalled_ended)?;
        }
        writeln!(f, "frames     {:.0}/s, {} total", self.frames_per_s, self.frames)?;
        writeln!(f, "objects    {:.0}/s, {} total", self.objects_per_s, self.objects)?;
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
            "sequence   {} gaps ({} missing), {} announced, {} new epochs, {} duplicates, {} conflation mismatches, {} conflated, {} unnumbered",
            sequence.gaps,
            sequence.missing,
            sequence.announced_gaps,
            sequence.new_epochs,
            sequence.duplicates,
            sequence.conflation_mismatches,
            sequence.conflated,
            sequence.unnumbered
        )?;
        if self.undecoded > 0 {
            writeln!(f, "undecoded  {} messages in a codec other than JSON", self.undecoded)?;
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
            if client.saturated { "; the client is saturated: these figures are lower bounds" } else { "" }
        )
    }
}
