//! Allowed origins, CORS and security headers.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use tapecast::auth::AllowedOrigins;
use test_support::{Client, HttpResponse, Server, get_with, request};

fn quiet_server() -> Server {
    Server::without_trades(|_| {})
}

#[test]
fn every_response_has_the_security_headers() {
    let server = quiet_server();

    for path in ["/", "/healthz", "/metrics", "/v2/assets", "/v2/nowhere", "/nowhere"] {
        let response = get_with(server.address, path, "");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(response.header(name), Some(value), "{path}: {}", response.head);
        }
    }
    assert!(Client::connect(server.address, "/echo").handshake.contains("x-content-type-options: nosniff"));
}

#[test]
fn the_dashboard_may_load_only_from_this_server() {
    let server = quiet_server();

    let response = get_with(server.address, "/", "");

    let policy = response.header("content-security-policy").unwrap();
    for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.split("; ").any(|has| has == rule), "{policy}");
    }
}

/// The status of the response to an upgrade with these headers.
fn upgrade_status(server: &Server, path: &str, headers: &str) -> String {
    let client = Client::connect_with(server.address, path, headers);
    client.handshake.lines().next().unwrap()["HTTP/1.1 ".len()..].to_owned()
}

const ACCEPTED: &str = "101 Switching Protocols";

#[test]
fn an_upgrade_from_another_origin_is_refused() {
    let server = quiet_server();

    for path in ["/v2/iex", "/websocket/connect?userId=3", "/echo"] {
        assert_eq!(upgrade_status(&server, path, ""), ACCEPTED, "{path}");
        assert_eq!(upgrade_status(&server, path, "Origin: http://localhost\r\n"), ACCEPTED, "{path}");
        assert_eq!(
            upgrade_status(&server, path, "Origin: http://evil.example\r\n"),
            "403 Forbidden",
            "{path}"
        );
        assert_eq!(upgrade_status(&server, path, "Origin: null\r\n"), "403 Forbidden", "{path}");
    }

    assert_eq!(server.upgrades_refused("origin"), 6.0);
}

#[test]
fn an_allowed_origin_may_open_sessions_and_with_any_every_origin_may() {
    let named = Server::start(|config| {
        config.access.origins = AllowedOrigins::Own(vec!["https://app.example".parse().unwrap()]);
    });
    let open = Server::start(|config| config.access.origins = AllowedOrigins::Any);

    assert_eq!(upgrade_status(&named, "/v2/iex", "Origin: https://app.example\r\n"), ACCEPTED);
    assert_eq!(upgrade_status(&named, "/v2/iex", "Origin: http://app.example\r\n"), "403 Forbidden");
    assert_eq!(upgrade_status(&open, "/v2/iex", "Origin: null\r\n"), ACCEPTED);
}

/// The upgrade that a browser sends for a page of this host: `Origin` and `Host` are equal.
fn own_page(host: &str) -> String {
    format!("Host: {host}\r\nOrigin: http://{host}\r\n")
}

#[test]
fn a_page_whose_name_is_rebound_to_this_machine_is_refused() {
    let server = quiet_server();
    let named = Server::without_trades(|config| {
        config.access.hosts = vec!["tape.example".parse().unwrap()].into();
    });
    let proxied = Server::without_trades(|config| {
        config.access.proxies = vec!["127.0.0.1".parse().unwrap()].into();
    });

    for path in ["/v2/iex", "/websocket/connect", "/echo"] {
        assert_eq!(upgrade_status(&server, path, &own_page("evil.example:8080")), "403 Forbidden", "{path}");
    }
    assert_eq!(server.upgrades_refused("host"), 3.0);
    for own in ["127.0.0.1:8080", "localhost:8080", "[::1]", "tape.localhost"] {
        assert_eq!(upgrade_status(&server, "/v2/iex", &own_page(own)), ACCEPTED, "{own}");
    }
    assert_eq!(upgrade_status(&named, "/v2/iex", &own_page("tape.example")), ACCEPTED);
    assert_eq!(upgrade_status(&named, "/v2/iex", &own_page("evil.example")), "403 Forbidden");
    let reported = format!("{}X-Forwarded-For: 203.0.113.7\r\n", own_page("tape.example"));
    assert_eq!(upgrade_status(&proxied, "/v2/iex", &reported), ACCEPTED, "a page sets no such header");
    assert_eq!(upgrade_status(&proxied, "/v2/iex", &own_page("tape.example")), "403 Forbidden");
}

