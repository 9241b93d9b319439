//! JSON Web Tokens (RFC 7519) of another log-in: what is accepted, by which keys, and when keys are fetched again.
//!
//! ```text
//! text ──parse──▶ WebToken ──key of its algorithm──▶ signature ──▶ Claims ──audience, issuer, time──▶ Key
//! ```
//! The rules of RFC 8725 hold: three algorithms, each with keys of its own kind, and nothing in a token says where its
//! key is. No claim is read before the signature is verified.

mod algorithm;
mod claims;
mod fault;
mod fetches;
mod key_set;
mod schedule;
mod strict_json;
mod token;
mod verifier;

pub use claims::Claims;
pub use fault::TokenFault;
pub use fetches::KeyFetches;
pub use key_set::{KeySet, KeySetError, KeySetOrigin};
pub use schedule::{FetchSchedule, max_age};
pub use verifier::{TokenRules, TokenVerifier};
