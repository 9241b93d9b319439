use std::io;
use std::task::{Context, Poll};
#[cfg(target_os = "linux")]
use std::{net::UdpSocket, rc::Rc};

use tokio::io::ReadBuf;

use super::Transport;
use crate::transport::RawSocket;

/// A transport for tests: the client takes as many of the offered bytes as `take` says, and sends nothing.
pub(crate) struct FakeTransport<F> {
    take: F,
    is_buffered: bool,
}

impl<F: Fn(&[u8]) -> usize> FakeTransport<F> {
    pub(crate) const fn taking(take: F) -> Self {
        Self { take, is_buffered: false }
    }

    /// What a task writes goes into a buffer of the transport, which a full socket holds back, as with TLS.
    pub(crate) const fn buffered(take: F) -> Self {
        Self { take, is_buffered: true }
    }
}

impl<F: Fn(&[u8]) -> usize> Transport for FakeTransport<F> {
    fn socket(&self) -> Option<RawSocket<'_>> {
        None
    }

    fn poll_read(&self, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_write(&self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match (self.take)(bytes) {
            0 => Poll::Pending,
            taken => Poll::Ready(Ok(taken)),
        }
    }

    fn poll_flush(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_buffered { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_shutdown(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn abort(&self) {}
}

/// A transport for tests of which the kernel takes and discards everything at once: the socket of a client that reads.
#[cfg(target_os = "linux")]
#[derive(Clone)]
pub(crate) struct DiscardingTransport(Rc<UdpSocket>);

#[cfg(target_os = "linux")]
impl DiscardingTransport {
    /// The socket is its own peer, and is never read: the kernel drops what exceeds its buffer.
    pub(crate) fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port of the loopback");
        let address = socket.local_addr().expect("a bound socket has an address");
        socket.connect(address).expect("datagrams have no handshake");
        Self(Rc::new(socket))
    }
}

#[cfg(target_os = "linux")]
impl Transport for DiscardingTransport {
    fn socket(&self) -> Option<RawSocket<'_>> {
        Some(RawSocket::of_datagrams(&self.0))
    }

    fn poll_read(&self, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_write(&self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn abort(&self) {}
}
