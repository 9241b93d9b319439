//! The replay of a journal by the real program: clients of the recorded market and of its replay get the same.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;

use serde_json::{Value, json};
use tapecast::model::{SECOND, market_time};
use test_support::{Client, Program, TempFolder, metric, wait_for, wait_until};

const PROGRAM: &[&str] = &[env!("CARGO_BIN_EXE_tapecast")];

/// What a client received: objects by channel, symbol and number.
type Received = BTreeMap<(String, String, u64), Value>;

/// Subscribes to everything with these extensions, and returns the epoch.
fn subscribe(client: &mut Client, x: &Value) -> Value {
    let all = ["*"];
    let command = json!({
        "action": "subscribe", "trades": all, "quotes": all, "bars": all, "statuses": all, "lulds": all,
        "tickers": all, "x": x,
    });
    client.command(&command.to_string())["x"]["epoch"].clone()
}

/// Receives until there are this many objects. None may be conflated.
fn receive(client: &mut Client, count: usize) -> Received {
    let mut received = Received::new();
    while received.len() < count {
        for object in client.next_objects() {
            let Some(sq) = object["sq"].as_u64() else { continue };
            if object.get("cf").is_none() && object.get("sn").is_none() {
                let text = |key: &str| object[key].as_str().unwrap().to_owned();
                received.insert((text("T"), text("S"), sq), object);
            }
        }
    }
    received
}

/// Records a market with a client that follows it, and returns its epoch and what the client got.
fn record(journal: &TempFolder) -> (Value, Received) {
    let folder = journal.path().to_str().unwrap();
    let options =
        ["--symbols", "5", "--seed", "7", "--rate", "300", "--bar-seconds", "1", "--journal", folder];
    let mut program = Program::start(PROGRAM, &options, &[]);
    let mut client = Client::session(program.address);
    let epoch = subscribe(&mut client, &json!({ "id": 1 }));
    let received = receive(&mut client, 4_000);
    program.signal("-TERM");
    program.wait();
    (epoch, received)
}

fn replay(journal: &TempFolder, options: &[&str]) -> Program {
    let folder = journal.path().to_str().unwrap();
    Program::start(PROGRAM, &[&["--replay", folder], options].concat(), &[])
}

fn wait_for_end(address: SocketAddr) {
    wait_until("the end", || metric(address, "tapecast_replay_ended ") == 1.0);
}

/// Asserts that all objects which both received are equal, and that there are many.
fn assert_same(replayed: &Received, recorded: &Received, at_least: usize) {
    let both: Vec<_> = replayed.iter().filter(|(key, _)| recorded.contains_key(key)).collect();
    assert!(both.len() >= at_least, "{}", both.len());
    for (key, object) in both {
        assert_eq!(object, &recorded[key], "{key:?}");
    }
}

#[test]
fn clients_of_a_replayed_journal_get_the_recorded_numbers_epoch_and_stamps() {
    let journal = TempFolder::new();
    let (epoch, recorded) = record(&journal);

    let program = replay(&journal, &["--clock", "original"]);
    let mut client = Client::session(program.address);
    assert_eq!(subscribe(&mut client, &json!({ "id": 1 })), epoch);
    assert_same(&receive(&mut client, 2_000), &recorded, 1_000);
    assert!(program.logged("serving")[0].get("seed").is_none(), "no market is simulated");
}

#[test]
fn a_client_of_the_recorded_market_resumes_at_its_replay() {
    let journal = TempFolder::new();
    let (epoch, recorded) = record(&journal);
    let program = replay(&journal, &["--clock", "original", "--speed", "max"]);
    wait_for_end(program.address);

    // It has the first half of the trades of a symbol.
    let (_, symbol, _) = recorded.keys().find(|(kind, _, _)| kind == "t").unwrap();
    let trades: Vec<_> = recorded.iter().filter(|((kind, of, _), _)| kind == "t" && of == symbol).collect();
    let last = trades[trades.len() / 2].0.2;
    let mut client = Client::session(program.address);
    let resume = json!({ "epoch": epoch, "sq": { "trades": { symbol: last } } });
    assert_eq!(subscribe(&mut client, &json!({ "id": 1, "resume": resume })), epoch);

    let rest = receive(&mut client, trades.len() - trades.len() / 2 - 1);
    let (first, _) = rest.iter().find(|((kind, _, _), _)| kind == "t").unwrap();
    assert_eq!(first.2, last + 1);
    assert_same(&rest, &recorded, trades.len() / 2 - 1);
}

#[test]
fn a_replay_moved_to_now_keeps_numbers_and_epoch() {
    let journal = TempFolder::new();
    let (epoch, recorded) = record(&journal);

    let program = replay(&journal, &[]);
    // What is of the minute that has begun comes at once, more than a slow client has room for.
    wait_for_end(program.address);
    let ((_, symbol, first), _) = recorded.iter().find(|((kind, _, _), _)| kind == "t").unwrap();
    let resume = json!({ "epoch": epoch, "sq": { "trades": { symbol: first } } });
    let mut client = Client::session(program.address);
    assert_eq!(subscribe(&mut client, &json!({ "id": 1, "resume": resume })), epoch);
    let object = wait_for("the trade after it", || {
        let is_next =
            |object: &Value| object["T"] == "t" && object["S"] == **symbol && object["sq"] == first + 1;
        client.next_objects().into_iter().find(is_next)
    });

    let before = &recorded[&("t".to_owned(), symbol.clone(), first + 1)];
    assert_eq!((&object["p"], &object["s"], &object["i"]), (&before["p"], &before["s"], &before["i"]));
    let [moved, before] = [&object, before].map(|it| market_time(it["t"].as_str().unwrap()).unwrap());
    assert_eq!(moved.nanos_since(before) % (60 * SECOND), 0);
}

#[test]
fn a_folder_without_a_journal_and_a_journal_beside_a_file_are_refused() {
    let empty = TempFolder::new();
    let folder = empty.path().to_str().unwrap();
    for (files, reason) in
        [(vec![folder], "no segment of a journal"), (vec![folder, "ticks.csv"], "replayed alone")]
    {
        let mut command = Command::new(PROGRAM[0]);
        command.arg("--replay").args(&files).args(["--listen", "127.0.0.1:0"]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains(reason), "{errors}");
        assert!(files.len() > 1 || errors.contains(folder), "{errors}");
    }
}
