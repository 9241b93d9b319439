//! The server sends what it describes: responses and frames against `/openapi.json` and `/asyncapi.json`.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use serde_json::{Value, json};
use tapecast::clock::ClockRate;
use tapecast::source::{ReplaySettings, ReplaySpeed, SimulationSettings};
use test_support::{
    Client, Description, EventStream, Server, Validator, assert_valid, exchange, get, get_with, wait_for,
    wait_until,
};

fn description(server: &Server, path: &str) -> Description {
    let (status, body) = get(server.address, path);
    assert_eq!(status, 200, "{path}");
    Description::parse(&body)
}

/// The JSON pointer to the schema of a response to a GET of this path.
fn response_schema(openapi: &Description, path: &str, status: &str) -> String {
    let response = &openapi.root()["paths"][path]["get"]["responses"][status];
    let response = match response["$ref"].as_str() {
        Some(reference) => openapi.root().pointer(&reference[1..]).expect("the reference resolves"),
        None => response,
    };
    let schema = &response["content"]["application/json"]["schema"]["$ref"];
    schema.as_str().unwrap_or_else(|| panic!("{path} describes no {status}")).to_owned()
}

/// A service that replays a recording.
fn replay() -> Server {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/lean/tick/ibm/20131007_trade.zip");
    let settings = ReplaySettings {
        speed: ReplaySpeed::Times(ClockRate::ONE),
        ..ReplaySettings::reproducible(vec![file.into()])
    };
    Server::start(|config| config.replay = Some(settings))
}

/// A service that makes faults.
fn faulty() -> Server {
    Server::start(|config| config.faults = Some("seed=1,late=0.5,drop=0.2".parse().unwrap()))
}

#[test]
fn every_endpoint_answers_as_described() {
    let server = Server::start(|_| {});
    let openapi = description(&server, "/openapi.json");
    wait_until("a first trade", || get(server.address, "/v2/stocks/NVDA/trades/latest").0 == 200);
    let described = openapi.root()["paths"].as_object().unwrap().iter();
    // A stream of events does not end.
    let described = described.filter(|(path, it)| it.get("get").is_some() && !path.ends_with("/events"));
    let paths: Vec<String> = described.map(|(path, _)| path.clone()).collect();
    assert!(paths.len() >= 31, "{paths:?}");
    for path in paths {
        let target = path.replace("{symbol}", "NVDA");
        let query = match path.starts_with("/udf/") {
            true => "symbol=NVDA&symbols=NVDA,ZZZZZ&resolution=1&from=0&to=4102444800&query=a",
            false => "symbols=NVDA,AAPL&timeframe=1Min&start=2020-01-01&limit=1500",
        };

        let (status, body) = match path.as_str() {
            // There is none of a simulated market.
            "/api/replay" => get(replay().address, &target),
            // Nor are there faults.
            "/faults" => {
                let server = faulty();
                let answer =
                    || Some(get(server.address, &target)).filter(|(_, body)| body.contains("\"n\":2"));
                wait_for("faults", answer)
            }
            _ => get(server.address, &format!("{target}?{query}")),
        };

        assert_eq!(status, 200, "{path}: {body}");
        let body = serde_json::from_str(&body).expect("the response is JSON");
        assert_valid(&openapi.validator(&response_schema(&openapi, &path, "200")), &body);
    }
}

#[test]
fn every_described_error_is_sent_as_described() {
    let server = Server::start(|_| {});
    let openapi = description(&server, "/openapi.json");
    let mut errors = 0;
    for (path, described) in openapi.root()["paths"].as_object().unwrap() {
        for expected in [400, 404] {
            if described["get"]["responses"].get(expected.to_string()).is_none() {
                continue;
            }
            let target = path.replace("{symbol}", if expected == 400 { "NVDA" } else { "ZZZZZ" });
            let target = target.replace("{feed}", if expected == 400 { "iex" } else { "nowhere" });
            let query = match expected {
                400 => "limit=1&limit=1",
                _ if path.starts_with("/udf/") => "symbol=ZZZZZ&resolution=1&from=0&to=1",
                _ => "",
            };
            let faulty = (path == "/faults" && expected == 400).then(faulty);
            let address = faulty.as_ref().map_or(server.address, |faulty| faulty.address);
            let (status, body) = get(address, &format!("{target}?{query}"));

            assert_eq!(status, expected, "{target}: {body}");
            let body = serde_json::from_str(&body).expect("the error is JSON");
            assert_valid(&openapi.validator(&response_schema(&openapi, path, &expected.to_string())), &body);
            errors += 1;
        }
    }
    assert!(errors >= 41, "{errors}");
}

