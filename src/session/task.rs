use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::Error;
use bytes::Bytes;
use futures_util::Stream;
use tokio::time::{Sleep, sleep};

use super::state::{HubMembership, SessionState};
use crate::transport::SocketWriter;

/// The task of one session: it drives the actor, and writes where the socket was full.
///
/// It is woken by what comes in and by what finds the socket full, never by a tick that the socket
/// takes at once.
pub(super) struct SessionTask<S> {
    actor: Option<S>,
    link: Rc<SessionState>,
    membership: Option<HubMembership>,
    farewell: Option<ClosingHandshake>,
}

/// All is said: the far side is told so and has this long to hang up.
///
/// Who closes a socket with something unread in it sends a reset, which may overtake our Close; so
/// what comes is read and thrown away (RFC 6455 section 7.1.1).
struct ClosingHandshake {
    deadline: Pin<Box<Sleep>>,
    is_shut: bool,
}

const LINGER: Duration = Duration::from_secs(1);

impl<S> SessionTask<S>
where
    S: Stream<Item = Result<Bytes, Error>> + Unpin,
{
    pub(super) fn new(actor: S, link: Rc<SessionState>, membership: HubMembership) -> Self {
        Self { actor: Some(actor), link, membership: Some(membership), farewell: None }
    }

    /// Goes on until all is said.
    fn serve(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let written = self.link.poll_write(cx)?;
            if let Some(actor) = &mut self.actor
                && Pin::new(actor).poll_next(cx).is_ready()
            {
                self.actor = None;
            }
            if self.link.has_more() {
                continue;
            }
            if written.is_ready() && (self.actor.is_none() || self.link.parting().is_some()) {
                return Poll::Ready(Ok(()));
            }
            self.link.wake_by(cx.waker());
            return Poll::Pending;
        }
    }

    fn say_farewell(&mut self) -> ClosingHandshake {
        self.actor = None;
        self.membership = None;
        ClosingHandshake { deadline: Box::pin(sleep(LINGER)), is_shut: false }
    }
}

impl<S> Future for SessionTask<S>
where
    S: Stream<Item = Result<Bytes, Error>> + Unpin,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.link.is_severed() {
            this.link.line().abandon();
            return Poll::Ready(());
        }
        if this.farewell.is_none() {
            match ready!(this.serve(cx)) {
                Ok(()) => this.farewell = Some(this.say_farewell()),
                Err(_) => return Poll::Ready(()),
            }
        }
        this.farewell.as_mut().map_or(Poll::Ready(()), |farewell| farewell.poll(this.link.line(), cx))
    }
}

impl ClosingHandshake {
    fn poll(&mut self, line: &SocketWriter, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_shut {
            self.is_shut = line.poll_shutdown(cx).is_ready();
        }
        loop {
            match line.poll_read(cx) {
                Poll::Ready(Ok(thrown_away)) if !thrown_away.is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.deadline.as_mut().poll(cx),
            }
        }
    }
}
