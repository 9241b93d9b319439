//! One client: the conversation, the filter of what it wants, the outbox of what it has yet to get,
//! and the line through which that goes.
//!
//! ```text
//! hub ──deliver──▶ Link { lane } ──frame──▶ hub ──▶ socket   what need not wait, at the turn's end
//!             └──▶ Link { outbox ──▶ line } ──▶ socket       what waited for room, or for its time
//!                          ▲ poll_write                      what the socket takes later
//! socket ──▶ Incoming ──▶ SessionActor ──▶ Conversation ──Outcome──▶ CommandExecutor ──▶ Link, hub
//! ```
//! The connection's task drives the actor and writes what the socket could not take at once. A tick
//! that it can take wakes nobody: the hub's turn ends in the kernel.

mod actor;
mod authenticator;
mod delivered;
mod dirty;
mod echo;
mod entry;
mod executor;
mod fast_path;
mod incoming;
mod limits;
mod outbox;
mod pending;
mod protocol;
mod sampler;
mod state;
mod subscriptions;
mod task;

pub use actor::{SessionParams, open};
pub use authenticator::Authenticator;
pub use echo::open_echo;
pub use entry::OutgoingFrame;
pub use executor::Replay;
pub use limits::{Limits, Offered, OutboxLimits, Overload};
pub use outbox::Outbox;
pub use pending::PendingSession;
pub use protocol::{CommandOutcome, Greeting, Protocol, ResumePoint, SessionOptions};
pub use subscriptions::{SubscriptionChange, Subscriptions};

#[cfg(test)]
mod allocation_tests;
#[cfg(test)]
mod identity_tests;
