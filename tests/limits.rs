//! Each limit has a name, an answer and a count.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use tapecast::config::Config;
use tapecast::limits::Rate;
use test_support::{Client, DEADLINE, Server, get, get_with, wait_until};

/// A still market with limits of one's own.
fn limited(change: impl FnOnce(&mut Config)) -> Server {
    Server::start(|config| {
        config.simulation.trades_per_second = 0.0;
        change(config);
    })
}

fn refused(server: &Server, reason: &str) -> f64 {
    server.metric(&format!("tapecast_upgrades_refused_total{{reason=\"{reason}\"}}"))
}

/// A socket, and what comes on it until it ends.
fn connection(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

fn all_that_comes(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    match stream.read_to_end(&mut text) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("no end came: {error}"),
        _ => String::from_utf8(text).unwrap(),
    }
}

#[test]
fn a_full_house_says_when_to_ask_again_and_has_room_when_somebody_leaves() {
    let server = limited(|config| config.access.max_sessions = Some(2));
    let first = Client::session(server.address);
    let _echo = Client::connect(server.address, "/echo");

    let turned_away = Client::connect(server.address, "/v2/iex").handshake.to_ascii_lowercase();

    assert!(turned_away.starts_with("http/1.1 503 "), "{turned_away}");
    assert!(turned_away.contains("\r\nretry-after: 5\r\n"), "{turned_away}");
    assert_eq!(refused(&server, "sessions"), 1.0);
    assert_eq!(get(server.address, "/healthz").0, 200);
    drop(first);
    wait_until("a free seat", || {
        Client::connect(server.address, "/v2/iex").handshake.starts_with("HTTP/1.1 101")
    });
}

#[test]
fn a_flood_of_connections_from_one_address_leaves_the_seats_to_others() {
    let server = limited(|config| {
        config.access.max_sessions_per_address = 3;
        config.access.proxies = vec!["127.0.0.1".parse().unwrap()].into();
    });
    let connect = |from: &str| {
        let headers = format!("X-Forwarded-For: 6.6.6.6, {from}\r\n");
        Client::connect_with(server.address, "/v2/iex", &headers)
    };

    let flood: Vec<_> = (0..20).map(|_| connect("203.0.113.7")).collect();

    let welcome = |client: &Client| client.handshake.starts_with("HTTP/1.1 101");
    assert_eq!(flood.iter().filter(|client| welcome(client)).count(), 3);
    assert!(flood[3..].iter().all(|client| client.handshake.starts_with("HTTP/1.1 503")));
    assert_eq!(refused(&server, "address"), 17.0);
    assert!(welcome(&connect("203.0.113.8")));
}

#[test]
fn who_is_not_trusted_cannot_pretend_to_come_from_elsewhere() {
    let server = limited(|config| config.access.max_sessions_per_address = 1);
    let _first = Client::connect_with(server.address, "/v2/iex", "X-Forwarded-For: 203.0.113.7\r\n");

    let second = Client::connect_with(server.address, "/v2/iex", "X-Forwarded-For: 203.0.113.8\r\n");

    assert!(second.handshake.starts_with("HTTP/1.1 503"), "{}", second.handshake);
}

#[test]
fn who_does_not_finish_its_request_in_time_is_cut() {
    let server = limited(|config| config.access.http.head_timeout = Duration::from_millis(700));
    let silent = connection(server.address);
    let mut half_open = connection(server.address);
    half_open.write_all(b"GET /v2/iex HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n").unwrap();
    let mut slow = connection(server.address);

    // One byte at a time, for longer than a whole request may take.
    let head = "GET /v2/iex HTTP/1.1\r\nHost: test\r\nX-Padding: ".bytes().chain(std::iter::repeat(b'x'));
    let began = Instant::now();
    for byte in head {
        if slow.write_all(&[byte]).is_err() {
            break;
        }
        assert!(began.elapsed() < DEADLINE, "a head may take for ever");
        std::thread::sleep(Duration::from_millis(20));
    }

    for stream in [silent, half_open] {
        let answer = all_that_comes(stream);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    wait_until("all three to be counted", || {
        server.metric("tapecast_connections_without_request_total") == 3.0
    });
    assert_eq!(server.metric("tapecast_sessions_opened_total"), 0.0);
}

#[test]
fn a_connection_that_asks_no_more_is_let_go() {
    let server = limited(|config| config.access.http.idle_timeout = Duration::from_millis(300));
    let mut stream = connection(server.address);

    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();

    assert!(all_that_comes(stream).ends_with("ok\n"));
}

#[test]
fn a_giant_head_is_refused_whatever_it_asks_for() {
    let server = limited(|_| {});
    let head = |bytes: usize| format!("X-Padding: {}\r\n", "x".repeat(bytes));

    assert_eq!(get_with(server.address, "/healthz", &head(15 << 10)).status, 200);
    assert_eq!(get_with(server.address, "/healthz", &head(17 << 10)).status, 431);
    let upgrade = Client::connect_with(server.address, "/v2/iex", &head(17 << 10));
    assert!(upgrade.handshake.starts_with("HTTP/1.1 431"), "{}", upgrade.handshake);
    assert_eq!(server.metric("tapecast_requests_refused_total{reason=\"head\"}"), 2.0);

    // Beyond what the parser takes nobody is asked.
    let mut stream = connection(server.address);
    let _ = stream.write_all(format!("GET / HTTP/1.1\r\n{}", head(1 << 20)).as_bytes());
    let answer = all_that_comes(stream);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    wait_until("it to be counted", || server.metric("tapecast_connections_without_request_total") == 1.0);
}

#[test]
fn no_request_has_a_body() {
    let server = limited(|_| {});

    for body in ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"] {
        let mut stream = connection(server.address);
        write!(stream, "GET /v2/clock HTTP/1.1\r\nHost: test\r\n{body}\r\n").unwrap();
        let answer = all_that_comes(stream);
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }

    assert_eq!(server.metric("tapecast_requests_refused_total{reason=\"body\"}"), 2.0);
}

