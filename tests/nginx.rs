//! The stream behind nginx with the sample configuration, `docker/nginx.conf`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use socket2::{Domain, Socket, Type};
use test_support::{
    Client, EventStream, SequenceLedger, Server, TlsClient, TlsFiles, get_with, post, request, wait_for,
    wait_until,
};

/// nginx from `make .tools/bin/nginx`, or the machine's, with the folder of its configuration.
fn find_nginx() -> Option<(PathBuf, PathBuf)> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools");
    let configuration = [tools.join("debian/etc/nginx"), "/etc/nginx".into()]
        .into_iter()
        .find(|folder| folder.join("mime.types").exists())?;
    let program =
        [tools.join("bin/nginx"), "/usr/sbin/nginx".into()].into_iter().find(|program| program.exists())?;
    Some((program, configuration))
}

/// nginx with the sample configuration on free ports, stopped when dropped.
struct Proxy {
    child: Child,
    _files: TlsFiles,
    http: SocketAddr,
    https: SocketAddr,
}

/// A port that is free now.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The configuration with the server below `/tapecast/` as well.
fn with_path(text: &str) -> String {
    let start = text.find("        location / {").expect("a location for everything");
    let end = start + text[start..].find("\n        }\n").unwrap() + "\n        }\n".len();
    let below = text[start..end].replace("location / {", "location /tapecast/ {");
    let below = below.replace("proxy_pass http://tapecast;", "proxy_pass http://tapecast/;");
    format!("{}{below}{}", &text[..end], &text[end..])
}

impl Proxy {
    fn start(
        nginx: &Path,
        configuration: &Path,
        server: &Server,
    ) -> (Self, rustls::pki_types::CertificateDer<'static>) {
        let (files, certificate) = TlsFiles::generate();
        let folder = files.folder().path();
        let (http, https) = (free_address(), free_address());
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("docker/nginx.conf");
        let mut text = std::fs::read_to_string(sample).unwrap();
        let here = folder.display().to_string();
        for (sample, replacement) in [
            ("worker_processes auto", "daemon off;\nworker_processes 1"),
            ("worker_rlimit_nofile 65536;", ""),
            ("worker_connections 32768", "worker_connections 512"),
            ("/var/log/nginx/", &format!("{here}/")),
            ("/run/nginx.pid", &format!("{here}/nginx.pid")),
            ("/etc/nginx/mime.types", &configuration.join("mime.types").display().to_string()),
            ("/etc/nginx/tls/", &format!("{here}/")),
            ("server 127.0.0.1:8080;", &format!("server {};", server.address)),
            ("listen 80;", &format!("listen {http};")),
            ("listen 443 ssl;", &format!("listen {https} ssl;")),
            (
                "http {\n",
                &format!(
                    "http {{\n    client_body_temp_path {here}/body;\n    proxy_temp_path {here}/proxy;\n    fastcgi_temp_path {here}/fastcgi;\n    uwsgi_temp_path {here}/uwsgi;\n    scgi_temp_path {here}/scgi;\n"
                ),
            ),
        ] {
            assert!(text.contains(sample), "docker/nginx.conf no longer contains `{sample}`");
            text = text.replace(sample, replacement);
        }
        text = with_path(&text);
        let conf = folder.join("nginx.conf");
        std::fs::write(&conf, text).unwrap();
        let child = Command::new(nginx)
            .arg("-p")
            .arg(folder)
            .arg("-e")
            .arg(folder.join("error.log"))
            .arg("-c")
            .arg(&conf)
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let proxy = Self { child, _files: files, http, https };
        wait_for("nginx to listen", || TcpStream::connect(proxy.https).ok());
        (proxy, certificate)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // SIGKILL would leave its worker processes running.
        let _ = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status();
        let _ = self.child.wait();
    }
}

