use std::cell::{Cell, RefCell};
use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::ReadBuf;

use super::RawSocket;
use crate::metrics::FrameTotals;

/// The connection of a session once the handshake is over.
pub trait Transport {
    /// The socket that takes frames as they are; `None` where only a task may write (TLS).
    fn socket(&self) -> Option<RawSocket<'_>>;

    /// Reads what has come in; nothing at the end.
    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>>;

    /// Writes as many bytes as are taken.
    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Sees what was written through to the socket.
    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Shuts the writing direction down.
    fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Makes the kernel discard unsent bytes and reset the connection when it is dropped.
    fn abort(&self);
}

/// Writes a session's frames to its transport, and keeps the one frame that the socket has not taken
/// whole.
///
/// A frame is written where it arises, or by the hub at the end of a fan-out: one call of the kernel
/// and nothing around it. Only where the socket is full the session's task is woken and waits for it.
pub(crate) struct SocketWriter {
    transport: Box<dyn Transport>,
    /// What the socket has not taken of the last frame.
    rest: RefCell<Bytes>,
    /// Whether the transport may hold written bytes in buffers of its own.
    is_unflushed: Cell<bool>,
    is_broken: Cell<bool>,
    totals: Cell<FrameTotals>,
}

/// The most bytes of one read.
pub(crate) const READ_BYTES: usize = 16 << 10;

thread_local! {
    /// The read buffer that all sessions of a worker share: an idle session holds none.
    static READ_BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

impl SocketWriter {
    /// A writer to this transport; `head` goes before everything else.
    pub(crate) fn new(transport: Box<dyn Transport>, head: Bytes) -> Self {
        Self {
            transport,
            rest: RefCell::new(head),
            is_unflushed: Cell::new(false),
            is_broken: Cell::new(false),
            totals: Cell::default(),
        }
    }

    /// Counts a frame of this many objects, which replace `merged` older ones.
    pub(crate) fn count(&self, frame: &[u8], objects: usize, merged: u64) {
        let mut totals = self.totals.get();
        totals.add(frame, objects, merged);
        self.totals.set(totals);
    }

    /// The frames that were counted.
    pub(crate) fn totals(&self) -> FrameTotals {
        self.totals.get()
    }

    /// Whether a frame may be sent: the last one was taken whole and has left the transport's buffers.
    pub(crate) fn is_clear(&self) -> bool {
        self.rest.borrow().is_empty() && !self.is_unflushed.get() && !self.is_broken.get()
    }

    /// The bytes of the last frame that the socket has not taken.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.rest.borrow().len()
    }

    /// The socket that takes frames while the writer is clear, if it takes them as they are.
    pub(crate) fn socket(&self) -> Option<RawSocket<'_>> {
        self.transport.socket()
    }

    /// Sends as much of a frame as the socket takes at once; report the result by
    /// [`frame_sent`](Self::frame_sent).
    pub(crate) fn try_send(&self, frame: &[u8]) -> io::Result<usize> {
        self.transport.socket().map_or(Ok(0), |socket| socket.send(frame))
    }

    /// Keeps the rest of a frame of which this much was sent. Only on a clear writer.
    pub(crate) fn frame_sent(&self, frame: &Bytes, sent: io::Result<usize>) {
        let taken = sent.unwrap_or_else(|error| {
            self.is_broken.set(!is_transient(&error));
            0
        });
        if taken < frame.len() {
            self.rest.replace(frame.slice(taken..));
        }
    }

    /// Writes the rest of the last frame; ready when the writer is clear.
    pub(crate) fn poll_clear(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_broken.get() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let mut rest = self.rest.borrow_mut();
        while !rest.is_empty() {
            let taken = ready!(self.transport.poll_write(cx, &rest))?;
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            rest.advance(taken);
            self.is_unflushed.set(true);
        }
        // The rest may be a slice of a shared frame: release it.
        *rest = Bytes::new();
        if self.is_unflushed.get() {
            ready!(self.transport.poll_flush(cx))?;
            self.is_unflushed.set(false);
        }
        Poll::Ready(Ok(()))
    }

    /// Reads what has come in, at most this many bytes; empty at the end.
    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<Bytes>> {
        READ_BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(&mut buffer[..most.min(READ_BYTES)]);
            ready!(self.transport.poll_read(cx, &mut buffer))?;
            Poll::Ready(Ok(Bytes::copy_from_slice(buffer.filled())))
        })
    }

    /// Shuts the writing direction down.
    pub(crate) fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.poll_shutdown(cx)
    }

    /// Discards unsent bytes; the client sees a reset when the transport is dropped.
    pub(crate) fn abort(&self) {
        self.transport.abort();
    }
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::fake::FakeTransport;
    use std::task::Waker;

    /// Otherwise the task would offer the next frame in an endless loop, and its worker do nothing else.
    #[test]
    fn a_writer_is_not_clear_before_its_transport_has_flushed() {
        let writer = SocketWriter::new(Box::new(FakeTransport::buffered(<[u8]>::len)), Bytes::new());
        assert!(writer.is_clear());

        writer.frame_sent(&Bytes::from_static(b"a frame"), Ok(0));
        let cleared = writer.poll_clear(&mut Context::from_waker(Waker::noop()));

        assert!(cleared.is_pending() && writer.queued_bytes() == 0);
        assert!(!writer.is_clear());
    }
}
