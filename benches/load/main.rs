//! The load client: opens sessions on a server of the stream protocol, reads everything, and reports
//! throughput, latency, sequence gaps, and CPU and memory usage.
//!
//! ```text
//! cargo bench --bench load -- --url ws://127.0.0.1:8080/v2/iex --connections 1000 --server-pid PID
//! ```
//!
//! # Structure
//! ```text
//! main ▶ cli: parses the command line into a mode
//!      ▶ scenario: starts a server and, as a process, this client, once per run
//!      ▶ runner ▶ worker (thread, poll) ▶ session (socket) ▶ frames, broker, protocol ▶ json_scanner, sequence
//!      ▶ publish: feeds servers that only pass messages on, which are compared with Tapecast (benches/peers)
//!      ▶ report: prints the totals that the runner collected
//! ```
//! The modules after `session`, and `workload`, do no I/O. The client must cost less CPU than the
//! server it measures, so it shares no code with the service.

#![cfg_attr(
    test,
    allow(
        dead_code,
        unused_imports,
        reason = "cargo sets `test` here, but only tests/load_client.rs runs the tests"
    )
)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the report and the progress lines are the program's output"
)]

mod broker;
mod cli;
mod config;
mod context;
mod floor;
mod frames;
mod json_scanner;
mod procfs;
mod protocol;
mod publish;
mod reconnect;
mod report;
mod runner;
mod scenario;
#[cfg(test)]
mod scripted_server;
mod sequence;
mod session;
mod session_end;
mod stats;
mod target;
mod timestamp;
mod totals;
mod usage;
mod worker;
mod workload;

use std::process::ExitCode;

use cli::Mode;
use config::{LoadConfig, OutputFormat};
use report::Report;

/// Exit codes: 0 success, 1 the run failed, 2 invalid arguments.
fn main() -> ExitCode {
    let outcome = match cli::parse(std::env::args().skip(1)) {
        Ok(Mode::Run(mut config)) => run(&mut config),
        Ok(Mode::Scenario(args)) => scenario::run(&args),
        Ok(Mode::Floor(args)) => floor::run(&args).map_err(|error| error.to_string()),
        Ok(Mode::Publish(args)) => publish::run(&args).map_err(|error| error.to_string()),
        Ok(Mode::Help(text)) => {
            print!("{text}");
            Ok(())
        }
        Ok(Mode::NoTarget) => {
            eprintln!("load: no --url, nothing to measure");
            Ok(())
        }
        Err(error) => {
            eprintln!("load: {error}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one load test and prints its report.
fn run(config: &mut LoadConfig) -> Result<(), String> {
    let totals = runner::run(config, |line| eprintln!("{line}")).map_err(|error| error.to_string())?;
    let report = Report::new(config, totals);
    match config.output {
        OutputFormat::Json => println!("{}", report.to_json()),
        OutputFormat::Text => println!("{report}"),
    }
    Ok(())
}
