use crate::model::{Bar, SymbolId};

/// Bars that are older than those the archive was [seeded](super::Archive::seed) with, made when they are first read.
pub trait EarlierBars: Send + Sync {
    /// The minute bars of whole days before the seeded ones, in order. Called by the thread of the reader, without a lock.
    fn minutes(&self, symbol: SymbolId) -> Vec<Bar>;
}