#[test]
fn apps_and_subdomains_can_be_allowed() {
    let server = Server::start(|config| {
        let patterns = ["tauri://localhost", "capacitor://localhost", "https://*.example.com", "file://"];
        config.access.origins =
            AllowedOrigins::Own(patterns.iter().map(|pattern| pattern.parse().unwrap()).collect());
    });

    for origin in ["tauri://localhost", "capacitor://localhost", "https://a.b.example.com", "file://"] {
        let header = format!("Origin: {origin}\r\n");
        assert_eq!(upgrade_status(&server, "/v2/iex", &header), ACCEPTED, "{origin}");
        let answer = get_with(server.address, "/v2/clock", &header);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
    }
    for origin in ["app://localhost", "https://example.com", "http://a.example.com", "https://*.example.com"]
    {
        let header = format!("Origin: {origin}\r\n");
        assert_eq!(upgrade_status(&server, "/v2/iex", &header), "403 Forbidden", "{origin}");
        assert_eq!(cors_headers(&get_with(server.address, "/v2/clock", &header)), [""; 0], "{origin}");
    }
}

/// `make page` puts the compressed forms beside the files; `cargo test` alone finds none to compare.
#[test]
fn page_files_are_sent_as_the_build_compressed_them() {
    let server = quiet_server();
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist");
    for (accepted, coding, ending) in
        [("gzip, deflate, br", "br", ".br"), ("gzip", "gzip", ".gz"), ("br;q=0, gzip;q=0.1", "gzip", ".gz")]
    {
        let Ok(compressed) = std::fs::read(dist.join(format!("index.html{ending}"))) else { continue };
        let mut stream = TcpStream::connect(server.address).unwrap();
        write!(
            stream,
            "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept-Encoding: {accepted}\r\n\r\n"
        )
        .unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();

        let end = response.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&response[..end]).to_ascii_lowercase();
        assert!(head.contains(&format!("content-encoding: {coding}")), "{accepted}: {head}");
        assert!(head.contains("vary: accept-encoding") && head.contains("text/html"), "{accepted}: {head}");
        assert_eq!(response[end + 4..], compressed, "{accepted}");
    }
}

/// The binary has the large ones in compressed forms only.
#[test]
fn a_client_without_codings_gets_page_files_as_they_are() {
    let server = quiet_server();
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist/assets");
    for entry in std::fs::read_dir(assets).into_iter().flatten() {
        let path = entry.unwrap().path();
        let media_type = match path.extension().and_then(|ending| ending.to_str()) {
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            _ => continue,
        };
        let name = path.file_name().unwrap().to_str().unwrap();
        let response = get_with(server.address, &format!("/assets/{name}"), "");
        assert_eq!(response.header("content-type"), Some(media_type), "{name}");
        assert_eq!(response.header("content-encoding"), None, "{name}");
        assert!(response.body == std::fs::read_to_string(&path).unwrap(), "{name}");
    }
}

