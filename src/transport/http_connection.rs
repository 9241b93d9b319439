use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::upgrade_offer::UpgradeOffers;
use super::{Connection, Transport};
use crate::limits::ReactorTurn;

/// A connection while it speaks HTTP/1.1: requests are read at a pace, and their upgrade offers are simplified.
///
/// actix-http reads all that has arrived and answers all of it before it writes: 3,000 pipelined requests of a
/// client that takes no response cost 18 MiB and a second of the worker. So nothing is read while responses wait
/// for the socket, and little before other tasks run.
pub struct HttpConnection<C> {
    connection: C,
    offers: UpgradeOffers,
    pace: ReadPace,
}

/// Decides when a connection may read.
#[derive(Default)]
struct ReadPace {
    /// Responses wait for the socket.
    is_blocked: bool,
    /// Reading was refused meanwhile, so the task must be woken when the socket takes them.
    is_refused: bool,
    /// Bytes read in this turn of the reactor.
    read: usize,
    turn: Option<ReactorTurn>,
}

impl ReadPace {
    /// The most bytes that are read before other tasks run: a hundred of the smallest requests, or a quarter of the
    /// largest head.
    const BYTES_PER_TURN: usize = 4 << 10;

    /// How many bytes may be read now. While none may, the task is woken when that changes.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        if self.is_blocked {
            self.is_refused = true;
            return Poll::Pending;
        }
        if self.read >= Self::BYTES_PER_TURN {
            if !self.turn.get_or_insert_with(|| ReactorTurn::begin(cx)).is_over() {
                return Poll::Pending;
            }
            (self.turn, self.read) = (None, 0);
        }
        Poll::Ready(Self::BYTES_PER_TURN - self.read)
    }

    /// Notes whether the socket took what was written.
    fn note_write(&mut self, is_blocked: bool, cx: &mut Context<'_>) {
        self.is_blocked = is_blocked;
        if !is_blocked && std::mem::take(&mut self.is_refused) {
            cx.waker().wake_by_ref();
        }
    }
}

impl<C> From<C> for HttpConnection<C> {
    fn from(connection: C) -> Self {
        Self { connection, offers: UpgradeOffers::default(), pace: ReadPace::default() }
    }
}

impl<C: Connection> AsyncRead for HttpConnection<C> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { connection, offers, pace } = self.get_mut();
        let room = ready!(pace.poll_room(cx)).min(buffer.remaining());
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
        ready!(Pin::new(connection).poll_read(cx, &mut part))?;
        offers.simplify(part.filled_mut());
        let read = part.filled().len();
        pace.read += read;
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl<C: Connection> AsyncWrite for HttpConnection<C> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { connection, pace, .. } = self.get_mut();
        let written = Pin::new(connection).poll_write(cx, bytes);
        pace.note_write(written.is_pending(), cx);
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().connection).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().connection).poll_shutdown(cx)
    }
}

impl<C: Connection> Connection for HttpConnection<C> {
    fn socket(&self) -> &TcpStream {
        self.connection.socket()
    }

    fn into_transport(self) -> Box<dyn Transport> {
        self.connection.into_transport()
    }
}
