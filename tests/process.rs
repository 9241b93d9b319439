//! The program as a child process: signals, its clock, use of processor and memory.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime};

use serde_json::Value;
use tapecast::model::Timestamp;
use tapecast::wire::rfc3339;
use test_support::{
    Client, DEADLINE, Program, SERVING, SequenceLedger, TempFolder, get_with, metric, wait_for, wait_until,
};

/// The program, which heeds SIGHUP even if the tests run under `nohup`.
const PROGRAM: &[&str] = if cfg!(target_os = "linux") {
    &["env", "--default-signal=HUP", env!("CARGO_BIN_EXE_tapecast")]
} else {
    &[env!("CARGO_BIN_EXE_tapecast")]
};

fn start(options: &[&str]) -> Program {
    Program::start(PROGRAM, options, &[])
}

/// Starts the program on a terminal, which is closed when the process `child`, its emulator, is killed.
#[cfg(target_os = "linux")]
fn start_on_terminal(options: &[&str]) -> Program {
    let command = [&["exec"], PROGRAM, &SERVING[..], options].concat().join(" ");
    let child = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    Program::started(child)
}

#[test]
fn sigterm_closes_every_session_with_1012_and_exits_with_0() {
    let mut program = start(&[]);
    let mut clients: Vec<_> = (0..100).map(|_| Client::session(program.address)).collect();
    for client in &mut clients {
        client.command(r#"{"action":"subscribe","trades":["*"]}"#);
    }

    program.signal("-TERM");

    for client in &mut clients {
        assert_eq!(client.read_to_close(), (Some(1012), true));
    }
    let status = program.wait();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn sigterm_delivers_queued_objects_and_then_a_reconnect_delay() {
    let program = start(&["--rate", "5000"]);
    let mut clients: Vec<_> = (0..20).map(|_| Client::session(program.address)).collect();
    for client in &mut clients {
        client.command(r#"{"action":"subscribe","trades":["*"],"quotes":["*"],"x":{"snapshot":true}}"#);
    }
    // The clients read nothing until the shutdown has begun, so the outboxes hold objects by then.
    wait_until("objects to be sent to all sessions", || {
        metric(program.address, "tapecast_objects_sent_total") > 20_000.0
    });

    program.signal("-TERM");

    let mut delays = std::collections::BTreeSet::new();
    for client in &mut clients {
        let mut ledger = SequenceLedger::default();
        let mut last = Vec::new();
        let close = loop {
            let frame = client.next_frame().expect("a Close before the end");
            match frame.opcode {
                1 => last = frame.json(),
                8 => break frame.close_code(),
                _ => continue,
            }
            ledger.record(&last);
        };
        assert_eq!((close, &last[0]["T"]), (Some(1012), &"drain".into()));
        delays.insert(last[0]["reconnect_ms"].as_u64().unwrap());
        assert!(ledger.objects > 0);
    }
    assert!(delays.len() > 10 && delays.iter().all(|delay| (500..5_000).contains(delay)), "{delays:?}");
}

#[test]
fn a_second_sigterm_ends_the_drain_at_once() {
    let mut program = start(&["--drain-seconds", "60", "--echo=conformance"]);
    let mut reader = Client::session(program.address);
    // More than the kernel's buffers hold, so the drain waits for this session.
    let mut stalled = Client::connect(program.address, "/echo");
    stalled.send_frame(0x82, &vec![b'*'; 16 << 20]);
    wait_until("the session to stall", || metric(program.address, "tapecast_outbox_bytes{") > 0.0);

    program.signal("-TERM");
    assert_eq!(reader.read_to_close(), (Some(1012), true));

    // Those within half a second of the first are the same request.
    let status = wait_for("the program to end", || {
        program.signal("-TERM");
        program.child.try_wait().unwrap()
    });
    assert_eq!(status.code(), Some(1), "a complete drain would have taken a minute");
}

#[test]
fn two_stop_signals_at_once_are_one_request() {
    let mut program = start(&["--drain-seconds", "60", "--echo=conformance"]);
    let mut stalled = Client::connect(program.address, "/echo");
    stalled.send_frame(0x82, &vec![b'*'; 16 << 20]);
    wait_until("the session to stall", || metric(program.address, "tapecast_outbox_bytes{") > 0.0);

    let twice = format!("kill -TERM {0} && kill -INT {0}", program.child.id());
    assert!(Command::new("sh").args(["-c", &twice]).status().unwrap().success());

    assert_eq!(stalled.read_to_close(), (Some(1012), true), "it still got all that was queued");
    let status = program.wait();
    assert_eq!(status.code(), Some(0));
}

#[test]
#[cfg(target_os = "linux")]
fn a_closed_terminal_stops_the_program_even_if_it_has_keys() {
    let folder = TempFolder::new();
    let file = folder.file("keys");
    std::fs::write(&file, "").unwrap();

    for options in [&[][..], &["--keys", file.to_str().unwrap()]] {
        let mut program = start_on_terminal(options);
        let mut client = Client::session(program.address);

        program.child.kill().unwrap();

        assert_eq!(client.read_to_close(), (Some(1012), true), "{options:?}");
        let address = program.address;
        wait_until("the program to end", || std::net::TcpStream::connect(address).is_err());
    }
}

#[test]
fn a_key_that_the_program_generates_is_loaded_on_sighup() {
    let generate = |id: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_tapecast")).args(["key", "new", id]).output().unwrap();
        let secret = String::from_utf8(output.stderr).unwrap();
        let secret = secret.trim().strip_prefix("secret: ").expect("the secret is printed").to_owned();
        let line = String::from_utf8(output.stdout).unwrap();
        assert!(!line.contains(&secret), "{line}");
        (line, secret)
    };
    let folder = TempFolder::new();
    let file = folder.file("keys");
    let ((old, old_secret), (new, new_secret)) = (generate("old"), generate("new"));
    std::fs::write(&file, &old).unwrap();
    let program = start(&["--keys", file.to_str().unwrap()]);
    let status = |id: &str, secret: &str| {
        get_with(program.address, &format!("/v2/clock?key={id}&secret={secret}"), "").status
    };
    assert_eq!((status("old", &old_secret), status("new", &new_secret)), (200, 403));

    std::fs::write(&file, old + &new).unwrap();
    program.signal("-HUP");

    wait_until("the new key to be accepted", || status("new", &new_secret) == 200);
    assert_eq!(status("old", &old_secret), 200);
}

#[test]
fn after_a_pause_of_three_seconds_no_object_is_missing() {
    // 16,000 objects/s over all clients: the last one is read after all others, and its outbox must not overflow
    // until then.
    let program = start(&["--rate", "200"]);
    let mut clients: Vec<_> =
        (0..20).map(|_| (Client::session(program.address), SequenceLedger::default())).collect();
    for (client, ledger) in &mut clients {
        client.command(r#"{"action":"subscribe","trades":["*"],"quotes":["*"],"x":{"id":1}}"#);
        ledger.record(&client.next_objects());
    }

    program.signal("-STOP");
    // The pause is the subject of the test, not a wait for an event.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let resumed = Timestamp::from(SystemTime::now());
    program.signal("-CONT");

    let resumed = rfc3339(resumed);
    for (client, ledger) in &mut clients {
        let is_later = |object: &Value| object["t"].as_str().is_some_and(|at| *at > *resumed);
        loop {
            let objects = client.next_objects();
            ledger.record(&objects);
            if objects.iter().any(is_later) {
                break;
            }
        }
        assert_eq!(ledger.gaps, 0);
    }
}

/// The wall clock of a program, which the test sets.
#[cfg(target_os = "linux")]
struct ShiftedClock {
    folder: TempFolder,
    shift_ms: i64,
}

#[cfg(target_os = "linux")]
impl ShiftedClock {
    fn new() -> Self {
        let folder = TempFolder::new();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clock_shift.c");
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let library = folder.file("clock_shift.so");
        let status =
            Command::new(compiler).args(["-shared", "-fPIC", "-O1", "-o"]).arg(library).arg(source).status();
        assert!(status.expect("jemalloc needs a C compiler too").success());
        let mut clock = Self { folder, shift_ms: 0 };
        clock.step(0);
        clock
    }

    /// Sets the clock by this much.
    fn step(&mut self, millis: i64) {
        use std::io::Write;
        self.shift_ms += millis;
        let shift = (self.shift_ms * 1_000_000).to_ne_bytes();
        // Written in place: the program has the file in its memory.
        let file = self.folder.file("shift");
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(file).unwrap();
        file.write_all(&shift).unwrap();
    }

    fn now_ms(&self) -> i64 {
        Timestamp::from(SystemTime::now()).nanos() / 1_000_000 + self.shift_ms
    }

    /// Whether this is a time on the wire, at most a second away from this clock.
    fn is_now(&self, time: &Value) -> bool {
        let Some(time) = time.as_str() else { return false };
        let time: jiff::Timestamp = time.parse().expect("RFC 3339");
        (time.as_millisecond() - self.now_ms()).abs() < 1_000
    }
}

#[test]
#[cfg(target_os = "linux")]
fn stamps_ages_bars_and_rest_are_right_again_after_the_clock_was_set() {
    const DAY: i64 = 86_400_000;
    for workers in ["1", "2"] {
        let mut clock = ShiftedClock::new();
        let environment = [
            ("LD_PRELOAD", &*clock.folder.file("clock_shift.so")),
            ("CLOCK_SHIFT", &*clock.folder.file("shift")),
        ];
        let program =
            Program::start(PROGRAM, &["--symbols", "3", "--rate", "200", "--workers", workers], &environment);
        let mut client = Client::session(program.address);
        let symbol = get_with(program.address, "/v2/assets", "");
        let symbol = serde_json::from_str::<Value>(&symbol.body).unwrap()[0]["symbol"].clone();
        let symbol = symbol.as_str().unwrap();
        client.command(&format!(r#"{{"action":"subscribe","trades":["*"],"tickers":["{symbol}"]}}"#));
        let mut idle = Client::session(program.address);
        idle.command(r#"{"action":"subscribe","x":{"heartbeat_ms":100}}"#);
        let get = |path: &str| -> Value {
            let response = get_with(program.address, path, "");
            assert_eq!(response.status, 200, "{path}");
            serde_json::from_str(&response.body).unwrap()
        };
        let (mut forward, mut back) = (0.0, 0.0);

        for step in
            [0, 3_600_000, -3_600_000, -3_600_000, 2_000, -2_000, 500, -500, 7_000, -7_000, DAY, -DAY, -DAY]
        {
            clock.step(step);
            forward += f64::from(u8::from(step > 2_000));
            back += f64::from(u8::from(step < -2_000));

            let stepped = Instant::now();
            let in_time =
                |what: &str| assert!(stepped.elapsed() < DEADLINE, "{what} is not right after {step} ms");
            for kind in ["t", "k"] {
                loop {
                    in_time(kind);
                    let objects = client.next_objects();
                    assert!(objects.iter().all(|object| object["T"] != "feed"), "it did not opt in");
                    let mut of_kind = objects.iter().filter(|object| object["T"] == kind);
                    if of_kind.any(|object| clock.is_now(&object["t"])) {
                        break;
                    }
                }
            }
            let mut notices = Vec::new();
            loop {
                in_time("a heartbeat");
                let heartbeat = &idle.next_objects()[0];
                if heartbeat["T"] == "feed" {
                    notices.push(heartbeat.clone());
                    continue;
                }
                if clock.is_now(&heartbeat["t"]) && heartbeat["age_ms"].as_u64().unwrap() < 1_000 {
                    break;
                }
            }
            if step.abs() > 2_000 {
                let [notice] = &notices[..] else { panic!("{step}: {notices:?}") };
                assert_eq!((&notice["state"], &notice["source"]), (&"clock".into(), &"clock".into()));
                let millis = |key: &str| notice[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
                let by = millis("to").as_millisecond() - millis("from").as_millisecond();
                assert!((by - step).abs() < 1_000 && clock.is_now(&notice["to"]), "{step}: {notice}");
            } else {
                assert_eq!(notices, [] as [Value; 0], "{step}");
            }
            wait_until("the market's clock to be right", || clock.is_now(&get("/v2/clock")["timestamp"]));
            let newest = |kind: &str, timeframe: &str| {
                get(&format!("/v2/stocks/{kind}?symbols={symbol}{timeframe}&sort=desc&limit=1"))[kind][symbol]
                    [0]["t"]
                    .clone()
            };
            wait_until("the default window of trades to end now", || clock.is_now(&newest("trades", "")));
            let age_ms = |start: &Value| {
                let start: jiff::Timestamp = start.as_str()?.parse().ok()?;
                Some(clock.now_ms() - start.as_millisecond())
            };
            for timeframe in ["&timeframe=1Sec", "&timeframe=1Sec&partial=true"] {
                wait_until("the newest bar to be of the last seconds", || {
                    age_ms(&newest("bars", timeframe)).is_some_and(|age_ms| (0..5_000).contains(&age_ms))
                });
            }
            let day = get(&format!("/v2/stocks/{symbol}/snapshot"))["dailyBar"]["t"].clone();
            assert!(
                age_ms(&day).is_some_and(|age_ms| (0..25 * 3_600_000).contains(&age_ms)),
                "{step}: {day}"
            );
            assert_eq!(metric(program.address, "tapecast_clock_steps_forward_total"), forward, "{step}");
            assert_eq!(metric(program.address, "tapecast_clock_steps_back_total"), back, "{step}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn hostile_clients_cost_no_processor_time_and_no_memory_after_they_are_gone() {
    let program = start(&["--rate", "0"]);
    let tebibyte = [0x82, 0xFF, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let provoke = |times: usize| {
        for _ in 0..times {
            for bytes in [&[0xC1, 0x80, 0, 0, 0, 0][..], &[0x81, 0x01, b'{'], &tebibyte] {
                let mut client = Client::session(program.address);
                client.send_raw(bytes);
                assert!(client.next_frame().expect("a Close").close_code().is_some());
            }
        }
    };
    provoke(50);
    let before = resident_kib(program.child.id());

    provoke(200);
    wait_until("the last session to end", || metric(program.address, "tapecast_sessions{") == 0.0);

    let spent = cpu_ticks(program.child.id());
    // What is measured is the time that the process uses meanwhile.
    std::thread::sleep(std::time::Duration::from_secs(2));
    let spent = cpu_ticks(program.child.id()) - spent;
    let grown = resident_kib(program.child.id()).saturating_sub(before);
    assert!(spent < 50, "{spent} of 200 ticks used without clients: a busy loop would use all of them");
    assert!(grown < 8 << 10, "{grown} KiB more after 600 clients that are gone");
}

#[test]
#[cfg(target_os = "linux")]
fn slow_readers_of_a_response_share_its_bytes() {
    // At most 256 requests of one address may wait.
    const READERS: usize = 250;
    let program = start(&["--rate", "0", "--symbols", "10000", "--workers", "1"]);
    let list = get_with(program.address, "/v2/assets", "").body;
    assert!(list.len() * READERS > 400 << 20, "{} bytes", list.len());
    let before = resident_kib(program.child.id());

    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(program.address).unwrap();
            write!(stream, "GET /v2/assets HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
            stream
        })
        .collect();
    for mut reader in &readers {
        reader.set_read_timeout(Some(DEADLINE)).unwrap();
        reader.read_exact(&mut [0; 1_000]).expect("each response begins");
    }

    let grown = resident_kib(program.child.id()).saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB more");
}

#[test]
#[cfg(target_os = "linux")]
fn pipelined_requests_of_a_client_that_takes_no_response_cost_no_memory() {
    const CLIENTS: usize = 100;
    let program = start(&["--rate", "0", "--workers", "1"]);
    let requests = "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n".repeat(3_000);
    let before = resident_kib(program.child.id());

    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(program.address).unwrap();
            stream.set_nonblocking(true).unwrap();
            // The server leaves in the socket what it does not read.
            let sent = stream.write(requests.as_bytes()).unwrap();
            assert!(sent > 60_000, "{sent} bytes sent");
            stream
        })
        .collect();
    // Others are served behind all that was read of these.
    for _ in 0..20 {
        assert_eq!(get_with(program.address, "/healthz", "").status, 200);
    }

    let grown = resident_kib(program.child.id()).saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB more");
    drop(clients);
}

/// The user and system time of a process in ticks of 10 ms, from `/proc/PID/stat`.
#[cfg(target_os = "linux")]
fn cpu_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// The resident memory of a process, from `/proc/PID/status`.
#[cfg(target_os = "linux")]
fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
