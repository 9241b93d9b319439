//! The controls of a replay: `GET` and `POST /api/replay`.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use serde_json::{Value, json};
use tapecast::auth::{Entitlements, GeneratedKey, Network};
use tapecast::clock::ClockRate;
use tapecast::config::Config;
use tapecast::model::market_time;
use tapecast::source::{ReplaySettings, ReplaySpeed};
use test_support::{Client, DEADLINE, Server, TempFolder, exchange, get, get_with, post, request, wait_for};

const JSON: &str = "Content-Type: application/json\r\n";

fn settings() -> ReplaySettings {
    let file = |kind| format!("tests/data/lean/tick/ibm/20131007_{kind}.zip");
    let path = |kind| Path::new(env!("CARGO_MANIFEST_DIR")).join(file(kind));
    ReplaySettings {
        speed: ReplaySpeed::Times(ClockRate::ONE),
        from: market_time("2013-10-07T09:30"),
        until: market_time("2013-10-07T16:00"),
        ..ReplaySettings::reproducible(["trade", "quote"].map(path))
    }
}

fn serve(configure: impl FnOnce(&mut Config)) -> Server {
    Server::start(|config| {
        config.replay = Some(settings());
        configure(config);
    })
}

/// The status and the body of a POST.
fn control(address: SocketAddr, headers: &str, body: &str) -> (u16, Value) {
    let response = post(address, "/api/replay", headers, body);
    (response.status, response.json())
}

fn command(server: &Server, body: &Value) -> Value {
    let (status, answer) = control(server.address, JSON, &body.to_string());
    assert_eq!(status, 200, "{body}: {answer}");
    answer
}

