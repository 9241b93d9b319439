//! Named scenarios, each with its own server and, for comparison, a reference: the floor or another
//! server binary.
//!
//! ```text
//! cargo bench --bench load -- scenario watchlist firehose --pairs 5 --svg FILE
//! cargo bench --bench load -- scenario hot idle --baseline OLD_SERVER --server NEW_SERVER
//! ```
//!
//! Reference and server run alternately (A B A B …) on the same core. Each pair gives a ratio, and the
//! table shows medians, so that a disturbance of the machine affects both sides. On a virtual machine, pairs with too much
//! steal time can be set aside and repeated; they are still shown.

mod catalogue;
mod chart;
mod comparison;
mod metrics;
mod network;
mod process;
mod result;
mod table;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use serde::Serialize;

use super::timestamp::wall_clock_us;

use self::catalogue::{ALL, Scenario, ScenarioKind};
use self::metrics::RunMetrics;
use self::network::Network;
use self::process::{ClientProcess, ServerProcess};
use self::result::{Pair, ReferenceKind, ScenarioResult};

/// Runs named scenarios against a server, alternately with the floor or another server binary
#[derive(Debug, Parser)]
#[command(name = "load scenario", bin_name = "load scenario")]
pub(crate) struct ScenarioArgs {
    /// Names of scenarios; default: all
    #[arg(value_parser = catalogue::named)]
    scenarios: Vec<Scenario>,
    /// Number of pairs of runs
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pairs: u32,
    /// Length of each measurement, in seconds
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Sets aside and repeats a pair with more steal time, in percent of one core; at most twice
    /// `--pairs` are set aside
    #[arg(long, alias = "most-stolen", value_parser = clap::value_parser!(u32).range(0..=100))]
    max_steal: Option<u32>,
    /// Server binary
    #[arg(long, default_value = "target/release/tapecast")]
    server: PathBuf,
    /// Floor binary instead of the built-in floor; its arguments are PORT SYMBOLS TRADES_PER_SECOND
    /// FLUSH_MS SECONDS
    #[arg(long)]
    floor: Option<PathBuf>,
    /// Runs the server alone: no floor, no ratios
    #[arg(long, alias = "alone", conflicts_with = "floor")]
    no_floor: bool,
    /// Compares with this server binary instead of the floor, with the same arguments and in every
    /// scenario
    #[arg(long, conflicts_with_all = ["floor", "no_floor"])]
    baseline: Option<PathBuf>,
    /// Runs server and client in two network namespaces with a veth pair between them, so that the CPU time of receiving is
    /// the client's, as on another machine. Linux and root; elsewhere it says so and uses loopback
    #[arg(long, conflicts_with = "floor")]
    namespaces: bool,
    /// Writes all results to this file, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Writes a chart to this file
    #[arg(long)]
    svg: Option<PathBuf>,
}

/// Disturbed pairs that are set aside, at most, per requested pair.
const MAX_SET_ASIDE: usize = 2;

/// The results together with the conditions that are needed to judge and repeat them.
#[derive(Debug, Serialize)]
struct ResultFile<'a> {
    command: String,
    version: &'static str,
    seed: &'static str,
    kernel: String,
    cores: usize,
    is_pinned: bool,
    network: &'static str,
    unix_seconds: u64,
    scenarios: &'a [ScenarioResult],
}

/// Runs the requested scenarios, prints the results and writes the files; an error is one line.
pub(crate) fn run(args: &ScenarioArgs) -> Result<(), String> {
    let scenarios = if args.scenarios.is_empty() { &ALL[..] } else { &args.scenarios };
    let network = Network::open(args.namespaces).map_err(|error| format!("--namespaces: {error}"))?;
    let mut results = Vec::new();
    for scenario in scenarios {
        let result =
            run_pairs(args, &network, scenario).map_err(|error| format!("{}: {error}", scenario.name))?;
        println!("{}", table::runs(&result));
        results.push(result);
    }
    let file = ResultFile {
        command: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
        version: env!("CARGO_PKG_VERSION"),
        seed: process::SEED,
        kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        is_pinned: process::is_pinned(),
        network: network.name(),
        unix_seconds: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        scenarios: &results,
    };
    println!("\nover {}", network.name());
    println!("{}", table::summary(&results));
    println!("{}", table::comparison(&results));
    let text = serde_json::to_string_pretty(&file).map_err(|error| error.to_string())?;
    save(args.json.as_deref(), &text)?;
    save(args.svg.as_deref(), &chart::draw(&results))
}

