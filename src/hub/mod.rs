//! Who wants what, on one worker thread: the index from streams to subscribers, the turn that hands
//! a batch out, and the beat that looks after the silent and the stalled.
//!
//! A hub does not know what a session is. It knows a [`Subscriber`] of the same thread, whom it
//! calls plainly: a message to each would cost more than the push itself.

mod actor;
mod audience;
mod departures;
mod heartbeat;
#[expect(clippy::module_inception, reason = "the hub is what the room is for")]
mod hub;
mod index;
mod newest;
mod socket;
mod subscriber;
mod turn;

pub use actor::{Dismiss, Ear, HubActor};
pub use heartbeat::{Patience, Vitals};
pub use hub::Hub;
pub use index::{Change, Index, SubscriberKey};
pub use newest::Newest;
pub use socket::Socket;
pub use subscriber::Subscriber;
pub use turn::{FrameKey, Frames, Pick, Turn};
