use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;

use crate::transport::Transport;

/// A session that waits for its connection. It travels with the response to the upgrade request, and
/// becomes the connection's task when the connection has left HTTP.
pub struct PendingSession(Box<Start>);

type Start = dyn FnOnce(Box<dyn Transport>, Bytes, Bytes) -> LocalBoxFuture<'static, ()>;

impl PendingSession {
    pub(super) fn new(
        start: impl FnOnce(Box<dyn Transport>, Bytes, Bytes) -> LocalBoxFuture<'static, ()> + 'static,
    ) -> Self {
        Self(Box::new(start))
    }

    /// The same session, holding a guard for as long as it lives: its capacity permit.
    #[must_use]
    pub fn holding(self, guard: impl Unpin + 'static) -> Self {
        Self::new(move |transport, head, early| {
            Box::pin(GuardedSession { session: self.run(transport, head, early), _guard: guard })
        })
    }

    /// The session's task over this connection. It sends `head`, the response to the handshake, first,
    /// and reads `early`, the bytes that came in behind the handshake, before all others.
    pub fn run(
        self,
        transport: Box<dyn Transport>,
        head: Bytes,
        early: Bytes,
    ) -> LocalBoxFuture<'static, ()> {
        (self.0)(transport, head, early)
    }
}

/// A session with a guard, which is dropped behind it.
struct GuardedSession<G> {
    session: LocalBoxFuture<'static, ()>,
    _guard: G,
}

impl<G: Unpin> Future for GuardedSession<G> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.session.as_mut().poll(cx)
    }
}
