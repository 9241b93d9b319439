use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;

use super::state::SessionState;
use crate::wire::{DecodeError, Decoder, Incoming};

/// What the far side says, as a stream for the actor. Ends when the connection does.
///
/// Reading pauses while the answers to what was read before still wait for the socket: a client that
/// asks without listening is slowed to the pace at which it listens. It needs no waker of its own for
/// that, because the task that polls the actor is woken when the socket has room for what waits.
pub(super) struct IncomingStream {
    chunk: Bytes,
    decoder: Decoder,
    link: Rc<SessionState>,
    /// How many messages it has given in this turn.
    given: u32,
}

/// So many bytes may wait before reading pauses. An echo keeps at most one message more than this.
const PAUSE_ABOVE: usize = 64 << 10;

/// After so many messages others have the worker before the next: a thousand commands fit into one read,
/// and are 40 ms.
const MOST_IN_A_TURN: u32 = 16;

impl IncomingStream {
    /// A stream that begins with `early`, which came in with the handshake.
    pub(super) fn new(early: Bytes, decoder: Decoder, link: Rc<SessionState>) -> Self {
        Self { chunk: early, decoder, link, given: 0 }
    }
}

impl Stream for IncomingStream {
    type Item = Result<Incoming, DecodeError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.link.waiting_bytes() > PAUSE_ABOVE {
            // Who is not listened to is not silent. The task comes here when the socket took something;
            // where it takes nothing, the far side is stalled.
            this.link.hears();
            return Poll::Pending;
        }
        if this.given == MOST_IN_A_TURN {
            this.given = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            if let Some(said) = this.decoder.decode(&mut this.chunk).transpose() {
                this.given += 1;
                return Poll::Ready(Some(said));
            }
            let Poll::Ready(read) = this.link.line().poll_read(cx) else {
                this.given = 0;
                return Poll::Pending;
            };
            match read {
                Ok(chunk) if !chunk.is_empty() => {
                    this.link.hears();
                    this.chunk = chunk;
                }
                Ok(_) | Err(_) => return Poll::Ready(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Wake, Waker};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::hub::{Hub, LivenessTimeouts, Subscriber};
    use crate::metrics::WorkerMetrics;
    use crate::model::Epoch;
    use crate::session::{Outbox, OutboxLimits};
    use crate::transport::SocketWriter;
    use crate::transport::fake::FakeTransport;
    use crate::wire::{Codec, Opcode, fixtures, message_frame};

    fn link() -> Rc<SessionState> {
        let hub = Rc::new(Hub::new(2, LivenessTimeouts::default(), Duration::ZERO, WorkerMetrics::default()));
        let outbox = Outbox::new(Codec::Json, Arc::new(fixtures::universe()), OutboxLimits::default());
        let line = SocketWriter::new(Box::new(FakeTransport::taking(<[u8]>::len)), Bytes::new());
        Rc::new(SessionState::new(hub, Codec::Json, Epoch::default(), outbox, line))
    }

    /// A long echo that a slow line takes half a minute for, or a bot's backlog of trades: its pongs
    /// wait in our kernel all the while.
    #[test]
    fn who_is_not_listened_to_is_not_taken_for_silent() {
        let link = link();
        let mut incoming = IncomingStream::new(Bytes::new(), Decoder::new(1), Rc::clone(&link));
        let mut is_heard = |cx: &mut Context<'_>| {
            let now = Instant::now();
            assert!(Pin::new(&mut incoming).poll_next(cx).is_pending());
            link.vitals().heard >= now
        };
        let cx = &mut Context::from_waker(Waker::noop());

        assert!(!is_heard(cx), "it could have said something");
        link.send(message_frame(Opcode::Binary, &[0; PAUSE_ABOVE]));
        assert!(is_heard(cx));
    }

    #[test]
    fn who_says_much_at_once_lets_others_have_a_turn() {
        let pings = [0x89, 0x80, 1, 2, 3, 4].repeat(40);
        let mut incoming = IncomingStream::new(pings.into(), Decoder::new(1), link());
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut in_a_turn = || {
            let cx = &mut Context::from_waker(&waker);
            iter::from_fn(|| match Pin::new(&mut incoming).poll_next(cx) {
                Poll::Ready(said) => said,
                Poll::Pending => None,
            })
            .count()
        };

        assert_eq!([in_a_turn(), in_a_turn(), in_a_turn(), in_a_turn()], [16, 16, 8, 0]);
        assert_eq!(woken.0.load(Ordering::Relaxed), 2, "once after each turn that was cut short");
    }

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}
