//! Many nodes over a real NATS server.
#![cfg(all(unix, feature = "nats"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use test_support::{
    Client, NatsServer, Program, SequenceLedger, TempFolder, get, metric, odd_lots, wait_for, wait_until,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tapecast");

/// A NATS server, unless there is no program.
fn nats() -> Option<NatsServer> {
    let server = NatsServer::start();
    if server.is_none() {
        eprintln!("skipped: there is no nats-server; `make .tools/bin/nats-server` fetches it");
    }
    server
}

fn node(url: &str, role: &str, more: &[&str]) -> Program {
    let mut options = vec!["--nats", url, "--role", role, "--symbols", "20", "--workers", "1"];
    if !more.contains(&"--rate") {
        options.extend(["--rate", "500"]);
    }
    Program::start(&[PROGRAM], &[&options[..], more].concat(), &[])
}

fn wait_until_ready(node: &Program) {
    wait_until("the node to be ready", || get(node.address, "/readyz").0 == 200);
}

fn leads(node: &Program) -> bool {
    metric(node.address, "tapecast_cluster_leads ") == 1.0
}

/// A session that has subscribed to everything, with gaps and epochs told.
fn subscribed(address: SocketAddr) -> Client {
    let mut client = Client::session(address);
    let ack = client.command(
        r#"{"action":"subscribe","trades":["*"],"quotes":["*"],"tickers":["*"],"x":{"id":1,"overload":"gap"}}"#,
    );
    assert_eq!(ack["T"], "subscription", "{ack}");
    client
}

/// Reads 3,000 objects of each of two sessions, and checks that those that both have are equal; how many these are.
fn common_objects(sessions: &mut [Client; 2]) -> usize {
    let [first, second] = sessions.each_mut().map(|session| {
        let mut objects: BTreeMap<(String, String, u64), Value> = BTreeMap::new();
        while objects.len() < 3_000 {
            for mut object in session.next_objects() {
                if let Some(sq) = object["sq"].as_u64() {
                    // What was merged, and what a snapshot began with, is the session's own.
                    for key in ["cf", "sn"] {
                        object.as_object_mut().unwrap().remove(key);
                    }
                    let text = |key: &str| object[key].as_str().unwrap().to_owned();
                    objects.insert((text("T"), text("S"), sq), object);
                }
            }
        }
        objects
    });
    let common = first.iter().filter_map(|(key, object)| Some((object, second.get(key)?)));
    common.map(|(of_first, of_second)| assert_eq!(of_first, of_second)).count()
}

#[test]
fn a_gateway_joins_and_serves_the_objects_of_the_feed() {
    let Some(nats) = nats() else { return };
    let feed = node(&nats.url(), "feed", &[]);
    wait_until_ready(&feed);
    let gateway = node(&nats.url(), "gateway", &[]);
    wait_until_ready(&gateway);
    let mut sessions = [subscribed(feed.address), subscribed(gateway.address)];

    let common = common_objects(&mut sessions);

    assert!(common > 500, "{common}");
    assert_eq!(metric(gateway.address, "tapecast_cluster_snapshots_total"), 1.0);
    println!("{common} objects were compared");
}

/// The JSON of `/status`.
fn status(node: &Program) -> Value {
    serde_json::from_str(&get(node.address, "/status").1).unwrap()
}

#[test]
fn the_status_of_a_node_tells_of_the_lease_the_hops_and_the_other_nodes() {
    let Some(nats) = nats() else { return };
    let secret = nats.url().replace("//", "//user:a-secret@");
    let feed = node(&secret, "feed", &[]);
    wait_until_ready(&feed);
    let gateway = node(&nats.url(), "gateway", &[]);
    wait_until_ready(&gateway);
    let _session = subscribed(gateway.address);

    let of_feed = wait_for("the gateway's session", || {
        let status = status(&feed);
        (status["cluster"]["nodes"][0]["sessions"] == 1).then_some(status)
    });
    let of_gateway = wait_for("the feed and the hops", || {
        let status = status(&gateway);
        (status["cluster"]["nodes"][0]["leads"] == true && status["cluster"]["hops_ms"]["source"].is_number())
            .then_some(status)
    });

    println!("{of_feed:#}\n{of_gateway:#}");
    assert_eq!((&of_feed["source"], &of_gateway["source"]), (&"simulation".into(), &"cluster".into()));
    assert_eq!(of_feed["epoch"], of_gateway["epoch"]);
    let lease = |status: &Value| status["cluster"]["lease"]["held"].clone();
    assert_eq!((lease(&of_feed), lease(&of_gateway)), (true.into(), false.into()));
    assert_eq!(of_feed["cluster"]["lease"]["fence"], of_gateway["cluster"]["lease"]["fence"]);
    assert_eq!((&of_feed["cluster"]["gateways"], &of_gateway["cluster"]["gateways"]), (&1.into(), &1.into()));
    assert!(!of_feed.to_string().contains("a-secret"));
}

