//! Clients that violate the protocol, and slow consumers.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::time::Duration;

use tapecast::limits::Rate;
use test_support::{Client, DEADLINE, SequenceLedger, Server, wait_until};

fn quiet_server() -> Server {
    Server::without_trades(|_| {})
}

#[test]
fn each_protocol_violation_is_closed_with_its_code() {
    let server = quiet_server();
    let mut tebibyte = vec![0x82, 0xFF];
    tebibyte.extend((1u64 << 40).to_be_bytes());
    tebibyte.extend([0; 4]);
    let violations: [(&str, &[u8], u16); 6] = [
        ("RSV1 without an extension", &[0xC1, 0x80, 0, 0, 0, 0], 1002),
        ("an unmasked frame", &[0x81, 0x02, b'{', b'}'], 1002),
        ("a header of one tebibyte", &tebibyte, 1009),
        ("text that is not UTF-8", &[0x81, 0x82, 0, 0, 0, 0, 0xC3, 0x28], 1007),
        ("a reserved opcode", &[0x83, 0x80, 0, 0, 0, 0], 1002),
        ("a close code that does not exist", &[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xED], 1002),
    ];

    for (violation, bytes, code) in violations {
        let mut client = Client::session(server.address);
        client.send_raw(bytes);
        assert_eq!(client.read_to_close(), (Some(code), true), "{violation}");
    }
}

