//! Event streams: the same session as over a WebSocket, as server-sent events.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use tapecast::auth::{AllowedOrigins, Entitlements, GeneratedKey};
use tapecast::model::Feed;
use test_support::{
    Client, DEADLINE, EventStream, SequenceLedger, Server, TempFolder, get_with, post, request, wait_until,
};

const TRADES: &str = "/v2/iex/events?trades=AAPL,NVDA";

fn busy_server() -> Server {
    Server::start(|config| {
        config.workers = 2;
        config.simulation.trades_per_second = 20_000.0;
    })
}

/// Publishes a message over the API of topics.
fn publish(server: &Server, topic: &str, data: &Value) {
    let body = json!({"channel": topic, "data": data}).to_string();
    let answer = post(server.address, "/api/publish", "", &body).json();
    assert!(answer["result"].is_object(), "{answer}");
}

/// Records the objects of the next events until `count` came, leaving out those that came before the connection too.
/// Returns how many of these do not conflate: others begin with what the server has newest.
fn record(stream: &mut EventStream, ledger: &mut SequenceLedger, count: usize) -> usize {
    let (until, mut repeated) = (ledger.objects + count, 0);
    while ledger.objects < until {
        let objects = stream.next_objects();
        let (again, new): (Vec<_>, Vec<_>) = objects.into_iter().partition(|object| ledger.has(object));
        repeated += again.iter().filter(|object| !["q", "k"].map(Value::from).contains(&object["T"])).count();
        ledger.record(&new);
    }
    repeated
}

