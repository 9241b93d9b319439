//! Conformance to RFC 6455 and RFC 7692: the classes of cases of the Autobahn suite, in small.
//!
//! `/echo` returns each valid message unchanged; a violation is closed with the code that the RFC names.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::collections::{HashMap, HashSet};

use tapecast::http::EchoMode;
use test_support::{Client, SequenceLedger, Server, deflate};

/// The offer of browsers, of the SDKs and of the tutorial's handshake.
const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

const CONTINUATION: u8 = 0x00;
const LAST_CONTINUATION: u8 = 0x80;
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const PING: u8 = 0x89;
const PONG: u8 = 0x0A;

/// The bit that marks the first frame of a compressed message.
const RSV1: u8 = 0x40;

fn quiet_server() -> Server {
    Server::without_trades(|config| config.echo = EchoMode::Conformance)
}

fn echo(server: &Server) -> Client {
    Client::connect(server.address, "/echo")
}

fn compressed_echo(server: &Server) -> Client {
    let client = Client::connect_with(server.address, "/echo", OFFER);
    assert_eq!(
        extensions(&client),
        Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover")
    );
    client
}

fn extensions(client: &Client) -> Option<&str> {
    let line = |line: &'static str| move |head: &&str| head.to_ascii_lowercase().starts_with(line);
    let found = client.handshake.lines().find(line("sec-websocket-extensions:"))?;
    Some(found.split_once(':')?.1.trim())
}

/// A compressible message of `count` objects.
fn ticks(count: usize) -> Vec<u8> {
    (0..count).flat_map(|n| format!("{{\"S\":\"AAPL\",\"p\":{}.25}},", n * 31 % 977).into_bytes()).collect()
}

#[test]
fn messages_of_every_length_encoding_are_echoed() {
    let server = quiet_server();
    for mut client in [echo(&server), compressed_echo(&server)] {
        for len in [0, 1, 125, 126, 127, 128, 299, 300, 0xFFFE, 0xFFFF, 0x1_0000, 1 << 20] {
            for first in [TEXT, BINARY] {
                let message = vec![b'*'; len];
                client.send_frame(first, &message);
                let frame = client.next_frame().unwrap();
                assert_eq!(frame.opcode, first & 0x0F, "{len}");
                assert_eq!(frame.payload, message, "{len}");
            }
        }
    }
}

#[test]
fn fragments_are_joined_and_pongs_keep_their_order() {
    let server = quiet_server();
    let mut client = echo(&server);

    client.send_frame(0x01, b"frag");
    client.send_frame(PING, b"1");
    client.send_frame(CONTINUATION, "mént".as_bytes().split_at(2).0);
    client.send_frame(PING, b"2");
    client.send_frame(LAST_CONTINUATION, "mént".as_bytes().split_at(2).1);
    client.send_frame(PING, b"3");

    let received: Vec<_> =
        (0..4).map(|_| client.next_frame().unwrap()).map(|f| (f.opcode, f.payload)).collect();
    assert_eq!(received[..2], [(PONG, b"1".to_vec()), (PONG, b"2".to_vec())]);
    assert_eq!(received[2..], [(1, "fragmént".into()), (PONG, b"3".to_vec())]);
}

#[test]
fn a_close_is_answered_with_its_code_and_ends_the_connection() {
    let server = quiet_server();
    for (payload, code) in [(&b""[..], None), (b"\x03\xE8bye", Some(1000)), (b"\x0F\xA0", Some(4000))] {
        let mut client = echo(&server);
        client.send_frame(0x88, payload);
        client.send_frame(TEXT, b"still here?");
        assert_eq!(client.next_frame().unwrap().close_code(), code);
        assert_eq!(client.next_frame(), None);
    }
}

#[test]
fn compression_is_negotiated_only_when_it_is_offered() {
    let server = quiet_server();
    let agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let narrow = format!("{agreed}; server_max_window_bits=9");
    let offers = [
        ("", None),
        (OFFER, Some(agreed)),
        ("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n", Some(&narrow)),
        ("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8\r\n", None),
        (
            "Sec-WebSocket-Extensions: x-unknown\r\nSec-WebSocket-Extensions: permessage-deflate\r\n",
            Some(agreed),
        ),
    ];
    for path in ["/echo", "/v2/iex", "/websocket/connect?userId=3"] {
        for (offer, answer) in offers {
            let client = Client::connect_with(server.address, path, offer);
            assert!(client.handshake.starts_with("HTTP/1.1 101"), "{path} {offer}");
            assert_eq!(extensions(&client), answer, "{path} {offer}");
        }
    }
}

#[test]
fn a_compressed_message_is_echoed_compressed_unless_it_is_small() {
    let server = quiet_server();
    let mut client = compressed_echo(&server);

    for count in [0, 1, 100, 1_500] {
        let message = ticks(count);
        client.send_compressed(TEXT | RSV1, &message);
        let frame = client.next_frame().unwrap();
        assert_eq!(frame.payload, message);
        assert_eq!(frame.compressed.is_some(), count >= 100, "{count} ticks");
        assert!(frame.compressed.is_none_or(|compressed| compressed.len() < message.len() / 2));
    }
}

