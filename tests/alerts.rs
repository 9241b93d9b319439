//! Price alerts: what fires is what a reference finds in the trades that another client received, whatever the conflation
//! and however often a client connects again.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot continue has failed, and tells its size"
)]

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use tapecast::alerts::AlertLimits;
use tapecast::clock::ClockRate;
use tapecast::config::Config;
use tapecast::model::{Price, Timestamp};
use tapecast::relay::{UpstreamNumbers, UpstreamSettings};
use tapecast::source::{ReplaySettings, ReplaySpeed};
use tapecast::wire::rfc3339;
use test_support::{Client, Server, TempFolder, get, odd_lots, upstream, wait_until};

/// A trade as a client received it. The text of times compares as the times do.
#[derive(Clone, Debug)]
struct Trade {
    sq: u64,
    price: i64,
    at: String,
}

type Trades = HashMap<String, Vec<Trade>>;

/// A client that records all trades and has no alerts.
struct Recorder {
    trades: Arc<Mutex<Trades>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    fn start(server: &Server) -> Self {
        let (trades, stop) = (Arc::<Mutex<Trades>>::default(), Arc::<AtomicBool>::default());
        let mut client = Client::session(server.address);
        client.command(&json!({"action": "subscribe", "trades": ["*"], "x": {"id": 1}}).to_string());
        let (recorded, stopped) = (Arc::clone(&trades), Arc::clone(&stop));
        let record = move || {
            while !stopped.load(Ordering::Relaxed) {
                for object in client.next_objects() {
                    assert!(["t", "x", "c"].contains(&object["T"].as_str().unwrap()), "{object}");
                    if object["T"] == "t" {
                        let mut trades = recorded.lock().unwrap();
                        let of_symbol = trades.entry(object["S"].as_str().unwrap().to_owned()).or_default();
                        let trade = trade(&object);
                        assert!(of_symbol.last().is_none_or(|last| last.sq + 1 == trade.sq), "{object}");
                        of_symbol.push(trade);
                    }
                }
            }
        };
        Self { trades, stop, thread: Some(thread::spawn(record)) }
    }

    fn count(&self) -> usize {
        self.trades.lock().unwrap().values().map(Vec::len).sum()
    }

    /// The symbols with the most trades, and the last price of each.
    fn busiest(&self, count: usize) -> Vec<(String, i64)> {
        let trades = self.trades.lock().unwrap();
        let mut symbols: Vec<_> = trades.iter().collect();
        symbols.sort_by_key(|(symbol, trades)| (usize::MAX - trades.len(), *symbol));
        symbols.truncate(count);
        symbols.into_iter().map(|(symbol, trades)| (symbol.clone(), trades.last().unwrap().price)).collect()
    }

    fn newest(&self, symbol: &str) -> u64 {
        self.trades.lock().unwrap().get(symbol).map_or(0, |trades| trades.last().unwrap().sq)
    }

    fn all(&self) -> Trades {
        self.trades.lock().unwrap().clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let result = self.thread.take().map(JoinHandle::join);
        assert!(thread::panicking() || result.is_none_or(|result| result.is_ok()), "the recorder failed");
    }
}

fn trade(object: &Value) -> Trade {
    let price = Price::from_dollars(object["p"].as_f64().unwrap()).nanos();
    // A whole second may have no fraction.
    let at = object["t"].as_str().unwrap().trim_end_matches('Z');
    let at = if at.contains('.') { at.to_owned() } else { format!("{at}.000000000") };
    Trade { sq: object["sq"].as_u64().unwrap(), price, at }
}

/// An alert that a client has, and what it knows of it.
#[derive(Clone, Debug)]
struct Alert {
    id: String,
    symbol: String,
    when: String,
    is_rise: bool,
    threshold: i64,
    once: bool,
    /// The trades after which it was set, now or again.
    starts: Vec<u64>,
    /// The number up to which its state is known.
    known: u64,
    /// The number and the price of the trades that crossed, and how many crossings were merged into each.
    fired: Vec<(Trade, u64)>,
}

impl Alert {
    fn is_over(&self) -> bool {
        self.once && !self.fired.is_empty()
    }

