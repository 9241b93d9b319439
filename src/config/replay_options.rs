//! The replay of recordings.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::ConfigError;
use crate::clock::ClockRate;
use crate::model::{Timestamp, market_time};
use crate::source::{ColumnMap, ReplayClock, ReplaySettings, ReplaySpeed};

/// The command line options of the replay.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Replay")]
pub(super) struct ReplayArgs {
    /// Replay these files instead of simulating a market: DBN (.dbn, .dbn.zst), CSV, QuantConnect's zip files, or
    /// lines of JSON as clients receive them; several are merged by time. Or a journal: its folder or a segment. See
    /// docs/REPLAY.md
    #[arg(long, env = "TAPECAST_REPLAY", value_name = "FILE", num_args = 1.., conflicts_with = "journal")]
    replay: Vec<PathBuf>,

    /// How many times faster than recorded; `max` is as fast as the files are read
    #[arg(
        long,
        env = "TAPECAST_SPEED",
        default_value = "1",
        value_name = "TIMES",
        value_parser = speed
    )]
    speed: ReplaySpeed,

    /// Start here: a time such as 2013-10-07T09:30:00-04:00, or 2013-10-07 and 2013-10-07T09:30 in New York
    /// [default: the first event]
    #[arg(long, env = "TAPECAST_FROM", value_name = "TIME", value_parser = time)]
    from: Option<Timestamp>,

    /// End before this time [default: the last event]
    #[arg(long, env = "TAPECAST_UNTIL", value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,

    /// Begin again at the end
    #[arg(long = "loop", env = "TAPECAST_LOOP")]
    repeats: bool,

    /// Time stamps of events: moved to now by whole minutes, or those of the recording
    #[arg(long, env = "TAPECAST_CLOCK", value_enum, default_value = "shift", value_name = "MODE")]
    clock: ClockOption,

    /// A file with lines such as `15144,ESZ4`: a name or instrument id of the recording, and its symbol
    #[arg(long, env = "TAPECAST_SYMBOLS_MAP", value_name = "FILE")]
    symbols_map: Option<PathBuf>,

    /// The columns of CSV files: `lean`, or pairs such as `time=ts,unit=ms,symbol=sym,price=px,size=qty`
    /// [default: by their usual names]
    #[arg(long, env = "TAPECAST_CSV_MAP", value_name = "MAP")]
    csv_map: Option<ColumnMap>,
}

/// The values of `--clock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ClockOption {
    Shift,
    Original,
}

impl TryFrom<ReplayArgs> for Option<ReplaySettings> {
    type Error = ConfigError;

    fn try_from(args: ReplayArgs) -> Result<Self, ConfigError> {
        if args.replay.is_empty() {
            let is_given = args.from.is_some()
                || args.until.is_some()
                || args.repeats
                || args.symbols_map.is_some()
                || args.csv_map.is_some()
                || args.clock != ClockOption::Shift
                || args.speed != ReplaySpeed::Times(ClockRate::ONE);
            return if is_given { Err(ConfigError::NoReplay) } else { Ok(None) };
        }
        if let (Some(from), Some(until)) = (args.from, args.until)
            && from >= until
        {
            return Err(ConfigError::EmptyReplay);
        }
        Ok(Some(ReplaySettings {
            files: args.replay,
            speed: args.speed,
            from: args.from,
            until: args.until,
            repeats: args.repeats,
            clock: match args.clock {
                ClockOption::Shift => ReplayClock::Shift,
                ClockOption::Original => ReplayClock::Original,
            },
            symbols_map: args.symbols_map,
            csv_map: args.csv_map.unwrap_or_default(),
        }))
    }
}

fn speed(text: &str) -> Result<ReplaySpeed, String> {
    if text == "max" {
        return Ok(ReplaySpeed::Max);
    }
    let rate = text.parse().ok().and_then(ClockRate::new).map(ReplaySpeed::Times);
    rate.ok_or_else(|| format!("expected max, or a number from {} to {}", ClockRate::MIN, ClockRate::MAX))
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    market_time(text).ok_or("expected a time such as 2013-10-07T09:30:00Z, or 2013-10-07T09:30 in New York")
}