fn save(path: Option<&Path>, text: &str) -> Result<(), String> {
    let Some(path) = path else { return Ok(()) };
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// The server that the measured server is compared with.
enum Reference<'a> {
    BuiltInFloor,
    Floor(&'a Path),
    Baseline(&'a Path),
}

impl ScenarioArgs {
    /// The reference of a scenario; `None` if the server runs alone.
    fn reference(&self, scenario: &Scenario) -> Option<Reference<'_>> {
        match (&self.baseline, &self.floor) {
            (Some(program), _) => Some(Reference::Baseline(program)),
            _ if self.no_floor || scenario.kind != ScenarioKind::Paired => None,
            (None, Some(program)) => Some(Reference::Floor(program)),
            (None, None) => Some(Reference::BuiltInFloor),
        }
    }
}

impl Reference<'_> {
    fn kind(&self) -> ReferenceKind {
        match self {
            Self::BuiltInFloor | Self::Floor(_) => ReferenceKind::Floor,
            Self::Baseline(_) => ReferenceKind::Baseline,
        }
    }

    fn run(&self, scenario: &Scenario, network: &Network, seconds: u64) -> io::Result<RunMetrics> {
        match self {
            Self::BuiltInFloor => run_floor(None, scenario, network, seconds),
            Self::Floor(program) => run_floor(Some(program), scenario, network, seconds),
            Self::Baseline(program) => run_server(program, scenario, network, seconds),
        }
    }
}

/// Runs all pairs of a scenario. Without a reference, only a paired scenario runs more than once.
fn run_pairs(args: &ScenarioArgs, network: &Network, scenario: &Scenario) -> io::Result<ScenarioResult> {
    let reference = args.reference(scenario);
    let mut result = ScenarioResult {
        name: scenario.name,
        reference: reference.as_ref().map(Reference::kind),
        pairs: Vec::new(),
        disturbed: Vec::new(),
    };
    let seconds = args.seconds.max(scenario.min_seconds);
    let is_repeated = reference.is_some() || scenario.kind == ScenarioKind::Paired;
    let wanted = if is_repeated { args.pairs as usize } else { 1 };
    while result.pairs.len() < wanted {
        let reference =
            reference.as_ref().map(|reference| reference.run(scenario, network, seconds)).transpose()?;
        let pair = Pair { reference, server: run_server(&args.server, scenario, network, seconds)? };
        let may_set_aside = result.disturbed.len() < MAX_SET_ASIDE * wanted;
        match args.max_steal {
            Some(max) if may_set_aside && pair.exceeds_steal(max) => result.disturbed.push(pair),
            _ => result.pairs.push(pair),
        }
    }
    Ok(result)
}

/// Runs a scenario once against the floor.
fn run_floor(
    program: Option<&Path>,
    scenario: &Scenario,
    network: &Network,
    seconds: u64,
) -> io::Result<RunMetrics> {
    let floor = ServerProcess::start_floor(program, scenario, network, network.free_address()?)?;
    let client = ClientProcess::start(&floor, &scenario.for_floor(), seconds)?;
    Ok(RunMetrics::from_report(&client.wait_for_report()?, None))
}

/// Runs a scenario once against a server.
fn run_server(
    program: &Path,
    scenario: &Scenario,
    network: &Network,
    seconds: u64,
) -> io::Result<RunMetrics> {
    let address = network.free_address()?;
    let server = ServerProcess::start_server(program, scenario, network, address)?;
    let mut client = ClientProcess::start(&server, scenario, seconds)?;
    if scenario.kind != ScenarioKind::Restart {
        return Ok(RunMetrics::from_report(&client.wait_for_report()?, None));
    }
    client.wait_for_measurement()?;
    server.stop()?;
    let _restarted = ServerProcess::start_server(program, scenario, network, address)?;
    let restarted_ms = wall_clock_us() / 1_000;
    Ok(RunMetrics::from_report(&client.wait_for_report()?, Some(restarted_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(line: &str, scenario: &str) -> Option<ReferenceKind> {
        let args = ScenarioArgs::try_parse_from(line.split_whitespace()).unwrap();
        args.reference(&catalogue::named(scenario).unwrap()).map(|reference| reference.kind())
    }

    #[test]
    fn only_paired_scenarios_have_a_floor_and_all_have_a_baseline() {
        assert_eq!(reference("scenario", "hot"), Some(ReferenceKind::Floor));
        assert_eq!(reference("scenario", "idle"), None);
        assert_eq!(reference("scenario --no-floor", "hot"), None);
        for name in ["hot", "idle", "storm"] {
            assert_eq!(reference("scenario --baseline old", name), Some(ReferenceKind::Baseline), "{name}");
        }
    }

    #[test]
    fn a_baseline_excludes_a_floor() {
        for line in ["scenario --baseline old --floor f", "scenario --baseline old --no-floor"] {
            assert!(ScenarioArgs::try_parse_from(line.split_whitespace()).is_err(), "{line}");
        }
    }
}
