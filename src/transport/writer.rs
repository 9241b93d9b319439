use std::cell::{Cell, RefCell};
use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::ReadBuf;

use super::RawSocket;

/// What carries a session's bytes: a connection that is ours alone once the handshake is over.
pub trait Transport {
    /// The socket that bytes may be given to as they are; none where only a task may write.
    fn socket(&self) -> Option<RawSocket<'_>>;

    /// Reads what has come in; nothing at the end.
    fn poll_read(&self, cx: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>>;

    /// Writes as much as is taken.
    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Sees what was written through to the socket.
    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Says that nothing more will be written.
    fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// What is unsent when it is dropped is thrown away, and the far side sees a reset.
    fn abandon(&self);
}

/// The way to the client, with the one frame that the socket has not taken whole.
///
/// A frame is written where it comes up, or by the hub at the end of its turn: a call of the kernel and
/// nothing around it. Only where the socket is full the session's task is woken, and waits for it.
pub(crate) struct SocketWriter {
    wire: Box<dyn Transport>,
    rest: RefCell<Bytes>,
    /// Whether a task wrote what a wire with buffers of its own may still hold.
    is_unflushed: Cell<bool>,
    is_broken: Cell<bool>,
}

/// The most that is read at once.
const CHUNK: usize = 16 << 10;

thread_local! {
    /// Where all sessions of a worker read: nobody keeps room for what may come.
    static ROOM: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK]);
}

impl SocketWriter {
    /// A line over this wire; `head` goes before everything else.
    pub(crate) fn new(wire: Box<dyn Transport>, head: Bytes) -> Self {
        Self { wire, rest: RefCell::new(head), is_unflushed: Cell::new(false), is_broken: Cell::new(false) }
    }

    /// Whether there is room for a frame: the last one was taken whole, and has left the wire's buffers.
    pub(crate) fn is_clear(&self) -> bool {
        self.rest.borrow().is_empty() && !self.is_unflushed.get() && !self.is_broken.get()
    }

    /// Bytes of the last frame that wait for the socket.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.rest.borrow().len()
    }

    /// The socket that frames are given to while the line is clear, if it takes them as they are.
    pub(crate) fn socket(&self) -> Option<RawSocket<'_>> {
        self.wire.socket()
    }

    /// Gives the socket what it takes of a frame at once; say then what was [sent](Self::sent).
    pub(crate) fn try_send(&self, frame: &[u8]) -> io::Result<usize> {
        self.wire.socket().map_or(Ok(0), |socket| socket.send(frame))
    }

    /// So much of a frame was given to the socket; the rest is kept. Only on a clear line.
    pub(crate) fn sent(&self, frame: &Bytes, sent: io::Result<usize>) {
        let taken = sent.unwrap_or_else(|error| {
            self.is_broken.set(!is_passing(&error));
            0
        });
        if taken < frame.len() {
            self.rest.replace(frame.slice(taken..));
        }
    }

    /// Writes the rest of the last frame; ready when the line is clear.
    pub(crate) fn poll_clear(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_broken.get() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let mut rest = self.rest.borrow_mut();
        while !rest.is_empty() {
            let taken = ready!(self.wire.poll_write(cx, &rest))?;
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            rest.advance(taken);
            self.is_unflushed.set(true);
        }
        // A frame may be a slice of what others share: nothing of it is kept.
        *rest = Bytes::new();
        if self.is_unflushed.get() {
            ready!(self.wire.poll_flush(cx))?;
            self.is_unflushed.set(false);
        }
        Poll::Ready(Ok(()))
    }

    /// What has come in; empty at the end.
    pub(crate) fn poll_read(&self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        ROOM.with_borrow_mut(|room| {
            let mut room = ReadBuf::new(room);
            ready!(self.wire.poll_read(cx, &mut room))?;
            Poll::Ready(Ok(Bytes::copy_from_slice(room.filled())))
        })
    }

    /// Says that nothing more will be sent.
    pub(crate) fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire.poll_shutdown(cx)
    }

    /// Nothing that waits will be sent.
    pub(crate) fn abandon(&self) {
        self.wire.abandon();
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::fake::FakeTransport;
    use std::task::Waker;

    /// Else the task would offer the next frame for ever, and its worker do nothing else.
    #[test]
    fn a_line_is_not_clear_before_the_wire_has_flushed() {
        let line = SocketWriter::new(Box::new(FakeTransport::buffered(<[u8]>::len)), Bytes::new());
        assert!(line.is_clear());

        line.sent(&Bytes::from_static(b"a frame"), Ok(0));
        let cleared = line.poll_clear(&mut Context::from_waker(Waker::noop()));

        assert!(cleared.is_pending() && line.waiting_bytes() == 0);
        assert!(!line.is_clear());
    }
}
