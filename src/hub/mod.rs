//! One worker's subscribers of a feed: the index from streams to subscribers, the fan-out of batches, subscribers'
//! timers, and the liveness check of connections.
//!
//! A hub does not know what a session is. It knows a `Subscriber` on the same thread and calls it
//! plainly: a message to each would cost more than the push itself.

mod actor;
mod change;
mod change_log;
mod coalescing;
mod crowding;
mod directory;
mod encoded_last_values;
mod fan_out;
mod frame_cache;
mod group;
mod group_lists;
#[expect(clippy::module_inception, reason = "the hub is the type that the module is for")]
mod hub;
mod hub_alerts;
mod index;
mod liveness;
mod requests;
mod send_batch;
mod subscriber;
mod survey;
mod ticker_tracker;
mod worker_share;

pub use actor::{CloseAll, Continue, HubActor, LivenessProbe};
pub use change::SubscriptionChange;
pub use change_log::ChangeLog;
pub use coalescing::MaxDelay;
pub use crowding::BacklogLimits;
pub use directory::HubDirectory;
pub use encoded_last_values::EncodedLastValues;
pub use fan_out::{FanOut, ObjectRef};
pub use frame_cache::{FrameCache, FrameForm, FrameKey};
pub use hub::Hub;
pub use index::{Index, SubscriberKey};
pub use liveness::{ConnectionHealth, LivenessTimeouts};
pub use requests::DescribedSession;
pub use subscriber::{Now, Subscriber};
pub use survey::{
    ChannelDetails, ClientFacts, Inquiry, SessionFilter, SessionId, SessionIdError, SessionRow, SessionSort,
    SortOrder, SubscriberDetails, SubscriberFigures, SubscriberIdentity, SurveyAnswer, SurveyQuery,
};
pub use worker_share::WorkerShare;
