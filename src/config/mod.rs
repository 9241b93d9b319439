//! Settings, twice: [`Args`] is what was typed, [`Config`] what is meant. All checks lie in between,
//! before anything starts; nothing reads the environment later.

mod access;
mod keys_command;

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use thiserror::Error;

use self::access::AccessArgs;
pub use self::access::{AccessConfig, Tls};
pub use self::keys_command::{KeyTask, NewKey, Task};
use crate::archive::Retention;
use crate::feed::BarSpans;
use crate::hub::LivenessTimeouts;
use crate::model::SECOND;
use crate::session::{Limits, OutboxLimits};
use crate::source::{ArrivalProcess, MAX_LISTINGS, Simulation};

/// A stock-ticker push service: a simulated market over WebSocket, for browsers and bots.
///
/// Serves a live dashboard at /, the stream at /v2/iex (Alpaca's stock protocol) and at
/// /websocket/connect, an echo at /echo, and /healthz, /readyz and /metrics.
#[derive(Clone, Debug, Parser)]
#[command(name = "tapecast", version, max_term_width = 100)]
pub struct Args {
    /// Address and port to serve on; port 0 takes any that is free
    #[arg(long, env = "TAPECAST_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDR:PORT")]
    listen: SocketAddr,

    /// How many stocks the market has: the first hundred are well-known ones
    #[arg(long, env = "TAPECAST_SYMBOLS", default_value_t = 100, value_name = "N")]
    symbols: usize,

    /// Trades per second over the whole market, on average; 0 is a silent market
    #[arg(
        long,
        env = "TAPECAST_RATE",
        default_value_t = 1000.0,
        value_name = "TRADES",
        allow_negative_numbers = true
    )]
    rate: f64,

    /// Changes of the best bid or ask for each trade, on average
    #[arg(
        long,
        env = "TAPECAST_QUOTES_PER_TRADE",
        default_value_t = 3.0,
        value_name = "QUOTES",
        allow_negative_numbers = true
    )]
    quotes_per_trade: f64,

    /// How trades and quotes follow each other: as in a market, or always the same time apart
    #[arg(long, env = "TAPECAST_ARRIVALS", value_enum, default_value = "poisson", value_name = "RHYTHM")]
    arrivals: ArrivalsOption,

    /// Which of all possible markets: the same seed, symbols and rates give the same events
    #[arg(long, env = "TAPECAST_SEED", default_value_t = 42)]
    seed: u64,

    /// Trades retained of each stock, for REST and for clients that resume
    #[arg(long, env = "TAPECAST_RETAIN_TRADES", default_value_t = 1_000, value_name = "N")]
    retain_trades: usize,

    /// Quotes retained of each stock, likewise
    #[arg(long, env = "TAPECAST_RETAIN_QUOTES", default_value_t = 1_000, value_name = "N")]
    retain_quotes: usize,

    /// Memory for all that is retained, bars included; where it does not suffice, less is retained of
    /// every stock
    #[arg(long, env = "TAPECAST_RETAIN_MIB", default_value_t = 256, value_name = "MIB")]
    retain_mib: usize,

    /// How often a stock is halted, and a trade late, corrected or cancelled
    #[arg(long, env = "TAPECAST_INCIDENTS", value_enum, default_value = "rare", value_name = "HOW_OFTEN")]
    incidents: IncidentsOption,

    /// Length of the bars of the `bars` channel, for tests; SDKs expect a minute
    #[arg(long, env = "TAPECAST_BAR_SECONDS", default_value_t = 60, value_name = "SECONDS")]
    bar_seconds: u32,

    /// The longest that objects wait for others of the same client, to leave in one frame; who gets
    /// little gets it at once
    #[arg(long, env = "TAPECAST_MAX_DELAY_MS", default_value_t = 0, value_name = "MS",
        value_parser = clap::value_parser!(u16).range(0..=1_000))]
    max_delay_ms: u16,

    /// Threads that serve clients [default: the number of cores]
    #[arg(long, env = "TAPECAST_WORKERS", value_name = "N")]
    workers: Option<usize>,

    /// How long a clean stop may take before the rest is cut off
    #[arg(
        long,
        env = "TAPECAST_DRAIN_SECONDS",
        default_value_t = 4.0,
        value_name = "SECONDS",
        allow_negative_numbers = true
    )]
    drain_seconds: f64,

    /// What the log says: error, warn, info, debug, trace, or per module as in tapecast::hub=debug
    #[arg(long, env = "TAPECAST_LOG", default_value = "info", value_name = "FILTER")]
    log: String,

    /// How the log says it
    #[arg(long, env = "TAPECAST_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    log_format: LogFormat,

    #[command(flatten)]
    doors: AccessArgs,

    #[command(subcommand)]
    task: Option<Task>,
}

