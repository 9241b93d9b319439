use std::sync::Arc;

use super::LastValues;
use crate::model::{Epoch, Universe};

/// What an earlier run of a feed has left, which a journal keeps. The archive has its newest rows.
#[derive(Clone, Debug)]
pub struct EarlierRun {
    /// The instruments, which keep their ids.
    pub universe: Arc<Universe>,
    /// The last object of each stream, with the epoch of its numbers; that is `None` if there was no run.
    pub last_values: LastValues,
    /// The epoch of the numbers that are given here: the same, or another one if that cannot go on.
    pub epoch: Epoch,
}

impl EarlierRun {
    /// There was none, and this epoch begins.
    pub fn none(epoch: Epoch) -> Self {
        Self { universe: Arc::default(), last_values: LastValues::default(), epoch }
    }

    /// The epoch in which it ended; `None` if there was none.
    pub fn ended_in(&self) -> Option<Epoch> {
        self.last_values.epoch()
    }
}
