//! HTTP by the standards: methods, the WebSocket handshake, and responses that slow clients take.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;
use tapecast::auth::AllowedOrigins;
use tapecast::limits::AnswerLimits;
use test_support::{Client, DEADLINE, HttpResponse, Server, exchange, get, get_with, request, wait_until};

fn quiet_server() -> Server {
    Server::without_trades(|_| {})
}

const STREAMS: [&str; 3] = ["/v2/iex", "/websocket/connect?userId=3", "/echo"];

/// The headers of a response that are the same in every response to the same request.
fn stable_headers(response: &HttpResponse) -> Vec<String> {
    let lines = response.head.lines().map(str::to_ascii_lowercase);
    let mut stable: Vec<_> =
        lines.filter(|line| !line.starts_with("date:") && !line.starts_with("content-length:")).collect();
    stable.sort();
    stable
}

#[test]
fn head_answers_as_get_without_a_body() {
    let server = quiet_server();

    for path in [
        "/",
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/v2/assets",
        "/v2/clock",
        "/v2/stocks/bars",
        "/v2/iex",
        "/nowhere",
        "/v2/nowhere/at/all",
    ] {
        let (get, head) = (get_with(server.address, path, ""), request(server.address, "HEAD", path, ""));
        assert_eq!(head.body, "", "{path}");
        assert_eq!(stable_headers(&head), stable_headers(&get), "{path}");
        let length: usize = head.header("content-length").unwrap().parse().unwrap();
        // The bodies of these two differ from one request to the next.
        if !["/metrics", "/v2/clock"].contains(&path) {
            assert_eq!(length, get.body.len(), "{path}");
        }
    }
}

#[test]
fn a_connection_continues_after_head() {
    let server = quiet_server();

    let responses = exchange(
        server.address,
        b"HEAD /v2/assets HTTP/1.1\r\nHost: test\r\n\r\nGET /healthz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
    );

    assert_eq!(responses.matches("HTTP/1.1 200 OK").count(), 2, "{responses}");
    assert!(responses.ends_with("ok\n"), "{responses}");
}

#[test]
fn methods_other_than_get_and_head_are_refused_everywhere() {
    let server = quiet_server();
    let paths = ["/", "/healthz", "/metrics", "/v2/assets", "/v2/stocks/bars", "/v2/iex", "/v2", "/nowhere"];

    for path in paths {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"] {
            let response = request(server.address, method, path, "");
            assert_eq!(
                (response.status, response.header("allow")),
                (405, Some("GET, HEAD")),
                "{method} {path}"
            );
            assert!(response.body.contains("\"message\""), "{method} {path}: {}", response.body);
        }
        for method in ["BREW", "get", "PROPFIND"] {
            assert_eq!(request(server.address, method, path, "").status, 501, "{method} {path}");
        }
    }
    assert_eq!(request(server.address, "POST", "/", "Content-Length: 5\r\n").status, 405);
    assert!(server.metric("tapecast_requests_refused_total{reason=\"method\"}") > 80.0);
}

#[test]
fn a_preflight_is_answered_where_there_is_cors_and_refused_where_there_is_none() {
    let preflight = "Origin: https://app.example.org\r\nAccess-Control-Request-Method: GET\r\n";
    let server = quiet_server();
    assert_eq!(request(server.address, "OPTIONS", "/v2/assets", preflight).status, 405);
    assert_eq!(request(server.address, "OPTIONS", "/", preflight).status, 405);

    let open = Server::without_trades(|config| config.access.origins = AllowedOrigins::Any);
    let response = request(open.address, "OPTIONS", "/v2/assets", preflight);
    assert_eq!((response.status, response.header("access-control-allow-origin")), (200, Some("*")));
    assert_eq!(request(open.address, "OPTIONS", "/", preflight).status, 405);
}