#[test]
fn a_named_sub_protocol_is_answered_with_the_first_one() {
    let server = quiet_server();
    let answered = |headers: &str| {
        let handshake =
            Client::connect_with(server.address, "/v2/iex", headers).handshake.to_ascii_lowercase();
        let lines = handshake.lines().filter_map(|line| line.strip_prefix("sec-websocket-protocol: "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };

    assert_eq!(answered(""), [""; 0]);
    assert_eq!(answered("Sec-WebSocket-Protocol: v2.stream.tape\r\n"), ["v2.stream.tape"]);
    assert_eq!(answered("Sec-WebSocket-Protocol: , one , two\r\nSec-WebSocket-Protocol: three\r\n"), ["one"]);
}

#[test]
fn the_content_type_of_messagepack_may_have_parameters() {
    let server = quiet_server();

    for (content_type, opcode) in [
        ("application/msgpack", 2),
        ("Application/MsgPack ; charset=utf-8", 2),
        ("application/msgpack;v=\"1\"; x=\u{e4}", 2),
        ("application/json; a=application/msgpack", 1),
        ("application/msgpack2", 1),
    ] {
        let header = format!("Content-Type: {content_type}\r\n");
        let mut client = Client::connect_with(server.address, "/v2/iex", &header);
        assert_eq!(client.next_frame().unwrap().opcode, opcode, "{content_type}");
    }
}

const APP: &str = "Origin: https://app.example\r\n";
const EVIL: &str = "Origin: http://evil.example\r\n";

/// The CORS preflight that a browser sends before a request with these headers.
fn preflight(server: &Server, origin: &str, headers: &str) -> HttpResponse {
    let request_headers = format!(
        "{origin}Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: {headers}\r\n"
    );
    request(server.address, "OPTIONS", "/v2/stocks/bars?symbols=AAPL&timeframe=1Day", &request_headers)
}

fn cors_headers(response: &HttpResponse) -> Vec<&str> {
    response.head.lines().filter(|line| line.to_ascii_lowercase().starts_with("access-control-")).collect()
}

#[test]
fn only_an_allowed_origin_may_read_rest() {
    let server = Server::start(|config| {
        config.access.origins = AllowedOrigins::Own(vec!["https://app.example".parse().unwrap()]);
    });

    for (path, status) in [
        ("/v2/assets", 200),
        ("/v2/stocks/trades", 400),
        ("/v2/nowhere", 404),
        ("/udf/config", 200),
        ("/udf/x", 404),
    ] {
        let response = get_with(server.address, path, APP);
        assert_eq!(response.status, status, "{path}");
        assert_eq!(response.header("access-control-allow-origin"), Some("https://app.example"), "{path}");
        let varies = response.header("vary").unwrap();
        assert!(varies.split(", ").any(|name| name.eq_ignore_ascii_case("origin")), "{path}: {varies}");
        for other in ["", EVIL, "Origin: null\r\n", "Origin: http://localhost\r\n"] {
            let response = get_with(server.address, path, other);
            assert_eq!((response.status, cors_headers(&response)), (status, vec![]), "{path} {other}");
        }
    }
    for closed in ["/metrics", "/readyz", "/"] {
        assert_eq!(cors_headers(&get_with(server.address, closed, APP)), [""; 0], "{closed}");
    }
}

/// A page whose WebSocket did not open learns from these two why: browsers tell it nothing.
#[test]
fn a_page_of_any_origin_may_see_that_the_server_is_there() {
    let server = quiet_server();

    for origin in [APP, EVIL, "Origin: null\r\n"] {
        let response = get_with(server.address, "/healthz", origin);
        assert_eq!(cors_headers(&response), ["access-control-allow-origin: *"], "{origin}");
        assert_eq!(cors_headers(&get_with(server.address, "/v2/clock", origin)), [""; 0], "{origin}");
    }
}

#[test]
fn an_allowed_origin_may_send_a_key_in_headers() {
    let server = Server::start(|config| {
        config.access.origins = AllowedOrigins::Own(vec!["https://app.example".parse().unwrap()]);
    });
    let key = "apca-api-key-id, apca-api-secret-key";

    let harmless = "Content-Type,USER-AGENT, accept, x-requested-with,traceparent";
    for headers in [key, "authorization", "APCA-API-KEY-ID,APCA-API-SECRET-KEY", harmless] {
        let response = preflight(&server, APP, headers);
        assert_eq!(response.status, 200, "{}", response.head);
        assert_eq!(response.header("access-control-allow-origin"), Some("https://app.example"));
        let allowed = response.header("access-control-allow-headers").unwrap().to_ascii_lowercase();
        let mut headers = headers.split(',').map(|header| header.trim().to_ascii_lowercase());
        assert!(headers.all(|header| allowed.split(',').any(|name| name.trim() == header)), "{allowed}");
        assert!(response.header("access-control-max-age").unwrap().parse::<u32>().unwrap() > 0);
    }
    assert_eq!(preflight(&server, APP, "x-anything").status, 400);
    assert_eq!(cors_headers(&preflight(&server, EVIL, key)), [""; 0]);
}

#[test]
fn with_any_every_origin_may_read_rest_and_by_default_none_may() {
    let open = Server::start(|config| config.access.origins = AllowedOrigins::Any);
    let closed = quiet_server();

    assert_eq!(get_with(open.address, "/v2/clock", EVIL).header("access-control-allow-origin"), Some("*"));
    assert_eq!(preflight(&open, EVIL, "authorization").header("access-control-allow-origin"), Some("*"));
    let response = get_with(closed.address, "/v2/clock", EVIL);
    assert_eq!((response.status, cors_headers(&response), response.header("vary")), (200, vec![], None));
    assert_eq!(cors_headers(&preflight(&closed, EVIL, "authorization")), [""; 0]);
}