/// The answer of the API of topics to this body.
fn call(server: &Server, path: &str, body: &Value) -> (String, Value) {
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let response = exchange(server.address, request.as_bytes());
    let (head, text) = response.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), serde_json::from_str(text).unwrap())
}

#[test]
fn the_api_of_topics_answers_as_described() {
    let server = Server::without_trades(|_| {});
    let openapi = description(&server, "/openapi.json");
    let all = json!({
        "channel": "chat:lobby", "channels": ["chat:lobby", "nowhere:x"], "data": 1, "offset": 1, "limit": 9,
        "name": "anna", "seconds": 9,
    });
    let none = json!({"channel": "nowhere:x", "channels": 1, "data": 1, "offset": 1});
    let described = openapi.root()["paths"].as_object().unwrap().iter();
    let of_topics = described.filter(|(path, it)| path.starts_with("/api/") && it.get("get").is_none());
    let mut paths: Vec<_> = of_topics.map(|(path, _)| path.as_str()).collect();
    paths.sort_by_key(|path| *path != "/api/publish");
    assert_eq!(paths.len(), 9);
    for path in paths {
        let post = &openapi.root()["paths"][path]["post"];
        let request = post["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str().unwrap();
        let described = &openapi.root().pointer(&request[1..]).unwrap()["properties"];
        let mut body = all.clone();
        body.as_object_mut().unwrap().retain(|field, _| described.get(field).is_some());
        assert_valid(&openapi.validator(request), &body);
        let answers = &post["responses"]["200"]["content"]["application/json"];
        let validator = openapi.validator(answers["schema"]["$ref"].as_str().unwrap());
        for (body, key) in [(&body, "result"), (&none, "error")] {
            let (status, answer) = call(&server, path, body);
            assert_eq!(
                (status.as_str(), answer.get(key).is_some()),
                ("HTTP/1.1 200 OK", true),
                "{path}: {answer}"
            );
            assert_valid(&validator, &answer);
        }
    }
}

#[test]
fn exactly_the_described_timeframes_and_symbols_are_accepted() {
    let server = Server::without_trades(|_| {});
    let openapi = description(&server, "/openapi.json");
    let timeframe = openapi.validator("#/components/parameters/timeframe/schema");
    let symbols = openapi.validator("#/components/parameters/symbols/schema");
    let status = |query: &str| get(server.address, &format!("/v2/stocks/bars?{query}")).0;
    let counts =
        ["", "0", "1", "2", "3", "4", "5", "6", "9", "12", "13", "23", "24", "59", "60", "100", "01", "-1"];
    let units = [
        "Sec", "sec", "S", "SEC", "s", "Min", "min", "T", "t", "Hour", "hour", "H", "Day", "day", "D",
        "Week", "week", "W", "Month", "month", "M", "m", "Year", "",
    ];
    for text in counts.iter().flat_map(|count| units.map(|unit| format!("{count}{unit}"))) {
        let expected = if timeframe.is_valid(&json!(text)) { 200 } else { 400 };
        assert_eq!(status(&format!("symbols=AAPL&timeframe={text}")), expected, "{text}");
    }
    for list in ["", "AAPL", "BRK.B", "A%20B", "A%22", "A%5C", "%C3%A4", "aapl", "1234567890123456789012345"]
    {
        let decoded =
            list.replace("%20", " ").replace("%22", "\"").replace("%5C", "\\").replace("%C3%A4", "ä");
        let expected = if symbols.is_valid(&json!([decoded])) { 200 } else { 400 };
        assert_eq!(status(&format!("symbols={list}&timeframe=1Min")), expected, "{list}");
    }
}

#[test]
fn the_stream_is_described_at_the_address_of_the_request_and_echo_with_it() {
    let server = Server::without_trades(|_| {});

    let answer = get_with(server.address, "/asyncapi.json", "Host: tape.example:8443\r\n");
    let asyncapi: Value = serde_json::from_str(&answer.body).unwrap();

    assert_eq!(asyncapi["servers"]["plain"]["host"], "tape.example:8443");
    assert_eq!(asyncapi["channels"]["echo"]["address"], "/echo");
}

/// Validators of the stream's messages, by the value of the key `T`.
struct Messages {
    controls: Vec<(&'static str, Validator)>,
    data: Validator,
}

impl Messages {
    fn of(asyncapi: &Description) -> Self {
        let payload = |message: &str| asyncapi.validator(&format!("#/components/messages/{message}/payload"));
        let controls = [
            ("success", "success"),
            ("subscription", "subscription"),
            ("error", "error"),
            ("gap", "gap"),
            ("h", "heartbeat"),
            ("feed", "feedNotice"),
            ("epoch", "epochNotice"),
            ("expiry", "expiry"),
            ("drain", "drain"),
            ("alerts", "alerts"),
            ("a", "alert"),
        ];
        let controls = controls.into_iter().map(|(kind, message)| (kind, payload(message))).collect();
        Self { controls, data: payload("data") }
    }

    /// Validates all frames until each of these features was seen: a value of `T`, or a key of an object.
    fn check_until_seen(&self, client: &mut Client, mut missing: Vec<&str>) {
        while !missing.is_empty() {
            self.check(&client.next_objects(), &mut missing);
        }
    }

    /// Validates the objects of a frame, and removes what they are or have from what is missing.
    fn check(&self, objects: &[Value], missing: &mut Vec<&str>) {
        missing.retain(|feature| {
            objects.iter().all(|object| object["T"] != *feature && object.get(feature).is_none())
        });
        let control = self.controls.iter().find(|(kind, _)| objects[0]["T"] == *kind);
        assert_valid(control.map_or(&self.data, |(_, control)| control), &Value::from(objects));
    }
}

#[test]
fn every_kind_of_object_is_as_described() {
    let server = Server::start(|config| {
        config.spans.bar_nanos = 300_000_000;
        config.simulation = SimulationSettings::EVENTFUL;
    });
    let messages = Messages::of(&description(&server, "/asyncapi.json"));
    let channels = r#""trades":["*"],"quotes":["*"],"bars":["*"],"updatedBars":["*"],"dailyBars":["*"],
        "statuses":["*"],"lulds":["*"]"#;

    let mut sdk = Client::connect(server.address, "/v2/iex");
    sdk.send_text(&format!(r#"{{"action":"subscribe",{channels}}}"#));
    let kinds = vec!["success", "subscription", "t", "q", "b", "u", "d", "s", "l", "c", "x"];
    messages.check_until_seen(&mut sdk, kinds);

    let mut extended = Client::connect(server.address, "/v2/iex");
    let x = r#"{"id":"one","snapshot":true,"conflate_ms":250}"#;
    extended.send_text(&format!(r#"{{"action":"subscribe",{channels},"tickers":["*"],"x":{x}}}"#));
    messages.check_until_seen(&mut extended, vec!["subscription", "t", "q", "k", "sn", "cf"]);

    let mut board = Client::connect(server.address, "/v2/iex");
    let x = r#"{"delta":true,"fields":{"tickers":["p","zz"]},"conflate_ms":100}"#;
    board.send_text(&format!(r#"{{"action":"subscribe","tickers":["*"],"x":{x}}}"#));
    messages.check_until_seen(&mut board, vec!["success", "subscription", "full", "cf"]);
}

#[test]
fn an_event_stream_is_as_described() {
    let mut server = Server::start(|config| config.simulation.trades_per_second = 2_000.0);
    let asyncapi = description(&server, "/asyncapi.json");
    let messages = Messages::of(&asyncapi);
    let named = |name: &str| asyncapi.validator(&format!("#/components/messages/{name}/payload"));
    let path = "/v2/iex/events?trades=*&quotes=*&topics=chat:lobby|news:*&heartbeat_ms=100";
    let mut stream = EventStream::open(server.address, path, "Last-Event-ID: -\r\n");

    let mut is_stopping = false;
    let mut missing = vec!["reset", "success", "subscription", "t", "q", "sn", "h", "drain", "close"];
    while let Some(event) = stream.next_event() {
        match &*event.name {
            "message" => messages.check(event.json().as_array().unwrap(), &mut missing),
            name => {
                assert_valid(&named(name), &event.json());
                missing.retain(|feature| *feature != name);
            }
        }
        if missing == ["drain", "close"] && !std::mem::replace(&mut is_stopping, true) {
            server.begin_shutdown();
        }
    }
    assert_eq!(missing, [""; 0]);
}

#[test]
fn price_alerts_are_as_described() {
    let server = Server::start(|config| config.simulation.trades_per_second = 2_000.0);
    let asyncapi = description(&server, "/asyncapi.json");
    let messages = Messages::of(&asyncapi);
    let mut client = Client::connect(server.address, "/v2/iex");
    let command = |schema: &str, command: &Value, client: &mut Client| {
        assert_valid(&asyncapi.validator(&format!("#/components/schemas/{schema}")), command);
        client.send_text(&command.to_string());
    };
    wait_until("a first trade", || get(server.address, "/v2/stocks/AAPL/trades/latest").0 == 200);
    // Around the price by less than it moves between two trades.
    let (_, latest) = get(server.address, "/v2/stocks/AAPL/snapshot");
    let latest: Value = serde_json::from_str(&latest).unwrap();
    let price = latest["latestTrade"]["p"].as_f64().unwrap();
    for (number, cents) in (-8..=8).enumerate() {
        let when = format!("p{}{:.2}", [">=", "<="][number % 2], price + f64::from(cents) / 100.0);
        let x = json!({"id": number, "since": {"epoch": "another", "sq": 7}});
        let alert = json!({"action": "alert", "S": "AAPL", "id": format!("a{number}"), "when": when, "once": false, "x": x});
        command("AlertCommand", &alert, &mut client);
    }
    messages.check_until_seen(&mut client, vec!["success", "alerts", "gap", "a"]);
    command("Unalert", &json!({"action": "unalert", "ids": ["*"], "x": {"id": "end"}}), &mut client);
    client.send_text(r#"{"action":"alert","S":"AAPL","id":"a","when":"never"}"#);
    messages.check_until_seen(&mut client, vec!["error"]);
}

#[test]
fn every_command_and_control_message_is_as_described() {
    let mut server = Server::start(|config| config.simulation.trades_per_second = 0.0);
    let asyncapi = description(&server, "/asyncapi.json");
    let messages = Messages::of(&asyncapi);
    let mut client = Client::connect(server.address, "/v2/iex");
    let auth = json!({"action": "auth", "key": "K", "secret": "S"});
    let subscribe = json!({
        "action": "subscribe", "trades": ["*", "NONE"], "quotes": ["AAPL"], "bars": null, "tickers": ["AAPL"],
        "x": {
            "id": 7, "conflate_ms": 250, "snapshot": true, "heartbeat_ms": 100, "delta": true,
            "fields": {"tickers": ["p", "bp", "-t"]},
            "resume": {"epoch": "another", "sq": {"quotes": {"AAPL": 8841}}},
        },
    });
    let unsubscribe = json!({"action": "unsubscribe", "tickers": ["AAPL"]});

    for (schema, command, answers) in [
        ("Auth", auth, vec!["success"]),
        ("Subscribe", subscribe, vec!["subscription", "gap", "h"]),
        ("Unsubscribe", unsubscribe, vec!["subscription"]),
    ] {
        assert_valid(&asyncapi.validator(&format!("#/components/schemas/{schema}")), &command);
        client.send_text(&command.to_string());
        messages.check_until_seen(&mut client, answers);
    }
    client.send_text(r#"{"action":"auth","key":"K","secret":"S"}"#);
    messages.check_until_seen(&mut client, vec!["error"]);
    server.begin_shutdown();
    messages.check_until_seen(&mut client, vec!["drain"]);
}

#[test]
#[cfg(feature = "jwt")]
fn the_notice_of_a_token_that_ends_is_as_described() {
    use test_support::{TempFolder, TokenSigner};
    let (folder, secret) = (TempFolder::new(), [7; 32]);
    std::fs::write(folder.file("secret"), secret).unwrap();
    let (keys, secret_file) = (None, Some(folder.file("secret")));
    let rules = tapecast::auth::jwt::TokenRules::default();
    let tokens = tapecast::config::TokenConfig { keys, secret: secret_file, rules };
    let server = Server::without_trades(|config| config.access.tokens = Some(tokens));
    let asyncapi = description(&server, "/asyncapi.json");
    let command = json!({"action": "auth", "token": TokenSigner::hs256(&secret).token_of("anna", 3)});
    assert_valid(&asyncapi.validator("#/components/schemas/Auth"), &command);
    let mut client = Client::connect(server.address, "/v2/iex");

    client.send_text(&command.to_string());
    client.send_text(r#"{"action":"subscribe","x":{}}"#);

    Messages::of(&asyncapi).check_until_seen(&mut client, vec!["success", "subscription", "expiry", "error"]);
}
