use std::cell::Cell;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;

/// Hands a connection from HTTP over to a session: HTTP ends, and the connection's task goes on with the session.
///
/// What HTTP keeps for a connection, some 4 KiB, is freed before the session begins, which may live for days. Clones share
/// the place.
#[derive(Clone, Default)]
pub struct Takeover(Rc<Cell<Option<LocalBoxFuture<'static, ()>>>>);

impl Takeover {
    /// Puts the session in that the connection goes on with.
    pub fn set(&self, session: LocalBoxFuture<'static, ()>) {
        self.0.set(Some(session));
    }

    /// Takes the session, if the connection was handed over.
    pub fn into_session(self) -> Option<LocalBoxFuture<'static, ()>> {
        self.0.take()
    }
}
