use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::upgrade_offer::simplify_upgrade_offer;
use super::{AcceptedSocket, Connection, Transport};

/// A connection of plain HTTP, whose upgrade offers are simplified before HTTP reads them.
pub struct PlainConnection(AcceptedSocket);

impl From<AcceptedSocket> for PlainConnection {
    fn from(socket: AcceptedSocket) -> Self {
        Self(socket)
    }
}

impl AsyncRead for PlainConnection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.get_mut().0).poll_read(cx, buffer))?;
        simplify_upgrade_offer(&mut buffer.filled_mut()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for PlainConnection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}

impl Connection for PlainConnection {
    fn socket(&self) -> &TcpStream {
        self.0.socket()
    }

    fn into_transport(self) -> Box<dyn Transport> {
        self.0.into_transport()
    }
}
