//! Authentication: how a key is presented, what it permits, and what a client without it receives.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tapecast::auth::{Entitlements, GeneratedKey};
use tapecast::config::Config;
use tapecast::limits::Rate;
use tapecast::model::Feed;
use test_support::{Client, Server, TempFolder, get, get_with, wait_until};

/// A server that requires keys and has two: `all` without limits, `some` with narrow entitlements.
struct WithKeys {
    server: Server,
    folder: TempFolder,
    all: String,
    some: String,
}

fn server_with_keys(change: impl FnOnce(&mut Config)) -> WithKeys {
    let all = GeneratedKey::new("all", Entitlements::default(), [1; 48]);
    let narrow = Entitlements {
        feeds: Some(vec![Feed::IEX]),
        symbols: Some(["AAPL", "MSFT"].map(|symbol| symbol.parse().unwrap()).to_vec()),
        max_sessions: Some(1),
        max_symbols: Some(3),
        control: false,
    };
    let some = GeneratedKey::new("some", narrow, [2; 48]);
    let folder = TempFolder::new();
    std::fs::write(folder.file("keys"), format!("# two keys\n{}\n{}\n", all.line, some.line)).unwrap();
    let keys = Some(folder.file("keys"));
    let server = Server::without_trades(|config| {
        config.access.keys = keys;
        change(config);
    });
    WithKeys { server, folder, all: all.secret, some: some.secret }
}

fn headers(key: &str, secret: &str) -> String {
    format!("APCA-API-KEY-ID: {key}\r\nAPCA-API-SECRET-KEY: {secret}\r\n")
}

fn auth(key: &str, secret: &str) -> String {
    json!({"action": "auth", "key": key, "secret": secret}).to_string()
}

/// The first object of the next frame.
fn next_object(client: &mut Client) -> Value {
    client.next_frame().unwrap().json().remove(0)
}

#[test]
fn nothing_is_delivered_before_authentication() {
    let WithKeys { server, all, .. } = &server_with_keys(|_| {});
    let mut client = Client::session(server.address);
    let subscribe = r#"{"action":"subscribe","trades":["AAPL"]}"#;

    assert_eq!(client.command(subscribe)["code"], 401);
    assert_eq!(client.command(&auth("all", "wrong"))["code"], 402);
    assert_eq!(client.command(&auth("unknown", all))["code"], 402);
    assert_eq!(client.command(subscribe)["code"], 401);
    assert_eq!(client.command(&auth("all", all))["msg"], "authenticated");
    assert_eq!(client.command(&auth("all", all))["code"], 403);
    assert_eq!(client.command(subscribe)["trades"], json!(["AAPL"]));
    assert_eq!(server.metric("tapecast_auths_refused_total{reason=\"wrong\"}"), 2.0);
}

