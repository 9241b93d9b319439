use std::fmt::Write as _;

use test_support::{TempFolder, exchange, get_with, request, send_json};

use super::Administered;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The paths of the API with their methods.
const PATHS: [(&str, &str); 14] = [
    ("GET", "overview"),
    ("GET", "sessions"),
    ("GET", "sessions/0-1"),
    ("DELETE", "sessions/0-1"),
    ("PUT", "sessions/0-1/muted"),
    ("POST", "drain"),
    ("DELETE", "drain"),
    ("GET", "log-level"),
    ("PUT", "log-level"),
    ("GET", "keys"),
    ("POST", "keys"),
    ("POST", "keys/desk/rotate"),
    ("DELETE", "keys/desk"),
    ("GET", "refusals"),
];

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// A server with a token file, at this address.
fn with_token(folder: &TempFolder, address: [u8; 4]) -> Administered {
    let file = folder.file("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    Administered::start(|config| {
        config.access.admin = Some((address, 0).into());
        config.access.admin_token = Some(file);
    })
}

#[test]
fn clients_are_served_nothing_of_the_administration() {
    let node = Administered::start(|_| ());

    for (method, path) in PATHS {
        let answer = request(node.server.address, method, &format!("/admin/api/{path}"), "");
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.body);
    }
    for path in [
        "/admin",
        "/admin/",
        "/admin.html",
        "/admin.html.gz",
        "//admin.html",
        "/assets/../admin.html",
        "/./admin.html",
        "/admin/assets/x.js",
    ] {
        assert_eq!(get_with(node.server.address, path, "").status, 404, "{path}");
    }
    assert_eq!(node.json("overview")["draining"], false, "nothing was done");
}

#[test]
fn without_an_admin_address_there_is_no_administration() {
    let server = test_support::Server::without_trades(|_| ());

    for (method, path) in PATHS {
        assert_eq!(
            request(server.address, method, &format!("/admin/api/{path}"), "").status,
            404,
            "{method} {path}"
        );
    }
}

#[test]
fn without_a_token_no_other_host_no_other_page_and_no_proxy_is_answered() {
    let node = Administered::start(|_| ());
    let own = format!("http://{}", node.admin);
    let host = format!("Host: {}\r\n", node.admin);

    for (headers, status) in [
        (String::new(), 200),
        (format!("{host}Origin: {own}\r\n"), 200),
        ("Host: [::1]:9090\r\n".to_owned(), 200),
        ("Host: evil.example\r\n".to_owned(), 403),
        ("Host: localhost.evil.example\r\n".to_owned(), 403),
        ("Host: evil.example\r\nOrigin: http://evil.example\r\n".to_owned(), 403),
        (format!("{host}Origin: http://evil.example\r\n"), 403),
        (format!("{host}Origin: null\r\n"), 403),
        (format!("{host}Origin: http://127.0.0.1:1\r\n"), 403),
        ("X-Forwarded-For: 203.0.113.7\r\n".to_owned(), 403),
        ("Via: 1.1 proxy\r\n".to_owned(), 403),
    ] {
        for (method, path) in [("GET", "overview"), ("DELETE", "drain")] {
            let answer = request(node.admin, method, &format!("/admin/api/{path}"), &headers);
            assert_eq!(answer.status, status, "{method} {headers:?}: {}", answer.body);
        }
    }
    let preflight = "Origin: http://evil.example\r\nAccess-Control-Request-Method: DELETE\r\n";
    let answer = request(node.admin, "OPTIONS", "/admin/api/drain", preflight);
    assert!(answer.status >= 400 && answer.header("access-control-allow-origin").is_none(), "{answer:?}");
}

#[test]
fn a_token_is_required_on_each_path_and_wrong_ones_are_told_from_none() {
    let folder = TempFolder::new();
    let node = with_token(&folder, [127, 0, 0, 1]);

    for (method, path) in PATHS {
        let path = format!("/admin/api/{path}");
        let answer = request(node.admin, method, &path, "");
        assert_eq!(
            (answer.status, answer.header("www-authenticate").is_some()),
            (401, true),
            "{method} {path}"
        );
    }
    for wrong in ["", "x", &TOKEN[1..], &format!("{TOKEN}0"), &TOKEN.to_uppercase()] {
        assert_eq!(get_with(node.admin, "/admin/api/overview", &bearer(wrong)).status, 401, "{wrong}");
    }
    let basic = format!("Authorization: Basic {TOKEN}\r\n");
    assert_eq!(get_with(node.admin, "/admin/api/overview", &basic).status, 401);
    assert_eq!(get_with(node.admin, "/admin/api/overview", &bearer(TOKEN)).status, 200);
    let foreign = format!("{}Origin: http://evil.example\r\n", bearer(TOKEN));
    assert_eq!(get_with(node.admin, "/admin/api/overview", &foreign).status, 403);
    assert_eq!(get_with(node.admin, "/admin/", "").status, 200, "the page asks for the token");
}

#[test]
fn an_address_that_guesses_tokens_must_wait() {
    let folder = TempFolder::new();
    let node = with_token(&folder, [127, 0, 0, 1]);

    let statuses: Vec<_> =
        (0..40).map(|_| get_with(node.admin, "/admin/api/overview", &bearer("guess")).status).collect();

    assert_eq!((statuses[0], statuses[39]), (401, 429));
    assert_eq!(get_with(node.admin, "/admin/api/overview", &bearer(TOKEN)).status, 429);
}

