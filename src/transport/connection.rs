use std::cell::RefCell;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::rt::net::TcpStream;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{RawSocket, Transport};

/// A connection, plain or encrypted.
pub trait Connection: AsyncRead + AsyncWrite + Unpin {
    /// The socket that carries it.
    fn socket(&self) -> &TcpStream;

    /// The connection when it has left HTTP behind.
    fn into_transport(self) -> Box<dyn Transport>;
}

impl Connection for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }

    fn into_transport(self) -> Box<dyn Transport> {
        Box::new(TcpTransport(self))
    }
}

impl Connection for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }

    fn into_transport(self) -> Box<dyn Transport> {
        Box::new(TlsTransport(RefCell::new(self)))
    }
}

struct TcpTransport(TcpStream);

impl TcpTransport {
    /// Does with the socket what it was found ready for, and waits where it was not after all.
    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        ready: impl Fn(&TcpStream, &mut Context<'_>) -> Poll<io::Result<()>>,
        mut make: impl FnMut(&TcpStream) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            ready!(ready(&self.0, cx))?;
            match make(&self.0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                made => return Poll::Ready(made),
            }
        }
    }
}

impl Transport for TcpTransport {
    fn socket(&self) -> Option<RawSocket<'_>> {
        Some(RawSocket::of(&self.0))
    }

    fn poll_read(&self, cx: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read =
            ready!(self.poll(cx, TcpStream::poll_read_ready, |it| it.try_read(room.initialize_unfilled())))?;
        room.advance(read);
        Poll::Ready(Ok(()))
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(cx, TcpStream::poll_write_ready, |it| it.try_write(bytes))
    }

    fn poll_flush(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&self.0).shutdown(Shutdown::Write))
    }

    fn abandon(&self) {
        abandon(&self.0);
    }
}

/// Encryption keeps buffers of its own, which only a task sees through to the socket.
struct TlsTransport(RefCell<TlsStream<TcpStream>>);

impl Transport for TlsTransport {
    fn socket(&self) -> Option<RawSocket<'_>> {
        None
    }

    fn poll_read(&self, cx: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_read(cx, room)
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_write(cx, bytes)
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_flush(cx)
    }

    fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_shutdown(cx)
    }

    fn abandon(&self) {
        abandon(self.0.borrow().get_ref().0);
    }
}

/// Makes the kernel throw away what it could not send, rather than keep it until it gives the connection up.
fn abandon(socket: &TcpStream) {
    // An error says that the far side was faster.
    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
}
