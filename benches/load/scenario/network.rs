//! The network between server and client: loopback, or two network namespaces and a veth pair.
//!
//! Over loopback the kernel runs the receiver's half of TCP within the server's `send`, so that it counts as the server's
//! CPU time. With namespaces the client's end of the veth pair passes what arrives to the client's core (receive packet
//! steering), as another machine would receive it there. Acknowledgements arrive at the server's core, as they would.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::process::{CLIENT_CORE, SERVER_CORE};

/// The variable that tells this program that it runs in the client's namespace.
const INSIDE: &str = "TAPECAST_BENCH_NAMESPACE";

const SERVER_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 1);
const CLIENT_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 2);

/// The time limit for the server's namespace to exist.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// Where server and client run.
pub(super) enum Network {
    Loopback,
    Namespaces(Namespaces),
}

/// The server's namespace and its connection to this one.
pub(super) struct Namespaces {
    /// Holds the namespace until its standard input ends, which it does however this process ends.
    holder: Child,
}

impl Network {
    /// The requested network; loopback, with a line that says why, if namespaces are not permitted.
    pub(super) fn open(wants_namespaces: bool) -> io::Result<Self> {
        if !wants_namespaces {
            return Ok(Self::Loopback);
        }
        if std::env::var_os(INSIDE).is_some() {
            return Namespaces::create().map(Self::Namespaces);
        }
        match attempt() {
            Ok(()) => Err(enter()),
            Err(reason) => {
                eprintln!("load: no network namespaces, runs over loopback: {reason}");
                Ok(Self::Loopback)
            }
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Namespaces(_) => "namespaces",
        }
    }

    /// An address for a server, with a free port.
    pub(super) fn free_address(&self) -> io::Result<SocketAddr> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        Ok(match self {
            Self::Loopback => address,
            Self::Namespaces(_) => (SERVER_ADDRESS, address.port()).into(),
        })
    }

    /// What precedes the command of a server.
    pub(super) fn server_prefix(&self) -> Vec<String> {
        match self {
            Self::Loopback => Vec::new(),
            Self::Namespaces(namespaces) => namespaces.prefix(),
        }
    }
}

impl Namespaces {
    fn create() -> io::Result<Self> {
        // Of this namespace, for the settings of its devices.
        run(&[], "mount -t sysfs sysfs /sys")?;
        run(&[], "ip link set lo up")?;
        let mut holder = Command::new("unshare");
        holder.args(["--net", "cat"]).stdin(Stdio::piped()).stdout(Stdio::null());
        let namespaces = Self { holder: holder.spawn()? };
        namespaces.wait_until_unshared()?;
        let (prefix, pid) = (namespaces.prefix(), namespaces.holder.id());
        run(&[], &format!("ip link add name client type veth peer name server netns {pid}"))?;
        run(&[], &format!("ip addr add {CLIENT_ADDRESS}/24 dev client"))?;
        run(&[], "ip link set client up")?;
        run(&prefix, &format!("ip addr add {SERVER_ADDRESS}/24 dev server"))?;
        run(&prefix, "ip link set server up")?;
        run(&prefix, "ip link set lo up")?;
        run(&[], &format!("sh -c {}", steer("client", CLIENT_CORE)))?;
        let steered = format!("mount -t sysfs sysfs /sys && {}", steer("server", SERVER_CORE));
        run(&prefix, &format!("unshare --mount sh -c {steered}"))?;
        Ok(namespaces)
    }

    fn prefix(&self) -> Vec<String> {
        vec!["nsenter".to_owned(), format!("--net=/proc/{}/ns/net", self.holder.id())]
    }

    fn wait_until_unshared(&self) -> io::Result<()> {
        let of = |process: &str| fs::read_link(Path::new("/proc").join(process).join("ns/net"));
        let deadline = Instant::now() + START_TIMEOUT;
        while of(&self.holder.id().to_string())? == of("self")? {
            if Instant::now() > deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        // Errors mean that the process has already ended.
        drop(self.holder.kill());
        drop(self.holder.wait());
    }
}

/// The shell command that has a core process what a device receives.
fn steer(device: &str, core: &str) -> String {
    let mask = format!("{:x}", 1u64 << core.parse::<u32>().unwrap_or(0));
    format!("for queue in /sys/class/net/{device}/queues/rx-*; do echo {mask} > $queue/rps_cpus; done")
}

/// Whether this process may make namespaces with devices; the reason if it may not.
fn attempt() -> Result<(), String> {
    run(&[], "unshare --net --mount sh -c mount -t sysfs sysfs /sys && ip link add name probe type veth peer name probed")
        .map_err(|error| error.to_string())
}

/// Replaces this process by one with the same arguments in a network namespace of its own; returns if that fails.
fn enter() -> io::Error {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount"]).arg(program).args(std::env::args_os().skip(1));
    command.env(INSIDE, "1").exec()
}

/// Runs a command after a prefix; its words are those of [`words`].
fn run(prefix: &[String], command: &str) -> io::Result<()> {
    let words: Vec<_> = prefix.iter().map(String::as_str).chain(words(command)).collect();
    let output = Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("`{command}`: {}", reason.lines().last().unwrap_or_default())))
}

/// The words of a command; what follows `sh -c` is one word.
fn words(command: &str) -> Vec<&str> {
    const SHELL: &str = "sh -c ";
    let start = command.find(SHELL).map_or(command.len(), |at| at + SHELL.len());
    let (words, script) = command.split_at(start);
    words.split_whitespace().chain(Some(script).filter(|script| !script.is_empty())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_of_a_shell_is_one_word() {
        assert_eq!(words("ip link set lo up"), ["ip", "link", "set", "lo", "up"]);
        assert_eq!(words("unshare --net sh -c echo 1 > a"), ["unshare", "--net", "sh", "-c", "echo 1 > a"]);
    }

    #[test]
    fn each_core_has_a_bit_of_the_mask() {
        assert!(steer("client", "1").contains("echo 2 > $queue/rps_cpus"));
        assert!(steer("server", "0").contains("/sys/class/net/server/queues/rx-*; do echo 1 "));
    }
}
