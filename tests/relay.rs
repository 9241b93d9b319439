//! Relays: chains of servers whose objects keep their numbers, and what happens when an upstream is away.
#![cfg(feature = "relay")]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]
#![allow(clippy::print_stdout, reason = "the figures of a run")]

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};

use serde_json::{Value, json};
use tapecast::config::{Config, Tls};
use tapecast::relay::{UpstreamKey, UpstreamNumbers, UpstreamSettings};
use tapecast::source::SimulationSettings;
use test_support::{
    Client, Frame, Program, Proxy, SequenceLedger, Server, TlsFiles, get, upstream, wait_for, wait_until,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tapecast");

/// A relay of this server, ready to serve.
fn relay(address: SocketAddr, configure: impl FnOnce(&mut Config)) -> Server {
    let server = Server::start(|config| {
        config.upstreams = vec![upstream(address).into()];
        configure(config);
    });
    wait_until_ready(server.address);
    server
}

fn wait_until_ready(address: SocketAddr) {
    wait_until("the relay to be ready", || readiness(address).0 == 200);
}

/// The status and the text of `/readyz`.
fn readiness(address: SocketAddr) -> (u16, String) {
    get(address, "/readyz")
}

/// How many objects are compared at each hop: 20,000, or `TAPECAST_RELAY_OBJECTS`.
fn objects_to_compare() -> usize {
    std::env::var("TAPECAST_RELAY_OBJECTS").map_or(20_000, |count| count.parse().unwrap())
}

/// A market with every kind of object.
fn busy(config: &mut Config) {
    config.symbols = 10;
    config.simulation.trades_per_second = 500.0;
    config.spans.bar_nanos = 1_000_000_000;
}

const CHANNELS: [&str; 8] =
    ["trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds", "tickers"];

fn subscribe_to_all() -> String {
    let mut command = json!({"action": "subscribe", "x": {"heartbeat_ms": 1000}});
    for channel in CHANNELS {
        command[channel] = json!(["*"]);
    }
    command.to_string()
}

/// The bytes of objects by type, symbol and number; those into which others were conflated are left out, since that
/// depends on the connection.
type Objects = BTreeMap<(String, String, u64), Vec<u8>>;

fn answer_ping(client: &mut Client, frame: &Frame) {
    if frame.opcode == 9 {
        client.send_frame(0x8A, &frame.payload);
    }
}

/// Reads this many objects of all streams, in JSON.
fn read_json(address: SocketAddr, count: usize) -> Objects {
    let mut client = Client::session(address);
    client.send_text(&subscribe_to_all());
    let mut objects = Objects::new();
    while objects.len() < count {
        let frame = client.next_frame().expect("the session goes on");
        if frame.opcode != 1 {
            answer_ping(&mut client, &frame);
            continue;
        }
        let text = String::from_utf8(frame.payload).unwrap();
        if text.starts_with("[{\"T\":\"su") {
            continue;
        }
        for object in text.trim_start_matches("[{").trim_end_matches("}]").split("},{") {
            let object = format!("{{{object}}}");
            enter(&mut objects, &serde_json::from_str(&object).unwrap(), object.as_bytes());
        }
    }
    objects
}

/// Reads this many objects of all streams, in MessagePack.
fn read_msgpack(address: SocketAddr, count: usize) -> Objects {
    let mut client = Client::connect_with(address, "/v2/iex", "Content-Type: application/msgpack\r\n");
    client.send_text(&subscribe_to_all());
    let mut objects = Objects::new();
    while objects.len() < count {
        let frame = client.next_frame().expect("the session goes on");
        if frame.opcode != 2 {
            answer_ping(&mut client, &frame);
            continue;
        }
        let payload = frame.payload;
        let mut rest = &payload[..];
        let length = rmpv::decode::read_value(&mut &payload[..]).unwrap().as_array().unwrap().len();
        rest = &rest[if length < 16 { 1 } else { 3 }..];
        for _ in 0..length {
            let before = rest;
            let value = rmpv::decode::read_value(&mut rest).unwrap();
            let key = |key: &str| {
                let entry = value.as_map().unwrap().iter().find(|(name, _)| name.as_str() == Some(key));
                entry.map(|(_, value)| value.clone())
            };
            let text = |name| key(name).and_then(|value| Some(value.as_str()?.to_owned()));
            let number = |name| key(name).and_then(|value| value.as_u64());
            let plain = json!({"T": text("T"), "S": text("S"), "sq": number("sq"), "cf": number("cf")});
            enter(&mut objects, &plain, &before[..before.len() - rest.len()]);
        }
    }
    objects
}

fn enter(objects: &mut Objects, object: &Value, bytes: &[u8]) {
    if let (Some(seq), Some(symbol), true) =
        (object["sq"].as_u64(), object["S"].as_str(), object["cf"].is_null())
    {
        let key = (object["T"].as_str().unwrap().to_owned(), symbol.to_owned(), seq);
        objects.insert(key, bytes.to_vec());
    }
}

/// Checks that all objects that both have are equal, and that both have every trade of the numbers that both saw.
fn assert_identical(of_origin: &Objects, of_hop: &Objects) -> usize {
    let mut common = 0;
    for (key, bytes) in of_hop {
        if let Some(original) = of_origin.get(key) {
            assert_eq!(original, bytes, "{key:?}: {:?}", String::from_utf8_lossy(bytes));
            common += 1;
        }
    }
    let bounds = |objects: &Objects, symbol: &str| {
        let of = |(kind, name, seq): &(String, String, u64)| (kind == "t" && name == symbol).then_some(*seq);
        let seqs: Vec<_> = objects.keys().filter_map(of).collect();
        Some((*seqs.first()?, *seqs.last()?))
    };
    let mut trades = 0;
    for symbol in of_hop.keys().map(|(_, symbol, _)| symbol).collect::<std::collections::BTreeSet<_>>() {
        let Some((a, b)) = bounds(of_origin, symbol).zip(bounds(of_hop, symbol)) else { continue };
        for seq in a.0.max(b.0)..=a.1.min(b.1) {
            let key = ("t".to_owned(), symbol.clone(), seq);
            assert!(of_origin.contains_key(&key) && of_hop.contains_key(&key), "{key:?} is missing");
            trades += 1;
        }
    }
    assert!(trades > 100, "only {trades} trades in common");
    common
}

#[test]
fn objects_are_the_same_bytes_at_each_hop_in_both_codecs() {
    let count = objects_to_compare();
    let origin = Server::start(busy);
    let first = relay(origin.address, |_| {});
    let second = relay(first.address, |_| {});
    for read in [read_json, read_msgpack] {
        let readers = [&origin, &first, &second].map(|server| {
            let address = server.address;
            std::thread::spawn(move || read(address, count))
        });
        let [of_origin, of_first, of_second] = readers.map(|reader| reader.join().unwrap());

        for of_hop in [&of_first, &of_second] {
            let common = assert_identical(&of_origin, of_hop);
            println!("{common} of {count} objects are equal at this hop");
            assert!(common > count / 2, "only {common} objects in common");
        }
    }
    assert_eq!(origin.metric("tapecast_sessions{"), 1.0, "one connection, and those of the readers are over");
}

/// Follows trades from the last numbers on; returns the epoch.
fn follow(client: &mut Client, ledger: &mut SequenceLedger, resume: Option<Value>, count: usize) -> String {
    let mut x = json!({"id": 1, "heartbeat_ms": 1000});
    if let Some(resume) = resume {
        x["resume"] = resume;
    }
    client.send_text(&json!({"action": "subscribe", "trades": ["*"], "x": x}).to_string());
    let acknowledged = client.next_objects();
    let epoch = acknowledged[0]["x"]["epoch"].as_str().unwrap().to_owned();
    let before = ledger.objects;
    while ledger.objects < before + count {
        ledger.record(&client.next_objects());
    }
    epoch
}

#[test]
fn a_client_of_the_last_hop_resumes_at_the_first() {
    let origin = Server::start(busy);
    let first = relay(origin.address, |_| {});
    let second = relay(first.address, |_| {});
    let mut ledger = SequenceLedger::default();
    let mut epochs = Vec::new();

    for hop in [&second, &origin, &first, &second] {
        let resume = epochs.last().map(|epoch| json!({"epoch": epoch, "sq": ledger.resume_positions()}));
        let mut client = Client::session(hop.address);
        epochs.push(follow(&mut client, &mut ledger, resume, 500));
    }

    assert_eq!(ledger.gaps, 0);
    assert!(epochs.iter().all(|epoch| *epoch == epochs[0]), "{epochs:?}");
}

#[test]
fn a_client_that_is_ahead_of_a_hop_waits_for_what_it_does_not_have() {
    let origin = Server::start(busy);
    let hop = relay(origin.address, |_| {});
    let mut client = Client::session(hop.address);
    let subscribe = |x: Value| json!({"action": "subscribe", "trades": ["AAPL"], "x": x}).to_string();
    let is_trade = |object: &Value| object["T"] == "t";
    let epoch = client.command(&subscribe(json!({"id": 1})))["x"]["epoch"].clone();
    let last = wait_for("a trade", || client.next_objects().into_iter().rfind(is_trade));

    // As if it had these from a node before this one.
    let ahead = last["sq"].as_u64().unwrap() + 20;
    let mut client = Client::session(hop.address);
    let resume = json!({"epoch": epoch, "sq": {"trades": {"AAPL": ahead}}});
    client.command(&subscribe(json!({"id": 2, "resume": resume})));

    let next = wait_for("what comes next", || client.next_objects().into_iter().find(|it| it["T"] != "h"));
    assert_eq!((&next["T"], &next["sq"]), (&json!("t"), &json!(ahead + 1)), "{next}");
}

/// An address of this machine at which nothing listens.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

const MARKET: [&str; 4] = ["--symbols", "10", "--rate", "500"];

#[test]
fn a_relay_starts_without_its_upstream_and_serves_when_that_comes() {
    let address = free_address();
    let server = Server::start(|config| config.upstreams = vec![upstream(address).into()]);

    let reason = wait_for("a reason", || {
        let (status, text) = readiness(server.address);
        assert_eq!(status, 503);
        text.contains("cannot connect").then_some(text)
    });
    assert!(reason.starts_with("not ready: "), "{reason}");
    let _origin = Program::start_at(address, &[PROGRAM], &MARKET);
    wait_until_ready(server.address);
    follow(&mut Client::session(server.address), &mut SequenceLedger::default(), None, 100);
}

#[test]
fn the_epoch_of_an_upstream_that_starts_anew_begins_at_each_hop_and_a_client_resumes_at_any() {
    let origin = Program::start(&[PROGRAM], &MARKET, &[]);
    let address = origin.address;
    let first = relay(address, |_| {});
    let second = relay(first.address, |_| {});
    let mut client = Client::session(second.address);
    let mut ledger = SequenceLedger::default();
    let epoch = follow(&mut client, &mut ledger, None, 1_000);

    drop(origin);
    let mut told = Vec::new();
    let mut receive = |until: &dyn Fn(&Value) -> bool| loop {
        let objects = client.next_objects();
        ledger.record(&objects);
        let notices =
            objects.iter().filter(|object| ["feed", "epoch"].contains(&object["T"].as_str().unwrap()));
        told.extend(notices.cloned());
        if objects.iter().any(until) {
            return;
        }
    };
    receive(&|object| object["state"] == "down");
    let _origin = Program::start_at(address, &[PROGRAM], &MARKET);
    receive(&|object| object["T"] == "t");

    let states: Vec<_> =
        told.iter().map(|told| (told["T"].as_str().unwrap(), told["state"].as_str())).collect();
    assert_eq!(states, [("feed", Some("down")), ("epoch", None), ("feed", Some("back"))], "{told:?}");
    assert_eq!((&told[1]["was"], &told[1]["restart"]), (&json!(epoch), &json!(true)));
    assert_eq!(told[2]["filled"], false);
    assert!(first.metric("tapecast_upstream_gap_seconds_total") > 0.0);
    drop(client);
    let (begun, gaps) = (&told[1]["epoch"], ledger.gaps);
    for address in [address, first.address, second.address] {
        let resume = json!({"epoch": begun, "sq": ledger.resume_positions()});
        let epoch = follow(&mut Client::session(address), &mut ledger, Some(resume), 300);
        assert_eq!((json!(epoch), ledger.gaps), (begun.clone(), gaps));
    }
}

#[test]
fn a_connection_that_was_cut_goes_on_without_a_gap() {
    let origin = Server::start(busy);
    let proxy = Proxy::start(origin.address);
    let first = relay(proxy.address, |_| {});
    let mut client = Client::session(first.address);
    let mut ledger = SequenceLedger::default();
    follow(&mut client, &mut ledger, None, 500);

    let connects = first.metric("tapecast_upstream_connects_total");
    proxy.cut();

    while first.metric("tapecast_upstream_connects_total") == connects
        || first.metric("tapecast_upstream_up") < 1.0
    {
        ledger.record(&client.next_objects());
    }
    let before = ledger.objects;
    while ledger.objects < before + 500 {
        ledger.record(&client.next_objects());
    }
    assert_eq!(ledger.gaps, 0);
}

#[test]
fn a_wrong_key_ends_all_attempts_and_is_told_without_the_secret() {
    let folder = test_support::TempFolder::new();
    let keys = folder.file("keys");
    let generated = std::process::Command::new(PROGRAM).args(["key", "new", "relay"]).output().unwrap();
    std::fs::write(&keys, &generated.stdout).unwrap();
    let origin = Server::start(|config| config.access.keys = Some(keys));
    let secret = "a-secret-in-no-log";
    let program = Program::start(
        &[PROGRAM],
        &["--upstream", &format!("ws://{}", origin.address), "--upstream-key", "relay"],
        &[("TAPECAST_UPSTREAM_SECRET", std::path::Path::new(secret))],
    );

    let reason = wait_for("the refusal", || {
        let (status, text) = readiness(program.address);
        assert_eq!(status, 503);
        text.contains("402").then_some(text)
    });

    assert!(reason.contains("auth failed"), "{reason}");
    assert_eq!(program.logged("the upstream is not asked again").len(), 1);
    let metrics = get(program.address, "/metrics").1;
    assert!(metrics.contains("tapecast_upstream_refused_total{code=\"402\"} 1"), "{metrics}");
    let told = [reason, metrics, format!("{:?}", program.logged(""))].concat();
    assert!(!told.contains(secret));
}

/// Halts and changes of price bands happen often, and so do trades that come late, which change bars, or are corrected or
/// cancelled.
fn eventful(config: &mut Config) {
    busy(config);
    config.simulation = SimulationSettings {
        trades_per_second: config.simulation.trades_per_second,
        late_share: 0.1,
        ..SimulationSettings::EVENTFUL
    };
    config.spans.bar_nanos = 2_000_000_000;
}

#[test]
fn a_relay_that_numbers_objects_itself_gives_the_same_objects_but_for_their_numbers() {
    let count = objects_to_compare();
    let origin = Server::start(eventful);
    let settings = UpstreamSettings { numbers: UpstreamNumbers::Ignored, ..upstream(origin.address) };
    let server = relay(origin.address, |config| config.upstreams = vec![settings.into()]);
    let readers = [&origin, &server].map(|server| {
        let address = server.address;
        std::thread::spawn(move || read_json(address, count))
    });
    let [of_origin, of_relay] = readers.map(|reader| reader.join().unwrap());

    // Of each type and symbol in order, without the numbers.
    let streams = |objects: Objects| -> BTreeMap<(String, String), Vec<Value>> {
        let mut streams = BTreeMap::<_, Vec<_>>::new();
        for ((kind, symbol, _), bytes) in objects {
            let mut object: Value = serde_json::from_slice(&bytes).unwrap();
            object.as_object_mut().unwrap().remove("sq");
            streams.entry((kind, symbol)).or_default().push(object);
        }
        streams
    };
    let (of_origin, of_relay) = (streams(of_origin), streams(of_relay));
    let mut equal = BTreeMap::<&str, usize>::new();
    for ((kind, symbol), relayed) in of_relay.iter().filter(|((kind, _), _)| kind != "k") {
        let Some(original) = of_origin.get(&(kind.clone(), symbol.clone())) else { continue };
        let originals: std::collections::HashSet<_> = original.iter().map(ToString::to_string).collect();
        let time = |object: &Value| object["t"].as_str().unwrap().to_owned();
        let (first, last) = (time(&original[0]), time(&original[original.len() - 1]));
        for object in relayed {
            // Quotes may be conflated on either way: those that both sent are equal.
            let is_common = (&first..=&last).contains(&&time(object)) && kind != "q";
            let is_equal = originals.contains(&object.to_string());
            assert!(is_equal || !is_common, "{kind} {symbol}: {object}");
            *equal.entry(kind).or_default() += usize::from(is_equal);
        }
    }
    println!("equal objects by type: {equal:?}");
    for kind in ["t", "q", "b", "u", "d", "s", "l", "c", "x"] {
        assert!(equal.get(kind).is_some_and(|count| *count > 0), "{kind}: {equal:?}");
    }
}

#[test]
fn a_thousand_clients_share_one_connection() {
    let origin = Server::start(busy);
    let server = relay(origin.address, |_| {});
    let mut clients: Vec<_> = (0..1_000).map(|_| Client::session(server.address)).collect();
    for client in &mut clients {
        client.send_text(&json!({"action": "subscribe", "trades": ["*"]}).to_string());
    }
    for client in &mut clients {
        while !client.next_objects().iter().any(|object| object["T"] == "t") {}
    }

    assert_eq!(server.metric("tapecast_sessions{"), 1_000.0);
    assert_eq!(origin.metric("tapecast_sessions{"), 1.0);
    assert_eq!(server.metric("tapecast_upstream_connects_total"), 1.0);
}

/// What can happen to an upstream.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// Its connections are cut.
    Cut,
    /// Its process is stopped for a moment.
    Stop,
    /// It is killed and begins anew.
    Restart,
}

