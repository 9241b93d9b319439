//! Limits that hold for all nodes of a cluster together: sessions of a key, symbols of an upstream.
#![cfg(all(unix, feature = "nats", feature = "relay"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use serde_json::json;
use tapecast::auth::{Entitlements, GeneratedKey};
use test_support::{Client, NatsServer, Program, Server, TempFolder, get, metric, wait_until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tapecast");

/// A NATS server, a feed and a gateway, all with these options; `None` if there is no NATS server.
fn feed_and_gateway(options: &[&str]) -> Option<(NatsServer, Program, Program)> {
    let nats = NatsServer::start();
    if nats.is_none() {
        eprintln!("skipped: there is no nats-server; `make .tools/bin/nats-server` fetches it");
    }
    let nats = nats?;
    let node = |role: &str| {
        let url = nats.url();
        let node = Program::start(
            &[PROGRAM],
            &[&["--nats", &url, "--role", role, "--workers", "1"], options].concat(),
            &[],
        );
        wait_until("the node to be ready", || get(node.address, "/readyz").0 == 200);
        node
    };
    let (feed, gateway) = (node("feed"), node("gateway"));
    wait_until("the nodes to know each other", || {
        [&feed, &gateway].iter().all(|node| metric(node.address, "tapecast_cluster_nodes ") == 2.0)
    });
    Some((nats, feed, gateway))
}

#[test]
fn the_sessions_of_a_key_are_limited_over_all_nodes() {
    let folder = TempFolder::new();
    let most = Entitlements { max_sessions: Some(2), ..Entitlements::default() };
    let key = GeneratedKey::new("desk", most, [3; 48]);
    std::fs::write(folder.file("keys"), &key.line).unwrap();
    let path = folder.file("keys").display().to_string();
    let Some((_nats, feed, gateway)) = feed_and_gateway(&["--keys", &path, "--symbols", "3"]) else { return };
    let authenticate = |node: &Program| {
        let mut client = Client::session(node.address);
        let answer =
            client.command(&json!({"action": "auth", "key": "desk", "secret": key.secret}).to_string());
        (answer["T"] == "success").then_some(client).ok_or(answer["code"].clone())
    };

    let first = authenticate(&feed).unwrap();
    let second = authenticate(&gateway).unwrap();
    for node in [&feed, &gateway] {
        wait_until("the limit to hold here", || authenticate(node).err() == Some(json!(406)));
    }
    drop(first);
    wait_until("a place to be free", || authenticate(&gateway).is_ok());
    drop(second);
}

#[test]
fn the_symbols_of_an_upstream_are_limited_over_all_nodes() {
    let origin = Server::start(|config| {
        config.symbols = 9;
        config.simulation.trades_per_second = 900.0;
    });
    let url = format!("ws://{}", origin.address);
    let options = ["--upstream", &url, "--upstream-symbols", "on-demand", "--upstream-max-symbols", "3"];
    let Some((_nats, feed, gateway)) = feed_and_gateway(&options) else { return };
    let assets: serde_json::Value = serde_json::from_str(&get(origin.address, "/v2/assets").1).unwrap();
    let symbol = |index: usize| assets[index]["symbol"].as_str().unwrap().to_owned();
    let subscribe = |node: &Program, symbols: &[String]| {
        let mut client = Client::session(node.address);
        let command = json!({"action": "subscribe", "trades": symbols, "x": {"heartbeat_ms": 1000}});
        let answer = client.command(&command.to_string());
        (client, answer["x"]["rejected"]["trades"].clone())
    };
    let receives = |client: &mut Client, wanted: &str| {
        while !client.next_objects().iter().any(|object| object["T"] == "t" && object["S"] == wanted) {}
    };

    let (mut at_feed, rejected) = subscribe(&feed, &[symbol(0), symbol(1)]);
    assert!(rejected.is_null(), "{rejected}");
    wait_until("the gateway to hear of two symbols", || {
        let status: serde_json::Value = serde_json::from_str(&get(gateway.address, "/status").1).unwrap();
        status["cluster"]["nodes"][0]["symbols"] == 2
    });
    let (mut at_gateway, rejected) = subscribe(&gateway, &[symbol(1), symbol(2), symbol(3)]);

    assert_eq!(rejected, json!([symbol(3)]), "three symbols of all nodes together");
    receives(&mut at_feed, &symbol(0));
    receives(&mut at_gateway, &symbol(1));
    receives(&mut at_gateway, &symbol(2));
    assert_eq!(metric(feed.address, "tapecast_upstream_symbols "), 3.0);
    assert_eq!(metric(feed.address, "tapecast_upstream_connects_total "), 1.0);
    assert_eq!(metric(gateway.address, "tapecast_upstream_connects_total "), 0.0);
}
