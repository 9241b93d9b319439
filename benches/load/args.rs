//! What was typed, and what is meant by it.

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use std::time::Duration;

use super::config::Load;
use super::floor;
use super::plan::{Breadth, Channel, Plan, Skew};
use super::scenario;
use super::target::Target;

/// Puts load on a server of Tapecast's stream protocol and reports what came back, how late,
/// whether anything was missing, and who was busy.
#[derive(Debug, Parser)]
#[command(name = "load")]
struct Args {
    /// The stream, as `ws://host:port/v2/iex`
    #[arg(long)]
    url: String,
    /// Sessions that read everything
    #[arg(long, default_value_t = 100, value_parser = RangedU64ValueParser::<usize>::new().range(1..=60_000))]
    connections: usize,
    /// Sessions that subscribe and then never read; counted apart
    #[arg(long, default_value_t = 0, value_parser = RangedU64ValueParser::<usize>::new().range(0..=60_000))]
    stalled: usize,
    /// Symbols per session, or `all` for `"*"`
    #[arg(long, default_value = "20", value_parser = breadth)]
    symbols: Breadth,
    /// Channels per session, with commas
    #[arg(long, value_enum, value_delimiter = ',', default_value = "trades,quotes,bars")]
    channels: Vec<Channel>,
    /// How interest is spread over the symbols
    #[arg(long, value_enum, default_value = "zipf")]
    skew: Skew,
    /// The same seed chooses the same symbols
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Asks for at most one frame per so many milliseconds (an extension of the protocol)
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32).range(0..=60_000))]
    conflate_ms: Option<u32>,
    /// Sessions come back when the server goes, when it asked them to, and go on where they stood
    #[arg(long)]
    returns: bool,
    /// Offers permessage-deflate, and inflates what comes compressed
    #[arg(long)]
    deflate: bool,
    /// Length of the measurement
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// Seconds of load, once all sessions are open, before the measurement begins
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=600))]
    warmup: u64,
    /// Sessions that may be connecting at the same time; below a server's accept backlog none is lost
    #[arg(long, default_value_t = 128, value_parser = RangedU64ValueParser::<usize>::new().range(1..=4_096))]
    at_once: usize,
    /// Threads of this client; one reads some hundred thousand objects a second
    #[arg(long, default_value_t = 1, value_parser = RangedU64ValueParser::<usize>::new().range(1..=64))]
    threads: usize,
    /// The server's process, to report its CPU and memory (Linux only)
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
    /// Key to authenticate with; without it the session subscribes at once
    #[arg(long, requires = "secret")]
    key: Option<String>,
    /// Secret that belongs to the key
    #[arg(long, requires = "key")]
    secret: Option<String>,
    /// Prints the report as one JSON object
    #[arg(long)]
    json: bool,
    /// Allows a host other than this one; load only what is yours
    #[arg(long)]
    allow_remote: bool,
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Wish {
    Run(Box<Load>),
    /// Named loads.
    Play(Box<scenario::Args>),
    /// What they are put beside.
    Serve(floor::Args),
    /// `--help`: this text, and success.
    Read(String),
    /// Nothing typed, as when all benches are run: there is no server to measure.
    Nothing,
}

/// Understands the arguments, without the program's name; an error is one line.
pub(crate) fn understand(typed: impl Iterator<Item = String>) -> Result<Wish, String> {
    // `cargo bench` adds `--bench` for the standard harness, which this is not.
    let typed: Vec<_> = typed.filter(|argument| argument != "--bench").collect();
    if typed.is_empty() {
        return Ok(Wish::Nothing);
    }
    if typed[0] == "scenario" {
        return Ok(parsed(typed)?.map_or_else(Wish::Read, |args| Wish::Play(Box::new(args))));
    }
    if typed[0] == "floor" {
        return Ok(parsed(typed)?.map_or_else(Wish::Read, Wish::Serve));
    }
    match parsed(std::iter::once("load".to_owned()).chain(typed))? {
        Ok(args) => meaning(args).map(|load| Wish::Run(Box::new(load))),
        Err(help) => Ok(Wish::Read(help)),
    }
}

/// The arguments, or the help that was asked for.
fn parsed<P: Parser>(typed: impl IntoIterator<Item = String>) -> Result<Result<P, String>, String> {
    match P::try_parse_from(typed) {
        Ok(args) => Ok(Ok(args)),
        Err(help) if !help.use_stderr() => Ok(Err(help.to_string())),
        Err(error) => Err(one_line(&error.to_string())),
    }
}

