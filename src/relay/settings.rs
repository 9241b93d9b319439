use std::fmt;
use std::path::PathBuf;

use crate::model::Symbol;

/// The upstream of a relay.
#[derive(Clone, Debug)]
pub struct UpstreamSettings {
    /// The URL of its stream: `ws` or `wss`, with a path.
    pub url: String,
    /// The URL of its REST, without a path; `None` if it has none.
    pub rest: Option<String>,
    /// The key. Default: none, for an upstream that asks for none.
    pub key: Option<UpstreamKey>,
    /// What is subscribed to.
    pub symbols: UpstreamSymbols,
    /// The most symbols that are subscribed to by name. Default 30, as in Alpaca's free plan; more are refused at the
    /// start, or to the clients that demand them.
    pub max_symbols: usize,
    /// Whether the numbers of an upstream that gives some are used.
    pub numbers: UpstreamNumbers,
    /// A file of certificates in PEM that are trusted beside those of the system.
    pub authorities: Option<PathBuf>,
}

/// A key for the upstream. Its text is in no log.
#[derive(Clone)]
pub struct UpstreamKey {
    /// The key's id.
    pub id: String,
    /// The secret.
    pub secret: String,
}

impl fmt::Debug for UpstreamKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("UpstreamKey(..)")
    }
}

/// The symbols that are subscribed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamSymbols {
    /// All of them.
    All,
    /// These.
    Listed(Vec<Symbol>),
    /// Those that clients subscribe to by name, and the bars of all.
    OnDemand,
}

/// Whether the numbers of an upstream are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamNumbers {
    /// If it gives some: then objects keep them.
    Kept,
    /// Never: objects are numbered here.
    Ignored,
}