#[test]
fn a_replay_is_paused_moved_and_sped_up_while_a_client_follows() {
    let server = serve(|_| {});
    let mut client = Client::session(server.address);
    client.command(r#"{"action":"subscribe","quotes":["IBM"],"x":{"id":1,"heartbeat_ms":100}}"#);
    let status: Value = serde_json::from_str(&get(server.address, "/api/replay").1).unwrap();
    assert_eq!(status["files"], json!(["20131007_trade.zip", "20131007_quote.zip"]));
    assert_eq!(
        (&status["state"], &status["speed"], &status["loop"]),
        (&"running".into(), &1.into(), &false.into())
    );
    assert_eq!(status["from"], "2013-10-07T13:30:00.000000000Z", "the time of --from");

    let paused = command(&server, &json!({ "pause": true }));
    assert_eq!(paused["state"], "paused");
    let mut next = |wanted: &str| {
        wait_for(wanted, || client.next_objects().into_iter().find(|object| object["T"] == *wanted))
    };
    assert_eq!(next("feed")["state"], "paused");
    let [first, second] = [next("h"), next("h")];
    assert_eq!((&first["t"], &first["age_ms"]), (&second["t"], &second["age_ms"]), "time stands still");

    // A seek in a pause is told, and shows the quote of its time.
    command(&server, &json!({ "seek": "2013-10-07T15:00:00-04:00" }));
    next("epoch");
    assert!(next("q")["t"].as_str().unwrap().starts_with("2013-10-07T18:59:"));

    let going_on = command(&server, &json!({ "pause": false }));
    assert_eq!(going_on["state"], "running");
    assert!(next("q")["t"].as_str().unwrap().starts_with("2013-10-07T19:00:"));
    command(&server, &json!({ "seek": "2013-10-07T13:30:01Z" }));
    next("epoch");
    assert!(next("q")["t"].as_str().unwrap().starts_with("2013-10-07T13:"), "back again");

    assert_eq!(command(&server, &json!({ "speed": "max" }))["speed"], "max");
    assert_eq!(
        wait_for("the end", || Some(next("feed")).filter(|notice| notice["state"] == "ended"))["source"],
        "replay"
    );
    let status: Value = serde_json::from_str(&get(server.address, "/api/replay").1).unwrap();
    assert_eq!((&status["state"], &status["passes"]), (&"ended".into(), &0.into()));
}

#[test]
fn a_command_that_means_nothing_is_refused() {
    let server = serve(|_| {});
    for (headers, body, expected) in [
        (JSON, r#"{"pause":"yes"}"#, 400),
        (JSON, "pause", 400),
        (JSON, r#"{"pause":true,"pause":false}"#, 400),
        (JSON, r#"{"speed":0}"#, 400),
        ("Content-Type: text/plain\r\n", r#"{"pause":true}"#, 400),
        ("", r#"{"pause":true}"#, 400),
        (JSON, r#"{"seek":"2013-10-07T13:29:59Z"}"#, 422),
        (JSON, r#"{"seek":"2013-10-07T20:00:00Z"}"#, 422),
    ] {
        let (status, answer) = control(server.address, headers, body);
        assert_eq!(status, expected, "{body}: {answer}");
        assert!(answer["message"].is_string(), "{answer}");
    }
    let long = format!("{{\"pause\":{}true}}", " ".repeat(2_000));
    assert_eq!(control(server.address, JSON, &long).0, 413);
    assert_eq!(request(server.address, "PUT", "/api/replay", "").header("allow"), Some("GET, HEAD, POST"));
    assert_eq!(request(server.address, "POST", "/v2/clock", "").status, 405);
    let status: Value = serde_json::from_str(&get(server.address, "/api/replay").1).unwrap();
    assert_eq!(status["state"], "running");
}

#[test]
fn without_a_replay_there_is_nothing_to_control() {
    let server = Server::without_trades(|_| {});

    assert_eq!(get(server.address, "/api/replay").0, 404);
    assert_eq!(control(server.address, JSON, r#"{"pause":true}"#).0, 404);
}

#[test]
fn only_a_key_that_may_controls_the_replay() {
    let folder = TempFolder::new();
    let may = GeneratedKey::new("may", Entitlements { control: true, ..Entitlements::default() }, [1; 48]);
    let may_not = GeneratedKey::new("may-not", Entitlements::default(), [2; 48]);
    let path = folder.file("keys");
    fs::write(&path, format!("{}\n{}\n", may.line, may_not.line)).unwrap();
    let server = serve(|config| config.access.keys = Some(path));
    let with =
        |id: &str, secret: &str| format!("{JSON}APCA-API-KEY-ID: {id}\r\nAPCA-API-SECRET-KEY: {secret}\r\n");
    let pause = r#"{"pause":true}"#;

    assert_eq!(control(server.address, JSON, pause).0, 401);
    assert_eq!(control(server.address, &with("may", "wrong"), pause).0, 403);
    assert_eq!(control(server.address, &with("may-not", &may_not.secret), pause).0, 403);
    assert_eq!(get(server.address, "/api/replay").0, 401);
    let seen = get_with(server.address, "/api/replay", &with("may-not", &may_not.secret));
    assert_eq!((seen.status, seen.body.contains("\"running\"")), (200, true), "{}", seen.body);

    let (status, answer) = control(server.address, &with("may", &may.secret), pause);
    assert_eq!((status, &answer["state"]), (200, &"paused".into()));
}

#[test]
fn a_page_of_another_origin_does_not_control_the_replay() {
    for origins in [tapecast::auth::AllowedOrigins::Any, tapecast::auth::AllowedOrigins::Own(Vec::new())] {
        let server = serve(|config| config.access.origins = origins);
        let port = server.address.port();
        for headers in [
            "Origin: https://evil.example\r\n".to_owned(),
            "Origin: null\r\n".to_owned(),
            format!("Host: evil.example:{port}\r\nOrigin: http://evil.example:{port}\r\n"),
        ] {
            let (status, answer) = control(server.address, &format!("{JSON}{headers}"), r#"{"pause":true}"#);
            assert_eq!(status, 403, "{headers}: {answer}");
        }
        // What a browser asks before it sends JSON to another origin.
        let preflight = "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n";
        let answer = request(server.address, "OPTIONS", "/api/replay", preflight);
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (405, None));

        let own = format!("{JSON}Host: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n");
        assert_eq!(control(server.address, &own, r#"{"pause":true}"#).0, 200);
    }
}

#[test]
fn without_keys_a_client_elsewhere_does_not_control_the_replay() {
    for proxies in [Vec::<Network>::new(), vec!["127.0.0.1".parse().unwrap()]] {
        let server = serve(|config| config.access.proxies = proxies.into());
        let forwarded = format!("{JSON}X-Forwarded-For: 192.0.2.7\r\n");

        assert_eq!(control(server.address, &forwarded, r#"{"pause":true}"#).0, 403);
        assert_eq!(control(server.address, JSON, r#"{"pause":true}"#).0, 200);
    }
}

#[test]
fn a_command_may_come_in_pieces_and_what_a_refusal_leaves_of_it_is_no_request() {
    let server = serve(|_| {});
    let head = |length: usize, headers: &str| {
        format!("POST /api/replay HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n")
    };
    let body = r#"{"pause":true}"#;
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    for piece in [&*head(body.len(), JSON), &body[..5], &body[5..]] {
        stream.write_all(piece.as_bytes()).unwrap();
        stream.flush().unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("paused"), "{answer}");

    let smuggled = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let refused = format!("{}{smuggled}", head(smuggled.len(), "Origin: https://evil.example\r\n"));
    let answer = exchange(server.address, refused.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.matches("HTTP/1.1").count() == 1, "{answer}");
}
