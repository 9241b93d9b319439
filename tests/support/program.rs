//! The program as a child process.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::{DEADLINE, wait_for};

/// A running program, killed when dropped.
#[derive(Debug)]
pub struct Program {
    /// The process, or that of the terminal on which it runs.
    pub child: Child,
    /// Where it serves.
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<Value>>>,
}

/// The options of a program whose log is read.
pub const SERVING: [&str; 4] = ["--listen", "127.0.0.1:0", "--log-format", "json"];

impl Program {
    /// Starts this command on a free port, with more options. The command is the path of the program, perhaps with
    /// another one before it that runs it.
    pub fn start(command: &[&str], options: &[&str], environment: &[(&str, &Path)]) -> Self {
        Self::spawn(command, &[&SERVING, options].concat(), environment)
    }

    /// Starts this command again at an address on which an earlier one served.
    pub fn start_at(address: SocketAddr, command: &[&str], options: &[&str]) -> Self {
        let address = address.to_string();
        Self::spawn(command, &[&["--listen", &address], &SERVING[2..], options].concat(), &[])
    }

    fn spawn(command: &[&str], options: &[&str], environment: &[(&str, &Path)]) -> Self {
        let child = Command::new(command[0])
            .args(&command[1..])
            .args(options)
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self::started(child)
    }

    /// Waits until this process logs the address that it serves on.
    pub fn started(mut child: Child) -> Self {
        let log: Box<dyn Read + Send> = match (child.stderr.take(), child.stdout.take()) {
            (Some(errors), _) => Box::new(errors),
            (None, terminal) => Box::new(terminal.unwrap()),
        };
        let log = BufReader::new(log);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (serving, on_serving) = std::sync::mpsc::channel();
        let events = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let event: Value = serde_json::from_str(&line).expect("each log line is JSON");
                if event["message"] == "serving" {
                    let _ = serving.send(event["address"].as_str().unwrap().parse().unwrap());
                }
                events.lock().unwrap().push(event);
            }
        });
        let address = on_serving.recv_timeout(DEADLINE).expect("the program logs its address");
        Self { child, address, log: lines }
    }

    /// Sends the process this signal, such as `-TERM`.
    pub fn signal(&self, signal: &str) {
        // The shell's own: a bare Debian has no program of this name.
        let kill = format!("kill {signal} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success());
    }

    /// Waits until the process ends.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for("the program to end", || self.child.try_wait().unwrap())
    }

    /// The log so far whose message contains this text.
    pub fn logged(&self, text: &str) -> Vec<Value> {
        let log = self.log.lock().unwrap();
        let contains =
            |event: &&Value| event["message"].as_str().is_some_and(|message| message.contains(text));
        log.iter().filter(contains).cloned().collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
