//! Who may come in, how many at once, and how much of a worker each may have: origins, addresses, keys,
//! seats, budgets, chores.
//!
//! The decisions are pure. What all workers share is behind a lock that is taken when a session
//! begins and when it ends, never for a tick.

mod address;
mod attempts;
mod budget;
mod chores;
mod descriptors;
mod key;
mod keyring;
mod origin;
mod revocation;
mod seats;

pub use address::{Network, Proxies, household};
pub use budget::{Budget, Rate};
pub use chores::{Chores, Turn};
pub use descriptors::{connections_of, raise_descriptors, seats_of};
pub use key::{Credentials, Entitlement, FEEDS, Key, Minted};
pub use keyring::{Denied, Keyring, KeysError, Pass, Reloaded};
pub use origin::{Origin, Origins};
pub use revocation::Revocation;
pub use seats::{Full, Seat, SeatLimits, Seats, Tally, Ticket};

/// What is typed for the gate cannot be meant; the text says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Misfit(pub(crate) &'static str);