#[test]
fn a_gateway_without_nats_or_a_feed_is_not_ready_and_says_why() {
    let Some(nats) = nats() else { return };
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let lost = node(&format!("nats://user:secret@{nowhere}"), "gateway", &[]);
    let alone = node(&nats.url(), "gateway", &[]);

    let (status, body) = get(lost.address, "/readyz");
    assert_eq!((status, body.as_str()), (503, "not ready: no connection to NATS\n"));
    wait_until("the reason", || get(alone.address, "/readyz").1.contains("has not been joined"));
    let told = wait_for("the log", || lost.logged("cannot connect to NATS").pop());
    assert!(!told.to_string().contains("secret"), "{told}");
    assert_eq!(lost.logged("cannot connect to NATS").len(), 1);
}

/// Follows a session on a thread of its own until told to stop: how many objects, gaps and epochs there were, and the
/// longest time without an object.
struct Follower {
    stop: Arc<AtomicUsize>,
    thread: std::thread::JoinHandle<Followed>,
    objects: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Followed {
    ledger: SequenceLedger,
    epochs: usize,
    states: Vec<String>,
    blackout: Duration,
}

impl fmt::Debug for Followed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ledger, epochs, states, blackout } = self;
        let (objects, conflated, gaps) = (ledger.objects, ledger.conflated, ledger.gaps);
        write!(out, "{objects} objects, {conflated} conflated, {gaps} gaps, {epochs} epochs, ")?;
        write!(out, "{states:?}, longest pause {blackout:?}")
    }
}

impl Follower {
    fn start(address: SocketAddr) -> Self {
        let mut session = subscribed(address);
        let (stop, objects) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (is_stopped, count) = (Arc::clone(&stop), Arc::clone(&objects));
        let thread = std::thread::spawn(move || {
            let (mut followed, mut last) = (Followed::default(), Instant::now());
            while is_stopped.load(Ordering::Relaxed) == 0 {
                let objects = session.next_objects();
                let before = followed.ledger.objects;
                followed.ledger.record(&objects);
                if followed.ledger.objects > before {
                    followed.blackout = followed.blackout.max(last.elapsed());
                    last = Instant::now();
                }
                for object in &objects {
                    followed.epochs += usize::from(object["T"] == "epoch");
                    if object["T"] == "feed" {
                        followed.states.push(object["state"].as_str().unwrap().to_owned());
                    }
                }
                count.store(followed.ledger.objects, Ordering::Relaxed);
            }
            followed
        });
        Self { stop, thread, objects }
    }

    /// Waits for this many more objects.
    fn wait_for_more(&self, objects: usize) {
        let until = self.objects.load(Ordering::Relaxed) + objects;
        wait_until("more objects", || self.objects.load(Ordering::Relaxed) >= until);
    }

