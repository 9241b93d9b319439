//! Several upstreams as feeds with names of their own, in one server.
#![cfg(feature = "relay")]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::net::{SocketAddr, TcpListener};

use serde_json::{Value, json};
use tapecast::auth::{Entitlements, GeneratedKey};
use tapecast::config::{Config, NamedUpstream};
use tapecast::relay::UpstreamSettings;
use test_support::{Client, SequenceLedger, Server, TempFolder, get, get_with, upstream, wait_until};

/// The numbers of instruments of the two origins.
const OF_A: usize = 5;
const OF_B: usize = 8;

fn origin(seed: u64, symbols: usize) -> Server {
    Server::start(|config| {
        config.symbols = symbols;
        config.simulation.seed = seed;
        config.simulation.trades_per_second = 500.0;
    })
}

/// A server of the feeds `a` and `b`, from these two.
fn relay(a: SocketAddr, b: SocketAddr, configure: impl FnOnce(&mut Config)) -> Server {
    let named = |name: &str, address| NamedUpstream {
        feed: name.parse().unwrap(),
        settings: UpstreamSettings { rest: None, ..upstream(address) },
    };
    Server::start(|config| {
        config.upstreams = vec![named("a", a), named("b", b)];
        configure(config);
    })
}

/// Two origins and the server of both, whose feeds are ready.
fn both(configure: impl FnOnce(&mut Config)) -> (Server, Server, Server) {
    let (a, b) = (origin(1, OF_A), origin(2, OF_B));
    let server = relay(a.address, b.address, configure);
    wait_until("both feeds to be ready", || get(server.address, "/readyz") == (200, "ready\n".to_owned()));
    (a, b, server)
}

fn session(address: SocketAddr, path: &str) -> Client {
    let mut client = Client::connect(address, path);
    assert_eq!(client.next_objects(), [json!({"T": "success", "msg": "connected"})]);
    client
}

/// Subscribes to the trades of all, from these numbers on; returns the epoch.
fn subscribe(client: &mut Client, resume: Option<Value>) -> String {
    let mut x = json!({"id": 1, "heartbeat_ms": 1000});
    if let Some(resume) = resume {
        x["resume"] = resume;
    }
    client.send_text(&json!({"action": "subscribe", "trades": ["*"], "x": x}).to_string());
    let acknowledged = client.next_objects();
    acknowledged[0]["x"]["epoch"].as_str().unwrap().to_owned()
}

/// The next trades, at least this many.
fn trades(client: &mut Client, ledger: &mut SequenceLedger, count: usize) -> Vec<Value> {
    let mut trades = Vec::new();
    while trades.len() < count {
        let objects = client.next_objects();
        ledger.record(&objects);
        trades.extend(objects.into_iter().filter(|object| object["T"] == "t"));
    }
    trades
}

/// The instruments that the REST of this server lists, in order.
fn assets(address: SocketAddr, query: &str) -> Vec<String> {
    let (status, body) = get(address, &format!("/v2/assets{query}"));
    assert_eq!(status, 200, "{body}");
    let assets: Vec<Value> = serde_json::from_str(&body).unwrap();
    let mut symbols: Vec<_> =
        assets.iter().map(|asset| asset["symbol"].as_str().unwrap().to_owned()).collect();
    symbols.sort_unstable();
    symbols
}

/// Whether the REST of this server has this trade.
fn has_trade(address: SocketAddr, trade: &Value) -> bool {
    let symbol = trade["S"].as_str().unwrap();
    let (_, body) = get(address, &format!("/v2/stocks/{symbol}/trades?limit=10000&sort=desc"));
    let page: Value = serde_json::from_str(&body).unwrap();
    let is_it = |row: &Value| row["i"] == trade["i"] && row["p"] == trade["p"] && row["t"] == trade["t"];
    page["trades"].as_array().is_some_and(|rows| rows.iter().any(is_it))
}

#[test]
fn a_client_gets_the_objects_of_its_feed_and_resumes_there() {
    for workers in [1, 2] {
        let (a, b, server) = both(|config| config.workers = workers);
        for (path, origin, other) in [("/v2/a", &a, &b), ("/v2/b", &b, &a)] {
            let mut ledger = SequenceLedger::default();
            let mut client = session(server.address, path);
            let epoch = subscribe(&mut client, None);
            let first = trades(&mut client, &mut ledger, 50);
            drop(client);
            let mut client = session(server.address, path);
            let resume = json!({"epoch": epoch, "sq": ledger.resume_positions()});
            assert_eq!(subscribe(&mut client, Some(resume)), epoch);
            trades(&mut client, &mut ledger, 200);

            assert_eq!(ledger.gaps, 0);
            assert_eq!(epoch, subscribe(&mut session(origin.address, "/v2/iex"), None), "{workers} workers");
            let newest = first.last().unwrap();
            assert!(has_trade(origin.address, newest) && !has_trade(other.address, newest), "{newest}");
        }
    }
}

#[test]
fn a_feed_has_one_connection_to_its_upstream_however_many_clients() {
    let (a, b, server) = both(|_| {});
    let mut clients: Vec<_> =
        (0..40).map(|index| session(server.address, ["/v2/a", "/v2/b"][index % 2])).collect();
    for client in &mut clients {
        subscribe(client, None);
        trades(client, &mut SequenceLedger::default(), 1);
    }

    assert_eq!(server.metric("tapecast_sessions{"), 40.0);
    for (origin, feed) in [(&a, "a"), (&b, "b")] {
        assert_eq!(origin.metric("tapecast_sessions_opened_total{"), 1.0, "{feed}");
        assert_eq!(server.metric(&format!("tapecast_upstream_connects_total{{feed=\"{feed}\"}}")), 1.0);
    }
}

