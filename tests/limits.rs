//! Every limit: what is refused, with which answer, and which metric counts it.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use tapecast::http::EchoMode;
use tapecast::limits::Rate;
use test_support::{Client, DEADLINE, Server, get, get_with, wait_until};

/// A plain connection.
fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// All that the server sends until it closes the connection.
fn read_to_end(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    match stream.read_to_end(&mut text) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => {
            panic!("the server did not close the connection: {error}")
        }
        _ => String::from_utf8(text).unwrap(),
    }
}

#[test]
fn at_capacity_an_upgrade_gets_503_with_retry_after_until_a_session_ends() {
    let server = Server::without_trades(|config| config.access.max_sessions = Some(2));
    let first = Client::session(server.address);
    let _echo = Client::connect(server.address, "/echo");

    let refused = Client::connect(server.address, "/v2/iex").handshake.to_ascii_lowercase();

    assert!(refused.starts_with("http/1.1 503 "), "{refused}");
    assert!(refused.contains("\r\nretry-after: 5\r\n"), "{refused}");
    assert_eq!(server.upgrades_refused("sessions"), 1.0);
    assert_eq!(get(server.address, "/healthz").0, 200);
    drop(first);
    wait_until("capacity for another session", || Client::connect(server.address, "/v2/iex").is_open());
}

#[test]
fn one_address_cannot_take_the_capacity_of_others() {
    let server = Server::without_trades(|config| {
        config.access.max_sessions_per_address = 3;
        config.access.proxies = vec!["127.0.0.1".parse().unwrap()].into();
    });
    let connect = |from: &str| {
        let headers = format!("X-Forwarded-For: 6.6.6.6, {from}\r\n");
        Client::connect_with(server.address, "/v2/iex", &headers)
    };

    let flood: Vec<_> = (0..20).map(|_| connect("203.0.113.7")).collect();

    assert_eq!(flood.iter().filter(|client| client.is_open()).count(), 3);
    assert!(flood[3..].iter().all(|client| client.handshake.starts_with("HTTP/1.1 503")));
    assert_eq!(server.upgrades_refused("address"), 17.0);
    assert!(connect("203.0.113.8").is_open());
}

#[test]
fn x_forwarded_for_is_ignored_unless_a_trusted_proxy_sends_it() {
    let server = Server::without_trades(|config| config.access.max_sessions_per_address = 1);
    let _first = Client::connect_with(server.address, "/v2/iex", "X-Forwarded-For: 203.0.113.7\r\n");

    let second = Client::connect_with(server.address, "/v2/iex", "X-Forwarded-For: 203.0.113.8\r\n");

    assert!(second.handshake.starts_with("HTTP/1.1 503"), "{}", second.handshake);
}

