//! Configuration: `Options` are the options as given, `Config` the validated settings.
//!
//! Each option is declared once, for clap. Its key in the configuration file and its environment variable have its
//! name: `--max-sessions` is `max_sessions` and `TAPECAST_MAX_SESSIONS`. A flag takes precedence over the variable,
//! the variable over the file, the file over the default.
//!
//! All checks happen in the conversion from `Options` to `Config`, before anything starts.

mod access;
mod admin_command;
#[cfg(feature = "nats")]
mod cluster;
mod command_line;
mod diagnosis;
mod documents;
mod error;
#[cfg(feature = "relay")]
mod feed_option;
mod file;
mod journal;
mod journal_command;
mod keys_command;
mod layers;
mod listen;
mod replay_options;
#[cfg(feature = "jwt")]
mod tokens;
mod topics;
#[cfg(feature = "relay")]
mod upstream;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, ValueEnum};

use self::access::AccessArgs;
pub use self::access::{AccessConfig, PlainHttp, Tls};
pub use self::admin_command::{
    AdminKeysTask, AdminOptions, AdminTask, NewAdminKey, SessionsOptions, SortOption,
};
#[cfg(feature = "nats")]
use self::cluster::ClusterArgs;
pub use self::command_line::log_filter;
pub use self::command_line::{CheckedOptions, Invocation, Loaded};
pub use self::diagnosis::{Problem, error_cause};
pub use self::documents::{CompletionScript, ManualPages};
pub use self::error::{ConfigError, WRONG_ARGUMENTS};
use self::journal::JournalArgs;
pub use self::journal_command::{JournalExport, JournalFolder, JournalTask, VerifyOptions};
pub use self::keys_command::{KeyTask, NewKey, Task};
pub use self::layers::{OptionValue, OptionValues, Source};
use self::listen::ListenOption;
use self::replay_options::ReplayArgs;
#[cfg(feature = "jwt")]
pub use self::tokens::{TokenConfig, TokenKeys};
use self::topics::{KeyUse, KnownClients, TopicArgs};
#[cfg(feature = "relay")]
pub use self::upstream::NamedUpstream;
#[cfg(feature = "relay")]
use self::upstream::UpstreamArgs;
use crate::alerts::AlertLimits;
use crate::archive::Retention;
#[cfg(feature = "nats")]
use crate::cluster::ClusterSettings;
use crate::faults::FaultSpec;
use crate::feed::BarSpans;
use crate::http::EchoMode;
use crate::hub::{LivenessTimeouts, MaxDelay};
use crate::journal::JournalSettings;
use crate::metrics::LatencyMeasurement;
use crate::model::{Feed, SECOND};
use crate::session::{Limits, OutboxLimits};
use crate::source::{ArrivalProcess, MAX_LISTINGS, ReplaySettings, SimulationSettings};
use crate::topics::Namespaces;
use crate::version::VERSION;

/// A stock-ticker push service: a simulated market, compatible with Alpaca's stock stream and REST.
///
/// Serves a live dashboard at /, the stream at /v2/iex (Alpaca's stock protocol) and at
/// /websocket/connect, an echo at /echo, REST below /v2, and /healthz, /readyz and /metrics.
#[derive(Clone, Debug, Parser)]
#[command(name = "tapecast", version = VERSION, max_term_width = 100, args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(flatten)]
    options: Options,

    #[command(subcommand)]
    command: Option<Subcommands>,
}

/// What to do instead of serving.
#[derive(Clone, Debug, clap::Subcommand)]
enum Subcommands {
    /// Check the configuration without serving: all options, and the files, addresses and limits that they need.
    /// Prints each problem, and what would be in force; exit code 1 if there is a problem
    Check(Box<CheckOptions>),
    /// Show the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    #[command(flatten)]
    Task(Task),
}

/// The options of `check`.
#[derive(Clone, Debug, Args)]
struct CheckOptions {
    /// A server runs with this configuration or an earlier one: addresses that are in use are no problem
    #[arg(long)]
    running: bool,

    #[command(flatten)]
    options: Options,
}

/// A subcommand of `config`.
#[derive(Clone, Debug, clap::Subcommand)]
enum ConfigCommand {
    /// Print the options that are in force, each with its source, as a file for --config; secrets are masked
    Print(Box<Options>),
}

