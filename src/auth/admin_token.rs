use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};
use std::time::Instant;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::attempts::FailedAttempts;
use crate::limits::Rate;

/// The token file cannot be used.
#[derive(Debug, Error)]
pub enum AdminTokenError {
    /// The file cannot be read.
    #[error("cannot read the token file {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// It holds no usable token.
    #[error(
        "{path}: the token of the administration has {} or more visible ASCII characters without spaces, and nothing else \
         is in the file: `openssl rand -base64 48 | tr -d '\\n' > FILE` makes one",
        AdminToken::MIN_LEN
    )]
    Unusable {
        /// The file.
        path: PathBuf,
    },
}

/// The token by which administrators are known, as a hash: a dump of the memory does not give it away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AdminToken([u8; 32]);

impl AdminToken {
    /// The least length. 32 characters of base64 are 192 bits.
    pub const MIN_LEN: usize = 32;

    /// Reads a token file.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no usable token.
    pub fn read(path: PathBuf) -> Result<Self, AdminTokenError> {
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).ok_or(AdminTokenError::Unusable { path }),
            Err(source) => Err(AdminTokenError::Unreadable { path, source }),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let token = text.trim();
        let is_usable = token.len() >= Self::MIN_LEN && token.bytes().all(|byte| byte.is_ascii_graphic());
        is_usable.then(|| Self(digest(token)))
    }

    /// Takes the same time for any token.
    fn matches(self, shown: &str) -> bool {
        digest(shown).ct_eq(&self.0).into()
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("AdminToken")
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Decides whether a request comes from an administrator.
#[derive(Debug)]
pub struct AdminGate {
    token: RwLock<Option<AdminToken>>,
    /// Whether only this machine reaches the address of the administration.
    is_local: bool,
    attempts: FailedAttempts,
}

/// What a request to the administration tells of its sender.
#[derive(Clone, Copy, Debug)]
pub struct AdminRequest<'a> {
    /// The address.
    pub address: IpAddr,
    /// The token of `Authorization: Bearer`.
    pub token: Option<&'a str>,
    /// Whether the host that the request names is an address of loopback or `localhost`.
    pub names_loopback: bool,
    /// Whether it comes from a page of another origin.
    pub is_of_other_origin: bool,
    /// Whether the sender is on this machine, and no proxy passed the request on.
    pub is_direct: bool,
}

/// How an administrator is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminIdentity {
    /// By the token.
    Token,
    /// As a user of this machine, where no token is required.
    Loopback,
}

impl AdminIdentity {
    /// The name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Loopback => "loopback",
        }
    }
}

/// Why a request to the administration is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AdminRefusal {
    /// A token is required, and the request has none.
    #[error("the token of the administration is required: Authorization: Bearer TOKEN")]
    NoToken,
    /// It has another one.
    #[error("wrong token")]
    WrongToken,
    /// Too many wrong ones came from this address.
    #[error("too many wrong tokens from this address: wait a minute")]
    TooManyAttempts,
    /// There is no token, and others than this machine reach the address.
    #[error(
        "the administration needs a token at an address beyond loopback: start the server with --admin-token-file"
    )]
    TokenRequired,
    /// The request names a host that is not loopback: a page whose name was made to resolve to it (DNS rebinding).
    #[error(
        "without --admin-token-file the administration answers to localhost and addresses of loopback only"
    )]
    Host,
    /// The request was passed on by a proxy.
    #[error("without --admin-token-file the administration answers no proxy")]
    Forwarded,
    /// The request comes from a page of another origin.
    #[error("a page of another origin may not use the administration")]
    Origin,
}

impl AdminRefusal {
    /// The name in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoToken => "admin_no_token",
            Self::WrongToken => "admin_wrong_token",
            Self::TooManyAttempts => "attempts",
            Self::TokenRequired => "admin_token_required",
            Self::Host => "admin_host",
            Self::Forwarded => "admin_forwarded",
            Self::Origin => "admin_origin",
        }
    }
}

impl AdminGate {
    /// A gate with this token, at an address that only this machine reaches, or others too. `failures` limits the rate of
    /// wrong tokens from one address.
    pub fn new(token: Option<AdminToken>, is_local: bool, failures: Rate) -> Self {
        Self { token: RwLock::new(token), is_local, attempts: FailedAttempts::new(failures) }
    }

