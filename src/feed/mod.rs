//! What has happened: every event is numbered, remembered, folded into bars and handed on.
//!
//! The [`Sequencer`] is the pure heart; the [`FeedPump`] carries the market's events to it, and the [`MarketDataActor`]
//! its batches away, one shared batch for all workers, or the [`InlineMarketDataActor`] to the one worker whose thread
//! it shares. The [`Archive`] keeps what was published for those who ask later.

mod actor;
mod bars;
mod batch;
mod inline;
mod last_values;
mod pump;
mod sequencer;
mod tickers;

pub use actor::{Follow, MarketDataActor, Published};
pub use batch::Batch;
pub use inline::{InlineFollower, InlineMarketDataActor};
pub use last_values::LastValues;
pub use pump::FeedPump;
pub use sequencer::{BarSpans, Sequencer};
