//! Parses the command line into a [`Mode`].

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use std::time::Duration;

use super::broker::{self, Dialect};
use super::config::{LoadConfig, OutputFormat};
use super::floor::FloorArgs;
use super::publish::PublishArgs;
use super::scenario::ScenarioArgs;
use super::target::Target;
use super::workload::{Channel, Skew, SymbolCount, Workload};

/// Loads a server of Tapecast's stream protocol and reports throughput, latency, sequence gaps,
/// and the CPU and memory usage of server and client.
///
/// `load scenario --help` describes named scenarios, `load floor --help` the reference server, `load publish --help` the
/// publisher for servers that only pass messages on.
#[derive(Debug, Parser)]
#[command(name = "load")]
struct RunArgs {
    /// URL of the stream: `ws://host:port/v2/iex`. Repeated: sessions are divided among the servers, and one that
    /// reconnects goes to the next
    #[arg(long = "url", value_name = "URL", required = true)]
    urls: Vec<String>,
    /// Protocol that the server speaks over WebSocket
    #[arg(long, value_enum, default_value = "stream")]
    dialect: Dialect,
    /// Chooses from the symbols of `load publish --symbols N` instead of asking the server for its symbols
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = RangedU64ValueParser::<usize>::new().range(0..=10_000))]
    universe: usize,
    /// Number of sessions that read everything
    #[arg(long, default_value_t = 100, value_parser = RangedU64ValueParser::<usize>::new().range(1..=60_000))]
    connections: usize,
    /// Number of additional sessions that subscribe and then never read (slow consumers)
    #[arg(long, default_value_t = 0, value_parser = RangedU64ValueParser::<usize>::new().range(0..=60_000))]
    stalled: usize,
    /// Symbols per session, or `all` for `"*"`
    #[arg(long, default_value = "20", value_parser = symbol_count)]
    symbols: SymbolCount,
    /// Channels per session, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_value = "trades,quotes,bars")]
    channels: Vec<Channel>,
    /// Distribution of subscriptions over the symbols
    #[arg(long, value_enum, default_value = "zipf")]
    skew: Skew,
    /// Seed of the symbol choice; the same seed chooses the same symbols
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Requests at most one frame per this number of milliseconds (a protocol extension)
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32).range(0..=60_000))]
    conflate_ms: Option<u32>,
    /// Requests only these fields of tickers, separated by commas (a protocol extension)
    #[arg(long, value_name = "KEYS", value_delimiter = ',')]
    fields: Option<Vec<String>>,
    /// Requests tickers as changes (a protocol extension)
    #[arg(long)]
    delta: bool,
    /// Price alerts that each session sets, on its symbols, at changes since the previous close (a protocol extension)
    #[arg(long, default_value_t = 0, value_parser = RangedU64ValueParser::<usize>::new().range(0..=100))]
    alerts: usize,
    /// Sessions reconnect after a disconnect, with the delay that the server requested, and resume
    #[arg(long, alias = "returns")]
    reconnect: bool,
    /// Offers permessage-deflate and inflates compressed messages
    #[arg(long)]
    deflate: bool,
    /// Length of the measurement, in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// Seconds of load between the opening of all sessions and the measurement
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=600))]
    warmup: u64,
    /// Maximum number of sessions that open at the same time; keep it below the server's accept backlog
    #[arg(long, alias = "at-once", default_value_t = 128, value_parser = RangedU64ValueParser::<usize>::new().range(1..=4_096))]
    max_opening: usize,
    /// Number of client threads; one reads several 100,000 objects per second
    #[arg(long, default_value_t = 1, value_parser = RangedU64ValueParser::<usize>::new().range(1..=64))]
    threads: usize,
    /// Process ID of the server, whose CPU and memory the report includes (Linux only)
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
    /// Key to authenticate with; without it, sessions subscribe without authentication
    #[arg(long, requires = "secret")]
    key: Option<String>,
    /// Secret of the key
    #[arg(long, requires = "key")]
    secret: Option<String>,
    /// Prints the report as one JSON object
    #[arg(long)]
    json: bool,
    /// Allows a target on another machine; load only machines that you own
    #[arg(long)]
    allow_remote: bool,
}