#[test]
fn the_parameter_feed_chooses_and_the_first_is_the_default() {
    let (a, b, server) = both(|_| {});
    let of_b = assets(b.address, "");
    for (origin, query) in [(&a, ""), (&a, "?feed=a"), (&b, "?feed=b")] {
        wait_until("all instruments", || assets(server.address, query) == assets(origin.address, ""));
    }
    let latest = |feed: &str| {
        let path = format!("/v2/stocks/trades/latest?symbols={}{feed}", of_b.join(","));
        let answer: Value = serde_json::from_str(&get(server.address, &path).1).unwrap();
        answer["trades"].as_object().unwrap().len()
    };
    wait_until("a trade of each instrument", || {
        (latest(""), latest("&feed=a"), latest("&feed=b")) == (OF_A, OF_A, OF_B)
    });

    let epoch = |path: &str| subscribe(&mut session(server.address, path), None);
    assert_eq!(epoch("/websocket/connect"), epoch("/v2/a"));
    assert_eq!(epoch("/websocket/connect?feed=b"), epoch("/v2/b"));
}

#[test]
fn a_name_that_no_feed_has_is_refused() {
    let (_a, _b, server) = both(|_| {});
    let status = |path: &str| Client::connect(server.address, path).handshake[9..12].to_owned();

    for path in ["/v2/iex", "/v2/sip", "/v2/c"] {
        assert_eq!(status(path), "404", "{path}");
    }
    assert_eq!(status("/websocket/connect?feed=c"), "400");
    for path in ["/v2/assets", "/v2/clock", "/v2/stocks/snapshots", "/v2/stocks/AAPL/trades"] {
        let (status, body) = get(server.address, &format!("{path}?feed=iex&symbols=AAPL"));
        assert_eq!(status, 400, "{path}");
        assert!(body.contains("`iex` is none of a, b"), "{body}");
    }
}

#[test]
fn a_key_is_limited_to_feeds() {
    let entitlements = Entitlements { feeds: Some(vec!["b".parse().unwrap()]), ..Entitlements::default() };
    let key = GeneratedKey::new("desk", entitlements, [1; 48]);
    let folder = TempFolder::new();
    std::fs::write(folder.file("keys"), &key.line).unwrap();
    let (_a, _b, server) = both(|config| config.access.keys = Some(folder.file("keys")));
    let auth = json!({"action": "auth", "key": "desk", "secret": key.secret}).to_string();
    let headers = format!("APCA-API-KEY-ID: desk\r\nAPCA-API-SECRET-KEY: {}\r\n", key.secret);
    let status = |path: &str| get_with(server.address, path, &headers).status;

    assert_eq!(session(server.address, "/v2/a").command(&auth)["code"], 409);
    assert_eq!(session(server.address, "/v2/b").command(&auth)["msg"], "authenticated");
    for path in
        ["/v2/assets", "/v2/stocks/snapshots?symbols=AAPL", "/v2/stocks/snapshots?symbols=AAPL&feed=a"]
    {
        assert_eq!(status(path), 403, "{path}");
    }
    for path in ["/v2/assets?feed=b", "/v2/stocks/snapshots?symbols=AAPL&feed=b"] {
        assert_eq!(status(path), 200, "{path}");
    }
    assert_eq!(get(server.address, "/v2/assets?feed=b").0, 401);
    for (path, expected) in [
        ("/udf/config", 403),
        ("/udf/a/config", 403),
        ("/udf/b/config", 200),
        ("/udf/config?feed=b", 200),
        ("/udf/c/config", 404),
        ("/udf/b/quotes?symbols=AAPL", 200),
        ("/udf/a/quotes?symbols=AAPL", 403),
    ] {
        assert_eq!(status(path), expected, "{path}");
    }
    let found = get_with(server.address, "/udf/b/search?limit=1000", &headers).json();
    assert_eq!(found.as_array().map(Vec::len), Some(OF_B));
}

#[test]
fn a_feed_is_served_while_the_upstream_of_another_is_away() {
    let a = origin(1, OF_A);
    let nothing = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = relay(a.address, nothing(), |_| {});
    wait_until("one feed and the reason of the other", || {
        let (status, text) = get(server.address, "/readyz");
        status == 200 && text.starts_with("ready: b is not ready (") && !text.contains("a is not")
    });

    assert!(Client::connect(server.address, "/v2/b").handshake.starts_with("HTTP/1.1 503 "));
    let mut client = session(server.address, "/v2/a");
    subscribe(&mut client, None);
    trades(&mut client, &mut SequenceLedger::default(), 10);
    let status: Value = serde_json::from_str(&get(server.address, "/status").1).unwrap();
    assert_eq!((&status["ready"], &status["source"]), (&json!(true), &Value::Null));
    let feed = |index: usize| &status["feeds"][index];
    assert_eq!((&feed(0)["feed"], &feed(0)["ready"]), (&json!("a"), &json!(true)));
    assert_eq!((&feed(1)["feed"], &feed(1)["ready"]), (&json!("b"), &json!(false)));
    assert_eq!((&feed(0)["upstream"]["up"], &feed(1)["upstream"]["up"]), (&json!(true), &json!(false)));
    assert!(feed(1)["reason"].is_string() && feed(0)["objects"].as_u64() > Some(0));
}

#[test]
fn without_any_upstream_the_server_is_not_ready_for_a_reason_of_each_feed() {
    let nothing = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = relay(nothing(), nothing(), |_| {});

    wait_until("the reasons", || {
        let (status, text) = get(server.address, "/readyz");
        assert_eq!(status, 503, "{text}");
        text.contains("a is not ready (cannot connect") && text.contains("b is not ready (cannot connect")
    });
}
