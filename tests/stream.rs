//! The stream protocol over a real socket: handshake, commands, acknowledgements, data.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use test_support::{Client, SequenceLedger, Server};

#[test]
fn the_tutorials_handshake_gets_the_documented_response() {
    let server = Server::start(|_| {});

    let client = Client::connect(server.address, "/websocket/connect?userId=3");

    let handshake = client.handshake.to_ascii_lowercase();
    assert!(handshake.starts_with("http/1.1 101 "), "{handshake}");
    assert!(handshake.contains("upgrade: websocket\r\n"), "{handshake}");
    assert!(client.handshake.contains("iLkXOjF0f9x4bGvi9GnUKeEdnIM="), "{handshake}");
}

#[test]
fn the_echo_keeps_the_opcode_and_answers_pings_in_order() {
    let server = Server::start(|_| {});
    let mut client = Client::connect(server.address, "/echo");

    client.send_frame(0x81, "Hällo".as_bytes());
    client.send_frame(0x89, b"there?");
    client.send_frame(0x82, &[0, 159, 146, 150]);
    client.send_frame(0x88, &[&4001u16.to_be_bytes()[..], b"bye"].concat());

    let received: Vec<_> =
        std::iter::from_fn(|| client.next_frame()).map(|frame| (frame.opcode, frame.payload)).collect();
    assert_eq!(
        received,
        [
            (1, "Hällo".as_bytes().to_vec()),
            (10, b"there?".to_vec()),
            (2, vec![0, 159, 146, 150]),
            (8, 4001u16.to_be_bytes().to_vec()),
        ]
    );
}

#[test]
fn a_subscription_is_acknowledged_before_its_first_object_and_then_misses_none() {
    let server = Server::start(|_| {});
    let mut client = Client::session(server.address);

    client.send_text(r#"{"action":"subscribe","trades":["AAPL"],"quotes":["*"],"bars":["ZZZZ"]}"#);

    let ack = client.next_objects();
    assert_eq!(ack.len(), 1);
    assert_eq!(ack[0]["T"], "subscription");
    let channels = [
        "trades",
        "quotes",
        "bars",
        "updatedBars",
        "dailyBars",
        "statuses",
        "lulds",
        "cancelErrors",
        "corrections",
    ];
    let lists = channels.map(|key| ack[0][key].as_array().expect(key).len());
    assert_eq!(lists, [1, 1, 1, 0, 0, 0, 0, 1, 1]);

    let mut ledger = SequenceLedger::default();
    while ledger.objects < 5_000 {
        let objects = client.next_objects();
        let is_wanted =
            |object: &serde_json::Value| object["T"] == "q" || (object["T"] == "t" && object["S"] == "AAPL");
        assert!(objects.iter().all(is_wanted), "{objects:?}");
        ledger.record(&objects);
    }
}

#[test]
fn the_first_key_of_every_object_is_t() {
    let server = Server::start(|config| config.spans.bar_nanos = 100_000_000);
    let mut client = Client::session(server.address);
    client
        .send_text(r#"{"action":"subscribe","trades":["*"],"quotes":["*"],"bars":["*"],"dailyBars":["*"]}"#);

    let mut missing = vec!["\"t\"", "\"q\"", "\"b\"", "\"d\""];
    while !missing.is_empty() {
        let frame = client.next_frame().unwrap();
        let text = String::from_utf8(frame.payload).unwrap();
        let objects = text[1..text.len() - 1].split("},{").map(|object| object.trim_start_matches('{'));
        for object in objects {
            let kind = object.strip_prefix("\"T\":").expect("T comes first");
            missing.retain(|wanted| !kind.starts_with(wanted));
        }
    }
}

#[test]
fn no_object_follows_the_acknowledgement_of_an_unsubscribe() {
    let server = Server::start(|_| {});
    let mut client = Client::session(server.address);
    client.command(r#"{"action":"subscribe","trades":["*"],"quotes":["*"]}"#);
    client.next_objects();

    let ack = client.command(r#"{"action":"unsubscribe","trades":["*"]}"#);

    assert_eq!(ack["trades"], serde_json::json!([]));
    assert_eq!(ack["quotes"], serde_json::json!(["*"]));
    for _ in 0..200 {
        assert!(client.next_objects().iter().all(|object| object["T"] == "q"));
    }
}

#[test]
fn commands_may_be_fragmented_in_either_opcode_and_sent_before_the_greeting_is_read() {
    let server = Server::start(|_| {});
    let mut client = Client::connect(server.address, "/v2/sip");

    client.send_frame(0x02, br#"{"action":"auth","key":"K","secret":"S"}"#);
    client.send_frame(0x80, b"");
    client.send_frame(0x01, br#"{"action":"subscribe","#);
    client.send_frame(0x89, b"still there?");
    client.send_frame(0x80, br#""dailyBars":null,"news":["x"]}"#);

    let frames: Vec<_> = (0..4).map(|_| client.next_frame().unwrap()).collect();
    let (pongs, answers): (Vec<_>, Vec<_>) = frames.into_iter().partition(|frame| frame.opcode == 10);
    let text = |index: usize| String::from_utf8(answers[index].payload.clone()).unwrap();
    assert_eq!(pongs[0].payload, b"still there?", "a pong does not wait for the answers before it");
    assert_eq!(text(0), r#"[{"T":"success","msg":"connected"}]"#);
    assert_eq!(text(1), r#"[{"T":"success","msg":"authenticated"}]"#);
    assert!(text(2).starts_with(r#"[{"T":"subscription","trades":[]"#), "{}", text(2));
}

#[test]
fn credentials_in_the_upgrade_authenticate_the_session() {
    let server = Server::start(|_| {});
    let credentials = "APCA-API-KEY-ID: K\r\nAPCA-API-SECRET-KEY: S\r\n";
    let mut client = Client::connect_with(server.address, "/v2/iex", credentials);

    assert_eq!(client.next_objects()[0]["msg"], "connected");
    assert_eq!(client.next_objects()[0]["msg"], "authenticated");
}

#[test]
fn an_unknown_feed_is_not_found() {
    let server = Server::start(|_| {});

    let client = Client::connect(server.address, "/v2/crypto");

    assert!(client.handshake.starts_with("HTTP/1.1 404 "), "{}", client.handshake);
}
