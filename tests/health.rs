//! `/healthz`, `/readyz` and `/metrics`: what an orchestrator and a monitoring system rely on.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use tapecast::http::EchoMode;
use test_support::{Client, DEADLINE, Server, get, get_with, wait_until};

#[test]
fn healthz_says_that_the_process_answers_even_at_capacity() {
    let server = Server::without_trades(|config| config.access.max_sessions = Some(1));
    let _only = Client::session(server.address);
    assert!(!Client::connect(server.address, "/v2/iex").is_open());

    let response = get_with(server.address, "/healthz", "");

    assert_eq!((response.status, &*response.body), (200, "ok\n"));
    assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
}

#[test]
fn readyz_says_that_new_sessions_are_accepted() {
    let server = Server::without_trades(|_| {});

    assert_eq!(get(server.address, "/readyz"), (200, "ready\n".to_owned()));

    assert!(Client::connect(server.address, "/v2/iex").is_open());
}

/// Asserts that each sample follows the type and the help of its family, and that its name is the family's
/// with one of these suffixes, or with those of a histogram.
fn assert_described(metrics: &str, suffixes: &[&str]) {
    let (mut help, mut family, mut kind) = (None, None, "");
    for line in metrics.lines() {
        if let Some(text) = line.strip_prefix("# HELP ") {
            help = text.split_once(' ').map(|(name, _)| name);
        } else if let Some(text) = line.strip_prefix("# TYPE ") {
            family = text.split_once(' ').map(|(name, _)| name);
            kind = text.split_once(' ').map_or("", |(_, kind)| kind);
            assert_eq!(help, family);
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let suffix = name.split('{').next().unwrap().strip_prefix(family.unwrap()).expect(line);
            let suffixes = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { suffixes };
            assert!(suffixes.contains(&suffix), "{line}");
            assert!(["tapecast_", "process_"].iter().any(|prefix| name.starts_with(prefix)), "{line}");
            assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
        }
    }
    assert!(family.is_some());
}

#[test]
fn metrics_are_openmetrics_or_text_as_the_client_accepts_and_every_sample_is_described() {
    let server = Server::without_trades(|_| {});
    Client::session(server.address).command(r#"{"action":"subscribe","trades":["AAPL"]}"#);

    let response = get_with(server.address, "/metrics", "Accept: application/openmetrics-text\r\n");

    let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!((response.status, response.header("content-type")), (200, Some(format)));
    let body = response.body.trim_end().strip_suffix("# EOF").unwrap();
    assert_described(body, &["", "_total", "_info"]);

    let response = get_with(server.address, "/metrics", "");

    let format = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!((response.status, response.header("content-type")), (200, Some(format)));
    assert_described(&response.body, &[""]);
}

#[test]
fn metrics_tell_the_version_and_what_the_process_uses() {
    let server = Server::without_trades(|_| {});

    let version = concat!("tapecast_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"");
    assert_eq!(server.metric(version), 1.0);
    assert!(server.metric("process_start_time_seconds") > 1e9);
    if cfg!(target_os = "linux") {
        assert!(server.metric("process_cpu_seconds_total") > 0.0);
        assert!(server.metric("process_resident_memory_bytes") > 1e6);
        assert!(server.metric("process_max_fds") >= server.metric("process_open_fds"));
    }
}

#[test]
fn metrics_count_open_sessions_as_a_gauge_and_opened_and_closed_ones_as_counters() {
    let server = Server::without_trades(|_| {});
    let sessions = |name: &str| server.metric(&format!("tapecast_sessions{name}{{"));

    let clients: Vec<_> = (0..3).map(|_| Client::session(server.address)).collect();

    assert_eq!((sessions(""), sessions("_opened_total"), sessions("_closed_total")), (3.0, 3.0, 0.0));
    drop(clients);
    wait_until("all sessions to end", || (sessions(""), sessions("_closed_total")) == (0.0, 3.0));
    assert_eq!(sessions("_opened_total"), 3.0);
}

#[test]
fn metrics_show_that_the_market_is_published() {
    let server = Server::start(|_| {});
    let published = || server.metric("tapecast_tape_objects_total");

    let before = published();

    wait_until("more objects to be published", || published() > before);
}

#[test]
fn a_stopping_server_is_alive_but_not_ready_and_refuses_upgrades() {
    let mut server = Server::without_trades(|config| {
        (config.drain, config.liveness.close) = (DEADLINE, DEADLINE);
        config.echo = EchoMode::Conformance;
    });
    // More than the kernel's buffers hold, so the shutdown waits for this session.
    let mut stalled = Client::connect(server.address, "/echo");
    stalled.send_frame(0x82, &vec![b'*'; 16 << 20]);
    wait_until("the session to stall", || server.metric("tapecast_outbox_bytes{") > 0.0);
    assert_eq!(get(server.address, "/readyz").0, 200);

    server.begin_shutdown();

    wait_until("readiness to end", || get(server.address, "/readyz").0 == 503);
    assert_eq!(get(server.address, "/healthz").0, 200);
    let refused = Client::connect(server.address, "/v2/iex").handshake;
    assert!(refused.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{refused}");
    assert_eq!(server.upgrades_refused("not_ready"), 1.0);
    drop(stalled);
}

#[test]
fn the_status_tells_the_source_the_epoch_and_the_sessions() {
    let server = Server::start(|_| {});
    let mut session = Client::session(server.address);
    let ack = session.command(r#"{"action":"subscribe","trades":["*"],"x":{"id":1}}"#);

    let status: serde_json::Value = serde_json::from_str(&get(server.address, "/status").1).unwrap();

    assert_eq!((&status["ready"], &status["source"]), (&true.into(), &"simulation".into()), "{status}");
    assert_eq!((&status["epoch"], &status["sessions"]), (&ack["x"]["epoch"], &1.into()));
    assert!(status["age_ms"].is_i64(), "{status}");
    assert!(status["upstream"].is_null() && status["cluster"].is_null());
}