    fn stop(self) -> Followed {
        self.stop.store(1, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

#[test]
fn a_killed_leader_is_replaced_within_seconds_and_sessions_are_told() {
    let Some(nats) = nats() else { return };
    let first = node(&nats.url(), "feed", &[]);
    wait_until_ready(&first);
    let second = node(&nats.url(), "feed", &[]);
    let gateway = node(&nats.url(), "gateway", &[]);
    wait_until_ready(&second);
    wait_until_ready(&gateway);
    let session = Follower::start(gateway.address);
    session.wait_for_more(2_000);

    let mut nodes = vec![first, second];
    for kills in 1..=3 {
        let leader = wait_for("a leader", || nodes.iter().position(leads));
        drop(nodes.remove(leader));
        let killed = Instant::now();
        wait_until("the other node to lead", || leads(&nodes[0]));
        println!("kill {kills}: the other node leads after {:?}", killed.elapsed());
        session.wait_for_more(1_000);
        nodes.push(node(&nats.url(), "feed", &[]));
        wait_until_ready(&nodes[1]);
        // It has joined, and its history is that of the leader.
        wait_until("the new node to join", || metric(nodes[1].address, "tapecast_cluster_joined ") == 1.0);
    }

    let followed = session.stop();
    println!("{followed:?}");
    assert_eq!(followed.epochs, 3, "{followed:?}");
    assert_eq!(followed.states, ["down", "back"].repeat(3));
    assert!(followed.blackout < test_support::DEADLINE);
}

#[test]
fn a_leader_that_stands_still_is_replaced_and_follows_when_it_goes_on() {
    let Some(nats) = nats() else { return };
    let first = node(&nats.url(), "feed", &[]);
    wait_until_ready(&first);
    let second = node(&nats.url(), "feed", &[]);
    let gateway = node(&nats.url(), "gateway", &[]);
    [&second, &gateway].into_iter().for_each(wait_until_ready);
    let session = Follower::start(gateway.address);
    session.wait_for_more(1_000);

    first.signal("-STOP");
    wait_until("the other node to lead", || leads(&second));
    session.wait_for_more(500);
    first.signal("-CONT");
    wait_until("the first node to follow", || !leads(&first) && get(first.address, "/readyz").0 == 200);
    wait_until("its snapshot", || metric(first.address, "tapecast_cluster_snapshots_total ") == 1.0);
    session.wait_for_more(1_000);

    let followed = session.stop();
    println!("{followed:?}");
    assert!(leads(&second));
    assert_eq!(followed.epochs, 1);
}

#[test]
fn a_leader_that_is_stopped_gives_up_its_lease_at_once() {
    let Some(nats) = nats() else { return };
    let mut first = node(&nats.url(), "all", &[]);
    wait_until_ready(&first);
    let second = node(&nats.url(), "all", &[]);
    wait_until_ready(&second);
    let session = Follower::start(second.address);
    session.wait_for_more(1_000);

    first.signal("-TERM");
    assert!(first.wait().success());
    session.wait_for_more(1_000);

    let followed = session.stop();
    println!("{followed:?}");
    assert!(leads(&second));
    assert_eq!(followed.epochs, 1);
}

#[test]
fn a_restarted_nats_server_loses_nothing_silently_and_changes_no_leader() {
    let Some(mut nats) = nats() else { return };
    let feed = node(&nats.url(), "feed", &[]);
    wait_until_ready(&feed);
    let gateway = node(&nats.url(), "gateway", &[]);
    wait_until_ready(&gateway);
    let session = Follower::start(gateway.address);
    for _ in 0..3 {
        session.wait_for_more(2_000);
        nats.restart();
    }
    session.wait_for_more(2_000);

    let followed = session.stop();
    println!("{followed:?}");
    for name in ["repaired_batches_total", "snapshots_total", "repair_requests_total", "terms_total"] {
        let of = |node: &Program| metric(node.address, &format!("tapecast_cluster_{name} "));
        println!("{name}: feed {}, gateway {}", of(&feed), of(&gateway));
    }
    assert_eq!(followed.epochs, 0);
}

#[test]
fn a_gateway_that_stands_still_for_seconds_catches_up_by_a_snapshot() {
    let Some(nats) = nats() else { return };
    let busy = ["--rate", "5000"];
    let feed = node(&nats.url(), "feed", &busy);
    wait_until_ready(&feed);
    let gateways = [node(&nats.url(), "gateway", &[]), node(&nats.url(), "gateway", &[])];
    gateways.iter().for_each(wait_until_ready);
    let sessions = [Follower::start(gateways[0].address), Follower::start(gateways[1].address)];
    sessions.iter().for_each(|session| session.wait_for_more(2_000));

    // Until the sockets hold no more, and then more batches than the 8,192 that are repaired.
    let batches = || metric(feed.address, "tapecast_tape_batches_total ") as u64;
    gateways[0].signal("-STOP");
    wait_until("NATS to drop the gateway", || nats.log().contains("Slow Consumer"));
    let enough = batches() + 9_000;
    wait_until("many batches", || batches() >= enough);
    gateways[0].signal("-CONT");
    let of = |gateway: &Program, name: &str| metric(gateway.address, &format!("tapecast_cluster_{name} "));
    wait_until("its snapshot", || of(&gateways[0], "snapshots_total") >= 2.0);
    // After what its sockets held.
    sessions[0].wait_for_more(30_000);

    let [stopped, other] = sessions.map(Follower::stop);
    println!("stopped: {stopped:?}\nother: {other:?}");
    for name in ["repaired_batches_total", "snapshots_total", "dropped_total"] {
        println!("{name}: {}", of(&gateways[0], name));
    }
    assert_eq!((stopped.epochs, other.epochs), (0, 0));
    assert!(stopped.ledger.gaps > 0, "trades were missed, and told");
    assert_eq!((other.ledger.gaps, of(&gateways[1], "snapshots_total")), (0, 1.0));
}

/// A node that relays this server when it leads.
#[cfg(feature = "relay")]
fn relay(nats: &NatsServer, origin: &Program, more: &[&str]) -> Program {
    let upstream = format!("ws://{}", origin.address);
    let options = ["--nats", &nats.url(), "--role", "feed", "--upstream", &upstream, "--workers", "1"];
    Program::start(&[PROGRAM], &[&options[..], more].concat(), &[])
}

#[cfg(feature = "relay")]
#[test]
fn gateways_of_a_relay_serve_the_objects_of_the_origin_and_a_standby_keeps_their_numbers() {
    let Some(nats) = nats() else { return };
    let origin = Program::start(&[PROGRAM], &["--symbols", "20", "--rate", "500", "--workers", "1"], &[]);
    let first = relay(&nats, &origin, &[]);
    wait_until_ready(&first);
    let second = relay(&nats, &origin, &[]);
    let gateway = node(&nats.url(), "gateway", &[]);
    [&second, &gateway].into_iter().for_each(wait_until_ready);
    let connections = || metric(origin.address, "tapecast_sessions{");
    assert_eq!(connections(), 1.0, "the standby is not connected");
    let session = Follower::start(gateway.address);

    let common = common_objects(&mut [subscribed(origin.address), subscribed(gateway.address)]);
    assert!(common > 500, "{common}");
    drop(first);
    wait_until("the other node to lead", || leads(&second));
    session.wait_for_more(1_000);
    let again = common_objects(&mut [subscribed(origin.address), subscribed(gateway.address)]);
    assert!(again > 500, "{again}");

    let followed = session.stop();
    println!("{common} and {again} objects were compared; {followed:?}");
    assert_eq!(followed.epochs, 0, "the epoch is that of the origin");
    assert_eq!(metric(second.address, "tapecast_upstream_up "), 1.0);
}

#[cfg(feature = "relay")]
#[test]
fn relays_that_number_objects_themselves_begin_an_epoch_with_each_leader() {
    let Some(nats) = nats() else { return };
    let origin = Program::start(&[PROGRAM], &["--symbols", "20", "--rate", "500", "--workers", "1"], &[]);
    let foreign = ["--upstream-foreign"];
    let first = relay(&nats, &origin, &foreign);
    wait_until_ready(&first);
    let second = relay(&nats, &origin, &foreign);
    let gateway = node(&nats.url(), "gateway", &[]);
    [&second, &gateway].into_iter().for_each(wait_until_ready);
    let session = Follower::start(gateway.address);
    session.wait_for_more(1_000);

    drop(first);
    wait_until("the other node to lead", || leads(&second));
    session.wait_for_more(1_000);

    let common = common_objects(&mut [subscribed(second.address), subscribed(gateway.address)]);
    assert!(common > 500, "{common}");
    let followed = session.stop();
    println!("{common} objects were compared; {followed:?}");
    assert_eq!(followed.epochs, 1, "{followed:?}");
}

#[cfg(feature = "relay")]
#[test]
fn a_relay_that_loses_the_lease_disconnects_from_its_upstream() {
    let Some(nats) = nats() else { return };
    let origin = Program::start(&[PROGRAM], &["--symbols", "20", "--rate", "500", "--workers", "1"], &[]);
    let first = relay(&nats, &origin, &[]);
    wait_until_ready(&first);
    let second = relay(&nats, &origin, &[]);
    wait_until_ready(&second);

    first.signal("-STOP");
    wait_until("the other node to lead", || leads(&second));
    first.signal("-CONT");

    wait_until("the first node to follow", || !leads(&first) && get(first.address, "/readyz").0 == 200);
    wait_until("one connection", || metric(origin.address, "tapecast_sessions{") == 1.0);
    assert_eq!(metric(first.address, "tapecast_upstream_up "), 0.0);
    assert_eq!(metric(second.address, "tapecast_upstream_up "), 1.0);
}

#[cfg(feature = "relay")]
#[test]
fn a_single_relay_that_restarts_is_followed_again_with_the_same_numbers() {
    let Some(nats) = nats() else { return };
    let origin = Program::start(&[PROGRAM], &["--symbols", "20", "--rate", "500", "--workers", "1"], &[]);
    let feed = relay(&nats, &origin, &[]);
    wait_until_ready(&feed);
    let gateway = node(&nats.url(), "gateway", &[]);
    wait_until_ready(&gateway);
    let session = Follower::start(gateway.address);
    session.wait_for_more(1_000);

    drop(feed);
    let feed = relay(&nats, &origin, &[]);
    wait_until("the new node to lead", || leads(&feed));
    session.wait_for_more(1_000);

    let common = common_objects(&mut [subscribed(origin.address), subscribed(gateway.address)]);
    assert!(common > 500, "{common}");
    let followed = session.stop();
    println!("{common} objects were compared; {followed:?}");
    assert_eq!(followed.epochs, 0, "{followed:?}");
    assert_eq!(get(gateway.address, "/readyz").0, 200);
}

#[test]
fn a_replay_is_served_by_gateways_and_begins_anew_at_another_leader() {
    let Some(nats) = nats() else { return };
    let files = ["trade", "quote"].map(|kind| format!("tests/data/lean/tick/ibm/20131007_{kind}.zip"));
    let replay = || {
        let node = ["--nats", &nats.url(), "--role", "feed", "--workers", "1"];
        let replay = ["--loop", "--from", "2013-10-07T09:30", "--replay", &files[0], &files[1]];
        Program::start(&[PROGRAM], &[node.as_slice(), &replay].concat(), &[])
    };
    let first = replay();
    wait_until_ready(&first);
    let second = replay();
    let gateway = node(&nats.url(), "gateway", &[]);
    [&second, &gateway].into_iter().for_each(wait_until_ready);
    let session = Follower::start(gateway.address);
    session.wait_for_more(20);

    drop(first);
    wait_until("the other node to lead", || leads(&second));
    session.wait_for_more(20);

    let followed = session.stop();
    println!("{followed:?}");
    assert_eq!(followed.epochs, 1);
    let asked = |node: &Program| get(node.address, "/api/replay").0;
    assert_eq!((asked(&second), asked(&gateway)), (200, 404));
}

#[test]
fn a_trade_that_is_not_the_last_price_of_the_source_fires_nothing_at_gateways() {
    let folder = TempFolder::new();
    let recording = folder.file("odd-lots.ndjson");
    std::fs::write(&recording, odd_lots()).unwrap();
    let replay = ["--replay", recording.to_str().unwrap(), "--clock", "original"];
    let origin = Program::start(&[PROGRAM], &replay, &[]);
    let upstream = format!("ws://{}/v2/iex", origin.address);
    for source in [&replay[..], &["--upstream", &upstream]] {
        let Some(nats) = nats() else { return };
        let url = nats.url();
        let feed = [&["--nats", &url, "--role", "feed", "--workers", "1"][..], source].concat();
        let feed = Program::start(&[PROGRAM], &feed, &[]);
        let gateway = node(&url, "gateway", &[]);
        [&feed, &gateway].into_iter().for_each(wait_until_ready);
        let mut client = Client::session(gateway.address);
        let set = r#"{"action":"alert","S":"AAPL","id":"a1","when":"p>=12","once":false}"#;
        let mut prices = Vec::new();
        wait_until("the instrument", || {
            client.send_text(set);
            client.next_objects()[0]["T"] == "alerts"
        });
        wait_until("alerts that fire", || {
            let notices = client.next_objects().into_iter().filter(|object| object["T"] == "a");
            prices.extend(notices.map(|notice| notice["p"].as_f64().unwrap()));
            prices.len() >= 4
        });

        assert!(prices.iter().all(|price| *price == 12.5), "{prices:?}");
    }
}

/// A proxy before a NATS server that drops every hundredth batch to its clients while it is told to.
struct LossyProxy {
    address: SocketAddr,
    losses: Arc<Losses>,
}

#[derive(Default)]
struct Losses {
    is_lossy: AtomicBool,
    dropped: AtomicUsize,
}

impl LossyProxy {
    fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let losses = Arc::new(Losses::default());
        let of_clients = Arc::clone(&losses);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else { break };
                let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut { from_client }, &mut { to_server }));
                let losses = Arc::clone(&of_clients);
                std::thread::spawn(move || forward(server, client, &losses));
            }
        });
        Self { address, losses }
    }

    fn set_lossy(&self, is_lossy: bool) {
        self.losses.is_lossy.store(is_lossy, Ordering::Relaxed);
    }

    fn dropped(&self) -> usize {
        self.losses.dropped.load(Ordering::Relaxed)
    }
}

