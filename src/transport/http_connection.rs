use std::cell::Cell;
use std::io;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::rt::net::TcpStream;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::upgrade_offer::simplify_offer;
use super::{Connection, Takeover, Transport};
use crate::limits::{TurnBudget, TurnTicket};

/// A connection while it speaks HTTP/1.1: it passes one request head after the other on, and simplifies upgrade offers.
///
/// actix-http parses all that has arrived and answers all of it before it writes: 3,000 pipelined requests of a client
/// that takes no response cost 18 MiB and a second of the worker. So the next head is passed on when the response to
/// the one before is on its way, and within the worker's budget for a turn.
pub struct HttpConnection<C> {
    connection: C,
    head: HeadEnd,
    /// What was read and is not passed on: requests behind the one that is being answered.
    unread: Vec<u8>,
    pace: ReadPace,
    end: ReadingEnd,
    body: BodyAllowance,
    stream: StreamMode,
    has_begun_stream: bool,
}

/// The most bytes of one read, and the most that are kept behind a request.
const READ_BYTES: usize = 4 << 10;

/// The most bytes that are passed on without a response: twice the longest head. A longer one is not kept until it is
/// complete.
const BYTES_PER_RESPONSE: usize = 32 << 10;

/// What a request takes of the worker's budget for a turn.
const UNITS_PER_REQUEST: u32 = 4;

/// Ends the reading of a connection: what the client still sends of a request that was refused is not taken.
#[derive(Clone, Debug, Default)]
pub struct ReadingEnd(Rc<Cell<bool>>);

impl ReadingEnd {
    /// Takes nothing more, as if the client had ended its side.
    pub fn set(&self) {
        self.0.set(true);
    }
}

/// Lets a connection pass the body of the request that is being answered on. None is passed on otherwise, since no
/// request but a few may have one.
#[derive(Clone, Debug, Default)]
pub struct BodyAllowance(Rc<Cell<usize>>);

impl BodyAllowance {
    /// Passes this number of bytes behind the head on.
    pub fn set(&self, bytes: usize) {
        self.0.set(bytes);
    }

    fn spend(&self, bytes: usize) {
        self.0.set(self.0.get().saturating_sub(bytes));
    }
}

/// Makes the response of a connection one that a session sends for as long as its client stays.
#[derive(Clone, Debug, Default)]
pub struct StreamMode(Rc<Cell<bool>>);

impl StreamMode {
    /// Passes on no further request, and ends the connection when the client ends its side: that of a session that
    /// sends little would be noticed late otherwise.
    pub fn begin(&self) {
        self.0.set(true);
    }
}

/// Finds the ends of request heads in bytes that come in pieces.
#[derive(Debug, Default)]
struct HeadEnd {
    /// How much of the empty line has come, and whether the head began in an earlier piece.
    matched: usize,
    is_split: bool,
}

impl HeadEnd {
    const MARK: &[u8] = b"\r\n\r\n";

    /// The length of the head in these bytes, if it ends there.
    fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            self.matched = match *byte {
                byte if byte == Self::MARK[self.matched] => self.matched + 1,
                b'\r' => 1,
                _ => 0,
            };
            if self.matched == Self::MARK.len() {
                self.matched = 0;
                return Some(at + 1);
            }
        }
        None
    }
}

/// Decides when a connection may pass more on.
#[derive(Debug, Default)]
struct ReadPace {
    /// A request was passed on, and nothing was written since.
    awaits_response: bool,
    /// Responses wait for the socket.
    is_blocked: bool,
    /// More was wanted meanwhile, so the task must be woken when that is over.
    is_refused: bool,
    /// Bytes passed on since the last response.
    unanswered: usize,
    ticket: Option<TurnTicket>,
}

impl ReadPace {
    /// Notes what is passed on; an error if it is more than a request may have.
    fn note_read(&mut self, bytes: usize, is_complete: bool) -> io::Result<()> {
        self.unanswered += bytes;
        self.awaits_response |= is_complete;
        TurnBudget::spend(if is_complete { UNITS_PER_REQUEST } else { 1 });
        match self.unanswered <= BYTES_PER_RESPONSE {
            true => Ok(()),
            false => Err(io::Error::new(io::ErrorKind::InvalidData, "the request does not end")),
        }
    }

    /// Notes whether the socket took what was written.
    fn note_write(&mut self, is_blocked: bool, cx: &mut Context<'_>) {
        self.is_blocked = is_blocked;
        if !is_blocked {
            (self.awaits_response, self.unanswered) = (false, 0);
            if mem::take(&mut self.is_refused) {
                cx.waker().wake_by_ref();
            }
        }
    }
}

