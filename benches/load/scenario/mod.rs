//! Named loads, each with its server and, beside it, the floor: what the kernel alone costs.
//!
//! ```text
//! cargo bench --bench load -- scenario watchlist firehose --pairs 5 --svg FILE
//! ```
//!
//! Server and floor take turns (A B A B …), each pair gives a ratio, and the table shows the medians:
//! what disturbs the machine for a while disturbs both. On a machine that a host shares out, pairs from which
//! it took too much can be set aside and made again; they are shown all the same.

mod catalogue;
mod chart;
mod child;
mod figures;
mod outcome;
mod table;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use serde::Serialize;
use serde_json::Value;

use self::catalogue::{ALL, Course, Scenario};
use self::child::{Client, Served, free_address};
use self::figures::Figures;
use self::outcome::{Outcome, Pair};

/// Runs named loads against a server of their own, and against the floor beside it.
#[derive(Debug, Parser)]
#[command(name = "load scenario")]
pub(crate) struct Args {
    /// Which ones; all when none is named
    #[arg(value_parser = catalogue::named)]
    scenarios: Vec<Scenario>,
    /// How often server and floor take turns
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pairs: u32,
    /// Length of each measurement
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// A pair during which the host took more of the cores, in percent of one, is set aside and made again,
    /// as long as there are no more than three times as many as asked for
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=100))]
    most_stolen: Option<u32>,
    /// The server
    #[arg(long, default_value = "target/release/tapecast")]
    server: PathBuf,
    /// Another floor than our own, called with PORT SYMBOLS TRADES_PER_SECOND FLUSH_MS SECONDS
    #[arg(long)]
    floor: Option<PathBuf>,
    /// The server alone: no floor, no ratios
    #[arg(long, conflicts_with = "floor")]
    alone: bool,
    /// Writes everything as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Draws a chart
    #[arg(long)]
    svg: Option<PathBuf>,
}

/// So many times as many pairs as were asked for are made at most.
const TRIES: usize = 3;

/// Everything that a reader needs to judge the figures, or to repeat them.
#[derive(Debug, Serialize)]
struct Record<'a> {
    command: String,
    version: &'static str,
    seed: &'static str,
    kernel: String,
    cores: usize,
    is_pinned: bool,
    unix_seconds: u64,
    outcomes: &'a [Outcome],
}

/// Runs what was asked for; an error is one line.
pub(crate) fn run(args: &Args) -> Result<(), String> {
    let scenarios = if args.scenarios.is_empty() { &ALL[..] } else { &args.scenarios };
    let mut outcomes = Vec::new();
    for scenario in scenarios {
        let outcome = play(args, scenario).map_err(|error| format!("{}: {error}", scenario.name))?;
        println!("{}", table::rows(&outcome));
        outcomes.push(outcome);
    }
    let record = Record {
        command: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
        version: env!("CARGO_PKG_VERSION"),
        seed: child::SEED,
        kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        is_pinned: child::is_pinned(),
        unix_seconds: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        outcomes: &outcomes,
    };
    println!("\n{}", table::summary(&outcomes));
    let text = serde_json::to_string_pretty(&record).map_err(|error| error.to_string())?;
    save(args.json.as_deref(), &text)?;
    save(args.svg.as_deref(), &chart::draw(&outcomes))
}

fn save(path: Option<&Path>, text: &str) -> Result<(), String> {
    let Some(path) = path else { return Ok(()) };
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn play(args: &Args, scenario: &Scenario) -> io::Result<Outcome> {
    let mut outcome = Outcome {
        name: scenario.name,
        pairs: Vec::new(),
        disturbed: Vec::new(),
        back_ms: None,
        busiest_100ms: None,
    };
    let seconds = args.seconds.max(scenario.least_seconds);
    let wanted = if scenario.course == Course::Beside { args.pairs as usize } else { 1 };
    while outcome.pairs.len() < wanted {
        let floor = if scenario.course == Course::Beside && !args.alone {
            let floor = Served::floor(args.floor.as_deref(), scenario, free_address()?)?;
            let client = Client::start(&floor, &scenario.of_floor(), seconds)?;
            Some(Figures::of(&client.report()?))
        } else {
            None
        };
        let address = free_address()?;
        let server = Served::server(&args.server, scenario, address)?;
        let mut client = Client::start(&server, scenario, seconds)?;
        let restarted = match scenario.course {
            Course::Restart => {
                client.wait_until_it_measures()?;
                server.stop()?;
                Some((Served::server(&args.server, scenario, address)?, now_ms()))
            }
            _ => None,
        };
        let report = client.report()?;
        if let Some((_, since_ms)) = &restarted {
            let last = report.pointer("/sessions/returned/last_ms").and_then(Value::as_i64);
            outcome.back_ms = last.map(|last| last - since_ms);
            outcome.busiest_100ms =
                report.pointer("/sessions/returned/busiest_100ms").and_then(Value::as_u64);
        }
        let pair = Pair { server: Figures::of(&report), floor };
        let may_repeat = outcome.disturbed.len() < (TRIES - 1) * wanted;
        match args.most_stolen {
            Some(most) if may_repeat && pair.lost_more_than(most) => outcome.disturbed.push(pair),
            _ => outcome.pairs.push(pair),
        }
    }
    Ok(outcome)
}

fn now_ms() -> i64 {
    super::stamp::wall_clock_us() / 1_000
}