    /// The reference: the trades with which the alert fires.
    fn expected(&self, trades: &[Trade]) -> Vec<Trade> {
        let side = |price: i64| if self.is_rise { price } else { -price };
        let level = side(self.threshold);
        let (mut last, mut armed, mut rearm, mut fired) =
            (None::<&Trade>, None::<bool>, level - 1, Vec::new());
        for trade in trades {
            if last.is_none_or(|last| trade.at >= last.at) {
                last = Some(trade);
                let is_beyond = side(trade.price) >= level;
                if armed == Some(true) && is_beyond {
                    fired.push(trade.clone());
                    (armed, rearm) = (Some(false), level - (self.threshold / 1_000).abs().max(1));
                } else if armed.is_some() && side(trade.price) <= rearm {
                    armed = Some(true);
                }
            }
            if self.once && !fired.is_empty() {
                break;
            }
            if self.starts.contains(&trade.sq) {
                (armed, rearm) = (last.map(|last| side(last.price) < level), level - 1);
            }
        }
        fired
    }

    /// Compares what was received with the reference, up to a trade at least; returns what is missing up to there.
    fn check(&self, trades: &[Trade], end: u64) -> usize {
        let expected = self.expected(trades);
        let mut accounted = 0;
        for (got, merged) in &self.fired {
            accounted += *merged as usize + 1;
            let same = expected.get(accounted - 1);
            assert!(same.is_some_and(|same| same.sq == got.sq), "{self:?}: expected {expected:?}");
            assert_eq!(same.map(|same| (same.price, &same.at)), Some((got.price, &got.at)));
        }
        expected.iter().skip(accounted).filter(|trade| trade.sq <= end).count()
    }
}

/// One session with alerts.
struct Owner {
    client: Client,
    path: &'static str,
    conflate_ms: u32,
    address: std::net::SocketAddr,
    alerts: Vec<Alert>,
    epoch: String,
}

impl Owner {
    fn connect(server: &Server, path: &'static str, conflate_ms: u32, alerts: Vec<Alert>) -> Self {
        let address = server.address;
        let client = Client::connect(address, path);
        let mut owner = Self { client, path, conflate_ms, address, alerts, epoch: String::new() };
        owner.subscribe();
        owner.set(false);
        owner
    }

    fn subscribe(&mut self) {
        let x = json!({"conflate_ms": self.conflate_ms});
        let command = json!({"action": "subscribe", "tickers": ["*"], "x": x});
        self.client.send_text(&command.to_string());
    }

    /// Sets all alerts that are not over, since what is known of them if they were set before.
    fn set(&mut self, again: bool) {
        let mut waiting = Vec::new();
        for (number, alert) in self.alerts.iter().enumerate().filter(|(_, alert)| !alert.is_over()) {
            let since = json!({"epoch": self.epoch, "sq": alert.known});
            let x = if again { json!({"id": number, "since": since}) } else { json!({"id": number}) };
            let Alert { id, symbol, when, once, .. } = alert;
            let command =
                json!({"action": "alert", "S": symbol, "id": id, "when": when, "once": once, "x": x});
            self.client.send_text(&command.to_string());
            waiting.push(number);
        }
        for number in waiting {
            let answer = self.until_answer(Some(number));
            let id = self.alerts[number].id.clone();
            let list = answer["list"].as_array().unwrap();
            let entry = list.iter().find(|entry| entry["id"] == *id).unwrap();
            let sq = entry["sq"].as_u64().unwrap();
            let alert = &mut self.alerts[number];
            assert!(!again || sq == alert.known, "{alert:?}: {entry}");
            alert.known = sq;
            alert.starts.push(sq);
            self.epoch = answer["epoch"].as_str().unwrap().to_owned();
        }
    }

