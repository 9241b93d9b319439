//! The connection between a session and the body of an HTTP response.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use tokio::io::ReadBuf;

use super::conversion::{EventConversion, Reply};
use crate::transport::{RawSocket, Transport};
use crate::wire::{Opcode, masked_frame};

/// The body takes no frame while this many bytes wait in it. The session's outbox keeps what comes meanwhile, and
/// conflates or discards by its own limits.
const FULL_BYTES: usize = 16 << 10;

/// The mask of frames that never leave this process.
pub(super) const NO_MASK: [u8; 4] = [0; 4];

/// Both ends of a new pipe; the client receives `head` before everything else.
pub(super) fn event_pipe(conversion: EventConversion, head: Vec<u8>) -> (EventTransport, EventBody) {
    let pipe = Pipe {
        events: head,
        conversion,
        unfinished: Vec::new(),
        replies: Vec::new(),
        state: PipeState::Open,
        session: None,
        body: None,
    };
    let pipe = Rc::new(RefCell::new(pipe));
    (EventTransport(Rc::clone(&pipe)), EventBody(pipe))
}

struct Pipe {
    /// Events that HTTP has yet to take.
    events: Vec<u8>,
    conversion: EventConversion,
    /// The beginning of a frame that came in parts.
    unfinished: Vec<u8>,
    /// Frames of the client's half of the session.
    replies: Vec<u8>,
    state: PipeState,
    /// Wakes the task of the session.
    session: Option<Waker>,
    /// Wakes the task of the HTTP connection.
    body: Option<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PipeState {
    Open,
    /// The session has sent everything.
    Ended,
    /// The HTTP connection has ended.
    Gone,
}

impl Pipe {
    /// Converts the frames that are complete.
    fn take(&mut self, bytes: &[u8], now: Instant) {
        let mut unfinished = mem::take(&mut self.unfinished);
        if unfinished.is_empty() {
            let rest = self.convert(bytes, now);
            self.unfinished.extend_from_slice(rest);
        } else {
            unfinished.extend_from_slice(bytes);
            let rest = self.convert(&unfinished, now).to_vec();
            self.unfinished = rest;
        }
    }

    /// Converts complete frames, and returns the bytes of the one that is not.
    fn convert<'a>(&mut self, mut bytes: &'a [u8], now: Instant) -> &'a [u8] {
        while let Some((opcode, payload, rest)) = split_frame(bytes) {
            bytes = rest;
            match self.conversion.convert(opcode, payload, &mut self.events, now) {
                Reply::Nothing => {}
                Reply::Pong(payload) => {
                    self.replies.extend(masked_frame(Opcode::Pong, &payload, NO_MASK));
                }
                Reply::Close => self.replies.extend(masked_frame(Opcode::Close, &[], NO_MASK)),
            }
        }
        bytes
    }
}

/// The first frame of a server: its opcode, its payload, and the bytes behind it.
fn split_frame(bytes: &[u8]) -> Option<(Opcode, &[u8], &[u8])> {
    let (first, second) = (bytes.first()?, bytes.get(1)?);
    let (len, header) = match second {
        126 => (u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into(), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize, 10),
        short => (usize::from(*short), 2),
    };
    let opcode = Opcode::from_first_byte(*first).unwrap_or(Opcode::Binary);
    let (frame, rest) = bytes.split_at_checked(header + len)?;
    Some((opcode, &frame[header..], rest))
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The session's end: a transport that turns frames into events. It has no socket, so the session writes in its task.
pub(super) struct EventTransport(Rc<RefCell<Pipe>>);

impl EventTransport {
    /// Sends nothing more. The task to wake for that.
    fn end(&self) -> Option<Waker> {
        let mut pipe = self.0.borrow_mut();
        if pipe.state == PipeState::Open {
            pipe.state = PipeState::Ended;
        }
        pipe.body.take()
    }
}

impl Transport for EventTransport {
    fn socket(&self) -> Option<RawSocket<'_>> {
        None
    }

    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut pipe = self.0.borrow_mut();
        if pipe.state == PipeState::Open && pipe.replies.is_empty() {
            pipe.session = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let passed = pipe.replies.len().min(buffer.remaining());
        buffer.put_slice(&pipe.replies[..passed]);
        pipe.replies.drain(..passed);
        Poll::Ready(Ok(()))
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut pipe = self.0.borrow_mut();
        if pipe.state != PipeState::Open {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if pipe.events.len() >= FULL_BYTES {
            pipe.session = Some(cx.waker().clone());
            return Poll::Pending;
        }
        pipe.take(bytes, Instant::now());
        let has_replies = !pipe.replies.is_empty();
        let (body, session) = (pipe.body.take(), pipe.session.take_if(|_| has_replies));
        drop(pipe);
        wake(body);
        wake(session);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        wake(self.end());
        Poll::Ready(Ok(()))
    }

    /// Ends the response. What the client has not taken are whole events, which it gets again when it resumes.
    fn abort(&self) {
        self.0.borrow_mut().events = Vec::new();
        wake(self.end());
    }
}

/// However a session ends, its response does too.
impl Drop for EventTransport {
    fn drop(&mut self) {
        wake(self.end());
    }
}

/// HTTP's end: the body of the response.
pub(super) struct EventBody(Rc<RefCell<Pipe>>);

impl MessageBody for EventBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let mut pipe = self.0.borrow_mut();
        if pipe.events.is_empty() {
            if pipe.state != PipeState::Open {
                return Poll::Ready(None);
            }
            pipe.body = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let events = mem::take(&mut pipe.events);
        let session = pipe.session.take();
        drop(pipe);
        wake(session);
        Poll::Ready(Some(Ok(events.into())))
    }
}

