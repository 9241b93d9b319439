//! What the server describes is what it sends: `/openapi.json` and `/asyncapi.json` against answers
//! and frames of a real service.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/description.rs"]
mod description;
mod support;

use description::{Description, check};
use serde_json::Value;
use support::{Client, Server, get, wait_for};
use tapecast::source::Simulation;

fn description(server: &Server, path: &str) -> Description {
    let (status, body) = get(server.address, path);
    assert_eq!(status, 200, "{path}");
    Description::read(&body)
}

/// The place of the schema of this answer to a GET of this path.
fn schema_of_answer(openapi: &Description, path: &str, status: &str) -> String {
    let answer = &openapi.0["paths"][path]["get"]["responses"][status];
    let answer = match answer["$ref"].as_str() {
        Some(reference) => openapi.0.pointer(&reference[1..]).expect("a reference leads somewhere"),
        None => answer,
    };
    let schema = &answer["content"]["application/json"]["schema"]["$ref"];
    schema.as_str().unwrap_or_else(|| panic!("{path} describes {status}")).to_owned()
}

#[test]
fn every_described_endpoint_answers_as_described() {
    let server = Server::start(|_| {});
    let openapi = description(&server, "/openapi.json");
    wait_for("a first trade", || {
        (get(server.address, "/v2/stocks/NVDA/trades/latest").0 == 200).then_some(())
    });
    let paths: Vec<String> = openapi.0["paths"].as_object().unwrap().keys().cloned().collect();
    assert!(paths.len() >= 17, "{paths:?}");
    for path in paths {
        let asked = path.replace("{symbol}", "NVDA");
        let query = "symbols=NVDA,AAPL&timeframe=1Min&start=2020-01-01&limit=1500";

        let (status, body) = get(server.address, &format!("{asked}?{query}"));

        assert_eq!(status, 200, "{path}: {body}");
        let body = serde_json::from_str(&body).expect("an answer is JSON");
        check(&openapi.validator(&schema_of_answer(&openapi, &path, "200")), &body);
    }
}

#[test]
fn every_described_refusal_is_as_described() {
    let server = Server::start(|_| {});
    let openapi = description(&server, "/openapi.json");
    let mut refused = 0;
    for (path, described) in openapi.0["paths"].as_object().unwrap() {
        let asked = path.replace("{symbol}", "ZZZZZ");
        for expected in [400, 404] {
            if described["get"]["responses"].get(expected.to_string()).is_none() {
                continue;
            }
            let asked = if expected == 400 { path.replace("{symbol}", "NVDA") } else { asked.clone() };
            let (status, body) = get(server.address, &format!("{asked}?limit=0"));

            assert_eq!(status, expected, "{asked}: {body}");
            let body = serde_json::from_str(&body).expect("a refusal is JSON");
            check(&openapi.validator(&schema_of_answer(&openapi, path, &expected.to_string())), &body);
            refused += 1;
        }
    }
    assert!(refused >= 17, "{refused}");
}

#[test]
fn every_frame_of_a_session_is_as_described() {
    let server = Server::start(|config| {
        config.spans.bar_nanos = 300_000_000;
        config.simulation = Simulation::EVENTFUL;
    });
    let asyncapi = description(&server, "/asyncapi.json");
    let mut client = Client::connect(server.address, "/v2/iex");
    client.say(r#"{"action":"auth","key":"K","secret":"S"}"#);
    client.say(r#"{"action":"auth","key":"K","secret":"S"}"#);
    client.say(
        r#"{"action":"subscribe","trades":["*"],"quotes":["NVDA"],"bars":["*"],"dailyBars":["*"],
            "statuses":["*"],"lulds":["*"]}"#,
    );
    let mut missing = vec!["success", "error", "subscription", "t", "q", "b", "d", "s", "l"];
    let mut frames = Vec::new();
    while !missing.is_empty() {
        let objects = client.next_data();
        missing.retain(|wanted| objects.iter().all(|object| object["T"] != *wanted));
        frames.push(objects);
    }

    let payload = |message: &str| asyncapi.validator(&format!("#/components/messages/{message}/payload"));
    let controls = ["success", "error", "subscription"].map(|message| (message, payload(message)));
    let data = payload("data");
    for objects in frames {
        let control = controls.iter().find(|(kind, _)| objects[0]["T"] == *kind);
        check(control.map_or(&data, |(_, control)| control), &Value::Array(objects));
    }
}
