//! Topics over the nodes of a cluster, with a real NATS server.
#![cfg(all(unix, feature = "nats"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_support::{
    Client, DEADLINE, NatsServer, Program, TempFolder, get, metric, try_post, wait_for, wait_until,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tapecast");

/// A log in which every subscriber may write without end, and a chat as by default.
const TOPICS: &str = r#"
[[namespace]]
name = "log"
kind = "log"
names = "*"
history = 5000
publish = "subscribers"
presence = "names"
session_rate = { per_second = 100000, burst = 100000 }
topic_rate = { per_second = 100000, burst = 100000 }

[[namespace]]
name = "weather"
kind = "state"
names = "*"
"#;

/// Nodes over a NATS server.
struct Cluster {
    nats: NatsServer,
    folder: TempFolder,
}

impl Cluster {
    /// `None` if there is no NATS server.
    fn start() -> Option<Self> {
        let nats = NatsServer::start();
        if nats.is_none() {
            eprintln!("skipped: there is no nats-server; `make .tools/bin/nats-server` fetches it");
        }
        let folder = TempFolder::new();
        std::fs::write(folder.file("topics.toml"), TOPICS).unwrap();
        Some(Self { nats: nats?, folder })
    }

    /// A node that is not ready yet.
    fn starting(&self, role: &str) -> Program {
        let (url, topics) = (self.nats.url(), self.folder.file("topics.toml").display().to_string());
        let options = ["--nats", &url, "--role", role, "--symbols", "5", "--rate", "100"];
        Program::start(&[PROGRAM], &[&options[..], &["--workers", "1", "--topics", &topics]].concat(), &[])
    }

    fn node(&self, role: &str) -> Program {
        let node = self.starting(role);
        wait_until("the node to be ready", || get(node.address, "/readyz").0 == 200);
        node
    }
}

fn leads(node: &Program) -> bool {
    metric(node.address, "tapecast_cluster_leads ") == 1.0
}

/// The answer to a call of the API; `None` if the connection fails.
fn try_call(address: SocketAddr, method: &str, body: &Value) -> Option<Value> {
    let response = try_post(address, &format!("/api/{method}"), "", &body.to_string()).ok()?;
    serde_json::from_str(&response.body).ok()
}

fn call(node: &Program, method: &str, body: &Value) -> Value {
    try_call(node.address, method, body).expect("an answer")
}

fn ok(node: &Program, method: &str, body: &Value) -> Value {
    let answer = call(node, method, body);
    assert!(answer["result"].is_object(), "{method} {body}: {answer}");
    answer["result"].clone()
}

fn publish_over_http(node: &Program, topic: &str, data: &Value) -> Value {
    ok(node, "publish", &json!({"channel": topic, "data": data}))
}

/// The data of all messages of a topic that a node retains.
fn history(node: &Program, topic: &str) -> Vec<Value> {
    let history = ok(node, "history", &json!({"channel": topic, "limit": -1}));
    history["publications"].as_array().unwrap().iter().map(|it| it["data"].clone()).collect()
}

/// A session under this name that has subscribed to a topic.
fn subscribed(address: SocketAddr, name: &str, topic: &str, x: &Value) -> Client {
    let mut client = Client::connect(address, &format!("/v2/iex?userId={name}"));
    client.next_frame().unwrap();
    let ack = client.command(&json!({"action": "subscribe", "topics": [topic], "x": x}).to_string());
    assert_eq!(ack["topics"], json!([topic]), "{ack}");
    client
}

/// The answer to a message that a session publishes.
fn publish(client: &mut Client, topic: &str, data: &Value) -> Value {
    client.send_text(&json!({"action": "publish", "topic": topic, "data": data, "x": {"id": 9}}).to_string());
    next(client, |object| ["published", "error"].contains(&object["T"].as_str().unwrap()))
}

fn next(client: &mut Client, is_wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        if let Some(object) = client.next_objects().into_iter().find(|object| is_wanted(object)) {
            return object;
        }
    }
}

