//! The protocol extensions that a client opts in to with `x`, and MessagePack.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};

use rmpv::Value as Packed;
use serde_json::{Value, json};
use tapecast::hub::MaxDelay;
use test_support::{Client, DEADLINE, SequenceLedger, Server, wait_until};

fn subscribe(client: &mut Client, command: Value) -> Value {
    client.command(&command.to_string())
}

/// Reads data until `is_enough` is true, and checks every sequence number.
fn read(
    client: &mut Client,
    ledger: &mut SequenceLedger,
    mut is_enough: impl FnMut(&SequenceLedger, &[Value]) -> bool,
) {
    loop {
        let objects = client.next_objects();
        ledger.record(&objects);
        if is_enough(ledger, &objects) {
            return;
        }
    }
}

#[test]
fn messagepack_is_negotiated_by_header_or_query_and_used_in_both_directions() {
    let server = Server::start(|_| {});
    let header = "Content-Type: application/msgpack\r\n";
    let mut by_header = Client::connect_with(server.address, "/v2/iex", header);
    let mut by_query = Client::connect(server.address, "/v2/iex?codec=msgpack");

    for client in [&mut by_header, &mut by_query] {
        let command = json!({ "action": "subscribe", "trades": ["AAPL"], "quotes": ["*"] });
        client.send_frame(0x02, &rmp_serde::to_vec_named(&command).unwrap());
        client.send_frame(0x80, b"");
        let mut seen = Vec::new();
        while !["success", "subscription", "t", "q"].iter().all(|kind| seen.iter().any(|seen| seen == kind)) {
            let frame = client.next_frame().unwrap();
            assert_eq!(frame.opcode, 2);
            let Packed::Array(objects) = rmpv::decode::read_value(&mut &frame.payload[..]).unwrap() else {
                panic!("no array")
            };
            for object in &objects {
                let fields = object.as_map().unwrap();
                assert_eq!(fields[0].0.as_str(), Some("T"));
                seen.push(fields[0].1.as_str().unwrap().to_owned());
                let time = fields.iter().find(|(key, _)| key.as_str() == Some("t"));
                assert!(
                    time.is_none_or(|(_, value)| matches!(value, Packed::Ext(-1, bytes) if bytes.len() <= 8))
                );
            }
        }
    }
}

