use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::state::SessionState;

/// Writes and produces what was requested until the socket is full or nothing is left, as the session's task does.
pub(super) fn write_until_full(state: &SessionState, now: Instant) {
    loop {
        let written = state.poll_write(&mut Context::from_waker(Waker::noop()), now);
        assert!(!matches!(written, Poll::Ready(Err(_))));
        if written.is_pending() || !state.wants_answer() {
            break;
        }
        state.produce_answer(now);
    }
}