/// The options of the server. Each may be given by a flag, an environment variable or the file of `--config`.
#[derive(Clone, Debug, Args)]
struct Options {
    /// Read options from this file, in TOML: `max_sessions = 5000` is --max-sessions 5000. Flags and variables of the
    /// environment take precedence. SIGHUP reads it again
    #[arg(long, env = "TAPECAST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    /// Address and port to serve on, such as 127.0.0.1:8080 or localhost:8080; port 0 is any free port
    #[arg(long, env = "TAPECAST_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDR:PORT")]
    listen: ListenOption,

    /// Number of stocks in the market; the first hundred are well-known companies
    #[arg(long, env = "TAPECAST_SYMBOLS", default_value_t = 100, value_name = "N")]
    symbols: usize,

    /// Trades per second over the whole market, on average; 0 is a market without trades
    #[arg(
        long,
        env = "TAPECAST_RATE",
        default_value_t = 1000.0,
        value_name = "TRADES",
        allow_negative_numbers = true
    )]
    rate: f64,

    /// Quotes (changes of the best bid or ask) per trade, on average
    #[arg(
        long,
        env = "TAPECAST_QUOTES_PER_TRADE",
        default_value_t = 3.0,
        value_name = "QUOTES",
        allow_negative_numbers = true
    )]
    quotes_per_trade: f64,

    /// Arrival times of trades and quotes: random as in a market, or evenly spaced
    #[arg(long, env = "TAPECAST_ARRIVALS", value_enum, default_value = "poisson", value_name = "PROCESS")]
    arrivals: ArrivalsOption,

    /// Seed of the simulator: the same seed, symbols and rates give the same past and the same moves
    #[arg(long, env = "TAPECAST_SEED", default_value_t = 42)]
    seed: u64,

    /// Trades retained per stock, for REST and for clients that resume
    #[arg(long, env = "TAPECAST_RETAIN_TRADES", default_value_t = 1_000, value_name = "N")]
    retain_trades: usize,

    /// Quotes retained per stock, for REST and for clients that resume
    #[arg(long, env = "TAPECAST_RETAIN_QUOTES", default_value_t = 1_000, value_name = "N")]
    retain_quotes: usize,

    /// Memory for all retained trades, quotes and bars; if it is too small, less is retained of every
    /// stock
    #[arg(long, env = "TAPECAST_RETAIN_MIB", default_value_t = 256, value_name = "MIB")]
    retain_mib: usize,

    /// How often stocks are halted, and trades are late, corrected or cancelled
    #[arg(long, env = "TAPECAST_INCIDENTS", value_enum, default_value = "rare", value_name = "FREQUENCY")]
    incidents: IncidentsOption,

    /// Length of the bars of the channel `bars`, for tests; SDKs expect a minute
    #[arg(long, env = "TAPECAST_BAR_SECONDS", default_value_t = 60, value_name = "SECONDS")]
    bar_seconds: u32,

    /// Maximum time to coalesce objects into one frame; sessions with few updates are not delayed. `auto`: up to 10 while
    /// a worker is busy, else 0
    #[arg(long, env = "TAPECAST_MAX_DELAY_MS", default_value = "auto", value_name = "MS", value_parser = max_delay)]
    max_delay_ms: MaxDelay,

    /// Threads that serve clients [default: the number of cores]
    #[arg(long, env = "TAPECAST_WORKERS", value_name = "N")]
    workers: Option<usize>,

    /// Maximum duration of a graceful shutdown; then open connections are aborted
    #[arg(
        long,
        env = "TAPECAST_DRAIN_SECONDS",
        default_value_t = 4.0,
        value_name = "SECONDS",
        allow_negative_numbers = true
    )]
    drain_seconds: f64,

    /// Serve the echo at /echo: with the limits of the stream (on), or with messages of 16 MiB and without
    /// limits on their number (conformance) [default: on, but off if an address beyond loopback is served]
    #[arg(long, env = "TAPECAST_ECHO", value_name = "MODE", num_args = 0..=1, require_equals = true,
        default_missing_value = "on")]
    echo: Option<EchoOption>,

    /// Faults to make on purpose, for the authors of clients: `demo`, or a list such as
    /// `seed=7,drop=0.001,cut=30s` [GET /faults lists what was done]
    #[arg(long, env = "TAPECAST_FAULTS", value_name = "FAULTS")]
    faults: Option<FaultSpec>,

    /// Allow --faults on an address beyond loopback
    #[arg(long, env = "TAPECAST_FAULTS_ANYWHERE", requires = "faults")]
    faults_anywhere: bool,

    /// Log level: error, warn, info, debug, trace; or per module, such as tapecast::hub=debug
    #[arg(
        long,
        env = "TAPECAST_LOG",
        default_value = "info",
        value_name = "FILTER",
        value_parser = log_filter
    )]
    log: String,

    /// Format of the log
    #[arg(long, env = "TAPECAST_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    log_format: LogFormat,

    /// Measure how long the feed, the fan-out and requests take, for /metrics
    #[arg(long, env = "TAPECAST_LATENCY_METRICS", default_value = "on", value_name = "MODE")]
    latency_metrics: LatencyOption,

    #[command(flatten)]
    journal: JournalArgs,

    #[cfg(feature = "nats")]
    #[command(flatten)]
    cluster: ClusterArgs,

    #[command(flatten)]
    replay: ReplayArgs,

    #[cfg(feature = "relay")]
    #[command(flatten)]
    upstream: UpstreamArgs,

    #[command(flatten)]
    access: AccessArgs,

    #[command(flatten)]
    topics: TopicArgs,
}

