//! JSON Web Tokens of another log-in: which are accepted, what they permit, how sessions go on with newer ones and end.
#![cfg(feature = "jwt")]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tapecast::auth::jwt::TokenRules;
use tapecast::auth::{Entitlements, GeneratedKey};
use tapecast::config::{Config, TokenConfig, TokenKeys};
use tapecast::limits::Rate;
use test_support::{
    Client, EventStream, KeyServer, Server, TempFolder, TokenSigner, get_with, post, unix_seconds, wait_for,
    wait_until,
};

const SECRET: &[u8] = b"a secret of another log-in, 40 bytes long";

/// A server that accepts tokens of `signer`, and two keys of a file.
struct WithTokens {
    server: Server,
    signer: TokenSigner,
    _folder: TempFolder,
}

fn token_config(secret: Option<PathBuf>, keys: Option<TokenKeys>) -> TokenConfig {
    TokenConfig { keys, secret, rules: TokenRules::default() }
}

fn server_with_secret(change: impl FnOnce(&mut Config)) -> WithTokens {
    let folder = TempFolder::new();
    std::fs::write(folder.file("secret"), SECRET).unwrap();
    let secret = Some(folder.file("secret"));
    let server = Server::without_trades(|config| {
        config.access.tokens = Some(token_config(secret, None));
        change(config);
    });
    WithTokens { server, signer: TokenSigner::hs256(SECRET), _folder: folder }
}

fn server_with_url(url: String) -> Server {
    Server::without_trades(|config| {
        config.access.tokens = Some(token_config(None, Some(TokenKeys::Url(url))));
    })
}

