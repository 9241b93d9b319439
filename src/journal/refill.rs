use tracing::warn;

use super::reader::JournalItem;
use crate::archive::Archive;
use crate::model::{Timestamp, Universe};

/// Records what a journal tells in the archive.
pub(super) struct Refill<'a, S> {
    pub(super) archive: &'a Archive,
    /// The instruments at the end of the journal.
    pub(super) universe: &'a Universe,
    pub(super) now: Timestamp,
    /// Records what was before the first batch; it is called once.
    pub(super) seed: Option<S>,
    /// Whether the ids of the current segment are those of the universe: an earlier run may have had others.
    pub(super) is_ours: bool,
}

impl<S: FnOnce(Timestamp)> Refill<'_, S> {
    /// Takes the next item of the journal.
    pub(super) fn take(&mut self, item: JournalItem) {
        match item {
            JournalItem::Segment { standing, .. } => {
                self.is_ours = self.universe.begins_with(standing.universe());
            }
            JournalItem::Batch(batch) if self.is_ours => {
                if let Some(seed) = self.seed.take() {
                    seed(batch.watermark().min(self.now));
                }
                self.archive.list(batch.universe());
                if batch.restarts_numbers() {
                    self.archive.restart_numbers();
                }
                self.archive.record_until(batch.events(), batch.watermark());
                self.archive.record_messages(batch.universe(), batch.messages());
                self.archive.settle();
            }
            JournalItem::Damaged { name, position, damage } => {
                warn!(segment = %name, position, "a part of the journal cannot be read: {damage}");
            }
            JournalItem::Batch(_)
            | JournalItem::Jump { .. }
            | JournalItem::Hole(_)
            | JournalItem::CleanStop => {}
        }
    }

    /// Records what was before now if there was no batch.
    pub(super) fn end(mut self) {
        if let Some(seed) = self.seed.take() {
            seed(self.now);
        }
    }
}
