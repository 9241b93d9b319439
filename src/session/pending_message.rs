use std::cell::Cell;

thread_local! {
    /// The pending messages of all sessions of this worker.
    static TOTAL: Cell<Total> = const { Cell::new(Total { bytes: 0, messages: 0 }) };
}

#[derive(Clone, Copy, Debug)]
struct Total {
    bytes: usize,
    messages: usize,
}

/// The memory that the pending message of one session takes, counted in that of its worker: a message that is yet
/// to be received whole or inflated, or whose command is not executed yet.
#[derive(Debug)]
pub(super) struct PendingMessage {
    limit: usize,
    bytes: usize,
}

impl PendingMessage {
    /// No message yet, on a worker whose messages may take `limit` bytes together.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, bytes: 0 }
    }

    /// Records that the message takes this many bytes now; false if that is too much: it grew, the worker's limit
    /// is exceeded, and it takes more than an equal share.
    pub(super) fn may_take(&mut self, bytes: usize) -> bool {
        if bytes == self.bytes {
            return true;
        }
        let has_grown = bytes > self.bytes;
        let total = self.record(bytes);
        !has_grown || total.bytes <= self.limit || bytes <= self.limit / total.messages
    }

    fn record(&mut self, bytes: usize) -> Total {
        let before = TOTAL.get();
        let total = Total {
            bytes: before.bytes - self.bytes + bytes,
            messages: before.messages - usize::from(self.bytes > 0) + usize::from(bytes > 0),
        };
        TOTAL.set(total);
        self.bytes = bytes;
        total
    }
}

impl Drop for PendingMessage {
    fn drop(&mut self) {
        self.record(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1_000;

    #[test]
    fn a_message_may_take_the_whole_limit_while_there_is_no_other() {
        let mut only = PendingMessage::new(LIMIT);

        assert!(only.may_take(LIMIT));
        assert!(!only.may_take(LIMIT + 1));
    }

    #[test]
    fn beyond_the_limit_only_messages_above_an_equal_share_are_refused() {
        let mut hostile = [(); 4].map(|()| PendingMessage::new(LIMIT));
        assert!(hostile.iter_mut().all(|message| message.may_take(LIMIT / 4)));
        let mut honest = PendingMessage::new(LIMIT);

        assert!(honest.may_take(150));
        assert!(!hostile[0].may_take(LIMIT / 4 + 1));
        assert!(honest.may_take(200));
        assert!(hostile[1].may_take(LIMIT / 4 - 1), "it shrank");
    }

    #[test]
    fn the_memory_of_a_session_that_ends_is_free() {
        let mut first = PendingMessage::new(LIMIT);
        assert!(first.may_take(LIMIT));
        drop(first);

        assert!(PendingMessage::new(LIMIT).may_take(LIMIT));
    }
}