fn auth(token: &str) -> String {
    json!({"action": "auth", "token": token}).to_string()
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// The first object of the next frame.
fn next_object(client: &mut Client) -> Value {
    client.next_frame().unwrap().json().remove(0)
}

/// The first object of the answer to a command, of whatever kind.
fn ask(client: &mut Client, command: &str) -> Value {
    client.send_text(command);
    client.next_objects().remove(0)
}

fn in_seconds(seconds: u64) -> u64 {
    unix_seconds() + seconds
}

#[test]
fn a_token_lets_a_client_in_by_each_way_of_credentials() {
    let WithTokens { server, signer, .. } = &server_with_secret(|_| {});
    let token = signer.token_of("anna", 600);
    let subscribe = r#"{"action":"subscribe","trades":["*"]}"#;

    for command in [auth(&token), json!({"action": "auth", "key": "jwt", "secret": token}).to_string()] {
        let mut client = Client::session(server.address);
        assert_eq!(client.command(subscribe)["code"], 401);
        assert_eq!(client.command(&command)["msg"], "authenticated");
        assert_eq!(client.command(subscribe)["trades"], json!(["*"]));
    }
    let headers = format!("APCA-API-KEY-ID: jwt\r\nAPCA-API-SECRET-KEY: {token}\r\n");
    let in_query = format!("/v2/iex?token={token}");
    for (path, headers) in [
        ("/v2/iex", &*headers),
        ("/v2/iex", &*bearer(&token)),
        (&*in_query, ""),
        (&*format!("/v2/iex?key=jwt&secret={token}"), ""),
    ] {
        let mut client = Client::connect_with(server.address, path, headers);
        assert_eq!(next_object(&mut client)["msg"], "connected");
        assert_eq!(next_object(&mut client)["msg"], "authenticated", "{path} {headers}");
    }
    assert_eq!(get_with(server.address, "/v2/clock", &bearer(&token)).status, 200);
    assert_eq!(get_with(server.address, &format!("/v2/clock?token={token}"), "").status, 200);
    assert_eq!(get_with(server.address, "/v2/clock", "").status, 401);
    let mut events =
        EventStream::open(server.address, &format!("/v2/iex/events?trades=AAPL&token={token}"), "");
    assert_eq!(events.status(), 200);
    assert_eq!(events.next_objects()[0]["msg"], "connected");
}

#[test]
fn tokens_stand_beside_keys_and_their_names_never_meet() {
    let key = GeneratedKey::new("jwt", Entitlements::default(), [1; 48]);
    let folder = TempFolder::new();
    std::fs::write(folder.file("keys"), &key.line).unwrap();
    let file = folder.file("keys");
    let WithTokens { server, signer, .. } = &server_with_secret(|config| config.access.keys = Some(file));
    let mut by_key = Client::session(server.address);
    let mut by_token = Client::session(server.address);

    let credentials = json!({"action": "auth", "key": "jwt", "secret": key.secret}).to_string();
    assert_eq!(by_key.command(&credentials)["msg"], "authenticated", "a key whose id is `jwt`");
    assert_eq!(by_token.command(&auth(&signer.token_of("jwt", 600)))["msg"], "authenticated");

    let publish = r#"{"action":"publish","topic":"chat:lobby","data":{"text":"hi"}}"#;
    for (client, name) in [(&mut by_key, "jwt"), (&mut by_token, "jwt:jwt")] {
        client.send_text(r#"{"action":"subscribe","topics":["chat:lobby"],"x":{}}"#);
        client.send_text(publish);
        let message =
            wait_for("the message", || client.next_objects().into_iter().find(|it| it["by"] == name));
        assert_eq!(message["d"]["text"], "hi");
    }
}

#[test]
fn wrong_tokens_are_refused_counted_and_limited_as_wrong_keys_are() {
    let WithTokens { server, signer, .. } = &server_with_secret(|config| {
        config.access.failed_auths = Rate::per_minute(3);
        config.access.tokens.as_mut().unwrap().rules.audiences = vec!["tape".to_owned()];
        config.access.proxies = vec!["127.0.0.1".parse().unwrap()].into();
    });
    let token = |claims: Value| signer.token(&claims);
    let good = token(json!({"sub": "anna", "exp": in_seconds(600), "aud": "tape"}));
    let other_audience = token(json!({"sub": "anna", "exp": in_seconds(600), "aud": "mail"}));
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).unwrap());
    let expired = token(json!({"sub": "anna", "exp": in_seconds(0) - 5, "aud": "tape"}));
    let rest = |from: &str, token: &str| {
        let headers = format!("X-Forwarded-For: {from}\r\n{}", bearer(token));
        get_with(server.address, "/v2/clock", &headers)
    };

    for _ in 0..5 {
        let answer = rest("203.0.113.8", &expired);
        assert_eq!(answer.status, 401, "an expired one is no failed attempt");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer ") && challenge.contains("invalid_token"), "{challenge}");
    }
    assert_eq!(rest("203.0.113.8", &good).status, 200);

    for wrong in [&other_audience, &unsigned, &TokenSigner::hs256(&[1; 32]).token_of("anna", 600)] {
        assert_eq!(rest("203.0.113.7", wrong).status, 401);
    }
    assert_eq!(rest("203.0.113.7", &good).status, 429, "even a good one");
    for (reason, count) in [("audience", 1.0), ("algorithm", 1.0), ("signature", 1.0), ("expired", 5.0)] {
        let metric = format!("tapecast_tokens_refused_total{{reason=\"{reason}\"}}");
        assert_eq!(server.metric(&metric), count, "{reason}");
    }
    assert_eq!(server.metric("tapecast_auths_refused_total{reason=\"wrong\"}"), 3.0);
    assert_eq!(server.metric("tapecast_auths_refused_total{reason=\"expired\"}"), 5.0);
}

