//! What a journal keeps of an earlier run, for feeds whose instruments and numbers may come from elsewhere.

use std::sync::Arc;

use crate::archive::Archive;
use crate::feed::EarlierRun;
use crate::journal::{JournalError, JournalSettings, NumberOrigin, OpenedJournal, StartedJournal};
use crate::metrics::JournalMetrics;
use crate::model::{Epoch, Timestamp, Universe};

/// Opens the journal for a feed that can continue these instruments, reads its newest part into the archive, and starts to
/// record. `seed` records what was before that part, if there is one.
pub(super) fn resume(
    settings: &JournalSettings,
    archive: &Archive,
    can_continue: impl FnOnce(&Universe) -> bool,
    numbers: NumberOrigin,
    seed: impl FnOnce(Timestamp),
    now: Timestamp,
    metrics: JournalMetrics,
) -> Result<(StartedJournal, EarlierRun), JournalError> {
    let new_epoch = Epoch::new(rand::random());
    let opened = OpenedJournal::open_if(settings, can_continue, numbers, new_epoch, metrics)?;
    let universe = opened.universe();
    let last_values = opened.refill(archive, now, |until| {
        if !universe.is_empty() {
            seed(until);
        }
    })?;
    archive.list(&universe);
    let journal = opened.start(Arc::clone(&universe), new_epoch, now, rand::random())?;
    let epoch = journal.epoch;
    Ok((journal, EarlierRun { universe, last_values, epoch }))
}