#[test]
fn every_number_is_received_or_told_through_cuts_stops_and_restarts() {
    use Trouble::{Cut, Restart, Stop};
    let mut origin = Program::start(&[PROGRAM], &MARKET, &[]);
    let address = origin.address;
    let proxy = Proxy::start(address);
    let first = relay(proxy.address, |_| {});
    let second = relay(first.address, |_| {});
    let mut client = Client::session(second.address);
    let mut ledger = SequenceLedger::default();
    follow(&mut client, &mut ledger, None, 500);
    let mut epochs = 0;

    for trouble in [Stop, Cut, Stop, Restart, Stop, Cut, Stop, Restart, Stop] {
        let losses = first.metric("tapecast_upstream_losses_total");
        match trouble {
            Cut => proxy.cut(),
            Stop => {
                origin.signal("-STOP");
                std::thread::sleep(std::time::Duration::from_millis(300));
                origin.signal("-CONT");
            }
            Restart => {
                drop(origin);
                proxy.cut();
                origin = Program::start_at(address, &[PROGRAM], &MARKET);
            }
        }
        let is_over = || match trouble {
            Stop => true,
            Cut | Restart => {
                first.metric("tapecast_upstream_losses_total") > losses
                    && first.metric("tapecast_upstream_up") == 1.0
            }
        };
        let (mut after, mut over) = (0, false);
        while after < 200 {
            let objects = client.next_objects();
            epochs += objects.iter().filter(|object| object["T"] == "epoch").count();
            ledger.record(&objects);
            over = over || is_over();
            after += if over { objects.len() } else { 0 };
        }
    }

    assert_eq!(epochs, 2);
    assert_eq!(second.metric("tapecast_upstream_losses_total"), 0.0, "the second hop noticed nothing");
}

