//! What a relay takes from the REST of its upstream: names, hours, and the history before its own start.
#![cfg(feature = "relay")]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::Value;
use tapecast::relay::{UpstreamKey, UpstreamNumbers, UpstreamSettings, UpstreamSymbols};
use test_support::{Client, Server, get, metric, upstream, wait_until};

fn relay(settings: UpstreamSettings) -> Server {
    let server = Server::start(|config| config.upstreams = vec![settings.into()]);
    wait_until("the relay to be ready", || get(server.address, "/readyz").0 == 200);
    server
}

fn origin(symbols: usize) -> Server {
    Server::start(|config| {
        config.symbols = symbols;
        config.simulation.trades_per_second = 200.0;
    })
}

fn wait_for_history(address: SocketAddr, symbols: usize) {
    wait_until("the history to be complete", || {
        metric(address, "tapecast_upstream_history_pending") == 0.0
            && metric(address, "tapecast_upstream_history_bars_total") > (symbols * 300) as f64
    });
}

fn json(address: SocketAddr, path: &str) -> Value {
    let (status, body) = get(address, path);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// The symbols that are listed, in order of the alphabet.
fn listed(address: SocketAddr) -> Vec<String> {
    let mut symbols: Vec<_> = assets(address).iter().map(|asset| asset["symbol"].to_string()).collect();
    symbols.iter_mut().for_each(|symbol| *symbol = symbol.trim_matches('"').to_owned());
    symbols
}

/// The assets, in order of the alphabet.
fn assets(address: SocketAddr) -> Vec<Value> {
    let mut assets = json(address, "/v2/assets").as_array().unwrap().clone();
    assets.sort_by_key(|asset| asset["symbol"].to_string());
    assets
}

/// The bars of a symbol up to this time, the newest first; the day is left out that still changes.
fn bars(address: SocketAddr, symbol: &str, timeframe: &str, end: &str) -> Vec<Value> {
    let path = format!(
        "/v2/stocks/{symbol}/bars?timeframe={timeframe}&start=2000-01-01&end={end}&sort=desc&limit=10000"
    );
    let mut bars = json(address, &path)["bars"].as_array().unwrap().clone();
    if timeframe == "1Day" {
        bars.remove(0);
    }
    bars
}

/// The time of the latest trade of a symbol, which is before whatever is relayed later.
fn time_of_latest_trade(address: SocketAddr, symbol: &str) -> String {
    let latest = json(address, &format!("/v2/stocks/{symbol}/trades/latest"));
    latest["trade"]["t"].as_str().unwrap().to_owned()
}

/// The same bar. The average price of several minutes is made of theirs, which came with six decimals.
fn assert_same_bar(relayed: &Value, original: &Value) {
    let split = |bar: &Value| {
        let mut bar = bar.as_object().unwrap().clone();
        let average = bar.remove("vw").unwrap().as_f64().unwrap();
        (bar, average)
    };
    let ((relayed, average), (original, original_average)) = (split(relayed), split(original));
    assert_eq!(relayed, original);
    assert!((average - original_average).abs() < 2e-6, "{relayed:?}: {average}, and not {original_average}");
}

/// Whatever an upstream has from before a time, its relay has too.
fn assert_same_past(origin: SocketAddr, relay: SocketAddr, until: &str) {
    assert_eq!(assets(relay), assets(origin));
    for symbol in listed(origin) {
        for (timeframe, least) in [("1Day", 300), ("1Min", 5 * 24 * 60), ("5Min", 1_000), ("1Hour", 5 * 24)] {
            let [of_origin, of_relay] =
                [origin, relay].map(|address| bars(address, &symbol, timeframe, until));
            assert!(of_origin.len() >= least, "{symbol} {timeframe}: {}", of_origin.len());
            let common = of_origin.len().min(of_relay.len());
            assert!(common >= least, "{symbol} {timeframe}: {} bars of {}", of_relay.len(), of_origin.len());
            // Rings keep whole blocks, so that one may begin a little earlier.
            for (relayed, original) in of_relay.iter().zip(&of_origin).take(common) {
                assert_same_bar(relayed, original);
            }
        }
        let snapshots =
            [origin, relay].map(|address| json(address, &format!("/v2/stocks/{symbol}/snapshot")));
        let [previous, relayed] = snapshots.map(|snapshot| snapshot["prevDailyBar"].clone());
        assert!(previous["c"].is_number());
        assert_eq!(relayed, previous, "{symbol}");
    }
}

#[test]
fn a_relay_has_the_names_and_the_past_of_its_upstream() {
    for numbers in [UpstreamNumbers::Kept, UpstreamNumbers::Ignored] {
        let origin = origin(3);
        let until = {
            let symbol = listed(origin.address).remove(0);
            wait_until("a trade", || {
                get(origin.address, &format!("/v2/stocks/{symbol}/trades/latest")).0 == 200
            });
            time_of_latest_trade(origin.address, &symbol)
        };
        let relay = relay(UpstreamSettings { numbers, ..upstream(origin.address) });
        wait_until("all instruments to be listed", || listed(relay.address).len() == 3);
        wait_for_history(relay.address, 3);

        assert_same_past(origin.address, relay.address, &until);
    }
}

#[test]
fn a_relay_of_a_market_that_never_closes_is_always_open() {
    let origin = origin(2);
    let relay = relay(upstream(origin.address));

    let hours = |address| {
        let mut clock = json(address, "/v2/clock");
        clock.as_object_mut().unwrap().remove("timestamp");
        clock
    };
    wait_until("the clock of the upstream", || hours(relay.address) == hours(origin.address));

    assert_eq!(hours(relay.address)["is_open"], true);
}

#[test]
fn a_relay_works_without_the_rest_of_its_upstream() {
    let origin = origin(2);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let missing = format!("http://{}/nothing", origin.address);
    for rest in [Some(format!("http://{closed}")), Some(missing), None] {
        let relay = relay(UpstreamSettings { rest, ..upstream(origin.address) });
        let mut client = Client::session(relay.address);
        client.command(r#"{"action":"subscribe","trades":["*"]}"#);

        assert_eq!(client.next_objects()[0]["T"], "t");
        wait_until("all instruments to be listed", || listed(relay.address).len() == 2);
        assert!(assets(relay.address).iter().all(|asset| asset["name"] == ""));
    }
}

#[test]
fn on_demand_only_the_history_of_wanted_symbols_is_asked_for() {
    let origin = origin(4);
    let symbol = listed(origin.address).remove(1);
    let settings = UpstreamSettings { symbols: UpstreamSymbols::OnDemand, ..upstream(origin.address) };
    let relay = relay(settings);
    let mut client = Client::session(relay.address);
    client.send_text(&format!(r#"{{"action":"subscribe","trades":["{symbol}"]}}"#));

    wait_for_history(relay.address, 1);

    let until = time_of_latest_trade(origin.address, &symbol);
    let days = |address| bars(address, &symbol, "1Day", &until);
    assert!(days(relay.address).len() > 300);
    assert_eq!(days(relay.address), days(origin.address)[..days(relay.address).len()]);
    let bars = metric(relay.address, "tapecast_upstream_history_bars_total");
    assert!(bars < 2.0 * (400 + 7 * 1_440) as f64, "{bars} bars are of more than one symbol");
}

/// A REST that has one more page of bars for ever.
struct EndlessRest {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl EndlessRest {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, seen) = (stream.unwrap(), Arc::clone(&seen));
                std::thread::spawn(move || Self::serve(&stream, &seen));
            }
        });
        Self { address, requests }
    }

    fn serve(stream: &TcpStream, seen: &Mutex<Vec<String>>) {
        const BODY: &str = r#"{"bars":{},"next_page_token":"more"}"#;
        let mut head = String::new();
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { return };
            head.push_str(&line);
            head.push('\n');
            if line.is_empty() {
                seen.lock().unwrap().push(std::mem::take(&mut head));
                let length = BODY.len();
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{BODY}");
                let mut stream = stream;
                if stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        }
    }

    fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

#[test]
fn requests_in_the_background_keep_to_the_plan_and_leave_a_reserve() {
    let (origin, rest) = (origin(500), EndlessRest::start());
    let key = UpstreamKey { id: "the-id".to_owned(), secret: "the-secret".to_owned() };
    let began = Instant::now();
    let settings = UpstreamSettings {
        rest: Some(format!("http://{}", rest.address)),
        key: Some(key),
        ..upstream(origin.address)
    };
    let _relay = relay(settings);

    wait_until("the first minute's requests", || rest.count() >= 185);

    let most = 180.0 + began.elapsed().as_secs_f64() / 0.3 + 1.0;
    assert!(rest.count() as f64 <= most, "{} requests, at most {most}", rest.count());
    for head in &*rest.requests.lock().unwrap() {
        let head = head.to_ascii_lowercase();
        assert!(head.contains("apca-api-key-id: the-id\n"), "{head}");
        assert!(head.contains("apca-api-secret-key: the-secret\n"), "{head}");
    }
}

/// Over a real NATS server, where there is one.
#[cfg(all(unix, feature = "nats"))]
#[test]
fn a_gateway_behind_a_relay_has_the_names_and_the_past_of_the_upstream() {
    let Some(nats) = test_support::NatsServer::start() else { return };
    let origin = origin(3);
    let until = {
        let symbol = listed(origin.address).remove(0);
        wait_until("a trade", || get(origin.address, &format!("/v2/stocks/{symbol}/trades/latest")).0 == 200);
        time_of_latest_trade(origin.address, &symbol)
    };
    let node = |role: &str, more: &[&str]| {
        let options = ["--nats", &nats.url(), "--role", role, "--workers", "1"].map(str::to_owned);
        let options: Vec<_> = options.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let node = test_support::Program::start(&[env!("CARGO_BIN_EXE_tapecast")], &options, &[]);
        wait_until("the node to be ready", || get(node.address, "/readyz").0 == 200);
        node
    };
    let url = format!("ws://{}", origin.address);
    let feed = node("feed", &["--upstream", &url]);
    // It joins before the leader has the history.
    let gateway = node("gateway", &[]);
    wait_until("all instruments to be listed", || listed(gateway.address).len() == 3);
    wait_for_history(feed.address, 3);
    let symbols = listed(origin.address);
    let minutes = |symbol: &str| bars(gateway.address, symbol, "1Min", &until).len();
    wait_until("the gateway to have the history", || {
        symbols.iter().all(|symbol| minutes(symbol) > 5 * 24 * 60)
    });

    assert_same_past(origin.address, feed.address, &until);
    assert_same_past(origin.address, gateway.address, &until);
}
