//! The relay of an upstream feed: a client of another server's stream, as a source of this node.
//!
//! `Conversation` is the pure state machine of the connection.

mod back_off;
mod conversation;

pub use back_off::Jitter;
pub use conversation::{Conversation, ConversationAction, ConversationInput, Credentials};
