//! Where keys are demanded: who comes in, by which way, and what everybody else is told.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::time::Duration;

use serde_json::{Value, json};
use tapecast::auth::{Entitlements, GeneratedKey};
use tapecast::config::Config;
use tapecast::limits::Rate;
use tapecast::model::Feed;
use test_support::{Client, Server, TempFolder, get, get_with, wait_until};

/// A still market to which two keys open: `all` to everything, `some` to little.
struct Guarded {
    server: Server,
    folder: TempFolder,
    all: String,
    some: String,
}

fn guarded(change: impl FnOnce(&mut Config)) -> Guarded {
    let all = GeneratedKey::new("all", Entitlements::default(), [1; 48]);
    let little = Entitlements {
        feeds: Some(vec![Feed::Iex]),
        symbols: Some(vec!["AAPL".parse().unwrap(), "MSFT".parse().unwrap()]),
        max_sessions: Some(1),
        max_symbols: Some(3),
    };
    let some = GeneratedKey::new("some", little, [2; 48]);
    let folder = TempFolder::new();
    std::fs::write(folder.file("keys"), format!("# two keys\n{}\n{}\n", all.line, some.line)).unwrap();
    let keys = Some(folder.file("keys"));
    let server = Server::start(|config| {
        config.simulation.trades_per_second = 0.0;
        config.access.keys = keys;
        change(config);
    });
    Guarded { server, folder, all: all.secret, some: some.secret }
}

fn headers(key: &str, secret: &str) -> String {
    format!("APCA-API-KEY-ID: {key}\r\nAPCA-API-SECRET-KEY: {secret}\r\n")
}

fn auth(key: &str, secret: &str) -> String {
    json!({"action": "auth", "key": key, "secret": secret}).to_string()
}

fn said(client: &mut Client) -> Value {
    client.next_frame().unwrap().json().remove(0)
}

#[test]
fn nothing_is_given_before_a_good_key_is_shown() {
    let Guarded { server, all, .. } = &guarded(|_| {});
    let mut client = Client::session(server.address);
    let subscribe = r#"{"action":"subscribe","trades":["AAPL"]}"#;

    assert_eq!(client.command(subscribe)["code"], 401);
    assert_eq!(client.command(&auth("all", "wrong"))["code"], 402);
    assert_eq!(client.command(&auth("nobody", all))["code"], 402);
    assert_eq!(client.command(subscribe)["code"], 401);
    assert_eq!(client.command(&auth("all", all))["msg"], "authenticated");
    assert_eq!(client.command(&auth("all", all))["code"], 403);
    assert_eq!(client.command(subscribe)["trades"], json!(["AAPL"]));
    assert_eq!(server.metric("tapecast_auths_refused_total{reason=\"wrong\"}"), 2.0);
}