impl Args {
    /// What is to be done instead of serving, if anything is.
    pub fn take_task(&mut self) -> Option<Task> {
        self.task.take()
    }
}

/// How much happens beside trades and quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum IncidentsOption {
    /// Nothing, and no price bands
    None,
    /// As in a market: a halt in three minutes, one trade in a thousand put right
    Rare,
    /// Each kind at least once a second, to see them without waiting
    Many,
}

/// A [`ArrivalProcess`] by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ArrivalsOption {
    Poisson,
    Even,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// What is meant.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to serve.
    pub listen: SocketAddr,
    /// How many instruments there are.
    pub symbols: usize,
    /// The market.
    pub simulation: Simulation,
    /// How long bars are.
    pub spans: BarSpans,
    /// How much is retained.
    pub retention: Retention,
    /// Threads that serve clients, at least 1. Default: one for each core, since each is busy with
    /// its own clients and shares nothing but the tape.
    pub workers: usize,
    /// What one session may ask for.
    pub limits: Limits,
    /// How much may wait for one session.
    pub outbox: OutboxLimits,
    /// The longest that objects wait for others of the same session. It halves the work for a client
    /// that gets thousands of objects a second, and is what these are late at most.
    pub max_delay: Duration,
    /// How long to wait for the silent and the stalled.
    pub patience: LivenessTimeouts,
    /// How long a stop may take. Default 4 s, so that a stop is done within 5.
    pub drain: Duration,
    /// What is logged.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
    /// Who may come in, and how many at once.
    pub doors: AccessConfig,
}

/// Something typed that cannot be meant; the text says what, and the program ends with code 2.
#[derive(Debug, Error, PartialEq)]
pub enum ConfigError {
    /// The market must have instruments, and can have only so many.
    #[error("--symbols must be from 1 to {MAX_LISTINGS}, not {0}")]
    Symbols(usize),
    /// A rate must be a number that is not negative, and one that a machine can make.
    #[error("{name} must be from 0 to {max}, not {value}")]
    Rate {
        /// The option.
        name: &'static str,
        /// The highest sensible value.
        max: f64,
        /// What was typed.
        value: f64,
    },
    /// Bars have a length, and a day is their sum.
    #[error("--bar-seconds must be from 1 to 3600, not {0}")]
    BarSeconds(u32),
    /// Somebody must serve.
    #[error("--workers must be from 1 to 1024, not {0}")]
    Workers(usize),
    /// A certificate is nothing without its key, nor a key without its certificate.
    #[error("--tls-cert and --tls-key go together")]
    HalfTls,
    /// The newest must be retained, and the rest fit the memory.
    #[error("{name} must be from 1 to {max}, not {value}")]
    Retain {
        /// The option.
        name: &'static str,
        /// The highest sensible value.
        max: usize,
        /// What was typed.
        value: usize,
    },
}

