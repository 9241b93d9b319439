//! Upstreams that cannot be used: what the log, `/readyz`, `/status` and `/metrics` tell, and that the secret is in none.
#![cfg(feature = "relay")]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use tapecast::config::Tls;
use test_support::{Program, Server, TlsFiles, get, metric, wait_for, wait_until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tapecast");
const SECRET: &str = "a-secret-in-no-log";

/// A relay of this URL, with a key.
fn relay(url: &str) -> Program {
    Program::start(
        &[PROGRAM],
        &["--upstream", url, "--upstream-key", "relay"],
        &[("TAPECAST_UPSTREAM_SECRET", Path::new(SECRET))],
    )
}

/// Checks that a relay that cannot use its upstream for this reason says so in one line, and tries again.
fn assert_told_once(program: &Program, expected: &str) {
    let reason = wait_for("the reason", || {
        let (status, text) = get(program.address, "/readyz");
        assert_eq!(status, 503);
        text.contains(expected).then_some(text)
    });
    wait_until("another attempt", || metric(program.address, "tapecast_upstream_connects_total") >= 2.0);

    assert_eq!(program.logged("the upstream is away").len(), 1, "{reason}");
    assert!(program.logged("panicked").is_empty());
    let told = ["/readyz", "/status", "/metrics"].map(|path| get(program.address, path).1);
    let told = format!("{}{:?}", told.concat(), program.logged(""));
    assert!(!told.contains(SECRET));
}

#[test]
fn an_upstream_that_does_not_listen_is_told_once_and_tried_again() {
    let address: SocketAddr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    assert_told_once(&relay(&format!("ws://{address}")), "cannot connect");
}

#[test]
fn an_upstream_without_such_a_stream_is_told_once_and_tried_again() {
    let origin = Server::start(|_| {});

    assert_told_once(&relay(&format!("ws://{}/v9/nothing", origin.address)), "the upstream answers 404");
}

#[test]
fn an_upstream_whose_certificate_is_refused_is_told_once_and_tried_again() {
    let (files, _) = TlsFiles::generate();
    let origin = Server::start(|config| {
        let listen = ([127, 0, 0, 1], 0).into();
        config.access.tls = Some(Tls { listen, certificate: files.certificate(), key: files.key() });
    });
    let port = origin.tls_address.unwrap().port();

    assert_told_once(&relay(&format!("wss://localhost:{port}/v2/iex")), "ertificate");
}
