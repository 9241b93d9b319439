use bytes::Bytes;
use futures_util::future::LocalBoxFuture;

use crate::transport::Transport;

/// A session that waits for its connection. It travels with the answer to the upgrade, and becomes
/// the connection's task when that has left HTTP behind.
pub struct PendingSession(Box<Open>);

type Open = dyn FnOnce(Box<dyn Transport>, Bytes, Bytes) -> LocalBoxFuture<'static, ()>;

impl PendingSession {
    pub(super) fn new(
        open: impl FnOnce(Box<dyn Transport>, Bytes, Bytes) -> LocalBoxFuture<'static, ()> + 'static,
    ) -> Self {
        Self(Box::new(open))
    }

    /// The same, with something that lives as long as the session: its seat.
    #[must_use]
    pub fn with(self, companion: impl Sized + 'static) -> Self {
        Self::new(move |wire, head, early| {
            let session = self.on(wire, head, early);
            Box::pin(async move {
                let _companion = companion;
                session.await;
            })
        })
    }

    /// The session's task over this connection. It sends `head`, the answer to the handshake, before
    /// all else, and reads `early`, which came in behind the handshake, before the rest.
    pub fn on(self, wire: Box<dyn Transport>, head: Bytes, early: Bytes) -> LocalBoxFuture<'static, ()> {
        (self.0)(wire, head, early)
    }
}
