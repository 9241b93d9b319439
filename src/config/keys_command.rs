//! What else the program can do than serve.

use clap::{Args, Subcommand};

use crate::auth::{Entitlements, GeneratedKey, ParseError};

/// What is to be done instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Task {
    /// Keys for --keys
    #[command(subcommand)]
    Key(KeyTask),
}

/// What is to be done about keys.
#[derive(Clone, Debug, Subcommand)]
pub enum KeyTask {
    /// Make a key: its line for the file goes to standard output, its secret, this once, to standard error
    New(NewKey),
}

/// A key as it is asked for.
#[derive(Clone, Debug, Args)]
pub struct NewKey {
    /// Its id, which clients show with the secret
    id: String,

    /// A feed that it opens: iex, sip, delayed_sip, test [default: all]
    #[arg(long, value_delimiter = ',')]
    feed: Vec<String>,

    /// A symbol that it shows [default: all]
    #[arg(long, value_delimiter = ',')]
    symbol: Vec<String>,

    /// Sessions at once [default: no limit]
    #[arg(long, value_name = "N")]
    max_sessions: Option<usize>,

    /// Names that one of its sessions may want, over all channels [default: no limit]
    #[arg(long, value_name = "N")]
    max_symbols: Option<usize>,
}

impl NewKey {
    /// Makes it.
    ///
    /// # Errors
    /// When there is no such feed or symbol.
    pub fn mint(self) -> Result<GeneratedKey, ParseError> {
        let named = |list: Vec<String>| (!list.is_empty()).then_some(list);
        let entitlement = Entitlements {
            feeds: named(self.feed),
            symbols: named(self.symbol),
            max_sessions: self.max_sessions,
            max_symbols: self.max_symbols,
        };
        let mut random = [0; 48];
        rand::Rng::fill_bytes(&mut rand::rng(), &mut random);
        GeneratedKey::new(&self.id, entitlement, random)
    }
}
