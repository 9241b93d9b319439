//! `tapecast admin`: the administration of a running server from the command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::command_line::positive;
use crate::auth::KeyId;

/// The options of `admin`.
#[derive(Clone, Debug, Args)]
pub struct AdminOptions {
    /// The address of --admin-listen; without TLS, so at the server's machine, or through a tunnel
    #[arg(
        long,
        env = "TAPECAST_ADMIN_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:9190",
        global = true
    )]
    pub url: String,

    /// The file with the token of --admin-token-file
    #[arg(long, value_name = "FILE", global = true)]
    pub token_file: Option<PathBuf>,

    /// Print the answer of the server in JSON
    #[arg(long, global = true)]
    pub json: bool,

    /// What to do
    #[command(subcommand)]
    pub task: AdminTask,
}

/// A subcommand of `admin`.
#[derive(Clone, Debug, Subcommand)]
pub enum AdminTask {
    /// Show the node: version, feeds, sessions, memory
    Overview,
    /// List sessions, the slowest first
    Sessions(SessionsOptions),
    /// Show one session, and why it is slow
    Session {
        /// The id, as `sessions` lists it
        id: String,
    },
    /// End a session: its client is told `disconnected by an operator`, and not to come back
    Disconnect {
        /// The id, as `sessions` lists it
        id: String,
        /// Why, for the log
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Let a session publish nothing to topics
    Mute {
        /// The id, as `sessions` lists it
        id: String,
    },
    /// Let a session publish again
    Unmute {
        /// The id, as `sessions` lists it
        id: String,
    },
    /// Refuse new sessions, and close those that are open, spread evenly over a time
    Drain {
        /// The time, up to an hour
        #[arg(long, value_name = "N", default_value_t = 30.0)]
        seconds: f64,
    },
    /// Accept new sessions again
    Undrain,
    /// Show the filter of the log, or set it
    LogLevel {
        /// As --log has it: error, warn, info, debug, trace, or MODULE=LEVEL
        level: Option<String>,
    },
    /// Manage the keys of the server's key file
    #[command(subcommand)]
    Keys(AdminKeysTask),
    /// List what was refused to clients of late
    Refusals {
        /// How many
        #[arg(long, value_name = "N", default_value = "100", value_parser = positive::<NonZeroUsize>)]
        limit: NonZeroUsize,
    },
}

/// The options of `admin sessions`.
#[derive(Clone, Debug, Args)]
pub struct SessionsOptions {
    /// By what they are sorted
    #[arg(long, value_enum, default_value = "backlog", value_name = "FIGURE")]
    pub sort: SortOption,
    /// The smallest first
    #[arg(long)]
    pub ascending: bool,
    /// How many, up to 1000
    #[arg(long, value_name = "N", default_value = "20", value_parser = positive::<NonZeroUsize>)]
    pub limit: NonZeroUsize,
    /// Those of this feed
    #[arg(long, value_name = "FEED")]
    pub feed: Option<String>,
    /// Those with this key
    #[arg(long, value_name = "ID")]
    pub key: Option<String>,
    /// Those from this address or network
    #[arg(long, value_name = "CIDR")]
    pub address: Option<String>,
    /// Those of this worker
    #[arg(long, value_name = "N")]
    pub worker: Option<usize>,
    /// Those that are muted
    #[arg(long)]
    pub muted: bool,
}

/// The values of `--sort`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SortOption {
    /// What waits for them
    Backlog,
    /// How long they have been open
    Age,
    /// What they were sent
    Bytes,
    /// What they missed
    Gaps,
    /// How long their sockets have taken nothing
    Stalled,
}

impl SortOption {
    /// The name in the query.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backlog => "backlog",
            Self::Age => "age",
            Self::Bytes => "bytes",
            Self::Gaps => "gaps",
            Self::Stalled => "stalled",
        }
    }
}

/// A subcommand of `admin keys`.
#[derive(Clone, Debug, Subcommand)]
pub enum AdminKeysTask {
    /// List the keys, and how many sessions each has
    List,
    /// Add a key, and print its secret, which is stored nowhere
    New(NewAdminKey),
    /// Give a key another secret; sessions with the old one end
    Rotate {
        /// The id
        id: String,
    },
    /// Remove a key; its sessions end
    Revoke {
        /// The id
        id: String,
    },
}

/// The options of `admin keys new`.
#[derive(Clone, Debug, Args)]
pub struct NewAdminKey {
    /// The id [default: a random one]
    pub id: Option<KeyId>,
    /// Feeds that the key allows [default: all]
    #[arg(long, value_delimiter = ',')]
    pub feed: Vec<String>,
    /// Symbols that the key allows [default: all]
    #[arg(long, value_delimiter = ',')]
    pub symbol: Vec<String>,
    /// Sessions at once [default: no limit]
    #[arg(long, value_name = "N", value_parser = positive::<NonZeroUsize>)]
    pub max_sessions: Option<NonZeroUsize>,
    /// Names per session [default: 30000]
    #[arg(long, value_name = "N", value_parser = positive::<NonZeroUsize>)]
    pub max_symbols: Option<NonZeroUsize>,
    /// The key may control a replay
    #[arg(long)]
    pub control: bool,
}
