//! The journal of the real program: restarts after a stop, a kill and a damaged file, and the subcommands.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use test_support::{Client, Program, SequenceLedger, TempFolder, get, metric, wait_until};

const PROGRAM: &[&str] = &[env!("CARGO_BIN_EXE_tapecast")];

fn options(journal: &TempFolder) -> Vec<String> {
    options_at("400", journal)
}

/// The options of a market of this many trades per second.
fn options_at(rate: &str, journal: &TempFolder) -> Vec<String> {
    let folder = journal.path().to_str().unwrap();
    ["--symbols", "5", "--rate", rate, "--incidents", "many", "--journal", folder].map(str::to_owned).to_vec()
}

fn start(options: &[String]) -> Program {
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    Program::start(PROGRAM, &options, &[])
}

fn restart(address: SocketAddr, options: &[String]) -> Program {
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    Program::start_at(address, PROGRAM, &options)
}

/// Stops the program, which then leaves nothing in memory.
fn stop(mut program: Program) {
    program.signal("-TERM");
    program.wait();
}

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM[0]).args(arguments).output().unwrap()
}

/// A client that has everything and goes on after each disconnect.
struct Follower {
    ledger: SequenceLedger,
    epoch: Value,
    client: Client,
}

/// Every object that any client has received, by epoch, channel, symbol and number: a number stands for one object.
type Received = Mutex<HashMap<(String, String, String, u64), String>>;

impl Follower {
    fn new(address: SocketAddr) -> Self {
        let mut follower =
            Self { ledger: SequenceLedger::default(), epoch: Value::Null, client: Client::session(address) };
        follower.subscribe(json!({ "id": 1 }));
        follower
    }

    fn subscribe(&mut self, x: Value) -> Value {
        let all = ["*"];
        let command = json!({
            "action": "subscribe", "trades": all, "quotes": all, "bars": all, "statuses": all, "lulds": all,
            "tickers": all, "x": x,
        });
        self.client.send_text(&command.to_string());
        let ack = loop {
            let objects = self.client.next_objects();
            if objects[0]["T"] == "subscription" {
                break objects[0].clone();
            }
        };
        self.epoch = ack["x"]["epoch"].clone();
        ack
    }

    /// Opens another session and resumes. Returns whether the epoch went on; if not, all begins anew.
    fn resume(&mut self, address: SocketAddr) -> bool {
        let before = self.epoch.clone();
        self.client = Client::session(address);
        self.subscribe(json!({ "resume": { "epoch": before, "sq": self.ledger.resume_positions() } }));
        let goes_on = self.epoch == before;
        if !goes_on {
            self.ledger = SequenceLedger::default();
        }
        goes_on
    }

    /// Reads a frame; false when the connection has ended.
    fn read(&mut self, received: &Received) -> bool {
        let Some(frame) = self.client.next_frame() else { return false };
        if frame.opcode != 1 {
            return frame.opcode != 8;
        }
        let objects = frame.json();
        self.ledger.record(&objects);
        let mut received = received.lock().unwrap();
        for mut object in objects {
            let Some(sq) = object["sq"].as_u64() else { continue };
            let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
            let key = (self.epoch.as_str().unwrap().to_owned(), text("T"), text("S"), sq);
            let fields = object.as_object_mut().unwrap();
            fields.remove("cf");
            fields.remove("sn");
            let fields = object.to_string();
            let first = received.entry(key.clone()).or_insert_with(|| fields.clone());
            assert_eq!(*first, fields, "{key:?} stands for one object");
        }
        true
    }

    fn read_objects(&mut self, count: usize, received: &Received) {
        let until = self.ledger.objects + count;
        while self.ledger.objects < until {
            assert!(self.read(received), "the session continues");
        }
    }
}