#[test]
fn a_key_may_be_sent_in_headers_or_in_the_query() {
    let WithKeys { server, all, .. } = &server_with_keys(|_| {});
    let mut by_header = Client::connect_with(server.address, "/v2/sip", &headers("all", all));
    let mut by_query = Client::connect(server.address, &format!("/websocket/connect?key=all&secret={all}"));

    for client in [&mut by_header, &mut by_query] {
        assert_eq!(next_object(client)["msg"], "connected");
        assert_eq!(next_object(client)["msg"], "authenticated");
        assert_eq!(client.command(r#"{"action":"subscribe","bars":["*"]}"#)["bars"], json!(["*"]));
    }
}

#[test]
fn an_invalid_key_in_headers_gets_an_error_and_a_close() {
    let WithKeys { server, .. } = &server_with_keys(|_| {});
    let mut client = Client::connect_with(server.address, "/v2/iex", &headers("all", "wrong"));

    assert_eq!(next_object(&mut client)["msg"], "connected");
    assert_eq!(next_object(&mut client)["code"], 402);
    assert_eq!(client.read_to_close(), (Some(1008), true));
}

#[test]
fn a_session_without_a_key_gets_an_error_and_a_close_at_the_timeout() {
    let WithKeys { server, all, .. } =
        &server_with_keys(|config| config.limits.auth_timeout = Duration::from_millis(300));
    let mut authenticated = Client::session(server.address);
    assert_eq!(authenticated.command(&auth("all", all))["msg"], "authenticated");
    let mut idle = Client::session(server.address);

    assert_eq!(next_object(&mut idle)["code"], 404);
    assert_eq!(idle.read_to_close(), (Some(1008), true));
    assert_eq!(authenticated.command(r#"{"action":"subscribe"}"#)["T"], "subscription");
}

#[test]
fn a_key_permits_exactly_its_entitlements() {
    let WithKeys { server, some, .. } = &server_with_keys(|_| {});
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
    assert_eq!(next_object(&mut elsewhere)["msg"], "connected");
    assert_eq!(elsewhere.command(&auth("some", some))["code"], 409);
    let mut third = Client::connect_with(server.address, "/v2/iex", &headers("some", some));
    assert_eq!(
        (&next_object(&mut third)["msg"], &next_object(&mut third)["code"]),
        (&json!("connected"), &json!(406))
    );
    assert_eq!(third.read_to_close(), (Some(1013), true), "try again later: the other session may end");

    drop(client);
    wait_until("the first session to release the key", || {
        second.command(&auth("some", some))["msg"] == "authenticated"
    });
}

#[test]
fn an_address_with_too_many_failed_attempts_is_refused_and_others_are_not() {
    let WithKeys { server, all, .. } = &server_with_keys(|config| {
        config.access.failed_auths = Rate::per_minute(3);
        config.access.proxies = vec!["127.0.0.1".parse().unwrap()].into();
    });
    let session = |from: &str| {
        let from = format!("X-Forwarded-For: {from}\r\n");
        let mut client = Client::connect_with(server.address, "/v2/iex", &from);
        assert_eq!(next_object(&mut client)["msg"], "connected");
        client
    };
    let mut attacker = session("203.0.113.7");
    for _ in 0..3 {
        assert_eq!(attacker.command(&auth("all", "guess"))["code"], 402);
    }

    assert_eq!(attacker.command(&auth("all", all))["code"], 402, "even with the right key");

    assert_eq!(attacker.read_to_close(), (Some(1008), true));
    assert_eq!(server.metric("tapecast_auths_refused_total{reason=\"attempts\"}"), 1.0);
    let rest = format!("X-Forwarded-For: 203.0.113.7\r\n{}", headers("all", all));
    let answer = get_with(server.address, "/v2/clock", &rest);
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("60")));
    assert_eq!(session("203.0.113.8").command(&auth("all", all))["msg"], "authenticated");
}

#[test]
fn every_rest_endpoint_requires_a_key() {
    let WithKeys { server, all, some, .. } = &server_with_keys(|_| {});
    let openapi: Value = serde_json::from_str(&get(server.address, "/openapi.json").1).unwrap();
    let status = |path: &str, headers: &str| get_with(server.address, path, headers).status;

    let described = openapi["paths"].as_object().unwrap().keys();
    let protected: Vec<_> = described
        // A stream of events does not end; tests/events.rs has its keys.
        .filter(|path| path.starts_with("/v") && !path.ends_with("/events"))
        .collect();
    assert!(protected.len() >= 25, "{protected:?}");
    for path in protected {
        let path = path.replace("{symbol}", "AAPL");
        let target = format!("{path}?symbols=AAPL&timeframe=1Min");
        let none = get_with(server.address, &target, "");
        assert_eq!(none.status, 401, "{path}");
        assert!(serde_json::from_str::<Value>(&none.body).unwrap()["message"].is_string(), "{}", none.body);
        assert_eq!(status(&target, &headers("all", "wrong")), 403, "{path}");
        assert!([200, 404].contains(&status(&target, &headers("all", all))), "{path}");
        assert!([200, 404].contains(&status(&format!("{target}&key=all&secret={all}"), "")), "{path}");
    }

    let narrow = headers("some", some);
    assert_eq!(status("/v2/stocks/bars?symbols=AAPL&timeframe=1Min", &narrow), 200);
    assert_eq!(status("/v2/stocks/bars?symbols=AAPL,KO&timeframe=1Min", &narrow), 403);
    assert_eq!(status("/v2/stocks/KO/snapshot", &narrow), 403);
    assert_eq!(status("/v2/stocks/AAPL/snapshot?feed=sip", &narrow), 403);
    let echo = |headers: &str| Client::connect_with(server.address, "/echo", headers).handshake;
    assert!(echo("").starts_with("HTTP/1.1 401") && echo(&headers("all", all)).starts_with("HTTP/1.1 101"));
    for open in ["/", "/healthz", "/readyz", "/metrics", "/openapi.json"] {
        assert_eq!(status(open, ""), 200, "{open}");
    }
}

fn authorization(scheme: &str, token: &str) -> String {
    format!("Authorization: {scheme} {token}\r\n")
}

#[test]
fn a_key_may_be_sent_as_basic_or_bearer_and_a_wrong_one_gets_a_challenge() {
    let WithKeys { server, all, .. } = &server_with_keys(|_| {});
    let basic = |secret: &str| authorization("Basic", &STANDARD.encode(format!("all:{secret}")));
    let bearer = |secret: &str| authorization("Bearer", &format!("all.{secret}"));

    for header in [basic(all), bearer(all)] {
        assert_eq!(get_with(server.address, "/v2/clock", &header).status, 200);
        let mut client = Client::connect_with(server.address, "/v2/iex", &header);
        assert_eq!(next_object(&mut client)["msg"], "connected");
        assert_eq!(next_object(&mut client)["msg"], "authenticated");
        assert!(Client::connect_with(server.address, "/echo", &header).is_open());
    }
    for header in [basic("wrong"), bearer("wrong"), String::new()] {
        let answer = get_with(server.address, "/v2/clock", &header);
        assert_eq!(answer.status, 401, "{header}");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Basic realm="), "{}", answer.head);
        assert!(answer.head.contains("Bearer realm="), "{}", answer.head);
        let script = get_with(server.address, "/v2/clock", &format!("X-Requested-With: fetch\r\n{header}"));
        assert_eq!((script.status, script.head.contains("Basic realm=")), (401, false), "{}", script.head);
    }
}

#[test]
fn market_data_without_a_feed_is_that_of_iex_and_needs_a_key_for_it() {
    let key = GeneratedKey::new(
        "sip",
        Entitlements { feeds: Some(vec![Feed::SIP]), ..Entitlements::default() },
        [5; 48],
    );
    let WithKeys { server, folder, .. } = &server_with_keys(|_| {});
    std::fs::write(folder.file("keys"), &key.line).unwrap();
    server.reload();
    let sip = headers("sip", &key.secret);
    let status = |target: &str| get_with(server.address, target, &sip).status;

    for path in [
        "/v2/stocks/bars?symbols=AAPL&timeframe=1Day&start=2020-01-01",
        "/v2/stocks/trades?symbols=AAPL",
        "/v2/stocks/quotes/latest?symbols=AAPL",
        "/v2/stocks/snapshots?symbols=AAPL",
        "/v2/stocks/AAPL/trades?limit=1",
        "/v2/stocks/AAPL/snapshot?currency=USD",
    ] {
        assert_eq!(status(path), 403, "{path}");
        assert_eq!(status(&format!("{path}&feed=")), 403, "{path}");
        assert_eq!(status(&format!("{path}&feed=iex")), 403, "{path}");
        assert_eq!(status(&format!("{path}&feed=nonsense")), 403, "{path}");
        assert_eq!(status(&format!("{path}&feed=sip")), 200, "{path}");
        assert_eq!(status(&format!("{path}&feed=sip&feed=iex")), 400, "{path}");
    }
    assert_eq!(status("/v2/clock"), 200, "no market data");
    assert_eq!(status("/v2/assets"), 200, "no market data");
}

#[test]
fn a_repeated_parameter_is_an_error_in_json() {
    let WithKeys { server, all, .. } = &server_with_keys(|_| {});

    for target in [
        format!("/v2/clock?key=all&secret={all}&secret=x"),
        format!("/v2/assets?status=active&status=&key=all&secret={all}"),
        format!("/v2/stocks/trades?symbols=AAPL&limit=1&limit=2&key=all&secret={all}"),
        format!("/v2/iex?key=all&secret={all}&key=some"),
        "/v2/iex?codec=json&codec=msgpack".to_owned(),
        "/websocket/connect?userId=1&userId=2".to_owned(),
        "/echo?key=a&key=b".to_owned(),
    ] {
        let answer = match target.starts_with("/v2/iex") || !target.starts_with("/v2/") {
            true => Client::connect(server.address, &target).handshake,
            false => {
                let answer = get_with(server.address, &target, "");
                let body: Value = serde_json::from_str(&answer.body).unwrap();
                assert!(body["message"].as_str().unwrap().contains("more than once"), "{body}");
                answer.head
            }
        };
        assert!(answer.starts_with("HTTP/1.1 400"), "{target}: {answer}");
        assert!(answer.contains("application/json"), "{target}: {answer}");
    }
}

#[test]
fn one_client_behind_a_proxy_that_adds_ports_does_not_lock_out_others() {
    let WithKeys { server, all, .. } = &server_with_keys(|config| {
        config.access.failed_auths = Rate::per_minute(3);
        config.access.proxies = vec!["127.0.0.1".parse().unwrap()].into();
    });
    let clock = |header: &str, secret: &str| {
        get_with(server.address, "/v2/clock", &format!("{header}\r\n{}", headers("all", secret))).status
    };

    for (guesser, other) in [
        ("X-Forwarded-For: 203.0.113.7:4711", "X-Forwarded-For: 203.0.113.8:4711"),
        ("X-Forwarded-For: [2001:db8:1::1]:443", "X-Forwarded-For: \"[2001:db8:2::1]:443\""),
        ("X-Forwarded-For: \u{e4}, 203.0.113.17", "X-Forwarded-For: \u{e4}, 203.0.113.18"),
        ("X-Forwarded-For: _one", "X-Forwarded-For: _two"),
        ("Forwarded: for=203.0.113.27", "Forwarded: for=\"[2001:db8:3::1]:80\";proto=http"),
    ] {
        while clock(guesser, "guess") != 429 {}
        assert_eq!(clock(guesser, all), 429, "{guesser}");
        assert_eq!(clock(other, all), 200, "{other}");
    }
}

#[test]
fn an_echo_counts_as_a_session_of_its_key() {
    let WithKeys { server, folder, all, .. } = &server_with_keys(|_| {});
    let lines = std::fs::read_to_string(folder.file("keys")).unwrap();
    let limited = lines.replace(r#"{"id":"all","#, r#"{"id":"all","max_sessions":1,"#);
    std::fs::write(folder.file("keys"), limited).unwrap();
    server.reload();
    let echo = || Client::connect_with(server.address, "/echo", &headers("all", all));

    let first = echo();
    assert!(first.is_open());
    assert!(echo().handshake.starts_with("HTTP/1.1 503 "));
    let mut session = Client::session(server.address);
    assert_eq!(session.command(&auth("all", all))["code"], 406);
    drop(first);

    wait_until("the key to have a session to give", || echo().is_open());
}

#[test]
fn keys_are_reloaded_and_an_invalid_file_changes_nothing() {
    let WithKeys { server, folder, all, .. } = &server_with_keys(|_| {});
    let new = GeneratedKey::new("new", Entitlements::default(), [3; 48]);
    let clock = |key: &str, secret: &str| get_with(server.address, "/v2/clock", &headers(key, secret)).status;
    std::fs::write(folder.file("keys"), "{").unwrap();
    server.reload();
    assert_eq!(clock("all", all), 200);

    std::fs::write(folder.file("keys"), &new.line).unwrap();
    server.reload();
    assert_eq!((clock("new", &new.secret), clock("all", all)), (200, 403));
}

/// A session authenticated with this key.
fn session_of(server: &Server, key: &str, secret: &str) -> Client {
    let mut client = Client::session(server.address);
    assert_eq!(client.command(&auth(key, secret))["msg"], "authenticated");
    client
}

#[test]
fn revoking_a_key_or_changing_its_secret_closes_exactly_its_sessions() {
    let WithKeys { server, folder, all, some } = &server_with_keys(|_| {});
    let lines = std::fs::read_to_string(folder.file("keys")).unwrap();
    let line_of = |id: &str| lines.lines().find(|line| line.contains(&format!("\"{id}\""))).unwrap();
    let changed = GeneratedKey::new("all", Entitlements::default(), [4; 48]);
    let mut anonymous = Client::session(server.address);
    let mut other = session_of(server, "some", some);
    for without in [line_of("some").to_owned(), format!("{}\n{}", changed.line, line_of("some"))] {
        std::fs::write(folder.file("keys"), &lines).unwrap();
        server.reload();
        let mut by_header = Client::connect_with(server.address, "/v2/sip", &headers("all", all));
        assert_eq!(next_object(&mut by_header)["msg"], "connected");
        assert_eq!(next_object(&mut by_header)["msg"], "authenticated");
        let mut echo = Client::connect_with(server.address, "/echo", &headers("all", all));
        let mut by_command = session_of(server, "all", all);

        std::fs::write(folder.file("keys"), without).unwrap();
        server.reload();

        for client in [&mut by_header, &mut by_command] {
            assert_eq!(next_object(client)["code"], 402);
            assert_eq!(client.read_to_close(), (Some(1008), true));
        }
        assert_eq!(echo.read_to_close(), (Some(1008), true));
    }
    assert_eq!(server.sessions_closed("key_revoked"), 6.0);
    assert_eq!(other.command(r#"{"action":"subscribe","trades":["AAPL"]}"#)["trades"], json!(["AAPL"]));
    assert_eq!(anonymous.command(&auth("all", &changed.secret))["msg"], "authenticated");
}

#[test]
fn changed_entitlements_apply_to_rest_at_once_and_to_new_sessions() {
    let WithKeys { server, folder, all, some } = &server_with_keys(|_| {});
    let lines = std::fs::read_to_string(folder.file("keys")).unwrap();
    let mut open = session_of(server, "all", all);
    let subscribe = r#"{"action":"subscribe","trades":["KO"]}"#;

    std::fs::write(
        folder.file("keys"),
        lines.replace(r#"{"id":"all","#, r#"{"id":"all","symbols":["AAPL"],"#),
    )
    .unwrap();
    server.reload();

    assert_eq!(get_with(server.address, "/v2/stocks/KO/snapshot", &headers("all", all)).status, 403);
    assert_eq!(session_of(server, "all", all).command(subscribe)["code"], 409);
    assert_eq!(open.command(subscribe)["trades"], json!(["KO"]));

    std::fs::write(folder.file("keys"), lines.lines().last().unwrap()).unwrap();
    server.reload();
    assert_eq!(next_object(&mut open)["code"], 402, "its key was revoked after its entitlements changed");
    assert_eq!(open.read_to_close(), (Some(1008), true));
    assert_eq!(session_of(server, "some", some).command(subscribe)["code"], 409);
}
