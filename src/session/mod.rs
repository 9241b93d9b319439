//! One client: the conversation, the filter of what it wants, the outbox of what it has yet to get,
//! and the body through which the socket pulls.
//!
//! ```text
//! hub ──deliver──▶ Link { outbox } ◀──take── Body ◀──poll── the connection, when it can write
//! payload ──▶ Incoming ──▶ SessionActor ──▶ Conversation ──Outcome──▶ Delivery ──▶ Link, hub
//! ```
//! The actor lives inside the body, and the body is polled only while the socket takes bytes. So
//! nothing that must happen to a stalled client may depend on the actor: that is the hub's part.

mod actor;
mod body;
mod conversation;
mod delivery;
mod echo;
mod filter;
mod guard;
mod incoming;
mod known;
mod limits;
mod link;
mod marks;
mod outbox;
mod parcel;
mod watch;

pub use actor::{Door, open};
pub use conversation::{Conversation, Greeting, Outcome, Resumption, Terms};
pub use delivery::Replay;
pub use echo::open_echo;
pub use filter::{Filter, Interest};
pub use guard::Guard;
pub use limits::{Limits, OutboxLimits};
pub use link::Sever;
pub use outbox::{Offered, Outbox, Overload};
pub use parcel::Taken;

#[cfg(test)]
mod identity_tests;