fn meaning(args: Args) -> Result<Load, String> {
    let mut target = Target::parse(&args.url)?;
    target.offers_deflate = args.deflate;
    if !target.address.ip().is_loopback() && !args.allow_remote {
        return Err(format!("{} is not this machine; --allow-remote if it is yours to load", target.address));
    }
    let plan = Plan {
        breadth: args.symbols,
        skew: args.skew,
        channels: args.channels,
        seed: args.seed,
        conflate_ms: args.conflate_ms,
        returns: args.returns,
        symbols: Vec::new(),
    };
    let auth = args.key.zip(args.secret).map(|(key, secret)| {
        serde_json::json!({ "action": "auth", "key": key, "secret": secret }).to_string()
    });
    Ok(Load {
        url: args.url,
        target,
        plan,
        readers: args.connections,
        stalled: args.stalled,
        at_once: args.at_once,
        threads: args.threads,
        warmup: Duration::from_secs(args.warmup),
        seconds: Duration::from_secs(args.seconds),
        server_pid: args.server_pid,
        auth,
        as_json: args.json,
    })
}

fn breadth(typed: &str) -> Result<Breadth, String> {
    match (typed, typed.parse()) {
        ("all", _) => Ok(Breadth::All),
        (_, Ok(count @ 1..=100_000)) => Ok(Breadth::Some(count)),
        _ => Err("neither `all` nor a number from 1 to 100000".to_owned()),
    }
}

/// clap's complaint without the usage that follows it.
fn one_line(complaint: &str) -> String {
    let paragraph = complaint.split("\n\n").next().unwrap_or(complaint);
    let words: Vec<_> = paragraph.split_whitespace().collect();
    words.join(" ").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(line: &str) -> Result<Wish, String> {
        understand(line.split_whitespace().map(str::to_owned))
    }

    fn load(line: &str) -> Load {
        match understood(line) {
            Ok(Wish::Run(load)) => *load,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn an_address_is_enough() {
        let load = load("--url ws://127.0.0.1:8080/v2/iex --bench");

        assert_eq!((load.readers, load.stalled, load.seconds.as_secs()), (100, 0, 10));
        assert_eq!(load.plan.breadth, Breadth::Some(20));
        assert_eq!(load.plan.channels, [Channel::Trades, Channel::Quotes, Channel::Bars]);
    }

    #[test]
    fn options_are_understood() {
        let load = load(
            "--url ws://127.0.0.1:1/ --symbols all --channels quotes,updatedBars --key K --secret S --skew uniform",
        );

        assert_eq!((load.plan.breadth, load.plan.skew), (Breadth::All, Skew::Uniform));
        assert_eq!(load.plan.channels, [Channel::Quotes, Channel::UpdatedBars]);
        assert!(load.auth.is_some_and(|auth| auth.contains(r#""secret":"S""#)));
    }

    #[test]
    fn a_wrong_argument_is_one_line() {
        for line in [
            "--connections 5",
            "--url",
            "--url ws://127.0.0.1:1/ --skew flat",
            "--url ws://127.0.0.1:1/ --symbols 0",
            "--url ws://127.0.0.1:1/ --seconds 0",
            "--url ws://127.0.0.1:1/ --key K",
            "--url http://127.0.0.1:1/",
            "--url ws://127.0.0.1:1/ stray",
        ] {
            let complaint = understood(line).unwrap_err();
            assert!(!complaint.is_empty() && !complaint.contains('\n'), "{line}: {complaint}");
        }
    }

    #[test]
    fn another_machine_is_loaded_only_when_allowed() {
        assert!(understood("--url ws://192.0.2.1:80/").unwrap_err().contains("--allow-remote"));
        assert_eq!(load("--url ws://192.0.2.1:80/ --allow-remote").target.address.port(), 80);
    }

    #[test]
    fn without_arguments_there_is_nothing_to_do() {
        assert!(matches!(understood(""), Ok(Wish::Nothing)));
        assert!(matches!(understood("--bench"), Ok(Wish::Nothing)));
        assert!(matches!(understood("--help"), Ok(Wish::Read(_))));
        assert!(matches!(understood("scenario --help"), Ok(Wish::Read(_))));
    }

    #[test]
    fn scenarios_are_run_by_name() {
        assert!(matches!(understood("scenario hot board --pairs 2"), Ok(Wish::Play(_))));
        assert!(understood("scenario cold").unwrap_err().contains("watchlist"));
        assert!(matches!(understood("floor 0 500 1000 1 60"), Ok(Wish::Serve(_))));
    }
}