    /// Puts another token in force, and returns whether it is another one.
    pub fn replace(&self, token: Option<AdminToken>) -> bool {
        let mut current = self.token.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, token) != token
    }

    /// Limits the rate of wrong tokens from one address from now on.
    pub fn limit_failures(&self, failures: Rate) {
        self.attempts.set_rate(failures);
    }

    /// Admits a request.
    ///
    /// # Errors
    /// When its sender is no administrator, or cannot be known for one.
    pub fn admit(&self, request: AdminRequest<'_>, now: Instant) -> Result<AdminIdentity, AdminRefusal> {
        if request.is_of_other_origin {
            return Err(AdminRefusal::Origin);
        }
        let token = *self.token.read().unwrap_or_else(PoisonError::into_inner);
        match (token, request.token) {
            (Some(_), _) if !self.attempts.may_try(request.address, now) => {
                Err(AdminRefusal::TooManyAttempts)
            }
            (Some(_), None) => Err(AdminRefusal::NoToken),
            (Some(token), Some(shown)) if token.matches(shown) => Ok(AdminIdentity::Token),
            (Some(_), Some(_)) => {
                self.attempts.record(request.address, now);
                Err(AdminRefusal::WrongToken)
            }
            (None, _) if !self.is_local => Err(AdminRefusal::TokenRequired),
            (None, _) if !request.names_loopback => Err(AdminRefusal::Host),
            (None, _) if !request.is_direct => Err(AdminRefusal::Forwarded),
            (None, _) => Ok(AdminIdentity::Loopback),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn direct() -> AdminRequest<'static> {
        AdminRequest {
            address: IpAddr::from([127, 0, 0, 1]),
            token: None,
            names_loopback: true,
            is_of_other_origin: false,
            is_direct: true,
        }
    }

    fn gate(token: Option<&str>, is_local: bool) -> AdminGate {
        let token = token.map(|token| AdminToken::parse(token).unwrap());
        AdminGate::new(token, is_local, Rate::per_minute(2))
    }

    #[test]
    fn a_token_is_long_and_of_one_line() {
        assert!(AdminToken::parse(&format!("  {TOKEN}\n")).is_some());
        for unusable in
            ["", "short", &TOKEN[1..], "0123456789abcdef 0123456789abcdef", &format!("{TOKEN}\n{TOKEN}")]
        {
            assert!(AdminToken::parse(unusable).is_none(), "{unusable:?}");
        }
    }

    #[test]
    fn without_a_token_only_this_machine_is_admitted_by_its_own_name() {
        let (local, public, now) = (gate(None, true), gate(None, false), Instant::now());

        assert_eq!(local.admit(direct(), now), Ok(AdminIdentity::Loopback));
        assert_eq!(public.admit(direct(), now), Err(AdminRefusal::TokenRequired));
        let rebound = AdminRequest { names_loopback: false, ..direct() };
        assert_eq!(local.admit(rebound, now), Err(AdminRefusal::Host));
        let forwarded = AdminRequest { is_direct: false, ..direct() };
        assert_eq!(local.admit(forwarded, now), Err(AdminRefusal::Forwarded));
        let foreign = AdminRequest { is_of_other_origin: true, ..direct() };
        assert_eq!(local.admit(foreign, now), Err(AdminRefusal::Origin));
    }

    #[test]
    fn with_a_token_it_is_required_everywhere_and_wrong_ones_are_limited() {
        let now = Instant::now();
        let with =
            |token| AdminRequest { token: Some(token), names_loopback: false, is_direct: false, ..direct() };
        for gate in [gate(Some(TOKEN), true), gate(Some(TOKEN), false)] {
            assert_eq!(gate.admit(direct(), now), Err(AdminRefusal::NoToken));
            assert_eq!(gate.admit(with(TOKEN), now), Ok(AdminIdentity::Token));
            assert_eq!(gate.admit(with(&TOKEN[1..]), now), Err(AdminRefusal::WrongToken));
            assert_eq!(gate.admit(with("x"), now), Err(AdminRefusal::WrongToken));
            assert_eq!(
                gate.admit(with(TOKEN), now),
                Err(AdminRefusal::TooManyAttempts),
                "not even the right one"
            );
            let foreign = AdminRequest { is_of_other_origin: true, ..with(TOKEN) };
            assert_eq!(gate.admit(foreign, now), Err(AdminRefusal::Origin));
        }
    }

    #[test]
    fn another_token_replaces_the_one_before() {
        let (gate, now) = (gate(Some(TOKEN), true), Instant::now());
        let other = AdminToken::parse(&TOKEN.to_uppercase());

        assert!(gate.replace(other) && !gate.replace(other));
        let upper = TOKEN.to_uppercase();
        let with = |token| AdminRequest { token: Some(token), ..direct() };
        assert_eq!(gate.admit(with(TOKEN), now), Err(AdminRefusal::WrongToken));
        assert_eq!(gate.admit(with(&upper), now), Ok(AdminIdentity::Token));
    }
}
