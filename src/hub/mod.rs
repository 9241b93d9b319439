//! Who wants what, on one worker thread: the index from streams to subscribers, the turn that hands
//! a batch out, and the beat that looks after the silent and the stalled.
//!
//! A hub does not know what a session is. It knows a [`Subscriber`] of the same thread, whom it
//! calls plainly: a message to each would cost more than the push itself.

mod actor;
mod encoded_last_values;
mod fan_out;
mod group;
#[expect(clippy::module_inception, reason = "the hub is the type that the module is for")]
mod hub;
mod index;
mod liveness;
mod send_queue;
mod subscriber;

pub use actor::{CloseAll, Continue, HubActor};
pub use encoded_last_values::EncodedLastValues;
pub use fan_out::{FanOut, FrameCache, FrameKey, ObjectRef};
pub use hub::Hub;
pub use index::{Change, Index, SubscriberKey};
pub use liveness::{ConnectionHealth, LivenessTimeouts};
pub use subscriber::Subscriber;