/// The bytes of the next frame with a message of a topic.
fn next_message_frame(client: &mut Client) -> Vec<u8> {
    loop {
        let frame = client.next_frame().unwrap();
        if frame.opcode == 1 && frame.json().iter().any(|object| object["T"] == "m") {
            return frame.payload;
        }
    }
}

#[test]
fn what_is_published_at_one_node_is_read_at_all_with_the_same_numbers_and_bytes() {
    let Some(cluster) = Cluster::start() else { return };
    let feed = cluster.node("feed");
    let gateways = [cluster.node("gateway"), cluster.node("gateway")];
    let nodes = [&feed, &gateways[0], &gateways[1]];
    let mut readers = nodes.map(|node| subscribed(node.address, "reader", "log:room", &json!({"id": 1})));

    for (round, node) in nodes.into_iter().enumerate() {
        let published = match round {
            0 => publish_over_http(node, "log:room", &json!({"text": "é", "round": round})),
            _ => {
                let mut writer = subscribed(node.address, "anna", "log:room", &json!({"id": 1}));
                let published = publish(&mut writer, "log:room", &json!({"text": "é", "round": round}));
                json!({"offset": published["sq"], "epoch": published["epoch"]})
            }
        };
        let frames = readers.each_mut().map(next_message_frame);
        assert!(frames.iter().all(|frame| frame == &frames[0]), "{frames:?}");
        let message: Value = serde_json::from_slice(&frames[0]).unwrap();
        assert_eq!((&message[0]["sq"], &message[0]["d"]["round"]), (&published["offset"], &json!(round)));
    }

    // A node that joins later has the history, and serves clients that resume.
    let late = cluster.node("gateway");
    for node in [&feed, &late] {
        assert_eq!(history(node, "log:room").len(), 3);
    }
    let epoch = ok(&late, "history", &json!({"channel": "log:room"}));
    let after = epoch["offset"].as_u64().unwrap() - 2;
    let resume = json!({"id": 1, "resume": {"epoch": epoch["epoch"], "sq": {"topics": {"log:room": after}}}});
    let mut resumed = subscribed(late.address, "reader", "log:room", &resume);
    let mut rounds = Vec::new();
    while rounds.len() < 2 {
        let objects = resumed.next_objects();
        assert!(objects.iter().all(|object| object["T"] != "gap"), "{objects:?}");
        rounds.extend(objects.iter().filter(|it| it["T"] == "m").map(|it| it["d"]["round"].clone()));
    }
    assert_eq!(rounds, [json!(1), json!(2)]);
    let mut newest = subscribed(late.address, "reader", "log:room", &json!({"id": 1, "snapshot": true}));
    let newest = next(&mut newest, |object| object["T"] == "m");
    assert_eq!((&newest["d"]["round"], &newest["sn"]), (&json!(2), &json!(true)));

    // Taken back at a gateway, it is gone at all nodes.
    let taken_back = json!({"channel": "log:room", "offset": after + 1});
    ok(&gateways[0], "take_back", &taken_back);
    for node in nodes {
        assert_eq!(call(node, "take_back", &taken_back)["error"]["code"], 107, "the leader knows");
    }
    for node in [&feed, &late] {
        wait_until("the message to be gone", || {
            !history(node, "log:room").iter().any(|data| data["round"] == 1)
        });
    }
}

#[test]
fn a_sampled_topic_that_is_named_before_it_exists_counts_only_messages_that_were_given() {
    let Some(cluster) = Cluster::start() else { return };
    let feed = cluster.node("feed");
    let gateway = cluster.node("gateway");
    let x = json!({"conflate_ms": 100});
    let mut readers = [&feed, &gateway].map(|node| subscribed(node.address, "reader", "weather:london", &x));

    let published = [1, 2].map(|data| publish_over_http(&feed, "weather:london", &json!(data)));
    let first = published[0]["offset"].as_u64().unwrap();
    assert!(first > 1_000_000, "the numbers of a cluster begin anywhere");

    for reader in &mut readers {
        let got = next(reader, |object| object["T"] == "m");
        let (sq, cf) = (got["sq"].as_u64().unwrap(), got["cf"].as_u64().unwrap_or(0));
        assert_eq!(cf, sq - first, "{got}");
    }
}

