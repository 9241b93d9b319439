//! Authentication and access: keys, tokens, allowed origins, trusted proxies, failed attempts.
//!
//! The decisions are pure. What all workers share is behind a lock that is taken when a session begins and
//! when it ends, never for a tick.

mod address;
mod admin_token;
mod attempt;
mod attempts;
mod entitlements;
mod forwarded;
mod host;
#[cfg(feature = "jwt")]
pub mod jwt;
mod key;
mod key_file;
mod key_store;
mod origin;
mod reachability;
mod revocation;
mod subject;
mod topic_rights;

pub use address::{ForwardingHeaders, ForwardingTrace, Network, TrustedProxies};
pub use admin_token::{AdminGate, AdminIdentity, AdminRefusal, AdminRequest, AdminToken, AdminTokenError};
pub use attempt::AuthAttempt;
pub use entitlements::Entitlements;
pub use host::{HostPattern, names_loopback};
pub use key::{Credentials, GeneratedKey, Key, KeyId, is_token};
pub use key_file::{KeyChangeError, KeyStoreError};
pub use key_store::{Denied, Grant, KeyStore, Reloaded};
pub use origin::{AllowedOrigins, ClientLocation, OriginPattern, OriginRefusal, PublicHosts};
pub use reachability::{Reachability, SharedReachability};
pub use revocation::Revocation;
pub use topic_rights::{TopicPattern, TopicRights};

/// An option's value cannot be parsed; the text says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(pub(crate) &'static str);
