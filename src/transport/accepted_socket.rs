use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use actix_web::rt::net::{ActixStream, Ready, TcpStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep_until};

use super::takeover::Takeover;
use super::write_allowance::{MinimumWriteRate, WriteAllowance};

/// A TCP connection while it speaks HTTP: it holds a guard until it becomes a session, and fails when the
/// client takes a response too slowly.
///
/// The rate of a session is watched by the hub, so `release` ends both.
pub struct AcceptedSocket {
    socket: TcpStream,
    http: Option<Box<HttpPhase>>,
}

/// What a connection has only as long as it has no session.
struct HttpPhase {
    /// `None` while the response is the stream of a session.
    guard: Option<Box<dyn ConnectionGuard>>,
    allowance: WriteAllowance,
    /// Wakes the task of a connection that takes nothing.
    timer: Option<Pin<Box<Sleep>>>,
    takeover: Takeover,
}

/// What counts a connection without a session. It is dropped when the connection ends or becomes a session.
pub trait ConnectionGuard {
    /// The client took a response so slowly that the connection is dropped.
    fn dropped_as_slow(&self);
}

impl AcceptedSocket {
    /// A connection whose client must take responses at this rate, and that holds this guard. Its task looks for a session
    /// in `takeover` when HTTP has ended.
    pub fn new(
        socket: TcpStream,
        guard: Box<dyn ConnectionGuard>,
        rate: MinimumWriteRate,
        takeover: Takeover,
    ) -> Self {
        let allowance = WriteAllowance::new(rate);
        let http = HttpPhase { guard: Some(guard), allowance, timer: None, takeover };
        Self { socket, http: Some(Box::new(http)) }
    }

    /// The TCP socket.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Where a session is put that takes the connection over. One that left HTTP is taken over no more.
    pub(super) fn takeover(&self) -> Takeover {
        self.http.as_ref().map(|http| http.takeover.clone()).unwrap_or_default()
    }

    /// Ends the time without a session: drops the guard, and no longer watches the rate.
    pub(super) fn release(&mut self) {
        self.http = None;
    }

    /// Drops the guard, since a session counts by itself. From now on the client may take what it is sent as slowly as it
    /// likes, as that of any session, as long as it takes something.
    pub(super) fn begin_stream(&mut self) {
        if let Some(http) = &mut self.http {
            http.guard = None;
            http.allowance.drop_rate();
        }
    }

    /// The socket by itself.
    pub(super) fn into_socket(self) -> TcpStream {
        self.socket
    }
}

impl HttpPhase {
    /// Notes that the socket is full; an error when the client has used up its allowance.
    fn poll_blocked(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let deadline = self.allowance.blocked(Instant::now()).into();
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        ready!(timer.as_mut().poll(cx));
        if let Some(guard) = &self.guard {
            guard.dropped_as_slow();
        }
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }
}

impl AsyncRead for AcceptedSocket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_read(cx, buffer)
    }
}

impl AsyncWrite for AcceptedSocket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { socket, http } = self.get_mut();
        let written = Pin::new(socket).poll_write(cx, bytes);
        match (http, &written) {
            (Some(http), Poll::Pending) => http.poll_blocked(cx).map(Err),
            (Some(http), Poll::Ready(Ok(taken))) => {
                http.allowance.took(*taken, Instant::now());
                written
            }
            _ => written,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

/// Required by the TLS acceptor.
impl ActixStream for AcceptedSocket {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(&self.socket, cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(&self.socket, cx)
    }
}
