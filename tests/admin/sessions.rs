use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use tapecast::hub::LivenessTimeouts;
use tapecast::model::TopicKind;
use tapecast::topics::{Namespace, Namespaces, PublishRight, TopicNames};
use test_support::{Client, connect_from, wait_for, wait_until};

use super::Administered;

/// A connection whose socket takes little.
fn narrow(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.into()
}

/// The only session.
fn only(node: &Administered) -> Value {
    let sessions = node.sessions("");
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    sessions[0].clone()
}

fn id(session: &Value) -> String {
    session["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_session_is_listed_with_what_its_client_is_and_what_it_was_sent() {
    let node = Administered::start(|config| config.simulation.trades_per_second = 1_000.0);
    let mut client = Client::connect_with(
        node.server.address,
        "/v2/sip?codec=msgpack",
        &format!("User-Agent: desk\t{}\r\n", "x".repeat(300)),
    );
    client.send_frame(0x81, br#"{"action":"subscribe","trades":["AAPL","MSFT"],"bars":["*"]}"#);
    wait_until("objects", || only(&node)["objects"].as_u64() > Some(3));
    let session = only(&node);

    assert_eq!((&session["address"], &session["codec"]), (&json!("127.0.0.1"), &json!("msgpack")));
    assert_eq!((&session["feed"], &session["symbols"]), (&json!("iex"), &json!(3)));
    assert_eq!(session["user_agent"].as_str().unwrap().len(), 200);
    for flag in ["deflate", "tls", "muted", "closing"] {
        assert_eq!(session[flag], false, "{flag}");
    }
    assert!(session["bytes"].as_u64() > session["frames"].as_u64() && session["key"].is_null(), "{session}");

    let detail = node.json(&format!("sessions/{}", id(&session)));
    assert_eq!(detail["subscriptions"], json!({"trades": ["AAPL", "MSFT"], "bars": ["*"]}));
    assert_eq!(detail["subscribed"], json!({"trades": 2, "bars": 1}));
    assert_eq!((&detail["topics"], &detail["alerts"]), (&json!([]), &json!(0)));
    assert_eq!(detail["options"], json!({"extensions": false, "conflate_ms": 0, "heartbeat_ms": 0}));
}

#[test]
fn the_figures_of_a_session_add_up_to_those_of_the_node() {
    let node = Administered::start(|config| config.simulation.trades_per_second = 2_000.0);
    let mut clients: Vec<_> = (0..3).map(|_| Client::session(node.server.address)).collect();
    for client in &mut clients {
        client.send_text(r#"{"action":"subscribe","trades":["*"]}"#);
    }
    wait_until("objects", || node.sessions("").iter().all(|session| session["objects"].as_u64() > Some(100)));
    for client in &mut clients {
        client.send_text(r#"{"action":"unsubscribe","trades":["*"]}"#);
    }
    let is_idle = || node.sessions("").iter().all(|session| session["symbols"] == 0);
    wait_until("the end of the subscriptions", is_idle);

    let sum = |name: &str| {
        node.sessions("").iter().map(|session| session[name].as_u64().unwrap()).sum::<u64>() as f64
    };
    let metric = |name: &str| test_support::metric(node.admin, &format!("tapecast_{name}_total{{"));
    assert_eq!(sum("objects"), metric("objects_sent"));
    assert_eq!(sum("frames"), metric("frames_sent"));
    assert_eq!(sum("bytes"), metric("bytes_sent"));
    assert_eq!(sum("conflated"), metric("objects_conflated"));
}

#[test]
fn the_client_that_does_not_read_comes_first_and_the_reason_is_told() {
    let node = Administered::start(|config| {
        config.simulation.trades_per_second = 5_000.0;
        config.liveness =
            LivenessTimeouts { stall: Duration::from_secs(3_600), ..LivenessTimeouts::default() };
    });
    let readers: Vec<_> = (0..5).map(|_| Client::session(node.server.address)).collect();
    let mut slow = Client::upgrade(narrow(node.server.address), "/v2/iex", "");
    slow.send_text(r#"{"action":"subscribe","quotes":["*"]}"#);

    let first = wait_for("a backlog", || {
        let first = node.sessions("sort=backlog&limit=1").remove(0);
        (first["backlog_bytes"].as_u64() > Some(64 << 10) && first["stalled_ms"].as_u64() > Some(1_000))
            .then_some(first)
    });

    let why = node.json(&format!("sessions/{}", id(&first)))["slow_because"].as_str().unwrap().to_owned();
    assert!(why.starts_with("Its socket has taken nothing for "), "{why}");
    assert_eq!(id(&node.sessions("sort=stalled&limit=1")[0]), id(&first));
    let last = node.sessions("sort=backlog&order=asc");
    assert_eq!((last.len(), id(last.last().unwrap())), (6, id(&first)));
    let quick = node.json(&format!("sessions/{}", id(&last[0])));
    assert!(quick["slow_because"].is_null(), "{quick}");
    drop(readers);
}

#[test]
fn what_a_session_missed_is_counted() {
    let node = Administered::start(|config| {
        config.simulation.trades_per_second = 20_000.0;
        config.liveness =
            LivenessTimeouts { stall: Duration::from_secs(3_600), ..LivenessTimeouts::default() };
    });
    let mut slow = Client::upgrade(narrow(node.server.address), "/v2/iex", "");
    slow.send_text(r#"{"action":"subscribe","trades":["*"],"x":{}}"#);
    wait_until("an overflow", || test_support::metric(node.admin, "tapecast_outbox_overflows_total{") > 0.0);

    let (mut notices, mut missed) = (0, 0);
    while notices == 0 {
        for object in slow.next_objects().iter().filter(|object| object["T"] == "gap") {
            notices += 1;
            missed += object["to"].as_u64().unwrap() + 1 - object["from"].as_u64().unwrap();
        }
    }

    let session = node.sessions("sort=gaps").remove(0);
    assert!(session["gaps"].as_u64() >= Some(notices), "{session}");
    assert!(session["missed"].as_u64() >= Some(missed), "{missed}: {session}");
}

#[test]
fn sessions_are_found_by_worker_address_feed_and_state() {
    let node = Administered::start(|config| config.workers = 2);
    let here: Vec<_> = (0..4).map(|_| Client::session(node.server.address)).collect();
    let elsewhere = connect_from([127, 0, 0, 9].into(), node.server.address);
    let elsewhere = Client::upgrade(elsewhere, "/v2/iex", "");
    let counts = |query: &str| {
        let list = node.json(&format!("sessions?{query}"));
        (
            list["sessions"].as_array().unwrap().len(),
            list["matching"].as_u64().unwrap(),
            list["open"].as_u64().unwrap(),
        )
    };
    wait_until("the sessions", || counts("").0 == 5);

    assert_eq!(counts("limit=2"), (2, 5, 5));
    assert_eq!(counts("address=127.0.0.9"), (1, 1, 5));
    assert_eq!(counts("address=127.0.0.0/29"), (4, 4, 5));
    let of_worker = [0, 1].map(|worker| counts(&format!("worker={worker}")));
    assert_eq!((of_worker[0].1 + of_worker[1].1, of_worker[0].2), (5, 5));
    assert_eq!(counts("worker=7"), (0, 0, 5));
    assert_eq!((counts("feed=iex"), counts("feed=sip")), ((5, 5, 5), (0, 0, 5)));
    assert_eq!(
        (counts("key=desk"), counts("muted=true"), counts("muted=false").0),
        ((0, 0, 5), (0, 0, 5), 5)
    );
    let ids: Vec<_> = node.sessions("sort=age").iter().map(id).collect();
    let mut unique = ids.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), 5, "{ids:?}");
    for wrong in
        ["sort=name", "limit=0", "limit=1001", "address=here", "worker=x", "muted=maybe", "sorting=age"]
    {
        assert_eq!(node.get(&format!("sessions?{wrong}")).status, 400, "{wrong}");
    }
    drop((here, elsewhere));
}

#[test]
fn a_disconnected_client_is_told_and_its_id_is_never_given_again() {
    let node = Administered::start(|config| config.workers = 1);
    let mut client = Client::session(node.server.address);
    let gone = id(&only(&node));

    let answer = node.delete(&format!("sessions/{gone}?reason=too%20slow"));
    assert_eq!(answer.status, 204, "{}", answer.body);

    let close = client.next_frame().unwrap();
    assert_eq!((close.opcode, close.close_code()), (8, Some(1008)));
    assert_eq!(&close.payload[2..], b"disconnected by an operator");
    assert!(client.next_frame().is_none());
    wait_until("the end of the session", || node.sessions("").is_empty());
    assert_eq!(node.server_closed("disconnected"), 1.0);
    let _next = Client::session(node.server.address);
    assert_ne!(id(&only(&node)), gone, "the place is used again, the number not");
    for (method, path) in [("GET", ""), ("DELETE", ""), ("PUT", "/muted")] {
        let answer = node.send(method, &format!("sessions/{gone}{path}"), r#"{"muted":true}"#);
        let expected = if method == "PUT" { 404 } else { 413 };
        assert_eq!(answer.status, expected, "{method}: {}", answer.body);
    }
}

#[test]
fn a_client_that_does_not_read_is_disconnected_too() {
    let node = Administered::start(|config| config.simulation.trades_per_second = 5_000.0);
    let mut slow = Client::upgrade(narrow(node.server.address), "/v2/iex", "");
    slow.send_text(r#"{"action":"subscribe","quotes":["*"]}"#);
    wait_until("a backlog", || only(&node)["backlog_bytes"].as_u64() > Some(64 << 10));

    assert_eq!(node.delete(&format!("sessions/{}", id(&only(&node)))).status, 204);

    wait_until("the end of the session", || node.sessions("").is_empty());
}

#[test]
fn an_id_that_never_existed_is_none_and_what_is_no_id_is_refused() {
    let node = Administered::start(|_| ());

    for unknown in ["0-1", "0-0", "99-1", "0-18446744073709551615", "18446744073709551615-1"] {
        assert_eq!(node.get(&format!("sessions/{unknown}")).status, 404, "{unknown}");
        assert_eq!(node.delete(&format!("sessions/{unknown}")).status, 404, "{unknown}");
    }
    for invalid in
        ["x", "0", "-1", "0-", "0-x", "0-+1", "0-1-1", "0-99999999999999999999", "%00", "0-1%20", "0%2D"]
    {
        assert_eq!(node.get(&format!("sessions/{invalid}")).status, 400, "{invalid}");
        assert_eq!(node.delete(&format!("sessions/{invalid}")).status, 400, "{invalid}");
    }
}

#[test]
fn a_muted_session_publishes_nothing_until_it_may_again() {
    let chat = Namespace {
        names: TopicNames { any: true, ..TopicNames::default() },
        publish: PublishRight::Subscribers,
        ..Namespace::new("chat", TopicKind::Log)
    };
    let node = Administered::start(|config| config.topics = Namespaces::new(vec![chat]));
    let mut client = Client::session(node.server.address);
    client.command(r#"{"action":"subscribe","topics":["chat:lobby"],"x":{}}"#);
    let session = id(&only(&node));
    let mut publish = || {
        client.send_text(r#"{"action":"publish","topic":"chat:lobby","data":1,"x":{"id":1}}"#);
        loop {
            let objects = client.next_objects();
            if let Some(answer) =
                objects.iter().find(|object| ["published", "error"].contains(&object["T"].as_str().unwrap()))
            {
                return answer.clone();
            }
        }
    };
    assert_eq!(publish()["T"], "published");

    let muted = node.send("PUT", &format!("sessions/{session}/muted"), r#"{"muted":true}"#);
    assert_eq!((muted.status, &muted.json()["muted"]), (200, &json!(true)));
    let refusal = publish();
    assert_eq!(refusal["T"], "error", "{refusal}");
    assert!(refusal["msg"].as_str().unwrap().contains("not permitted"), "{refusal}");
    assert_eq!(node.sessions("muted=true").len(), 1);

    assert_eq!(node.send("PUT", &format!("sessions/{session}/muted"), "{}").status, 400);
    node.send("PUT", &format!("sessions/{session}/muted"), r#"{"muted":false}"#);
    assert_eq!(publish()["T"], "published");
}

impl Administered {
    /// The number of sessions that ended for this reason.
    fn server_closed(&self, reason: &str) -> f64 {
        let text = test_support::get(self.admin, "/metrics").1;
        let label = format!("reason=\"{reason}\"");
        let samples = text
            .lines()
            .filter(|line| line.starts_with("tapecast_sessions_closed_total") && line.contains(&label));
        samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }
}