/// The session of a client that is gone ends.
impl Drop for EventBody {
    fn drop(&mut self) {
        let mut pipe = self.0.borrow_mut();
        pipe.state = PipeState::Gone;
        pipe.events = Vec::new();
        let session = pipe.session.take();
        drop(pipe);
        wake(session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message_frame;

    fn pipe() -> (EventTransport, EventBody) {
        event_pipe(EventConversion::new(Default::default(), None), b"retry: 1\n\n".to_vec())
    }

    fn cx() -> Context<'static> {
        Context::from_waker(Waker::noop())
    }

    /// What HTTP takes now; `None` when the body has ended.
    fn take(body: &mut EventBody) -> Option<String> {
        match Pin::new(body).poll_next(&mut cx()) {
            Poll::Ready(Some(Ok(events))) => Some(String::from_utf8(events.to_vec()).unwrap()),
            Poll::Ready(None) => None,
            Poll::Pending => Some(String::new()),
        }
    }

    fn read(transport: &EventTransport) -> Poll<Vec<u8>> {
        let mut buffer = [0; 64];
        let mut buffer = ReadBuf::new(&mut buffer);
        transport.poll_read(&mut cx(), &mut buffer).map(|_| buffer.filled().to_vec())
    }

    #[test]
    fn frames_of_any_length_are_converted_in_parts_of_any_length() {
        for len in [1, 125, 126, 300, 70_000] {
            let text = format!("[{}]", "1".repeat(len));
            let frame = message_frame(Opcode::Text, text.as_bytes()).repeat(2);
            for part in [1, 3, 1_000, frame.len()] {
                let (transport, mut body) = pipe();
                let mut events = String::new();
                for part in frame.chunks(part) {
                    assert!(transport.poll_write(&mut cx(), part).is_ready());
                    events += &take(&mut body).unwrap();
                }
                assert_eq!(events, format!("retry: 1\n\n{}", format!("data: {text}\n\n").repeat(2)));
            }
        }
    }

    #[test]
    fn while_http_takes_nothing_no_more_than_the_bound_is_taken_from_the_session() {
        let (transport, mut body) = pipe();
        let frame = message_frame(Opcode::Text, &[b'1'; 1_000]);

        let taken = (0..1_000).take_while(|_| transport.poll_write(&mut cx(), &frame).is_ready()).count();

        assert_eq!(taken, FULL_BYTES.div_ceil(1_000 + "data: \n\n".len()));
        take(&mut body).unwrap();
        assert!(transport.poll_write(&mut cx(), &frame).is_ready());
    }

    #[test]
    fn a_ping_is_answered_for_the_client() {
        let (transport, _body) = pipe();
        assert!(read(&transport).is_pending());

        let ping = message_frame(Opcode::Ping, b"7");
        assert!(transport.poll_write(&mut cx(), &ping).is_ready());

        assert_eq!(read(&transport), Poll::Ready(masked_frame(Opcode::Pong, b"7", NO_MASK).to_vec()));
        assert!(read(&transport).is_pending());
    }

    #[test]
    fn either_end_ends_the_other() {
        let (transport, body) = pipe();
        drop(body);
        assert_eq!(read(&transport), Poll::Ready(Vec::new()));
        assert!(matches!(transport.poll_write(&mut cx(), &[0x81, 0]), Poll::Ready(Err(_))));

        let (transport, mut body) = pipe();
        assert!(transport.poll_shutdown(&mut cx()).is_ready());
        assert_eq!(take(&mut body).as_deref(), Some("retry: 1\n\n"), "what was sent before is not lost");
        assert_eq!(take(&mut body), None);

        let (transport, mut body) = pipe();
        transport.abort();
        drop(transport);
        assert_eq!(take(&mut body), None);
    }
}
