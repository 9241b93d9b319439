//! Who may come in, and what every answer says to browsers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use support::{Client, Server, get_with};

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
