use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use futures_util::Stream;

use super::link::{Link, Membership};

/// The body of the upgraded response: the connection asks it for bytes when its socket can take them.
///
/// It drives the session's actor and hands out what the outbox has. The actor runs at least once for
/// every [`FRAMES_PER_LOOK`] frames, so that a ping is answered even while the market floods.
pub(super) struct Body<S> {
    actor: S,
    link: Rc<Link>,
    is_over: bool,
    frames_since_look: u32,
    _membership: Option<Membership>,
}

const FRAMES_PER_LOOK: u32 = 8;

impl<S> Body<S> {
    pub(super) fn new(actor: S, link: Rc<Link>, membership: Option<Membership>) -> Self {
        Self { actor, link, is_over: false, frames_since_look: FRAMES_PER_LOOK, _membership: membership }
    }
}

impl<S> MessageBody for Body<S>
where
    S: Stream<Item = Result<Bytes, Error>> + Unpin,
{
    type Error = Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let this = self.get_mut();
        if this.frames_since_look < FRAMES_PER_LOOK
            && let Some(frame) = this.link.take(cx.waker())
        {
            this.frames_since_look += 1;
            return Poll::Ready(Some(Ok(frame)));
        }
        this.frames_since_look = 0;
        if !this.is_over {
            this.is_over = !matches!(Pin::new(&mut this.actor).poll_next(cx), Poll::Pending);
        }
        match this.link.take(cx.waker()) {
            Some(frame) => {
                this.frames_since_look = 1;
                Poll::Ready(Some(Ok(frame)))
            }
            None if this.is_over || this.link.parting().is_some() => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}
