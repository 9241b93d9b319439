//! Feeds with a journal among nodes over a real NATS server.
#![cfg(all(unix, feature = "nats"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{Command, Output};

use serde_json::Value;
use test_support::{
    Client, NatsServer, Program, SequenceLedger, TempFolder, get, metric, wait_for, wait_until,
};

const PROGRAM: &[&str] = &[env!("CARGO_BIN_EXE_tapecast")];

/// A NATS server, unless there is no program.
fn nats() -> Option<NatsServer> {
    let server = NatsServer::start();
    if server.is_none() {
        eprintln!("skipped: there is no nats-server; `make .tools/bin/nats-server` fetches it");
    }
    server
}

fn options(nats: &NatsServer, role: &str, more: &[&str]) -> Vec<String> {
    let url = nats.url();
    let node = ["--nats", &url, "--role", role, "--symbols", "8", "--rate", "300", "--workers", "1"];
    node.iter().chain(more).map(|option| (*option).to_owned()).collect()
}

fn start(options: &[String]) -> Program {
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    ready(Program::start(PROGRAM, &options, &[]))
}

fn feed(nats: &NatsServer, journal: &TempFolder) -> Program {
    start(&options(nats, "feed", &["--journal", journal.path().to_str().unwrap()]))
}

fn ready(program: Program) -> Program {
    wait_until("the node to be ready", || get(program.address, "/readyz").0 == 200);
    program
}

fn leads(node: &Program) -> bool {
    metric(node.address, "tapecast_cluster_leads ") == 1.0
}

fn kill(mut program: Program) {
    program.signal("-KILL");
    program.wait();
}

fn stop(mut program: Program) {
    program.signal("-TERM");
    program.wait();
}

/// Runs a subcommand of `journal`.
fn run(task: &str, journal: &TempFolder, more: &[&str]) -> Output {
    let folder = journal.path().to_str().unwrap();
    Command::new(PROGRAM[0]).args(["journal", task, folder]).args(more).output().unwrap()
}

fn assert_verified(journal: &TempFolder) {
    let verified = run("verify", journal, &[]);
    let faults = String::from_utf8_lossy(&verified.stdout);
    assert!(verified.status.success() && faults.contains(" 0 faults"), "{faults}");
}

/// The trades of a journal by symbol and number.
fn trades(journal: &TempFolder) -> BTreeMap<(String, u64), Value> {
    let exported = String::from_utf8(run("export", journal, &["--channel", "trades"]).stdout).unwrap();
    let trade = |line: &str| {
        let trade: Value = serde_json::from_str(line).unwrap();
        ((trade["S"].as_str().unwrap().to_owned(), trade["sq"].as_u64().unwrap()), trade)
    };
    exported.lines().map(trade).collect()
}

/// A session that checks all numbers.
struct Session {
    client: Client,
    ledger: SequenceLedger,
    epochs: usize,
    states: Vec<String>,
}

impl Session {
    fn start(address: SocketAddr) -> Self {
        let mut client = Client::session(address);
        client
            .command(r#"{"action":"subscribe","trades":["*"],"quotes":["*"],"x":{"id":1,"overload":"gap"}}"#);
        Self { client, ledger: SequenceLedger::default(), epochs: 0, states: Vec::new() }
    }

    fn read_more(&mut self, count: usize) {
        let until = self.ledger.objects + count;
        while self.ledger.objects < until {
            let objects = self.client.next_objects();
            self.ledger.record(&objects);
            for object in &objects {
                self.epochs += usize::from(object["T"] == "epoch");
                if object["T"] == "feed" {
                    self.states.push(object["state"].as_str().unwrap().to_owned());
                }
            }
        }
    }
}

#[test]
fn the_only_feed_of_a_cluster_is_killed_and_goes_on_from_its_journal() {
    let Some(nats) = nats() else { return };
    let journal = TempFolder::new();
    let mut leader = feed(&nats, &journal);
    let gateway = start(&options(&nats, "gateway", &[]));
    let mut session = Session::start(gateway.address);
    let days = |node: &Program| {
        let bars =
            get(node.address, "/v2/stocks/bars?symbols=AAPL&timeframe=1Day&start=2020-01-01T00:00:00Z").1;
        let bars: Value = serde_json::from_str(&bars).unwrap();
        bars["bars"]["AAPL"].as_array().map_or(0, Vec::len)
    };
    let days_before = days(&leader);
    session.read_more(1_500);

    for _ in 0..3 {
        kill(leader);
        leader = feed(&nats, &journal);
        wait_until("the feed to lead", || leads(&leader));
        let opened = leader.logged("the journal");
        assert!(opened.iter().any(|line| line["message"] == "the journal goes on"), "{opened:?}");
        session.read_more(1_500);
    }

    assert_eq!(session.epochs, 3);
    assert_eq!(session.states, ["down", "back"].repeat(3));
    assert!(session.ledger.gaps > 0, "the numbers that were left out are told");
    assert!(days_before > 100 && days(&leader) >= days_before, "history is that of before");
    stop(leader);
    assert_verified(&journal);

    let folder = journal.path().to_str().unwrap();
    let replay = Program::start(PROGRAM, &["--replay", folder, "--clock", "original", "--speed", "4"], &[]);
    let mut replayed = Session::start(replay.address);
    replayed.read_more(1_000);
    let recorded = trades(&journal);
    assert!(recorded.len() > 1_000, "{}", recorded.len());
    assert!(replayed.ledger.objects >= 1_000);
}

#[test]
fn each_feed_of_a_cluster_has_a_journal_of_what_all_publish() {
    let Some(nats) = nats() else { return };
    let [first_journal, second_journal] = [(); 2].map(|()| TempFolder::new());
    let first = feed(&nats, &first_journal);
    let second = feed(&nats, &second_journal);
    let joined = |node: &Program| metric(node.address, "tapecast_cluster_joined ") == 1.0;
    wait_until("the standby to join", || leads(&first) && joined(&second));
    let gateway = start(&options(&nats, "gateway", &[]));
    let mut session = Session::start(gateway.address);
    session.read_more(1_500);

    kill(first);
    wait_until("the standby to lead", || leads(&second));
    session.read_more(500);
    let first = feed(&nats, &first_journal);
    wait_until("the restarted feed to join", || joined(&first));
    session.read_more(1_500);
    assert!(leads(&second) && !leads(&first));
    // Clients of both have the same epoch now.
    let epoch = |node: &Program| {
        let status: Value = serde_json::from_str(&get(node.address, "/status").1).unwrap();
        status["epoch"].clone()
    };
    wait_for("the same epoch", || (epoch(&first) == epoch(&second)).then_some(()));
    stop(first);
    stop(second);

    let [of_first, of_second] = [&first_journal, &second_journal].map(|journal| {
        assert_verified(journal);
        trades(journal)
    });
    let common = of_first.iter().filter(|(key, _)| of_second.contains_key(*key)).collect::<Vec<_>>();
    assert!(common.len() > 500, "only {} trades in both", common.len());
    for (key, trade) in common {
        assert_eq!(trade, &of_second[key], "{key:?}");
    }
}
