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

#[test]
fn metrics_are_openmetrics_text_in_which_every_sample_belongs_to_a_described_family() {
    let server = Server::without_trades(|_| {});
    Client::session(server.address).command(r#"{"action":"subscribe","trades":["AAPL"]}"#);

    let response = get_with(server.address, "/metrics", "");

    let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!((response.status, response.header("content-type")), (200, Some(format)));
    let (body, end) = response.body.rsplit_once("# EOF").unwrap();
    assert_eq!(end.trim(), "");
    let mut family = None;
    for line in body.lines() {
        if let Some(text) = line.strip_prefix("# TYPE ") {
            family = Some(text.split_once(' ').unwrap().0);
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with("tapecast_") && name.starts_with(family.unwrap()), "{line}");
            assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
        }
    }
    assert!(family.is_some());
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
