//! `tapecast verify`: what a recorded client lost, while the server makes faults.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use test_support::{Client, Program, TempFolder, get};

const PROGRAM: &[&str] = &[env!("CARGO_BIN_EXE_tapecast")];

/// Records what a client receives of a server with these options, in `frames` frames, and compares it with the journal.
/// Returns the recording, the server's list of faults, and what `verify` says of the recording after `edit`.
fn record(options: &[&str], frames: usize, edit: impl Fn(&mut Vec<Value>)) -> (Vec<Value>, Value, Output) {
    let folder = TempFolder::new();
    let (journal, recording) = (folder.path().join("journal"), folder.path().join("client.ndjson"));
    let mut options = options.to_vec();
    options.extend(["--rate", "400", "--journal", journal.to_str().unwrap()]);
    let mut program = Program::start(PROGRAM, &options, &[]);
    let mut client = Client::session(program.address);
    client.send_text(
        &json!({ "action": "subscribe", "trades": ["*"], "quotes": ["*"], "x": { "id": 1 } }).to_string(),
    );
    let mut received: Vec<Value> = (0..frames).flat_map(|_| client.next_objects()).collect();
    let (status, faults) = get(program.address, "/faults");
    drop(client);
    program.signal("-TERM");
    program.wait();

    edit(&mut received);
    fs::write(&recording, received.iter().map(|object| format!("{object}\n")).collect::<String>()).unwrap();
    let faults = if status == 200 { serde_json::from_str(&faults).unwrap() } else { Value::Null };
    (received, faults, verify(&journal, &recording))
}

fn verify(journal: &Path, client: &Path) -> Output {
    Command::new(PROGRAM[0])
        .args(["verify", "--journal"])
        .arg(journal)
        .arg("--client")
        .arg(client)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap() + std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn a_client_that_received_everything_lost_nothing() {
    let (_, _, output) = record(&[], 300, |_| {});

    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains(" 0 lost, 0 unequal"), "{}", text(&output));
}

#[test]
fn what_the_server_dropped_is_what_verify_lists() {
    let (_, faults, output) = record(&["--faults", "drop=0.05"], 1_000, |_| {});

    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let lost: Vec<_> =
        text(&output).lines().filter(|line| line.starts_with("lost ")).map(str::to_owned).collect();
    assert!(!lost.is_empty());
    let dropped = |stream: &str, number: u64| {
        faults["faults"].as_array().unwrap().iter().any(|fault| {
            let range = &fault["streams"][stream];
            range[0].as_u64().is_some_and(|from| (from..=range[1].as_u64().unwrap()).contains(&number))
        })
    };
    for line in lost.iter().filter(|line| !line.contains(" and ")) {
        let [_, stream, from, "to", to] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        for number in from.parse().unwrap()..=to.parse().unwrap() {
            assert!(dropped(stream, number), "{line}: {faults}");
        }
    }
}

#[test]
fn a_price_that_the_client_changed_is_named() {
    let (_, _, output) = record(&[], 50, |received| {
        let trade = received.iter_mut().find(|object| object["T"] == "t").unwrap();
        trade["p"] = json!(0.01);
    });

    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains(": `p` is not as published"), "{}", text(&output));
}

#[test]
fn a_recording_that_cannot_be_read_is_named() {
    let folder = TempFolder::new();
    let file = folder.file("client.ndjson");
    fs::write(&file, "no json").unwrap();

    for (client, wrong) in
        [(file.as_path(), "line 1 is no JSON"), (Path::new("/no/such/file"), "/no/such/file")]
    {
        let output = verify(folder.path(), client);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output).contains(wrong), "{}", text(&output));
    }
}