/// The values of `--incidents`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum IncidentsOption {
    /// No incidents, and no price bands
    None,
    /// As in a market: a halt every three minutes, one trade in a thousand corrected
    Rare,
    /// Each kind at least once a second, for demonstrations
    Many,
}

/// The values of `--arrivals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ArrivalsOption {
    Poisson,
    Even,
}

/// The values of `--echo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EchoOption {
    Off,
    On,
    Conformance,
}

/// The values of `--latency-metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LatencyOption {
    On,
    Off,
}

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// One JSON object per line, for machines.
    Json,
}

/// The validated settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The number of instruments.
    pub symbols: usize,
    /// The simulated market.
    pub simulation: SimulationSettings,
    /// What is replayed instead of the simulated market. Default: nothing.
    pub replay: Option<ReplaySettings>,
    /// The upstreams that are relayed instead of the simulated market, each a feed. Default: none.
    #[cfg(feature = "relay")]
    pub upstreams: Vec<NamedUpstream>,
    /// The length of bars.
    pub spans: BarSpans,
    /// The retained history.
    pub retention: Retention,
    /// The journal, if there is one.
    pub journal: Option<JournalSettings>,
    /// How the node takes part in a cluster. Default: it is alone.
    #[cfg(feature = "nats")]
    pub cluster: Option<ClusterSettings>,
    /// Threads that serve clients, at least 1. Default: one per core, because workers share nothing but the
    /// feed.
    pub workers: usize,
    /// The limits of one session.
    pub limits: Limits,
    /// The limits of one session's outbox.
    pub outbox: OutboxLimits,
    /// How many price alerts there may be.
    pub alerts: AlertLimits,
    /// The longest time that objects wait for more of the same session, to be sent in one frame.
    ///
    /// It halves the work for a client that receives thousands of objects per second, and adds up to this
    /// much latency. By default only a busy worker delays anything.
    pub max_delay: MaxDelay,
    /// The timeouts after which unresponsive clients are disconnected.
    pub liveness: LivenessTimeouts,
    /// The longest time of a graceful shutdown, after which open connections are aborted. Default 4 s, so
    /// that the process ends within 5.
    pub drain: Duration,
    /// Whether there is an echo. Default: only if all listeners are on loopback, since it has no use for
    /// clients and costs as much as the stream.
    pub echo: EchoMode,
    /// The faults that are made on purpose. Default: none.
    pub faults: Option<FaultSpec>,
    /// Whether latencies are measured. Default: they are, for less than 1 % of the CPU time.
    pub latency_metrics: LatencyMeasurement,
    /// The log filter.
    pub log: String,
    /// The format of the log.
    pub log_format: LogFormat,
    /// TLS, keys, origins, proxies and the number of sessions.
    pub access: AccessConfig,
    /// Which topics there may be. Default: `weather:`, and `chat:`, in which clients may write if all listeners are on
    /// loopback.
    pub topics: Namespaces,
    /// Whether the weather of cities is simulated, by the seed of the simulation. Default: beside a simulated market.
    pub simulates_weather: bool,
}

