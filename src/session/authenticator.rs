use std::fmt;
use std::rc::Rc;

use crate::auth::{Credentials, Denied, Grant};
use crate::wire::{Close, ErrorCode};

/// Who decides whether credentials are good for this session. The session does not know where keys
/// are kept, nor where its client comes from.
#[derive(Clone)]
pub struct Authenticator(Rc<dyn Fn(&Credentials) -> AuthResult>);

type AuthResult = Result<Grant, Denied>;

impl Authenticator {
    /// A guard that decides like this.
    pub fn new(decide: impl Fn(&Credentials) -> AuthResult + 'static) -> Self {
        Self(Rc::new(decide))
    }

    pub(super) fn admit(&self, shown: &Credentials) -> AuthResult {
        (self.0)(shown)
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Authenticator")
    }
}

/// How a client is told.
pub(super) const fn error_of(denied: Denied) -> ErrorCode {
    match denied {
        Denied::Wrong | Denied::FailedAttempts => ErrorCode::AuthFailed,
        Denied::Feed => ErrorCode::InsufficientSubscription,
        Denied::Sessions => ErrorCode::ConnectionLimit,
    }
}

/// How a session ends that nothing but these credentials could begin.
pub(super) const fn close_of(denied: Denied) -> Close {
    match denied {
        Denied::Wrong | Denied::FailedAttempts | Denied::Feed => Close::AuthFailed,
        Denied::Sessions => Close::TryLater,
    }
}
