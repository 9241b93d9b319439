//! One client: the conversation, the filter of what it wants, the outbox of what it has yet to get,
//! and the line through which that goes.
//!
//! ```text
//! hub ──deliver──▶ Link { lane } ──frame──▶ hub ──▶ socket   what need not wait, at the turn's end
//!             └──▶ Link { outbox ──▶ line } ──▶ socket       what waited for room, or for its time
//!                          ▲ poll_write                      what the socket takes later
//! socket ──▶ Incoming ──▶ SessionActor ──▶ Conversation ──Outcome──▶ Delivery ──▶ Link, hub
//! ```
//! The connection's task drives the actor and writes what the socket could not take at once. A tick
//! that it can take wakes nobody: the hub's turn ends in the kernel.

mod actor;
mod connection;
mod conversation;
mod delivery;
mod echo;
mod filter;
mod guard;
mod incoming;
mod known;
mod lane;
mod limits;
mod line;
mod link;
mod marks;
mod opening;
mod outbox;
mod parcel;
mod watch;

pub use actor::{Door, open};
pub use conversation::{Conversation, Greeting, Outcome, Resumption, Terms};
pub use delivery::Replay;
pub use echo::open_echo;
pub use filter::{Filter, Interest};
pub use guard::Guard;
pub use limits::{Limits, Offered, OutboxLimits, Overload};
pub use line::Wire;
pub use opening::Opening;
pub use outbox::Outbox;
pub use parcel::Taken;

#[cfg(test)]
mod allocation_tests;
#[cfg(test)]
mod fake_wire;
#[cfg(test)]
mod identity_tests;
