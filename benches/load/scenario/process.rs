//! The processes of a scenario run: a server, and the load client.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::catalogue::Scenario;
use super::network::Network;

/// The time limit for a server to accept connections.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// The time limit for a graceful shutdown, after which the process is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A child process that is killed on drop.
struct KillOnDrop(Child);

/// A running server or floor.
pub(crate) struct ServerProcess {
    process: KillOnDrop,
    pub(crate) address: SocketAddr,
}

impl ServerProcess {
    /// Starts a Tapecast server for a scenario, with one worker.
    pub(crate) fn start_server(
        program: &Path,
        scenario: &Scenario,
        network: &Network,
        address: SocketAddr,
    ) -> io::Result<Self> {
        let mut command = pinned(&network.server_prefix(), SERVER_CORE, program);
        command
            .args(["--listen", &address.to_string(), "--workers", "1", "--log", "error"])
            .args(["--symbols", &scenario.symbols.to_string(), "--rate", &scenario.trades.to_string()])
            .args(["--quotes-per-trade", "0", "--seed", SEED])
            .args(["--arrivals", "even", "--incidents", "none"])
            .args(scenario.server_args);
        Self::spawn(command, address)
    }

    /// Starts the floor for a scenario: `program`, or the built-in one.
    pub(crate) fn start_floor(
        program: Option<&Path>,
        scenario: &Scenario,
        network: &Network,
        address: SocketAddr,
    ) -> io::Result<Self> {
        const FLUSH_MS: &str = "1";
        const SECONDS: &str = "600";
        let prefix = network.server_prefix();
        let mut command = match program {
            Some(program) => pinned(&prefix, SERVER_CORE, program),
            None => pinned(&prefix, SERVER_CORE, &std::env::current_exe()?),
        };
        if program.is_none() {
            command.args(["floor", "--address", &address.ip().to_string()]);
        }
        command.arg(address.port().to_string());
        command.args([&scenario.symbols.to_string(), &scenario.trades.to_string(), FLUSH_MS, SECONDS]);
        Self::spawn(command, address)
    }

    /// Spawns the process and waits until it accepts connections.
    fn spawn(mut command: Command, address: SocketAddr) -> io::Result<Self> {
        let mut process = KillOnDrop(command.stdout(Stdio::null()).spawn()?);
        let deadline = Instant::now() + START_TIMEOUT;
        while let Err(error) = TcpStream::connect(address) {
            if let Some(status) = process.0.try_wait()? {
                return Err(io::Error::other(format!(
                    "the server ended before it accepted connections: {status}"
                )));
            }
            if Instant::now() > deadline {
                return Err(error);
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(Self { process, address })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Requests a graceful shutdown and waits for it.
    pub(crate) fn stop(mut self) -> io::Result<()> {
        if let Some(pid) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM)?;
        }
        let deadline = Instant::now() + STOP_TIMEOUT;
        while self.process.0.try_wait()?.is_none() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        // Errors mean that the process has already ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A running load client.
pub(crate) struct ClientProcess(KillOnDrop);

impl ClientProcess {
    /// Starts the load client of a scenario against a server.
    pub(crate) fn start(server: &ServerProcess, scenario: &Scenario, seconds: u64) -> io::Result<Self> {
        let mut command = pinned(&[], CLIENT_CORE, &std::env::current_exe()?);
        // With namespaces, the server's address is not loopback.
        command
            .arg("--allow-remote")
            .args(["--url", &format!("ws://{}/v2/iex", server.address), "--json", "--warmup", "2"])
            .args(["--server-pid", &server.pid().to_string(), "--seconds", &seconds.to_string()])
            .args(["--connections", &scenario.sessions.to_string()])
            .args(["--stalled", &scenario.stalled.to_string()])
            .args(scenario.client_args);
        Ok(Self(KillOnDrop(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)))
    }

    /// Waits for the start of the measurement.
    pub(crate) fn wait_for_measurement(&mut self) -> io::Result<()> {
        let progress = self.0.0.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut lines = BufReader::new(progress).lines();
        while !lines.next().ok_or(io::ErrorKind::UnexpectedEof)??.starts_with("measuring") {}
        // Drain the pipe: a full pipe would block the client.
        thread::spawn(move || lines.for_each(drop));
        Ok(())
    }

    /// Waits for the end of the run and returns its report.
    pub(crate) fn wait_for_report(mut self) -> io::Result<Value> {
        if let Some(progress) = self.0.0.stderr.take() {
            thread::spawn(move || BufReader::new(progress).lines().for_each(drop));
        }
        let report = self.0.0.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(serde_json::from_reader(report)?)
    }
}

/// The seed of the simulated market in all runs.
pub(crate) const SEED: &str = "42";

pub(super) const SERVER_CORE: &str = "0";
pub(super) const CLIENT_CORE: &str = "1";

/// A command that is pinned to one core, so that server and client do not compete for CPU time, after a prefix.
/// It is not pinned on a machine with one core or without `taskset`.
fn pinned(prefix: &[String], core: &str, program: &Path) -> Command {
    let pinning = ["taskset", "--cpu-list", core].map(OsStr::new);
    let pinning = if is_pinned() { &pinning[..] } else { &[] };
    let mut words = prefix.iter().map(OsStr::new).chain(pinning.iter().copied());
    let Some(first) = words.next() else { return Command::new(program) };
    let mut command = Command::new(first);
    command.args(words).arg(program);
    command
}

/// Whether server and client are pinned to different cores.
pub(crate) fn is_pinned() -> bool {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut taskset = Command::new("taskset");
    taskset.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    cores > 1 && taskset.status().is_ok_and(|status| status.success())
}