#[test]
fn a_get_of_a_stream_without_an_upgrade_says_how_to_connect() {
    let server = quiet_server();

    for path in STREAMS {
        let response = get_with(server.address, path, "");
        assert_eq!((response.status, response.header("upgrade")), (426, Some("websocket")), "{path}");
        assert_eq!(response.header("content-type"), Some("application/json"));
        let body: Value = serde_json::from_str(&response.body).unwrap();
        assert!(body["message"].as_str().unwrap().contains("ws://"), "{body}");
    }
    assert_eq!(get(server.address, "/v2/nowhere").0, 404);
}

/// Names and values of header lines.
type Lines<'a> = &'a [(&'a str, &'a str)];

/// A complete handshake, with some lines replaced.
fn handshake(path: &str, version: &str, replaced: Lines<'_>) -> Vec<u8> {
    let lines = [
        ("Host", "test"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "xUmMgSW9Hpt1PGw/X1UCHg=="),
    ];
    let kept = lines.iter().filter(|(name, _)| replaced.iter().all(|(other, _)| name != other));
    let lines = kept.chain(replaced).filter(|(_, value)| !value.is_empty());
    let lines: String = lines.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET {path} HTTP/{version}\r\n{lines}\r\n").into_bytes()
}

#[test]
fn a_faulty_handshake_is_refused_in_json_and_never_gets_101() {
    let server = quiet_server();
    let key = "xUmMgSW9Hpt1PGw/X1UCHg==";
    let faults: [(&str, Lines<'_>, u16); 12] = [
        ("1.1", &[("Upgrade", "h2c")], 426),
        ("1.1", &[("Upgrade", "websocket/13, h2c")], 426),
        ("1.1", &[("Connection", "keep-alive")], 400),
        ("1.1", &[("Connection", "")], 400),
        ("1.1", &[("Sec-WebSocket-Version", "8")], 426),
        ("1.1", &[("Sec-WebSocket-Version", "7")], 426),
        ("1.1", &[("Sec-WebSocket-Version", "")], 426),
        ("1.1", &[("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Version", "13")], 426),
        ("1.1", &[("Sec-WebSocket-Key", "abcde")], 400),
        ("1.1", &[("Sec-WebSocket-Key", key), ("Sec-WebSocket-Key", key)], 400),
        ("1.1", &[("Sec-WebSocket-Key", "")], 400),
        ("1.0", &[], 400),
    ];

    for path in STREAMS {
        for (version, lines, status) in faults {
            let closing = [lines, &[("Connection", "close")]].concat();
            let lines = if lines.iter().any(|(name, _)| *name == "Connection") { &closing } else { lines };
            let mut stream = TcpStream::connect(server.address).unwrap();
            stream.set_read_timeout(Some(DEADLINE)).unwrap();
            stream.write_all(&handshake(path, version, lines)).unwrap();
            let response = read_response(&mut stream);
            assert!(response.starts_with(&format!("HTTP/{version} {status} ")), "{lines:?}: {response}");
            let head = response.to_ascii_lowercase();
            assert!(
                head.contains("sec-websocket-version: 13\r\n") && head.contains("upgrade: websocket\r\n")
            );
            assert!(head.contains("\r\n\r\n{\"message\":\"this is the address of a websocket"), "{response}");
        }
    }
    assert_eq!(server.metric("tapecast_sessions_opened_total"), 0.0);
    assert!(server.upgrades_refused("handshake") > 0.0);
}

/// One response with a body of known length.
fn read_response(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).unwrap();
        text.extend_from_slice(&chunk[..count]);
        let so_far = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = so_far.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return so_far;
            }
        }
        assert!(count > 0, "the connection ended within a response: {so_far}");
    }
}

