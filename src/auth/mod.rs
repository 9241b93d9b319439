//! Authentication and access: keys, allowed origins, trusted proxies, failed attempts.
//!
//! The decisions are pure. What all workers share is behind a lock that is taken when a session begins and
//! when it ends, never for a tick.

mod address;
mod admin_token;
mod attempts;
mod forwarded;
mod host;
mod key;
mod key_file;
mod key_store;
mod origin;
mod reachability;
mod revocation;

pub use address::{ForwardingHeaders, ForwardingTrace, Network, TrustedProxies};
pub use admin_token::{AdminGate, AdminIdentity, AdminRefusal, AdminRequest, AdminToken, AdminTokenError};
pub use host::{HostPattern, names_loopback};
pub use key::{Credentials, Entitlements, GeneratedKey, Key, KeyId};
pub use key_store::{Denied, Grant, KeyChangeError, KeyStore, KeyStoreError, Reloaded};
pub use origin::{AllowedOrigins, ClientLocation, OriginPattern, OriginRefusal, PublicHosts};
pub use reachability::{Reachability, SharedReachability};
pub use revocation::Revocation;

/// An option's value cannot be parsed; the text says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(pub(crate) &'static str);
