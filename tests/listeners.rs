//! What each listener serves: clients, the way to TLS, metrics and status; and as many as open files allow.
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use tapecast::config::{PlainHttp, Tls};
use test_support::{Client, Server, TlsClient, TlsFiles, get, get_with};

fn only_over_tls(files: &TlsFiles) -> Server {
    let tls = Tls { listen: ([127, 0, 0, 1], 0).into(), certificate: files.certificate(), key: files.key() };
    Server::without_trades(|config| {
        config.access.tls = Some(tls);
        config.access.plain = PlainHttp::Redirected;
    })
}

#[test]
fn with_tls_only_plain_http_is_the_way_to_https() {
    let (files, trusted) = TlsFiles::generate();
    let server = only_over_tls(&files);
    let port = server.tls_address.unwrap().port();

    for path in ["/", "/v2/clock?feed=sip", "/metrics", "/api/publish", "/nowhere"] {
        let answer = get_with(server.address, path, "");
        assert_eq!(answer.status, 308, "{path}");
        assert_eq!(answer.header("location"), Some(&*format!("https://localhost:{port}{path}")));
        assert_eq!(answer.header("strict-transport-security"), None, "browsers ignore it without TLS");
    }
    let refused = Client::connect(server.address, "/v2/iex").handshake;
    assert!(refused.starts_with("HTTP/1.1 308 "), "{refused}");
    assert_eq!((get(server.address, "/healthz").0, get(server.address, "/readyz").0), (200, 200));
    assert_eq!(get_with(server.address, "/", "Host: user@evil.example\r\n").status, 400);

    let client = TlsClient::connect(server.tls_address.unwrap(), &trusted).unwrap();
    assert!(client.handshake.contains("strict-transport-security: max-age=31536000"), "{}", client.handshake);
}

#[test]
fn without_tls_only_no_response_requires_tls() {
    let (files, trusted) = TlsFiles::generate();
    let tls = Tls { listen: ([127, 0, 0, 1], 0).into(), certificate: files.certificate(), key: files.key() };
    let server = Server::without_trades(|config| config.access.tls = Some(tls));

    let client = TlsClient::connect(server.tls_address.unwrap(), &trusted).unwrap();

    assert!(!client.handshake.contains("strict-transport-security"), "{}", client.handshake);
    assert_eq!(get(server.address, "/v2/clock").0, 200);
}

#[test]
fn metrics_and_status_are_served_at_an_address_of_their_own_if_there_is_one() {
    let server = Server::without_trades(|config| config.access.admin = Some(([127, 0, 0, 1], 0).into()));
    let admin = server.admin_address.unwrap();

    for path in ["/metrics", "/status"] {
        assert_eq!((get(server.address, path).0, get(admin, path).0), (404, 200), "{path}");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!((get(server.address, path).0, get(admin, path).0), (200, 200), "{path}");
    }
    for path in ["/", "/v2/clock", "/echo", "/api/replay"] {
        assert_eq!(get(admin, path).0, 404, "{path}");
    }
    assert!(Client::connect(admin, "/v2/iex").handshake.starts_with("HTTP/1.1 404 "));
    let metrics = get(admin, "/metrics").1;
    assert!(metrics.contains("tapecast_sessions{"), "those of all listeners: {metrics}");
}

#[cfg(unix)]
mod open_files {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    use serde_json::Value;
    use test_support::Client;

    /// A program with a limit of open files, killed when dropped.
    struct Limited(Child);

    impl Drop for Limited {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    impl Limited {
        fn start(limit: usize, workers: usize) -> Self {
            let script = format!(r#"ulimit -n {limit} && exec "$0" "$@""#);
            let workers = workers.to_string();
            let options =
                ["--listen", "127.0.0.1:0", "--log-format", "json", "--rate", "0", "--workers", &workers];
            let mut command = Command::new("sh");
            command.args(["-c", &script, env!("CARGO_BIN_EXE_tapecast")]).args(options);
            Self(command.stderr(Stdio::piped()).spawn().unwrap())
        }
    }

    #[test]
    fn a_program_serves_the_sessions_that_it_tells_or_ends_with_one_line() {
        let mut served = 0;
        for limit in [20, 26, 64, 1_024] {
            for workers in [1, 2, 8, 32, 128] {
                let mut program = Limited::start(limit, workers);
                let log = BufReader::new(program.0.stderr.take().unwrap());
                let mut lines = Vec::new();
                let mut serving = None;
                for line in log.lines().map_while(Result::ok) {
                    let event: Value = serde_json::from_str(&line).expect("no panic, each line is JSON");
                    lines.push(line);
                    if event["message"] == "serving" {
                        serving = Some(event);
                        break;
                    }
                }
                let Some(serving) = serving else {
                    assert_eq!(program.0.wait().unwrap().code(), Some(1), "{limit}, {workers}: {lines:?}");
                    assert!(lines.len() == 1 && lines[0].contains("limit of open files"), "{lines:?}");
                    continue;
                };
                served += 1;
                assert!(lines.len() > 1 || limit >= 1_024, "few open files are warned of: {lines:?}");
                let address = serving["address"].as_str().unwrap().parse().unwrap();
                let sessions = serving["sessions"].as_u64().unwrap() as usize;
                let open: Vec<_> = (0..sessions).map(|_| Client::session(address)).collect();
                let beyond = Client::connect(address, "/v2/iex").handshake;
                assert!(beyond.starts_with("HTTP/1.1 503 "), "{limit}, {workers}: {beyond}");
                drop(open);
            }
        }
        assert!((3..=15).contains(&served), "{served} of 20 can serve");
    }
}
