//! The subcommands of the program.

use clap::{Args, Subcommand};

use crate::auth::{Entitlements, GeneratedKey};
use crate::model::{Feed, Symbol};

/// A subcommand: what to do instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Task {
    /// Manage keys for --keys
    #[command(subcommand)]
    Key(KeyTask),
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
    /// The key's id, which clients send with the secret
    id: String,

    /// Feeds that the key allows: iex, sip, delayed_sip, test [default: all]
    #[arg(long, value_delimiter = ',')]
    feed: Vec<Feed>,

    /// Symbols that the key allows [default: all]
    #[arg(long, value_delimiter = ',')]
    symbol: Vec<Symbol>,

    /// Sessions at once [default: no limit]
    #[arg(long, value_name = "N")]
    max_sessions: Option<usize>,

    /// Names per session; a symbol counts once for each channel [default: 30000]
    #[arg(long, value_name = "N")]
    max_symbols: Option<usize>,
}

impl NewKey {
    /// Generates the key.
    pub fn generate(self) -> GeneratedKey {
        let entitlements = Entitlements {
            feeds: (!self.feed.is_empty()).then_some(self.feed),
            symbols: (!self.symbol.is_empty()).then_some(self.symbol),
            max_sessions: self.max_sessions,
            max_symbols: self.max_symbols,
        };
        let mut random = [0; 48];
        rand::Rng::fill_bytes(&mut rand::rng(), &mut random);
        GeneratedKey::new(&self.id, entitlements, random)
    }
}
