//! Tests of complete runs against a server that follows a script.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::cli::{self, Mode};
use super::floor::{Floor, FloorArgs};
use super::report::Report;
use super::runner::{self, RunError};

const UPGRADE_ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const CONNECTED: &[u8] = br#"[{"T":"success","msg":"connected"}]"#;
const ACK: &[u8] = br#"[{"T":"subscription","trades":["ACME"]}]"#;

const FIN: u8 = 0x80;
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126, "the script uses short frames only");
    [&[first, length], payload].concat()
}

/// A message with one trade of ACME.
fn trade(sequence: u64) -> Vec<u8> {
    format!(r#"[{{"T":"t","S":"ACME","t":"2026-11-20T14:30:00Z","sq":{sequence}}}]"#).into_bytes()
}

/// Serves a market of one symbol; after the acknowledgement `script` controls the socket.
fn serve(script: fn(TcpStream) -> io::Result<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/v2/iex", listener.local_addr().unwrap());
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            // An error means that the client disconnected, as it does at the end of each run.
            thread::spawn(move || receive(socket, script));
        }
    });
    url
}

fn receive(mut socket: TcpStream, script: fn(TcpStream) -> io::Result<()>) -> io::Result<()> {
    let mut request = [0; 1024];
    let length = socket.read(&mut request)?;
    if request[..length].starts_with(b"GET /v2/assets ") {
        return socket.write_all(b"HTTP/1.0 200 OK\r\n\r\n[{\"symbol\":\"ACME\"}]");
    }
    socket.write_all(UPGRADE_ACCEPTED.as_bytes())?;
    socket.write_all(&frame(FIN | TEXT, CONNECTED))?;
    expect_frame(&mut socket, TEXT)?;
    socket.write_all(&frame(FIN | TEXT, ACK))?;
    script(socket)
}

/// Reads one masked frame of the client.
fn expect_frame(socket: &mut TcpStream, opcode: u8) -> io::Result<()> {
    let mut head = [0; 2];
    socket.read_exact(&mut head)?;
    if head[0] != FIN | opcode || head[1] & 0x80 == 0 || head[1] & 0x7F > 125 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut rest = vec![0; usize::from(head[1] & 0x7F) + 4];
    socket.read_exact(&mut rest)
}

fn run(url: &str, options: &str) -> Result<Value, RunError> {
    let line = format!("--url {url} --channels trades --warmup 0 --seconds 1 {options}");
    let Ok(Mode::Run(mut config)) = cli::parse(line.split(' ').map(str::to_owned)) else {
        panic!("not parsed: {line}");
    };
    config.duration = Duration::from_millis(400);
    let totals = runner::run(&mut config, |_| {})?;
    Ok(serde_json::from_str(&Report::new(&config, totals).to_json()).unwrap())
}

#[test]
fn a_fragmented_stream_with_interleaved_pings_is_read_without_a_gap() {
    let url = serve(|mut socket| {
        socket.set_nodelay(true)?;
        for sequence in (1..).step_by(2) {
            // A message in two frames with a ping in between, then one in a single frame; sent byte by byte.
            let (first, second) = (trade(sequence), trade(sequence + 1));
            let (start, end) = first.split_at(20);
            let bytes = [
                frame(TEXT, start),
                frame(FIN | PING, b"there?"),
                frame(FIN, end),
                frame(FIN | TEXT, &second),
            ];
            for byte in bytes.concat() {
                socket.write_all(&[byte])?;
            }
            expect_frame(&mut socket, 10)?;
        }
        Ok(())
    });

    let report = run(&url, "--symbols 1 --connections 3 --threads 2").unwrap();

    assert_eq!((&report["sessions"]["opened"], &report["sessions"]["open_at_end"]), (&3.into(), &3.into()));
    assert!(report["objects"].as_u64() > Some(10), "{report}");
    for fault in ["gaps", "duplicates", "conflation_mismatches", "unnumbered"] {
        assert_eq!(report["sequence"][fault], 0, "{fault}");
    }
}

#[test]
fn a_gap_in_a_stream_is_found() {
    let url = serve(|mut socket| {
        for sequence in (1..).step_by(10) {
            socket.write_all(&frame(FIN | TEXT, &trade(sequence)))?;
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    });

    let report = run(&url, "--symbols 1 --connections 1").unwrap();

    let gaps = report["sequence"]["gaps"].as_u64().unwrap();
    assert!(gaps > 0);
    assert_eq!(report["sequence"]["missing"], gaps * 9);
}

#[test]
fn a_close_frame_is_counted_under_its_code() {
    let url = serve(|mut socket| socket.write_all(&frame(FIN | CLOSE, &1008u16.to_be_bytes())));

    let report = run(&url, "--symbols 1 --connections 2").unwrap();

    assert_eq!(report["sessions"]["closed"]["1008"], 2);
    assert_eq!(report["sessions"]["open_at_end"], 0);
}

#[test]
fn data_for_a_stalled_session_is_not_counted_but_its_end_is() {
    let url = serve(|mut socket| {
        // More than the kernel buffers for a stalled client, so that the close frame waits behind it.
        socket.write_all(&frame(FIN | TEXT, &trade(1)).repeat(100_000))?;
        socket.write_all(&frame(FIN | CLOSE, &1008u16.to_be_bytes()))
    });

    let report = run(&url, "--symbols 1 --connections 1 --stalled 2").unwrap();

    let sessions = &report["sessions"];
    assert_eq!((&sessions["opened"], &sessions["stalled_opened"]), (&1.into(), &2.into()));
    assert_eq!((&sessions["closed"]["1008"], &sessions["stalled_ended"]["1008"]), (&1.into(), &2.into()));
    assert!(report["objects"].as_u64() <= Some(100_000), "{report}");
}

#[test]
fn without_an_open_session_there_is_no_report() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut request = [0; 1024];
            if socket.read(&mut request).is_ok() {
                drop(socket.write_all(b"HTTP/1.1 503 Full\r\n\r\n"));
            }
        }
    });

    let error = run(&url, "--symbols all --connections 2").unwrap_err();

    assert!(matches!(&error, RunError::NoSessionOpened { refused } if refused["HTTP 503"] == 2), "{error}");
}

#[test]
fn the_floor_sends_each_trade_to_all_its_subscribers() {
    let args = FloorArgs {
        address: std::net::Ipv4Addr::LOCALHOST,
        port: 0,
        symbols: 5,
        rate: 1_000,
        flush_ms: 1,
        seconds: 60,
    };
    let floor = Floor::bind(&args).unwrap();
    let url = format!("ws://{}/v2/iex", floor.address().unwrap());
    thread::spawn(|| floor.run());

    let report = run(&url, "--connections 3 --symbols all --skew uniform").unwrap();

    assert_eq!(report.pointer("/sessions/opened"), Some(&3.into()));
    assert!(report.pointer("/objects").and_then(Value::as_u64).unwrap() > 0, "{report}");
    assert_eq!(report.pointer("/sequence/gaps"), Some(&0.into()));
    assert_eq!(report.pointer("/sessions/closed"), Some(&serde_json::json!({})));
}
