//! TLS: sessions, certificate reload, failed handshakes.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use tapecast::config::Tls;
use test_support::{Client, DEADLINE, Server, TlsClient, TlsFiles, connect_from, get, wait_for, wait_until};

/// The TLS settings that use these files, on a free port.
fn tls(files: &TlsFiles) -> Tls {
    Tls { listen: ([127, 0, 0, 1], 0).into(), certificate: files.certificate(), key: files.key() }
}

/// An address of loopback that only hostile clients connect from.
const HOSTILE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

const SUBSCRIBE: &str = r#"{"action":"subscribe","trades":["*"]}"#;

#[test]
fn a_reloaded_certificate_serves_new_sessions_and_open_ones_continue() {
    let (files, first) = TlsFiles::generate();
    let server = Server::start(|config| config.access.tls = Some(tls(&files)));
    let address = server.tls_address.unwrap();
    let mut old = TlsClient::connect(address, &first).unwrap();
    old.send_text(SUBSCRIBE);
    old.wait_for_trade();

    let second = files.renew();
    server.reload();

    old.wait_for_trade();
    let mut new = TlsClient::connect(address, &second).unwrap();
    new.send_text(SUBSCRIBE);
    new.wait_for_trade();
    assert!(TlsClient::connect(address, &first).is_err(), "the old certificate is no longer presented");
    Client::session(server.address).command(SUBSCRIBE);

    std::fs::write(files.certificate(), "no certificate").unwrap();
    server.reload();
    assert!(TlsClient::connect(address, &second).is_ok(), "an invalid file changes nothing");
}

#[test]
fn a_slow_consumer_over_tls_is_disconnected() {
    let (files, trusted) = TlsFiles::generate();
    let server = Server::start(|config| {
        config.access.tls = Some(tls(&files));
        config.simulation.trades_per_second = 20_000.0;
        config.liveness.stall = Duration::from_secs(1);
        config.outbox.end_above = usize::MAX;
    });
    let mut stalled = TlsClient::connect(server.tls_address.unwrap(), &trusted).unwrap();

    stalled.send_text(r#"{"action":"subscribe","trades":["*"],"quotes":["*"]}"#);

    wait_until("the connection to be aborted", || server.metric("tapecast_sessions_severed_total") == 1.0);
    wait_until("the session to end", || server.metric("tapecast_sessions{") == 0.0);
}

#[test]
fn connections_that_never_begin_their_handshake_do_not_hold_up_others() {
    let (files, trusted) = TlsFiles::generate();
    let server = Server::without_trades(|config| {
        config.access.tls = Some(tls(&files));
        config.access.http.head_timeout = 10 * DEADLINE;
        config.workers = 1;
    });
    let address = server.tls_address.unwrap();

    let silent: Vec<_> = (0..400).map(|_| TcpStream::connect(address).unwrap()).collect();

    assert_eq!(get(server.address, "/healthz").0, 200);
    assert!(TlsClient::connect(address, &trusted).is_ok());
    drop(silent);
}

#[test]
fn connections_without_a_session_are_bounded_per_address_on_all_listeners_together() {
    const LIMIT: usize = 40;
    let (files, trusted) = TlsFiles::generate();
    let server = Server::without_trades(|config| {
        config.access.tls = Some(tls(&files));
        config.access.http.head_timeout = 10 * DEADLINE;
        config.access.http.connections_per_address = LIMIT;
        config.access.shared_addresses = Vec::new();
    });
    let listeners = [server.address, server.tls_address.unwrap()];

    let silent: Vec<_> = (0..100).map(|n| connect_from(HOSTILE, listeners[n % 2])).collect();

    wait_until("the others to be dropped", || dropped(&server, "address") == 100.0 - LIMIT as f64);
    // One more than those is the connection that asks for the metrics.
    let without_session = || server.metric("tapecast_connections_without_session");
    wait_until("only they to be open", || without_session() == LIMIT as f64 + 1.0);
    assert!(TlsClient::connect(listeners[1], &trusted).is_ok(), "other addresses are not affected");

    drop(silent);
    wait_until("the address to be admitted again", || {
        // One that comes before the others are counted out is dropped without an answer.
        let mut stream = connect_from(HOSTILE, server.address);
        let (request, mut answer) = (b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n", String::new());
        let is_read = stream.write_all(request).and_then(|()| stream.read_to_string(&mut answer)).is_ok();
        is_read && answer.starts_with("HTTP/1.0 200")
    });
}

#[test]
fn a_session_does_not_count_as_a_connection_without_one() {
    let (files, trusted) = TlsFiles::generate();
    let server = Server::without_trades(|config| {
        config.access.tls = Some(tls(&files));
        config.access.http.connections_per_address = 1;
        config.access.shared_addresses = Vec::new();
    });

    let plain: Vec<_> = (0..3)
        .map(|_| Client::upgrade(connect_from(HOSTILE, server.address), "/v2/iex", ""))
        .inspect(|client| assert!(client.is_open()))
        .collect();
    let tls: Vec<_> = (0..3)
        .map(|_| {
            let mut client = TlsClient::connect(server.tls_address.unwrap(), &trusted).unwrap();
            client.next_objects();
            client
        })
        .collect();

    assert_eq!(dropped(&server, "address"), 0.0);
    drop((plain, tls));
}

/// The number of connections without a session that were dropped for this reason.
fn dropped(server: &Server, reason: &str) -> f64 {
    server.metric(&format!("tapecast_connections_dropped_total{{reason=\"{reason}\"}}"))
}

/// The number of handshakes that failed for this reason; waits for the first.
fn failed_handshakes(server: &Server, reason: &str) -> f64 {
    let name = format!("tapecast_tls_handshakes_failed_total{{reason=\"{reason}\"}}");
    wait_for("a failed handshake", || Some(server.metric(&name)).filter(|count| *count > 0.0))
}

#[test]
fn only_failed_handshakes_are_counted() {
    let (files, trusted) = TlsFiles::generate();
    let server = Server::start(|config| config.access.tls = Some(tls(&files)));
    let address = server.tls_address.unwrap();

    drop(TlsClient::connect(address, &trusted).unwrap());
    let mut plain = TcpStream::connect(address).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();

    assert_eq!(failed_handshakes(&server, "error"), 1.0);
    assert_eq!(server.metric("tapecast_tls_handshakes_failed_total"), 1.0);
    assert_eq!(server.metric("tapecast_connections_without_request_total"), 0.0);
}

#[test]
fn a_handshake_that_times_out_is_counted() {
    let (files, _) = TlsFiles::generate();
    let server = Server::start(|config| {
        config.access.tls = Some(tls(&files));
        config.simulation.trades_per_second = 0.0;
        config.access.http.head_timeout = Duration::from_secs(1);
    });

    let _silent = TcpStream::connect(server.tls_address.unwrap()).unwrap();

    assert_eq!(failed_handshakes(&server, "timeout"), 1.0);
}
