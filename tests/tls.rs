//! wss beside ws, and a certificate that changes under sessions that go on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/encrypted.rs"]
mod encrypted;
mod support;

use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use encrypted::Encrypted;
use rustls::pki_types::CertificateDer;
use support::{Client, Server, wait_for};
use tapecast::config::Tls;

/// A certificate for `localhost` in files of its own, gone when dropped.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn new(name: &str) -> Self {
        let path = |what: &str| {
            std::env::temp_dir().join(format!("tapecast-tls-{name}-{}-{what}.pem", std::process::id()))
        };
        Self { certificate: path("cert"), key: path("key") }
    }

    /// Writes a new certificate and says what it is.
    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&self.certificate, made.cert.pem()).unwrap();
        std::fs::write(&self.key, made.signing_key.serialize_pem()).unwrap();
        made.cert.der().clone()
    }

    fn tls(&self) -> Tls {
        let listen = ([127, 0, 0, 1], 0).into();
        Tls { listen, certificate: self.certificate.clone(), key: self.key.clone() }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.certificate);
        let _ = std::fs::remove_file(&self.key);
    }
}

const SUBSCRIBE: &str = r#"{"action":"subscribe","trades":["*"]}"#;

#[test]
fn a_certificate_changes_and_the_sessions_go_on() {
    let files = Files::new("swap");
    let first = files.renew();
    let server = Server::start(|config| config.access.tls = Some(files.tls()));
    let address = server.tls_address.unwrap();
    let mut old = Encrypted::connect(address, &first).unwrap();
    old.say(SUBSCRIBE);
    old.sees_a_trade();

    let second = files.renew();
    server.reload();

    old.sees_a_trade();
    let mut new = Encrypted::connect(address, &second).unwrap();
    new.say(SUBSCRIBE);
    new.sees_a_trade();
    assert!(Encrypted::connect(address, &first).is_err(), "the old one is shown no more");
    Client::session(server.address).ask(SUBSCRIBE);

    std::fs::write(&files.certificate, "no certificate").unwrap();
    server.reload();
    assert!(Encrypted::connect(address, &second).is_ok(), "what cannot be used changes nothing");
}

#[test]
fn a_stalled_client_is_cut_over_tls_too() {
    let files = Files::new("stalled");
    let trusted = files.renew();
    let server = Server::start(|config| {
        config.access.tls = Some(files.tls());
        config.simulation.trades_per_second = 20_000.0;
        config.liveness.stall = Duration::from_secs(1);
        config.outbox.end_above = usize::MAX;
    });
    let mut stalled = Encrypted::connect(server.tls_address.unwrap(), &trusted).unwrap();

    stalled.say(r#"{"action":"subscribe","trades":["*"],"quotes":["*"]}"#);

    wait_for("it to be severed", || (server.metric("tapecast_sessions_severed_total") == 1.0).then_some(()));
    wait_for("it to be gone", || (server.metric("tapecast_sessions{") == 0.0).then_some(()));
}

/// How often a handshake failed for this reason, when it has at all.
fn failed(server: &Server, reason: &str) -> f64 {
    let name = format!("tapecast_tls_handshakes_failed_total{{reason=\"{reason}\"}}");
    wait_for("a failed handshake", || Some(server.metric(&name)).filter(|count| *count > 0.0))
}

#[test]
fn a_handshake_that_fails_is_counted_and_one_that_succeeds_is_not() {
    let files = Files::new("failed");
    let trusted = files.renew();
    let server = Server::start(|config| config.access.tls = Some(files.tls()));
    let address = server.tls_address.unwrap();

    drop(Encrypted::connect(address, &trusted).unwrap());
    let mut plain = TcpStream::connect(address).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();

    assert_eq!(failed(&server, "error"), 1.0);
    assert_eq!(server.metric("tapecast_tls_handshakes_failed_total"), 1.0);
    assert_eq!(server.metric("tapecast_connections_without_request_total"), 0.0);
}

#[test]
fn a_handshake_that_takes_too_long_is_counted() {
    let files = Files::new("slow");
    files.renew();
    let server = Server::start(|config| {
        config.access.tls = Some(files.tls());
        config.simulation.trades_per_second = 0.0;
        config.access.http.head_timeout = Duration::from_secs(1);
    });

    let _silent = TcpStream::connect(server.tls_address.unwrap()).unwrap();

    assert_eq!(failed(&server, "timeout"), 1.0);
}