/// Forwards what a server sends, but every hundredth message of the subject `tapecast.batch` while that is wanted.
fn forward(from: TcpStream, mut to: TcpStream, losses: &Losses) -> Option<()> {
    let mut from = BufReader::new(from);
    let mut batches = 0;
    loop {
        let mut line = Vec::new();
        if from.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        let mut words = text.split_whitespace();
        let mut is_dropped = false;
        if matches!(words.next(), Some("MSG" | "HMSG")) {
            let is_batch = words.next() == Some("tapecast.batch");
            let length: usize = words.next_back().unwrap().parse().unwrap();
            let start = line.len();
            line.resize(start + length + 2, 0);
            from.read_exact(&mut line[start..]).ok()?;
            batches += usize::from(is_batch);
            is_dropped = is_batch && batches % 100 == 0 && losses.is_lossy.load(Ordering::Relaxed);
        }
        if is_dropped {
            losses.dropped.fetch_add(1, Ordering::Relaxed);
        } else {
            to.write_all(&line).ok()?;
        }
    }
}

#[test]
fn every_hundredth_batch_lost_is_repaired_and_no_client_notices() {
    let Some(nats) = nats() else { return };
    let feed = node(&nats.url(), "feed", &[]);
    wait_until_ready(&feed);
    let proxy = LossyProxy::start(nats.address());
    let gateway = node(&format!("nats://{}", proxy.address), "gateway", &[]);
    wait_until_ready(&gateway);
    let session = Follower::start(gateway.address);

    // What is lost while it joins may be in its snapshot.
    proxy.set_lossy(true);
    wait_until("30 losses", || proxy.dropped() >= 30);
    proxy.set_lossy(false);
    let repaired = || metric(gateway.address, "tapecast_cluster_repaired_batches_total ") as usize;
    // A message has one batch, or several that were published together.
    wait_until("the repair of the losses", || repaired() >= proxy.dropped());
    session.wait_for_more(1_000);

    let followed = session.stop();
    println!("{} lost, {} batches repaired: {followed:?}", proxy.dropped(), repaired());
    assert_eq!(followed.ledger.gaps, 0);
    assert_eq!(metric(gateway.address, "tapecast_cluster_snapshots_total "), 1.0);
}

