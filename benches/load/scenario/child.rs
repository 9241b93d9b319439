//! The processes of a run: a server or a floor to be loaded, and the client that loads it.

use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::catalogue::Scenario;

/// A server may take so long until it listens.
const START: Duration = Duration::from_secs(20);

/// A stop may take so long before it is cut short.
const STOP: Duration = Duration::from_secs(10);

/// A process that is ended when this is dropped.
pub(crate) struct Guarded(Child);

/// Something that serves the stream.
pub(crate) struct Served {
    process: Guarded,
    pub(crate) address: SocketAddr,
}

impl Served {
    /// Starts the server for a scenario, on this address.
    pub(crate) fn server(program: &Path, scenario: &Scenario, address: SocketAddr) -> io::Result<Self> {
        let mut command = pinned(SERVER_CORE, program);
        command
            .args(["--listen", &address.to_string(), "--workers", "1", "--log", "error"])
            .args(["--symbols", &scenario.symbols.to_string(), "--rate", &scenario.trades.to_string()])
            .args(["--quotes-per-trade", "0", "--seed", SEED])
            .args(["--arrivals", "even", "--incidents", "none"])
            .args(scenario.server);
        Self::start(command, address)
    }

    /// Starts the floor for a scenario, this one or ours: it sends each trade to everybody who wants it
    /// with nothing but `send`, once a millisecond.
    pub(crate) fn floor(
        program: Option<&Path>,
        scenario: &Scenario,
        address: SocketAddr,
    ) -> io::Result<Self> {
        const FLUSH_MS: &str = "1";
        const SECONDS: &str = "600";
        let mut command = match program {
            Some(program) => pinned(SERVER_CORE, program),
            None => pinned(SERVER_CORE, &std::env::current_exe()?),
        };
        if program.is_none() {
            command.arg("floor");
        }
        command.arg(address.port().to_string());
        command.args([&scenario.symbols.to_string(), &scenario.trades.to_string(), FLUSH_MS, SECONDS]);
        Self::start(command, address)
    }

    fn start(mut command: Command, address: SocketAddr) -> io::Result<Self> {
        let process = Guarded(command.stdout(Stdio::null()).spawn()?);
        let until = Instant::now() + START;
        while let Err(error) = TcpStream::connect(address) {
            if Instant::now() > until {
                return Err(error);
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(Self { process, address })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) -> io::Result<()> {
        if let Some(pid) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM)?;
        }
        let until = Instant::now() + STOP;
        while self.process.0.try_wait()?.is_none() && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // It may be gone already, which is what is wanted.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The load client at work.
pub(crate) struct Client(Guarded);

impl Client {
    /// Loads a server, from a core of its own where there are two.
    pub(crate) fn start(served: &Served, scenario: &Scenario, seconds: u64) -> io::Result<Self> {
        let mut command = pinned(CLIENT_CORE, &std::env::current_exe()?);
        command
            .args(["--url", &format!("ws://{}/v2/iex", served.address), "--json", "--warmup", "2"])
            .args(["--server-pid", &served.pid().to_string(), "--seconds", &seconds.to_string()])
            .args(["--connections", &scenario.sessions.to_string()])
            .args(["--stalled", &scenario.stalled.to_string()])
            .args(scenario.wants);
        Ok(Self(Guarded(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)))
    }

    /// Waits until it measures.
    pub(crate) fn wait_until_it_measures(&mut self) -> io::Result<()> {
        let progress = self.0.0.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut lines = BufReader::new(progress).lines();
        while !lines.next().ok_or(io::ErrorKind::UnexpectedEof)??.starts_with("measuring") {}
        // Its pipe must not fill up behind our back.
        thread::spawn(move || lines.for_each(drop));
        Ok(())
    }

    /// Waits for its report.
    pub(crate) fn report(mut self) -> io::Result<Value> {
        if let Some(progress) = self.0.0.stderr.take() {
            thread::spawn(move || BufReader::new(progress).lines().for_each(drop));
        }
        let report = self.0.0.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(serde_json::from_reader(report)?)
    }
}

/// The market's seed in all runs.
pub(crate) const SEED: &str = "42";

const SERVER_CORE: &str = "0";
const CLIENT_CORE: &str = "1";

/// A program that keeps to one core, so that neither side takes the other's time. Where there is but
/// one core, or no `taskset`, it runs where it may.
fn pinned(core: &str, program: &Path) -> Command {
    if !is_pinned() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", core]).arg(program);
    command
}

/// Whether both sides have a core of their own.
pub(crate) fn is_pinned() -> bool {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut taskset = Command::new("taskset");
    taskset.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    cores > 1 && taskset.status().is_ok_and(|status| status.success())
}

/// An address that nobody listens on just now.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