#[test]
fn claims_limit_what_a_session_may_do() {
    let WithTokens { server, signer, .. } = &server_with_secret(|_| {});
    let token = signer.token(&json!({
        "sub": "anna", "exp": in_seconds(600), "feeds": ["iex"], "symbols": ["AAPL", "MSFT"],
        "limits": {"max_sessions": 1, "max_symbols": 3}, "topics": {"subscribe": ["chat:*"], "publish": []},
    }));
    let mut client = Client::session(server.address);
    assert_eq!(client.command(&auth(&token))["msg"], "authenticated");

    for (beyond, code) in [
        (r#""trades":["KO"]"#, 409),
        (r#""quotes":["*"]"#, 409),
        (r#""topics":["weather:london"]"#, 409),
        (r#""topics":["*"]"#, 409),
        (r#""trades":["AAPL","MSFT"],"quotes":["AAPL","MSFT"]"#, 405),
    ] {
        assert_eq!(
            client.command(&format!(r#"{{"action":"subscribe",{beyond}}}"#))["code"],
            code,
            "{beyond}"
        );
    }
    let allowed = r#"{"action":"subscribe","trades":["AAPL"],"topics":["chat:lobby"]}"#;
    assert_eq!(client.command(allowed)["trades"], json!(["AAPL"]));
    let publish = r#"{"action":"publish","topic":"chat:lobby","data":1}"#;
    assert_eq!(client.command(publish)["code"], 431);
    assert_eq!(client.command(r#"{"action":"presence","topic":"weather:london"}"#)["code"], 431);

    let mut second = Client::session(server.address);
    assert_eq!(second.command(&auth(&token))["code"], 406);
    let mut elsewhere = Client::connect(server.address, "/v2/sip");
    assert_eq!(next_object(&mut elsewhere)["msg"], "connected");
    assert_eq!(elsewhere.command(&auth(&token))["code"], 409);
    let status = |path: &str| get_with(server.address, path, &bearer(&token)).status;
    assert_eq!(status("/v2/stocks/KO/snapshot"), 403);
    assert_eq!(status("/v2/stocks/AAPL/snapshot"), 200);
    assert_eq!(status("/v2/iex/events?topics=weather:london"), 403);
    let history = |channel: &str| {
        let headers = format!("{}Content-Type: application/json\r\n", bearer(&token));
        post(server.address, "/api/history", &headers, &json!({"channel": channel}).to_string()).json()
    };
    assert_eq!(history("weather:london")["error"]["code"], 103);
    assert!(history("chat:lobby")["result"].is_object());
}

#[test]
fn a_claim_lets_a_user_publish_where_the_namespace_lists_keys() {
    let folder = TempFolder::new();
    let topics = "[[namespace]]\nname='news'\nkind='log'\nnames='*'\npublish=['desk', 'jwt:editor']\n";
    std::fs::write(folder.file("topics.toml"), topics).unwrap();
    std::fs::write(folder.file("secret"), SECRET).unwrap();
    let file = |name: &str| folder.file(name).to_str().unwrap().to_owned();
    let options = ["--rate=0", "--jwt-secret-file", &file("secret"), "--topics", &file("topics.toml")];
    let program = test_support::Program::start(&[env!("CARGO_BIN_EXE_tapecast")], &options, &[]);
    let signer = TokenSigner::hs256(SECRET);
    let published = |claims: Value| {
        let mut client = Client::session(program.address);
        assert_eq!(client.command(&auth(&signer.token(&claims)))["msg"], "authenticated");
        let answer = ask(&mut client, r#"{"action":"publish","topic":"news:a","data":1}"#);
        answer["T"].as_str().unwrap().to_owned()
    };
    let exp = in_seconds(600);

    assert_eq!(published(json!({"sub": "anna", "exp": exp, "topics": {"publish": ["news:*"]}})), "published");
    assert_eq!(published(json!({"sub": "anna", "exp": exp, "topics": {"publish": ["news:b"]}})), "error");
    assert_eq!(published(json!({"sub": "anna", "exp": exp})), "error");
    assert_eq!(published(json!({"sub": "desk", "exp": exp})), "error", "no key of the file");
    assert_eq!(published(json!({"sub": "editor", "exp": exp})), "published", "listed as jwt:editor");
}

#[test]
fn a_session_is_told_before_its_token_expires_and_ends_with_it() {
    let WithTokens { server, signer, .. } = &server_with_secret(|_| {});
    let mut client = Client::session(server.address);
    let mut silent = Client::session(server.address);
    let mut events = EventStream::open(
        server.address,
        &format!("/v2/iex/events?trades=AAPL&heartbeat_ms=0&token={}", signer.token_of("eve", 2)),
        "",
    );
    let mut echo = Client::connect_with(server.address, "/echo", &bearer(&signer.token_of("eve", 2)));
    for client in [&mut client, &mut silent] {
        assert_eq!(client.command(&auth(&signer.token_of("anna", 3)))["msg"], "authenticated");
    }
    assert_eq!(client.command(r#"{"action":"subscribe","x":{}}"#)["T"], "subscription");

    let told = next_object(&mut client);
    assert_eq!(told["T"], "expiry", "{told}");
    assert!((1..=1_500).contains(&told["in_ms"].as_u64().unwrap()), "{told}");
    for client in [&mut client, &mut silent] {
        let error = next_object(client);
        assert_eq!((&error["T"], &error["code"]), (&json!("error"), &json!(402)), "{error}");
        assert!(error["why"].as_str().unwrap().contains("expired"), "{error}");
        assert_eq!(client.read_to_close(), (Some(3000), true));
    }
    let close = std::iter::from_fn(|| events.next_event()).find(|event| event.name == "close").unwrap();
    assert_eq!(close.json()["code"], 3000, "{close:?}");
    assert_eq!(echo.read_to_close(), (Some(3000), true));
    assert_eq!(server.sessions_closed("token_expired"), 4.0);
}

#[test]
fn a_connection_with_an_expired_token_is_closed_with_the_same_code() {
    let WithTokens { server, signer, .. } = &server_with_secret(|_| {});
    let expired = signer.token(&json!({"sub": "anna", "exp": in_seconds(0) - 5}));
    let mut client = Client::connect_with(server.address, "/v2/iex", &bearer(&expired));

    assert_eq!(next_object(&mut client)["msg"], "connected");
    assert_eq!(next_object(&mut client)["code"], 402);
    assert_eq!(client.read_to_close(), (Some(3000), true));
    let mut session = Client::session(server.address);
    assert_eq!(session.command(&auth(&expired))["code"], 402, "the session stays open");
    assert_eq!(session.command(&auth(&signer.token_of("anna", 60)))["msg"], "authenticated");
}

#[test]
fn a_newer_token_keeps_the_session_and_may_include_less() {
    let WithTokens { server, signer, .. } = &server_with_secret(|_| {});
    let mut client = Client::session(server.address);
    let limits = json!({"max_sessions": 1});
    let first = signer.token(&json!({"sub": "anna", "exp": in_seconds(8), "limits": limits}));
    assert_eq!(client.command(&auth(&first))["msg"], "authenticated");
    let subscribe = r#"{"action":"subscribe","trades":["AAPL","MSFT"],"quotes":["*"],"topics":["chat:AAPL","weather:london"]}"#;
    assert_eq!(client.command(subscribe)["T"], "subscription");
    let alert =
        |symbol: &str| json!({"action": "alert", "S": symbol, "id": symbol, "when": "p>=999999"}).to_string();
    for symbol in ["AAPL", "MSFT"] {
        let answer = ask(&mut client, &alert(symbol));
        assert_eq!(answer["T"], "alerts", "{answer}");
    }

    assert_eq!(client.command(&auth(&signer.token_of("ben", 600)))["code"], 403, "another subject");
    assert_eq!(client.command(&auth("eyJhbGciOiJIUzI1NiJ9.e30.AAAA"))["code"], 402);
    let expired = signer.token(&json!({"sub": "anna", "exp": in_seconds(0) - 5}));
    assert_eq!(client.command(&auth(&expired))["code"], 402);
    let other_feed = signer.token(&json!({"sub": "anna", "exp": in_seconds(600), "feeds": ["sip"]}));
    assert_eq!(client.command(&auth(&other_feed))["code"], 409);
    assert_eq!(client.command(r#"{"action":"auth","key":"anna","secret":"x"}"#)["code"], 403, "no token");

    let narrower = signer.token(&json!({
        "sub": "anna", "exp": in_seconds(600), "symbols": ["AAPL"], "limits": limits,
        "topics": {"subscribe": ["chat:*"]},
    }));
    assert_eq!(client.command(&auth(&narrower))["msg"], "authenticated", "it is the same session");
    let left = next_object(&mut client);
    assert_eq!((&left["trades"], &left["quotes"]), (&json!(["AAPL"]), &json!([])), "{left}");
    assert_eq!(left["topics"], json!(["chat:AAPL"]), "{left}");
    let alerts = next_object(&mut client);
    assert_eq!(alerts["list"].as_array().unwrap().len(), 1, "{alerts}");
    assert_eq!(client.command(r#"{"action":"subscribe","trades":["MSFT"]}"#)["code"], 409);

    let wider = signer.token_of("anna", 600);
    assert_eq!(client.command(&auth(&wider))["msg"], "authenticated");
    assert_eq!(
        client.command(r#"{"action":"subscribe","trades":["MSFT"]}"#)["trades"],
        json!(["AAPL", "MSFT"])
    );
    // Longer than the first token lasted: a newer one replaced its end.
    let mut other = Client::session(server.address);
    assert_eq!(other.command(&auth(&signer.token_of("eve", 8)))["msg"], "authenticated");
    assert_eq!(other.read_to_close(), (Some(3000), true));
    assert_eq!(client.command(r#"{"action":"subscribe"}"#)["T"], "subscription");
}

#[test]
fn keys_are_fetched_and_a_new_one_is_found_by_the_token_that_needs_it() {
    let (old, new) = (TokenSigner::es256("old"), TokenSigner::rs256("new"));
    let keys = KeyServer::start(&TokenSigner::set(&[&old]));
    let server = server_with_url(keys.url());
    let rest = |signer: &TokenSigner| {
        get_with(server.address, "/v2/clock", &bearer(&signer.token_of("anna", 600))).status
    };
    // The token waits for the first fetch.
    assert_eq!(rest(&old), 200);
    assert_eq!(keys.requests(), 1);
    wait_until("the metrics", || server.metric("tapecast_jwks_fetches_total{result=\"ok\"}") == 1.0);

    keys.serve(&TokenSigner::set(&[&new]));
    assert_eq!(rest(&new), 401, "asked for less than 10 s ago");
    assert_eq!(rest(&TokenSigner::es256("made up")), 401);
    assert_eq!(keys.requests(), 1);
    server.reload();
    wait_until("the next fetch", || rest(&new) == 200);

    assert_eq!(rest(&old), 401, "the old key is gone");
    assert_eq!(keys.requests(), 2);
    assert_eq!(server.metric("tapecast_jwks_keys"), 1.0);
    let mut client = Client::session(server.address);
    assert_eq!(client.command(&auth(&new.token_of("anna", 600)))["msg"], "authenticated");

    keys.fail();
    server.reload();
    wait_until("a failed fetch", || server.metric("tapecast_jwks_fetches_total{result=\"error\"}") >= 1.0);
    assert_eq!(rest(&new), 200, "the last good keys remain");
}

#[test]
fn a_session_of_a_key_that_is_gone_goes_on_until_its_token_expires() {
    let (old, new) = (TokenSigner::es256("old"), TokenSigner::es256("new"));
    let folder = TempFolder::new();
    let file = folder.file("jwks.json");
    std::fs::write(&file, TokenSigner::set(&[&old])).unwrap();
    let keys = Some(TokenKeys::File(file.clone()));
    let server = Server::without_trades(|config| config.access.tokens = Some(token_config(None, keys)));
    let mut client = Client::session(server.address);
    assert_eq!(client.command(&auth(&old.token_of("anna", 3)))["msg"], "authenticated");

    std::fs::write(&file, TokenSigner::set(&[&new])).unwrap();
    server.reload();

    assert_eq!(client.command(r#"{"action":"subscribe"}"#)["T"], "subscription");
    assert_eq!(client.command(&auth(&old.token_of("anna", 600)))["code"], 402, "nor is it renewed");
    let mut later = Client::session(server.address);
    assert_eq!(later.command(&auth(&old.token_of("anna", 600)))["code"], 402);
    assert_eq!(later.command(&auth(&new.token_of("anna", 600)))["msg"], "authenticated");
    assert_eq!(client.read_to_close().0, Some(3000));

    std::fs::write(&file, "broken").unwrap();
    server.reload();
    let mut after = Client::session(server.address);
    assert_eq!(
        after.command(&auth(&new.token_of("anna", 600)))["msg"],
        "authenticated",
        "the last good ones"
    );
}

#[test]
fn while_keys_were_never_fetched_clients_are_told_to_come_later() {
    let keys = KeyServer::start("");
    keys.fail();
    let server = server_with_url(keys.url());
    let token = TokenSigner::es256("e").token_of("anna", 600);
    wait_until("a failed fetch", || server.metric("tapecast_jwks_fetches_total{result=\"error\"}") >= 1.0);

    let answer = get_with(server.address, "/v2/clock", &bearer(&token));
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    let mut client = Client::connect_with(server.address, "/v2/iex", &bearer(&token));
    assert_eq!(next_object(&mut client)["msg"], "connected");
    assert_eq!(next_object(&mut client)["code"], 500);
    assert_eq!(client.read_to_close(), (Some(1013), true));
    assert_eq!(server.metric("tapecast_auths_refused_total{reason=\"wrong\"}"), 0.0);
}

#[test]
fn leeway_bounds_how_far_clocks_may_be_apart() {
    let WithTokens { server, signer, .. } = &server_with_secret(|config| {
        config.access.tokens.as_mut().unwrap().rules.leeway = Duration::from_secs(60);
    });
    let rest = |claims: Value| get_with(server.address, "/v2/clock", &bearer(&signer.token(&claims))).status;

    assert_eq!(rest(json!({"sub": "anna", "exp": in_seconds(0) - 5})), 200);
    assert_eq!(rest(json!({"sub": "anna", "exp": in_seconds(0) - 90})), 401);
    assert_eq!(rest(json!({"sub": "anna", "exp": in_seconds(600), "nbf": in_seconds(20)})), 200);
    assert_eq!(rest(json!({"sub": "anna", "exp": in_seconds(600), "nbf": in_seconds(90)})), 401);
}