#[test]
fn an_invalid_command_gets_an_error_and_the_session_continues() {
    let server = quiet_server();
    let mut client = Client::session(server.address);

    for invalid in ["{", "[]", "null", r#"{"action":"sell"}"#, r#"{"action":"subscribe","trades":"AAPL"}"#] {
        let answer = client.command(invalid);
        assert_eq!((answer["T"].as_str(), answer["code"].as_u64()), (Some("error"), Some(400)), "{invalid}");
    }

    assert_eq!(client.command(r#"{"action":"subscribe","trades":["AAPL"]}"#)["T"], "subscription");
}

#[test]
fn sessions_that_end_with_a_violation_are_counted_and_released() {
    let server = quiet_server();

    for _ in 0..50 {
        let mut client = Client::session(server.address);
        client.send_raw(&[0xF1]);
    }

    wait_until("the last session to end", || server.metric("tapecast_sessions{") == 0.0);
    assert_eq!(server.metric("tapecast_sessions_closed_total{"), 50.0);
}

#[test]
fn a_client_that_sends_commands_and_reads_no_answer_gets_backpressure_and_is_disconnected() {
    let server = Server::without_trades(|config| {
        config.liveness.stall = Duration::from_secs(1);
        config.limits.commands = Rate::per_second(1_000_000, u32::MAX);
    });
    let mut client = Client::session(server.address);
    let names: Vec<_> = (0..5_000).map(|n| format!("Q{n}")).collect();
    client
        .command(&format!(r#"{{"action":"subscribe","trades":{}}}"#, serde_json::to_string(&names).unwrap()));
    client.stream.set_nonblocking(true).unwrap();

    // Each command asks for an answer of 40 KB. The server must stop reading them and at last disconnect
    // the client. The kernel's buffers hold a few MiB of commands, not more.
    const KERNEL_BUFFERS: usize = 64 << 20;
    let one = [&[0x81, 0x80 | 22, 0, 0, 0, 0][..], br#"{"action":"subscribe"}"#].concat();
    let commands = one.repeat(200);
    let mut accepted = 0;
    wait_until("the end of the session", || {
        while let Ok(n) = std::io::Write::write(&mut client.stream, &commands) {
            accepted += n;
            assert!(accepted < KERNEL_BUFFERS, "the server continues to read");
        }
        server.metric("tapecast_sessions{") == 0.0
    });
}

#[test]
fn a_slow_consumer_is_disconnected_and_other_sessions_miss_nothing() {
    let server = Server::start(|config| {
        config.workers = 1;
        config.simulation.trades_per_second = 20_000.0;
        config.liveness.stall = Duration::from_secs(2);
        config.outbox.end_above = usize::MAX;
    });
    let everything = r#"{"action":"subscribe","trades":["*"],"quotes":["*"]}"#;
    let mut stalled = Client::session(server.address);
    stalled.send_text(r#"{"action":"subscribe","quotes":["*"]}"#);
    let mut reader = Client::session(server.address);
    reader.command(everything);

    let mut ledger = SequenceLedger::default();
    wait_until("the stalled session to end", || {
        (0..50).for_each(|_| ledger.record(&reader.next_objects()));
        server.metric("tapecast_sessions{") == 1.0
    });

    ledger.record(&reader.next_objects());
    assert!(ledger.objects > 0);
    assert_eq!(server.metric("tapecast_sessions_severed_total"), 1.0, "it did not read the Close either");
}

#[test]
fn answers_that_are_requested_and_not_read_take_no_memory() {
    const SESSIONS: usize = 20;
    let server = Server::start(|config| {
        config.workers = 1;
        config.symbols = 3_000;
        config.simulation.trades_per_second = 5_000.0;
        config.liveness.stall = DEADLINE;
    });
    let all = r#"{"action":"subscribe","tickers":["*"],"x":{"snapshot":true}}"#;
    wait_until("tickers of most symbols", || server.metric("tapecast_tape_objects_total") > 200_000.0);

    let clients: Vec<_> = (0..SESSIONS)
        .map(|_| {
            let mut client = Client::session(server.address);
            client.send_text(all);
            client
        })
        .collect();
    wait_until("the answers to wait", || server.metric("tapecast_outbox_bytes{") > 0.0);

    // A snapshot has 600 KB. What waits is a piece of it, and live tickers up to the low watermark.
    let waiting = server.metric("tapecast_outbox_bytes{");
    assert!(waiting < (SESSIONS * 150_000) as f64, "{waiting} bytes");
    drop(clients);
}

#[test]
fn a_session_whose_outbox_overflows_with_trades_gets_error_407_and_a_close() {
    let server = Server::start(|config| {
        config.simulation.trades_per_second = 50_000.0;
        config.outbox.end_above = 100_000;
        config.liveness.close = DEADLINE;
    });
    let mut client = Client::session(server.address);
    client.send_text(r#"{"action":"subscribe","trades":["*"]}"#);

    wait_until("the outbox to overflow", || server.metric("tapecast_outbox_overflows_total") == 1.0);

    let mut last = Vec::new();
    let close = loop {
        let frame = client.next_frame().expect("a Close before the end");
        match frame.opcode {
            8 => break frame.close_code(),
            _ => last = frame.json(),
        }
    };
    assert_eq!(last[0]["code"], 407);
    assert_eq!(close, Some(1013));
}

#[test]
fn conflation_bounds_the_outbox_of_a_client_that_does_not_read() {
    let server = Server::start(|config| {
        config.simulation.trades_per_second = 0.5;
        config.simulation.quotes_per_trade = 4_000.0;
        config.symbols = 500;
        config.liveness.stall = DEADLINE;
    });
    let mut client = Client::session(server.address);
    client.command(r#"{"action":"subscribe","quotes":["*"]}"#);
    let published = || server.metric("tapecast_tape_objects_total");
    let (before, limit) = (published(), tapecast::session::OutboxLimits::default().conflate_above as f64);

    wait_until("far more quotes than are queued or sent", || {
        let (waiting, sent) =
            (server.metric("tapecast_outbox_bytes{"), server.metric("tapecast_objects_sent_total"));
        assert!(waiting < limit * 1.5, "{waiting} bytes queued after {sent} objects sent");
        // Each quote has at least 100 bytes and also publishes a ticker.
        let quotes = (published() - before) / 2.0;
        (quotes - sent) * 100.0 > limit * 3.0
    });

    let mut ledger = SequenceLedger::default();
    while ledger.conflated == 0 {
        ledger.record(&client.next_objects());
    }
}
