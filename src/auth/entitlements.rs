use crate::model::{Feed, Symbol};

/// What a key allows. `None` is no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entitlements {
    /// Feeds that it may use.
    pub feeds: Option<Vec<Feed>>,
    /// Symbols that it may see.
    pub symbols: Option<Vec<Symbol>>,
    /// Sessions at once.
    pub max_sessions: Option<usize>,
    /// Symbols that one of its sessions may subscribe to, over all channels.
    pub max_symbols: Option<usize>,
    /// Whether it may control a replay.
    pub control: bool,
}