impl<C> From<C> for HttpConnection<C> {
    fn from(connection: C) -> Self {
        Self {
            connection,
            head: HeadEnd::default(),
            unread: Vec::new(),
            pace: ReadPace::default(),
            end: ReadingEnd::default(),
            body: BodyAllowance::default(),
            stream: StreamMode::default(),
            has_begun_stream: false,
        }
    }
}

impl<C: Connection> HttpConnection<C> {
    /// Reads what comes behind a request that is being answered, to notice that the client leaves; ready when it has.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pace.is_refused = true;
        while self.unread.len() < READ_BYTES {
            let mut space = [0; 512];
            let room = space.len().min(READ_BYTES - self.unread.len());
            let mut part = ReadBuf::new(&mut space[..room]);
            ready!(Pin::new(&mut self.connection).poll_read(cx, &mut part))?;
            if part.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.unread.extend_from_slice(part.filled());
        }
        Poll::Pending
    }

    /// Passes on what is allowed of a body.
    fn poll_body(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let room = self.body.0.get().min(buffer.remaining());
        if !self.unread.is_empty() {
            let passed = self.unread.len().min(room);
            buffer.put_slice(&self.unread[..passed]);
            self.unread.drain(..passed);
            self.body.spend(passed);
            return Poll::Ready(Ok(()));
        }
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
        ready!(Pin::new(&mut self.connection).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        self.body.spend(read);
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }

    /// Passes bytes on up to the end of a head, and keeps the rest.
    fn pass_on(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let end = self.head.find(bytes);
        let passed = end.unwrap_or(bytes.len());
        if end.is_some() && !self.head.is_split {
            simplify_offer(&mut bytes[..passed]);
        }
        self.head.is_split = end.is_none();
        self.pace.note_read(passed, end.is_some())?;
        Ok(passed)
    }
}

impl<C: Connection> AsyncRead for HttpConnection<C> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.end.0.get() {
            return Poll::Ready(Ok(()));
        }
        if this.stream.0.get() {
            let end = this.poll_end(cx);
            // No request is passed on after this response.
            this.pace.is_refused = false;
            ready!(end)?;
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if this.pace.is_blocked {
            this.pace.is_refused = true;
            return Poll::Pending;
        }
        if this.pace.awaits_response {
            if this.body.0.get() > 0 {
                return this.poll_body(cx, buffer);
            }
            return this.poll_end(cx);
        }
        ready!(TurnBudget::poll_room(&mut this.pace.ticket, cx));
        let room = READ_BYTES.min(buffer.remaining());
        if !this.unread.is_empty() {
            let mut unread = mem::take(&mut this.unread);
            let len = unread.len().min(room);
            let passed = this.pass_on(&mut unread[..len])?;
            buffer.put_slice(&unread[..passed]);
            this.unread = unread.split_off(passed);
            return Poll::Ready(Ok(()));
        }
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
        ready!(Pin::new(&mut this.connection).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        if read > 0 {
            let passed = this.pass_on(part.filled_mut())?;
            this.unread.extend_from_slice(&part.filled()[passed..]);
            buffer.advance(passed);
        }
        Poll::Ready(Ok(()))
    }
}

impl<C: Connection> AsyncWrite for HttpConnection<C> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { connection, pace, stream, has_begun_stream, .. } = self.get_mut();
        if stream.0.get() && !mem::replace(has_begun_stream, true) {
            connection.begin_stream();
        }
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

    fn takeover(&self) -> Takeover {
        self.connection.takeover()
    }

    fn into_transport(self) -> Box<dyn Transport> {
        self.connection.into_transport()
    }

    fn is_tls(&self) -> bool {
        self.connection.is_tls()
    }

    fn take_unread(&mut self) -> Bytes {
        mem::take(&mut self.unread).into()
    }

    fn reading_end(&self) -> ReadingEnd {
        self.end.clone()
    }

    fn body_allowance(&self) -> BodyAllowance {
        self.body.clone()
    }

    fn stream_mode(&self) -> StreamMode {
        self.stream.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_head_is_found_in_pieces_of_any_length() {
        let text = b"GET / HTTP/1.1\r\nA: b\r\r\n\r\nGET";
        for piece in 1..=text.len() {
            let (mut head, mut before) = (HeadEnd::default(), 0);
            let ends: Vec<_> = text
                .chunks(piece)
                .filter_map(|chunk| {
                    let end = head.find(chunk).map(|end| before + end);
                    before += chunk.len();
                    end
                })
                .collect();
            assert_eq!(ends, [text.len() - "GET".len()], "{piece}");
        }
    }
}
