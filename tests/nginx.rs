//! The stream behind nginx with the sample configuration, `docker/nginx.conf`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use socket2::{Domain, Socket, Type};
use test_support::{Client, SequenceLedger, Server, TlsClient, TlsFiles, get_with, wait_for, wait_until};

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
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
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
    drop((plain, encrypted));
    wait_until("the sessions to end with their connections", || server.metric("tapecast_sessions{") == 0.0);
}