#[test]
fn an_upstream_over_tls_is_checked_against_the_given_certificates() {
    let (files, _) = TlsFiles::generate();
    let origin = Server::start(|config| {
        busy(config);
        let listen = ([127, 0, 0, 1], 0).into();
        config.access.tls = Some(Tls { listen, certificate: files.certificate(), key: files.key() });
    });
    let port = origin.tls_address.unwrap().port();
    let secure = |authorities| UpstreamSettings {
        url: format!("wss://localhost:{port}/v2/iex"),
        authorities,
        ..upstream(origin.address)
    };

    let trusting =
        relay(origin.address, |config| config.upstreams = vec![secure(Some(files.certificate())).into()]);
    follow(&mut Client::session(trusting.address), &mut SequenceLedger::default(), None, 100);

    let other = Server::start(|config| config.upstreams = vec![secure(None).into()]);
    let reason = wait_for("a reason", || {
        let (status, text) = readiness(other.address);
        assert_eq!(status, 503);
        text.contains("cannot connect").then_some(text)
    });
    assert!(reason.contains("ertificate"), "{reason}");
}

#[test]
fn a_second_relay_with_the_same_key_waits_for_the_place_and_takes_it() {
    let folder = test_support::TempFolder::new();
    let keys = folder.file("keys");
    let generated =
        std::process::Command::new(PROGRAM).args(["key", "new", "relay", "--max-sessions", "1"]).output();
    let generated = generated.unwrap();
    std::fs::write(&keys, &generated.stdout).unwrap();
    let text = String::from_utf8_lossy(&generated.stderr).into_owned();
    let secret = text.split_whitespace().find(|word| word.len() >= 32).unwrap_or_else(|| panic!("{text}"));
    let origin = Server::start(|config| {
        busy(config);
        config.access.keys = Some(keys);
    });
    let key = Some(UpstreamKey { id: "relay".to_owned(), secret: secret.to_owned() });
    let settings = || UpstreamSettings { key: key.clone(), ..upstream(origin.address) };
    let first = relay(origin.address, |config| config.upstreams = vec![settings().into()]);

    let second = Server::start(|config| config.upstreams = vec![settings().into()]);
    wait_until("the refusal", || second.metric("tapecast_upstream_refused_total{code=\"406\"}") == 1.0);
    drop(first);

    wait_until_ready(second.address);
    // 5 s after the first attempt, a fifth more or less.
    assert!(second.metric("tapecast_upstream_connects_total") <= 3.0);
}

