//! Faults on purpose: what a client sees of them, and that `/faults` lists all of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tapecast::config::Config;
use test_support::{Client, SequenceLedger, Server, get, wait_until};

fn with_faults(faults: &'static str) -> impl FnOnce(&mut Config) {
    move |config| config.faults = Some(faults.parse().unwrap())
}

fn faults(server: &Server, since: u64) -> (Vec<Value>, u64) {
    let (status, body) = get(server.address, &format!("/faults?since={since}"));
    assert_eq!(status, 200, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    (body["faults"].as_array().unwrap().clone(), body["total"].as_u64().unwrap())
}

#[test]
fn without_faults_there_is_no_list_of_them() {
    let server = Server::without_trades(|_| {});

    assert_eq!(get(server.address, "/faults").0, 404);
}

/// The numbers of each stream that a client got of `frames` frames, in order.
fn numbers(client: &mut Client, frames: usize) -> BTreeMap<String, Vec<u64>> {
    let mut numbers = BTreeMap::<String, Vec<u64>>::new();
    for _ in 0..frames {
        for object in client.next_objects() {
            if object["T"] == "t" {
                let stream = format!("trades/{}", object["S"].as_str().unwrap());
                numbers.entry(stream).or_default().push(object["sq"].as_u64().unwrap());
            }
        }
    }
    numbers
}

#[test]
fn the_numbers_that_a_client_misses_are_those_that_are_listed() {
    for workers in [1, 2] {
        let server = Server::start(|config| {
            with_faults("drop=0.05")(config);
            config.workers = workers;
        });
        let mut client = Client::session(server.address);
        client.command(r#"{"action":"subscribe","trades":["*"]}"#);

        let received = numbers(&mut client, 1_000);

        let (faults, total) = faults(&server, 0);
        assert_eq!(faults.len() as u64, total);
        let listed: BTreeSet<(String, u64)> = faults
            .iter()
            .flat_map(|fault| fault["streams"].as_object().unwrap().iter())
            .flat_map(|(stream, range)| {
                let [first, last] = [&range[0], &range[1]].map(|end| end.as_u64().unwrap());
                (first..=last).map(|number| (stream.clone(), number))
            })
            .collect();
        let mut missed = 0;
        for (stream, numbers) in received {
            for pair in numbers.windows(2) {
                assert!(pair[0] < pair[1], "{stream} {pair:?}");
                for number in pair[0] + 1..pair[1] {
                    assert!(listed.contains(&(stream.clone(), number)), "{stream} {number}");
                    missed += 1;
                }
            }
        }
        assert!(missed > 0, "{workers} workers");
    }
}

#[test]
fn a_repeated_and_a_swapped_batch_reach_the_client_and_no_count_is_wrong() {
    for (spec, is_repeat) in [("repeat=0.05", true), ("swap=0.05", false)] {
        let server = Server::start(with_faults(spec));
        let mut client = Client::session(server.address);
        client.command(r#"{"action":"subscribe","trades":["*"],"quotes":["*"],"x":{"conflate_ms":5}}"#);

        let mut most_merged = 0;
        let mut numbers = BTreeMap::<String, Vec<u64>>::new();
        let is_fault = |pair: &[u64]| if is_repeat { pair[0] == pair[1] } else { pair[0] > pair[1] };
        wait_until("a batch that came twice or too late", || {
            for object in client.next_objects() {
                most_merged = most_merged.max(object["cf"].as_u64().unwrap_or(0));
                if object["T"] == "t" {
                    let stream = object["S"].as_str().unwrap().to_owned();
                    numbers.entry(stream).or_default().push(object["sq"].as_u64().unwrap());
                }
            }
            numbers.values().any(|numbers| numbers.windows(2).any(is_fault))
        });

        assert!(most_merged < 10_000, "{spec} {most_merged}");
    }
}

#[test]
fn a_line_ends_in_each_of_its_ways_and_the_list_names_the_session() {
    for (kind, code) in [
        ("cut", None),
        ("reset", None),
        ("close-1012", Some(1012)),
        ("close-1013", Some(1013)),
        ("error-406", Some(1013)),
        ("error-407", Some(1013)),
    ] {
        let spec: &'static str = Box::leak(format!("{kind}=100ms").into_boxed_str());
        let server = Server::without_trades(with_faults(spec));
        let mut client = Client::connect(server.address, "/v2/iex?userId=bot");

        let mut error = None;
        let ending = loop {
            match client.next_frame() {
                Some(frame) if frame.opcode == 8 => break frame.close_code(),
                Some(frame) => error = frame.json()[0]["code"].as_u64().or(error),
                None => break None,
            }
        };

        assert_eq!(ending, code, "{kind}");
        assert_eq!(
            error.map(|code| format!("error-{code}")),
            kind.starts_with("error").then(|| kind.to_owned())
        );
        let (faults, _) = faults(&server, 0);
        assert_eq!((&faults[0]["kind"], &faults[0]["layer"]), (&kind.into(), &"line".into()), "{faults:?}");
        assert_eq!((&faults[0]["session"], &faults[0]["userId"]), (&1.into(), &"bot".into()));
    }
}

#[test]
fn a_line_that_stalls_or_trickles_loses_nothing() {
    for spec in ["stall=1s", "trickle=500ms"] {
        let server = Server::start(|config| {
            with_faults(spec)(config);
            // What a stall holds back fits the outbox.
            config.simulation.trades_per_second = 200.0;
        });
        let mut client = Client::session(server.address);
        client.command(r#"{"action":"subscribe","trades":["*"]}"#);
        let mut ledger = SequenceLedger::default();

        let mut until = None;
        wait_until("a fault of the line, and what was held back meanwhile", || {
            ledger.record(&client.next_objects());
            if until.is_none() && faults(&server, 0).1 > 0 {
                until = Some(ledger.objects + 300);
            }
            until.is_some_and(|until| ledger.objects >= until)
        });
    }
}

#[test]
fn a_crossed_quote_and_a_late_trade_are_ordinary_data() {
    let server = Server::start(with_faults("crossed=0.02,late=0.02"));
    let mut client = Client::session(server.address);
    client.command(r#"{"action":"subscribe","quotes":["*"],"trades":["*"]}"#);

    let mut is_crossed = false;
    wait_until("a crossed quote", || {
        is_crossed |= client
            .next_objects()
            .iter()
            .any(|quote| quote["T"] == "q" && quote["bp"].as_f64().unwrap() > quote["ap"].as_f64().unwrap());
        is_crossed
    });
}
