//! SIGHUP: what is read again and applied, and what is told of each item.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::path::PathBuf;

use serde_json::Value;
use test_support::{Client, Program, TempFolder, TlsClient, TlsFiles, get, get_with, wait_for, wait_until};

/// The program, which heeds SIGHUP even if the tests run under `nohup`.
const PROGRAM: [&str; 3] = ["env", "--default-signal=HUP", env!("CARGO_BIN_EXE_tapecast")];

/// A program with a configuration file.
struct Configured {
    program: Program,
    file: PathBuf,
    folder: TempFolder,
    /// How often it was told to reload.
    reloads: usize,
}

impl Configured {
    fn start(file: &str) -> Self {
        let folder = TempFolder::new();
        Self::start_in(folder, file)
    }

    fn start_in(folder: TempFolder, text: &str) -> Self {
        let file = folder.file("t.toml");
        std::fs::write(&file, text).unwrap();
        let program = Program::start(&PROGRAM, &["--rate", "0", "--config", file.to_str().unwrap()], &[]);
        Self { program, file, folder, reloads: 0 }
    }

    /// Replaces the file, sends SIGHUP, and waits until the program has told of all items.
    fn reload(&mut self, text: &str) {
        std::fs::write(&self.file, text).unwrap();
        self.hang_up();
    }

    fn hang_up(&mut self) {
        self.reloads += 1;
        self.program.signal("-HUP");
        let reloads = self.reloads;
        wait_until("the reload", || self.program.logged("reload complete").len() == reloads);
    }

    /// The newest line about this item.
    fn told(&self, item: &str) -> Value {
        let lines = self.program.logged("");
        lines.into_iter().rfind(|line| line["item"] == item).unwrap_or_default()
    }
}