/// A room, and what is written in it.
#[derive(Clone, Copy)]
struct Room {
    readers: usize,
    writers: usize,
    /// Of each writer.
    messages: usize,
    /// The time between two messages of a writer.
    interval: Duration,
}

/// 20 readers and 3 writers without a pause, or `TAPECAST_ROOM=READERSxWRITERSxPER_SECONDxSECONDS`, such as 1000x10x20x60.
fn room() -> Room {
    let Ok(size) = std::env::var("TAPECAST_ROOM") else {
        return Room { readers: 20, writers: 3, messages: 300, interval: Duration::ZERO };
    };
    let sizes: Vec<usize> = size.split('x').map(|size| size.parse().unwrap()).collect();
    let [readers, writers, per_second, seconds] = sizes[..] else { panic!("four sizes: {size}") };
    let interval = Duration::from_secs(1) / per_second as u32;
    Room { readers, writers, messages: per_second * seconds, interval }
}

/// Reads a topic until a message tells the end; (number, data) of all messages. When the session ends, or after this number
/// of messages, it goes on at the next address from where it was.
fn read_all(addresses: &[SocketAddr], leave_after: usize) -> Vec<(u64, Value)> {
    let mut read: Vec<(u64, Value)> = Vec::new();
    let mut epoch = String::new();
    for (attempt, address) in addresses.iter().enumerate() {
        let Ok(connection) = TcpStream::connect(address) else { continue };
        drop(connection);
        let mut client = Client::connect(*address, "/v2/iex?userId=reader");
        client.next_frame().unwrap();
        let mut x = json!({"id": 1, "overload": "gap"});
        if let Some((last, _)) = read.last() {
            x["resume"] = json!({"epoch": epoch, "sq": {"topics": {"log:room": last}}});
        }
        client.send_text(&json!({"action": "subscribe", "topics": ["log:room"], "x": x}).to_string());
        while attempt > 0 || read.len() < leave_after {
            let Some(frame) = client.next_frame() else { break };
            if frame.opcode == 9 {
                client.send_frame(0x8A, &frame.payload);
                continue;
            }
            if frame.opcode != 1 {
                continue;
            }
            for object in frame.json() {
                assert!(object["T"] != "gap" && object["T"] != "error", "{object}");
                if let Some(told) = object["x"]["epoch"].as_str() {
                    told.clone_into(&mut epoch);
                }
                if object["T"] == "m" {
                    read.push((object["sq"].as_u64().unwrap(), object["d"].clone()));
                    if object["d"] == "end" {
                        return read;
                    }
                }
            }
        }
    }
    panic!("all sessions have ended");
}

/// Waits until the next message is due.
fn pace(start: Instant, number: usize, interval: Duration) {
    std::thread::sleep((start + interval * number as u32).saturating_duration_since(Instant::now()));
}

