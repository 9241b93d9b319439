use crate::model::StreamId;

/// The streams that changed most recently on a worker, one entry for each object, in order.
///
/// A session with an interval looks at what changed since its last release instead of at everything that it
/// subscribes to: 50,000 streams take 0.1 ms, which a client could ask for each millisecond.
#[derive(Debug, Default)]
pub struct ChangeLog {
    /// A ring of the last entries.
    streams: Vec<StreamId>,
    /// The number of entries ever written.
    end: u64,
}

/// The entries that are kept: 64 KiB. A session that asks for older ones looks at all of its streams.
const KEPT: usize = 16 << 10;

impl ChangeLog {
    /// Records a change.
    pub(super) fn push(&mut self, stream: StreamId) {
        if self.streams.len() < KEPT {
            self.streams.push(stream);
        } else {
            self.streams[self.end as usize % KEPT] = stream;
        }
        self.end += 1;
    }

    /// Forgets all changes: streams changed without being recorded.
    pub(super) fn clear(&mut self) {
        // Every position that was given out is older than what is kept.
        let end = self.end.next_multiple_of(KEPT as u64) + KEPT as u64;
        *self = Self { streams: Vec::new(), end };
    }

    /// The position behind the newest change.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// The number of changes from a position on; `None` if they are no longer all known.
    pub fn len_since(&self, position: u64) -> Option<usize> {
        let changes = (self.end - position) as usize;
        (changes <= self.streams.len()).then_some(changes)
    }

    /// The change at a position that is known.
    ///
    /// # Panics
    /// If no change was ever recorded.
    pub fn at(&self, position: u64) -> StreamId {
        self.streams[position as usize % KEPT]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Channel, SymbolId};

    fn stream(symbol: u64) -> StreamId {
        StreamId::new(Channel::Quotes, SymbolId(symbol as u32))
    }

    #[test]
    fn the_latest_changes_are_known_and_older_ones_are_not() {
        let mut log = ChangeLog::default();
        let changes = 3 * KEPT as u64 + 5;
        (0..changes).for_each(|number| log.push(stream(number)));

        let oldest = changes - KEPT as u64;
        assert_eq!((log.end(), log.len_since(oldest)), (changes, Some(KEPT)));
        assert_eq!(log.len_since(oldest - 1), None);
        assert!((oldest..changes).all(|position| log.at(position) == stream(position)));
    }

    #[test]
    fn after_a_loss_no_earlier_position_is_known() {
        let mut log = ChangeLog::default();
        (0..10).for_each(|number| log.push(stream(number)));
        let before = log.end();

        log.clear();
        let after = log.end();
        log.push(stream(7));

        assert_eq!((log.len_since(before), log.len_since(after)), (None, Some(1)));
        assert_eq!(log.at(after), stream(7));
    }
}
