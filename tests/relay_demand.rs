//! Symbols on demand: a relay asks its upstream for what its clients want, and for no more than its plan gives.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::net::SocketAddr;

use serde_json::{Value, json};
use tapecast::relay::{UpstreamNumbers, UpstreamSettings, UpstreamSymbols};
use test_support::{Client, Server, get, upstream, wait_until};

const MOST: usize = 30;
const WANTED: usize = 60;
const CLIENTS: usize = 200;

/// A relay of this server that asks for at most [`MOST`] symbols.
fn relay(address: SocketAddr, numbers: UpstreamNumbers, most: usize) -> Server {
    let server = Server::start(|config| {
        let symbols = UpstreamSymbols::OnDemand;
        let settings =
            UpstreamSettings { rest: None, symbols, max_symbols: most, numbers, ..upstream(address) };
        config.upstreams = vec![settings.into()];
    });
    wait_until("the relay to be ready", || get(server.address, "/readyz").0 == 200);
    server
}

fn origin() -> Server {
    Server::start(|config| {
        config.symbols = WANTED;
        config.simulation.trades_per_second = 3_000.0;
    })
}

/// The symbols of this server.
fn symbols(server: &Server) -> Vec<String> {
    let assets: Value = serde_json::from_str(&get(server.address, "/v2/assets").1).unwrap();
    assets.as_array().unwrap().iter().map(|asset| asset["symbol"].as_str().unwrap().to_owned()).collect()
}

/// Subscribes to the trades of a symbol; says whether they are refused.
fn is_refused(client: &mut Client, symbol: &str) -> bool {
    let command = json!({"action": "subscribe", "trades": [symbol], "x": {"heartbeat_ms": 1000}});
    client.send_text(&command.to_string());
    let acknowledged = client.next_objects().remove(0);
    acknowledged["x"]["rejected"]["trades"] == json!([symbol])
}

fn wait_for_trade_of(client: &mut Client, symbol: &str) {
    loop {
        for object in client.next_objects() {
            if object["T"] == "t" {
                assert_eq!(object["S"], symbol);
                return;
            }
        }
    }
}

#[test]
fn clients_share_the_symbols_of_the_plan_over_one_connection_and_others_are_told() {
    for numbers in [UpstreamNumbers::Kept, UpstreamNumbers::Ignored] {
        let origin = origin();
        let relay = relay(origin.address, numbers, MOST);
        let symbols = symbols(&origin);

        let mut served = Vec::new();
        for index in 0..CLIENTS {
            let place = index % WANTED;
            let mut client = Client::session(relay.address);
            assert_eq!(is_refused(&mut client, &symbols[place]), place >= MOST, "symbol {place}");
            if place < MOST {
                served.push((client, place));
            }
        }
        let mut plain = Client::session(relay.address);
        plain.send_text(&json!({"action": "subscribe", "trades": [symbols[MOST]]}).to_string());
        assert_eq!(plain.next_objects()[0]["code"], 405);

        for (client, place) in &mut served {
            wait_for_trade_of(client, &symbols[*place]);
        }
        assert_eq!(origin.metric("tapecast_sessions{"), 1.0);
        assert_eq!(relay.metric("tapecast_upstream_symbols "), MOST as f64);
        wait_until("the refusals to be counted", || {
            relay.metric("tapecast_upstream_symbols_refused_total") == 91.0
        });
        assert_eq!(relay.metric("tapecast_upstream_refused_total"), 0.0);
    }
}

#[test]
fn what_an_upstream_refuses_is_shed_and_told_to_those_who_come_later() {
    let origin = Server::start(|config| {
        config.symbols = WANTED;
        config.simulation.trades_per_second = 3_000.0;
        // The bars of all and their updates and days, corrections and cancels aside; and five channels of three symbols.
        config.limits.symbols = 4 + 5 * 3;
    });
    let relay = relay(origin.address, UpstreamNumbers::Kept, MOST);
    let symbols = symbols(&origin);
    let mut clients = Vec::new();
    for symbol in &symbols[..3] {
        let mut client = Client::session(relay.address);
        assert!(!is_refused(&mut client, symbol));
        wait_for_trade_of(&mut client, symbol);
        clients.push(client);
    }

    let mut early = Client::session(relay.address);
    assert!(!is_refused(&mut early, &symbols[5]), "nobody knows yet");
    wait_until("the refusal", || relay.metric("tapecast_upstream_refused_total{code=\"405\"}") == 1.0);

    assert!(is_refused(&mut Client::session(relay.address), &symbols[5]));
    assert_eq!(relay.metric("tapecast_upstream_connects_total"), 1.0);
    wait_for_trade_of(&mut clients[0], &symbols[0]);
}