/// What the program does.
#[derive(Debug)]
pub(crate) enum Mode {
    /// Runs one load test.
    Run(Box<LoadConfig>),
    /// Runs named scenarios.
    Scenario(Box<ScenarioArgs>),
    /// Serves the floor, the reference server of the scenarios.
    Floor(FloorArgs),
    /// Publishes trades to a server that passes messages on.
    Publish(PublishArgs),
    /// Prints this text.
    Help(String),
    /// Does nothing: without arguments, as in `cargo bench` over all benches, there is no server.
    NoTarget,
}

/// Parses the arguments, without the program name; an error is one line.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Mode, String> {
    // `cargo bench` adds `--bench`, which only the standard harness understands.
    let arguments: Vec<_> = arguments.filter(|argument| argument != "--bench").collect();
    match arguments.first().map(String::as_str) {
        None => Ok(Mode::NoTarget),
        Some("scenario") => {
            Ok(parse_args(arguments)?.map_or_else(Mode::Help, |args| Mode::Scenario(Box::new(args))))
        }
        Some("floor") => Ok(parse_args(arguments)?.map_or_else(Mode::Help, Mode::Floor)),
        Some("publish") => Ok(parse_args(arguments)?.map_or_else(Mode::Help, Mode::Publish)),
        Some(_) => match parse_args(std::iter::once("load".to_owned()).chain(arguments))? {
            Ok(args) => config(args).map(|config| Mode::Run(Box::new(config))),
            Err(help) => Ok(Mode::Help(help)),
        },
    }
}

/// The parsed arguments, or the help text if it was requested.
fn parse_args<P: Parser>(arguments: impl IntoIterator<Item = String>) -> Result<Result<P, String>, String> {
    match P::try_parse_from(arguments) {
        Ok(args) => Ok(Ok(args)),
        Err(help) if !help.use_stderr() => Ok(Err(help.to_string())),
        Err(error) => Err(one_line(&error.to_string())),
    }
}

/// Validates the arguments of a run.
fn config(args: RunArgs) -> Result<LoadConfig, String> {
    let mut targets = args.urls.iter().map(|url| Target::parse(url)).collect::<Result<Vec<_>, _>>()?;
    for target in &mut targets {
        target.offers_deflate = args.deflate;
        target.subprotocol = args.dialect.subprotocol();
        if !target.address.ip().is_loopback() && !args.allow_remote {
            return Err(format!(
                "{} is another machine; use --allow-remote if it is yours to load",
                target.address
            ));
        }
    }
    if args.dialect != Dialect::Stream && args.universe == 0 && args.symbols != SymbolCount::All {
        return Err("--dialect needs --universe: only Tapecast is asked for its symbols".to_owned());
    }
    let workload = Workload {
        symbol_count: args.symbols,
        skew: args.skew,
        channels: args.channels,
        seed: args.seed,
        conflate_ms: args.conflate_ms,
        fields: args.fields,
        delta: args.delta,
        alerts: args.alerts,
        reconnect: args.reconnect,
        symbols: (0..args.universe).map(broker::symbol_name).collect(),
    };
    let auth = args.key.zip(args.secret).map(|(key, secret)| {
        serde_json::json!({ "action": "auth", "key": key, "secret": secret }).to_string()
    });
    Ok(LoadConfig {
        urls: args.urls,
        targets,
        dialect: args.dialect,
        workload,
        readers: args.connections,
        stalled: args.stalled,
        max_opening: args.max_opening,
        threads: args.threads,
        warmup: Duration::from_secs(args.warmup),
        duration: Duration::from_secs(args.seconds),
        server_pid: args.server_pid,
        auth,
        output: if args.json { OutputFormat::Json } else { OutputFormat::Text },
    })
}

fn symbol_count(text: &str) -> Result<SymbolCount, String> {
    match (text, text.parse()) {
        ("all", _) => Ok(SymbolCount::All),
        (_, Ok(count @ 1..=100_000)) => Ok(SymbolCount::Exactly(count)),
        _ => Err("expected `all` or a number from 1 to 100000".to_owned()),
    }
}

