//! Who may come in, and what every answer says to browsers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use tapecast::auth::AllowedOrigins;
use test_support::{Client, DEADLINE, HttpResponse, Server, get, get_with, request, wait_until};

fn still() -> Server {
    Server::start(|config| config.simulation.trades_per_second = 0.0)
}

#[test]
fn every_answer_protects_browsers_whatever_was_asked_for() {
    let server = still();

    for path in ["/", "/healthz", "/metrics", "/v2/assets", "/v2/nowhere", "/nowhere"] {
        let answer = get_with(server.address, path, "");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}: {}", answer.head);
        }
    }
    assert!(Client::connect(server.address, "/echo").handshake.contains("x-content-type-options: nosniff"));
}

#[test]
fn the_page_runs_only_what_this_server_gave_it() {
    let server = still();

    let answer = get_with(server.address, "/", "");

    let policy = answer.header("content-security-policy").unwrap();
    for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.split("; ").any(|has| has == rule), "{policy}");
    }
}

/// The status line of what answers this upgrade.
fn upgrade(server: &Server, path: &str, headers: &str) -> String {
    let client = Client::connect_with(server.address, path, headers);
    client.handshake.lines().next().unwrap()["HTTP/1.1 ".len()..].to_owned()
}

const WELCOME: &str = "101 Switching Protocols";

#[test]
fn a_page_of_somebody_else_opens_no_session() {
    let server = still();

    for path in ["/v2/iex", "/websocket/connect?userId=3", "/echo"] {
        assert_eq!(upgrade(&server, path, ""), WELCOME, "{path}");
        assert_eq!(upgrade(&server, path, "Origin: http://test\r\n"), WELCOME, "{path}");
        assert_eq!(upgrade(&server, path, "Origin: http://evil.example\r\n"), "403 Forbidden", "{path}");
        assert_eq!(upgrade(&server, path, "Origin: null\r\n"), "403 Forbidden", "{path}");
    }

    assert_eq!(server.metric("tapecast_upgrades_refused_total{reason=\"origin\"}"), 6.0);
}

#[test]
fn a_page_that_is_named_opens_sessions_and_where_all_are_meant_all_do() {
    let named = Server::start(|config| {
        config.access.origins = AllowedOrigins::Own(vec!["https://app.example".parse().unwrap()]);
    });
    let open = Server::start(|config| config.access.origins = AllowedOrigins::Any);

    assert_eq!(upgrade(&named, "/v2/iex", "Origin: https://app.example\r\n"), WELCOME);
    assert_eq!(upgrade(&named, "/v2/iex", "Origin: http://app.example\r\n"), "403 Forbidden");
    assert_eq!(upgrade(&open, "/v2/iex", "Origin: null\r\n"), WELCOME);
}

const APP: &str = "Origin: https://app.example\r\n";
const EVIL: &str = "Origin: http://evil.example\r\n";

/// What a browser asks before it shows a key to another site.
fn preflight(server: &Server, origin: &str, headers: &str) -> HttpResponse {
    let asked = format!(
        "{origin}Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: {headers}\r\n"
    );
    request(server.address, "OPTIONS", "/v2/stocks/bars?symbols=AAPL&timeframe=1Day", &asked)
}

fn cors_headers(answer: &HttpResponse) -> Vec<&str> {
    answer.head.lines().filter(|line| line.to_ascii_lowercase().starts_with("access-control-")).collect()
}

#[test]
fn a_page_that_is_named_reads_rest_and_no_other_does() {
    let server = Server::start(|config| {
        config.access.origins = AllowedOrigins::Own(vec!["https://app.example".parse().unwrap()]);
    });

    for (path, status) in [("/v2/assets", 200), ("/v2/stocks/trades", 400), ("/v2/nowhere", 404)] {
        let answer = get_with(server.address, path, APP);
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"), "{path}");
        let varies = answer.header("vary").unwrap();
        assert!(varies.split(", ").any(|name| name.eq_ignore_ascii_case("origin")), "{path}: {varies}");
        for other in ["", EVIL, "Origin: null\r\n", "Origin: http://test\r\n"] {
            let answer = get_with(server.address, path, other);
            assert_eq!((answer.status, cors_headers(&answer)), (status, vec![]), "{path} {other}");
        }
    }
    for closed in ["/metrics", "/healthz", "/"] {
        assert_eq!(cors_headers(&get_with(server.address, closed, APP)), [""; 0], "{closed}");
    }
}

#[test]
fn a_page_that_is_named_may_show_a_key_in_headers() {
    let server = Server::start(|config| {
        config.access.origins = AllowedOrigins::Own(vec!["https://app.example".parse().unwrap()]);
    });
    let key = "apca-api-key-id, apca-api-secret-key";

    for headers in [key, "authorization"] {
        let answer = preflight(&server, APP, headers);
        assert_eq!(answer.status, 200, "{}", answer.head);
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
        let allowed = answer.header("access-control-allow-headers").unwrap().to_ascii_lowercase();
        assert!(headers.split(", ").all(|header| allowed.contains(header)), "{allowed}");
        assert!(answer.header("access-control-max-age").unwrap().parse::<u32>().unwrap() > 0);
    }
    assert_eq!(preflight(&server, APP, "x-anything").status, 400);
    assert_eq!(cors_headers(&preflight(&server, EVIL, key)), [""; 0]);
}

#[test]
fn where_all_are_meant_all_read_rest_and_where_nobody_is_named_nobody_does() {
    let open = Server::start(|config| config.access.origins = AllowedOrigins::Any);
    let closed = still();

    assert_eq!(get_with(open.address, "/v2/clock", EVIL).header("access-control-allow-origin"), Some("*"));
    assert_eq!(preflight(&open, EVIL, "authorization").header("access-control-allow-origin"), Some("*"));
    let answer = get_with(closed.address, "/v2/clock", EVIL);
    assert_eq!((answer.status, cors_headers(&answer), answer.header("vary")), (200, vec![], None));
    assert_eq!(cors_headers(&preflight(&closed, EVIL, "authorization")), [""; 0]);
}

#[test]
fn while_it_stops_it_says_so_to_all_who_come() {
    let mut server = Server::start(|config| {
        config.simulation.trades_per_second = 0.0;
        (config.drain, config.liveness.close) = (DEADLINE, DEADLINE);
    });
    // More than the kernels keep on the way, so that this session cannot end.
    let mut stalled = Client::connect(server.address, "/echo");
    stalled.send_frame(0x82, &vec![b'*'; 16 << 20]);
    wait_until("it to stall", || server.metric("tapecast_outbox_bytes{") > 0.0);
    assert_eq!(get(server.address, "/readyz").0, 200);

    server.begin_shutdown();

    wait_until("it to be ready no more", || get(server.address, "/readyz").0 == 503);
    assert_eq!(get(server.address, "/healthz").0, 200);
    assert_eq!(upgrade(&server, "/v2/iex", ""), "503 Service Unavailable");
    assert_eq!(server.metric("tapecast_upgrades_refused_total{reason=\"not_ready\"}"), 1.0);
    drop(stalled);
}