#[test]
fn a_proxy_that_lists_websocket_twice_gets_a_session() {
    let server = quiet_server();

    for upgrade in ["websocket, websocket", "WebSocket,websocket", "websocket, h2c", "h2c, websocket"] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(&handshake("/v2/iex", "1.1", &[("Upgrade", upgrade)])).unwrap();
        let mut received = Vec::new();
        while !received.ends_with(br#"[{"T":"success","msg":"connected"}]"#) {
            let mut chunk = [0; 4096];
            let count = stream.read(&mut chunk).unwrap();
            assert!(count > 0, "{upgrade}: {}", String::from_utf8_lossy(&received));
            received.extend_from_slice(&chunk[..count]);
        }
        assert!(received.starts_with(b"HTTP/1.1 101 "));
    }
}

#[test]
fn an_offer_of_http2_is_ignored_and_the_connection_continues() {
    let server = quiet_server();
    let offer = "GET /healthz HTTP/1.1\r\nHost: test\r\nConnection: Upgrade, HTTP2-Settings\r\n\
                 Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n";
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();

    for _ in 0..3 {
        stream.write_all(offer.as_bytes()).unwrap();
        let response = read_response(&mut stream);
        assert!(response.starts_with("HTTP/1.1 200 OK") && response.ends_with("ok\n"), "{response}");
        assert!(!response.to_ascii_lowercase().contains("connection:"), "{response}");
    }
}

/// A connection that has requested this path and reads nothing.
fn slow_reader(address: SocketAddr, path: &str) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    // The response stays in the server.
    socket.set_recv_buffer_size(4 << 10).unwrap();
    socket.connect(&address.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
    stream
}

#[test]
fn rest_responses_that_clients_do_not_take_are_bounded() {
    let server = Server::without_trades(|config| {
        config.workers = 1;
        config.access.http.answers = AnswerLimits { address_bytes: 1 << 20, ..AnswerLimits::default() };
    });
    let assets: Vec<serde_json::Value> = serde_json::from_str(&get(server.address, "/v2/assets").1).unwrap();
    let symbols: Vec<_> = assets.iter().take(20).map(|asset| asset["symbol"].as_str().unwrap()).collect();
    // A year of days: as long at any time of the day.
    let page = format!(
        "/v2/stocks/bars?symbols={}&timeframe=1Day&limit=10000&start=2000-01-01T00:00:00Z",
        symbols.join(",")
    );
    let page = page.as_str();
    let bytes = get(server.address, page).1.len();
    assert!(
        (600 << 10..1 << 20).contains(&bytes),
        "{bytes}: longer than the kernel's buffers, and one has room"
    );

    let mut readers: Vec<_> = (0..30).map(|_| slow_reader(server.address, page)).collect();
    let refused = || server.metric("tapecast_requests_refused_total{reason=\"answers\"}");
    wait_until("some to be refused", || refused() > 0.0);

    let refusal = get_with(server.address, page, "");
    assert_eq!((refusal.status, refusal.header("retry-after")), (503, Some("5")));
    assert_eq!(get(server.address, "/healthz").0, 200);
    readers.clear();
    wait_until("the responses to be given up", || get(server.address, page).0 == 200);
}

#[test]
fn the_list_of_assets_is_shared_by_its_readers() {
    let server = Server::without_trades(|config| {
        config.workers = 1;
        config.symbols = 10_000;
        config.access.http.answers = AnswerLimits { address_bytes: 1, total_bytes: 1 };
    });

    let readers: Vec<_> = (0..20).map(|_| slow_reader(server.address, "/v2/assets")).collect();

    let (status, body) = get(server.address, "/v2/assets");
    let assets: Vec<Value> = serde_json::from_str(&body).unwrap();
    assert_eq!((status, assets.len()), (200, 10_000));
    let id = assets[9_999]["id"].as_str().unwrap();
    let (_, one) = get(server.address, &format!("/v2/assets/{id}"));
    assert_eq!(serde_json::from_str::<Value>(&one).unwrap(), assets[9_999]);
    assert_eq!(get(server.address, "/v2/assets?status=inactive").1, "[]");
    drop(readers);
}

#[test]
fn a_session_can_be_opened_after_a_refused_request() {
    let server = quiet_server();
    assert_eq!(get(server.address, "/v2/iex").0, 426);
    Client::session(server.address);
}