#[test]
fn readers_of_three_gateways_have_the_same_order_and_lose_nothing_when_one_gateway_is_killed() {
    let Some(cluster) = Cluster::start() else { return };
    let Room { readers, writers, messages, interval } = room();
    let feed = cluster.node("feed");
    let [first, second, mut killed] = [0, 1, 2].map(|_| cluster.node("gateway"));
    let addresses = [first.address, second.address, killed.address];
    publish_over_http(&feed, "log:room", &json!("begin"));
    let reader = |index: usize| {
        let at = [0, 1, 2].map(|next| addresses[(index + next) % 3]);
        // One in ten leaves by itself, and comes back.
        let leave_after = if index.is_multiple_of(10) { 5 + index % messages } else { usize::MAX };
        std::thread::spawn(move || read_all(&at, leave_after))
    };
    let all_readers: Vec<_> = (0..readers).map(reader).collect();
    wait_until("the readers to be there", || {
        let stats = ok(&feed, "presence_stats", &json!({"channel": "log:room"}));
        stats["num_clients"] == readers
    });

    let start = Instant::now();
    std::thread::scope(|scope| {
        let sessions = (1..writers).map(|writer| {
            scope.spawn(move || {
                let address = addresses[writer % 2];
                let mut client = subscribed(address, &format!("w{writer}"), "log:other", &json!({}));
                client.command(r#"{"action":"subscribe","topics":["log:room"]}"#);
                for number in 0..messages {
                    pace(start, number, interval);
                    let published = publish(&mut client, "log:room", &json!([writer, number]));
                    assert_eq!(published["T"], "published", "{published}");
                }
            })
        });
        let sessions: Vec<_> = sessions.collect();
        // A program at the gateway that is killed publishes what was not answered again elsewhere.
        let program = scope.spawn(move || {
            let mut at = addresses[2];
            for number in 0..messages {
                pace(start, number, interval);
                let key = format!("p{number}");
                let body = json!({"channel": "log:room", "data": [0, number], "idempotency_key": key});
                let published = wait_for("an answer", || {
                    let answer = try_call(at, "publish", &body);
                    if answer.is_none() {
                        at = addresses[0];
                    }
                    answer
                });
                assert!(published["result"].is_object(), "{published}");
            }
        });
        std::thread::sleep(interval * (messages / 2) as u32);
        wait_until("a part of the messages", || history(&feed, "log:room").len() > messages);
        killed.child.kill().unwrap();
        killed.wait();
        sessions.into_iter().for_each(|session| session.join().unwrap());
        program.join().unwrap();
    });
    publish_over_http(&feed, "log:room", &json!("end"));

    let read: Vec<_> = all_readers.into_iter().map(|reader| reader.join().unwrap()).collect();
    let longest = read.iter().max_by_key(|read| read.len()).unwrap();
    assert!(longest.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1), "numbers without a hole");
    // A reader begins with the first message after its subscription.
    assert!(read.iter().all(|read| read == &longest[longest.len() - read.len()..]));
    let mut of_writers: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for (_, data) in longest.iter().filter(|(_, data)| data.is_array()) {
        of_writers.entry(data[0].as_u64().unwrap()).or_default().push(data[1].as_u64().unwrap());
    }
    for (writer, numbers) in of_writers {
        assert_eq!(numbers, (0..messages as u64).collect::<Vec<_>>(), "writer {writer}");
    }
    println!("{} messages, read by {} readers", longest.len(), read.len());
}

#[test]
fn a_killed_leader_is_replaced_with_the_histories_the_keys_and_the_mutes() {
    let Some(cluster) = Cluster::start() else { return };
    let mut leader = cluster.node("feed");
    let standby = cluster.node("feed");
    let gateways = [cluster.node("gateway"), cluster.node("gateway")];
    let with_key = json!({"channel": "log:room", "data": "once", "idempotency_key": "k"});
    let all = [&gateways[0], &gateways[1], &leader, &standby, &gateways[0]];
    let results: Vec<_> = all.into_iter().map(|node| ok(node, "publish", &with_key)).collect();
    assert!(results.iter().all(|result| result == &results[0]), "{results:?}");
    publish_over_http(&gateways[1], "weather:paris", &json!({"rain": 1}));
    ok(&gateways[0], "mute", &json!({"namespace": "log", "name": "eve", "seconds": 600}));
    wait_until("the standby to have all", || {
        history(&standby, "log:room").len() == 1 && history(&standby, "weather:paris").len() == 1
    });
    let mut reader = subscribed(gateways[1].address, "reader", "log:room", &json!({"id": 1}));

    leader.child.kill().unwrap();
    leader.wait();
    let killed = Instant::now();
    // While there is no leader, the answer is that there is none, within a bounded time.
    let refused = call(&gateways[0], "publish", &json!({"channel": "log:room", "data": "lost"}));
    assert!(killed.elapsed() < DEADLINE);
    assert!(refused["error"]["code"] == 100 || refused["result"].is_object(), "{refused}");
    wait_until("the standby to lead", || leads(&standby));
    let after = wait_for("an answer of the new leader", || {
        let answer = call(&gateways[0], "publish", &json!({"channel": "log:room", "data": "after"}));
        answer["result"].is_object().then(|| answer["result"].clone())
    });

    assert_ne!(after["epoch"], results[0]["epoch"], "a new epoch");
    assert!(after["offset"].as_u64() > results[0]["offset"].as_u64());
    next(&mut reader, |object| object["T"] == "m" && object["d"] == "after");
    for node in [&standby, &gateways[0], &gateways[1]] {
        wait_until("the history with the new message", || {
            let data = history(node, "log:room");
            data.first() == Some(&json!("once")) && data.last() == Some(&json!("after"))
        });
        assert_eq!(history(node, "weather:paris"), [json!({"rain": 1})]);
    }
    // The new leader knows the key of a message that the old one has published.
    for node in [&gateways[1], &standby] {
        let again = ok(node, "publish", &with_key);
        assert_eq!(again, results[0]);
    }
    assert_eq!(history(&standby, "log:room").iter().filter(|data| *data == "once").count(), 1);
    let mut eve = subscribed(gateways[1].address, "eve", "log:room", &json!({"id": 1}));
    let refused = publish(&mut eve, "log:room", &json!("hi"));
    assert_eq!(refused["code"], 431, "{refused}");
}