#[test]
fn the_stream_works_behind_nginx_over_http_and_over_tls() {
    let Some((nginx, configuration)) = find_nginx() else {
        eprintln!("skipped: there is no nginx; `make .tools/bin/nginx` fetches it");
        return;
    };
    let server = Server::start(|config| {
        config.access.proxies = vec!["127.0.0.1".parse().unwrap()].into();
        config.access.max_sessions_per_address = 1;
    });
    let (proxy, certificate) = Proxy::start(&nginx, &configuration, &server);

    // A client at 127.0.0.1 would count as a trusted proxy itself.
    let from_elsewhere = |headers: &str| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into()).unwrap();
        socket.connect(&proxy.http.into()).unwrap();
        Client::upgrade(socket.into(), "/v2/iex", headers)
    };
    let mut plain = from_elsewhere("Origin: http://tape.example\r\nHost: tape.example\r\n");
    assert!(plain.handshake.starts_with("HTTP/1.1 101"), "{}", plain.handshake);
    plain.send_text(r#"{"action":"subscribe","trades":["*"],"quotes":["*"]}"#);
    let mut ledger = SequenceLedger::default();
    while ledger.objects < 1_000 {
        ledger.record(&plain.next_objects());
    }

    let mut encrypted = TlsClient::connect(proxy.https, &certificate).unwrap();
    encrypted.send_text(r#"{"action":"subscribe","trades":["*"]}"#);
    encrypted.wait_for_trade();

    let foreign = Client::connect_with(proxy.http, "/v2/iex", "Origin: http://evil.example\r\n");
    assert!(foreign.handshake.starts_with("HTTP/1.1 403"), "{}", foreign.handshake);
    let second = from_elsewhere("X-Forwarded-For: 203.0.113.7\r\n");
    assert!(
        second.handshake.starts_with("HTTP/1.1 503"),
        "a client cannot forge its address: {}",
        second.handshake
    );
    let page = get_with(proxy.http, "/", "");
    assert_eq!((page.status, page.header("x-frame-options")), (200, Some("DENY")));
    assert_eq!(get_with(proxy.http, "/metrics", "").status, 200, "from this machine");
    let publish = r#"{"channel":"chat:lobby","data":1}"#;
    let refused = post(proxy.http, "/api/publish", "", publish);
    assert_eq!((refused.status, refused.header("server")), (404, Some("nginx")));
    let replay = get_with(proxy.http, "/api/replay", "");
    assert_eq!((replay.status, &replay.json()["message"]), (404, &"no replay is running".into()));
    let forged = from_elsewhere("Forwarded: for=203.0.113.7\r\n");
    assert!(forged.handshake.starts_with("HTTP/1.1 503"), "nor by the other header: {}", forged.handshake);
    drop((plain, encrypted));
    wait_until("the sessions to end with their connections", || server.metric("tapecast_sessions{") == 0.0);
}

/// The addresses of scripts, styles and images in a page.
fn references(html: &str) -> Vec<&str> {
    let attributes = ["src=\"", "href=\""];
    let found = attributes.iter().flat_map(|attribute| html.split(attribute).skip(1));
    found
        .map(|rest| rest.split('"').next().unwrap())
        .filter(|address| !address.contains(['#', ':']))
        .collect()
}

#[test]
fn the_page_the_stream_and_rest_work_below_a_path_of_nginx() {
    let Some((nginx, configuration)) = find_nginx() else {
        eprintln!("skipped: there is no nginx; `make .tools/bin/nginx` fetches it");
        return;
    };
    let server = Server::start(|config| config.access.proxies = vec!["127.0.0.1".parse().unwrap()].into());
    let (proxy, _) = Proxy::start(&nginx, &configuration, &server);

    let page = get_with(proxy.http, "/tapecast/", "");
    assert_eq!(page.status, 200);
    for reference in references(&page.body) {
        let relative = reference.strip_prefix("./").unwrap_or_else(|| panic!("{reference} is not relative"));
        let file = request(proxy.http, "GET", &format!("/tapecast/{relative}"), "");
        assert_eq!(file.status, 200, "{reference}");
    }
    assert_eq!(get_with(proxy.http, "/tapecast/v2/clock", "").status, 200);
    let origin = "Host: tape.example\r\nOrigin: http://tape.example\r\n";
    let mut client = Client::connect_with(proxy.http, "/tapecast/websocket/connect?userId=3", origin);
    assert!(client.is_open(), "{}", client.handshake);
    client.send_text(r#"{"action":"subscribe","trades":["*"]}"#);
    let mut ledger = SequenceLedger::default();
    while ledger.objects < 100 {
        ledger.record(&client.next_objects());
    }
    let mut events = EventStream::open(proxy.http, "/tapecast/v2/iex/events?trades=*", "");
    let mut ledger = SequenceLedger::default();
    while ledger.objects < 100 {
        ledger.record(&events.next_objects());
    }
}