#[test]
fn a_flood_of_commands_is_answered_and_then_closed() {
    let server = limited(|config| config.limits.commands = Rate::per_second(1, 3));
    let mut client = Client::session(server.address);

    for _ in 0..3 {
        assert_eq!(client.command(r#"{"action":"subscribe"}"#)["T"], "subscription");
    }

    assert_eq!(client.command(r#"{"action":"subscribe"}"#)["code"], 429);
    assert_eq!(client.read_to_close(), (Some(1008), true));
    assert_eq!(server.sessions_closed("too_many_commands"), 1.0);
}

#[test]
fn a_long_command_counts_as_many_and_what_comes_after_it_waits_for_it() {
    let server = limited(|config| config.limits.commands = Rate::per_second(1, 10));
    let mut client = Client::session(server.address);
    let names: Vec<_> = (0..1_000).map(|number| format!("S{number}")).collect();
    let long = serde_json::json!({"action": "subscribe", "trades": names}).to_string();
    assert!((6 << 10..8 << 10).contains(&long.len()), "it counts as four");

    client.send_text(&long);
    client.send_text(r#"{"action":"unsubscribe","trades":["S7"]}"#);

    for left in [1_000, 999] {
        assert_eq!(client.next_objects()[0]["trades"].as_array().unwrap().len(), left);
    }
    assert_eq!(client.command(&long)["T"], "subscription");
    assert_eq!(client.command(&long)["code"], 429);
    assert_eq!(client.read_to_close(), (Some(1008), true));
}

#[test]
fn a_flood_of_pings_is_closed_and_so_is_one_of_pongs() {
    let server = limited(|config| config.limits.pings = Rate::per_second(1, 3));

    for opcode in [0x89, 0x8A] {
        let mut client = Client::session(server.address);
        (0..4).for_each(|_| client.send_frame(opcode, b""));
        assert_eq!(client.read_to_close(), (Some(1008), true));
    }

    assert_eq!(server.sessions_closed("too_many_pings"), 2.0);
}

#[test]
fn a_silent_client_is_asked_whether_it_is_there_by_the_stream_and_by_the_echo() {
    let server = limited(|config| config.liveness.ping_after = Duration::from_millis(100));

    for mut client in [Client::session(server.address), Client::connect(server.address, "/echo")] {
        assert_eq!(client.next_frame().unwrap().opcode, 9, "a ping");
    }
}

#[test]
fn who_says_nothing_for_too_long_is_ended_by_the_stream_and_by_the_echo() {
    let server = limited(|config| config.liveness.silence = Duration::from_millis(100));

    for mut client in [Client::session(server.address), Client::connect(server.address, "/echo")] {
        assert_eq!(client.read_to_close(), (Some(1008), true));
    }

    assert_eq!(server.sessions_closed("unresponsive"), 2.0);
}

#[test]
fn who_takes_nothing_of_its_echo_is_cut() {
    let server = limited(|config| config.liveness.stall = Duration::from_secs(1));
    let mut client = Client::connect(server.address, "/echo");

    // More than the kernels keep on the way.
    client.send_frame(0x82, &vec![b'*'; 16 << 20]);

    wait_until("it to be cut", || server.metric("tapecast_sessions_severed_total") == 1.0);
    wait_until("it to be gone", || server.sessions_closed("slow_client") == 1.0);
}

#[test]
fn ten_thousand_symbols_are_one_command() {
    let server = limited(|_| {});
    let mut client = Client::session(server.address);
    let names: Vec<_> = (0..10_000).map(|n| format!("Q{n}")).collect();

    let list = serde_json::to_string(&names).unwrap();
    let answer =
        client.command(&format!(r#"{{"action":"subscribe","trades":{list},"quotes":{list},"bars":{list}}}"#));

    assert_eq!(answer["bars"].as_array().unwrap().len(), 10_000, "{}", answer["code"]);
    let one_more = client.command(r#"{"action":"subscribe","statuses":["AAPL"]}"#);
    assert_eq!(one_more["code"], 405);
    let text = get(server.address, "/metrics").1;
    let told = text
        .lines()
        .any(|line| line.starts_with("tapecast_errors_total") && line.ends_with("code=\"405\"} 1"));
    assert!(told, "{text}");
}

#[test]
fn a_message_in_the_wrong_codec_is_invalid_and_the_session_goes_on() {
    let server = limited(|_| {});
    let mut packed = Client::connect(server.address, "/v2/iex?codec=msgpack");
    assert_eq!(packed.next_frame().unwrap().opcode, 2, "the greeting is binary");

    for (opcode, bytes) in
        [(0x82, &b"{\"action\":"[..]), (0x82, &[0xC1; 64]), (0x82, &[0x91; 4_000]), (0x81, b"{")]
    {
        packed.send_frame(opcode, bytes);
        let answer = packed.next_frame().unwrap().payload;
        // {"T":"error","code":400,…} in MessagePack.
        assert!(answer.windows(3).any(|window| window == [0xCD, 0x01, 0x90]), "{bytes:?}: {answer:?}");
    }

    packed.send_frame(0x81, br#"{"action":"subscribe","trades":["AAPL"]}"#);
    assert!(packed.next_frame().unwrap().payload.windows(12).any(|window| window == b"subscription"));
}