#[test]
fn a_connection_without_a_complete_request_is_closed_at_the_head_timeout() {
    let server =
        Server::without_trades(|config| config.access.http.head_timeout = Duration::from_millis(700));
    let silent = connect(server.address);
    let mut half_open = connect(server.address);
    half_open.write_all(b"GET /v2/iex HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n").unwrap();
    let mut slow = connect(server.address);

    // One byte every 20 ms keeps the connection active, but must not extend the timeout.
    let head = "GET /v2/iex HTTP/1.1\r\nHost: test\r\nX-Padding: ".bytes().chain(std::iter::repeat(b'x'));
    let start = Instant::now();
    for byte in head {
        if slow.write_all(&[byte]).is_err() {
            break;
        }
        assert!(start.elapsed() < DEADLINE, "the timeout of a request head does not end");
        std::thread::sleep(Duration::from_millis(20));
    }

    for stream in [silent, half_open] {
        let answer = read_to_end(stream);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    wait_until("all three connections to be counted", || {
        server.metric("tapecast_connections_without_request_total") == 3.0
    });
    assert_eq!(server.metric("tapecast_sessions_opened_total"), 0.0);
}

#[test]
fn a_client_that_takes_a_response_too_slowly_is_disconnected() {
    let server = Server::without_trades(|config| {
        config.access.http.write_rate.grace = Duration::from_millis(300);
    });
    let mut stream = connect(server.address);

    // Far more than the kernel's buffers hold.
    stream.write_all(&b"GET /openapi.json HTTP/1.1\r\nHost: test\r\n\r\n".repeat(1_000)).unwrap();

    wait_until("the connection to be dropped", || {
        server.metric("tapecast_connections_dropped_total{reason=\"slow\"}") == 1.0
    });
}

#[test]
fn an_idle_keep_alive_connection_is_closed() {
    let server =
        Server::without_trades(|config| config.access.http.idle_timeout = Duration::from_millis(300));
    let mut stream = connect(server.address);

    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();

    assert!(read_to_end(stream).ends_with("ok\n"));
}

#[test]
fn a_large_request_head_is_refused_for_every_route() {
    let server = Server::without_trades(|_| {});
    let head = |bytes: usize| format!("X-Padding: {}\r\n", "x".repeat(bytes));

    assert_eq!(get_with(server.address, "/healthz", &head(15 << 10)).status, 200);
    assert_eq!(get_with(server.address, "/healthz", &head(17 << 10)).status, 431);
    let upgrade = Client::connect_with(server.address, "/v2/iex", &head(17 << 10));
    assert!(upgrade.handshake.starts_with("HTTP/1.1 431"), "{}", upgrade.handshake);
    assert_eq!(server.metric("tapecast_requests_refused_total{reason=\"head\"}"), 2.0);

    // The parser itself refuses an even larger one, so no handler sees it.
    let mut stream = connect(server.address);
    let _ = stream.write_all(format!("GET / HTTP/1.1\r\n{}", head(1 << 20)).as_bytes());
    let answer = read_to_end(stream);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    wait_until("the connection to be counted", || {
        server.metric("tapecast_connections_without_request_total") == 1.0
    });
}

#[test]
fn a_request_with_a_body_is_refused() {
    let server = Server::without_trades(|_| {});

    for body in ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"] {
        let mut stream = connect(server.address);
        write!(stream, "GET /v2/clock HTTP/1.1\r\nHost: test\r\n{body}\r\n").unwrap();
        let answer = read_to_end(stream);
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }

    assert_eq!(server.metric("tapecast_requests_refused_total{reason=\"body\"}"), 2.0);
}

