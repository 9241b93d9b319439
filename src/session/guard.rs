use std::fmt;
use std::rc::Rc;

use crate::gate::{Credentials, Denied, Pass};
use crate::wire::{Close, ErrorCode};

/// Who decides whether credentials are good for this session. The session does not know where keys
/// are kept, nor where its client comes from.
#[derive(Clone)]
pub struct Guard(Rc<dyn Fn(&Credentials) -> Verdict>);

type Verdict = Result<Pass, Denied>;

impl Guard {
    /// A guard that decides like this.
    pub fn new(decide: impl Fn(&Credentials) -> Verdict + 'static) -> Self {
        Self(Rc::new(decide))
    }

    pub(super) fn admit(&self, shown: &Credentials) -> Verdict {
        (self.0)(shown)
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Guard")
    }
}

/// How a client is told.
pub(super) const fn error_of(denied: Denied) -> ErrorCode {
    match denied {
        Denied::Wrong | Denied::Attempts => ErrorCode::AuthFailed,
        Denied::Feed => ErrorCode::InsufficientSubscription,
        Denied::Sessions => ErrorCode::ConnectionLimit,
    }
}

/// How a session ends that nothing but these credentials could begin.
pub(super) const fn close_of(denied: Denied) -> Close {
    match denied {
        Denied::Wrong | Denied::Attempts | Denied::Feed => Close::AuthFailed,
        Denied::Sessions => Close::TryLater,
    }
}