/// The simulator runs on one thread, which cannot generate more trades per second in time.
const MAX_RATE: f64 = 1_000_000.0;
const MAX_QUOTES_PER_TRADE: f64 = 1_000.0;
const MAX_DRAIN_SECONDS: f64 = 3_600.0;
/// The HTTP server has no more worker threads.
const MAX_WORKERS: usize = 512;
/// A query can copy all retained rows of a symbol, so their number is bounded.
const MAX_RETAINED: usize = 1_000_000;
/// 1 TiB.
const MAX_RETAIN_MIB: usize = 1 << 20;

impl Default for Config {
    /// The settings without any option or environment variable.
    fn default() -> Self {
        Self::try_from(Options::defaults()).expect("the defaults are valid")
    }
}

impl TryFrom<Options> for Config {
    type Error = ConfigError;

    fn try_from(args: Options) -> Result<Self, ConfigError> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from).min(MAX_WORKERS);
        let workers = args.workers.unwrap_or_else(cores);
        if !(1..=MAX_LISTINGS).contains(&args.symbols) {
            return Err(ConfigError::Symbols(args.symbols));
        }
        if !(1..=3600).contains(&args.bar_seconds) {
            return Err(ConfigError::BarSeconds(args.bar_seconds));
        }
        if !(1..=MAX_WORKERS).contains(&workers) {
            return Err(ConfigError::Workers(workers));
        }
        let listen = args.listen.resolve("--listen")?;
        let access: AccessConfig = args.access.try_into()?;
        let all_local = is_local(listen) && access.tls.as_ref().is_none_or(|tls| is_local(tls.listen));
        if args.faults.is_some() && !all_local && !args.faults_anywhere {
            return Err(ConfigError::FaultsBeyondLoopback);
        }
        let echo = match args.echo {
            Some(EchoOption::Off) => EchoMode::Off,
            None if !all_local => EchoMode::Off,
            Some(EchoOption::On) | None => EchoMode::On,
            Some(EchoOption::Conformance) => EchoMode::Conformance,
        };
        #[cfg(feature = "relay")]
        let upstreams: Vec<NamedUpstream> = args.upstream.try_into()?;
        let journal: Option<JournalSettings> = args.journal.into();
        #[cfg(feature = "nats")]
        let cluster: Option<ClusterSettings> = args.cluster.into();
        #[cfg(feature = "nats")]
        if journal.is_some() && cluster.as_ref().is_some_and(|settings| !settings.role.may_lead()) {
            return Err(ConfigError::JournalOfGateway);
        }
        #[cfg(feature = "relay")]
        if upstreams.len() > 1 {
            let of_one_feed = journal.as_ref().map(|_| "--journal");
            #[cfg(feature = "nats")]
            let of_one_feed = of_one_feed.or(cluster.as_ref().map(|_| "--nats"));
            if let Some(option) = of_one_feed {
                return Err(ConfigError::SeveralUpstreams(option));
            }
        }
        let clients = match access.requires_credentials() {
            true => KnownClients::ByKey,
            false if all_local => KnownClients::ByMachine,
            false => KnownClients::None,
        };
        #[cfg(feature = "nats")]
        let is_in_cluster = cluster.is_some();
        #[cfg(not(feature = "nats"))]
        let is_in_cluster = false;
        // The nodes of a cluster have the same topics, and their feeds need no keys.
        let keys = match access.requires_credentials() || is_in_cluster {
            true => KeyUse::Possible,
            false => KeyUse::Never,
        };
        let topics = args.topics.namespaces(clients, keys)?;
        let mut config = Self {
            listen,
            symbols: args.symbols,
            simulation: SimulationSettings {
                seed: args.seed,
                trades_per_second: within("--rate", args.rate, MAX_RATE)?,
                arrivals: match args.arrivals {
                    ArrivalsOption::Poisson => ArrivalProcess::Poisson,
                    ArrivalsOption::Even => ArrivalProcess::Even,
                },
                quotes_per_trade: within("--quotes-per-trade", args.quotes_per_trade, MAX_QUOTES_PER_TRADE)?,
                ..match args.incidents {
                    IncidentsOption::None => SimulationSettings::UNEVENTFUL,
                    IncidentsOption::Rare => SimulationSettings::default(),
                    IncidentsOption::Many => SimulationSettings::EVENTFUL,
                }
            },
            replay: args.replay.try_into()?,
            #[cfg(feature = "relay")]
            upstreams,
            spans: BarSpans { bar_nanos: i64::from(args.bar_seconds) * SECOND },
            retention: Retention {
                trades: from_one("--retain-trades", args.retain_trades, MAX_RETAINED)?,
                quotes: from_one("--retain-quotes", args.retain_quotes, MAX_RETAINED)?,
                bytes: from_one("--retain-mib", args.retain_mib, MAX_RETAIN_MIB)? << 20,
            },
            journal,
            #[cfg(feature = "nats")]
            cluster,
            workers,
            limits: Limits::default(),
            outbox: OutboxLimits::default(),
            alerts: AlertLimits::default(),
            max_delay: args.max_delay_ms,
            liveness: LivenessTimeouts::default(),
            drain: Duration::from_secs_f64(within("--drain-seconds", args.drain_seconds, MAX_DRAIN_SECONDS)?),
            echo,
            faults: args.faults,
            latency_metrics: match args.latency_metrics {
                LatencyOption::On => LatencyMeasurement::On,
                LatencyOption::Off => LatencyMeasurement::Off,
            },
            log: args.log,
            log_format: args.log_format,
            topics,
            simulates_weather: false,
            access,
        };
        config.simulates_weather = args.topics.simulates_weather(&config.topics, config.simulates())?;
        Ok(config)
    }
}