#[test]
fn an_event_stream_carries_what_a_session_with_extensions_receives() {
    let server = Server::start(|_| {});
    // There is something of which a snapshot can be.
    let mut early = Client::session(server.address);
    early.command(r#"{"action":"subscribe","quotes":["*"]}"#);
    early.next_objects();
    let mut stream =
        EventStream::open(server.address, "/v2/iex/events?trades=AAPL&quotes=*&heartbeat_ms=100", "");

    assert_eq!(stream.status(), 200);
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    assert_eq!(stream.header("cache-control"), Some("no-store"));
    assert_eq!(stream.header("x-accel-buffering"), Some("no"));
    assert_eq!((stream.header("content-encoding"), stream.header("content-length")), (None, None));
    assert_eq!(stream.next_objects(), [json!({"T": "success", "msg": "connected"})]);
    let (_, acknowledged) = stream.wait_for("subscription");
    assert_eq!((&acknowledged["trades"], &acknowledged["quotes"]), (&json!(["AAPL"]), &json!(["*"])));
    assert_eq!(
        (&acknowledged["x"]["heartbeat_ms"], &acknowledged["x"]["conflate_ms"]),
        (&json!(100), &json!(0))
    );
    let id = stream.last_id.clone().unwrap();
    assert!(id.starts_with(&format!("{}.", acknowledged["x"]["epoch"].as_str().unwrap())), "{id}");
    let (before, heartbeat) = stream.wait_for("h");
    assert!(before.iter().any(|object| object["sn"] == true), "a snapshot comes first");
    assert_eq!(heartbeat["epoch"], acknowledged["x"]["epoch"]);
    assert!((1_000..=3_000).contains(&stream.retry.unwrap()));
    let mut ledger = SequenceLedger::default();
    record(&mut stream, &mut ledger, 300);
}

#[test]
fn a_request_that_names_nothing_or_another_feed_is_refused() {
    let server = Server::without_trades(|_| {});
    let status = |path: &str, headers: &str| EventStream::open(server.address, path, headers).status();

    assert_eq!(status("/v2/nowhere/events?trades=AAPL", ""), 404);
    assert_eq!(status("/v2/iex/events", ""), 400);
    assert_eq!(status("/v2/iex/events?trades=", ""), 400);
    assert_eq!(status("/v2/iex/events?trades=AAPL&trades=MSFT", ""), 400);
    assert_eq!(status("/v2/iex/events?trades=AAPL&conflate_ms=soon", ""), 400);
    assert_eq!(status("/v2/iex/events?trades=AAPL&snapshot=maybe", ""), 400);
    assert_eq!(status("/v2/iex/events?trades=AAPL&delta=1", ""), 400);
    assert_eq!(status(TRADES, ""), 200);
    let upgrade = Client::connect_with(server.address, TRADES, "").handshake;
    assert!(upgrade.starts_with("HTTP/1.1 400 "), "{upgrade}");
    assert_eq!(request(server.address, "POST", TRADES, "").status, 405);
    let head = request(server.address, "HEAD", TRADES, "");
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
    assert_eq!(head.body, "");
}

#[test]
fn a_connection_that_carried_requests_can_carry_a_stream() {
    let server = Server::start(|_| {});
    let mut connection = TcpStream::connect(server.address).unwrap();
    connection.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(connection, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut first = [0; 12];
    connection.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let mut rest = Vec::new();
    while !rest.ends_with(b"ok") && !rest.ends_with(b"ok\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).unwrap();
        rest.push(byte[0]);
    }

    let mut stream = EventStream::request(connection, TRADES, "");
    record(&mut stream, &mut SequenceLedger::default(), 50);
}

#[test]
fn a_client_that_is_cut_off_many_times_loses_and_repeats_nothing() {
    let server = busy_server();
    let path = "/v2/iex/events?trades=AAPL,NVDA&statuses=AAPL&lulds=NVDA&tickers=MSFT&quotes=AAPL";
    let (mut ledger, mut id, mut repeated) = (SequenceLedger::default(), None, 0);

    for connection in 0..60 {
        let mut stream = EventStream::resume(server.address, path, id.as_deref());
        repeated += record(&mut stream, &mut ledger, 1 + connection * 7 % 40);
        id = stream.last_id.or(id);
    }

    assert_eq!((ledger.gaps, repeated), (0, 0), "of {} objects", ledger.objects);
}

/// A long id does not come with every event, so objects may come again; none is lost.
#[test]
fn streams_of_a_hundred_symbols_go_on_behind_the_last_id() {
    let server = busy_server();
    let assets: Value = serde_json::from_str(&get_with(server.address, "/v2/assets", "").body).unwrap();
    let names: Vec<_> =
        assets.as_array().unwrap().iter().filter_map(|asset| asset["symbol"].as_str()).collect();
    let path = format!("/v2/iex/events?trades={}", names[..100].join(","));
    let (mut ledger, mut id) = (SequenceLedger::default(), None);

    for _ in 0..30 {
        let mut stream = EventStream::resume(server.address, &path, id.as_deref());
        record(&mut stream, &mut ledger, 200);
        id = stream.last_id.or(id);
    }

    assert_eq!(ledger.gaps, 0, "of {} objects", ledger.objects);
}

#[test]
fn every_stream_of_a_small_market_is_resumed_and_those_of_a_large_one_are_told_as_reset() {
    let small = Server::start(|config| config.symbols = 20);
    let (mut ledger, mut id) = (SequenceLedger::default(), None);
    for _ in 0..10 {
        let mut stream =
            EventStream::resume(small.address, "/v2/iex/events?trades=*&statuses=*", id.as_deref());
        record(&mut stream, &mut ledger, 50);
        id = stream.last_id.or(id);
    }
    assert_eq!(ledger.gaps, 0);

    let large = Server::start(|config| config.symbols = 2_000);
    let mut stream = EventStream::open(large.address, "/v2/iex/events?trades=*", "");
    stream.wait_for("t");
    assert_eq!(stream.last_id.as_deref(), Some("-"));
    let mut again = EventStream::resume(large.address, "/v2/iex/events?trades=*", stream.last_id.as_deref());
    assert_eq!(again.next_event().unwrap().name, "reset");
    while !again.next_objects().iter().any(|object| object["T"] == "t" && object["sn"] == true) {}
}

#[test]
fn an_id_of_another_epoch_is_told_as_a_gap_and_one_that_is_none_as_a_reset() {
    let [old, new] = [(); 2].map(|()| busy_server());
    let mut stream = EventStream::open(old.address, TRADES, "");
    record(&mut stream, &mut SequenceLedger::default(), 20);

    let mut moved = EventStream::resume(new.address, TRADES, stream.last_id.as_deref());
    let (before, gap) = moved.wait_for("gap");
    assert!(!before.iter().any(|object| object["T"] == "t" && object["S"] == gap["S"]), "{before:?}");
    assert_eq!(gap["from"], 1);

    let mut lost = EventStream::resume(new.address, TRADES, Some("what is this"));
    assert_eq!(lost.next_event().unwrap().name, "reset");
    let query = format!("{TRADES}&last_event_id={}", moved.last_id.unwrap());
    let mut resumed = EventStream::open(new.address, &query, "");
    assert_eq!(resumed.next_event().unwrap().name, "message");
    assert!(!resumed.wait_for("t").1["sn"].is_boolean(), "streams that go on have no snapshot");
}

/// A stream whose client has next to no room for what it does not read.
fn open_slowly(server: &Server) -> EventStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    socket.connect(&server.address.into()).unwrap();
    EventStream::request(socket.into(), "/v2/iex/events?trades=*&quotes=*", "")
}

#[test]
fn a_client_that_takes_nothing_loses_its_session() {
    let server = Server::start(|config| {
        config.simulation.trades_per_second = 20_000.0;
        config.liveness.stall = Duration::from_millis(300);
        config.liveness.close = Duration::from_millis(300);
    });
    let _stream = open_slowly(&server);

    wait_until("the session to end", || server.sessions_closed("slow_client") == 1.0);
    wait_until("its place to be free", || server.metric("tapecast_sessions{") == 0.0);
}

#[test]
fn a_slow_reader_is_told_of_gaps_and_goes_on() {
    let server = busy_server();
    let mut stream = open_slowly(&server);

    let lost = || server.metric("tapecast_outbox_overflows_total");
    wait_until("the outbox to overflow", || lost() > 0.0);
    let mut ledger = SequenceLedger::default();
    while ledger.gaps == 0 || ledger.conflated == 0 {
        ledger.record(&stream.next_objects());
    }
    record(&mut stream, &mut ledger, 1_000);
    assert_eq!(server.sessions_closed("slow_client"), 0.0);
}

#[test]
fn a_stream_counts_as_a_session_until_its_client_leaves() {
    let server = Server::without_trades(|config| {
        config.access.max_sessions = Some(1);
    });
    let stream = EventStream::open(server.address, TRADES, "");

    let refused = EventStream::open(server.address, TRADES, "");
    assert_eq!((refused.status(), refused.header("retry-after")), (503, Some("5")));
    assert!(Client::connect(server.address, "/v2/iex").handshake.starts_with("HTTP/1.1 503 "));
    assert_eq!(server.upgrades_refused("sessions"), 2.0);
    wait_until("the stream to be no connection without a session", || {
        server.metric("tapecast_sessions{") == 1.0
            && server.metric("tapecast_connections_without_session") == 1.0
    });
    // Nothing is sent to it before the next heartbeat, 15 s later.
    drop(stream);
    wait_until("the session to end with its connection", || server.metric("tapecast_sessions{") == 0.0);
    assert_eq!(EventStream::open(server.address, TRADES, "").status(), 200);
}

#[test]
fn keys_are_those_of_rest_and_a_key_that_is_revoked_ends_its_stream() {
    let all = GeneratedKey::new("all", Entitlements::default(), [1; 48]);
    let narrow = Entitlements {
        feeds: Some(vec![Feed::IEX]),
        symbols: Some(vec!["AAPL".parse().unwrap()]),
        max_sessions: Some(1),
        max_symbols: Some(3),
        control: false,
    };
    let some = GeneratedKey::new("some", narrow, [2; 48]);
    let folder = TempFolder::new();
    std::fs::write(folder.file("keys"), format!("{}\n{}\n", all.line, some.line)).unwrap();
    let keys = Some(folder.file("keys"));
    let server = Server::without_trades(|config| config.access.keys = keys);
    let open = |path: &str, headers: &str| EventStream::open(server.address, path, headers);
    let basic = |id: &str, secret: &str| {
        format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{id}:{secret}")))
    };

    let none = open(TRADES, "");
    assert_eq!(none.status(), 401);
    assert!(none.header("www-authenticate").is_some());
    assert_eq!(open(TRADES, &basic("all", "wrong")).status(), 401);
    assert_eq!(open(&format!("{TRADES}&key=all&secret=wrong"), "").status(), 403);
    assert_eq!(open(&format!("{TRADES}&key=all&secret={}", all.secret), "").status(), 200);
    let narrow = basic("some", &some.secret);
    for path in [
        "/v2/sip/events?trades=AAPL",
        "/v2/iex/events?trades=MSFT",
        "/v2/iex/events?trades=*",
        "/v2/iex/events?trades=AAPL&quotes=AAPL&bars=AAPL&lulds=AAPL",
    ] {
        assert_eq!(open(path, &narrow).status(), 403, "{path}");
    }
    let mut stream = open("/v2/iex/events?trades=AAPL", &narrow);
    assert_eq!(stream.wait_for("success").1["msg"], "connected");
    assert_eq!(stream.wait_for("success").1["msg"], "authenticated");
    stream.wait_for("subscription");
    assert_eq!(open("/v2/iex/events?trades=AAPL", &narrow).status(), 503, "it has all of its sessions");

    std::fs::write(folder.file("keys"), format!("{}\n", all.line)).unwrap();
    server.reload();
    assert_eq!(stream.wait_for("error").1["code"], 402);
    let close = stream.next_event().unwrap();
    assert_eq!((close.name.as_str(), &close.json()["code"]), ("close", &json!(1008)));
    assert_eq!((stream.next_event(), stream.is_complete), (None, true));
    assert_eq!(open("/v2/iex/events?trades=AAPL", &narrow).status(), 401);
}

#[test]
fn pages_of_other_origins_are_refused_unless_they_are_allowed() {
    let page = "Origin: https://page.example\r\n";
    let own = Server::without_trades(|_| {});
    assert_eq!(EventStream::open(own.address, TRADES, page).status(), 403);

    let open = Server::without_trades(|config| {
        config.access.origins = AllowedOrigins::Own(vec!["https://page.example".parse().unwrap()]);
    });
    let stream = EventStream::open(open.address, TRADES, page);
    assert_eq!(stream.status(), 200);
    assert_eq!(stream.header("access-control-allow-origin"), Some("https://page.example"));
    let preflight = format!(
        "{page}Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: last-event-id\r\n"
    );
    let answer = request(open.address, "OPTIONS", TRADES, &preflight);
    assert_eq!(answer.status, 200, "{}", answer.head);
    assert!(answer.header("access-control-allow-headers").unwrap().contains("last-event-id"));
}

#[test]
fn topics_are_subscribed_to_by_name_and_by_namespace_and_a_chat_goes_on() {
    let server = Server::without_trades(|config| config.simulates_weather = true);
    let weather =
        |server: &Server| EventStream::open(server.address, "/v2/iex/events?topics=weather:new-york", "");
    let (_, message) = weather(&server).wait_for("m");
    assert_eq!((&message["S"], &message["d"]["simulated"]), (&json!("weather:new-york"), &json!(true)));

    let all = "/v2/iex/events?topics=weather:*|chat:lobby";
    wait_until("the weather of all cities to exist", || {
        let (_, acknowledged) = EventStream::open(server.address, all, "").wait_for("subscription");
        let topics = acknowledged["topics"].as_array().unwrap();
        assert!(topics.contains(&json!("chat:lobby")), "it exists from its first message on");
        topics.len() == 19
    });

    let path = "/v2/iex/events?topics=chat:lobby";
    let mut stream = EventStream::open(server.address, path, "");
    stream.wait_for("h");
    publish(&server, "chat:lobby", &json!({"text": "one\ntwo"}));
    let (_, first) = stream.wait_for("m");
    assert_eq!((&first["d"]["text"], &first["sq"]), (&json!("one\ntwo"), &json!(1)));

    let id = stream.last_id.clone();
    drop(stream);
    for number in 2..=5 {
        publish(&server, "chat:lobby", &json!(number));
    }
    let mut again = EventStream::resume(server.address, path, id.as_deref());
    let mut numbers = Vec::new();
    while numbers.len() < 4 {
        let objects = again.next_objects();
        numbers.extend(
            objects.iter().filter(|object| object["S"] == "chat:lobby").map(|object| object["sq"].clone()),
        );
    }
    assert_eq!(numbers, [2, 3, 4, 5].map(Value::from));
}

#[test]
fn a_client_of_an_earlier_run_gets_the_newest_weather_also_if_it_is_cut_off_before() {
    let server = Server::without_trades(|_| {});
    for degrees in 1..=3 {
        publish(&server, "weather:london", &json!(degrees));
    }
    let path = "/v2/iex/events?topics=weather:london";
    let mut stream = EventStream::open(server.address, path, "");
    stream.wait_for("m");
    let id = stream.last_id.clone().unwrap();
    let (_, positions) = id.split_once('.').unwrap();
    let of_earlier = format!("2v5jx0m1c8k3f.{positions}");

    let mut again = EventStream::resume(server.address, path, Some(&of_earlier));
    again.wait_for("subscription");
    let id = again.last_id.clone();
    let (_, message) = again.wait_for("m");
    assert_eq!((&message["d"], &message["sq"]), (&json!(3), &json!(3)));

    let mut cut_off = EventStream::resume(server.address, path, id.as_deref());
    assert_eq!(cut_off.wait_for("m").1["sq"], 3);
}

#[test]
fn a_shutdown_is_told_with_advice_and_ends_the_response() {
    let mut server = Server::start(|_| {});
    let mut stream = EventStream::open(server.address, TRADES, "");
    stream.wait_for("t");

    server.begin_shutdown();

    let (_, drain) = stream.wait_for("drain");
    assert_eq!(stream.retry, drain["reconnect_ms"].as_u64());
    let close = stream.next_event().unwrap();
    assert_eq!((close.name.as_str(), &close.json()["code"]), ("close", &json!(1012)));
    assert_eq!((stream.next_event(), stream.is_complete), (None, true));
}

/// The whole response to a request of HTTP/1.0, which knows no chunks.
fn old_response(address: SocketAddr, until: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(stream, "GET {TRADES} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut text = Vec::new();
    while !String::from_utf8_lossy(&text).contains(until) {
        let mut part = [0; 4_096];
        let read = stream.read(&mut part).unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&text));
        text.extend_from_slice(&part[..read]);
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn a_client_of_http_1_0_gets_events_without_chunks() {
    let server = Server::start(|_| {});
    let text = old_response(server.address, "\"T\":\"t\"");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
    assert!(body.starts_with("retry: "), "{body}");
}

#[test]
fn objects_are_conflated_as_the_query_asks() {
    let server = busy_server();
    let mut stream = EventStream::open(server.address, "/v2/iex/events?quotes=*&conflate_ms=250", "");
    let (_, acknowledged) = stream.wait_for("subscription");
    assert_eq!(acknowledged["x"]["conflate_ms"], 250);
    let mut ledger = SequenceLedger::default();
    while ledger.conflated < 1_000 {
        ledger.record(&stream.next_objects());
    }
    assert_eq!(ledger.gaps, 0);
}

#[test]
fn tickers_have_the_fields_that_the_query_selects_and_come_as_changes() {
    let server = busy_server();
    let path = "/v2/iex/events?tickers=AAPL&conflate_ms=50&fields=p,bp,-t,zz&delta=true";
    let mut stream = EventStream::open(server.address, path, "");
    let (_, acknowledged) = stream.wait_for("subscription");
    let x = &acknowledged["x"];
    assert_eq!((&x["fields"], &x["delta"]), (&json!({"tickers": ["p", "bp", "-t"]}), &json!(true)));
    assert_eq!(x["rejected"], json!({"fields": {"tickers": ["zz"]}}));

    let (_, whole) = stream.wait_for("k");
    let (_, changes) = stream.wait_for("k");

    assert_eq!((&whole["full"], whole["p"].is_f64(), &whole["t"]), (&json!(true), true, &json!(null)));
    assert_eq!((&changes["full"], &changes["v"]), (&json!(null), &json!(null)));
}

#[test]
fn a_quiet_stream_is_kept_alive() {
    let server = Server::without_trades(|config| {
        config.liveness.ping_after = Duration::from_millis(100);
    });
    let mut stream = EventStream::open(server.address, &format!("{TRADES}&heartbeat_ms=300"), "");
    for _ in 0..5 {
        stream.wait_for("h");
    }
    assert!(stream.comments > 0, "pings are comments");
    assert_eq!(server.metric("tapecast_sessions{"), 1.0);
}

#[test]
fn a_namespace_means_the_same_in_an_event_stream_and_in_a_command() {
    let server = Server::without_trades(|_| {});
    publish(&server, "weather:oslo", &json!({"temp_c": 1}));
    let is_acknowledged = |acknowledged: &Value| {
        assert_eq!(acknowledged["x"]["rejected"], json!({"topics": ["news:*"]}), "{acknowledged}");
        acknowledged["topics"] == json!(["weather:oslo"])
    };

    wait_until("the topic to exist", || {
        let path = "/v2/iex/events?topics=weather:*|chat:*|news:*";
        is_acknowledged(&EventStream::open(server.address, path, "").wait_for("subscription").1)
    });
    let mut client = Client::session(server.address);
    let acknowledged =
        client.command(r#"{"action":"subscribe","topics":["weather:*","chat:*","news:*"],"x":{}}"#);
    assert!(is_acknowledged(&acknowledged), "{acknowledged}");
}
