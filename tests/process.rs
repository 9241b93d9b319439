//! The program as it is run: its command line, its signals, its appetite.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use support::{Client, wait_for};

/// The program, with a port of its own; killed when dropped.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    fn start(options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tapecast"))
            .args(["--listen", "127.0.0.1:0", "--log-format", "json"])
            .args(options)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let event: serde_json::Value = serde_json::from_str(&line).expect("each log line is JSON");
                if event["message"] == "serving" {
                    let _ = tell.send(event["address"].as_str().unwrap().parse().unwrap());
                }
            }
        });
        let address = told.recv_timeout(support::DEADLINE).expect("the program says where it serves");
        Self { child, address }
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn asked_to_terminate_it_tells_every_session_to_come_back_and_ends_well() {
    let mut program = Program::start(&[]);
    let mut clients: Vec<_> = (0..100).map(|_| Client::session(program.address)).collect();
    for client in &mut clients {
        client.ask(r#"{"action":"subscribe","trades":["*"]}"#);
    }

    program.signal("-TERM");

    for client in &mut clients {
        assert_eq!(client.last_words(), (Some(1012), true));
    }
    let status = wait_for("the program to end", || program.child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
}

#[test]
fn wrong_values_are_one_clear_line_and_exit_code_2() {
    for (options, named) in [
        (&["--symbols", "0"][..], "--symbols"),
        (&["--rate", "-1"], "--rate"),
        (&["--rate=-1"], "--rate"),
        (&["--listen", "nowhere"], "--listen"),
        (&["--log", "loud=quiet=x"], "--log"),
        (&["--bogus"], "--bogus"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_tapecast")).args(options).output().unwrap();

        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{options:?}: {text}");
        assert!(text.starts_with("error: ") && text.contains(named) && text.lines().count() == 1, "{text}");
    }
}

#[test]
fn options_may_come_from_the_environment() {
    let output = Command::new(env!("CARGO_BIN_EXE_tapecast")).env("TAPECAST_SYMBOLS", "0").output().unwrap();

    assert_eq!(output.status.code(), Some(2));
}

#[test]
#[cfg(target_os = "linux")]
fn hostile_clients_cost_neither_processor_nor_memory_once_they_are_gone() {
    let program = Program::start(&["--rate", "0"]);
    let tebibyte = [0x82, 0xFF, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let provoke = |times: usize| {
        for _ in 0..times {
            for bytes in [&[0xC1, 0x80, 0, 0, 0, 0][..], &[0x81, 0x01, b'{'], &tebibyte] {
                let mut client = Client::session(program.address);
                client.send_raw(bytes);
                assert!(client.next().expect("a Close").close_code().is_some());
            }
        }
    };
    provoke(50);
    let before = resident_kib(program.child.id());

    provoke(200);

    let spent = cpu_ticks(program.child.id());
    let idle = std::time::Duration::from_secs(2);
    std::thread::sleep(idle);
    let spent = cpu_ticks(program.child.id()) - spent;
    let grown = resident_kib(program.child.id()).saturating_sub(before);
    assert!(spent < 50, "{spent} of 200 ticks spent on nobody: a spinning connection takes all of them");
    assert!(grown < 8 << 10, "{grown} KiB kept for 600 clients that are gone");
}

/// User and system time in ticks of 10 ms, from `/proc/PID/stat`.
#[cfg(target_os = "linux")]
fn cpu_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[cfg(target_os = "linux")]
fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
