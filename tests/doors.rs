//! Who may come in, and what every answer says to browsers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use support::{Client, DEADLINE, Server, get, get_with, wait_for};
use tapecast::gate::Origins;

fn still() -> Server {
    Server::start(|config| config.simulation.trades_per_second = 0.0)
}

#[test]
fn every_answer_protects_browsers_whatever_was_asked_for() {
    let server = still();

    for path in ["/", "/healthz", "/metrics", "/v2/assets", "/v2/nowhere", "/nowhere"] {
        let answer = get_with(server.address, path, "");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}: {}", answer.head);
        }
    }
    assert!(Client::connect(server.address, "/echo").handshake.contains("x-content-type-options: nosniff"));
}

#[test]
fn the_page_runs_only_what_this_server_gave_it() {
    let server = still();

    let answer = get_with(server.address, "/", "");

    let policy = answer.header("content-security-policy").unwrap();
    for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.split("; ").any(|has| has == rule), "{policy}");
    }
}

/// The status line of what answers this upgrade.
fn upgrade(server: &Server, path: &str, headers: &str) -> String {
    let client = Client::connect_with(server.address, path, headers);
    client.handshake.lines().next().unwrap()["HTTP/1.1 ".len()..].to_owned()
}

const WELCOME: &str = "101 Switching Protocols";

#[test]
fn a_page_of_somebody_else_opens_no_session() {
    let server = still();

    for path in ["/v2/iex", "/websocket/connect?userId=3", "/echo"] {
        assert_eq!(upgrade(&server, path, ""), WELCOME, "{path}");
        assert_eq!(upgrade(&server, path, "Origin: http://test\r\n"), WELCOME, "{path}");
        assert_eq!(upgrade(&server, path, "Origin: http://evil.example\r\n"), "403 Forbidden", "{path}");
        assert_eq!(upgrade(&server, path, "Origin: null\r\n"), "403 Forbidden", "{path}");
    }

    assert_eq!(server.metric("tapecast_upgrades_refused_total{reason=\"origin\"}"), 6.0);
}

#[test]
fn a_page_that_is_named_opens_sessions_and_where_all_are_meant_all_do() {
    let named = Server::start(|config| {
        config.doors.origins = Origins::Own(vec!["https://app.example".parse().unwrap()]);
    });
    let open = Server::start(|config| config.doors.origins = Origins::Any);

    assert_eq!(upgrade(&named, "/v2/iex", "Origin: https://app.example\r\n"), WELCOME);
    assert_eq!(upgrade(&named, "/v2/iex", "Origin: http://app.example\r\n"), "403 Forbidden");
    assert_eq!(upgrade(&open, "/v2/iex", "Origin: null\r\n"), WELCOME);
}

#[test]
fn while_it_stops_it_says_so_to_all_who_come() {
    let mut server = Server::start(|config| {
        config.simulation.trades_per_second = 0.0;
        (config.drain, config.patience.parting) = (DEADLINE, DEADLINE);
    });
    // More than the kernels keep on the way, so that this session cannot end.
    let mut stalled = Client::connect(server.address, "/echo");
    stalled.send(0x82, &vec![b'*'; 16 << 20]);
    wait_for("it to stall", || (server.metric("tapecast_outbox_bytes{") > 0.0).then_some(()));
    assert_eq!(get(server.address, "/readyz").0, 200);

    server.ask_to_stop();

    wait_for("it to be ready no more", || (get(server.address, "/readyz").0 == 503).then_some(()));
    assert_eq!(get(server.address, "/healthz").0, 200);
    assert_eq!(upgrade(&server, "/v2/iex", ""), "503 Service Unavailable");
    assert_eq!(server.metric("tapecast_upgrades_refused_total{reason=\"not_ready\"}"), 1.0);
    drop(stalled);
}