/// The first paragraph of clap's error, without the usage that follows.
fn one_line(error: &str) -> String {
    let paragraph = error.split("\n\n").next().unwrap_or(error);
    let words: Vec<_> = paragraph.split_whitespace().collect();
    words.join(" ").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Mode, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    fn config_of(line: &str) -> LoadConfig {
        match parsed(line) {
            Ok(Mode::Run(config)) => *config,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn sessions_and_their_reconnects_are_divided_among_the_servers() {
        let config = config_of("--url ws://127.0.0.1:1/ --url ws://127.0.0.1:2/");
        let port = |session, reconnects| config.target(session, reconnects).address.port();
        assert_eq!([port(0, 0), port(1, 0), port(2, 0), port(2, 1), port(3, 1)], [1, 2, 1, 2, 1]);
    }

    #[test]
    fn a_url_is_sufficient() {
        let config = config_of("--url ws://127.0.0.1:8080/v2/iex --bench");

        assert_eq!((config.readers, config.stalled, config.duration.as_secs()), (100, 0, 10));
        assert_eq!(config.workload.symbol_count, SymbolCount::Exactly(20));
        assert_eq!(config.workload.channels, [Channel::Trades, Channel::Quotes, Channel::Bars]);
    }

    #[test]
    fn options_are_parsed() {
        let config = config_of(
            "--url ws://127.0.0.1:1/ --symbols all --channels quotes,updatedBars --key K --secret S --skew uniform",
        );

        assert_eq!((config.workload.symbol_count, config.workload.skew), (SymbolCount::All, Skew::Uniform));
        assert_eq!(config.workload.channels, [Channel::Quotes, Channel::UpdatedBars]);
        assert!(config.auth.is_some_and(|auth| auth.contains(r#""secret":"S""#)));
    }

    #[test]
    fn parts_of_tickers_are_requested_by_their_keys() {
        let config = config_of("--url ws://127.0.0.1:1/ --channels tickers --delta --fields p,bp,-t");

        assert!(config.workload.delta);
        assert_eq!(config.workload.fields.unwrap(), ["p", "bp", "-t"]);
    }

    #[test]
    fn former_option_names_are_aliases() {
        let config = config_of("--url ws://127.0.0.1:1/ --returns --at-once 7");

        assert_eq!((config.workload.reconnect, config.max_opening), (true, 7));
    }

    #[test]
    fn an_invalid_argument_gives_a_one_line_error() {
        for line in [
            "--connections 5",
            "--url",
            "--url ws://127.0.0.1:1/ --skew flat",
            "--url ws://127.0.0.1:1/ --symbols 0",
            "--url ws://127.0.0.1:1/ --alerts 101",
            "--url ws://127.0.0.1:1/ --seconds 0",
            "--url ws://127.0.0.1:1/ --key K",
            "--url ws://127.0.0.1:1/ --dialect nats --symbols 20",
            "--url http://127.0.0.1:1/",
            "--url ws://127.0.0.1:1/ stray",
        ] {
            let error = parsed(line).unwrap_err();
            assert!(!error.is_empty() && !error.contains('\n'), "{line}: {error}");
        }
    }

    #[test]
    fn another_machine_is_loaded_only_with_allow_remote() {
        assert!(parsed("--url ws://192.0.2.1:80/").unwrap_err().contains("--allow-remote"));
        assert_eq!(config_of("--url ws://192.0.2.1:80/ --allow-remote").targets[0].address.port(), 80);
    }

    #[test]
    fn without_arguments_there_is_no_target() {
        assert!(matches!(parsed(""), Ok(Mode::NoTarget)));
        assert!(matches!(parsed("--bench"), Ok(Mode::NoTarget)));
        assert!(matches!(parsed("--help"), Ok(Mode::Help(_))));
        assert!(matches!(parsed("scenario --help"), Ok(Mode::Help(_))));
    }

    #[test]
    fn scenarios_are_selected_by_name() {
        assert!(matches!(parsed("scenario hot board --pairs 2"), Ok(Mode::Scenario(_))));
        assert!(parsed("scenario cold").unwrap_err().contains("watchlist"));
        assert!(matches!(parsed("publish nats 127.0.0.1:4222 --symbols 5"), Ok(Mode::Publish(_))));
        assert!(matches!(parsed("floor 0 500 1000 1 60"), Ok(Mode::Floor(_))));
    }
}