#[test]
fn too_many_commands_get_an_error_and_a_close() {
    let server = Server::without_trades(|config| config.limits.commands = Rate::per_second(1, 3));
    let mut client = Client::session(server.address);

    for _ in 0..3 {
        assert_eq!(client.command(r#"{"action":"subscribe"}"#)["T"], "subscription");
    }

    assert_eq!(client.command(r#"{"action":"subscribe"}"#)["code"], 429);
    assert_eq!(client.read_to_close(), (Some(1008), true));
    assert_eq!(server.sessions_closed("too_many_commands"), 1.0);
}

#[test]
fn a_long_command_costs_more_tokens_and_later_commands_wait_for_it() {
    let server = Server::without_trades(|config| config.limits.commands = Rate::per_second(1, 10));
    let mut client = Client::session(server.address);
    let names: Vec<_> = (0..1_000).map(|number| format!("S{number}")).collect();
    let long = serde_json::json!({"action": "subscribe", "trades": names}).to_string();
    assert!((6 << 10..8 << 10).contains(&long.len()), "it costs four tokens");

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
fn too_many_pings_or_pongs_get_a_close() {
    let server = Server::without_trades(|config| config.limits.pings = Rate::per_second(1, 3));

    for opcode in [0x89, 0x8A] {
        let mut client = Client::session(server.address);
        (0..4).for_each(|_| client.send_frame(opcode, b""));
        assert_eq!(client.read_to_close(), (Some(1008), true));
    }

    assert_eq!(server.sessions_closed("too_many_pings"), 2.0);
}

#[test]
fn the_stream_and_the_echo_ping_a_silent_client() {
    let server = Server::without_trades(|config| config.liveness.ping_after = Duration::from_millis(100));

    for mut client in [Client::session(server.address), Client::connect(server.address, "/echo")] {
        assert_eq!(client.next_frame().unwrap().opcode, 9, "a ping");
    }
}

#[test]
fn the_stream_and_the_echo_close_an_unresponsive_session() {
    let server = Server::without_trades(|config| config.liveness.silence = Duration::from_millis(100));

    for mut client in [Client::session(server.address), Client::connect(server.address, "/echo")] {
        assert_eq!(client.read_to_close(), (Some(1013), true));
    }

    assert_eq!(server.sessions_closed("unresponsive"), 2.0);
}

#[test]
fn an_echo_client_that_does_not_read_is_disconnected() {
    let server = Server::without_trades(|config| {
        config.liveness.stall = Duration::from_secs(1);
        config.echo = EchoMode::Conformance;
    });
    let mut client = Client::connect(server.address, "/echo");

    // More than the kernel's buffers hold.
    client.send_frame(0x82, &vec![b'*'; 16 << 20]);

    wait_until("the connection to be aborted", || server.metric("tapecast_sessions_severed_total") == 1.0);
    wait_until("the session to end", || server.sessions_closed("slow_client") == 1.0);
}

#[test]
fn the_echo_has_the_limits_of_the_stream_for_messages_and_pings() {
    let server = Server::without_trades(|config| {
        (config.limits.commands, config.limits.pings) = (Rate::per_second(1, 10), Rate::per_second(1, 3));
        config.limits.message_bytes = 16 << 10;
    });
    let echo = || Client::connect(server.address, "/echo");

    let mut long = echo();
    long.send_frame(0x82, &[b'*'; 16 << 10]);
    assert_eq!(long.next_frame().unwrap().payload.len(), 16 << 10, "it costs nine tokens");
    long.send_frame(0x82, &[b'*'; 4 << 10]);
    assert_eq!(long.read_to_close(), (Some(1008), true));
    let mut longer = echo();
    longer.send_frame(0x82, &[b'*'; (16 << 10) + 1]);
    assert_eq!(longer.read_to_close(), (Some(1009), true));
    let mut many = echo();
    (0..11).for_each(|_| many.send_frame(0x81, b""));
    assert_eq!(many.read_to_close(), (Some(1008), true));
    for opcode in [0x89, 0x8A] {
        let mut pings = echo();
        (0..4).for_each(|_| pings.send_frame(opcode, b""));
        assert_eq!(pings.read_to_close(), (Some(1008), true));
    }

    let closed = ["too_many_commands", "too_big", "too_many_pings"].map(|why| server.sessions_closed(why));
    assert_eq!(closed, [2.0, 1.0, 2.0]);
}

#[test]
fn there_is_no_echo_where_it_is_off() {
    let server = Server::without_trades(|config| config.echo = EchoMode::Off);

    assert!(Client::connect(server.address, "/echo").handshake.starts_with("HTTP/1.1 404 "));
    assert_eq!(get(server.address, "/echo").0, 404);
}

#[test]
fn unfinished_messages_of_a_worker_take_a_bounded_part_of_its_memory() {
    let server = Server::without_trades(|config| {
        config.workers = 1;
        config.limits.pending_bytes = 1 << 20;
    });
    let hostile: Vec<_> = (0..8)
        .flat_map(|_| ["/echo", "/v2/iex"])
        .map(|path| {
            let mut client = Client::connect(server.address, path);
            client.send_frame(0x01, &[b' '; 200 << 10]);
            client
        })
        .collect();

    wait_until("the sessions with more than their share to be closed", || {
        server.sessions_closed("try_later") >= 8.0
    });
    assert!(server.metric("tapecast_sessions{") > 0.0);
    let mut honest = Client::session(server.address);
    assert_eq!(honest.command(r#"{"action":"subscribe","trades":["AAPL"]}"#)["T"], "subscription");
    drop(hostile);
}

#[test]
fn one_command_may_name_ten_thousand_symbols_in_three_channels_and_no_later_one_adds_to_them() {
    let server = Server::without_trades(|_| {});
    let mut client = Client::session(server.address);
    let names: Vec<_> = (0..10_000).map(|n| format!("Q{n}")).collect();
    let list = serde_json::to_string(&names).unwrap();

    let full =
        client.command(&format!(r#"{{"action":"subscribe","trades":{list},"quotes":{list},"bars":{list}}}"#));
    let one_more = client.command(r#"{"action":"subscribe","statuses":["AAPL"]}"#);
    let after = client.command(r#"{"action":"subscribe"}"#);

    for channel in ["trades", "quotes", "bars"] {
        assert_eq!(full[channel].as_array().unwrap().len(), 10_000, "{channel}: {}", full["code"]);
    }
    assert_eq!(one_more["code"], 405);
    assert_eq!((&after["bars"], &after["statuses"]), (&full["bars"], &serde_json::json!([])));
    let text = get(server.address, "/metrics").1;
    let is_count =
        |line: &str| line.starts_with("tapecast_errors_total") && line.ends_with("code=\"405\"} 1");
    assert!(text.lines().any(is_count), "{text}");
}

#[test]
fn a_message_in_the_wrong_codec_gets_an_error_and_the_session_continues() {
    let server = Server::without_trades(|_| {});
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
