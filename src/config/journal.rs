//! The options of the journal.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;

use super::command_line::positive;
use crate::journal::{JournalRetention, JournalSettings};

/// The command line options for the journal.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Journal")]
pub(super) struct JournalArgs {
    /// Record everything that is published in this folder, and go on from there after a restart: clients
    /// resume, REST has the history. Only one server may use the folder
    #[arg(long, env = "TAPECAST_JOURNAL", value_name = "DIR")]
    journal: Option<PathBuf>,

    /// Days of the journal that are kept
    #[arg(long, env = "TAPECAST_JOURNAL_DAYS", value_name = "N", default_value = "7", requires = "journal",
        value_parser = positive::<NonZeroU32>)]
    journal_days: NonZeroU32,

    /// Size of the journal above which its oldest part is deleted
    #[arg(long, env = "TAPECAST_JOURNAL_GIB", value_name = "GIB", default_value = "16", requires = "journal",
        value_parser = positive::<NonZeroU32>)]
    journal_gib: NonZeroU32,
}

impl From<JournalArgs> for Option<JournalSettings> {
    fn from(args: JournalArgs) -> Self {
        let retention =
            JournalRetention { days: args.journal_days, bytes: u64::from(args.journal_gib.get()) << 30 };
        args.journal.map(|folder| JournalSettings { folder, retention })
    }
}
