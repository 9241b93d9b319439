//! The load client: opens sessions at a server of the stream protocol, reads everything, and
//! reports how much came, how late, whether anything was missing, and who was busy.
//!
//! ```text
//! cargo bench --bench load -- --url ws://127.0.0.1:8080/v2/iex --connections 1000 --server-pid PID
//! ```
//!
//! # The way of a byte
//! ```text
//! crew (a thread, its poll) ▶ session (a socket) ▶ frames ▶ conversation ▶ scan ▶ ledger, tally
//! ```
//! `conduct` sets the phases and gathers what the crews hand in; `report` says it. Everything to the
//! right of `session`, and `plan`, is pure. It must be lighter than what it measures, so it knows
//! nothing of the service's own code and shares none with it.

#![cfg_attr(
    test,
    allow(
        dead_code,
        unused_imports,
        reason = "cargo sets `test` here, but only tests/load_client.rs has a harness"
    )
)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command's report and progress are its output"
)]

mod args;
mod conduct;
mod config;
mod conversation;
mod crew;
mod end;
mod floor;
mod frames;
mod ledger;
mod plan;
mod proc;
#[cfg(test)]
mod rehearsal;
mod report;
mod returns;
mod scan;
mod scenario;
mod session;
mod shares;
mod stamp;
mod tally;
mod target;
mod totals;

use std::process::ExitCode;

use args::Wish;

/// 0: there is a report. 1: there is none, and why. 2: the arguments make no sense.
fn main() -> ExitCode {
    let mut load = match args::understand(std::env::args().skip(1)) {
        Ok(Wish::Run(load)) => load,
        Ok(Wish::Read(help)) => {
            print!("{help}");
            return ExitCode::SUCCESS;
        }
        Ok(Wish::Play(scenarios)) => {
            return ended(scenario::run(&scenarios));
        }
        Ok(Wish::Serve(floor)) => {
            return ended(floor::Floor::bind(&floor).and_then(floor::Floor::run));
        }
        Ok(Wish::Nothing) => {
            eprintln!("load: no --url, nothing measured");
            return ExitCode::SUCCESS;
        }
        Err(complaint) => {
            eprintln!("load: {complaint}");
            return ExitCode::from(2);
        }
    };
    match conduct::conduct(&mut load, |line| eprintln!("{line}")) {
        Ok(report) if load.as_json => println!("{}", report.to_json()),
        Ok(report) => println!("{report}"),
        Err(error) => {
            eprintln!("load: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn ended<E: std::fmt::Display>(outcome: Result<(), E>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}
