//! Clients that break the rules, and clients that do not read.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::time::Duration;

use tapecast::limits::Rate;
use test_support::{Client, DEADLINE, SequenceLedger, Server, wait_until};

fn quiet_server() -> Server {
    Server::without_trades(|_| {})
}

#[test]
fn each_fault_is_closed_with_its_code_at_once() {
    let server = quiet_server();
    let mut tebibyte = vec![0x82, 0xFF];
    tebibyte.extend((1u64 << 40).to_be_bytes());
    tebibyte.extend([0; 4]);
    let faults: [(&str, &[u8], u16); 6] = [
        ("RSV1 without an extension", &[0xC1, 0x80, 0, 0, 0, 0], 1002),
        ("an unmasked frame", &[0x81, 0x02, b'{', b'}'], 1002),
        ("a header of one tebibyte", &tebibyte, 1009),
        ("text that is not UTF-8", &[0x81, 0x82, 0, 0, 0, 0, 0xC3, 0x28], 1007),
        ("a reserved opcode", &[0x83, 0x80, 0, 0, 0, 0], 1002),
        ("a close code that does not exist", &[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xED], 1002),
    ];

    for (fault, bytes, code) in faults {
        let mut client = Client::session(server.address);
        client.send_raw(bytes);
        assert_eq!(client.read_to_close(), (Some(code), true), "{fault}");
    }
}

#[test]
fn broken_commands_are_answered_and_the_session_goes_on() {
    let server = quiet_server();
    let mut client = Client::session(server.address);

    for broken in ["{", "[]", "null", r#"{"action":"sell"}"#, r#"{"action":"subscribe","trades":"AAPL"}"#] {
        let answer = client.command(broken);
        assert_eq!((answer["T"].as_str(), answer["code"].as_u64()), (Some("error"), Some(400)), "{broken}");
    }

    assert_eq!(client.command(r#"{"action":"subscribe","trades":["AAPL"]}"#)["T"], "subscription");
}

#[test]
fn sessions_that_failed_leave_nothing_behind() {
    let server = quiet_server();

    for _ in 0..50 {
        let mut client = Client::session(server.address);
        client.send_raw(&[0xF1]);
    }

    wait_until("the last session to end", || server.metric("tapecast_sessions{") == 0.0);
    let by_fault = "tapecast_sessions_closed_total{";
    assert_eq!(server.metric(by_fault), 50.0);
}

#[test]
fn a_flood_of_commands_without_reading_the_answers_is_slowed_down_not_kept() {
    let server = Server::start(|config| {
        config.simulation.trades_per_second = 0.0;
        config.liveness.stall = Duration::from_secs(1);
        config.limits.commands = Rate::per_second(1_000_000, u32::MAX);
    });
    let mut client = Client::session(server.address);
    let names: Vec<_> = (0..5_000).map(|n| format!("Q{n}")).collect();
    client
        .command(&format!(r#"{{"action":"subscribe","trades":{}}}"#, serde_json::to_string(&names).unwrap()));
    client.stream.set_nonblocking(true).unwrap();

    // Each of these asks for an answer of 40 KB; the server must stop reading them, and in the end
    // give the client up. The kernels keep some MiB of them on the way, not more.
    const KERNELS_KEEP: usize = 64 << 20;
    let one = [&[0x81, 0x80 | 22, 0, 0, 0, 0][..], br#"{"action":"subscribe"}"#].concat();
    let many = one.repeat(200);
    let mut accepted = 0;
    wait_until("the end of the session", || {
        while let Ok(n) = std::io::Write::write(&mut client.stream, &many) {
            accepted += n;
            assert!(accepted < KERNELS_KEEP, "the server goes on reading");
        }
        server.metric("tapecast_sessions{") == 0.0
    });
}

#[test]
fn who_never_reads_is_gone_in_time_and_the_others_miss_nothing() {
    let server = Server::start(|config| {
        config.workers = 1;
        config.simulation.trades_per_second = 20_000.0;
        config.liveness.stall = Duration::from_secs(2);
        config.outbox.end_above = usize::MAX;
    });
    let everything = r#"{"action":"subscribe","trades":["*"],"quotes":["*"]}"#;
    let mut stalled = Client::session(server.address);
    stalled.send_text(r#"{"action":"subscribe","quotes":["*"]}"#);
    let mut honest = Client::session(server.address);
    honest.command(everything);

    let mut ledger = SequenceLedger::default();
    wait_until("the stalled to be gone", || {
        (0..50).for_each(|_| ledger.record(&honest.next_objects()));
        server.metric("tapecast_sessions{") == 1.0
    });

    ledger.record(&honest.next_objects());
    assert!(ledger.objects > 0);
    assert_eq!(server.metric("tapecast_sessions_severed_total"), 1.0, "not even the goodbye was taken");
}

#[test]
fn who_is_too_slow_for_its_trades_is_told_so_and_closed() {
    let server = Server::start(|config| {
        config.simulation.trades_per_second = 50_000.0;
        config.outbox.end_above = 100_000;
        config.liveness.close = DEADLINE;
    });
    let mut client = Client::session(server.address);
    client.send_text(r#"{"action":"subscribe","trades":["*"]}"#);

    wait_until("the session to be given up", || server.metric("tapecast_outbox_overflows_total") == 1.0);

    let mut last = Vec::new();
    let close = loop {
        let frame = client.next_frame().expect("a Close before the end");
        match frame.opcode {
            8 => break frame.close_code(),
            _ => last = frame.json(),
        }
    };
    assert_eq!(last[0]["code"], 407);
    assert_eq!(close, Some(1008));
}

#[test]
fn a_backlog_stays_under_its_limit_while_its_client_reads_nothing() {
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

    // What waits may be less by then: the kernel takes a piece of it now and then.
    wait_until("far more quotes than wait or were sent", || {
        let (waiting, sent) =
            (server.metric("tapecast_outbox_bytes{"), server.metric("tapecast_objects_sent_total"));
        assert!(waiting < limit * 1.5, "{waiting} bytes wait after {sent} objects");
        // A quote of at least 100 bytes, and the ticker that it changes.
        let quotes = (published() - before) / 2.0;
        (quotes - sent) * 100.0 > limit * 3.0
    });

    let mut ledger = SequenceLedger::default();
    while ledger.conflated == 0 {
        ledger.record(&client.next_objects());
    }
}
