//! What the program tells a service manager over a datagram socket, as systemd listens on one.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;

use rustix::time::{ClockId, clock_gettime};
use test_support::{DEADLINE, Program, TempFolder};

/// The program, which heeds SIGHUP even if the tests run under `nohup`.
const PROGRAM: &[&str] = &["env", "--default-signal=HUP", env!("CARGO_BIN_EXE_tapecast")];

/// The socket of a service manager.
struct Manager {
    socket: UnixDatagram,
    name: String,
    _folder: TempFolder,
}

impl Manager {
    fn at_path() -> Self {
        let folder = TempFolder::new();
        let path = folder.file("notify");
        let name = path.to_str().unwrap().to_owned();
        Self::new(UnixDatagram::bind(path).unwrap(), name, folder)
    }

    fn at_abstract_name() -> Self {
        let folder = TempFolder::new();
        let name = folder.file("notify").to_str().unwrap().to_owned();
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        Self::new(UnixDatagram::bind_addr(&address).unwrap(), format!("@{name}"), folder)
    }

    fn new(socket: UnixDatagram, name: String, folder: TempFolder) -> Self {
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Self { socket, name, _folder: folder }
    }

    /// Starts a server under this service manager, with these variables too.
    fn start(&self, variables: &[(&str, &str)]) -> Program {
        let socket = [("NOTIFY_SOCKET", self.name.as_str())];
        let all: Vec<_> =
            socket.iter().chain(variables).map(|(name, value)| (*name, Path::new(value))).collect();
        Program::start(PROGRAM, &["--rate", "0", "--workers", "2"], &all)
    }

    /// The next message.
    fn next(&self) -> String {
        let mut buffer = [0; 4_096];
        let length = self.socket.recv(&mut buffer).expect("a message in time");
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    /// The next message that does not feed the watchdog.
    fn next_state(&self) -> String {
        std::iter::repeat_with(|| self.next()).find(|message| message != "WATCHDOG=1").unwrap()
    }
}

#[test]
fn a_service_manager_that_does_not_read_keeps_the_server_from_nothing() {
    let manager = Manager::at_path();
    let sender = UnixDatagram::unbound().unwrap();
    sender.set_nonblocking(true).unwrap();
    while sender.send_to(b"full", &manager.name).is_ok() {}

    let mut program = manager.start(&[("WATCHDOG_USEC", "1000000")]);

    program.signal("-TERM");
    assert_eq!(program.wait().code(), Some(0));
}

/// The value of a variable in a message.
fn value<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

fn monotonic_micros() -> u128 {
    std::time::Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap().as_micros()
}

#[test]
fn start_reload_and_stop_are_told_at_a_path() {
    let manager = Manager::at_path();
    let mut program = manager.start(&[]);

    let ready = manager.next();
    assert_eq!(value(&ready, "READY"), Some("1"));
    assert_eq!(value(&ready, "STATUS"), Some(format!("Serving http://{}/", program.address).as_str()));

    let before = monotonic_micros();
    program.signal("-HUP");
    let reloading = manager.next();
    assert_eq!(value(&reloading, "RELOADING"), Some("1"));
    let at: u128 = value(&reloading, "MONOTONIC_USEC").unwrap().parse().unwrap();
    assert!((before..=monotonic_micros()).contains(&at), "{at}");
    assert_eq!(manager.next(), ready);

    program.signal("-TERM");
    let stopping = manager.next();
    assert_eq!(value(&stopping, "STOPPING"), Some("1"));
    let longest: u64 = value(&stopping, "EXTEND_TIMEOUT_USEC").unwrap().parse().unwrap();
    assert!(longest > 4_000_000, "{longest} us is less than --drain-seconds");
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
fn an_abstract_name_is_told_too() {
    let manager = Manager::at_abstract_name();
    let _program = manager.start(&[]);

    assert_eq!(value(&manager.next(), "READY"), Some("1"));
}

#[test]
fn the_watchdog_is_fed_while_the_server_serves() {
    let manager = Manager::at_path();
    let program = manager.start(&[("WATCHDOG_USEC", "100000")]);

    assert_eq!(value(&manager.next(), "READY"), Some("1"));
    for _ in 0..5 {
        assert_eq!(manager.next(), "WATCHDOG=1");
    }
    program.signal("-TERM");
    assert_eq!(value(&manager.next_state(), "STOPPING"), Some("1"));
}

#[test]
fn the_watchdog_of_another_process_is_not_fed() {
    let manager = Manager::at_path();
    let mut program = manager.start(&[("WATCHDOG_USEC", "100000"), ("WATCHDOG_PID", "1")]);

    assert_eq!(value(&manager.next(), "READY"), Some("1"));
    program.signal("-TERM");
    assert_eq!(value(&manager.next(), "STOPPING"), Some("1"));
    program.wait();
}

#[test]
fn a_service_manager_that_is_away_does_not_stop_the_server() {
    for name in ["/nonexistent/notify", "vsock:1:2"] {
        let program = Program::start(PROGRAM, &["--rate", "0"], &[("NOTIFY_SOCKET", Path::new(name))]);

        test_support::wait_until("a warning", || {
            !program.logged("cannot notify the service manager").is_empty()
        });
        assert_eq!(test_support::get(program.address, "/healthz").0, 200);
    }
}
