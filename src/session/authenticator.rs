use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;

use crate::auth::{Credentials, Denied, Grant, Key};
use crate::wire::{Close, ControlMessage, ErrorCode};

/// Decides whether credentials are valid for a session. The session knows neither where keys are kept
/// nor which address its client has.
#[derive(Clone)]
pub struct Authenticator {
    decide: Rc<dyn Fn(&Credentials) -> AuthResult>,
    tokens: Option<TokenDecisions>,
}

/// What else there is to decide about tokens.
#[derive(Clone)]
struct TokenDecisions {
    renew: Rc<dyn Fn(&Credentials) -> RenewResult>,
    prepare: Rc<Prepare>,
}

type AuthResult = Result<Grant, Denied>;

type RenewResult = Result<Arc<Key>, Denied>;

type Prepare = dyn Fn(&Credentials) -> Option<KeysFetched>;

/// Ends when the keys of tokens are fetched.
type KeysFetched = LocalBoxFuture<'static, ()>;

impl Authenticator {
    /// An authenticator that decides by this function.
    pub fn new(decide: impl Fn(&Credentials) -> AuthResult + 'static) -> Self {
        Self { decide: Rc::new(decide), tokens: None }
    }

    /// The same for a service that accepts tokens: `renew` gives the key of a token for a session that has one already,
    /// `prepare` what to wait for before credentials are decided about.
    #[must_use]
    pub fn with_tokens(
        self,
        renew: impl Fn(&Credentials) -> RenewResult + 'static,
        prepare: impl Fn(&Credentials) -> Option<KeysFetched> + 'static,
    ) -> Self {
        Self { tokens: Some(TokenDecisions { renew: Rc::new(renew), prepare: Rc::new(prepare) }), ..self }
    }

    pub(super) fn authenticate(&self, credentials: &Credentials) -> AuthResult {
        (self.decide)(credentials)
    }

    /// The key of a newer token.
    pub(super) fn renew(&self, credentials: &Credentials) -> RenewResult {
        self.tokens.as_ref().map_or(Err(Denied::Wrong), |tokens| (tokens.renew)(credentials))
    }

    /// What to wait for before these credentials are decided about.
    pub(super) fn prepare(&self, credentials: &Credentials) -> Option<KeysFetched> {
        self.tokens.as_ref().and_then(|tokens| (tokens.prepare)(credentials))
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Authenticator")
    }
}

/// The error that a client gets.
pub(super) fn error_of(denied: Denied) -> ControlMessage {
    match denied {
        Denied::Wrong | Denied::FailedAttempts => ErrorCode::AuthFailed.into(),
        Denied::Feed => ErrorCode::InsufficientSubscription.into(),
        Denied::Sessions => ErrorCode::ConnectionLimit.into(),
        Denied::Expired => ErrorCode::AuthFailed.because(EXPIRED),
        Denied::Unavailable => ErrorCode::InternalError.because(
            "the keys of tokens could not be fetched yet, so no token can be verified: try again later",
        ),
    }
}

/// The explanation for a token that has expired.
pub(super) const EXPIRED: &str = "the token has expired: get a new one and send it";

/// How a session ends that was opened with these credentials alone.
pub(super) const fn close_of(denied: Denied) -> Close {
    match denied {
        Denied::Wrong | Denied::FailedAttempts | Denied::Feed => Close::AuthFailed,
        Denied::Sessions | Denied::Unavailable => Close::TryLater,
        Denied::Expired => Close::TokenExpired,
    }
}
