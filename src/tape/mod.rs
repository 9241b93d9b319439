//! What has happened: every event is numbered, remembered, folded into bars and handed on.
//!
//! The [`Recorder`] is the pure heart; the [`Tape`] carries the market's events to it, and the [`TapeActor`]
//! its batches away, one shared batch for all workers, or the [`BesideActor`] to the one worker whose thread
//! it shares. The [`Archive`] keeps what was published for those who ask later.

mod actor;
pub mod archive;
mod bars;
mod batch;
mod beside;
mod board;
mod calendar;
mod latest;
mod recorder;
#[expect(clippy::module_inception, reason = "the tape is what the room is for")]
mod tape;

pub use actor::{Follow, Published, TapeActor};
pub use archive::{Archive, Retention};
pub use batch::Batch;
pub use beside::{BesideActor, Neighbour};
pub use calendar::{TradingDay, midnights};
pub use latest::Latest;
pub use recorder::{Recorder, Spans};
pub use tape::Tape;