    /// Asks for the state, by which the client knows it up to the newest trades.
    fn refresh(&mut self) {
        self.client.send_text(r#"{"action":"unalert","ids":[]}"#);
        let answer = self.until_answer(None);
        for entry in answer["list"].as_array().unwrap() {
            let alert = self.alerts.iter_mut().find(|alert| entry["id"] == *alert.id).unwrap();
            alert.known = alert.known.max(entry["sq"].as_u64().unwrap());
        }
    }

    fn until_answer(&mut self, id: Option<usize>) -> Value {
        let expected = id.map_or(Value::Null, |id| json!({"id": id}));
        loop {
            let objects = self.next_objects();
            let answer = objects.into_iter().find(|object| object["T"] == "alerts");
            if let Some(answer) = answer {
                assert_eq!(answer["x"], expected);
                return answer;
            }
        }
    }

    /// The next objects of either codec; records what fired.
    fn next_objects(&mut self) -> Vec<Value> {
        let objects = objects_of(&mut self.client);
        for object in &objects {
            assert!(!["error", "gap"].contains(&object["T"].as_str().unwrap()), "{object}");
            if object["T"] == "a" {
                let alert = self.alerts.iter_mut().find(|alert| object["id"] == *alert.id).unwrap();
                assert_eq!((&object["S"], &object["when"]), (&json!(alert.symbol), &json!(alert.when)));
                let merged = object["cf"].as_u64().unwrap_or_default();
                alert.fired.push((trade(object), merged));
                alert.known = object["sq"].as_u64().unwrap();
            }
        }
        objects
    }

    /// Loses the connection, and connects again when the market went on by some trades.
    fn reconnect(&mut self, recorder: &Recorder) {
        let before = recorder.count();
        self.client.stream.shutdown(std::net::Shutdown::Both).unwrap();
        wait_until("more trades", || recorder.count() > before + 300);
        self.client = Client::connect(self.address, self.path);
        self.subscribe();
        self.set(true);
        self.refresh();
    }

    /// Compares what was received with the reference; how much is missing up to the end, or cannot be said yet.
    fn missing(&self, trades: &Trades, ends: &HashMap<String, u64>) -> usize {
        let missing = |alert: &Alert| {
            let (trades, end) = (&trades[&alert.symbol], ends[&alert.symbol]);
            let newest = alert.fired.last().map_or(0, |(trade, _)| trade.sq);
            let is_recorded = trades.last().is_some_and(|last| last.sq >= newest);
            // One that ended is in no list any more while it waits to be sent.
            let is_known = alert.is_over() || alert.known >= end || alert.once;
            if is_recorded && is_known { alert.check(trades, end) } else { 1 }
        };
        self.alerts.iter().map(missing).sum()
    }
}

/// The objects of the next data frame of either codec. Answers pings.
fn objects_of(client: &mut Client) -> Vec<Value> {
    loop {
        let frame = client.next_frame().expect("the session continues");
        match frame.opcode {
            1 => return frame.json(),
            2 => {
                let value = rmpv::decode::read_value(&mut &frame.payload[..]).unwrap();
                return match from_msgpack(value) {
                    Value::Array(objects) => objects,
                    other => panic!("{other}"),
                };
            }
            9 => client.send_frame(0x8A, &frame.payload),
            other => panic!("opcode {other}"),
        }
    }
}

/// The same value in JSON, with times as text.
fn from_msgpack(value: rmpv::Value) -> Value {
    match value {
        rmpv::Value::Array(list) => list.into_iter().map(from_msgpack).collect(),
        rmpv::Value::Map(entries) => {
            let entries = entries.into_iter();
            entries.map(|(key, value)| (key.as_str().unwrap().to_owned(), from_msgpack(value))).collect()
        }
        rmpv::Value::Ext(-1, bytes) => {
            let nanos = match bytes[..] {
                [a, b, c, d] => i64::from(u32::from_be_bytes([a, b, c, d])) * 1_000_000_000,
                _ => {
                    let both = u64::from_be_bytes(bytes.try_into().unwrap());
                    (both & ((1 << 34) - 1)) as i64 * 1_000_000_000 + (both >> 34) as i64
                }
            };
            json!(rfc3339(Timestamp::from_nanos(nanos)))
        }
        other => serde_json::to_value(other).unwrap(),
    }
}

/// The number of alerts and of trades.
fn size() -> (usize, usize) {
    let size = std::env::var("TAPECAST_ALERTS").unwrap_or_else(|_| "400x20000".to_owned());
    let (alerts, trades) = size.split_once('x').expect("TAPECAST_ALERTS is ALERTSxTRADES");
    (alerts.parse().unwrap(), trades.parse().unwrap())
}

/// A market with this many trades in some seconds, or fewer each second than a client in a test can record.
fn busy(trades: usize) -> impl Fn(&mut Config) {
    move |config| {
        config.workers = 2;
        config.simulation.trades_per_second = (trades as f64 / 4.0).clamp(1_000.0, 15_000.0);
        config.simulation.quotes_per_trade = 0.5;
        config.simulation.late_share = 0.01;
        config.retention.trades = 20_000;
    }
}

/// Alerts around the present prices, some of them beyond already; every third one fires more than once.
fn alerts(
    random: &mut StdRng,
    count: usize,
    prices: &[(String, i64)],
    closes: &HashMap<String, i64>,
) -> Vec<Alert> {
    let alert = |number: usize| {
        let (symbol, price) = &prices[random.random_range(0..prices.len())];
        let is_rise: bool = random.random();
        let sign = if is_rise { ">=" } else { "<=" };
        let (when, threshold) = match number % 4 {
            0 => {
                let close = i128::from(closes[symbol]);
                let now = (i128::from(*price) * 100_000 / close) - 100_000;
                let thousandths = now + random.random_range(-30..=30);
                let text = format!(
                    "{}{}.{:03}",
                    if thousandths < 0 { "-" } else { "" },
                    thousandths.abs() / 1_000,
                    thousandths.abs() % 1_000
                );
                let product = close * (100_000 + thousandths);
                let threshold = match is_rise {
                    true => (product + 99_999).div_euclid(100_000),
                    false => product.div_euclid(100_000),
                };
                (format!("chg{sign}{text}%"), threshold as i64)
            }
            _ => {
                let cents = price / 10_000_000;
                let cents = cents + random.random_range(-6..=6);
                (format!("p{sign}{}.{:02}", cents / 100, cents % 100), cents * 10_000_000)
            }
        };
        let (id, once) = (format!("alert {number}"), !number.is_multiple_of(3));
        let (starts, fired) = (Vec::new(), Vec::new());
        Alert { id, symbol: symbol.clone(), when, is_rise, threshold, once, starts, known: 0, fired }
    };
    (0..count).map(alert).collect()
}

/// The previous close of each symbol.
fn closes(server: &Server) -> HashMap<String, i64> {
    let mut client = Client::session(server.address);
    client.command(&json!({"action": "subscribe", "tickers": ["*"], "x": {"snapshot": true}}).to_string());
    let mut closes = HashMap::new();
    wait_until("the tickers", || {
        for object in client.next_objects() {
            let close = Price::from_dollars(object["pc"].as_f64().unwrap_or_default()).nanos();
            closes.insert(object["S"].as_str().unwrap_or_default().to_owned(), close);
        }
        closes.len() >= 40
    });
    closes
}

/// Sets alerts from many sessions, of which a tenth connects again and again, and compares what fires with the reference.
fn run(server: &Server, (count, trades): (usize, usize)) {
    const PER_SESSION: usize = 50;
    let recorder = Arc::new(Recorder::start(server));
    wait_until("trades", || recorder.count() > 1_000);
    let (prices, closes) = (recorder.busiest(20), closes(server));
    let silent = Silent::start(server);
    let (begun, sessions) = (recorder.count(), count / PER_SESSION);
    let goal = begun + trades;
    let owners: Vec<_> = (0..sessions)
        .map(|number| {
            let mut random = StdRng::seed_from_u64(number as u64);
            let alerts = alerts(&mut random, PER_SESSION, &prices, &closes);
            let path = ["/v2/iex", "/v2/iex?codec=msgpack"][number % 2];
            let is_moving = number % 10 == 0;
            let mut owner = Owner::connect(server, path, if is_moving { 20 } else { 2_000 }, alerts);
            let recorder = Arc::clone(&recorder);
            thread::spawn(move || {
                let mut reconnects = 0;
                while recorder.count() < goal {
                    owner.next_objects();
                    if is_moving && recorder.count() > begun + trades * (reconnects + 1) / 8 {
                        reconnects += 1;
                        owner.reconnect(&recorder);
                    }
                }
                assert!(!is_moving || reconnects >= 5, "{reconnects}");
                owner
            })
        })
        .collect();
    let mut owners: Vec<_> = owners.into_iter().map(|owner| owner.join().unwrap()).collect();
    let ends: HashMap<_, _> =
        prices.iter().map(|(symbol, _)| (symbol.clone(), recorder.newest(symbol))).collect();
    let again: usize =
        owners.iter().flat_map(|owner| &owner.alerts).map(|alert| alert.starts.len() - 1).sum();

    wait_until("the state at the end", || {
        // Together, so that none is silent for as long as the others take.
        thread::scope(|scope| owners.iter_mut().for_each(|owner| drop(scope.spawn(|| owner.refresh()))));
        let trades = recorder.all();
        owners.iter().map(|owner| owner.missing(&trades, &ends)).sum::<usize>() == 0
    });

    let fired: usize = owners.iter().flat_map(|owner| &owner.alerts).map(|alert| alert.fired.len()).sum();
    println!("{count} alerts fired {fired} times in {} trades; {again} were set again", recorder.count());
    assert!(fired > count / 4 && again > count / 20, "{fired} fired, {again} set again");
    silent.stop();
}

/// A session with trades and without alerts, which is sent nothing of them.
struct Silent {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Silent {
    fn start(server: &Server) -> Self {
        let mut client = Client::session(server.address);
        client.command(r#"{"action":"subscribe","tickers":["*"],"x":{"conflate_ms":1000}}"#);
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        let read = move || {
            while !stopped.load(Ordering::Relaxed) {
                for object in client.next_objects() {
                    assert_eq!(object["T"], "k", "{object}");
                }
            }
        };
        Self { stop, thread: thread::spawn(read) }
    }

    fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

#[test]
fn alerts_fire_with_the_trades_that_cross_and_with_no_other() {
    let size = size();
    run(&Server::start(busy(size.1)), size);
}

#[test]
fn the_alerts_of_a_relay_are_those_of_the_trades_that_it_passes_on() {
    let origin = Server::start(busy(6_000));
    let relay = Server::start(|config| {
        config.upstreams = vec![upstream(origin.address).into()];
        config.retention.trades = 20_000;
    });
    wait_until("the relay to be ready", || get(relay.address, "/readyz").0 == 200);
    run(&relay, (100, 6_000));
}

/// The first prices at which a rise to $12 of what [`odd_lots`] has fires at a server.
fn fired_at_odd_lots(server: &Server) -> Vec<f64> {
    let mut client = Client::session(server.address);
    let set = json!({"action": "alert", "S": "AAPL", "id": "a1", "when": "p>=12", "once": false});
    let mut fired = Vec::new();
    wait_until("the instrument", || answer(&mut client, &set)["T"] == "alerts");
    wait_until("alerts that fire", || {
        let notices = client.next_objects().into_iter().filter(|object| object["T"] == "a");
        fired.extend(notices.map(|notice| notice["p"].as_f64().unwrap()));
        fired.len() >= 4
    });
    fired
}

#[test]
fn a_trade_that_is_not_the_last_price_of_its_source_fires_nothing_at_relays_of_it() {
    let folder = TempFolder::new();
    let recording = folder.file("odd-lots.ndjson");
    fs::write(&recording, odd_lots()).unwrap();
    let speed = ReplaySpeed::Times(ClockRate::ONE);
    let replay = ReplaySettings { speed, ..ReplaySettings::reproducible([recording]) };
    let origin = Server::start(|config| config.replay = Some(replay));
    let relay = |of: &Server, numbers| {
        let upstream = UpstreamSettings { numbers, ..upstream(of.address) };
        Server::start(|config| config.upstreams = vec![upstream.into()])
    };
    let mirror = relay(&origin, UpstreamNumbers::Kept);
    wait_until("the mirror to be ready", || get(mirror.address, "/readyz").0 == 200);
    let of_mirror = relay(&mirror, UpstreamNumbers::Kept);
    let numbering = relay(&origin, UpstreamNumbers::Ignored);

    for server in [&origin, &mirror, &of_mirror, &numbering] {
        let fired = fired_at_odd_lots(server);
        assert!(fired.iter().all(|price| *price == 12.5), "{fired:?}");
    }
}

/// A session at a market that does not trade, and what commands about alerts answer there.
fn quiet(configure: impl FnOnce(&mut Config)) -> (Server, Client) {
    let server = Server::without_trades(configure);
    let client = Client::session(server.address);
    (server, client)
}

fn answer(client: &mut Client, command: &Value) -> Value {
    client.send_text(&command.to_string());
    let answers = client.next_objects();
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers[0].clone()
}

fn alert(id: &str, when: &str) -> Value {
    json!({"action": "alert", "S": "AAPL", "id": id, "when": when, "x": {"id": 3}})
}

#[test]
fn the_answer_to_each_command_is_the_whole_state() {
    let (_server, mut client) = quiet(|_| {});

    let first = answer(&mut client, &alert("a1", "p>=0.01"));
    let second = answer(&mut client, &alert("a2", " p>=1000000 "));
    let replaced = answer(&mut client, &alert("a1", "p<=0.01"));
    let removed = answer(&mut client, &json!({"action": "unalert", "ids": ["a2", "none"]}));
    let none = answer(&mut client, &json!({"action": "unalert", "ids": ["*"], "x": {"id": "end"}}));

    let entry = |id: &str, when: &str| json!({"S": "AAPL", "id": id, "when": when, "once": true, "sq": 0});
    let mut beyond = entry("a1", "p>=0.01");
    beyond["now"] = json!(true);
    let list = |answer: &Value| answer["list"].clone();
    assert_eq!((&first["T"], &first["x"]), (&json!("alerts"), &json!({"id": 3})));
    assert_eq!(list(&first), json!([beyond]));
    assert_eq!(list(&second), json!([beyond, entry("a2", "p>=1000000")]));
    assert_eq!(list(&replaced), json!([entry("a2", "p>=1000000"), entry("a1", "p<=0.01")]));
    assert_eq!(list(&removed), json!([entry("a1", "p<=0.01")]));
    assert_eq!((list(&none), &none["x"]), (json!([]), &json!({"id": "end"})));
}

#[test]
fn what_is_no_alert_is_refused_and_changes_nothing() {
    let limits = AlertLimits { session: 2, ..AlertLimits::default() };
    let (_server, mut client) = quiet(|config| config.alerts = limits);
    let mut code = |command: Value| {
        let refused = answer(&mut client, &command);
        (
            refused["code"].as_u64(),
            refused["why"].as_str().unwrap_or_default().to_owned(),
            refused["x"].clone(),
        )
    };

    for when in ["", "p>190", "p>=", "chg>=5", "volume>=3", "p>=1e3"] {
        let (code, why, x) = code(alert("a1", when));
        assert_eq!((code, x), (Some(435), json!({"id": 3})), "{when}: {why}");
    }
    let unknown = json!({"action": "alert", "S": "NONE", "id": "a1", "when": "p>=1"});
    assert_eq!(code(unknown), (Some(435), "the market has no symbol NONE".to_owned(), Value::Null));
    for command in [
        json!({"action": "alert", "id": "a1", "when": "p>=1"}),
        json!({"action": "alert", "S": "AAPL", "when": "p>=1"}),
        json!({"action": "alert", "S": "AAPL", "id": "*", "when": "p>=1"}),
        json!({"action": "alert", "S": "AAPL", "id": "x".repeat(65), "when": "p>=1"}),
        json!({"action": "alert", "S": "AAPL", "id": "a1", "when": 7}),
        json!({"action": "alert", "S": "AAPL", "id": "a1", "when": "p>=1", "once": "yes"}),
        json!({"action": "alert", "S": "AAPL", "id": "a1", "when": "p>=1", "x": {"since": {"sq": 7}}}),
        json!({"action": "unalert"}),
        json!({"action": "unalert", "ids": "a1"}),
        json!({"action": "unalert", "ids": [7]}),
    ] {
        assert_eq!(code(command.clone()).0, Some(400), "{command}");
        let mut with_id = command.clone();
        with_id["x"]["id"] = json!(7);
        let (code, _, x) = code(with_id);
        assert_eq!((code, x), (Some(400), json!({"id": 7})), "{command}");
    }
    for id in ["a1", "a2", "a1"] {
        assert_eq!(code(alert(id, "p>=1")).0, None, "{id}");
    }
    assert_eq!(code(alert("a3", "p>=1")).0, Some(434));
    let list = answer(&mut client, &json!({"action": "unalert", "ids": ["a1"]}));
    assert_eq!(list["list"].as_array().unwrap().len(), 1);
    assert_eq!(answer(&mut client, &alert("a3", "p>=1"))["T"], "alerts");
}

#[test]
fn what_is_not_known_any_more_is_told() {
    let server = Server::start(|config| {
        config.simulation.trades_per_second = 2_000.0;
        config.retention.trades = 10;
    });
    let recorder = Recorder::start(&server);
    wait_until("trades", || recorder.count() > 2_000);
    let symbol = recorder.busiest(1)[0].0.clone();
    let mut client = Client::session(server.address);
    let mut set = |epoch: &str, sq: u64| {
        let x = json!({"since": {"epoch": epoch, "sq": sq}});
        let command = json!({"action": "alert", "S": symbol, "id": "a1", "when": "p>=1000000", "x": x});
        let list = answer(&mut client, &command);
        let sq = list["list"][0]["sq"].as_u64().unwrap();
        (list["epoch"].as_str().unwrap().to_owned(), sq, client.next_objects()[0].clone())
    };

    let gap_of = |from: u64, to: u64| json!({"T": "gap", "S": symbol, "ch": "trades", "from": from, "to": to, "alerts": ["a1"]});
    let (epoch, newest, gap) = set("another", 7);
    assert_eq!(gap, gap_of(1, newest));
    let (_, newest, gap) = set(&epoch, 3);
    assert_eq!(gap, gap_of(4, newest));
    let (_, newest, gap) = set(&epoch, 1 << 50);
    assert_eq!(gap, gap_of(1, newest));
}
