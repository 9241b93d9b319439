//! `tapecast admin` against the program.

use std::net::SocketAddr;
use std::process::{Command, Output};

use serde_json::Value;
use test_support::{Client, Program, TempFolder, wait_until};

const PROGRAM: [&str; 1] = [env!("CARGO_BIN_EXE_tapecast")];
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

struct Running {
    program: Program,
    admin: SocketAddr,
    folder: TempFolder,
}

impl Running {
    fn start() -> Self {
        let folder = TempFolder::new();
        std::fs::write(folder.file("token"), TOKEN).unwrap();
        std::fs::write(folder.file("keys"), "# none\n").unwrap();
        let path = |name: &str| folder.file(name).to_str().unwrap().to_owned();
        let (token, keys) = (path("token"), path("keys"));
        let options =
            ["--rate", "0", "--admin-listen", "127.0.0.1:0", "--admin-token-file", &token, "--keys", &keys];
        let program = Program::start(&PROGRAM, &options, &[]);
        let line = program.logged("serving administration").remove(0);
        let admin = line["address"].as_str().unwrap().parse().unwrap();
        Self { program, admin, folder }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let token = self.folder.file("token");
        let url = format!("http://{}", self.admin);
        let mut command = Command::new(PROGRAM[0]);
        command.arg("admin").args(arguments).args(["--url", &url, "--token-file"]).arg(token);
        command.output().unwrap()
    }

    /// What a command that succeeds prints.
    fn print(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.print(&[arguments, &["--json"]].concat())).unwrap()
    }
}

#[test]
fn a_running_server_is_administered_from_the_command_line() {
    let running = Running::start();
    let secret =
        running.json(&["keys", "new", "desk", "--max-sessions", "3"])["secret"].as_str().unwrap().to_owned();
    let path = format!("/websocket/connect?key=desk&secret={secret}");
    let mut client = Client::connect(running.program.address, &path);
    wait_until("the session", || running.json(&["sessions"])["open"] == 1);
    let id = running.json(&["sessions", "--key", "desk"])["sessions"][0]["id"].as_str().unwrap().to_owned();

    let table = running.print(&["sessions"]);
    assert!(
        table.starts_with("ID") && table.contains(&id) && table.contains("1 of 1 that match; 1 open"),
        "{table}"
    );
    assert!(running.print(&["session", &id]).contains("key           desk"));
    assert!(running.print(&["overview"]).contains("sessions      1 of "));
    assert_eq!(running.print(&["mute", &id]).trim(), format!("session {id} may publish nothing"));
    assert_eq!(running.json(&["sessions", "--muted"])["matching"], 1);
    running.print(&["unmute", &id]);
    assert!(running.print(&["keys", "list"]).contains("desk  1         3"));
    running.print(&["disconnect", &id, "--reason", "a test"]);
    assert_eq!(client.read_to_close().0, Some(1008));

    assert!(running.print(&["drain", "--seconds", "0"]).starts_with("draining "));
    assert_eq!(running.json(&["overview"])["draining"], true);
    assert!(running.print(&["undrain"]).starts_with("new sessions are accepted"));
    running.print(&["keys", "rotate", "desk"]);
    running.print(&["keys", "revoke", "desk"]);
    assert_eq!(std::fs::read_to_string(running.folder.file("keys")).unwrap(), "# none\n");
    assert!(running.print(&["refusals"]).starts_with("TIME"));

    let audited: Vec<_> =
        running.program.logged("administrative change").iter().map(|it| it["action"].clone()).collect();
    assert_eq!(
        audited,
        ["new key", "mute", "unmute", "disconnect", "drain", "undrain", "rotate key", "revoke key"]
    );
    let disconnect = &running.program.logged("administrative change")[3];
    assert_eq!((&disconnect["by"], &disconnect["object"]), (&"token".into(), &id.as_str().into()));
    assert!(disconnect["detail"].as_str().unwrap().ends_with("key desk: a test"), "{disconnect}");
}

#[test]
fn the_log_level_is_changed_while_the_program_runs() {
    let running = Running::start();
    assert_eq!(running.print(&["log-level"]), "info\n");
    assert!(running.program.logged("session opened").is_empty());

    assert_eq!(
        running.print(&["log-level", "info,tapecast::session=debug"]),
        "info,tapecast::session=debug\n"
    );

    drop(Client::connect(running.program.address, "/v2/iex"));
    wait_until("a line of debug", || !running.program.logged("session opened").is_empty());
    assert_eq!(running.run(&["log-level", "inof"]).status.code(), Some(1));
    running.print(&["log-level", "error"]);
    running.print(&["log-level", "audit=off"]);
    running.print(&["log-level", "warn"]);
    let changes = running.program.logged("administrative change").len();
    assert_eq!(changes, 3, "at a level without it, and that it is turned off");
}

#[test]
fn failures_have_exit_codes_and_one_line() {
    let running = Running::start();
    let outcome = |output: Output| (output.status.code(), String::from_utf8(output.stderr).unwrap());

    let (code, text) = outcome(running.run(&["session", "0-99"]));
    assert!(code == Some(1) && text.contains("404") && text.lines().count() == 1, "{text}");
    let (code, text) = outcome(running.run(&["session", "../drain"]));
    assert!(code == Some(1) && text.contains("400"), "{text}");
    let plain =
        |arguments: &[&str]| outcome(Command::new(PROGRAM[0]).arg("admin").args(arguments).output().unwrap());
    let url = format!("http://{}", running.admin);
    let (code, text) = plain(&["overview", "--url", &url]);
    assert!(code == Some(1) && text.contains("401"), "{text}");
    let (code, text) = plain(&["overview", "--url", "https://127.0.0.1:1"]);
    assert!(code == Some(2) && text.contains("without TLS"), "{text}");
    let (code, text) = plain(&["overview", "--token-file", "/nonexistent"]);
    assert!(code == Some(2) && text.contains("/nonexistent"), "{text}");
    assert_eq!(plain(&["sessions", "--sort", "name"]).0, Some(2));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, text) = plain(&["overview", "--url", &format!("http://{free}")]);
    assert!(code == Some(1) && text.contains("--admin-listen"), "{text}");
}
