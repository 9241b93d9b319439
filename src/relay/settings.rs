use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

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
    /// The delays between attempts to connect.
    pub delays: ReconnectDelays,
}

/// The delays between attempts to connect to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconnectDelays {
    /// After a failure. Default 1 to 30 s: a restart is noticed soon, and an upstream that fails is not asked often.
    pub failure: DelayRange,
    /// After the upstream has said that the key has its most connections. Default 5 to 60 s: a connection that died
    /// holds its place upstream for some 90 s, and attempts may prolong that.
    pub slot: DelayRange,
}

impl Default for ReconnectDelays {
    fn default() -> Self {
        let range = |first, longest| DelayRange {
            first: Duration::from_secs(first),
            longest: Duration::from_secs(longest),
        };
        Self { failure: range(1, 30), slot: range(5, 60) }
    }
}

/// Delays that double from the first to the longest, each 20 % more or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DelayRange {
    /// The delay after the first failure.
    pub first: Duration,
    /// The longest delay.
    pub longest: Duration,
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

impl UpstreamSymbols {
    /// Whether this symbol is subscribed to, or may be.
    pub(super) fn may_include(&self, symbol: &Symbol) -> bool {
        match self {
            Self::All | Self::OnDemand => true,
            Self::Listed(listed) => listed.contains(symbol),
        }
    }
}

/// Whether the numbers of an upstream are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamNumbers {
    /// If it gives some: then objects keep them.
    Kept,
    /// Never: objects are numbered here.
    Ignored,
}
