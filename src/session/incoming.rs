use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;

use super::link::Link;
use crate::wire::{Decoder, Fault, Incoming};

/// What the far side says, as a stream for the actor. Ends when the connection does.
///
/// Reading pauses while the answers to what was read before still wait for the socket: a client that
/// asks without listening is slowed to the pace at which it listens. It needs no waker of its own for
/// that, because the task that polls the actor is woken when the socket has room for what waits.
pub(super) struct IncomingStream {
    chunk: Bytes,
    decoder: Decoder,
    link: Rc<Link>,
}

/// So many bytes may wait before reading pauses. An echo keeps at most one message more than this.
const PAUSE_ABOVE: usize = 64 << 10;

impl IncomingStream {
    /// A stream that begins with `early`, which came in with the handshake.
    pub(super) fn new(early: Bytes, decoder: Decoder, link: Rc<Link>) -> Self {
        Self { chunk: early, decoder, link }
    }
}

impl Stream for IncomingStream {
    type Item = Result<Incoming, Fault>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.link.waiting_bytes() > PAUSE_ABOVE {
            // Who is not listened to is not silent. The task comes here when the socket took something;
            // where it takes nothing, the far side is stalled.
            this.link.hears();
            return Poll::Pending;
        }
        loop {
            if let Some(said) = this.decoder.decode(&mut this.chunk).transpose() {
                return Poll::Ready(Some(said));
            }
            match ready!(this.link.line().poll_read(cx)) {
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
    use std::sync::Arc;
    use std::task::Waker;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::hub::{Hub, Patience, Subscriber};
    use crate::metrics::WorkerMetrics;
    use crate::model::Epoch;
    use crate::session::fake_wire::FakeWire;
    use crate::session::line::Line;
    use crate::session::{Outbox, OutboxLimits};
    use crate::wire::{Codec, Opcode, fixtures, message_frame};

    /// A long echo that a slow line takes half a minute for, or a bot's backlog of trades: its pongs
    /// wait in our kernel all the while.
    #[test]
    fn who_is_not_listened_to_is_not_taken_for_silent() {
        let hub = Rc::new(Hub::new(2, Patience::default(), Duration::ZERO, WorkerMetrics::default()));
        let outbox = Outbox::new(Codec::Json, Arc::new(fixtures::universe()), OutboxLimits::default());
        let line = Line::new(Box::new(FakeWire::taking(<[u8]>::len)), Bytes::new());
        let link = Rc::new(Link::new(hub, Codec::Json, Epoch::default(), outbox, line));
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
}