#[test]
fn a_gateway_has_the_history_of_the_feed_and_a_standby_goes_on_from_it() {
    let Some(nats) = nats() else { return };
    let feed = node(&nats.url(), "feed", &[]);
    wait_until_ready(&feed);
    let standby = node(&nats.url(), "feed", &[]);
    let gateway = node(&nats.url(), "gateway", &[]);
    [&standby, &gateway].into_iter().for_each(|node| {
        let fetched = wait_for("the history", || node.logged("fetched the history").pop());
        assert_eq!((&fetched["instruments"], &fetched["missing"]), (&20.into(), &0.into()));
    });
    let closed = |node: &Program, timeframe: &str| {
        let path =
            format!("/v2/stocks/bars?symbols=AAPL,MSFT&timeframe={timeframe}&start=2020-01-01&limit=10000");
        let body: Value = serde_json::from_str(&get(node.address, &path).1).unwrap();
        let mut bars = body["bars"].clone();
        // The last ones are of minutes and of a day that go on.
        for symbol in ["AAPL", "MSFT"] {
            let bars = bars[symbol].as_array_mut().unwrap();
            bars.truncate(bars.len() - 3);
            // The feed has more minutes than it sends, so that its hours reach back further.
            bars.drain(..bars.len() - 100);
        }
        bars
    };
    let of_feed = ["1Day", "1Hour"].map(|timeframe| closed(&feed, timeframe));
    for node in [&standby, &gateway] {
        assert_eq!(closed(node, "1Day"), of_feed[0]);
        assert_eq!(closed(node, "1Hour"), of_feed[1]);
    }

    let volume = |node: &Program| {
        let path = "/v2/stocks/snapshots?symbols=AAPL";
        let body: Value = serde_json::from_str(&get(node.address, path).1).unwrap();
        body["AAPL"]["dailyBar"]["v"].as_u64().unwrap()
    };
    let before = volume(&feed);
    drop(feed);
    wait_until("the standby to lead", || leads(&standby));
    wait_until("the day to go on", || volume(&standby) > before);
    let after = volume(&standby);
    assert!(after < before + before / 2, "from {before} to {after}");
}
