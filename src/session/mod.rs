//! One client: the conversation, the filter of what it wants, the outbox of what it has yet to get,
//! and the body through which the socket pulls.
//!
//! ```text
//! hub ──deliver──▶ Link { outbox } ◀──take── Body ◀──poll── the connection, when it can write
//! payload ──▶ Incoming ──▶ SessionActor ──▶ Conversation ──notices──▶ Link
//! ```
//! The actor lives inside the body, and the body is polled only while the socket takes bytes. So
//! nothing that must happen to a stalled client may depend on the actor: that is the hub's part.

mod actor;
mod body;
mod conversation;
mod echo;
mod filter;
mod incoming;
mod link;
mod outbox;

pub use actor::{Door, open};
pub use conversation::{Conversation, Limits};
pub use echo::open_echo;
pub use filter::{Filter, Interest};
pub use link::Sever;
pub use outbox::{Offered, Outbox, OutboxLimits};