impl Config {
    /// The addresses to listen on, each with its option.
    pub fn listeners(&self) -> Vec<(&'static str, SocketAddr)> {
        let tls = self.access.tls.as_ref().map(|tls| ("tls-listen", tls.listen));
        let admin = self.access.admin.map(|admin| ("admin-listen", admin));
        std::iter::once(("listen", self.listen)).chain(tls).chain(admin).collect()
    }

    /// Whether the secrets of keys may be read on the network: clients of other machines send them over plain HTTP.
    pub fn serves_keys_in_clear(&self) -> bool {
        self.access.requires_credentials() && self.access.plain == PlainHttp::Served && !is_local(self.listen)
    }

    /// Whether other machines reach metrics and status, which need no key, at an address of their own.
    pub fn publishes_operations(&self) -> bool {
        self.access.admin.is_some_and(|admin| !is_local(admin))
    }

    /// Whether others than this machine may reach the address of the administration, and there is no token: it
    /// refuses all requests then.
    pub fn lacks_admin_token(&self) -> bool {
        self.publishes_operations() && self.access.admin_token.is_none()
    }

    /// The names of the feeds, the default first.
    pub fn feeds(&self) -> Vec<Feed> {
        #[cfg(feature = "relay")]
        if !self.upstreams.is_empty() {
            return self.upstreams.iter().map(|upstream| upstream.feed).collect();
        }
        vec![Feed::IEX]
    }

    /// Whether this process publishes the simulated weather: a gateway of a cluster does not, since it has no market of its
    /// own.
    pub fn publishes_weather(&self) -> bool {
        #[cfg(feature = "nats")]
        if self.cluster.as_ref().is_some_and(|settings| !settings.role.may_lead()) {
            return false;
        }
        self.simulates_weather
    }

    /// Whether the market is a simulated one: neither a replay nor a relay.
    pub fn simulates(&self) -> bool {
        #[cfg(feature = "relay")]
        let is_relay = !self.upstreams.is_empty();
        #[cfg(not(feature = "relay"))]
        let is_relay = false;
        self.replay.is_none() && !is_relay
    }
}

/// Whether only this machine reaches the address.
fn is_local(listen: SocketAddr) -> bool {
    listen.ip().to_canonical().is_loopback()
}

/// The value of `--max-delay-ms`.
fn max_delay(text: &str) -> Result<MaxDelay, String> {
    const MAX_DELAY_MS: u64 = 1_000;
    match text.parse() {
        _ if text == "auto" => Ok(MaxDelay::Auto),
        Ok(millis @ 0..=MAX_DELAY_MS) => Ok(MaxDelay::Fixed(Duration::from_millis(millis))),
        _ => Err(format!("it is neither `auto` nor a number from 0 to {MAX_DELAY_MS}")),
    }
}

fn within(name: &'static str, value: f64, max: f64) -> Result<f64, ConfigError> {
    match value {
        value if (0.0..=max).contains(&value) => Ok(value),
        value => Err(ConfigError::Rate { name, max, value }),
    }
}

fn from_one(name: &'static str, value: usize, max: usize) -> Result<usize, ConfigError> {
    match value {
        value if (1..=max).contains(&value) => Ok(value),
        value => Err(ConfigError::Retain { name, max, value }),
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
