use std::fmt;
use std::rc::Rc;

use crate::auth::{Credentials, Denied, Grant};
use crate::wire::{Close, ErrorCode};

/// Decides whether credentials are valid for a session. The session knows neither where keys are kept
/// nor which address its client has.
#[derive(Clone)]
pub struct Authenticator(Rc<dyn Fn(&Credentials) -> AuthResult>);

type AuthResult = Result<Grant, Denied>;

impl Authenticator {
    /// An authenticator that decides by this function.
    pub fn new(decide: impl Fn(&Credentials) -> AuthResult + 'static) -> Self {
        Self(Rc::new(decide))
    }

    pub(super) fn authenticate(&self, credentials: &Credentials) -> AuthResult {
        (self.0)(credentials)
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Authenticator")
    }
}

/// The error that a client gets.
pub(super) const fn error_of(denied: Denied) -> ErrorCode {
    match denied {
        Denied::Wrong | Denied::FailedAttempts => ErrorCode::AuthFailed,
        Denied::Feed => ErrorCode::InsufficientSubscription,
        Denied::Sessions => ErrorCode::ConnectionLimit,
    }
}

/// How a session ends that was opened with these credentials alone.
pub(super) const fn close_of(denied: Denied) -> Close {
    match denied {
        Denied::Wrong | Denied::FailedAttempts | Denied::Feed => Close::AuthFailed,
        Denied::Sessions => Close::TryLater,
    }
}
