use std::time::{Duration, Instant};

use serde_json::json;
use test_support::{Client, get, wait_until};

use super::Administered;

#[test]
fn the_overview_tells_feeds_sessions_and_limits() {
    let node = Administered::start(|config| {
        config.workers = 2;
        config.access.max_sessions = Some(50);
    });
    let clients: Vec<_> = (0..3).map(|_| Client::session(node.server.address)).collect();
    drop(clients.into_iter().next());
    wait_until("the end of a session", || node.json("overview")["sessions"]["closed"].as_u64() >= Some(1));

    let overview = node.json("overview");

    assert_eq!(overview["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&overview["ready"], &overview["draining"]), (&json!(true), &json!(false)));
    assert_eq!((&overview["workers"], &overview["sessions"]["limit"]), (&json!(2), &json!(50)));
    assert_eq!(overview["sessions"]["opened"], 3);
    assert_eq!(
        (&overview["feeds"][0]["feed"], &overview["feeds"][0]["source"]),
        (&json!("iex"), &json!("simulation"))
    );
    assert!(overview["started"].as_str().unwrap().ends_with('Z'), "{overview}");
    assert!(overview.get("keys").is_none() && overview.get("log_level").is_none(), "{overview}");
    #[cfg(target_os = "linux")]
    assert!(overview["memory_bytes"].as_u64() > Some(1 << 20), "{overview}");
}

#[test]
fn a_drain_refuses_new_sessions_and_closes_the_others_spread_over_its_time() {
    let node = Administered::start(|_| ());
    let mut clients: Vec<_> = (0..20).map(|_| Client::session(node.server.address)).collect();
    wait_until("the sessions", || node.json("overview")["sessions"]["open"] == 20);

    let began = Instant::now();
    let answer = node.send("POST", "drain", r#"{"seconds":2}"#);
    assert_eq!((answer.status, answer.json()), (202, json!({"draining": true, "sessions": 20})));

    let (status, body) = get(node.server.address, "/readyz");
    assert_eq!((status, body.trim()), (503, "not ready: draining"));
    assert!(Client::connect(node.server.address, "/v2/iex").handshake.starts_with("HTTP/1.1 503 "));
    assert_eq!(node.json("overview")["reason"], "draining");
    let ended: Vec<_> = clients
        .iter_mut()
        .map(|client| {
            assert_eq!(client.read_to_close(), (Some(1012), true));
            began.elapsed()
        })
        .collect();
    // The clients are read one after the other, and none is told before its turn.
    let last = ended.iter().max().unwrap();
    assert!(*last >= Duration::from_millis(1_900), "{ended:?}");
    assert!(ended.iter().filter(|at| **at < Duration::from_millis(1_000)).count() <= 12, "{ended:?}");
    wait_until("the end of the sessions", || node.json("overview")["sessions"]["open"] == 0);

    let answer = node.delete("drain");
    assert_eq!((answer.status, answer.json()), (200, json!({"draining": false, "sessions": 0})));
    assert_eq!(get(node.server.address, "/readyz").0, 200);
    drop(Client::session(node.server.address));
}

#[test]
fn a_drain_that_is_ended_leaves_the_sessions_that_are_open() {
    let node = Administered::start(|_| ());
    let mut client = Client::session(node.server.address);

    assert_eq!(node.send("POST", "drain", r#"{"seconds":3600}"#).status, 202);
    assert_eq!(node.delete("drain").status, 200);

    assert_eq!(client.command(r#"{"action":"subscribe","trades":["AAPL"]}"#)["trades"], json!(["AAPL"]));
    assert_eq!(node.json("overview")["sessions"]["open"], 1);
    assert_eq!(node.delete("drain").status, 200, "to end none is no error");
}

#[test]
fn a_drain_without_a_body_takes_half_a_minute() {
    let node = Administered::start(|_| ());
    let _client = Client::session(node.server.address);

    let answer = test_support::request(node.admin, "POST", "/admin/api/drain", "Content-Length: 0\r\n");

    assert_eq!(answer.status, 202, "{}", answer.body);
    assert_eq!(node.json("overview")["sessions"]["open"], 1);
}

#[test]
fn the_log_of_another_program_is_not_changed() {
    let node = Administered::start(|_| ());

    assert_eq!(node.get("log-level").status, 409);
    assert_eq!(node.send("PUT", "log-level", r#"{"level":"debug"}"#).status, 409);
}