/// Beyond a million trades a second one thread no longer makes them in time.
const MAX_RATE: f64 = 1_000_000.0;
const MAX_QUOTES_PER_TRADE: f64 = 1_000.0;
const MAX_DRAIN_SECONDS: f64 = 3_600.0;
/// So many rows of one symbol are copied when all are asked for.
const MAX_RETAINED: usize = 1_000_000;
/// A tebibyte.
const MAX_RETAIN_MIB: usize = 1 << 20;

impl Default for Config {
    /// What is meant when nothing is typed.
    fn default() -> Self {
        let nothing: [&str; 0] = [];
        let args = Args::parse_from(std::iter::once("tapecast").chain(nothing));
        Self::try_from(args).expect("the defaults are within their bounds")
    }
}

impl TryFrom<Args> for Config {
    type Error = ConfigError;

    fn try_from(args: Args) -> Result<Self, ConfigError> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let workers = args.workers.unwrap_or_else(cores);
        if !(1..=MAX_LISTINGS).contains(&args.symbols) {
            return Err(ConfigError::Symbols(args.symbols));
        }
        if !(1..=3600).contains(&args.bar_seconds) {
            return Err(ConfigError::BarSeconds(args.bar_seconds));
        }
        if !(1..=1024).contains(&workers) {
            return Err(ConfigError::Workers(workers));
        }
        Ok(Self {
            listen: args.listen,
            symbols: args.symbols,
            simulation: Simulation {
                seed: args.seed,
                trades_per_second: within("--rate", args.rate, MAX_RATE)?,
                rhythm: match args.arrivals {
                    ArrivalsOption::Poisson => ArrivalProcess::Poisson,
                    ArrivalsOption::Even => ArrivalProcess::Even,
                },
                quotes_per_trade: within("--quotes-per-trade", args.quotes_per_trade, MAX_QUOTES_PER_TRADE)?,
                ..match args.incidents {
                    IncidentsOption::None => Simulation::UNEVENTFUL,
                    IncidentsOption::Rare => Simulation::default(),
                    IncidentsOption::Many => Simulation::EVENTFUL,
                }
            },
            spans: BarSpans { bar_nanos: i64::from(args.bar_seconds) * SECOND },
            retention: Retention {
                trades: from_one("--retain-trades", args.retain_trades, MAX_RETAINED)?,
                quotes: from_one("--retain-quotes", args.retain_quotes, MAX_RETAINED)?,
                bytes: from_one("--retain-mib", args.retain_mib, MAX_RETAIN_MIB)? << 20,
            },
            workers,
            limits: Limits::default(),
            outbox: OutboxLimits::default(),
            max_delay: Duration::from_millis(args.max_delay_ms.into()),
            patience: LivenessTimeouts::default(),
            drain: Duration::from_secs_f64(within("--drain-seconds", args.drain_seconds, MAX_DRAIN_SECONDS)?),
            log: args.log,
            log_format: args.log_format,
            doors: args.doors.try_into()?,
        })
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
mod tests {
    use super::*;

    fn typed(options: &[&str]) -> Result<Config, ConfigError> {
        Args::try_parse_from(std::iter::once(&"tapecast").chain(options))
            .expect("well-formed options")
            .try_into()
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        assert_eq!(typed(&["--symbols", "0"]).unwrap_err(), ConfigError::Symbols(0));
        assert_eq!(typed(&["--workers", "0"]).unwrap_err(), ConfigError::Workers(0));
        for rate in ["-1", "NaN", "inf", "1e7"] {
            let error = typed(&[&format!("--rate={rate}")]).unwrap_err();
            assert!(matches!(error, ConfigError::Rate { name: "--rate", .. }), "{rate}: {error}");
        }
        for option in ["--retain-trades", "--retain-quotes", "--retain-mib"] {
            let error = typed(&[option, "0"]).unwrap_err();
            assert!(matches!(error, ConfigError::Retain { name, .. } if name == option), "{error}");
        }
    }

    #[test]
    fn a_silent_market_may_be_meant() {
        assert_eq!(typed(&["--rate", "0"]).unwrap().simulation.trades_per_second, 0.0);
    }
}
