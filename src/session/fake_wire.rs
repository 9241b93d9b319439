use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Wire;

/// A wire for tests: the far side takes so many of the bytes that it is offered, and says nothing.
pub(super) struct FakeWire<F> {
    take: F,
    is_buffered: bool,
}

impl<F: Fn(&[u8]) -> usize> FakeWire<F> {
    pub(super) const fn taking(take: F) -> Self {
        Self { take, is_buffered: false }
    }

    /// What a task writes goes into a buffer of the wire's own, which a full socket holds back: TLS.
    pub(super) const fn buffered(take: F) -> Self {
        Self { take, is_buffered: true }
    }
}

impl<F: Fn(&[u8]) -> usize + Unpin> Wire for FakeWire<F> {
    fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_buffered {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        match (self.take)(bytes) {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            taken => Ok(taken),
        }
    }

    fn abandon(&self) {}
}

impl<F: Fn(&[u8]) -> usize + Unpin> AsyncWrite for FakeWire<F> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match (self.take)(bytes) {
            0 => Poll::Pending,
            taken => Poll::Ready(Ok(taken)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_buffered { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl<F: Fn(&[u8]) -> usize + Unpin> AsyncRead for FakeWire<F> {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}