#[test]
fn a_message_that_no_leader_has_taken_is_refused_and_not_published_later() {
    let Some(cluster) = Cluster::start() else { return };
    let mut leader = cluster.node("feed");
    let gateway = cluster.node("gateway");
    publish_over_http(&gateway, "log:room", &json!("first"));
    leader.child.kill().unwrap();
    leader.wait();

    let began = Instant::now();
    let refused = call(&gateway, "publish", &json!({"channel": "log:room", "data": "lost"}));
    assert_eq!(refused["error"]["code"], 100, "{refused}");
    println!("refused after {:?}", began.elapsed());

    let _next = cluster.node("feed");
    wait_for("an answer of the new leader", || {
        let answer = call(&gateway, "publish", &json!({"channel": "log:room", "data": "second"}));
        answer["result"].is_object().then_some(())
    });
    wait_until("the new message", || history(&gateway, "log:room").last() == Some(&json!("second")));
    assert!(!history(&gateway, "log:room").contains(&json!("lost")));
}

/// The answer to a request of a program that knows NATS alone.
fn ask(nats: &NatsServer, subject: &str, body: &str) -> Value {
    let mut stream = TcpStream::connect(nats.address()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let length = body.len();
    let request = format!("PUB {subject} answers.here {length}\r\n{body}\r\n");
    write!(stream, "CONNECT {{\"verbose\":false}}\r\nSUB answers.here 1\r\n{request}").unwrap();
    let mut lines = BufReader::new(stream);
    loop {
        let mut line = String::new();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the connection ended");
        if line.starts_with("MSG ") {
            let mut answer = String::new();
            lines.read_line(&mut answer).unwrap();
            return serde_json::from_str(&answer).unwrap();
        }
    }
}

#[test]
fn programs_publish_over_nats_in_the_form_of_the_http_api() {
    let Some(cluster) = Cluster::start() else { return };
    let _feed = cluster.node("feed");
    let gateway = cluster.node("gateway");
    let mut reader = subscribed(gateway.address, "reader", "weather:paris", &json!({"id": 1}));
    let message = r#"{"channel":"weather:paris","data":{"rain":1.5},"idempotency_key":"k"}"#;

    let published = ask(&cluster.nats, "tapecast.say", message);
    let again = ask(&cluster.nats, "tapecast.say", message);
    let got = next(&mut reader, |object| object["T"] == "m");

    assert_eq!((&got["d"], &got["sq"]), (&json!({"rain": 1.5}), &published["result"]["offset"]));
    assert!(got.get("by").is_none() && published["result"]["epoch"].is_string(), "{got} {published}");
    assert_eq!(published, again);
    for (body, code) in [
        (r#"{"channel":"news:x","data":1}"#.to_owned(), 102),
        (r#"{"channel":"log:room"}"#.to_owned(), 107),
        (format!(r#"{{"channel":"log:room","data":"{}"}}"#, "x".repeat(5_000)), 107),
    ] {
        let refused = ask(&cluster.nats, "tapecast.say", &body);
        assert_eq!(refused["error"]["code"], code, "{refused}");
    }
}

#[test]
fn presence_is_the_sum_over_the_nodes() {
    let Some(cluster) = Cluster::start() else { return };
    let feed = cluster.node("feed");
    let mut gateways = [cluster.node("gateway"), cluster.node("gateway")];
    let nodes = [(&feed, "anna"), (&gateways[0], "ben"), (&gateways[0], "cleo"), (&gateways[1], "ben")];
    let sessions = nodes.map(|(node, name)| subscribed(node.address, name, "log:room", &json!({"id": 1})));
    let channel = json!({"channel": "log:room"});

    for node in [&feed, &gateways[0], &gateways[1]] {
        wait_until("the sum", || ok(node, "presence_stats", &channel)["num_clients"] == 4);
        let presence = ok(node, "presence", &channel)["presence"].clone();
        let names: BTreeSet<_> = presence.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, BTreeSet::from(["anna", "ben", "cleo"]));
    }
    let mut client = subscribed(feed.address, "dora", "log:other", &json!({"id": 1}));
    client.send_text(r#"{"action":"presence","topic":"log:room","x":{"id":7}}"#);
    let told = next(&mut client, |object| object["T"] == "presence");
    assert_eq!((&told["sessions"], &told["list"]), (&json!(4), &json!(["anna", "ben", "cleo"])));

    gateways[1].child.kill().unwrap();
    gateways[1].wait();
    wait_until("the killed node to be forgotten", || {
        ok(&feed, "presence_stats", &channel)["num_clients"] == 3
    });
    drop(sessions);
    wait_until("the sessions to be gone", || ok(&feed, "presence_stats", &channel)["num_clients"] == 0);
}

#[test]
fn a_muted_name_is_muted_at_all_nodes_and_after_a_reconnect_and_slow_mode_tells_when_to_retry() {
    let Some(cluster) = Cluster::start() else { return };
    let feed = cluster.node("feed");
    let gateways = [cluster.node("gateway"), cluster.node("gateway")];
    ok(&gateways[0], "mute", &json!({"channel": "log:room", "name": "eve", "seconds": 600}));

    for node in [&gateways[1], &gateways[1], &feed] {
        let mut eve = subscribed(node.address, "eve", "log:room", &json!({"id": 1}));
        let refused = publish(&mut eve, "log:room", &json!("hi"));
        assert_eq!((&refused["code"], &refused["x"]["id"]), (&json!(431), &json!(9)), "{refused}");
        assert!(refused["why"].as_str().unwrap().starts_with("muted for "), "{refused}");
        let mut anna = subscribed(node.address, "anna", "log:room", &json!({"id": 1}));
        assert_eq!(publish(&mut anna, "log:room", &json!("hi"))["T"], "published");
        eve.command(r#"{"action":"subscribe","topics":["log:other"]}"#);
        assert_eq!(publish(&mut eve, "log:other", &json!("hi"))["T"], "published");
    }
    let told = gateways[0].logged("is muted").pop().unwrap();
    assert_eq!((&told["name"], &told["place"]), (&json!("eve"), &json!("log:room")), "{told}");
    assert!(told["client"] == "127.0.0.1" && told["until"].is_string(), "{told}");

    ok(&gateways[1], "unmute", &json!({"channel": "log:room", "name": "eve"}));
    let mut eve = subscribed(gateways[0].address, "eve", "log:room", &json!({"id": 1}));
    assert_eq!(publish(&mut eve, "log:room", &json!("hi"))["T"], "published");

    ok(&gateways[0], "slow", &json!({"channel": "log:room", "seconds": 600}));
    assert_eq!(publish(&mut eve, "log:room", &json!("hi"))["T"], "published");
    let refused = publish(&mut eve, "log:room", &json!("hi"));
    assert_eq!(refused["code"], 433, "{refused}");
    let retry = Duration::from_millis(refused["retry_ms"].as_u64().unwrap());
    assert!(retry > Duration::from_secs(500) && retry <= Duration::from_secs(600), "{retry:?}");
    ok(&gateways[1], "slow", &json!({"channel": "log:room", "seconds": 0}));
    assert_eq!(publish(&mut eve, "log:room", &json!("hi"))["T"], "published");
}
