//! One client: its protocol state, its subscriptions, and the outbox of what it has yet to receive.
//!
//! ```text
//! hub ──fast_path?──▶ SessionState           open: the hub sends one shared frame through the writer
//!  └────deliver────▶ SessionState ──▶ Outbox ──▶ SocketWriter ──▶ socket     closed: behind or paced
//!                                                    ▲ poll_write            what the socket takes later
//! socket ──▶ IncomingStream ──▶ SessionActor ──▶ Protocol ──CommandOutcome──▶ CommandExecutor ──▶ hub, Outbox
//! ```
//! The session's task drives the actor and writes what the socket could not take at once. A tick that
//! the socket takes at once wakes no task.

mod actor;
mod alert_desk;
mod alert_history;
mod alerts;
mod authenticator;
mod command_outcome;
mod echo;
mod executor;
mod expiry;
mod fast_path_cache;
mod faulty_line;
mod incoming;
mod limits;
mod outbox;
mod pending_message;
mod pending_session;
mod protocol;
mod state;
mod subscription_state;
mod subscriptions;
mod task;
mod topic_access;

pub use actor::{SessionParams, open};
pub use alert_desk::AlertAccess;
pub use authenticator::Authenticator;
pub use command_outcome::{CommandOutcome, ResumePoint, SessionOptions, SnapshotPart};
pub use echo::{EchoParams, open_echo};
pub use limits::{Limits, Offered, OutboxLimits, Overload};
pub use outbox::{
    AnswerKind, AnswerPoint, AnswerRequest, Outbox, OutgoingFrame, Pacing, ReplayLookup, SnapshotKind,
    TickerExtent, TickerForm,
};
pub use pending_session::PendingSession;
pub use protocol::{Greeting, Protocol};
pub use subscriptions::Subscriptions;
pub use topic_access::{PublishMessage, TopicAccess};

#[cfg(test)]
mod allocation_tests;
#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod instruction_tests;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod test_turn;