#[test]
fn a_key_comes_in_headers_or_in_the_address_too() {
    let Guarded { server, all, .. } = &guarded(|_| {});
    let mut by_header = Client::connect_with(server.address, "/v2/sip", &headers("all", all));
    let mut by_address = Client::connect(server.address, &format!("/websocket/connect?key=all&secret={all}"));

    for client in [&mut by_header, &mut by_address] {
        assert_eq!(said(client)["msg"], "connected");
        assert_eq!(said(client)["msg"], "authenticated");
        assert_eq!(client.command(r#"{"action":"subscribe","bars":["*"]}"#)["bars"], json!(["*"]));
    }
}

#[test]
fn a_wrong_key_in_headers_is_told_and_closed() {
    let Guarded { server, .. } = &guarded(|_| {});
    let mut client = Client::connect_with(server.address, "/v2/iex", &headers("all", "wrong"));

    assert_eq!(said(&mut client)["msg"], "connected");
    assert_eq!(said(&mut client)["code"], 402);
    assert_eq!(client.read_to_close(), (Some(1008), true));
}

#[test]
fn who_shows_no_key_in_time_is_told_and_closed() {
    let Guarded { server, all, .. } =
        &guarded(|config| config.limits.auth_timeout = Duration::from_millis(300));
    let mut honest = Client::session(server.address);
    assert_eq!(honest.command(&auth("all", all))["msg"], "authenticated");
    let mut idle = Client::session(server.address);

    assert_eq!(said(&mut idle)["code"], 404);
    assert_eq!(idle.read_to_close(), (Some(1008), true));
    assert_eq!(honest.command(r#"{"action":"subscribe"}"#)["T"], "subscription");
}

#[test]
fn a_key_opens_what_its_line_says_and_no_more() {
    let Guarded { server, some, .. } = &guarded(|_| {});
    let mut client = Client::session(server.address);
    assert_eq!(client.command(&auth("some", some))["msg"], "authenticated");

    for beyond in [r#""trades":["AAPL","KO"]"#, r#""quotes":["*"]"#, r#""tickers":["KO"]"#] {
        let answer = client.command(&format!(r#"{{"action":"subscribe",{beyond}}}"#));
        assert_eq!(answer["code"], 409, "{beyond}");
    }
    let both = r#""AAPL","MSFT""#;
    let four = format!(r#"{{"action":"subscribe","trades":[{both}],"quotes":[{both}]}}"#);
    assert_eq!(client.command(&four)["code"], 405);
    let answer = client.command(r#"{"action":"subscribe","trades":["AAPL"]}"#);
    assert_eq!((&answer["trades"], &answer["quotes"]), (&json!(["AAPL"]), &json!([])));

    let mut second = Client::session(server.address);
    assert_eq!(second.command(&auth("some", some))["code"], 406);
    let mut elsewhere = Client::connect(server.address, "/v2/sip");
    assert_eq!(said(&mut elsewhere)["msg"], "connected");
    assert_eq!(elsewhere.command(&auth("some", some))["code"], 409);
    let mut third = Client::connect_with(server.address, "/v2/iex", &headers("some", some));
    assert_eq!((&said(&mut third)["msg"], &said(&mut third)["code"]), (&json!("connected"), &json!(406)));
    assert_eq!(third.read_to_close(), (Some(1013), true), "it may come back when the other is gone");

    drop(client);
    wait_until("the key to be free again", || second.command(&auth("some", some))["msg"] == "authenticated");
}

#[test]
fn who_guesses_is_looked_at_no_more_and_others_are() {
    let Guarded { server, all, .. } = &guarded(|config| {
        config.access.failed_auths = Rate::per_minute(3);
        config.access.proxies = vec!["127.0.0.1".parse().unwrap()].into();
    });
    let session = |from: &str| {
        let from = format!("X-Forwarded-For: {from}\r\n");
        let mut client = Client::connect_with(server.address, "/v2/iex", &from);
        assert_eq!(said(&mut client)["msg"], "connected");
        client
    };
    let mut guesser = session("203.0.113.7");
    for _ in 0..3 {
        assert_eq!(guesser.command(&auth("all", "guess"))["code"], 402);
    }

    assert_eq!(guesser.command(&auth("all", all))["code"], 402, "not even the right one");

    assert_eq!(guesser.read_to_close(), (Some(1008), true));
    assert_eq!(server.metric("tapecast_auths_refused_total{reason=\"attempts\"}"), 1.0);
    let rest = format!("X-Forwarded-For: 203.0.113.7\r\n{}", headers("all", all));
    let answer = get_with(server.address, "/v2/clock", &rest);
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("60")));
    assert_eq!(session("203.0.113.8").command(&auth("all", all))["msg"], "authenticated");
}

#[test]
fn every_door_of_rest_demands_a_key() {
    let Guarded { server, all, some, .. } = &guarded(|_| {});
    let openapi: Value = serde_json::from_str(&get(server.address, "/openapi.json").1).unwrap();
    let status = |path: &str, headers: &str| get_with(server.address, path, headers).status;

    let described = openapi["paths"].as_object().unwrap().keys();
    let demanding: Vec<_> = described.filter(|path| path.starts_with("/v2/")).collect();
    assert!(demanding.len() >= 16, "{demanding:?}");
    for path in demanding {
        let path = path.replace("{symbol}", "AAPL");
        let asked = format!("{path}?symbols=AAPL&timeframe=1Min");
        let none = get_with(server.address, &asked, "");
        assert_eq!(none.status, 401, "{path}");
        assert!(serde_json::from_str::<Value>(&none.body).unwrap()["message"].is_string(), "{}", none.body);
        assert_eq!(status(&asked, &headers("all", "wrong")), 403, "{path}");
        assert!([200, 404].contains(&status(&asked, &headers("all", all))), "{path}");
        assert!([200, 404].contains(&status(&format!("{asked}&key=all&secret={all}"), "")), "{path}");
    }

    let little = headers("some", some);
    assert_eq!(status("/v2/stocks/bars?symbols=AAPL&timeframe=1Min", &little), 200);
    assert_eq!(status("/v2/stocks/bars?symbols=AAPL,KO&timeframe=1Min", &little), 403);
    assert_eq!(status("/v2/stocks/KO/snapshot", &little), 403);
    assert_eq!(status("/v2/stocks/AAPL/snapshot?feed=sip", &little), 403);
    let echo = |headers: &str| Client::connect_with(server.address, "/echo", headers).handshake;
    assert!(echo("").starts_with("HTTP/1.1 401") && echo(&headers("all", all)).starts_with("HTTP/1.1 101"));
    for open in ["/", "/healthz", "/readyz", "/metrics", "/openapi.json"] {
        assert_eq!(status(open, ""), 200, "{open}");
    }
}

#[test]
fn keys_change_without_a_restart_and_a_broken_file_changes_nothing() {
    let Guarded { server, folder, all, .. } = &guarded(|_| {});
    let new = GeneratedKey::new("new", Entitlements::default(), [3; 48]);
    let clock = |key: &str, secret: &str| get_with(server.address, "/v2/clock", &headers(key, secret)).status;
    std::fs::write(folder.file("keys"), "{").unwrap();
    server.reload();
    assert_eq!(clock("all", all), 200);

    std::fs::write(folder.file("keys"), &new.line).unwrap();
    server.reload();
    assert_eq!((clock("new", &new.secret), clock("all", all)), (200, 403));
}

/// A session of this key, by a command.
fn member(server: &Server, key: &str, secret: &str) -> Client {
    let mut client = Client::session(server.address);
    assert_eq!(client.command(&auth(key, secret))["msg"], "authenticated");
    client
}

#[test]
fn a_key_that_is_gone_or_has_another_secret_takes_its_sessions_with_it_and_no_others() {
    let Guarded { server, folder, all, some } = &guarded(|_| {});
    let lines = std::fs::read_to_string(folder.file("keys")).unwrap();
    let line_of = |id: &str| lines.lines().find(|line| line.contains(&format!("\"{id}\""))).unwrap();
    let changed = GeneratedKey::new("all", Entitlements::default(), [4; 48]);
    let mut stranger = Client::session(server.address);
    let mut other = member(server, "some", some);
    for without in [line_of("some").to_owned(), format!("{}\n{}", changed.line, line_of("some"))] {
        std::fs::write(folder.file("keys"), &lines).unwrap();
        server.reload();
        let mut by_header = Client::connect_with(server.address, "/v2/sip", &headers("all", all));
        assert_eq!(said(&mut by_header)["msg"], "connected");
        assert_eq!(said(&mut by_header)["msg"], "authenticated");
        let mut echo = Client::connect_with(server.address, "/echo", &headers("all", all));
        let mut by_command = member(server, "all", all);

        std::fs::write(folder.file("keys"), without).unwrap();
        server.reload();

        for client in [&mut by_header, &mut by_command] {
            assert_eq!(said(client)["code"], 402);
            assert_eq!(client.read_to_close(), (Some(1008), true));
        }
        assert_eq!(echo.read_to_close(), (Some(1008), true));
    }
    assert_eq!(server.sessions_closed("key_revoked"), 6.0);
    assert_eq!(other.command(r#"{"action":"subscribe","trades":["AAPL"]}"#)["trades"], json!(["AAPL"]));
    assert_eq!(stranger.command(&auth("all", &changed.secret))["msg"], "authenticated");
}

#[test]
fn what_a_key_is_good_for_changes_for_rest_at_once_and_for_sessions_that_begin() {
    let Guarded { server, folder, all, some } = &guarded(|_| {});
    let lines = std::fs::read_to_string(folder.file("keys")).unwrap();
    let mut open = member(server, "all", all);
    let subscribe = r#"{"action":"subscribe","trades":["KO"]}"#;

    std::fs::write(
        folder.file("keys"),
        lines.replace(r#"{"id":"all","#, r#"{"id":"all","symbols":["AAPL"],"#),
    )
    .unwrap();
    server.reload();

    assert_eq!(get_with(server.address, "/v2/stocks/KO/snapshot", &headers("all", all)).status, 403);
    assert_eq!(member(server, "all", all).command(subscribe)["code"], 409);
    assert_eq!(open.command(subscribe)["trades"], json!(["KO"]));

    std::fs::write(folder.file("keys"), lines.lines().last().unwrap()).unwrap();
    server.reload();
    assert_eq!(said(&mut open)["code"], 402, "it is of the key that is gone, whatever that was good for");
    assert_eq!(open.read_to_close(), (Some(1008), true));
    assert_eq!(member(server, "some", some).command(subscribe)["code"], 409);
}
