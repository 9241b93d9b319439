use std::cell::RefCell;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::rt::net::TcpStream;
use bytes::Bytes;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{AcceptedSocket, BodyAllowance, RawSocket, ReadingEnd, StreamMode, Takeover, Transport};

/// An accepted connection, TCP or TLS.
pub trait Connection: AsyncRead + AsyncWrite + Unpin {
    /// Its TCP socket.
    fn socket(&self) -> &TcpStream;

    /// The transport of a session, once the connection has left HTTP.
    fn into_transport(self) -> Box<dyn Transport>;

    /// Where the session is put that takes the connection over.
    fn takeover(&self) -> Takeover;

    /// Whether it is one of TLS.
    fn is_tls(&self) -> bool {
        false
    }

    /// Takes what was read behind the request that upgraded the connection, and not passed on.
    fn take_unread(&mut self) -> Bytes {
        Bytes::new()
    }

    /// Ends the reading, where the connection can do that.
    fn reading_end(&self) -> ReadingEnd {
        ReadingEnd::default()
    }

    /// Lets the body of a request be read.
    fn body_allowance(&self) -> BodyAllowance {
        BodyAllowance::default()
    }

    /// Makes the response that is under way one that a session sends.
    fn stream_mode(&self) -> StreamMode {
        StreamMode::default()
    }

    /// Ends the time without a session, while the connection still speaks HTTP.
    fn begin_stream(&mut self) {}
}

impl Connection for AcceptedSocket {
    fn socket(&self) -> &TcpStream {
        self.socket()
    }

    fn takeover(&self) -> Takeover {
        self.takeover()
    }

    fn into_transport(self) -> Box<dyn Transport> {
        Box::new(TcpTransport(self.into_socket()))
    }

    fn begin_stream(&mut self) {
        self.begin_stream();
    }
}

impl Connection for TlsStream<AcceptedSocket> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0.socket()
    }

    fn takeover(&self) -> Takeover {
        self.get_ref().0.takeover()
    }

    fn is_tls(&self) -> bool {
        true
    }

    fn into_transport(mut self) -> Box<dyn Transport> {
        self.get_mut().0.release();
        Box::new(TlsTransport(RefCell::new(self)))
    }

    fn begin_stream(&mut self) {
        self.get_mut().0.begin_stream();
    }
}

struct TcpTransport(TcpStream);

impl TcpTransport {
    /// Performs an operation for which the socket is ready, and waits where it was not ready after all.
    fn poll_io<T>(
        &self,
        cx: &mut Context<'_>,
        ready: impl Fn(&TcpStream, &mut Context<'_>) -> Poll<io::Result<()>>,
        mut operation: impl FnMut(&TcpStream) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            ready!(ready(&self.0, cx))?;
            match operation(&self.0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

impl Transport for TcpTransport {
    fn socket(&self) -> Option<RawSocket<'_>> {
        Some(RawSocket::of(&self.0))
    }

    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = ready!(
            self.poll_io(cx, TcpStream::poll_read_ready, |it| it.try_read(buffer.initialize_unfilled()))
        )?;
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_io(cx, TcpStream::poll_write_ready, |it| it.try_write(bytes))
    }

    fn poll_flush(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&self.0).shutdown(Shutdown::Write))
    }

    fn abort(&self) {
        reset(&self.0);
    }
}

/// TLS keeps buffers of its own, which only a task can flush to the socket.
struct TlsTransport(RefCell<TlsStream<AcceptedSocket>>);

impl Transport for TlsTransport {
    fn socket(&self) -> Option<RawSocket<'_>> {
        None
    }

    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_read(cx, buffer)
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

    fn abort(&self) {
        reset(self.0.borrow().get_ref().0.socket());
    }
}

/// Makes the kernel discard what it could not send, instead of keeping it until it gives the connection up.
fn reset(socket: &TcpStream) {
    // An error means that the client has closed the connection already.
    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
}