#[test]
fn a_fragmented_compressed_message_may_be_interleaved_with_a_ping() {
    let server = quiet_server();
    let mut client = compressed_echo(&server);
    let message = ticks(200);
    let compressed = deflate(&message);
    let (first, rest) = compressed.split_at(compressed.len() / 2);

    client.send_frame(0x01 | RSV1, first);
    client.send_frame(PING, b"between");
    client.send_frame(LAST_CONTINUATION, rest);

    assert_eq!(client.next_frame().unwrap().opcode, PONG);
    assert_eq!(client.next_frame().unwrap().payload, message);
}

#[test]
fn misplaced_compression_and_reserved_bits_are_a_protocol_error() {
    let server = quiet_server();
    let compressed = deflate(b"Hello");
    let misuses = [
        ("a ping", vec![(PING | RSV1, &b""[..])]),
        ("a close", vec![(0x88 | RSV1, b"")]),
        (
            "a continuation of a compressed message",
            vec![(0x01 | RSV1, &compressed), (LAST_CONTINUATION | RSV1, b"")],
        ),
        ("a continuation of a plain message", vec![(0x01, b"Hel"), (LAST_CONTINUATION | RSV1, &compressed)]),
        ("RSV2", vec![(TEXT | 0x20, b"")]),
        ("RSV1 with RSV3", vec![(TEXT | RSV1 | 0x10, &compressed)]),
    ];
    for (misuse, frames) in misuses {
        let mut client = compressed_echo(&server);
        frames.into_iter().for_each(|(first, payload)| client.send_frame(first, payload));
        assert_eq!(client.read_to_close(), (Some(1002), true), "{misuse}");
    }
    let mut plain = echo(&server);
    plain.send_frame(TEXT | RSV1, &compressed);
    assert_eq!(plain.read_to_close(), (Some(1002), true), "not agreed");
}

#[test]
fn invalid_deflate_and_invalid_utf8_are_refused() {
    let server = quiet_server();
    let faults = [
        ("no deflate", vec![0xFF; 8]),
        ("cut off", deflate(&ticks(50))[..20].to_vec()),
        ("not UTF-8", deflate(b"good, then \xFF")),
        ("a character cut off", deflate(&"é".as_bytes()[..1])),
    ];
    for (fault, payload) in faults {
        let mut client = compressed_echo(&server);
        client.send_frame(TEXT | RSV1, &payload);
        assert_eq!(client.read_to_close(), (Some(1007), true), "{fault}");
    }
}

#[test]
fn a_decompression_bomb_is_refused_by_the_echo_and_by_the_stream() {
    let server = quiet_server();
    let bomb = deflate(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 100_000);

    for path in ["/echo", "/v2/iex"] {
        let mut client = Client::connect_with(server.address, path, OFFER);
        client.send_frame(TEXT | RSV1, &bomb);
        assert_eq!(client.read_to_close(), (Some(1009), true), "{path}");
    }
}

#[test]
fn the_stream_accepts_compressed_commands_whole_and_in_fragments() {
    let server = quiet_server();
    let mut client = Client::connect_with(server.address, "/v2/iex", OFFER);
    let command = deflate(br#"{"action":"subscribe","quotes":["AAPL"]}"#);

    client.send_frame(BINARY | RSV1, &command);
    client.send_frame(0x02 | RSV1, &command[..9]);
    client.send_frame(CONTINUATION, &command[9..]);
    client.send_frame(LAST_CONTINUATION, b"");

    for kind in ["success", "subscription", "subscription"] {
        assert_eq!(client.next_frame().unwrap().json()[0]["T"], kind);
    }
}

#[test]
fn sessions_with_the_same_subscriptions_share_compressed_frames_and_miss_nothing() {
    let server = Server::start(|config| {
        config.workers = 1;
        config.simulation.trades_per_second = 1_000.0;
        config.outbox.end_above = usize::MAX;
    });
    let offers = [OFFER, OFFER, ""];
    let mut sessions = offers.map(|offer| {
        let mut client = Client::connect_with(server.address, "/v2/iex", offer);
        client.send_text(r#"{"action":"subscribe","trades":["*"],"quotes":["*"]}"#);
        (client, SequenceLedger::default(), HashSet::new(), HashMap::new())
    });

    // A session that falls behind gets frames of its own; sessions that keep up share theirs.
    while sessions.iter().any(|(_, ledger, ..)| ledger.objects < 5_000) {
        for (client, ledger, packed, objects) in &mut sessions {
            let frame = client.next_frame().expect("the session continues");
            if frame.opcode == 1 {
                ledger.record(&frame.json());
                for object in frame.json().into_iter().filter(|object| object["cf"].is_null()) {
                    let stream = (object["T"].to_string(), object["S"].to_string());
                    objects.insert((stream, object["sq"].as_u64()), object);
                }
                packed.extend(frame.compressed);
            }
        }
    }

    let [(_, _, ours, first), (_, _, others, second), (_, _, plain_frames, plain)] = &sessions;
    assert!(plain_frames.is_empty(), "a session that did not offer compression gets no compressed frame");
    assert!(
        ours.intersection(others).count() > 0,
        "{} and {} frames, none the same",
        ours.len(),
        others.len()
    );
    for packed in [first, second] {
        let both: Vec<_> = packed.keys().filter(|key| plain.contains_key(key)).collect();
        assert!(both.len() > 1_000);
        assert!(both.iter().all(|key| packed[key] == plain[key]), "an object is the same in both forms");
    }
}