#[test]
fn beyond_loopback_nobody_is_answered_without_a_token() {
    let node = Administered::start(|config| config.access.admin = Some(([0, 0, 0, 0], 0).into()));
    let here = (std::net::Ipv4Addr::LOCALHOST, node.admin.port()).into();

    for (method, path) in PATHS {
        let answer = request(here, method, &format!("/admin/api/{path}"), "");
        assert_eq!(answer.status, 403, "{method} {path}");
        assert!(answer.body.contains("--admin-token-file"), "{}", answer.body);
    }
    assert_eq!(get_with(here, "/metrics", "").status, 200);

    let folder = TempFolder::new();
    let node = with_token(&folder, [0, 0, 0, 0]);
    let here = (std::net::Ipv4Addr::LOCALHOST, node.admin.port()).into();
    let headers = format!("Host: admin.example:9090\r\n{}", bearer(TOKEN));
    assert_eq!(get_with(here, "/admin/api/overview", &headers).status, 200);
}

#[test]
fn another_token_is_in_force_after_a_reload() {
    let folder = TempFolder::new();
    let node = with_token(&folder, [127, 0, 0, 1]);
    let status = |token: &str| get_with(node.admin, "/admin/api/overview", &bearer(token)).status;
    let other = TOKEN.to_uppercase();

    std::fs::write(folder.file("token"), &other).unwrap();
    assert_eq!((status(TOKEN), status(&other)), (200, 401));
    node.server.reload();
    assert_eq!((status(TOKEN), status(&other)), (401, 200));
    std::fs::write(folder.file("token"), "short").unwrap();
    node.server.reload();
    assert_eq!(status(&other), 200, "a file that cannot be used changes nothing");
}

#[test]
fn bodies_that_are_huge_or_not_understood_are_refused_and_change_nothing() {
    let node = Administered::start(|_| ());
    let drain = |headers: &str, body: &str| {
        let length = body.len();
        let text = format!(
            "POST /admin/api/drain HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\
             {headers}\r\n{body}"
        );
        exchange(node.admin, text.as_bytes())
    };

    let huge = format!("{{\"seconds\":{}1}}", " ".repeat(1 << 20));
    let answer = request(node.admin, "POST", "/admin/api/drain", "Content-Length: 10485760\r\n");
    assert_eq!(answer.status, 413, "{}", answer.body);
    assert_eq!(
        send_json(node.admin, "POST", "/admin/api/drain", "", &huge[..huge.len().min(17_000)]).status,
        413
    );
    let mut chunked = "POST /admin/api/drain HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\
                       Content-Type: application/json\r\nConnection: close\r\n\r\n"
        .to_owned();
    write!(chunked, "2\r\n{{}}\r\n0\r\n\r\n").unwrap();
    assert!(exchange(node.admin, chunked.as_bytes()).starts_with("HTTP/1.1 413 "));
    for (headers, body) in [
        ("", "{\"seconds\":1}"),
        ("Content-Type: text/plain\r\n", "{\"seconds\":1}"),
        ("Content-Type: application/x-www-form-urlencoded\r\n", "seconds=1"),
        ("Content-Type: application/json\r\n", "{"),
        ("Content-Type: application/json\r\n", "[]"),
        ("Content-Type: application/json\r\n", "{\"second\":1}"),
        ("Content-Type: application/json\r\n", "{\"seconds\":-1}"),
        ("Content-Type: application/json\r\n", "{\"seconds\":3601}"),
        ("Content-Type: application/json\r\n", "{\"seconds\":1e999}"),
        ("Content-Type: application/json\r\n", "{\"seconds\":\"1\"}"),
        ("Content-Type: application/json\r\n", "\u{0}\u{1}"),
    ] {
        let answer = drain(headers, body);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{headers:?} {body:?}: {answer}");
        assert!(answer.contains("{\"message\":"), "{answer}");
    }
    assert_eq!(node.json("overview")["draining"], false);
}

#[test]
fn a_path_has_its_methods_and_no_others() {
    let node = Administered::start(|_| ());

    for (method, path, status, allowed) in [
        ("POST", "overview", 405, Some("GET, HEAD")),
        ("PUT", "sessions/0-1", 405, Some("GET, HEAD, DELETE")),
        ("GET", "drain", 405, Some("POST, DELETE")),
        ("GET", "sessions/0-1/muted", 405, Some("PUT")),
        ("PATCH", "log-level", 405, Some("GET, HEAD, PUT")),
        ("GET", "nothing", 404, None),
        ("DELETE", "nothing", 404, None),
        ("GET", "", 404, None),
    ] {
        let answer = request(node.admin, method, &format!("/admin/api/{path}"), "");
        assert_eq!((answer.status, answer.header("allow")), (status, allowed), "{method} {path}");
    }
    assert_eq!(request(node.admin, "HEAD", "/admin/api/overview", "").status, 200);
    assert_eq!(request(node.admin, "BREW", "/admin/api/overview", "").status, 501);
}

#[test]
fn the_page_is_served_at_the_admin_address_with_a_policy() {
    let node = Administered::start(|_| ());

    let page = get_with(node.admin, "/admin/", "");
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"), "{}", page.head);
    assert!(page.header("content-security-policy").unwrap().contains("script-src 'self'"), "{}", page.head);
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    let moved = get_with(node.admin, "/admin", "");
    assert_eq!((moved.status, moved.header("location")), (308, Some("/admin/")));
    for path in
        ["/assets/nothing.js", "/admin/assets/nothing.js", "/admin/index.html", "/admin/assets/../index.html"]
    {
        assert_eq!(get_with(node.admin, path, "").status, 404, "{path}");
    }
}