#[test]
fn a_hangup_of_a_program_with_nothing_to_reload_stops_nothing() {
    let mut program = Program::start(&PROGRAM, &["--rate", "0"], &[]);
    let mut client = Client::session(program.address);

    program.signal("-HUP");

    wait_until("the reload", || program.logged("reload complete").len() == 1);
    client.send_text(r#"{"action":"subscribe","trades":["AAPL"]}"#);
    assert_eq!(client.next_objects()[0]["T"], "subscription");
    program.signal("-TERM");
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
#[cfg(feature = "jwt")]
fn rules_and_keys_of_tokens_are_read_again() {
    use test_support::{TokenSigner, unix_seconds};
    let folder = TempFolder::new();
    let path = |name: &str| folder.file(name).display().to_string();
    let (one, other) = ([1; 32], [2; 32]);
    std::fs::write(folder.file("one"), one).unwrap();
    std::fs::write(folder.file("other"), other).unwrap();
    let file = |secret: &str, audience: &str| {
        format!("jwt_secret_file = '{}'\njwt_audience = '{audience}'\n", path(secret))
    };
    let first = file("one", "tape");
    let mut server = Configured::start(&first);
    let address = server.program.address;
    let status = |secret: &[u8], audience: &str| {
        let claims = serde_json::json!({"sub": "a", "exp": unix_seconds() + 600, "aud": audience});
        let token = TokenSigner::hs256(secret).token(&claims);
        get_with(address, "/v2/clock", &format!("Authorization: Bearer {token}\r\n")).status
    };
    assert_eq!((status(&one, "tape"), status(&one, "feed"), status(&other, "tape")), (200, 401, 401));

    server.reload(&file("other", "feed"));

    assert_eq!((status(&one, "feed"), status(&other, "tape"), status(&other, "feed")), (401, 401, 200));
    assert_eq!(server.told("jwt-audience")["message"], "reloaded");
    assert_eq!(server.told("token keys")["message"], "reloaded");
    server.reload("jwt_jwks = 'http://127.0.0.1:1/'\njwt_audience = 'feed'\n");
    assert_eq!(server.told("token keys")["message"], "needs a restart");
    assert_eq!(status(&other, "feed"), 200);
    std::fs::write(folder.file("other"), "short").unwrap();
    server.reload(&file("other", "feed"));
    assert!(server.told("token keys")["message"].as_str().unwrap().starts_with("kept the old: "));
    assert_eq!(status(&other, "feed"), 200);
}

#[test]
fn changed_options_are_applied_or_said_to_need_a_restart() {
    let mut server = Configured::start("max_sessions = 1\nsymbols = 7\n");
    let address = server.program.address;
    let _first = Client::session(address);
    let second = || Client::connect(address, "/v2/iex");
    assert!(second().handshake.starts_with("HTTP/1.1 503 "));

    server.reload("max_sessions = 2\nsymbols = 8\nlog = 'debug'\n");

    assert!(second().handshake.starts_with("HTTP/1.1 101 "));
    assert_eq!(server.told("max-sessions")["message"], "reloaded");
    assert_eq!(server.told("log")["message"], "reloaded");
    assert_eq!(server.told("symbols")["message"], "needs a restart");
    wait_until("a line of the new level", || !server.program.logged("session opened").is_empty());

    server.hang_up();
    assert_eq!(server.told("symbols")["message"], "needs a restart", "it is still not in force");
    let before = server.program.logged("").iter().filter(|line| line["item"] == "max-sessions").count();
    assert_eq!(before, 1, "it is in force");
}

#[test]
fn a_broken_file_keeps_the_options_and_the_files_that_they_name_are_read_again() {
    let folder = TempFolder::new();
    std::fs::write(folder.file("keys"), "").unwrap();
    let keys = format!("keys = '{}'\n", folder.file("keys").display());
    let mut server = Configured::start_in(folder, &format!("{keys}max_sessions = 2\n"));

    server.reload(&format!("{keys}max_sesions = 3\n"));
    let told = server.told("options");
    let message = told["message"].as_str().unwrap();
    assert!(message.contains("t.toml line 2") && message.contains("`max_sessions`"), "{message}");
    assert_eq!(
        (told["level"].as_str(), &server.told("keys")["message"]),
        (Some("ERROR"), &"unchanged".into())
    );

    std::fs::write(server.folder.file("keys"), "nonsense\n").unwrap();
    server.hang_up();
    let told = server.told("keys");
    let message = told["message"].as_str().unwrap();
    assert!(message.starts_with("kept the old: ") && message.contains("keys line 1"), "{message}");
    assert_eq!(get(server.program.address, "/healthz").0, 200);
}

#[test]
fn keys_certificate_and_their_paths_are_reloaded() {
    let (files, first) = TlsFiles::generate();
    let (others, second) = TlsFiles::generate();
    let folder = TempFolder::new();
    let generate = |id: &str| {
        let output = std::process::Command::new(PROGRAM[2]).args(["key", "new", id]).output().unwrap();
        std::fs::write(folder.file(id), output.stdout).unwrap();
        String::from_utf8(output.stderr).unwrap().trim()["secret: ".len()..].to_owned()
    };
    let secrets = ["one", "two"].map(|id| (id, generate(id)));
    let path = |id: &str| folder.file(id).display().to_string();
    let text = |id: &str, files: &TlsFiles| {
        let (cert, key) = (files.certificate(), files.key());
        format!(
            "keys = '{}'\ntls_cert = '{}'\ntls_key = '{}'\ntls_listen = '127.0.0.1:0'\n",
            path(id),
            cert.display(),
            key.display()
        )
    };
    let (before, after) = (text("one", &files), text("two", &others));
    let mut server = Configured::start(&before);
    let address = server.program.address;
    let tls = wait_for("the address of TLS", || {
        let line = server.program.logged("serving over TLS").pop()?;
        line["address"].as_str()?.parse().ok()
    });
    let status = |index: usize| {
        let (id, secret) = &secrets[index];
        get_with(address, &format!("/v2/clock?key={id}&secret={secret}"), "").status
    };
    assert_eq!((status(0), status(1)), (200, 403));
    assert!(TlsClient::connect(tls, &first).is_ok());

    server.reload(&after);

    assert_eq!((status(0), status(1)), (403, 200));
    assert!(TlsClient::connect(tls, &second).is_ok() && TlsClient::connect(tls, &first).is_err());
    for item in ["keys", "tls-cert"] {
        assert_eq!(server.told(item)["message"], "reloaded", "{item}");
    }
    server.hang_up();
    for item in ["keys", "tls-cert"] {
        assert_eq!(server.told(item)["message"], "unchanged", "{item}");
    }
}

#[test]
fn topics_are_reloaded() {
    let folder = TempFolder::new();
    let topics = folder.file("topics.toml");
    let namespace = |publish: &str| {
        let text =
            format!("[[namespace]]\nname = 'room'\nkind = 'log'\nnames = '*'\npublish = '{publish}'\n");
        std::fs::write(&topics, text).unwrap();
    };
    namespace("nobody");
    let text = format!("topics = '{}'\n", topics.display());
    let mut server = Configured::start_in(folder, &text);
    let mut client = Client::session(server.program.address);
    client.command(r#"{"action":"subscribe","topics":["room:a"]}"#);
    let publish = r#"{"action":"publish","topic":"room:a","data":1,"x":{"id":1}}"#;
    assert_eq!(client.command(publish)["code"], 431, "nobody may");

    namespace("subscribers");
    server.hang_up();

    assert_eq!(server.told("topics")["message"], "reloaded");
    client.send_text(publish);
    let answers = client.next_objects();
    assert!(answers.iter().all(|object| object["T"] != "error"), "{answers:?}");
}

#[test]
fn names_and_proxies_are_reloaded() {
    let mut server = Configured::start("public_host = 'old.example'\n");
    let address = server.program.address;
    let status = |host: &str| {
        let headers = format!("Host: {host}\r\nOrigin: http://{host}\r\n");
        Client::connect_with(address, "/v2/iex", &headers).handshake[9..12].to_owned()
    };
    assert_eq!((status("old.example"), status("new.example")), ("101".into(), "403".into()));

    server.reload("public_host = 'new.example'\ntrusted_proxy = '127.0.0.1'\n");

    assert_eq!((status("old.example"), status("new.example")), ("403".into(), "101".into()));
}
