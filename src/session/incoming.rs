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
