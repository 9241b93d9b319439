//! The subcommands of the program.

use std::num::NonZeroUsize;

use clap::{Args, Subcommand};

use super::admin_command::AdminOptions;
use super::command_line::positive;
use super::documents::{CompletionScript, ManualPages};
use super::journal_command::{JournalTask, VerifyOptions};
use crate::auth::{Entitlements, GeneratedKey, KeyId};
use crate::model::{Feed, Symbol, SymbolError};

/// A subcommand that has nothing to do with the options of the server.
#[derive(Clone, Debug, Subcommand)]
pub enum Task {
    /// Manage keys for --keys
    #[command(subcommand)]
    Key(KeyTask),
    /// Administer a running server at its --admin-listen; exit code 1 if it refuses, or is not reached
    Admin(AdminOptions),
    /// Read a journal that --journal recorded
    #[command(subcommand)]
    Journal(JournalTask),
    /// Compare what a client received with what was published: what it lost, and what is not as published; exit
    /// code 1 if there is anything of either
    Verify(VerifyOptions),
    /// Print a script that completes commands and options in a shell
    Completions(CompletionScript),
    /// Print the manual page of the program
    Man(ManualPages),
}

/// A subcommand of `key`.
#[derive(Clone, Debug, Subcommand)]
pub enum KeyTask {
    /// Generate a key: prints its line for the key file to standard output and its secret, which is stored
    /// nowhere, to standard error
    New(NewKey),
}

/// The options of `key new`.
#[derive(Clone, Debug, Args)]
pub struct NewKey {
    /// The key's id, which clients send with the secret: 1 to 64 visible ASCII characters without colon
    id: KeyId,

    /// Feeds that the key allows: iex, sip, delayed_sip, test, or the names of upstreams [default: all]
    #[arg(long, value_delimiter = ',')]
    feed: Vec<Feed>,

    /// Symbols that the key allows [default: all]
    #[arg(long, value_delimiter = ',', value_parser = listed_symbol)]
    symbol: Vec<Symbol>,

    /// Sessions at once [default: no limit]
    #[arg(long, value_name = "N", value_parser = positive::<NonZeroUsize>)]
    max_sessions: Option<NonZeroUsize>,

    /// Names per session; a symbol counts once for each channel [default: 30000]
    #[arg(long, value_name = "N", value_parser = positive::<NonZeroUsize>)]
    max_symbols: Option<NonZeroUsize>,

    /// The key may control a replay: pause it, change its speed, move it
    #[arg(long)]
    control: bool,
}

impl NewKey {
    /// Generates the key.
    pub fn generate(self) -> GeneratedKey {
        let entitlements = Entitlements {
            feeds: (!self.feed.is_empty()).then_some(self.feed),
            symbols: (!self.symbol.is_empty()).then_some(self.symbol),
            max_sessions: self.max_sessions.map(NonZeroUsize::get),
            max_symbols: self.max_symbols.map(NonZeroUsize::get),
            control: self.control,
        };
        let mut random = [0; 48];
        rand::Rng::fill_bytes(&mut rand::rng(), &mut random);
        GeneratedKey::new(self.id.as_str(), entitlements, random)
    }
}

/// Parses a symbol as exchanges list it: the stream is case-sensitive, so `aapl` would allow nothing.
fn listed_symbol(text: &str) -> Result<Symbol, String> {
    let is_listed = text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"./-".contains(&b));
    if !is_listed {
        return Err("expected capital letters, such as AAPL or BRK.B".to_owned());
    }
    text.parse().map_err(|error: SymbolError| error.to_string())
}
