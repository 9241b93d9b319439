//! Soak test: sessions of every kind at once, some of which disconnect and resume, with every sequence number checked.
//!
//! `make test` runs 30 sessions for 5 s. `TAPECAST_SOAK=200x60 cargo test --release --test soak` runs 200
//! sessions for 60 s.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use test_support::{Client, Frame, SequenceLedger, Server};

/// How a session is served; a third of the sessions each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Json,
    Conflated,
    MessagePack,
}

/// One in this number of sessions disconnects again and again.
const DISCONNECTING_ONE_IN: usize = 10;

/// What one session has received.
struct Report {
    objects: usize,
    conflated: u64,
    gaps: usize,
    disconnects: usize,
}

#[test]
fn no_session_of_any_kind_misses_an_object_or_receives_one_twice() {
    let size = std::env::var("TAPECAST_SOAK").unwrap_or_else(|_| "30x5".to_owned());
    let (sessions, seconds) = size.split_once('x').expect("sessions x seconds, as in 200x60");
    let (sessions, seconds): (usize, u64) = (sessions.parse().unwrap(), seconds.parse().unwrap());
    let server = Server::start(|config| config.spans.bar_nanos = 1_000_000_000);
    let until = Instant::now() + Duration::from_secs(seconds);

    let address = server.address;
    let threads: Vec<_> =
        (0..sessions).map(|number| std::thread::spawn(move || run(address, number, until))).collect();
    let reports: Vec<Report> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();

    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    let (objects, conflated) = (sum(|report| report.objects as u64), sum(|report| report.conflated));
    let (gaps, disconnects) = (sum(|report| report.gaps as u64), sum(|report| report.disconnects as u64));
    println!(
        "{sessions} sessions, {seconds} s: {objects} objects, {conflated} conflated, {disconnects} disconnects, {gaps} gaps"
    );
    assert!(reports.iter().all(|report| report.objects > 0));
    assert!(
        conflated > 0 && disconnects >= (sessions / DISCONNECTING_ONE_IN) as u64,
        "{conflated} conflated, {disconnects} disconnects"
    );
    assert_eq!(gaps, 0, "retention covers the time until a session resumes");
}

fn run(address: std::net::SocketAddr, number: usize, until: Instant) -> Report {
    let kind = [Kind::Json, Kind::Conflated, Kind::MessagePack][number % 3];
    let mut random = StdRng::seed_from_u64(number as u64);
    let mut ledger = SequenceLedger::default();
    let mut epoch = String::new();
    let mut disconnects = 0;
    loop {
        let end = match number % DISCONNECTING_ONE_IN {
            0 => until.min(Instant::now() + Duration::from_millis(random.random_range(200..2_000))),
            _ => until,
        };
        let mut client = connect(address, kind, &ledger, &epoch);
        while Instant::now() < end {
            let objects = read(&mut client);
            if let Some(current) = objects[0]["x"]["epoch"].as_str() {
                current.clone_into(&mut epoch);
            }
            ledger.record(&objects);
        }
        if end == until {
            let SequenceLedger { objects, conflated, gaps, .. } = ledger;
            return Report { objects, conflated, gaps, disconnects };
        }
        disconnects += 1;
    }
}

fn connect(address: std::net::SocketAddr, kind: Kind, ledger: &SequenceLedger, epoch: &str) -> Client {
    let symbols = ["AAPL", "MSFT", "KO", "XOM"];
    let mut x = json!({ "conflate_ms": if kind == Kind::Conflated { 250 } else { 0 } });
    if !epoch.is_empty() {
        x["resume"] = json!({ "epoch": epoch, "sq": ledger.resume_positions() });
    }
    let command = json!({
        "action": "subscribe", "trades": symbols, "quotes": symbols, "bars": ["*"], "tickers": ["AAPL"], "x": x
    });
    let path = if kind == Kind::MessagePack { "/v2/iex?codec=msgpack" } else { "/v2/iex" };
    let mut client = Client::connect(address, path);
    match kind {
        Kind::MessagePack => client.send_frame(0x82, &rmp_serde::to_vec_named(&command).unwrap()),
        _ => client.send_text(&command.to_string()),
    }
    client
}

/// The next objects in either codec; answers pings.
fn read(client: &mut Client) -> Vec<Value> {
    loop {
        let Frame { opcode, payload, .. } = client.next_frame().expect("the session continues");
        match opcode {
            1 => return serde_json::from_slice(&payload).unwrap(),
            2 => return decode_msgpack(&payload),
            9 => client.send_frame(0x8A, &payload),
            _ => {}
        }
    }
}

/// MessagePack as JSON values; timestamps become null, because JSON has no type for them.
fn decode_msgpack(payload: &[u8]) -> Vec<Value> {
    let value = rmpv::decode::read_value(&mut &payload[..]).unwrap();
    let plain = |value: &rmpv::Value| match value {
        rmpv::Value::Ext(..) => Value::Null,
        other => serde_json::to_value(other).unwrap(),
    };
    let object = |value: &rmpv::Value| {
        let fields = value.as_map().unwrap().iter();
        fields.map(|(key, value)| (key.as_str().unwrap().to_owned(), plain(value))).collect()
    };
    value.as_array().unwrap().iter().map(|value| Value::Object(object(value))).collect()
}