fn assert_verified(journal: &TempFolder) {
    let verified = run(&["journal", "verify", journal.path().to_str().unwrap()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn after_a_clean_stop_the_epoch_goes_on_and_a_client_resumes_without_a_gap() {
    for workers in ["1", "2"] {
        let journal = TempFolder::new();
        let options = [options(&journal), vec!["--workers".to_owned(), workers.to_owned()]].concat();
        let received = Received::default();
        let mut program = start(&options);
        let mut follower = Follower::new(program.address);
        follower.read_objects(2_000, &received);

        for _ in 0..2 {
            program.signal("-TERM");
            while follower.read(&received) {}
            assert!(program.wait().success());
            assert_eq!(program.logged("the journal is complete").len(), 1);
            program = restart(program.address, &options);

            assert!(follower.resume(program.address), "{workers} workers: the epoch goes on");
            follower.read_objects(2_000, &received);
        }

        // Of halts and price bands only the newest is retained: what the client missed of them is a gap.
        let trades = get(program.address, "/v2/stocks/trades/latest?symbols=AAPL").0;
        assert_eq!(trades, 200);
        stop(program);
        assert_verified(&journal);
    }
}

#[test]
fn bars_and_trades_of_before_a_restart_are_served_after_it() {
    let journal = TempFolder::new();
    let options = options(&journal);
    let mut program = start(&options);
    let mut follower = Follower::new(program.address);
    follower.read_objects(3_000, &Received::default());
    let symbol = "AAPL";
    let rest = |address, path: &str| -> Value { serde_json::from_str(&get(address, path).1).unwrap() };
    program.signal("-TERM");
    while follower.read(&Received::default()) {}
    program.wait();
    // What the clients received last is the end of the journal.
    let exported = run(&[
        "journal",
        "export",
        journal.path().to_str().unwrap(),
        "--channel",
        "trades",
        "--symbol",
        symbol,
    ]);
    let trades: Vec<Value> = exported
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert!(trades.len() > 20);

    let program = restart(program.address, &options);

    let path = format!("/v2/stocks/trades?symbols={symbol}&limit=10000");
    let served = rest(program.address, &path)["trades"][symbol].as_array().unwrap().clone();
    let ids = |trades: &[Value]| trades.iter().map(|trade| trade["i"].as_u64().unwrap()).collect::<Vec<_>>();
    let mut recorded = ids(&trades);
    recorded.sort_unstable();
    let mut found = ids(&served);
    found.sort_unstable();
    assert_eq!(found[..recorded.len()], recorded, "trades of before, and then new ones with new ids");
    assert!(found.windows(2).all(|two| two[0] < two[1]), "no id is given twice");
    stop(program);
}

/// Kills the program under load again and again, with clients that resume.
///
/// Returns how often the epoch went on.
fn kill_and_resume(kills: usize, clients: usize, rate: &str) -> usize {
    let journal = TempFolder::new();
    let options = options_at(rate, &journal);
    let received = Arc::new(Received::default());
    let mut program = start(&options);
    let address = program.address;
    // The number of programs that have started; 0 when there will be none any more.
    let started = Arc::new(AtomicUsize::new(1));
    let resumed = Arc::new(AtomicUsize::new(0));
    let gone_on = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..clients)
        .map(|_| {
            let (received, started) = (Arc::clone(&received), Arc::clone(&started));
            let (resumed, gone_on) = (Arc::clone(&resumed), Arc::clone(&gone_on));
            let mut follower = Follower::new(address);
            std::thread::spawn(move || {
                for program in 1.. {
                    while follower.read(&received) {}
                    wait_until("the next program", || started.load(Ordering::Acquire) != program);
                    if started.load(Ordering::Acquire) == 0 {
                        return;
                    }
                    gone_on.fetch_add(usize::from(follower.resume(address)), Ordering::Relaxed);
                    resumed.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut went_on = 0;
    for kill in 1..=kills {
        let published = |program: &Program| metric(program.address, "tapecast_journal_batches_total");
        // A different moment of the writer's second each time.
        let batches = 200.0 + (kill * 37 % 100) as f64;
        wait_until("batches to be recorded", || published(&program) > batches);
        program.child.kill().unwrap();
        program.wait();
        program = restart(address, &options);
        started.store(kill + 1, Ordering::Release);
        wait_until("all clients to resume", || resumed.load(Ordering::Relaxed) == kill * clients);
        let logged = program.logged("the journal goes on").len();
        assert_eq!(gone_on.swap(0, Ordering::Relaxed), logged * clients, "all clients are told the same");
        went_on += logged;
    }
    started.store(0, Ordering::Release);
    stop(program);
    for thread in threads {
        thread.join().expect("a client has found no number twice and no unexplained gap");
    }
    assert_verified(&journal);
    went_on
}

#[test]
fn clients_that_resume_after_a_kill_miss_nothing_untold_and_get_no_number_twice() {
    let went_on = kill_and_resume(3, 20, "400");

    // What a killed process published is kept where there are files in memory.
    assert_eq!(went_on, if cfg!(target_os = "linux") { 3 } else { 0 });
}

/// By hand: `cargo test --release --test journal -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn fifty_kills_with_200_clients() {
    let went_on = kill_and_resume(50, 200, "40");
    println!("the epoch went on {went_on} times out of 50");
}

/// What a killed process leaves, of which the last bytes of the journal are lost, and with `is_machine` all that was in
/// memory too.
fn tear(is_machine: bool) {
    let journal = TempFolder::new();
    let options = options(&journal);
    let mut program = start(&options);
    wait_until("batches to be recorded", || metric(program.address, "tapecast_journal_batches_total") > 50.0);
    program.child.kill().unwrap();
    program.wait();
    if is_machine {
        let state = fs::read_to_string(journal.path().join("state")).unwrap();
        let log =
            state.trim_end().strip_prefix("log").expect("the state of a process that runs").trim_start();
        let _ = fs::remove_file(log);
    }
    let files = |extension: &str| -> Vec<_> {
        let mut files: Vec<_> =
            fs::read_dir(journal.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.to_str().unwrap().ends_with(extension));
        files
    };
    let [segment] = &files(".tape")[..] else { panic!("one segment") };
    let whole = fs::read(segment).unwrap();
    fs::write(segment, &whole[..whole.len() - 3]).unwrap();

    let program = restart(program.address, &options);

    assert_eq!(program.logged("torn end").len(), 1);
    let [torn] = &files(".torn")[..] else { panic!("one file of torn bytes") };
    let torn = fs::read(torn).unwrap();
    assert!(!torn.is_empty() && whole[..whole.len() - 3].ends_with(&torn));
    assert_eq!(metric(program.address, "tapecast_journal_torn_bytes_total"), torn.len() as f64);
    let begins_anew = is_machine || !cfg!(target_os = "linux");
    assert_eq!(program.logged("begins a new epoch").len(), usize::from(begins_anew));
    stop(program);
    // Where the epoch goes on, this finds every number: also those that were torn off.
    assert_verified(&journal);
}

#[test]
fn a_torn_end_is_cut_kept_and_told_and_begins_a_new_epoch_after_a_failure_of_the_machine() {
    tear(true);
}

#[test]
fn a_torn_end_is_written_again_if_only_the_process_was_killed() {
    tear(false);
}

#[test]
fn two_programs_do_not_write_one_journal() {
    let journal = TempFolder::new();
    let first = start(&options(&journal));
    let second = options(&journal);
    let second: Vec<_> = second.iter().map(String::as_str).collect();

    let output = run(&[&["--listen", "127.0.0.1:0"], &second[..]].concat());

    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("in use by another process"), "{errors}");
    stop(first);
}

/// Files of this process must not grow beyond a size: every second of the market, an append fails.
#[test]
#[cfg(target_os = "linux")]
fn a_journal_that_cannot_be_written_costs_only_the_journal() {
    let command = ["env", "--ignore-signal=XFSZ", "prlimit", "--fsize=100000", PROGRAM[0]];
    let journal = TempFolder::new();
    let options = options(&journal);
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let mut program = Program::start(&command, &options, &[]);
    let received = Received::default();
    let mut follower = Follower::new(program.address);
    let journal_metric = |name: &str| metric(program.address, &format!("tapecast_journal_{name}"));

    while journal_metric("errors_total") == 0.0 || journal_metric("up") == 1.0 {
        follower.read_objects(200, &received);
    }
    while journal_metric("up") == 0.0 {
        follower.read_objects(200, &received);
    }

    assert!(journal_metric("missed_batches_total") > 0.0);
    assert_eq!(follower.ledger.gaps, 0, "the stream goes on");
    program.signal("-TERM");
    while follower.read(&received) {}
    assert!(program.wait().success());
    assert_verified(&journal);
}

/// Neither the torn end can be kept aside nor a segment begun.
#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_is_full_at_the_start_costs_only_the_journal() {
    let journal = TempFolder::new();
    let options = options(&journal);
    let program = start(&options);
    wait_until("batches to be recorded", || metric(program.address, "tapecast_journal_batches_total") > 10.0);
    stop(program);
    let segment = fs::read_dir(journal.path()).unwrap().map(|entry| entry.unwrap().path());
    let segment =
        segment.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "tape")).unwrap();
    let torn = [fs::read(&segment).unwrap(), vec![7; 5_000]].concat();
    fs::write(&segment, &torn).unwrap();

    let command = ["env", "--ignore-signal=XFSZ", "prlimit", "--fsize=500", PROGRAM[0]];
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let program = Program::start(&command, &options, &[]);

    let mut follower = Follower::new(program.address);
    follower.read_objects(500, &Received::default());
    assert_eq!(metric(program.address, "tapecast_journal_up"), 0.0);
    assert_eq!(program.logged("the journal is off, and a new epoch begins").len(), 1);
    let mut files = fs::read_dir(journal.path()).unwrap().map(|entry| entry.unwrap().path());
    assert!(!files.any(|file| file.extension().is_some_and(|ending| ending == "torn")), "no half of a copy");
    assert_eq!(fs::read(&segment).unwrap(), torn, "nothing is lost");
    stop(program);
}

#[test]
fn an_export_of_a_journal_that_is_being_written_has_what_clients_received() {
    let journal = TempFolder::new();
    let program = start(&options(&journal));
    let received = Received::default();
    let mut follower = Follower::new(program.address);
    follower.read_objects(3_000, &received);
    let last: HashMap<_, _> = received.into_inner().unwrap();
    let folder = journal.path().to_str().unwrap();

    let mut exported = HashMap::new();
    wait_until("all that was received to be recorded", || {
        let output = run(&["journal", "export", folder]);
        assert!(output.status.success());
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        for line in lines {
            let object: Value = serde_json::from_slice(line).expect("each line is an object");
            let text = |key: &str| object[key].as_str().unwrap().to_owned();
            let key = (text("T"), text("S"), object["sq"].as_u64().unwrap());
            exported.insert(key, object.to_string());
        }
        last.keys().all(|(_, kind, symbol, sq)| exported.contains_key(&(kind.clone(), symbol.clone(), *sq)))
    });

    for ((_, kind, symbol, sq), object) in last {
        assert_eq!(exported[&(kind, symbol, sq)], object);
    }
    let mut cut = Command::new(PROGRAM[0])
        .args(["journal", "export", folder])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(cut.stdout.take());
    let cut = cut.wait_with_output().unwrap();
    assert!(cut.status.success() && cut.stderr.is_empty(), "a reader that has enough: {cut:?}");
    let csv = run(&["journal", "export", folder, "--format", "csv", "--channel", "quotes"]);
    let csv = String::from_utf8(csv.stdout).unwrap();
    assert!(csv.starts_with("symbol,bx,bp,bs,ax,ap,as,c,z,t,sq\n"), "{csv}");
    let inspected = run(&["journal", "inspect", folder]);
    assert!(String::from_utf8(inspected.stdout).unwrap().contains(follower.epoch.as_str().unwrap()));
    let refused = run(&["journal", "export", folder, "--format", "csv", "--channel", "quotes,trades"]);
    assert_eq!(refused.status.code(), Some(2));
    stop(program);
}