/// Reads the trades of all symbols by symbol and id, until a notice says that the upstream is back and this many trades
/// came after it; returns the notice.
fn read_trades_beyond_a_loss(client: &mut Client, trades: &mut BTreeMap<(String, u64), Value>) -> Value {
    let (mut back, mut after) = (Value::Null, 0);
    while after < 500 {
        for mut object in client.next_objects() {
            if object["state"] == "back" {
                back = object;
                continue;
            }
            let key = (object["S"].as_str().unwrap_or_default().to_owned(), object["i"].as_u64());
            if let (symbol, Some(id), "t") = (key.0, key.1, object["T"].as_str().unwrap()) {
                object.as_object_mut().unwrap().remove("sq");
                assert_eq!(trades.insert((symbol, id), object), None, "each trade comes once");
                after += usize::from(!back.is_null());
            }
        }
    }
    back
}

#[test]
fn the_trades_of_a_hole_are_found_by_rest() {
    let origin = Server::start(busy);
    let proxy = Proxy::start(origin.address);
    let settings = UpstreamSettings {
        url: format!("ws://{}/v2/iex", proxy.address),
        numbers: UpstreamNumbers::Ignored,
        ..upstream(origin.address)
    };
    let server = relay(origin.address, |config| config.upstreams = vec![settings.into()]);
    let mut client = Client::session(server.address);
    let mut ledger = SequenceLedger::default();
    follow(&mut client, &mut ledger, None, 500);
    let at_origin = std::thread::spawn({
        let address = origin.address;
        move || read_json(address, 25_000)
    });
    let mut trades = BTreeMap::new();

    proxy.cut();
    let back = read_trades_beyond_a_loss(&mut client, &mut trades);

    assert_eq!(back["filled"], true, "{back}");
    assert!(server.metric("tapecast_upstream_filled_trades_total") > 50.0);
    let at_origin = at_origin.join().unwrap();
    let ids = |symbol: &str| {
        let of = |(kind, name, seq): &(String, String, u64)| (kind == "t" && name == symbol).then_some(*seq);
        let seqs = at_origin.keys().filter_map(of);
        let id = |seq| {
            let bytes = &at_origin[&("t".to_owned(), symbol.to_owned(), seq)];
            serde_json::from_slice::<Value>(bytes).unwrap()["i"].as_u64().unwrap()
        };
        seqs.map(id).collect::<Vec<_>>()
    };
    let mut common = 0;
    let symbols: std::collections::BTreeSet<_> = trades.keys().map(|(symbol, _)| symbol.clone()).collect();
    for symbol in symbols {
        let of_symbol = || trades.keys().filter(|(name, _)| *name == symbol).map(|(_, id)| *id);
        let (first, last) = (of_symbol().next().unwrap(), of_symbol().next_back().unwrap());
        for id in ids(&symbol).into_iter().filter(|id| (first..=last).contains(id)) {
            assert!(trades.contains_key(&(symbol.clone(), id)), "{symbol} {id} is missing");
            common += 1;
        }
    }
    assert!(common > 300, "only {common} trades in common");
}

#[test]
fn a_key_is_in_no_debug_text() {
    let key = Some(UpstreamKey { id: "the-id".to_owned(), secret: "the-secret".to_owned() });
    let settings = UpstreamSettings { key, ..upstream(free_address()) };

    let text = format!("{settings:?}");

    assert!(!text.contains("the-"), "{text}");
}
