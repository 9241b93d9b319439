use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use actix_web::Error;
use bytes::Bytes;
use futures_util::Stream;
use tokio::time::{Sleep, sleep};

use super::state::{HubMembership, SessionState};
use crate::limits::WorkPermit;
use crate::transport::{READ_BYTES, SocketWriter};

/// The task of one session: it drives the actor, and writes where the socket was full.
///
/// It is woken by what comes in and by a full socket, never by a tick that the socket takes at once.
pub(super) struct SessionTask<A> {
    state: Rc<SessionState>,
    stage: Stage<A>,
}

enum Stage<A> {
    /// The actor reads commands; it is gone once it stopped.
    Serving { actor: Option<A>, turn: Option<AnswerTurn>, _membership: HubMembership },
    /// Everything was written: the client has this long to close its side.
    Lingering(Linger),
}

/// The wait for the worker's permission to produce a piece of an answer.
type AnswerTurn = Pin<Box<dyn Future<Output = WorkPermit>>>;

/// Waits for the client to close its side of the connection.
///
/// To close a socket with something unread in it sends a reset, which may overtake our Close; so
/// what comes is read and discarded (RFC 6455 section 7.1.1).
struct Linger {
    deadline: Pin<Box<Sleep>>,
    is_shut_down: bool,
}

const LINGER: Duration = Duration::from_secs(1);

impl<A> SessionTask<A>
where
    A: Stream<Item = Result<Bytes, Error>> + Unpin,
{
    pub(super) fn new(actor: A, state: Rc<SessionState>, membership: HubMembership) -> Self {
        Self { state, stage: Stage::Serving { actor: Some(actor), turn: None, _membership: membership } }
    }
}

/// Drives the actor, produces what the client requested, and writes, until the session has ended and
/// everything is written.
///
/// Each piece of an answer waits in the worker's fair queue: a client that requests much delays only itself.
fn poll_serve<A>(
    actor: &mut Option<A>,
    turn: &mut Option<AnswerTurn>,
    state: &SessionState,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>>
where
    A: Stream<Item = Result<Bytes, Error>> + Unpin,
{
    loop {
        let written = state.poll_write(cx, Instant::now())?;
        if let Some(running) = actor
            && Pin::new(running).poll_next(cx).is_ready()
        {
            *actor = None;
        }
        // What the actor did may have left a frame in the writer too, for which nothing else waits yet.
        if written.is_ready() && state.has_backlog() {
            continue;
        }
        if state.wants_answer() {
            let wait = || Box::pin(state.hub().fair_queue().acquire_unbounded(state.client())) as AnswerTurn;
            if let Poll::Ready(_permit) = turn.get_or_insert_with(wait).as_mut().poll(cx) {
                *turn = None;
                state.produce_answer(Instant::now());
                continue;
            }
        } else {
            *turn = None;
        }
        if written.is_ready() && (actor.is_none() || state.close_reason().is_some()) {
            return Poll::Ready(Ok(()));
        }
        state.set_waker(cx.waker());
        return Poll::Pending;
    }
}

impl<A> Future for SessionTask<A>
where
    A: Stream<Item = Result<Bytes, Error>> + Unpin,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { state, stage } = self.get_mut();
        if state.is_aborted() {
            state.writer().abort();
            return Poll::Ready(());
        }
        loop {
            match stage {
                Stage::Serving { actor, turn, .. } => match ready!(poll_serve(actor, turn, state, cx)) {
                    Ok(()) => *stage = Stage::Lingering(Linger::new()),
                    Err(_) => return Poll::Ready(()),
                },
                Stage::Lingering(linger) => return linger.poll(state.writer(), cx),
            }
        }
    }
}

impl Linger {
    fn new() -> Self {
        Self { deadline: Box::pin(sleep(LINGER)), is_shut_down: false }
    }

    fn poll(&mut self, writer: &SocketWriter, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_shut_down {
            self.is_shut_down = writer.poll_shutdown(cx).is_ready();
        }
        loop {
            match writer.poll_read(cx, READ_BYTES) {
                Poll::Ready(Ok(discarded)) if !discarded.is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.deadline.as_mut().poll(cx),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::task::Waker;

    use futures_util::stream;

    use super::*;
    use crate::hub::{Hub, Subscriber, SubscriberIdentity};
    use crate::model::Epoch;
    use crate::session::{Outbox, OutboxLimits};
    use crate::transport::fake::FakeTransport;
    use crate::wire::Codec;

    /// A command has the hub deliver what waits to be coalesced. Over TLS, or where the socket is full, the frame stays in
    /// the writer, and the waker is gone if it has woken the task before.
    #[test]
    fn a_frame_that_the_actor_leaves_in_the_writer_is_written_in_the_same_turn() {
        let taken = Rc::new(Cell::new(0));
        let count = Rc::clone(&taken);
        let transport = FakeTransport::taking(move |bytes: &[u8]| {
            count.set(count.get() + bytes.len());
            bytes.len()
        });
        let (hub, now) = (Rc::new(Hub::for_tests(Duration::ZERO)), Instant::now());
        let outbox = Outbox::new(Codec::Json, OutboxLimits::default());
        let writer = SocketWriter::new(Box::new(transport), Bytes::new());
        let identity = SubscriberIdentity::for_tests();
        let state = SessionState::new(hub, identity, Epoch::default(), outbox, writer, now);
        let mut has_sent = false;
        let mut actor = Some(stream::poll_fn(|_| {
            if !std::mem::replace(&mut has_sent, true) {
                state.frame_sent(&Bytes::from_static(b"frame"), Ok(0));
            }
            Poll::Pending::<Option<Result<Bytes, Error>>>
        }));

        let served = poll_serve(&mut actor, &mut None, &state, &mut Context::from_waker(Waker::noop()));

        assert!(served.is_pending());
        assert_eq!(taken.get(), b"frame".len());
    }
}
