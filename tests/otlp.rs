//! Traces as a collector gets them over OTLP.
#![cfg(all(unix, feature = "otlp"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tapecast::auth::{Entitlements, GeneratedKey};
use test_support::{Client, Program, TempFolder, get_with, wait_until};

/// The bodies of the requests to a collector that takes everything, and its URL.
fn collector() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let received = Arc::clone(&bodies);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut length, mut line) = (0, String::new());
            stream.read_line(&mut line).unwrap();
            assert!(line.starts_with("POST /v1/traces "), "{line}");
            while line != "\r\n" {
                line.clear();
                stream.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            received.lock().unwrap().extend(body);
            stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        }
    });
    (url, bodies)
}

#[test]
fn a_collector_gets_spans_of_connections_authentication_subscriptions_and_requests() {
    let (url, bodies) = collector();
    let folder = TempFolder::new();
    let key = GeneratedKey::new("desk", Entitlements::default(), [1; 48]);
    std::fs::write(folder.file("keys"), &key.line).unwrap();
    let keys = folder.file("keys").display().to_string();
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", Path::new(&url))];
    let mut program = Program::start(
        &[env!("CARGO_BIN_EXE_tapecast")],
        &["--keys", &keys, "--workers", "1", "--rate", "0"],
        &environment,
    );

    let secret = &key.secret;
    let headers = format!("APCA-API-KEY-ID: desk\r\nAPCA-API-SECRET-KEY: {secret}\r\n");
    assert_eq!(get_with(program.address, "/v2/assets", &headers).status, 200);
    let mut client = Client::connect(program.address, "/v2/iex");
    client.next_frame().unwrap();
    client.send_text(&format!(r#"{{"action":"auth","key":"desk","secret":"{secret}"}}"#));
    client.next_frame().unwrap();
    client.command(r#"{"action":"subscribe","trades":["AAPL"]}"#);
    drop(client);
    program.signal("-TERM");
    assert!(program.wait().success());

    wait_until("all spans", || {
        let bodies = bodies.lock().unwrap();
        let has = |text: &str| bodies.windows(text.len()).any(|window| window == text.as_bytes());
        ["tapecast", "connection", "auth", "subscribe", "request", "/v2/assets"].iter().all(|text| has(text))
    });
    let bodies = bodies.lock().unwrap();
    assert!(!bodies.windows(secret.len()).any(|window| window == secret.as_bytes()), "no secret");
}