#[test]
fn a_snapshot_follows_the_acknowledgement_and_precedes_live_objects() {
    let server = Server::start(|_| {});
    let mut client = Client::session(server.address);
    client.send_text(r#"{"action":"subscribe","quotes":["*"]}"#);
    read(&mut client, &mut SequenceLedger::default(), |ledger, _| ledger.objects > 500);

    let command =
        json!({ "action": "subscribe", "tickers": ["AAPL", "MSFT"], "x": { "id": "a", "snapshot": true } });
    let ack = subscribe(&mut client, command);

    assert_eq!((ack["x"]["id"].as_str(), &ack["tickers"]), (Some("a"), &json!(["AAPL", "MSFT"])));
    let mut tickers = Vec::new();
    read(&mut client, &mut SequenceLedger::default(), |_, objects| {
        tickers.extend(objects.iter().filter(|object| object["T"] == "k").cloned());
        tickers.len() > 10
    });
    let first: Vec<_> = tickers.iter().map(|ticker| ticker["sn"] == true).collect();
    assert_eq!(first[..3], [true, true, false]);
    for key in ["p", "s", "bp", "bs", "ap", "as", "o", "h", "l", "pc", "v", "n", "vw", "sq", "t"] {
        assert!(!tickers[0][key].is_null(), "{key}");
    }
}

/// With one worker the feed calls the hub; with several it sends messages to hubs that have their own clocks.
const WORKERS: [usize; 2] = [1, 2];

#[test]
fn with_conflate_ms_quotes_are_conflated_and_counted_and_every_trade_is_delivered() {
    WORKERS.into_iter().for_each(check_conflation);
}

fn check_conflation(workers: usize) {
    let server = Server::start(|config| config.workers = workers);
    let mut client = Client::session(server.address);
    let x = json!({ "conflate_ms": 100 });
    let ack =
        subscribe(&mut client, json!({ "action": "subscribe", "trades": ["*"], "quotes": ["*"], "x": x }));
    assert_eq!(ack["x"]["conflate_ms"], 100);

    let (mut ledger, mut frames) = (SequenceLedger::default(), 0);
    read(&mut client, &mut ledger, |ledger, _| {
        frames += 1;
        ledger.objects > 2_000
    });
    assert!(ledger.conflated > 0 && ledger.objects / frames > 20, "{} in {frames}", ledger.objects);

    client.send_text(r#"{"action":"subscribe","x":{"conflate_ms":0}}"#);
    read(&mut client, &mut ledger, |_, objects| objects[0]["x"]["conflate_ms"] == 0);
    let conflated = ledger.conflated;
    read(&mut client, &mut ledger, |ledger, _| ledger.objects > 6_000);
    assert_eq!(ledger.conflated, conflated, "every quote is delivered again");
}

#[test]
fn a_resumed_session_misses_no_object_and_repeats_none() {
    let server = Server::start(|_| {});
    let (mut ledger, mut epoch) = (SequenceLedger::default(), String::new());

    for round in 1..=5 {
        let mut client = Client::session(server.address);
        let resume = json!({ "epoch": epoch, "sq": ledger.resume_positions() });
        let x = if round == 1 { json!({ "id": 1 }) } else { json!({ "resume": resume }) };
        let command =
            json!({ "action": "subscribe", "trades": ["AAPL", "TSLA"], "quotes": ["MSFT"], "x": x });
        let ack = subscribe(&mut client, command);
        epoch = ack["x"]["epoch"].as_str().unwrap().to_owned();
        read(&mut client, &mut ledger, |ledger, _| ledger.objects > round * 150);
    }

    assert_eq!((ledger.gaps, ledger.conflated), (0, 0));
}

#[test]
fn what_resumes_is_not_part_of_a_snapshot_of_all_symbols() {
    for interval_ms in [0, 100] {
        let server = Server::start(|_| {});
        let mut client = Client::session(server.address);
        let command = json!({ "action": "subscribe", "quotes": ["AAPL"], "x": { "snapshot": true } });
        let epoch = subscribe(&mut client, command)["x"]["epoch"].clone();
        let mut newest = 0;
        read(&mut client, &mut SequenceLedger::default(), |_, objects| {
            newest = objects.last().unwrap()["sq"].as_u64().unwrap();
            newest > 20
        });
        drop(client);

        let resume = json!({ "epoch": epoch, "sq": { "quotes": { "AAPL": newest - 10 } } });
        let x = json!({ "resume": resume, "snapshot": true, "conflate_ms": interval_ms });
        let mut again = Client::session(server.address);
        subscribe(&mut again, json!({ "action": "subscribe", "quotes": ["*"], "x": x }));

        let mut first = None;
        read(&mut again, &mut SequenceLedger::default(), |_, objects| {
            first = first.take().or_else(|| objects.iter().find(|object| object["S"] == "AAPL").cloned());
            first.is_some()
        });
        let first = first.unwrap();
        let merged = first["cf"].as_u64().unwrap_or(0);
        assert_eq!(first["sq"].as_u64().unwrap() - merged, newest - 9, "{first}");
        assert!(first["sn"].is_null(), "{first}");
    }
}

#[test]
fn objects_past_retention_or_of_another_epoch_are_announced_as_a_gap() {
    let server = Server::start(|config| config.retention.trades = 50);
    let mut client = Client::session(server.address);
    let ack = subscribe(&mut client, json!({ "action": "subscribe", "trades": ["AAPL"], "x": {} }));
    let epoch = ack["x"]["epoch"].as_str().unwrap().to_owned();
    read(&mut client, &mut SequenceLedger::default(), |_, objects| objects[0]["sq"].as_u64() > Some(200));

    for (epoch, expected) in [(epoch.as_str(), 2), ("other", 1)] {
        let mut client = Client::session(server.address);
        let resume = json!({ "epoch": epoch, "sq": { "trades": { "AAPL": 1 } } });
        let command = json!({ "action": "subscribe", "trades": ["AAPL"], "x": { "resume": resume } });
        subscribe(&mut client, command);

        let gap = client.next_objects();
        assert_eq!((gap[0]["T"].as_str(), gap[0]["from"].as_u64()), (Some("gap"), Some(expected)));
        let after = client.next_objects();
        assert_eq!(after[0]["sq"].as_u64(), gap[0]["to"].as_u64().map(|to| to + 1));
    }
}

/// Two replicas start in the same second, and a server that is killed starts again within one.
#[test]
fn servers_that_start_together_have_different_epochs() {
    let epochs = [(); 2].map(|()| {
        let server = Server::start(|_| {});
        let mut client = Client::session(server.address);
        let ack = subscribe(&mut client, json!({ "action": "subscribe", "x": {} }));
        ack["x"]["epoch"].as_str().unwrap().to_owned()
    });

    assert_ne!(epochs[0], epochs[1]);
    for epoch in &epochs {
        assert!(epoch.len() <= 13 && epoch.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z')));
    }
}

#[test]
fn a_number_that_was_never_given_is_answered_with_the_newest_and_live_objects_follow_it() {
    WORKERS.into_iter().for_each(check_impossible_numbers);
}

fn check_impossible_numbers(workers: usize) {
    let server = Server::start(|config| config.workers = workers);
    let mut client = Client::session(server.address);
    let ack = subscribe(&mut client, json!({ "action": "subscribe", "x": {} }));
    let channels = ["trades", "quotes", "tickers", "dailyBars", "statuses"];
    let impossible = json!({ "AAPL": 1_000_000_000_000_u64 });
    let (mut command, mut sq) = (json!({ "action": "subscribe" }), json!({}));
    for channel in channels {
        (command[channel], sq[channel]) = (json!(["AAPL"]), impossible.clone());
    }
    command["x"] = json!({ "resume": { "epoch": ack["x"]["epoch"], "sq": sq } });

    client.send_text(&command.to_string());

    let mut last = std::collections::BTreeMap::new();
    let kinds = [("t", "trades"), ("q", "quotes"), ("k", "tickers"), ("d", "dailyBars"), ("s", "statuses")];
    let mut live = std::collections::BTreeSet::new();
    while !["trades", "quotes", "tickers"].iter().all(|channel| live.contains(channel)) {
        for object in client.next_objects() {
            let kind = object["T"].as_str().unwrap();
            if kind == "gap" {
                assert_eq!(object["from"], 1);
                last.insert(object["ch"].as_str().unwrap().to_owned(), object["to"].as_u64().unwrap());
            } else if let Some((_, channel)) = kinds.iter().find(|(letter, _)| *letter == kind) {
                let sq = object["sq"].as_u64().unwrap();
                let before = last.insert((*channel).to_owned(), sq).expect("a gap comes first");
                assert_eq!(sq, before + 1 + object["cf"].as_u64().unwrap_or(0), "{object}");
                live.insert(*channel);
            }
        }
    }
    assert!(channels.iter().all(|channel| last.contains_key(*channel)), "{last:?}");
}

#[test]
fn in_a_quiet_market_only_heartbeats_are_sent() {
    WORKERS.into_iter().for_each(check_heartbeats);
}

fn check_heartbeats(workers: usize) {
    let server = Server::start(|config| {
        config.workers = workers;
        config.simulation =
            tapecast::source::SimulationSettings { trades_per_second: 0.0, ..config.simulation }
    });
    let mut client = Client::session(server.address);
    subscribe(&mut client, json!({ "action": "subscribe", "trades": ["*"], "x": { "heartbeat_ms": 100 } }));

    let heartbeats: Vec<_> = (0..3).map(|_| client.next_objects()).collect();

    let ages: Vec<_> = heartbeats.iter().map(|heartbeat| heartbeat[0]["age_ms"].as_u64().unwrap()).collect();
    assert!(heartbeats.iter().all(|heartbeat| heartbeat.len() == 1
        && heartbeat[0]["T"] == "h"
        && heartbeat[0]["epoch"].is_string()));
    assert!(ages.is_sorted(), "{ages:?}");
}

#[test]
fn a_heartbeat_follows_the_last_snapshot_of_a_command() {
    for workers in WORKERS {
        let server = Server::start(|config| config.workers = workers);
        let mut client = Client::session(server.address);
        let x = json!({ "snapshot": true, "heartbeat_ms": 60_000 });
        subscribe(&mut client, json!({ "action": "subscribe", "tickers": ["*"], "x": x }));

        let mut snapshots = 0;
        loop {
            let objects = client.next_objects();
            if objects[0]["T"] == "h" {
                break;
            }
            snapshots += objects.iter().filter(|object| object["sn"] == true).count();
        }

        assert_eq!(snapshots, tapecast::config::Config::default().symbols);
    }
}

#[test]
fn max_delay_coalesces_trades_into_fewer_frames_without_losing_any() {
    for workers in WORKERS {
        let server = Server::start(|config| {
            config.workers = workers;
            config.max_delay = MaxDelay::Fixed(std::time::Duration::from_millis(20));
            config.simulation.trades_per_second = 2_000.0;
        });
        let mut client = Client::session(server.address);
        subscribe(&mut client, json!({ "action": "subscribe", "trades": ["*"] }));

        let (mut ledger, mut frames) = (SequenceLedger::default(), 0);
        read(&mut client, &mut ledger, |ledger, _| {
            frames += 1;
            ledger.objects > 1_000
        });

        assert!(ledger.objects / frames > 5, "{} in {frames}", ledger.objects);
    }
}

#[test]
fn unknown_symbols_are_named_only_to_sessions_that_opted_in() {
    let server = Server::start(|_| {});
    let mut client = Client::session(server.address);

    let plain = subscribe(&mut client, json!({ "action": "subscribe", "trades": ["ZZZZ"] }));
    let opted_in =
        subscribe(&mut client, json!({ "action": "subscribe", "quotes": ["ZZZZ", "AAPL"], "x": {} }));

    assert!(plain.get("x").is_none() && plain.get("tickers").is_none());
    assert_eq!(opted_in["x"]["rejected"], json!({ "quotes": ["ZZZZ"] }));
}

#[test]
fn an_error_says_what_was_wrong_in_either_codec() {
    let server = Server::start(|_| {});
    let mut by_json = Client::session(server.address);
    let mut by_messagepack = Client::connect(server.address, "/v2/iex?codec=msgpack");
    by_messagepack.next_frame().unwrap();
    let command = json!({ "action": "subscribe", "trades": "AAPL" });

    let error = by_json.command(&command.to_string());
    by_messagepack.send_frame(0x82, &rmp_serde::to_vec_named(&command).unwrap());
    let frame = by_messagepack.next_frame().unwrap();

    assert_eq!((error["code"].as_u64(), error["msg"].as_str()), (Some(400), Some("invalid syntax")));
    assert!(error["why"].as_str().unwrap().contains("`trades`"), "{error}");
    let same: Value = rmp_serde::from_slice(&frame.payload).unwrap();
    assert_eq!(same[0], error);
}

#[test]
fn a_slow_session_that_opted_in_gets_a_gap_and_continues() {
    let server = Server::start(|config| {
        config.simulation.trades_per_second = 50_000.0;
        config.outbox.end_above = 100_000;
        config.liveness.stall = DEADLINE;
    });
    let mut client = Client::session(server.address);
    client.send_text(r#"{"action":"subscribe","trades":["*"],"x":{}}"#);
    wait_until("the outbox to overflow", || server.metric("tapecast_outbox_overflows_total") > 0.0);

    let mut ledger = SequenceLedger::default();
    read(&mut client, &mut ledger, |ledger, _| ledger.gaps > 0);
    let before = ledger.objects;
    read(&mut client, &mut ledger, |ledger, _| ledger.objects > before + 1_000);
}

#[test]
fn on_shutdown_sessions_that_opted_in_get_a_reconnect_delay() {
    let mut server = Server::start(|_| {});
    let mut clients: Vec<_> = (0..5).map(|_| Client::session(server.address)).collect();
    clients.iter_mut().for_each(|client| {
        subscribe(client, json!({ "action": "subscribe", "x": {} }));
    });

    server.begin_shutdown();

    let mut delays: Vec<_> =
        clients.iter_mut().map(|client| client.next_objects()[0]["reconnect_ms"].as_u64().unwrap()).collect();
    delays.dedup();
    assert!(delays.len() > 1, "the delays are spread: {delays:?}");
    assert!(clients.iter_mut().all(|client| client.read_to_close().0 == Some(1012)));
}

/// The fields of a ticker object, in the form of JSON.
type Ticker = serde_json::Map<String, Value>;

/// Puts together the tickers of a session with `delta`; returns how many objects were whole, and how many changes.
fn put_together(boards: &mut BTreeMap<String, Ticker>, objects: &[Value]) -> (usize, usize) {
    let (mut whole, mut changes) = (0, 0);
    for object in objects.iter().filter(|object| object["T"] == "k") {
        let mut object = object.as_object().unwrap().clone();
        let symbol = object["S"].as_str().unwrap().to_owned();
        object.remove("cf");
        object.remove("sn");
        if object.remove("full").is_some() {
            whole += 1;
            boards.insert(symbol, object);
        } else {
            changes += 1;
            boards.get_mut(&symbol).expect("the first object is whole").extend(object);
        }
    }
    (whole, changes)
}

#[test]
fn fields_and_delta_are_granted_and_what_cannot_be_selected_is_rejected() {
    let server = Server::start(|_| {});
    let mut client = Client::session(server.address);
    let fields = json!({ "tickers": ["p", "bp", "zz"], "trades": ["p"] });

    let ack = subscribe(
        &mut client,
        json!({ "action": "subscribe", "tickers": ["*"], "x": { "fields": fields, "delta": true } }),
    );

    assert_eq!((&ack["x"]["fields"], &ack["x"]["delta"]), (&json!({ "tickers": ["p", "bp"] }), &json!(true)));
    assert_eq!(ack["x"]["rejected"], json!({ "fields": { "tickers": ["zz"], "trades": ["p"] } }));
    let (mut boards, mut ledger, mut changes) = (BTreeMap::new(), SequenceLedger::default(), 0);
    read(&mut client, &mut ledger, |_, objects| {
        changes += put_together(&mut boards, objects).1;
        changes > 500
    });
    for board in boards.values() {
        assert!(board.keys().all(|key| ["T", "S", "p", "bp", "t", "sq"].contains(&&**key)), "{board:?}");
        assert_eq!(board.len(), 6);
    }

    client.send_text(r#"{"action":"subscribe","x":{"fields":null,"delta":1}}"#);
    read(&mut client, &mut ledger, |_, objects| {
        let x = &objects[0]["x"];
        if x.is_null() {
            return false;
        }
        assert_eq!((&x["fields"], &x["delta"]), (&Value::Null, &json!(true)));
        assert_eq!(x["rejected"], json!({ "x": ["delta"] }));
        true
    });
    boards.clear();
    read(&mut client, &mut ledger, |_, objects| put_together(&mut boards, objects).1 > 0);
    assert!(boards.values().all(|board| board.len() == 17), "all fields, with T, S, t and sq");
}

#[test]
fn tickers_put_together_of_changes_are_those_of_a_session_without_delta() {
    for (workers, conflate_ms) in [(1, 0), (1, 50), (2, 50)] {
        let server = Server::start(|config| config.workers = workers);
        let (mut plain, mut board) = (Client::session(server.address), Client::session(server.address));
        subscribe(&mut plain, json!({ "action": "subscribe", "tickers": ["*"], "x": {} }));
        let x = json!({ "delta": true, "conflate_ms": conflate_ms });
        subscribe(&mut board, json!({ "action": "subscribe", "tickers": ["*"], "x": x }));

        let is_enough = AtomicBool::new(false);
        let key = |object: &Ticker| (object["S"].to_string(), object["sq"].as_u64().unwrap());
        let (put, whole) = std::thread::scope(|scope| {
            let whole = scope.spawn(|| {
                let mut whole = HashMap::new();
                read(&mut plain, &mut SequenceLedger::default(), |_, objects| {
                    for object in objects.iter().filter(|object| object["T"] == "k") {
                        let mut object = object.as_object().unwrap().clone();
                        object.remove("cf");
                        whole.insert(key(&object), object);
                    }
                    is_enough.load(Ordering::Relaxed)
                });
                whole
            });
            let (mut boards, mut put, mut changes) = (BTreeMap::new(), HashMap::new(), 0);
            read(&mut board, &mut SequenceLedger::default(), |_, objects| {
                changes += put_together(&mut boards, objects).1;
                let seen = objects.iter().filter(|object| object["T"] == "k");
                let seen = seen.map(|object| &boards[object["S"].as_str().unwrap()]);
                put.extend(seen.map(|object| (key(object), object.clone())));
                changes > 3_000
            });
            is_enough.store(true, Ordering::Relaxed);
            (put, whole.join().unwrap())
        });

        let both: Vec<_> = put.iter().filter_map(|(key, put)| Some((put, whole.get(key)?))).collect();
        assert!(both.len() > 500, "{} of {} are comparable", both.len(), put.len());
        both.into_iter().for_each(|(put, whole)| assert_eq!(put, whole));
    }
}

#[test]
fn messagepack_has_the_same_parts_of_tickers() {
    let server = Server::start(|_| {});
    let mut client = Client::connect(server.address, "/v2/iex?codec=msgpack");
    let x = json!({ "fields": { "tickers": ["p", "vw", "-t"] }, "delta": true, "conflate_ms": 20 });
    client.send_frame(
        0x82,
        &rmp_serde::to_vec_named(&json!({ "action": "subscribe", "tickers": ["*"], "x": x })).unwrap(),
    );

    let (mut whole, mut changes) = (0, 0);
    while changes < 300 {
        let frame = client.next_frame().unwrap();
        let Packed::Array(objects) = rmpv::decode::read_value(&mut &frame.payload[..]).unwrap() else {
            panic!("no array")
        };
        for object in &objects {
            let keys: Vec<_> =
                object.as_map().unwrap().iter().map(|(key, _)| key.as_str().unwrap()).collect();
            if object["T"].as_str() != Some("k") {
                continue;
            }
            let expected = ["T", "S", "p", "vw", "sq", "cf", "full"];
            assert!(keys.iter().all(|key| expected.contains(key)), "{keys:?}");
            if keys.contains(&"full") {
                assert_eq!(keys[..5], expected[..5]);
                whole += 1;
            } else {
                changes += 1;
            }
        }
    }
    assert!(whole > 1);
}
