//! The subcommands of `tapecast journal`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::journal::{ExportFormat, ExportSettings};
use crate::model::{Channel, Symbol};

/// A subcommand of `journal`.
#[derive(Clone, Debug, Subcommand)]
pub enum JournalTask {
    /// List the segments: epochs, batches, times, objects, what is missing or damaged
    Inspect(JournalFolder),
    /// Check that every record is whole, and that nothing is missing or repeated; exit code 1 if something is
    Verify(JournalFolder),
    /// Write the objects and the messages of topics to standard output, in the order of publication
    Export(JournalExport),
}

/// The journal to read.
#[derive(Clone, Debug, Args)]
pub struct JournalFolder {
    /// The folder of --journal; a server may be writing it
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// The options of `journal export`.
#[derive(Clone, Debug, Args)]
pub struct JournalExport {
    /// The journal.
    #[command(flatten)]
    pub folder: JournalFolder,

    /// Objects as clients get them, one on each line, or the fields of one channel in columns
    #[arg(long, value_enum, default_value = "ndjson")]
    format: FormatOption,

    /// Channels to export, such as trades,quotes or topics [default: all; trades for csv]
    #[arg(long, value_delimiter = ',', value_name = "NAME", value_parser = channel)]
    channel: Vec<Channel>,

    /// Symbols and topics to export, such as AAPL or chat:AAPL [default: all]
    #[arg(long, value_delimiter = ',')]
    symbol: Vec<Symbol>,
}

/// The values of `--format`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatOption {
    Ndjson,
    Csv,
}

impl JournalExport {
    /// What to export.
    ///
    /// # Errors
    /// When the form has columns, and more than one channel is asked for.
    pub fn settings(&self) -> Result<ExportSettings, &'static str> {
        let format = match (self.format, &self.channel[..]) {
            (FormatOption::Ndjson, _) => ExportFormat::Ndjson,
            (FormatOption::Csv, []) => ExportFormat::Csv(Channel::Trades),
            (FormatOption::Csv, [channel]) => ExportFormat::Csv(*channel),
            (FormatOption::Csv, _) => return Err("csv has the columns of one channel: give one --channel"),
        };
        Ok(ExportSettings { format, channels: self.channel.clone(), symbols: self.symbol.clone() })
    }
}

/// Parses the name of a channel.
fn channel(name: &str) -> Result<Channel, String> {
    Channel::named(name).ok_or_else(|| {
        let listed = Channel::ALL.into_iter().filter(|channel| channel.is_listed());
        format!("expected one of {}", listed.map(Channel::name).collect::<Vec<_>>().join(", "))
    })
}

/// The options of `verify`.
#[derive(Clone, Debug, Args)]
pub struct VerifyOptions {
    /// The folder of --journal
    #[arg(long, value_name = "DIR")]
    pub journal: PathBuf,

    /// What the client received: a message or an object in JSON on each line, in the order of receipt. See
    /// docs/FAULTS.md
    #[arg(long, value_name = "FILE")]
    pub client: PathBuf,
}
